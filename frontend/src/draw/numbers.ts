/** How numbers are written: three significant digits for the eye, the exact float on demand. */

const MINUS = "\u2212";

const THREE_DIGITS = new Intl.NumberFormat("en", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 });
const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** 0.124, −1.31, 12,560, 1.20e−7 */
export function short(value: number): string {
  if (Number.isNaN(value)) return "not a number";
  const size = Math.abs(value);
  const sign = value < 0 ? MINUS : "";
  if (size === Infinity) return `${sign}∞`;
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e6) return value.toExponential(2).replaceAll("-", MINUS);
  return sign + (size < 999.5 ? THREE_DIGITS : WHOLE).format(size);
}

/** 0.981, 0.000, −0.250: three decimals. */
export const fixed = (value: number): string => `${value < 0 ? MINUS : ""}${Math.abs(value).toFixed(3)}`;

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
export const whole = (value: number): string => WHOLE.format(value);

/** 0.959 -> 95.9 % */
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
