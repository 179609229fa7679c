"""Matching: a hidden permutation is found in any network, and what cannot be equal is brought as near as can be."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.arrays import Array
from glassnet.errors import SettingError
from glassnet.explain import symmetry
from glassnet.explain.matching import distance, matched
from glassnet.explain.symmetry import Order, arranged, layers_of, may_flip

SQUISHES = ("relu", "tanh", "identity", "sigmoid", "leaky_relu")


def hidden(network: gn.Network, random: np.random.Generator, order: Order | None = None) -> gn.Network:
    """The network with its hidden neurons in another order, and those that may be turned around at random turned."""
    widths = network.sizes[1:-1]
    turns = [random.choice([-1, 1], n) if odd else np.ones(n) for n, odd in zip(widths, may_flip(network), strict=True)]
    order = order or Order(tuple(random.permutation(n) for n in widths), tuple(turns))
    layers = arranged(layers_of(network), order)
    names = network.architecture.activations
    return gn.Network.from_layers(
        [(w, b, name) for (w, b), name in zip(layers, names, strict=True)], network.schema, network.dtype
    )


def chain(*weights: object, squish: str = "relu") -> gn.Network:
    """A network with these weights and no biases."""
    arrays = [np.asarray(w, float) for w in weights]
    return gn.Network.from_layers([(w, np.zeros(len(w)), squish) for w in arrays])


def assert_found(a: gn.Network, b: gn.Network) -> None:
    """b is recognised as a in another order, and brought into a's."""
    found = matched(a, b)
    assert found.found_by == "exact"
    assert found.distance_after == 0
    assert np.array_equal(found.network.parameters, a.parameters)
    for places, signs in zip(found.permutations, found.signs, strict=True):
        assert sorted(places) == list(range(len(places)))
        assert set(signs.tolist()) <= {-1, 1}


# Found always


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_hidden_order_of_any_network_is_found(data: st.DataObject) -> None:
    """Few values and narrow layers: most of these networks are full of equal, symmetric and dead neurons."""
    sizes = data.draw(st.lists(st.integers(1, 7), min_size=2, max_size=5))
    names = [data.draw(st.sampled_from(SQUISHES)) for _ in sizes[1:]]
    values = data.draw(st.sampled_from([[0.0], [0.0, 1.0], [-1.0, 0.0, 1.0], [-1.0, 1.0], [0.5, -0.5, 2.0, 0.0]]))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    network = gn.Network.create(sizes, names, seed=0, dtype=data.draw(st.sampled_from(["float32", "float64"])))
    network = network.with_parameters(random.choice(values, network.parameters.shape))
    assert_found(network, hidden(network, random))


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=3, max_size=5),
    squish=st.sampled_from(SQUISHES),
    seed=st.integers(0, 2**32),
    copies=st.booleans(),
)
def test_duplicates_and_dead_neurons_among_random_ones_are_found(
    sizes: list[int], squish: str, seed: int, copies: bool
) -> None:
    random = np.random.default_rng(seed)
    layers = layers_of(gn.Network.create(sizes, squish, seed=seed, dtype="float64"))
    for (weights, biases), (after, _) in itertools.pairwise(layers):
        for i in range(0, len(weights), 3):
            j = random.integers(len(weights))
            weights[i], biases[i] = (weights[j], biases[j]) if copies else (0, 0)
            after[:, i] = after[:, j] * random.integers(-1, 2)
    names = (*[squish] * (len(layers) - 1), "softmax")
    network = gn.Network.from_layers([(w, b, name) for (w, b), name in zip(layers, names, strict=True)])
    assert_found(network, hidden(network, random))


def rook_graph() -> Array:
    """4 x 4 squares, joined along rows and columns: strongly regular, so that colours alone tell nothing apart."""
    squares = list(itertools.product(range(4), range(4)))
    return np.array([[(p != q) and (p[0] == q[0] or p[1] == q[1]) for q in squares] for p in squares], float)


def shrikhande_graph() -> Array:
    """Its strongly regular double: as many neighbours, as many of them shared, and yet another graph."""
    steps = {(0, 1), (0, 3), (1, 0), (3, 0), (1, 1), (3, 3)}
    squares = list(itertools.product(range(4), range(4)))
    return np.array([[((p[0] - q[0]) % 4, (p[1] - q[1]) % 4) in steps for q in squares] for p in squares], float)


def ring(n: int) -> Array:
    return np.eye(n) + np.roll(np.eye(n), 1, axis=0)


