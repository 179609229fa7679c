"""The way back: how much the loss changes with every number of a trace, and one neuron's part of it worked by hand.

    output     delta = dL/da * slope(z), or p - y where the loss reads the logits of probabilities
    hidden     delta = (sum over the next layer of delta * connecting weight) * slope(z)
    gradient   of each weight = delta * its input, of the bias = delta

Deltas and gradients are the engine's own, those of `Network.gradient`: on one example the gradient of a bias is the
delta. Here they are only taken apart; where the engine rounded, that is a line of the sum.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import fsum, inf
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassnet import arithmetic
from glassnet.activations import Activation, activation
from glassnet.architecture import LayerShape
from glassnet.arithmetic import Line, Product, significant
from glassnet.arrays import Array
from glassnet.errors import SettingError
from glassnet.losses import BinaryCrossEntropy, CrossEntropy, Loss, SquaredError, log_softmax
from glassnet.neuron import NeuronTrace
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Bar, Cell, Column, Part, Section, Table, Text, Worked

if TYPE_CHECKING:
    from glassnet.trace import Trace, TraceLayer

ROUNDINGS = 16
"""Roundings that a formula of an activation or a loss takes, at most: engines compute exp in several steps."""


class Step(NamedTuple):
    """One sum of the way back, or one product: `terms` make `total`, up to `difference` in the engine's rounding."""

    title: str
    terms: Sequence[Line]
    total: Line
    difference: str = "rounding"

    def rows(self, top: int, precision: float) -> list[arithmetic.Row]:
        """The lines, the `top` largest terms singly; two terms always are."""
        top = max(top, 2)
        values = [value for _, value in self.terms]
        shown = arithmetic.strongest(values, top)
        hidden = sorted(set(range(len(values))) - set(shown))
        others = (f"{len(hidden):,} more products", fsum(values[i] for i in hidden)) if hidden else None
        made = arithmetic.Sum([self.terms[i] for i in shown], self.total, others, self.difference)
        return arithmetic.rows([made], self.total, precision)[:-1]


