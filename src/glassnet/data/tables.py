"""Tables: a row is an example, one column is the target, the others are the inputs.

The rules; the data set's `notes` say where they changed something:
- columns of numbers (and of true and false) are inputs, standardised: (x - center) / spread, with the column's mean
  and its standard deviation. A network keeps both in its signature and treats every later table alike;
- a missing value becomes the column's mean, so 0 once standardised;
- columns of text or of other values, and constant, empty or unnamed ones, are left out; rows without a target as well;
- the target is a class if it is text, true or false, or whole numbers of at most 20 different values; otherwise it is a
  measurement. `task` decides instead where this rule should not.

What counts as a number and what as missing is told in `columns`.
"""

import difflib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from glassnet.arrays import Array, shape_text
from glassnet.data.columns import Column, of_array, read_csv, read_parquet
from glassnet.data.dataset import Dataset
from glassnet.data.npz import npz_names, read_npz
from glassnet.data.opening import KIND_WORDS, Source, kind_of, listed, open_file, short
from glassnet.errors import FileError, InputError, SettingError, unknown_name
from glassnet.signature import Signature

Task: TypeAlias = Literal["classes", "measurement"]

MOST_WHOLE_CLASSES = 20
_NPZ_PAIRS = (("inputs", "targets"), ("X", "y"))


def table(
    path: Source, target: str | None = None, *, like: Signature | None = None, task: Task | None = None
) -> Dataset:
    """The data set in a CSV, Parquet or `.npz` file; which of them it is, its content tells.

    target   the name of the target column; not for an `.npz` file, which has its targets in an array of their own
    like     the signature of a trained network: its columns are picked by name, its centers, spreads and classes are
             used, and its target too, unless one is named
    task     "classes" or "measurement", where the rule should not decide; `like` has decided already

    Inputs are (n, columns) as float32; targets are labels, or measurements as float64. An `.npz` file holds `inputs`
    and `targets`, or `X` and `y`. Inputs of shape (n, columns) are treated as columns named x0, x1, ...; if they are
    uint8 or have more axes they are pictures and taken as they are (uint8 counts times 1/255).

    Raises `FileError` for a file that cannot be read, `SettingError` for a target that is not there, `InputError` for
    cells and columns that cannot be used, `MissingExtra` if CSV or Parquet need pyarrow and it is not installed.
    """
    if task not in (None, "classes", "measurement"):
        raise unknown_name("task", task, ("classes", "measurement"))
    sheet = _read(path)
    if not sheet.npz:
        target = _target_name(path, sheet.columns, target or (like.target if like else None))
        answers = _answers(sheet.columns.pop(target), like, task)
    elif target is not None:
        raise SettingError(
            got=f"target {target!r} for {str(path)!r}",
            expected="none for an .npz file: its targets are an array of their own",
            do="leave it out",
        )
    elif sheet.targets is None:
        raise FileError(
            got=f"{str(path)!r} without targets", expected="an array of them beside the inputs", do="add it"
        )
    elif sheet.targets.ndim == 2:
        answers = _Answers(sheet.targets.astype(np.float64), None, slice(None))
    else:
        answers = _answers(of_array("targets", sheet.targets), like, task)
    inputs = _inputs(path, sheet, answers.kept, like)
    signature = like or replace(inputs.signature, classes=answers.classes, target=target)
    return Dataset(inputs.values, answers.values, signature, Path(path).name, answers.notes + inputs.notes)


def table_inputs(path: Source, like: Signature) -> Array:
    """The inputs in a table, for the trained network whose signature `like` is: (n, fan_in); pictures as stored.

    A target column may be there or not. Raises what `table` raises.
    """
    return _inputs(path, _read(path), slice(None), like).values


class _Sheet(NamedTuple):
    """What a file holds: columns; of an `.npz` file, columns or else pictures (n, ...), and the targets if it has
    any."""

    columns: dict[str, Column]
    npz: bool = False
    pictures: Array | None = None
    targets: Array | None = None


class _Answers(NamedTuple):
    """The targets, and in which rows of the file they are."""

    values: Array
    classes: tuple[str, ...] | None
    kept: "Array | slice"
    notes: tuple[str, ...] = ()


class _Inputs(NamedTuple):
    values: Array
    signature: Signature
    notes: tuple[str, ...] = ()


def _read(path: Source) -> _Sheet:
    kind = kind_of(path)
    if kind == "zip":
        return _read_npz(path)
    if kind == "parquet":
        return _Sheet(read_parquet(path))
    if kind in ("text", "empty"):
        return _Sheet(read_csv(path))
    raise FileError(
        got=f"{str(path)!r}, by its content {KIND_WORDS[kind]}",
        expected="a table: CSV in UTF-8, Parquet or .npz",
        do="unpack it first" if kind == "gzip" else "write the table in one of these formats",
    )


