"""Traces of a data set in batches: memory stays bounded, however many examples there are.

Imports nothing else of `explain`.
"""

from collections.abc import Iterator
from typing import Any

from glassnet.data.dataset import Dataset
from glassnet.evaluation import meeting_inputs
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
        Raw inputs, read by the rule of `Schema`.

    Raises
    ------
    InputError
        If the data does not fit the network or is empty.
    """

    def __init__(self, network: Network, data: Any) -> None:
        self.network, data, self.notes = meeting_inputs(network, data)
        assert isinstance(data, Dataset)
        self._data, self.name = data, data.name

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[Trace]:
        rows = max(1, min(1024, NUMBERS_AT_ONCE // sum(self.network.sizes)))
        for start in range(0, len(self), rows):
            yield self.network.trace(self._data[start : start + rows])