@dataclass(frozen=True, eq=False)
class NeuronGradient(Rendered):
    """The gradient of the loss at one neuron, step by step; print it to read it.

    Parameters
    ----------
    forward : NeuronTrace
        The neuron on the same input.
    loss_name : str
    loss : float
        Of this example.
    steps : tuple of Step
        From the loss, or the deltas of the next layer, to `delta`.
    delta : float
        How much the loss changes with the pre-activation; also the gradient of the bias.
    weight_gradients : ndarray of shape (fan_in,)
        `delta` times the inputs.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.from_layers([([[0.5, -1.0]], [0.25], "identity")])
    >>> print(network.trace([2.0, 0.5]).backward([1.0], "squared_error").neuron(0, 0))
    gradient at neuron 0:0, identity, 2 inputs: squared_error 0.0625
    <BLANKLINE>
    the loss by the output
      a        0.75
      - y     -1.00
              -----
      a - y   -0.25
    <BLANKLINE>
    x 2, from the square
      (a - y) x 2/1  -0.25 x 2   -0.5
                                 ----
      dL/da                      -0.5
    <BLANKLINE>
    through identity: x its slope at z = 0.75
      dL/da x slope  -0.5 x 1   -0.5
                                ----
      delta                     -0.5
    <BLANKLINE>
    gradient: delta x input
      weight of input 0  -0.5 x   2   -1.00
      weight of input 1  -0.5 x 0.5   -0.25
      bias               -0.5 x   1   -0.50
    """

    forward: NeuronTrace
    loss_name: str
    loss: float
    steps: tuple[Step, ...] = field(repr=False)
    delta: float
    weight_gradients: Array = field(repr=False)

    @property
    def bias_gradient(self) -> float:
        """The gradient of the bias, which is `delta`."""
        return self.delta

    def rows(self, top: int = 12) -> list[arithmetic.Row]:
        """The steps to `delta`, one after the other, each with a total.

        Parameters
        ----------
        top : int
            The largest products, shown singly; the others are added up.

        Returns
        -------
        list of Row
        """
        _check_top(top)
        return [row for step in self.steps for row in step.rows(top, self._precision)]

    def gradient_rows(self, top: int = 12) -> list[arithmetic.Row]:
        """Delta times input for the weights of the largest gradients, and the bias last; they are no sum.

        Parameters
        ----------
        top : int
            Number of weights.

        Returns
        -------
        list of Row
        """
        _check_top(top)
        names = self.forward.input_names or [f"input {i}" for i in range(len(self.weight_gradients))]
        delta, gradients = significant(self.delta, 6), self.weight_gradients.tolist()
        lines: list[Line] = [
            (Product(f"weight of {names[i]}", delta, significant(float(self.forward.inputs[i]), 6)), gradients[i])
            for i in arithmetic.strongest(gradients, top)
        ]
        lines.append((Product("bias", delta, "1"), self.delta))
        return arithmetic.column(lines, self._precision)

    @property
    def _precision(self) -> float:
        return 1e-9 if self.forward.weights.dtype.itemsize == 8 else 1e-6

    def as_dict(self) -> dict[str, Any]:
        """Every number, as plain values for JSON."""
        return {
            "loss_name": self.loss_name,
            "loss": self.loss,
            "steps": [{"title": step.title, "total": step.total[0], "value": step.total[1]} for step in self.steps],
            "delta": self.delta,
            "weight_gradients": self.weight_gradients.tolist(),
            "bias_gradient": self.bias_gradient,
        }

    def document(self, top: int = 12) -> Document:
        """The steps to delta, then the gradients of the weights and of the bias.

        Parameters
        ----------
        top : int
            The largest products and gradients, shown singly.

        Returns
        -------
        Document
        """
        _check_top(top)
        steps = [Section(step.title, [Worked(step.rows(top, self._precision))]) for step in self.steps]
        parts: list[Part] = [Worked(self.gradient_rows(top))]
        hidden = len(self.weight_gradients) - min(top, len(self.weight_gradients))
        if hidden:
            zeros = min(hidden, int((self.weight_gradients == 0).sum()))
            without = ", all of gradient 0" if zeros == hidden else f", {zeros:,} of them of gradient 0" * bool(zeros)
            parts.append(Text(f"and {hidden:,} more weight{'s' * (hidden != 1)}{without}", quiet=True))
        title = f"gradient at {self.forward.name}: {self.loss_name} {significant(self.loss, 6)}"
        return Document(title, [*steps, Section("gradient: delta x input", parts)])

    def __repr__(self) -> str:
        return f"NeuronGradient({self.forward.name}: delta {self.delta:.6g})"


