"""How a change of the inputs moves the neurons of a layer, and through them a logit.

    conductance of neuron j = integral over the path of  d logit / d a_j  *  d a_j / d t

Forward to the layer, the rate of each activation along the path; backward from the logit, its slope for each of them.
Their products add up to the rate of the logit, so that the conductances add up to its change (K. Dhamdhere, M.
Sundararajan, Q. Yan, "How Important Is a Neuron?", 2018).
"""

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array
from glassnet.explain import backward
from glassnet.trace import Trace, TraceLayer


def rates(trace: Trace, layer: int, way: Array, head: Array) -> Array:
    """For each of the n points of a trace, the rate at which `head @ logits` moves through each neuron of the layer.

    `way` (fan_in,) is how fast the inputs move; the result is (n, neurons).
    """
    moving = np.broadcast_to(way, (len(trace), len(way)))
    for at in trace.layers[: layer + 1]:
        moving = (moving @ at.weights.astype(np.float64).T) * _slopes(at)
    *hidden, last = trace.layers
    rows = np.broadcast_to(backward.times(head[None], last.weights), (len(trace), last.weights.shape[1]))
    for at in reversed(hidden[layer + 1 :]):
        rows = backward.times(rows * _slopes(at), at.weights)
    return rows * moving


def _slopes(at: TraceLayer) -> Array:
    return activation(at.activation_name).slope(
        at.pre_activations.astype(np.float64), at.activations.astype(np.float64)
    )
