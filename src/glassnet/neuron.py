"""One neuron. A network is many of these.

    activation = squish(weights . inputs + bias)

Each weight says how much one input counts, for or against. The products add up to the weighted sum: how well the inputs
match the pattern of the weights. The bias is the pre-activation when all inputs are 0. The squish (activation function)
maps the pre-activation to the neuron's output.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, fsum, isfinite
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet import arithmetic
from glassnet.activations import activation as known_activation
from glassnet.arrays import Array, numeric, readonly, shape_text
from glassnet.errors import InputError, SettingError
from glassnet.names import DEFAULT_NEURON, ActivationLike
from glassnet.render.document import Document, Record, Rendered
from glassnet.render.parts import Bar, Beside, Cell, Chart, Column, Items, Part, Section, Table, Text, Worked

LARGEST_EXPONENT = 30.0


@dataclass(frozen=True, eq=False, init=False)
class Neuron(Record):
    """One neuron.

    Parameters
    ----------
    weights : array_like of shape (fan_in,)
    bias : float
    activation : str, default "sigmoid"

    Raises
    ------
    InputError
        If weights are not one row of finite numbers, or the bias is not one.
    SettingError
        If the activation is unknown.

    Examples
    --------
    >>> import glassnet as gn
    >>> neuron = gn.Neuron([0.5, -1.0], bias=0.25, activation="relu")
    >>> neuron([2.0, 0.5])                    # 0.5 x 2 - 1 x 0.5 + 0.25
    0.75
    """

    weights: Array
    bias: float
    activation: str

    def __init__(
        self,
        weights: npt.ArrayLike,
        bias: float,
        activation: ActivationLike = DEFAULT_NEURON,
    ) -> None:
        row, number = numeric(weights, "weights"), numeric(bias, "bias")
        if row.ndim != 1 or row.size == 0 or number.size != 1:
            raise InputError(
                f"weights of shape {shape_text(row.shape)} and bias of shape {shape_text(number.shape)}: a neuron "
                "has one row of weights (fan_in,) and one bias"
            )
        object.__setattr__(self, "weights", readonly(row.astype(float)))
        object.__setattr__(self, "bias", float(number.reshape(())))
        object.__setattr__(self, "activation", known_activation(activation).name)

    def __call__(self, inputs: npt.ArrayLike) -> float:
        """The activation for inputs of shape (fan_in,)."""
        return self.activate(float(self.weights @ self._checked(inputs)) + self.bias)

    def activate(self, pre_activation: float) -> float:
        """The activation for a pre-activation.

        Parameters
        ----------
        pre_activation : float

        Returns
        -------
        float

        Raises
        ------
        SettingError
            If the activation is softmax, which is defined for a layer.
        """
        if known_activation(self.activation).by_row:
            raise SettingError(
                f"{self.activation} is not defined for one neuron: it divides 1 among all neurons of a layer",
                help="use network.trace(inputs).neuron(layer, index)",
            )
        return float(known_activation(self.activation)(numeric([pre_activation], "pre-activation"))[0])

    def trace(self, inputs: npt.ArrayLike) -> "NeuronTrace":
        """Every number on the way from inputs to activation; print it to read it.

        Parameters
        ----------
        inputs : array_like of shape (fan_in,)

        Returns
        -------
        NeuronTrace

        Raises
        ------
        InputError
            If there is not one input for each weight.

        Examples
        --------
        >>> import glassnet as gn
        >>> print(gn.Neuron([0.5, -1.0], bias=0.25, activation="relu").trace([2.0, 0.5]))
        neuron
          input 0    2 x 0.5    1.00
          input 1  0.5 x  -1   -0.50
                               -----
          weighted sum          0.50
          + bias                0.25
                               -----
          pre-activation z      0.75
          relu = max(0, z)      0.75
        """
        inputs = self._checked(inputs)
        weighted_sum = float(self.weights @ inputs)
        return NeuronTrace(
            inputs=readonly(inputs),
            weights=self.weights,
            weighted_sum=weighted_sum,
            bias=self.bias,
            pre_activation=weighted_sum + self.bias,
            activation_name=self.activation,
            activation=self.activate(weighted_sum + self.bias),
        )

    def document(self, top: int = 12) -> Document:
        """The bias and the strongest weights.

        Parameters
        ----------
        top : int, default 12
            Number of weights.
        """
        size = self.weights.size
        order = np.argsort(-np.abs(self.weights), kind="stable")[:top].tolist()
        largest = float(np.abs(self.weights).max()) or 1.0
        rows: list[list[Cell]] = [
            [f"weight {i}", f"{self.weights[i]:+.6g}", Bar(float(self.weights[i]), largest, True)]
            for i in sorted(order)
        ]
        rows.append(["bias", f"{self.bias:+.6g}", Bar(self.bias, max(largest, abs(self.bias)), True)])
        more = [Text(f"and {size - top:,} weights that are smaller", quiet=True)] if size > top else []
        return Document(repr(self), [Table([Column(), Column("", "r"), Column()], rows), *more])

    def __repr__(self) -> str:
        return f"Neuron({self.weights.size:,} weights, bias {self.bias:.6g}, {self.activation})"

    def _checked(self, inputs: npt.ArrayLike) -> Array:
        inputs = numeric(inputs, "inputs").astype(float)
        if inputs.shape != self.weights.shape:
            raise InputError(
                f"inputs have shape {shape_text(inputs.shape)}, expected {shape_text(self.weights.shape)}: one "
                "number for each weight"
            )
        return inputs


@dataclass(frozen=True, eq=False)
class NeuronTrace(Rendered):
    """One neuron on one input, step by step; print it to read it.

    Parameters
    ----------
    inputs, weights : ndarray of shape (fan_in,)
    weighted_sum : float
        Sum of `products`.
    bias : float
    pre_activation : float
        `weighted_sum + bias`.
    activation_name : str
    activation : float
    name : str
    input_names : sequence of str, optional
    rounding : float, optional
        Pre-activation of the framework that computed the neuron, minus `weighted_sum + bias` in float64. It is a line
        of the sum; `pre_activation` is the framework's. None where glassnet computed the neuron.
    bound : float, optional
        The largest rounding that the framework's type of number explains.
    up : NeuronTrace, optional
        The second weighted sum of a gated neuron, whose output is `activation * up.pre_activation`.
    groups : sequence of (str, float), optional
        The products added up by what computed their inputs, in place of single products.

    Examples
    --------
    >>> import glassnet as gn
    >>> trace = gn.Neuron([0.5, -1.0], bias=0.25, activation="relu").trace([2.0, 0.5])
    >>> trace.products.tolist(), trace.pre_activation
    ([1.0, -0.5], 0.75)
    """

    inputs: Array
    weights: Array
    weighted_sum: float
    bias: float
    pre_activation: float
    activation_name: str
    activation: float
    name: str = "neuron"
    input_names: Sequence[str] | None = field(default=None, repr=False)
    conversions: Sequence[str] | None = field(default=None, repr=False)
    """For each input the step from the user's value to the network's own, written out; "" where nothing happens."""
    rounding: float | None = field(default=None, repr=False)
    bound: float | None = field(default=None, repr=False)
    up: "NeuronTrace | None" = field(default=None, repr=False)
    given_output: float | None = field(default=None, repr=False)
    """The output of a gated neuron as its framework rounded it."""
    groups: Sequence[tuple[str, float]] | None = field(default=None, repr=False)
    layer_scores: Sequence[float] | None = field(default=None, repr=False)
    """For softmax, which divides 1 among a layer: the pre-activations of all its neurons."""
    layer_names: Sequence[str] | None = field(default=None, repr=False)

    @property
    def products(self) -> Array:
        """Each input times its weight, of shape (fan_in,), float64: exact for inputs and weights of 32 bits."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.inputs.astype(np.float64) * self.weights

    @property
    def output(self) -> float:
        """What the neuron passes on: its activation; of a gated one, times the second weighted sum."""
        if self.up is None:
            return self.activation
        return self.activation * self.up.pre_activation if self.given_output is None else self.given_output

    def softmax_rows(self, top: int = 12) -> list[arithmetic.Row]:
        """For softmax: exp(z) of the neurons of the layer, their sum, and this neuron's share of it.

        All are divided by exp(largest z), which changes no share, where they would be too large or too small to write.

        Parameters
        ----------
        top : int
            Number of neurons shown singly, those of the largest shares.

        Returns
        -------
        list of Row
            Empty for other activations.

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.from_layers([([[1.0], [2.0]], [0, 0], "softmax")])
        >>> [row.figure for row in network.trace([1.0]).neuron(0, 0).softmax_rows()]
        ['2.7183', '7.3890', '10.1073', '0.2689414']
        """
        if self.layer_scores is None or not all(map(isfinite, self.layer_scores)):
            return []
        scores = self.layer_scores
        names = self.layer_names or [f"output {k}" for k in range(len(scores))]
        shift = max(scores) if abs(max(scores)) > LARGEST_EXPONENT else 0.0
        less = f" - {arithmetic.significant(shift, 6)}" if shift else ""
        powers = [exp(z - shift) for z in scores]
        total = fsum(powers)
        shown = arithmetic.strongest(powers, top)
        hidden = sorted(set(range(len(powers))) - set(shown))
        own = exp(self.pre_activation - shift)
        division = f"{arithmetic.significant(own, 6)} / {arithmetic.significant(total, 6)}"
        return arithmetic.rows(
            [
                arithmetic.Sum(
                    [(f"{names[k]}  exp({arithmetic.significant(scores[k], 6)}{less})", powers[k]) for k in shown],
                    ("sum over the layer", total),
                    (f"{len(hidden):,} more", fsum(powers[k] for k in hidden)) if hidden else None,
                )
            ],
            (f"{self.activation_name} = {division}", self.activation),
            1e-6 if self.weights.dtype.itemsize < 8 else 1e-9,
        )

    def converted(self, top: int = 12) -> list[str]:
        """The lines that lead from the user's values to the inputs, for the products shown singly."""
        if self.conversions is None:
            return []
        names = self.input_names or [f"input {i}" for i in range(len(self.inputs))]
        shown = [i for i in arithmetic.strongest(self.products.tolist(), top) if self.conversions[i]]
        return [f"{names[i]} = {self.conversions[i]}" for i in shown]

    def rows(self, top: int = 12, singly: bool = False) -> list[arithmetic.Row]:
        """The arithmetic, line by line.

        Parameters
        ----------
        top : int
            The largest products, shown singly; the others are added up.
        singly : bool
            Products singly also where they are grouped.

        Returns
        -------
        list of Row
        """
        if top < 0:
            raise SettingError(f"top must be 0 or more, got {top}")
        if self.groups is not None and not singly:
            return self._rows([*self.groups], None)
        products = self.products.tolist()
        shown = arithmetic.strongest(products, top)
        hidden = sorted(set(range(len(products))) - set(shown))
        zeros = sum(products[i] == 0 for i in hidden)
        more = f"{len(hidden):,} more products"
        more += ", all 0" if zeros == len(hidden) else f", {zeros:,} of them 0" if zeros else ""
        others = (more, fsum(products[i] for i in hidden)) if hidden else None
        return self._rows([(self._product(i), products[i]) for i in shown], others)

    def _rows(self, terms: Sequence[arithmetic.Line], others: arithmetic.Line | None) -> list[arithmetic.Row]:
        formula = known_activation(self.activation_name).formula
        products = self.products.tolist()
        epsilon = float(np.finfo(self.weights.dtype).eps)
        rounding = f"rounding in {self.weights.dtype.name}"
        return arithmetic.rows(
            sums=[
                arithmetic.Sum(
                    terms,
                    ("weighted sum", self.weighted_sum),
                    others,
                    rounding,
                    arithmetic.rounding_bound(products, len(products), epsilon),
                ),
                arithmetic.Sum(
                    [("+ bias", self.bias)],
                    ("pre-activation z", self.pre_activation),
                    None if self.rounding is None else (self._rounding_words(), self.rounding),
                    rounding,
                    arithmetic.rounding_bound([*products, self.bias, self.pre_activation], len(products), epsilon),
                ),
            ],
            result=(f"{self.activation_name} = {formula}", self.activation),
            precision=1e-9 if self.weights.dtype.itemsize == 8 else 1e-6,
        )

    def _rounding_words(self) -> str:
        if self.bound is not None and self.rounding is not None and not abs(self.rounding) <= self.bound:
            return "difference from the framework"  # more than its type of number explains: not called rounding
        return "rounding of the framework"

    def product_rows(self) -> list[arithmetic.Row]:
        """How the output of a gated neuron comes from its two sums; no rows for any other."""
        if self.up is None:
            return []
        figures = [arithmetic.significant(value, 6) for value in (self.activation, self.up.pre_activation)]
        product = self.activation * self.up.pre_activation
        lines: list[arithmetic.Line] = [(arithmetic.Product("activation x up", *figures), product)]
        if self.given_output is not None:
            lines.append(("rounding of the framework", self.output - product))
        return arithmetic.rows([arithmetic.Sum(lines, ("output", self.output))], ("output", self.output))[:-1]

    def _product(self, i: int) -> arithmetic.Product:
        name = self.input_names[i] if self.input_names else f"input {i}"
        return arithmetic.Product(
            name, arithmetic.significant(self.inputs[i], 6), arithmetic.significant(self.weights[i], 6)
        )

    def as_dict(self) -> dict[str, Any]:
        """Every number, as plain values for JSON."""
        figures: dict[str, Any] = {
            "inputs": self.inputs.tolist(),
            "weights": self.weights.tolist(),
            "products": self.products.tolist(),
            "weighted_sum": self.weighted_sum,
            "bias": self.bias,
            "pre_activation": self.pre_activation,
            "activation_name": self.activation_name,
            "activation": self.activation,
            **({} if self.rounding is None else {"rounding": self.rounding, "bound": self.bound}),
            **({} if self.groups is None else {"groups": [{"name": n, "sum": v} for n, v in self.groups]}),
            **({} if self.up is None else {"up": self.up.as_dict(), "output": self.output}),
        }
        if self.layer_scores is not None:
            figures["layer_pre_activations"] = list(self.layer_scores)
        return figures

    def document(self, top: int = 12, singly: bool = False) -> Document:
        """The arithmetic as one would write it down, and the activation; of a gated neuron both sums and the product.

        Parameters
        ----------
        top : int
            The largest products, shown singly; the others are added up.
        singly : bool
            Products singly also where they are grouped.

        Returns
        -------
        Document
        """
        steps = self.converted(top)
        worked: Part = Beside([Worked(self.rows(top, singly), self.activation_name), *self._curve()])
        if self.up is not None:
            gate = Section("gate", [worked])
            up = Section("up", [Worked(self.up.rows(top, singly)[:-1])])
            return Document(self.name, [gate, up, Section("activation x up", [Worked(self.product_rows())])])
        parts: list[Part] = [Section("", [Items(steps)]), worked] if steps else [worked]
        if shares := self.softmax_rows(top):
            parts.append(Section(f"the {self.activation_name} of its layer", [Worked(shares)]))
        return Document(self.name, parts)

    def _curve(self) -> list[Chart]:
        """The activation function with this point on it; softmax, which looks at a whole layer, is no curve."""
        if known_activation(self.activation_name).by_row or not isfinite(self.pre_activation):
            return []
        reach = max(6.0, 1.25 * abs(self.pre_activation))
        z = numeric([reach * (k / 60 - 1) for k in range(121)], "z")
        label = f"{self.activation_name}: z = {self.pre_activation:.4g} becomes {self.activation:.4g}"
        line = (self.activation_name, known_activation(self.activation_name)(z).tolist())
        return [Chart(label, z.tolist(), [line], (self.pre_activation, self.activation))]

    def __repr__(self) -> str:
        return f"NeuronTrace({self.name}: z {self.pre_activation:.6g}, activation {self.activation:.6g})"
