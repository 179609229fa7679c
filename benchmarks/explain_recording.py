"""Training seen: what a recording costs on top of the run, how large it is, and how soon any batch is back.

Runs are the best of three."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import keep

import glassnet as gn
from glassnet.explain.recording import record
from glassnet.training import epochs

EPOCHS = 6


def main() -> None:
    train, _ = gn.data.digits()
    start = gn.Network.create("784-16-16-10", output="softmax", seed=0)
    settings: dict[str, Any] = {"epochs": EPOCHS, "seed": 0}
    plain = min(timed(lambda: gn.train(start, train, **settings))[0] for _ in range(3))
    rows: list[dict[str, Any]] = []
    print(f"digits, 784-16-16-10, {EPOCHS} epochs, Adam: {plain:.2f} s when not recorded")
    print("snapshots     run      file   MB/epoch  any batch  movers of an epoch")
    for every in (1, 0.1):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "run.recording"
            runs = [timed(lambda p=path, e=every: record(epochs(start, train, **settings), p, every=e)) for _ in "abc"]  # type: ignore[misc]
            seconds, recording = min(run[0] for run in runs), runs[0][1]
            megabytes = path.stat().st_size / 1e6
        random = np.random.default_rng(0)
        moments = [(int(random.integers(1, EPOCHS + 1)), int(random.integers(1, 938))) for _ in range(5)]
        any_batch = float(np.median([timed(lambda m=m, r=recording: r.at(*m))[0] for m in moments]))  # type: ignore[misc]
        movers, _ = timed(lambda r=recording: r.updates(0, 3, 400, epoch=3))  # type: ignore[misc]
        row = {"snapshots": len(recording.snapshots), "plain s": plain, "recorded s": seconds, "megabytes": megabytes}
        rows.append({**row, "any batch s": any_batch, "movers s": movers})
        print(
            f"{len(recording.snapshots):>9}  {seconds:5.2f} s  {megabytes:5.2f} MB  {megabytes / EPOCHS:6.2f}"
            f"     {any_batch:6.3f} s  {movers:6.2f} s"
        )
    keep("explain_recording", rows)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


if __name__ == "__main__":
    main()
