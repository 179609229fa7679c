/** How numbers are written: three significant digits for the eye, the exact float on demand. */

const MINUS = "\u2212";

const formats = new Map<number, Intl.NumberFormat>();

/** With so many decimals: 12,560.00 */
function fixed(size: number, decimals: number): string {
  let format = formats.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    formats.set(decimals, format);
  }
  return format.format(size);
}

/** 0.124, −1.31, 12,560, 1.20e−7 */
export function short(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  const rounded = value.toExponential(2);
  const exponent = Number(rounded.slice(rounded.indexOf("e") + 1));
  if (exponent < -3 || exponent > 5) return rounded.replaceAll("-", MINUS);
  return `${value < 0 ? MINUS : ""}${fixed(Math.abs(value), Math.max(0, 2 - exponent))}`;
}

/** 0.981, 0.000, −0.250 */
export const threeDecimals = (value: number): string => `${value < 0 ? MINUS : ""}${fixed(Math.abs(value), 3)}`;

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
export const whole = (value: number): string => fixed(value, 0);

/** 0.959 -> 95.9 % */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
