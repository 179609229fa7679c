"""Similarity of layers and of neurons of two networks of any structure, by what they answer to the same inputs.

    CKA(X, Y) = |Y' X|^2 / (|X' X| |Y' Y|)      X (n, p), Y (n, q): activations of n inputs, less their means

1: the layers hold the same but for a rotation and a factor; 0: what one holds says nothing of the other, linearly. Few
inputs of wide layers are alike by chance: `chance` is what the same activations in random order have on average. For
neurons one by one the measure is the correlation, which has a sign.

Imports `paired_evaluation` of `explain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from glassnet.arrays import Array, readonly
from glassnet.data.dataset import RawInputs
from glassnet.errors import AddressError, InputError
from glassnet.explain.paired_evaluation import Given, given, inputs_for
from glassnet.network import Network
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Bar, Cell, Column, Part, Shaded, Table, Text

MOST_EXAMPLES = 2_000
"""Of more examples this many are taken, evenly from all of them."""
FEWEST_EXAMPLES = 3
MOST_SHOWN = 8
"""Layers of each network in the table; of more the first and the last ones."""


@dataclass(frozen=True, eq=False)
class Similarity(Rendered):
    """How similar each layer of a is to each layer of b; `similarity` computes it.

    Parameters
    ----------
    names : (str, str)
        Names of a and b.
    layers : (tuple of str, tuple of str)
        The layers of each, as "0 (16 relu)".
    cka : ndarray of shape (layers of a, layers of b)
        Linear centered kernel alignment; nan where a layer has the same activations for all inputs, or some that are
        not finite.
    chance : ndarray of shape (layers of a, layers of b)
        Its mean over all orders of b's inputs: what layers that have nothing in common would show.
    data : str
    count : int
        Number of inputs.
    """

    names: tuple[str, str]
    layers: tuple[tuple[str, ...], tuple[str, ...]]
    cka: Array = field(repr=False)
    chance: Array = field(repr=False)
    data: str
    count: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None where there is no similarity."""
        return {
            "a": self.names[0],
            "b": self.names[1],
            "layers": [list(layers) for layers in self.layers],
            "cka": _plain(self.cka),
            "chance": _plain(self.chance),
            "data": self.data,
            "count": self.count,
        }

    def document(self) -> Document:
        """The matrix, a row for each layer of a and a column for each of b."""
        return Document(f"similarity of layers (CKA) on {_inputs(self)}", self.parts())

    def parts(self) -> list[Part]:
        """The matrix and what it means, without a title."""
        rows_shown, columns_shown = (_shown(len(layers)) for layers in self.layers)
        rows: list[list[Cell]] = [
            [f"{_short(self.names[0])} {self.layers[0][i]}", *(_cell(float(self.cka[i, j])) for j in columns_shown)]
            for i in rows_shown
        ]
        numbers = [self.layers[1][j].split()[0] for j in columns_shown]
        heads = [f"{_short(self.names[1])} {number}" for number in numbers]
        parts: list[Part] = [Table([Column(), *(Column(head, "r") for head in heads)], rows)]
        left_out = sum(map(len, self.layers)) - len(rows_shown) - len(columns_shown)
        if left_out:
            parts.append(Text(f"... {left_out:,} more layers between the first and the last ones", quiet=True))
        if not np.isnan(self.chance).all():
            low, high = float(np.nanmin(self.chance)), float(np.nanmax(self.chance))
            by_chance = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
            words = f"1: the same but for rotation and scale; layers that have nothing in common: {by_chance}"
            parts.append(Text(words, quiet=True))
        return parts

    def __repr__(self) -> str:
        return f"Similarity({len(self.layers[0])} x {len(self.layers[1])} layers, {self.count:,} inputs)"


