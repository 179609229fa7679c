"""The files that the page may look into: those named on the command line, and those dropped on it.

Dropped ones lie in a private folder under numbers of ours, never under a name that came with them. They are dropped
again, the oldest first, when there are too many, and all of them when the server stops.
"""

import os
import shutil
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.errors import AddressError, FileError, GlassnetError
from glassnet.web.threads import in_thread

if TYPE_CHECKING:
    from glassnet.web.opened_file import Opened

MOST_UPLOAD = 256 << 20
"""Bytes of one dropped file."""
MOST_UPLOADS = 16
MOST_TOGETHER = 1 << 30
"""Bytes of all dropped files."""


class TooLarge(GlassnetError):
    """A dropped file of more than `MOST_UPLOAD` bytes."""

    def __init__(self) -> None:
        super().__init__(
            f"the file is larger than {MOST_UPLOAD:,} bytes, the limit for dropped files",
            help="open it from the command line: glassnet open FILE",
        )


class OpenedFiles:
    """Files by their ids. `folder` is a private one for those that are dropped."""

    def __init__(self, models: Iterable[str], folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        self._lock = threading.Lock()
        self.named = {str(next(self._numbers)): _opened(Path(model), label(model)) for model in models}
        self._dropped: dict[str, tuple[Opened, int]] = {}

    def get(self, number: str) -> "Opened":
        """The file of this id; `AddressError` if it is not there, or no longer."""
        with self._lock:
            found = self.named.get(number) or self._dropped.get(number, (None,))[0]
        if found is None:
            raise AddressError("this file is not open any more", help="drop it again, or name it on the command line")
        return found

    async def receive(self, name: str, pieces: AsyncIterator[bytes]) -> "tuple[str, Opened]":
        """Keep a file that comes in pieces, and open it; nothing of it stays behind if it is too large or no model."""
        number = str(next(self._numbers))
        place = self._folder / number / "model"  # alone in its folder: other files are not its parts
        try:
            place.parent.mkdir()
            size = await _write(place, pieces)
            opened = await in_thread(_opened, place, label(name))
            self._keep(number, opened, size)
        except BaseException:
            shutil.rmtree(place.parent, ignore_errors=True)
            raise
        return number, opened

    @asynccontextmanager
    async def borrowed(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[Path]:
        """A file that comes in pieces, for one use: it is removed afterwards."""
        place = self._folder / str(next(self._numbers))
        try:
            await _write(place, pieces)
            yield place
        finally:
            place.unlink(missing_ok=True)

    def _keep(self, number: str, opened: "Opened", size: int) -> None:
        with self._lock:
            self._dropped[number] = opened, size
            while len(self._dropped) > MOST_UPLOADS or self._bytes() > MOST_TOGETHER:
                oldest, _ = self._dropped.pop(next(iter(self._dropped)))
                shutil.rmtree(oldest.path.parent, ignore_errors=True)

    def _bytes(self) -> int:
        return sum(size for _, size in self._dropped.values())


def _opened(path: Path, name: str) -> "Opened":
    from glassnet.web.opened_file import Opened  # here, since the page shows itself sooner without numpy

    return Opened(path, name)


async def _write(place: Path, pieces: AsyncIterator[bytes]) -> int:
    """The bytes written; raises `TooLarge`."""
    size = 0
    try:
        with place.open("xb") as file:
            async for piece in pieces:
                size += len(piece)
                if size > MOST_UPLOAD:
                    raise TooLarge
                file.write(piece)
    except OSError as problem:
        if isinstance(problem, GlassnetError):
            raise
        raise FileError(
            f"the file cannot be kept for the page: {problem.strerror}",
            help="open it from the command line: glassnet open FILE",
        ) from None
    return size


def label(name: str) -> str:
    """The last part of a path of any system, for display only: no control characters, no more than
    100 letters."""
    last = os.path.basename(name.rstrip("/\\").replace("\\", "/"))
    return "".join(c if c.isprintable() else "?" for c in last)[:100] or "model"
