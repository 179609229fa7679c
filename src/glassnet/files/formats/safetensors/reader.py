"""safetensors: one file, one cut into shards by an index, or a folder of shards. Read are headers, and rows asked for.

A file is 8 bytes that say how long its header is, a JSON header (name -> type, shape, place), and the numbers. The
`safetensors` package has no numpy for bfloat16 and float8, and maps the file into memory, so the header is read here,
by the same rules: places follow one another without gaps and overlaps, and end where the file ends. Shards lie in the
folder of their index, and nowhere else. What an index says of totals is compared with the truth, not believed.
"""

import json
import re
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glassnet import opening
from glassnet.arrays import Array
from glassnet.errors import FileError
from glassnet.files import access, naming, quantised
from glassnet.files.access import Stored, damaged
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.dtypes import KINDS, as_numbers
from glassnet.files.tensors import TensorInfo, column_index, row_range
from glassnet.opening import quoted

LONGEST_HEADER = 100_000_000
"""Bytes: the format's own limit."""
LONGEST_READ = 1 << 24
"""Bytes of a header, without the spaces it may end in, that are read: enough for some 200,000 tensors in a file."""
LONGEST_INDEX = 1 << 25
MOST_SHARDS = 4096
BLOCK = 1 << 20
_SPACES = b" " * BLOCK
"""Bytes read at once where much is read to keep little."""

TYPES = {
    "BOOL": "bool",
    **{f"U{n}": f"uint{n}" for n in (8, 16, 32, 64)},
    **{f"I{n}": f"int{n}" for n in (8, 16, 32, 64)},
    **{f"F{n}": f"float{n}" for n in (16, 32, 64)},
    "BF16": "bfloat16",
    "C64": "complex64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E8M0": "float8_e8m0fnu",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
    "F4": "float4_e2m1",
    "F6_E2M3": "float6_e2m3",
    "F6_E3M2": "float6_e3m2",
}


class _Place(NamedTuple):
    """Where a tensor's bytes begin, in which file."""

    file: Stored
    start: int


def recognises(head: bytes, path: Path) -> bool:
    """A header's length and its brace; an index that names shards; a folder with either in it."""
    if not head:
        return path.is_dir() and any(path.glob("*.safetensors"))
    if len(head) >= 9 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= LONGEST_HEADER:
        return True
    return head.lstrip()[:1] == b"{" and '"weight_map"' in _text(path) and ".safetensors" in _text(path)


def open_file(path: Path) -> "SafetensorsFile":
    """The file, the shards its index names, or all shards of the folder."""
    if path.is_dir():
        indices = sorted(path.glob("*.safetensors.index.json"))
        if len(indices) > 1:
            raise FileError(
                f"{quoted(path)} has {len(indices)} index files, expected one model",
                help=f"name one of them, such as {quoted(indices[0])}",
            )
        return _sharded(path, indices[0]) if indices else _folder(path)
    with opening.descriptor(path) as (number, status):
        start = access.read_at(number, 0, min(9, status.st_size), path)
    if start.lstrip()[:1] == b"{" and (start[8:9] != b"{" or '"weight_map"' in _text(path)):
        return _sharded(path, path)
    return SafetensorsFile(path, [path])


