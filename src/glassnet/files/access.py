"""Reading model files: a few bytes at a known place, from a file that has not changed since it was opened.

No file is kept open or mapped: one that shrinks or changes while it is read gives an error, not a crash or a mixture.
"""

import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from glassnet.errors import FileError
from glassnet.opening import descriptor, quoted

HEAD = 64
"""Bytes at the beginning of a file by which formats are told apart."""


@dataclass(frozen=True)
class Stored:
    """A file as it was when its header was read."""

    path: Path
    size: int
    stamp: tuple[int, int, int]

    @contextmanager
    def opened(self) -> Iterator[int]:
        """A descriptor to read from; `FileError` if the file is another one by now."""
        with descriptor(self.path) as (number, status):
            if _stamp(status) != self.stamp or status.st_size != self.size:
                raise FileError(f"{quoted(self.path)} has changed since it was opened", help="open it again")
            yield number

    def read(self, start: int, length: int) -> bytes:
        """These bytes, all of them."""
        with self.opened() as number:
            return read_at(number, start, length, self.path)

    def read_into(self, start: int, buffer: memoryview) -> None:
        """As many bytes as the buffer has, into it."""
        with self.opened() as number, io.FileIO(number, closefd=False) as file:
            file.seek(start)
            filled = 0
            while filled < len(buffer):
                more = file.readinto(buffer[filled:])
                if not more:
                    raise damaged(self.path, "it ends too early")
                filled += more


def stored(path: Path) -> Stored:
    """The file, to be read from later on."""
    with descriptor(path) as (_, status):
        return Stored(path, status.st_size, _stamp(status))


def _stamp(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_dev, status.st_ino, status.st_mtime_ns


def read_at(number: int, start: int, length: int, path: Path) -> bytes:
    """Exactly these bytes of an open file; `FileError` where it ends before."""
    pieces: list[bytes] = []
    os.lseek(number, start, os.SEEK_SET)
    while length > 0:
        piece = os.read(number, min(length, 1 << 30))
        if not piece:
            raise damaged(path, "it ends too early")
        pieces.append(piece)
        length -= len(piece)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def damaged(path: object, why: str, kind: str = "model file") -> FileError:
    """The error for a file that is not what its header says."""
    return FileError(
        f"{quoted(path)} is truncated or damaged ({why}): expected a complete {kind}",
        help="download, copy or save it again",
    )


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key that sorts names as people do: layer 2 before layer 10."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part[:18]), part) if i % 2 else (1, 0, part) for i, part in enumerate(parts)]
