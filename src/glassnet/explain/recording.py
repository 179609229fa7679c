"""Training seen: what a network was after any batch of its run, and which batch moved a weight.

    recording = record(training.epochs(network, data, seed=0), "run.recording")
    recording.at(3, 120)                   the network after batch 120 of epoch 3, to the bit

A run is a function of its settings, so not every step has to be kept: a recording has some snapshots, and the learning
rate of every batch; what lies between is computed again from the nearest snapshot before it, by the engine that did it
the first time. Imports `tape` and `places` of `explain`.

Epochs count from 1, as in `Epoch.number`, and so do batches: `at(3, 0)` is before the first batch of epoch 3, the same
as `at(2)`, and `at(0)` is the start.
"""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from glassnet import arithmetic
from glassnet.architecture import Architecture, human_bytes
from glassnet.arrays import Array, readonly
from glassnet.engines.base import Engine, State, Trainer
from glassnet.errors import AddressError, FileError, SettingError, sentence
from glassnet.explain.parameter_index import Place, index_of
from glassnet.explain.recorder import Snapshot, Tape, TapedEngine
from glassnet.files import own_format
from glassnet.network import Network
from glassnet.random import epoch_order
from glassnet.schema import Schema
from glassnet.trace import check_address
from glassnet.training.history import Epoch, History
from glassnet.training.run import DivergedError, Run

ROOM = 8_000_000
"""How many bytes of snapshots are kept: as many as 784-16-16-10 makes in 50 epochs with Adam."""


@dataclass(frozen=True)
class Move:
    """One batch's effect on one parameter: `batch` counts from 1, `examples` are the rows of the data that it saw."""

    batch: int
    before: float
    after: float
    loss: float
    learning_rate: float
    examples: tuple[int, ...]

    @property
    def change(self) -> float:
        return self.after - self.before

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "change": self.change, "examples": list(self.examples)}


@dataclass(frozen=True, eq=False)
class Movers:
    """One parameter over one epoch: `values` (batches + 1,), before the first batch and after each, and the `moves`
    that lead from one to the next."""

    name: str
    epoch: int
    values: Array
    moves: tuple[Move, ...] = field(repr=False)

    @property
    def changes(self) -> Array:
        """How far each batch moved it, (batches,)."""
        return np.diff(self.values.astype(np.float64))

    def strongest(self, n: int = 10) -> list[Move]:
        """The `n` batches that moved it most, either way, largest first."""
        order = np.argsort(-np.abs(self.changes), kind="stable")[: max(n, 0)]
        return [self.moves[i] for i in order]

    def as_dict(self) -> dict[str, Any]:
        """Every value, and the ten batches that moved it most, as plain values for JSON."""
        strongest = [move.as_dict() for move in self.strongest()]
        return {"name": self.name, "epoch": self.epoch, "values": self.values.tolist(), "strongest": strongest}

    def written(self, top: int = 8) -> str:
        """From the value before to the value after, the strongest moves singly and the others added up."""
        shown = self.strongest(top)
        others = len(self.moves) - len(shown)
        terms: list[arithmetic.Line] = [("before", float(self.values[0]))]
        terms += [(f"batch {move.batch}, loss {move.loss:.4g}", move.change) for move in shown]
        text = arithmetic.written(
            heading=f"{self.name}, epoch {self.epoch}",
            sums=[(terms, f"{others:,} more batches" if others else "", ("after", float(self.values[-1])))],
            result=("moved in all", float(self.values[-1]) - float(self.values[0])),
        )
        return "\n".join([text, *(_examples(move) for move in shown[:3])])

    def __str__(self) -> str:
        return self.written()


