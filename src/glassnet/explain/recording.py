"""A recording of a training run: the network after any batch, and the batches that changed a weight.

    recording = record(training.epochs(network, data, seed=0), "run.recording")
    recording.at(3, 120)                   the network after batch 120 of epoch 3, to the bit

A run is a function of its settings, so not every step has to be stored. A recording has some snapshots and the learning
rate of every batch; what lies between is computed again from the nearest snapshot before it, on the same engine.
Imports `recorder` and `parameter_index` of `explain`.

Epochs count from 1, as in `Epoch.number`, and so do batches: `at(3, 0)` is before the first batch of epoch 3, the same
as `at(2)`, and `at(0)` is the start.
"""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import fsum
from pathlib import Path
from typing import Any, cast

import numpy as np

from glassnet import arithmetic
from glassnet.architecture import Architecture, human_bytes
from glassnet.arrays import Array, readonly
from glassnet.engines.base import Engine, State, Trainer
from glassnet.errors import AddressError, FileError, SettingError, sentence
from glassnet.explain.parameter_index import Place, index_of
from glassnet.explain.recorder import RecordingEngine, Snapshot, SnapshotRecorder
from glassnet.files import own_format
from glassnet.network import Network
from glassnet.random import epoch_order
from glassnet.render.document import Document, Record, Rendered
from glassnet.render.parts import Column, Table, Text, Worked
from glassnet.schema import Schema
from glassnet.trace import check_address
from glassnet.training.history import Epoch, History
from glassnet.training.run import DivergedError, Run
from glassnet.training.target_scaling import Unit

MAX_BYTES = 8_000_000
"""Default memory for snapshots in bytes: what 784-16-16-10 needs for 50 epochs with Adam."""


@dataclass(frozen=True)
class Update(Record):
    """The effect of one batch on one parameter.

    Parameters
    ----------
    batch : int
        Number of the batch in its epoch, from 1.
    before, after : float
        The parameter before and after the batch.
    loss : float
        Loss of the batch, before the step.
    learning_rate : float
        Learning rate of the step.
    examples : tuple of int
        Rows of the data in the batch.
    """

    batch: int
    before: float
    after: float
    loss: float
    learning_rate: float
    examples: tuple[int, ...] = field(repr=False)

    @property
    def change(self) -> float:
        """`after - before`."""
        return self.after - self.before

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {**vars(self), "change": self.change, "examples": list(self.examples)}


@dataclass(frozen=True, eq=False)
class ParameterUpdates(Rendered):
    """One parameter over one epoch, as `Recording.updates` returns it.

    Parameters
    ----------
    name : str
        The parameter, such as `neuron 0:2, weight of input 1`.
    epoch : int
        Number of the epoch, from 1.
    values : ndarray of shape (batches + 1,)
        The parameter before the first batch and after each.
    updates : tuple of Update
        One for each batch.
    """

    name: str
    epoch: int
    values: Array
    updates: tuple[Update, ...] = field(repr=False)

    @property
    def changes(self) -> Array:
        """The change by each batch, of shape (batches,)."""
        return np.diff(self.values.astype(np.float64))

    def strongest(self, n: int = 10) -> list[Update]:
        """The `n` batches with the largest change of either sign, largest first."""
        order = np.argsort(-np.abs(self.changes), kind="stable")[: max(n, 0)]
        return [self.updates[i] for i in order]

    def as_dict(self) -> dict[str, Any]:
        """All values, and the ten batches with the largest change, as plain values for JSON."""
        strongest = [update.as_dict() for update in self.strongest()]
        return {"name": self.name, "epoch": self.epoch, "values": self.values.tolist(), "strongest": strongest}

    def document(self, top: int = 8) -> Document:
        """From the value before to the value after, the `top` largest changes singly and the others added up."""
        shown = self.strongest(top)
        others = len(self.updates) - len(shown)
        terms: list[arithmetic.Line] = [("before", float(self.values[0]))]
        terms += [(f"batch {update.batch}, loss {update.loss:.4g}", update.change) for update in shown]
        hidden = fsum([*self.changes.tolist(), *(-update.change for update in shown)])
        rows = arithmetic.rows(
            [
                arithmetic.Sum(
                    terms,
                    ("after", float(self.values[-1])),
                    (f"{others:,} more batches", hidden) if others else None,
                )
            ],
            ("moved in all", float(self.values[-1]) - float(self.values[0])),
        )
        return Document(
            f"{self.name}, epoch {self.epoch}", [Worked(rows), *(_examples(update) for update in shown[:3])]
        )

    def __repr__(self) -> str:
        return f"ParameterUpdates({self.name}, epoch {self.epoch}, {len(self.updates):,} batches)"