def _read_npz(path: Source) -> _Sheet:
    name = Path(path).name
    with open_file(path) as file:
        there = npz_names(file, name)
        pair = next((pair for pair in _NPZ_PAIRS if pair[0] in there), None)
        if pair is None:
            raise FileError(
                got=f"{str(path)!r} with arrays {listed(there)}",
                expected="inputs and targets, or X and y",
                do="name them so: numpy.savez(path, inputs=..., targets=...)",
            )
        arrays = read_npz(file, name, [array for array in pair if array in there])
    inputs, targets = arrays[pair[0]], arrays.get(pair[1])
    if targets is not None and targets.ndim == 2 and targets.shape[1] == 1:
        targets = targets[:, 0]
    usable = inputs.ndim >= 2 and inputs.size > 0 and inputs.dtype.kind in "buif"
    if not usable or (targets is not None and (targets.ndim not in (1, 2) or len(targets) != len(inputs))):
        beside = f" and {pair[1]} of shape {shape_text(targets.shape)}" if targets is not None else ""
        raise InputError(
            got=f"{pair[0]} of shape {shape_text(inputs.shape)} and type {inputs.dtype}{beside}",
            expected="numbers (n, columns) or pictures (n, height, width), and n targets",
            do="give one row of inputs and one target for each example",
        )
    if inputs.dtype == np.uint8 or inputs.ndim > 2:
        return _Sheet({}, True, inputs, targets)
    columns = {f"x{i}": of_array(f"x{i}", column) for i, column in enumerate(inputs.T)}
    return _Sheet(columns, True, None, targets)


def _target_name(path: Source, columns: Iterable[str], target: str | None) -> str:
    names = list(columns)
    if target in names:
        return target
    near = difflib.get_close_matches(target or "", names, n=1)
    raise SettingError(
        got=f"no target for {str(path)!r}"
        if target is None
        else f"target {target!r}, which is no column of {str(path)!r}",
        expected=f"one of its columns: {listed(names)}",
        do=f"did you mean {near[0]!r}?" if near else "name one; if these are no names, add a header line to the file",
    )


def _answers(column: Column, like: Signature | None, task: Task | None) -> _Answers:
    """The targets in a column: labels if they are classes, else measurements."""
    if like is not None:
        task = "classes" if like.classes is not None else "measurement"
    if task is None and column.is_text:
        task = "classes"
        _check_repeats(column)
    kept = ~column.missing
    if not kept.any() and not column.other:
        raise InputError(
            got=f"target {short(column.name)} without a value in any row",
            expected="targets to learn from",
            do="fill it in",
        )
    left_out = int((~kept).sum())
    notes = (f"rows left out, without a target: {left_out:,}",) if left_out else ()
    cells = column.texts[kept] if column.texts is not None and task == "classes" else column.as_numbers()[kept]
    different, labels = np.unique(cells, return_inverse=True)
    if task is None:
        whole = column.truths or (
            len(different) <= MOST_WHOLE_CLASSES and bool((different == np.floor(different)).all())
        )
        task = "classes" if whole else "measurement"
    if like is None and len(different) < 2:
        raise InputError(
            got=f"target {short(column.name)} with {short(different[0])} in every row",
            expected="at least two different values",
            do="add examples of the others, or name another target",
        )
    if task == "measurement":
        return _Answers(cells, None, kept, notes)
    names = tuple(_class_name(value, column.truths) for value in different)
    if like is None or like.classes is None:
        return _Answers(labels.astype(np.int64), names, kept, notes)
    known = {name: k for k, name in enumerate(like.classes)}
    for name in names:
        if name not in known:
            raise InputError(
                got=f"class {short(name)} in column {short(column.name)}",
                expected=f"one of the network's classes: {listed(like.classes)}",
                do="correct the cell or leave out its row; a network knows only the classes that it was trained with",
            )
    return _Answers(np.array([known[name] for name in names], np.int64)[labels], like.classes, kept, notes)


def _check_repeats(column: Column) -> None:
    """`InputError` for a column that names each row, such as a person's name, and so is no class."""
    words = [word for word in (column.texts if column.texts is not None else ()) if word is not None]
    different = len(set(words))
    if different > MOST_WHOLE_CLASSES and 2 * different > len(words):
        raise InputError(
            got=f"target {short(column.name)} with {different:,} different texts in {len(words):,} rows",
            expected="classes that come back in many rows",
            do='name another target, or set task="classes" if this is meant',
        )


def _class_name(value: object, truths: bool) -> str:
    """A class as it is called whatever the file's format: 3 and 3.0 are "3"."""
    if isinstance(value, str):
        return value
    number = float(value) + 0.0  # type: ignore[arg-type]  # -0.0 becomes 0.0
    if truths:
        return "true" if number else "false"
    return f"{number:.0f}" if number.is_integer() else repr(number)


def _inputs(path: Source, sheet: _Sheet, kept: "Array | slice", like: Signature | None) -> _Inputs:
    if sheet.pictures is not None:
        return _pictures(path, sheet.pictures, kept, like)
    if like is not None:
        return _standardised_like(path, sheet.columns, kept, like)
    return _standardised(path, sheet.columns, kept)


