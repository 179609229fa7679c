"""Matching: which hidden neuron of one network corresponds to which neuron of another.

Two networks trained to the same function have it in different places: hidden neurons have no order. Before their
parameters can be compared, b's neurons are permuted into a's order, so that the distance between all parameters is as
small as possible. Three methods, the first that succeeds:

    exact       b is a permutation of a, number for number: always found (see `symmetry`)
    rounding    the same up to rounding, and up to the scale of relu neurons: relu(c z) = c relu(z) for c above 0, so
                that incoming weights and bias of a neuron may be c times as large if the outgoing ones are 1/c times
    assignment  else, layer by layer, the pairs with the largest products of incoming weights, bias and outgoing weights
                (scipy's `linear_sum_assignment`), repeated until nothing changes: no step can make the distance larger.
                (S. Ainsworth, J. Hayase, S. Srinivasa, Git Re-Basin, 2022, section 3.2.) It has three starts: b
                unchanged, matched from the inputs on, and matched from the outputs back; the nearest result is used

Scales are changed only if this makes the two equal; else b keeps its parameters up to order and signs. Imports
`symmetry`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array, readonly
from glassnet.errors import SettingError
from glassnet.explain.symmetry import Layers, Order, arranged, identity_order, layers_of, may_flip, same_in_order
from glassnet.network import Network
from glassnet.render.document import Document, Record
from glassnet.render.json import plain
from glassnet.render.parts import Column, Part, Section, Table, Text

ROUNDING = 8
"""Parameters are equal up to rounding if they differ by at most this many units of rounding of the coarser dtype
(1.2e-7 for float32) times the largest parameter of their layer."""

PATIENCE_FOR_ROUNDING = 200_000_000
ROUNDS = 100


@dataclass(frozen=True, eq=False)
class Matching(Record):
    """b's hidden neurons in a's order; `matched` computes it.

    Parameters
    ----------
    permutations : tuple of ndarray of shape (n,)
        For each hidden layer: place i of a corresponds to b's neuron `permutations[layer][i]`.
    signs : tuple of ndarray of shape (n,)
        For each hidden layer: -1 where the signs of the neuron were flipped, else 1.
    scales : tuple of ndarray of shape (n,)
        For each hidden layer: factor of its incoming weights and bias, mostly 1.
    network : Network
        b in a's order: the same function as b.
    distance_before, distance_after : float
        Euclidean distance between the parameters of a and of b, before and after matching.
    found_by : {"exact", "rounding", "assignment"}
    """

    permutations: tuple[Array, ...]
    signs: tuple[Array, ...]
    scales: tuple[Array, ...]
    network: Network
    distance_before: float
    distance_after: float
    found_by: str

    @property
    def neurons(self) -> int:
        """Number of hidden neurons."""
        return sum(len(order) for order in self.permutations)

    @property
    def moved(self) -> int:
        """Number of hidden neurons in another place in b."""
        return sum(int((order != np.arange(len(order))).sum()) for order in self.permutations)

    @property
    def flipped(self) -> int:
        """Number of hidden neurons whose signs were flipped."""
        return sum(int((signs < 0).sum()) for signs in self.signs)

    @property
    def scaled(self) -> int:
        """Number of hidden neurons with another scale."""
        return sum(int((scales != 1).sum()) for scales in self.scales)

    def __str__(self) -> str:
        if not self.neurons:
            return f"no hidden neurons to match; the parameters are {self.distance_before:.4g} apart"
        done = [f"{self.moved:,} of {self.neurons:,} hidden moved"]
        done += [
            f"{self.flipped:,} flipped" if self.flipped else "",
            f"{self.scaled:,} rescaled" if self.scaled else "",
        ]
        return f"{', '.join(filter(None, done))}; distance {self.distance_before:.4g} -> {self.distance_after:.4g}"

    def document(self, top: int = 16) -> Document:
        """Which neuron of b stands at each place of a.

        Parameters
        ----------
        top : int, default 16
            Number of neurons of each layer.
        """
        parts: list[Part] = []
        for i, (order, signs, scales) in enumerate(zip(self.permutations, self.signs, self.scales, strict=True)):
            changed = [("sign flipped", signs < 0), ("scaled", scales != 1)]
            rows = []
            for place, neuron in enumerate(order[:top].tolist()):
                words = [name for name, where in changed if where[place]]
                words += [f"x {scales[place]:.4g}"] if scales[place] != 1 else []
                rows.append([f"{i}:{place}", f"{i}:{neuron}", ", ".join(words)])
            more = [Text(f"... {len(order) - top:,} more neurons", quiet=True)] if len(order) > top else []
            heads = [Column("in a", "r"), Column("in b", "r"), Column()]
            parts.append(Section(f"layer {i}", [Table(heads, rows), *more]))
        return Document(f"{self}, found by {self.found_by}", parts)

    def __repr__(self) -> str:
        return f"Matching({self})"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the network."""
        return {
            "found_by": self.found_by,
            "neurons": self.neurons,
            "moved": self.moved,
            "flipped": self.flipped,
            "scaled": self.scaled,
            "distance_before": self.distance_before,
            "distance_after": self.distance_after,
            "permutations": plain(self.permutations),
            "signs": plain(self.signs),
            "scales": plain(self.scales),
        }


