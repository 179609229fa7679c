"""Data-parallel steps: each process computes a part of the rows of a batch, and gradients are averaged.

The distribution of rows does not change the step, up to rounding: N processes take the steps that one would take.
DistributedDataParallel sends the gradients of the last layers while those of the first are computed.
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from glassnet.arrays import Array
from glassnet.distributed.process_group import ProcessGroup

BUCKET_MB = 4.0
"""Least size in MiB of the buckets of gradients. With the default of torch, 25, a smaller network is sent in
one bucket, after the backward pass instead of during it."""


class GradientExchange:
    """Rows of each batch in equal, neighbouring parts, where every process has all examples.

    If the examples are partitioned, `own` are the numbers of those on this process: it then computes the rows of each
    batch that it has. In a batch of n over N processes these are n / N, give or take sqrt(n / N).
    """

    def __init__(self, group: ProcessGroup, device: str = "cpu", own: range | None = None) -> None:
        self.rank, self.size, self.own = group.rank, group.size, own
        self._device = torch.device(device)

    def mine(self, count: int) -> slice:
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def share(self, rows: Array) -> tuple[Array, Array]:
        if self.own is None:
            positions = np.arange(len(rows))[self.mine(len(rows))]
            return positions, rows[positions]
        positions = np.flatnonzero((rows >= self.own.start) & (rows < self.own.stop))
        return positions, rows[positions] - self.own.start

    def gather(self, part: Tensor, count: int) -> Tensor:
        padded = part.new_zeros(-(-count // self.size), *part.shape[1:])
        padded[: len(part)] = part
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(parts, padded)
        lengths = [count * (rank + 1) // self.size - count * rank // self.size for rank in range(self.size)]
        return torch.cat([found[:length] for found, length in zip(parts, lengths, strict=True)])

    def total(self, number: Tensor) -> Callable[[], Tensor]:
        number = number.clone()
        work = dist.all_reduce(number, async_op=True)

        def wait() -> Tensor:
            work.wait()
            return number

        return wait

    def parallel(self, module: nn.Module) -> nn.Module:
        return DistributedDataParallel(
            module,
            device_ids=[self._device] if self._device.type == "cuda" else None,
            bucket_cap_mb=BUCKET_MB,
            gradient_as_bucket_view=True,
        )
