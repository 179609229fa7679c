"""Sensitivity: each slope is what turning that one parameter does, and each is called what it is."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import AddressError, InputError, SettingError
from glassnet.explain import sensitivity
from glassnet.explain.sensitivities import USUAL_CHANGE

SMOOTH = ["identity", "sigmoid", "tanh", "softplus", "gelu_tanh", "silu", "mish"]
sizes = st.lists(st.integers(1, 6), min_size=2, max_size=4)


@settings(max_examples=60, deadline=None)
@given(sizes, st.sampled_from(SMOOTH), st.sampled_from(["squared_error", "cross_entropy"]), st.integers(0, 2**32 - 1))
def test_slopes_are_central_differences(sizes: list[int], squish: str, loss: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = [*sizes[:-1], sizes[-1] + 1]
    network = gn.Network.create(sizes, squish, output="softmax", seed=seed % 1000, dtype="float64")
    network = network.with_parameters(network.parameters + random.normal(0, 0.3, network.parameters.shape))
    inputs, targets = random.normal(size=(4, sizes[0])), random.integers(0, sizes[-1], 4)
    found = sensitivity(network, inputs, targets, loss)
    for index in random.integers(0, len(found), 6).tolist():
        up, down = found.change(index, 1e-4), found.change(index, -1e-4)
        assert found.locate(index).slope == pytest.approx((up.after - down.after) / 2e-4, rel=1e-5, abs=1e-7)
        assert up.predicted == found.slopes[index] * 1e-4
        assert up.actual == up.after - up.before
        assert up.before == pytest.approx(found.value, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(sizes, st.sampled_from(["float32", "float64"]), st.integers(0, 999))
def test_every_knob_knows_where_it_is(sizes: list[int], dtype: str, seed: int) -> None:
    network = gn.Network.create(sizes, "tanh", seed=seed, dtype=dtype)
    random = np.random.default_rng(seed)
    network = network.with_parameters(random.normal(size=network.parameters.shape))
    found = sensitivity(network, random.normal(size=sizes[0]), random.normal(size=sizes[-1]))
    np.testing.assert_array_equal(found.slopes, network.gradient(found.inputs[0], found.targets[0]))
    for index in range(len(found)):
        knob = found.locate(index)
        layer = network.layers[knob.layer]
        where = layer.biases[knob.neuron] if knob.input is None else layer.weights[knob.neuron, knob.input]
        assert knob.value == where == network.parameters[index]
        assert found.parameter(knob.layer, knob.neuron, knob.input) == knob


def test_the_strongest_come_first(network: gn.Network) -> None:
    found = sensitivity(network, [1.0, -2.0, 0.5], 1)
    steep = [abs(knob.slope) for knob in found.strongest(len(found))]
    assert steep == sorted(np.abs(found.slopes).tolist(), reverse=True)
    assert found.strongest(3) == found.strongest(1000)[:3]


def test_turning_the_strongest_against_its_slope_lowers_the_loss(network: gn.Network) -> None:
    found = sensitivity(network, np.eye(3), [0, 1, 1])
    knob = found.strongest(1)[0]
    turned = found.change(knob, -0.01 * np.sign(knob.slope))
    assert turned.actual < 0
    assert turned.actual == pytest.approx(turned.predicted, rel=0.1)
    text = str(turned)
    assert text.startswith(f"change {knob.address} {knob.name} by ")
    assert "predicted change  -" in text
    assert "actual change     -" in text


def test_knobs_are_called_what_they_are(network: gn.Network) -> None:
    named = network.with_schema(gn.Schema(features=("age", "height", "weight")))
    found = sensitivity(named, [1, 2, 3], 0)
    assert found.parameter(0, 3, 1).name == "weight of height"
    assert found.parameter(1, 0, 2).name == "weight of neuron 0:2"
    assert (found.parameter(1, 0).name, found.parameter(1, 0).address) == ("bias", "1:0")
    picture = gn.Network.create("4-2", seed=0).with_schema(gn.Schema(input_shape=(2, 2), scale=1 / 255))
    found = sensitivity(picture, np.array([[0, 255], [51, 0]], np.uint8), 1)
    assert found.parameter(0, 1, 2).name == "weight of pixel 1,0"
    np.testing.assert_allclose(found.inputs, [[0, 1, 0.2, 0]], rtol=1e-6)
    assert found.change(0).before == pytest.approx(found.value, rel=1e-6)


def test_what_is_printed(network: gn.Network) -> None:
    text = str(sensitivity(network, np.eye(3), [0, 1, 1]))
    lines = text.splitlines()
    assert lines[0].startswith("26 parameters on 3 examples: cross-entropy 0.")
    assert lines[1].split() == ["parameter", "value", "slope"]
    assert "16 more parameters have smaller slopes" in text
    assert "norm of the gradient, layer by layer: " in text
    assert lines[-5].startswith("change ")
    assert max(map(len, lines)) <= 80
    assert "on 1 example:" in str(sensitivity(network, [1, 2, 3], 0))
    # nothing to learn: all slopes are 0
    dead = gn.Network.from_layers([([[0.0]], [-1.0], "relu"), ([[1.0]], [0.0], "identity")])
    assert "all do nothing" not in str(sensitivity(dead, [1.0], [0.0]))


def test_plain_values_for_json(network: gn.Network) -> None:
    found = sensitivity(network, np.eye(3), [0, 1, 1])
    figures = found.as_dict()
    assert (figures["parameters"], figures["examples"], figures["loss"]) == (26, 3, "cross_entropy")
    assert figures["strongest"][0]["address"] == found.strongest(1)[0].address
    nudge = found.change(3, 0.5).as_dict()
    assert nudge["actual"] == nudge["after"] - nudge["before"]
    together = np.sqrt(sum(layer["length"] ** 2 for layer in figures["layers"]))
    assert together == pytest.approx(np.linalg.norm(found.slopes), rel=1e-6)


def test_what_cannot_be_is_told(network: gn.Network, refused: Any) -> None:
    with refused(InputError):
        sensitivity(network, np.eye(3), [0, 1])
    with refused(InputError):
        sensitivity(network, [1, 2, 3], 2)
    with refused(InputError):
        sensitivity(network, [1, np.nan, 3], 0)
    with refused(SettingError):
        sensitivity(network, [1, 2, 3], 0, loss="square")
    found = sensitivity(network, [1, 2, 3], 0)
    with refused(AddressError):
        found.change(26, 0.1)
    with refused(AddressError):
        found.parameter(1, 2)
    with refused(AddressError):
        found.parameter(0, 0, 3)
    with refused(SettingError):
        found.change(0, float("nan"))
    with refused(SettingError):
        found.strongest(0)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_printed_change_moves_against_the_gradient(sign: int) -> None:
    network = gn.Network.from_layers([([[2.0]], [0.0], "identity")])
    found = sensitivity(network, [[3.0]], [[6.0 - sign]], "squared_error")
    assert np.sign(found.slopes[0]) == sign
    step = found.change(found.strongest(1)[0], -USUAL_CHANGE * sign)
    assert step.actual < 0
    assert step.document().title in str(found)
