"""Attributions: what a number of a network has from each input, against a baseline.

    logit at the input - logit at the baseline = contribution of input 0 + contribution of input 1 + ...

Integrated gradients average the slopes on the straight path from the baseline to the input, with a known error that
remains; DeepLIFT takes quotients of differences, exactly and in one pass. Both see an input whose effect has saturated.
The affine map in force around an input does not: it is exact there and only there, and has a method and a name of its
own. A logit is a pre-activation of the last layer, before its activation function; the pre-activation of any other
neuron is taken apart the same way, and neurons of a hidden layer take the place of the inputs (conductance).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import exp, fsum, isfinite
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from glassnet import arithmetic
from glassnet.activations import ACTIVATIONS, activation
from glassnet.arrays import Array, numeric, readonly, shape_text
from glassnet.data.dataset import Dataset
from glassnet.errors import AddressError, InputError, SettingError, unknown_name
from glassnet.evaluation import meeting
from glassnet.explain import backward, conductance, deeplift, quadrature
from glassnet.names import DEFAULT_NEURON, PLAIN
from glassnet.network import Network
from glassnet.render.document import Document, Record, Rendered
from glassnet.render.parts import Column, Part, Table, Text, Worked
from glassnet.schema import Schema
from glassnet.trace import Trace, check_address

METHODS = ("auto", "integrated_gradients", "deeplift", "affine")
MOST_BASELINES = 100
"""Of a data set as a background so many examples are taken, evenly from all of it."""
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
class Contribution(Record):
    """One input's part of a logit: `contribution = weight * (input - baseline)`."""

    index: int
    name: str
    input: float
    weight: float
    contribution: float


