"""Is one network a permutation of another? Decided for any network, with ties, duplicates and dead neurons.
 Two hidden neurons can exchange places, weights included, and a neuron with an odd activation, f(-z) = -f(z), can flip
its signs: neither changes the function. Neurons with different numbers are matched directly. The others are
distinguished by their neighbours, as vertices of graphs are (B. D. McKay, Practical graph isomorphism, 1981):

    refine   the colour of a neuron is made of its bias and all its (weight, colour of the neuron at the other end);
             repeated until no two of one colour become different. If a and b differ in colours, they differ.
    twins    neurons of one colour with the same weights to and from the same neurons: any order is correct
    try      neurons of one colour that are no twins: pair one of a with each of b in turn, refine, and continue

Only `try` can take long, and only for networks built to make it so; `PATIENCE` bounds it. Imports nothing of `explain`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array
from glassnet.network import Network

PATIENCE = 1_000_000_000
"""Number of weights that the search may visit on wrong branches before it gives up: one to two minutes. What it needs
without a wrong branch comes on top, so that it gives up only on networks built to mislead it."""

AT_ONCE = 1 << 17
"""Number of weights coloured at a time: this fits into the cache."""

Layers = Sequence[tuple[Array, Array]]
"""For each layer the weights (fan_out, fan_in) and the biases (fan_out,), as float64."""


@dataclass(frozen=True, eq=False)
class Order:
    """Place i of hidden layer l is taken by b's neuron `permutations[l][i]`, times `signs[l][i]`."""

    permutations: tuple[Array, ...]
    signs: tuple[Array, ...]


def identity_order(widths: Sequence[int]) -> Order:
    """The order that changes nothing, for hidden layers of these widths."""
    return Order(tuple(np.arange(n) for n in widths), tuple(np.ones(n, np.int64) for n in widths))


def layers_of(network: Network) -> list[tuple[Array, Array]]:
    """A network's weights and biases as float64."""
    return [(layer.weights.astype(np.float64), layer.biases.astype(np.float64)) for layer in network.layers]


def arranged(layers: Layers, order: Order) -> list[tuple[Array, Array]]:
    """The layers with their hidden neurons in another order: rows move, and the columns of the next layer."""
    result = []
    columns: Array = np.arange(layers[0][0].shape[1])
    column_signs: Array = np.ones(len(columns))
    last = len(layers) - 1
    for i, (weights, biases) in enumerate(layers):
        rows = order.permutations[i] if i < last else np.arange(len(weights))
        signs = order.signs[i] if i < last else np.ones(len(weights))
        moved = weights[np.ix_(rows, columns)] * (signs[:, None] * column_signs)
        result.append((moved, biases[rows] * signs))
        columns, column_signs = rows, signs
    return result


def may_flip(network: Network) -> tuple[bool, ...]:
    """For each hidden layer, whether its neurons can flip their signs."""
    return tuple(activation(name).odd for name in network.architecture.activations[:-1])


def same_in_order(a: Layers, b: Layers, odd: Sequence[bool], patience: int | None = None) -> Order | None:
    """The order that makes b equal to a, number for number; None if there is none (or time ran out)."""
    sides = _Side(a, odd), _Side(b, odd)
    work = 2 * sum(weights.size for weights, _ in a)
    if patience is None:
        patience = PATIENCE + work * (1 + sum(len(weights) for weights, _ in a[:-1]))
    colours = [list(side.first) for side in sides]
    waiting: list[Iterator[_Pair]] = []
    pair: _Pair | None = (colours[0], colours[1], None)
    while pair is not None or waiting:
        if pair is None:
            pair = next(waiting[-1], None)
            if pair is None:
                waiting.pop()
                continue
        patience -= work
        if patience < 0:
            return None
        left, right, changed = pair
        pair = None
        if not _refine(sides, left, right, changed):
            continue
        where = _undecided(sides[0], left)
        if where is None:
            order = _paired(left, right)
            if order is not None and _equal(a, arranged(b, order)):
                return order
        else:
            waiting.append(_tries(sides[1], left, right, *where))
    return None


