"""Attributions: a logit divided exactly among the inputs.

    logit = contribution of input 0 + contribution of input 1 + ... + bias
    contribution = weight in force * (input - baseline)

With piecewise linear hidden activations (relu and the like), the network is one affine map around an input; its weights
are the weights in force, and nothing is approximate. For smooth activations the weights are the average gradients on
the straight path from a baseline to the input (integrated gradients), with the completeness error that remains.

A logit is a pre-activation of the last layer, before its activation function. Imports `backward` and `quadrature` of
`explain`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import exp, fsum, isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet import arithmetic
from glassnet.activations import ACTIVATIONS, activation
from glassnet.arrays import Array, numeric, readonly, shape_text
from glassnet.data.dataset import Dataset
from glassnet.errors import AddressError, InputError, SettingError, unknown_name
from glassnet.evaluation import meeting
from glassnet.explain import backward, quadrature
from glassnet.names import DEFAULT_NEURON, PLAIN
from glassnet.network import Network
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Column, Part, Table, Text, Worked
from glassnet.schema import Schema
from glassnet.trace import Trace

METHODS = ("auto", "affine", "integrated_gradients")
OUTPUTS_AT_ONCE = 64
TOLERANCE = {"float32": 1e-5, "float64": 1e-7}
"""Completeness error of integrated gradients, relative to the sizes of all contributions and both logits."""
MOST_STEPS = 1000


@dataclass(frozen=True, eq=False)
class AffineMap(Rendered):
    """The affine map that a piecewise linear network is around one input: `weights @ inputs + bias = logits`.

    Computed in float64; which linear piece each neuron is on is taken from the trace.

    Parameters
    ----------
    trace : Trace
        The network on that input.
    """

    trace: Trace

    @property
    def inputs(self) -> Array:
        """The input as the first layer receives it, of shape (fan_in,)."""
        return self.trace.layers[0].inputs

    @property
    def logits(self) -> Array:
        """The logits that the network computes, of shape (fan_out,)."""
        return self.trace.layers[-1].pre_activations

    @cached_property
    def _whole(self) -> tuple[Array, Array]:
        parts = [backward.affine(self.trace, heads) for heads in self._heads()]
        return readonly(np.concatenate([w for w, _ in parts])), readonly(np.concatenate([b for _, b in parts]))

    def _heads(self) -> Iterator[Array]:
        """Rows of the identity, some at a time: one for each logit."""
        count = len(self.logits)
        for start in range(0, count, OUTPUTS_AT_ONCE):
            yield np.eye(min(OUTPUTS_AT_ONCE, count - start), count, start)

    @property
    def weights(self) -> Array:
        """Weights in force, of shape (fan_out, fan_in): how much each input counts for each logit."""
        return self._whole[0]

    @property
    def bias(self) -> Array:
        """Bias in force, of shape (fan_out,): the logits of the map for inputs of 0."""
        return self._whole[1]

    def row(self, output: int) -> tuple[Array, float]:
        """Weights (fan_in,) and bias of one logit, computed on demand."""
        return self.along(_head(self.trace, _checked_output(self.trace, output, "output"), None))

    def along(self, head: Array) -> tuple[Array, float]:
        """Weights (fan_in,) and bias of `head @ logits`, for example a difference of two logits."""
        weights, bias = backward.affine(self.trace, head[None])
        return readonly(weights[0]), float(bias[0])

    def __call__(self, inputs: npt.ArrayLike) -> Array:
        """`weights @ inputs + bias`: the network's logits wherever the same linear pieces are in force.

        Parameters
        ----------
        inputs : array_like of shape (fan_in,)
            As the first layer receives them.

        Returns
        -------
        ndarray of shape (fan_out,)
        """
        x = numeric(inputs, "inputs")
        if x.shape != self.inputs.shape:
            raise InputError(
                f"inputs have shape {shape_text(x.shape)}, expected {shape_text(self.inputs.shape)}: the values "
                "of the network's first layer"
            )
        return self.weights @ x.astype(np.float64) + self.bias

    @property
    def error(self) -> float:
        """Largest difference between `weights @ inputs + bias` and the network's logits.

        Relative to the size of all numbers that the network added up on the way (see `backward.summed_sizes`).
        """
        off = np.abs(self(self.inputs) - self.logits)
        sizes = np.concatenate([backward.summed_sizes(self.trace, heads) for heads in self._heads()])
        return float(np.divide(off, sizes, out=off.copy(), where=sizes > 0).max())

    def as_dict(self) -> dict[str, Any]:
        """Every number, as plain values for JSON."""
        return {
            "weights": self.weights.tolist(),
            "bias": self.bias.tolist(),
            "inputs": self.inputs.tolist(),
            "logits": self.logits.tolist(),
            "error": self.error,
        }

    def document(self) -> Document:
        """How many pieces are in force, and what each logit has from the inputs and from the bias (up to 20 logits)."""
        pieces = []
        for i, layer in enumerate(self.trace.layers[:-1]):
            slopes, _ = activation(layer.activation_name).pieces(layer.pre_activations.astype(np.float64))
            passing = f"{int(np.count_nonzero(slopes)):,} of {len(slopes):,} neurons with a nonzero slope"
            pieces.append((f"layer {i}, {layer.activation_name}:", passing))
        shown = range(min(20, len(self.logits)))
        decimals = arithmetic.decimals_for([*self.bias[: len(shown)], *self.logits[: len(shown)]], 1e-6)
        rows = []
        for k in shown:
            logit, bias = round(float(self.logits[k]), decimals), round(float(self.bias[k]), decimals)
            rows.append([_name(self.trace, k), *(f"{v:,.{decimals}f}" for v in (logit - bias, bias, logit))])
        more = len(self.logits) - len(shown)
        parts: list[Part] = [Table([Column(), Column()], pieces)] if pieces else []
        parts.append(Table([Column(), *(Column(name, "r") for name in ("from inputs", "+ bias", "= logit"))], rows))
        parts += [Text(f"and {more:,} more")] if more else []
        parts.append(Text(f"within {self.error:.0e} of the network's own logits, relative to the sums on the way"))
        return Document(f"affine map in force: {len(self.inputs):,} inputs -> {len(self.logits):,} logits", parts)

    def __repr__(self) -> str:
        return f"AffineMap({len(self.inputs):,} inputs -> {len(self.logits):,} logits)"


def affine_map(network: Network, inputs: npt.ArrayLike) -> AffineMap:
    """The affine map that a piecewise linear network is around one input.

    Parameters
    ----------
    network : Network
    inputs : array_like of shape (fan_in,)

    Returns
    -------
    AffineMap

    Raises
    ------
    SettingError
        If a hidden layer is not piecewise linear.
    InputError
        If the inputs do not fit.

    Examples
    --------
    >>> import glassnet as gn
    >>> hidden, output = ([[1.0, 2.0], [1.0, -2.0]], [0, 0], "relu"), ([[3.0, 1.0]], [0.5], "identity")
    >>> network = gn.Network.from_layers([hidden, output])
    >>> found = gn.explain.affine_map(network, [1.0, 1.0])         # the second hidden neuron is inactive
    >>> found.weights.tolist(), found.bias.tolist()
    ([[3.0, 6.0]], [0.5])
    """
    _check_pieces(network)
    return AffineMap(_trace_of_one(network, inputs))


@dataclass(frozen=True)
class Contribution:
    """One input's part of a logit: `contribution = weight * (input - baseline)`."""

    index: int
    name: str
    input: float
    weight: float
    contribution: float


