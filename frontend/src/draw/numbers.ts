/** How numbers are written: three significant digits for the eye, the exact float on demand. */

const MINUS = "\u2212";

/** 0.124, −1.31, 12,560, 1.2e−7 */
export function short(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value > 0 ? "∞" : `${MINUS}∞`;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e-3 && size < 1e6) {
    const digits = Math.max(0, 2 - Math.floor(Math.log10(size)));
    return size
      .toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits })
      .replace(/^/, value < 0 ? MINUS : "");
  }
  return value.toExponential(2).replaceAll("-", MINUS);
}

/** With its sign, also when positive. */
export const signed = (value: number): string => (value > 0 ? `+${short(value)}` : short(value));

/** The shortest decimal that is this float of 32 bits and no other. */
export function exact(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const float = Math.fround(value);
  for (let digits = 1; digits < 10; digits++) {
    const text = float.toPrecision(digits);
    if (Math.fround(Number(text)) === float) return String(Number(text)).replaceAll("-", MINUS);
  }
  return String(float).replaceAll("-", MINUS);
}

/** 12560 -> 12,560 */
export const whole = (value: number): string => value.toLocaleString("en");

/** 0.959 -> 95.9 % */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

const formats = new Map<number, Intl.NumberFormat>();

/** Whole numbers of the last of so many decimals: 236 with 2 is 2.36. */
export function figure(units: number, decimals: number): string {
  let format = formats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(decimals, format);
  }
  return `${units < 0 ? MINUS : ""}${format.format(Math.abs(units) / 10 ** decimals)}`;
}
