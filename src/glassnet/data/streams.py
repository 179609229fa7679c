"""Data larger than memory: Parquet and Arrow files learnt from, measured on and told about a block at a time.

`stream` reads everything once, for the means, spreads, texts and classes; these follow the rules of tables in memory
(see `survey` and `answers`), but that a column of strings is text even where all of them read as numbers. Training then
reads a shuffled copy on disk (see `shuffled`). What is in memory does not grow with the number of rows.
"""

import json
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np

from glassnet.arrays import Array
from glassnet.data.ahead import ahead
from glassnet.data.answers import TargetSurvey, Task, check_task, target_name, told, without_a_value
from glassnet.data.arrow_files import ArrowFiles, is_folder_of_tables
from glassnet.data.columns import Column
from glassnet.data.dataset import Dataset
from glassnet.data.features import Gaps, check_columns, coded, expanded
from glassnet.data.opening import Source, kind_of
from glassnet.data.shuffled import ShuffledCopy, scratch_folder
from glassnet.data.survey import Survey
from glassnet.errors import SettingError
from glassnet.randomness import drawn
from glassnet.signature import Signature

CELLS_STREAMED = 1 << 26
"""A Parquet file of more cells is streamed by the command: as numbers they would fill half a GiB, and reading takes
about three times that. The rule looks at the file alone, so that the same command gives the same network anywhere."""
NUMBERS_AT_ONCE = 1 << 22
"""A block is of so many inputs at most: 16 MiB as float32."""
MOST_HELD_OUT = 100_000
"""Rows held out for validation are in memory, and no more than these: accuracy is then known to about 0.3 %."""

