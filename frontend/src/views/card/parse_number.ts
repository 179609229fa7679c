/** Numbers as people type them: 0.5, −1.2, 1e-3, 1/3. */

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

export type Typed = { value: number } | { problem: string };

/** As a float of 32 bits, which is what a network holds. */
export function typed(text: string): Typed {
  const plain = text.trim().replaceAll("\u2212", "-");
  const parts = plain.split("/").map((part) => part.trim());
  if (parts.length > 2 || !parts.every((part) => NUMBER.test(part)))
    return { problem: `${quoted(text)} is no number: type one like 0.5, \u22121.2 or 1/3.` };
  const [above, below = 1] = parts.map(Number);
  if (below === 0) return { problem: `${quoted(text)} divides by 0: type another number below the stroke.` };
  const value = Math.fround(above / below);
  if (!Number.isFinite(value)) return { problem: `${quoted(text)} is too large: 3.4e38 is the most that fits.` };
  return { value };
}

const quoted = (text: string): string => (text.trim() === "" ? "Nothing" : `\u201c${text.trim()}\u201d`);
