"""Runs that are killed at random moments and resumed end with the same bytes as one that was left alone."""

import os
import random
import signal
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from glassnet.cli import main

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Kills(NamedTuple):
    kills: int
    exact: int
    """Kills of runs that ended, after all resumes, with the bytes of the undisturbed run."""
    left: list[str]
    """Files that are neither the table, the checkpoint, its lock nor the network."""


def kills(folder: Path, wanted: int, seconds: float, seed: int = 0) -> Kills:
    """Kill runs of `glassnet train` until there were `wanted` kills or the time is over."""
    draw = random.Random(seed)
    rows = np.random.default_rng(seed).normal(size=(400, 4))
    table = folder / "table.csv"
    lines = [f"{a:.6f},{b:.6f},{c:.6f},{'yes' if a * b > d else 'no'}" for a, b, c, d in rows]
    table.write_text("\n".join(["a,b,c,kind", *lines]))
    arguments = [
        "train",
        str(table),
        "--target",
        "kind",
        "--epochs",
        "30",
        "--dropout",
        "0.2",
        "--schedule",
        "constant",
    ]
    alone = folder / "alone.safetensors"
    began = time.monotonic()
    assert os.waitstatus_to_exitcode(_ended(_started([*arguments, "-o", str(alone)]))) == 0
    usual = time.monotonic() - began
    count = exact = 0
    until = time.monotonic() + seconds
    while count < wanted and time.monotonic() < until:
        network, checkpoint = folder / "network.safetensors", folder / "run.checkpoint"
        for path in (network, checkpoint):
            path.unlink(missing_ok=True)
        resumed, here = [*arguments, "-o", str(network), "--checkpoint", str(checkpoint), "--resume"], 0
        for _ in range(6):
            number = _started(resumed)
            time.sleep(draw.uniform(0, 1.2 * usual))
            os.kill(number, draw.choice(SIGNALS))
            here += os.waitstatus_to_exitcode(_ended(number)) != 0
        ended = os.waitstatus_to_exitcode(_ended(_started(resumed)))
        count += here
        exact += here * (ended == 0 and network.read_bytes() == alone.read_bytes())
    kept = {"table.csv", "alone.safetensors", "network.safetensors", "run.checkpoint"}
    left = [path.name for path in folder.iterdir() if path.name not in kept and not path.name.endswith(".lock")]
    return Kills(count, exact, left)


def _started(arguments: list[str]) -> int:
    """The command in a forked child, quiet."""
    number = os.fork()
    if number == 0:  # pragma: no cover
        quiet = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(quiet, stream)
        status = 1
        try:
            status = main(arguments)
        finally:
            os._exit(status)
    return number


def _ended(number: int) -> int:
    return os.waitpid(number, 0)[1]
