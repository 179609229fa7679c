"""The target column of a table: what the network predicts, a class or a measurement.

It is a class if it is text, true or false, or whole numbers of at most 20 different values; otherwise it is a
measurement. `task` decides instead where this rule should not. Rows without a target are left out.
"""

import difflib
from collections import Counter
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from glassnet.arrays import Array
from glassnet.data.access import Source, listed, short
from glassnet.data.column_statistics import Moments
from glassnet.data.columns import Column, number_text
from glassnet.errors import InputError, SettingError, unknown_name
from glassnet.schema import Schema

Task: TypeAlias = Literal["classes", "measurement"]

MOST_WHOLE_CLASSES = 20
MOST_CLASSES = 1 << 16


def check_task(task: object) -> None:
    """`SettingError` unless it is a task, or None."""
    if task not in (None, "classes", "measurement"):
        raise unknown_name("task", task, ("classes", "measurement"))


def target_name(path: Source, columns: Iterable[str], target: str | None) -> str:
    """The name of the target column; `SettingError` unless it is one of the table's."""
    names = list(columns)
    if target in names:
        return target
    near = difflib.get_close_matches(target or "", names, n=1)
    raise SettingError(
        f"{str(path)!r} needs a target: expected one of its columns, {listed(names)}"
        if target is None
        else f"{str(path)!r} has no column {target!r}: expected one of {listed(names)}",
        help=f"did you mean {near[0]!r}?"
        if near
        else "name one with --target; if these are no names, add a header line to the file",
    )


class Answers(NamedTuple):
    """The targets (labels as int64, or measurements as float64), the names of their classes, and in which rows they
    are."""

    values: Array
    classes: tuple[str, ...] | None
    kept: "Array | slice"
    notes: tuple[str, ...] = ()


class TargetSurvey:
    """What a target column holds, learnt in one pass over any number of its parts.

    count    in how many rows there is a target
    moments  mean and spread of targets that are numbers
    counts   how often each different value is there, as long as they can be classes
    """

    def __init__(self, name: str, task: Task | None) -> None:
        self.name, self.task = name, task
        self.count = 0
        self.moments = Moments()
        self.counts: Counter[Any] | None = None if task == "measurement" else Counter()
        self._text, self._truths = False, True

    def add(self, column: Column) -> None:
        """Take in a part; raises `InputError` for cells that can be no target."""
        kept = ~column.missing
        self._truths &= column.truths
        if column.texts is not None and (self.task == "classes" or (self.task is None and column.is_text)):
            self._text = True
            cells = column.texts[kept].tolist()
        else:
            numbers = column.as_numbers()[kept]
            self.moments.add(numbers)
            cells = numbers.tolist()
        self.count += len(cells)
        if self.counts is None:
            return
        self.counts.update(cells)
        self._check_number()

    def _check_number(self) -> None:
        """Give classes up where there are too many; `InputError` where they are asked for."""
        if self.counts is None:
            return
        if self.task is None and not self._text and len(self.counts) > MOST_WHOLE_CLASSES:
            self.counts = None
        elif len(self.counts) > MOST_CLASSES:
            raise InputError(
                f"target {short(self.name)} has more than {MOST_CLASSES:,} different values, too many for classes",
                help="name another target",
            )

    def merge(self, others: "TargetSurvey") -> None:
        """Take in what others have found in other rows."""
        self.moments.merge(others.moments)
        self.count += others.count
        self._text |= others._text
        self._truths &= others._truths
        self.counts = None if self.counts is None or others.counts is None else self.counts + others.counts
        self._check_number()

    def classes(self) -> tuple[str, ...] | None:
        """The names of the classes, or None for measurements; `InputError` where there is nothing to distinguish."""
        if not self.count:
            raise without_a_value(self.name)
        low, high = self.moments.low, self.moments.high
        if (low == high) if self.counts is None else len(self.counts) < 2:
            raise InputError(
                f"target {short(self.name)} is {short(low if self.counts is None else next(iter(self.counts)))} "
                "in every row, expected at least two values",
                help="add examples of the others, or name another target",
            )
        if self._text:
            self._check_repeats()
        elif self.counts is None or not (
            self.task == "classes" or self._truths or all(float(value).is_integer() for value in self.counts)
        ):
            return None
        return tuple(self.class_counts)

    @property
    def class_counts(self) -> Counter[str]:
        """How often each class is there, by its name and in the order of the values."""
        in_order = sorted((self.counts or Counter()).items())
        return Counter({value if self._text else number_text(value, self._truths): n for value, n in in_order})

    def _check_repeats(self) -> None:
        """`InputError` for a column that names each row, such as a person's name, and so is no class."""
        different = len(self.counts or ())
        if self.task is None and different > MOST_WHOLE_CLASSES and 2 * different > self.count:
            raise InputError(
                f"target {short(self.name)} has {different:,} different texts in {self.count:,} rows, expected "
                "classes that occur in many rows",
                help='name another target, or give task="classes" if this is meant',
            )


def answers(column: Column, like: Schema | None = None, task: Task | None = None) -> Answers:
    """The targets in a column that is all there: as the network of schema `like` labels them, or by the rule."""
    if like is None:
        survey = TargetSurvey(column.name, task)
        survey.add(column)
        classes = survey.classes()
    else:
        classes = like.classes
    values, kept = labelled(column, classes)
    left_out = int((~kept).sum())
    if left_out == len(kept):
        raise without_a_value(column.name)
    return Answers(values, classes, kept, (f"rows left out, without a target: {left_out:,}",) if left_out else ())


def labelled(column: Column, classes: tuple[str, ...] | None) -> tuple[Array, Array]:
    """The targets in a column, or in a part of it, and which of its rows have one, (n,) bool."""
    kept = ~column.missing
    if classes is None or column.other:
        return column.as_numbers()[kept], kept
    if column.texts is not None:
        different, labels = np.unique(column.texts[kept].astype(str), return_inverse=True)
        names = different.tolist()
    else:
        different, labels = np.unique(column.as_numbers()[kept], return_inverse=True)
        names = [number_text(value, column.truths) for value in different]
    known = {name: k for k, name in enumerate(classes)}
    for name in names:
        if name not in known:
            raise InputError(
                f"column {short(column.name)} has the class {short(name)}, expected one of the network's: "
                f"{listed(classes)}",
                help="correct the cell or drop its row",
            )
    return np.array([known[name] for name in names], np.int64)[labels], kept


def without_a_value(name: str) -> InputError:
    """The error for a target column that is empty."""
    return InputError(f"target {short(name)} is empty in every row")
