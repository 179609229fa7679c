"""A prediction taken apart: the parts are those of the network, and they add up to what it says."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.errors import AddressError, InputError, SettingError
from glassnet.explain import attribution
from glassnet.explain.attributions import Attribution, affine_map
from glassnet.explain.backward import straight, summed_sizes

SMOOTH = sorted(set(ACTIVATIONS) - {"softmax", "step"})
sizes = st.lists(st.integers(1, 9), min_size=2, max_size=5)
dtypes = st.sampled_from(["float32", "float64"])
seeds = st.integers(0, 2**32 - 1)

STRAIGHT = [name for name in ACTIVATIONS if straight(name)]


def random_network(sizes: list[int], names: list[str], dtype: str, seed: int) -> tuple[gn.Network, np.ndarray]:
    """A network with hidden layers of these activations, biases that are not 0, some last layer; and an input."""
    random = np.random.default_rng(seed)
    hidden = [names[random.integers(len(names))] for _ in sizes[2:]]
    last = sorted(ACTIVATIONS)[random.integers(len(ACTIVATIONS))]
    vector = random.normal(0, random.choice([0.3, 1, 3]), gn.Architecture.of(sizes, [*hidden, last]).layers[-1].stop)
    network = gn.Network(gn.Architecture.of(sizes, [*hidden, last]), vector.astype(dtype))
    return network, random.normal(0, 2, sizes[0]).astype(dtype)


def summed_on_the_way(network: gn.Network, x: np.ndarray) -> np.ndarray:
    """For each logit: |weights| @ |inputs| + |bias| of every neuron, times its slope for the logit."""
    sizes, counts = np.zeros(network.sizes[-1]), np.eye(network.sizes[-1])
    layers = [(t, t.weights.astype(float)) for t in network.trace(x).layers]
    for i, (layer, weights) in reversed(list(enumerate(layers))):
        if i < len(layers) - 1:
            slope = ACTIVATIONS[layer.activation_name].slope(layer.pre_activations, layer.activations)
            counts = counts @ layers[i + 1][1] @ np.diag(slope.astype(float))
        sizes += np.abs(counts) @ (np.abs(weights) @ np.abs(layer.inputs) + np.abs(layer.biases))
    return sizes


@settings(max_examples=150, deadline=None)
@given(sizes, dtypes, seeds)
def test_the_affine_map_gives_the_logits(sizes: list[int], dtype: str, seed: int) -> None:
    network, x = random_network(sizes, STRAIGHT, dtype, seed)
    found = affine_map(network, x)
    assert found.weights.shape == (sizes[-1], sizes[0])
    assert found.bias.shape == (sizes[-1],)
    assert found.weights.dtype == np.float64
    off = np.abs(found.weights @ x + found.bias - network.trace(x).layers[-1].pre_activations)
    relative = {"float32": 1e-5, "float64": 1e-13}[dtype]
    assert (off <= relative * summed_on_the_way(network, x)).all()
    assert found.error <= relative
    for k in range(sizes[-1]):
        weights, bias = found.row(k)
        np.testing.assert_allclose(weights, found.weights[k], rtol=1e-12, atol=1e-14)
        assert bias == pytest.approx(found.bias[k], rel=1e-12, abs=1e-14)


@settings(max_examples=60, deadline=None)
@given(sizes, seeds)
def test_its_weights_are_the_jacobian_that_autograd_finds(sizes: list[int], seed: int) -> None:
    network, x = random_network(sizes, ["identity", "relu", "leaky_relu", "hard_sigmoid"], "float64", seed)
    squish = {
        "identity": lambda z: z,
        "relu": torch.relu,
        "leaky_relu": torch.nn.functional.leaky_relu,
        "hard_sigmoid": lambda z: torch.nn.functional.relu6(z + 3) / 6,
    }

    def logits(a: torch.Tensor) -> torch.Tensor:
        for i, layer in enumerate(network.layers):
            z = torch.tensor(layer.weights) @ a + torch.tensor(layer.biases)
            a = z if i == len(network.layers) - 1 else squish[layer.activation](z)
        return a

    jacobian = torch.autograd.functional.jacobian(logits, torch.tensor(x)).numpy()
    weights = affine_map(network, x).weights
    np.testing.assert_allclose(weights, jacobian, rtol=1e-9, atol=1e-12 * np.abs(jacobian).max(initial=1))


def test_wide_layers_go_back_in_blocks_and_many_outputs_in_turns() -> None:
    network = gn.Network.create((300, 700, 500, 130), "relu", seed=0, dtype="float64")
    x = np.random.default_rng(0).normal(size=300)
    active = [np.where(t.pre_activations > 0, 1.0, 0.0) for t in network.trace(x).layers]
    w = [layer.weights for layer in network.layers]
    np.testing.assert_allclose(
        affine_map(network, x).weights, (w[2] * active[1]) @ (w[1] * active[0]) @ w[0], rtol=1e-9, atol=1e-12
    )


@settings(max_examples=100, deadline=None)
@given(sizes, dtypes, seeds, st.booleans())
def test_shares_and_bias_add_up_to_the_logit(sizes: list[int], dtype: str, seed: int, from_elsewhere: bool) -> None:
    network, x = random_network(sizes, STRAIGHT, dtype, seed)
    baseline = np.float64(x) / 2 + 1 if from_elsewhere else None
    found = attribution(network, x, baseline=baseline, method="affine")
    logits = network.trace(x).layers[-1].pre_activations
    assert found.method == "affine"
    assert found.output == int(np.argmax(logits))
    assert found.total == float(logits[found.output])
    sizes_of_sums = summed_on_the_way(network, x)[found.output] + 2 * np.abs(found.weights) @ np.abs(found.baseline)
    assert found.error == abs(found.contributions.sum() + found.bias_contribution - found.total) <= 1e-5 * sizes_of_sums
    reads_as_it_adds_up(found)


@settings(max_examples=40, deadline=None)
@given(sizes, dtypes, seeds)
def test_why_this_and_not_that_is_the_difference_of_both(sizes: list[int], dtype: str, seed: int) -> None:
    network, x = random_network([*sizes[:-1], sizes[-1] + 1], SMOOTH, dtype, seed)
    found = attribution(network, x, output=0, against=1, method="integrated_gradients")
    logits = network.trace(x).layers[-1].pre_activations.astype(float)
    assert found.total == logits[0] - logits[1]
    assert found.error <= 1e-4 * (np.abs(logits).sum() + np.abs(found.contributions).sum())
    one, other = (attribution(network, x, k, method="integrated_gradients", steps=300) for k in (0, 1))
    both = attribution(network, x, output=0, against=1, method="integrated_gradients", steps=300)
    np.testing.assert_allclose(
        both.contributions,
        one.contributions - other.contributions,
        atol=1e-9 * (np.abs(one.contributions) + np.abs(other.contributions)).max(initial=1),
    )
    reads_as_it_adds_up(found)


@settings(max_examples=60, deadline=None)
@given(sizes, dtypes, seeds)
def test_integrated_gradients_are_complete_and_say_how_nearly(sizes: list[int], dtype: str, seed: int) -> None:
    network, x = random_network(sizes, SMOOTH, dtype, seed)
    found = attribution(network, x, method="integrated_gradients")
    at_zero = network.trace(np.zeros(sizes[0])).layers[-1].pre_activations.astype(float)
    size = np.abs(found.contributions).sum() + abs(found.total) + abs(found.bias_contribution)
    assert found.bias_contribution == pytest.approx(at_zero[found.output], rel=1e-5, abs=1e-6 * size)
    assert abs(found.total - found.bias_contribution - found.contributions.sum()) == pytest.approx(
        found.error, abs=1e-12 * size
    )
    assert found.error <= {"float32": 4e-5, "float64": 4e-7}[dtype] * size
    reads_as_it_adds_up(found)


@settings(max_examples=30, deadline=None)
@given(sizes, seeds)
def test_both_methods_share_out_the_same_total(sizes: list[int], seed: int) -> None:
    network, x = random_network(sizes, ["identity", "relu", "leaky_relu", "hard_sigmoid"], "float64", seed)
    exact, integrated = (attribution(network, x, method=name) for name in ("affine", "integrated_gradients"))
    assert exact.total == integrated.total
    size = np.abs(integrated.contributions).sum() + abs(integrated.total) + abs(integrated.bias_contribution)
    assert integrated.contributions.sum() + integrated.bias_contribution == pytest.approx(
        exact.contributions.sum() + exact.bias_contribution, abs=1e-6 * size
    )


def test_integrated_gradients_by_hand() -> None:
    # softplus(x) with weight 2: the average slope from 0 to 1 is (softplus(2) - softplus(0)) / 1
    network = gn.Network.from_layers([([[2.0]], [0.0], "softplus"), ([[1.0]], [0.0], "identity")])
    found = attribution(network, [1.0])
    assert found.method == "integrated_gradients"
    assert found.contributions[0] == pytest.approx(np.log1p(np.exp(2)) - np.log(2), rel=1e-9)
    assert found.bias_contribution == pytest.approx(np.log(2))
    # a relu that opens halfway: its average slope is half of its weight
    network = gn.Network.from_layers([([[2.0]], [-1.0], "relu"), ([[3.0]], [0.0], "identity")])
    assert attribution(network, [1.0], method="affine").contributions[0] == 6
    assert attribution(network, [1.0]).contributions[0] == pytest.approx(3, rel=1e-6)


def test_an_input_that_has_saturated_is_seen_by_the_default() -> None:
    """relu(x) - relu(x - 1) at 2 is 1, all of it from x; around 2 it is flat (Shrikumar 2017)."""
    hidden, output = ([[1.0], [1.0]], [0, -1], "relu"), ([[1.0, -1.0]], [0], "identity")
    network = gn.Network.from_layers([hidden, output], dtype="float64")
    assert attribution(network, [2.0]).contributions[0] == pytest.approx(1)
    assert attribution(network, [2.0], method="deeplift").contributions[0] == pytest.approx(1)
    assert attribution(network, [2.0], method="affine").contributions[0] == 0
    assert "does not see what an input did where its effect has saturated" in " ".join(
        str(attribution(network, [2.0], method="affine")).split()
    )


@settings(max_examples=40, deadline=None)
@given(sizes, dtypes, seeds, st.integers(1, 5))
def test_sums_are_the_change_from_the_baselines(sizes: list[int], dtype: str, seed: int, count: int) -> None:
    network, x = random_network(sizes, [*SMOOTH, "relu"], dtype, seed)
    background = np.random.default_rng(seed).normal(size=(count, sizes[0]))
    at = np.mean([network.trace(row).layers[-1].pre_activations[0] for row in background], dtype=float)
    for method in ("integrated_gradients", "deeplift"):
        found = attribution(network, x, 0, baseline=background, method=method)
        size = np.abs(found.contributions).sum() + abs(found.total) + abs(at)
        assert found.bias_contribution == pytest.approx(at, abs=1e-5 * size)
        assert found.contributions.sum() == pytest.approx(found.total - at, abs=1e-4 * size + 1e-6)
    if len(sizes) > 2:
        found = attribution(network, x, 0, baseline=background, layer=len(sizes) - 3)
        assert found.contributions.shape == (sizes[-2],)
        assert found.contributions.sum() == pytest.approx(found.total - at, abs=1e-4 * size + 1e-6)
        reads_as_it_adds_up(found)


@pytest.mark.parametrize("more", [{"layer": 1}, {"layer": True}, {"layer": -1}, {"neuron": (5, 0)}, {"neuron": (0, 9)}])
def test_layers_and_neurons_that_are_not_there(network: gn.Network, more: dict[str, Any]) -> None:
    with pytest.raises(AddressError):
        attribution(network, [1, 2, 3], **more)


def test_groups_and_regions_add_up(network: gn.Network) -> None:
    found = attribution(network, [1, 2, 3])
    grouped = found.grouped({"first": [0], "last": [2]})
    assert list(grouped) == ["first", "last", "others"]
    assert sum(grouped.values()) == pytest.approx(found.contributions.sum())
    with pytest.raises(SettingError, match="in two groups"):
        found.grouped({"a": [0, 1], "b": [1]})
    with pytest.raises(AddressError, match="has input 3"):
        found.grouped({"a": [3]})
    with pytest.raises(SettingError, match="no picture"):
        found.regions(1, 1)
    digit = gn.data.digits()[1][:1]
    seen = attribution(
        gn.Network.create("784-8-10", output="softmax", seed=0).described(scale=1 / 255, input_shape=(28, 28)),
        digit.inputs[0],
    )
    assert sum(seen.regions(4, 4).values()) == pytest.approx(seen.contributions.sum())


def reads_as_it_adds_up(found: Attribution) -> None:
    """What is printed: each number as it stands, above each rule, adds up to the one below it."""
    lines = str(found).splitlines()
    assert max(map(len, lines)) <= 80, max(lines, key=len)
    total, terms = 0, []
    for row in found.rows():
        figure = row.figure.replace(",", "")
        if row.kind == "result":
            continue
        units = int(figure.replace(".", ""))
        if row.kind == "total":
            assert total + sum(terms) == units
            total, terms = units, []
        else:
            terms.append(units)


def test_what_is_printed_of_a_digit_is_worth_reading() -> None:
    random = np.random.default_rng(0)
    digits = gn.Schema(input_shape=(28, 28), scale=1 / 255, classes=tuple("0123456789"))
    network = gn.Network.create("784-16-16-10", output="softmax", seed=0).with_schema(digits)
    picture = random.integers(0, 256, (28, 28), dtype=np.uint8)
    found = attribution(network, picture, output="7", against="1", method="affine")
    text = str(found)
    assert text.startswith(
        "why 7 and not 1: affine map in force, exact around this input alone\n"
        "each contribution is input x weight in force; it does not see what an input did"
    )
    assert re.search(r"\n  772 more inputs", text)
    assert re.search(r"\n  \+ bias in force  ", text)
    assert re.search(r"\n  logit of 7 less logit of 1 +-?\d", text)
    assert re.search(r"\n  odds of [17] to [17], exp +\d", text)
    assert found.names == ("7", "1")
    best = found.top(3)
    assert [share.contribution for share in best] == sorted((s.contribution for s in best), key=abs, reverse=True)
    assert best[0].name == f"pixel {best[0].index // 28},{best[0].index % 28}"
    assert best[0].contribution == pytest.approx(best[0].weight * picture.ravel()[best[0].index] / 255)
    reads_as_it_adds_up(found)
    assert "activation, softmax" in str(attribution(network, picture))
    assert "784 inputs -> 10 logits" in str(affine_map(network, picture))


def test_columns_keep_their_names_and_fit_the_line() -> None:
    names = ("age", "a column with a very long name that goes on and on", "height")
    network = gn.Network.create("3-4-1", "tanh", seed=0).with_schema(gn.Schema(features=names))
    found = attribution(network, [40, 0.1, 1.8], baseline=[20, 0, 1.7])
    assert "a column with a very long..." in str(found)
    assert "(input - baseline)" in str(found)
    assert {share.name for share in found.top()} == set(names)
    reads_as_it_adds_up(found)


def test_plain_values_for_json() -> None:
    network = gn.Network.create("3-4-2", seed=0)
    figures = attribution(network, [1, 2, 3]).as_dict()
    assert sum(figures["contributions"]) + figures["bias_contribution"] == pytest.approx(figures["total"], rel=1e-5)
    figures = affine_map(network, [1, 2, 3]).as_dict()
    np.testing.assert_allclose(np.array(figures["weights"]) @ [1, 2, 3] + figures["bias"], figures["logits"], rtol=1e-5)


@pytest.fixture
def digits() -> gn.Network:
    return gn.Network.create("4-3-3", seed=0).with_schema(gn.Schema(classes=("a", "b", "c")))


def test_a_smooth_network_has_no_affine_map(network: gn.Network, refused: Any) -> None:
    with refused(SettingError):
        affine_map(network, [1, 2, 3])
    with refused(SettingError):
        attribution(network, [1, 2, 3], method="affine")


def test_a_step_has_no_slope_to_integrate(network: gn.Network, refused: Any) -> None:
    stepped = network.with_activation(0, "step")
    assert attribution(stepped, [1, 2, 3]).method == "affine"
    with refused(SettingError):
        attribution(stepped, [1, 2, 3], method="integrated_gradients")


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"output": 3}, AddressError),
        ({"against": -1}, AddressError),
        ({"output": "d"}, SettingError),
        ({"output": 1.5}, SettingError),
        ({"output": 1, "against": "b"}, SettingError),
        ({"method": "affin"}, SettingError),
        ({"steps": 0}, SettingError),
        ({"baseline": [1, 2]}, InputError),
        ({"baseline": float("nan")}, InputError),
    ],
)
def test_settings_that_make_no_sense(digits: gn.Network, settings: dict, kind: type[Exception], refused: Any) -> None:
    with refused(kind):
        attribution(digits, [1, 2, 3, 4], **settings)


@pytest.mark.parametrize(
    "inputs",
    [
        [1, 2, 3],
        [1, 2, np.nan, 4],
        np.ones((5, 4)),
        [1e38, 1e38, 1e38, 1e38],
    ],
)
def test_inputs_that_cannot_be_explained(digits: gn.Network, inputs: object, refused: Any) -> None:
    with refused(InputError), np.errstate(all="ignore"):
        attribution(digits.with_parameters(digits.parameters * 100), inputs)


def test_an_affine_map_can_be_asked_of_other_inputs(digits: gn.Network, refused: Any) -> None:
    found = affine_map(digits, [1, 2, 3, 4])
    near = np.array([1.0, 2, 3, 4.001])  # the same pieces are in force there
    np.testing.assert_allclose(found(near), digits(near), rtol=1e-5, atol=1e-6)
    with refused(InputError):
        found([1, 2, 3])


def test_class_names_only_where_there_are_any(network: gn.Network, refused: Any) -> None:
    with refused(SettingError):
        attribution(network, [1, 2, 3], output="1")


@given(seed=st.integers(0, 100), width=st.integers(1, 5))
def test_the_size_of_what_was_summed_counts_every_weight_and_bias(seed: int, width: int) -> None:
    random = np.random.default_rng(seed)
    layers = [(random.normal(size=(width, 3)), random.normal(size=width), "relu")]
    layers.append((random.normal(size=(2, width)), random.normal(size=2), "identity"))
    inputs = random.normal(size=3)
    trace = gn.Network.from_layers(layers, dtype="float64").trace(inputs)
    (w0, b0, _), (w1, b1, _) = layers
    z = w0 @ inputs + b0
    counts = np.abs(w1) * (z > 0)
    wanted = np.abs(w1) @ np.maximum(z, 0) + np.abs(b1) + counts @ (np.abs(w0) @ np.abs(inputs) + np.abs(b0))
    np.testing.assert_allclose(summed_sizes(trace, np.eye(2)), wanted, rtol=1e-12)


def test_the_class_of_a_single_output_has_its_name(refused: Any) -> None:
    network = gn.Network.from_layers(
        [([[1.0, -2.0]], [0.5], "sigmoid")], gn.Schema(features=("a", "b"), classes=("no", "yes"))
    )
    found = gn.explain.attribution(network, [1.0, 1.0], output="yes")
    assert found.total == gn.explain.attribution(network, [1.0, 1.0]).total == -0.5
    assert "yes" in found.name
    for other in ("no", "maybe"):
        with refused(SettingError):
            gn.explain.attribution(network, [1.0, 1.0], output=other)
