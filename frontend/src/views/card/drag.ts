/** Dragging sideways with mouse, pen or finger: how far from where it began, in CSS pixels. */

import type { Attachment } from "svelte/attachments";
import { on } from "svelte/events";

export interface Drag {
  start(): void;
  move(dx: number): void;
  end(): void;
}

/** A finger that goes up or down scrolls the page as ever. */
export function sideways({ start, move, end }: Drag): Attachment<Element> {
  return (node) => {
    const element = node as HTMLElement; // or one of SVG, which has the same
    let from: number | null = null;
    const up = (): void => {
      if (from === null) return;
      from = null;
      end();
    };
    element.style.touchAction = "pan-y";
    const off = [
      on(element, "pointerdown", (event) => {
        if (event.button !== 0) return;
        element.setPointerCapture(event.pointerId);
        from = event.clientX;
        start();
      }),
      on(element, "pointermove", (event) => {
        if (from !== null) move(event.clientX - from);
      }),
      on(element, "lostpointercapture", up),
    ];
    return () => {
      up();
      off.forEach((each) => each());
    };
  };
}