@dataclass(frozen=True, eq=False)
class NeuronSimilarity(Rendered):
    """Correlations of the neurons of one layer of a with those of one layer of b; `neuron_similarity` computes them.

    Parameters
    ----------
    names : (str, str)
    layers : (int, int)
        The layer of a and that of b.
    correlation : ndarray of shape (neurons of a, neurons of b)
        Pearson's, of the activations; nan for constant neurons.
    data : str
    count : int
        Number of inputs.
    """

    names: tuple[str, str]
    layers: tuple[int, int]
    correlation: Array = field(repr=False)
    data: str
    count: int

    def partners(self) -> list[tuple[int, int, float]]:
        """For each neuron of a that is not constant the neuron of b with the largest correlation of either sign, and
        that correlation; the closest pair first."""
        size = np.nan_to_num(np.abs(self.correlation), nan=-1.0)
        best = size.argmax(axis=1)
        found = [(i, int(k), float(self.correlation[i, k])) for i, k in enumerate(best) if size[i, k] >= 0]
        return sorted(found, key=lambda pair: -abs(pair[2]))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; None for constant neurons."""
        return {
            "a": self.names[0],
            "b": self.names[1],
            "layers": list(self.layers),
            "correlation": _plain(self.correlation),
            "partners": [{"a": i, "b": k, "correlation": value} for i, k, value in self.partners()],
            "data": self.data,
            "count": self.count,
        }

    def document(self, top: int = 16) -> Document:
        """For each neuron of a its closest one of b, the closest pairs first."""
        partners = self.partners()
        first, second = self.layers
        rows: list[list[Cell]] = [
            [f"{first}:{i}", f"{second}:{k}", f"{value:+.3f}", Bar(value, 1.0, True)] for i, k, value in partners[:top]
        ]
        a, b = map(_short, self.names)
        columns = [Column(f"neuron of {a}", "r"), Column(f"closest of {b}", "r"), Column("correlation", "r"), Column()]
        parts: list[Part] = [Table(columns, rows)] if rows else []
        notes = [f"and {len(partners) - top:,} more"] if len(partners) > top else []
        constant = len(self.correlation) - len(partners)
        notes += [f"{constant:,} of {a} without a correlation: constant, or not finite"] if constant else []
        parts += [Text("; ".join(notes), quiet=True)] if notes else []
        title = f"layer {first} of {a} and layer {second} of {b}, neuron by neuron"
        return Document(f"{title}, on {_inputs(self)}", parts)

    def __repr__(self) -> str:
        m, n = self.correlation.shape
        return f"NeuronSimilarity({m:,} x {n:,} neurons, {self.count:,} inputs)"


def similarity(
    a: Network,
    b: Network,
    data: RawInputs | tuple[RawInputs, npt.ArrayLike],
    names: tuple[str, str] = ("a", "b"),
) -> Similarity:
    """How similar the layers of two networks are, whatever their structures, by linear CKA.

    Parameters
    ----------
    a, b : Network
        With the same inputs; a network may be compared with itself.
    data : Dataset, pair (inputs, targets) or inputs
        Of more than 2,000 examples as many are taken, evenly.
    names : tuple of str, default ("a", "b")

    Returns
    -------
    Similarity

    Raises
    ------
    InputError
        If the data does not fit both networks, or has less than 3 examples.

    References
    ----------
    S. Kornblith, M. Norouzi, H. Lee, G. Hinton, "Similarity of Neural Network Representations Revisited", 2019.

    Examples
    --------
    >>> import glassnet as gn
    >>> a, b = gn.Network.create("2-6-2", "tanh", seed=0), gn.Network.create("2-4-3-2", seed=1)
    >>> found = gn.explain.similarity(a, b, gn.data.circle(100, seed=0))
    >>> found.cka.shape
    (2, 3)
    """
    return of_layers(a, b, given(data), names)


def of_layers(a: Network, b: Network, data: Given, names: tuple[str, str]) -> Similarity:
    """`similarity` on data that has been read."""
    left, right = _activations(a, b, data)
    lengths = [np.array([_aligned(x, x) for x in side]) ** 0.5 for side in (left, right)]
    sizes = [np.array([(x**2).sum() for x in side]) for side in (left, right)]
    together = np.array([[_aligned(x, y) for y in right] for x in left])
    count = len(left[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.outer(*lengths)
        cka = np.where(scale > 0, together / scale, np.nan)
        chance = np.where(scale > 0, np.outer(*sizes) / (count - 1) / scale, np.nan)
    layers = tuple(
        tuple(f"{i} ({len(layer.biases):,} {layer.activation})" for i, layer in enumerate(network.layers))
        for network in (a, b)
    )
    name = data.name if data.dataset is not None else ""
    return Similarity(names, (layers[0], layers[1]), readonly(cka), readonly(chance), name, count)


def neuron_similarity(
    a: Network,
    b: Network,
    data: RawInputs | tuple[RawInputs, npt.ArrayLike],
    layers: tuple[int, int] = (0, 0),
    names: tuple[str, str] = ("a", "b"),
) -> NeuronSimilarity:
    """Correlate every neuron of a layer of a with every neuron of a layer of b.

    Parameters
    ----------
    a, b : Network
        With the same inputs; a network may be compared with itself.
    data : Dataset, pair (inputs, targets) or inputs
        Of more than 2,000 examples as many are taken, evenly.
    layers : (int, int), default (0, 0)
        The layer of a and that of b, from 0.
    names : tuple of str, default ("a", "b")

    Returns
    -------
    NeuronSimilarity

    Raises
    ------
    AddressError
        If a layer does not exist.
    InputError
        If the data does not fit both networks, or has less than 3 examples.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("2-6-2", "tanh", seed=0)
    >>> found = gn.explain.neuron_similarity(network, network, gn.data.circle(100, seed=0))
    >>> [(i, k) for i, k, _ in sorted(found.partners())][:3]       # each neuron is closest to itself
    [(0, 0), (1, 1), (2, 2)]
    """
    for name, network, layer in zip("ab", (a, b), layers, strict=True):
        if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer < len(network.layers):
            raise AddressError(f"no layer {layer!r} in {name}: expected 0 to {len(network.layers) - 1}")
    read = given(data)
    left, right = (side[layer] for side, layer in zip(_activations(a, b, read), layers, strict=True))
    sizes = [np.sqrt((x**2).sum(axis=0)) for x in (left, right)]
    scale = np.outer(*sizes)
    with np.errstate(divide="ignore", invalid="ignore"):
        correlation = np.where(scale > 0, np.clip(left.T @ right / scale, -1, 1), np.nan)
    name = read.name if read.dataset is not None else ""
    return NeuronSimilarity(names, layers, readonly(correlation), name, len(left))


def _activations(a: Network, b: Network, data: Given) -> tuple[list[Array], list[Array]]:
    """For each network and layer the activations (n, neurons), less their means, as multiples of the largest; nan for
    layers with some that are not finite."""
    if a.sizes[0] != b.sizes[0]:
        raise InputError(
            f"the networks have {a.sizes[0]:,} and {b.sizes[0]:,} inputs: they cannot run on the same data"
        )
    if data.dataset is not None and len(data.dataset) > MOST_EXAMPLES:
        data = data._replace(dataset=data.dataset[_evenly(len(data.dataset))])
    sides = []
    for network in (a, b):
        inputs = inputs_for(network, data)
        if len(inputs) < FEWEST_EXAMPLES:
            raise InputError(f"similarity needs {FEWEST_EXAMPLES} inputs or more, got {len(inputs)}")
        inputs = inputs[_evenly(len(inputs))] if len(inputs) > MOST_EXAMPLES else inputs
        with np.errstate(all="ignore"):  # networks that overflow are compared, too
            traced = network.bare.trace(inputs).layers
        sides.append([_centered(at.activations) for at in traced])
    return sides[0], sides[1]


def _evenly(count: int) -> Array:
    return np.linspace(0, count - 1, MOST_EXAMPLES).round().astype(int)


def _centered(activations: Array) -> Array:
    values = activations.astype(np.float64)
    if not np.isfinite(values).all():
        return np.full_like(values, np.nan)
    largest = float(np.abs(values).max()) or 1.0
    values = values / largest  # squares of very large or very small numbers would be lost
    constant = (values == values[:1]).all(axis=0)
    values -= values.mean(axis=0)
    values[:, constant] = 0  # not the rounding of their mean
    return values / (float(np.abs(values).max()) or 1.0)


def _aligned(x: Array, y: Array) -> float:
    """`|Y' X| ** 2`, by way of the smaller products: neurons by neurons, or inputs by inputs."""
    if x.shape[1] * y.shape[1] <= len(x) ** 2:
        return float(((y.T @ x) ** 2).sum())
    return float(((x @ x.T) * (y @ y.T)).sum())


# Text


def _inputs(found: Similarity | NeuronSimilarity) -> str:
    return f"{found.count:,} inputs{f' of {found.data}' if found.data else ''}"


def _plain(matrix: Array) -> list[list[float | None]]:
    return [[float(value) if np.isfinite(value) else None for value in row] for row in matrix]


def _cell(value: float) -> Cell:
    return "-" if np.isnan(value) else Shaded(f"{value:.2f}", max(value, 0.0))


def _shown(count: int) -> Sequence[int]:
    half = MOST_SHOWN // 2
    return range(count) if count <= MOST_SHOWN else [*range(half), *range(count - half, count)]


def _short(name: str) -> str:
    return name if len(name) <= 12 else name[:9] + "..."
