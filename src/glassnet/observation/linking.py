"""Which activation follows a product, and which products make gated neurons: read off the numbers themselves.

A name says little: `act_fn` may be any function, and one function has many spellings in code. So the output of a
product is compared with what the model did next: with the result of the operation right after it, and with the inputs
of the next product. Every activation of glassnet's table is tried on whole rows, and has to fit all their numbers.
"""

from typing import NamedTuple

import numpy as np

from glassnet.activations import ACTIVATIONS, activation
from glassnet.arrays import Array
from glassnet.names import PLAIN

TOLERANCE = {"bfloat16": 2.0**-6, "float16": 2.0**-9}
"""How far, relative to the largest number of the row, a fit may be off; 2e-6 for other types."""


def fitting(z: Array, a: Array, dtype: str, of_row: bool = True, first: str = "") -> str:
    """Name of the activation that makes `a` of `z`, both of shape (rows, n); "" if none does.

    In float32 and float64 the first that fits is it, `first` before the others; halves are too coarse for that, and
    there the nearest one is.
    """
    if z.shape != a.shape or not np.isfinite(z).all() or not a.any():
        return ""
    scale = float(np.abs(a).max())
    if not np.isfinite(scale):
        return ""
    best, found = TOLERANCE.get(dtype, 2e-6) * scale, ""
    names = _candidates(of_row)
    for name in sorted(names, key=lambda name: name != first):
        with np.errstate(all="ignore"):
            off = np.abs(activation(name)(z) - a)
        if off.max() <= TOLERANCE.get(dtype, 2e-6) * scale and off.mean() < best:
            if dtype not in TOLERANCE:
                return name
            best, found = float(off.mean()), name
    return found


def _candidates(of_row: bool) -> list[str]:
    return [n for n in ACTIVATIONS.built_in if n != PLAIN and (of_row or not ACTIVATIONS[n].by_row)]


class Gate(NamedTuple):
    """How the halves of one product, or two products, make gated neurons: `f(gate) * up`."""

    activation: str
    gate: slice
    up: slice


HALVES = (
    Gate("", slice(0, None, 2), slice(1, None, 2)),
    Gate("", slice(1, None, 2), slice(0, None, 2)),
)


def gated(gate: Array, up: Array, h: Array, dtype: str) -> str:
    """Name of the activation f with `h = f(gate) * up`; "" if none does."""
    if not (gate.shape == up.shape == h.shape) or not h.any():
        return ""
    scale = float(np.abs(h).max())
    tolerance = 2 * TOLERANCE.get(dtype, 2e-6) * scale
    best, found = np.inf, ""
    for name in _candidates(of_row=False):
        with np.errstate(all="ignore"):
            off = np.abs(activation(name)(gate) * up - h)
        if off.max() <= tolerance and off.mean() < best:
            best, found = float(off.mean()), name
    return found


def gated_halves(z: Array, h: Array, dtype: str) -> Gate | None:
    """The same for one product whose outputs hold both: one half after the other, or by turns."""
    width = h.shape[-1]
    if z.shape[-1] != 2 * width or z.shape[0] != h.shape[0]:
        return None
    first, second = slice(0, width), slice(width, 2 * width)
    for gate, up in ((first, second), (second, first), *((way.gate, way.up) for way in HALVES)):
        if found := gated(z[:, gate], z[:, up], h, dtype):
            return Gate(found, gate, up)
    return None
