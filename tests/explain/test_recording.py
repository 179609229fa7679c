"""A recording gives every network that a run has been, to the bit, and says which batch did what."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.engines import reference
from glassnet.errors import AddressError, FileError, SettingError
from glassnet.explain import recording as recordings
from glassnet.explain.recording import Recording, record
from glassnet.optimizers import OPTIMIZERS
from glassnet.schedules import SCHEDULES
from glassnet.training import epochs

SETTINGS: dict[str, Any] = {"epochs": 5, "batch_size": 17, "seed": 3, "engine": "reference"}  # 120 = 7 * 17 + 1
BATCHES = 8


@pytest.fixture
def start() -> gn.Network:
    return gn.Network.create("3-6-3", output="softmax", seed=0)


@pytest.fixture
def recorded(start: gn.Network, blobs: gn.Dataset) -> Recording:
    return record(epochs(start, blobs, **SETTINGS))


class Witness:
    """Looks on while a network is trained in the plain way, and notes its parameters after every single step."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, optimizer: str) -> None:
        self.seen: list[np.ndarray] = []
        update = OPTIMIZERS[optimizer].update

        def noted(rule: Any, parameters: np.ndarray, *others: Any) -> None:
            update(rule, parameters, *others)
            self.seen.append(parameters.copy())

        self._noted, self._type, self._patch = noted, OPTIMIZERS[optimizer], monkeypatch

    def train(self, *arguments: Any, **settings: Any) -> gn.Training:
        with self._patch.context() as patch:
            patch.setattr(self._type, "update", self._noted)
            return gn.train(*arguments, **settings)


def variants() -> Iterator[dict[str, Any]]:
    for i, optimizer in enumerate(OPTIMIZERS):
        yield {"optimizer": optimizer, "dropout": 0.3 * (i % 2), "every": (1, 0.3, 2.5)[i % 3]}
    for i, schedule in enumerate(SCHEDULES):
        yield {"schedule": schedule, "clip_norm": 1.0, "l2": 0.01, "every": (0.125, 1, 5)[i % 3]}
    yield {"dtype": "float64", "max_bytes": 1500}
    yield {"batch_size": 1000, "every": 0.1}
    yield {"batch_size": 1, "epochs": 2, "max_bytes": 3000}


@pytest.mark.parametrize("variant", list(variants()), ids=str)
def test_any_batch_of_the_run_is_given_back_to_the_bit(
    blobs: gn.Dataset, monkeypatch: pytest.MonkeyPatch, variant: dict[str, Any]
) -> None:
    variant = dict(variant)
    of_recording = {key: variant.pop(key) for key in ("every", "max_bytes") if key in variant}
    start = gn.Network.create("3-6-3", output="softmax", seed=1, dtype=variant.pop("dtype", "float32"))
    settings = {**SETTINGS, **variant, "validation": blobs}
    witness = Witness(monkeypatch, settings.get("optimizer", "adam"))
    plain = witness.train(start, blobs, **settings)
    recording = record(epochs(start, blobs, **settings), **of_recording)

    batches = len(witness.seen) // settings["epochs"]
    assert recording.network == plain.network
    assert recording.history.loss == plain.history.loss
    assert recording.at(0) == start.with_schema(blobs.schema)
    random = np.random.default_rng(0)
    for step in {1, len(witness.seen), *random.integers(1, len(witness.seen) + 1, 12).tolist()}:
        epoch, batch = (step - 1) // batches + 1, (step - 1) % batches + 1
        np.testing.assert_array_equal(recording.at(epoch, batch).parameters, witness.seen[step - 1])
    assert recording.at(2, 0) == recording.at(1)
    recording.verify()


def test_snapshots_are_taken_when_asked_for(start: gn.Network, blobs: gn.Dataset) -> None:
    def times(every: float) -> list[float]:
        return record(epochs(start, blobs, **SETTINGS), every=every).times.tolist()

    assert times(1) == [0, 1, 2, 3, 4, 5]
    assert times(2) == [0, 2, 4, 5]
    assert times(0.25) == [i / 4 for i in range(21)]
    assert len(times(1e-6)) == 5 * BATCHES + 1  # each batch, and no more than that
    assert times(100) == [0, 5]


@pytest.mark.parametrize("max_bytes", [0, 1000, 5000, 20000])
def test_as_it_grows_it_is_thinned_evenly(start: gn.Network, blobs: gn.Dataset, max_bytes: int) -> None:
    recording = record(epochs(start, blobs, **SETTINGS), every=0.125, max_bytes=max_bytes)
    steps = [snapshot.step for snapshot in recording.snapshots]
    assert (steps[0], steps[-1]) == (0, 5 * BATCHES)
    assert len(steps) == 2 or sum(snapshot.bytes for snapshot in recording.snapshots) <= max_bytes
    assert len(set(np.diff(steps[:-1]))) <= 1
    if max_bytes == 20000:
        assert len(steps) > 20


