"""The same neuron under other squishes."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.errors import SettingError
from glassnet.explain import activation_alternatives, activation_curve


@pytest.mark.parametrize("layer", [0, 1])
def test_each_is_what_the_network_with_this_squish_would_give(network: gn.Network, layer: int) -> None:
    inputs = [0.5, -1.0, 2.0]
    found = activation_alternatives(network, layer, 1, inputs)
    assert found.rows[0].name == found.name == network.layers[layer].activation
    assert {row.name for row in found.rows} == set(ACTIVATIONS) - ({"softmax"} if layer == 0 else set())
    for row in found.rows:
        other = network.with_activation(layer, row.name).trace(inputs).layers[layer]
        assert row.activation == pytest.approx(float(other.activations[1]), rel=1e-5)  # engines differ in last bits
    assert found.pre_activation == network.trace(inputs).layers[layer].pre_activations[1]


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_a_curve_its_point_and_its_slope(name: str) -> None:
    found = activation_curve(name, -3, 5, 801, at=1.5)
    np.testing.assert_array_equal(found.activations, ACTIVATIONS[name](found.z))
    assert found.at is not None
    z, activation, slope = found.at
    assert (z, activation) == (1.5, ACTIVATIONS[name](np.array([1.5]))[0])
    assert slope == pytest.approx(np.interp(1.5, found.z, np.gradient(found.activations, found.z)), abs=1e-3)
    assert np.interp(1.5, found.z, found.tangent()) == pytest.approx(activation)
    json.dumps(found.as_dict(), allow_nan=False)
    assert max(map(len, str(found).splitlines())) <= 80


def test_as_printed(golden: Callable[..., None]) -> None:
    network = gn.Network.from_layers([([[1.0, 2.0]], [0.5], "sigmoid")])
    text = str(activation_alternatives(network, 0, 0, [0.25, 0.5], ["relu", "tanh", "sigmoid"]))
    golden(text)
    assert max(map(len, text.splitlines())) <= 80


def test_what_is_no_curve_is_told(network: gn.Network, refused: Any) -> None:
    with refused(SettingError):
        activation_curve("softmax")
    with refused(SettingError):
        activation_curve("sigmod")
    with refused(SettingError):
        activation_curve("relu", 0, 1, 1)
    with refused(SettingError):
        activation_curve("relu", 2, 1, 9)
    with refused(SettingError):
        activation_curve("relu").tangent()
    with refused(SettingError):
        activation_alternatives(network, 0, 0, [1, 2, 3], "softmax")
    with refused(SettingError):
        activation_alternatives(network, 0, 0, np.ones((2, 3)))
