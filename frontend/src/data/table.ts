/** A table to learn from, by the rules of `tables.py` and `column_statistics.py`: one column is the target, columns of
 * numbers are inputs, standardised, and so is each different text of a column of text, 0 or 1. The offline page reads
 * tables here; the same cases (tests/vectors/tables.json) hold it to what Python reads. */

import { isText, numbersOf, type Column } from "./csv.ts";
import type { Dataset } from "./dataset.ts";

const MOST_WHOLE_CLASSES = 20;
const MOST_TEXTS = 50;

/** A table that was opened: its columns, and all its rows with one of them as the target. */
export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Rejects with a plain message where cells and columns cannot be used. */
  examples(target: string): Promise<Examples>;
}
export interface Examples {
  readonly data: Dataset;
  /** What was left out or filled in. */
  readonly notes: readonly string[];
}

/** A table whose columns are at hand. */
export const tableWith = (name: string, columns: readonly Column[]): Table => ({
  name,
  columns: columns.map((column) => column.name),
  examples: async (target) => tableOf(columns, name, target),
});

/** `target` names the target column. Throws an `Error` for cells and columns that cannot be used. */
export function tableOf(columns: readonly Column[], name: string, target: string): Examples {
  if (columns.length < 2) throw new Error(`${name} has one column. At least one input and the target are needed.`);
  const goal = columns.find((column) => column.name === target);
  if (!goal) throw new Error(`${name} has no column "${target}".`);
  const rows = goal.numbers.map((_, i) => i).filter((i) => !Number.isNaN(goal.numbers[i]) || goal.texts?.[i] != null);
  const answers = answersOf(goal, [...rows]);
  const notes: string[] = [];
  if (rows.length < goal.numbers.length)
    notes.push(`rows left out, without a target: ${goal.numbers.length - rows.length}`);
  const inputs = inputsOf(
    columns.filter((column) => column !== goal),
    [...rows],
    name,
    notes,
  );
  const width = inputs.length;
  const values = new Float32Array(rows.length * width);
  inputs.forEach(({ standard }, j) => standard.forEach((value, i) => (values[i * width + j] = value)));
  const data: Dataset = {
    name,
    inputs: { values, scale: 1, count: rows.length },
    targets: answers.targets,
    width,
    schema: {
      input_shape: [width],
      features: inputs.map((input) => input.name),
      centers: inputs.map((input) => input.center),
      spreads: inputs.map((input) => input.spread),
      ...(inputs.some((input) => input.oneHot) && { one_hot: inputs.map((input) => input.oneHot ?? null) }),
      ...(answers.classes && { classes: answers.classes }),
      target: goal.name,
    },
  };
  return { data, notes };
}

/** The columns of a table as a single file carries it, values as they were. */
export function columnsIn({ inputs, targets, width, schema }: Dataset): Column[] {
  const column = (name: string, numbers: ArrayLike<number>, texts: string[] | null = null): Column => ({
    name,
    numbers: Float64Array.from(numbers),
    texts,
    truths: false,
  });
  const features = Array.from({ length: width }, (_, j) =>
    column(
      schema.features?.[j] ?? `x${j}`,
      Array.from({ length: inputs.count }, (_, i) => inputs.values[i * width + j] * inputs.scale),
    ),
  );
  const goal = schema.target ?? "target";
  if ("rows" in targets) return [...features, column(goal, targets.rows)];
  const words = Array.from(targets.labels, (label) => schema.classes?.[label] ?? String(label));
  return [
    ...features,
    column(
      goal,
      words.map(() => NaN),
      words,
    ),
  ];
}

