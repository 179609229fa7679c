"""Engine wrapper that records parameter snapshots during training.

It stands between a `Run` and its engine, where everything passes that a recording needs: the learning rate and the loss
of every batch, and the state after any of them. Snapshots stay within a number of bytes. When they exceed it, first
optimizer slots are stored with fewer snapshots, then every second snapshot is dropped, and every second one from then
on.

Uses only the methods of an engine and imports nothing else of `explain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from glassnet.arrays import Array, readonly
from glassnet.engines.base import Engine, Examples, Plan, State, Trainer

MAX_SLOTS_STRIDE = 8
"""At least one of this many snapshots keeps its optimizer slots; beyond that whole snapshots are dropped."""


class Snapshot(NamedTuple):
    """The parameters (total,) after `step` steps, and the optimizer's slots if they were stored (else None)."""

    step: int
    parameters: Array
    slots: tuple[Array, ...] | None

    def __repr__(self) -> str:
        return f"Snapshot(step {self.step:,}, {self.bytes:,} bytes)"

    @property
    def bytes(self) -> int:
        return int(self.parameters.nbytes) + sum(slot.nbytes for slot in self.slots or ())


@dataclass
class _Entry:
    number: int
    snapshot: Snapshot


class SnapshotRecorder:
    """Snapshots every `gap` steps (1 or more, not always whole), always including the first and the last."""

    def __init__(self, gap: float, max_bytes: int) -> None:
        self.gap, self.max_bytes = gap, max_bytes
        self.learning_rates: list[float] = []
        self.losses: list[float] = []
        self.first_step = 0
        self.trainer: Trainer | None = None
        self._entries: list[_Entry] = []
        self._stride, self._slots_stride = 1, 1

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        return tuple(entry.snapshot for entry in self._entries)

    def next_snapshot(self, step: int) -> int:
        """The first step after this one at which a snapshot is taken."""
        number = int(step / self.gap)
        while round(number * self.gap) <= step:
            number += 1
        return round(number * self.gap)

    def start(self, state: State) -> None:
        """Begin with the state in which a run starts or resumes."""
        self.first_step = state.step
        self._entries = []
        self.add(state.copy())

    def end(self) -> None:
        """Add a snapshot of the final state."""
        if self.trainer is not None:
            self.add(self.trainer.state())

    def add(self, state: State) -> None:
        """Add a snapshot of a state that nothing will modify, unless it is present or no longer finite."""
        last = self._entries[-1] if self._entries else None
        if (last and last.snapshot.step == state.step) or not np.isfinite(state.parameters).all():
            return
        slots = tuple(readonly(slot) for slot in state.slots) if state.step else ()  # at first they are all zero
        snapshot = Snapshot(state.step, readonly(state.parameters), slots)
        self._entries.append(_Entry(last.number + 1 if last else 0, snapshot))
        self._thin()

    def _thin(self) -> None:
        last = self._entries[-1]
        self._entries = [k for k in self._entries if k is last or k.number % self._stride == 0]
        for entry in self._entries[1:-1]:
            if entry.number % (self._stride * self._slots_stride) and entry.snapshot.slots:
                entry.snapshot = entry.snapshot._replace(slots=None)
        if sum(entry.snapshot.bytes for entry in self._entries) > self.max_bytes and len(self._entries) > 2:
            if self._slots_stride < MAX_SLOTS_STRIDE and any(entry.snapshot.slots for entry in self._entries[1:-1]):
                self._slots_stride *= 2
            else:
                self._stride *= 2
            self._thin()


class RecordingEngine:
    """`engine`, with a recorder attached to the trainers that it starts."""

    def __init__(self, engine: Engine, recorder: SnapshotRecorder) -> None:
        self._engine, self._recorder = engine, recorder

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._engine, verb)

    def trainer(self, plan: Plan, examples: Examples, state: State) -> "RecordingTrainer":
        self._recorder.start(state)
        self._recorder.trainer = self._engine.trainer(plan, examples, state)
        return RecordingTrainer(self._recorder.trainer, self._recorder, plan.batch_size, state.step)


class RecordingTrainer:
    """A trainer that pauses for a snapshot wherever the recorder wants one."""

    def __init__(self, trainer: Trainer, recorder: SnapshotRecorder, batch_size: int, step: int) -> None:
        self._trainer, self._recorder, self._batch_size, self._step = trainer, recorder, batch_size, step

    @property
    def about_inputs(self) -> str:
        return self._trainer.about_inputs

    def run(self, order: Array, learning_rates: Sequence[float]) -> list[float]:
        losses: list[float] = []
        while len(losses) < len(learning_rates):
            done = len(losses)
            until = min(len(learning_rates), done + self._recorder.next_snapshot(self._step) - self._step)
            part = order[done * self._batch_size : until * self._batch_size]
            new = self._trainer.run(part, learning_rates[done:until])
            losses += new
            taken = new if isfinite(new[-1]) else new[:-1]  # a step whose loss is not finite is not applied
            self._recorder.learning_rates.extend(learning_rates[done : done + len(taken)])
            self._recorder.losses.extend(taken)
            self._step += len(taken)
            if len(taken) < until - done:
                break
            if self._recorder.next_snapshot(self._step - 1) == self._step:
                self._recorder.add(self._trainer.state())
        return losses

    def state(self) -> State:
        return self._trainer.state()
