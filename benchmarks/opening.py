"""How soon the page is there: from `glassnet open` to its first answers, whole processes in turn, medians.

The peer is Python's own `http.server`, about the least that a server in Python can take.
"""

import re
import statistics
import subprocess
import sys
import time
import urllib.request
from http.cookiejar import CookieJar
from typing import IO

from machine import keep

REPEATS = 15
OPEN = [sys.executable, "-m", "glassnet", "open", "--no-browser"]
PEER = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"]
ASKED = ("", "api/start", "api/networks/0", "api/digits/test")
"""What the page asks for until it shows a network and a digit."""


def main() -> None:
    seconds: dict[str, list[float]] = {}
    for _ in range(REPEATS):
        for name, taken in (*timed("glassnet open", OPEN, ASKED), *timed("http.server", PEER, ("",))):
            seconds.setdefault(name, []).append(taken)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"seconds from the start of the process, medians of {REPEATS} runs in turn")
    for name, median in medians.items():
        print(f"{name:<40} {median:7.3f}")
    print()
    keep("opening", medians, ("numpy", "starlette", "uvicorn"))


def timed(name: str, command: list[str], asked: tuple[str, ...]) -> list[tuple[str, float]]:
    """When each answer was there."""
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        entrance = printed(process.stdout)
        found = [(f"{name}: address printed", time.perf_counter() - started)]
        address = entrance.partition("?")[0]
        for path in asked:
            browser.open(entrance if path == "" else address + path).read()
            found.append((f"{name}: /{path}", time.perf_counter() - started))
        process.terminate()
    return found


def printed(output: IO[str]) -> str:
    """The address that a server prints."""
    for line in output:
        if match := re.search(r"http://127\.0\.0\.1:\d+/[^\s)]*", line):
            return match[0]
    raise SystemExit("no address was printed")


if __name__ == "__main__":
    main()