/** Classes if text, true or false, or whole numbers of at most 20 different values; else measurements. */
function answersOf(column: Column, rows: readonly number[]): { targets: Dataset["targets"]; classes?: string[] } {
  const words = isText(column);
  const numbers = words ? null : numbersOf(column);
  const cells = rows.map((i) => (words ? column.texts![i]! : numbers![i]));
  const different = [...new Set(cells)].toSorted((a, b) => (a < b ? -1 : 1));
  if (different.length < 2)
    throw new Error(
      `The target "${column.name}" has ${different.length ? `${different[0]} in every row` : "no value in any row"}. ` +
        "At least two different values are needed; or choose another target.",
    );
  if (words && different.length > MOST_WHOLE_CLASSES && 2 * different.length > cells.length)
    throw new Error(
      `The target "${column.name}" has ${different.length} different texts in ${cells.length} rows. ` +
        "Classes that come back in many rows are needed; choose another target.",
    );
  const whole = different.length <= MOST_WHOLE_CLASSES && different.every((value) => Number.isInteger(value));
  if (!words && !column.truths && !whole) return { targets: { rows: Float32Array.from(cells as number[]) } };
  const labels = new Map(different.map((value, label) => [value, label]));
  return {
    targets: { labels: Int32Array.from(cells, (cell) => labels.get(cell)!) },
    classes: different.map((value) => (column.truths ? String(Boolean(value)) : numberText(value))),
  };
}

/** A text, or a number as `number_text` writes it. */
const numberText = (value: string | number): string =>
  Number.isInteger(value) ? BigInt(value).toString() : String(value);

interface Standardised {
  name: string;
  oneHot?: [column: string, text: string];
  center: number;
  spread: number;
  standard: Float64Array;
}

/** All usable columns: numbers (x - center) / spread, 0 where missing; 1 for a text in the rows that have it. */
function inputsOf(columns: readonly Column[], rows: readonly number[], table: string, notes: string[]): Standardised[] {
  const leftOut = new Map<string, string[]>();
  const filled: string[] = [];
  const untold: string[] = [];
  const texts = ({ name, texts: cells }: Column, leave: (reason: string) => []): Standardised[] => {
    const words = rows.map((i) => cells![i]);
    const there = words.filter((word) => word !== null);
    const different = [...new Set(there)].toSorted((a, b) => (a < b ? -1 : 1));
    if (!different.length) return leave("empty");
    if (different.length > MOST_TEXTS) return leave(`text of more than ${MOST_TEXTS} different values`);
    if (different.length === 1) return leave("constant");
    if (2 * different.length > there.length) return leave("text that hardly repeats");
    if (there.length < words.length) untold.push(`${name} (${words.length - there.length})`);
    return different.map((text) => ({
      name: `${name}=${text}`,
      oneHot: [name, text],
      center: 0,
      spread: 1,
      standard: Float64Array.from(words, (word) => Number(word === text)),
    }));
  };
  const inputs = columns.flatMap((column): Standardised[] => {
    const leave = (reason: string): [] => {
      leftOut.set(reason, [...(leftOut.get(reason) ?? []), column.name]);
      return [];
    };
    if (!column.name) return leave("without a name");
    if (isText(column)) return texts(column, leave);
    const all = numbersOf(column);
    const numbers = Float64Array.from(rows, (i) => all[i]);
    const there = numbers.filter((value) => !Number.isNaN(value));
    if (!there.length) return leave("empty");
    if (there.every((value) => value === there[0])) return leave("constant");
    const center = there.reduce((sum, value) => sum + value, 0) / there.length;
    const spread = Math.sqrt(there.reduce((sum, value) => sum + (value - center) ** 2, 0) / there.length);
    if (!(spread > 0 && spread < Infinity)) throw new Error(`Column "${column.name}" is too large to be standardised.`);
    if (there.length < numbers.length) filled.push(`${column.name} (${numbers.length - there.length})`);
    const standard = numbers.map((value) => (Number.isNaN(value) ? 0 : (value - center) / spread));
    return [{ name: column.name, center, spread, standard }];
  });
  leftOut.forEach((names, reason) => notes.push(`columns left out, ${reason}: ${names.join(", ")}`));
  if (filled.length) notes.push(`missing values filled with the column's mean: ${filled.join(", ")}`);
  if (untold.length) notes.push(`missing texts, none of the column's inputs is 1: ${untold.join(", ")}`);
  if (!inputs.length)
    throw new Error(
      `${table} has no column to learn from${notes.length ? ` (${notes.join("; ")})` : ""}. ` +
        "At least one column of different numbers, or of texts that repeat, is needed besides the target.",
    );
  return inputs;
}
