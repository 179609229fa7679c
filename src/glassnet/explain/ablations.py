"""Ablation: which hidden neurons the accuracy rests on, found by taking them away.

A neuron is taken away by putting its mean activation over the data (or 0) in its place: what it says of an input is
gone, and what it says of all of them stays. One at a time shows what each alone is worth; one after the other, the
least harmful or the most harmful first, how many are needed, and how few of them suffice to break the network. Of many
neurons the best choice looks better than it is on the examples that it was made on: therefore neurons are chosen on one
half of the examples, and what is then measured is measured on the other.

Imports `intervals` and `paired_evaluation` of `explain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array, dense
from glassnet.data.dataset import Dataset
from glassnet.errors import AddressError, InputError, SettingError, unknown_name
from glassnet.evaluation import meeting
from glassnet.explain.intervals import paired_change
from glassnet.explain.paired_evaluation import decides_on_logits
from glassnet.network import Network
from glassnet.prediction import classify
from glassnet.render.document import Document, Rendered, html_of_fields
from glassnet.render.parts import Bar, Cell, Column, Part, Section, Table, Text
from glassnet.trace import check_address

REPLACEMENTS = ("mean", "zero")
MOST_EXAMPLES = 5_000
MOST_NEURONS = 4_096
MOST_STEPS = 32
Address = tuple[int, int]


class NeuronAblation(NamedTuple):
    """A neuron, the accuracy without it (of a path: without it and those before it), and by how much that is less, with
    the bounds of its 95 % interval.

    Parameters
    ----------
    layer, neuron : int
    accuracy, loss, low, high : float

    Examples
    --------
    >>> NeuronAblation(0, 3, accuracy=0.908, loss=0.055, low=0.048, high=0.062).loss
    0.055
    """

    layer: int
    neuron: int
    accuracy: float
    loss: float
    low: float
    high: float

    def _repr_html_(self) -> str:
        return html_of_fields(self)


class SetAblation(NamedTuple):
    """Neurons taken away together, the accuracy without them, and by how much that is less, with the bounds of its 95 %
    interval.

    Parameters
    ----------
    neurons : tuple of (int, int)
    accuracy, loss, low, high : float

    Examples
    --------
    >>> SetAblation(((0, 3), (0, 5)), accuracy=0.9, loss=0.06, low=0.05, high=0.07).loss
    0.06
    """

    neurons: tuple[Address, ...]
    accuracy: float
    loss: float
    low: float
    high: float

    def _repr_html_(self) -> str:
        return html_of_fields(self)


@dataclass(frozen=True, eq=False)
class Ablation(Rendered):
    """What hidden neurons are worth; `ablation` makes one.

    Parameters
    ----------
    accuracy : float
        Of the whole network.
    count : int
        Number of examples.
    data : str
    replacement : {"mean", "zero"}
    neurons : tuple of NeuronAblation
        Each taken away alone, the one that costs most first.
    least, most : tuple of NeuronAblation
        Neurons taken away one after the other, always the one that then costs least, or most, on one half of the
        examples, and the accuracy without all of them so far on the other half.
    measured : (float, int)
        On that other half, the accuracy of the whole network, and the number of examples.
    together : SetAblation or None
        The neurons that were asked for, all of them taken away.

    Examples
    --------
    >>> import glassnet as gn
    >>> network, data = gn.Network.create("2-4-2", seed=0), gn.data.circle(100, seed=0)
    >>> gn.explain.ablation(network, data, steps=2)
    Ablation(4 neurons, accuracy 0.5000)
    """

    accuracy: float
    count: int
    data: str
    replacement: str
    neurons: tuple[NeuronAblation, ...] = field(repr=False)
    least: tuple[NeuronAblation, ...] = field(repr=False)
    most: tuple[NeuronAblation, ...] = field(repr=False)
    measured: tuple[float, int] = field(repr=False)
    together: SetAblation | None = field(default=None, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "accuracy": self.accuracy,
            "count": self.count,
            "replacement": self.replacement,
            "neurons": [neuron._asdict() for neuron in self.neurons],
            "least": [step._asdict() for step in self.least],
            "most": [step._asdict() for step in self.most],
            "measured": {"accuracy": self.measured[0], "count": self.measured[1]},
            "together": self.together._asdict() if self.together else None,
        }

    def document(self, top: int = 8) -> Document:
        """The neurons that cost most alone, then how the accuracy falls as they are taken away together."""
        largest = max((abs(neuron.loss) for neuron in self.neurons), default=0.0) or 1.0
        alone: list[list[Cell]] = [
            [f"{n.layer}:{n.neuron}", f"{n.accuracy:.2%}", *_loss(n), Bar(n.loss, largest)]
            for n in self.neurons[:top]
        ]  # fmt: skip
        names = ("without", "accuracy", "loss", "95 % interval")
        columns = [*(Column(name, "r") for name in names), Column()]
        within = sum(n.low <= 0 <= n.high for n in self.neurons)
        parts: list[Part] = [
            Section("one at a time", [Table(columns, alone), Text(self._words(within, top))]),
            *self._asked_for(),
            *self._one_after_the_other(),
        ]
        instead = "their mean" if self.replacement == "mean" else "0"
        heading = f"ablation on {self.count:,} examples of {self.data}, accuracy {self.accuracy:.2%}"
        return Document(heading, [Text(f"in the place of a neuron stands {instead}"), *parts])

    def _words(self, within: int, top: int) -> str:
        more = f"and {len(self.neurons) - top:,} more; " if len(self.neurons) > top else ""
        return f"{more}without {within:,} of {len(self.neurons):,} the accuracy is not measurably another"

    def _asked_for(self) -> list[Part]:
        """The neurons that were named, taken away together."""
        if self.together is None:
            return []
        names = [f"{layer}:{neuron}" for layer, neuron in self.together.neurons]
        what = ", ".join(names[:8]) + (f" and {len(names) - 8:,} more" if len(names) > 8 else "")
        rows = [[what, f"{self.together.accuracy:.2%}", *_loss(self.together)]]
        columns = [Column("without"), *(Column(name, "r") for name in ("accuracy", "loss", "95 % interval"))]
        return [Section("together", [Table(columns, rows)])]

    def _one_after_the_other(self) -> list[Part]:
        steps = max(len(self.least), len(self.most))
        shown = sorted({1, 2, 4, 8, 16, steps} & set(range(1, steps + 1)))
        rows: list[list[Cell]] = []
        for k in shown:
            cells: list[Cell] = [f"{k:,}"]
            for path in (self.least, self.most):
                step = path[k - 1]
                off = f"{step.loss - step.high:+.1%}"[1:]
                cells += [f"{step.layer}:{step.neuron}", f"{step.accuracy:.1%}", f"+-{off}", Bar(step.accuracy, 1.0)]
            rows.append(cells)
        if not rows:
            return []
        columns = [Column("taken", "r")]
        for name in ("least harm", "most harm"):
            columns += [Column(name, "r"), Column("accuracy", "r"), Column("", "r"), Column()]
        halves = f"chosen on one half of the examples, measured on the other: {self.measured[1]:,} examples, of which "
        halves += f"the whole network has {self.measured[0]:.2%}"
        return [Section("one after the other, the last one named", [Table(columns, rows), Text(halves)])]

    def __repr__(self) -> str:
        return f"Ablation({len(self.neurons):,} neurons, accuracy {self.accuracy:.4f})"


def ablation(
    network: Network,
    data: Dataset | Any,
    layer: int | None = None,
    replacement: str = "mean",
    steps: int | None = None,
    neurons: Sequence[Address] | None = None,
) -> Ablation:
    """Measure what each hidden neuron is worth for the accuracy, alone and together with others.

    Parameters
    ----------
    network : Network
    data : Dataset, or (inputs, targets)
        With classes as targets; of more than 5,000 examples as many are taken, evenly.
    layer : int, optional
        A hidden layer; by default all of them.
    replacement : {"mean", "zero"}, default "mean"
        What takes the place of a neuron's activation: its mean over the data, or 0.
    steps : int, optional
        How many neurons are taken away one after the other; by default half of them, at most 32. Each step tries all
        that are left.
    neurons : sequence of (int, int), optional
        Neurons (layer, neuron) to take away together.

    Returns
    -------
    Ablation

    Raises
    ------
    InputError
        If the targets are no classes, or the data does not fit.
    AddressError
        If there is no such neuron.
    SettingError
        If there is no such layer, or a setting is out of range.

    Notes
    -----
    The interval is that of a difference of paired proportions, by the examples that are right only with the neuron and
    those that are right only without it (A. Agresti, Y. Min, "Simple improved confidence intervals for comparing
    matched proportions", 2005).

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.circle(200, seed=0)
    >>> network = gn.train(gn.Network.create("2-6-2", seed=0), data, epochs=30).network
    >>> found = gn.explain.ablation(network, data)
    >>> len(found.neurons), found.neurons[0].loss >= found.neurons[-1].loss
    (6, True)
    """
    if replacement not in REPLACEMENTS:
        raise unknown_name("replacement", replacement, REPLACEMENTS)
    hidden = len(network.layers) - 1
    if layer is not None and (isinstance(layer, bool) or layer not in range(hidden)):
        raise SettingError(f"no hidden layer {layer}: expected one from 0 to {hidden - 1}" if hidden
                           else "the network has no hidden layer")  # fmt: skip
    layers = range(hidden) if layer is None else [layer]
    places = [(i, k) for i in layers for k in range(network.sizes[i + 1])]
    if not places or len(places) > MOST_NEURONS:
        raise SettingError(
            f"{len(places):,} hidden neurons: expected 1 to {MOST_NEURONS:,}", help="name one layer with layer="
        )
    if steps is None:
        steps = min(MOST_STEPS, max(1, len(places) // 2))
    if isinstance(steps, bool) or not isinstance(steps, int) or not 0 <= steps <= len(places):
        raise SettingError(f"steps is {steps!r}, expected a whole number from 0 to {len(places)}")
    asked = list(dict.fromkeys((int(layer), int(neuron)) for layer, neuron in neurons or ()))
    for at in asked:
        check_address(*at, network.sizes[1:])
        if at[0] == hidden:
            raise AddressError(f"{at[0]}:{at[1]} is an output: expected hidden neurons, of layers 0 to {hidden - 1}")
    tried = _Tried(network, data, replacement)
    whole = tried.right(frozenset())
    alone = []
    for at in places:
        right = tried.right(frozenset([at]))
        alone.append(NeuronAblation(*at, *_worth(whole, right)))
    chosen, measured = tried.halves()
    return Ablation(
        float(whole.mean()),
        len(whole),
        tried.name,
        replacement,
        tuple(sorted(alone, key=lambda n: -n.loss)),
        tried.path(places, steps, True, chosen, measured),
        tried.path(places, steps, False, chosen, measured),
        (float(whole[measured].mean()), len(measured)),
        SetAblation(tuple(asked), *_worth(whole, tried.right(frozenset(asked)))) if asked else None,
    )


def _worth(whole: Array, without: Array) -> tuple[float, float, float, float]:
    """The accuracy without, how much less that is, and the bounds of the 95 % interval of that."""
    lost, won = int((whole & ~without).sum()), int((without & ~whole).sum())
    low, high = paired_change(lost, won, len(whole))
    return float(without.mean()), (lost - won) / len(whole), low, high


def _loss(found: NeuronAblation | SetAblation) -> tuple[str, str]:
    return f"{found.loss:+.2%}", f"{found.low:+.2%} to {found.high:+.2%}"


class _Tried:
    """A network on data, with any of its hidden neurons taken away."""

    def __init__(self, network: Network, data: Any, replacement: str) -> None:
        network, given, _ = meeting(network, data)
        if not isinstance(given, Dataset) or given.targets.ndim != 1 or given.targets.dtype.kind not in "iu":
            raise InputError("ablation needs a data set with classes as targets", help="see gn.explain.perturbation")
        if len(given) > MOST_EXAMPLES:
            given = given[np.linspace(0, len(given) - 1, MOST_EXAMPLES).round().astype(int)]
        self.name = given.name
        self._network, self._targets = network, given.targets
        self._on_logits = decides_on_logits(network)
        layers = network.trace(dense(given.inputs)).layers
        self._reached = [at.activations for at in layers[:-1]]
        self._instead = [
            a.mean(axis=0) if replacement == "mean" else np.zeros(a.shape[1], a.dtype) for a in self._reached
        ]

    def right(self, taken: frozenset[Address]) -> Array:
        """Which examples (n,) are answered right without these neurons."""
        layers = self._network.layers
        first = min((layer for layer, _ in taken), default=len(self._reached) - 1)
        values = self._reached[first]
        for i in range(first, len(layers)):
            if i > first:
                values = values @ layers[i].weights.T + layers[i].biases
                if i < len(layers) - 1 or not self._on_logits:
                    values = activation(layers[i].activation)(values)
            gone = [k for layer, k in taken if layer == i]
            if gone:
                values = values.copy()
                values[:, gone] = self._instead[i][gone]
        right: Array = classify(values, self._network, self._on_logits) == self._targets
        return right

    def halves(self) -> tuple[Array, Array]:
        """The examples (n,) by which neurons are chosen, and those on which the accuracy is measured, at random; a
        single example is both."""
        order = np.random.default_rng(0).permutation(len(self._targets))
        return order[: max(len(order) // 2, 1)], order[len(order) // 2 :]

    def path(
        self, places: Sequence[Address], steps: int, least: bool, chosen: Array, measured: Array
    ) -> tuple[NeuronAblation, ...]:
        """Neurons taken away one after the other, always that which costs least, or most, and the accuracy then."""
        taken, made, left = frozenset[Address](), list[NeuronAblation](), list(places)
        whole = self.right(taken)[measured]
        for _ in range(steps):
            rights = [int(self.right(taken | {at})[chosen].sum()) for at in left]
            at = left.pop(int(np.argmax(rights) if least else np.argmin(rights)))
            taken |= {at}
            made.append(NeuronAblation(*at, *_worth(whole, self.right(taken)[measured])))
        return tuple(made)
