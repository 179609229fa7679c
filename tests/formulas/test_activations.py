"""Each squish and its slope: PyTorch's values, at home in both dtypes, calm at the extremes."""

from typing import Any

import numpy as np
import pytest
import torch
from torch_oracle import ACTIVATIONS as TORCH
from torch_oracle import tensor

from glassnet.activations import ACTIVATIONS, activation
from glassnet.errors import SettingError

NAMES = list(ACTIVATIONS)
ORDINARY = np.concatenate([np.linspace(-15, 15, 601), [-3, 3, 0, -1e-8, 1e-8, -1e-30, 1e-30, 30, -30]]).reshape(-1, 5)
EXTREME = np.array([[-1e4, -1e-30, 0.0, 1e-30, 1e4], [1e4, 1e4, 1e4, 1e4, 1e4], [-1e4, -1e4, -1e4, -1e4, 0.0]])

# PyTorch takes 1 + erf(z) and 1 + tanh(z), of which little is left far below zero.
CANCELLING = ("gelu", "gelu_tanh")


def test_there_is_an_oracle_for_every_activation() -> None:
    assert list(TORCH) == NAMES
    assert all(ACTIVATIONS[name].name == name for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_values_are_pytorchs_in_float64(name: str) -> None:
    atol = 1e-14 if name in CANCELLING else 0
    np.testing.assert_allclose(activation(name)(ORDINARY), TORCH[name](tensor(ORDINARY)), rtol=1e-12, atol=atol)


@pytest.mark.parametrize("name", NAMES)
def test_slopes_are_autograds_in_float64(name: str) -> None:
    squish, z = activation(name), tensor(ORDINARY, slopes=True)
    wanted = np.random.default_rng(0).normal(size=ORDINARY.shape)
    (theirs,) = torch.autograd.grad(TORCH[name](z), z, tensor(wanted))
    ours = squish.back(ORDINARY, squish(ORDINARY), wanted)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13 if name in CANCELLING else 2e-15)


@pytest.mark.parametrize("name", NAMES)
def test_the_slope_is_the_diagonal_of_autograds_matrix(name: str) -> None:
    row = np.array([[-2.5, -0.3, 0.2, 1.7]])
    squish = activation(name)
    matrix = torch.autograd.functional.jacobian(TORCH[name], tensor(row)).reshape(4, 4)
    np.testing.assert_allclose(squish.slope(row, squish(row))[0], matrix.diagonal(), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_float32_stays_float32_and_is_as_exact_as_it_can_be(name: str) -> None:
    squish = activation(name)
    z = ORDINARY.astype(np.float32)
    a = squish(z)
    slope = squish.slope(z, a)
    back = squish.back(z, a, np.ones_like(z))
    assert a.dtype == slope.dtype == back.dtype == np.float32
    exact = z.astype(np.float64)
    np.testing.assert_allclose(a, squish(exact), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(slope, squish.slope(exact, squish(exact)), rtol=1e-6, atol=2e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NAMES)
def test_extremes_neither_warn_nor_give_nan(name: str, dtype: str) -> None:
    squish = activation(name)
    z = EXTREME.astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        a = squish(z)
        back = squish.back(z, a, np.ones_like(z))
        slope = squish.slope(z, a)
    assert np.isfinite(back).all()
    torch_z = tensor(z, slopes=True)
    theirs = TORCH[name](torch_z)
    np.testing.assert_allclose(a, theirs.detach(), rtol=1e-6, atol=1e-12)
    if name != "softmax":  # whose slopes are a matrix
        (torch_slope,) = torch.autograd.grad(theirs.sum(), torch_z)
        np.testing.assert_allclose(slope, torch_slope, rtol=1e-6, atol=1e-12)


def test_softmax_shares_1_out_among_each_row() -> None:
    a = activation("softmax")(EXTREME)
    np.testing.assert_allclose(a.sum(axis=1), 1, rtol=1e-15)
    np.testing.assert_array_equal(a[0], [0, 0, 0, 0, 1])
    np.testing.assert_array_equal(a[1], [0.2] * 5)


def test_no_activation_changes_what_it_is_given() -> None:
    z = ORDINARY.copy()
    z.flags.writeable = False
    for squish in ACTIVATIONS.values():
        a = squish(z)
        a.flags.writeable = False
        squish.slope(z, a)
        squish.back(z, a, z)
    np.testing.assert_array_equal(z, ORDINARY)


def test_only_the_step_has_no_slope_to_follow() -> None:
    assert [name for name in NAMES if not activation(name).trainable] == ["step"]


@pytest.mark.parametrize(
    "written",
    ["rleu", "sigmod", "sofmax", "swsh", "lnear"],
)
def test_an_unknown_name_suggests_the_nearest(written: str, refused: Any) -> None:
    with refused(SettingError):
        activation(written)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        *[("ReLU", "relu"), ("LeakyReLU", "leaky_relu"), ("leaky-relu", "leaky_relu"), ("swish", "silu")],
        *[("linear", "identity"), ("logistic", "sigmoid"), ("Hardsigmoid", "hard_sigmoid")],
    ],
)
def test_other_spellings_and_other_names_are_understood(written: str, name: str) -> None:
    assert activation(written) is ACTIVATIONS[name]


@pytest.mark.parametrize("written", ["zzz", "", None, 3, [1, 2]])
def test_what_is_near_to_no_name_is_told_the_list(written: object, refused: Any) -> None:
    with refused(SettingError):
        activation(written)
