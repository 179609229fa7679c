"""Training over many processes and machines, on torch.distributed (the extra `torch`).

    with distributed.joined() as world:
        for epoch in distributed.epochs(world, network, data): ...

started as `torchrun --nproc-per-node 2 script.py`. `world` is how processes meet, agree and fail; `team` how they share
a batch; `running` the run; `reading` gives each its own part of a Parquet data set. `sharded` is for networks that no
process holds, `shards` their files. docs/scaling.md says what to expect of it.
"""

from glassnet.distributed.reading import read
from glassnet.distributed.running import epochs
from glassnet.distributed.world import World, WorldError, joined, restarted

__all__ = ["World", "WorldError", "epochs", "joined", "read", "restarted"]
