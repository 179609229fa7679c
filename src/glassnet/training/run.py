"""The training loop: epochs of gradient steps, with validation, early stopping and checkpoints.

A run is a function of its settings: the order of an epoch and the dropout masks of a step are computed from the seed
(see `random`), and schedule and early stopping from the losses so far. So a checkpoint needs the parameters, the
optimizer's slots and the history, and a run that was killed at any moment and resumed ends with the same bits as one
that was not.
"""

import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, is_dataclass, replace
from math import fsum, isfinite
from pathlib import Path
from typing import Any

import numpy as np

from glassnet import engines
from glassnet.arrays import Array, is_sparse, readonly
from glassnet.data.dataset import Dataset
from glassnet.data.partition import Partition
from glassnet.data.stream_dataset import Stream
from glassnet.engines.base import Engine, Examples, Plan, State, Trainer
from glassnet.errors import GlassnetError, SettingError
from glassnet.evaluation import evaluate, weighted_mean
from glassnet.files import outputs, own_format
from glassnet.files.kinds import CHECKPOINT
from glassnet.files.locking import locked
from glassnet.network import Network
from glassnet.opening import quoted
from glassnet.render.document import Document, Record
from glassnet.render.parts import Section, Text
from glassnet.schedules import Schedule
from glassnet.training.feeding import FromMemory, FromStream, examples
from glassnet.training.history import Epoch, History
from glassnet.training.target_scaling import Unit

SECONDS_BETWEEN_REPORTS = 0.05
"""Time that an engine runs before progress is reported and Ctrl-C is handled."""


class DivergedError(GlassnetError, ArithmeticError):
    """The loss became NaN or infinite. `network` and `history` are those of the last good epoch."""

    def __init__(self, problem: str, help: str, network: Network, history: History) -> None:
        super().__init__(problem, help=help)
        self.network, self.history = network, history


