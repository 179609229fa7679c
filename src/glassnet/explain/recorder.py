"""A tape in the recorder: an engine that does as another one does, and keeps what its trainer comes to on the way.

It goes between a `Run` and its engine, where all that has to be known passes by: the learning rate and the loss of
every batch, and the state after any of them. What it keeps stays within a number of bytes: as it fills, first the
optimizer's memory is kept more seldom, then every second snapshot is let go, and from then on every second one taken.

Knows the engine's verbs only, imports nothing else of `explain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from glassnet.arrays import Array, readonly
from glassnet.engines.base import Engine, Examples, Plan, State, Trainer

SELDOM = 8
"""At the most so many snapshots have one among them with the optimizer's memory, before snapshots themselves go."""


class Snapshot(NamedTuple):
    """The parameters (total,) after so many steps, and the optimizer's memory where it was kept (else None)."""

    step: int
    parameters: Array
    slots: tuple[Array, ...] | None

    @property
    def bytes(self) -> int:
        return int(self.parameters.nbytes) + sum(slot.nbytes for slot in self.slots or ())


@dataclass
class _Kept:
    number: int
    snapshot: Snapshot


class Tape:
    """Snapshots every `gap` steps (a number from 1 up, not always whole), the first and the last always among them."""

    def __init__(self, gap: float, room: int) -> None:
        self.gap, self.room = gap, room
        self.learning_rates: list[float] = []
        self.losses: list[float] = []
        self.first_step = 0
        self.trainer: Trainer | None = None
        self._kept: list[_Kept] = []
        self._stride, self._slots_stride = 1, 1

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        return tuple(kept.snapshot for kept in self._kept)

    def next_moment(self, step: int) -> int:
        """The first step after this one at which a snapshot is taken."""
        number = int(step / self.gap)
        while round(number * self.gap) <= step:
            number += 1
        return round(number * self.gap)

    def start(self, state: State) -> None:
        """Begin where a run begins, or goes on."""
        self.first_step = state.step
        self._kept = []
        self.keep(state.copy())

    def end(self) -> None:
        """Keep what the run has come to."""
        if self.trainer is not None:
            self.keep(self.trainer.state())

    def keep(self, state: State) -> None:
        """Take a snapshot of a state that nobody will change, unless it is there already or no longer finite."""
        last = self._kept[-1] if self._kept else None
        if (last and last.snapshot.step == state.step) or not np.isfinite(state.parameters).all():
            return
        slots = tuple(readonly(slot) for slot in state.slots) if state.step else ()  # at first they are all zero
        snapshot = Snapshot(state.step, readonly(state.parameters), slots)
        self._kept.append(_Kept(last.number + 1 if last else 0, snapshot))
        self._thin()

    def _thin(self) -> None:
        last = self._kept[-1]
        self._kept = [k for k in self._kept if k is last or k.number % self._stride == 0]
        for kept in self._kept[1:-1]:
            if kept.number % (self._stride * self._slots_stride) and kept.snapshot.slots:
                kept.snapshot = kept.snapshot._replace(slots=None)
        if sum(kept.snapshot.bytes for kept in self._kept) > self.room and len(self._kept) > 2:
            if self._slots_stride < SELDOM and any(kept.snapshot.slots for kept in self._kept[1:-1]):
                self._slots_stride *= 2
            else:
                self._stride *= 2
            self._thin()


class TapedEngine:
    """`engine`, with the trainers that it starts on tape."""

    def __init__(self, engine: Engine, tape: Tape) -> None:
        self._engine, self._tape = engine, tape

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._engine, verb)

    def trainer(self, plan: Plan, examples: Examples, state: State) -> "TapedTrainer":
        self._tape.start(state)
        self._tape.trainer = self._engine.trainer(plan, examples, state)
        return TapedTrainer(self._tape.trainer, self._tape, plan.batch_size, state.step)


class TapedTrainer:
    """A trainer that stops at each moment of the tape for a snapshot, and goes on."""

    def __init__(self, trainer: Trainer, tape: Tape, batch_size: int, step: int) -> None:
        self._trainer, self._tape, self._batch_size, self._step = trainer, tape, batch_size, step

    @property
    def about_inputs(self) -> str:
        return self._trainer.about_inputs

    def run(self, order: Array, learning_rates: Sequence[float]) -> list[float]:
        losses: list[float] = []
        while len(losses) < len(learning_rates):
            done = len(losses)
            until = min(len(learning_rates), done + self._tape.next_moment(self._step) - self._step)
            part = order[done * self._batch_size : until * self._batch_size]
            got = self._trainer.run(part, learning_rates[done:until])
            losses += got
            taken = got if isfinite(got[-1]) else got[:-1]  # the step of a loss that is not finite is not taken
            self._tape.learning_rates.extend(learning_rates[done : done + len(taken)])
            self._tape.losses.extend(taken)
            self._step += len(taken)
            if len(taken) < until - done:
                break
            if self._tape.next_moment(self._step - 1) == self._step:
                self._tape.keep(self._trainer.state())
        return losses

    def state(self) -> State:
        return self._trainer.state()
