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
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Bar, Beside, Column, Part, Picture, Section, Table, Text
from glassnet.render.text_pictures import figures
from glassnet.trace import TraceLayer, check_address, input_names


class Attended(NamedTuple):
    """An input of a neuron, by name and position, with its weight: above 0 for, below 0 against."""

    name: str
    position: int
    weight: float


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
    low, high : float
        Range of the inputs for `best_input`.
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
    low: float
    high: float
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
        return self._shaped(self.weights * self.inputs)

    @property
    def best_input(self) -> Array:
        """The input within the range that fits best: `high` where the weight is positive, else `low`."""
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
            "range": [self.low, self.high],
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
        best = f"the best input from {self.low:g} to {self.high:g}{one} would match with {self.best_score:.5g}"
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
        the rule of `Schema`: (0, 255) or (0.0, 1.0). By default: the range of pixels for a picture (0
        to 255 times the schema's scale), two standard deviations either way for a table, the range of the previous
        activation if it is bounded, else 0 to 1.

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
    low, high = _range(network, layer) if within is None else _read(network, layer, within)
    if not low <= high:
        raise SettingError(f"within must be (low, high) with low <= high, got ({low}, {high})")
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
    return Template(
        layer=layer,
        neuron=neuron,
        activation_name=at.activation,
        weights=at.weights[neuron],
        bias=float(at.biases[neuron]),
        input_names=input_names(schema, layer, network.sizes[layer]),
        shape=(shape[0], shape[1]) if shape is not None and len(shape) == 2 else None,
        low=float(low),
        high=float(high),
        texts=tuple(hot and hot[0] for hot in schema.one_hot or ()) if layer == 0 else (),
        **known,
    )


def _match(layer: TraceLayer, neuron: int) -> Match:
    weighted_sum = float(layer.weighted_sums[neuron])
    lengths = np.linalg.norm(layer.inputs.astype(np.float64)) * np.linalg.norm(layer.weights[neuron].astype(np.float64))
    return Match(weighted_sum, float(np.clip(weighted_sum / lengths, -1, 1)) if lengths else None)


def _range(network: Network, layer: int) -> tuple[float, float]:
    if layer > 0:
        before = activation(network.architecture.activations[layer - 1])
        return before.bounds if before.bounded else (0.0, 1.0)
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
