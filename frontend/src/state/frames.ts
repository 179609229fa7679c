/** One loop of animation frames for all that is drawn on canvases; in a frame only what changed is drawn. */

const due = new Set<() => void>();

/** Calls `draw` once in the next frame, however often it is asked for until then. Returns how to call it off: a component
 * that is gone by then, or that has other values, must not draw. */
export function nextFrame(draw: () => void): () => void {
  if (due.size === 0)
    requestAnimationFrame(() => {
      const now = [...due];
      due.clear();
      now.forEach((each) => each());
    });
  due.add(draw);
  return () => due.delete(draw);
}

/** Tells in every frame which share of `duration` (ms) has passed, until all of it has: at once if motion is not wanted.
 * Returns how to stop it. */
export function overTime(duration: number, tell: (share: number) => void): () => void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) duration = 0;
  const start = performance.now();
  let stopped = false;
  const step = (): void => {
    if (stopped) return;
    const share = Math.min(1, (performance.now() - start) / duration || 0);
    tell(duration ? share : 1);
    if (duration && share < 1) nextFrame(step);
  };
  step();
  return () => (stopped = true);
}
