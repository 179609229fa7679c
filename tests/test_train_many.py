"""Many networks at once: each as if it were alone, however many threads there are."""

import threading
import time
from typing import Any

import pytest

import glassnet as gn
from glassnet.errors import SettingError
from glassnet.training import DivergedError, epochs


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_each_run_ends_as_it_would_alone(blobs: gn.Dataset, threads: int | None) -> None:
    start = gn.Network.create("3-8-3", output="softmax", seed=0)
    settings = [{"seed": seed, "dropout": 0.1 * seed} for seed in range(5)]
    together = gn.train_many((epochs(start, blobs, epochs=3, **each) for each in settings), threads=threads)  # type: ignore[arg-type]
    for each, training in zip(settings, together, strict=True):
        assert training.network == gn.train(start, blobs, epochs=3, **each).network  # type: ignore[arg-type]
        assert training.ended == "all epochs done"


def test_no_runs_give_no_trainings() -> None:
    assert gn.train_many([]) == []


def test_a_run_that_fails_ends_the_others(blobs: gn.Dataset) -> None:
    start = gn.Network.create("3-8-3", seed=0)
    wild = {"learning_rate": 1e9, "optimizer": "sgd", "loss": "squared_error", "schedule": "constant"}
    long = epochs(start, blobs, epochs=10**6)
    with pytest.raises(DivergedError):
        gn.train_many([epochs(start, blobs, epochs=50, **wild), long], threads=2)  # type: ignore[arg-type]
    assert len(long.history) < 10**6
    assert long.ended == "interrupted"


def test_a_run_can_be_stopped_from_outside(blobs: gn.Dataset) -> None:
    run = epochs(gn.Network.create("3-8-3", seed=0), blobs, epochs=10**6)
    thread = threading.Thread(target=lambda: [None for _ in run])
    thread.start()
    while len(run.history) < 3:
        time.sleep(0.001)
    run.stop()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert run.ended == "interrupted"
    assert run.history[-1].number == len(run.history)


def test_a_senseless_number_of_threads_is_told(refused: Any) -> None:
    with refused(SettingError):
        gn.train_many([], threads=-1)
