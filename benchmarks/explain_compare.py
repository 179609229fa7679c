"""Comparing two digit networks over the 10,000 test digits, matching included; and finding a hidden order by itself."""

import statistics
import time
from collections.abc import Callable

import numpy as np
from machine import keep

import glassnet as gn
from glassnet.explain.comparison import compare
from glassnet.explain.matching import matched
from glassnet.explain.symmetry import Order, arranged, layers_of

REPEATS = 7


def seconds(job: Callable[[], object]) -> float:
    """The median of some runs, after one to warm up (it loads scipy)."""
    job()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        job()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def in_another_order(network: gn.Network) -> gn.Network:
    random = np.random.default_rng(0)
    widths = network.sizes[1:-1]
    order = Order(tuple(random.permutation(n) for n in widths), tuple(np.ones(n) for n in widths))
    names = network.architecture.activations
    layers = [(w, b, name) for (w, b), name in zip(arranged(layers_of(network), order), names, strict=True)]
    return gn.Network.from_layers(layers, network.schema, network.dtype)


def main() -> None:
    train, test = gn.data.digits()
    starts = [gn.Network.create("784-16-16-10", output="softmax", seed=seed) for seed in (0, 1)]
    a, b = (gn.train(start, train, epochs=2, l2=1e-4, seed=0).network for start in starts)
    wide, other = (gn.Network.create("784-512-512-10", seed=seed) for seed in (0, 1))
    moved, moved_wide = in_another_order(a), in_another_order(wide)
    figures = {
        "compare two digit networks, 10,000 digits": seconds(lambda: compare(a, b, test)),
        "match them": seconds(lambda: matched(a, b)),
        "find a hidden order, 784-16-16-10": seconds(lambda: matched(a, moved)),
        "find a hidden order, 784-512-512-10": seconds(lambda: matched(wide, moved_wide)),
        "match by assignment, 784-512-512-10": seconds(lambda: matched(wide, other)),
    }
    for name, value in figures.items():
        print(f"{name:<45} {value:8.3f} s")
    print("(asked for: the first under 0.5 s)\n")
    keep("explain_compare", figures, ("numpy", "scipy"))


if __name__ == "__main__":
    main()
