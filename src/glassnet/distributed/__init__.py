"""Training over many processes and machines, on torch.distributed (the extra `torch`).

    with distributed.joined() as group:
        for epoch in distributed.epochs(group, network, data): ...
 started as `torchrun --nproc-per-node 2 script.py`. In `process_group` processes meet, agree and fail;
`gradient_exchange` divides a batch among them, `running` is the run, and `reading` gives each its part of a Parquet
data set. `sharded` is for networks that exceed the memory of a process, `sharded_files` their files. docs/scaling.md
has measured figures.
"""

from glassnet.distributed.process_group import ProcessGroup, ProcessGroupError, joined, restarted
from glassnet.distributed.reading import read
from glassnet.distributed.running import epochs

__all__ = ["ProcessGroup", "ProcessGroupError", "epochs", "joined", "read", "restarted"]