def _pictures(path: Source, pictures: Array, kept: "Array | slice", like: Signature | None) -> _Inputs:
    signature = Signature(pictures.shape[1:], 1 / 255 if pictures.dtype == np.uint8 else None)
    flat = pictures.reshape(len(pictures), -1)
    if like is not None and (like.features is not None or (like.scale or 1) != (signature.scale or 1)):
        raise InputError(
            got=f"pictures of {pictures.dtype} in {str(path)!r}",
            expected=f"the columns {listed(like.features)}"
            if like.features
            else "values as the network was trained with",
            do="give it data of the kind it was trained with",
        )
    if like is not None and like.input_shape is not None and int(np.prod(like.input_shape)) != flat.shape[1]:
        raise InputError(
            got=f"pictures of {shape_text(pictures.shape[1:])} in {str(path)!r}",
            expected=f"{shape_text(like.input_shape)}, the shape the network was trained with",
            do="scale them to that size",
        )
    return _Inputs(flat[kept], signature)


def _standardised(path: Source, columns: dict[str, Column], kept: "Array | slice") -> _Inputs:
    """All usable columns, standardised by their own means and standard deviations."""
    values, centers, spreads = dict[str, Array](), [], []
    left_out, filled = dict[str, list[str]](), []
    for name, column in columns.items():
        reason = "without a name" if not name else column.other or ("text" if column.is_text else None)
        if reason is None:
            numbers = column.as_numbers()[kept]
            there = numbers[~np.isnan(numbers)]
            reason = "empty" if not there.size else "constant" if there.min() == there.max() else None
        if reason is not None:
            left_out.setdefault(reason, []).append(name)
            continue
        with np.errstate(all="ignore"):
            center, spread = float(there.mean()), float(there.std())
        if not (np.isfinite(center) and 0 < spread < np.inf):
            raise InputError(
                got=f"column {short(name)} with values from {there.min():g} to {there.max():g}",
                expected="values whose mean and standard deviation can be computed",
                do="bring the column to another scale",
            )
        if there.size < numbers.size:
            filled.append(f"{short(name)} ({numbers.size - there.size:,})")
        values[name] = _standardise(numbers, center, spread)
        centers.append(center)
        spreads.append(spread)
    notes = [
        f"columns left out, {reason}: {listed(names)}" + _REMEDIES.get(reason, "") for reason, names in left_out.items()
    ]
    if not values:
        raise InputError(
            got=f"{str(path)!r} without a column to learn from" + (f" ({'; '.join(notes)})" if notes else ""),
            expected="at least one column of different numbers besides the target",
            do="turn text into numbers first, such as a column of 0 and 1 for each value",
        )
    if filled:
        notes.append(f"missing values filled with the column's mean: {listed(filled, quoted=False)}")
    signature = Signature((len(values),), None, tuple(values), tuple(centers), tuple(spreads))
    return _Inputs(np.stack(list(values.values()), axis=1), signature, tuple(notes))


def _standardised_like(path: Source, columns: dict[str, Column], kept: "Array | slice", like: Signature) -> _Inputs:
    """The columns that a network was trained on, in its order, by its centers and spreads."""
    if not like.features:
        raise InputError(
            got=f"the table {str(path)!r} for a network that knows no column names",
            expected="data of the kind it was trained with",
            do="give the inputs as an array, or train a network on a table",
        )
    absent = [name for name in like.features if name not in columns]
    if absent:
        near = difflib.get_close_matches(absent[0], columns, n=1)
        raise InputError(
            got=f"{str(path)!r} without column{'s' * (len(absent) > 1)} {listed(absent)}",
            expected=f"all columns the network was trained on: {listed(like.features)}",
            do=f"is {near[0]!r} what it was trained on? Then rename it" if near else "add what is missing",
        )
    centers = like.centers or (0.0,) * len(like.features)
    spreads = like.spreads or (1.0,) * len(like.features)
    numbers = {name: columns[name].as_numbers()[kept] for name in like.features}
    values = [_standardise(numbers[name], *scale) for name, *scale in zip(like.features, centers, spreads, strict=True)]
    filled = [f"{short(name)} ({count:,})" for name in like.features if (count := int(np.isnan(numbers[name]).sum()))]
    notes = (f"missing values filled with the network's center: {listed(filled, quoted=False)}",) if filled else ()
    return _Inputs(np.stack(values, axis=1), like, notes)


def _standardise(numbers: Array, center: float, spread: float) -> Array:
    """(numbers - center) / spread as float32, 0 where missing."""
    with np.errstate(over="ignore"):  # what overflows becomes infinite, and the Dataset's door says where
        return np.where(np.isnan(numbers), 0, (numbers - center) / spread).astype(np.float32)


_REMEDIES = {"text": " (to use one, turn its texts into numbers, such as a column of 0 and 1 for each)"}
