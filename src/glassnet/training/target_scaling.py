"""Measurements in any unit: learnt as numbers around 0, told in the unit they came in.

A price of 300,000 is far from where a network starts, and its squared error drowns every step. So the targets are
standardised for the run; afterwards the last layer, which is linear, takes the unit over: y = center + spread * (w . a
+ b) is the neuron with weights spread * w and bias spread * b + center. The network then needs no key to be read.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from glassnet.arrays import Array
from glassnet.data.dataset import Dataset
from glassnet.data.stream_dataset import Stream
from glassnet.engines.reference import weights_and_biases
from glassnet.errors import SettingError
from glassnet.network import Network

D = TypeVar("D", bound=Dataset | Stream)


@dataclass(frozen=True, eq=False)
class Unit:
    """What was taken from each target and what it was then divided by, (outputs,) each."""

    center: Array
    spread: Array

    @classmethod
    def of(cls, data: Dataset | Stream) -> "Unit":
        """Mean and standard deviation of the targets (1 where they are all the same)."""
        if isinstance(data, Stream):
            return cls(np.array([data.center]), np.array([data.spread]))
        targets = data.targets.reshape(len(data), -1).astype(np.float64)
        spread = targets.std(axis=0)
        return cls(targets.mean(axis=0), np.where(spread > 0, spread, 1.0))

    def standardise(self, data: D) -> D:
        """The data with targets around 0, of spread 1."""
        if isinstance(data, Stream):
            return replace(data, standardised=(float(self.center[0]), float(self.spread[0])))
        targets = (data.targets.reshape(len(data), -1) - self.center) / self.spread
        return replace(data, targets=targets.reshape(data.targets.shape))

    def restore(self, network: Network) -> Network:
        """The network that gives its outputs in the unit; raises `SettingError` unless its last layer is linear."""
        last = network.architecture.activations[-1]
        if last != "identity":
            raise SettingError(
                f"the last layer has activation {last!r}: measured targets need 'identity', which has no bounds",
                help="omit the activation of the last layer",
            )
        vector = network.parameters.copy()
        *_, (weights, biases) = weights_and_biases(network.architecture, vector)
        weights *= self.spread[:, None]
        biases *= self.spread
        biases += self.center
        return replace(network, parameters=vector)
