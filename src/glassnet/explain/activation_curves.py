"""The same neuron under other activations: one pre-activation z, and for each activation its value and slope there.

The slope says how much the activation changes with z; where it is near 0 the neuron hardly trains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from glassnet.activations import ACTIVATIONS
from glassnet.activations import activation as known_activation
from glassnet.arithmetic import significant
from glassnet.arrays import Array, readonly
from glassnet.errors import SettingError
from glassnet.network import Network
from glassnet.render.document import Document, Rendered
from glassnet.render.json import plain
from glassnet.render.parts import Chart, Column, Part, Table, Text
from glassnet.trace import Trace


class ActivationAlternative(NamedTuple):
    """One activation function at one point: its value and slope there."""

    name: str
    activation: float
    slope: float
    formula: str


@dataclass(frozen=True, eq=False)
class ActivationCurve(Rendered):
    """An activation function as points.

    Parameters
    ----------
    name : str
        Name of the activation.
    z : ndarray of shape (n,)
        Pre-activations.
    activations, slopes : ndarray of shape (n,)
        Value and slope at each.
    at : tuple of float, optional
        One point on the curve: (z, activation, slope).
    """

    name: str
    z: Array
    activations: Array
    slopes: Array
    at: tuple[float, float, float] | None = None

    def tangent(self) -> Array:
        """The straight line through `at` with its slope, as values at each `z`.

        Returns
        -------
        ndarray of shape (n,)

        Raises
        ------
        SettingError
            If the curve has no point.
        """
        if self.at is None:
            raise SettingError("this curve has no point on it", help="call activation_curve(name, at=pre_activation)")
        z, activation, slope = self.at
        return activation + slope * (self.z - z)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return dict(plain(self))

    def document(self) -> Document:
        """The curve with its point."""
        mark = self.at[:2] if self.at else None
        parts: list[Part] = [Chart("", self.z.tolist(), [(self.name, self.activations.tolist())], mark, zero=False)]
        if self.at:
            z, activation, slope = (significant(value, 5) for value in self.at)
            parts.append(Text(f"at z = {z}: activation {activation}, slope {slope}"))
        return Document(f"{self.name} = {known_activation(self.name).formula}", parts)

    def __repr__(self) -> str:
        return f"ActivationCurve({self.name}, z from {self.z[0]:.4g} to {self.z[-1]:.4g})"


@dataclass(frozen=True, eq=False)
class ActivationAlternatives(Rendered):
    """One neuron on one input under several activations.

    Parameters
    ----------
    layer, neuron : int
        Address of the neuron.
    name : str
        Its own activation, which is the first of `rows`.
    pre_activation : float
    rows : tuple of ActivationAlternative
    """

    layer: int
    neuron: int
    name: str
    pre_activation: float
    rows: tuple[ActivationAlternative, ...]

    def curve(self, name: str | None = None, n: int = 121) -> ActivationCurve:
        """The curve of an activation with this neuron's pre-activation as its point.

        Parameters
        ----------
        name : str, optional
            By default the neuron's own activation.
        n : int, default 121
            Number of points.

        Returns
        -------
        ActivationCurve
        """
        reach = max(6.0, 1.25 * abs(self.pre_activation))
        return activation_curve(name or self.name, -reach, reach, n, at=self.pre_activation)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "layer": self.layer,
            "neuron": self.neuron,
            "pre_activation": self.pre_activation,
            "activation_name": self.name,
            "alternatives": [row._asdict() for row in self.rows],
        }

    def document(self) -> Document:
        """A row for each activation, and the curve of the neuron's own."""
        rows = [
            (">" if row.name == self.name else "", row.name, significant(row.activation, 5), significant(row.slope, 4),
             row.formula)
            for row in self.rows
        ]  # fmt: skip
        columns = [Column(), Column(), Column("activation", "r"), Column("slope", "r"), Column("formula", "l", None)]
        curve = [] if known_activation(self.name).by_row else [self.curve().document()]
        title = f"neuron {self.layer}:{self.neuron}, z = {significant(self.pre_activation, 5)}, under each activation"
        return Document(title, [Table(columns, rows), *curve])

    def __repr__(self) -> str:
        return f"ActivationAlternatives({self.layer}:{self.neuron}, z {self.pre_activation:.6g}, own {self.name})"