def test_templates_over_time(recorded: Recording) -> None:
    over_time = recorded.template_over_time(0, 2)
    assert over_time.shape == (6, 3)
    for i, time in enumerate(recorded.times):
        network = recorded.at(int(time))
        np.testing.assert_array_equal(over_time[i], network.layers[0].weights[2])
        assert recorded.bias_over_time(1, 1)[i] == network.layers[1].biases[1]


def test_figures_are_those_of_the_run(recorded: Recording, start: gn.Network, blobs: gn.Dataset) -> None:
    history = gn.train(start, blobs, **SETTINGS).history
    assert recorded.figures["loss"] == history.loss
    assert recorded.figures["number"] == [1, 2, 3, 4, 5]
    sizes = np.array([17] * 7 + [1])
    np.testing.assert_allclose(recorded.losses.reshape(5, 8) @ sizes / 120, history.loss)
    assert recorded.learning_rates[-1] == history.learning_rate[-1]


def test_which_batch_moved_this_weight(recorded: Recording, blobs: gn.Dataset) -> None:
    found = recorded.updates(0, 2, 1, epoch=3)
    expected = [recorded.at(3, batch).layers[0].weights[2, 1] for batch in range(BATCHES + 1)]
    np.testing.assert_array_equal(found.values, expected)
    best = found.strongest(1)[0]
    assert abs(best.change) == np.abs(found.changes).max()
    assert best.change == float(expected[best.batch]) - float(expected[best.batch - 1])
    assert sorted(row for update in found.updates for row in update.examples) == list(range(120))
    # those examples have that gradient: one step of plain Adam cannot be told from it, one of SGD can
    before = recorded.at(3, best.batch - 1)
    loss, _ = before.loss_and_gradient(blobs.inputs[list(best.examples)], blobs.targets[list(best.examples)])
    assert loss == pytest.approx(best.loss, rel=1e-6)
    assert recorded.updates(1, 0, None, epoch=5).values[-1] == recorded.network.layers[1].biases[0]


def test_sgd_moves_a_weight_against_its_slope(start: gn.Network, blobs: gn.Dataset) -> None:
    recording = record(epochs(start, blobs, **SETTINGS, optimizer="sgd", schedule="constant", learning_rate=0.1))
    for update in recording.updates(0, 1, 2, epoch=1).updates:
        rows = list(update.examples)
        slopes = recording.at(1, update.batch - 1).gradient(blobs.inputs[rows], blobs.targets[rows])
        assert update.change == pytest.approx(-0.1 * slopes[1 * 3 + 2], rel=1e-3, abs=1e-7)


