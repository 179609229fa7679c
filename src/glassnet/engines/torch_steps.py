"""A training step on PyTorch's tensors, whether one process takes it or many take it together.

    forward, backward, penalties, clipping, update        in the order and the words of the reference engine

A `GradientExchange` may divide a batch among processes. Each sums the losses of its own rows; since the gradients that
come back are the mean over all processes, that sum counts times processes / examples: the step is that of the whole
batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from math import isfinite
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.arrays import Array
from glassnet.engines.base import Plan
from glassnet.engines.torch_formulas import dropout_mask, example_losses, example_weights
from glassnet.engines.torch_inputs import Batch
from glassnet.losses import Loss


class GradientExchange(Protocol):
    """The processes that compute one batch together."""

    @property
    def size(self) -> int: ...

    def share(self, rows: Array) -> tuple[Array, Array]:
        """Of a batch's rows, those computed here: their positions in the batch, their indices in our examples."""
        ...

    def mine(self, count: int) -> slice:
        """Of so many rows, those computed here when all are only asked about."""
        ...

    def gather(self, part: Tensor, count: int) -> Tensor:
        """Everybody's outputs for their own of so many rows, in the order of the rows."""
        ...

    def total(self, number: Tensor) -> Callable[[], Tensor]:
        """Begin to add up everybody's number; what is given back waits for the sum."""
        ...

    def parallel(self, module: nn.Module) -> nn.Module:
        """The module, so wrapped that gradients become the mean of everybody's."""
        ...


class Alone:
    """A exchange of one."""

    size = 1

    def share(self, rows: Array) -> tuple[Array, Array]:
        return np.arange(len(rows)), rows

    def mine(self, count: int) -> slice:
        return slice(count)

    def gather(self, part: Tensor, count: int) -> Tensor:
        return part

    def total(self, number: Tensor) -> Callable[[], Tensor]:
        return lambda: number

    def parallel(self, module: nn.Module) -> nn.Module:
        return module


def losses_of(
    module: nn.Module, batch: Batch, loss: Loss, logits: bool, kept: Sequence[Tensor | None] = ()
) -> tuple[Tensor, Tensor | None]:
    """The losses of the examples, (n,), and the sum of what they count for (None: each counts 1)."""
    outputs = module(batch.inputs, kept, logits).to(batch.inputs.dtype)
    losses = example_losses(loss, outputs, batch.targets)
    if batch.weights is not None:
        losses = losses * batch.weights
    counts = example_weights(loss, batch.targets, batch.weights, outputs)
    return losses, None if counts is None else counts.sum()


def back(losses: Tensor, each: float) -> None:
    """Leave the gradient of the losses' sum, times `each`, with the parameters."""
    torch.autograd.backward(losses, losses.new_tensor(each).expand_as(losses))


class Steps:
    """Steps on a module by an optimizer; `begin` gives the `Batch` of each of some index arrays."""

    def __init__(
        self,
        plan: Plan,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        begin: Callable[[Iterable[Array]], Iterator[Batch]],
        exchange: GradientExchange,
        bfloat16: bool = False,
        step: int = 0,
    ) -> None:
        self._plan, self._module, self._optimizer, self._exchange = plan, module, optimizer, exchange
        self._begin, self._bfloat16, self.step = begin, bfloat16, step
        self._logits = plan.loss.reads_logits(plan.architecture.activations[-1])
        self._weights = [parameter for parameter in module.parameters() if parameter.ndim == 2]

    def run(self, order: Array, learning_rates: Sequence[float]) -> list[float]:
        size = self._plan.batch_size
        rows = [order[batch * size : (batch + 1) * size] for batch in range(len(learning_rates))]
        shares = [self._exchange.share(batch) for batch in rows]
        losses: list[float] = []
        batches = self._begin(own for _, own in shares)
        for batch, whole, (positions, _), rate in zip(batches, rows, shares, learning_rates, strict=True):
            losses.append(self._gradient(batch, len(whole), positions))
            if not isfinite(losses[-1]):
                break
            self._update(rate)
        return losses

    def _gradient(self, batch: Batch, rows: int, positions: Array) -> float:
        """Everybody's mean gradient, left with the parameters, and the loss of the whole batch."""
        plan = self._plan
        self._optimizer.zero_grad()
        with torch.autocast(batch.inputs.device.type, torch.bfloat16) if self._bfloat16 else nullcontext():
            kept = self._masks(batch.inputs, positions)
            losses, counted = losses_of(self._module, batch, plan.loss, self._logits, kept)
        count = float(rows) if counted is None else self._exchange.total(counted)().item()
        total = self._exchange.total(losses.detach().sum())
        back(losses, self._exchange.size / count if count else 0.0)
        return total().item() / count if count else 0.0

    def _masks(self, like: Tensor, positions: Array) -> list[Tensor | None]:
        plan = self._plan
        return [
            dropout_mask((plan.seed, self.step, layer), positions, width, rate, like) if rate else None
            for layer, (width, rate) in enumerate(zip(plan.architecture.sizes[1:-1], plan.dropout, strict=False))
        ]

    @torch.no_grad()
    def _update(self, learning_rate: float) -> None:
        plan = self._plan
        if plan.l1 or any(plan.l2_of_layers):
            for weights, l2 in zip(self._weights, plan.l2_of_layers, strict=True):
                assert weights.grad is not None
                weights.grad += l2 * weights + plan.l1 * weights.sign()
        if plan.clip_norm is not None:
            nn.utils.clip_grad_norm_(self._module.parameters(), plan.clip_norm)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate
        self._optimizer.step()
        self.step += 1
