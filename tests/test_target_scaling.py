"""Units: what was learnt around 0 is told in the unit it came in."""

from typing import Any

import numpy as np

import glassnet as gn
from glassnet.errors import SettingError
from glassnet.training.target_scaling import Unit


def test_standardised_and_restored_it_says_the_same() -> None:
    random = np.random.default_rng(0)
    data = gn.Dataset(random.normal(size=(50, 3)), random.normal([300.0, -2.0], [70.0, 0.1], (50, 2)))
    unit = Unit.of(data)
    around_0 = unit.standardise(data).targets
    np.testing.assert_allclose(around_0.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(around_0.std(axis=0), 1)
    network = gn.Network.create("3-5-2", seed=0, dtype="float64")
    expected = network(data.inputs) * unit.spread + unit.center
    np.testing.assert_allclose(unit.restore(network)(data.inputs), expected, rtol=1e-12)


def test_targets_that_are_all_the_same_stay_finite() -> None:
    data = gn.Dataset(np.ones((4, 1)), np.full(4, 7.5))
    assert (Unit.of(data).standardise(data).targets == 0).all()


def test_a_squished_last_layer_cannot_take_a_unit_over(refused: Any) -> None:
    unit = Unit(np.zeros(1), np.ones(1))
    with refused(SettingError):
        unit.restore(gn.Network.create("2-1", output="tanh"))
