"""Tables: a row is an example, one column is the target, the others are the inputs.

Which columns become inputs and how is the rule of `survey` and `features`, how the target is read is that of
`answers`; `columns` defines numbers and missing cells. A network keeps the treatment of its training table in its
schema and applies it to every later table. The data set's `notes` say what was left out or filled in.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from glassnet.arrays import Array, shape_text
from glassnet.data.access import KIND_WORDS, Source, kind_of, listed
from glassnet.data.column_statistics import Survey
from glassnet.data.columns import Column, of_array
from glassnet.data.dataset import Dataset
from glassnet.data.encoding import Gaps, check_columns, raw_inputs
from glassnet.data.frames import is_named, named_columns
from glassnet.data.npz import npz_names, read_npz
from glassnet.data.table_readers import read_csv, read_parquet
from glassnet.data.targets import Answers, Task, answers, check_task, target_name
from glassnet.errors import FileError, InputError, SettingError
from glassnet.opening import open_file
from glassnet.schema import Schema

_NPZ_PAIRS = (("inputs", "targets"), ("X", "y"))


def table(path: Any, target: str | None = None, *, like: Schema | None = None, task: Task | None = None) -> Dataset:
    """Read a table as a data set.

    Inputs are float64 in the units of the columns: one for each column of numbers, and one for each value of a column
    of text. The schema standardises them where a network meets them.

    Parameters
    ----------
    path : str, path, DataFrame, pyarrow.Table or dict of columns
        A CSV, Parquet or `.npz` file, recognised by its content, or a table in memory. An `.npz` file has `inputs` and
        `targets`, or `X` and `y`. Inputs of shape (n, columns) are columns named x0, x1, ...; inputs that are uint8 or
        have more axes are pictures (uint8 is multiplied by 1/255).
    target : str, optional
        Column to predict; not for an `.npz` file.
    like : Schema, optional
        Schema of a trained network: columns are picked by name, and its centers, spreads and classes are used, and its
        target unless one is named.
    task : {"classes", "measurement"}, optional
        Kind of the target; by default decided by its values.

    Returns
    -------
    Dataset

    Raises
    ------
    FileError
        If the file cannot be read.
    SettingError
        If the target does not exist.
    InputError
        If cells or columns cannot be used.
    MissingExtra
        If CSV or Parquet need pyarrow and it is not installed.

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.table({"length": [1.0, 2.0, 3.0], "kind": ["a", "b", "a"]}, "kind")
    >>> data.inputs.tolist(), data.targets.tolist(), data.classes
    ([[1.0], [2.0], [3.0]], [0, 1, 0], ('a', 'b'))
    """
    check_task(task)
    sheet = _read(path, like)
    path = "the table" if is_named(path) else path
    if not sheet.npz:
        target = target_name(path, sheet.columns, target or (like.target if like else None))
        labels = answers(sheet.columns.pop(target), like, task)
    elif target is not None:
        raise SettingError(
            f"an .npz file has its targets in an array of their own, got target={target!r} for {str(path)!r}",
            help="leave out the target",
        )
    elif sheet.targets is None:
        raise FileError(f"{str(path)!r} has no targets", help="add an array of them beside the inputs")
    elif sheet.targets.ndim == 2:
        labels = Answers(sheet.targets.astype(np.float64), None, slice(None))
    else:
        labels = answers(of_array("targets", sheet.targets), like, task)
    inputs = _inputs(path, sheet, labels.kept, like)
    schema = like or replace(inputs.schema, classes=labels.classes, target=target)
    return Dataset(inputs.values, labels.values, schema, Path(path).name, labels.notes + inputs.notes)


def column_names(path: Source) -> list[str]:
    """The columns of a table file, the target among them; raises what `table` raises."""
    return list(_read(path, None).columns)


def frame_dataset(frame: Any, targets: Array) -> Dataset:
    """A new table in memory with its targets beside it."""
    inputs = _inputs("the table", _Sheet(named_columns(frame)[0]), slice(None), None)
    return Dataset(inputs.values, targets, inputs.schema, "the table", inputs.notes)


def table_inputs(path: Source, like: Schema) -> Array:
    """Read the raw inputs in a table, for a trained network.

    Parameters
    ----------
    path : str or path
        With or without the target column.
    like : Schema
        Schema of the network.

    Returns
    -------
    ndarray of shape (n, fan_in)

    Raises
    ------
    FileError, InputError, MissingExtra
        As `table`.

    Examples
    --------
    >>> import glassnet as gn
    >>> gn.data.table_inputs("new_flowers.csv", network.schema)          # doctest: +SKIP
    """
    return noted_inputs(path, like).values


def noted_inputs(path: Source, like: Schema) -> "Inputs":
    """`table_inputs`, with what was done about cells that the network has no input for."""
    return _inputs(path, _read(path, like), slice(None), like)


def table_rows(path: Source, like: Schema, gaps: Gaps) -> Array:
    """`table_inputs`, counting cells without an input in `gaps`."""
    return _inputs(path, _read(path, like), slice(None), like, gaps).values


class _Sheet(NamedTuple):
    """What a file holds: columns; of an `.npz` file, columns or else pictures (n, ...), and the targets if it has
    any."""

    columns: dict[str, Column]
    npz: bool = False
    pictures: Array | None = None
    targets: Array | None = None


class Inputs(NamedTuple):
    """Inputs (n, fan_in), what they stand for, and what its user should know."""

    values: Array
    schema: Schema
    notes: tuple[str, ...] = ()


def _read(path: Any, like: Schema | None) -> _Sheet:
    if is_named(path):
        return _Sheet(named_columns(path)[0])
    kind = kind_of(path)
    texts = [name for name, known in like.columns.items() if known is not None] if like else []
    if kind == "zip":
        return _read_npz(path)
    if kind == "parquet":
        return _Sheet(read_parquet(path, texts))
    if kind in ("text", "empty"):
        return _Sheet(read_csv(path, texts))
    raise FileError(
        f"{str(path)!r} is {KIND_WORDS[kind]} by its content, expected a table: CSV in UTF-8, Parquet or .npz",
        help={"gzip": "unpack it first", "arrow": "read it with gn.data.stream"}.get(
            kind, "write the table in one of these formats"
        ),
    )


def _read_npz(path: Source) -> _Sheet:
    name = Path(path).name
    with open_file(path) as file:
        there = npz_names(file, name)
        pair = next((pair for pair in _NPZ_PAIRS if pair[0] in there), None)
        if pair is None:
            raise FileError(
                f"{str(path)!r} has the arrays {listed(there)}, expected inputs and targets, or X and y",
                help="numpy.savez(path, inputs=..., targets=...)",
            )
        arrays = read_npz(file, name, [array for array in pair if array in there])
    inputs, targets = arrays[pair[0]], arrays.get(pair[1])
    if targets is not None and targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    usable = inputs.ndim >= 2 and inputs.size > 0 and inputs.dtype.kind in "buif"
    if not usable or (targets is not None and (targets.ndim not in (1, 2) or len(targets) != len(inputs))):
        beside = f" and {pair[1]} of shape {shape_text(targets.shape)}" if targets is not None else ""
        raise InputError(
            f"{pair[0]} has shape {shape_text(inputs.shape)} and type {inputs.dtype}{beside}, expected numbers "
            "(n, columns) or pictures (n, height, width), and n targets"
        )
    if inputs.dtype == np.uint8 or inputs.ndim > 2:
        return _Sheet({}, True, inputs, targets)
    columns = {f"x{i}": of_array(f"x{i}", column) for i, column in enumerate(inputs.T)}
    return _Sheet(columns, True, None, targets)


def _inputs(
    path: Source, sheet: _Sheet, kept: "Array | slice", like: Schema | None, gaps: Gaps | None = None
) -> Inputs:
    if sheet.pictures is not None:
        return _pictures(path, sheet.pictures, kept, like)
    if like is None:
        survey = Survey()
        survey.add(sheet.columns, kept)
        schema, notes = survey.schema(path)
    else:
        check_columns(path, sheet.columns, like)
        schema, notes = like, ()
    gaps = Gaps() if gaps is None else gaps
    values = raw_inputs(sheet.columns, schema, gaps, kept)
    return Inputs(values, schema, notes + gaps.notes("the network's center" if like else "the column's mean"))


def _pictures(path: Source, pictures: Array, kept: "Array | slice", like: Schema | None) -> Inputs:
    schema = Schema(pictures.shape[1:], 1 / 255 if pictures.dtype == np.uint8 else None)
    flat = pictures.reshape(len(pictures), -1)
    if like is not None and (like.features is not None or (like.scale or 1) != (schema.scale or 1)):
        raise InputError(
            f"{str(path)!r} has pictures of {pictures.dtype}, expected "
            + (f"the columns {listed(like.features)}" if like.features else "values like those of the training data")
        )
    if like is not None and like.input_shape is not None and int(np.prod(like.input_shape)) != flat.shape[1]:
        raise InputError(
            f"{str(path)!r} has pictures of {shape_text(pictures.shape[1:])}, expected "
            f"{shape_text(like.input_shape)} as in the training data",
            help="scale them to that size",
        )
    return Inputs(flat[kept], schema)
