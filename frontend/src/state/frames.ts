/** One loop of animation frames for all that is drawn on canvases; in a frame only what changed is drawn. */

const due = new Set<() => void>();

/** Calls `draw` once in the next frame, however often it is asked for until then. */
export function nextFrame(draw: () => void): void {
  if (due.size === 0)
    requestAnimationFrame(() => {
      const now = [...due];
      due.clear();
      now.forEach((each) => each());
    });
  due.add(draw);
}