@dataclass(frozen=True, eq=False)
class Attribution(Rendered):
    """A logit, or the difference of two, divided among the inputs; `attribution` computes it.

    The contributions and `bias_contribution` add up to `total`, up to `error`.

    Parameters
    ----------
    output : int
        The logit that is explained.
    against : int or None
        The logit that is subtracted from it.
    inputs, baseline : ndarray of shape (fan_in,)
        The input as the first layer receives it, and the input it is compared with.
    weights : ndarray of shape (fan_in,)
        The affine map in force, or the average gradients from the baseline to the input.
    bias_contribution : float
        The part that no input accounts for: the map's, or the network's, value at the baseline.
    total : float
        The network's own logit, or difference of two.
    method : {"affine", "integrated_gradients"}
    points : int
        Number of gradients averaged on the path; 0 for the affine map.
    """

    output: int
    against: int | None
    inputs: Array
    baseline: Array
    weights: Array
    bias_contribution: float
    total: float
    method: str
    points: int = 0
    name: str = "logit"
    names: tuple[str, ...] = ()
    input_names: Sequence[str] = field(default=(), repr=False)
    activation_name: str = PLAIN
    activation: float | None = None
    dtype: str = "float64"
    given: Array | None = field(default=None, repr=False)

    @cached_property
    def contributions(self) -> Array:
        """Contribution of each input, of shape (fan_in,)."""
        return readonly(self.weights * (self.inputs.astype(np.float64) - self.baseline))

    @property
    def error(self) -> float:
        """Difference between `total` and the sum of all contributions.

        Rounding for the affine map; the completeness error for integrated gradients.
        """
        return abs(self.total - float(self.contributions.sum() + self.bias_contribution))

    def top(self, n: int = 10) -> list[Contribution]:
        """The `n` inputs with the largest contributions of either sign, largest first."""
        order = np.argsort(-np.abs(self.contributions), kind="stable")[: max(n, 0)]
        return [
            Contribution(
                int(i), self.input_names[i], float(self.inputs[i]), float(self.weights[i]), float(self.contributions[i])
            )
            for i in order
        ]

    def rows(self, top: int = 12) -> list[arithmetic.Row]:
        """The arithmetic, row by row: the `top` largest contributions singly, the others added up."""
        contributions = self.contributions.tolist()
        shown = arithmetic.strongest(contributions, top)
        hidden = sorted(set(range(len(contributions))) - set(shown))
        zeros = sum(contributions[i] == 0 for i in hidden)
        others = f"{len(hidden):,} more inputs" + (f", {zeros:,} of them 0" if zeros else "")
        return arithmetic.rows(
            sums=[
                arithmetic.Sum(
                    [(self._term(i), contributions[i]) for i in shown],
                    ("all inputs", fsum(contributions)),
                    (others, fsum(contributions[i] for i in hidden)) if hidden else None,
                ),
                self.last_sum(_clipped(self.name, 44)),
            ],
            result=self._result(),
            precision=1e-9 if self.dtype == "float64" else 1e-6,
        )

    def last_sum(self, name: str) -> arithmetic.Sum:
        """From all contributions to the network's own number, with what the method leaves over."""
        affine = self.method == "affine"
        bias = "+ bias" if affine else "+ the network at the baseline"
        left_over = f"rounding in {self.dtype}" if affine else f"left over by {self.points:,} points"
        return arithmetic.Sum([(bias, self.bias_contribution)], (name, self.total), None, left_over)

    def _term(self, i: int) -> arithmetic.Product:
        name = self.input_names[i]
        if self.given is not None and float(self.given[i]) != float(self.inputs[i]):
            name = f"{_clipped(name, 18)} = {float(self.given[i]):.6g}"
        value = arithmetic.significant(float(self.inputs[i]) - float(self.baseline[i]), 4)
        return arithmetic.Product(_clipped(name, 28), value, arithmetic.significant(float(self.weights[i]), 4))

    def _result(self) -> arithmetic.Line:
        if self.activation is not None:
            return f"activation, {self.activation_name}", self.activation
        if activation(self.activation_name).by_row and abs(self.total) < 700:
            more, less = (_clipped(name, 16) for name in (self.names if self.total >= 0 else self.names[::-1]))
            return f"odds of {more} to {less}, exp", exp(abs(self.total))
        return "error", self.error

    def document(self, top: int = 12) -> Document:
        """The arithmetic as one would write it down."""
        how = "affine map in force" if self.method == "affine" else f"integrated gradients, {self.points:,} points"
        heading = f"{_clipped(self.name, 44)}, {how}"
        if self.against is not None:
            heading = f"why {_clipped(self.names[0], 16)} and not {_clipped(self.names[1], 16)}: {how}"
        what = "input" if not self.baseline.any() else "(input - baseline)"
        weight = "weight in force" if self.method == "affine" else "average slope"
        return Document(
            heading,
            [
                Text(f"each contribution is {what} x {weight}"),
                Worked(self.rows(top)),
                Text(f"the sum differs from the network's own number by {self.error:.1e}"),
            ],
        )

    def as_dict(self) -> dict[str, Any]:
        """Every number, as plain values for JSON."""
        return {
            "output": self.output,
            "against": self.against,
            "inputs": self.inputs.tolist(),
            "baseline": self.baseline.tolist(),
            "weights": self.weights.tolist(),
            "contributions": self.contributions.tolist(),
            "bias_contribution": self.bias_contribution,
            "total": self.total,
            "error": self.error,
            "method": self.method,
            "points": self.points,
        }

    def __repr__(self) -> str:
        return f"Attribution({self.name} = {self.total:.6g}, {len(self.inputs):,} inputs, {self.method})"