def _equal(a: Layers, b: Layers) -> bool:
    return all(np.array_equal(p, q) for (v, c), (w, d) in zip(a, b, strict=True) for p, q in ((v, w), (c, d)))


# Colours. Those of a layer have shape (1, n), or (2, n) where signs can flip: row 0 for a neuron as it is, row 1 for
# the neuron with its signs flipped. Both are possible neurons, and each has a colour.

Colours = list[Array]
_Pair = tuple[Colours, Colours, "set[int] | None"]
"""Colours of all hidden layers of a and of b, and the layers that were changed by hand (None: look at all)."""


class _Side:
    """One of the two networks: its weights, and what of its colours never changes."""

    def __init__(self, layers: Layers, odd: Sequence[bool]) -> None:
        self.layers = [(weights + 0.0, biases + 0.0) for weights, biases in layers]  # no -0.0
        self.odd = odd
        self.hidden = len(layers) - 1
        self.inputs = _names(self.layers[0][0].shape[1])
        self.outputs = _names(len(self.layers[-1][0]))
        self.first = [self._start(i, self.inputs, self.outputs) for i in range(self.hidden)]
        self._twins: dict[int, Array] = {}

    def _start(self, layer: int, inputs: Array | None, outputs: Array | None) -> Array:
        """A layer's colours by its biases and by its weights to neurons with names: the network's inputs, outputs."""
        biases = self.layers[layer][1]
        colours = _mix(_bits(np.stack([biases, 0.0 - biases] if self.odd[layer] else [biases])))
        if layer == 0 and inputs is not None:
            colours = _mix(colours) + self.seen(self.layers[0][0], inputs, self.odd[0])
        if layer == self.hidden - 1 and outputs is not None:
            colours = _mix(colours) + self.seen(self.layers[-1][0].T, outputs, self.odd[layer])
        return colours

    def seen(self, weights: Array, others: Array, odd: bool) -> Array:
        """For each row of weights (n, m) a hash of its pairs with the colours of the m others, independent of order."""
        total = np.zeros((1 + odd, len(weights)), np.uint64)
        step = max(1, AT_ONCE // max(1, weights.shape[1]))
        for start in range(0, len(weights), step):
            rows = np.ascontiguousarray(weights[start : start + step])
            plain = _bits(rows)
            flipped = _bits(0.0 - rows) if odd or len(others) > 1 else plain
            for sign in range(1 + odd):
                for other_sign, colours in enumerate(others):
                    bits = plain if sign == other_sign else flipped
                    total[sign, start : start + step] += _mix(bits ^ colours).sum(axis=1, dtype=np.uint64)
        return total

    def recoloured(self, layer: int, colours: Colours) -> Array:
        """A hidden layer's colours, refined by those of the hidden layers before and after it."""
        new = _mix(colours[layer])
        if layer > 0:
            new = _mix(new + self.seen(self.layers[layer][0], colours[layer - 1], self.odd[layer]))
        if layer < self.hidden - 1:
            new = _mix(new * _THREE + self.seen(self.layers[layer + 1][0].T, colours[layer + 1], self.odd[layer]))
        return new

    def twins(self, layer: int) -> Array:
        """Like colours, but every neuron of the layers beside it has a name of its own: equal for twins only."""
        if layer not in self._twins:
            weights, after = self.layers[layer][0], self.layers[layer + 1][0].T
            kind = self._start(layer, None, None)
            kind = _mix(kind + self.seen(weights, _names(weights.shape[1]), self.odd[layer]))
            kind = _mix(kind * _THREE + self.seen(after, _names(after.shape[1]), self.odd[layer]))
            self._twins[layer] = kind
        return self._twins[layer]


def _refine(sides: tuple[_Side, _Side], left: Colours, right: Colours, changed: set[int] | None) -> bool:
    """Recolour, in place, until no colour splits; False as soon as a and b have different colours."""
    hidden = range(sides[0].hidden)
    todo = set(hidden) if changed is None else {n for layer in changed for n in (layer - 1, layer + 1) if n in hidden}
    if not all(_alike(left[layer], right[layer]) for layer in hidden):
        return False
    while todo:
        layer = min(todo)
        todo.remove(layer)
        new, new_right = (side.recoloured(layer, colours) for side, colours in zip(sides, (left, right), strict=True))
        if not _alike(new, new_right):
            return False
        if len(np.unique(new)) > len(np.unique(left[layer])):
            left[layer], right[layer] = new, new_right
            todo |= {n for n in (layer - 1, layer + 1) if n in hidden}
    return True


def _alike(a: Array, b: Array) -> bool:
    return np.array_equal(np.sort(a, axis=None), np.sort(b, axis=None))


def _undecided(side: _Side, colours: Colours) -> tuple[int, int] | None:
    """A neuron (layer, index) that shares its colour with others that are no twins, from the smallest such group."""
    best: tuple[int, int, int] | None = None
    for layer, of_layer in enumerate(colours):
        flat, twins = of_layer.ravel(), side.twins(layer).ravel()
        _, first, group, size = np.unique(flat, return_index=True, return_inverse=True, return_counts=True)
        mixed = np.zeros(len(size), bool)
        mixed[group[twins != twins[first][group]]] = True
        if mixed.any():
            at = min(np.flatnonzero(mixed), key=lambda k: size[k])
            if best is None or size[at] < best[0]:
                best = int(size[at]), layer, int(first[at]) % of_layer.shape[1]
    return best[1:] if best else None


def _tries(b: _Side, left: Colours, right: Colours, layer: int, index: int) -> Iterator[_Pair]:
    """The neuron of a marked, with each neuron of b that it could be (of twins only one) marked alike."""
    colour = left[layer][0, index]
    tried = set()
    for sign, candidate in np.argwhere(right[layer] == colour):
        kind = int(b.twins(layer)[sign, candidate])
        if kind in tried:
            continue
        tried.add(kind)
        marked = list(left), list(right)
        for colours, at, flipped in ((marked[0], index, 0), (marked[1], candidate, sign)):
            new = colours[layer].copy()
            new[:, at] = _mix(new[:, at] + _MARK)
            new[flipped, at] = _mix(new[flipped, at : at + 1])[0]
            colours[layer] = new
        yield marked[0], marked[1], {layer}


def _paired(left: Colours, right: Colours) -> Order | None:
    """Neurons of one colour put together, in the order in which they come."""
    permutations, signs = [], []
    for a, b in zip(left, right, strict=True):
        waiting: dict[int, list[tuple[int, int]]] = {}
        for sign, row in enumerate(b):
            for index, colour in enumerate(row.tolist()):
                waiting.setdefault(colour, []).append((index, sign))
        for group in waiting.values():
            group.sort(reverse=True)
        taken, order, flipped = set[int](), [], []
        for colour in a[0].tolist():
            group = waiting.get(colour, [])
            while group and group[-1][0] in taken:
                group.pop()
            if not group:
                return None
            index, sign = group.pop()
            taken.add(index)
            order.append(index)
            flipped.append(1 - 2 * sign)
        permutations.append(np.array(order))
        signs.append(np.array(flipped))
    return Order(tuple(permutations), tuple(signs))


# Hashes: sums of well-mixed 64-bit numbers stand for unordered collections. Two different ones are equal once in
# 2^64, and are then separated later: the final result is always checked number by number.

_THREE = np.uint64(3)
_MARK = np.uint64(0x9E3779B97F4A7C15)
_SPREAD = np.uint64(0xD6E8FEB86659FD93)


def _bits(values: Array) -> Array:
    """The bits of float64 numbers, spread."""
    return np.ascontiguousarray(values).view(np.uint64) * _SPREAD


def _mix(x: Array) -> Array:
    """The finaliser of splitmix64 (see `randomness`), for whole arrays."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _names(count: int) -> Array:
    """`count` different colours, of shape (1, count)."""
    return _mix(_mix(np.arange(1, count + 1, dtype=np.uint64) * _MARK))[None]