@dataclass(frozen=True, eq=False)
class Recording(Rendered):
    """A recorded training run; `record` makes one.

    Parameters
    ----------
    start : Network
        The network before the first step.
    history : History
        Losses and measures of each epoch.
    ended : str
        Why the run ended.
    snapshots : tuple of Snapshot
        Parameters after some of the steps, a part of them with the optimizer's slots.
    batches : int
        Number of batches in an epoch.
    first_step : int
        The first recorded step: 0, or the step at which a resumed run continued.
    learning_rates, losses : ndarray of shape (steps,)
        Learning rate of every step, and the loss of its batch before the step.
    settings : dict
        Everything that determines the bits of the run.
    engine : str
        Name of the engine that computed it.
    run : Run, optional
        The run, with which steps between snapshots are computed again; None if the recording was loaded without it.

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.xor(n=40, seed=0)
    >>> network = gn.Network.create("2-4-2", "tanh", output="softmax", seed=0)
    >>> recording = gn.explain.record(gn.training.epochs(network, data, epochs=2, batch_size=10, engine="reference"))
    >>> len(recording.snapshots), recording.batches
    (3, 4)
    >>> recording.at(0).parameters.tolist() == network.parameters.tolist()
    True
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

    # The network after any batch

    def at(self, epoch: int, batch: int | None = None) -> Network:
        """The network after an epoch, or after a batch of it, with the bits it had then.

        Parameters
        ----------
        epoch : int
            From 1; 0 is the start.
        batch : int, optional
            Number of batches of that epoch; by default all of them.

        Returns
        -------
        Network

        Raises
        ------
        AddressError
            If the epoch or batch was not recorded.
        SettingError
            If steps have to be computed again and the recording has no run.
        """
        step = self._step(epoch, batch)
        for snapshot in self.snapshots:
            if snapshot.step == step:
                return self._network(snapshot.parameters)
        return self._network(self._trainer_at(step).state().parameters)

    def updates(self, layer: int, neuron: int, input: int | None, epoch: int) -> ParameterUpdates:
        """What each batch of an epoch did to one parameter.

        Parameters
        ----------
        layer, neuron : int
            Address of the neuron, from 0.
        input : int or None
            The weight of this input; None for the bias.
        epoch : int
            From 1.

        Returns
        -------
        ParameterUpdates

        Raises
        ------
        AddressError
            If the parameter does not exist or the epoch has no recorded batches.
        SettingError
            If the recording has no run.
        """
        index = index_of(self.start, layer, neuron, input)
        begin, end = self._step(epoch, 0), self._step(epoch, None)
        if end == begin:
            first = self.first_step // self.batches + 1
            raise AddressError(f"no batches in epoch {epoch}: the recording has batches from epoch {first} on")
        run, trainer = self._needed_run(), self._trainer_at(begin)
        size = run.plan.batch_size
        values = [trainer.state().parameters[index]]
        updates = []
        for step, rows in self._batches(run, begin, end, 1):
            (loss,) = trainer.run(rows, self._rates(step, step + 1))
            values.append(trainer.state().parameters[index])
            before, after = float(values[-2]), float(values[-1])
            rate = float(self.learning_rates[step - self.first_step])
            updates.append(Update(step - begin + 1, before, after, loss, rate, tuple(rows[:size].tolist())))
        names = self.start.trace(np.zeros(self.start.sizes[0])).input_names(layer)
        name = f"neuron {layer}:{neuron}, {Place(layer, neuron, input).name(names)}"
        return ParameterUpdates(name, epoch, readonly(np.array(values)), tuple(updates))

    def template_over_time(self, layer: int, neuron: int) -> Array:
        """Weights of a neuron in each snapshot, of shape (snapshots, fan_in); `times` has the epochs."""
        check_address(layer, neuron, self.start.sizes[1:])
        shape = self.start.architecture.layers[layer]
        row = slice(shape.start + neuron * shape.fan_in, shape.start + (neuron + 1) * shape.fan_in)
        return np.stack([snapshot.parameters[row] for snapshot in self.snapshots])

    def bias_over_time(self, layer: int, neuron: int) -> Array:
        """Bias of a neuron in each snapshot, of shape (snapshots,)."""
        index = index_of(self.start, layer, neuron, None)
        return np.array([snapshot.parameters[index] for snapshot in self.snapshots])

    @property
    def times(self) -> Array:
        """Epoch of each snapshot, of shape (snapshots,); 2.5 is halfway through the third epoch."""
        return np.array([snapshot.step / self.batches for snapshot in self.snapshots])

    @property
    def figures(self) -> dict[str, list[Any]]:
        """The columns of the history, each as a list over the epochs: number, loss, learning_rate, ..."""
        rows = self.history.as_dict()
        return {key: [row.get(key) for row in rows] for key in dict.fromkeys(key for row in rows for key in row)}

    @property
    def network(self) -> Network:
        """The network of the last snapshot."""
        return self._network(self.snapshots[-1].parameters)

    @property
    def bytes(self) -> int:
        """Size on disk in bytes, without the description."""
        return sum(s.bytes for s in self.snapshots) + self.learning_rates.nbytes + self.losses.nbytes

    # Steps computed again

    def with_run(self, run: Run) -> "Recording":
        """The recording together with its run, so that steps can be computed again.

        Parameters
        ----------
        run : Run
            `training.epochs(...)` with the settings and data of the recorded run.

        Raises
        ------
        SettingError
            If settings, data or engine differ.
        """
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
        """Compute the whole run again and compare every snapshot.

        Raises
        ------
        SettingError
            If a snapshot differs in any bit, or the recording has no run.
        """
        self._trainer_at(self.first_step + len(self.losses), self.snapshots[0])

    def _trainer_at(self, step: int, start: Snapshot | None = None) -> Trainer:
        """A trainer of this run after `step` steps."""
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
        recorded = [s for s in self.snapshots if s.step == step]
        if recorded and not np.array_equal(recorded[0].parameters, trainer.state().parameters):
            raise SettingError(
                f"the parameters after {step:,} steps differ from the recording: steps repeat to the bit only "
                "with the same engine on the same machine",
                help="replay it where it was recorded, or record it again here",
            )

    def _batches(self, run: Run, begin: int, end: int, at_once: int) -> Iterator[tuple[int, Array]]:
        """The rows of the steps from `begin` to `end`, up to `at_once` batches at a time, never across epochs."""
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
        network = replace(self.start, parameters=readonly(parameters))
        scaling = self.settings.get("target scaling")
        return network if scaling is None else Unit(*(np.array(part) for part in scaling)).restore(network)

    def _steps_of(self, epoch: int) -> int:
        """Number of recorded batches of this epoch."""
        return max(0, self.first_step + len(self.losses) - (epoch - 1) * self.batches)

    def _step(self, epoch: int, batch: int | None) -> int:
        """Number of steps after this batch of this epoch."""
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

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the recording as safetensors, atomically.

        Parameters
        ----------
        path : str or path

        Raises
        ------
        FileError
            If the file cannot be written.
        """
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
        """Read a file that `save` wrote.

        Parameters
        ----------
        path : str or path
        run : Run, optional
            The run, so that steps can be computed again (see `with_run`).

        Raises
        ------
        FileError
            If the file cannot be read or is not a recording.
        SettingError
            If `run` is another run.
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
        """History and times of the snapshots, as plain values for JSON."""
        return {
            "figures": self.figures,
            "times": self.times.tolist(),
            "batches": self.batches,
            "losses": self.losses.tolist(),
            "ended": self.ended,
            "bytes": self.bytes,
        }

    def document(self) -> Document:
        """Snapshot by snapshot (some 20 of them) the loss on the way there, and how far the parameters moved."""
        steps, count = len(self.losses), len(self.snapshots)
        title = f"recording of {self.start.architecture}: {steps:,} steps, {steps / self.batches:.4g} epochs of "
        kept = f"{count:,} snapshot{'s' * (count > 1)}, {human_bytes(self.bytes)}; {self.ended}"
        shown = self.snapshots[:: -(-count // 20)]
        if shown[-1] is not self.snapshots[-1]:
            shown = (*shown, self.snapshots[-1])
        rows = []
        for i, snapshot in enumerate(shown):
            row = [f"{snapshot.step / self.batches:.4g}", "", "", ""]
            if i:
                losses = self.losses[shown[i - 1].step - self.first_step : snapshot.step - self.first_step]
                moved = (_distance(snapshot, other) for other in (shown[i - 1], self.snapshots[0]))
                row[1:] = [f"{losses.mean():.4f}", *(f"{distance:.4g}" for distance in moved)]
            rows.append(row)
        columns = [Column(name, "r") for name in ("after epoch", "loss", "moved", "from start")]
        return Document(f"{title}{self.batches:,} batches", [Text(kept), Table(columns, rows)])

    def __repr__(self) -> str:
        return f"Recording({self.start.architecture}, {len(self.losses):,} steps, {len(self.snapshots):,} snapshots)"


def record(
    run: Run, path: str | os.PathLike[str] | None = None, every: float = 1.0, max_bytes: int = MAX_BYTES
) -> Recording:
    """Train to the end and record the run.

    A run that is interrupted or diverges is recorded up to that point, with a warning.

    Parameters
    ----------
    run : Run
        From `training.epochs`; one that has begun is continued.
    path : str or path, optional
        File for the recording, written at once and again when the run has ended, for any reason.
    every : float, default 1.0
        Epochs between two snapshots: 5, 1, 0.1.
    max_bytes : int
        Memory for snapshots in bytes; beyond it they are thinned out.

    Returns
    -------
    Recording

    Raises
    ------
    SettingError
        If the run reads a stream or `every` is not above 0.
    FileError
        If `path` cannot be written.

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.xor(n=40, seed=0)
    >>> network = gn.Network.create("2-4-2", "tanh", output="softmax", seed=0)
    >>> run = gn.training.epochs(network, data, epochs=2, batch_size=10, engine="reference")
    >>> recording = gn.explain.record(run, every=0.5)
    >>> recording.times.tolist()
    [0.0, 0.5, 1.0, 1.5, 2.0]
    >>> recording.updates(0, 2, 1, epoch=1).name
    'neuron 0:2, weight of x2'
    """
    if isinstance(every, bool) or not isinstance(every, int | float | np.number) or not 0 < every < float("inf"):
        raise SettingError(f"every must be a number of epochs above 0, got {every!r}")
    if run.examples is None:
        raise SettingError(
            "a run on a stream cannot be recorded: its batches cannot be computed again",
            help="record a run on data in memory, such as a part that stream.split holds out",
        )
    batches = -(-len(run.data) // run.plan.batch_size)
    recorder = SnapshotRecorder(max(1.0, every * batches), max_bytes)
    engine = run.chosen_engine
    recording_engine = RecordingEngine(engine, recorder)
    start = run.network
    recorder.start(run.state)
    if path is not None:  # an unwritable place is found before the work, not after it
        _recording(run, start, recorder, batches, engine.name, "not begun").save(path)
    run.chosen_engine = cast(Engine, recording_engine)
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
        recorder.end()
    recording = _recording(run, start, recorder, batches, engine.name, ended)
    if path is not None:
        recording.save(Path(path))
    return recording


def _recording(
    run: Run, start: Network, recorder: SnapshotRecorder, batches: int, engine: str, ended: str
) -> Recording:
    return Recording(
        start=replace(start, parameters=recorder.snapshots[0].parameters),
        history=run.history,
        ended=ended,
        snapshots=recorder.snapshots,
        batches=batches,
        first_step=recorder.first_step,
        learning_rates=readonly(np.array(recorder.learning_rates)),
        losses=readonly(np.array(recorder.losses)),
        settings=_settings(run),
        engine=engine,
        run=run,
    )


def _settings(run: Run) -> dict[str, Any]:
    """Everything that determines the bits of a run, as plain values; also in its checkpoints."""
    return run.settings()


def _examples(update: Update) -> Text:
    shown = ", ".join(f"{row}" for row in update.examples[:8])
    more = f" and {len(update.examples) - 8} more" if len(update.examples) > 8 else ""
    return Text(f"batch {update.batch} saw examples {shown}{more}")


def _distance(a: Snapshot, b: Snapshot) -> float:
    return float(np.linalg.norm(a.parameters.astype(np.float64) - b.parameters))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
