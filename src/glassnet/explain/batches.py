"""Traces of a data set in batches: memory stays bounded, however many examples there are.

Imports nothing else of `explain`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from glassnet.arrays import numeric, shape_text
from glassnet.data.dataset import Dataset
from glassnet.errors import InputError
from glassnet.network import Network
from glassnet.trace import Trace

NUMBERS_AT_ONCE = 1 << 20
"""Largest number of inputs and activations in a batch, about: they should stay in the processor's cache."""


class Batches:
    """Traces of consecutive batches of examples.

    Parameters
    ----------
    network : Network
    data : Dataset, pair (inputs, targets), or array_like of shape (n, fan_in)
        Inputs of a `Dataset` are scaled as its schema says.

    Raises
    ------
    InputError
        If the data does not fit the network or is empty.
    """

    def __init__(self, network: Network, data: Any) -> None:
        self.network, self.name = network, "data"
        if isinstance(data, Dataset):
            self.network = network.with_schema(replace(network.schema, scale=data.schema.scale))
            self.name = data.name
            inputs = data.inputs
        else:
            inputs = numeric(data[0] if isinstance(data, tuple) and len(data) == 2 else data, "data")
        fan_in = network.sizes[0]
        if inputs.ndim > 2 and len(inputs) and inputs[0].size == fan_in:
            inputs = inputs.reshape(len(inputs), fan_in)
        if inputs.ndim != 2 or inputs.shape[1] != fan_in or len(inputs) == 0:
            raise InputError(
                f"{self.name} has shape {shape_text(inputs.shape)}: expected (n, {fan_in}), at least one row of "
                f"the network's {fan_in:,} inputs"
            )
        self._inputs = inputs

    def __len__(self) -> int:
        return len(self._inputs)

    def __iter__(self) -> Iterator[Trace]:
        rows = max(1, min(1024, NUMBERS_AT_ONCE // sum(self.network.sizes)))
        for start in range(0, len(self), rows):
            yield self.network.trace(self._inputs[start : start + rows])
