"""Bias response: how the bias decides on how much of the data a neuron is active.

Every input has a bias threshold, above which the neuron is active on it: for most activations minus its weighted sum.
The share of a data set on which a neuron is active is therefore the share of these thresholds below its bias, exactly.

Imports `active` and `batches` of `explain`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.arrays import Array, readonly
from glassnet.data.dataset import Dataset
from glassnet.errors import InputError
from glassnet.explain.active import rule, thresholds
from glassnet.explain.batches import Batches
from glassnet.network import Network
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Chart, Section, Text
from glassnet.trace import TraceLayer, check_address


@dataclass(frozen=True, eq=False)
class Threshold:
    """The bias threshold of one input.

    Parameters
    ----------
    bias : float
        The neuron is active on the input with a larger bias, else inactive.
    active : bool
        Whether the neuron is active now.
    """

    bias: float
    active: bool


@dataclass(frozen=True, eq=False)
class BiasResponse(Rendered):
    """The share of a data set on which a neuron is active, for every bias it could have; `bias_response` makes one.

    Parameters
    ----------
    layer, neuron : int
        Address of the neuron.
    activation_name : str
        Its activation.
    bias : float
        Its bias.
    thresholds : ndarray of shape (n,)
        Sorted: for each example the bias above which the neuron is active on it.
    data : str
        Name of the data set.
    at : Threshold, optional
        The threshold of one input, if one was given.
    """

    layer: int
    neuron: int
    activation_name: str
    bias: float
    thresholds: Array
    data: str
    at: Threshold | None = None

    def share_at(self, bias: npt.ArrayLike) -> Any:
        """Share of the examples on which the neuron is active with this bias.

        Parameters
        ----------
        bias : float or array_like

        Returns
        -------
        float or ndarray
            From 0 to 1; an array for an array.
        """
        shares = np.searchsorted(self.thresholds, np.asarray(bias, self.thresholds.dtype), side="left") / len(
            self.thresholds
        )
        return float(shares) if np.ndim(bias) == 0 else shares

    @property
    def share(self) -> float:
        """Share of the examples on which the neuron is active, with the bias it has."""
        return float(self.share_at(self.bias))

    def bias_for(self, share: float) -> float:
        """The smallest bias at which the neuron is active on at least this share of the examples.

        Parameters
        ----------
        share : float
            More than 0 and at most 1.

        Raises
        ------
        InputError
            If `share` is out of range.
        """
        if not 0 < share <= 1:
            raise InputError(f"share must be more than 0 and at most 1, got {share:g}")
        needed = self.thresholds[min(len(self.thresholds), int(np.ceil(share * len(self.thresholds)))) - 1]
        return float(np.nextafter(needed, np.inf, dtype=self.thresholds.dtype))

    def curve(self, points: int = 101) -> tuple[Array, Array]:
        """The response as points, from biases where the neuron is inactive on all examples to those where it is active
        on all.

        Parameters
        ----------
        points : int, default 101

        Returns
        -------
        biases, shares : ndarray of shape (points,)
        """
        finite = self.thresholds[np.isfinite(self.thresholds)]
        ends = (*((finite[0], finite[-1]) if len(finite) else ()), self.bias)
        low, high = float(min(ends)), float(max(ends))
        margin = (high - low) / 20 or 1.0
        biases = np.linspace(low - margin, high + margin, points)
        return biases, self.share_at(biases)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the curve has 101 points."""
        biases, shares = self.curve()
        figures: dict[str, Any] = {
            "layer": self.layer,
            "neuron": self.neuron,
            "activation_name": self.activation_name,
            "active": rule(self.activation_name),
            "count": len(self.thresholds),
            "bias": self.bias,
            "share": self.share,
            "curve": {"biases": biases.tolist(), "shares": shares.tolist()},
        }
        if self.at is not None:
            bias = self.at.bias if np.isfinite(self.at.bias) else None
            figures["at"] = {"bias": bias, "active": self.at.active}
        return figures

    def document(self) -> Document:
        """The share as a curve over the bias, and the biases for a tenth, half and most of the data."""
        biases, shares = self.curve(241)
        few = f"its bias is {self.bias:.4f}: active on {self.share:.1%} of {len(self.thresholds):,} examples"
        lines = [few]
        if np.isfinite(self.thresholds).all():
            low, half, high = (self.bias_for(share) for share in (0.1, 0.5, 0.9))
            lines.append(f"active on 10 % of them at {low:.4f}, on half at {half:.4f}, on 90 % at {high:.4f}")
        if self.at is not None:
            lines.append(self._about_one(self.at))
        curve = Chart("", biases.tolist(), [("share", shares.tolist())], (self.bias, self.share))
        title = f"bias response of {self.layer}:{self.neuron}: the share of {self.data} on which it is active"
        how = f"({self.activation_name}: {rule(self.activation_name)}), for every bias it could have"
        return Document(title, [Text(how), Section("", [curve]), *map(Text, lines)])

    def __repr__(self) -> str:
        return f"BiasResponse({self.layer}:{self.neuron}, bias {self.bias:.4g}, active on {self.share:.1%})"

    def _about_one(self, at: Threshold) -> str:
        if not np.isfinite(at.bias):
            return "on this input it is active for every bias"
        now, then, side = ("active", "inactive", "down to") if at.active else ("inactive", "active", "above")
        return f"on this input it is {now}; with a bias {side} {at.bias:.4f} it would be {then}"


def bias_response(
    network: Network, layer: int, neuron: int, data: Dataset | npt.ArrayLike, at: npt.ArrayLike | None = None
) -> BiasResponse:
    """On how much of a data set a neuron is active, for every bias it could have.

    Parameters
    ----------
    network : Network
    layer, neuron : int
        Address of the neuron, from 0.
    data : Dataset or array_like of shape (n, fan_in)
        The examples.
    at : array_like of shape (fan_in,), optional
        One input whose own threshold is reported too.

    Returns
    -------
    BiasResponse

    Raises
    ------
    AddressError
        If the neuron does not exist.
    InputError
        If `data` or `at` does not fit the network.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.from_layers([([[1.0]], [-2.0], "relu")])
    >>> response = gn.explain.bias_response(network, 0, 0, [[1.0], [2.0], [3.0], [4.0]])
    >>> response.share                        # x - 2 is above 0 for 3 and 4
    0.5
    >>> response.thresholds.tolist()
    [-4.0, -3.0, -2.0, -1.0]
    """
    check_address(layer, neuron, network.sizes[1:])
    batches = Batches(network, data)
    found = np.concatenate([_bias_thresholds(trace.layers[layer], neuron) for trace in batches])
    bias = float(network.layers[layer].biases[neuron])
    about = None
    if at is not None:
        trace = batches.network.trace(at)
        if trace.outputs.ndim == 2:
            raise InputError(f"at has {len(trace)} inputs: expected one", help="pass several inputs as data")
        own = float(_bias_thresholds(trace.layers[layer], neuron)[0])
        about = Threshold(bias=own, active=own < bias)
    return BiasResponse(
        layer=layer,
        neuron=neuron,
        activation_name=network.layers[layer].activation,
        bias=bias,
        thresholds=readonly(np.sort(found)),
        data=batches.name,
        at=about,
    )


def _bias_thresholds(layer: TraceLayer, neuron: int) -> Array:
    """The bias at which each example's activity changes, (n,): threshold of z minus its weighted sum."""
    weighted_sums = np.atleast_2d(layer.weighted_sums)[:, neuron]
    return np.asarray(thresholds(layer, neuron) - weighted_sums.astype(np.float64))
