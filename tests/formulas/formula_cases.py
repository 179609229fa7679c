"""Random networks, examples and losses for the tests of the formulas, each drawn from a seed."""

import os

import numpy as np
from hypothesis import settings

from glassnet import losses
from glassnet.activations import ACTIVATIONS
from glassnet.architecture import Architecture
from glassnet.arrays import Array
from glassnet.engines.base import Examples
from glassnet.losses import LOSSES, Loss

_MORE = int(os.environ.get("GLASSNET_EXAMPLES", "1"))


def tries(count: int) -> settings:
    """So many examples, the same each time; with GLASSNET_EXAMPLES=50 fifty times as many, and others each time."""
    return settings(max_examples=count * _MORE, deadline=None, database=None, derandomize=_MORE == 1)


HIDDEN = [name for name in ACTIVATIONS if name != "softmax"]
"""What may stand in any layer."""


def random_parameters(architecture: Architecture, random: np.random.Generator, dtype: str = "float64") -> Array:
    """Weights and biases that keep pre-activations around 1 at every width."""
    vector = random.normal(0, 0.5, architecture.layers[-1].stop)
    for layer in architecture.layers:
        vector[layer.start : layer.biases_start] *= 3 / layer.fan_in**0.5
    return vector.astype(dtype)


def random_loss(name: str, fan_out: int, random: np.random.Generator) -> Loss:
    """The loss of this name, its options set in half of the cases each."""
    if name == "huber":
        return losses.Huber(delta=float(random.uniform(0.3, 2)))
    if name == "cross_entropy":
        smoothing = float(random.choice([0, 0.15]))
        weights = tuple(random.uniform(0.2, 2, fan_out).tolist()) if random.random() < 0.5 else None
        return losses.CrossEntropy(smoothing, weights)
    return LOSSES[name]()


def random_targets(loss: Loss, n: int, fan_out: int, random: np.random.Generator, dtype: str = "float64") -> Array:
    """Labels or shares where the loss reads them, else measurements; as they are after the loss's own door."""
    if isinstance(loss, losses.CrossEntropy):
        labels = random.random() < 0.5
        given = random.integers(0, fan_out, n) if labels else random.dirichlet(np.ones(fan_out), n)
    elif isinstance(loss, losses.BinaryCrossEntropy):
        given = random.random((n, fan_out))
    else:
        given = random.normal(0, 1.5, (n, fan_out))
    return loss.targets(given, fan_out, dtype)


def random_examples(
    architecture: Architecture,
    loss: Loss,
    n: int,
    random: np.random.Generator,
    weighted: bool = False,
    dtype: str = "float64",
) -> Examples:
    inputs = random.normal(size=(n, architecture.sizes[0])).astype(dtype)
    targets = random_targets(loss, n, architecture.sizes[-1], random, dtype)
    return Examples(inputs, 1.0, targets, random.uniform(0.1, 3, n).astype(dtype) if weighted else None)


def assert_close(ours: Array, theirs: Array, relative: float = 1e-6) -> None:
    """Each number equal to `relative`; those that almost cancel out, to 1e-9 of the largest."""
    largest = float(np.abs(theirs).max(initial=0))
    np.testing.assert_allclose(ours, theirs, rtol=relative, atol=1e-9 * largest + 1e-15)
