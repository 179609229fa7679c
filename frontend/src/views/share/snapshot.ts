/** What is seen of an element, as SVG that needs nothing from outside: boxes become rectangles, canvases images, texts text,
 * inline SVG is taken as it is with its styles written out. */

export interface Snapshot {
  readonly svg: string;
  readonly width: number;
  readonly height: number;
}

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = 12;
/** What styles give to shapes and letters of inline SVG. */
const SHAPE_STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-dasharray", "stroke-linecap", "paint-order",
  "opacity", "font-family", "font-size", "font-weight", "text-anchor", "dominant-baseline",
] as const; // prettier-ignore

type Attributes = Record<string, string | number>;

export function snapshot(root: HTMLElement): Snapshot {
  const { left, top, width, height } = seen(root);
  const [w, h] = [Math.ceil(width + 2 * MARGIN), Math.ceil(height + 2 * MARGIN)];
  const svg = document.createElementNS(SVG, "svg");
  set(svg, { xmlns: SVG, width: w, height: h, viewBox: `0 0 ${w} ${h}` });
  svg.append(made("rect", { width: w, height: h, fill: paperUnder(root) }));
  draw(root, svg, { x: MARGIN - left, y: MARGIN - top });
  return { svg: new XMLSerializer().serializeToString(svg), width: w, height: h };
}

/** Twice as many pixels as on the page, for print and slides. */
export async function pngOf({ svg, width, height }: Snapshot, times = 2): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = new OffscreenCanvas(times * width, times * height);
    canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await canvas.convertToBlob({ type: "image/png" });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** The first colour that is not clear, from the element outwards. */
function paperUnder(element: Element | null): string {
  const colour = plain(element ? getComputedStyle(element).backgroundColor : "white");
  return isClear(colour) ? paperUnder(element!.parentElement) : colour;
}

/** All of it, also what one would have to scroll to. */
function seen(root: HTMLElement): { left: number; top: number; width: number; height: number } {
  const { left, top, width, height } = root.getBoundingClientRect();
  return { left, top, width: Math.max(width, root.scrollWidth), height: Math.max(height, root.scrollHeight) };
}

interface Shift {
  readonly x: number;
  readonly y: number;
}

function draw(element: Element, to: SVGElement, shift: Shift): void {
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  if (style.display === "none" || style.visibility === "hidden" || box.width <= 1 || box.height <= 1) return;
  const place = { x: box.left + shift.x, y: box.top + shift.y, width: box.width, height: box.height };
  if (element instanceof SVGSVGElement) return void to.append(inlineSvg(element, place));
  drawBox(style, place, to);
  if (element instanceof HTMLCanvasElement) {
    to.append(
      made("image", {
        ...place,
        href: element.toDataURL(),
        preserveAspectRatio: "none",
        "image-rendering": style.imageRendering,
      }),
    );
    return;
  }
  if (element instanceof HTMLSelectElement || element instanceof HTMLInputElement)
    return drawControl(element, style, place, to);
  for (const child of element.childNodes)
    if (child instanceof Element) draw(child, to, shift);
    else if (child instanceof Text) drawText(child, style, to, shift);
}

function drawBox(style: CSSStyleDeclaration, place: Attributes, to: SVGElement): void {
  const border = parseFloat(style.borderTopWidth) && parseFloat(style.borderLeftWidth);
  const fill = gradient(style.backgroundImage, to) ?? plain(style.backgroundColor);
  if (isClear(fill) && !border) return;
  const box = { ...place, rx: parseFloat(style.borderTopLeftRadius) || 0, fill: isClear(fill) ? "none" : fill };
  to.append(made("rect", border ? { ...box, stroke: plain(style.borderTopColor), "stroke-width": border } : box));
}

/** Between two colours, from left to right: the one gradient that the page has. */
function gradient(image: string, to: SVGElement): string | null {
  const colours = /^linear-gradient\(to right, (.+\)), (.+\))\)$/.exec(image)?.slice(1);
  if (!colours) return null;
  const id = `gradient-${to.ownerSVGElement?.childElementCount ?? to.childElementCount}`;
  const element = made("linearGradient", { id });
  colours.forEach((colour, i) => element.append(made("stop", { offset: i, "stop-color": plain(colour) })));
  to.append(element);
  return `url(#${id})`;
}

