"""What the tests start by torchrun: a run over all processes, in float64; rank 0 saves what came of it.

worker.py OUTPUT [key=value ...]   settings of the run, and for mischief: die=RANK:EPOCH, raise=RANK:EPOCH, hang=...
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np

import glassnet as gn
from glassnet import distributed
from glassnet.cli.shared import fail
from glassnet.errors import GlassnetError, InputError

SETTINGS = {"epochs": 4, "batch_size": 50, "seed": 3}


def data() -> tuple[gn.Dataset, gn.Dataset]:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(530, 12))
    labels = (inputs @ random.normal(size=(12, 4))).argmax(axis=1)
    whole = gn.Dataset(inputs, labels, gn.Signature(classes=("a", "b", "c", "d")))
    return whole.split(0.2)


def start() -> gn.Network:
    return gn.Network.create("12-20-16-4", "tanh", output="softmax", seed=1, dtype="float64")


def main(output: str, *words: str) -> int:
    options = {key: value for key, _, value in (word.partition("=") for word in words)}
    mischief = {kind: options.pop(kind).split(":") for kind in ("die", "raise", "hang") if kind in options}
    settings = SETTINGS | {
        key: value if key in ("optimizer", "checkpoint") else float(value) if "." in value else int(value)
        for key, value in options.items()
    }
    train, held_out = data()
    with distributed.joined() as world:
        if "seed_of_rank" in settings:
            settings["seed"] = world.rank * settings.pop("seed_of_rank")
        run = distributed.epochs(world, start(), train, validation=held_out, **settings)
        for epoch in run:
            for kind, (rank, number) in mischief.items():
                if (world.rank, epoch.number) == (int(rank), int(number)) and not distributed.restarted():
                    misbehave(kind)
        if world.rank == 0:
            run.network.save(output)
            figures = [f"{loss:.17g}" for loss in (*run.history.loss, *run.history.validation_loss)]
            Path(output).with_suffix(".txt").write_text("\n".join(figures))
    return 0


def misbehave(kind: str) -> None:
    if kind == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "hang":
        time.sleep(600)
    raise InputError(got="a spoilt example", expected="a good one", do="look at it")


if __name__ == "__main__":
    try:
        status = main(*sys.argv[1:])
    except GlassnetError as problem:
        status = fail(str(problem), 1)
    sys.exit(status)
