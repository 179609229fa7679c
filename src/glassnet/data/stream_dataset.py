"""A stream: examples on disk that are given in blocks, in the order of the files or shuffled anew for each epoch.

Made by `streams.stream`, which has learnt what the columns hold. The order of an epoch is that of a shuffled copy (see
`shuffled`). What is in memory does not grow with the number of rows.
"""

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from glassnet.arrays import Array
from glassnet.data.arrow_files import ArrowFiles
from glassnet.data.dataset import Dataset
from glassnet.data.encoding import Gaps, coded, expanded
from glassnet.data.prefetch import ahead
from glassnet.data.shuffled_copy import ShuffledCopy, scratch_folder
from glassnet.data.targets import labelled
from glassnet.errors import SettingError
from glassnet.random import drawn
from glassnet.render.document import Document, Record, fields_of
from glassnet.render.parts import Bar, Cell, Column, Part, Table, Text
from glassnet.schema import Schema

NUMBERS_AT_ONCE = 1 << 22
"""Most inputs in a block: 16 MiB as float32."""
MOST_HELD_OUT = 100_000
"""Rows held out for validation are in memory, and no more than these: accuracy is then known to about 0.3 %."""

Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Stream(Record):
    """Examples on disk; `stream` makes one.

    Parameters
    ----------
    files : ArrowFiles
        Where they are, and what each column holds.
    schema : Schema
    target : str
        Name of the target column.
    name : str
        Name of the data in messages.
    notes : tuple of str
        Dropped columns, rows without a target.
    rows : int
        Number of rows.
    counts : tuple of int or None
        Number of rows of each class; None for measured targets.
    center, spread : float
        Mean and standard deviation of measured targets.
    standardised : tuple of float or None
        (center, spread), if targets are returned as (target - center) / spread.
    held_out : tuple or None
        Share of the rows that `split` held out, and its seed.
    within : range or None
        Rows of the files that are read; None for all.
    copy : ShuffledCopy or None
        Training copy that `split` made.

    Examples
    --------
    >>> import glassnet as gn
    >>> stream = gn.data.stream("trips/", "fare")                        # doctest: +SKIP
    >>> len(stream), stream.input_shape                                  # doctest: +SKIP
    (1000000, (7,))
    """

    files: ArrowFiles
    schema: Schema
    target: str
    name: str
    notes: tuple[str, ...]
    rows: int
    counts: tuple[int, ...] | None
    center: float
    spread: float
    standardised: tuple[float, float] | None = None
    held_out: tuple[float, int] | None = None
    within: range | None = None
    copy: ShuffledCopy | None = field(default=None, repr=False)
    progress: Progress | None = field(default=None, repr=False)
    gaps: Gaps = field(default_factory=Gaps, repr=False)
    """Cells for which there is no input, counted while `blocks` goes on."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input: (inputs,), with one input for each value of a text column."""
        return (len(self.schema.features or ()),)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """Names of the classes, or None for measured targets."""
        return self.schema.classes

    @property
    def targets(self) -> Array:
        """An empty array of the targets' type: int64 for labels, float64 for measured targets."""
        return np.empty(0, np.float64 if self.classes is None else np.int64)

    def __len__(self) -> int:
        return self.rows

    def blocks(self) -> Iterator[Dataset]:
        """All examples in the order of the files, in small parts."""
        for rows, targets, numbers in self._read(self.gaps):
            kept = ~self._drawn(numbers)
            if kept.any():
                yield self._dataset(rows[kept], targets[kept])

    def shuffled(self, seed: int, epoch: int, batch_size: int) -> Iterator[Dataset]:
        """The examples of an epoch in its order, in blocks.

        Parameters
        ----------
        seed : int
        epoch : int
        batch_size : int
            Every block but the last has whole batches.

        Yields
        ------
        Dataset
        """
        return ahead(self._shuffled(seed, epoch, batch_size))

    def split(self, share: float, seed: int = 0) -> tuple["Stream", Dataset]:
        """Split at random into a stream to train on and a data set to validate with.

        Whether a row is held out is a function of the seed and its number.

        Parameters
        ----------
        share : float
            Share of the rows to hold out in memory, at most about `MOST_HELD_OUT` rows or 64 MiB.
        seed : int, default 0

        Returns
        -------
        Stream, Dataset

        Raises
        ------
        SettingError
            If a part would be empty.
        FileError
            If there is no space for the training copy.
        """
        outside = SettingError(
            f"a fraction of {share} of {len(self)} examples leaves one part empty", help="0.1 to 0.2 is usual"
        )
        if not 0 < share < 1:
            raise outside
        most = min(MOST_HELD_OUT, 4 * NUMBERS_AT_ONCE // self.input_shape[0])
        part = replace(self, held_out=(min(share, most / self.rows), seed))
        gaps = Gaps()
        copy, rows, targets = part._copied(gaps)
        if not (copy.rows and len(rows)):
            raise outside
        notes = self.notes + gaps.notes("the column's mean")
        return replace(part, rows=copy.rows, copy=copy, notes=notes), self._dataset(rows, targets)

    def fingerprint(self) -> list[int]:
        """Numbers that change with the rows: names and sizes of the files, column statistics, held-out rows."""
        learnt = [self.schema.as_dict(), self.center, self.spread, self.counts, self.held_out]
        return [self.rows, *(zlib.crc32(json.dumps(part).encode()) for part in (self.files.files, learnt))]

    def document(self) -> Document:
        """Its inputs by name, and how many rows each class has."""
        counts = self.counts or ()
        most = max(counts, default=0)
        rows: list[list[Cell]] = [
            [name, f"{n:,}", Bar(n, most)] for name, n in list(zip(self.classes or (), counts, strict=False))[:20]
        ]
        parts: list[Part] = [Text(note) for note in self.notes]
        parts += [Table([Column("class", "l", 24), Column("rows", "r"), Column()], rows)] if rows else []
        return Document(repr(self), [*parts, *fields_of(self.schema).parts])

    def __repr__(self) -> str:
        kind = f"{len(self.classes)} classes" if self.classes else "measurements"
        return f"Stream({self.name}: {self.rows:,} examples of {self.input_shape[0]} inputs, {kind})"

    def _read(self, gaps: Gaps) -> Iterator[tuple[Array, Array, Array]]:
        """Coded rows, their targets and their numbers, of all rows with a target."""
        names, texts = [*self.schema.columns, self.target], texts_of(self.schema, self.target)
        for part in self.files.parts(names, texts, self.within):
            targets, kept = labelled(part.columns.pop(self.target), self.classes)
            yield coded(part.columns, self.schema, gaps, kept), targets, part.before + np.flatnonzero(kept)

    def _drawn(self, numbers: Array) -> Array:
        """Which of the rows of these numbers are held out."""
        share, seed = self.held_out or (0.0, 0)
        return drawn(seed, numbers, share)

    def _copied(self, gaps: Gaps) -> tuple[ShuffledCopy, Array, Array]:
        """The shuffled copy, and the coded rows and targets that are held out. A row of the copy ends in its target: a
        label, or a measurement standardised, so that float32 keeps its precision."""
        width = len(self.schema.columns) + 1
        copy = ShuffledCopy(scratch_folder(), width, NUMBERS_AT_ONCE // max(width, *self.input_shape), self.rows)
        held: list[tuple[Array, Array]] = []
        done = 0
        for rows, targets, numbers in self._read(gaps):
            out = self._drawn(numbers)
            held.append((rows[out], targets[out]))
            answers = targets if self.classes else (targets - self.center) / self.spread
            copy.add(np.column_stack([rows, answers])[~out])
            done += len(rows)
            if self.progress is not None:
                self.progress("shuffled", done, self.rows)
        copy.finish()
        return copy, np.concatenate([rows for rows, _ in held]), np.concatenate([targets for _, targets in held])

    @cached_property
    def _copy(self) -> ShuffledCopy:
        return self.copy or self._copied(Gaps())[0]

    def _shuffled(self, seed: int, epoch: int, batch_size: int) -> Iterator[Dataset]:
        rest = np.empty((0, len(self.schema.columns) + 1), np.float32)
        for block in self._copy.blocks(seed, epoch):
            rows = np.concatenate([rest, block]) if len(rest) else block
            whole = len(rows) - len(rows) % batch_size
            rest = rows[whole:].copy()
            if whole:
                yield self._of_copy(rows[:whole])
        if len(rest):
            yield self._of_copy(rest)

    def _of_copy(self, rows: Array) -> Dataset:
        answers = rows[:, -1]
        targets = answers.astype(np.int64) if self.classes else answers.astype(np.float64) * self.spread + self.center
        return self._dataset(rows[:, :-1], targets)

    def _dataset(self, rows: Array, targets: Array) -> Dataset:
        if self.standardised is not None:
            center, spread = self.standardised
            targets = (targets - center) / spread
        return Dataset(expanded(rows, self.schema), targets, self.schema, self.name, preprocessed=True)


def texts_of(schema: Schema, target: str | None = None) -> list[str]:
    """The columns that are read as text even if all their cells are numbers."""
    texts = [name for name, known in schema.columns.items() if known is not None]
    return texts + ([target] if target is not None and schema.classes is not None else [])
