"""The index of a parameter in the flat vector, and the neuron and input it belongs to.

Imports nothing else of `explain`.
"""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from glassnet.errors import AddressError
from glassnet.network import Network
from glassnet.trace import check_address


class Place(NamedTuple):
    """A neuron's weight for an input, or its bias (`input` is None)."""

    layer: int
    neuron: int
    input: int | None

    def name(self, input_names: Sequence[str]) -> str:
        """`weight of pixel 12,7`, or `bias`."""
        return "bias" if self.input is None else f"weight of {input_names[self.input]}"


def place_of(network: Network, index: int) -> Place:
    """The layer, neuron and input of a parameter of the flat vector; raises `AddressError`."""
    shapes = network.architecture.layers
    total = shapes[-1].stop
    if isinstance(index, bool) or not isinstance(index, int | np.integer) or not 0 <= index < total:
        raise AddressError(f"no parameter {index!r}: expected one from 0 to {total - 1}")
    layer = bisect_right([shape.start for shape in shapes], index) - 1
    shape = shapes[layer]
    if index >= shape.biases_start:
        return Place(layer, int(index) - shape.biases_start, None)
    return Place(layer, *divmod(int(index) - shape.start, shape.fan_in))


def index_of(network: Network, layer: int, neuron: int, input: int | None) -> int:
    """The index of a neuron's weight or bias (`input` is None) in the flat vector; raises `AddressError`."""
    check_address(layer, neuron, network.sizes[1:])
    shape = network.architecture.layers[layer]
    if input is None:
        return shape.biases_start + neuron
    if not 0 <= input < shape.fan_in:
        raise AddressError(f"neuron {layer}:{neuron} has no input {input}: expected one from 0 to {shape.fan_in - 1}")
    return shape.start + neuron * shape.fan_in + input
