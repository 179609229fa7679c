"""Columns as a network's inputs, by the schema that says how: numbers standardised, texts one-hot.

    (number - center) / spread      a missing number becomes the schema's fill, which is the center by default
    1 for "colour=red"              where the colour is red; all 0 where it is missing, or was never seen in training

`raw_inputs` gives the numbers before they are standardised: what a `Dataset` of a table holds. A stream keeps rows
*coded*: one float32 for each column, standardised, a text being its place among those known, or -1. It takes less room
than the inputs it stands for.
"""

import difflib
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from glassnet.arrays import Array
from glassnet.data.access import Source, listed, short
from glassnet.data.columns import Column
from glassnet.errors import InputError
from glassnet.schema import Schema


@dataclass
class Gaps:
    """Cells for which a schema has no input, counted by column."""

    missing_numbers: Counter[str] = field(default_factory=Counter)
    missing_texts: Counter[str] = field(default_factory=Counter)
    unknown_texts: Counter[str] = field(default_factory=Counter)
    example: dict[str, str] = field(default_factory=dict)

    def notes(self, center: str) -> tuple[str, ...]:
        """What was done about them, in words; `center` says what stands for a number that is missing."""
        unknown = [
            f"{short(name)} ({count:,}, such as {short(self.example[name])})"
            for name, count in self.unknown_texts.items()
        ]
        lists = {
            f"missing values filled with {center}": _counts(self.missing_numbers),
            "missing texts, none of the column's inputs is 1": _counts(self.missing_texts),
            "texts not seen in training, none of the column's inputs is 1": unknown,
        }
        return tuple(f"{what}: {listed(names, quoted=False)}" for what, names in lists.items() if names)


def _counts(counter: Counter[str]) -> list[str]:
    return [f"{short(name)} ({n:,})" for name, n in counter.items()]


def check_columns(path: Source, there: "dict[str, Column] | list[str]", like: Schema) -> None:
    """`InputError` unless all columns that the network was trained on are there, naming those that are missing."""
    if not like.features:
        raise InputError(
            f"the network knows no column names, so it cannot read the table {str(path)!r}",
            help="give the inputs as an array, or train a network on a table",
        )
    wanted = list(like.columns)
    absent = [name for name in wanted if name not in there]
    if absent:
        near = difflib.get_close_matches(absent[0], there, n=1)
        raise InputError(
            f"{str(path)!r} lacks column{'s' * (len(absent) > 1)} {listed(absent)}: expected all columns of the "
            f"training data, {listed(wanted)}",
            help=f"if {near[0]!r} is that column, rename it" if near else None,
        )


def raw_inputs(columns: dict[str, Column], like: Schema, gaps: Gaps, kept: "Array | slice" = slice(None)) -> Array:
    """The rows that are kept as (n, fan_in) float64 in the units of the columns; texts one-hot, gaps filled.

    Raises `InputError` for a cell of text, or an infinite one, in a column of numbers.
    """
    parts = []
    for name, texts in like.columns.items():
        if texts is None:
            parts.append(_filled(name, columns[name].as_numbers()[kept], like, gaps))
        else:
            parts.append(_places(name, columns[name].as_texts()[kept], texts, gaps))
    return expanded(np.stack(parts, axis=1), like)


def coded(columns: dict[str, Column], like: Schema, gaps: Gaps, kept: "Array | slice" = slice(None)) -> Array:
    """The rows that are kept as (n, columns) float32: numbers standardised, texts as their places among the known.

    Raises `InputError` for a cell of text, or an infinite one, in a column of numbers.
    """
    parts = []
    for name, texts in like.columns.items():
        if texts is None:
            numbers = _filled(name, columns[name].as_numbers()[kept], like, gaps)
            parts.append(_standardised(name, numbers, like))
        else:
            parts.append(_places(name, columns[name].as_texts()[kept], texts, gaps).astype(np.float32))
    return np.stack(parts, axis=1)


def _filled(name: str, numbers: Array, like: Schema, gaps: Gaps) -> Array:
    """A column of numbers with the schema's number where one is missing."""
    missing = np.isnan(numbers)
    if missing.any():
        gaps.missing_numbers[name] += int(missing.sum())
        fill = like.fill or like.centers
        at = (like.features or ()).index(name)
        numbers = np.where(missing, fill[at] if fill is not None else 0.0, numbers)
    return numbers


def _standardised(name: str, numbers: Array, like: Schema) -> Array:
    at = (like.features or ()).index(name)
    center = like.centers[at] if like.centers is not None else 0.0
    spread = like.spreads[at] if like.spreads is not None else 1.0
    with np.errstate(over="ignore"):  # what overflows becomes infinite, and the Dataset's check says where
        return ((numbers - center) / spread).astype(np.float32)


def _places(name: str, texts: Array, known: tuple[str, ...], gaps: Gaps) -> Array:
    places = {text: place for place, text in enumerate(known)}
    found = [places.get(text, -1) for text in texts.tolist()]
    values = np.array(found, dtype=np.float64)
    if values.min(initial=0) < 0:
        strange = [text for text, place in zip(texts.tolist(), found, strict=True) if place < 0]
        unknown = [text for text in strange if text is not None]
        if len(unknown) < len(strange):
            gaps.missing_texts[name] += len(strange) - len(unknown)
        if unknown:
            gaps.unknown_texts[name] += len(unknown)
            gaps.example.setdefault(name, unknown[0])
    return values


def expanded(rows: Array, like: Schema) -> Array:
    """Rows with texts as places as the inputs they stand for, (n, fan_in) of the same type."""
    if like.one_hot is None:
        return rows
    position = {name: i for i, name in enumerate(like.columns)}
    seen = Counter[str]()  # how many of a column's texts have had their input
    inputs = np.empty((len(rows), len(like.one_hot)), rows.dtype)
    for i, (feature, hot) in enumerate(zip(like.features or (), like.one_hot, strict=True)):
        if hot is None:
            inputs[:, i] = rows[:, position[feature]]
        else:
            inputs[:, i] = rows[:, position[hot[0]]] == seen[hot[0]]
            seen[hot[0]] += 1
    return inputs
