"""Each loss and its slope: PyTorch's numbers, weights for classes and examples, and a door that explains itself."""

from typing import Any

import numpy as np
import pytest
import torch
import torch_oracle
from formula_cases import random_targets, tries
from hypothesis import given
from hypothesis import strategies as st
from torch_oracle import tensor

from glassnet.arrays import Array
from glassnet.errors import GlassnetError, InputError, SettingError
from glassnet.losses import (
    LOSSES,
    AbsoluteError,
    BinaryCrossEntropy,
    CrossEntropy,
    Huber,
    Loss,
    SquaredError,
    default_loss,
    loss,
)

CLASS_WEIGHTS = (0.5, 2.0, 1.0, 0.1, 3.0, 1.5, 0.0, 1.0)

KINDS: list[Loss] = [
    SquaredError(),
    AbsoluteError(),
    Huber(),
    Huber(0.3),
    Huber(1e6),
    BinaryCrossEntropy(),
    CrossEntropy(),
    CrossEntropy(label_smoothing=0.2),
    CrossEntropy(class_weights=CLASS_WEIGHTS),
    CrossEntropy(0.2, CLASS_WEIGHTS),
]

ALL_KINDS = pytest.mark.parametrize("kind", KINDS, ids=str)


def fitted(kind: Loss, fan_out: int) -> tuple[Loss, int]:
    """The loss with as many class weights as outputs; cross-entropy takes two outputs or more."""
    if not isinstance(kind, CrossEntropy):
        return kind, fan_out
    fan_out = max(fan_out, 2)
    weights = kind.class_weights and kind.class_weights[:fan_out]
    return CrossEntropy(kind.label_smoothing, weights), fan_out


def slope_of(kind: Loss, outputs: Array, targets: Array, weights: Array | None = None) -> tuple[float, Array]:
    """PyTorch's value and autograd's slope."""
    at = tensor(outputs, slopes=True)
    value = torch_oracle.loss_value(kind, at, tensor(targets), None if weights is None else tensor(weights))
    (slope,) = torch.autograd.grad(value, at)
    return float(value.detach()), slope.numpy()


SEEDS = st.integers(0, 2**32 - 1)


@ALL_KINDS
@given(n=st.integers(1, 6), fan_out=st.integers(1, 8), weighted=st.booleans(), seed=SEEDS)
@tries(40)
def test_value_and_slope_are_pytorchs(kind: Loss, n: int, fan_out: int, weighted: bool, seed: int) -> None:
    random = np.random.default_rng(seed)
    kind, fan_out = fitted(kind, fan_out)
    outputs = random.normal(0, 3, (n, fan_out))
    targets = random_targets(kind, n, fan_out, random)
    weights = random.uniform(0.1, 3, n) if weighted else None
    if not kind.total_weight(targets, weights):
        return  # all examples are of a class with weight 0, where PyTorch divides by 0: see below
    value, slope = slope_of(kind, outputs, targets, weights)
    assert kind.value(outputs, targets, weights) == pytest.approx(value, rel=1e-12, abs=1e-14)
    np.testing.assert_allclose(kind.slope(outputs, targets, weights), slope, rtol=1e-11, atol=1e-15)


@ALL_KINDS
def test_float32_stays_float32_and_close(kind: Loss) -> None:
    random = np.random.default_rng(3)
    kind, fan_out = fitted(kind, 5)
    outputs, weights = random.normal(0, 3, (20, fan_out)), random.uniform(0.1, 3, 20)
    targets = random_targets(kind, 20, fan_out, random)
    small = targets if targets.ndim == 1 else targets.astype(np.float32)
    slope = kind.slope(outputs.astype(np.float32), small, weights.astype(np.float32))
    assert slope.dtype == np.float32
    np.testing.assert_allclose(slope, kind.slope(outputs, targets, weights), rtol=1e-5, atol=1e-7)
    value = kind.value(outputs.astype(np.float32), small, weights.astype(np.float32))
    assert value == pytest.approx(kind.value(outputs, targets, weights), rel=1e-6)


# Weights of the examples


