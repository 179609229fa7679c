"""Work done in a forked child, which may crash, hang or be killed; its time and memory are its own."""

import os
import pickle
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """How a child ended: "answered" with a value, "raised" an exception's text, "killed" by a signal, or "hung".

    `seconds` are those of the processor, which a busy machine does not change.
    """

    how: str
    value: Any
    seconds: float
    megabytes: float
    """The most memory it had, beyond what it began with."""


def in_child(work: Callable[[], Any], limit: float = 60.0) -> Outcome:
    """What `work` gives, in a copy of this process that is ended after `limit` seconds."""
    reading, writing = os.pipe()
    began = time.monotonic()
    number = os.fork()
    if number == 0:  # pragma: no cover
        os.close(reading)
        _answer(work, writing)
        os._exit(0)
    os.close(writing)
    content = _all(reading, began + limit)
    os.close(reading)
    if content is None:
        os.kill(number, signal.SIGKILL)
        os.waitpid(number, 0)
        return Outcome("hung", None, limit, 0)
    _, status, used = os.wait4(number, 0)
    seconds = used.ru_utime + used.ru_stime
    if os.WIFSIGNALED(status) or not content:
        return Outcome("killed", status, seconds, 0)
    how, value, megabytes = pickle.loads(content)
    return Outcome(how, value, seconds, megabytes)


def _answer(work: Callable[[], Any], writing: int) -> None:
    Path("/proc/self/clear_refs").write_text("5")  # the most memory counts from here
    before = _peak()
    try:
        outcome = "answered", work()
    except BaseException as problem:
        outcome = "raised", f"{type(problem).__name__}: {problem}"
    with open(writing, "wb") as pipe:
        pipe.write(pickle.dumps((*outcome, (_peak() - before) / 1000)))


def _peak() -> int:
    """kB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def _all(reading: int, until: float) -> bytes | None:
    """All that comes before the other end is closed; None if it is not closed in time."""
    content = b""
    while True:
        ready, _, _ = select.select([reading], [], [], max(0, until - time.monotonic()))
        if not ready:
            return None
        piece = os.read(reading, 1 << 16)
        if not piece:
            return content
        content += piece
