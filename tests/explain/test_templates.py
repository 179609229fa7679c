"""Templates: weights as a pattern, and how well an input fits it."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.errors import AddressError, InputError, SettingError
from glassnet.explain.templates import template
from glassnet.render import text_pictures

CROSS = [[-1, 0.01, 1], [0.5, 0, -0.5], [1, -0.01, -1]]


@pytest.fixture
def pictures() -> gn.Network:
    """3 x 3 pixels, two neurons, one output."""
    layers = [([np.ravel(CROSS), np.ones(9)], [0.25, 0], "tanh"), ([[2.0, -3.0]], [0.5], "identity")]
    return gn.Network.from_layers(layers, gn.Schema(input_shape=(3, 3), scale=1 / 255))


def test_the_weights_of_the_first_layer_are_a_picture(pictures: gn.Network) -> None:
    found = template(pictures, 0, 0)
    np.testing.assert_array_equal(found.picture, CROSS)
    assert (found.bias, found.activation_name, found.match) == (0.25, "tanh", None)


def test_match_and_contributions_of_an_input(pictures: gn.Network) -> None:
    inputs = np.arange(9) / 8
    found = template(pictures, 0, 0, inputs)
    assert found.match is not None
    assert found.match.weighted_sum == pytest.approx(float(np.ravel(CROSS) @ inputs))
    lengths = np.linalg.norm(inputs) * np.linalg.norm(CROSS)
    assert found.match.cosine == pytest.approx(float(np.ravel(CROSS) @ inputs) / lengths)
    assert found.contributions.shape == (3, 3)
    assert found.contributions.sum() == pytest.approx(found.match.weighted_sum)
    same = template(pictures, 0, 0, np.ravel(CROSS)).match
    assert same is not None
    assert same.cosine == pytest.approx(1)
    nothing = template(pictures, 0, 0, np.zeros(9)).match
    assert nothing is not None
    assert nothing.cosine is None


def test_a_pixel_as_stored_counts_as_the_network_sees_it(pictures: gn.Network) -> None:
    stored = np.full((3, 3), 255, np.uint8)
    np.testing.assert_allclose(template(pictures, 0, 0, stored).contributions, CROSS, rtol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([None, (0.0, 1.0), (-1.0, 0.5)]))
@settings(max_examples=60, deadline=None)
def test_no_input_in_range_matches_better_than_the_best(
    seed: int, fan_in: int, within: tuple[float, float] | None
) -> None:
    network = gn.Network.create((fan_in, 2), seed=seed)
    best = template(network, 0, 1, within=within)
    low, high = within or (0.0, 1.0)
    assert set(best.best_input.tolist()) <= {np.float32(low), np.float32(high)}
    score = network.trace(best.best_input).layers[0].weighted_sums[1]
    assert best.best_score == pytest.approx(score, rel=1e-5, abs=1e-5)
    for inputs in np.random.default_rng(seed).uniform(low, high, (20, fan_in)):
        assert network.trace(inputs).layers[0].weighted_sums[1] <= best.best_score + 1e-5


def test_the_range_is_what_the_inputs_can_be(pictures: gn.Network) -> None:
    def ends(network: gn.Network, layer: int = 0) -> tuple[list[float], list[float]]:
        found = template(network, layer, 0)
        return found.low.tolist(), found.high.tolist()

    assert ends(pictures) == ([0] * 9, [1] * 9)  # 0 to 255, times 1/255
    table = gn.Schema(features=("a", "b"), centers=(0.0, 1.0), spreads=(1.0, 2.0))
    assert ends(gn.Network.create("2-1", seed=0).with_schema(table)) == ([-2, -2], [2, 2])
    rest = ([[1.0, 1.0]], [0.0], "identity")
    steps = gn.Network.from_layers([([[1.0, -1.0], [2.0, 3.0]], [0.5, -9.0], "relu"), rest], dtype="float64")
    assert ends(steps, 1) == ([0, 0], [1.5, 0])  # z from -0.5 to 1.5, and from -9 to -4


@given(
    seed=st.integers(0, 10_000),
    names=st.lists(st.sampled_from([name for name in ACTIVATIONS if name != "softmax"]), min_size=2, max_size=3),
    scale=st.sampled_from([0.1, 1, 10]),
)
def test_no_input_within_the_range_beats_the_best_one(seed: int, names: list[str], scale: float) -> None:
    random = np.random.default_rng(seed)
    sizes = [3, *(4 for _ in names)]
    network = gn.Network.create(sizes, names, seed=seed, dtype="float64")
    network = network.with_parameters(network.parameters * scale + random.normal(size=len(network.parameters)))
    trace = network.trace(random.random((50, 3)))
    for i, layer in enumerate(trace.layers):
        for neuron in range(4):
            best = template(network, i, neuron).best_score
            assert layer.weighted_sums[:, neuron].max() <= best + 1e-9 * max(1, abs(best))
            outside = 5 * random.normal(size=3)
            found = template(network, i, neuron, outside)
            assert found.match is not None
            assert found.match.weighted_sum <= found.best_score + 1e-9 * max(1, abs(found.best_score))


def test_a_later_neuron_attends_to_earlier_ones(pictures: gn.Network) -> None:
    found = template(pictures, 1, 0)
    assert [tuple(a) for a in found.attends] == [("neuron 0:1", 1, -3.0), ("neuron 0:0", 0, 2.0)]
    assert [a.name for a in template(pictures, 0, 0).attends][:2] == ["pixel 0,0", "pixel 0,2"]


def test_as_drawn_both_signs_have_their_glyphs_on_a_linear_scale(
    pictures: gn.Network, golden: Callable[..., None]
) -> None:
    golden(str(template(pictures, 0, 0)))
    assert text_pictures.signed(np.array([[1, -1, 0.5, -0.5, 0.2, -0.2, 0.01]])) == ["@@OO++--..``"]
    assert not set(text_pictures.FOR.strip()) & set(text_pictures.AGAINST.strip())


def test_as_listed_for_and_against(pictures: gn.Network, golden: Callable[..., None]) -> None:
    golden(str(template(pictures, 1, 0, np.ones(9))))


def test_large_pictures_are_drawn_smaller() -> None:
    network = gn.Network.create((200 * 300, 1), seed=0).with_schema(gn.Schema(input_shape=(200, 300)))
    for text in (str(template(network, 0, 0)), str(template(network, 0, 0, np.ones(200 * 300)))):
        lines = text.splitlines()
        assert max(map(len, lines)) <= 80
        assert len(lines) <= 50


def test_plain_values_for_json(pictures: gn.Network) -> None:
    figures = json.loads(json.dumps(template(pictures, 0, 0, np.ones(9)).as_dict(), allow_nan=False))
    assert figures["shape"] == [3, 3]
    assert sum(figures["contributions"]) == pytest.approx(figures["match"]["weighted_sum"])


def test_of_the_texts_of_a_column_one_at_most_is_1() -> None:
    hot = (("colour", "red"), ("colour", "blue"), None, ("shape", "round"))
    schema = gn.Schema(features=("a", "b", "size", "c"), centers=(0,) * 4, spreads=(1,) * 4, one_hot=hot)
    network = gn.Network.from_layers([([[0.5, 2, 1, -3]], [0], "relu")], schema)
    found = template(network, 0, 0)
    assert found.best_input.tolist() == [0, 1, 2, 0]
    assert found.best_score == 4
    assert "the best input from -2 to 2, one text of each column, would match with 4" in str(found)
    assert template(network, 0, 0, within=(0, 1)).best_input.tolist() == [0, 1, 1, 0]


def test_what_cannot_be_had_says_what_can(pictures: gn.Network, network: gn.Network, refused: Any) -> None:
    with refused(SettingError):
        template(pictures, 1, 0).picture  # noqa: B018
    with refused(SettingError):
        template(network, 0, 0).picture  # noqa: B018
    assert template(network, 0, 0).weights.shape == (3,)
    with refused(SettingError):
        template(network, 0, 0).contributions  # noqa: B018
    with refused(AddressError):
        template(network, 0, 4)
    with refused(InputError):
        template(network, 0, 0, np.ones((2, 3)))
    with refused(InputError):
        template(network, 0, 0, np.ones(4))
    with refused(InputError):
        template(network, 0, 0, [1, 2, np.nan])
    with refused(SettingError):
        template(network, 0, 0, within=(1, 0))


def test_bounds_are_read_as_inputs_are() -> None:
    network = gn.Network.create("4-3", seed=0).with_schema(gn.Schema((2, 2), 1 / 255))
    of_pixels, of_fractions = (template(network, 0, 1, within=bounds) for bounds in ((0, 51), (0.0, 0.2)))
    assert of_pixels.best_score == pytest.approx(of_fractions.best_score)
    with pytest.raises(InputError):
        template(network, 0, 1, within=(0.0, 51.0))
