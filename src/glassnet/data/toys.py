"""The four toy shapes of TensorFlow Playground: two inputs, two classes, small enough to see everything.

The shapes are those of https://github.com/tensorflow/playground, src/dataset.ts (Daniel Smilkov and Shan Carter,
Apache 2.0): its radii, angles and noise, written anew here. There the labels are -1, drawn orange, and +1, drawn
blue; here 0 and 1.

Each returns `n` points in random order, about half of them in each class. The page draws the same points from a seed.
"""

import math

import numpy as np

from glassnet.arrays import Array
from glassnet.data.dataset import Dataset
from glassnet.errors import SettingError
from glassnet.schema import Schema

_SCHEMA = Schema(input_shape=(2,), features=("x1", "x2"), classes=("orange", "blue"))


def circle(n: int = 500, noise: float = 0.0, seed: int = 0) -> Dataset:
    """A blue disc of radius 2.5 inside an orange ring of radius 3.5 to 5.

    Parameters
    ----------
    n : int
        Number of points, at least 2.
    noise : float
        From 0 to 0.5 (Playground's 0 to 50). The label is read up to 5 * noise away from the point.
    seed : int
        The same seed gives the same points.

    Returns
    -------
    Dataset
        Inputs of shape (n, 2), float32, in about [-6, 6]; classes "orange" and "blue".

    Raises
    ------
    SettingError
        If `n`, `noise` or `seed` is out of range.

    Examples
    --------
    >>> import glassnet as gn
    >>> gn.data.circle(n=4).inputs.shape
    (4, 2)
    """
    rng = _rng(n, noise, seed)
    inside = np.arange(n) < n // 2
    radius = np.where(inside, rng.uniform(0, 2.5, n), rng.uniform(3.5, 5, n))
    points = _polar(radius, rng.uniform(0, 2 * math.pi, n))
    blue = np.hypot(*(points + noise * rng.uniform(-5, 5, (n, 2))).T) < 2.5
    return _toy("circle", points, blue, rng)


def xor(n: int = 500, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Four squares around a cross that is kept free: blue where both inputs have the same sign.

    Parameters
    ----------
    n : int
        Number of points, at least 2.
    noise : float
        From 0 to 0.5 (Playground's 0 to 50). The label is read up to 5 * noise away from the point.
    seed : int
        The same seed gives the same points.

    Returns
    -------
    Dataset
        Inputs of shape (n, 2), float32, in about [-6, 6]; classes "orange" and "blue".

    Raises
    ------
    SettingError
        If `n`, `noise` or `seed` is out of range.

    Examples
    --------
    >>> import glassnet as gn
    >>> gn.data.xor(n=4).inputs.shape
    (4, 2)
    """
    rng = _rng(n, noise, seed)
    points = rng.uniform(-5, 5, (n, 2))
    points += np.where(points > 0, 0.3, -0.3)
    blue = np.prod(points + noise * rng.uniform(-5, 5, (n, 2)), axis=1) >= 0
    return _toy("xor", points, blue, rng)


def gauss(n: int = 500, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Two bell-shaped clouds: blue around (2, 2), orange around (-2, -2).

    Parameters
    ----------
    n : int
        Number of points, at least 2.
    noise : float
        From 0 to 0.5 (Playground's 0 to 50). Widens the variance of each cloud from 0.5 to 4.
    seed : int
        The same seed gives the same points.

    Returns
    -------
    Dataset
        Inputs of shape (n, 2), float32, in about [-6, 6]; classes "orange" and "blue".

    Raises
    ------
    SettingError
        If `n`, `noise` or `seed` is out of range.

    Examples
    --------
    >>> import glassnet as gn
    >>> gn.data.gauss(n=4).inputs.shape
    (4, 2)
    """
    rng = _rng(n, noise, seed)
    blue = np.arange(n) < n // 2
    points = np.where(blue, 2, -2)[:, None] + rng.normal(0, math.sqrt(0.5 + 7 * noise), (n, 2))
    return _toy("gauss", points, blue, rng)


def spiral(n: int = 500, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Two arms of radius 0 to 5 that wind 1.75 times around each other.

    Parameters
    ----------
    n : int
        Number of points, at least 2.
    noise : float
        From 0 to 0.5 (Playground's 0 to 50). Moves each point by up to that much along both axes.
    seed : int
        The same seed gives the same points.

    Returns
    -------
    Dataset
        Inputs of shape (n, 2), float32, in about [-6, 6]; classes "orange" and "blue".

    Raises
    ------
    SettingError
        If `n`, `noise` or `seed` is out of range.

    Examples
    --------
    >>> import glassnet as gn
    >>> gn.data.spiral(n=4).inputs.shape
    (4, 2)
    """
    rng = _rng(n, noise, seed)
    half = n // 2
    blue = np.arange(n) < half
    along = np.concatenate([np.arange(half) / half, np.arange(n - half) / (n - half)])
    points = _polar(5 * along, 1.75 * 2 * math.pi * along + np.where(blue, 0, math.pi))
    return _toy("spiral", points + noise * rng.uniform(-1, 1, (n, 2)), blue, rng)


def _polar(radius: Array, angle: Array) -> Array:
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)


def _rng(n: int, noise: float, seed: int) -> np.random.Generator:
    if n < 2:
        raise SettingError(f"n is {n}, expected at least 2 points")
    if not 0 <= noise <= 0.5:
        raise SettingError(f"noise is {noise}, expected a number from 0 to 0.5")
    if seed < 0:
        raise SettingError(f"seed is {seed}, expected a whole number from 0 up")
    return np.random.default_rng(seed)


def _toy(name: str, points: Array, blue: Array, rng: np.random.Generator) -> Dataset:
    mixed = rng.permutation(len(points))
    return Dataset(points[mixed].astype(np.float32), blue[mixed], _SCHEMA, name)
