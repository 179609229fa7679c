"""Waiting for the page: for a condition, or until nothing moves on it. Never for a fixed time."""

import time
from collections.abc import Callable

from playwright.sync_api import Page

SECONDS = 30  # a busy machine takes a multiple of the usual moment


def until(page: Page, condition: Callable[[], object]) -> bool:
    """Whether the condition came true in time; it is tried again after each frame of the page."""
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            return False
        next_frame(page)
    return True


def next_frame(page: Page) -> None:
    """Returns when the page has drawn what it knew when this was called."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def settled(page: Page) -> None:
    """Returns when the network is shown and all animations have ended."""
    page.wait_for_function("() => !document.querySelector('g.waiting')")
    page.evaluate("Promise.allSettled(document.getAnimations().map((animation) => animation.finished))")
    next_frame(page)
