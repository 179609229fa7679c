"""Many processes take the steps that one would take, give the same network, and go on where others stopped."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tasks

import glassnet as gn
from glassnet.losses import CrossEntropy

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def alone(settings, start=None):
    learn, held_out = tasks.data()
    run = gn.train(start or tasks.start(), learn, validation=held_out, engine="reference", **tasks.SETTINGS | settings)
    return run.network.parameters, run.history.loss, run.history.validation_loss


def same(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "sgd", "dropout": 0.3, "l1": 1e-3, "l2": 1e-3, "clip_norm": 0.1},
        {"sample_weight": np.linspace(0, 2, 212), "loss": CrossEntropy(0.1, (1.0, 2.0, 0.5, 1.0))},
        {"batch_size": 1, "epochs": 1},
        {"patience": 1, "learning_rate": 0.5, "epochs": 6, "schedule": "reduce_on_plateau"},
    ],
    ids=["adam", "every penalty", "weights", "a process without a row", "patience"],
)
def test_two_processes_give_what_one_gives(on, settings):
    first, second = on(2, tasks.train, settings)
    assert first.error is None
    same(first.value, alone(settings))
    np.testing.assert_array_equal(first.value[0], second.value[0])
    assert first.value[1:] == second.value[1:]


@pytest.mark.parametrize("size", [1, 3])
def test_any_number_of_processes_does(on, size):
    for outcome in on(size, tasks.train, {"dropout": 0.2}):
        same(outcome.value, alone({"dropout": 0.2}))


def test_a_run_goes_on_from_its_checkpoint_with_another_number_of_processes_and_alone(on, tmp_path):
    checkpoint = tmp_path / "run.checkpoint"
    kept = {"checkpoint": str(checkpoint), "resume": True}
    on(2, tasks.train, kept, 1)
    three = on(3, tasks.train, kept, 2)
    assert len(three[2].value[1]) == 2  # a process that reads no checkpoint has its history, too
    same(alone(kept), alone({}))


def test_a_worker_killed_within_an_epoch_is_started_again_and_the_end_is_the_same(tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [
        *TORCHRUN,
        "--max-restarts",
        "1",
        tasks.__file__,
        str(tmp_path / "run.checkpoint"),
        str(tmp_path / "end"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Signal 9" in done.stderr or "exitcode: -9" in done.stderr  # it was killed, and that is told
    whole = alone({})[0]
    for rank in range(2):
        np.testing.assert_allclose(np.load(tmp_path / f"end{rank}.npy"), whole, rtol=0, atol=1e-9)
    assert [path.name for path in tmp_path.glob("*.tmp")] == []


def test_the_command_on_two_processes_speaks_once_and_saves_what_one_gives(tmp_path):
    arguments = ["train", "gauss", "--sizes", "2-6-2", "--epochs", "3", "--dtype", "float64", "--json"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}

    def glassnet(*start: str, name: str) -> subprocess.CompletedProcess[str]:
        command = [*start, "-m", "glassnet", *arguments, "-o", str(tmp_path / name)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)

    told = glassnet(*TORCHRUN, name="two.safetensors")
    glassnet(sys.executable, name="one.safetensors")
    one, two = (gn.load(Path(tmp_path / f"{name}.safetensors")) for name in ("one", "two"))
    np.testing.assert_allclose(two.parameters, one.parameters, rtol=0, atol=1e-9)
    assert json.loads(told.stdout)["count"] == 100
    lines = [json.loads(line) for line in told.stderr.splitlines() if line.startswith("{")]
    assert [line["number"] for line in lines] == [1, 2, 3]
    assert all(line["rows_per_second"] > 0 for line in lines)
