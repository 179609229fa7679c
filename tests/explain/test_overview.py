"""The whole network in a screenful, and what mattered in words."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import AddressError, SettingError
from glassnet.explain.overviews import overview
from glassnet.explain.wording import listed, neuron_summary, share_text
from glassnet.neuron import NeuronTrace


@pytest.fixture
def bars() -> gn.Network:
    """Tells upright from level bars in 4 x 4 pixels: one neuron for each middle line."""
    upright = np.zeros((4, 4))
    upright[:, 1:3] = 1
    layers = [
        ([upright.ravel(), upright.T.ravel()], [-4.0, -4.0], "relu"),
        ([[1.0, -1.0], [-1.0, 1.0]], [0.5, 0.0], "softmax"),
    ]
    return gn.Network.from_layers(layers, gn.Schema(input_shape=(4, 4), classes=("upright", "level")))


UPRIGHT = [[0, 1, 0.8, 0], [0, 1, 1, 0], [0, 1, 0.8, 0], [0, 1, 1, 0]]


def test_the_screenful(bars: gn.Network, golden: Callable[..., None]) -> None:
    view = overview(bars.trace(UPRIGHT), name="a bar")
    assert view.predicted == "upright"
    golden(str(view))


@pytest.mark.parametrize("columns", [72, 80, 100, 120, 200])
@pytest.mark.parametrize("sizes", ["784-16-16-10", "3-1", "30-400-40-20-20-20-20-20-20-26", "2-1000-1"])
def test_it_fits_the_screen(sizes: str, columns: int) -> None:
    network = gn.Network.create(sizes, "tanh", output="softmax" if sizes[-2:] != "-1" else None, seed=0)
    if sizes.startswith("784"):
        digits = gn.Schema(input_shape=(28, 28), classes=tuple("0123456789"))
        network = network.with_schema(digits)
    random = np.random.default_rng(0)
    inputs = random.uniform(0, 1, network.sizes[0])
    lines = (
        overview(network.trace(inputs), name="an input with a rather long name.csv, row 12").document().text(columns)
    )
    assert max(map(len, lines.splitlines())) <= columns
    assert len(lines.splitlines()) <= 32


def test_addresses_of_many_lengths_fit_the_screen() -> None:
    stepping = gn.Network.create("15-140-1", "step", seed=0, dtype="float64")
    for seed in range(20):
        inputs = np.random.default_rng(seed).normal(size=15)
        assert max(map(len, str(overview(stepping.trace(inputs))).splitlines())) <= 80


def test_measurements_are_no_classes() -> None:
    network = gn.Network.from_layers([([[1.0], [-2.0]], [0, 0], "identity")])
    assert overview(network.trace([1.5])).says == "output 1 = -3 is furthest from 0"
    price = gn.Network.from_layers([([[2.0, 1.0]], [0], "identity")], gn.Schema(features=("a", "b"), target="price"))
    assert overview(price.trace([1, 1])).says == "price = 3"
    answer = gn.Schema(classes=("no", "yes"), target="answer")
    one = gn.Network.from_layers([([[2.0, 1.0]], [0], "sigmoid")], answer)
    view = overview(one.trace([1, 1]))
    assert (view.says, view.predicted) == ("answer = 0.9526: looks like yes", "yes")
    assert overview(one.trace([-1, 1])).predicted == "no"


def neuron(weights: list[float], inputs: list[float], bias: float, names: tuple[str, ...] | None = None) -> str:
    """The words for one relu neuron."""
    schema = gn.Schema(features=names)
    network = gn.Network.from_layers([([weights], [bias], "relu")], schema, dtype="float64")
    return neuron_summary(network.trace(inputs), 0, 0).split(": ", 1)[1]


@pytest.mark.parametrize(
    ("weights", "bias", "words"),
    [
        ([3, 0.1, 0.2], -0.1, "mostly age, for; its bias lowers it a little."),
        ([3, -2.9, 0.2], 0.001, "mostly age, for, and hue, against; its bias has little effect."),
        ([0.5, 0.5, 0], -2, "mostly age, for; its bias of -2 decides."),
        ([3, 3, 3], 5, "mostly age and hue, for; its bias raises it a lot."),
        ([3, 3, 3], 2, "mostly age and hue, for; its bias raises it."),
        ([-3, 0, 0], -2, "mostly age, against; its bias lowers it a lot."),
        ([0, 0, 0], 0.5, "nothing comes in, all products are 0; only its bias of 0.5 counts."),
        ([0, 0, 1], 0, "mostly weight, for; it has no bias."),
    ],
)
def test_what_mattered_in_words(weights: list[float], bias: float, words: str) -> None:
    assert neuron(weights, [1, 1, 1], bias, ("age", "hue", "weight")) == words


def test_many_inputs_are_not_made_out_to_be_few() -> None:
    words = neuron([1.0] * 100, [1.0] * 60 + [0.0] * 40, 0.0)
    assert words.startswith("many inputs (30 of 60 make half), most of all inputs 0, 1 and 2, for;")


def test_names_are_listed_as_one_would_say_them() -> None:
    assert listed(["pixel 9,14", "pixel 10,14"]) == "pixels 9,14 and 10,14"
    assert listed(["pixel 9,14", "pixel 1,1", "pixel 10,14"]) == "pixels 9,14; 1,1 and 10,14"
    assert listed(["neuron 1:3"]) == "neuron 1:3"
    assert listed(["age", "pixel size", "hue"]) == "age, pixel size and hue"


def test_nearly_all_is_not_all() -> None:
    assert [share_text(share) for share in (1.0, 0.99999, 0.9984, 0.5, 0.00001, 0.0)] == [
        "100.0 %",
        "over 99.9 %",
        "99.8 %",
        "50.0 %",
        "under 0.1 %",
        "0.0 %",
    ]


def test_what_does_not_fit_is_told(bars: gn.Network, refused: Any) -> None:
    with refused(SettingError):
        overview(bars.trace(np.ones((2, 16))))
    with refused(SettingError):
        overview(bars.trace(UPRIGHT), top=0)
    with refused(SettingError):
        bars.trace(UPRIGHT).neuron(0, 0).rows(top=-1)
    with refused(AddressError):
        neuron_summary(bars.trace(UPRIGHT), 0, 2)


def test_a_neuron_trace_made_by_hand_has_words_too() -> None:
    from glassnet.explain.wording import what_mattered

    trace = NeuronTrace(np.array([1.0, 2.0]), np.array([1.0, -1.0]), -1.0, 0.5, -0.5, "relu", 0.0)
    assert what_mattered(trace) == "mostly input 1, against"


def test_a_tie_is_called_one() -> None:
    schema = gn.Schema(classes=("a", "b", "c", "d", "e"))
    network = gn.Network.from_layers([(np.ones((5, 2)), np.zeros(5), "softmax")], schema)
    assert overview(network.trace([1, 1])).says == "5 tie (a, b, c and 2 more, 20.0 % each)"


@pytest.mark.parametrize("address", [(0, 1.0), (0, True), (0.0, 1), (np.float64(0), 0), ("0", 0)])
def test_an_address_is_two_whole_numbers(address: Any) -> None:
    network = gn.Network.create("2-3-2", seed=0)
    with pytest.raises(AddressError, match="whole numbers"):
        network.trace([1, 1]).neuron(*address)
    assert network.trace([1, 1]).neuron(np.int64(0), np.uint8(1)).name.startswith("neuron 0:1")