@dataclass(frozen=True, eq=False)
class BackwardTrace(Rendered):
    """The gradient of the loss on one example, layer by layer; `Trace.backward` makes one.

    Parameters
    ----------
    trace : Trace
        The way forward.
    target : ndarray
        As the loss reads it: a label (1,), or the wanted outputs (1, fan_out).
    loss_function : Loss
    loss : float
    gradient : ndarray of shape (total,)
        That of `Network.gradient`, in the order of `Network.parameters`.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.from_layers([([[1.0, 2.0]], [0.0], "identity")])
    >>> back = network.trace([1.0, 1.0]).backward([2.0], "squared_error")
    >>> back.deltas(0).tolist(), back.weight_gradients(0).tolist()
    ([2.0], [[2.0, 2.0]])
    """

    trace: "Trace"
    target: Array
    loss_function: Loss
    loss: float
    gradient: Array = field(repr=False)

    def weight_gradients(self, layer: int) -> Array:
        """Gradient of the weights of a layer, (fan_out, fan_in)."""
        at = self._place(layer)
        return self.gradient[at.start : at.biases_start].reshape(at.fan_out, at.fan_in)

    def deltas(self, layer: int) -> Array:
        """How much the loss changes with each pre-activation of a layer, (fan_out,): the gradient of the biases."""
        at = self._place(layer)
        return self.gradient[at.biases_start : at.stop]

    def _place(self, layer: int) -> LayerShape:
        assert self.trace.network is not None  # or `Trace.backward` would have refused
        return self.trace.network.architecture.layers[layer]

    def neuron(self, layer: int, index: int) -> NeuronGradient:
        """The gradient at one neuron, worked by hand; print it to read it.

        Parameters
        ----------
        layer, index : int
            Address of the neuron, from 0.

        Returns
        -------
        NeuronGradient

        Raises
        ------
        AddressError
            If the neuron does not exist.

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.create("2-3-2", output="softmax", seed=0)
        >>> found = network.trace([1.0, -1.0]).backward(1).neuron(0, 2)
        >>> float(found.weight_gradients[1]) == -found.delta
        True
        """
        forward = self.trace.neuron(layer, index)
        return NeuronGradient(
            forward,
            self.loss_function.name,
            self.loss,
            tuple(_Way(self, layer, index).steps()),
            float(self.deltas(layer)[index]),
            self.weight_gradients(layer)[index],
        )

    def document(self) -> Document:
        """For each layer the size of its deltas and of its gradient: where the loss reaches, and where it fades."""
        sizes = [
            float(np.linalg.norm([np.linalg.norm(self.weight_gradients(i)), np.linalg.norm(self.deltas(i))]))
            for i in range(len(self.trace.layers))
        ]
        rows: list[list[Cell]] = []
        for i, (layer, size) in enumerate(zip(self.trace.layers, sizes, strict=True)):
            deltas = self.deltas(i)
            k = int(np.abs(deltas).argmax())
            count = f"{int(np.count_nonzero(deltas)):,} of {len(deltas):,}"
            name = f"{i}, {layer.activation_name}"
            rows.append([name, count, f"{i}:{k}", f"{deltas[k]:.4g}", f"{size:.4g}", Bar(size, max(sizes) or 1.0)])
        names = ("not 0", "largest delta", "", "norm of gradient")
        table = Table([Column("layer"), *(Column(name, "r") for name in names), Column()], rows)
        title = f"gradient of {self.loss_function.name}, which is {significant(self.loss, 6)}"
        return Document(title, [table, Text(".neuron(layer, index) works one out by hand", quiet=True)])

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "loss_name": self.loss_function.name,
            "loss": self.loss,
            "layers": [
                {"deltas": self.deltas(i).tolist(), "weight_gradients": self.weight_gradients(i).tolist()}
                for i in range(len(self.trace.layers))
            ],
        }

    def __repr__(self) -> str:
        return f"BackwardTrace({self.loss_function.name} {self.loss:.6g}, {len(self.gradient):,} parameters)"


def _check_top(top: int) -> None:
    if top < 0:
        raise SettingError(f"top must be 0 or more, got {top}")


