"""`training.epochs` over many processes: the same settings on all, the same steps, one checkpoint.

Every process goes through the same run. Rank 0 alone reads and writes the checkpoint and is told of the progress; what
it took up from there it gives to the others, so that hosts need not share a disk.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.distributed as dist

from glassnet import __version__, training
from glassnet.data.partition import Partition
from glassnet.distributed.gradient_exchange import GradientExchange
from glassnet.distributed.process_group import ProcessGroup, restarted
from glassnet.engines.base import State
from glassnet.engines.torch import Torch
from glassnet.network import Network
from glassnet.training.history import Epoch, History
from glassnet.training.run import Run


def epochs(
    group: ProcessGroup,
    network: Network,
    data: Any,
    *,
    device: str | None = None,
    bfloat16: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> Run:
    """Train, one `Epoch` at a time, with the processes of `group`, all of which call this with the same arguments.

    Settings are those of `training.epochs`, but for `engine`: it is torch, on this process's `device`. The network
    after each epoch is that of one process (up to rounding), whatever their number, and on all of them the same.
    A run that torchrun has started again goes on from its checkpoint. Raises what `training.epochs` raises, on all
    processes, and `SettingError` where settings or data differ between them.
    """
    first = group.rank == 0
    own = range(data.start, data.start + len(data.here[1])) if isinstance(data, Partition) else None
    with group.collective():
        run = training.epochs(
            network,
            data,
            engine=Torch(device or "cpu", bfloat16, exchange=GradientExchange(group, device or "cpu", own)),
            checkpoint=checkpoint if first else None,
            resume=resume or restarted(),
            progress=progress if first else None,
            **settings,
        )
    group.check_same({"glassnet": __version__, "torch": str(torch.__version__), **run.settings()})
    _broadcast_state(run, group)
    return run


def _broadcast_state(run: Run, group: ProcessGroup) -> None:
    """Give all what rank 0 has taken up from its checkpoint."""
    state = run.state
    step, slots, history = group.all_gather((state.step, len(state.slots), run.history.as_dict()))[0]
    if not step:
        return
    vectors = [run.network.parameters, state.parameters, *state.slots]
    if group.rank:
        vectors = [np.empty_like(state.parameters) for _ in range(2 + slots)]
    tensors = [torch.from_numpy(vector.copy()) for vector in vectors]
    for tensor in tensors:
        dist.broadcast(tensor, src=0)
    kept, parameters, *memory = (tensor.numpy() for tensor in tensors)
    run.state = State(parameters, memory, step)
    run.history = History(Epoch(**figures) for figures in history)
    run.network = run.network.with_parameters(kept)
