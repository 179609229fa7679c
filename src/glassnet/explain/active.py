"""The rule by which a neuron counts as active, for each activation; all of `explain` uses it.

    pre-activation > 0

A relu-like neuron then passes its input on; a sigmoid-like one is above the middle of its range (1/2; 0 for tanh); a
plain score is evidence for and not against. Softmax has no middle: there a neuron is active if its activation is above
1/2, more than all others of the row together, which is the same as a pre-activation > log(sum of exp(z) over the
others).

Imports nothing else of `explain`.
"""

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array
from glassnet.trace import TraceLayer


def rule(activation_name: str) -> str:
    """The rule for this activation, in words."""
    of = activation(activation_name)
    if of.by_row:
        return "activation > 1/2"
    if of.bounded:
        middle = sum(of.bounds) / 2
        return f"activation > {'1/2' if middle == 0.5 else f'{middle:g}'}, so pre-activation > 0"
    return "pre-activation > 0"


def active(layer: TraceLayer) -> Array:
    """The active neurons, as booleans of the shape of the activations."""
    if activation(layer.activation_name).by_row:
        return np.asarray(layer.activations > 0.5)
    return np.asarray(layer.pre_activations > 0)


def thresholds(layer: TraceLayer, neuron: int) -> Array:
    """The value that the neuron's pre-activation must exceed to be active, for each of n examples, (n,)."""
    z = np.atleast_2d(layer.pre_activations)
    if not activation(layer.activation_name).by_row:
        return np.zeros(len(z))
    others = np.delete(z, neuron, axis=1).astype(np.float64)
    if others.shape[1] == 0:
        return np.full(len(z), -np.inf)  # the only neuron of its row always has activation 1
    largest = others.max(axis=1, keepdims=True)
    return np.asarray(np.log(np.exp(others - largest).sum(axis=1)) + largest[:, 0])
