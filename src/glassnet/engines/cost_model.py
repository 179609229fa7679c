"""The cost model: how long a training step takes on a device, from two things measured there just now.

    seconds = products x (time of a call + multiplications / their rate)

A layer is three products in a step: forward, the gradient of its weights, the gradient of its inputs; the first layer
needs no gradient of its inputs. The rest of a step (activation functions, update) is left out on all devices alike.
"""

import time
from functools import cache

import torch

from glassnet.architecture import Architecture

SIDE = 1024
"""Rows and columns of the matrices that measure the rate."""


def seconds_per_step(architecture: Architecture, dtype: str, batch_size: int, device: str) -> float:
    """Estimated seconds for a step of this many examples."""
    call, multiplication = measured(device, dtype)
    products = 3 * len(architecture.layers) - 1
    wide = [layer.fan_in * layer.fan_out for layer in architecture.layers]
    return products * call + (3 * sum(wide) - wide[0]) * batch_size * multiplication


@cache
def measured(device: str, dtype: str) -> tuple[float, float]:
    """Seconds for a call, and for one multiplication (with its addition) of many: the least of some tries."""
    small, large = (torch.ones(side, side, dtype=getattr(torch, dtype), device=device) for side in (1, SIDE))
    call = _least(small)
    return call, max(_least(large) - call, 0.0) / SIDE**3


def _least(matrix: torch.Tensor, tries: int = 3) -> float:
    times = []
    for _ in range(tries + 1):  # the first one warms up
        started = time.perf_counter()
        (matrix @ matrix)[0, 0].item()  # read, so that the device has done it
        times.append(time.perf_counter() - started)
    return min(times[1:])
