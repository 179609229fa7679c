"""Normalisation as the linear map that it is while its scale is held: `y = (x - mean) * scale * gain + shift`.

A norm's class says little of what it computes (Gemma's gain is 1 + weight), so each of the known forms is computed and
compared with what the module gave; if none fits, the norm is not known, and nothing is shared out through it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.arrays import Array

TOLERANCE = {"bfloat16": 2.0**-6, "float16": 2.0**-9}


@dataclass(frozen=True, eq=False)
class HeldNorm:
    """A norm at one position. `gain` includes the scale held there; `weight` is the gain without it."""

    gain: Array
    weight: Array
    centred: bool
    shift: Array | None

    def forward(self, part: Array) -> Array:
        """What the norm makes of one part of its input; the shift comes once, by itself."""
        return (part - part.mean(axis=-1, keepdims=True) if self.centred else part) * self.gain

    def backward(self, direction: Array) -> Array:
        """The direction before the norm of which the dot product with its input is that of `direction` with its output
        (without the shift)."""
        turned = direction * self.gain
        return turned - turned.mean(axis=-1, keepdims=True) if self.centred else turned

    def unscaled(self, direction: Array) -> Array:
        """The same without the scale, which differs from position to position."""
        turned = direction * self.weight
        return turned - turned.mean(axis=-1, keepdims=True) if self.centred else turned


def held(module: Any, inputs: Array, outputs: Array, dtype: str) -> HeldNorm | None:
    """The norm that a module applied at one position, from its inputs and outputs there; None if it is no known one."""
    size = float(np.abs(outputs).max())
    best, found = TOLERANCE.get(dtype, 2e-5) * size, None
    for norm in _forms(module, inputs):
        given = norm.forward(inputs) + (0.0 if norm.shift is None else norm.shift)
        off = float(np.abs(given - outputs).max())
        if off <= best:
            best, found = off, norm
    return found


def _forms(module: Any, x: Array) -> Iterator[HeldNorm]:
    known = [getattr(module, name, None) for name in ("variance_epsilon", "eps", "epsilon", "norm_eps")]
    epsilons = [float(value) for value in known if isinstance(value, float | int)] or [1e-5, 1e-6]
    weight, bias = (_values(getattr(module, name, None), x) for name in ("weight", "bias"))
    weights = [np.ones_like(x)] if weight is None else [weight, 1 + weight]
    with np.errstate(all="ignore"):
        for epsilon in epsilons:
            rms = 1 / np.sqrt((x * x).mean() + epsilon)
            spread = 1 / np.sqrt(x.var() + epsilon)
            for w in weights:
                yield HeldNorm(w * rms, w, False, bias)
                yield HeldNorm(w * spread, w, True, bias)


def _values(parameter: Any, x: Array) -> Array | None:
    if parameter is None or not hasattr(parameter, "detach") or tuple(parameter.shape) != x.shape:
        return None
    values: Array = parameter.detach().double().cpu().numpy()
    return values
