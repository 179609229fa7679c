"""Checkpoints: a run that was killed and resumed ends with the same bits as one that was not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import FileError, SettingError
from glassnet.optimizers import OPTIMIZERS
from glassnet.schedules import Constant, Step, WarmUp
from glassnet.training import epochs

SETTINGS = {"epochs": 6, "batch_size": 16, "dropout": 0.3, "seed": 3, "clip_norm": 1.0}


@pytest.fixture
def start() -> gn.Network:
    return gn.Network.create("3-8-3", output="softmax", seed=0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("stop_after", [1, 4])
def test_a_run_that_was_stopped_goes_on_with_the_same_bits(
    start: gn.Network, blobs: gn.Dataset, tmp_path: Path, optimizer: str, stop_after: int
) -> None:
    settings = {**SETTINGS, "optimizer": optimizer, "validation": blobs}
    whole = gn.train(start, blobs, **settings)  # type: ignore[arg-type]
    checkpoint = tmp_path / "run.checkpoint"
    for epoch in epochs(start, blobs, checkpoint=checkpoint, **settings):  # type: ignore[arg-type]
        if epoch.number == stop_after:
            break
    resumed = gn.train(start, blobs, checkpoint=checkpoint, resume=True, **settings)  # type: ignore[arg-type]
    np.testing.assert_array_equal(resumed.network.parameters, whole.network.parameters)
    assert resumed.history.loss == whole.history.loss
    assert resumed.history.validation_loss == whole.history.validation_loss


@pytest.mark.parametrize("schedule", ["reduce_on_plateau", "warm_up", "one_cycle"])
def test_schedules_and_patience_go_on_where_they_were(
    start: gn.Network, blobs: gn.Dataset, tmp_path: Path, schedule: str
) -> None:
    learn, held_out = blobs.split(0.3)
    settings = {"epochs": 40, "schedule": schedule, "validation": held_out, "patience": 4, "learning_rate": 0.3}
    whole = gn.train(start, learn, **settings)  # type: ignore[arg-type]
    checkpoint = tmp_path / "run.checkpoint"
    while True:  # stopped after every single epoch
        run = epochs(start, learn, checkpoint=checkpoint, resume=True, **settings)  # type: ignore[arg-type]
        if next(iter(run), None) is None:
            break
    assert run.history.learning_rate == whole.history.learning_rate
    assert (run.network, run.ended) == (whole.network, whole.ended)


RUN = """
import sys
import numpy as np
import glassnet as gn
random = np.random.default_rng(0)
data = (random.normal(size=(4000, 20)).astype(np.float32), random.integers(0, 3, 4000))
start = gn.Network.create("20-16-3", output="softmax", seed=0)
run = gn.train(start, data, epochs=12, batch_size=8, dropout=0.1, checkpoint=sys.argv[1], resume=True)
run.network.save(sys.argv[2])
"""


def test_a_run_killed_at_any_moment_ends_with_the_same_bits(tmp_path: Path) -> None:
    def command(name: str) -> list[str]:
        return [sys.executable, "-c", RUN, str(tmp_path / f"{name}.checkpoint"), str(tmp_path / f"{name}.safetensors")]

    subprocess.run(command("whole"), check=True)
    moments = np.random.default_rng(1).uniform(0.0, 0.4, 3)
    for moment in moments:
        checkpoint = tmp_path / "killed.checkpoint"
        before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
        process = subprocess.Popen(command("killed"))
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:  # wait for work to have begun, then some more
            if checkpoint.exists() and checkpoint.stat().st_mtime_ns != before:
                time.sleep(moment)
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command("killed"), check=True)
    assert gn.load(tmp_path / "killed.safetensors") == gn.load(tmp_path / "whole.safetensors")


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"batch_size": 8},
        {"optimizer": "sgd", "learning_rate": 0.5},
        {"epochs": 7},
    ],
)
def test_other_settings_than_the_run_had_are_told(
    start: gn.Network, blobs: gn.Dataset, tmp_path: Path, change: dict[str, object], refused: Any
) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    next(iter(epochs(start, blobs, checkpoint=checkpoint, **SETTINGS)))  # type: ignore[arg-type]
    with refused(SettingError):
        epochs(start, blobs, checkpoint=checkpoint, resume=True, **{**SETTINGS, **change})  # type: ignore[arg-type]


def test_a_schedule_within_a_schedule_is_told_apart(
    start: gn.Network, blobs: gn.Dataset, tmp_path: Path, refused: Any
) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    next(iter(epochs(start, blobs, checkpoint=checkpoint, schedule=WarmUp(1, Constant()))))
    with refused(SettingError):
        epochs(start, blobs, checkpoint=checkpoint, schedule=WarmUp(1, Step()), resume=True)


def test_other_data_is_told(start: gn.Network, blobs: gn.Dataset, tmp_path: Path, refused: Any) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    next(iter(epochs(start, blobs, checkpoint=checkpoint)))
    with refused(SettingError):
        epochs(start, blobs[::-1], checkpoint=checkpoint, resume=True)


def test_a_constant_rate_can_be_resumed_for_longer(start: gn.Network, blobs: gn.Dataset, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    gn.train(start, blobs, checkpoint=checkpoint, epochs=2, schedule="constant")
    longer = gn.train(start, blobs, checkpoint=checkpoint, epochs=5, schedule="constant", resume=True)
    assert longer.network == gn.train(start, blobs, epochs=5, schedule="constant").network


def test_a_place_that_cannot_be_written_is_told_before_the_work(
    start: gn.Network, blobs: gn.Dataset, refused: Any
) -> None:
    with refused(FileError):
        epochs(start, blobs, checkpoint="/no/such/folder/run.checkpoint")


def test_a_network_file_is_no_checkpoint(start: gn.Network, blobs: gn.Dataset, tmp_path: Path, refused: Any) -> None:
    start.save(tmp_path / "a.safetensors")
    with refused(FileError):
        epochs(start, blobs, checkpoint=tmp_path / "a.safetensors", resume=True)
    assert os.listdir(tmp_path) == ["a.safetensors"]
