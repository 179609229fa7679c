"""One matrix product or convolution of a forward pass: its inputs, its weights and what the framework computed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product as combinations
from typing import Any

import numpy as np

from glassnet.arrays import Array

UNIT = {"bfloat16": 2.0**-8, "float16": 2.0**-11, "float32": 2.0**-24, "float64": 2.0**-53}
"""Unit roundoff of each type: half the distance from 1 to the next number."""
SMALLEST = {"float16": 2.0**-24}
"""Half-precision numbers below the normal range are this far apart."""


@dataclass(frozen=True)
class Window:
    """How a convolution moves over its input: one number for each axis of space."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1

    def patch(self, inputs: Array, channels: range, place: tuple[int, ...]) -> Array:
        """The inputs of one neuron, (channels, *kernel); 0 in the padding."""
        patch = np.zeros((len(channels), *self.kernel), inputs.dtype)
        for inside in combinations(*map(range, self.kernel)):
            at = self.at(place, inside)
            if all(0 <= i < n for i, n in zip(at, inputs.shape[1:], strict=True)):
                there = inputs[channels.start : channels.stop]
                to: Any = (slice(None), *inside)
                source: Any = (slice(None), *at)
                patch[to] = there[source]
        return patch

    def at(self, place: tuple[int, ...], inside: tuple[int, ...]) -> tuple[int, ...]:
        """Where a cell of the kernel lies on the input for the neuron at `place`; below 0 in the padding."""
        steps = zip(place, self.stride, self.padding, inside, self.dilation, strict=True)
        return tuple(i * stride - padding + k * dilation for i, stride, padding, k, dilation in steps)


@dataclass(eq=False)
class Product:
    """One product of a forward pass: `outputs = inputs @ weights + biases`, for the rows that were kept.

    Parameters
    ----------
    name : str
        Layer address: the module, or the parameter where the module has several; "#2" for a second call.
    fan_in, fan_out : int
    rows : int
        Rows of the whole product: tokens, examples or patches.
    positions : ndarray of shape (kept,)
        Which position of the model's input each kept row belongs to.
    inputs : ndarray of shape (kept, fan_in), or (channels, *space) for a convolution
    outputs : ndarray of shape (kept, fan_out), or (channels, *space) for a convolution
        Pre-activations as the framework rounded them.
    weights : callable
        Neuron -> its weights of shape (fan_in,), in float64.
    bias : callable or None
        Neuron -> its bias.
    dtype : str
        Type of number in which the framework computed the outputs.
    window : Window, optional
        For a convolution.
    activation : str
        glassnet's name of the activation that follows; "" if none was recognised.
    operand : object
        The framework's own tensor of shape (fan_in, fan_out), for products with all neurons.
    """

    name: str
    fan_in: int
    fan_out: int
    rows: int
    positions: Array
    inputs: Array
    outputs: Array
    weights: Callable[[int], Array]
    bias: Callable[[int], float] | None
    dtype: str
    window: Window | None = None
    activation: str = ""
    operand: Any = field(default=None, repr=False)
    slack: float = 0.0
    """Rounding beyond the dtype's own, relative to the sum of absolute products: of quantised kernels, of TF32."""

    def bound(self, products: Array, bias: float) -> float:
        """The largest difference from the exact sum that the type of number explains.

        The result is rounded once to the type, once more where the bias is added after it. The sum itself is
        accumulated in float32 at least (float64 for float64), with an error of at most n units of that type.
        """
        size = float(np.abs(products).sum()) + abs(bias)
        unit = UNIT.get(self.dtype, UNIT["float32"])
        accumulated = min(UNIT["float32"], unit) * (products.size + 1)
        return size * ((2 if bias else 1) * unit + accumulated + self.slack) + SMALLEST.get(self.dtype, 0.0)
