"""Fully sharded training: every process has some rows of each layer, of its gradient and of the optimizer's slots.

torch's `fully_shard` gathers the rows of a layer while it computes. The network is created on the meta device, without
memory; each process then fills in its own rows, with the numbers that `Network.create` draws. Steps, settings and
measures are those of `training.epochs`; files are those of `sharded_files`.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import distribute_tensor

from glassnet.architecture import Architecture
from glassnet.arrays import Array
from glassnet.data.dataset import Dataset
from glassnet.distributed.gradient_exchange import GradientExchange
from glassnet.distributed.process_group import ProcessGroup
from glassnet.engines.base import Examples, Plan
from glassnet.engines.torch_formulas import Dense, slots
from glassnet.engines.torch_formulas import optimizer as torch_optimizer
from glassnet.engines.torch_inputs import batches
from glassnet.engines.torch_steps import Steps, losses_of
from glassnet.errors import GlassnetError
from glassnet.initializers import fitting, initializer
from glassnet.losses import Loss, default_loss
from glassnet.losses import loss as known_loss
from glassnet.names import DEFAULT_OPTIMIZER
from glassnet.optimizers import Optimizer
from glassnet.optimizers import optimizer as known_optimizer
from glassnet.random import epoch_order
from glassnet.schedules import Schedule
from glassnet.schedules import schedule as known_schedule
from glassnet.training.history import Epoch, History

ROWS_AT_ONCE = 4096


@dataclass
class ShardedRun:
    """A run over the processes of a group; `train` yields its epochs, on all of them.

    Parameters
    ----------
    group : ProcessGroup
    plan : Plan
        Its architecture is that of the network; its seed is also that of the start values.
    learning_rate : float
        At the peak of the schedule.
    schedule : Schedule
    epochs : int
    dtype : {"float32", "float64"}
    device : str
        Of this process.
    """

    group: ProcessGroup
    plan: Plan
    learning_rate: float
    schedule: Schedule
    epochs: int
    dtype: str = "float32"
    device: str = "cpu"
    history: History = field(default_factory=History, init=False)

    def __post_init__(self) -> None:
        self.exchange = GradientExchange(self.group, self.device)
        self.module = _created(self.plan, self.dtype, self.device)
        self.optimizer = torch_optimizer(self.plan.optimizer, self.module.parameters(), fused=False)
        for parameter in self.module.parameters():
            for name in slots(self.plan.optimizer):
                self.optimizer.state[parameter] |= {name: torch.zeros_like(parameter), "step": torch.tensor(0.0)}
        self.step = 0

    def tensors(self) -> dict[str, Tensor]:
        """Tensors of the network and slots of the optimizer, by name; each process has some rows of each."""
        found: dict[str, Tensor] = {}
        for name, parameter in self.module.named_parameters():
            found[name] = parameter.detach()
            for slot, theirs in zip(self.plan.optimizer.slots, slots(self.plan.optimizer), strict=True):
                found[f"optimizer.{slot}.{name}"] = self.optimizer.state[parameter][theirs]
        return found

    def settings(self, data: Dataset) -> dict[str, Any]:
        """Everything that determines the run, as plain values; not the number of processes."""
        names = ("loss", "optimizer", "schedule")
        parts = {name: f"{getattr(self.plan, name, None) or self.schedule}" for name in names}
        plan = {f.name: getattr(self.plan, f.name) for f in fields(self.plan) if f.name not in (*names, "architecture")}
        shape = {"sizes": list(self.plan.architecture.sizes), "activations": list(self.plan.architecture.activations)}
        rest = {"learning_rate": self.learning_rate, "dtype": self.dtype, "examples": len(data)}
        epochs = {"epochs": self.epochs} if self.schedule.needs_length else {}
        return {**shape, **parts, **plan, "dropout": list(self.plan.dropout), **rest, **epochs}

    def resume(self, step: int, history: History) -> None:
        """Continue from this step; the tensors have been loaded."""
        self.step, self.history = step, history
        for memory in self.optimizer.state.values():
            if "step" in memory:
                memory["step"] = torch.tensor(float(step))

    def train(self, data: Dataset, validation: Dataset | None = None) -> Iterator[Epoch]:
        """Yield the remaining epochs. Raises `GlassnetError` if the loss is not finite."""
        dtype = next(self.module.parameters()).dtype
        examples = Examples(*data.network_inputs, self._targets(data))
        bring, _ = batches(examples, torch.device(self.device), dtype)
        steps = Steps(self.plan, self.module, self.optimizer, bring, self.exchange, step=self.step)
        size, count = self.plan.batch_size, -(-len(data) // self.plan.batch_size)
        while len(self.history) < self.epochs:
            started, done = time.perf_counter(), len(self.history)
            schedule = self.schedule
            for epoch in self.history:
                schedule = schedule.observe(epoch.loss if epoch.validation_loss is None else epoch.validation_loss)
            rates = [self.learning_rate * schedule.factor(done + batch / count, self.epochs) for batch in range(count)]
            losses = steps.run(epoch_order(self.plan.seed, done, len(data)), rates)
            if not isfinite(losses[-1]):
                raise GlassnetError(
                    f"training diverged in epoch {done + 1}: the loss is {losses[-1]}",
                    help="lower the learning rate or clip the gradient; the last checkpoint is kept",
                )
            self.step = steps.step
            sizes = [size] * (count - 1) + [len(data) - size * (count - 1)]
            loss, accuracy = self.figures(validation) if validation is not None else (None, None)
            epoch = Epoch(
                number=done + 1,
                loss=float(np.average(losses, weights=sizes)),
                learning_rate=rates[-1],
                seconds=time.perf_counter() - started,
                validation_loss=loss,
                validation_accuracy=accuracy,
            )
            self.history = History((*self.history, epoch))
            yield epoch

    @torch.no_grad()
    def figures(self, data: Dataset) -> tuple[float, float | None]:
        """Loss and, for classes, accuracy over all of the data; each process evaluates its own rows."""
        dtype = next(self.module.parameters()).dtype
        examples = Examples(*data.network_inputs, self._targets(data))
        bring, _ = batches(examples, torch.device(self.device), dtype)
        sums = torch.zeros(2, dtype=torch.float64)
        parts = [np.arange(i, min(i + ROWS_AT_ONCE, len(data))) for i in range(0, len(data), ROWS_AT_ONCE)]
        for batch in bring(part[self.exchange.mine(len(part))] for part in parts):
            logits = self.plan.loss.reads_logits(self.plan.architecture.activations[-1])
            sums[0] += losses_of(self.module, batch, self.plan.loss, logits)[0].sum().double().cpu()
            if data.classes and batch.targets.ndim == 1:
                sums[1] += (self.module(batch.inputs).argmax(dim=1) == batch.targets).sum().cpu()
        loss, right = (self.exchange.total(sums)() / len(data)).tolist()
        return loss, right if data.classes else None

    def _targets(self, data: Dataset) -> Array:
        return self.plan.loss.targets(data.targets, self.plan.architecture.sizes[-1], self.dtype)


def of_settings(
    group: ProcessGroup,
    architecture: Architecture,
    data: Dataset,
    *,
    epochs: int = 15,
    batch_size: int = 64,
    optimizer: str | Optimizer = DEFAULT_OPTIMIZER,
    learning_rate: float | None = None,
    schedule: str | Schedule = "one_cycle",
    loss: str | Loss | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    dropout: float = 0.0,
    clip_norm: float | None = None,
    seed: int = 0,
    dtype: str = "float32",
    device: str | None = None,
) -> ShardedRun:
    """The run with these settings, which mean what they mean to `training.epochs`."""
    rule = known_optimizer(optimizer)
    kind = (
        known_loss(loss) if loss else default_loss(data.targets, architecture.sizes[-1], architecture.activations[-1])
    )
    return ShardedRun(
        group=group,
        plan=Plan(
            architecture=architecture,
            loss=kind,
            optimizer=rule,
            batch_size=batch_size,
            l1=l1,
            l2=l2,
            dropout=(dropout,) * (len(architecture.layers) - 1),
            clip_norm=clip_norm,
            seed=seed,
        ),
        learning_rate=rule.default_learning_rate if learning_rate is None else learning_rate,
        schedule=known_schedule(schedule),
        epochs=epochs,
        dtype=dtype,
        device=device or "cpu",
    )


def _created(plan: Plan, dtype: str, device: str) -> Dense:
    """The sharded network, each process's rows filled in."""
    module = Dense(plan.architecture, getattr(torch, dtype))
    for layer in module.layers:
        fully_shard(layer)
    fully_shard(module)
    module.to_empty(device=device)
    random = np.random.default_rng(plan.seed)
    for layer, name in zip(module.linear, plan.architecture.activations, strict=True):
        weights = initializer(fitting(name))(random, layer.in_features, layer.out_features)
        _fill(layer.weight, torch.from_numpy(weights.astype(dtype)))
        _fill(layer.bias, torch.zeros(layer.out_features, dtype=getattr(torch, dtype)))
    return module


@torch.no_grad()
def _fill(own: Any, whole: Tensor) -> None:
    """Copy this process's rows of the whole, which every process has drawn alike."""
    own.copy_(distribute_tensor(whole.to(own.device), own.device_mesh, own.placements, src_data_rank=None))
