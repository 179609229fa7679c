"""A template: the weights of a neuron, seen as the pattern that it responds to.

    match = weights . inputs        how well an input fits the pattern

In the first layer of a network of pictures the weights are a picture themselves. In a later layer they say to which
neurons before it a neuron attends, for and against.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from glassnet.activations import activation
from glassnet.arrays import Array, readonly
from glassnet.errors import InputError, SettingError
from glassnet.network import Network
from glassnet.render.document import Document, Rendered, html_of_fields
from glassnet.render.parts import Bar, Beside, Column, Part, Picture, Section, Table, Text
from glassnet.render.text_pictures import figures
from glassnet.trace import TraceLayer, check_address, input_names


class Attended(NamedTuple):
    """An input of a neuron, by name and position, with its weight: above 0 for, below 0 against."""

    name: str
    position: int
    weight: float

    def _repr_html_(self) -> str:
        return html_of_fields(self)


class Match(NamedTuple):
    """How well an input fits a template.

    Parameters
    ----------
    weighted_sum : float
    cosine : float or None
        Cosine of the angle between input and weights; None if one of them is all 0.
    """

    weighted_sum: float
    cosine: float | None

    def _repr_html_(self) -> str:
        return html_of_fields(self)


@dataclass(frozen=True, eq=False)
class Template(Rendered):
    """The pattern that a neuron responds to; `template` makes one.

    Parameters
    ----------
    layer, neuron : int
        Address of the neuron.
    activation_name : str
    weights : ndarray of shape (fan_in,)
    bias : float
    input_names : sequence of str
    shape : tuple of int or None
        (height, width) if the inputs are a picture.
    low, high : ndarray of shape (fan_in,)
        Range of each input for `best_input`.
    reach : str
        The range in words.
    texts : tuple of str or None
        For each input the text column it is a category of, or None; at most one input of a column is 1, the others are
        0.
    inputs : ndarray of shape (fan_in,), optional
        Inputs of this layer, if an input was given.
    match : Match, optional
        How well that input fits.
    """

    layer: int
    neuron: int
    activation_name: str
    weights: Array
    bias: float
    input_names: Sequence[str] = field(repr=False)
    shape: tuple[int, int] | None
    low: Array = field(repr=False)
    high: Array = field(repr=False)
    reach: str
    texts: tuple[str | None, ...] = field(default=(), repr=False)
    inputs: Array | None = None
    match: Match | None = None

    @property
    def picture(self) -> Array:
        """The weights as a picture, of shape (height, width).

        Raises
        ------
        SettingError
            If the inputs are not known to be a picture.
        """
        if self.shape is None and self.layer > 0:
            raise SettingError(
                f"neuron {self.layer}:{self.neuron} has no picture: only the inputs of layer 0 can be pixels",
                help="use .attends or .weights, or a neuron 0:N",
            )
        if self.shape is None:
            raise SettingError(
                f"the {len(self.weights):,} weights cannot be drawn as a picture: the network has no input_shape",
                help="network.with_schema(gn.Schema(input_shape=(height, width)))",
            )
        return self.weights.reshape(self.shape)

    @property
    def contributions(self) -> Array:
        """Weights times inputs, which add up to the weighted sum; of the shape of the picture, if there is one.

        Raises
        ------
        SettingError
            If the template was made without an input.
        """
        if self.inputs is None:
            raise SettingError(
                "this template was made without an input, so it has no contributions",
                help="template(network, layer, neuron, inputs)",
            )
        return self._shaped(self.weights * self.inputs.astype(np.float64))

    @property
    def best_input(self) -> Array:
        """The input within the range that fits best: `high` where the weight is positive, else `low`.

        No input of the network within its range gives a later layer more than this; whether one gives as much is not
        known, since the inputs of a later layer depend on each other.
        """
        best = np.where(self.weights > 0, self.high, self.low).astype(self.weights.dtype)
        for column in dict.fromkeys(filter(None, self.texts)):
            inputs = [i for i, name in enumerate(self.texts) if name == column]
            top = max(inputs, key=self.weights.__getitem__)
            best[inputs], best[top] = 0, self.weights[top] > 0
        return self._shaped(best)

    @property
    def best_score(self) -> float:
        """The weighted sum of `best_input`: the largest within the range."""
        return float(self.weights.astype(np.float64) @ self.best_input.ravel())

    @property
    def attends(self) -> tuple[Attended, ...]:
        """Every input (in later layers: neurons before it) with its weight, strongest first."""
        order = np.argsort(-np.abs(self.weights), kind="stable").tolist()
        return tuple(Attended(self.input_names[i], i, float(self.weights[i])) for i in order)

    def _shaped(self, values: Array) -> Array:
        return readonly(values if self.shape is None else values.reshape(self.shape))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        figures: dict[str, Any] = {
            "layer": self.layer,
            "neuron": self.neuron,
            "activation_name": self.activation_name,
            "shape": self.shape,
            "weights": self.weights.tolist(),
            "bias": self.bias,
            "range": [float(self.low.min()), float(self.high.max())],
            "best_score": self.best_score,
        }
        if self.match is not None:
            figures |= {"match": self.match._asdict(), "contributions": self.contributions.ravel().tolist()}
        return figures

    def document(self, top: int = 10) -> Document:
        """The picture, or the `top` strongest inputs for and against; and how well the input fits."""
        heading = f"template of neuron {self.layer}:{self.neuron}, {self.activation_name}, {len(self.weights):,} inputs"
        body = self._listed(top) if self.shape is None else self._drawn()
        return Document(heading, [Section("", body), *self._score()])

    def _drawn(self) -> list[Part]:
        parts = [("the weights", self.picture)]
        if self.inputs is not None:
            parts.append(("weights x this input", self.contributions))
        pictures = [Picture(name, v, signed=True, limit=float(np.abs(v).max()), width=168) for name, v in parts]
        return [Beside(pictures)]

    def _listed(self, top: int) -> list[Part]:
        """Two tables, for and against, each with the largest weight as the longest bar."""
        attends, tables = self.attends, list[Part]()
        for title, sign in (("for", 1), ("against", -1)):
            side = [one for one in attends if one.weight * sign > 0]
            texts = figures([one.weight for one in side[:top]])
            rows = [
                (one.name, text.strip(), Bar(one.weight, abs(attends[0].weight)))
                for one, text in zip(side, texts, strict=False)
            ]
            more = [Text(f"and {len(side) - top:,} more")] if len(side) > top else []
            body = [Table([Column(most=16), Column(align="r"), Column()], rows)] if rows else [Text("none")]
            tables.append(Section(title, [*body, *more]))
        return [Beside(tables)]

    def _score(self) -> list[Text]:
        lines = []
        if self.match is not None:
            angle = "" if self.match.cosine is None else f", cosine {self.match.cosine:.3f}"
            lines.append(f"this input matches with {self.match.weighted_sum:.5g}{angle}; the bias is {self.bias:.4g}")
        one = ", one text of each column," if any(self.texts) else ""
        best = f"the best input {self.reach}{one} would match with {self.best_score:.5g}"
        return [*map(Text, lines), Text(best if lines else f"{best}; the bias is {self.bias:.4g}")]

    def __repr__(self) -> str:
        return f"Template({self.layer}:{self.neuron}, {self.activation_name}, {len(self.weights):,} inputs)"


def template(
    network: Network,
    layer: int,
    neuron: int,
    inputs: npt.ArrayLike | None = None,
    within: tuple[float, float] | None = None,
) -> Template:
    """The pattern that a neuron responds to.

    Parameters
    ----------
    network : Network
    layer, neuron : int
        Address of the neuron, from 0.
    inputs : array_like of shape (fan_in,), optional
        One input of the network, to see how well it fits.
    within : tuple of float, optional
        (low, high), the range of this layer's inputs for `best_input`; for the first layer of a network of pixels by
        the rule of `Schema`: (0, 255) or (0.0, 1.0). By default the first layer has the range of pixels for a picture
        (0 to 255 times the schema's scale), two standard deviations either way for a table, else 0 to 1, each widened
        to include `inputs`; a later layer has for each input the range of that neuron over these inputs, by interval
        arithmetic through the layers before it.

    Returns
    -------
    Template

    Raises
    ------
    AddressError
        If the neuron does not exist.
    InputError
        If `inputs` is more than one input.
    SettingError
        If `within` is not a range.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.from_layers([([[2.0, -1.0, 0.5]], [0.0], "relu")])
    >>> found = gn.explain.template(network, 0, 0, [1.0, 1.0, 0.0])
    >>> found.match.weighted_sum, found.best_input.tolist(), found.best_score
    (1.0, [1.0, 0.0, 1.0], 2.5)
    """
    check_address(layer, neuron, network.sizes[1:])
    at = network.layers[layer]
    if within is not None and not within[0] <= within[1]:
        raise SettingError(f"within must be (low, high) with low <= high, got ({within[0]}, {within[1]})")
    schema = network.schema
    shape = schema.input_shape if layer == 0 else None
    known: dict[str, Any] = {}
    if inputs is not None:
        trace = network.trace(inputs)
        if trace.outputs.ndim == 2:
            raise InputError(
                f"{len(trace)} inputs: a template shows the contributions of one",
                help=f"pick one of shape ({network.sizes[0]},)",
            )
        seen = trace.layers[layer]
        known = {"inputs": seen.inputs, "match": _match(seen, neuron)}
        first = trace.layers[0].inputs
    else:
        first = np.empty(0)
    low, high, reach = _reach(network, layer, first) if within is None else _given(network, layer, within)
    return Template(
        layer=layer,
        neuron=neuron,
        activation_name=at.activation,
        weights=at.weights[neuron],
        bias=float(at.biases[neuron]),
        input_names=input_names(schema, layer, network.sizes[layer]),
        shape=(shape[0], shape[1]) if shape is not None and len(shape) == 2 else None,
        low=readonly(low),
        high=readonly(high),
        reach=reach,
        texts=tuple(hot and hot[0] for hot in schema.one_hot or ()) if layer == 0 else (),
        **known,
    )


def _match(layer: TraceLayer, neuron: int) -> Match:
    weighted_sum = float(layer.weighted_sums[neuron])
    lengths = np.linalg.norm(layer.inputs.astype(np.float64)) * np.linalg.norm(layer.weights[neuron].astype(np.float64))
    return Match(weighted_sum, float(np.clip(weighted_sum / lengths, -1, 1)) if lengths else None)


def _given(network: Network, layer: int, within: tuple[float, float]) -> tuple[Array, Array, str]:
    low, high = _read(network, layer, within)
    return (*_everywhere(network.sizes[layer], low, high), f"from {low:g} to {high:g}")


def _everywhere(count: int, low: float, high: float) -> tuple[Array, Array]:
    return np.full(count, float(low)), np.full(count, float(high))


def _reach(network: Network, layer: int, inputs: Array) -> tuple[Array, Array, str]:
    """The range of each input of a layer, over all inputs of the network within the usual range and these, and the
    range in words."""
    low, high = _usual_range(network)
    if inputs.size:
        low, high = min(low, float(inputs.min())), max(high, float(inputs.max()))
    lows, highs = _everywhere(network.sizes[0], low, high)
    for before in network.layers[:layer]:
        weights, biases = before.weights.astype(np.float64), before.biases.astype(np.float64)
        positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
        lows, highs = _activated(
            before.activation, positive @ lows + negative @ highs + biases, positive @ highs + negative @ lows + biases
        )
    about = f"from {low:g} to {high:g}"
    return lows, highs, about if layer == 0 else f"that layer {layer - 1} can give for inputs {about}"


def _activated(name: str, lows: Array, highs: Array) -> tuple[Array, Array]:
    """The range of an activation function between these pre-activations, (n,) each."""
    of = activation(name)
    least, most = of.bounds
    with np.errstate(over="ignore", invalid="ignore"):
        values = of(np.linspace(lows, highs, 65))
    ends = np.stack([values[0], values[-1]])
    # One that falls and rises again may have its least value between two places: its bound is below that.
    below = values.min(axis=0) < ends.min(axis=0)
    above = values.max(axis=0) > ends.max(axis=0)
    lows = np.where(below, least if np.isfinite(least) else values.min(axis=0), ends.min(axis=0))
    return lows, np.where(above, most if np.isfinite(most) else values.max(axis=0), ends.max(axis=0))


def _usual_range(network: Network) -> tuple[float, float]:
    """The range of the first layer's inputs, unless the data says otherwise."""
    schema = network.schema
    if schema.spreads is not None:
        return -2.0, 2.0
    if schema.scale is None or schema.features is not None:
        return 0.0, 1.0
    return 0.0, round(255 * schema.scale, 12)


def _read(network: Network, layer: int, within: tuple[float, float]) -> tuple[float, float]:
    """The bounds as the layer gets them: stored pixels are scaled by the rule of `Schema`."""
    if layer > 0 or network.schema.standardises:
        return within
    bounds, factor = network.schema.preprocess(np.asarray(within))
    return within if factor == 1 else (float(bounds[0] * factor), float(bounds[1] * factor))
