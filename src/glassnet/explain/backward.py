"""From a logit back to the inputs: the weight of each input, through the slopes in force.

    row <- (row * slope) W        layer after layer, the last one first

Starts from a `Trace`: which linear piece of a relu is in force is what the network itself computed, in its own dtype.
From there on everything is float64. A row of one output goes back as a vector, and a float32 matrix becomes float64 one
block at a time, so that memory beside the parameters is that of a few rows, however large the network.

Imports nothing else of `explain`.
"""

from collections.abc import Callable

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array
from glassnet.trace import Trace, TraceLayer

BLOCK = 1 << 17
"""Numbers of a matrix converted to float64 at a time: 1 MB."""


def straight(name: str) -> bool:
    """Whether this activation is made of straight pieces, so that an affine map is in force around every input."""
    return activation(name).corners is not None


def affine(trace: Trace, heads: Array) -> tuple[Array, Array]:
    """The affine map in force from the inputs to `heads @ logits`: weights (m, fan_in) and bias (m,).

    `heads` (m, fan_out) selects logits, or sums of them. The hidden layers must be made of straight pieces.
    """
    *hidden, last = trace.layers
    bias = heads @ last.biases
    rows = times(heads, last.weights)
    for layer in reversed(hidden):
        slopes, at_zero = activation(layer.activation_name).pieces(layer.pre_activations.astype(np.float64))
        bias = bias + rows @ at_zero
        rows = rows * slopes
        bias = bias + rows @ layer.biases
        rows = times(rows, layer.weights)
    return rows, bias


def summed_sizes(trace: Trace, heads: Array) -> Array:
    """Sizes of all that was added up on the way to `heads @ logits`, (m,); rounding is relative to it.

    For each layer |weights| @ |inputs| + |bias| of every neuron, times how much that neuron counts for the logit.
    """
    rows, sizes = heads, np.zeros(len(heads))
    for i, layer in reversed(list(enumerate(trace.layers))):
        if i < len(trace.layers) - 1:
            slopes, _ = activation(layer.activation_name).pieces(layer.pre_activations.astype(np.float64))
            rows = times(rows, trace.layers[i + 1].weights) * slopes
        counts, inputs = np.abs(rows), np.abs(layer.inputs).astype(np.float64)
        sizes += times(counts, layer.weights, np.abs) @ inputs + counts @ np.abs(layer.biases)
    return sizes


def input_slopes(trace: Trace, head: Array) -> Array:
    """Gradient of `head @ logits` for each input, (n, fan_in), for the n examples of a trace; `head` is (fan_out,)."""
    *hidden, last = trace.layers
    rows = np.broadcast_to(times(head[None], last.weights), (len(trace), last.weights.shape[1]))
    for layer in reversed(hidden):
        rows = times(rows * _slopes(layer), layer.weights)
    return rows


def _slopes(layer: TraceLayer) -> Array:
    z, a = layer.pre_activations.astype(np.float64), layer.activations.astype(np.float64)
    return activation(layer.activation_name).slope(z, a)


def times(rows: Array, matrix: Array, of: Callable[[Array], Array] = lambda block: block) -> Array:
    """`rows @ of(matrix)` in float64; rows of the matrix with weight 0 are skipped."""
    result = np.zeros((len(rows), matrix.shape[1]))
    step = max(1, BLOCK // matrix.shape[1])
    for start in range(0, len(matrix), step):
        part, block = rows[:, start : start + step], matrix[start : start + step]
        used = part.any(axis=0)
        if not used.all():
            part, block = part[:, used], block[used]
        if part.size:
            result += part @ of(block).astype(np.float64, copy=False)
    return result
