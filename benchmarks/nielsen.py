"""Two published runs, done again: Michael Nielsen, "Neural Networks and Deep Learning", 2015, chapters 1 and 3.

His definitions differ from PyTorch's, and so from ours, by constant factors that go into the learning rate:
- his quadratic cost is the sum over the 10 outputs of (a - y)^2 / 2, ours the mean of (a - y)^2, which is 1/5 of it;
- his cross-entropy is the sum over the outputs of the binary one, ours the mean, which is 1/10 of it;
- his penalty is lambda / (2 n) sum w^2 with n = 50,000, beside the loss as a sum: ours is a tenth of it, beside the
mean. Weights start as normal numbers (in chapter 3 divided by the root of fan_in), and so do the biases. He trains on
the first 50,000 digits and quotes the best of the accuracies after each epoch: in chapter 1 on the 10,000 test digits,
in chapter 3 on the other 10,000 training digits. Results vary with the random start, as he says himself: so there are
several seeds.
"""

import sys
import time

import numpy as np
from machine import keep

import glassnet as gn

RUNS = {
    "784-30-10, quadratic cost, eta 3.0": {
        "published": 0.954,
        "sizes": "784-30-10",
        "init": "normal",
        "loss": "squared_error",
        "learning_rate": 3.0 * 10 / 2,
        "l2": 0.0,
    },
    "784-100-10, cross-entropy, eta 0.1, lambda 5.0": {
        "published": 0.979,
        "sizes": "784-100-10",
        "init": "lecun_normal",
        "loss": "binary_cross_entropy",
        "learning_rate": 0.1 * 10,
        "l2": 5.0 / 50_000 / 10,
    },
}
SEEDS = range(3)


def main(epochs: int = 30) -> None:
    digits, test = gn.data.digits()
    train, validation = digits[:50_000], digits[50_000:]
    rows = []
    print(f"published runs, {epochs} epochs of batches of 10, best accuracy after an epoch")
    print(f"{'':<48} published  seed    test  validation  seconds")
    for name, settings in RUNS.items():
        for seed in SEEDS:
            started = time.perf_counter()
            after_each = [
                (gn.evaluate(epoch.network, test).accuracy, gn.evaluate(epoch.network, validation).accuracy)
                for epoch in gn.training.epochs(
                    random_start(settings["sizes"], settings["init"], seed),
                    train,
                    epochs=epochs,
                    batch_size=10,
                    optimizer="sgd",
                    schedule="constant",
                    learning_rate=settings["learning_rate"],
                    loss=settings["loss"],
                    l2=settings["l2"],
                    seed=seed,
                )
            ]
            best = [max(column) for column in zip(*after_each, strict=True)]
            row = {
                "run": name,
                "published": settings["published"],
                "seed": seed,
                "test": best[0],
                "validation": best[1],
            }
            rows.append(row | {"seconds": time.perf_counter() - started})
            published, seconds = settings["published"], rows[-1]["seconds"]
            print(f"{name:<48} {published:9.1%} {seed:>5} {best[0]:7.2%} {best[1]:11.2%} {seconds:8.0f}", flush=True)
    print()
    keep("nielsen", rows)


def random_start(sizes: str, init: str, seed: int) -> gn.Network:
    """A sigmoid network whose biases are random as well."""
    network = gn.Network.create(sizes, "sigmoid", output="sigmoid", init=init, seed=seed)
    vector = network.parameters.copy()
    random = np.random.default_rng(seed + 1000)
    for layer in network.architecture.layers:
        vector[layer.biases_start : layer.stop] = random.normal(size=layer.fan_out)
    return network.with_parameters(vector)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
