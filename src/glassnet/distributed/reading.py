"""Read a Parquet or Arrow data set in parts, one for each process, and merge what they find out about the rows.

Means, standard deviations, categories and classes are merged from all processes. The rows held out for validation are
few, and every process gets all of them.
"""

from dataclasses import replace
from functools import reduce

from glassnet.data.access import Source
from glassnet.data.dataset import Dataset
from glassnet.data.partition import Partition
from glassnet.data.streams import Surveyed, surveyed
from glassnet.distributed.process_group import ProcessGroup


def read(
    group: ProcessGroup, path: Source, target: str | None, holdout: float, seed: int = 0
) -> tuple[Partition, Dataset]:
    """Read this process's part of a data set.

    Parameters
    ----------
    group : ProcessGroup
    path : str or path
        File or folder of Parquet or Arrow files.
    target : str or None
        Column to predict.
    holdout : float
        Share of the rows to hold out.
    seed : int, default 0
        Seed of the held-out rows.

    Returns
    -------
    Partition
        This process's part of the examples.
    Dataset
        All held-out rows.

    Raises
    ------
    InputError
        If a part has no rows; also the errors of `data.stream`, on all processes.

    Examples
    --------
    >>> from glassnet import distributed
    >>> with distributed.joined() as group:                # doctest: +SKIP
    ...     part, held_out = distributed.read(group, "trips.parquet", "fare", 0.1)
    """
    share = (group.rank, group.size)
    with group.collective():
        mine = surveyed(path, target, share=share)
    found = [
        replace(mine, survey=survey, answers=answers)
        for survey, answers in group.all_gather((mine.survey, mine.answers))
    ]
    with group.collective():
        whole = reduce(_merged, found).stream()
        part, held = Partition.of(whole, *share, holdout, seed)
    counts = group.all_gather(len(part.own()) if len(part.here[0]) else 0)
    parts = group.all_gather(held)
    with group.collective():
        part = part.placed(group.rank, counts)
        return part, part.held(parts)


def _merged(first: Surveyed, then: Surveyed) -> Surveyed:
    first.merge(then.survey, then.answers)
    return first