def differences(a: Network, b: Network) -> tuple[str, ...]:
    """The differences of two structures, in words; empty if they are the same."""
    found = []
    if len(a.sizes) != len(b.sizes):
        found.append(f"{len(a.layers)} layers ({a.architecture}) and {len(b.layers)} layers ({b.architecture})")
    else:
        what = ["inputs", *(f"neurons in layer {i}" for i in range(len(a.layers)))]
        found += [f"{m:,} and {n:,} {name}" for name, m, n in zip(what, a.sizes, b.sizes, strict=True) if m != n]
        activations = zip(a.architecture.activations, b.architecture.activations, strict=True)
        found += [f"{one} and {other} in layer {i}" for i, (one, other) in enumerate(activations) if one != other]
    return tuple(found)


def matched(a: Network, b: Network) -> Matching:
    """Permute b's hidden neurons into a's order.

    Parameters
    ----------
    a, b : Network
        Of the same sizes and activations.

    Returns
    -------
    Matching

    Raises
    ------
    SettingError
        If the structures differ.

    References
    ----------
    S. Ainsworth, J. Hayase, S. Srinivasa, "Git Re-Basin", 2022, section 3.2.

    Examples
    --------
    >>> import glassnet as gn
    >>> a = gn.Network.from_layers([([[1.0], [2.0]], [0, 0], "tanh"), ([[3.0, 4.0]], [0], "identity")])
    >>> b = gn.Network.from_layers([([[2.0], [1.0]], [0, 0], "tanh"), ([[4.0, 3.0]], [0], "identity")])
    >>> found = gn.explain.matched(a, b)
    >>> found.found_by, found.permutations[0].tolist(), found.distance_after
    ('exact', [1, 0], 0.0)
    """
    differs = differences(a, b)
    if differs:
        raise SettingError(f"the networks differ in structure: {'; '.join(differs)}")
    odd = may_flip(a)
    left, right = layers_of(a), layers_of(b)
    scales = tuple(np.ones(n) for n in a.sizes[1:-1])
    order = same_in_order(left, right, odd)
    found_by = "exact"
    if order is None:
        found_by = "rounding"
        order, scales = _same_but_for_rounding(a, b, odd)
    if order is None:
        found_by = "assignment"
        order = _nearest(left, right, odd)
    network = _reordered(b, order, scales)
    return Matching(
        permutations=tuple(readonly(order_of) for order_of in order.permutations),
        signs=tuple(readonly(signs) for signs in order.signs),
        scales=tuple(readonly(of_layer) for of_layer in scales),
        network=network,
        distance_before=distance(left, right),
        distance_after=distance(left, layers_of(network)),
        found_by=found_by,
    )