class SafetensorsFile(Checkpoint):
    """One file, or several shards taken as one. Rows and single numbers are read where they lie, whatever the size."""

    format = "safetensors"
    threads = True
    keeps_order = False  # whoever writes such files sorts them by type and name

    def __init__(self, path: Path, shards: list[Path], wanted: Mapping[str, str] | None = None, claimed: Any = None):
        self.path = path
        self._places: dict[str, _Place] = {}
        self._shards = shards
        tensors: dict[str, TensorInfo] = {}
        metadata: dict[str, str] = {}
        for shard in shards:
            for name, info in self._shard(shard, metadata):
                if name in tensors:
                    raise FileError(
                        f"tensor {quoted(name)} is in both {quoted(tensors[name].where)} and {quoted(info.where)}",
                        help="name one file, or move the one that does not belong here",
                    )
                tensors[name] = info
        for name, shard_name in (wanted or {}).items():
            if name not in tensors or tensors[name].where != shard_name:
                raise FileError(
                    f"the index lists tensor {quoted(name)} in {quoted(shard_name)}, which does not hold it",
                    help="download the index and its shards again",
                )
        if len(shards) > 1 or wanted is not None:
            self.format = f"safetensors, {len(shards)} shard{'s' * (len(shards) != 1)}"
        usual = None if metadata.get("format") in ("flax", "tf", "np") else "rows"
        self.tensors = tensors
        tensors = quantised.paired(tensors, self.array, metadata_beside(path))
        self.tensors = naming.with_orientations(tensors, "rows" if usual else None)
        self.metadata = metadata
        actual = sum(info.bytes for info in tensors.values())
        if type(claimed) in (int, float) and claimed != actual:
            self.metadata["index total_size"] = f"{claimed:,} claimed, {actual:,} bytes there"

    def _shard(self, path: Path, metadata: dict[str, str]) -> Iterator[tuple[str, TensorInfo]]:
        file = access.stored(path)
        header, data = _header(file)
        said = header.pop("__metadata__", {})
        if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
            raise damaged(path, "its metadata is not text by names", "safetensors file")
        for key, value in said.items():
            metadata.setdefault(key, value)
        spans = []
        for name, described in header.items():
            dtype, shape, start, stop = _described(path, name, described)
            spans.append((start, stop, name))
            self._places[name] = _Place(file, data + start)
            role = naming.role_of(name, dtype, shape)
            yield name, TensorInfo(name, shape, dtype, stop - start, path.name, role)
        _check_places(path, spans, file.size - data)

    def rows(self, name: str, which: int | slice) -> Array:
        info = self.info(name)
        wanted = row_range(info, which)
        row = self._row_bytes(info)
        place = self._places[name]
        if len(wanted) == 0 or row == 0:
            content = b""
        elif abs(wanted.step) == 1 or len(wanted) == 1:
            content = place.file.read(place.start + min(wanted[0], wanted[-1]) * row, len(wanted) * row)
        else:
            with place.file.opened() as number:
                pieces = [access.read_at(number, place.start + i * row, row, place.file.path) for i in wanted]
            content = b"".join(pieces)
        kind = KINDS[info.dtype]
        tail = info.shape[1:]
        if kind.bits < 8:
            tail = (*tail[:-1], tail[-1] // 2) if tail else ()
        count = len(wanted) if tail or kind.bits >= 8 else len(content)
        array = as_numbers(info.dtype, np.frombuffer(content, kind.read_as).reshape(count, *tail))
        if wanted.step == -1 and len(wanted) > 1:
            array = array[::-1]
        if not info.shape:
            return array.reshape(()) if len(wanted) else array.reshape(0)
        return array if isinstance(which, slice) else array[0]

    def column(self, name: str, index: int) -> Array:
        info = self.info(name)
        index = column_index(info, index)
        kind, row = KINDS[info.dtype], self._row_bytes(info)
        if kind.bits < 8:
            per_block = max(1, BLOCK // max(row, 1))
            blocks = range(0, info.shape[0], per_block)
            return np.concatenate([self.rows(name, slice(i, i + per_block))[:, index] for i in blocks])
        size, place = kind.bits // 8, self._places[name]
        column = np.empty(info.shape[0], kind.read_as)
        with place.file.opened() as number:
            if row > 4096:
                for i in range(info.shape[0]):
                    at = place.start + i * row + index * size
                    column[i : i + 1] = np.frombuffer(access.read_at(number, at, size, place.file.path), kind.read_as)
            else:
                step = max(1, BLOCK // max(row, 1))
                for i in range(0, info.shape[0], step):
                    rows = min(step, info.shape[0] - i)
                    block = access.read_at(number, place.start + i * row, rows * row, place.file.path)
                    column[i : i + rows] = np.frombuffer(block, kind.read_as).reshape(rows, -1)[:, index]
        return as_numbers(info.dtype, column)

    def flat(self, name: str, start: int, stop: int) -> Array:
        info = self.info(name)
        kind, place = KINDS[info.dtype], self._places[name]
        if kind.bits < 8:
            return super().flat(name, start, stop)
        start, stop, _ = slice(start, stop).indices(prod(info.shape))
        size = kind.bits // 8
        content = place.file.read(place.start + start * size, max(0, stop - start) * size)
        return as_numbers(info.dtype, np.frombuffer(content, kind.read_as))

    def read_into(self, name: str, start: int, buffer: memoryview) -> bool:
        if KINDS[self.info(name).dtype].bits < 8 or start + len(buffer) > self.tensors[name].bytes:
            return False
        place = self._places[name]
        place.file.read_into(place.start + start, buffer)
        return True

    def files(self) -> list[Path]:
        return self._shards

    def _row_bytes(self, info: TensorInfo) -> int:
        bits = KINDS[info.dtype].bits * prod(info.shape[1:])
        if KINDS[info.dtype].bits == 6 or bits % 8:
            raise FileError(
                f"rows of {quoted(info.name)} ({info.dtype}) are not whole bytes, so they cannot be read singly",
                help="convert the file to a wider type",
            )
        return bits // 8


def metadata_beside(path: Path) -> Mapping[str, Any]:
    """How its weights are quantised, as the `config.json` beside a model says it; nothing where there is none."""
    config = (path if path.is_dir() else path.parent) / "config.json"
    try:
        value = json.loads(_text(config) or "{}")
    except (FileError, ValueError, RecursionError):
        return {}
    said = value.get("quantization_config", value.get("quantization")) if isinstance(value, dict) else None
    return said if isinstance(said, dict) else {}


def _header(file: Stored) -> tuple[dict[str, Any], int]:
    """The header of a file and where its numbers begin; what it takes is bounded by `LONGEST_READ`."""
    path = file.path
    with file.opened() as number:
        if file.size < 10:
            raise damaged(path, f"{file.size} bytes hold no header", "safetensors file")
        length = int.from_bytes(access.read_at(number, 0, 8, path), "little")
        if length > LONGEST_HEADER or length > file.size - 8:
            raise damaged(
                path,
                f"its header claims {length:,} bytes, of which the file has {file.size - 8:,} and the format "
                f"allows {LONGEST_HEADER:,}",
                "safetensors file",
            )
        text = length
        while text > LONGEST_READ:  # a header may be filled up with spaces
            block = access.read_at(number, 8 + text - BLOCK, BLOCK, path)
            kept = 0 if block == _SPACES else len(block.rstrip(b" "))
            text -= BLOCK - kept
            if kept:
                break
        if text > LONGEST_READ:
            raise FileError(
                f"the header of {quoted(path)} has {text:,} bytes, expected at most {LONGEST_READ:,}",
                help="save it in shards, with less metadata",
            )
        content = access.read_at(number, 8, text, path)
    header = _parsed(content, path, "safetensors file")
    if not content.startswith(b"{"):
        raise damaged(path, "its header does not begin with a brace", "safetensors file")
    return header, 8 + length


def _parsed(content: bytes, path: Path, kind: str) -> dict[str, Any]:
    """JSON that is an object, no name in it twice."""
    try:
        value = json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        why = "nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise damaged(path, f"its JSON cannot be read: {opening.printable(why, 100)}", kind) from None
    if not isinstance(value, dict):
        raise damaged(path, "its JSON is no object", kind)
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"{quoted(twice, 60)} is there twice")
    return made


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no JSON")


def _described(path: Path, name: str, described: Any) -> tuple[str, tuple[int, ...], int, int]:
    """What a header says of a tensor, as far as it can be true."""
    try:
        dtype, shape, (start, stop) = TYPES[described["dtype"]], described["shape"], described["data_offsets"]
        whole = all(type(n) is int and 0 <= n < 1 << 63 for n in (*shape, start, stop))
    except (KeyError, TypeError, ValueError):
        raise damaged(path, f"tensor {quoted(name, 60)} is described wrongly", "safetensors file") from None
    bits = 0
    if whole and isinstance(shape, list) and len(shape) <= 64:
        bits = prod(shape) * KINDS[dtype].bits
    else:
        whole = False
    if not whole or start > stop or bits != (stop - start) * 8:
        claim = opening.printable(f"{dtype} {tuple(shape)} in bytes {start} to {stop}", 120)
        raise damaged(path, f"tensor {quoted(name, 60)} claims {claim}", "safetensors file")
    return dtype, tuple(shape), start, stop


def _check_places(path: Path, spans: list[tuple[int, int, str]], room: int) -> None:
    """Tensors follow one another without gaps or overlaps, and end where the file ends."""
    end = 0
    for start, stop, name in sorted(spans):
        if start != end:
            how = "overlaps the one before it" if start < end else "leaves a gap before it"
            raise damaged(path, f"tensor {quoted(name, 60)} {how}", "safetensors file")
        end = stop
    if end != room:
        raise damaged(path, f"its tensors take {end:,} bytes, and it has {room:,}", "safetensors file")


# Shards


def _sharded(path: Path, index: Path) -> SafetensorsFile:
    """What an index says, checked against what is there."""
    value = _parsed(_text(index).encode(), index, "index of safetensors shards")
    places, said = value.get("weight_map"), value.get("metadata")
    if not isinstance(places, dict) or not places or not all(isinstance(shard, str) for shard in places.values()):
        raise damaged(index, "it has no map of tensors to shards", "index of safetensors shards")
    names = sorted(set(places.values()), key=access.natural)
    shards = [_confined(index.parent, name) for name in _not_too_many(names)]
    claimed = said.get("total_size") if isinstance(said, dict) else None
    return SafetensorsFile(path, shards, places, claimed)


def _folder(folder: Path) -> SafetensorsFile:
    """All files of a folder, as one; told if by their numbers one is missing."""
    names = sorted((file.name for file in folder.glob("*.safetensors")), key=access.natural)
    for name in _not_too_many(names):
        numbered = re.fullmatch(r"(.*-)(\d{1,9})(-of-)(\d{1,9})(\.safetensors)", name)
        family = re.compile(rf"{re.escape(numbered[1])}\d+-of-{numbered[4]}\.safetensors") if numbered else None
        if numbered and family and (there := sum(bool(family.fullmatch(n)) for n in names)) != int(numbered[4]):
            raise FileError(
                f"{quoted(folder)} has {there:,} of {int(numbered[4]):,} shards",
                help="download the missing ones, or name one shard to open it alone",
            )
    return SafetensorsFile(folder, [_confined(folder, name) for name in names])


def _not_too_many(names: list[str]) -> list[str]:
    if len(names) > MOST_SHARDS:
        raise FileError(
            f"the index lists {len(names):,} shards, expected at most {MOST_SHARDS:,}",
            help="save the model in larger shards",
        )
    return names


def _confined(folder: Path, name: str) -> Path:
    """A shard, if it is a file of this folder: no path, no link that leads out, no second name of another file.

    Hugging Face's cache links from `snapshots/VERSION/` to `blobs/` beside it: that one way is taken.
    """
    path = folder / name
    if name in (".", "..") or re.search(r"[/\\:\0]", name) or not name.isprintable():
        raise _outside(name, "which is no plain name of a file")
    try:
        real, home = path.resolve(strict=True), folder.resolve()
        links = path.stat().st_nlink
    except (OSError, RuntimeError):
        raise FileError(
            f"shard {quoted(name)} is missing in {quoted(folder)}", help="download it into this folder"
        ) from None
    allowed = {home}
    if home.parent.name == "snapshots":
        allowed.add(home.parent.parent / "blobs")
    if real.parent not in allowed:
        raise _outside(name, "a link that leads out of the folder")
    if links > 1:
        raise _outside(name, "which is also a file somewhere else (a hard link)")
    return path


def _outside(name: str, why: str) -> FileError:
    return FileError(
        f"shard {quoted(name)} is refused: {why}; expected shards in the folder itself",
        help="copy the file there, if you trust it",
    )


def _text(path: Path) -> str:
    """The text of an index; "" if it is none."""
    with opening.descriptor(path) as (number, status):
        if status.st_size > LONGEST_INDEX:
            return ""
        return access.read_at(number, 0, status.st_size, path).decode(errors="replace")
