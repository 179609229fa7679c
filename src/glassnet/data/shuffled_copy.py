"""Rows shuffled on disk: a copy that gives each epoch in another order, a block at a time.

The copy is written in chunks as large as memory is lent, each in a random order of its own. Block k of an epoch is the
k-th share of every chunk, put in a random order again: a sample of the whole table, drawn evenly from all its places,
however the table was sorted. What a block holds stays the same from epoch to epoch; the order of the blocks, and that
within them, is a formula of seed and epoch, as it is for data in memory.
"""

import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import FileError
from glassnet.random import epoch_order, splitmix64

_CHUNKS, _BLOCKS = 0xC4A, 0xB10  # what tells their random numbers from others of the same seed


class ShuffledCopy:
    """Rows of `width` numbers, float32, in a temporary file that is gone when this is.

    folder   where the file is
    at_once  how many rows are shuffled together, and at most in a block
    rows     how many there will be at most; `FileError` if the folder has no room for them
    """

    def __init__(self, folder: Path, width: int, at_once: int, rows: int) -> None:
        self.width, self.at_once, self.rows = width, at_once, 0
        needed = 4 * width * rows
        try:
            free = shutil.disk_usage(folder).free
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, closed when this is gone
        except OSError as error:
            raise _no_room(folder, error.strerror or str(error), needed) from None
        weakref.finalize(self, self._file.close)
        self._reading = Lock()  # several runs may learn from it at once
        if needed > free:
            raise _no_room(folder, f"{free / 1e9:,.1f} GB free", needed)
        self._folder, self._needed = folder, needed
        self._chunk = np.empty((min(at_once, rows), width), np.float32)
        self._filled = 0

    def add(self, rows: Array) -> None:
        """Take in more rows, (n, width)."""
        while len(rows):
            part = rows[: len(self._chunk) - self._filled]
            self._chunk[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            rows = rows[len(part) :]
            if self._filled == len(self._chunk):
                self._write()

    def finish(self) -> None:
        """No more rows come."""
        self._write()
        self._chunk = np.empty((0, self.width), np.float32)

    def _write(self) -> None:
        if not self._filled:
            return
        order = epoch_order(_CHUNKS, self.rows // self.at_once, self._filled)
        try:
            self._file.write(self._chunk[: self._filled][order].data)
            self._file.flush()
        except OSError as error:
            raise _no_room(self._folder, error.strerror or str(error), self._needed) from None
        self.rows += self._filled
        self._filled = 0

    def blocks(self, seed: int, epoch: int) -> Iterator[Array]:
        """The rows of an epoch, in blocks (n, width)."""
        chunks = -(-self.rows // self.at_once)
        for k in epoch_order(seed ^ _BLOCKS, epoch, chunks).tolist():
            shares = [self._share(chunk, k, chunks) for chunk in range(chunks)]
            block = np.empty((sum(stop - start for start, stop in shares), self.width), np.float32)
            at = 0
            for start, stop in shares:
                with self._reading:
                    self._file.seek(4 * self.width * start)
                    self._file.readinto(block[at : at + stop - start].data.cast("B"))
                at += stop - start
            yield block[epoch_order(splitmix64(seed ^ _BLOCKS, epoch), k, len(block))]

    def _share(self, chunk: int, k: int, shares: int) -> tuple[int, int]:
        """Where the k-th share of a chunk begins and ends."""
        start = chunk * self.at_once
        count = min(self.at_once, self.rows - start)
        return start + count * k // shares, start + count * (k + 1) // shares


def scratch_folder() -> Path:
    """Where temporary files are: what TMPDIR names, else /var/tmp where there is one, since /tmp may be memory."""
    lasting = Path("/var/tmp")
    return lasting if tempfile.gettempdir() == "/tmp" and lasting.is_dir() else Path(tempfile.gettempdir())


def _no_room(folder: Path, why: str, needed: int) -> FileError:
    return FileError(
        f"{why} in {str(folder)!r}: a shuffled copy of the rows needs {needed / 1e9:,.1f} GB during training",
        help="name a folder on a larger disk with the variable TMPDIR",
    )