Progress: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Stream:
    """Examples on disk, all of them with a target. Made by `stream`.

    signature     what inputs and outputs stand for
    name          what to call it in messages
    notes         what its user should know: columns left out, rows without a target
    counts        how many rows there are of each class, in the order of the classes; None for measurements
    center        the mean of the targets, where they are measurements, and their standard deviation: `spread`
    standardised  (center, spread), if measurements are given as (target - center) / spread
    """

    files: ArrowFiles
    signature: Signature
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
        """The shape of one input: (inputs,), an input for each text of a column included."""
        return (len(self.signature.features or ()),)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of the classes, or None where the targets are measurements."""
        return self.signature.classes

    @property
    def targets(self) -> Array:
        """None of the targets, and of their type: labels are int64, measurements float64."""
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
        """The examples of an epoch in its order, in blocks of whole batches, but for the last."""
        return ahead(self._shuffled(seed, epoch, batch_size))

    def split(self, share: float, seed: int = 0) -> tuple["Stream", Dataset]:
        """Two parts drawn at random, row by row: one to learn from, and `share` of the rows in memory, at most about
        `MOST_HELD_OUT` or 64 MiB of them. Which rows these are is a formula of the seed and of the row's number.

        Raises `SettingError` for a share that leaves a part empty, `FileError` where there is no room for the copy.
        """
        most = min(MOST_HELD_OUT, 4 * NUMBERS_AT_ONCE // self.input_shape[0])
        part = replace(self, held_out=(min(share, most / self.rows), seed))
        gaps = Gaps()
        copy, rows, targets = part._copied(gaps)
        if not (copy.rows and len(rows)):
            raise SettingError(
                got=f"a share of {share} of {len(self)} examples",
                expected="a part that leaves at least one example on each side",
                do="0.1 to 0.2 is usual",
            )
        notes = self.notes + gaps.notes("the column's mean")
        return replace(part, rows=copy.rows, copy=copy, notes=notes), self._dataset(rows, targets)

    def fingerprint(self) -> list[int]:
        """Numbers that change with the rows: of the files' names and sizes, of what was learnt of their columns, and of
        which rows are held out."""
        learnt = [self.signature.as_dict(), self.center, self.spread, self.counts, self.held_out]
        return [self.rows, *(zlib.crc32(json.dumps(part).encode()) for part in (self.files.files, learnt))]

    def __repr__(self) -> str:
        kind = f"{len(self.classes)} classes" if self.classes else "measurements"
        return f"Stream({self.name}: {self.rows:,} examples of {self.input_shape[0]} inputs, {kind})"

    def _read(self, gaps: Gaps) -> Iterator[tuple[Array, Array, Array]]:
        """Coded rows, their targets and their numbers, of all rows with a target."""
        names, texts = [*self.signature.columns, self.target], _texts(self.signature, self.target)
        for part in self.files.parts(names, texts, self.within):
            targets, kept = told(part.columns.pop(self.target), self.classes)
            yield coded(part.columns, self.signature, gaps, kept), targets, part.before + np.flatnonzero(kept)

    def _drawn(self, numbers: Array) -> Array:
        """Which of the rows of these numbers are held out."""
        share, seed = self.held_out or (0.0, 0)
        return drawn(seed, numbers, share)

    def _copied(self, gaps: Gaps) -> tuple[ShuffledCopy, Array, Array]:
        """The shuffled copy, and the coded rows and targets that are held out. A row of the copy ends in its target: a
        label, or a measurement standardised, so that float32 loses nothing of it that could be told."""
        width = len(self.signature.columns) + 1
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
        rest = np.empty((0, len(self.signature.columns) + 1), np.float32)
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
        return Dataset(expanded(rows, self.signature), targets, self.signature, self.name)


def stream(
    path: Source,
    target: str | None = None,
    *,
    like: Signature | None = None,
    task: Task | None = None,
    progress: Progress | None = None,
) -> Stream:
    """The examples in a Parquet or Arrow file, or in a folder of such files, however large.

    target    the name of the target column
    like      the signature of a trained network, which then decides what the inputs are, and its target's name
    task      "classes" or "measurement", where the rule should not decide (see `answers`)
    progress  is called with ("surveyed" or "shuffled", rows done, rows in all)

    Reads every row once (with `like` its target only). Raises what `table` raises.
    """
    return surveyed(path, target, like=like, task=task, progress=progress).stream()


@dataclass
class Surveyed:
    """What was learnt of the columns from all rows, or from some: then it is put together with what others found."""

    files: ArrowFiles
    target: str
    like: Signature | None
    survey: Survey
    answers: TargetSurvey
    progress: Progress | None

    def merge(self, survey: Survey, answers: TargetSurvey) -> None:
        """Take in what was found in other rows."""
        self.survey.merge(survey)
        self.answers.merge(answers)

    def stream(self) -> Stream:
        """The stream of all rows."""
        files, like, answers = self.files, self.like, self.answers
        signature, notes = (like, ()) if like else self.survey.signature(files.path)
        classes = like.classes if like else answers.classes()
        if not answers.count:
            raise without_a_value(self.target)
        left_out = files.rows - answers.count
        return Stream(
            files=files,
            signature=like or replace(signature, classes=classes, target=self.target),
            target=self.target,
            name=files.path.name,
            notes=((f"rows left out, without a target: {left_out:,}",) if left_out else ()) + notes,
            rows=answers.count,
            counts=None if classes is None else tuple(answers.class_counts[name] for name in classes),
            center=0.0 if classes else answers.moments.mean,
            spread=1.0 if classes else answers.moments.spread or 1.0,
            progress=self.progress,
        )


def surveyed(
    path: Source,
    target: str | None = None,
    *,
    like: Signature | None = None,
    task: Task | None = None,
    progress: Progress | None = None,
    share: tuple[int, int] = (0, 1),
) -> Surveyed:
    """What the columns hold in share k of n of the rows: (k, n), a stretch of rows that follow one another."""
    check_task(task)
    files = ArrowFiles.open(path)
    rows = share_of(files.rows, *share)
    target = target_name(path, files.kinds, target or (like.target if like else None))
    if like is not None:
        check_columns(path, list(files.kinds), like)
        task = "classes" if like.classes else "measurement"
    survey, answers = Survey(), TargetSurvey(target, task)
    survey.add({name: Column(name, np.empty(0), other=what) for name, what in files.others.items() if name != target})
    names = [name for name in files.kinds if name not in files.others or name == target] if like is None else [target]
    for part in files.parts(names, None if like is None else _texts(like, target), rows):
        column = part.columns.pop(target)
        answers.add(column)
        survey.add(part.columns, ~column.missing)
        if progress is not None:
            progress("surveyed", part.before + part.rows, files.rows)
    return Surveyed(files, target, like, survey, answers, progress)


def share_of(rows: int, k: int, n: int) -> range:
    """The k-th of n stretches of so many rows, about as long as the others."""
    return range(rows * k // n, rows * (k + 1) // n)


@dataclass(frozen=True)
class Rows:
    """The inputs in a Parquet or Arrow data set for the network whose signature `like` is; targets are passed over.

    Iterate over it for arrays (n, fan_in), in the order of the files. `gaps` counts cells without an input meanwhile.
    """

    files: ArrowFiles
    like: Signature
    rows: range
    gaps: Gaps = field(default_factory=Gaps)

    @classmethod
    def of(cls, path: Source, like: Signature, share: tuple[int, int] = (0, 1)) -> "Rows":
        """All of them, or share k of n: (k, n). Raises what `table_inputs` raises."""
        files = ArrowFiles.open(path)
        check_columns(path, list(files.kinds), like)
        return cls(files, like, share_of(files.rows, *share))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Array]:
        for part in self.files.parts(list(self.like.columns), _texts(self.like), self.rows):
            yield expanded(coded(part.columns, self.like, self.gaps), self.like)


def is_streamed(path: Source) -> bool:
    """Whether the command reads this as a stream: folders of tables, Arrow files, and Parquet files of more than
    `CELLS_STREAMED` cells."""
    if os.path.isdir(path):
        return is_folder_of_tables(path)
    kind = kind_of(path) if os.path.exists(path) else None
    if kind == "parquet":
        files = ArrowFiles.open(path)
        return files.rows * len(files.kinds) > CELLS_STREAMED
    return kind == "arrow"


def _texts(signature: Signature, target: str | None = None) -> list[str]:
    """The columns that are text, whatever their cells look like."""
    texts = [name for name, known in signature.columns.items() if known is not None]
    return texts + ([target] if target is not None and signature.classes is not None else [])