class _Way:
    """How the delta of one neuron comes about, in float64 from the numbers that the engine computed."""

    def __init__(self, back: BackwardTrace, layer: int, index: int) -> None:
        self.back, self.layer, self.index = back, layer, index
        self.at: TraceLayer = back.trace.layers[layer]
        self.function: Activation = activation(self.at.activation_name)
        self.last = layer == len(back.trace.layers) - 1
        self.epsilon = float(np.finfo(self.at.weights.dtype).eps)
        self.delta = float(back.deltas(layer)[index])
        self.z = self.at.pre_activations.astype(np.float64)
        self.a = self.at.activations.astype(np.float64)

    def steps(self) -> list[Step]:
        if self.last and self.back.loss_function.reads_logits(self.at.activation_name):
            return self._loss_steps(self.z, "delta")
        arriving = self._loss_slopes(self.a) if self.last else self._arriving()
        first = self._loss_steps(self.a, "dL/da") if self.last else [self._from_next_layer(arriving)]
        return [*first, *(self._shared(arriving) if self.function.by_row else self._alone(arriving))]

    # from the loss

    def _loss_slopes(self, outputs: Array) -> Array:
        slopes: Array = self.back.loss_function.slope(outputs[None], self._target())[0]
        return slopes

    def _target(self) -> Array:
        target = self.back.target
        return target if target.dtype.kind in "iu" else target.astype(np.float64)

    def _loss_steps(self, outputs: Array, becomes: str) -> list[Step]:
        """The loss by one output, or by the pre-activation if the loss reads that; the last total is `becomes`."""
        loss, k, count = self.back.loss_function, self.index, len(outputs)
        found = float(self._loss_slopes(outputs)[k])
        total: Line = (becomes, self.delta if becomes == "delta" else found)
        difference = self._difference(found, 1 + abs(float(outputs[k]))) if becomes == "delta" else "rounding"
        by = "z" if becomes == "delta" else "the output"
        title = f"the loss by {by}"
        if isinstance(loss, CrossEntropy):
            wanted = loss.weighted_targets(outputs[None], self._target())[0]
            per = loss.total_weight(self._target(), None)
            p = float(np.exp(log_softmax(outputs[None]))[0, k])
            factor = float(wanted.sum()) / per if per else 0.0
            y = float(wanted[k]) / per if per else 0.0
            of_p: str | Product = f"p = softmax of {by}"
            if abs(factor - 1) > ROUNDINGS * self.epsilon:  # weights of classes, or a target that is no distribution
                of_p = Product("p x sum of y", significant(p, 6), significant(factor, 6))
            return [Step(f"{title}: p - y", [(of_p, p * factor), ("- y", -y)], total, difference)]
        if isinstance(loss, BinaryCrossEntropy | SquaredError):
            binary = isinstance(loss, BinaryCrossEntropy)
            y = float(self._target()[0, k])
            name, factor = ("p", 1 / count) if binary else ("a", 2 / count)
            value = _probability(float(outputs[k])) if binary else float(outputs[k])
            less = (f"{name} - y", value - y)
            terms: list[Line] = [
                (f"p = 1/(1 + exp(-{'z' if by == 'z' else 'a'}))" if binary else "a", value),
                ("- y", -y),
            ]
            if factor == 1:
                return [Step(f"{title}: {less[0]}", terms, total, difference)]
            mean = f"mean over the {count:,} outputs"
            then = mean if binary else f"x 2, and the {mean}" if count > 1 else "x 2, from the square"
            product = Product(f"({name} - y) x {2 - binary}/{count}", *_factors(less[1], factor))
            return [Step(title, terms, less), Step(then, [(product, less[1] * factor)], total, difference)]
        slope = f"slope of {loss.name} at {significant(float(outputs[k]), 6)}"
        return [Step(title, [(slope, found)], total, difference)]

    # from the next layer

    def _arriving(self) -> Array:
        """For each neuron of the layer how much the loss changes with its activation."""
        deltas = self.back.deltas(self.layer + 1).astype(np.float64)
        return deltas @ self.back.trace.layers[self.layer + 1].weights.astype(np.float64)

    def _from_next_layer(self, arriving: Array) -> Step:
        deltas, weights = self._next()
        names = self._names(self.layer + 1, len(deltas))
        terms: list[Line] = [
            (Product(name, *_factors(delta, weight)), delta * weight)
            for name, delta, weight in zip(names, deltas, weights, strict=True)
        ]
        return Step(
            f"from layer {self.layer + 1}: its deltas x the weights that connect them",
            terms,
            ("dL/da", float(arriving[self.index])),
        )

    def _next(self) -> tuple[list[float], list[float]]:
        """Deltas of the next layer, and the weights from this neuron to each of its neurons; exact as float64."""
        weights = self.back.trace.layers[self.layer + 1].weights[:, self.index]
        return self.back.deltas(self.layer + 1).tolist(), weights.tolist()

    def _names(self, layer: int, count: int) -> list[str]:
        trace = self.back.trace
        if layer == len(trace.layers) - 1 and trace.schema.classes is not None:
            return [f"neuron {layer}:{k} ({trace.output_name(k)})" for k in range(count)]
        return [f"neuron {layer}:{k}" for k in range(count)]

    # through the activation

    def _alone(self, arriving: Array) -> list[Step]:
        """Each neuron's activation depends on its own z."""
        k, z, g = self.index, self.z, float(arriving[self.index])
        slope = float(self.function.slope(z, self.a)[k])
        # what the engine's z may differ by, and the slope with it: a relu may even lie on the other side of its corner
        around = np.array([z[k] - self._off(), z[k] + self._off()])
        changes = np.abs(self.function.slope(around, self.function(around)) - slope)
        uncertain = abs(g) * (float(changes.max()) + ROUNDINGS * self.epsilon) + self._sizes() * max(abs(slope), 1.0)
        product = Product("dL/da x slope", *_factors(g, slope))
        title = f"through {self.at.activation_name}: x its slope at z = {significant(float(z[k]), 6)}"
        return [Step(title, [(product, g * slope)], ("delta", self.delta), self._words(g * slope, uncertain))]

    def _shared(self, arriving: Array) -> list[Step]:
        """Softmax: what one neuron gains the others lose, so only what is above the layer's mean counts."""
        k, name = self.index, self.at.activation_name
        terms: list[Line] = [
            (Product(who, *_factors(g, a)), g * a)
            for who, g, a in zip(self._names(self.layer, len(self.a)), arriving.tolist(), self.a.tolist(), strict=True)
        ]
        mean, own, a = fsum(value for _, value in terms), float(arriving[k]), float(self.a[k])
        above = own - mean
        found = above * a
        return [
            Step(f"through {name}: the mean of the layer's dL/da, each x its a", terms, ("mean", mean)),
            Step("what this neuron has above it", [("dL/da", own), ("- mean", -mean)], ("difference", above)),
            Step(f"x its own a in {name}", [(Product("difference x a", *_factors(above, a)), found)],
                 ("delta", self.delta), self._difference(found, float(np.abs(arriving).max()))),
        ]  # fmt: skip

    # rounding

    def _off(self) -> float:
        """The most by which z of this layer may differ between two ways to compute it, from the inputs on."""
        sizes = np.abs(self.at.weights) @ np.abs(self.at.inputs) + np.abs(self.at.biases)
        fan_in = self.at.weights.shape[1]
        return (self.layer + 1) * arithmetic.rounding_bound([float(sizes.max())], fan_in, self.epsilon)

    def _sizes(self) -> float:
        """The most by which the sum over the next layer may be off."""
        if self.last:
            return ROUNDINGS * self.epsilon * (1 + float(np.abs(self._loss_slopes(self.a)).max())) + self._off()
        deltas, weights = self._next()
        products = [delta * weight for delta, weight in zip(deltas, weights, strict=True)]
        return arithmetic.rounding_bound(products, len(products), self.epsilon)

    def _difference(self, found: float, size: float) -> str:
        return self._words(found, 4 * size * (ROUNDINGS * self.epsilon + self._off()) + self._sizes())

    def _words(self, found: float, bound: float) -> str:
        """What to call what the engine's delta is more than `found`: not rounding, where that cannot explain it."""
        if abs(self.delta - found) <= (bound if bound == bound else inf):
            return f"rounding in {self.at.weights.dtype.name}"
        return "difference from the engine"


def _probability(logit: float) -> float:
    """Of yes against no: the softmax of this logit and 0."""
    return float(np.exp(log_softmax(np.array([[0.0, logit]])))[0, 1])


def _factors(*values: float) -> tuple[str, str]:
    first, second = (significant(value, 6) for value in values)
    return first, second
