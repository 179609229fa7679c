"""Experiments on the values of a network: what each changes, and what it leaves as it was."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import InputError, SettingError
from glassnet.explain import perturbation
from glassnet.explain.perturbations import KINDS, noise, prune, round_bits, scramble


@pytest.fixture(scope="module")
def learnt() -> tuple[gn.Network, gn.Dataset]:
    """A network that knows the test digits well enough, and 2,000 of them."""
    train, test = gn.data.digits()
    start = gn.Network.create("784-16-10", output="softmax", seed=0)
    return gn.train(start, train[:20_000], epochs=2).network, test[:2000]


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(1, 8), min_size=2, max_size=4), seed=st.integers(0, 999))
def test_scrambling_keeps_every_value_of_every_layer(sizes: list[int], seed: int) -> None:
    network = gn.Network.create(sizes, seed=seed)
    other = scramble(network, seed)
    for a, b in zip(network.layers, other.layers, strict=True):
        assert sorted(a.weights.ravel()) == sorted(b.weights.ravel())
        assert sorted(a.biases) == sorted(b.biases)
    assert scramble(network, seed) == other
    assert scramble(network, seed, share=0) == network


def test_scrambling_moves_the_share_that_was_asked_for() -> None:
    network = gn.Network.create("60-60-10", seed=0)
    moved = np.mean(scramble(network, 1, share=0.3).layers[0].weights != network.layers[0].weights)
    assert moved == pytest.approx(0.3, abs=0.03)
    assert scramble(network, 1) != scramble(network, 2)


def test_noise_has_the_spread_that_was_asked_for() -> None:
    network = gn.Network.create("100-80-10", seed=0, dtype="float64")
    small, large = (noise(network, share, seed=3) for share in (0.1, 0.2))
    drawn = small.layers[0].weights - network.layers[0].weights
    size = np.sqrt(np.mean(network.layers[0].weights ** 2))
    assert drawn.std() == pytest.approx(0.1 * size, rel=0.05)
    np.testing.assert_allclose(large.layers[0].weights - network.layers[0].weights, 2 * drawn, atol=1e-12)
    assert noise(network, 0) == network


def test_noise_is_measured_by_the_root_mean_square_not_by_the_spread() -> None:
    network = gn.Network.create("40-50-1", seed=0, dtype="float64")
    network = network.with_parameters(np.full(len(network.parameters), 2.0))  # a spread of 0
    drawn = noise(network, 0.5, seed=1).layers[0].weights - 2
    assert np.sqrt(np.mean(drawn**2)) == pytest.approx(1.0, rel=0.05)


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0, 1), seed=st.integers(0, 99))
def test_pruning_takes_the_smallest_weights_and_no_bias(share: float, seed: int) -> None:
    network = noise(gn.Network.create("6-5-3", seed=seed), 0.1, seed)
    other = prune(network, share)
    for a, b in zip(network.layers, other.layers, strict=True):
        gone = b.weights == 0
        assert gone.sum() == round(share * a.weights.size)
        assert np.array_equal(a.biases, b.biases)
        assert np.array_equal(a.weights[~gone], b.weights[~gone])
        if gone.any() and not gone.all():
            assert np.abs(a.weights[gone]).max() <= np.abs(a.weights[~gone]).min()


@settings(max_examples=40, deadline=None)
@given(bits=st.integers(1, 12), seed=st.integers(0, 99))
def test_rounding_leaves_so_many_values_and_moves_none_by_more_than_half_a_step(bits: int, seed: int) -> None:
    network = gn.Network.create("20-10-3", seed=seed, dtype="float64")
    for a, b in zip(network.layers, round_bits(network, bits).layers, strict=True):
        step = np.ptp(a.weights) / (2**bits - 1)
        assert len(np.unique(b.weights)) <= 2**bits
        assert np.abs(a.weights - b.weights).max() <= step / 2 * (1 + 1e-9)
        assert (b.weights.min(), b.weights.max()) == pytest.approx((a.weights.min(), a.weights.max()))
        assert np.array_equal(a.biases, b.biases)  # all 0: nothing to round


def test_what_it_knows_is_in_the_order_of_its_values(learnt: tuple[gn.Network, gn.Dataset]) -> None:
    network, test = learnt
    found = perturbation(network, test, "scramble", [0.2, 1.0], repeats=5)
    assert found.unchanged == gn.evaluate(network, test).accuracy
    assert found.unchanged > 0.85
    assert found.accuracy[0] < found.unchanged
    assert found.accuracy[1] == pytest.approx(found.chance, abs=0.06)
    assert found.figures[1][2] == gn.evaluate(scramble(network, 2), test).accuracy


@pytest.mark.parametrize("kind", KINDS)
def test_each_experiment_ends_below_where_it_began(kind: str, learnt: tuple[gn.Network, gn.Dataset]) -> None:
    network, test = learnt
    found = perturbation(network, test, kind, repeats=2)
    assert len(found.figures[0]) == (2 if kind in ("scramble", "noise") else 1)
    assert found.accuracy[-1] < found.unchanged
    assert found.accuracy[0] > 0.6
    lines = str(found).splitlines()
    assert lines[0].startswith(f"{kind.replace('_', ' ')}: accuracy on test digits, 2,000 examples")
    assert max(map(len, lines)) <= 80
    assert f"  unchanged  {found.unchanged:>8.2%}  ####" in lines[2]
    assert [float(line.split()[0]) for line in lines[3:-1]] == list(found.strengths)
    figures = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert [row["mean"] for row in figures["rows"]] == [mean for _, mean in found]


def test_measurements_are_told_by_r_squared() -> None:
    x = np.random.default_rng(0).normal(size=(50, 2))
    network = gn.Network.from_layers([([[1.0, 2.0]], [0.0], "identity")])
    found = perturbation(network, (x, x @ [1.0, 2.0]), "prune", [0.0, 0.5])
    assert found.unchanged == found.accuracy[0] == pytest.approx(1)
    assert 0.5 < found.accuracy[1] < 0.95
    assert "prune: R squared on data, 50 examples" in str(found)


def test_bad_input_is_told(network: gn.Network, blobs: gn.Dataset, refused: Any) -> None:
    with refused(SettingError):
        prune(network, 1.5)
    with refused(SettingError):
        noise(network, float("nan"))
    with refused(SettingError):
        round_bits(network, 2.5)
    with refused(SettingError):
        perturbation(network, blobs, "nosie")
    with refused(InputError):
        perturbation(network, blobs.inputs, "noise")
    with refused(InputError):
        perturbation(network, blobs, "noise")
    with refused(SettingError):
        perturbation(network, blobs, "noise", [])
    with refused(SettingError):
        perturbation(network, blobs, "noise", repeats=0)
