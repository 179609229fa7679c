"""The trace: every number on the way, and all of them reconcile."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.errors import AddressError, SettingError


@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=4),
    st.sampled_from(sorted(set(ACTIVATIONS) - {"softmax"})),
    st.sampled_from(["float32", "float64"]),
    st.integers(0, 99),
)
def test_what_it_shows_adds_up_and_ends_in_the_outputs(sizes: list[int], squish: str, dtype: str, seed: int) -> None:
    network = gn.Network.create(sizes, squish, output="softmax", seed=seed, dtype=dtype)
    inputs = np.random.default_rng(seed).normal(size=(3, sizes[0])).astype(dtype)
    trace = network.trace(inputs)
    tolerance = {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {"rtol": 1e-12, "atol": 1e-12}
    before = inputs
    for layer in trace.layers:
        np.testing.assert_array_equal(layer.inputs, before)
        np.testing.assert_allclose(layer.inputs @ layer.weights.T, layer.weighted_sums, **tolerance)
        np.testing.assert_array_equal(layer.weighted_sums + layer.biases, layer.pre_activations)
        np.testing.assert_allclose(
            ACTIVATIONS[layer.activation_name](layer.pre_activations), layer.activations, **tolerance
        )
        before = layer.activations
    np.testing.assert_array_equal(trace.outputs, network(inputs))


def test_a_neuron_of_a_trace_is_that_neuron(network: gn.Network) -> None:
    inputs = [0.5, -1.0, 2.0]
    trace = network.trace(inputs)
    neuron = trace.neuron(0, 2)
    assert neuron.activation == pytest.approx(network.neuron(0, 2)(inputs), rel=1e-6)
    assert neuron.products.sum() == pytest.approx(neuron.weighted_sum, rel=1e-5)
    assert neuron.pre_activation == pytest.approx(neuron.weighted_sum + neuron.bias, rel=1e-6)
    np.testing.assert_array_equal(neuron.inputs, np.float32(inputs))
    assert neuron.activation_name == "tanh"


def test_inputs_are_called_what_they_are(network: gn.Network) -> None:
    named = network.with_schema(gn.Schema(features=("age", "height", "weight")))
    assert "height" in str(named.trace([1, 2, 3]).neuron(0, 0))
    assert "neuron 0:3" in str(named.trace([1, 2, 3]).neuron(1, 0))
    picture = gn.Network.create("4-2", seed=0).with_schema(gn.Schema(input_shape=(2, 2)))
    assert "pixel 1,0" in str(picture.trace([1, 2, 3, 4]).neuron(0, 0))


def test_a_trace_of_many_holds_the_trace_of_each(network: gn.Network, refused: Any) -> None:
    inputs = np.eye(3)
    trace = network.trace(inputs)
    assert len(trace) == 3
    np.testing.assert_allclose(trace[1].outputs, network.trace(inputs[1]).outputs, rtol=1e-6)
    with refused(SettingError):
        trace.neuron(0, 0)
    with refused(AddressError):
        trace[3]
    with refused(AddressError):
        trace[0][0]


def test_addresses_outside_say_the_range(network: gn.Network, refused: Any) -> None:
    trace = network.trace([1, 2, 3])
    with refused(AddressError):
        trace.neuron(2, 0)
    with refused(AddressError):
        trace.neuron(1, 2)


def test_its_arrays_cannot_be_written(network: gn.Network) -> None:
    layer = network.trace([1, 2, 3]).layers[0]
    for array in (layer.inputs, layer.weights, layer.weighted_sums, layer.pre_activations, layer.activations):
        assert not array.flags.writeable
