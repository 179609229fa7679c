"""How many threads numpy's BLAS takes: one for small products, which it would otherwise split at a loss.

A 64 x 784 by 784 x 16 product is done in 30 microseconds; waking a second thread for it takes about as long, and on a
busy machine waiting for that thread takes a hundred times longer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from glassnet.architecture import Architecture

SMALL_PRODUCT = 1 << 24
"""Multiplications in one product, below which one thread is at least as fast as two."""


@cache
def _threads() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def fitting_threads(architecture: Architecture, rows: int) -> Iterator[None]:
    """Within it, BLAS uses one thread if the largest product of this network with `rows` rows is small."""
    if rows * max(layer.fan_in * layer.fan_out for layer in architecture.layers) >= SMALL_PRODUCT:
        yield
        return
    with _threads().limit(limits=1, user_api="blas"):
        yield
