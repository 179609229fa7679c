"""The standard streams of the command: what they do when they are closed, full or lead to a terminal.

Results that cannot be written are an error of the command. Progress that cannot be shown is not: the work goes on. Text
from files never steers a terminal: control characters are shown escaped.
"""

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from glassnet.errors import GlassnetError
from glassnet.opening import escaped


class OutputError(GlassnetError, OSError):
    """Standard output cannot be written."""


class _Results(io.FileIO):
    """Standard output: a failure to write it is an `OutputError`, besides that of a reader that has had enough."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            raise
        except OSError as problem:
            raise OutputError(f"cannot write to standard output: {problem.strerror}") from None


class _Messages(io.FileIO):
    """Standard error: what cannot be written is lost."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


class _Text(io.TextIOWrapper):
    """Text with control characters escaped."""

    def write(self, text: str) -> int:
        return super().write(text if text.isprintable() else escaped(text, keep="\n\t"))


def prepare() -> bool:
    """Set up the standard streams of this process; whether results can be shown at all."""
    shown = sys.stdout is not None
    for number in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        os.open(os.devnull, os.O_RDWR)  # else the next file that is opened would take its place
    results, messages = _Results(1, "wb", closefd=False), _Messages(2, "wb", closefd=False)
    encodings = [getattr(stream, "encoding", None) or "utf-8" for stream in (sys.stdout, sys.stderr)]
    at_once = results.isatty()
    sys.stdout = _Text(io.BufferedWriter(results), encodings[0], "backslashreplace", line_buffering=at_once)
    sys.stderr = io.TextIOWrapper(io.BufferedWriter(messages), encodings[1], "backslashreplace", line_buffering=True)
    return shown


@contextlib.contextmanager
def plain_warnings() -> Iterator[None]:
    """Warnings of the library as a line like those of errors, without the place in the source."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if category is UserWarning:
                print("glassnet: warning:", escaped(str(message)), file=sys.stderr)
            else:
                usual(message, category, *place, **more)

        warnings.showwarning = show
        yield


def discard() -> None:
    """Let nothing more come out of standard output, which failed: not even when the process ends."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