@dataclass(frozen=True, eq=False)
class Recording:
    """A run, as it was.

    start           the network it began with: structure, schema, numbers
    history         the figures of its epochs; `ended` tells why it ended
    snapshots       what was kept: parameters after so many steps, some with the optimizer's memory
    batches         how many there are in an epoch
    first_step      the step it begins with: 0, or where a resumed run went on
    learning_rates  of every batch, (steps,), and `losses`, each before its own step
    settings        all that its bits depend on, and `engine`, which did it
    run             the run, from which steps are computed again; None for one that was loaded without it
    """

    start: Network
    history: History = field(repr=False)
    ended: str
    snapshots: tuple[Snapshot, ...] = field(repr=False)
    batches: int
    first_step: int
    learning_rates: Array = field(repr=False)
    losses: Array = field(repr=False)
    settings: dict[str, Any] = field(repr=False)
    engine: str
    run: Run | None = field(default=None, repr=False)

    # What it was after any batch

    def at(self, epoch: int, batch: int | None = None) -> Network:
        """The network after this epoch, or after so many batches of it: the bits that it had then.

        Raises `AddressError` outside of what was recorded, `SettingError` where steps would have to be computed again
        and the run is not there.
        """
        step = self._step(epoch, batch)
        for snapshot in self.snapshots:
            if snapshot.step == step:
                return self._network(snapshot.parameters)
        return self._network(self._trainer_at(step).state().parameters)

    def movers(self, layer: int, neuron: int, input: int | None, epoch: int) -> Movers:
        """Which batches of an epoch moved this weight, or (with None for the input) the neuron's bias, and how far."""
        index = index_of(self.start, layer, neuron, input)
        begin, end = self._step(epoch, 0), self._step(epoch, None)
        if end == begin:
            first = self.first_step // self.batches + 1
            raise AddressError(f"no batches in epoch {epoch}: the recording has batches from epoch {first} on")
        run, trainer = self._needed_run(), self._trainer_at(begin)
        size = run.plan.batch_size
        values = [trainer.state().parameters[index]]
        moves = []
        for step, rows in self._batches(run, begin, end, 1):
            (loss,) = trainer.run(rows, self._rates(step, step + 1))
            values.append(trainer.state().parameters[index])
            before, after = float(values[-2]), float(values[-1])
            rate = float(self.learning_rates[step - self.first_step])
            moves.append(Move(step - begin + 1, before, after, loss, rate, tuple(rows[:size].tolist())))
        names = self.start.trace(np.zeros(self.start.sizes[0])).input_names(layer)
        name = f"neuron {layer}:{neuron}, {Place(layer, neuron, input).name(names)}"
        return Movers(name, epoch, readonly(np.array(values)), tuple(moves))

    def template_over_time(self, layer: int, neuron: int) -> Array:
        """A neuron's weights in each snapshot, (snapshots, fan_in); `times` says when these were taken."""
        check_address(layer, neuron, self.start.sizes[1:])
        shape = self.start.architecture.layers[layer]
        row = slice(shape.start + neuron * shape.fan_in, shape.start + (neuron + 1) * shape.fan_in)
        return np.stack([snapshot.parameters[row] for snapshot in self.snapshots])

    def bias_over_time(self, layer: int, neuron: int) -> Array:
        """A neuron's bias in each snapshot, (snapshots,)."""
        index = index_of(self.start, layer, neuron, None)
        return np.array([snapshot.parameters[index] for snapshot in self.snapshots])

    @property
    def times(self) -> Array:
        """When the snapshots were taken, in epochs (2.5 is halfway through the third), (snapshots,)."""
        return np.array([snapshot.step / self.batches for snapshot in self.snapshots])

    @property
    def figures(self) -> dict[str, list[Any]]:
        """The figures of the epochs, each as a list over them: number, loss, learning_rate, seconds, validation_..."""
        rows = self.history.as_dict()
        return {key: [row.get(key) for row in rows] for key in dict.fromkeys(key for row in rows for key in row)}

    @property
    def network(self) -> Network:
        """The last snapshot."""
        return self._network(self.snapshots[-1].parameters)

    @property
    def bytes(self) -> int:
        """What it takes on disk, but for the description."""
        return sum(s.bytes for s in self.snapshots) + self.learning_rates.nbytes + self.losses.nbytes

    # Steps computed again

    def with_run(self, run: Run) -> "Recording":
        """The same with the run it is of, as `training.epochs` makes it from the same settings and data, so that steps
        can be computed again. Raises `SettingError` for another run."""
        ours = _settings(run)
        differing = [key for key in ours if ours[key] != self.settings.get(key)]
        if differing:
            key = differing[0]
            raise SettingError(
                f"this run has {key} {ours[key]!r}; the recording has {self.settings.get(key)!r}",
                help="create the run with the settings and data of the recording",
            )
        if run.chosen_engine.name != self.engine:
            raise SettingError(
                f"this run uses the engine {run.chosen_engine.name}; the recording was made on {self.engine}, and "
                "engines round differently",
                help=f"training.epochs(..., engine={self.engine!r})",
            )
        return replace(self, run=run)

    def verify(self) -> None:
        """Compute the whole run again from its start, and raise `SettingError` unless all snapshots come out to the
        bit."""
        self._trainer_at(self.first_step + len(self.losses), self.snapshots[0])

    def _trainer_at(self, step: int, start: Snapshot | None = None) -> Trainer:
        """A trainer of this run that has come to this step."""
        run = self._needed_run()
        if start is None:
            start = [s for s in self.snapshots if s.step <= step and s.slots is not None][-1]
        assert start.slots is not None
        assert run.examples is not None  # `record` takes no streams
        state = State(start.parameters, list(start.slots), start.step)
        trainer = run.chosen_engine.trainer(run.plan, run.examples, state)
        stops = [s for s in self.snapshots if start.step < s.step < step]
        at = start.step
        for stop in [*(s.step for s in stops), step]:
            for begin, rows in self._batches(run, at, stop, self.batches):
                count = -(-len(rows) // run.plan.batch_size)
                trainer.run(rows, self._rates(begin, begin + count))
            at = stop
            self._check(trainer, at)
        return trainer

    def _check(self, trainer: Trainer, step: int) -> None:
        kept = [s for s in self.snapshots if s.step == step]
        if kept and not np.array_equal(kept[0].parameters, trainer.state().parameters):
            raise SettingError(
                f"the parameters after {step:,} steps differ from the recording: steps repeat to the bit only "
                "with the same engine on the same machine",
                help="replay it where it was recorded, or record it again here",
            )

    def _batches(self, run: Run, begin: int, end: int, at_once: int) -> Iterator[tuple[int, Array]]:
        """The rows that the steps from `begin` to `end` see, so many batches at once, never across epochs."""
        size = run.plan.batch_size
        while begin < end:
            epoch = begin // self.batches
            order = epoch_order(run.plan.seed, epoch, len(run.data))
            last = min(end, (epoch + 1) * self.batches)
            while begin < last:
                until = min(last, begin + at_once)
                first = epoch * self.batches
                yield begin, order[(begin - first) * size : (until - first) * size]
                begin = until

    def _rates(self, begin: int, end: int) -> list[float]:
        rates: list[float] = self.learning_rates[begin - self.first_step : end - self.first_step].tolist()
        return rates

    def _needed_run(self) -> Run:
        if self.run is None:
            raise SettingError(
                "steps between snapshots can only be computed with the run",
                help="Recording.load(path, training.epochs(network, data, ...)) with the settings of the recording",
            )
        return self.run

    def _network(self, parameters: Array) -> Network:
        return replace(self.start, parameters=readonly(parameters))

    def _steps_of(self, epoch: int) -> int:
        """How many batches of this epoch were recorded."""
        return max(0, self.first_step + len(self.losses) - (epoch - 1) * self.batches)

    def _step(self, epoch: int, batch: int | None) -> int:
        """How many steps were taken then."""
        first, steps = self.first_step // self.batches, self.first_step + len(self.losses)
        last = -(-steps // self.batches)
        if not _is_whole(epoch) or not first <= epoch <= last:
            raise AddressError(f"no epoch {epoch} in the recording: expected one from {first} to {last}")
        most = min(self.batches, self._steps_of(epoch)) if epoch > first else 0
        if batch is None:
            batch = most
        if not _is_whole(batch) or not 0 <= batch <= most:
            raise AddressError(
                f"epoch {epoch} has no batch {batch}: expected one from 0 to {most}",
                help="batches count from 1; 0 is the state before the first",
            )
        return epoch * self.batches if epoch == first else (epoch - 1) * self.batches + batch

    # Files and looks

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as safetensors, all or nothing; raises `FileError`."""
        with_slots = [i for i, snapshot in enumerate(self.snapshots) if snapshot.slots is not None]
        tensors = {
            "parameters": np.stack([snapshot.parameters for snapshot in self.snapshots]),
            "learning_rates": self.learning_rates,
            "losses": self.losses,
        }
        for i in with_slots:
            for number, slot in enumerate(self.snapshots[i].slots or ()):
                tensors[f"slots.{i}.{number}"] = np.asarray(slot)
        own_format.write(
            path,
            {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()},
            {
                "kind": "recording",
                "sizes": self.start.sizes,
                "activations": self.start.architecture.activations,
                "schema": self.start.schema.as_dict(),
                "steps": [snapshot.step for snapshot in self.snapshots],
                "with_slots": with_slots,
                "batches": self.batches,
                "first_step": self.first_step,
                "history": self.history.as_dict(),
                "ended": self.ended,
                "settings": self.settings,
                "engine": self.engine,
            },
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str], run: Run | None = None) -> "Recording":
        """The recording in a file that `save` wrote; with its run, steps can be computed again (see `with_run`).

        Raises `FileError`, and `SettingError` for another run.
        """
        tensors, description = own_format.read(path, "recording")
        try:
            architecture = Architecture.of(description["sizes"], description["activations"])
            with_slots = set(description["with_slots"])
            snapshots = []
            for i, (step, parameters) in enumerate(zip(description["steps"], tensors["parameters"], strict=True)):
                slots = None
                if i in with_slots:
                    count = sum(name.startswith(f"slots.{i}.") for name in tensors)
                    slots = tuple(readonly(tensors[f"slots.{i}.{number}"]) for number in range(count))
                snapshots.append(Snapshot(int(step), readonly(parameters), slots))
            recording = cls(
                start=Network(architecture, snapshots[0].parameters, Schema.from_dict(description["schema"])),
                history=History(Epoch(**figures) for figures in description["history"]),
                ended=str(description["ended"]),
                snapshots=tuple(snapshots),
                batches=int(description["batches"]),
                first_step=int(description["first_step"]),
                learning_rates=readonly(tensors["learning_rates"]),
                losses=readonly(tensors["losses"]),
                settings=dict(description["settings"]),
                engine=str(description["engine"]),
            )
        except (KeyError, TypeError, ValueError, IndexError) as problem:
            raise FileError(
                f"{path} is damaged: its tensors do not match its description ({sentence(problem)})",
                help="record the run again",
            ) from problem
        return recording if run is None else recording.with_run(run)

    def as_dict(self) -> dict[str, Any]:
        """The figures, and when snapshots were taken, as plain values for JSON."""
        return {
            "figures": self.figures,
            "times": self.times.tolist(),
            "batches": self.batches,
            "losses": self.losses.tolist(),
            "ended": self.ended,
            "bytes": self.bytes,
        }

    def __str__(self) -> str:
        """Snapshot by snapshot (some 20 of them) the loss on the way there, and how far the parameters moved."""
        steps = len(self.losses)
        count = len(self.snapshots)
        lines = [
            f"recording of {self.start.architecture}: {steps:,} steps, {steps / self.batches:.4g} epochs of "
            f"{self.batches:,} batches",
            f"{count:,} snapshot{'s' * (count > 1)}, {human_bytes(self.bytes)}; {self.ended}",
        ]
        shown = self.snapshots[:: -(-count // 20)]
        if shown[-1] is not self.snapshots[-1]:
            shown = (*shown, self.snapshots[-1])
        lines.append(f"{'after epoch':>13}  {'loss':>10}  {'moved':>10}  {'from start':>10}")
        for i, snapshot in enumerate(shown):
            row = f"{snapshot.step / self.batches:13.4g}"
            if i:
                before = shown[i - 1]
                losses = self.losses[before.step - self.first_step : snapshot.step - self.first_step]
                row += f"  {losses.mean():10.4f}"
                row += f"  {_distance(snapshot, before):10.4g}"
                row += f"  {_distance(snapshot, self.snapshots[0]):10.4g}"
            lines.append(row)
        return "\n".join(lines)


def record(run: Run, path: str | os.PathLike[str] | None = None, every: float = 1.0, room: int = ROOM) -> Recording:
    """Run it to its end (or, where it was begun, on to its end), and give the recording.

    run    as `training.epochs` gives it
    path   where the recording is written, at once and when the run has ended, however it did
    every  how many epochs there are between two snapshots: 5, 1, 0.1
    room   how many bytes of snapshots are kept at the most; as they become more, they are thinned out

    A run that is interrupted or diverges is recorded as far as it came, with a warning. Raises `SettingError` and
    `FileError`.
    """
    if isinstance(every, bool) or not isinstance(every, int | float | np.number) or not 0 < every < float("inf"):
        raise SettingError(f"every must be a number of epochs above 0, got {every!r}")
    if run.examples is None:
        raise SettingError(
            "a run on a stream cannot be recorded: its batches cannot be computed again",
            help="record a run on data in memory, such as a part that stream.split holds out",
        )
    batches = -(-len(run.data) // run.plan.batch_size)
    tape = Tape(max(1.0, every * batches), room)
    engine = run.chosen_engine
    taped = TapedEngine(engine, tape)
    start = run.network
    tape.start(run.state)
    if path is not None:  # an unwritable place is found before the work, not after it
        _recording(run, start, tape, batches, engine.name, "not begun").save(path)
    run.chosen_engine = cast(Engine, taped)
    try:
        for _ in run:
            pass
        ended = run.ended
    except KeyboardInterrupt:
        ended = "interrupted"
        warnings.warn("interrupted: the recording ends with its last snapshot", stacklevel=2)
    except DivergedError as problem:
        ended = f"diverged: {problem.problem}"
        warnings.warn(f"the run diverged ({problem.problem}): the recording ends there", stacklevel=2)
    finally:
        run.chosen_engine = engine
    if ended != "interrupted":  # then a step may be half done
        tape.end()
    recording = _recording(run, start, tape, batches, engine.name, ended)
    if path is not None:
        recording.save(Path(path))
    return recording


def _recording(run: Run, start: Network, tape: Tape, batches: int, engine: str, ended: str) -> Recording:
    return Recording(
        start=replace(start, parameters=tape.snapshots[0].parameters),
        history=run.history,
        ended=ended,
        snapshots=tape.snapshots,
        batches=batches,
        first_step=tape.first_step,
        learning_rates=readonly(np.array(tape.learning_rates)),
        losses=readonly(np.array(tape.losses)),
        settings=_settings(run),
        engine=engine,
        run=run,
    )


def _settings(run: Run) -> dict[str, Any]:
    """All that the bits of a run depend on, as plain values: what its checkpoints say."""
    return run.settings()


def _examples(move: Move) -> str:
    shown = ", ".join(f"{row}" for row in move.examples[:8])
    more = f" and {len(move.examples) - 8} more" if len(move.examples) > 8 else ""
    return f"  batch {move.batch} saw examples {shown}{more}"


def _distance(a: Snapshot, b: Snapshot) -> float:
    return float(np.linalg.norm(a.parameters.astype(np.float64) - b.parameters))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
