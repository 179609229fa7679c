""".npy and .npz: numpy's arrays, one or a zip file of them. Python objects are never loaded: that can run code.

Members that are stored, as `numpy.savez` does, are read in place, row by row; their checksum covers the whole array,
and is compared where that is read, not for rows, columns and pieces. Compressed ones (`numpy.savez_compressed`) cannot
be read in place: all that lies before a row is decompressed to reach it, in pieces, so that memory stays small but not
time. An array in Fortran's order keeps its columns together; its rows are gathered from all of it.
"""

import ast
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from glassnet import opening
from glassnet.arrays import Array
from glassnet.errors import FileError
from glassnet.files import access, naming, quantised
from glassnet.files.access import Checksums, Stored, damaged
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.tensors import TensorInfo, column_index, row_range
from glassnet.opening import quoted

MAGIC = b"\x93NUMPY"
LONGEST_HEADER = 10_000
"""Bytes of an array's header: numpy's own limit."""
LARGEST_DIRECTORY = 1 << 24
"""Bytes of a zip file's directory: room for some 200,000 arrays."""
DEFLATE_AT_MOST = 1032
BLOCK = 1 << 20
KEPT = 1 << 26
"""Bytes of an array in Fortran's order that is kept, turned, while it is read in pieces."""

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError)


@dataclass(frozen=True)
class _Member:
    """An array: its type and shape, and where its numbers begin: in the file, or in what a compressed member holds."""

    shape: tuple[int, ...]
    dtype: np.dtype
    fortran: bool
    start: int
    compressed: str | None
    checked: tuple[int, int, int] | None = None
    """Where a stored member begins, its size, its checksum."""


def recognises(head: bytes, path: Path) -> bool:
    """numpy's own sign, or a zip file with arrays in it."""
    if head.startswith(MAGIC):
        return True
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return False
    try:
        with opening.descriptor(path) as (number, _), _zip(number, path) as archive:
            return any(name.endswith(".npy") for name in archive.namelist()) or not archive.namelist()
    except _DAMAGE:
        return path.suffix == ".npz"  # cut or damaged: let the error say so


def open_file(path: Path) -> "NpzFile":
    """The headers of all arrays in the file."""
    return NpzFile(path)


