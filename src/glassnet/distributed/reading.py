"""Each process reads its own part of a Parquet or Arrow data set; what they learn of the rows, they put together.

Means, spreads, texts and classes come from everybody's survey of its own rows. What is held out is small, and given to
all.
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
    """Our part of the examples in the files at `path`, and all that is held out for validation: a share of the rows.

    Raises what `data.stream` raises, on all processes, and `InputError` if a part has no rows.
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
    everybody = group.all_gather(held)
    with group.collective():
        part = part.placed(group.rank, counts)
        return part, part.held(everybody)


def _merged(first: Surveyed, then: Surveyed) -> Surveyed:
    first.merge(then.survey, then.answers)
    return first
