"""What the processes of the tests do: the same run on all, in float64, with some mischief where it is asked for."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import parquet

import glassnet as gn
from glassnet import distributed
from glassnet.distributed import sharded, sharded_files
from glassnet.distributed.gradient_exchange import GradientExchange
from glassnet.errors import InputError
from glassnet.training.target_scaling import Unit

SETTINGS: dict[str, Any] = {"epochs": 3, "batch_size": 50, "seed": 3, "optimizer": "adam"}


def data() -> tuple[gn.Dataset, gn.Dataset]:
    """212 examples to learn from, the last batch is small, and 53 others."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(265, 12))
    labels = (inputs @ random.normal(size=(12, 4))).argmax(axis=1)
    return gn.Dataset(inputs, labels, gn.Schema(classes=("a", "b", "c", "d"))).split(0.2)


def start(sizes: str = "12-20-16-4") -> gn.Network:
    return gn.Network.create(sizes, "tanh", output="softmax", seed=1, dtype="float64")


def train(settings: dict[str, Any], stop_after: int | None = None, sizes: str = "12-20-16-4") -> Any:
    """(parameters, losses, validation losses) of a run over all processes."""
    learn, held_out = data()
    with distributed.joined() as group:
        run = distributed.epochs(group, start(sizes), learn, validation=held_out, **SETTINGS | settings)
        for epoch in run:
            if epoch.number == stop_after:
                break
    return run.network.parameters, run.history.loss, run.history.validation_loss


def train_with_a_seed_of_its_own() -> None:
    train({"seed": int(os.environ["RANK"])})


def misbehave(how: str, whose: int, settings: dict[str, Any] | None = None, step: int = 7) -> Any:
    """Train, but one process dies, hangs or fails within the second epoch."""
    if os.environ["RANK"] == str(whose) and not distributed.restarted():
        share, calls = GradientExchange.share, []

        def spoilt(exchange: GradientExchange, rows: Any) -> Any:
            calls.append(rows)
            if len(calls) < step:
                return share(exchange, rows)
            if how == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "hangs":
                time.sleep(12)
            raise InputError("a spoilt example", help="look at it")

        GradientExchange.share = spoilt  # type: ignore[method-assign]
    return train(settings or {})


def join() -> tuple[int, int]:
    with distributed.joined() as group:
        return group.rank, group.size


def shard(folder: str, settings: dict[str, Any], stop_after: int | None = None, sizes: str = "12-20-16-4") -> Any:
    """(losses, validation losses, accuracies, most numbers held of a layer) of a sharded run that goes on from its
    folder, and saves there."""
    learn, held_out = data()
    architecture = gn.Architecture.of(sizes, "tanh", "softmax")
    with distributed.joined() as group:
        own = {"dtype": "float64"} | SETTINGS | settings
        run = sharded.of_settings(group, architecture, learn, **own)
        sharded_files.resume(run, Path(folder), run.settings(learn))
        for epoch in run.train(learn, held_out):
            sharded_files.save_checkpoint(run, Path(folder), run.settings(learn))
            if epoch.number == stop_after:
                return None
        description = {"sizes": architecture.sizes, "activations": architecture.activations, "schema": {}}
        sharded_files.save(run, Path(folder), description)
        held = max(layer.weight.to_local().numel() for layer in run.module.linear)
    return run.history.loss, run.history.validation_loss, run.history.validation_accuracy, held


def read(path: str, settings: dict[str, Any]) -> Any:
    """(parameters, losses, validation losses, row groups read, number of our examples) of a run on Parquet."""
    looked: list[int] = []
    original = parquet.ParquetFile.iter_batches

    def noted(file: Any, size: int, groups: list[int], **rest: Any) -> Any:
        looked.extend(groups)
        return original(file, size, groups, **rest)

    parquet.ParquetFile.iter_batches = noted
    with distributed.joined() as group:
        mine, held_out = distributed.read(group, path, "y", 0.2)
        unit = None if mine.classes else Unit.of(mine)
        if unit is not None:
            mine, held_out = unit.standardise(mine), unit.standardise(held_out)
        outputs = len(mine.classes) if mine.classes else 1
        network = gn.Network.create(f"{mine.input_shape[0]}-9-{outputs}", "tanh", seed=0, dtype="float64")
        run = distributed.epochs(group, network, mine, validation=held_out, **SETTINGS | settings)
        list(run)
    history = run.history
    return run.network.parameters, history.loss, history.validation_loss, sorted(set(looked)), len(mine.own())


if __name__ == "__main__":  # by torchrun: tasks.py CHECKPOINT OUTPUT; rank 1 dies within the second epoch, once
    checkpoint, output = sys.argv[1:]
    parameters = misbehave("dies", whose=1, settings={"checkpoint": checkpoint})[0]
    np.save(f"{output}{os.environ['RANK']}.npy", parameters)