class NpzFile(Checkpoint):
    """An .npz or .npy file. Reading a row or a column of a compressed array decompresses the array up to its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.metadata = {}
        self._file: Stored = access.stored(path)
        self._checksums = Checksums(self._file)
        self._members: dict[str, _Member] = {}
        self._going_on: tuple[str, int, bytes, Iterator[bytes]] | None = None
        self._turned: tuple[str, Array] | None = None
        tensors: dict[str, TensorInfo] = {}
        with self._file.opened() as number:
            if access.read_at(number, 0, min(6, self._file.size), path) == MAGIC:
                self.format = "numpy array"
                with _at(number, 0) as file:
                    member = _array(file, path, path.stem, self._file.size, None)
                self._members[path.stem] = member
                tensors[path.stem] = _info(path.stem, member, self._file.size - member.start)
            else:
                self.format = "numpy arrays (zip)"
                try:
                    for name, member, stored in _members(number, self._file):
                        self._members[name] = member
                        tensors[name] = _info(name, member, stored)
                except FileError:
                    raise
                except _DAMAGE as problem:
                    raise damaged(
                        path, opening.printable(str(problem) or type(problem).__name__), ".npz file"
                    ) from None
        if any(member.compressed for member in self._members.values()):
            self.format += ", compressed"
        self.tensors = tensors
        self.tensors = quantised.paired(naming.with_orientations(tensors, None), self.array)

    def rows(self, name: str, which: int | slice) -> Array:
        info, member = self.info(name), self._readable(name)
        wanted = row_range(info, which)
        if not info.shape:
            return self._span(name, 0, 1).reshape(())[...] if len(wanted) else self._span(name, 0, 0)
        tail = info.shape[1:]
        row = prod(tail)
        low, high = (min(wanted[0], wanted[-1]), max(wanted[0], wanted[-1]) + 1) if len(wanted) else (0, 0)
        if member.fortran and len(info.shape) > 1:
            array = self._gathered(name, low, high)
        elif member.compressed is None and abs(wanted.step) > 1 and row * member.dtype.itemsize > 4096:
            pieces = [self._span(name, i * row, (i + 1) * row) for i in wanted]
            return np.concatenate(pieces).reshape(len(wanted), *tail) if pieces else np.empty((0, *tail), member.dtype)
        else:
            array = self._span(name, low * row, high * row).reshape(high - low, *tail)
        if not isinstance(which, slice):
            return array[0]
        return array[:: wanted.step] if wanted.step > 0 else array[::-1][:: -wanted.step]

    def verify(self, name: str) -> None:
        self.info(name)
        if checked := self._members[name].checked:
            self._checksums.compare(f"{name}.npy", *checked)

    def column(self, name: str, index: int) -> Array:
        info, member = self.info(name), self._readable(name)
        index = column_index(info, index)
        rows, columns = info.shape
        if member.fortran:
            return self._span(name, index * rows, (index + 1) * rows)
        made = np.empty(rows, member.dtype.newbyteorder("="))
        for start, values in self._blocks(name, columns):
            made[start // columns : (start + len(values)) // columns] = values.reshape(-1, columns)[:, index]
        return made

    def flat(self, name: str, start: int, stop: int) -> Array:
        member = self._readable(name)
        start, stop, _ = slice(start, stop).indices(prod(member.shape))
        if member.fortran and len(member.shape) > 1:
            if prod(member.shape) * member.dtype.itemsize > KEPT:
                return super().flat(name, start, stop)
            if self._turned is None or self._turned[0] != name:
                self._turned = name, self.array(name).reshape(-1)
            return self._turned[1][start:stop]
        if member.compressed is None or stop <= start:
            return self._span(name, start, max(start, stop))
        return self._next(name, start, stop)

    def close(self) -> None:
        self._going_on = self._turned = None

    def _next(self, name: str, start: int, stop: int) -> Array:
        """Numbers of a compressed array; where they follow those asked for last, decompressing goes on from there."""
        member = self._members[name]
        size = member.dtype.itemsize
        if self._going_on is not None and self._going_on[:2] == (name, start):
            _, _, kept, pieces = self._going_on
        else:
            kept, pieces = b"", self._inflated(member, start * size, prod(member.shape) * size)
        collected, there = [kept], len(kept)
        while there < (stop - start) * size:
            collected.append(next(pieces))
            there += len(collected[-1])
        content = b"".join(collected)
        used = (stop - start) * size
        done = stop == prod(member.shape)
        self._going_on = None if done else (name, stop, content[used:], pieces)
        values = np.frombuffer(content[:used], member.dtype)
        return values if member.dtype.isnative else values.astype(member.dtype.newbyteorder("="))

    def _readable(self, name: str) -> _Member:
        self.info(name)
        member = self._members[name]
        if member.dtype.kind not in "biufc":
            raise FileError(
                f"array {quoted(name)} holds {_kind(member.dtype)}, expected numbers (Python objects are never "
                "loaded, since they can run code)",
                help="save it with a plain dtype such as float32",
            )
        return member

    def _span(self, name: str, start: int, stop: int) -> Array:
        """Numbers in the order of the file."""
        member = self._members[name]
        size = member.dtype.itemsize
        if member.compressed is None:
            values = np.frombuffer(self._file.read(member.start + start * size, (stop - start) * size), member.dtype)
        else:
            values = np.empty(max(0, stop - start), member.dtype)
            content, at = values.view(np.uint8), 0
            for piece in self._inflated(member, start * size, stop * size):
                content[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
                at += len(piece)
        return values if member.dtype.isnative else values.astype(member.dtype.newbyteorder("="))

    def _blocks(self, name: str, whole: int) -> Iterator[tuple[int, Array]]:
        """All numbers in the order of the file, in pieces of so many or a multiple, with where each begins."""
        member = self._members[name]
        count, size = prod(member.shape), member.dtype.itemsize
        step = max(1, BLOCK // (max(whole, 1) * size)) * max(whole, 1)
        if member.compressed is None:
            for start in range(0, count, step):
                yield start, self._span(name, start, min(start + step, count))
            return
        start, kept = 0, bytearray()
        for piece in self._inflated(member, 0, count * size):
            kept += piece
            ready = len(kept) // (step * size) * step
            if ready or start + len(kept) // size == count:
                ready = ready or len(kept) // size
                yield start, np.frombuffer(bytes(kept[: ready * size]), member.dtype)
                start, kept = start + ready, kept[ready * size :]

    def _inflated(self, member: _Member, start: int, stop: int) -> Iterator[bytes]:
        """Bytes of a compressed array, from `start` to `stop`; what lies before is decompressed and dropped."""
        if stop <= start:
            return
        try:
            with (
                self._file.opened() as number,
                _zip(number, self.path) as archive,
                archive.open(str(member.compressed)) as file,
            ):
                at = -member.start
                while at < stop:
                    piece = file.read(min(BLOCK, stop - at))
                    if not piece:
                        raise damaged(self.path, f"{quoted(member.compressed)} ends too early", ".npz file")
                    if at + len(piece) > start:
                        yield piece[max(0, start - at) :]
                    at += len(piece)
                file.read(1)  # where that was all, zipfile compares the checksum
        except FileError:
            raise
        except _DAMAGE as problem:
            raise damaged(self.path, opening.printable(problem), ".npz file") from None

    def _gathered(self, name: str, low: int, high: int) -> Array:
        """Rows of an array in Fortran's order, where those of one column lie together."""
        member = self._members[name]
        length, tail = member.shape[0], member.shape[1:]
        made = np.empty((prod(tail), high - low), member.dtype.newbyteorder("="))
        if length and made.size:
            for start, values in self._blocks(name, length):
                block = values.reshape(-1, length)[:, low:high]
                made[start // length : start // length + len(block)] = block
        return np.ascontiguousarray(made.reshape(*tail[::-1], high - low).T)


def _info(name: str, member: _Member, stored: int) -> TensorInfo:
    dtype = _kind(member.dtype)
    if member.compressed is None and not member.dtype.hasobject:
        stored = prod(member.shape) * member.dtype.itemsize  # without the array's header
    return TensorInfo(name, member.shape, dtype, stored, "", naming.role_of(name, dtype, member.shape))


def _kind(dtype: np.dtype) -> str:
    if dtype.hasobject:
        return "Python objects"
    return dtype.name if dtype.kind in "biufc" else {"U": "text", "S": "bytes"}.get(dtype.kind, "records")


# Zip files


@contextmanager
def _at(number: int, start: int) -> Iterator[IO[bytes]]:
    """An open descriptor as a file of its own place; the descriptor stays open."""
    with os.fdopen(os.dup(number), "rb") as file:
        file.seek(start)
        yield file


@contextmanager
def _zip(number: int, path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, if its directory is of a size that can be."""
    with _at(number, 0) as file:
        size = os.fstat(number).st_size
        tail = access.read_at(number, max(0, size - 65_557), min(size, 65_557), path)
        at = tail.rfind(b"PK\x05\x06")
        directory = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
        if directory == 0xFFFFFFFF:
            far = tail.rfind(b"PK\x06\x06")
            directory = int.from_bytes(tail[far + 40 : far + 48], "little") if far >= 0 else size
        if directory > LARGEST_DIRECTORY:
            raise FileError(
                f"the zip directory of {quoted(path)} has {directory:,} bytes, expected at most {LARGEST_DIRECTORY:,}",
                help="save the arrays in several files",
            )
        with zipfile.ZipFile(file) as archive:
            yield archive


def _members(number: int, file: Stored) -> Iterator[tuple[str, _Member, int]]:
    """The arrays of an archive, each with the bytes it is stored in; what it claims has to be possible."""
    path = file.path
    with _zip(number, path) as archive:
        seen = set()
        end = 0
        for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
            if info.filename in seen:
                raise damaged(path, f"{quoted(info.filename, 60)} is there twice", ".npz file")
            seen.add(info.filename)
            if info.header_offset < end:
                raise damaged(path, f"{quoted(info.filename, 60)} overlaps what is before it", ".npz file")
            start = _data_start(number, path, info)
            end = start + info.compress_size
            if end > file.size:
                raise damaged(path, f"{quoted(info.filename, 60)} goes beyond the end", ".npz file")
        arrays = [info for info in archive.infolist() if info.filename.endswith(".npy")]
        if not arrays:
            raise FileError(f"{quoted(path)} is an empty zip file, expected arrays", help="write it with numpy.savez")
        for info in arrays:
            yield _member(archive, number, path, info)


def _member(archive: zipfile.ZipFile, number: int, path: Path, info: zipfile.ZipInfo) -> tuple[str, _Member, int]:
    name = info.filename.removesuffix(".npy")
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileError(
            f"array {quoted(name)} is encrypted, or compressed in a way that numpy does not use",
            help="save it again with numpy.savez or numpy.savez_compressed",
        )
    if info.compress_type == zipfile.ZIP_STORED:
        if info.file_size != info.compress_size:
            raise damaged(path, f"{quoted(name, 60)} claims two sizes", ".npz file")
        start = _data_start(number, path, info)
        with _at(number, start) as file:
            member = _array(file, path, name, info.file_size, None, start)
        return name, replace(member, checked=(start, info.file_size, info.CRC)), info.compress_size
    if info.file_size > info.compress_size * DEFLATE_AT_MOST:
        raise FileError(
            f"array {quoted(name)} claims {info.file_size:,} bytes and stores {info.compress_size:,}: deflate "
            f"compresses at most {DEFLATE_AT_MOST} times",
            help="download or save it again",
        )
    with archive.open(info) as packed:
        return name, _array(packed, path, name, info.file_size, info.filename), info.compress_size


def _data_start(number: int, path: Path, info: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: after its own header, which may differ from what the directory says."""
    head = access.read_at(number, info.header_offset, 30, path)
    if head[:4] != b"PK\x03\x04":
        raise damaged(path, f"{quoted(info.filename, 60)} is not where the directory says", ".npz file")
    lengths = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    return info.header_offset + 30 + lengths


def _array(file: IO[bytes], path: Path, name: str, size: int, compressed: str | None, start: int = 0) -> _Member:
    """An array's header, checked against the `size` of what holds it; `start` is where that is in the file."""
    shape, fortran, dtype, length = _header(file, path, name)
    if dtype.hasobject:
        return _Member(shape, dtype, fortran, start + length, compressed)
    if prod(shape) * dtype.itemsize != size - length:
        claim = opening.printable(f"shape {shape} of {dtype}", 100)
        raise damaged(path, f"{quoted(name, 60)} claims {claim}, and has {size - length:,} bytes", "numpy file")
    return _Member(shape, dtype, fortran, start + length, compressed)


def _header(file: IO[bytes], path: Path, name: str) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Shape, order and type, and how long the header is; a Python literal, which is parsed and never run."""
    head = file.read(12)
    width = {1: 2, 2: 4, 3: 4}.get(head[6]) if len(head) == 12 and head[:6] == MAGIC else None
    if width is None:
        raise damaged(path, f"{quoted(name, 60)} does not begin as an array", "numpy file")
    length = int.from_bytes(head[8 : 8 + width], "little")
    if length > LONGEST_HEADER:
        raise damaged(path, f"{quoted(name, 60)} has a header of {length:,} bytes", "numpy file")
    content = head[8 + width :] + file.read(length - (4 - width))
    try:
        if len(content) != length:
            raise ValueError("it breaks off")
        described = ast.literal_eval(content.decode("utf-8" if head[6] == 3 else "latin-1").strip())
        if not isinstance(described, dict) or set(described) != {"descr", "fortran_order", "shape"}:
            raise ValueError("other keys")
        shape, fortran = described["shape"], described["fortran_order"]
        if not isinstance(shape, tuple) or not all(type(n) is int and 0 <= n < 1 << 63 for n in shape):
            raise ValueError("no shape")
        if len(shape) > 64 or not isinstance(fortran, bool):
            raise ValueError("no array")
        dtype = np.lib.format.descr_to_dtype(described["descr"])
        if dtype.itemsize == 0 and not dtype.hasobject:
            raise ValueError("a type of no size")
    except Exception as problem:  # parsing a literal raises SyntaxError, MemoryError, RecursionError and others
        why = opening.printable(f"{type(problem).__name__}: {problem}", 80)
        raise damaged(path, f"{quoted(name, 60)} has a header that cannot be read: {why}", "numpy file") from None
    return shape, fortran, dtype, 8 + width + length
