"""The page in Chromium, opened by `glassnet open`: the first view, the pen, a knob, frames while it trains, and what is
sent. The page of an epoch beside TensorFlow.js is `page_training.py`.
"""

import gzip
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

from machine import keep
from page.drawing import drawing
from page.knobs import bias_drag
from playwright.sync_api import sync_playwright

REPEATS = 5
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SIZE = {"width": 1280, "height": 800}

FRAMES = """(seconds) => new Promise((done) => {
  const frames = [];
  let before = performance.now();
  const end = before + 1000 * seconds;
  requestAnimationFrame(function next(now) {
    const here = performance.now();
    frames.push(here - before);
    before = here;
    here < end ? requestAnimationFrame(next) : done(frames);
  });
})"""
SHOWN = "() => document.querySelector('[role=gridcell]') && document.body.innerText.includes('looks like')"


def main() -> None:
    figures: dict[str, Any] = {"first view": [], "drawing": [], "bias drag": [], "training": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        figures["chromium"] = browser.version
        for _ in range(REPEATS):
            with opened() as entrance:
                page = browser.new_context(viewport=SIZE).new_page()
                page.goto(entrance, wait_until="commit")
                page.wait_for_function(SHOWN)
                figures["first view"].append(page.evaluate("performance.now()"))
                page.wait_for_timeout(3000)
                figures["drawing"].append(drawing(page))
                page.locator("[role=gridcell]").first.click()
                figures["bias drag"].append(bias_drag(page))
                figures["training"].append(training(page))
                page.context.close()
        browser.close()
    figures["compressed kB"] = sizes()
    figures["single file kB"] = single_file()
    show(figures)
    keep("page_frames", figures, ("playwright", "starlette", "uvicorn"))


@contextmanager
def opened() -> Iterator[str]:
    """A new `glassnet open`: the address that is good once."""
    command = [sys.executable, "-m", "glassnet", "open", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def training(page: Any) -> dict[str, float]:
    """Milliseconds from frame to frame while 60,000 digits are learnt as fast as it goes, the start left out."""
    page.get_by_label("endless").check()
    page.get_by_role("button", name="Play", exact=True).click()
    time.sleep(3)
    frames = page.evaluate(FRAMES, 5)
    page.get_by_role("button", name="Pause", exact=True).click()
    return {"median": median(frames), "most": max(frames), "over 50": sum(frame > 50 for frame in frames)}


def sizes() -> dict[str, float]:
    """What a first visit loads, compressed."""
    assets = files("glassnet").joinpath("web/page/assets").iterdir()
    return {asset.name: round(len(gzip.compress(asset.read_bytes())) / 1000, 1) for asset in assets}


def single_file() -> float:
    """The page as one file, with the digit network and 1,000 digits."""
    network = files("glassnet").joinpath("web/examples/digits-sigmoid.safetensors")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "page.html"
        command = [sys.executable, "-m", "glassnet", "export", str(network), "--to", "html", "-o", str(out)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return round(out.stat().st_size / 1000, 1)


def show(figures: dict[str, Any]) -> None:
    middle = {name: median(run["median"] for run in figures[name]) for name in ("drawing", "bias drag", "training")}
    print(f"Chromium {re.sub(r'[.].*', '', figures['chromium'])}, medians of {REPEATS} visits, milliseconds")
    print(f"{'first view':<44} {median(figures['first view']):7.0f}")
    print(f"{'pen to everything redrawn':<44} {middle['drawing']:7.1f}")
    print(f"{'bias to accuracy on 10,000 digits redrawn':<44} {middle['bias drag']:7.1f}")
    longest = max(run["most"] for run in figures["training"])
    print(f"{'frame while training; the longest of all':<44} {middle['training']:7.1f} {longest:7.1f}")
    print(f"single file {figures['single file kB']:.0f} kB; compressed: {figures['compressed kB']}\n")


if __name__ == "__main__":
    main()
