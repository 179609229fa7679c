"""Which of a table's columns become inputs, and how: learnt from all rows, in one pass over any number of parts.

- a column of numbers is an input, standardised by its mean and its standard deviation;
- a column of text is an input for each of its different texts, 1 where the row has that text and 0 elsewhere (one-hot),
  if they are at most `MOST_TEXTS` and each is there in two rows on average;
- all other columns are left out, and so are constant, empty and unnamed ones.

Means and sums of squares of parts are put together by the formulas of Chan, Golub and LeVeque, "Updating formulae and a
pairwise algorithm for computing sample variances", 1979.
"""

from dataclasses import dataclass, field
from math import sqrt

import numpy as np

from glassnet.arrays import Array
from glassnet.data.access import Source, listed, short
from glassnet.data.columns import Column
from glassnet.errors import InputError
from glassnet.schema import Schema

MOST_TEXTS = 50
"""A column of text with more different ones is left out: each of them would be an input of its own."""


@dataclass
class Moments:
    """How many numbers there were, their mean, the sum of their squared distances from it, the least, the largest."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    low: float = np.inf
    high: float = -np.inf

    def add(self, numbers: Array) -> None:
        """Take in more numbers (n,), NaN passed over."""
        there = numbers[~np.isnan(numbers)]
        if not there.size:
            return
        with np.errstate(all="ignore"):
            mean, squares = float(there.mean()), float(there.var()) * there.size
        self.merge(Moments(there.size, mean, squares, float(there.min()), float(there.max())))

    def merge(self, others: "Moments") -> None:
        """Take in what others have found."""
        if not others.count:
            return
        with np.errstate(all="ignore"):
            count, apart = self.count + others.count, others.mean - self.mean
            self.squares += others.squares + apart * apart * self.count * others.count / count
            self.mean += apart * others.count / count
        self.count, self.low, self.high = count, min(self.low, others.low), max(self.high, others.high)

    @property
    def spread(self) -> float:
        """The standard deviation."""
        return sqrt(self.squares / self.count) if self.count else 0.0


@dataclass
class Texts:
    """How many texts there were, and which; those beyond `MOST_TEXTS` are only counted."""

    count: int = 0
    different: set[str] = field(default_factory=set)

    def add(self, texts: Array) -> None:
        """Take in more texts (n,), None passed over."""
        there = [text for text in texts.tolist() if text is not None]
        self.count += len(there)
        if len(self.different) <= MOST_TEXTS:
            self.different.update(there)

    def merge(self, others: "Texts") -> None:
        """Take in what others have found."""
        self.count += others.count
        self.different |= others.different


class Survey:
    """What each column holds, in the order of the table."""

    def __init__(self) -> None:
        self._found: dict[str, Moments | Texts | str] = {}

    def add(self, columns: dict[str, Column], kept: "Array | slice" = slice(None)) -> None:
        """Take in a part of the table, or those of its rows that are kept.

        Raises `InputError` for a cell of text, or an infinite one, in a column of numbers.
        """
        for name, column in columns.items():
            if not name or column.other:
                self._found.setdefault(name, column.other or "without a name")
            elif column.is_text:
                texts = self._found.setdefault(name, Texts())
                assert isinstance(texts, Texts)
                texts.add(column.as_texts()[kept])
            else:
                moments = self._found.setdefault(name, Moments())
                assert isinstance(moments, Moments)
                moments.add(column.as_numbers()[kept])

    def merge(self, others: "Survey") -> None:
        """Take in what others have found in other rows of the table."""
        for name, theirs in others._found.items():
            ours = self._found.setdefault(name, theirs)
            if ours is theirs or isinstance(ours, str):
                continue
            ours.merge(theirs)  # type: ignore[arg-type]  # a column is of one kind in all rows

    def schema(self, path: Source) -> tuple[Schema, tuple[str, ...]]:
        """What the inputs stand for, and which columns were left out.

        Raises `InputError` if no column can be used, or one has no mean and standard deviation.
        """
        left_out = dict[str, list[str]]()
        inputs: list[tuple[str, float, float, tuple[str, str] | None]] = []
        for name, found in self._found.items():
            reason = _reason(found)
            if reason is not None:
                left_out.setdefault(reason, []).append(name)
            elif isinstance(found, Texts):
                inputs += [(f"{name}={text}", 0.0, 1.0, (name, text)) for text in sorted(found.different)]
            elif isinstance(found, Moments):
                _check_scale(name, found)
                inputs.append((name, found.mean, found.spread, None))
        notes = tuple(f"columns left out, {reason}: {listed(names)}" for reason, names in left_out.items())
        if not inputs:
            raise InputError(
                f"{str(path)!r} has no usable input column"
                + (f" ({'; '.join(notes)})" if notes else "")
                + ": expected at least one with different numbers, or text that repeats, besides the target"
            )
        features, centers, spreads, one_hot = zip(*inputs, strict=True)
        known = one_hot if any(one_hot) else None
        return Schema((len(inputs),), None, features, centers, spreads, one_hot=known), notes


def _reason(found: "Moments | Texts | str") -> str | None:
    """Why a column is left out, if it is."""
    if isinstance(found, str):
        return found
    if not found.count:
        return "empty"
    if isinstance(found, Moments):
        return "constant" if found.low == found.high else None
    if len(found.different) > MOST_TEXTS:
        return f"text of more than {MOST_TEXTS} different values"
    if len(found.different) == 1:
        return "constant"
    return "text that hardly repeats" if 2 * len(found.different) > found.count else None


def _check_scale(name: str, found: Moments) -> None:
    if not (np.isfinite(found.mean) and 0 < found.spread < np.inf):
        raise InputError(
            f"the mean and standard deviation of column {short(name)}, from {found.low:g} to {found.high:g}, "
            "cannot be computed",
            help="use another unit for this column",
        )
