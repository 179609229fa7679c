"""The network: a frozen value over one flat vector."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import AddressError, InputError, SettingError

SIZES = st.lists(st.integers(1, 7), min_size=2, max_size=5)


def test_the_digit_network_has_13002_numbers_in_the_order_of_the_design() -> None:
    network = gn.Network.create("784-16-16-10", seed=0)
    assert network.parameters.shape == (13_002,)
    assert [row.count for row in network.count()] == [12_560, 272, 170]
    np.testing.assert_array_equal(network.parameters[:784], network.layers[0].weights[0])
    np.testing.assert_array_equal(network.parameters[12_544:12_560], network.layers[0].biases)
    np.testing.assert_array_equal(network.parameters[12_560:12_576], network.layers[1].weights[0])


@given(SIZES, st.sampled_from(["float32", "float64"]), st.integers(0, 99))
def test_it_computes_what_its_neurons_compute(sizes: list[int], dtype: str, seed: int) -> None:
    network = gn.Network.create(sizes, "tanh", output="sigmoid", seed=seed, dtype=dtype)
    signal = np.random.default_rng(seed).normal(size=sizes[0])
    outputs = network(signal)
    for layer, width in enumerate(sizes[1:]):
        signal = [network.neuron(layer, k)(signal) for k in range(width)]
    np.testing.assert_allclose(outputs, signal, rtol=1e-5 if dtype == "float32" else 1e-12)
    assert outputs.dtype == dtype


def test_one_input_and_a_batch_give_the_same(network: gn.Network) -> None:
    inputs = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    batch = network(inputs)
    assert batch.shape == (5, 2)
    np.testing.assert_allclose([network(row) for row in inputs], batch, rtol=1e-6)


def test_defaults_are_float32_relu_and_plain_scores() -> None:
    network = gn.Network.create((4, 3, 2))
    assert (network.dtype, network.architecture.activations) == ("float32", ("relu", "identity"))


def test_activations_can_be_given_per_layer() -> None:
    network = gn.Network.create("4-3-3-2", ["tanh", "relu", "sigmoid"])
    assert [layer.activation for layer in network.layers] == ["tanh", "relu", "sigmoid"]


def test_the_same_seed_gives_the_same_network_and_no_seed_another() -> None:
    first, again, other = (gn.Network.create("9-5-2", seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert hash(first) == hash(again)
    assert first != other
    assert gn.Network.create("9-5-2") != gn.Network.create("9-5-2")


def test_nothing_changes_it_in_place(network: gn.Network) -> None:
    for array in (network.parameters, network.layers[0].weights, network.layers[1].biases):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    with pytest.raises(AttributeError):
        network.parameters = None  # type: ignore[misc,assignment]


def test_a_vector_that_was_handed_in_can_change_without_changing_the_network() -> None:
    vector = np.ones(8, np.float32)
    created = gn.Network.create("3-2", seed=0)
    networks = [created.with_parameters(vector), gn.Network(created.architecture, vector)]
    vector[:] = 5
    assert all((network.parameters == 1).all() for network in networks)


def test_an_edit_gives_another_network_that_differs_there_alone(network: gn.Network) -> None:
    edited = network.edit(0, 2, bias=1.5, weights={1: -3.0})
    changed = np.flatnonzero(edited.parameters != network.parameters)
    assert changed.tolist() == [2 * 3 + 1, 4 * 3 + 2]
    assert edited.layers[0].biases[2] == 1.5
    assert edited.edit(0, 2, bias=network.layers[0].biases[2], weights=network.layers[0].weights[2]) == network


def test_another_squish_leaves_the_numbers(network: gn.Network) -> None:
    other = network.with_activation(0, "relu")
    np.testing.assert_array_equal(other.parameters, network.parameters)
    assert other.layers[0].activation == "relu"


def test_layers_make_a_network_and_come_back() -> None:
    weights = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
    network = gn.Network.from_layers([(weights, [0.5, -0.5], "relu"), ([[1, -1]], [0], "identity")])
    assert network.sizes == (3, 2, 1)
    np.testing.assert_array_equal(network([1, 0, -1]), [0])
    np.testing.assert_array_equal(network([1, 1, 1]), [6.5 - 14.5])


def test_copies_and_pickles_are_equal(network: gn.Network) -> None:
    network([1, 2, 3])
    assert copy.deepcopy(network) == network
    assert pickle.loads(pickle.dumps(network)) == network


def test_pictures_may_keep_their_shape_and_grey_values_their_type() -> None:
    network = gn.Network.create("4-3-2", seed=0).with_schema(gn.Schema(input_shape=(2, 2), scale=1 / 255))
    picture = np.array([[0, 255], [51, 102]], np.uint8)
    np.testing.assert_allclose(network(picture), network([0, 1, 0.2, 0.4]), rtol=1e-6)
    assert network(np.stack([picture, picture])).shape == (2, 2)


def test_the_gradient_tells_how_the_loss_moves(network: gn.Network) -> None:
    network = gn.Network(network.architecture, network.parameters.astype(np.float64))
    inputs = [0.3, -0.2, 0.9]
    loss, slopes = network.loss_and_gradient(inputs, 1)
    assert slopes.shape == network.parameters.shape
    nudge = np.zeros(len(slopes))
    nudge[5] = 1e-6
    moved, _ = network.with_parameters(network.parameters + nudge).loss_and_gradient(inputs, 1)
    assert (moved - loss) / 1e-6 == pytest.approx(slopes[5], rel=1e-4)


def test_printed_it_is_its_ledger(network: gn.Network) -> None:
    assert repr(network) == "Network(3-4-2, tanh softmax, 26 parameters, float32)"
    assert str(network) == (
        "3-4-2  (tanh, softmax)\n"
        "layer  inputs x neurons + biases  numbers\n"
        "    0  3 x 4 + 4                       16\n"
        "    1  4 x 2 + 2                       10\n"
        "total  104 bytes as float32            26"
    )


@pytest.mark.parametrize(
    "inputs",
    [
        [1, 2],
        np.zeros((2, 2, 3)),
        np.array([1, np.inf, 0], np.float32),
        [1, float("nan"), 2],
        [1, float("inf"), float("nan")],
        ["a", "b", "c"],
        [[1, 2, 3], [1]],
        [1j, 0, 0],
    ],
)
def test_bad_inputs_are_told(network: gn.Network, inputs: object, refused: Any) -> None:
    with refused(InputError):
        network(inputs)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda n: n.edit(2, 0, bias=1), AddressError),
        (lambda n: n.edit(0, 4, bias=1), AddressError),
        (lambda n: n.edit(0, 0, weights=[1, 2]), InputError),
        (lambda n: n.edit(0, 0, weights={3: 1}), AddressError),
        (lambda n: n.edit(0, 0, bias=float("nan")), InputError),
        (lambda n: n.with_parameters([1, 2]), InputError),
        (lambda n: n.with_activation(0, "rleu"), SettingError),
        (lambda n: n.with_activation(0, "softmax"), SettingError),
        (lambda n: n.gradient([1, 2, 3], 2), InputError),
        (lambda n: n.gradient([[1, 2, 3]], [0, 1]), InputError),
        (lambda n: n.gradient([1, 2, 3], 0, loss="cross_entrpy"), SettingError),
    ],
)
def test_bad_changes_are_told(network: gn.Network, change: object, error: type[Exception], refused: Any) -> None:
    with refused(error):
        change(network)  # type: ignore[operator]


@pytest.mark.parametrize(
    "arguments",
    [
        {"sizes": "3-0-2"},
        {"sizes": "3"},
        {"sizes": (3, 2.5)},
        {"sizes": "3-2", "dtype": "float16"},
        {"sizes": "3-2", "init": "he"},
        {"sizes": "3-2-1", "activation": ["relu"]},
    ],
)
def test_bad_structures_are_told(arguments: dict[str, object], refused: Any) -> None:
    with refused(SettingError):
        gn.Network.create(**arguments)  # type: ignore[arg-type]


def test_layers_that_do_not_fit_are_told(refused: Any) -> None:
    with refused(InputError):
        gn.Network.from_layers([(np.ones((2, 3)), np.ones(2), "relu"), (np.ones((1, 3)), np.ones(1), "relu")])
    with refused(InputError):
        gn.Network.from_layers([])