@ALL_KINDS
@given(counts=st.lists(st.integers(0, 3), min_size=1, max_size=6), fan_out=st.integers(1, 8), seed=SEEDS)
@tries(30)
def test_weight_2_is_the_example_twice_and_weight_0_is_none(
    kind: Loss, counts: list[int], fan_out: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    kind, fan_out = fitted(kind, fan_out)
    outputs = random.normal(0, 3, (len(counts), fan_out))
    targets = random_targets(kind, len(counts), fan_out, random)
    weights = np.array(counts, float)
    repeated = np.repeat(np.arange(len(counts)), counts)

    alike = kind.value(outputs[repeated], targets[repeated])
    assert kind.value(outputs, targets, weights) == pytest.approx(alike, rel=1e-12, abs=1e-14)
    slopes = np.zeros_like(outputs)
    np.add.at(slopes, repeated, kind.slope(outputs[repeated], targets[repeated]))
    np.testing.assert_allclose(kind.slope(outputs, targets, weights), slopes, rtol=1e-11, atol=1e-15)


@ALL_KINDS
def test_weights_that_are_all_0_give_0_and_not_nan(kind: Loss) -> None:
    random = np.random.default_rng(0)
    kind, fan_out = fitted(kind, 3)
    outputs, targets = random.normal(size=(4, fan_out)), random_targets(kind, 4, fan_out, random)
    with np.errstate(all="raise"):
        assert kind.value(outputs, targets, np.zeros(4)) == 0
        np.testing.assert_array_equal(kind.slope(outputs, targets, np.zeros(4)), np.zeros((4, fan_out)))


def test_a_batch_of_nothing_but_classes_of_weight_0_gives_0_and_not_nan() -> None:
    kind, outputs, labels = CrossEntropy(class_weights=(0.0, 1.0)), np.array([[1.0, 2.0]]), np.array([0])
    with np.errstate(all="raise"):
        assert kind.value(outputs, labels) == 0
        np.testing.assert_array_equal(kind.slope(outputs, labels), [[0, 0]])


# Extremes


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("kind", "logits", "target", "value", "slope"),
    [
        (CrossEntropy(), [1e4, -1e4], 1, 2e4, [1, -1]),
        (CrossEntropy(), [1e4, -1e4], 0, 0, [0, 0]),
        (CrossEntropy(), [-1e4, -1e4], 0, np.log(2), [-0.5, 0.5]),
        (CrossEntropy(), [1e4, -1e4], [0.25, 0.75], 1.5e4, [0.75, -0.75]),
        (CrossEntropy(label_smoothing=0.5), [1e4, -1e4], 1, 1.5e4, [0.75, -0.75]),
        (CrossEntropy(class_weights=(1.0, 2.0)), [1e4, -1e4], 1, 2e4, [1, -1]),
        (BinaryCrossEntropy(), [1e4, -1e4], [0, 1], 1e4, [0.5, -0.5]),
        (BinaryCrossEntropy(), [1e4, -1e4], [1, 0], 0, [0, 0]),
        (SquaredError(), [1e4, -1e4], [0, 0], 1e8, [1e4, -1e4]),
        (AbsoluteError(), [1e4, -1e4], [0, 0], 1e4, [0.5, -0.5]),
        (Huber(), [1e4, -1e4], [0, 0], 1e4 - 0.5, [0.5, -0.5]),
    ],
    ids=str,
)
def test_outputs_of_ten_thousand_are_no_trouble(
    kind: Loss, logits: list[float], target: Any, value: float, slope: list[float], dtype: str
) -> None:
    outputs, targets = np.array([logits], dtype), kind.targets(np.array([target]), 2, dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert kind.value(outputs, targets) == pytest.approx(value, rel=1e-6)
        np.testing.assert_allclose(kind.slope(outputs, targets), [slope], rtol=1e-6)


# The door


@pytest.mark.parametrize("labels", [[0, 2, 1], np.array([0, 2, 1], np.uint8), [0.0, 2.0, 1.0]], ids=repr)
def test_labels_come_in_as_whole_numbers_of_any_type(labels: Any) -> None:
    targets = CrossEntropy().targets(labels, 3, "float32")
    assert targets.dtype == np.int64
    np.testing.assert_array_equal(targets, [0, 2, 1])


@pytest.mark.parametrize("kind", [SquaredError(), AbsoluteError(), Huber(), BinaryCrossEntropy()], ids=str)
def test_labels_become_a_row_each_where_every_output_has_a_target_of_its_own(kind: Loss) -> None:
    targets = kind.targets([2, 0], 3, "float32")
    assert targets.dtype == np.float32
    np.testing.assert_array_equal(targets, [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("kind", [SquaredError(), AbsoluteError(), Huber(), BinaryCrossEntropy()], ids=str)
@pytest.mark.parametrize("given_targets", [[0.0, 1.0], [0, 1], [False, True], [[0], [1]]], ids=repr)
def test_one_output_takes_one_number_an_example(kind: Loss, given_targets: Any) -> None:
    targets = kind.targets(given_targets, 1, "float64")
    assert targets.dtype == np.float64
    np.testing.assert_array_equal(targets, [[0], [1]])


def test_booleans_are_labels_of_two_classes() -> None:
    np.testing.assert_array_equal(CrossEntropy().targets([True, False], 2, "float32"), [1, 0])


NAN = float("nan")


@pytest.mark.parametrize(
    ("kind", "targets", "fan_out", "error"),
    [
        (CrossEntropy(), [0, 3, 1], 3, InputError),
        (SquaredError(), [0, -1], 3, InputError),
        (CrossEntropy(), [0.5, 1.0], 3, InputError),
        (CrossEntropy(), [[0.5, 0.5]], 3, InputError),
        (SquaredError(), [[1.0, 2.0]], 1, InputError),
        (SquaredError(), 1.0, 1, InputError),
        (Huber(), [[0.0, NAN], [NAN, 0.0]], 2, InputError),
        (CrossEntropy(), [0.0, NAN, NAN], 2, InputError),
        (AbsoluteError(), [[1.0], [1.0, 2.0]], 2, InputError),
        (CrossEntropy(), ["cat", "dog"], 2, InputError),
        (BinaryCrossEntropy(), [0.5, 1.5], 1, InputError),
        (CrossEntropy(), [0, 1], 1, SettingError),
        (CrossEntropy(class_weights=(1.0, 2.0)), [0, 1], 3, SettingError),
    ],
)  # fmt: skip
def test_targets_that_do_not_fit_are_told_why(
    kind: Loss, targets: Any, fan_out: int, error: type[GlassnetError], refused: Any
) -> None:
    with refused(error):
        kind.targets(targets, fan_out, "float32")


# Settings and names


@pytest.mark.parametrize(
    "settings",
    [
        lambda: Huber(0),
        lambda: Huber(NAN),
        lambda: CrossEntropy(1.0),
        lambda: CrossEntropy(-0.1),
        lambda: CrossEntropy(class_weights=(1.0, -1.0)),
        lambda: CrossEntropy(class_weights=(NAN, 1.0)),
        lambda: loss("cros_entropy"),
    ],
)
def test_settings_are_checked_when_they_are_made(settings: Any, refused: Any) -> None:
    with refused(SettingError):
        settings()


def test_a_loss_goes_by_its_name_or_is_taken_as_it_is() -> None:
    assert [type(loss(name)) for name in LOSSES] == list(LOSSES.values())
    mine = Huber(0.3)
    assert loss(mine) is mine


@pytest.mark.parametrize(
    ("targets", "fan_out", "output", "name"),
    [
        (np.array([0, 2]), 3, "identity", "cross_entropy"),
        (np.array([0, 2]), 3, "softmax", "cross_entropy"),
        (np.array([0, 2]), 3, "sigmoid", "binary_cross_entropy"),
        (np.array([True, False]), 1, "identity", "binary_cross_entropy"),
        (np.array([0.5, 2]), 1, "identity", "squared_error"),
        (np.array([[0, 1], [1, 0]]), 2, "softmax", "squared_error"),
    ],
)
def test_the_loss_that_fits_targets_and_last_layer(targets: Array, fan_out: int, output: str, name: str) -> None:
    assert default_loss(targets, fan_out, output).name == name