@dataclass
class Run(Record):
    """A run in progress, made by `training.epochs`: iterate over it for its epochs, and stop at any time.

    Attributes
    ----------
    network : Network
        The best network so far with early stopping, else the last.
    history : History
        All epochs, including those before a resume.
    ended : str
        Why it ended, once it has.
    engine_choice : str
        Which engine computes it, and why.
    about_inputs : str
        How the engine stores the inputs, once it has begun.
    examples : Examples or None
        The engine's training data; None for a stream, whose blocks come one by one.
    state : State
        Parameters, slots and step after the last finished epoch.
    """

    start: Network
    data: Dataset | Stream
    sample_weights: Array | None
    validation: Dataset | Stream | None
    plan: Plan
    learning_rate: float
    schedule: Schedule
    epochs: int
    patience: int | None
    engine: str | Engine
    device: str | None
    checkpoint: Path | None
    resume: bool
    restart: bool
    progress: Callable[[int, int], None] | None
    callbacks: tuple[Callable[[Epoch], object], ...] = ()
    unit: Unit | None = None
    history: History = field(default_factory=History, init=False)
    ended: str = field(default="interrupted", init=False)

    def __post_init__(self) -> None:
        own = self.data.own() if isinstance(self.data, Partition) else self.data
        if isinstance(own, Dataset):
            dtype = self.start.dtype
            weights = None if self.sample_weights is None else self.sample_weights.astype(dtype)
            self.examples: Examples | None = examples(self.plan, own, weights, dtype)
        else:
            self.examples = None
        self.state = State(self.start.parameters)
        self._stopping = False
        self.network = self._in_unit(self.start)
        self.chosen_engine, self.engine_choice = engines.choose(
            self.engine,
            self.plan.architecture,
            self.start.dtype,
            self.device,
            self.plan.batch_size,
            self.plan.loss,
            self.plan.optimizer,
        )
        self.about_inputs = ""
        if self.checkpoint is not None:
            self._open_checkpoint(self.checkpoint)

    def document(self) -> Document:
        """What is trained by which engine, and the epochs so far."""
        figures = self.history.document()
        return Document(repr(self), [Text(self.engine_choice), Section(figures.title, figures.parts)])

    def __repr__(self) -> str:
        return f"Run({self.start.architecture}, {self.data.name}, {len(self.history)} of {self.epochs} epochs)"

    def stop(self) -> None:
        """Ask a run that another thread iterates over to end; it does within a fraction of a second."""
        self._stopping = True

    def __iter__(self) -> Iterator[Epoch]:
        with nullcontext() if self.checkpoint is None else locked(self.checkpoint):
            yield from self._all_epochs()

    def _all_epochs(self) -> Iterator[Epoch]:
        feeding = self._feeding()
        self.about_inputs = feeding.about_inputs
        while len(self.history) < self.epochs and not self._out_of_patience():
            epoch = self._epoch(feeding)
            if epoch is None:
                return
            self.history = History((*self.history, replace(epoch, network=None)))
            if self.patience is None or epoch.best:
                self.network = epoch.network or self.network
            if self.checkpoint is not None:
                self._save_checkpoint()
            enough = [callback(epoch) is True for callback in self.callbacks]  # all of them are called
            yield epoch
            if any(enough):
                self.ended = "stopped by a callback"
                return
        self.ended = "stopped early" if self._out_of_patience() else "all epochs done"

    def _feeding(self) -> FromMemory | FromStream:
        if isinstance(self.data, Stream) and not isinstance(self.data, Partition):
            return FromStream(self.chosen_engine, self.plan, self.data, self.state)
        assert self.examples is not None
        return FromMemory(self.chosen_engine, self.plan, self.examples, self.state, len(self.data))

    def _epoch(self, feeding: FromMemory | FromStream) -> Epoch | None:
        """One epoch; None if it was stopped."""
        started = time.perf_counter()
        done = len(self.history)
        size = self.plan.batch_size
        batches = -(-len(self.data) // size)
        schedule = self._schedule_so_far()

        means: list[tuple[float, int]] = []  # the mean loss of each stretch, and over how many examples
        first = 0
        for trainer, order in feeding.passes(done):
            last = first - (-len(order) // size)
            rates = [
                self.learning_rate * schedule.factor(done + batch / batches, self.epochs)
                for batch in range(first, last)
            ]
            seen: list[float] = []
            for losses in batch_losses(trainer, order, rates, size):
                seen += losses
                if not np.isfinite(losses[-1]):
                    raise self._diverged(f"the loss is {losses[-1]}", first + len(seen), rates[len(seen) - 1])
                if self.progress is not None:
                    self.progress(first + len(seen), batches)
                if self._stopping and first + len(seen) < batches:
                    return None
            means.append((mean_loss(seen, size, len(order)), len(order)))
            first = last

        self.state = feeding.state()
        if not np.isfinite(self.state.parameters).all():
            raise self._diverged("parameters are NaN or infinite", batches, rates[-1])
        network = replace(self.start, parameters=readonly(self.state.parameters))
        validation_loss = validation_accuracy = None
        if self.validation is not None:
            figures = evaluate(network, self.validation, self.plan.loss, self.chosen_engine)
            validation_loss, validation_accuracy = figures.loss, figures.accuracy
        return Epoch(
            number=done + 1,
            loss=weighted_mean(means),
            learning_rate=rates[-1],
            seconds=time.perf_counter() - started,
            validation_loss=validation_loss,
            validation_accuracy=validation_accuracy,
            best=validation_loss is not None and validation_loss < self._best_so_far(),
            network=self._in_unit(network),
        )

    def _in_unit(self, network: Network) -> Network:
        """The network that gives its outputs in the unit of the targets."""
        return network if self.unit is None else self.unit.restore(network)

    def _diverged(self, what: str, batch: int, rate: float) -> DivergedError:
        remedies = f"lower the learning rate (now {rate:g}) or clip the gradient with clip_norm"
        done = len(self.history)
        kept = f"the network of epoch {done} is kept" if done else "the network it started from is kept"
        return DivergedError(
            f"training diverged in epoch {done + 1}, batch {batch}: {what}",
            f"{remedies}; {kept}",
            self.network,
            self.history,
        )

    # What follows from the history

    def _schedule_so_far(self) -> Schedule:
        schedule = self.schedule
        for epoch in self.history:
            schedule = schedule.observe(epoch.loss if epoch.validation_loss is None else epoch.validation_loss)
        return schedule

    def _best_so_far(self) -> float:
        losses = [epoch.validation_loss for epoch in self.history if epoch.validation_loss is not None]
        return min(losses, default=float("inf"))

    def _out_of_patience(self) -> bool:
        if self.patience is None or len(self.history) <= self.patience:
            return False
        return not any(epoch.best for epoch in self.history[-self.patience :])

    # The checkpoint

    def _open_checkpoint(self, path: Path) -> None:
        """Go on from a checkpoint, or find out before the work whether one can be written."""
        outputs.check(path, CHECKPOINT)
        if not path.exists():
            self._save_checkpoint()
        elif self.resume:
            self._resume(path)
        elif not self.restart:
            raise SettingError(
                f"the checkpoint {quoted(path)} is there already: a new run would replace it",
                help="continue its run with resume=True (--resume), or start anew with restart=True (--restart)",
            )

    def _save_checkpoint(self) -> None:
        assert self.checkpoint is not None
        slots = {
            f"optimizer.{name}": slot for name, slot in zip(self.plan.optimizer.slots, self.state.slots, strict=False)
        }
        own_format.write(
            self.checkpoint,
            {"parameters": self.state.parameters, "best": self.network.parameters, **slots},
            {
                "kind": "checkpoint",
                "settings": self.settings(),
                "step": self.state.step,
                "history": self.history.as_dict(),
            },
        )

    def _resume(self, path: Path) -> None:
        tensors, description = own_format.read(path, "checkpoint")
        theirs, ours = description["settings"], self.settings()
        differing = [key for key in ours if theirs.get(key) != ours[key]]
        if differing:
            key = differing[0]
            raise SettingError(
                f"the checkpoint {path} belongs to a run with {key} {theirs.get(key)!r}, not {ours[key]!r}"
                + (f" (also different: {', '.join(differing[1:])})" if differing[1:] else ""),
                help="resume with the settings and data of that run, or name another checkpoint",
            )
        slots = [tensors[f"optimizer.{name}"] for name in self.plan.optimizer.slots if f"optimizer.{name}" in tensors]
        self.state = State(tensors["parameters"], slots, description["step"])
        self.history = History(Epoch(**figures) for figures in description["history"])
        self.network = replace(self.network, parameters=tensors["best"])

    def settings(self) -> dict[str, Any]:
        """Everything that determines the bits of a run, as plain values."""
        plan = self.plan
        settings: dict[str, Any] = {
            "sizes": list(plan.architecture.sizes),
            "activations": list(plan.architecture.activations),
            "start": zlib.crc32(self.start.parameters.data),
            "dtype": self.start.dtype,
            "loss": _plain(plan.loss),
            "optimizer": _plain(plan.optimizer),
            "learning_rate": self.learning_rate,
            "schedule": _plain(self.schedule),
            "batch_size": plan.batch_size,
            "l1": plan.l1,
            "l2": list(plan.l2) if isinstance(plan.l2, tuple) else plan.l2,
            "dropout": list(plan.dropout),
            "clip_norm": plan.clip_norm,
            "seed": plan.seed,
            "patience": self.patience,
            "data": _fingerprint(self.data, self.sample_weights),
            "validation data": None if self.validation is None else _fingerprint(self.validation, None),
        }
        if self.unit is not None:
            settings["target scaling"] = [self.unit.center.tolist(), self.unit.spread.tolist()]
        if self.schedule.needs_length:
            settings["epochs"] = self.epochs
        return settings


def batch_losses(
    trainer: Trainer, order: Array, learning_rates: Sequence[float], batch_size: int, at_once: int = 1
) -> Iterator[list[float]]:
    """Losses of one pass over `order`, as they are computed.

    The engine runs for about `SECONDS_BETWEEN_REPORTS` at a time, at first for `at_once` batches; each time the losses
    of these batches are yielded. A loss that is not finite is the last one.
    """
    batch = 0
    while batch < len(learning_rates):
        looked = time.perf_counter()
        part = slice(batch * batch_size, (batch + at_once) * batch_size)
        losses = trainer.run(order[part], learning_rates[batch : batch + at_once])
        yield losses
        if not isfinite(losses[-1]):
            return
        batch += len(losses)
        at_once = max(1, int(len(losses) * min(8.0, SECONDS_BETWEEN_REPORTS / (time.perf_counter() - looked + 1e-9))))


def mean_loss(losses: Sequence[float], batch_size: int, count: int) -> float:
    """Mean over all examples of losses that are means over batches, the last of which may be smaller.

    Summed exactly, so that it does not depend on how the epoch was divided.
    """
    last = count - batch_size * (len(losses) - 1)
    return fsum([*(loss * batch_size for loss in losses[:-1]), losses[-1] * last]) / count


def _plain(part: Any) -> list[Any]:
    """A loss, optimizer or schedule by name and settings, including those of a schedule within it."""
    settings = {f.name: getattr(part, f.name) for f in fields(part)}
    return [
        part.name,
        {
            k: _plain(v) if is_dataclass(v) else list(v) if isinstance(v, tuple) else _name(v)
            for k, v in settings.items()
        },
    ]


def _name(value: Any) -> Any:
    """A function of the user's by its name, any other setting as it is."""
    return f"{value.__module__}.{value.__qualname__}" if callable(value) else value


def _fingerprint(data: Dataset | Stream, weights: Array | None) -> list[int]:
    if isinstance(data, Stream):
        return data.fingerprint()
    inputs = data.inputs
    parts = [inputs.data, inputs.indices, inputs.indptr] if is_sparse(inputs) else [inputs]  # type: ignore[attr-defined]
    parts += [data.targets] + ([] if weights is None else [weights])
    return [len(data), *(zlib.crc32(np.ascontiguousarray(part).data) for part in parts)]