def distance(a: Layers, b: Layers) -> float:
    """Euclidean distance between all parameters."""
    return float(np.sqrt(sum(((v - w) ** 2).sum() + ((c - d) ** 2).sum() for (v, c), (w, d) in zip(a, b, strict=True))))


def rounding_unit(a: Network, b: Network) -> float:
    """Unit of rounding of the coarser of two dtypes."""
    return max(float(np.finfo(network.dtype).eps) for network in (a, b))


def same_but_for_rounding(a: Network, b: Network) -> bool:
    """Whether two networks of one structure have equal parameters, up to rounding."""
    unit = ROUNDING * rounding_unit(a, b)
    for (v, c), (w, d) in zip(layers_of(a), layers_of(b), strict=True):
        allowed = unit * max(np.abs(part).max() for part in (v, c, w, d))
        if np.abs(v - w).max() > allowed or np.abs(c - d).max() > allowed:
            return False
    return True


def _reordered(b: Network, order: Order, scales: Sequence[Array]) -> Network:
    """b with its hidden neurons in another order and scale."""
    if all((of_layer == 1).all() for of_layer in scales):
        layers = arranged([(layer.weights, layer.biases) for layer in b.layers], order)
    else:
        layers = _scaled(arranged(layers_of(b), order), scales)
    names = b.architecture.activations
    triples = [(weights, biases, name) for (weights, biases), name in zip(layers, names, strict=True)]
    return Network.from_layers(triples, b.schema, b.dtype)


# The same but for rounding and scale


def _same_but_for_rounding(a: Network, b: Network, odd: Sequence[bool]) -> tuple[Order | None, tuple[Array, ...]]:
    """Order and scales that make b equal to a up to rounding; None if there are none."""
    unit = ROUNDING * rounding_unit(a, b)
    with np.errstate(all="ignore"):
        (left, sizes_a), (right, sizes_b) = (_in_one_scale(network) for network in (a, b))
    scales = tuple(np.ones(n) for n in a.sizes[1:-1])
    if not all(np.isfinite(part).all() for layers in (left, right) for layer in layers for part in layer):
        return None, scales  # what overflowed is equal to nothing
    order = same_in_order(*_labelled(left, right, unit), odd, PATIENCE_FOR_ROUNDING)
    if order is None:
        return None, scales
    order = _settled(left, right, odd, order)  # among neurons that rounding makes look alike, the nearest
    scales = tuple(of_a / of_b[places] for of_a, of_b, places in zip(sizes_a, sizes_b, order.permutations, strict=True))
    scales = tuple(np.where(np.abs(of_layer - 1) <= unit, 1.0, of_layer) for of_layer in scales)
    return (order if same_but_for_rounding(a, _reordered(b, order, scales)) else None), scales


def _in_one_scale(network: Network) -> tuple[Layers, list[Array]]:
    """The layers with every scalable neuron at length 1 (incoming weights and bias), and these lengths."""
    layers, lengths = layers_of(network), []
    for weights, biases in layers[:-1]:
        lengths.append(np.ones(len(weights)))
        if activation(network.architecture.activations[len(lengths) - 1]).homogeneous:
            weights = weights if len(lengths) == 1 else weights * lengths[-2]
            length = np.sqrt((weights**2).sum(axis=1) + biases**2)
            lengths[-1] = np.where(length > 0, length, 1.0)
    return _scaled(layers, [1 / length for length in lengths]), lengths


def _scaled(layers: Layers, scales: Sequence[Array]) -> list[tuple[Array, Array]]:
    """The layers with each hidden neuron's incoming weights and bias times its scale, the outgoing over it."""
    result, before = [], np.ones(layers[0][0].shape[1])
    for (weights, biases), of_layer in zip(layers, [*scales, np.ones(len(layers[-1][0]))], strict=True):
        result.append((weights * of_layer[:, None] / before, biases * of_layer))
        before = of_layer
    return result