def test_a_recording_is_kept_in_a_file(start: gn.Network, blobs: gn.Dataset, tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "run.recording"
    recording = record(epochs(start, blobs, **SETTINGS), path)
    alone = Recording.load(path)
    assert alone.history == recording.history
    assert (alone.ended, alone.engine, alone.batches) == ("all epochs done", "reference", BATCHES)
    for ours, theirs in zip(alone.snapshots, recording.snapshots, strict=True):
        np.testing.assert_array_equal(ours.parameters, theirs.parameters)
    assert alone.at(3) == recording.at(3)
    assert alone.at(3).schema == blobs.schema
    np.testing.assert_array_equal(alone.losses, recording.losses)
    with refused(SettingError):
        alone.at(3, 4)
    with refused(SettingError):
        alone.updates(0, 0, 0, 1)
    whole = Recording.load(path, epochs(start, blobs, **SETTINGS))
    assert whole.at(3, 4) == recording.at(3, 4)
    whole.save(path)
    assert Recording.load(path).at(5) == recording.network
    with refused(SettingError):
        Recording.load(path, epochs(start, blobs, **{**SETTINGS, "seed": 4}))
    with refused(SettingError):
        alone.with_run(epochs(start, blobs[::-1], **SETTINGS))
    with refused(SettingError):
        replace(alone, engine="another").with_run(epochs(start, blobs, **SETTINGS))


def test_files_that_are_no_recording(start: gn.Network, tmp_path: Path, refused: Any) -> None:
    start.save(tmp_path / "a.safetensors")
    with refused(FileError):
        Recording.load(tmp_path / "a.safetensors")
    recordings.own_format.write(
        tmp_path / "b", {"parameters": np.zeros((1, 2))}, {"kind": "recording", "sizes": [1, 1]}
    )
    with refused(FileError):
        Recording.load(tmp_path / "b")


def test_a_place_that_cannot_be_written_is_told_before_the_work(
    start: gn.Network, blobs: gn.Dataset, refused: Any
) -> None:
    run = epochs(start, blobs, **SETTINGS)
    with refused(FileError):
        record(run, "/no/such/folder/run.recording")
    assert not run.history


def test_an_interrupted_run_is_recorded_as_far_as_it_came(
    start: gn.Network, blobs: gn.Dataset, tmp_path: Path, recorded: Recording, refused: Any
) -> None:
    calls = []

    def progress(done: int, batches: int) -> None:
        calls.append(done)
        if len(calls) == 4:
            raise KeyboardInterrupt

    run = epochs(start, blobs, **SETTINGS, progress=progress)
    with pytest.warns(UserWarning, match="interrupted: the recording ends with its last snapshot"):
        recording = record(run, tmp_path / "run.recording", every=0.125)
    assert recording.ended == Recording.load(tmp_path / "run.recording").ended == "interrupted"
    step = len(recording.losses)
    epoch, batch = (step - 1) // BATCHES + 1, (step - 1) % BATCHES + 1
    assert recording.at(epoch) == recorded.at(epoch, batch)
    with refused(AddressError):
        recording.at(epoch + 1)


def test_a_run_that_diverges_is_recorded_as_far_as_it_came(start: gn.Network, blobs: gn.Dataset) -> None:
    run = epochs(
        start, blobs, **SETTINGS, optimizer="sgd", learning_rate=1e30, loss="squared_error", schedule="constant"
    )
    with pytest.warns(UserWarning, match="the run diverged .* the recording ends there"):
        recording = record(run)
    assert recording.ended.startswith("diverged: ")
    assert np.isfinite(recording.losses).all()
    assert recording.at(0).parameters.tolist() == start.parameters.tolist()
    assert recording.bytes > 0
    assert str(recording)


def test_a_resumed_run_is_recorded_from_there(
    start: gn.Network, blobs: gn.Dataset, tmp_path: Path, refused: Any
) -> None:
    whole = record(epochs(start, blobs, **SETTINGS))
    checkpoint = tmp_path / "run.checkpoint"
    for epoch in epochs(start, blobs, checkpoint=checkpoint, **SETTINGS):
        if epoch.number == 2:
            break
    rest = record(epochs(start, blobs, checkpoint=checkpoint, resume=True, **SETTINGS))
    assert rest.times.tolist() == [2, 3, 4, 5]
    assert rest.figures["loss"] == whole.figures["loss"]
    assert rest.at(2) == whole.at(2)
    assert rest.at(4, 3) == whole.at(4, 3)
    np.testing.assert_array_equal(rest.updates(0, 0, 0, 3).values, whole.updates(0, 0, 0, 3).values)
    losses = [{row[0]: row[1] for row in run.document().parts[1].rows} for run in (rest, whole)]
    assert list(losses[0].items())[1:] == [(after, losses[1][after]) for after in ("3", "4", "5")]
    with refused(AddressError):
        rest.at(1)
    with refused(AddressError):
        rest.updates(0, 0, 0, 2)


def test_other_bits_than_were_recorded_are_told(recorded: Recording, refused: Any) -> None:
    other = list(recorded.snapshots)
    other[2] = other[2]._replace(parameters=other[2].parameters * np.float32(1.0001), slots=None)
    with refused(SettingError):
        replace(recorded, snapshots=tuple(other)).at(3, 1)


def test_the_run_is_left_as_it_was(start: gn.Network, blobs: gn.Dataset) -> None:
    run = epochs(start, blobs, **SETTINGS)
    record(run)
    assert run.chosen_engine is reference
    assert run.ended == "all epochs done"


@pytest.mark.parametrize(
    ("epoch", "batch"),
    [
        (6, None),
        (-1, None),
        (2.5, None),
        (2, 9),
        (0, 1),
    ],
)
def test_what_was_not_recorded_is_told(recorded: Recording, epoch: Any, batch: Any, refused: Any) -> None:
    with refused(AddressError):
        recorded.at(epoch, batch)


def test_addresses_outside_say_the_range(recorded: Recording, refused: Any) -> None:
    with refused(AddressError):
        recorded.template_over_time(0, 6)
    with refused(AddressError):
        recorded.updates(0, 0, 3, 1)


@pytest.mark.parametrize("every", [0, -1, float("nan"), float("inf"), "epoch", True])
def test_every_is_a_number_of_epochs(start: gn.Network, blobs: gn.Dataset, every: Any, refused: Any) -> None:
    with refused(SettingError):
        record(epochs(start, blobs, **SETTINGS), every=every)


def test_what_is_printed(recorded: Recording) -> None:
    text = str(recorded)
    assert text.splitlines()[0] == "recording of 3-6-3: 40 steps, 5 epochs of 8 batches"
    assert "6 snapshots" in text
    assert "all epochs done" in text
    found = recorded.updates(0, 2, 1, epoch=3)
    lines = str(found).splitlines()
    assert lines[0] == "neuron 0:2, weight of input 1, epoch 3"
    rule = next(i for i, line in enumerate(lines) if set(line.strip()) == {"-"})
    assert sum(float(line.split()[-1]) for line in lines[1:rule]) == pytest.approx(float(lines[rule + 1].split()[-1]))
    assert lines[1].split()[0] == "before"
    assert lines[rule + 1].split()[0] == "after"
    assert max(map(len, [*lines, *text.splitlines()])) <= 80
    assert found.as_dict()["strongest"][0]["batch"] == found.strongest(1)[0].batch
    assert recorded.as_dict()["figures"]["loss"] == recorded.history.loss
