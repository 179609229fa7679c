"""What a bias does, against brute force; and neurons that do no work, found where they were planted."""

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.errors import AddressError, InputError
from glassnet.explain.active import active
from glassnet.explain.activities import activity
from glassnet.explain.batches import Batches
from glassnet.explain.biases import bias_response


@given(
    st.sampled_from(sorted(set(ACTIVATIONS) - {"softmax"})),
    st.sampled_from(["float32", "float64"]),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=100, deadline=None)
def test_the_share_at_any_bias_is_that_of_the_network_with_this_bias(
    squish: str, dtype: str, count: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    network = gn.Network.create("3-4-2", squish, seed=seed, dtype=dtype)
    inputs = random.normal(size=(count, 3))
    found = bias_response(network, 1, 1, inputs)
    for bias in (found.bias, *random.normal(0, 2, 5).astype(dtype), *found.thresholds[:3].astype(dtype)):
        layer = network.edit(1, 1, bias=float(bias)).trace(inputs).layers[1]
        assert found.share_at(float(bias)) == active(layer)[:, 1].mean()
        assert found.share_at(float(bias)) == (layer.pre_activations[:, 1] > 0).mean()
    biases, shares = found.curve()
    assert (shares[0], shares[-1]) == (0, 1)
    assert (np.diff(shares) >= 0).all()
    np.testing.assert_array_equal(shares, [found.share_at(b) for b in biases])
    for share in (0.01, 0.5, 1):
        assert found.share_at(found.bias_for(share)) >= share


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_under_softmax_active_is_more_than_all_the_others(outputs: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    network = gn.Network.create((3, outputs), output="softmax", seed=seed, dtype="float64")
    inputs = random.normal(size=(40, 3))
    found = bias_response(network, 0, 0, inputs)
    for bias in (0.0, *random.normal(0, 2, 5)):
        activations = network.edit(0, 0, bias=float(bias))(inputs)[:, 0]
        assert found.share_at(bias) == (activations > 0.5).mean()
    assert "active on" in str(found)
    json.dumps(found.as_dict(), allow_nan=False)


def test_one_input_changes_its_mind_where_it_says() -> None:
    network = gn.Network.from_layers([([[2.0, -1.0]], [0.5], "sigmoid")])
    found = bias_response(network, 0, 0, [[1, 0], [0, 1], [0, 2], [0, 0]], at=[1, 0])
    assert found.thresholds.tolist() == [-2, 0, 1, 2]
    assert found.share == 0.5
    assert found.at is not None
    assert (found.at.bias, found.at.active) == (-2, True)
    assert not network.edit(0, 0, bias=-2)([1, 0])[0] > 0.5
    assert network.edit(0, 0, bias=-1.999)([1, 0])[0] > 0.5


def test_eagerness_as_printed(golden: Callable[..., None]) -> None:
    network = gn.Network.from_layers([([[1.0]], [0.5], "relu")])
    text = str(bias_response(network, 0, 0, np.linspace(-2, 2, 41)[:, None], at=[1.0]))
    golden(text)


PLANTED = ["0:1", "0:4", "1:0", "1:2"]


@pytest.fixture
def planted() -> gn.Network:
    """A relu layer and a sigmoid layer with idle neurons: two never active, one stuck, one deaf."""
    network = gn.Network.create("6-8-5-3", ("relu", "sigmoid"), output="softmax", seed=3)
    network = network.edit(0, 1, bias=-100).edit(0, 4, weights=np.zeros(6), bias=-1)
    return network.edit(1, 0, bias=40).edit(1, 2, weights=np.zeros(8), bias=0.3)


def test_dead_and_saturated_neurons_are_found_and_named(planted: gn.Network) -> None:
    data = np.random.default_rng(0).normal(size=(3000, 6))
    found = activity(planted, data)
    assert (found.dead, found.constant) == (((0, 1), (0, 4)), ((1, 2),))
    assert found.saturated == ((1, 0),)
    text = str(found)
    for line in (
        "0:1  dead       never active, always 0",
        "1:2  constant   always 0.5744",
        "1:0  saturated",
    ):
        assert line in text
    assert max(map(len, text.splitlines())) <= 80
    figures = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert [(n["layer"], n["neuron"], n["kind"]) for n in figures["idle"]][-1] == (1, 2, "constant")


@pytest.mark.parametrize("squish", sorted(ACTIVATIONS))
def test_the_figures_are_those_of_one_great_trace(squish: str) -> None:
    names = ("tanh", squish)
    network = gn.Network.create("5-7-4", names, seed=1, dtype="float64")
    data = np.random.default_rng(1).normal(size=(2500, 5))
    found, trace = activity(network, data), network.trace(data)
    for layer, at in zip(found.layers, trace.layers, strict=True):
        np.testing.assert_allclose(layer.mean, at.activations.mean(axis=0), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(layer.spread, at.activations.std(axis=0), rtol=1e-10, atol=1e-12)
        np.testing.assert_array_equal(layer.active, active(at).mean(axis=0))
        np.testing.assert_array_equal(layer.highest, at.activations.max(axis=0))
        np.testing.assert_array_equal(layer.lowest, at.activations.min(axis=0))


def test_a_data_set_counts_at_its_own_scale() -> None:
    grey = np.array([[0, 255], [255, 0], [128, 128]], np.uint8)
    data = gn.Dataset(grey, np.array([0, 1, 0]), gn.Schema(scale=1 / 255, classes=("a", "b")))
    network = gn.Network.from_layers([([[1.0, -1.0]], [0.0], "identity")])
    assert activity(network, data).layers[0].highest[0] == pytest.approx(1)
    assert bias_response(network, 0, 0, data).thresholds.tolist() == pytest.approx([-1, 0, 1])


def test_memory_stays_bounded() -> None:
    network = gn.Network.create("50-20-5", seed=0)
    data = np.zeros((200_000, 50), np.uint8)
    tracemalloc.start()
    activity(network, data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000  # all activations at once would take 20 MB, all inputs as floats 40


def test_data_that_does_not_fit_is_told(network: gn.Network, refused: Any) -> None:
    with refused(AddressError):
        bias_response(network, 2, 0, np.ones((2, 3)))
    for data in (np.ones((2, 4)), np.ones(3), np.ones((0, 3))):
        with refused(InputError):
            activity(network, data)
    with refused(InputError):
        activity(network, [[1, 2, np.nan]])
    with refused(InputError):
        bias_response(network, 0, 0, np.ones((2, 3)), at=np.ones((2, 3)))
    with refused(InputError):
        bias_response(network, 0, 0, np.ones((2, 3))).bias_for(2)


def test_pictures_and_pairs_are_data_too() -> None:
    network = gn.Network.create("4-2", seed=0)
    assert len(Batches(network, np.ones((3, 2, 2)))) == 3
    assert len(Batches(network, (np.ones((5, 4)), np.zeros(5)))) == 5


def test_a_slope_below_a_thousandth_is_flat() -> None:
    """The slope of sigmoid, s(1 - s), is 0.0015 at 6.5 and 0.0009 at 7."""
    network = gn.Network.from_layers([([[1.0], [1.0]], [6.5, 7.0], "sigmoid"), ([[1.0, 1.0]], [0.0], "identity")])
    found = gn.explain.activity(network, [[0.0], [0.001]])
    assert found.layers[0].flat.tolist() == [0, 1]


def test_equal_hidden_neurons_are_reported() -> None:
    """A 784-30-10 of the public has 30 equal ones: started at one value, they stay equal in training."""
    random = np.random.default_rng(0)
    row, last = random.normal(size=784), random.normal(size=(10, 30))
    network = gn.Network.from_layers([(np.tile(row, (30, 1)), np.ones(30), "sigmoid"), (last, np.zeros(10), "softmax")])
    found = gn.explain.activity(network, random.random((5, 784)))
    assert found.groups == ((0, "equal", tuple(range(30))),)
    assert "layer 0: 30 neurons are equal" in str(found)
    assert found.as_dict()["groups"] == [{"layer": 0, "kind": "equal", "neurons": tuple(range(30))}]


def test_neurons_that_differ_in_one_number_are_not_equal() -> None:
    rows = np.array([[1.0, 2], [1, 2], [1, 2.1], [3, 4], [3, 4]])
    network = gn.Network.from_layers([(rows, [0, 0, 0, 1, 2], "relu"), (np.ones((2, 5)), [0, 0], "identity")])
    assert gn.explain.activity(network, [[1.0, 1]]).groups == ((0, "equal", (0, 1)),)  # outputs are no hidden neurons


def test_half_is_not_more_than_half() -> None:
    even = gn.Network.from_layers([(np.zeros((2, 1)), np.zeros(2), "softmax")]).trace([1.0])
    assert active(even.layers[0]).tolist() == [False, False]
