"""Sensitivity of the loss to each parameter, and what changing one of them does.

    change of the loss = gradient * change of the parameter        nearly; the smaller the change, the nearer

The gradients are `network.gradient`; a change moves one parameter and computes the loss again, in the network's own
dtype. Imports `parameter_index` of `explain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.arrays import Array, numeric, readonly, shape_text
from glassnet.data.dataset import Dataset
from glassnet.engines import choose
from glassnet.errors import InputError, SettingError
from glassnet.evaluation import logits_or_outputs
from glassnet.explain.parameter_index import index_of, place_of
from glassnet.losses import Loss
from glassnet.network import Network
from glassnet.render.document import Document, Record, Rendered
from glassnet.render.parts import Column, Table, Text

USUAL_CHANGE = 0.01
"""Default change of a parameter."""


@dataclass(frozen=True)
class ParameterSensitivity(Record):
    """One parameter and the gradient of the loss for it.

    Parameters
    ----------
    index : int
        Position in `network.parameters`.
    layer, neuron : int
        Address of its neuron.
    input : int or None
        Input of the weight; None for a bias.
    name : str
        `weight of pixel 12,7`, or `bias`.
    value, slope : float
        Its value, and the gradient of the loss.
    """

    index: int
    layer: int
    neuron: int
    input: int | None
    name: str
    value: float
    slope: float

    @property
    def address(self) -> str:
        """Its neuron, `LAYER:NEURON`."""
        return f"{self.layer}:{self.neuron}"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"address": self.address, **vars(self)}

    def __str__(self) -> str:
        return f"{self.address} {self.name} = {self.value:.6g}, slope {self.slope:+.4g}"


@dataclass(frozen=True)
class Change(Rendered):
    """The effect on the loss of changing one parameter.

    Parameters
    ----------
    parameter : ParameterSensitivity
    by : float
        Change of the parameter.
    before, after : float
        Loss before and after.
    """

    parameter: ParameterSensitivity
    by: float
    before: float
    after: float

    @property
    def predicted(self) -> float:
        """`slope * by`."""
        return self.parameter.slope * self.by

    @property
    def actual(self) -> float:
        """`after - before`."""
        return self.after - self.before

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "parameter": self.parameter.as_dict(),
            "by": self.by,
            "before": self.before,
            "after": self.after,
            "predicted": self.predicted,
            "actual": self.actual,
        }

    def document(self) -> Document:
        """The change, then the loss before and after, with as many digits as tell them apart."""
        place = _place(min(abs(self.predicted) or 1.0, abs(self.actual) or abs(self.predicted) or 1.0))
        found = self.parameter
        title = (
            f"change {found.address} {_clipped(found.name)} by {self.by:+g}, "
            f"from {found.value:.4g} to {found.value + self.by:.4g}"
        )
        rows = [
            ("loss before", f"{self.before:.{place}f}", ""),
            ("loss after", f"{self.after:.{place}f}", ""),
            ("predicted change", f"{self.predicted:+.{place}f}", f"slope {found.slope:+.4g} x {self.by:+g}"),
            ("actual change", f"{self.actual:+.{place}f}", ""),
        ]
        return Document(title, [Table([Column(), Column(align="r"), Column()], rows)])


@dataclass(frozen=True, eq=False)
class Sensitivity(Rendered):
    """Gradient of the loss for every parameter of a network, on one example or a batch; `sensitivity` computes it.

    Parameters
    ----------
    network : Network
    inputs : ndarray of shape (n, fan_in)
    targets : ndarray of shape (n,) or (n, fan_out)
    loss : Loss
    value : float
        The loss.
    slopes : ndarray of shape (total,)
        Gradient, in the order of `network.parameters`.
    """

    network: Network
    inputs: Array = field(repr=False)
    targets: Array = field(repr=False)
    loss: Loss
    value: float
    slopes: Array = field(repr=False)

    def __len__(self) -> int:
        return len(self.slopes)

    def strongest(self, n: int = 10) -> list[ParameterSensitivity]:
        """The `n` parameters with the largest gradients of either sign, largest first."""
        if n < 1:
            raise SettingError(f"n must be 1 or more, got {n}")
        steep, n = np.abs(self.slopes), min(n, len(self.slopes))
        at_least = np.partition(steep, len(steep) - n)[len(steep) - n]
        among = np.flatnonzero(steep >= at_least)
        return [self.locate(int(i)) for i in among[np.argsort(-steep[among], kind="stable")][:n]]

    def locate(self, index: int) -> ParameterSensitivity:
        """The parameter at this index of `network.parameters`, with its value and gradient."""
        place = place_of(self.network, index)
        return ParameterSensitivity(
            index=int(index),
            layer=place.layer,
            neuron=place.neuron,
            input=place.input,
            name=place.name(self._input_names[place.layer]),
            value=float(self.network.parameters[index]),
            slope=float(self.slopes[index]),
        )

    def parameter(self, layer: int, neuron: int, input: int | None = None) -> ParameterSensitivity:
        """A neuron's weight for an input, or its bias (`input` is None)."""
        return self.locate(index_of(self.network, layer, neuron, input))

    def change(self, parameter: "ParameterSensitivity | int", by: float = USUAL_CHANGE) -> Change:
        """Change one parameter and compute the loss again.

        Parameters
        ----------
        parameter : ParameterSensitivity or int
            The parameter, or its index in `network.parameters`.
        by : float, default 0.01

        Returns
        -------
        Change

        Raises
        ------
        SettingError
            If `by` is not finite.
        AddressError
            If the parameter does not exist.
        """
        if isinstance(by, bool) or not isinstance(by, int | float | np.number) or not isfinite(by):
            raise SettingError(f"by must be a finite number, got {by!r}")
        found = self.locate(parameter.index if isinstance(parameter, ParameterSensitivity) else parameter)
        vector = self.network.parameters.copy()
        vector[found.index] += vector.dtype.type(by)
        return Change(
            found, float(by), self._loss_of(self.network), self._loss_of(self.network.with_parameters(vector))
        )

    def _loss_of(self, network: Network) -> float:
        data = Dataset(self.inputs, self.targets)
        targets = self.loss.targets(self.targets, network.sizes[-1], network.parameters.dtype)
        engine, _ = choose("auto", network.architecture, network.dtype)
        return self.loss.value(logits_or_outputs(network, data, self.loss, engine), targets)

    @cached_property
    def _input_names(self) -> list[Sequence[str]]:
        trace = self.network.bare.trace(self.inputs[0])
        return [trace.input_names(layer) for layer in range(len(trace.layers))]

    def lengths(self) -> list[float]:
        """Length of each layer's part of the gradient: how much changing all its parameters would do."""
        return [float(np.linalg.norm(self.slopes[s.start : s.stop])) for s in self.network.architecture.layers]

    def as_dict(self) -> dict[str, Any]:
        """The measures and the ten largest gradients, as plain values for JSON (`slopes` has them all)."""
        return {
            "examples": len(self.inputs),
            "loss": self.loss.name,
            "value": self.value,
            "parameters": len(self),
            "layers": [{"layer": i, "length": length} for i, length in enumerate(self.lengths())],
            "strongest": [parameter.as_dict() for parameter in self.strongest(min(10, len(self)))],
        }

    def document(self, top: int = 10) -> Document:
        """The strongest parameters, how much each layer matters, and the strongest moved against its gradient."""
        count = len(self.inputs)
        examples = "1 example" if count == 1 else f"{count:,} examples"
        parameters = self.strongest(top)
        rows = [(k.address, _clipped(k.name), f"{k.value:.4f}", f"{k.slope:+.4g}") for k in parameters]
        heads = (("parameter", "l"), ("", "l"), ("value", "r"), ("slope", "r"))
        notes = []
        if len(self) > len(parameters):
            zero = int(np.count_nonzero(self.slopes == 0))
            zeros = f"; {zero:,} of all slopes are 0" if zero else ""
            notes.append(Text(f"{len(self) - len(parameters):,} more parameters have smaller slopes{zeros}"))
        lengths = self.lengths()
        norms = ", ".join(f"{length:.3g}" for length in lengths[:6]) + ", ..." * (len(lengths) > 6)
        step = -USUAL_CHANGE if parameters[0].slope > 0 else USUAL_CHANGE
        return Document(
            f"{len(self):,} parameters on {examples}: {self.loss.name.replace('_', '-')} {self.value:.6g}",
            [
                Table([Column(*head) for head in heads], rows),
                *notes,
                Text(f"norm of the gradient, layer by layer: {norms}"),
                self.change(parameters[0], step).document(),
            ],
        )


