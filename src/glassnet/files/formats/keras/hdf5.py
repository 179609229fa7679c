"""HDF5 files, looked into by `hdf5_worker`, a process that is confined; its answers are checked against the file.

Datasets that lie in one piece, as Keras writes them, are read here, straight from the file; the library in the other
process is asked only where they lie, and for those in chunks.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import FileError, MissingExtra
from glassnet.files.access import Stored, damaged, read_at
from glassnet.files.dtypes import KINDS, as_numbers
from glassnet.opening import printable, quoted

MEMORY = 1 << 30
"""Bytes of address space that the other process may have, the library's own code with them."""
SECONDS = 20
_PATIENCE = 60.0
_LONGEST_LIST = 64 << 20
_PIECE = 128 << 20
_DEFLATE_AT_MOST = 1032

_TYPES = {"f2": "float16", "f4": "float32", "f8": "float64", "b1": "bool", "c8": "complex64", "c16": "complex128"}
_TYPES |= {f"{kind}{n}": f"{word}{8 * n}" for kind, word in (("i", "int"), ("u", "uint")) for n in (1, 2, 4, 8)}


@dataclass(frozen=True)
class Dataset:
    """`offset` into the part where it lies in one piece, else None; `same`: the path of the dataset that it is too."""

    path: str
    shape: tuple[int, ...]
    dtype: str
    read_as: str
    stored: int
    offset: int | None
    same: str | None


@dataclass(frozen=True)
class Part:
    """An HDF5 file: a whole file, or `size` bytes from `start` on in another, where it may have a checksum."""

    file: Stored
    start: int
    size: int
    name: str = ""
    crc: int = 0


