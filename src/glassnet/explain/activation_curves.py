"""The same neuron under another squish: one pre-activation z, and what each activation makes of it, with its slope.

The slope says how much the activation moves when z does; where it is near 0 the neuron hardly learns. Imports only
`drawing` of `explain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from glassnet.activations import ACTIVATIONS
from glassnet.activations import activation as known_activation
from glassnet.arithmetic import significant
from glassnet.arrays import Array, readonly
from glassnet.errors import SettingError
from glassnet.network import Network
from glassnet.render import text_pictures
from glassnet.trace import Trace


class ActivationAlternative(NamedTuple):
    """One activation at one point: what it gives there, and its slope."""

    name: str
    activation: float
    slope: float
    formula: str


@dataclass(frozen=True, eq=False)
class ActivationCurve:
    """A squish as points: `activations` and `slopes` (n,) at the pre-activations `z` (n,); `at` is one point on it, as
    (z, activation, slope), where one was asked for."""

    name: str
    z: Array
    activations: Array
    slopes: Array
    at: tuple[float, float, float] | None = None

    def tangent(self) -> Array:
        """The straight line through `at` with its slope, (n,): what the squish is like close by."""
        if self.at is None:
            raise SettingError("this curve has no point on it", help="call activation_curve(name, at=pre_activation)")
        z, activation, slope = self.at
        return activation + slope * (self.z - z)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "name": self.name,
            "z": self.z.tolist(),
            "activations": self.activations.tolist(),
            "slopes": self.slopes.tolist(),
            "at": self.at,
        }

    def __str__(self) -> str:
        mark = self.at[:2] if self.at else None
        heading = f"{self.name} = {known_activation(self.name).formula}"
        lines = [heading, *text_pictures.curve(self.z, self.activations, mark, columns=66)]
        if self.at:
            z, activation, slope = (significant(value, 5) for value in self.at)
            lines.append(f"O: z = {z}, activation {activation}, slope {slope}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class ActivationAlternatives:
    """One neuron on one input under several activations; `name` is its own, which comes first."""

    layer: int
    neuron: int
    name: str
    pre_activation: float
    rows: tuple[ActivationAlternative, ...]

    def curve(self, name: str | None = None, n: int = 121) -> ActivationCurve:
        """The curve of an activation (without a name: of its own) with this input's point on it."""
        reach = max(6.0, 1.25 * abs(self.pre_activation))
        return activation_curve(name or self.name, -reach, reach, n, at=self.pre_activation)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "layer": self.layer,
            "neuron": self.neuron,
            "pre_activation": self.pre_activation,
            "activation_name": self.name,
            "squishes": [row._asdict() for row in self.rows],
        }

    def __str__(self) -> str:
        z = significant(self.pre_activation, 5)
        lines = [
            f"neuron {self.layer}:{self.neuron}, z = {z}, under its own squish and under others",
            f"{'':2}{'':<13}{'activation':>11} {'slope':>10}",
        ]
        for row in self.rows:
            mark = ">" if row.name == self.name else " "
            formula = row.formula if len(row.formula) <= 38 else row.formula[:35] + "..."
            figures = f"{significant(row.activation, 5):>11} {significant(row.slope, 4):>10}"
            lines.append(f"{mark} {row.name:<13}{figures}   {formula}")
        if self.name != "softmax":
            lines += ["", str(self.curve())]
        return "\n".join(lines)


def activation_alternatives(
    network: Network, layer: int, neuron: int, inputs: Any, names: Sequence[str] | None = None
) -> ActivationAlternatives:
    """What other activations, in this layer, would make of a neuron's pre-activation on one input.

    names  which ones; without it all of them (softmax only in the last layer, where alone it may stand)

    Raises `AddressError` for an address that is not there, `SettingError` for an unknown activation.
    """
    trace = network.trace(inputs)
    own = trace.neuron(layer, neuron).activation_name
    last = layer == len(trace.layers) - 1
    if names is None:
        names = [name for name in ACTIVATIONS if last or name != "softmax"]
    elif isinstance(names, str):
        names = [names]
    if not last and "softmax" in names:
        raise SettingError(
            f"softmax in hidden layer {layer}: only the last layer can have softmax",
            help=f"ask for others, or for a neuron of layer {len(trace.layers) - 1}",
        )
    rows = [_squished(trace, layer, neuron, name) for name in dict.fromkeys([own, *names])]
    return ActivationAlternatives(layer, neuron, own, float(trace.layers[layer].pre_activations[neuron]), tuple(rows))


def _squished(trace: Trace, layer: int, neuron: int, name: str) -> ActivationAlternative:
    squish = known_activation(name)
    z = trace.layers[layer].pre_activations[None]  # the whole row, which softmax looks at
    activations = squish(z)
    slopes = squish.slope(z, activations)
    return ActivationAlternative(name, float(activations[0, neuron]), float(slopes[0, neuron]), squish.formula)


def activation_curve(
    name: str, low: float = -6.0, high: float = 6.0, n: int = 121, at: float | None = None
) -> ActivationCurve:
    """`n` points of a squish from z = `low` to `high`, and the point at z = `at`.

    Raises `SettingError` for an unknown name, for softmax, which is no curve, and for an empty range.
    """
    squish = known_activation(name)
    if name == "softmax":
        raise SettingError(
            "softmax has no curve: its activations depend on all pre-activations of the layer",
            help="see activation_alternatives(...) for softmax on one layer",
        )
    if not (np.isfinite([low, high]).all() and low < high and n >= 2):
        raise SettingError(
            f"{n} points from {low:g} to {high:g}: a curve needs at least 2 points, from a lower to a higher value"
        )
    z = np.linspace(low, high, n)
    activations = squish(z)
    point = None
    if at is not None:
        there = np.array([at], dtype=np.float64)
        value = squish(there)
        point = (float(at), float(value[0]), float(squish.slope(there, value)[0]))
    return ActivationCurve(name, readonly(z), readonly(activations), readonly(squish.slope(z, activations)), point)