def sensitivity(
    network: Network, inputs: npt.ArrayLike, targets: npt.ArrayLike, loss: "str | Loss | None" = None
) -> Sensitivity:
    """Gradient of the loss for every parameter.

    Parameters
    ----------
    network : Network
    inputs : array_like of shape (fan_in,) or (n, fan_in)
    targets : array_like
        One target for each input.
    loss : str or Loss, optional
        By default the one that fits targets and network (see `Network.gradient`).

    Returns
    -------
    Sensitivity

    Raises
    ------
    InputError
        If inputs and targets do not fit, or the gradient is not finite.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.from_layers([([[1.0, 2.0]], [0.0], "identity")])
    >>> found = gn.explain.sensitivity(network, [1.0, 1.0], [2.0], "squared_error")
    >>> print(found.strongest(1)[0])
    0:0 weight of input 0 = 1, slope +2
    >>> round(found.change(0, by=-0.1).actual, 4)       # the prediction from the gradient is -0.2
    -0.19
    """
    value, slopes = network.loss_and_gradient(inputs, targets, loss)
    if not (np.isfinite(value) and np.isfinite(slopes).all()):
        raise InputError(
            "the gradient of the loss is not finite on these inputs: the network overflows",
            help="print(network.trace(inputs)) shows in which layer",
        )
    seen = network.trace(inputs).layers[0].inputs
    wanted = numeric(targets, "targets")
    if seen.ndim == 1:
        seen, wanted = seen[None], wanted[None]
    if wanted.shape[:1] != seen.shape[:1]:
        raise InputError(f"targets have shape {shape_text(wanted.shape)}: expected {len(seen)}, one for each input")
    return Sensitivity(network, seen, readonly(wanted), network.loss_for(wanted, loss), value, readonly(slopes))


def _place(size: float) -> int:
    """How many decimals show a number of this size to three digits."""
    return int(np.clip(3 - np.floor(np.log10(size)), 4, 12))


def _clipped(name: str, width: int = 36) -> str:
    return name if len(name) <= width else name[: width - 3] + "..."
