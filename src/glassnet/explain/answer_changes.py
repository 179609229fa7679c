"""What became of the answers: which classes one network recognises better than another, and what is taken for what.

Imports `intervals` of `explain`.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from glassnet.arrays import Array
from glassnet.evaluation import confusion_section
from glassnet.explain.intervals import paired_change
from glassnet.render.document import Document, Rendered, html_of_fields
from glassnet.render.parts import Bar, Cell, Column, Part, Section, Table, Text

MOST_CLASSES, MOST_MOVES = 10, 5


class ClassChange(NamedTuple):
    """A class, how often a and b recognise it, and the bounds of the 95 % interval of the change from a to b.

    Parameters
    ----------
    name : str
    examples : int
        Examples of the class.
    a, b : float
        Recall: the share of them that each network has right.
    won, lost : int
        Examples that only b, and only a has right.
    low, high : float

    Examples
    --------
    >>> ClassChange("seven", 1_000, a=0.91, b=0.93, won=30, lost=10, low=0.0075, high=0.0324).change
    0.02
    """

    name: str
    examples: int
    a: float
    b: float
    won: int
    lost: int
    low: float
    high: float

    @property
    def change(self) -> float:
        """Recall of b less that of a."""
        return (self.won - self.lost) / self.examples

    def _repr_html_(self) -> str:
        return html_of_fields(self)


class Move(NamedTuple):
    """A class that a predicts where b predicts another: on how many examples, and how many of them each has right (None
    without targets).

    Examples
    --------
    >>> Move("four", "nine", examples=23, a_right=9, b_right=12)
    Move(a='four', b='nine', examples=23, a_right=9, b_right=12)
    """

    a: str
    b: str
    examples: int
    a_right: int | None
    b_right: int | None

    def _repr_html_(self) -> str:
        return html_of_fields(self)


@dataclass(frozen=True, eq=False)
class AnswerChanges(Rendered):
    """The classes that two networks predict for the same examples; part of a `Comparison`.

    Parameters
    ----------
    classes : tuple of str
    count : int
        Number of examples.
    answers : ndarray of shape (k, 2)
        Classes that a and b predict where they disagree.
    truth : ndarray of shape (k,) or None
        The true classes of these; None without targets.
    confusions : (ndarray of shape (classes, classes), ndarray of shape (classes, classes)) or None
        Of a and of b over all examples, rows true and columns predicted; None without targets.

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.circle(200, seed=0)
    >>> a, b = (gn.Network.create("2-4-2", output="softmax", seed=seed) for seed in (0, 1))
    >>> changes = gn.compare(a, b, data).changes
    >>> [matrix.sum() for matrix in changes.confusions] == [200, 200]
    True
    """

    classes: tuple[str, ...]
    count: int
    answers: Array = field(repr=False)
    truth: Array | None = field(default=None, repr=False)
    confusions: tuple[Array, Array] | None = field(default=None, repr=False)

    def by_class(self) -> list[ClassChange]:
        """Each class of the data, the one whose recall changes most first; empty without targets."""
        if self.truth is None or self.confusions is None:
            return []
        right = self.answers == self.truth[:, None]
        size = len(self.classes)
        won, lost = (
            np.bincount(self.truth[right[:, side]], minlength=size).tolist() for side in (1, 0)
        )  # where they disagree, at most one of them is right
        found = []
        for k, count in enumerate(self.confusions[0].sum(axis=1).tolist()):
            if count:
                a, b = (float(matrix[k, k]) / count for matrix in self.confusions)
                low, high = paired_change(won[k], lost[k], count)
                found.append(ClassChange(self.classes[k], count, a, b, won[k], lost[k], low, high))
        return sorted(found, key=lambda of: -abs(of.change))

    def moves(self) -> list[Move]:
        """Pairs of classes, that of a and that of b, the most frequent first."""
        pairs, which, counts = np.unique(self.answers, axis=0, return_inverse=True, return_counts=True)
        which = which.reshape(-1)
        found = []
        for row in np.argsort(-counts, kind="stable").tolist():
            a, b = pairs[row].tolist()
            truth = None if self.truth is None else self.truth[which == row]
            rights = (None, None) if truth is None else tuple(int((truth == k).sum()) for k in (a, b))
            found.append(Move(self.classes[a], self.classes[b], int(counts[row]), *rights))
        return found

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "classes": list(self.classes),
            "by_class": [one._asdict() | {"change": one.change} for one in self.by_class()],
            "moves": [move._asdict() for move in self.moves()],
            "confusions": None if self.confusions is None else [matrix.tolist() for matrix in self.confusions],
        }

    def document(self, confusions: bool = True) -> Document:
        """The classes that changed, what is taken for what, and both confusion matrices."""
        return Document(f"answers of a and b to {self.count:,} examples", self.parts(confusions))

    def parts(self, confusions: bool = True) -> list[Part]:
        """The tables, without a title."""
        parts: list[Part] = []
        changed = [one for one in self.by_class() if one.won or one.lost]
        if changed:
            largest = max(abs(one.change) for one in changed) or 1.0
            rows: list[list[Cell]] = [
                [one.name, f"{one.examples:,}", f"{one.a:.1%}", f"{one.b:.1%}", _signed(one.change),
                 f"{one.low:+.1%} to {one.high:+.1%}", Bar(one.change, largest, True)]
                for one in changed[:MOST_CLASSES]
            ]  # fmt: skip
            names = ("of", "a", "b", "change", "95 % interval")
            columns = [Column("class", "l", 14), *(Column(name, "r") for name in names), Column()]
            more = len(changed) - MOST_CLASSES
            left = [Text(f"... {more:,} more classes", quiet=True)] if more > 0 else []
            parts.append(Section("recall by class, the largest change first", [Table(columns, rows), *left]))
        moves = self.moves()
        if moves:
            judged = self.truth is not None
            cells: list[list[Cell]] = [
                [move.a, move.b, f"{move.examples:,}", *([f"{move.a_right:,}", f"{move.b_right:,}"] if judged else [])]
                for move in moves[:MOST_MOVES]
            ]
            columns = [Column("a says", "l", 14), Column("b says", "l", 14), Column("examples", "r")]
            columns += [Column("a is right", "r"), Column("b is right", "r")] if judged else []
            more = len(moves) - MOST_MOVES
            left = [Text(f"... {more:,} more pairs of classes", quiet=True)] if more > 0 else []
            parts.append(Section("the most frequent changes of answer", [Table(columns, cells), *left]))
        if confusions and self.confusions is not None:
            for name, matrix in zip("ab", self.confusions, strict=True):
                section = confusion_section(matrix, self.classes)
                parts.append(Section(f"{name}: {section.title}", section.parts))
        return parts

    def __repr__(self) -> str:
        return f"AnswerChanges({len(self.answers):,} of {self.count:,} answers differ)"


def _signed(change: float) -> str:
    return f"{change:+.1%}" if f"{abs(change):.1%}" != "0.0%" else "0.0%"
