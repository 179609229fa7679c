"""Model files looked at: opened, whatever their format, and compared tensor by tensor in constant memory."""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isfinite, prod, sqrt
from mmap import mmap
from typing import Any, Literal, TypeAlias

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import AddressError, FileError, InputError
from glassnet.files import open_checkpoint
from glassnet.files.access import natural
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.dtypes import KINDS, as_numbers
from glassnet.files.report import human_count
from glassnet.files.tensors import TensorInfo
from glassnet.opening import printable
from glassnet.render.document import Document, Record, Rendered
from glassnet.render.parts import Column, Section, Table, Text

BLOCK = 1 << 18
"""Numbers of each file looked at at once: they stay in the processor's cache."""

Status: TypeAlias = Literal["equal", "changed", "reshaped", "only in a", "only in b", "unread"]


def open(source: Any) -> Checkpoint:
    """Open any model: named tensors, counted and read row by row without loading the file.

    Parameters
    ----------
    source : str, path or model in memory
        A file of any format that `glassnet inspect --help` lists (for safetensors also an index or a folder of shards);
        or a torch module, a Keras model, a scikit-learn MLP.

    Returns
    -------
    Checkpoint

    Raises
    ------
    FileError
        If the file does not exist, is damaged or of another format.
    MissingExtra
        If the format needs a package that is not installed.

    Examples
    --------
    >>> import os, tempfile
    >>> import glassnet as gn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gn.Network.create("3-4-2", seed=0).save(os.path.join(folder, "small.safetensors"))
    ...     with gn.open(os.path.join(folder, "small.safetensors")) as checkpoint:
    ...         list(checkpoint.tensors)
    ['layers.0.bias', 'layers.0.weight', 'layers.1.bias', 'layers.1.weight']
    """
    if isinstance(source, str | os.PathLike):
        return open_checkpoint(source)
    from importlib import import_module

    try:
        leaf = import_module("glassnet.files.models_in_memory")
    except ModuleNotFoundError:
        raise InputError(f"cannot open a {type(source).__name__}: expected the path of a model file") from None
    checkpoint: Checkpoint = leaf.open_object(source)
    return checkpoint


def find_neuron(checkpoint: Checkpoint, address: str) -> tuple[str, int]:
    """`TENSOR:N`, or `L:N` for the matrix L of the file in the natural order of names; raises `AddressError`."""
    name, _, number = address.rpartition(":")
    if not name or not (number.isascii() and number.isdigit() and len(number) < 19):
        raise AddressError(
            f"no neuron {printable(address)!r}: expected TENSOR:N or L:N, counted from 0",
            help="for example 0:3, or model.layers.0.mlp.up_proj.weight:7",
        )
    if name in checkpoint.tensors or not (name.isascii() and name.isdigit()):
        return name, int(number)
    matrices = [t.name for t in checkpoint.tensors.values() if len(t.shape) == 2 and t.role == "parameter"]
    matrices.sort(key=natural)
    if len(name) > 9 or int(name) >= len(matrices):
        raise AddressError(
            f"no matrix {name[:20]}: "
            + (f"expected one from 0 to {len(matrices) - 1:,}" if matrices else "the file has no matrices"),
            help="glassnet inspect FILE lists the tensors",
        )
    return matrices[int(name)], int(number)


def activation_of(checkpoint: Checkpoint, name: str) -> str | None:
    """The squish of this matrix's layer where the file is a network that we saved, else None."""
    try:
        names = json.loads(checkpoint.metadata["glassnet"])["activations"]
        return str(names[int(name.removeprefix("layers.").removesuffix(".weight"))])
    except (KeyError, TypeError, ValueError, IndexError):
        return None


@dataclass(frozen=True)
class TensorDifference(Record):
    """A tensor in a and in b. For `changed` ones:

    changed   how many numbers differ
    largest   the largest |a - b|; None where NaN is in the way
    at        where that is
    distance  the length of a - b, in lengths of a
    """

    name: str
    status: Status
    a: TensorInfo | None
    b: TensorInfo | None
    changed: int = 0
    largest: float | None = None
    at: tuple[int, ...] | None = None
    distance: float | None = None
    note: str = ""

    @property
    def retyped(self) -> bool:
        return self.a is not None and self.b is not None and self.a.dtype != self.b.dtype

    def as_dict(self) -> dict[str, Any]:
        made: dict[str, Any] = {"name": self.name, "status": self.status}
        for side, info in (("a", self.a), ("b", self.b)):
            if info is not None:
                made[side] = {"shape": list(info.shape), "dtype": info.dtype}
        if self.status == "changed":
            made |= {
                "changed": self.changed,
                "largest": self.largest,
                "at": None if self.at is None else list(self.at),
                "distance": self.distance,
            }
        return made | ({"note": self.note} if self.note else {})


