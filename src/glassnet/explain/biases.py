"""What a bias does: on how much of the data its neuron is active, over a data set and on one input.

Every input has a bias at which the neuron changes its mind about it: for most activations minus its weighted sum.
Sorted, these are the whole answer: a neuron is active on an input when its bias is above that input's, so the share
of a data set on which it is active is the share of these numbers below its bias, exactly.

Imports `active`, `slices` and `drawing` of `explain`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.arrays import Array, readonly
from glassnet.errors import InputError
from glassnet.explain.active import rule, thresholds
from glassnet.explain.batches import Slices
from glassnet.network import Network
from glassnet.render import text_pictures
from glassnet.trace import TraceLayer, check_address


@dataclass(frozen=True, eq=False)
class Threshold:
    """One input's own bias: above `bias` the neuron is active on it, up to it inactive. `active` is what it is now."""

    bias: float
    active: bool


@dataclass(frozen=True, eq=False)
class BiasResponse:
    """On how much of a data set a neuron is active, whatever its bias were.

    bias          what it is
    turning       (n,) sorted: for each example the bias above which the neuron is active on it
    data          what to call the data set
    at            the same for one input, where one was given
    """

    layer: int
    neuron: int
    activation_name: str
    bias: float
    turning: Array
    data: str
    at: Threshold | None = None

    def share_at(self, bias: Any) -> Any:
        """The share of the examples on which the neuron would be active with this bias; for an array, that of each."""
        shares = np.searchsorted(self.turning, np.asarray(bias, self.turning.dtype), side="left") / len(self.turning)
        return float(shares) if np.ndim(bias) == 0 else shares

    @property
    def share(self) -> float:
        """The share of the examples on which it is active, with the bias it has."""
        return float(self.share_at(self.bias))

    def bias_for(self, share: float) -> float:
        """The smallest bias at which the neuron would be active on at least this share of the examples."""
        if not 0 < share <= 1:
            raise InputError(f"share must be more than 0 and at most 1, got {share:g}")
        needed = self.turning[min(len(self.turning), int(np.ceil(share * len(self.turning)))) - 1]
        return float(np.nextafter(needed, np.inf, dtype=self.turning.dtype))

    def curve(self, points: int = 101) -> tuple[Array, Array]:
        """Biases (points,) from where the neuron is active on nothing to where it is on everything, and its shares."""
        finite = self.turning[np.isfinite(self.turning)]
        ends = (*((finite[0], finite[-1]) if len(finite) else ()), self.bias)
        low, high = float(min(ends)), float(max(ends))
        margin = (high - low) / 20 or 1.0
        biases = np.linspace(low - margin, high + margin, points)
        return biases, self.share_at(biases)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the curve as 101 of its points."""
        biases, shares = self.curve()
        figures: dict[str, Any] = {
            "layer": self.layer,
            "neuron": self.neuron,
            "activation_name": self.activation_name,
            "active": rule(self.activation_name),
            "count": len(self.turning),
            "bias": self.bias,
            "share": self.share,
            "curve": {"biases": biases.tolist(), "shares": shares.tolist()},
        }
        if self.at is not None:
            bias = self.at.bias if np.isfinite(self.at.bias) else None
            figures["at"] = {"bias": bias, "active": self.at.active}
        return figures

    def __str__(self) -> str:
        lines = [
            f"bias response of {self.layer}:{self.neuron}: the share of {self.data} on which it is active",
            f"({self.activation_name}: {rule(self.activation_name)}), for every bias it could have",
            "",
            *text_pictures.curve(*self.curve(241), mark=(self.bias, self.share), columns=66, zero=True),
            "",
            f"its bias is {self.bias:.4f} (O): active on {self.share:.1%} of {len(self.turning):,} examples",
        ]
        if np.isfinite(self.turning).all():
            few, half, most = (self.bias_for(share) for share in (0.1, 0.5, 0.9))
            lines.append(f"active on 10 % of them at {few:.4f}, on half at {half:.4f}, on 90 % at {most:.4f}")
        if self.at is not None:
            lines.append(self._about_one(self.at))
        return "\n".join(lines)

    def _about_one(self, at: Threshold) -> str:
        if not np.isfinite(at.bias):
            return "on this input it is active, whatever its bias"
        now, then, side = ("active", "inactive", "down to") if at.active else ("inactive", "active", "above")
        return f"on this input it is {now}; with a bias {side} {at.bias:.4f} it would be {then}"


def bias_response(network: Network, layer: int, neuron: int, data: Any, at: Any = None) -> BiasResponse:
    """On how much of `data` a neuron is active for each bias it could have, and whether it is on one input `at`.

    `data` is a `Dataset` or inputs (n, fan_in).

    Raises `AddressError` for an address that is not there, `InputError` for data that does not fit.
    """
    check_address(layer, neuron, network.sizes[1:])
    slices = Slices(network, data)
    turning = np.concatenate([_turning(trace.layers[layer], neuron) for trace in slices])
    bias = float(network.layers[layer].biases[neuron])
    about = None
    if at is not None:
        trace = network.trace(at)
        if trace.outputs.ndim == 2:
            raise InputError(f"at has {len(trace)} inputs: expected one", help="pass several inputs as data")
        own = float(_turning(trace.layers[layer], neuron)[0])
        about = Threshold(bias=own, active=own < bias)
    return BiasResponse(
        layer=layer,
        neuron=neuron,
        activation_name=network.layers[layer].activation,
        bias=bias,
        turning=readonly(np.sort(turning)),
        data=slices.name,
        at=about,
    )


def _turning(layer: TraceLayer, neuron: int) -> Array:
    """The bias at which each example turns: its threshold less its weighted sum, (n,)."""
    weighted_sums = np.atleast_2d(layer.weighted_sums)[:, neuron]
    return np.asarray(thresholds(layer, neuron) - weighted_sums.astype(np.float64))
