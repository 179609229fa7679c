"""Each process reads its own part of a Parquet or Arrow data set; what they learn of the rows, they put together.

Means, spreads, texts and classes come from everybody's survey of its own rows. What is held out is small, and given to
all.
"""

from dataclasses import replace
from functools import reduce

from glassnet.data.dataset import Dataset
from glassnet.data.opening import Source
from glassnet.data.shards import Shard
from glassnet.data.streams import Surveyed, surveyed
from glassnet.distributed.world import World


def read(world: World, path: Source, target: str | None, holdout: float, seed: int = 0) -> tuple[Shard, Dataset]:
    """Our part of the examples in the files at `path`, and all that is held out for validation: a share of the rows.

    Raises what `data.stream` raises, on all processes, and `InputError` if a part has no rows.
    """
    share = (world.rank, world.size)
    with world.together():
        mine = surveyed(path, target, share=share)
    found = [
        replace(mine, survey=survey, answers=answers)
        for survey, answers in world.everybody((mine.survey, mine.answers))
    ]
    with world.together():
        whole = reduce(_merged, found).stream()
        part, held = Shard.of(whole, *share, holdout, seed)
    counts = world.everybody(len(part.own()) if len(part.here[0]) else 0)
    everybody = world.everybody(held)
    with world.together():
        part = part.placed(world.rank, counts)
        return part, part.held(everybody)


def _merged(first: Surveyed, then: Surveyed) -> Surveyed:
    first.merge(then.survey, then.answers)
    return first