@dataclass(frozen=True)
class FileComparison(Rendered):
    """Two model files, tensor by tensor. `same`: every tensor is there twice, with equal values."""

    names: tuple[str, str]
    heads: tuple[str, str]
    tensors: tuple[TensorDifference, ...]
    distance: float | None

    @property
    def same(self) -> bool:
        return all(tensor.status == "equal" for tensor in self.tensors)

    def of(self, status: Status) -> tuple[TensorDifference, ...]:
        return tuple(tensor for tensor in self.tensors if tensor.status == status)

    def document(self, top: int = 15) -> Document:
        """What differs, the most changed tensors first."""
        files = [(_cut(name, 30), head) for name, head in zip(self.names, self.heads, strict=True)]
        counts = [(len(self.of(s)), s) for s in _WORDS]
        lines = [", ".join(f"{n:,} {word}" for n, word in counts if n) or "no tensors"]
        retyped = [t for t in self.tensors if t.retyped]
        if retyped:
            kinds = sorted({f"{t.a.dtype} to {t.b.dtype}" for t in retyped if t.a and t.b})
            lines.append(f"{len(retyped):,} of another type: {', '.join(kinds[:3])}")
        if self.of("changed"):
            distance = "NaN in the way" if self.distance is None else f"{self.distance:.4g}"
            lines.append(f"distance of all that can be compared, |a - b| / |a|: {distance}")
        sections = [self._changed(top)] if self.of("changed") else []
        sections += [
            self._listed(status, top) for status in ("reshaped", "only in a", "only in b", "unread") if self.of(status)
        ]
        return Document("", [Table([Column(), Column()], files), *map(Text, lines), *sections])

    def _changed(self, top: int) -> Section:
        changed = sorted(self.of("changed"), key=lambda t: -1 if t.distance is None else -t.distance)
        changed.sort(key=lambda t: t.distance is not None)
        rows = []
        for tensor in changed[:top]:
            total = prod(tensor.a.shape) if tensor.a else 0
            share = f"{tensor.changed / total:.1%}" if total else ""
            rows.append((_cut(tensor.name, 40), share, _figure(tensor.distance), _figure(tensor.largest)))
        names = ("numbers", "|a-b|/|a|", "largest")
        table = Table([Column(), *(Column(name, "r") for name in names)], rows)
        return Section("changed, the most first", [table, *_more(changed, top)])

    def _listed(self, status: Status, top: int) -> Section:
        found = self.of(status)
        rows = []
        for tensor in found[:top]:
            about = tensor.note
            if tensor.a is not None and tensor.b is not None and not about:
                about = f"{_shape(tensor.a)} and {_shape(tensor.b)}"
            about = about or _shape(tensor.a or tensor.b)
            rows.append((_cut(tensor.name, 74 - min(len(about), 40)), about))
        return Section(status, [Table([Column("", "l", 74), Column()], rows), *_more(found, top)])

    def __repr__(self) -> str:
        return (
            f"FileComparison({' and '.join(printable(name, 60) for name in self.names)}, {len(self.tensors):,} tensors)"
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "a": self.names[0],
            "b": self.names[1],
            "same": self.same,
            "distance": self.distance,
            **{status.replace(" ", "_"): len(self.of(status)) for status in _WORDS},
            "tensors": [tensor.as_dict() for tensor in self.tensors],
        }


_WORDS: tuple[Status, ...] = ("equal", "changed", "reshaped", "only in a", "only in b", "unread")


