"""Training: what a run does, what it tells, and what it refuses."""

import itertools
from inspect import signature
from typing import Any, get_type_hints

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import InputError, SettingError
from glassnet.losses import CrossEntropy
from glassnet.optimizers import OPTIMIZERS
from glassnet.schedules import SCHEDULES, ReduceOnPlateau
from glassnet.training import DivergedError, epochs


@pytest.fixture
def start() -> gn.Network:
    return gn.Network.create("3-8-3", "tanh", output="softmax", seed=0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_learns(start: gn.Network, blobs: gn.Dataset, optimizer: str) -> None:
    training = gn.train(start, blobs, optimizer=optimizer, epochs=20, batch_size=8)
    assert gn.evaluate(training.network, blobs).accuracy > 0.97  # type: ignore[operator]
    assert training.ended == "all epochs done"


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_schedule_moves_the_rate_as_it_says(start: gn.Network, blobs: gn.Dataset, schedule: str) -> None:
    training = gn.train(start, blobs, schedule=schedule, learning_rate=0.02, epochs=4, batch_size=30)
    last_step = 4 - 1 / 4
    assert training.history.learning_rate[-1] == 0.02 * SCHEDULES[schedule]().factor(last_step, 4)


def test_train_says_its_own_settings_and_result() -> None:
    """To `help`, `inspect` and typing: not those of the iterator it is made of."""
    of_train, of_epochs = signature(gn.train), signature(gn.training.epochs)
    assert of_train.parameters == of_epochs.parameters
    assert (of_train.return_annotation, of_epochs.return_annotation) == (gn.Training, gn.training.Run)
    assert gn.train.__name__ == "train"
    assert get_type_hints(gn.train)["return"] is gn.Training


def test_the_network_it_starts_from_stays_as_it_was(start: gn.Network, blobs: gn.Dataset) -> None:
    before = start.parameters.copy()
    trained = gn.train(start, blobs, epochs=1).network
    np.testing.assert_array_equal(start.parameters, before)
    assert trained != start
    assert trained.schema == blobs.schema


def test_the_same_seed_gives_the_same_bits_and_another_other_ones(start: gn.Network, blobs: gn.Dataset) -> None:
    runs = [gn.train(start, blobs, epochs=3, dropout=0.2, seed=seed) for seed in (5, 5, 6)]
    np.testing.assert_array_equal(runs[0].network.parameters, runs[1].network.parameters)
    assert runs[0].history.loss == runs[1].history.loss
    assert runs[0].network != runs[2].network


def test_figures_do_not_depend_on_how_often_one_looks(
    start: gn.Network, blobs: gn.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    for seconds in (0.0, 1e-4, 60.0):
        monkeypatch.setattr("glassnet.training.run.SECONDS_BETWEEN_REPORTS", seconds)
        runs.append(gn.train(start, blobs, epochs=3, batch_size=7))
    assert runs[0].history.loss == runs[1].history.loss == runs[2].history.loss
    assert runs[0].network == runs[1].network == runs[2].network


def test_epochs_are_the_same_run_looked_at_one_by_one(start: gn.Network, blobs: gn.Dataset) -> None:
    settings = {"epochs": 3, "batch_size": 16, "validation": blobs}
    seen = list(epochs(start, blobs, **settings))  # type: ignore[arg-type]
    training = gn.train(start, blobs, **settings)  # type: ignore[arg-type]
    assert [epoch.number for epoch in seen] == [1, 2, 3]
    assert [epoch.loss for epoch in seen] == training.history.loss
    assert seen[-1].network == training.network
    assert seen[1].validation_accuracy == gn.evaluate(seen[1].network, blobs).accuracy  # type: ignore[arg-type]


def test_every_example_is_seen_once_an_epoch_the_last_batch_being_smaller(blobs: gn.Dataset) -> None:
    """At a learning rate of 0 the mean over the batches is the loss over all examples, however they are cut."""
    start = gn.Network.create("3-3", output="softmax", seed=1, dtype="float64")
    whole = gn.evaluate(start, blobs).loss
    for batch_size in (1, 7, 50, 120, 999):
        training = gn.train(start, blobs, learning_rate=0.0, optimizer="sgd", batch_size=batch_size, epochs=1)
        assert training.history.loss[0] == pytest.approx(whole, rel=1e-12)


def test_progress_counts_up_to_the_last_batch(start: gn.Network, blobs: gn.Dataset) -> None:
    told: list[tuple[int, int]] = []
    gn.train(start, blobs, epochs=2, batch_size=10, progress=lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {12}
    assert [done for done, _ in told].count(12) == 2


def test_early_stopping_gives_the_best_network_back(blobs: gn.Dataset) -> None:
    random = np.random.default_rng(0)
    noise = gn.Dataset(blobs.inputs, random.permutation(blobs.targets), blobs.schema)
    learn, held_out = noise.split(0.5)
    start = gn.Network.create("3-32-3", output="softmax", seed=0)
    training = gn.train(
        start, learn, validation=held_out, patience=3, epochs=200, schedule="constant", learning_rate=0.02
    )
    losses = training.history.validation_loss
    assert training.ended == "stopped early"
    assert losses.index(min(losses)) == len(losses) - 4  # type: ignore[type-var]
    assert gn.evaluate(training.network, held_out).loss == min(losses)  # type: ignore[type-var]


def test_the_plateau_schedule_follows_the_validation_loss(start: gn.Network, blobs: gn.Dataset) -> None:
    schedule = ReduceOnPlateau(patience=1, factor_each=0.5)
    learn, held_out = blobs.split(0.5)
    training = gn.train(start, learn, validation=held_out, schedule=schedule, learning_rate=0.0, epochs=6)
    assert training.ended == "all epochs done"
    halved = gn.train(start, learn, validation=held_out, schedule=schedule, learning_rate=1e-12, epochs=6)
    assert halved.history.learning_rate == pytest.approx([1e-12, 1e-12, 1e-12, 5e-13, 5e-13, 2.5e-13])


def test_class_weights_and_sample_weights_count(blobs: gn.Dataset) -> None:
    start = gn.Network.create("3-3", output="softmax", seed=0, dtype="float64")
    doubled = {0: 2.0}
    as_samples = np.where(blobs.targets == 0, 2.0, 1.0)
    by_class = gn.train(start, blobs, epochs=2, batch_size=120, class_weight=doubled).network
    by_sample = gn.train(start, blobs, epochs=2, batch_size=120, sample_weight=as_samples).network
    np.testing.assert_allclose(by_class.parameters, by_sample.parameters, rtol=1e-9)
    binary = gn.Dataset(blobs.inputs, (blobs.targets == 0).astype(int))
    yes_or_no = gn.Network.create("3-1", output="sigmoid", seed=0, dtype="float64")
    balanced = gn.train(yes_or_no, binary, epochs=2, class_weight="balanced").network
    listed = gn.train(yes_or_no, binary, epochs=2, class_weight=[120 / 160, 120 / 80]).network
    np.testing.assert_allclose(balanced.parameters, listed.parameters, rtol=1e-12)


def test_measurements_are_learnt_too() -> None:
    inputs = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    targets = inputs[:, 0] * 2 - inputs[:, 1]
    training = gn.train(gn.Network.create("2-16-1", "tanh", seed=0), (inputs, targets), epochs=60, batch_size=20)
    assert gn.evaluate(training.network, (inputs, targets)).r_squared > 0.99  # type: ignore[operator]


def test_penalties_shrink_the_weights(start: gn.Network, blobs: gn.Dataset) -> None:
    def size(**penalty: float) -> float:
        trained = gn.train(start, blobs, epochs=60, **penalty).network  # type: ignore[arg-type]
        return float(sum(np.abs(layer.weights).sum() for layer in trained.layers))

    assert size(l2=0.3) < 0.8 * size()
    assert size(l1=0.03) < 0.8 * size()


def test_a_diverging_run_stops_and_keeps_what_was_good(blobs: gn.Dataset) -> None:
    start = gn.Network.create("3-8-3", seed=0)
    targets = np.eye(3)[blobs.targets]
    with pytest.raises(DivergedError) as caught:
        gn.train(start, (blobs.inputs, targets), learning_rate=1e8, optimizer="sgd", epochs=50, schedule="constant")
    words = str(caught.value)
    assert "in epoch " in words
    assert "batch " in words
    assert "lower the learning rate (now 1e+08) or clip the gradient with clip_norm" in words
    assert np.isfinite(caught.value.network.parameters).all()


def test_ctrl_c_keeps_the_last_finished_epoch(start: gn.Network, blobs: gn.Dataset) -> None:
    looks = itertools.count()

    def interrupt(done: int, total: int) -> None:
        if next(looks) > 6:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted: the network is that of epoch"):
        training = gn.train(start, blobs, epochs=500, batch_size=10, progress=interrupt)
    assert training.ended == "interrupted"
    done = len(training.history)
    whole = epochs(start, blobs, epochs=500, batch_size=10)
    for epoch in whole:
        if epoch.number == done:
            assert epoch.network == training.network
            break


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adan"},
        {"loss": "hubber"},
        {"schedule": "cosin"},
        {"engine": "referense"},
        {"epochs": -1},
        {"epochs": 1.5},
        {"batch_size": 0},
        {"seed": "zero"},
        {"learning_rate": float("nan")},
        {"learning_rate": -0.1},
        {"l2": float("inf")},
        {"l2": [0.1, -0.1]},
        {"l2": [0.1]},
        {"dropout": 1.0},
        {"dropout": [0.1, 0.1]},
        {"clip_norm": -1},
        {"patience": 3},
        {"class_weight": "balance"},
        {"class_weight": [1, 2]},
        {"class_weight": {7: 1}},
    ],
)
def test_bad_settings_are_told_at_once(
    start: gn.Network, blobs: gn.Dataset, settings: dict[str, object], refused: Any
) -> None:
    with refused(SettingError):
        epochs(start, blobs, **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        (np.ones((4, 2)), [0, 1, 2, 0]),
        (np.ones((4, 3)), [0, 1, 2]),
        (np.ones((4, 3)), [0, 1, 2, 3]),
        (np.ones((4, 3)), [0, -1, 2, 0]),
        (np.full((4, 3), np.nan), [0, 1, 2, 0]),
        (np.ones((0, 3)), []),
        (np.ones((4, 3)), ["a", "b", "c", "a"]),
        "digits",
        (np.ones((2, 3)), np.ones((2, 2))),
    ],
)
def test_bad_data_is_told_at_once(start: gn.Network, data: object, refused: Any) -> None:
    with refused(InputError):
        epochs(start, data)


def test_bad_weights_of_examples_are_told(start: gn.Network, blobs: gn.Dataset, refused: Any) -> None:
    with refused(InputError):
        epochs(start, blobs, sample_weight=[1, 2])


def test_a_step_cannot_be_trained(blobs: gn.Dataset, refused: Any) -> None:
    with refused(SettingError):
        epochs(gn.Network.create("3-2-3", "step"), blobs)


def test_cross_entropy_wants_an_output_for_each_class(blobs: gn.Dataset, refused: Any) -> None:
    with refused(SettingError):
        epochs(gn.Network.create("3-1"), blobs, loss=CrossEntropy())
