"""Data larger than memory: Parquet and Arrow files for training, evaluation and prediction, one block at a time.

`stream` reads everything once, for the means, spreads, texts and classes; these follow the rules of tables in memory
(see `survey` and `answers`), but that a column of strings is text even where all of them read as numbers.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from glassnet.arrays import Array
from glassnet.data.access import Source, kind_of
from glassnet.data.arrow_files import ArrowFiles, is_folder_of_tables
from glassnet.data.column_statistics import Survey
from glassnet.data.columns import Column
from glassnet.data.encoding import Gaps, check_columns, coded, expanded
from glassnet.data.stream_dataset import Progress, Stream, texts_of
from glassnet.data.targets import TargetSurvey, Task, check_task, target_name, without_a_value
from glassnet.schema import Schema

CELLS_STREAMED = 1 << 26
"""A Parquet file of more cells is streamed by the command: as numbers they would fill half a GiB, and reading takes
about three times that. The rule looks at the file alone, so that the same command gives the same network anywhere."""


def stream(
    path: Source,
    target: str | None = None,
    *,
    like: Schema | None = None,
    task: Task | None = None,
    progress: Progress | None = None,
) -> Stream:
    """Open a Parquet or Arrow data set of any size as a stream.

    Every row is read once (with `like` its target only).

    Parameters
    ----------
    path : str or path
        A file, or a folder of files.
    target : str, optional
        Column to predict.
    like : Schema, optional
        Schema of a trained network, which then determines the inputs and the name of the target.
    task : {"classes", "measurement"}, optional
        Kind of the target; by default decided by its values.
    progress : callable, optional
        Called with ("surveyed" or "shuffled", rows done, all rows).

    Returns
    -------
    Stream

    Raises
    ------
    FileError, SettingError, InputError, MissingExtra
        As `table`.

    Examples
    --------
    >>> import glassnet as gn
    >>> train, test = gn.data.stream("trips/", "fare").split(0.01)       # doctest: +SKIP
    """
    return surveyed(path, target, like=like, task=task, progress=progress).stream()


@dataclass
class Surveyed:
    """What was learnt of the columns from all rows, or from some: then it is put together with what others found."""

    files: ArrowFiles
    target: str
    like: Schema | None
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
        schema, notes = (like, ()) if like else self.survey.schema(files.path)
        classes = like.classes if like else answers.classes()
        if not answers.count:
            raise without_a_value(self.target)
        left_out = files.rows - answers.count
        return Stream(
            files=files,
            schema=like or replace(schema, classes=classes, target=self.target),
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
    like: Schema | None = None,
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
    for part in files.parts(names, None if like is None else texts_of(like, target), rows):
        column = part.columns.pop(target)
        answers.add(column)
        survey.add(part.columns, ~column.missing)
        if progress is not None:
            progress("surveyed", part.before + part.rows, files.rows)
    return Surveyed(files, target, like, survey, answers, progress)


def share_of(rows: int, k: int, n: int) -> range:
    """The k-th of n stretches of `rows` rows, about equally long."""
    return range(rows * k // n, rows * (k + 1) // n)


@dataclass(frozen=True)
class Rows:
    """The inputs in a Parquet or Arrow data set for the network whose schema `like` is; targets are passed over.

    Iterate over it for arrays (n, fan_in), in the order of the files. `gaps` counts cells without an input meanwhile.
    """

    files: ArrowFiles
    like: Schema
    rows: range
    gaps: Gaps = field(default_factory=Gaps)

    @classmethod
    def of(cls, path: Source, like: Schema, share: tuple[int, int] = (0, 1)) -> "Rows":
        """All of them, or share k of n: (k, n). Raises what `table_inputs` raises."""
        files = ArrowFiles.open(path)
        check_columns(path, list(files.kinds), like)
        return cls(files, like, share_of(files.rows, *share))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Array]:
        for part in self.files.parts(list(self.like.columns), texts_of(self.like), self.rows):
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