ADVERSARIES: dict[str, Callable[[], list[Array]]] = {
    "all zero": lambda: [np.zeros((9, 3)), np.zeros((9, 9)), np.zeros((2, 9))],
    "all one": lambda: [np.ones((9, 3)), np.ones((9, 9)), np.ones((2, 9))],
    "told apart by their partner only": lambda: [np.ones((24, 3)), np.eye(24), np.ones((2, 24))],
    "a ring": lambda: [np.ones((24, 3)), ring(24), np.ones((2, 24))],
    "two rings": lambda: [np.ones((12, 3)), np.kron(np.eye(2), ring(6)), np.ones((2, 12))],
    "a rook's moves": lambda: [np.ones((16, 3)), rook_graph(), np.ones((2, 16))],
    "three hidden layers of rings": lambda: [np.ones((8, 3)), ring(8), ring(8), np.ones((2, 8))],
    "signs alone": lambda: [np.ones((8, 3)), np.where(ring(8) > 0, 1, -1), np.ones((2, 8))],
    "a Hadamard matrix": lambda: [np.ones((16, 3)), hadamard(16), np.ones((2, 16))],
}


def hadamard(n: int) -> Array:
    return np.ones((1, 1)) if n == 1 else np.kron(np.array([[1, 1], [1, -1]]), hadamard(n // 2))


@pytest.mark.parametrize("name", ADVERSARIES)
@pytest.mark.parametrize("squish", ["relu", "tanh"])
def test_networks_made_to_be_hard_are_found(name: str, squish: str) -> None:
    network = chain(*ADVERSARIES[name](), squish=squish)
    for seed in range(3):
        assert_found(network, hidden(network, np.random.default_rng(seed)))


@pytest.mark.parametrize("squish", ["relu", "tanh"])
def test_networks_that_only_look_like_each_other_are_told_apart(squish: str) -> None:
    def made(middle: Array) -> gn.Network:
        return chain(np.ones((len(middle), 3)), middle, np.ones((2, len(middle))), squish=squish)

    assert matched(made(ring(12)), made(np.kron(np.eye(2), ring(6)))).found_by == "assignment"
    found = matched(made(ring(18)), made(np.kron(np.eye(2), ring(9))))
    assert found.found_by == "assignment"
    assert 0 < found.distance_after <= found.distance_before
    # As graphs these two differ. As layers, where each side has an order of its own, they are the same.
    assert matched(made(rook_graph()), made(shrikhande_graph())).found_by == "exact"


def test_signs_are_turned_where_the_squish_is_odd_and_nowhere_else() -> None:
    turned = Order((np.array([1, 0]),), (np.array([-1, 1]),))
    for squish, found_by in (("tanh", "exact"), ("identity", "exact"), ("relu", "assignment")):
        network = gn.Network.create("3-2-2", squish, seed=1)
        other = hidden(network, np.random.default_rng(0), turned)
        found = matched(network, other)
        assert found.found_by == found_by
        assert found.flipped == (1 if found_by == "exact" else 0)
    assert found.distance_after > 0


def test_a_search_that_takes_too_long_is_given_up() -> None:
    a = layers_of(chain(np.ones((16, 3)), rook_graph(), np.ones((2, 16))))
    assert symmetry.same_in_order(a, a, (False, False)) is not None
    assert symmetry.same_in_order(a, a, (False, False), patience=1000) is None


# Rounding, scale, noise


def test_rounding_to_float32_is_recognised() -> None:
    network = gn.Network.create("20-30-30-4", "tanh", seed=3, dtype="float64")
    other = hidden(network, np.random.default_rng(0))
    rounded = gn.Network(other.architecture, other.parameters.astype(np.float32))
    found = matched(network, rounded)
    assert (found.found_by, found.scaled) == ("rounding", 0)
    assert found.distance_after < 1e-5
    assert found.network.dtype == "float32"


@pytest.mark.parametrize("squish", ["relu", "leaky_relu"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_another_scale_of_relu_neurons_is_recognised(squish: str, dtype: str) -> None:
    network = gn.Network.create("20-12-12-4", squish, seed=3, dtype=dtype)
    random = np.random.default_rng(0)
    layers = layers_of(hidden(network, random))
    for (weights, biases), (after, _) in itertools.pairwise(layers):
        factors = random.uniform(0.2, 5, len(weights))
        weights *= factors[:, None]
        biases *= factors
        after /= factors
    other = gn.Network.from_layers(
        [(w, b, name) for (w, b), name in zip(layers, network.architecture.activations, strict=True)], dtype=dtype
    )
    found = matched(network, other)
    assert found.found_by == "rounding"
    assert found.scaled == 24
    assert found.distance_after < 1e-5 * found.distance_before
    x = random.normal(size=(50, 20))
    np.testing.assert_allclose(found.network(x), other(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_assignment_turns_neurons_whose_squish_is_odd(seed: int) -> None:
    """b is a in another order with neurons turned, and moved a little, so that only assignment finds it."""
    a = gn.Network.create("6-8-5-3", "tanh", seed=seed, dtype="float64")
    random = np.random.default_rng(seed)
    widths = a.sizes[1:-1]
    order = Order(tuple(random.permutation(n) for n in widths), tuple(random.choice([-1, 1], n) for n in widths))
    b = hidden(a, random, order)
    b = b.with_parameters(b.parameters + random.normal(0, 1e-3, len(b.parameters)))
    found = matched(a, b)
    assert found.found_by == "assignment"
    assert found.flipped == sum(int((signs < 0).sum()) for signs in order.signs) > 0
    assert found.distance_after < 0.05 < found.distance_before


@pytest.mark.parametrize("squish", ["relu", "tanh", "sigmoid"])
def test_an_order_under_noise_is_found(squish: str) -> None:
    network = gn.Network.create("30-20-20-5", squish, seed=0)
    random = np.random.default_rng(1)
    order = Order(tuple(random.permutation(20) for _ in range(2)), tuple(np.ones(20) for _ in range(2)))
    noisy = network.with_parameters(network.parameters + 0.03 * random.normal(size=network.parameters.shape))
    found = matched(network, hidden(noisy, random, order))
    assert found.found_by == "assignment"
    for places, hidden_places in zip(found.permutations, order.permutations, strict=True):
        assert np.array_equal(hidden_places[places], np.arange(20))
    assert found.distance_after == pytest.approx(distance(layers_of(network), layers_of(noisy)))


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=5), squish=st.sampled_from(SQUISHES), seed=st.integers(0, 99)
)
def test_matching_never_leads_further_away_nor_changes_the_function(sizes: list[int], squish: str, seed: int) -> None:
    a, b = (gn.Network.create(sizes, squish, seed=s, dtype="float64") for s in (seed, seed + 1000))
    found = matched(a, b)
    assert found.distance_after <= found.distance_before * (1 + 1e-12)
    assert found.distance_after == pytest.approx(distance(layers_of(a), layers_of(found.network)))
    x = np.random.default_rng(seed).normal(size=(10, sizes[0]))
    np.testing.assert_allclose(found.network(x), b(x), atol=1e-10)


# What it says


def test_a_network_without_hidden_layers_has_nothing_to_match() -> None:
    a, b = (gn.Network.create("4-3", seed=seed) for seed in (0, 1))
    found = matched(a, b)
    assert found.permutations == ()
    assert str(found).startswith("no hidden neurons to match; the parameters are ")


def test_a_matching_in_words_and_figures() -> None:
    network = gn.Network.create("3-4-2", "tanh", seed=0)
    order = Order((np.array([1, 0, 2, 3]),), (np.array([1, -1, 1, 1]),))
    found = matched(network, hidden(network, np.random.default_rng(0), order))
    assert str(found) == f"2 of 4 hidden moved, 1 flipped; distance {found.distance_before:.4g} -> 0"
    figures = found.as_dict()
    assert (figures["found_by"], figures["moved"], figures["flipped"]) == ("exact", 2, 1)
    assert figures["permutations"] == [[1, 0, 2, 3]]
    with pytest.raises(ValueError, match="read-only"):
        found.permutations[0][0] = 3


def test_other_structures_are_told_where(refused: Any) -> None:
    a = gn.Network.create("4-3-2", "relu")
    with refused(SettingError):
        matched(a, gn.Network.create("4-5-2", "tanh"))
    with refused(SettingError):
        matched(a, gn.Network.create("4-3-3-2"))


@pytest.mark.parametrize("squish", ["elu", "selu", "silu", "softplus"])
def test_only_homogeneous_activations_are_free_of_scale(squish: str) -> None:
    """f(3z) is not 3 f(z): a neuron times 3, its outgoing weights over 3, is another function."""
    random = np.random.default_rng(0)
    first, last, bias = random.normal(size=(4, 3)), random.normal(size=(2, 4)), random.normal(size=4)
    a = gn.Network.from_layers([(first, bias, squish), (last, np.zeros(2), "identity")])
    scale = np.array([3.0, 1, 1, 1])
    b = gn.Network.from_layers(
        [(first * scale[:, None], bias * scale, squish), (last / scale, np.zeros(2), "identity")]
    )
    inputs = random.normal(size=(50, 3)) * 3
    assert not np.allclose(a(inputs), b(inputs), rtol=1e-3)
    assert gn.compare(a, b, inputs).same_function is not True
