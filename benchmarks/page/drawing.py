"""How long it takes from the pen on the pad to everything redrawn, in Chromium: see `drawing`."""

from statistics import median, quantiles
from typing import Any

MOVES = 200

WATCH = """() => {
  window.took = [];
  const pad = document.querySelector('[role=application]');
  window.addEventListener('pointermove', () => {
    const start = performance.now();
    // This callback comes before the page's own of the same frame; the message after layout and painting.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => window.took.push(performance.now() - start);
      port2.postMessage(null);
    });
  }, { capture: true });
}"""


def drawing(page: Any) -> dict[str, float]:
    """Milliseconds from a pointer event on the pad until all that follows from it has been painted: median, and the
    value that 95 % stay below. `page` is a Playwright page that shows a network of pictures.
    """
    box = page.locator("[role=application]").bounding_box()
    page.evaluate(WATCH)
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    for i in range(MOVES):
        across = 0.2 + 0.6 * (i % 20) / 20
        page.mouse.move(box["x"] + across * box["width"], box["y"] + (0.2 + 0.6 * i / MOVES) * box["height"])
    page.mouse.up()
    took = page.evaluate("window.took")
    return {"median": median(took), "p95": quantiles(took, n=20)[-1], "count": len(took)}
