"""The shelf, the data set itself, the digits and the toys."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from glassnet import data
from glassnet.data.digits import digits
from glassnet.errors import FileError, InputError, SettingError
from glassnet.schema import Schema


def test_importing_the_shelf_brings_neither_pillow_nor_pyarrow():
    code = "import glassnet.data, sys; print(sorted({'PIL', 'pyarrow'} & {m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_names_that_are_also_files_are_the_functions():
    assert all(callable(getattr(data, name)) for name in data.__all__)


@pytest.fixture(scope="module")
def both() -> tuple[data.Dataset, data.Dataset]:
    return digits()


def test_digits_are_the_complete_mnist(both):
    train, test = both
    assert (train.inputs.shape, test.inputs.shape) == ((60_000, 784), (10_000, 784))
    assert train.inputs.dtype == test.inputs.dtype == np.uint8
    published = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(train.targets).tolist() == published


def test_digits_know_their_shape_scale_and_classes(both):
    train, test = both
    assert train.schema == test.schema == Schema((28, 28), 1 / 255, classes=tuple("0123456789"))
    assert train[:10].scaled().max() == pytest.approx(1)


def test_digits_missing_from_the_package(monkeypatch, tmp_path, refused: Any):
    monkeypatch.setattr(sys.modules["glassnet.data.digits"], "files", lambda _: tmp_path)
    with refused(FileError):
        digits()
    (tmp_path / "mnist.npz").write_bytes(b"PK\3\4 cut")
    with refused(FileError):
        digits()


TOYS = [data.circle, data.xor, data.gauss, data.spiral]


@pytest.mark.parametrize("toy", TOYS)
def test_toys_are_500_points_in_two_classes(toy):
    points = toy()
    assert points.inputs.shape == (500, 2)
    assert points.inputs.dtype == np.float32
    assert np.abs(points.inputs).max() < 6
    assert points.classes == ("orange", "blue")
    assert 200 <= points.targets.sum() <= 300


@pytest.mark.parametrize("toy", TOYS)
def test_toys_depend_on_their_seed_alone(toy):
    a, b, other = toy(50, 0.2, seed=3), toy(50, 0.2, seed=3), toy(50, 0.2, seed=4)
    assert np.array_equal(a.inputs, b.inputs)
    assert np.array_equal(a.targets, b.targets)
    assert not np.array_equal(a.inputs, other.inputs)


@pytest.mark.parametrize("toy", TOYS)
@pytest.mark.parametrize("n", [2, 7])
def test_toys_have_exactly_n_points(toy, n):
    assert len(toy(n, 0.5)) == n


def test_circle_is_blue_inside_and_orange_outside():
    points = data.circle()
    radius = np.hypot(*points.inputs.T)
    assert radius[points.targets == 1].max() <= 2.5
    assert radius[points.targets == 0].min() >= 3.5
    assert radius.max() <= 5


def test_xor_is_blue_where_signs_agree_and_leaves_the_cross_free():
    points = data.xor()
    assert np.array_equal(points.targets == 1, points.inputs.prod(axis=1) > 0)
    assert np.abs(points.inputs).min() >= 0.3 - 1e-6


def test_gauss_has_its_clouds_where_playground_has_them():
    points = data.gauss(4000, 0.25)
    for label, center in [(1, 2), (0, -2)]:
        cloud = points.inputs[points.targets == label]
        assert cloud.mean(axis=0) == pytest.approx([center, center], abs=0.15)
        assert cloud.var(axis=0) == pytest.approx([2.25, 2.25], abs=0.3)  # halfway from 0.5 to 4


def test_spiral_arms_face_each_other():
    points = data.spiral()
    for place, label in zip(points.inputs, points.targets, strict=True):
        across = np.abs(points.inputs + place).sum(axis=1).argmin()
        assert np.allclose(points.inputs[across], -place, atol=1e-5)
        assert points.targets[across] != label or not place.any()


def test_noise_blurs_the_labels():
    points = data.circle(noise=0.5)
    inside = np.hypot(*points.inputs.T) < 2.5
    assert 0.05 < np.mean(inside != (points.targets == 1)) < 0.6


@pytest.mark.parametrize(
    "settings",
    [
        {"n": 1},
        {"noise": 0.6},
        {"noise": float("nan")},
        {"seed": -1},
    ],
)
def test_toys_refuse_settings_out_of_range(settings, refused: Any):
    with refused(SettingError):
        data.spiral(**settings)


def test_a_data_set_is_read_only():
    points = data.xor(10)
    with pytest.raises(ValueError, match="read-only"):
        points.inputs[0] = 0


def test_rows_are_picked_and_split_without_losing_any():
    points = data.xor(100)
    small, held_out = points.split(0.2, seed=1)
    assert (len(small), len(held_out)) == (80, 20)
    together = np.concatenate([small.inputs, held_out.inputs])
    assert np.array_equal(np.unique(together, axis=0), np.unique(points.inputs, axis=0))
    assert points[points.targets == 1].targets.all()


@pytest.mark.parametrize("share", [0, 0.001, 1])
def test_a_split_leaves_no_side_empty(share, refused: Any):
    with refused(SettingError):
        data.xor(100).split(share)


@pytest.mark.parametrize(
    ("inputs", "targets", "schema"),
    [
        ([[1.0], [2.0]], [0], Schema()),
        (np.zeros((0, 3)), [], Schema()),
        ([[np.nan]], [0], Schema()),
        ([["a"]], [0], Schema()),
        ([[1.0, 2.0]], [0], Schema(input_shape=(3,))),
        ([[1.0]], [2], Schema(classes=("a", "b"))),
        ([[1.0]], [-1], Schema(classes=("a", "b"))),
    ],
)
def test_a_data_set_that_does_not_fit_together(inputs, targets, schema, refused: Any):
    with refused(InputError):
        data.Dataset(np.array(inputs), np.array(targets), schema)


def test_a_data_set_says_what_it_is(both):
    assert repr(both[1]) == "Dataset(test digits: 10,000 examples of 28 x 28 uint8, 10 classes)"
    lengths = data.Dataset(np.ones((2, 3)), np.array([0.5, 1.5]), name="lengths")
    assert repr(lengths) == "Dataset(lengths: 2 examples of 3 float64, measurements)"
