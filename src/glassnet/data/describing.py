"""A data set as a document: its figures, its columns or its first pictures, its classes."""

from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.arithmetic import significant
from glassnet.arrays import is_sparse
from glassnet.render.document import Document
from glassnet.render.parts import Bar, Beside, Cell, Column, Part, Picture, Section, Table, Text

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset

MOST_COLUMNS, MOST_CLASSES, MOST_PICTURES = 20, 20, 10
IN_A_LINE = 5


def describe(data: "Dataset") -> Document:
    """What is in a data set: columns with their ranges, or the first pictures; classes with their counts; notes."""
    parts: list[Part] = [Text(note) for note in data.notes]
    shape = data.schema.input_shape
    if shape is not None and len(shape) == 2 and not is_sparse(data.inputs):
        parts.append(_pictures(data, (shape[0], shape[1])))
    elif not is_sparse(data.inputs):
        parts.append(_columns(data))
    else:
        values: Any = data.inputs  # a scipy matrix
        share = values.nnz / (values.shape[0] * values.shape[1])
        parts.append(Text(f"sparse: {values.nnz:,} values, {share:.2%} of all"))
    parts.append(_targets(data))
    return Document(repr(data), parts)


def _columns(data: "Dataset") -> Section:
    count = data.inputs.shape[1]
    names = data.schema.features or [f"input {i}" for i in range(count)]
    rows = []
    for i in range(min(count, MOST_COLUMNS)):
        values = data.inputs[:, i]
        figures = (values.mean(dtype=np.float64), values.std(dtype=np.float64), values.min(), values.max())
        rows.append([names[i], *(significant(float(value), 4) for value in figures)])
    heads = [Column("input"), *(Column(name, "r") for name in ("mean", "standard deviation", "lowest", "highest"))]
    more = [Text(f"... {count - MOST_COLUMNS:,} more inputs", quiet=True)] if count > MOST_COLUMNS else []
    return Section(f"{count:,} inputs", [Table(heads, rows), *more])


def _pictures(data: "Dataset", shape: tuple[int, int]) -> Section:
    """The first examples, each above its class or its target."""
    scaled = data[: min(len(data), MOST_PICTURES)].scaled(np.float64)
    pictures = [Picture(_target(data, k), row.reshape(shape)) for k, row in enumerate(scaled)]
    lines = [Beside(pictures[k : k + IN_A_LINE]) for k in range(0, len(pictures), IN_A_LINE)]
    return Section(f"the first {len(pictures):,} examples", lines)


def _target(data: "Dataset", row: int) -> str:
    target = data.targets[row]
    if data.classes is not None and data.targets.ndim == 1:
        return data.classes[int(target)]
    return " ".join(f"{value:.4g}" for value in np.atleast_1d(target)[:3].tolist())


def _targets(data: "Dataset") -> Section:
    """How many examples of each class, or the range of the targets."""
    targets = data.targets
    if targets.ndim == 1 and targets.dtype.kind == "i":
        counts = np.bincount(targets - min(int(targets.min()), 0))
        names = data.classes or tuple(str(k) for k in range(len(counts)))
        counts = np.pad(counts, (0, max(len(names) - len(counts), 0)))
        rows: list[list[Cell]] = [
            [name, f"{n:,}", f"{n / len(targets):.1%}", Bar(float(n), float(counts.max()))]
            for name, n in list(zip(names, counts.tolist(), strict=False))[:MOST_CLASSES]
        ]
        more = len(names) - MOST_CLASSES
        left = [Text(f"... {more:,} more classes", quiet=True)] if more > 0 else []
        heads = [Column("class", "l", 24), Column("examples", "r"), Column("share", "r"), Column()]
        return Section(f"{len(names):,} classes", [Table(heads, rows), *left])
    columns = targets.reshape(len(targets), -1).astype(np.float64)
    name = data.schema.target or "target"
    measured: list[list[Cell]] = []
    for i, column in enumerate(columns.T[:MOST_COLUMNS]):
        figures = (column.mean(), column.std(), column.min(), column.max())
        named = name if columns.shape[1] == 1 else f"{name} {i}"
        measured.append([named, *(significant(float(value), 4) for value in figures)])
    heads = [Column("target"), *(Column(name, "r") for name in ("mean", "standard deviation", "lowest", "highest"))]
    return Section("targets", [Table(heads, measured)])
