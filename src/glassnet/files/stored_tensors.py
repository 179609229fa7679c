"""Numbers that lie in a file as they are, or packed in blocks: any row or column of them read by seeking.

A format whose header has been read hands over where each tensor lies (`Place`); what is left, reading and taking apart,
is the same for all of them and is here.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from math import prod
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np

from glassnet import opening
from glassnet.arrays import Array
from glassnet.errors import AddressError, FileError
from glassnet.files import access
from glassnet.files.access import Stored, damaged
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.dtypes import KINDS, as_numbers
from glassnet.files.tensors import TensorInfo, column_index, row_range
from glassnet.opening import quoted

MOST_AXES = 32
_PIECE = 1 << 20
"""Bytes taken apart at a time."""
_NEAR = 4096
"""Bytes between two values of a column up to which what lies between them is read rather than sought over."""


@dataclass(frozen=True)
class Codec:
    """A type of number: `block` of them take `width` bytes; `decode` makes (n, width) bytes (n, block) of `gives`."""

    dtype: str
    block: int
    width: int
    gives: str
    decode: Callable[[Array], Array]

    def bytes_for(self, count: int) -> int:
        """How many bytes so many numbers take, the last block filled up."""
        return -(-count // self.block) * self.width


@cache
def codec(dtype: str) -> Codec:
    """A type by its name in lower case: those of `numbers.KINDS`, and whole numbers of four and two bits.

    Numbers of fewer than eight bits share a byte, the first in its lowest bits; rows may begin within one.
    """
    if dtype in _PARTS:
        bits, values = _PARTS[dtype]
        table = np.array(values, np.int8 if min(values) < 0 else np.uint8)
        return Codec(dtype, 8 // bits, 1, table.dtype.str, partial(_parts_of_a_byte, table, bits))
    kind = KINDS[dtype]
    block, width = (1, kind.bits // 8) if kind.bits >= 8 else (8 // kind.bits, 1)
    gives = as_numbers(dtype, np.zeros(1, kind.read_as)).dtype.str
    return Codec(dtype, block, width, gives, partial(_plain, dtype, kind.read_as))


def _plain(dtype: str, read_as: str, blocks: Array) -> Array:
    return as_numbers(dtype, np.ascontiguousarray(blocks).view(read_as))


def _parts_of_a_byte(table: Array, bits: int, blocks: Array) -> Array:
    return table[(blocks >> np.arange(0, 8, bits, dtype=np.uint8)) & np.uint8((1 << bits) - 1)]


_PARTS: dict[str, tuple[int, list[int]]] = {
    "uint4": (4, list(range(16))),
    "int4": (4, [*range(8), *range(-8, 0)]),
    "uint2": (2, list(range(4))),
    "int2": (2, [0, 1, -2, -1]),
}


@dataclass(frozen=True)
class Place:
    """Where a tensor's numbers lie.

    codec      what they are; None: nothing that can be read as numbers (text)
    varints    each block as one of protobuf's varints instead of its bytes
    inline     the bytes themselves, where they had to be read with the header
    """

    file: Stored
    start: int
    length: int
    codec: Codec | None
    varints: bool = False
    inline: bytes | None = None


def beside(model: Path, name: str) -> Path:
    """The place of a file that a model file names, in the model's own folder or below.

    Refused (`FileError`): absolute names, names that climb, links that lead out, files with a second name (a hard
    link) that may lie anywhere. Where the model file is itself a link (a download cache), its neighbours may lie beside
    what it leads to.
    """
    windows, parts = PureWindowsPath(name), PurePosixPath(name.replace("\\", "/")).parts
    if not parts or "\0" in name or windows.drive or windows.root or ".." in parts or len(name) > 4096:
        raise _outside(model, name, "by a name that is not relative to its folder")
    path = model.parent / Path(*parts)
    try:
        homes = {model.parent.resolve(), model.resolve().parent}
        real, links = path.resolve(strict=True), path.stat().st_nlink
    except (FileNotFoundError, NotADirectoryError):
        raise FileError(
            f"{quoted(model)} names the file {quoted(name)}, which is missing",
            help="put all files of the model into one folder",
        ) from None
    except (OSError, RuntimeError):  # a link to itself
        raise _outside(model, name, "a link that leads nowhere") from None
    if not any(home in real.parents for home in homes):
        raise _outside(model, name, "a link that leads out of its folder")
    if real.is_file() and links > 1:
        raise _outside(model, name, "which is also a file somewhere else (a hard link)")
    return real


def _outside(model: Path, name: str, why: str) -> FileError:
    return FileError(
        f"{quoted(model)} names the file {quoted(name)}, which is refused: {why}; expected files in the model's "
        "own folder",
        help="copy the file there, if you trust it",
    )


def numbers_in(shape: tuple[int, ...], name: str, path: Path) -> int:
    """How many numbers a shape holds; `FileError` where it cannot be one: negative, too many axes, past counting."""
    if len(shape) > MOST_AXES:
        raise damaged(path, f"tensor {quoted(name, 60)} has {len(shape):,} axes, more than {MOST_AXES}")
    if any(n < 0 for n in shape) or prod(max(n, 1) for n in shape) >= 1 << 58:
        raise damaged(path, f"tensor {quoted(name, 60)} claims the shape {opening.printable(shape, 120)}")
    return prod(shape)


def no_overlap(path: Path, spans: "list[tuple[int, int, str]]", shared: bool = False) -> None:
    """`FileError` if two (start, length, name) have bytes in common; `shared`: unless they have all of them."""
    spans = sorted(span for span in spans if span[1])
    for (start, length, name), (following, its_length, other) in pairwise(spans):
        if following < start + length and not (shared and (following, its_length) == (start, length)):
            raise damaged(path, f"tensor {quoted(other, 60)} overlaps {quoted(name, 60)}")


class StoredCheckpoint(Checkpoint):
    """A `Checkpoint` of which every tensor's place is known. A column is read by seeking from row to row."""

    def __init__(
        self,
        path: Path,
        format: str,
        metadata: Mapping[str, str],
        tensors: Mapping[str, TensorInfo],
        places: Mapping[str, Place],
    ) -> None:
        self.path, self.format, self.metadata, self.tensors = path, format, metadata, tensors
        self._places = places

    def rows(self, name: str, which: int | slice) -> Array:
        info = self.info(name)
        wanted = row_range(info, which)
        length = prod(info.shape[1:])
        place, taken = self._place(name)
        numbers = np.empty(len(wanted) * length, taken.gives)
        if numbers.size:
            spans = [wanted] if wanted.step == 1 else [range(row, row + 1) for row in wanted]
            with _reader(place) as read:
                done = 0
                for span in spans:
                    for piece in _pieces(read, place, taken, span.start * length, span.stop * length):
                        numbers[done : done + len(piece)] = piece
                        done += len(piece)
        if not info.shape:
            return numbers.reshape(()) if len(wanted) else numbers
        rows = numbers.reshape(len(wanted), *info.shape[1:])
        return rows if isinstance(which, slice) else rows[0]

    def column(self, name: str, index: int) -> Array:
        """One column of a matrix, by seeking; where whole numbers are varints (ONNX's typed fields), all are read."""
        info = self.info(name)
        index = column_index(info, index)
        rows, columns = info.shape
        place, taken = self._place(name)
        column = np.empty(rows, taken.gives)
        near = taken.bytes_for(columns) <= _NEAR
        with _reader(place) as read:
            if place.varints and rows:
                return _varints(read, place, taken, 0, rows * columns).reshape(rows, columns)[:, index].copy()
            step = max(1, _PIECE // taken.bytes_for(columns)) if near else _NEAR
            for first in range(0, rows, step):
                at = np.arange(first, min(first + step, rows), dtype=np.int64) * columns + index
                blocks, inside = at // taken.block, at % taken.block
                if near:
                    start, stop = int(blocks[0]), int(blocks[-1]) + 1
                    data = np.frombuffer(read(start * taken.width, (stop - start) * taken.width), np.uint8)
                    data = data.reshape(-1, taken.width)[blocks - start]
                else:
                    each = [read(block * taken.width, taken.width) for block in blocks.tolist()]
                    data = np.frombuffer(b"".join(each), np.uint8).reshape(-1, taken.width)
                column[first : first + step] = taken.decode(data)[np.arange(len(at)), inside]
        return column

    def flat(self, name: str, start: int, stop: int) -> Array:
        place, taken = self._place(name)
        start, stop, _ = slice(start, stop).indices(self.info(name).count)
        if stop <= start:
            return np.empty(0, taken.gives)
        with _reader(place) as read:
            return np.concatenate(list(_pieces(read, place, taken, start, stop)))

    def files(self) -> list[Path]:
        return list(dict.fromkeys([self.path, *(place.file.path for place in self._places.values())]))

    def _place(self, name: str) -> tuple[Place, Codec]:
        info = self.info(name)
        place = self._places[name]
        if place.codec is None:
            raise AddressError(f"{quoted(name)} holds {info.dtype}, expected numbers")
        return place, place.codec


@contextlib.contextmanager
def _reader(place: Place) -> Iterator[Callable[[int, int], bytes]]:
    """Reads (from, how many) of a tensor's bytes."""
    inline = place.inline
    if inline is not None:
        yield lambda start, length: inline[start : start + length]
        return
    with place.file.opened() as number:
        yield lambda start, length: access.read_at(number, place.start + start, length, place.file.path)


def _pieces(read: Callable[[int, int], bytes], place: Place, taken: Codec, start: int, stop: int) -> Iterator[Array]:
    """The numbers from `start` to `stop`, in pieces that fit into the cache."""
    if place.varints:
        yield _varints(read, place, taken, start, stop)
        return
    last = -(-stop // taken.block)
    step = max(1, _PIECE // taken.width)
    for block in range(start // taken.block, last, step):
        data = read(block * taken.width, min(step, last - block) * taken.width)
        decoded = taken.decode(np.frombuffer(data, np.uint8).reshape(-1, taken.width)).reshape(-1)
        zero = block * taken.block
        yield decoded[max(start - zero, 0) : stop - zero]


def _varints(read: Callable[[int, int], bytes], place: Place, taken: Codec, start: int, stop: int) -> Array:
    """Numbers out of varints: seven bits a byte, lowest first, the last byte below 128; read from the first one on."""
    first, last = start // taken.block, -(-stop // taken.block)
    values = np.empty(last - first, "<u8")
    done = at = 0
    while done < last and at < place.length:
        data = np.frombuffer(read(at, min(_PIECE, place.length - at)), np.uint8)
        ends = np.flatnonzero(data < 128)[: last - done]
        if not len(ends):
            break
        starts = np.concatenate([[0], ends[:-1] + 1])
        lengths = ends - starts + 1
        if lengths.max() > 10:
            break
        piece = np.zeros(len(ends), np.uint64)
        for byte in range(int(lengths.max())):
            has = lengths > byte
            piece[has] |= (data[starts[has] + byte] & np.uint8(127)).astype(np.uint64) << np.uint64(7 * byte)
        if done + len(piece) > first:
            values[max(done - first, 0) : done + len(piece) - first] = piece[max(first - done, 0) :]
        done += len(piece)
        at += int(ends[-1]) + 1
    if done < last:
        raise damaged(place.file.path, f"a tensor holds {done:,} whole numbers of {last:,}")
    low = values.view(np.uint8).reshape(-1, 8)[:, : taken.width]
    return taken.decode(low).reshape(-1)[start - first * taken.block : stop - first * taken.block]
