"""`training.epochs` over many processes: the same settings on all, the same steps, one checkpoint.

Every process executes the same run. Rank 0 alone reads and writes the checkpoint and reports progress; it broadcasts a
resumed state, so that hosts need not share a disk.
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
    restart: bool = False,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> Run:
    """Train with the processes of a group, one `Epoch` at a time; all of them call it with the same arguments.

    The network after each epoch equals that of one process up to rounding, whatever their number, and is the same on
    all of them. A run that torchrun has restarted continues from its checkpoint.

    Parameters
    ----------
    group : ProcessGroup
    network : Network
        Start values.
    data : Dataset, Stream, Partition or pair (inputs, targets)
    device : str, optional
        Of this process.
    bfloat16 : bool, default False
        Compute products in bfloat16.
    checkpoint, resume, restart, progress
        As in `training.epochs`; used on rank 0.
    **settings
        The other settings of `training.epochs`, but `engine`, which is torch.

    Returns
    -------
    Run

    Raises
    ------
    SettingError
        If settings or data differ between processes; also the errors of `training.epochs`, on all processes.

    Examples
    --------
    >>> from glassnet import distributed
    >>> with distributed.joined() as group:                # doctest: +SKIP
    ...     for epoch in distributed.epochs(group, network, data, epochs=3):
    ...         print(epoch.loss)
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
            restart=restart,
            progress=progress if first else None,
            **settings,
        )
    group.check_same({"glassnet": __version__, "torch": str(torch.__version__), **run.settings()})
    _broadcast_state(run, group)
    return run


def _broadcast_state(run: Run, group: ProcessGroup) -> None:
    """Send the state that rank 0 resumed from its checkpoint to all processes."""
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
    best, parameters, *slots_of = (tensor.numpy() for tensor in tensors)
    run.state = State(parameters, slots_of, step)
    run.history = History(Epoch(**figures) for figures in history)
    run.network = run.network.with_parameters(best)
