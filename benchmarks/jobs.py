"""Training jobs: one network, one data set, one rule; how glassnet does them, and what a training run gives.

Not for: how others do them (`peers.py`), how long it takes (`speed.py`).
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

import glassnet as gn
from glassnet.random import epoch_order

EPOCHS = 5
RATES = {"sgd": 0.1, "adam": 0.001}


@dataclass(frozen=True)
class Outcome:
    """What a run came to: the mean loss over its last epoch, and all parameters in glassnet's order."""

    loss: float
    parameters: np.ndarray


@dataclass(frozen=True)
class Job:
    """Everybody starts from the same numbers, takes the same steps on the same batches, and ends after `EPOCHS`."""

    sizes: str
    optimizer: str
    batch: int
    train: gn.Dataset
    test: gn.Dataset
    seed: int = 0

    @property
    def rate(self) -> float:
        return RATES[self.optimizer]

    @property
    def labelled(self) -> bool:
        return self.train.targets.ndim == 1

    @cached_property
    def start(self) -> gn.Network:
        return gn.Network.create(self.sizes, seed=self.seed)

    @cached_property
    def orders(self) -> list[np.ndarray]:
        return [epoch_order(self.seed, epoch, len(self.train)) for epoch in range(EPOCHS)]

    @cached_property
    def layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The start, layer by layer: weights (fan_out, fan_in) and biases."""
        return [(layer.weights.copy(), layer.biases.copy()) for layer in self.start.layers]

    @property
    def widths(self) -> list[tuple[int, int]]:
        return list(pairwise(self.start.sizes))

    def evaluate(self, outcome: Outcome) -> gn.Evaluation:
        """Of anybody's outcome, on the test examples."""
        return gn.evaluate(self.start.with_parameters(outcome.parameters), self.test)


def flat(layers: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Weights (fan_out, fan_in) and biases of all layers as glassnet's one vector."""
    return np.concatenate([np.ravel(part) for layer in layers for part in layer]).astype(np.float32)


def glassnet(job: Job) -> Outcome:
    """Everything that a call does, packing of the inputs included."""
    training = gn.train(
        job.start,
        job.train,
        epochs=EPOCHS,
        batch_size=job.batch,
        optimizer=job.optimizer,
        learning_rate=job.rate,
        schedule="constant",
        seed=job.seed,
    )
    return Outcome(training.history[-1].loss, training.network.parameters)


def measurements(rows: int = 200_000, columns: int = 64) -> tuple[gn.Dataset, gn.Dataset]:
    """A table without zeros, and a number that hangs on three of its columns."""

    def part(count: int, seed: int) -> gn.Dataset:
        x = np.random.default_rng(seed).standard_normal((count, columns)).astype(np.float32)
        return gn.Dataset(x, np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3])

    return part(rows, 0), part(rows // 10, 1)
