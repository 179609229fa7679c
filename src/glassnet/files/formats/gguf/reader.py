"""GGUF, the format of llama.cpp: metadata, then where each tensor lies, then the numbers, often packed a few bits each.

Versions 2 and 3, little-endian, one file or split into NAME-00001-of-0000N.gguf. The header is read here, within
bounds; of the `gguf` package only the arithmetic of packed types is used, and only when such a row is read.
Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import re
import struct
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import FileError, MissingExtra, SettingError
from glassnet.files import access
from glassnet.files.access import Stored
from glassnet.files.stored_tensors import Codec, Place, StoredCheckpoint, beside, codec, no_overlap, numbers_in
from glassnet.files.tensors import Role, TensorInfo
from glassnet.opening import quoted

MOST_STEPS = 1 << 22
"""Keys, texts, lists within lists and tensors in a header: sixteen times as many as the largest vocabulary
known. One that is looked at costs as many as take that time to pass over."""
MOST_KEPT = 1 << 24
"""Bytes of names and texts that are kept from a header; longer texts are told by their length."""
MOST_TENSORS = 1 << 16
MOST_KEYS = 1 << 14
MOST_PARTS = 1 << 10
_LONGEST_NAME = 1 << 12
_LONGEST_TEXT = 1 << 16
_TOGETHER = 64
"""Blocks that are handed over as one row: the package takes 16 rows at a time, and calls cost more than numbers."""
_SHOWN = 16
_DEEPEST = 4
_WINDOW = 1 << 20

_U32, _U64 = struct.Struct("<I"), struct.Struct("<Q")
_SCALARS = {
    number: struct.Struct(f"<{letter}")
    for number, letter in {
        0: "B",
        1: "b",
        2: "H",
        3: "h",
        4: "I",
        5: "i",
        6: "f",
        7: "?",
        10: "Q",
        11: "q",
        12: "d",
    }.items()
}
_STRING, _ARRAY = 8, 9

_PLAIN = {0: "float32", 1: "float16", 24: "int8", 25: "int16", 26: "int32", 27: "int64", 28: "float64", 30: "bfloat16"}
_PACKED = {  # name, numbers in a block, bytes of a block
    2: ("q4_0", 32, 18),
    3: ("q4_1", 32, 20),
    6: ("q5_0", 32, 22),
    7: ("q5_1", 32, 24),
    8: ("q8_0", 32, 34),
    9: ("q8_1", 32, 40),
    10: ("q2_k", 256, 84),
    11: ("q3_k", 256, 110),
    12: ("q4_k", 256, 144),
    13: ("q5_k", 256, 176),
    14: ("q6_k", 256, 210),
    15: ("q8_k", 256, 292),
    16: ("iq2_xxs", 256, 66),
    17: ("iq2_xs", 256, 74),
    18: ("iq3_xxs", 256, 98),
    19: ("iq1_s", 256, 50),
    20: ("iq4_nl", 32, 18),
    21: ("iq3_s", 256, 110),
    22: ("iq2_s", 256, 82),
    23: ("iq4_xs", 256, 136),
    29: ("iq1_m", 256, 56),
    34: ("tq1_0", 256, 54),
    35: ("tq2_0", 256, 66),
    39: ("mxfp4", 32, 17),
    40: ("nvfp4", 64, 36),
    41: ("q1_0", 128, 18),
}


def recognises(head: bytes, path: Path) -> bool:
    return head[:4] == b"GGUF"


def open_file(path: Path) -> StoredCheckpoint:
    """A GGUF file by its path; of a split one by the path of any of its parts."""
    budget = _Budget()
    first = _read(path, budget)
    parts = (
        [first]
        if first.parts == 1
        else [first if n == first.part else _read_part(first, n, budget) for n in range(first.parts)]
    )
    tensors: dict[str, TensorInfo] = {}
    places: dict[str, Place] = {}
    for part in parts:
        for name, (info, place) in part.tensors.items():
            if name in tensors:
                raise _wrong(part.file.path, f"a second tensor {quoted(name, 60)}", "each name once")
            tensors[name], places[name] = info, place
        if len(tensors) > MOST_TENSORS:
            raise _wrong(part.file.path, f"more than {MOST_TENSORS:,} tensors", f"at most {MOST_TENSORS:,}")
    claimed = parts[0].metadata.get("split.tensors.count")
    if len(parts) > 1 and claimed not in (None, str(len(tensors))):
        raise _wrong(path, f"{len(tensors):,} tensors in {len(parts)} parts of {claimed}", "all of them")
    words = f"GGUF version {first.version}" + (f", in {len(parts)} parts" if len(parts) > 1 else "")
    return StoredCheckpoint(path, words, parts[0].metadata, tensors, places)


def read_values(path: Path) -> dict[str, Any]:
    """The metadata as values: numbers, texts and lists of them, vocabularies whole, within the same bounds."""
    file = access.stored(path)
    with file.opened() as number:
        header = _Header(file, number, _Budget())
        if header.take(4) != b"GGUF" or header.u32() not in (2, 3):
            raise _wrong(path, "a file of another format or version", "a GGUF file of version 2 or 3", "check the path")
        header.u64()
        keys = header.u64()
        if keys > MOST_KEYS:
            raise _wrong(path, f"a header that claims {keys:,} keys", f"at most {MOST_KEYS:,}")
        found: dict[str, Any] = {}
        for _ in range(keys):
            key = header.name()
            found[key] = _value(header, header.u32(), 0)
        return found


def _value(header: "_Header", kind: int, depth: int) -> Any:
    if kind == _STRING:
        return header.whole_text()
    if kind != _ARRAY:
        return header.scalar(kind)
    if depth == _DEEPEST:
        raise _wrong(header.path, f"lists in lists, more than {_DEEPEST} deep", f"at most {_DEEPEST}")
    inner, length = header.u32(), header.u64()
    if inner in (_STRING, _ARRAY):
        header.step(length)
        return [_value(header, inner, depth + 1) for _ in range(length)]
    width = header.width(inner)
    header.step(length)
    return list(struct.unpack(f"<{length}{_SCALARS[inner].format[1:]}", header.take(length * width)))


@dataclass
class _Part:
    """One file: what its header says."""

    file: Stored
    version: int
    metadata: dict[str, str]
    part: int
    parts: int
    tensors: dict[str, tuple[TensorInfo, Place]]


_PART_NAME = re.compile(r"(.*)-(\d{5})-of-(\d{5})(\.\w+)?", re.DOTALL)


def _read_part(named: _Part, number: int, budget: "_Budget") -> _Part:
    """Another part of the split file that `named` belongs to."""
    match = _PART_NAME.fullmatch(named.file.path.name)
    if match is None or (int(match[2]), int(match[3])) != (named.part + 1, named.parts):
        raise _wrong(
            named.file.path,
            f"part {named.part + 1} of {named.parts} by its own account",
            f"the name NAME-{named.part + 1:05}-of-{named.parts:05}.gguf",
            "rename it, with the other parts beside it",
        )
    path = beside(named.file.path, f"{match[1]}-{number + 1:05}-of-{match[3]}{match[4] or ''}")
    part = _read(path, budget)
    if (part.part, part.parts) != (number, named.parts):
        raise _wrong(
            path, f"part {part.part + 1} of {part.parts} by its own account", f"part {number + 1} of {named.parts}"
        )
    return part


def _read(path: Path, budget: "_Budget") -> _Part:
    file = access.stored(path)
    with file.opened() as number:
        header = _Header(file, number, budget)
        magic, version = header.take(4), header.u32()
        if magic != b"GGUF":
            raise _wrong(path, "a file of another format", "a GGUF file", "check the path")
        if version not in (2, 3):
            kind = "big-endian or damaged" if version & 0xFFFF == 0 else f"version {version}"
            raise _wrong(path, kind, "GGUF version 2 or 3, little-endian", "convert it with llama.cpp's tools")
        count, keys = header.u64(), header.u64()
        if count > MOST_TENSORS or keys > MOST_KEYS:
            raise _wrong(
                path,
                f"a header that claims {count:,} tensors and {keys:,} keys",
                f"at most {MOST_TENSORS:,} and {MOST_KEYS:,}",
            )
        metadata, plain = _metadata(header, keys)
        alignment = plain.get("general.alignment", 32)
        if type(alignment) is not int or not 0 < alignment <= 1 << 20 or alignment % 8:
            raise _wrong(path, f"an alignment of {alignment!r}", "a multiple of 8 up to 2^20")
        part, parts = plain.get("split.no", 0), plain.get("split.count", 1)
        if type(part) is not int or type(parts) is not int or not 0 <= part < max(parts, 1) <= MOST_PARTS:
            raise _wrong(path, f"part {part!r} of {parts!r}", f"parts from 0 on, {MOST_PARTS:,} at most")
        entries = _tensor_entries(header, count)
        tensors = _place(file, header.position, alignment, entries)
        return _Part(file, version, metadata, part, max(parts, 1), tensors)


def _metadata(header: "_Header", keys: int) -> tuple[dict[str, str], dict[str, Any]]:
    """The metadata in words, and the plain values among it."""
    words: dict[str, str] = {}
    plain: dict[str, Any] = {}
    for _ in range(keys):
        key = header.name()
        if key in words:
            raise _wrong(header.path, f"the key {quoted(key, 60)} twice", "each key once")
        kind = header.u32()
        if kind == _STRING:
            words[key] = header.text()
        elif kind == _ARRAY:
            words[key] = _array(header, 1)
        else:
            plain[key] = header.scalar(kind)
            words[key] = str(plain[key])
    return words, plain


def _array(header: "_Header", depth: int) -> str:
    """An array of the metadata in words: itself if it is short, else how long it is."""
    kind, length = header.u32(), header.u64()
    if kind == _STRING:
        if length <= _SHOWN:
            return "[" + ", ".join(quoted(header.text(), 60) for _ in range(length)) + "]"
        header.skip_strings(length)
        return f"{length:,} texts"
    if kind == _ARRAY:
        if depth == _DEEPEST:
            raise _wrong(header.path, f"lists in lists, more than {_DEEPEST} deep", f"at most {_DEEPEST}")
        for _ in range(length):
            header.step(64)
            _array(header, depth + 1)
        return f"{length:,} lists"
    if length <= _SHOWN:
        return "[" + ", ".join(str(header.scalar(kind)) for _ in range(length)) + "]"
    header.skip(length * header.width(kind))
    return f"{length:,} numbers"


def _tensor_entries(header: "_Header", count: int) -> dict[str, tuple[tuple[int, ...], int, int]]:
    """Shape, type and offset of each tensor by its name."""
    entries: dict[str, tuple[tuple[int, ...], int, int]] = {}
    for _ in range(count):
        name = header.name()
        if name in entries:
            raise _wrong(header.path, f"a second tensor {quoted(name, 60)}", "each name once")
        axes = header.u32()
        if axes > 8:
            raise _wrong(header.path, f"{quoted(name, 60)} with {axes:,} axes", "at most 8")
        dims = struct.unpack(f"<{axes}q", header.take(8 * axes))
        entries[name] = (dims[::-1], header.u32(), header.u64())  # the axis that runs fastest stands first in the file
    return entries


def _place(
    file: Stored, end: int, alignment: int, entries: dict[str, tuple[tuple[int, ...], int, int]]
) -> dict[str, tuple[TensorInfo, Place]]:
    """Where the tensors lie, seen to be inside of the file and out of each other's way."""
    start = -(-end // alignment) * alignment
    tensors: dict[str, tuple[TensorInfo, Place]] = {}
    spans: list[tuple[int, int, str]] = []
    for name, (shape, kind, offset) in entries.items():
        taken = _codec(kind)
        if taken is None:
            raise _wrong(file.path, f"{quoted(name, 60)} of the type number {kind}", "a known type", "upgrade glassnet")
        length = taken.bytes_for(numbers_in(shape, name, file.path))
        if taken.block > 1 and (not shape or shape[-1] % taken.block):
            raise _wrong(
                file.path, f"{quoted(name, 60)} of shape {shape} in {taken.dtype}", f"rows in blocks of {taken.block}"
            )
        if offset % alignment:
            raise _wrong(file.path, f"{quoted(name, 60)} at byte {offset:,}", f"a multiple of {alignment}")
        if start + offset + length > file.size and length:
            raise _wrong(
                file.path,
                f"{quoted(name, 60)}, which would end at byte {start + offset + length:,} of {file.size:,}",
                "tensors inside of the file",
                "get it again: it is cut short or damaged",
            )
        spans.append((start + offset, length, name))
        info = TensorInfo(
            name,
            shape,
            taken.dtype,
            length,
            file.path.name,
            _role(name, taken),
            neurons_in="rows" if len(shape) == 2 else None,
        )
        tensors[name] = (info, Place(file, start + offset, length, taken))
    no_overlap(file.path, spans)
    return tensors


def _role(name: str, taken: Codec) -> Role:
    """Whole numbers are tables; so are the factors of rotary positions, which no one learns."""
    return "buffer" if taken.dtype.startswith("int") or name.startswith("rope_") else "parameter"


def _codec(kind: int) -> Codec | None:
    if kind in _PLAIN:
        return codec(_PLAIN[kind])
    if kind in _PACKED:
        name, block, width = _PACKED[kind]
        return Codec(name, block, width, "<f4", partial(_unpacked, kind))
    return None


def _unpacked(kind: int, blocks: Array) -> Array:
    """The numbers in packed blocks, by the `gguf` package's arithmetic."""
    name, block, _ = _PACKED[kind]
    try:
        from gguf import GGMLQuantizationType, quants
    except ImportError:
        raise MissingExtra("gguf", "gguf") from None
    try:
        with np.errstate(all="ignore"):  # scales that are infinite or no numbers are the file's own
            whole = len(blocks) // _TOGETHER * _TOGETHER
            parts = [blocks[:whole].reshape(-1, _TOGETHER * blocks.shape[1]), blocks[whole:].reshape(1, -1)]
            made = [quants.dequantize(part, GGMLQuantizationType(kind)) for part in parts if part.size]
            return np.concatenate(
                [np.asarray(part).reshape(-1, block) for part in made] or [np.empty((0, block), "<f4")]
            )
    except (NotImplementedError, ValueError) as problem:
        raise SettingError(
            f"the installed gguf package cannot unpack numbers of type {name}", help="pip install -U gguf"
        ) from problem


@dataclass
class _Budget:
    """What the headers of a model may still cost, all its parts together."""

    steps: int = MOST_STEPS
    kept: int = MOST_KEPT


class _Header:
    """A place in the header that moves on, through a window of the file; nothing is believed beyond the file's end."""

    def __init__(self, file: Stored, number: int, budget: _Budget) -> None:
        self.path, self._size, self._number = file.path, file.size, number
        self._buffer, self._base, self._at = b"", 0, 0
        self._budget = budget

    @property
    def position(self) -> int:
        return self._base + self._at

    def take(self, count: int) -> bytes:
        if self._at + count > len(self._buffer):
            self._move(count)
        self._at += count
        return self._buffer[self._at - count : self._at]

    def _move(self, count: int) -> None:
        """A window that starts here and holds so many bytes, or more."""
        start = self.position
        if start + count > self._size:
            raise _wrong(
                self.path,
                f"a header that runs to byte {start + count:,} of {self._size:,}",
                "a header inside of the file",
                "get it again: it is cut short or damaged",
            )
        length = min(max(count, _WINDOW), self._size - start)
        self._buffer, self._base, self._at = access.read_at(self._number, start, length, self.path), start, 0

    def u32(self) -> int:
        return int(_U32.unpack(self.take(4))[0])

    def u64(self) -> int:
        return int(_U64.unpack(self.take(8))[0])

    def width(self, kind: int) -> int:
        if kind not in _SCALARS:
            raise _wrong(self.path, f"metadata of the type number {kind}", "a type from 0 to 12")
        return _SCALARS[kind].size

    def scalar(self, kind: int) -> Any:
        width = self.width(kind)
        return _SCALARS[kind].unpack(self.take(width))[0]

    def skip(self, count: int) -> None:
        self._at += count
        if self._at > len(self._buffer):
            self._move(0)

    def step(self, many: int = 1) -> None:
        self._budget.steps -= many
        if self._budget.steps < 0:
            raise _wrong(self.path, f"a header of more than {MOST_STEPS:,} entries", f"at most {MOST_STEPS:,}")

    def name(self) -> str:
        self.step()
        length = self.u64()
        if length > _LONGEST_NAME:
            raise _wrong(self.path, f"a name of {length:,} bytes", f"at most {_LONGEST_NAME:,}")
        self._budget.kept -= length
        if self._budget.kept < 0:
            raise _wrong(self.path, f"more than {MOST_KEPT:,} bytes of names", "a header that names its tensors")
        return self.take(length).decode("utf-8", "backslashreplace")

    def text(self) -> str:
        """A text; told by its length where it is too long to keep."""
        self.step(16)
        length = self.u64()
        if length > min(_LONGEST_TEXT, self._budget.kept - MOST_KEPT // 2):
            self.skip(length)
            return f"a text of {length:,} bytes"
        self._budget.kept -= length
        return self.take(length).decode("utf-8", "backslashreplace")

    def whole_text(self) -> str:
        """A text as it is, one of a vocabulary or a template."""
        length = self.u64()
        self._budget.kept -= length
        if length > MOST_KEPT or self._budget.kept < 0:
            raise _wrong(self.path, f"more than {MOST_KEPT:,} bytes of texts", "a vocabulary that fits into them")
        return self.take(length).decode("utf-8", "replace")

    def skip_strings(self, many: int) -> None:
        """Past so many strings: only their lengths are looked at, some 60 ns each."""
        self.step(many)
        unpack = _U64.unpack_from
        numbers = iter(range(many))
        while True:
            buffer, at = self._buffer, self._at
            try:
                for _ in numbers:
                    at += 8 + unpack(buffer, at)[0]
            except (struct.error, OverflowError):  # past the window: the string just begun is taken up again
                self._at = at
                self._move(8)
                self._at += 8 + unpack(self._buffer)[0]
            else:
                self._at = at
                self.skip(0)
                return


def _wrong(path: Path, got: str, expected: str, help: str = "download the file again") -> FileError:
    return FileError(f"{quoted(path)} is no valid GGUF file: {got}, expected {expected}", help=help)