def _labelled(a: Layers, b: Layers, unit: float) -> tuple[Layers, Layers]:
    """Both with a whole number for each parameter, equal for parameters within rounding of a neighbour."""
    labelled: tuple[list[tuple[Array, Array]], ...] = ([], [])
    for parts in zip(a, b, strict=True):
        values = np.concatenate([np.abs(part).ravel() for layer in parts for part in layer])
        ordered = np.sort(values)
        starts = ordered[np.diff(ordered, prepend=0.0) > unit * ordered[-1]]  # the smallest of each group but the zeros
        for side, layer in zip(labelled, parts, strict=True):
            weights, biases = (np.sign(part) * np.searchsorted(starts, np.abs(part), side="right") for part in layer)
            side.append((weights, biases))
    return labelled[0], labelled[1]


# Assignment


def _nearest(a: Layers, b: Layers, odd: Sequence[bool]) -> Order:
    """The order that brings b nearest to a, of those that the three starts lead to."""
    hidden = range(len(odd))
    as_came = identity_order([len(weights) for weights, _ in a[:-1]])
    starts = [as_came]
    for direction in (hidden, reversed(hidden)):
        known: list[tuple[Array, Array] | None] = [None] * len(odd)
        for layer in direction:
            known[layer] = _assigned(_products(a, b, known, layer), odd[layer])
        places = [pair for pair in known if pair is not None]
        starts.append(Order(tuple(p for p, _ in places), tuple(s for _, s in places)))
    orders = [_settled(a, b, odd, start) for start in starts]
    return min(orders, key=lambda order: distance(a, arranged(b, order)))


def _settled(a: Layers, b: Layers, odd: Sequence[bool], start: Order) -> Order:
    """The best assignment layer by layer, starting from this order, until nothing changes."""
    known: list[tuple[Array, Array] | None] = list(zip(start.permutations, start.signs, strict=True))
    for _ in range(ROUNDS):
        moved = False
        for layer in range(len(odd)):
            products = _products(a, b, known, layer)
            places, signs = _assigned(products, odd[layer])
            here = np.arange(len(places))
            before = known[layer]
            assert before is not None
            gain = (products[here, places] * signs).sum() - (products[here, before[0]] * before[1]).sum()
            if gain > 1e-12 * np.abs(products).max() * len(places):
                known[layer] = places, signs
                moved = True
        if not moved:
            break
    places_and_signs = [pair for pair in known if pair is not None]
    return Order(tuple(p for p, _ in places_and_signs), tuple(s for _, s in places_and_signs))


def _products(a: Layers, b: Layers, known: Sequence[tuple[Array, Array] | None], layer: int) -> Array:
    """Products of the parameters of each neuron of a's layer (rows) and b's (columns), over matched neighbours."""
    (weights, biases), (others, other_biases) = a[layer], b[layer]
    products = np.outer(biases, other_biases)
    if layer == 0:
        products += weights @ others.T
    elif (before := known[layer - 1]) is not None:
        products += weights @ (others[:, before[0]] * before[1]).T
    weights, others = a[layer + 1][0], b[layer + 1][0]
    if layer == len(known) - 1:
        products += weights.T @ others
    elif (after := known[layer + 1]) is not None:
        products += weights.T @ (others[after[0]] * after[1][:, None])
    return products


def _assigned(products: Array, odd: bool) -> tuple[Array, Array]:
    """For each row the column paired with it, and the sign: the largest possible sum of products."""
    from scipy.optimize import linear_sum_assignment

    _, places = linear_sum_assignment(np.abs(products) if odd else products, maximize=True)
    signs = np.ones(len(places), np.int64)
    if odd:
        signs[products[np.arange(len(places)), places] < 0] = -1
    return places, signs
