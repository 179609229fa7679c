/** Where everything in the picture of a network stands. Layers are columns from left to right, or strips from the top down
 * where there is little room. Few neurons are discs, many are a grid of cells of which one page is shown, outputs are bars. */

export type Flow = "right" | "down";
export type Kind = "picture" | "discs" | "cells" | "bars";

export interface Column {
  /** −1: the inputs, which are no layer. */
  readonly layer: number;
  readonly kind: Kind;
  /** How many numbers there are, and which of them are shown. */
  readonly count: number;
  readonly first: number;
  readonly shown: number;
  /** Left upper corner of the first place, and the places' size. */
  readonly x: number;
  readonly y: number;
  readonly perRow: number;
  readonly pitchX: number;
  readonly pitchY: number;
  /** Of a disc, or half a cell. */
  readonly radius: number;
}

export interface Layout {
  readonly flow: Flow;
  readonly width: number;
  readonly height: number;
  readonly columns: readonly Column[];
}

export interface Shape {
  readonly sizes: readonly number[];
  readonly picture: { readonly width: number; readonly height: number } | null;
  /** Characters of the longest name of an input and of an output. */
  readonly longest: { readonly inputs: number; readonly outputs: number };
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const MOST_DISCS = 20;
/** Room above a column for what it is called, and below for its squish. */
export const HEAD = 40;
export const FOOT = 44;
const NARROW = 480;
const LEAST_GAP = 76;
const LEAST_CELL = 5;
const MOST_CELLS = 1024;
/** What a bar and its value take, and a character of a name. */
const BAR_WIDTH = 152;
export const CHARACTER = 7;

/** `places`: the neuron of each layer that is to be on the page shown, if it has pages. */
export function layOut(shape: Shape, width: number, height: number, places: readonly number[] = []): Layout {
  return width < NARROW ? strips(shape, width, places) : columns(shape, width, height, places);
}

const kindOf = ({ sizes, picture }: Shape, layer: number): Kind => {
  if (layer < 0 && picture) return "picture";
  if (sizes[layer + 1] > MOST_DISCS) return "cells";
  return layer === sizes.length - 2 ? "bars" : "discs";
};

function columns(shape: Shape, wanted: number, height: number, places: readonly number[]): Layout {
  const { sizes, picture, longest } = shape;
  const room = Math.max(120, height - HEAD - FOOT);
  const middle = HEAD + room / 2;
  const hidden = sizes.length - 2;
  const outputs = Math.min(BAR_WIDTH + CHARACTER * longest.outputs, 0.34 * wanted);
  const inputs = picture
    ? Math.min(140, 0.22 * wanted, room)
    : Math.min(48 + CHARACTER * longest.inputs, 0.28 * wanted);
  const width = Math.max(wanted, inputs + outputs + (hidden + 1) * LEAST_GAP);
  const gap = (width - inputs - outputs) / (hidden + 1);
  const found = sizes.map((count, at): Column => {
    const layer = at - 1;
    const kind = kindOf(shape, layer);
    const centre = at === 0 ? inputs / 2 : at > hidden ? width - outputs / 2 : inputs + at * gap;
    if (kind === "picture") return pictureAt(picture!, centre - inputs / 2 + 2, middle, inputs - 2);
    if (kind === "cells") {
      const across = at === 0 ? inputs : at > hidden ? outputs : Math.min(160, 0.66 * gap);
      return cells(layer, count, places[layer], centre, middle, across, room);
    }
    const pitch = Math.min(36, room / count);
    const base = { layer, kind, count, first: 0, shown: count, perRow: 1, pitchY: pitch };
    const y = middle - (count * pitch) / 2;
    if (kind === "bars") return { ...base, x: width - outputs, y, pitchX: outputs, radius: Math.min(9, 0.32 * pitch) };
    const x = at === 0 ? inputs - pitch : centre - pitch / 2;
    return { ...base, x, y, pitchX: pitch, radius: Math.min(13, 0.42 * pitch) };
  });
  return { flow: "right", width, height: HEAD + room + FOOT, columns: found };
}

const STRIP_GAP = 60;
const STRIP_HEAD = 30;
const BAR_HEIGHT = 84;

function strips(shape: Shape, width: number, places: readonly number[]): Layout {
  const { sizes, picture } = shape;
  let top = 0;
  const found = sizes.map((count, at): Column => {
    const layer = at - 1;
    const kind = kindOf(shape, layer);
    const y = top + STRIP_HEAD;
    let column: Column;
    if (kind === "picture") {
      const side = Math.min(168, width);
      column = pictureAt(picture!, (width - side) / 2, y + side / 2, side);
    } else if (kind === "cells") {
      column = cells(layer, count, places[layer], width / 2, y + 60, width, 120);
    } else {
      const rows = kind === "bars" ? 1 : Math.ceil(count / 10);
      const perRow = Math.ceil(count / rows);
      const pitch = kind === "bars" ? width / perRow : Math.min(44, width / perRow);
      column = {
        ...{ layer, kind, count, first: 0, shown: count, perRow, pitchX: pitch },
        ...{ x: (width - perRow * pitch) / 2, y, pitchY: kind === "bars" ? BAR_HEIGHT : Math.min(36, pitch) },
        radius: kind === "bars" ? Math.min(10, 0.32 * pitch) : Math.min(14, 0.4 * pitch),
      };
    }
    top = y + Math.ceil(column.shown / column.perRow) * column.pitchY + STRIP_GAP;
    return column;
  });
  return { flow: "down", width, height: top - STRIP_GAP + 8, columns: found };
}

function pictureAt(
  { width, height }: { width: number; height: number },
  x: number,
  middle: number,
  room: number,
): Column {
  const pitch = room / Math.max(width, height);
  return {
    ...{ layer: -1, kind: "picture", count: width * height, first: 0, shown: width * height, perRow: width },
    ...{ x: x + (room - width * pitch) / 2, y: middle - (height * pitch) / 2, pitchX: pitch, pitchY: pitch, radius: 0 },
  };
}

/** As many cells as fit, the largest that fit: one page of them. */
function cells(
  layer: number,
  count: number,
  place = 0,
  centre: number,
  middle: number,
  across: number,
  down: number,
): Column {
  const fit = (size: number): number => Math.floor(across / size) * Math.floor(down / size);
  let size = 14;
  while (size > LEAST_CELL && fit(size) < Math.min(count, MOST_CELLS)) size--;
  const most = Math.max(1, Math.min(count, MOST_CELLS, fit(size)));
  const perRow = Math.max(1, Math.min(Math.floor(across / size), Math.ceil(Math.sqrt(most * (across / down)))));
  const rows = Math.max(1, count <= most ? Math.ceil(count / perRow) : Math.floor(most / perRow));
  const page = rows * perRow;
  const tight = Math.min(size, down / rows);
  const first = Math.floor(place / page) * page;
  return {
    ...{ layer, kind: "cells", count, first, shown: Math.min(page, count - first), perRow },
    ...{ x: centre - (perRow * tight) / 2, y: middle - (rows * tight) / 2, pitchX: tight, pitchY: tight },
    radius: tight / 2,
  };
}

/** The middle of number `index`. */
export function placeOf({ x, y, perRow, pitchX, pitchY, first }: Column, index: number): Point {
  const k = index - first;
  return { x: x + ((k % perRow) + 0.5) * pitchX, y: y + (Math.floor(k / perRow) + 0.5) * pitchY };
}

export const isShown = ({ first, shown }: Column, index: number): boolean => index >= first && index < first + shown;

export const rowsOf = ({ shown, perRow }: Column): number => Math.ceil(shown / perRow);

/** Where its middle is, across. */
export const middleOf = ({ x, perRow, pitchX }: Column): number => x + (perRow * pitchX) / 2;

/** Which number stands at a point, if any does. */
export function indexAt(column: Column, { x, y }: Point): number | null {
  const across = Math.floor((x - column.x) / column.pitchX);
  const down = Math.floor((y - column.y) / column.pitchY);
  if (across < 0 || across >= column.perRow || down < 0) return null;
  const k = down * column.perRow + across;
  return k < column.shown ? column.first + k : null;
}
