"""How long it takes from a knob that moves to the accuracy on all test digits, in Chromium: see `bias_drag`."""

from statistics import median, quantiles
from typing import Any

MOVES = 60

WATCH = """() => {
  window.took = [];
  window.painted = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(null);
  }));
  // The page reads the worker's answer here, and shows it in the next frame.
  const { get } = Object.getOwnPropertyDescriptor(MessageEvent.prototype, 'data');
  Object.defineProperty(MessageEvent.prototype, 'data', {
    get() {
      const data = get.call(this);
      if (data?.examination) window.answered?.();
      return data;
    },
  });
  const slider = document.querySelector('svg[role=slider]');
  slider.addEventListener('pointermove', () => {
    const start = performance.now();
    window.answered = () => window.painted().then(() => window.took.push(performance.now() - start));
  }, { capture: true });
}"""


def bias_drag(page: Any) -> dict[str, float]:
    """Milliseconds from a pointer event on the squish curve until outputs, card and accuracy on all test digits have
    been painted: median, and the value that 95 % stay below. `page` is a Playwright page with a neuron's card open.
    """
    curve = page.locator("svg[role=slider]")
    curve.scroll_into_view_if_needed()
    box = curve.bounding_box()
    page.evaluate(WATCH)
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.4 * box["width"], y)
    page.mouse.down()
    for i in range(1, MOVES + 1):
        page.mouse.move(box["x"] + (0.4 + 0.4 * i / MOVES) * box["width"], y)
        page.wait_for_function("(count) => window.took.length >= count", arg=i)
    page.mouse.up()
    took = page.evaluate("window.took")
    return {"median": median(took), "p95": quantiles(took, n=20)[-1], "count": len(took)}