def compare_files(a: Any, b: Any) -> FileComparison:
    """Compare two model files tensor by tensor: missing, reshaped, changed, equal.

    Values are compared, whatever the types. Each file is read once, in pieces, so that memory does not grow with it.

    Parameters
    ----------
    a, b : str, path or Checkpoint
        Of any formats.

    Returns
    -------
    FileComparison

    Raises
    ------
    FileError
        If a file cannot be read.

    Examples
    --------
    >>> import os, tempfile
    >>> import glassnet as gn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for seed in (0, 1):
    ...         gn.Network.create("3-4-2", seed=seed).save(os.path.join(folder, f"{seed}.safetensors"))
    ...     found = gn.compare_files(*(os.path.join(folder, f"{seed}.safetensors") for seed in (0, 1)))
    >>> found.same, len(found.of("changed")), len(found.of("equal"))
    (False, 2, 2)
    """
    one, other = (source if isinstance(source, Checkpoint) else open(source) for source in (a, b))
    tensors = []
    apart = size = 0.0
    for tensor, squares, length in _each_compared(one, other):
        tensors.append(tensor)
        apart, size = apart + squares, size + length
    heads = tuple(_head(checkpoint) for checkpoint in (one, other))
    distance = _distance(apart, size)
    return FileComparison((str(one.path), str(other.path)), heads, tuple(tensors), distance)  # type: ignore[arg-type]


def _each_compared(a: Checkpoint, b: Checkpoint) -> Iterator[tuple[TensorDifference, float, float]]:
    """Tensor after tensor; a few at a time where both files can be read from several threads."""
    names = _names(a, b)
    if not (a.threads and b.threads):
        desk = _Desk()
        yield from (_compared(a, b, name, desk) for name in names)
        return
    desks = threading.local()

    def compared(name: str) -> tuple[TensorDifference, float, float]:
        if not hasattr(desks, "own"):
            desks.own = _Desk()
        return _compared(a, b, name, desks.own)

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        yield from pool.map(compared, names)


def _names(a: Checkpoint, b: Checkpoint) -> list[str]:
    """The names of both, those of a in the order of its file."""
    return [*a.tensors, *sorted((name for name in b.tensors if name not in a.tensors), key=natural)]


class _Desk:
    """Memory to work in, taken once: reading into the same pages again and again is several times as fast."""

    def __init__(self) -> None:
        self.bytes = mmap(-1, 8 * BLOCK), mmap(-1, 8 * BLOCK)
        self.floats = tuple(np.frombuffer(mmap(-1, 4 * BLOCK), np.float32) for _ in "ab")
        self.apart = np.frombuffer(mmap(-1, 4 * BLOCK), np.float32)
        self.differ = np.frombuffer(mmap(-1, BLOCK), np.bool_)


@dataclass
class _Running:
    """What was found in the pieces so far."""

    changed: int = 0
    largest: float = 0.0
    at: int | None = None
    apart: float = 0.0
    size: float = 0.0


def _compared(a: Checkpoint, b: Checkpoint, name: str, desk: _Desk) -> tuple[TensorDifference, float, float]:
    """One tensor, with the squared lengths of a - b and of a."""
    one, other = a.tensors.get(name), b.tensors.get(name)
    if one is None or other is None:
        return TensorDifference(name, "only in b" if one is None else "only in a", one, other), 0.0, 0.0
    if one.shape != other.shape:
        return TensorDifference(name, "reshaped", one, other), 0.0, 0.0
    try:
        found = _Running()
        for start, stop in _pieces(one.shape):
            _look(a, b, one, other, start, stop, found, desk)
    except FileError as problem:
        return (
            TensorDifference(name, "unread", one, other, note=printable(getattr(problem, "got", problem), 300)),
            0.0,
            0.0,
        )
    if not found.changed:
        return TensorDifference(name, "equal", one, other), 0.0, found.size
    at = None if found.at is None else tuple(int(i) for i in np.unravel_index(found.at, one.shape or (1,)))
    largest = found.largest if isfinite(found.largest) else None
    return (
        TensorDifference(
            name, "changed", one, other, found.changed, largest, at[: len(one.shape)] if at else at,
            _distance(found.apart, found.size),
        ),
        found.apart,
        found.size,
    )  # fmt: skip