@dataclass(frozen=True, eq=False)
class Attribution(Rendered):
    """A logit, or the difference of two, divided among inputs or neurons; `attribution` computes it.

    The contributions add up to `total - bias_contribution`, the change from the baseline, up to `error`.

    Parameters
    ----------
    output : int
        The logit that is explained.
    against : int or None
        The logit that is subtracted from it.
    inputs, baseline : ndarray of shape (fan_in,)
        The input as the first layer receives it, and the input it is compared with.
    weights : ndarray of shape (fan_in,)
        Contribution by unit of change: average gradients, multipliers, or the affine map in force.
    bias_contribution : float
        The part that no input accounts for: the network's value at the baseline (of several, their mean), or the
        map's.
    total : float
        The network's own logit, or difference of two.
    method : {"integrated_gradients", "deeplift", "affine"}
    points : int
        Number of gradients averaged on the path; 0 for the other methods.
    parts : ndarray, optional
        The contributions, where they are not `weights * (inputs - baseline)`: means over several baselines.
    baselines : int
        Number of baselines.
    layer : int, optional
        The hidden layer whose neurons stand in the place of the inputs.
    shape : (int, int), optional
        Rows and columns of the inputs, if they are a picture.
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
    parts: Array | None = field(default=None, repr=False)
    baselines: int = 1
    layer: int | None = None
    shape: tuple[int, int] | None = None

    @cached_property
    def contributions(self) -> Array:
        """Contribution of each input, of shape (fan_in,)."""
        if self.parts is not None:
            return readonly(self.parts)
        return readonly(self.weights * (self.inputs.astype(np.float64) - self.baseline))

    @property
    def error(self) -> float:
        """Difference between `total` and the sum of all contributions.

        Rounding for the affine map and DeepLIFT; the completeness error for integrated gradients.
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
        what = "inputs" if self.layer is None else "neurons"
        others = f"{len(hidden):,} more {what}" + (f", {zeros:,} of them 0" if zeros else "")
        return arithmetic.rows(
            sums=[
                arithmetic.Sum(
                    [(self._term(i), contributions[i]) for i in shown],
                    (f"all {what}", fsum(contributions)),
                    (others, fsum(contributions[i] for i in hidden)) if hidden else None,
                ),
                self.last_sum(_clipped(self.name, 44)),
            ],
            result=self._result(),
            precision=1e-9 if self.dtype == "float64" else 1e-6,
        )

    def last_sum(self, name: str) -> arithmetic.Sum:
        """From all contributions to the network's own number, with what the method leaves over."""
        bias = "+ the map at the baseline" if self.method == "affine" else "+ the network at the baseline"
        if self.method == "affine" and not self.baseline.any():
            bias = "+ bias in force"
        if self.baselines > 1:
            bias = f"+ the network at {self.baselines:,} baselines"
        integrated = self.method == "integrated_gradients"
        left_over = f"left over by {self.points:,} points" if integrated else f"rounding in {self.dtype}"
        return arithmetic.Sum([(bias, self.bias_contribution)], (name, self.total), None, left_over)

    def _term(self, i: int) -> arithmetic.Product | str:
        name = self.input_names[i]
        if self.given is not None and float(self.given[i]) != float(self.inputs[i]):
            name = f"{_clipped(name, 18)} = {float(self.given[i]):.6g}"
        if self.parts is not None:
            return f"{_clipped(name, 28)}  {arithmetic.significant(float(self.inputs[i]), 4)}"
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
        how = {
            "affine": "affine map in force, exact around this input alone",
            "deeplift": "DeepLIFT",
            "integrated_gradients": f"integrated gradients, {self.points:,} points",
        }[self.method]
        if self.layer is not None:
            how = f"conductance of layer {self.layer}, {self.points:,} points"
        if self.baselines > 1:
            how += f", {self.baselines:,} baselines"
        heading = f"{_clipped(self.name, 44)}, {how}"
        if self.against is not None:
            heading = f"why {_clipped(self.names[0], 16)} and not {_clipped(self.names[1], 16)}: {how}"
        return Document(
            heading,
            [
                *(Text(line) for line in self._notes()),
                Worked(self.rows(top)),
                Text(f"the sum differs from the network's own number by {self.error:.1e}"),
            ],
        )

    def _notes(self) -> list[str]:
        """What a contribution is, and what the method cannot see."""
        if self.method == "affine":
            limit = "it does not see what an input did where its effect has saturated: see integrated_gradients"
            return [f"each contribution is {self._change()} x weight in force; {limit}"]
        if self.parts is not None and self.baselines > 1:
            return [f"each contribution is the mean of those against {self.baselines:,} examples"]
        if self.layer is not None:
            return ["each contribution is the part of the change from the baseline that goes through the neuron"]
        return [
            f"each contribution is {self._change()} x {'multiplier' if self.method == 'deeplift' else 'average slope'}"
        ]

    def _change(self) -> str:
        return "(input - baseline)" if self.baseline.any() else "input"

    def grouped(self, groups: Mapping[str, Sequence[int]]) -> dict[str, float]:
        """Contributions of groups of inputs, such as the columns of a table or the regions of a picture.

        Parameters
        ----------
        groups : mapping of str to sequence of int
            Inputs of each group; what is in no group is under "others", if it is not nothing.

        Returns
        -------
        dict of str to float
            In the order of `groups`; the values add up to the sum of all contributions.

        Raises
        ------
        AddressError
            If an input does not exist.
        SettingError
            If an input is in two groups.

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.from_layers([([[1.0, 2.0, 4.0]], [0], "identity")])
        >>> found = gn.explain.attribution(network, [1, 1, 1], method="deeplift")
        >>> found.grouped({"left": [0, 1], "right": [2]})
        {'left': 3.0, 'right': 4.0}
        """
        left = dict.fromkeys(range(len(self.contributions)))
        found = {}
        for name, members in groups.items():
            for i in members:
                if not 0 <= i < len(self.contributions):
                    raise AddressError(f"group {name!r} has input {i}, expected 0 to {len(self.contributions) - 1}")
                if i not in left:
                    raise SettingError(f"input {i} is in two groups, one of them {name!r}")
                del left[i]
            found[name] = fsum(float(self.contributions[i]) for i in members)
        rest = fsum(float(self.contributions[i]) for i in left)
        return found | ({"others": rest} if rest else {})

    def regions(self, rows: int, columns: int) -> dict[str, float]:
        """Contributions of the regions of a picture, cut into this many rows and columns.

        Parameters
        ----------
        rows, columns : int

        Returns
        -------
        dict of str to float
            By the pixels of each region: "rows 0 to 6, columns 0 to 6".

        Raises
        ------
        SettingError
            If the inputs are no picture, or have fewer rows or columns.

        Examples
        --------
        >>> import glassnet as gn
        >>> layers = [([[1.0, 2.0, 3.0, 4.0]], [0], "identity")]
        >>> network = gn.Network.from_layers(layers, gn.Schema(input_shape=(2, 2)))
        >>> gn.explain.attribution(network, [1, 1, 1, 1], method="deeplift").regions(1, 2)
        {'rows 0 to 1, columns 0 to 0': 4.0, 'rows 0 to 1, columns 1 to 1': 6.0}
        """
        if self.shape is None or not 1 <= rows <= self.shape[0] or not 1 <= columns <= self.shape[1]:
            what = "are no picture" if self.shape is None else f"are a picture of {self.shape[0]} x {self.shape[1]}"
            raise SettingError(f"the inputs {what}, expected one to cut into {rows} x {columns} regions")
        places = np.arange(len(self.contributions)).reshape(self.shape)
        found = {}
        for down in np.array_split(np.arange(self.shape[0]), rows):
            for across in np.array_split(np.arange(self.shape[1]), columns):
                name = f"rows {down[0]} to {down[-1]}, columns {across[0]} to {across[-1]}"
                found[name] = places[np.ix_(down, across)].reshape(-1).tolist()
        return self.grouped(found)

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
    baseline: npt.ArrayLike | Dataset | None = None,
    steps: int | None = None,
    neuron: tuple[int, int] | None = None,
    layer: int | None = None,
) -> Attribution:
    """How much each input contributes to a logit, to the difference of two ("why 7 and not 1"), or to a neuron.

    Parameters
    ----------
    network : Network
    inputs : array_like of shape (fan_in,)
        One raw input.
    output : int or str, optional
        Output neuron or class name; by default the largest logit.
    against : int or str, optional
        Second output, whose logit is subtracted.
    method : {"auto", "integrated_gradients", "deeplift", "affine"}, default "auto"
        "integrated_gradients" and "deeplift" share out the change from the baseline and need activations with a
        gradient; "affine", for piecewise linear networks, is the map in force around this input alone. "auto" takes
        integrated gradients, and the affine map where there are none.
    baseline : float, array_like of shape (fan_in,) or (n, fan_in), or Dataset, optional
        Input to compare with, in the units of `inputs`. Of a Dataset or of several rows up to `MOST_BASELINES` are
        taken, and contributions are means over them. By default what the first layer gets as 0: black pixels, columns
        at their center.
    steps : int, optional
        Number of Gauss-Legendre nodes for integrated gradients; by default as many as the tolerance needs.
    neuron : (int, int), optional
        A neuron (layer, index) in the place of the output: its pre-activation is shared out.
    layer : int, optional
        A hidden layer, whose neurons take the place of the inputs (conductance, by integrated gradients).

    Returns
    -------
    Attribution

    Raises
    ------
    InputError
        If the inputs or the baseline do not fit.
    AddressError
        If an output, a neuron or a layer does not exist.
    SettingError
        If the method does not suit the network.

    References
    ----------
    M. Sundararajan, A. Taly, Q. Yan, "Axiomatic Attribution for Deep Networks", 2017. K. Dhamdhere, M. Sundararajan,
    Q. Yan, "How Important Is a Neuron?", 2018. A. Shrikumar, P. Greenside, A. Kundaje, "Learning Important Features
    Through Propagating Activation Differences", 2017.

    Examples
    --------
    >>> import glassnet as gn
    >>> hidden, output = ([[1.0], [1.0]], [0, -1], "relu"), ([[1.0, -1.0]], [0], "identity")
    >>> network = gn.Network.from_layers([hidden, output])         # relu(x) - relu(x - 1), at most 1
    >>> found = gn.explain.attribution(network, [2.0])
    >>> round(float(found.contributions[0]), 3), found.bias_contribution, found.total
    (1.0, 0.0, 1.0)
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS):
        raise SettingError(f"steps must be a whole number from 1 to {MOST_STEPS}, got {steps!r}")
    whole = network
    if neuron is not None:
        if output is not None or against is not None:
            raise SettingError("a neuron takes the place of the outputs", help="leave out output and against")
        network = _until(network, *neuron)
        output = neuron[1]
    method = _method(network, method, steps, layer)
    trace = _trace_of_one(network, inputs)
    if layer is not None:
        _check_layer(network, layer)
    origins = _baselines(network, trace, baseline)
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
    found = [_against_one(network, trace, origin, head, method, steps, layer) for origin in origins]
    parts = np.mean([one.parts for one in found], axis=0)
    origin = np.mean([one.origin for one in found], axis=0)
    reached = trace.layers[0].inputs if layer is None else trace.layers[layer].activations
    change = reached.astype(np.float64) - origin
    names = [_name(trace, k) for k in (first, second) if k is not None]
    title = " less ".join(f"logit of {name}" for name in names)
    if neuron is not None:
        title = f"z of neuron {neuron[0]}:{neuron[1]}"
    shape = trace.schema.input_shape
    return Attribution(
        output=first,
        against=second,
        inputs=reached,
        baseline=readonly(origin),
        weights=readonly(
            found[0].weights
            if len(found) == 1
            else np.divide(parts, change, out=np.zeros_like(parts), where=change != 0)
        ),
        bias_contribution=float(np.mean([one.value for one in found])),
        total=total,
        method=method,
        points=sum(one.points for one in found),
        name=title,
        names=tuple(names) if neuron is None else (title,),
        input_names=trace.input_names(0 if layer is None else layer + 1),
        activation_name=whole.architecture.activations[neuron[0]] if neuron else trace.layers[-1].activation_name,
        activation=float(trace.outputs[first]) if second is None and neuron is None else None,
        dtype=network.dtype,
        given=trace.given if trace.schema.standardises and layer is None else None,
        parts=readonly(parts) if len(found) > 1 or layer is not None else None,
        baselines=len(found),
        layer=layer,
        shape=(shape[0], shape[1]) if layer is None and shape is not None and len(shape) == 2 else None,
    )


class _One(NamedTuple):
    """The attribution against one baseline."""

    parts: Array
    weights: Array
    origin: Array
    value: float
    points: int


def _against_one(
    network: Network, trace: Trace, origin: Array, head: Array, method: str, steps: int | None, layer: int | None
) -> _One:
    change = trace.layers[0].inputs.astype(np.float64) - origin
    if method == "affine":
        weights, bias = AffineMap(trace).along(head)
        return _One(weights * change, weights, origin, bias + float(weights @ origin), 0)
    if method == "deeplift":
        there = network.with_schema(Schema()).trace(origin)
        weights = deeplift.multipliers(trace, there, head)
        return _One(weights * change, weights, origin, float(head @ there.layers[-1].pre_activations), 0)
    weights, value, points = _average_slopes(network, trace, origin, head, steps, layer)
    if layer is None:
        return _One(weights * change, weights, origin, value, points)
    there = network.with_schema(Schema()).trace(origin)
    at_origin = there.layers[layer].activations.astype(np.float64)
    moved = trace.layers[layer].activations.astype(np.float64) - at_origin
    return _One(
        weights, np.divide(weights, moved, out=np.zeros_like(moved), where=moved != 0), at_origin, value, points
    )


def _method(network: Network, method: str, steps: int | None, layer: int | None) -> str:
    """The method that "auto" stands for; raises `SettingError` where one does not suit the network."""
    if layer is not None and method not in ("auto", "integrated_gradients"):
        raise SettingError(f"method {method!r} has no conductances", help="method='integrated_gradients'")
    if method == "auto":
        smooth = all(activation(name).trainable for name in network.architecture.activations[:-1])
        straight = _first_smooth(network) is None and steps is None and layer is None
        method = "affine" if straight and not smooth else "integrated_gradients"
    if method == "affine":
        _check_pieces(network)
    else:
        _check_slopes(network, method)
    return method


def _until(network: Network, layer: int, index: int) -> Network:
    """The network that ends with the pre-activations of a layer."""
    check_address(layer, index, network.sizes[1:])
    layers = [(at.weights, at.biases, at.activation) for at in network.layers[: layer + 1]]
    layers[-1] = (*layers[-1][:2], PLAIN)
    return Network.from_layers(layers, replace(network.schema, classes=None, target=None), dtype=network.dtype)


def _check_layer(network: Network, layer: int) -> None:
    hidden = len(network.layers) - 1
    if isinstance(layer, bool) or not hasattr(layer, "__index__") or not 0 <= layer < hidden:
        expected = f"a hidden layer from 0 to {hidden - 1}" if hidden else "no layer: the network has no hidden one"
        raise AddressError(f"no layer {layer}: expected {expected}")


def _average_slopes(
    network: Network, trace: Trace, origin: Array, head: Array, steps: int | None, layer: int | None = None
) -> tuple[Array, float, int]:
    """The average slopes of `head @ logits` from `origin` to the input, its value at `origin`, and the points taken.

    Of a layer, the conductances of its neurons instead of slopes.
    """
    bare = network.with_schema(Schema())  # points of the path are numbers as the network sees them
    to_logits = bare.with_activation(len(network.layers) - 1, PLAIN)
    start, way = origin, trace.layers[0].inputs.astype(np.float64) - origin

    def slopes_at(t: Array) -> Array:
        along = bare.trace(start + t[:, None] * way)
        return backward.input_slopes(along, head) if layer is None else conductance.rates(along, layer, way, head)

    def value_at(t: Array) -> Array:
        return to_logits(start + t[:, None] * way).astype(np.float64) @ head

    at_origin = float(value_at(np.zeros(1))[0])
    if steps is not None:
        return quadrature.fixed(slopes_at, steps), at_origin, steps
    moves = way != 0 if layer is None else np.ones(len(trace.layers[layer].activations), bool)
    speeds = way[moves] if layer is None else np.ones(len(moves))

    def moves_at(t: Array) -> Array:
        return slopes_at(t)[:, moves] * speeds

    size = float(np.abs(head) @ (np.abs(to_logits(start)) + np.abs(trace.layers[-1].pre_activations)))
    rounding = 8 * float(np.finfo(network.dtype).eps)
    parts, points = quadrature.adaptive(moves_at, value_at, TOLERANCE[network.dtype], size, rounding)
    weights = np.zeros(len(moves))
    weights[moves] = parts / speeds
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


def _check_slopes(network: Network, method: str) -> None:
    for i, name in enumerate(network.architecture.activations[:-1]):
        if not activation(name).trainable:
            raise SettingError(
                f"method {method!r} needs a gradient in every hidden layer, but layer {i} has {name!r}",
                help="use method='affine' if all hidden layers are piecewise linear, or explain "
                f"network.with_activation({i}, {DEFAULT_NEURON!r})",
            )


def _trace_of_one(network: Network, inputs: Any) -> Trace:
    trace = network.trace(inputs)
    if trace.outputs.ndim == 2:
        raise InputError(f"{len(trace)} inputs: an attribution explains one", help="pick one first: inputs[0]")
    return trace


def _baselines(network: Network, trace: Trace, baseline: Any) -> list[Array]:
    """The baselines as the first layer gets them, each (fan_in,)."""
    if isinstance(baseline, Dataset):
        data = meeting(network, baseline).data
        assert isinstance(data, Dataset)
        if not len(data):
            raise InputError("the baseline is a data set without examples: expected at least one")
        places = np.unique(np.linspace(0, len(data) - 1, min(len(data), MOST_BASELINES)).round().astype(int))
        return list(data[places].scaled(np.float64))
    if baseline is not None and np.ndim(baseline) == 2:
        rows = np.asarray(baseline)
        if not len(rows):
            raise InputError("the baseline has no rows: expected at least one")
        places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_BASELINES)).round().astype(int))
        return [_baseline(network, trace, rows[k]) for k in places]
    return [_baseline(network, trace, baseline)]


def _baseline(network: Network, trace: Trace, baseline: Any) -> Array:
    """One baseline as the first layer gets it, (fan_in,)."""
    width = len(trace.layers[0].inputs)
    if baseline is None:
        return np.zeros(width)
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
    if isinstance(output, str):
        names, classes = _output_classes(trace), trace.schema.classes
        if names is None or classes is None:
            raise SettingError(
                f"{what} {output!r} is a name, but the network has no class names",
                help=f"give a number from 0 to {count - 1}",
            )
        if output in names:
            return names.index(output)
        if output in classes:
            raise SettingError(
                f"{what} {output!r}: the network's one output is that of {names[0]!r}",
                help=f"ask for {names[0]!r}: what speaks against it speaks for {output!r}",
            )
        raise unknown_name("class", output, classes)
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
    names = _output_classes(trace)
    return f"output {output}" if names is None else names[output]


def _output_classes(trace: Trace) -> "tuple[str, ...] | None":
    """The class that each output speaks for; the one output of two classes speaks for the second."""
    classes, count = trace.schema.classes or (), trace.outputs.shape[-1]
    if len(classes) == 2 and count == 1:
        return classes[1:]
    return classes if len(classes) == count else None


def _clipped(name: str, width: int) -> str:
    return name if len(name) <= width else name[: width - 3] + "..."
