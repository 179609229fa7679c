"""Two published runs, done again: Michael Nielsen, "Neural Networks and Deep Learning", 2015, chapters 1 and 3.

His definitions differ from PyTorch's, and so from ours, by constant factors that go into the learning rate:
- his quadratic cost is the sum over the 10 outputs of (a - y)^2 / 2, ours the mean of (a - y)^2, which is 1/5 of it;
- his cross-entropy is the sum over the outputs of the binary one, ours the mean, which is 1/10 of it;
- his penalty is lambda / (2 n) sum w^2 with n = 50,000, beside the loss as a sum: ours is a tenth of it, beside the mean.
His weights start as standard normal numbers (chapter 3: divided by the root of fan_in), and so do his biases. He trains on
the first 50,000 digits; the best of the accuracies after each epoch is what he quotes.
"""

import sys
import time

import numpy as np
from machine import keep

import glassnet as gn

RUNS = {
    "784-30-10, quadratic cost, eta 3.0": {
        "published": 0.9542,
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


def main(epochs: int = 30) -> None:
    train, test = gn.data.digits()
    train = train[:50_000]
    figures = {}
    print(f"published runs, {epochs} epochs of batches of 10\n{'':<48}  published  best  last  seconds")
    for name, settings in RUNS.items():
        random = np.random.default_rng(0)
        start = gn.Network.create(settings["sizes"], "sigmoid", output="sigmoid", init=settings["init"], seed=0)
        vector = start.parameters.copy()
        for layer in start.architecture.layers:
            vector[layer.biases_start : layer.stop] = random.normal(size=layer.fan_out)
        started = time.perf_counter()
        training = gn.train(
            start.with_parameters(vector),
            train,
            validation=test,
            epochs=epochs,
            batch_size=10,
            optimizer="sgd",
            schedule="constant",
            learning_rate=settings["learning_rate"],
            loss=settings["loss"],
            l2=settings["l2"],
        )
        seconds = time.perf_counter() - started
        accuracies = training.history.validation_accuracy
        best, last = max(accuracies), accuracies[-1]
        figures[name] = {"published": settings["published"], "best": best, "last": last, "seconds": seconds}
        print(f"{name:<48}  {settings['published']:9.1%} {best:6.2%} {last:6.2%} {seconds:7.0f}", flush=True)
    print()
    keep("nielsen", figures)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