def describe(part: Part) -> tuple[list[Dataset], dict[str, dict[str, str]]]:
    """The datasets of numbers, and the texts that groups carry, by path; `FileError` for what is damaged or hostile."""
    answer, _ = _ask(part, {"task": "describe"}, _LONGEST_LIST)
    path = part.file.path
    try:
        datasets = [made for entry in answer["datasets"] if (made := _dataset(part, entry)) is not None]
        attributes = {
            str(place): {str(name): str(text) for name, text in texts.items()}
            for place, texts in answer["attributes"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        raise damaged(path, "the HDF5 library gives no sense", "HDF5 file") from None
    return datasets, attributes


def read_rows(part: Part, dataset: Dataset, chosen: range) -> Array:
    """These rows (of a dataset without axes: its one number), as they are stored, made numbers."""
    kind = np.dtype(dataset.read_as)
    backwards = chosen.step < 0
    ahead = chosen[::-1] if backwards else chosen
    shape = (len(ahead), *dataset.shape[1:]) if dataset.shape else ()
    row = prod(dataset.shape[1:]) * kind.itemsize
    if len(ahead) * row == 0:
        content = b""
    elif dataset.offset is not None:
        start = part.start + dataset.offset
        if ahead.step == 1:
            content = part.file.read(start + ahead.start * row, len(ahead) * row)
        else:
            content = b"".join(part.file.read(start + i * row, row) for i in ahead)
    else:
        at_a_time = max(1, _PIECE // row)
        pieces = [ahead[i : i + at_a_time] for i in range(0, len(ahead), at_a_time)]
        content = b"".join(_asked_rows(part, dataset, piece, len(piece) * row) for piece in pieces)
    values = as_numbers(dataset.dtype, np.frombuffer(content, kind).reshape(shape))
    return values[::-1] if backwards else values


def read_column(part: Part, dataset: Dataset, index: int) -> Array:
    """One column of a matrix: number by number where it lies in one piece, a few hundred rows at a time else."""
    kind = np.dtype(dataset.read_as)
    count, width = dataset.shape
    if dataset.offset is None or width * kind.itemsize < 4096:
        at_a_time = max(1, (16 << 20) // (width * kind.itemsize))
        starts = range(0, count, at_a_time)
        return np.concatenate(
            [read_rows(part, dataset, range(i, min(i + at_a_time, count)))[:, index] for i in starts]
            or [read_rows(part, dataset, range(0))[:, index]]
        )
    first = part.start + dataset.offset + index * kind.itemsize
    with part.file.opened() as number:
        content = b"".join(
            read_at(number, first + i * width * kind.itemsize, kind.itemsize, part.file.path) for i in range(count)
        )
    return as_numbers(dataset.dtype, np.frombuffer(content, kind))


def _asked_rows(part: Part, dataset: Dataset, piece: range, length: int) -> bytes:
    stop = piece[-1] + 1
    wanted = [dataset.path, piece.start, stop, piece.step]
    _, content = _ask(part, {"task": "rows", "rows": wanted}, length + 4096, extra=4 * length)
    if len(content) != length:
        raise damaged(part.file.path, "rows of another length than the header says", "HDF5 file")
    return content


def _dataset(part: Part, entry: Mapping[str, Any]) -> Dataset | None:
    """A dataset, with what it claims checked against what is stored; None for texts and for what holds nothing."""
    path, name = part.file.path, str(entry["name"])
    text, shape = entry["dtype"], entry["shape"]
    if not isinstance(text, str) or shape is None:
        return None
    if entry["says"] == "bfloat16" and text[1:] in ("V2", "u2"):
        dtype, read_as = "bfloat16", "<u2"
    elif text[1:] in _TYPES:
        dtype, read_as = _TYPES[text[1:]], text
        read_as = KINDS[dtype].read_as if text[0] != ">" else read_as
    else:
        return None
    if len(shape) > 32 or any(type(n) is not int or n < 0 for n in shape):
        raise damaged(path, f"{quoted(name)} has no shape", "HDF5 file")
    claimed, stored, offset = prod(shape) * np.dtype(read_as).itemsize, int(entry["stored"]), entry["offset"]
    squeezed = _DEFLATE_AT_MOST if {"deflate", "lzf"} & set(entry["filters"]) else 1
    outside = offset is not None and not 0 <= int(offset) <= part.size - claimed
    if stored > part.size or claimed > stored * squeezed or outside:
        raise FileError(
            f"{quoted(path)} is damaged: {quoted(name)} claims {claimed:,} bytes and stores {stored:,}",
            help="copy or save it again",
        )
    same = entry["same"]
    return Dataset(name, tuple(shape), dtype, read_as, stored, offset, None if same is None else str(same))


def _ask(part: Part, task: Mapping[str, Any], most: int, extra: int = 0) -> tuple[dict[str, Any], bytes]:
    """The worker's answer to a task: JSON, and the bytes behind it, no more than `most` in all."""
    path = part.file.path
    packages = []
    for package in ("h5py", "numpy"):
        found = find_spec(package)
        if found is None or found.origin is None:
            raise MissingExtra("h5py", "keras")
        packages.append(str(Path(found.origin).parent.parent))
    request = {
        **task, "start": part.start, "size": part.size, "packages": list(dict.fromkeys(packages)),
        "memory": MEMORY + extra, "seconds": SECONDS,
    }  # fmt: skip
    worker = Path(__file__).with_name("hdf5_worker.py")
    with part.file.opened() as number:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(worker), json.dumps(request)],
            stdin=number,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        timer = threading.Timer(_PATIENCE, process.kill)
        timer.start()
        try:
            assert process.stdout is not None
            answer = process.stdout.read(most + 1)
        finally:
            process.stdout.close()  # type: ignore[union-attr]
            try:
                status = process.wait(1)
            except subprocess.TimeoutExpired:
                process.kill()
                status = process.wait()
            timer.cancel()
    line, _, content = answer.partition(b"\n")
    try:
        told = json.loads(line) if len(answer) <= most else None
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise FileError(
            f"the HDF5 library failed on {quoted(path)} (status {status}) in its confined process, within "
            f"{MEMORY >> 20:,} MB of memory and {SECONDS} seconds",
            help="the file may be hostile: do not open it with anything else before you know its origin",
        )
    if "refused" in told:
        raise FileError(
            f"{quoted(path)} has {printable(told['refused'], 300)}: expected an HDF5 file that stores its own numbers",
            help="load it where it was made and save it again",
        )
    if "damaged" in told:
        raise damaged(path, printable(told["damaged"], 300), "HDF5 file")
    return told, content
