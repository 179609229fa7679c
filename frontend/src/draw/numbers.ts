/** How numbers are written: three significant digits for the eye, the exact float on demand. */

const MINUS = "\u2212";

// Made once: a format takes far longer to make than to use.
const FIXED = [0, 1, 2, 3, 4, 5].map(
  (digits) => new Intl.NumberFormat("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);

/** 0.124, −1.31, 12,560, 1.2e−7 */
export function short(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "not a number" : value > 0 ? "∞" : `${MINUS}∞`;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e-3 && size < 1e6) {
    const digits = Math.max(0, 2 - Math.floor(Math.log10(size)));
    return `${value < 0 ? MINUS : ""}${FIXED[digits].format(size)}`;
  }
  return value.toExponential(2).replaceAll("-", MINUS);
}

/** 0.981, 0.000, −0.250: three decimals. */
export const fixed = (value: number): string => `${value < 0 ? MINUS : ""}${FIXED[3].format(Math.abs(value))}`;

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