def _pieces(shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """Where pieces begin and end: whole rows, as many as fit, or parts of a row that does not."""
    total, row = prod(shape), prod(shape[1:])
    step = max(1, BLOCK // row) * row if 0 < row <= BLOCK else BLOCK
    for start in range(0, total, step):
        yield start, min(start + step, total)


def _look(
    a: Checkpoint,
    b: Checkpoint,
    one: TensorInfo,
    other: TensorInfo,
    start: int,
    stop: int,
    found: _Running,
    desk: _Desk,
) -> None:
    """Take one piece of a tensor into account."""
    bits = _bits(a, b, one, other, start, stop, desk)
    if bits is not None:
        differ = np.not_equal(*bits, out=desk.differ[: stop - start])
        count = int(np.count_nonzero(differ))
        x = _floats(one.dtype, bits[0], desk.floats[0])
        y = _floats(one.dtype, bits[1], desk.floats[1]) if count else x
    else:
        x, y = _widened(a.flat(one.name, start, stop)), _widened(b.flat(one.name, start, stop))
        differ = x != y
        if differ.any():
            differ &= ~((x != x) & (y != y))  # NaN here and there is no change
        count = int(np.count_nonzero(differ))
    found.size += _square(x)
    if not count:
        return
    found.changed += count
    with np.errstate(all="ignore"):
        if x.dtype == y.dtype == np.float32:
            apart = np.subtract(x, y, out=desk.apart[: stop - start])
            np.abs(apart, out=apart)
        else:
            apart = np.abs(x - y)
        found.apart += _square(apart)
        largest = float(apart.max())
    if not isfinite(largest):
        if isfinite(found.largest):
            found.largest, found.at = float("nan"), start + int(np.argmin(np.isfinite(apart)))
    elif isfinite(found.largest) and (largest > found.largest or found.at is None):
        found.largest, found.at = largest, start + int(apart.argmax())


def _bits(
    a: Checkpoint, b: Checkpoint, one: TensorInfo, other: TensorInfo, start: int, stop: int, desk: _Desk
) -> tuple[Array, Array] | None:
    """Both pieces as they lie in the files, as whole numbers, if they do so alike."""
    kind = KINDS.get(one.dtype)
    if one.dtype != other.dtype or kind is None or kind.bits not in (8, 16, 32, 64):
        return None
    size = kind.bits // 8
    for checkpoint, memory in zip((a, b), desk.bytes, strict=True):
        with memoryview(memory) as whole, whole[: (stop - start) * size] as part:
            if not checkpoint.read_into(one.name, start * size, part):
                return None
    first, second = (np.frombuffer(memory, f"<u{size}", stop - start) for memory in desk.bytes)
    return first, second


def _floats(dtype: str, bits: Array, memory: Array) -> Array:
    """What the bits stand for, in types of which differences can be taken."""
    if dtype == "bfloat16":
        floats = memory[: len(bits)]
        wide = floats.view(np.uint32)
        np.copyto(wide, bits)
        np.left_shift(wide, 16, out=wide)
        return floats
    return _widened(as_numbers(dtype, bits.view(KINDS[dtype].read_as)))


def _widened(values: Array) -> Array:
    if values.dtype.kind in "biu":
        return values.astype(np.float64)
    return values.astype(np.float32) if values.dtype == np.float16 else values


def _square(values: Array) -> float:
    """The squared length; in float64 where float32 overflows."""
    with np.errstate(all="ignore"):
        found = float(np.vdot(values, values).real)
        if not isfinite(found) and values.dtype == np.float32:
            wide = values.astype(np.float64)
            found = float(np.dot(wide, wide))
        return found


def _distance(apart: float, size: float) -> float | None:
    if size > 0 and isfinite(apart) and isfinite(size):
        return sqrt(apart / size)
    return 0.0 if apart == 0 else None


def _head(checkpoint: Checkpoint) -> str:
    count = checkpoint.count()
    return f"{len(checkpoint.tensors):,} tensors, {human_count(count.total)} parameters"


def _more(found: Sequence[TensorDifference], top: int) -> list[Text]:
    return [Text(f"{len(found) - top:,} more")] if len(found) > top else []


def _shape(info: TensorInfo | None) -> str:
    return "" if info is None else f"({', '.join(map(str, info.shape))})"


def _figure(value: float | None) -> str:
    return "NaN" if value is None else f"{value:.3g}"


def _cut(text: str, width: int) -> str:
    """A name with its beginning left out where it is too long."""
    text = printable(text, 4000)
    return text if len(text) <= width else "..." + text[-max(width - 3, 8) :]
