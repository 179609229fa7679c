"""How fast it is beside its peers: one run, one machine, in turns, medians.

    python benchmarks/speed.py [--repeats N] [--only TEXT]      jobs whose name contains TEXT

A training job is timed as a fifth of a call of `gn.train` for five epochs, everything in it included (packing the
inputs, too); a peer's is a fifth of its five epochs (JAX's compilation is left out). Loss is the mean over the last
epoch. Ratios are how many times glassnet's median. Not for: whether the numbers agree in all digits (the tests).
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterator

import memory
import numpy as np
import peers_forward
import tfidf
from figures import HEADING, Entry, Figure, take_turns
from jobs import EPOCHS, Job, glassnet, measurements
from machine import OtherWork, keep
from peers import TRAINERS

import glassnet as gn
from glassnet.engines import Examples, Plan, State, native
from glassnet.losses import CrossEntropy
from glassnet.optimizers import SGD

PACKAGES = ("numpy", "scipy", "torch", "jax", "scikit-learn", "onnx", "onnxruntime")
MAIN = "784-16-16-10"
MANY = 2000  # calls that make one timing of a short one
Make = Callable[[int], Figure]


def training(name: str, make: Callable[[], Job], asked: dict[str, float]) -> tuple[str, Make]:
    def measure(repeats: int) -> Figure:
        job = make()
        ours = Entry("glassnet")
        works = {"glassnet": (ours, lambda: glassnet(job))}
        for peer, ratio in asked.items():
            run, note = TRAINERS[peer](job)
            works[peer] = (Entry(peer, at_least=ratio, note=note), run)
        outcomes = {}

        def kept(who: str, run: Callable) -> Callable[[], None]:
            return lambda: outcomes.__setitem__(who, run())

        glassnet(job)
        take_turns([(entry, kept(who, run)) for who, (entry, run) in works.items()], repeats, 1 / EPOCHS)
        for who, (entry, _) in works.items():
            test = job.evaluate(outcomes[who])
            entry.loss = outcomes[who].loss
            entry.quality = f"{test.accuracy:.2%}" if job.labelled else f"R squared {test.r_squared:.4f}"
        return Figure(name, [entry for entry, _ in works.values()])

    return name, measure


def training_jobs(train: gn.Dataset, test: gn.Dataset) -> Iterator[tuple[str, Make]]:
    def digits(sizes: str, optimizer: str, batch: int, asked: dict[str, float]) -> tuple[str, Make]:
        name = f"{sizes}, {optimizer.upper() if optimizer == 'sgd' else 'Adam'}, batch {batch}"
        return training(f"{name}: an epoch", lambda: Job(sizes, optimizer, batch, train, test), asked)

    yield digits(MAIN, "sgd", 32, {"PyTorch": 28, "JAX": 4, "scikit-learn": 20})
    yield digits(MAIN, "sgd", 10, {"PyTorch": 80, "JAX": 8})
    yield digits(MAIN, "sgd", 128, {"PyTorch": 9, "JAX": 2.4})
    yield digits("784-30-10", "adam", 10, {"PyTorch": 25})
    yield digits("784-128-10", "adam", 32, {"PyTorch": 4, "scikit-learn": 4})
    yield digits("784-128-10", "adam", 200, {"PyTorch": 2, "scikit-learn": 2})
    yield digits("784-512-512-10", "sgd", 128, {"PyTorch": 1})
    yield training(
        "64-32-32-1, Adam, batch 64, 200,000 rows without zeros: an epoch",
        lambda: Job("64-32-32-1", "adam", 64, *measurements()),
        {"PyTorch": 10},
    )
    yield training("50000-50-10, Adam, batch 200, 10,000 rows of TF-IDF: an epoch", tfidf.job, {"scikit-learn": 5})


def memory_jobs() -> Iterator[tuple[str, Make]]:
    def of_texts(repeats: int) -> Figure:
        entries = [Entry("glassnet"), Entry("scikit-learn", at_least=1)]
        for entry in entries:
            entry.values = [memory.peak([sys.executable, "tfidf.py", entry.who]) for _ in range(repeats)]
        return Figure("the same, the whole process: memory", entries, unit="MB")

    def of_the_main_job(repeats: int) -> Figure:
        command = [sys.executable, "-m", "glassnet", "train", "-o", os.devnull]
        values = [memory.peak(command) for _ in range(repeats)]
        return Figure("`glassnet train`, the whole process: memory", [Entry("glassnet", values)], "MB", limit=250)

    yield "the same, the whole process: memory", of_texts
    yield "`glassnet train`, the whole process: memory", of_the_main_job


def forward_jobs(test: gn.Dataset) -> Iterator[tuple[str, Make]]:
    network = gn.Network.create(MAIN, seed=0).with_schema(test.schema)
    floats = test.scaled()

    def forward(
        name: str, rows: np.ndarray, batch: np.ndarray, asked: dict[str, float | None], calls: int, limit: float | None
    ) -> tuple[str, Make]:
        """`rows` are what glassnet is asked, `batch` the same as peers want them."""

        def often(ask: Callable) -> Callable[[], None]:
            def run() -> None:
                for _ in range(calls):
                    ask()

            return run

        def measure(repeats: int) -> Figure:
            works = [(Entry("glassnet"), often(lambda: network(rows)))]
            for peer, ratio in asked.items():
                ask = peers_forward.ASKED[peer](network, batch, 1)
                assert np.allclose(ask(), network(batch), rtol=1e-3, atol=1e-4)
                works.append((Entry(peer, at_least=ratio), often(ask)))
            for _, run in works:
                run()
            take_turns(works, 3 * repeats, 1 / calls)
            return Figure(name, [entry for entry, _ in works], limit=limit)

        return name, measure

    both = {"ONNX Runtime": 3.0, "PyTorch": 10.0}
    yield forward(f"one input through {MAIN}, net(x)", floats[0], floats[:1], both, MANY, 3e-6)
    for name, rows, ratio in (
        ("uint8", test.inputs, 2.0),
        ("float32", floats, 1.0),
        ("float32 without zeros", np.maximum(floats, np.float32(0.1)), 1.0),
    ):
        asked = {"ONNX Runtime": ratio, "PyTorch": None}
        yield forward(f"10,000 digits, {name}, net(x), one thread each", rows, rows, asked, 10, None)


def parts_of_the_main_job(train: gn.Dataset) -> Iterator[tuple[str, Make]]:
    """What an epoch is made of: asked of the engine itself."""
    batch, order = 32, Job(MAIN, "sgd", 32, train, train).orders[0]
    start = gn.Network.create(MAIN, seed=0)
    plan = Plan(start.architecture, CrossEntropy(), SGD(), batch)
    examples, state = Examples(*train.network_inputs, train.targets), State(start.parameters)
    rates = [0.01] * -(-len(order) // batch)

    def floor(repeats: int) -> Figure:
        trainer = native.trainer(plan, examples, state)
        loops, whole = Entry("its two first-layer loops alone"), Entry("a whole epoch", at_most=1.5)
        works = [(loops, lambda: trainer._context.floor(order)), (whole, lambda: trainer.run(order, rates))]
        for _, run in works:
            run()
        take_turns(works, 5 * repeats)
        return Figure(floor_name, [loops, whole])

    def packing(repeats: int) -> Figure:
        trainer = native.trainer(plan, examples, state)
        whole, packed = Entry("an epoch"), Entry("making a trainer, inputs packed", at_most=1)
        works = [(whole, lambda: trainer.run(order, rates)), (packed, lambda: native.trainer(plan, examples, state))]
        take_turns(works, 5 * repeats)
        return Figure(packing_name, [whole, packed])

    def sixteen(repeats: int) -> Figure:
        def train_many(threads: int) -> None:
            settings = {"epochs": EPOCHS, "batch_size": batch, "optimizer": "sgd", "schedule": "constant"}
            runs = [gn.training.epochs(start, train, seed=seed, **settings) for seed in range(16)]
            gn.train_many(runs, threads=threads)

        entries = [Entry("on two threads"), Entry("on one thread", at_least=1.9)]
        train_many(2)
        take_turns([(entries[0], lambda: train_many(2)), (entries[1], lambda: train_many(1))], repeats)
        return Figure(sixteen_name, entries)

    floor_name = f"{MAIN}, SGD, batch {batch}: an epoch over its floor"
    packing_name = f"{MAIN}, SGD, batch {batch}: packing the digits"
    sixteen_name = f"16 networks of {MAIN}, five epochs each, gn.train_many"
    yield floor_name, floor
    yield packing_name, packing
    yield sixteen_name, sixteen


def main() -> None:
    limits = [name for name in os.environ if name.startswith(("OPENBLAS_", "OMP_", "MKL_", "GLASSNET_"))]
    if limits:  # numpy has read them by now: start anew without, so that all may use the whole machine
        clean = {name: value for name, value in os.environ.items() if name not in limits}
        os.execve(sys.executable, [sys.executable, *sys.argv], clean)
    parser = argparse.ArgumentParser(description="glassnet beside its peers.")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, of which the median counts")
    parser.add_argument("--only", default="", help="only jobs whose name contains this; nothing is kept then")
    arguments = parser.parse_args()
    train, test = gn.data.digits()
    jobs = [*training_jobs(train, test), *memory_jobs(), *forward_jobs(test), *parts_of_the_main_job(train)]
    print(f"beside its peers, kernel for {native.variant()}, medians of {arguments.repeats}\n{HEADING}")
    figures = []
    for name, measure in jobs:
        if arguments.only in name:
            with OtherWork() as other:
                figures.append(measure(arguments.repeats))
            figures[-1].others = other.processors
            print(figures[-1], flush=True)
    print()
    if not arguments.only:
        about = {"repeats": arguments.repeats, "kernel": native.variant()}
        keep("speed", {**about, "jobs": [figure.as_dict() for figure in figures]}, PACKAGES)


if __name__ == "__main__":
    main()
