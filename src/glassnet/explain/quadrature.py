"""Adaptive integration along a straight path, with a known error.

    integral from 0 to 1 of the gradients at t dt

The gradients are those of a function of many inputs, along the path from a baseline to an input. Their sum is the rate
at which the value changes, so on every piece of the path the true change of the value gives the error of the integral.
Pieces with too large an error are halved: a few pieces for a smooth function, many small ones around the corners of a
relu. Each piece uses eight Gauss-Legendre nodes.

Uses functions and arrays only, imports nothing else of `explain`.
"""

from collections.abc import Callable

import numpy as np

from glassnet.arrays import Array

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
NODES, WEIGHTS = (_NODES + 1) / 2, _WEIGHTS / 2
MOST_POINTS = 20_000
NARROWEST = 2.0**-40
PIECES_AT_ONCE = 16

Function = Callable[[Array], Array]


def fixed(slopes_at: Function, steps: int) -> Array:
    """The integral by one rule with `steps` nodes."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (weights / 2) @ slopes_at((nodes + 1) / 2)


def adaptive(
    slopes_at: Function, value_at: Function, tolerance: float, size: float, rounding: float
) -> tuple[Array, int]:
    """The integral, and the number of gradients it used.

    `slopes_at(t)` returns (n, inputs) for n points of the path, `value_at(t)` (n,), such that the gradients at t add up
    to the rate at which the value changes there. `size` is that of the numbers that the value is computed from;
    `tolerance` and `rounding` (how exactly it is computed) are relative to it and the sizes of the integral together.
    """
    bounds = np.array([[0.0, 1.0]])
    ends = value_at(np.array([0.0, 1.0]))[None]
    parts = _over(slopes_at, bounds)
    errors = np.array([np.inf])  # the first piece is always halved: agreement of the halves is asked for as well
    points = len(NODES)
    size += float(np.abs(parts).sum())
    allowed, noise = tolerance * size, rounding * size
    while True:
        wrong = (errors > allowed / (2 * len(errors))) & (bounds[:, 1] - bounds[:, 0] > NARROWEST)
        if errors.sum() <= allowed or not wrong.any() or points >= MOST_POINTS:
            return parts.sum(axis=0), points
        middles = bounds[wrong].mean(axis=1)
        values = value_at(middles)
        halves = np.stack([bounds[wrong, 0], middles, middles, bounds[wrong, 1]], axis=1).reshape(-1, 2)
        half_ends = np.stack([ends[wrong, 0], values, values, ends[wrong, 1]], axis=1).reshape(-1, 2)
        half_parts = _over(slopes_at, halves)
        points += len(halves) * len(NODES)
        changed = np.abs(half_parts[0::2] + half_parts[1::2] - parts[wrong]).sum(axis=1) / 2
        missing = np.abs(half_ends[:, 1] - half_ends[:, 0] - half_parts.sum(axis=1))
        bounds = np.concatenate([bounds[~wrong], halves])
        ends = np.concatenate([ends[~wrong], half_ends])
        parts = np.concatenate([parts[~wrong], half_parts])
        errors = np.concatenate([errors[~wrong], np.maximum(missing - noise, np.repeat(changed, 2))])


def _over(slopes_at: Function, bounds: Array) -> Array:
    """The integral over each of k pieces, (k, inputs)."""
    widths = bounds[:, 1] - bounds[:, 0]
    points = bounds[:, :1] + widths[:, None] * NODES
    parts = []
    for start in range(0, len(bounds), PIECES_AT_ONCE):
        at = points[start : start + PIECES_AT_ONCE]
        slopes = slopes_at(at.ravel()).reshape(*at.shape, -1)
        parts.append(np.einsum("n,kni,k->ki", WEIGHTS, slopes, widths[start : start + PIECES_AT_ONCE]))
    return np.concatenate(parts)
