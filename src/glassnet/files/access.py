"""Reading model files: a few bytes at a known place, from a file that has not changed since it was opened.

No file is kept open or mapped: one that shrinks or changes while it is read gives an error, not a crash or a mixture.
"""

import io
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from glassnet.errors import FileError
from glassnet.opening import descriptor, quoted

HEAD = 64
"""Bytes at the beginning of a file by which formats are told apart."""
_PIECE = 1 << 20


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


class Checksums:
    """Compares parts of a file (members of a zip file) with their checksums, each once, before it is read whole.

    One row of a large file is read without: its checksum would take reading the whole member.
    """

    def __init__(self, file: Stored) -> None:
        self._file = file
        self._compared: set[int] = set()

    def compare(self, name: str, start: int, size: int, crc: int) -> None:
        """`FileError` where these bytes have another CRC-32. One of 0 was not computed: PyTorch's writer may leave it
        out."""
        if crc == 0 or start in self._compared:
            return
        found = 0
        with self._file.opened() as number:
            for at in range(0, size, _PIECE):
                found = zlib.crc32(read_at(number, start + at, min(_PIECE, size - at), self._file.path), found)
        check_crc(self._file.path, name, found, crc)
        self._compared.add(start)


def check_crc(path: Path, name: str, found: int, crc: int) -> None:
    """`FileError` where the bytes of a member have another checksum than the file says; 0: it says none."""
    if crc and found != crc:
        raise damaged(path, f"the checksum of its member {quoted(name, 60)} is wrong")


def head(number: int, path: Path) -> bytes:
    """The first bytes of an open file, by which its format is told."""
    return _read(number, HEAD, path)


def _read(number: int, length: int, path: Path) -> bytes:
    try:
        return os.read(number, length)
    except OSError as problem:  # a disk that fails, a file of the system that is none
        raise FileError(
            f"cannot read {quoted(path)}: {problem.strerror}", help="copy the file, and read that"
        ) from None


def read_at(number: int, start: int, length: int, path: Path) -> bytes:
    """Exactly these bytes of an open file; `FileError` where it ends before."""
    pieces: list[bytes] = []
    os.lseek(number, start, os.SEEK_SET)
    while length > 0:
        piece = _read(number, min(length, 1 << 30), path)
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