def activation_alternatives(
    network: Network, layer: int, neuron: int, inputs: npt.ArrayLike, names: Sequence[str] | None = None
) -> ActivationAlternatives:
    """A neuron's activation on one input, and what other activation functions would give there.

    Parameters
    ----------
    network : Network
    layer, neuron : int
        Address of the neuron, from 0.
    inputs : array_like of shape (fan_in,)
    names : sequence of str, optional
        Activations to compare; by default all. Softmax is possible in the last layer only.

    Returns
    -------
    ActivationAlternatives

    Raises
    ------
    AddressError
        If the neuron does not exist.
    SettingError
        If an activation is unknown, or is softmax in a hidden layer.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.from_layers([([[1.0]], [0.0], "relu")])
    >>> found = gn.explain.activation_alternatives(network, 0, 0, [2.0], ["tanh"])
    >>> [(row.name, round(row.activation, 4)) for row in found.rows]
    [('relu', 2.0), ('tanh', 0.964)]
    """
    trace = network.trace(inputs)
    own = trace.neuron(layer, neuron).activation_name
    last = layer == len(trace.layers) - 1
    if names is None:
        names = [name for name, of in ACTIVATIONS.items() if last or not of.by_row]
    elif isinstance(names, str):
        names = [names]
    names = [known_activation(name).name for name in names]
    by_row = next((name for name in names if known_activation(name).by_row), None)
    if not last and by_row:
        raise SettingError(
            f"{by_row} in hidden layer {layer}: only the last layer can have {by_row}",
            help=f"ask for others, or for a neuron of layer {len(trace.layers) - 1}",
        )
    rows = [_alternative(trace, layer, neuron, name) for name in dict.fromkeys([own, *names])]
    return ActivationAlternatives(layer, neuron, own, float(trace.layers[layer].pre_activations[neuron]), tuple(rows))


def _alternative(trace: Trace, layer: int, neuron: int, name: str) -> ActivationAlternative:
    function = known_activation(name)
    z = trace.layers[layer].pre_activations[None]  # the whole row, which softmax needs
    activations = function(z)
    slopes = function.slope(z, activations)
    return ActivationAlternative(name, float(activations[0, neuron]), float(slopes[0, neuron]), function.formula)


def activation_curve(
    name: str, low: float = -6.0, high: float = 6.0, n: int = 121, at: float | None = None
) -> ActivationCurve:
    """An activation function as a curve.

    Parameters
    ----------
    name : str
        Name of the activation.
    low, high : float
        First and last pre-activation.
    n : int, default 121
        Number of points.
    at : float, optional
        Pre-activation of a point to mark on the curve.

    Returns
    -------
    ActivationCurve

    Raises
    ------
    SettingError
        If the name is unknown or softmax (which has no curve), or the range is empty.

    Examples
    --------
    >>> import glassnet as gn
    >>> curve = gn.explain.activation_curve("tanh", at=0.0)
    >>> curve.at                              # z, activation, slope
    (0.0, 0.0, 1.0)
    """
    function = known_activation(name)
    name = function.name
    if function.by_row:
        raise SettingError(
            f"{name} has no curve: its activations depend on all pre-activations of the layer",
            help=f"see activation_alternatives(...) for {name} on one layer",
        )
    if not (np.isfinite([low, high]).all() and low < high and n >= 2):
        raise SettingError(
            f"{n} points from {low:g} to {high:g}: a curve needs at least 2 points, from a lower to a higher value"
        )
    z = np.linspace(low, high, n)
    activations = function(z)
    point = None
    if at is not None:
        there = np.array([at], dtype=np.float64)
        value = function(there)
        point = (float(at), float(value[0]), float(function.slope(there, value)[0]))
    return ActivationCurve(name, readonly(z), readonly(activations), readonly(function.slope(z, activations)), point)
