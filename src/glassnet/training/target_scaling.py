"""Targets in any unit: training standardises them, and the last layer returns its outputs in their unit.

A price of 300,000 is far from where a network starts, and its squared error dominates every step. So the targets are
standardised for the run; the last layer, which is linear, then includes the unit: y = center + spread * (w . a + b) is
the neuron with weights spread * w and bias spread * b + center. The network then needs no scaling of its outputs.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from glassnet.arrays import Array
from glassnet.data.dataset import Dataset
from glassnet.data.stream_dataset import Stream
from glassnet.engines.reference import weights_and_biases
from glassnet.errors import InputError, SettingError
from glassnet.names import PLAIN
from glassnet.network import Network
from glassnet.schema import Schema

D = TypeVar("D", bound=Dataset | Stream)


@dataclass(frozen=True, eq=False)
class Unit:
    """Center and spread of the targets, (outputs,) each: targets are trained as (target - center) / spread."""

    center: Array
    spread: Array

    @classmethod
    def of(cls, data: Dataset | Stream) -> "Unit":
        """Mean and standard deviation of the targets (1 for constant targets)."""
        if isinstance(data, Stream):
            return cls(np.array([data.center]), np.array([data.spread]))
        targets = data.targets.reshape(len(data), -1).astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # for_run checks what comes of it
            center, spread = targets.mean(axis=0), targets.std(axis=0)
        return cls(center, np.where(spread == 0, 1.0, spread))

    @classmethod
    def for_run(cls, network: Network, data: Dataset | Stream) -> "Unit | None":
        """The unit for a run: that of the measured targets of a data set with a schema, under a linear last layer.

        None for classes, and for plain arrays, which are trained on as they are.
        """
        linear = network.architecture.activations[-1] == PLAIN
        measured = not data.classes and np.dtype(data.targets.dtype).kind == "f"
        if not (linear and measured and data.schema != Schema()):
            return None
        unit = cls.of(data)
        with np.errstate(over="ignore", invalid="ignore"):
            held = np.isfinite(np.concatenate([unit.center, unit.spread, unit.spread * 100]).astype(network.dtype))
        if not held.all():
            raise InputError(
                f"the targets of {data.name} are too large: {network.dtype} cannot hold their mean and their standard "
                "deviation",
                help="use another unit for the target",
            )
        return unit

    def standardise(self, data: D) -> D:
        """The data with targets of mean 0 and standard deviation 1."""
        if isinstance(data, Stream):
            return replace(data, standardised=(float(self.center[0]), float(self.spread[0])))
        targets = (data.targets.reshape(len(data), -1) - self.center) / self.spread
        return replace(data, targets=targets.reshape(data.targets.shape))

    def started(self, network: Network) -> Network:
        """The network from which training on standardised targets starts.

        A network whose output biases are all 0, as from `Network.create`, starts at the mean of the targets; any other
        returns outputs in the unit, and continues from there.
        """
        vector = network.parameters.copy()
        *_, (weights, biases) = weights_and_biases(network.architecture, vector)
        if not biases.any():
            return network
        weights /= self.spread[:, None]
        biases[:] = (biases - self.center) / self.spread
        return replace(network, parameters=vector)

    def restore(self, network: Network) -> Network:
        """The network that returns outputs in the unit; raises `SettingError` unless its last layer is linear."""
        last = network.architecture.activations[-1]
        if last != PLAIN:
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
