"""Training on two processes of one core each: against one, with and without overlap, and through a slow link.

distributed.py [loopback|link] [--repeats N]     both parts without a name; the link needs root, for its namespaces
distributed.py worker SIZES BATCH STEPS BUCKET   what is measured: one process of a world, or alone without RANK

A step's time is the median over steps; processor time is that of one process, its communication threads included. The
model that figures are held against is docs/scaling.md's.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
from link import ADDRESSES, link, on_host
from machine import OtherWork, keep

from glassnet.architecture import Architecture

BATCH = 1024
WIDE = "784-2048-2048-10"
RATE, DELAY = 250e6, 0.002  # 2 Gbit/s, 2 ms each way
BUCKETS = 4.0


def worker(sizes: str, batch: int, steps: int, bucket: float) -> None:
    """Take the steps and print what they took."""
    from contextlib import nullcontext

    from glassnet.distributed import gradient_exchange, joined
    from glassnet.engines.base import Examples, Plan, State
    from glassnet.engines.torch import Torch
    from glassnet.losses import CrossEntropy
    from glassnet.optimizers import SGD

    gradient_exchange.BUCKET_MB = bucket
    architecture = Architecture.of(sizes)
    random = np.random.default_rng(0)
    parameters = random.normal(0, 0.02, architecture.layers[-1].stop).astype(np.float32)
    inputs = random.random((4 * batch, architecture.sizes[0]), np.float32)
    examples = Examples(inputs, 1.0, random.integers(0, architecture.sizes[-1], len(inputs)))
    plan = Plan(architecture, CrossEntropy(), SGD(), batch)
    with joined() if "RANK" in os.environ else nullcontext() as group:
        engine = Torch(exchange=gradient_exchange.GradientExchange(group)) if group else Torch()
        trainer = engine.trainer(plan, examples, State(parameters))
        order = np.arange(len(inputs))
        trainer.run(order[: 3 * batch], [0.01] * 3)
        times, used = [], time.process_time()
        for step in range(steps):
            started = time.perf_counter()
            trainer.run(order[step % 4 * batch :][:batch], [0.01])
            times.append(time.perf_counter() - started)
        used = (time.process_time() - used) / steps
        figures = {
            "step": statistics.median(times),
            "quickest": min(times),
            "processor": used,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        }
    if not group or group.rank == 0:
        print(json.dumps(figures))


def measure(processes: int, sizes: str, steps: int, bucket: float = BUCKETS, hosts: bool = False) -> dict[str, Any]:
    """Rank 0's figures; with `hosts` each process is on a host of its own."""
    command = [sys.executable, __file__, "worker", sizes, str(BATCH), str(steps), str(bucket)]
    settings = os.environ | {"OMP_NUM_THREADS": "1"}
    if processes > 1:
        settings |= {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29617"}
    if hosts:
        settings["MASTER_ADDR"] = ADDRESSES[0]
    started = []
    for rank in range(processes):
        own = settings | ({"RANK": str(rank)} if processes > 1 else {})
        placed = on_host(rank, command) if hosts else command
        pinned = ["taskset", "-c", str(rank), *placed]
        started.append(subprocess.Popen(pinned, env=own, stdout=subprocess.PIPE, text=True))
    with OtherWork() as others:
        answers = [process.communicate()[0] for process in started]
    return json.loads(answers[0]) | {"others": others.processors}


def parameters(sizes: str) -> int:
    return Architecture.of(sizes).count().total


def loopback(repeats: int) -> dict[str, Any]:
    """One process, two, and two that wait with sending until the backward pass is done; in turn."""
    ways = {
        "one process": lambda: measure(1, WIDE, 8),
        "two processes": lambda: measure(2, WIDE, 8),
        "two, without overlap": lambda: measure(2, WIDE, 8, bucket=1000),
    }
    seen: dict[str, list[dict[str, Any]]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, run in ways.items():
            seen[way].append(run())
    one = statistics.median(run["step"] for run in seen["one process"])
    print(
        f"{WIDE}, batch {BATCH}, one core each, gloo on loopback; medians of {repeats} runs in turn, and the quickest"
    )
    print(
        f"{'':<22} {'step':>8} {'samples/s':>10} {'ratio':>6} {'quickest':>9} {'processor':>10} {'memory':>8}  others"
    )
    for way, runs in seen.items():
        names = ("step", "processor", "memory", "others")
        step, processor, memory, others = (statistics.median(run[name] for run in runs) for name in names)
        quickest = min(run["step"] for run in runs)
        figures = f"{step * 1e3:6.0f} ms {BATCH / step:10,.0f} {one / step:5.2f}x {quickest * 1e3:6.0f} ms"
        print(f"{way:<22} {figures} {processor * 1e3:7.0f} ms {memory / 1e6:5.0f} MB {others:7.2f}")
    print()
    return seen


def through_link(repeats: int) -> dict[str, Any]:
    """Networks of growing size on two hosts, beside what the arithmetic predicts from one process alone."""
    sizes = [f"784-{width}-{width}-10" for width in (64, 256, 512, 1024, 2048)]
    found: dict[str, Any] = {}
    print(f"two hosts, a link of {RATE * 8 / 1e9:g} Gbit/s and {DELAY * 1e3:g} ms each way, batch {BATCH}, SGD")
    print(f"{'':<18} {'parameters':>10} {'alone':>9} {'predicted':>10} {'measured':>9} {'sending':>8}")
    for spec in sizes:
        steps = 8 if parameters(spec) > 1e6 else 20
        alone, two = [], []
        for _ in range(repeats):
            alone.append(measure(1, spec, steps))
            with link(RATE, DELAY):
                two.append(measure(2, spec, steps, hosts=True))
        one = statistics.median(run["step"] for run in alone)
        step = statistics.median(run["step"] for run in two)
        sending = sending_seconds(parameters(spec))
        predicted = one / 2 * (1 / 3) + max(one / 2 * (2 / 3), sending) + 2 * DELAY
        found[spec] = {"alone": alone, "two": two, "sending": sending, "predicted": predicted}
        row = f"{one * 1e3:6.1f} ms {predicted * 1e3:7.1f} ms {step * 1e3:6.1f} ms {sending * 1e3:5.1f} ms"
        print(f"{spec:<18} {parameters(spec):10,} {row}   {'sending' if sending > one / 3 else 'computing'} dominates")
    print()
    return found


def sending_seconds(count: int, processes: int = 2) -> float:
    """A ring's all-reduce of so many float32: each byte goes out and comes back, in 2 (N - 1) turns."""
    turns = 2 * (processes - 1)
    return turns * DELAY + turns / processes * 4 * count / RATE


def main() -> None:
    if sys.argv[1:2] == ["worker"]:
        sizes, batch, steps, bucket = sys.argv[2:]
        worker(sizes, int(batch), int(steps), float(bucket))
        return
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("part", nargs="?", choices=["loopback", "link"])
    arguments.add_argument("--repeats", type=int, default=3)
    wanted = arguments.parse_args()
    if wanted.part != "link":
        keep("distributed", loopback(wanted.repeats))
    if wanted.part != "loopback":
        keep("distributed_link", through_link(wanted.repeats))


if __name__ == "__main__":
    main()
