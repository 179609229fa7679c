"""Where the weights start: spread as published, drawn from the seed alone."""

from typing import Any

import numpy as np
import pytest

from glassnet.activations import ACTIVATIONS
from glassnet.arrays import Array
from glassnet.errors import SettingError
from glassnet.initializers import INITIALIZERS, fitting, initializer

FAN_IN, FAN_OUT = 300, 200

VARIANCES = {
    "he_normal": 2 / 300,
    "he_uniform": 2 / 300,
    "glorot_normal": 2 / 500,
    "glorot_uniform": 2 / 500,
    "lecun_normal": 1 / 300,
    "lecun_uniform": 1 / 300,
    "normal": 1,
    "uniform": 1 / 900,  # a third of the limit squared, and the limit is 1 / sqrt(fan_in)
}


def drawn(name: str, seed: int = 0) -> Array:
    return initializer(name)(np.random.default_rng(seed), FAN_IN, FAN_OUT)


def test_every_rule_is_tested() -> None:
    assert {*VARIANCES, "zeros"} == set(INITIALIZERS)


@pytest.mark.parametrize("name", VARIANCES)
def test_mean_and_variance_are_the_published_ones(name: str) -> None:
    weights, variance, count = drawn(name), VARIANCES[name], FAN_IN * FAN_OUT
    assert weights.shape == (FAN_OUT, FAN_IN)
    of_the_variance = (0.8 if "uniform" in name else 2) / count  # kurtosis - 1, over the count
    assert abs(weights.mean()) < 4 * (variance / count) ** 0.5
    assert weights.var() == pytest.approx(variance, rel=4 * of_the_variance**0.5)


@pytest.mark.parametrize("name", VARIANCES)
def test_uniform_rules_keep_to_their_limit_and_normal_ones_do_not(name: str) -> None:
    limit = (3 * VARIANCES[name]) ** 0.5
    largest = np.abs(drawn(name)).max()
    if "uniform" in name:
        assert 0.999 * limit < largest <= limit
    else:
        assert largest > 2 * limit


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_seed_decides_the_weights(name: str) -> None:
    np.testing.assert_array_equal(drawn(name, seed=3), drawn(name, seed=3))
    assert np.array_equal(drawn(name, seed=3), drawn(name, seed=4)) == (name == "zeros")


def test_zeros_are_zeros() -> None:
    np.testing.assert_array_equal(drawn("zeros"), np.zeros((FAN_OUT, FAN_IN)))


FITTING = {
    "identity": "glorot_uniform",
    "sigmoid": "glorot_uniform",
    "tanh": "glorot_uniform",
    "relu": "he_normal",
    "leaky_relu": "he_normal",
    "elu": "he_normal",
    "selu": "lecun_normal",
    "softplus": "he_normal",
    "gelu": "he_normal",
    "gelu_tanh": "he_normal",
    "silu": "he_normal",
    "mish": "he_normal",
    "hard_sigmoid": "glorot_uniform",
    "step": "glorot_uniform",
    "softmax": "glorot_uniform",
}


def test_every_activation_has_its_fitting_rule() -> None:
    assert {name: fitting(name) for name in ACTIVATIONS} == FITTING


@pytest.mark.parametrize(("name", "rule"), [("relu", "he_normal"), ("selu", "lecun_normal")])
def test_through_thirty_layers_the_fitting_rule_keeps_the_signal_alive(name: str, rule: str) -> None:
    random = np.random.default_rng(0)
    assert fitting(name) == rule
    signal = random.normal(size=(50, 200))
    start = (signal**2).mean()
    for _ in range(30):
        signal = ACTIVATIONS[name](signal @ initializer(rule)(random, 200, 200).T)
    assert 0.2 < (signal**2).mean() / start < 5


def test_a_function_of_ones_own_is_taken_as_it_is() -> None:
    def mine(random: np.random.Generator, fan_in: int, fan_out: int) -> Array:
        return np.full((fan_out, fan_in), 0.5)

    assert initializer(mine) is mine


def test_an_unknown_name_suggests_the_nearest(refused: Any) -> None:
    with refused(SettingError):
        initializer("he-norml")