def attribution(
    network: Network,
    inputs: npt.ArrayLike,
    output: "int | str | None" = None,
    against: "int | str | None" = None,
    method: str = "auto",
    baseline: npt.ArrayLike | None = None,
    steps: int | None = None,
) -> Attribution:
    """How much each input contributes to a logit, or to the difference of two ("why 7 and not 1").

    Parameters
    ----------
    network : Network
    inputs : array_like of shape (fan_in,)
        One raw input.
    output : int or str, optional
        Output neuron or class name; by default the largest logit.
    against : int or str, optional
        Second output, whose logit is subtracted.
    method : {"auto", "affine", "integrated_gradients"}, default "auto"
        "affine" is exact, for piecewise linear networks; "integrated_gradients" needs activations with a gradient;
        "auto" takes the affine map if there is one.
    baseline : float, array_like of shape (fan_in,) or Dataset, optional
        Input to compare with, in the units of `inputs`; of a Dataset the mean input. By default what the first layer
        gets as 0: black pixels, columns at their center.
    steps : int, optional
        Number of Gauss-Legendre nodes for integrated gradients; by default as many as the tolerance needs.

    Returns
    -------
    Attribution

    Raises
    ------
    InputError
        If the inputs or the baseline do not fit.
    AddressError
        If an output does not exist.
    SettingError
        If the method does not suit the network.

    References
    ----------
    M. Sundararajan, A. Taly, Q. Yan, "Axiomatic Attribution for Deep Networks", 2017.

    Examples
    --------
    >>> import glassnet as gn
    >>> hidden, output = ([[1.0, 2.0], [1.0, -2.0]], [0, 0], "relu"), ([[3.0, 1.0]], [0.5], "identity")
    >>> network = gn.Network.from_layers([hidden, output])
    >>> found = gn.explain.attribution(network, [1.0, 1.0])
    >>> found.contributions.tolist(), found.bias_contribution, found.total
    ([3.0, 6.0], 0.5, 9.5)
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS):
        raise SettingError(f"steps must be a whole number from 1 to {MOST_STEPS}, got {steps!r}")
    if method == "auto":
        method = "affine" if _first_smooth(network) is None and steps is None else "integrated_gradients"
    if method == "affine":
        _check_pieces(network)
    else:
        _check_slopes(network)
    trace = _trace_of_one(network, inputs)
    origin = _baseline(network, trace, baseline)
    logits = trace.layers[-1].pre_activations
    first = int(np.argmax(logits)) if output is None else _checked_output(trace, output, "output")
    second = None if against is None else _checked_output(trace, against, "against")
    if first == second:
        raise SettingError(f"output {first} is compared with itself", help="name another output in against=")
    head = _head(trace, first, second)
    total = float(head @ logits)
    if not isfinite(total):
        raise InputError(
            f"the logit is {total}: expected a finite number", help="scale the inputs or the parameters down"
        )
    points = 0
    if method == "affine":
        weights, bias = AffineMap(trace).along(head)
        bias += float(weights @ origin)
    else:
        weights, bias, points = _average_slopes(network, trace, origin, head, steps)
    names = [_name(trace, k) for k in (first, second) if k is not None]
    return Attribution(
        output=first,
        against=second,
        inputs=trace.layers[0].inputs,
        baseline=readonly(origin),
        weights=readonly(weights),
        bias_contribution=bias,
        total=total,
        method=method,
        points=points,
        name=" less ".join(f"logit of {name}" for name in names),
        names=tuple(names),
        input_names=trace.input_names(0),
        activation_name=trace.layers[-1].activation_name,
        activation=float(trace.outputs[first]) if second is None else None,
        dtype=network.dtype,
        given=trace.given if trace.schema.standardises else None,
    )


def _average_slopes(
    network: Network, trace: Trace, origin: Array, head: Array, steps: int | None
) -> tuple[Array, float, int]:
    """The average slopes of `head @ logits` from `origin` to the input, its value at `origin`, and the points taken."""
    bare = network.with_schema(Schema())  # points of the path are numbers as the network sees them
    to_logits = bare.with_activation(len(network.layers) - 1, PLAIN)
    start, way = origin, trace.layers[0].inputs.astype(np.float64) - origin

    def slopes_at(t: Array) -> Array:
        return backward.input_slopes(bare.trace(start + t[:, None] * way), head)

    def value_at(t: Array) -> Array:
        return to_logits(start + t[:, None] * way).astype(np.float64) @ head

    at_origin = float(value_at(np.zeros(1))[0])
    if steps is not None:
        return quadrature.fixed(slopes_at, steps), at_origin, steps
    moves = way != 0

    def moves_at(t: Array) -> Array:
        return slopes_at(t)[:, moves] * way[moves]

    size = float(np.abs(head) @ (np.abs(to_logits(start)) + np.abs(trace.layers[-1].pre_activations)))
    rounding = 8 * float(np.finfo(network.dtype).eps)
    parts, points = quadrature.adaptive(moves_at, value_at, TOLERANCE[network.dtype], size, rounding)
    weights = np.zeros(len(way))
    weights[moves] = parts / way[moves]
    return weights, at_origin, points


# Validation


def _first_smooth(network: Network) -> tuple[int, str] | None:
    hidden = network.architecture.activations[:-1]
    return next(((i, name) for i, name in enumerate(hidden) if not backward.straight(name)), None)


def _check_pieces(network: Network) -> None:
    smooth = _first_smooth(network)
    if smooth is not None:
        straight = ", ".join(filter(backward.straight, ACTIVATIONS))
        raise SettingError(
            f"method 'affine' needs piecewise linear hidden layers ({straight}), "
            f"but layer {smooth[0]} has {smooth[1]!r}",
            help="attribution(network, inputs, method='integrated_gradients')",
        )


def _check_slopes(network: Network) -> None:
    for i, name in enumerate(network.architecture.activations[:-1]):
        if not activation(name).trainable:
            raise SettingError(
                f"method 'integrated_gradients' needs a gradient in every hidden layer, but layer {i} has {name!r}",
                help="use method='affine' if all hidden layers are piecewise linear, or explain "
                f"network.with_activation({i}, {DEFAULT_NEURON!r})",
            )


def _trace_of_one(network: Network, inputs: Any) -> Trace:
    trace = network.trace(inputs)
    if trace.outputs.ndim == 2:
        raise InputError(f"{len(trace)} inputs: an attribution explains one", help="pick one first: inputs[0]")
    return trace


def _baseline(network: Network, trace: Trace, baseline: Any) -> Array:
    """The baseline as the first layer gets it, (fan_in,)."""
    width = len(trace.layers[0].inputs)
    if baseline is None:
        return np.zeros(width)
    if isinstance(baseline, Dataset):
        data = meeting(network, baseline).data
        assert isinstance(data, Dataset)
        return np.asarray(data.scaled(np.float64).mean(axis=0))
    if np.ndim(baseline) == 0:
        baseline = np.full(width, baseline)
    schema, given = network.schema, trace.given
    stored = given is not None and given.dtype.kind in "iu" and not schema.standardises and schema.scale is not None
    try:
        if stored:  # a mean of stored pixels is a float, and still counts in their units
            return _trace_of_one(network.bare, baseline).layers[0].inputs.astype(np.float64) * float(schema.scale or 1)
        return _trace_of_one(network, baseline).layers[0].inputs.astype(np.float64)
    except InputError as problem:
        raise InputError(f"baseline: {problem.problem}", help=problem.help) from None


def _checked_output(trace: Trace, output: "int | str", what: str) -> int:
    count = trace.outputs.shape[-1]
    classes = trace.schema.classes
    if isinstance(output, str):
        if classes is None or len(classes) != count:
            raise SettingError(
                f"{what} {output!r} is a name, but the network has no class names",
                help=f"give a number from 0 to {count - 1}",
            )
        if output not in classes:
            raise unknown_name("class", output, classes)
        return classes.index(output)
    if isinstance(output, bool) or not isinstance(output, int | np.integer):
        raise SettingError(
            f"{what} {output!r}: expected the number of an output, from 0 to {count - 1}, or the name of a class"
        )
    if not 0 <= output < count:
        raise AddressError(f"{what} {output}: expected an output from 0 to {count - 1}")
    return int(output)


def _head(trace: Trace, first: int, second: int | None) -> Array:
    head = np.zeros(trace.outputs.shape[-1])
    head[first] = 1
    if second is not None:
        head[second] = -1
    return head


def _name(trace: Trace, output: int) -> str:
    classes = trace.schema.classes
    return classes[output] if classes and len(classes) == trace.outputs.shape[-1] else f"output {output}"


def _clipped(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 3] + "..."
