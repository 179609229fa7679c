"""SIGTERM ends a command as Ctrl-C does: a run saves what it has, temporary files are removed."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


class Terminated(KeyboardInterrupt):
    """The system asked the process to end."""


@contextlib.contextmanager
def terminated() -> Iterator[None]:
    """SIGTERM raises `Terminated` meanwhile."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: Any) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def ended(stop: KeyboardInterrupt) -> tuple[str, int]:
    """What happened, in a word, and the exit status that says so."""
    return ("terminated", 143) if isinstance(stop, Terminated) else ("interrupted", 130)
