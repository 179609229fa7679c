/** What stands for what: activation in one hue from paper to ink; sign in blue (positive) and orange (negative). The styles
 * in app.css say the colours; canvases read them here, and again when light turns to dark. */

export type Rgb = readonly [number, number, number];

export interface Colours {
  paper: Rgb;
  ink: Rgb;
  /** Neither positive nor negative. */
  zero: Rgb;
  positive: Rgb;
  negative: Rgb;
}

const NAMES = ["paper", "ink", "zero", "positive", "negative"] as const;
let known: Colours | null = null;
const listeners = new Set<() => void>();

export function colours(): Colours {
  known ??= read();
  return known;
}

/** Calls back when the colours change; returns how to stop that. */
export function onColours(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}

export function coloursChanged(): void {
  known = null;
  listeners.forEach((changed) => changed());
}

for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
  matchMedia(query).addEventListener("change", coloursChanged);

function read(): Colours {
  const probe = document.createElement("span");
  probe.style.forcedColorAdjust = "none";
  document.body.append(probe);
  const of = (name: string): Rgb => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe)
      .color.match(/[\d.]+/g)!
      .slice(0, 3)
      .map(Number) as unknown as Rgb;
  };
  const found = Object.fromEntries(NAMES.map((name) => [name, of(name)])) as unknown as Colours;
  probe.remove();
  return found;
}

export const mix = (a: Rgb, b: Rgb, share: number): Rgb =>
  [0, 1, 2].map((i) => a[i] + (b[i] - a[i]) * share) as unknown as Rgb;
export const css = ([r, g, b]: Rgb, alpha = 1): string =>
  `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)} / ${alpha})`;

/** Activation 0..1 as grey from paper to ink. */
export const grey = (share: number): Rgb => mix(colours().paper, colours().ink, Math.min(1, Math.max(0, share)));

/** A signed share -1..1: orange, nothing, blue. */
export function signedColour(share: number): Rgb {
  const { zero, positive, negative } = colours();
  return mix(zero, share < 0 ? negative : positive, Math.min(1, Math.abs(share)));
}