/** What is chosen or written in a control; sliders and ticks as they usually look. */
function drawControl(
  control: HTMLSelectElement | HTMLInputElement,
  style: CSSStyleDeclaration,
  place: { x: number; y: number; width: number; height: number },
  to: SVGElement,
): void {
  const { x, y, width, height } = place;
  const middle = y + height / 2;
  if (control.type === "range") {
    const { min, max, valueAsNumber } = control as HTMLInputElement;
    const at = x + (width * (valueAsNumber - Number(min))) / (Number(max) - Number(min) || 1);
    to.append(made("line", { x1: x, x2: x + width, y1: middle, y2: middle, stroke: "gray", "stroke-width": 3 }));
    to.append(made("circle", { cx: at, cy: middle, r: 7, fill: plain(style.accentColor === "auto" ? "gray" : style.accentColor) })); // prettier-ignore
    return;
  }
  if (control.type === "checkbox" || control.type === "radio") {
    to.append(made("rect", { ...place, rx: 2, fill: (control as HTMLInputElement).checked ? "gray" : "none", stroke: "gray" })); // prettier-ignore
    return;
  }
  const text = control instanceof HTMLSelectElement ? (control.selectedOptions[0]?.text ?? "") : control.value;
  to.append(letters(text, x + parseFloat(style.paddingLeft) + 2, middle, null, style));
}

/** A text, line by line as it is broken on the page. */
function drawText(text: Text, style: CSSStyleDeclaration, to: SVGElement, shift: Shift): void {
  const range = document.createRange();
  const lines: { text: string; box: DOMRect }[] = [];
  for (const { 0: word, index } of text.data.matchAll(/\S+\s*/g)) {
    range.setStart(text, index);
    range.setEnd(text, index + word.trimEnd().length);
    const box = range.getBoundingClientRect();
    const line = lines.at(-1);
    if (line && Math.abs(line.box.top - box.top) < box.height / 2) {
      line.text += word;
      line.box = new DOMRect(line.box.x, line.box.y, box.right - line.box.x, line.box.height);
    } else if (box.width > 0) lines.push({ text: word, box });
  }
  for (const { text, box } of lines)
    to.append(letters(text.trimEnd(), box.x + shift.x, box.y + box.height / 2 + shift.y, box.width, style));
}

function letters(text: string, x: number, y: number, width: number | null, style: CSSStyleDeclaration): SVGElement {
  const element = made("text", {
    x,
    y,
    fill: plain(style.color),
    "font-family": style.fontFamily,
    "font-size": style.fontSize,
    "font-weight": style.fontWeight,
    "dominant-baseline": "central",
    ...(width && { textLength: width, lengthAdjust: "spacingAndGlyphs" }), // other fonts elsewhere
  });
  element.textContent = text;
  return element;
}

function inlineSvg(element: SVGSVGElement, place: Attributes): SVGElement {
  const copy = element.cloneNode(true) as SVGSVGElement;
  const originals = [element, ...element.querySelectorAll("*")];
  [copy, ...copy.querySelectorAll("*")].forEach((each, i) => {
    const style = getComputedStyle(originals[i]);
    for (const name of [...each.getAttributeNames()]) if (/^(class|style|role|tabindex|aria-|id$)/.test(name)) each.removeAttribute(name); // prettier-ignore
    if (style.display === "none" || style.visibility === "hidden") each.setAttribute("display", "none");
    else if (i > 0) for (const name of SHAPE_STYLES) inline(each, name, style.getPropertyValue(name));
  });
  set(copy, { ...place, overflow: "visible" });
  return copy;
}

function inline(element: Element, name: string, value: string): void {
  if (value === "" || value === "normal" || (value === "none" && name !== "fill") || value === "auto") return;
  element.setAttribute(name, plain(value));
}

const isClear = (colour: string): boolean => colour === "transparent" || /,\s*0\)$|\/ 0\)$/.test(colour);

/** Colours as every reader of SVG knows them. */
function plain(value: string): string {
  return value.replace(/color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)(?: \/ ([\d.e-]+))?\)/g, (_, r, g, b, alpha) => {
    const bytes = [r, g, b].map((part) => Math.round(255 * Number(part)));
    return alpha === undefined ? `rgb(${bytes.join(", ")})` : `rgba(${bytes.join(", ")}, ${alpha})`;
  });
}

function made(name: string, attributes: Attributes): SVGElement {
  const element = document.createElementNS(SVG, name);
  set(element, attributes);
  return element;
}

function set(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes))
    element.setAttribute(name, typeof value === "number" ? String(Math.round(100 * value) / 100) : value);
}
