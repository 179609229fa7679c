"""When a neuron counts as active, for each activation. All of `explain` goes by this one rule.

    pre-activation > 0

It says of a relu and its kin that they let something through, of a sigmoid and its kin that they are over the middle
of their range (1/2; 0 for tanh), of plain scores that they speak for and not against. Softmax has no middle of its
own: there it is activation > 1/2, more than all the others of the row together, which is the same as a
pre-activation > log(sum of exp(z) over the others).

Imports nothing else of `explain`.
"""

import numpy as np

from glassnet.arrays import Array
from glassnet.trace import TraceLayer

RELU_LIKE = frozenset({"relu", "leaky_relu", "elu", "selu", "softplus", "gelu", "gelu_tanh", "silu", "mish"})
"""Let through what is above 0, and little or nothing of what is below."""

_MIDDLE = {"sigmoid": "1/2", "hard_sigmoid": "1/2", "tanh": "0", "step": "1/2"}


def rule(activation_name: str) -> str:
    """What active means under this activation, in words."""
    if activation_name == "softmax":
        return "activation > 1/2"
    if activation_name in _MIDDLE:
        return f"activation > {_MIDDLE[activation_name]}, so pre-activation > 0"
    return "pre-activation > 0"


def active(layer: TraceLayer) -> Array:
    """Which neurons are active, as booleans of the shape of the activations."""
    if layer.activation_name == "softmax":
        return np.asarray(layer.activations > 0.5)
    return np.asarray(layer.pre_activations > 0)


def thresholds(layer: TraceLayer, neuron: int) -> Array:
    """What the neuron's pre-activation has to exceed for it to be active, for each of n examples, (n,)."""
    z = np.atleast_2d(layer.pre_activations)
    if layer.activation_name != "softmax":
        return np.zeros(len(z))
    others = np.delete(z, neuron, axis=1).astype(np.float64)
    if others.shape[1] == 0:
        return np.full(len(z), -np.inf)  # alone in its row it always has all of it
    largest = others.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(others - largest).sum(axis=1)) + largest[:, 0])
