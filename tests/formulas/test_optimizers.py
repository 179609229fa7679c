"""Each update rule, step by step beside PyTorch's."""

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
import torch_oracle
from torch_oracle import tensor

from glassnet.errors import SettingError
from glassnet.optimizers import OPTIMIZERS, SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSprop, optimizer

RULES: list[Optimizer] = [
    *(rule() for rule in OPTIMIZERS.values()),
    Momentum(0.5),
    Nesterov(0.1),
    Adam(0.8, 0.95, 1e-3),
    Adam(beta1=0.0, beta2=0.0),
    AdamW(0.8, 0.95, 1e-3, weight_decay=0.3),
    AdamW(weight_decay=0.0),
    RMSprop(decay=0.5, epsilon=1e-2),
    Adagrad(epsilon=0.5),
]

ALL_RULES = pytest.mark.parametrize("rule", RULES, ids=str)

SETTINGS = {
    "sgd": {},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9},
    "adam": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8},
    "adamw": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.01},
    "rmsprop": {"decay": 0.99, "epsilon": 1e-8},
    "adagrad": {"epsilon": 1e-10},
}


@ALL_RULES
def test_thirty_steps_are_pytorchs(rule: Optimizer) -> None:
    random = np.random.default_rng(1)
    parameters = random.normal(size=40)
    theirs = tensor(parameters)
    torch_rule = torch_oracle.optimizer(rule, [theirs])
    slots = [np.zeros_like(parameters) for _ in rule.slots]
    for step in range(1, 31):
        rate = float(random.uniform(0.01, 0.1))
        slopes = random.normal(size=40) * 10.0 ** random.integers(-3, 3, 40)
        slopes[::7] = 0
        theirs.grad = tensor(slopes)
        torch_rule.param_groups[0]["lr"] = rate
        torch_rule.step()
        rule.update(parameters, slopes, slots, rate, step)
        np.testing.assert_allclose(parameters, theirs, rtol=1e-12, atol=1e-14)


@ALL_RULES
def test_float32_stays_float32_and_close(rule: Optimizer) -> None:
    random = np.random.default_rng(2)
    exact = random.normal(size=40)
    single = exact.astype(np.float32)
    exact_slots = [np.zeros_like(exact) for _ in rule.slots]
    slots = [np.zeros_like(single) for _ in rule.slots]
    for step in range(1, 11):
        slopes = random.normal(size=40)
        rule.update(single, slopes.astype(np.float32), slots, 0.01, step)
        rule.update(exact, slopes, exact_slots, 0.01, step)
    assert all(array.dtype == np.float32 for array in (single, *slots))
    np.testing.assert_allclose(single, exact, rtol=1e-5, atol=1e-6)


@ALL_RULES
def test_it_moves_parameters_and_memory_in_place_and_keeps_nothing_itself(rule: Optimizer) -> None:
    parameters, slots = np.ones(3), [np.zeros(3) for _ in rule.slots]
    rule.update(parameters, np.array([1.0, -2.0, 0.5]), slots, 0.1, 1)
    assert (parameters != 1).all()
    assert all(slot.all() for slot in slots)

    again = np.ones(3)
    rule.update(again, np.array([1.0, -2.0, 0.5]), [np.zeros(3) for _ in rule.slots], 0.1, 1)
    np.testing.assert_array_equal(again, parameters)


def test_a_rule_is_a_value() -> None:
    assert Adam() == Adam(0.9, 0.999, 1e-8) != AdamW()
    with pytest.raises(FrozenInstanceError):
        Momentum().momentum = 0.5


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_name_gives_the_rule_with_pytorchs_usual_settings(name: str) -> None:
    rule = optimizer(name)
    assert (rule.name, vars(rule)) == (name, SETTINGS[name])
    assert optimizer(rule) is rule


@pytest.mark.parametrize(
    ("rule", "setting"),
    [
        (Momentum, "momentum"),
        (Nesterov, "momentum"),
        (Adam, "beta1"),
        (Adam, "beta2"),
        (AdamW, "beta2"),
        (RMSprop, "decay"),
    ],
)
@pytest.mark.parametrize("value", [-0.1, 1.0, 2, float("nan"), float("inf")])
def test_shares_are_from_0_to_below_1(rule: Any, setting: str, value: float, refused: Any) -> None:
    with refused(SettingError):
        rule(**{setting: value})


@pytest.mark.parametrize(
    ("rule", "setting"), [(Adam, "epsilon"), (AdamW, "weight_decay"), (RMSprop, "epsilon"), (Adagrad, "epsilon")]
)
@pytest.mark.parametrize("value", [-1e-9, float("nan"), float("inf")])
def test_decay_and_epsilon_are_finite_and_not_below_0(rule: Any, setting: str, value: float, refused: Any) -> None:
    with refused(SettingError):
        rule(**{setting: value})


def test_an_unknown_name_suggests_the_nearest(refused: Any) -> None:
    with refused(SettingError):
        optimizer("Adm")


def test_every_rule_has_a_usual_learning_rate() -> None:
    assert all(0 < rule.default_learning_rate < 1 for rule in OPTIMIZERS.values())
    assert SGD.default_learning_rate > AdamW.default_learning_rate
