/** A CSV file as named columns: which cells are numbers, text, or missing, by the rules of `columns.py`. */

import { dsvFormat } from "d3-dsv";

const MISSING: ReadonlySet<string> = new Set(["", "?", "na", "n/a", "#n/a", "nan", "null"]);
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const SEPARATORS = [",", ";", "\t", "|"];

export interface Column {
  readonly name: string;
  /** NaN where a cell is no number. */
  readonly numbers: Float64Array;
  /** The cells as text, null where missing; null for a column without any text. */
  readonly texts: readonly (string | null)[] | null;
  /** Nothing but true and false. */
  readonly truths: boolean;
}

/** The columns of a file: a header line, then rows; cells separated by the header's comma, semicolon, tab or bar. Throws an
 * `Error` that names the row for a file that is no such table. */
export function columnsOf(text: string, file: string): Column[] {
  if (text.includes("\0") || !text.trim()) throw new Error(`${file} is no table: a header line and rows are needed.`);
  const first = text
    .trimStart()
    .split("\n", 1)[0]
    .replaceAll(/"[^"]*"/g, "");
  const [separator] = SEPARATORS.toSorted((a, b) => first.split(b).length - first.split(a).length);
  // No header for the parser: it would write a program, which the page does not let run.
  const [names, ...rows] = dsvFormat(separator)
    .parseRows(text.replace(/^\uFEFF/, ""), (row) => row.map((cell) => cell.trim()))
    .filter((row) => row.length > 1 || row[0] !== "");
  const twice = names.find((name, i) => name && names.indexOf(name) !== i);
  if (twice !== undefined)
    throw new Error(`${file} has more than one column named "${twice}". Rename or drop the others.`);
  if (!rows.length) throw new Error(`${file} has a header and no rows. Add a row for each example.`);
  const ragged = rows.findIndex((row) => row.length !== names.length);
  if (ragged >= 0)
    throw new Error(
      `${file} has ${rows[ragged].length} cells in row ${ragged + 1} below the header, which names ${names.length}. ` +
        `Put quotes around a cell that has "${separator}" in it.`,
    );
  return names.map((name, i) =>
    columnOf(
      name,
      rows.map((row) => row[i]),
    ),
  );
}

function columnOf(name: string, cells: readonly string[]): Column {
  const there = cells.map((cell) => (MISSING.has(cell.toLowerCase()) ? null : cell));
  const words = there.filter((cell) => cell !== null).map((cell) => cell.toLowerCase());
  if (words.length && words.every((word) => word === "true" || word === "false"))
    return {
      name,
      numbers: Float64Array.from(there, (cell) => (cell === null ? NaN : Number(cell.toLowerCase() === "true"))),
      texts: null,
      truths: true,
    };
  const numbers = Float64Array.from(there, (cell) => (cell !== null && NUMBER.test(cell) ? Number(cell) : NaN));
  const text = there.some((cell, i) => cell !== null && Number.isNaN(numbers[i]));
  return { name, numbers, texts: text ? there : null, truths: false };
}

/** Whether it is a column of words: at least half of the cells that are there are text. */
export function isText({ numbers, texts }: Column): boolean {
  if (!texts) return false;
  const there = texts.filter((cell) => cell !== null).length;
  return 2 * texts.filter((cell, i) => cell !== null && Number.isNaN(numbers[i])).length >= there;
}

/** The numbers, NaN where missing. Throws an `Error` that names column, row and cell if one is text or infinite. */
export function numbersOf({ name, numbers, texts }: Column): Float64Array {
  const wrong = (i: number): boolean =>
    Math.abs(numbers[i]) === Infinity || (Number.isNaN(numbers[i]) && texts?.[i] != null);
  const row = numbers.findIndex((_, i) => wrong(i));
  if (row < 0) return numbers;
  const more = numbers.reduce((count, _, i) => count + Number(wrong(i)), 0) - 1;
  throw new Error(
    `Column "${name}" has "${texts?.[row] ?? numbers[row]}" in row ${row + 1} below the header` +
      `${more ? ` (and text in ${more} more)` : ""}. A number is needed in every cell, or an empty cell where it is missing.`,
  );
}
