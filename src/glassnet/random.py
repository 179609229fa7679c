"""Stateless randomness: every random number is a function of the seed and its purpose.

The order of epoch 7 depends on (seed, 7) and the dropout mask of step 300 on (seed, 300, layer), so a run that was
killed continues with the same bits, any step can be computed again, and other engines draw the same numbers.

Start values, toys and perturbations are drawn from numpy's `default_rng(seed)`. The page draws the same numbers:
`kernel/generator.c` has numpy's generators, and tests/vectors holds both sides to the same cases.

References
----------
G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", 2014: `splitmix64`, a counter-based
generator, whose n-th output can be computed directly.
"""

import threading

import numpy as np

from glassnet.arrays import Array

_thread = threading.local()

_MASK = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB


def splitmix64(seed: int, n: int) -> int:
    """The n-th (from zero) 64-bit output of the generator with this seed."""
    z = (seed + (n + 1) * GOLDEN) & _MASK
    z = ((z ^ (z >> 30)) * MIX_1) & _MASK
    z = ((z ^ (z >> 27)) * MIX_2) & _MASK
    return z ^ (z >> 31)


def splitmix64_block(seed: int, count: int) -> Array:
    """The first `count` outputs of `splitmix64(seed, n)`, as uint64."""
    return _mixed(np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN) + np.uint64(seed & _MASK))


def _mixed(z: Array) -> Array:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(MIX_1)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(MIX_2)
    return z ^ (z >> np.uint64(31))


def epoch_order(seed: int, epoch: int, count: int) -> Array:
    """The order of an epoch's `count` examples: a permutation, int64."""
    return _philox(splitmix64(seed, epoch)).permutation(count)


def _philox(key: int) -> np.random.Generator:
    """`Generator(Philox(key=key))`; the generator of the thread is reset, which is faster than a new one."""
    if not hasattr(_thread, "generator"):
        _thread.generator = np.random.Generator(np.random.Philox(key=0))
        _thread.beginning = _thread.generator.bit_generator.state
    _thread.beginning["state"]["key"][0] = key
    _thread.generator.bit_generator.state = _thread.beginning
    generator: np.random.Generator = _thread.generator
    return generator


def drawn(seed: int, numbers: Array, share: float) -> Array:
    """A Bernoulli sample of these whole numbers (int64), each with probability `share`: (n,) bool."""
    z = _mixed(np.uint64(splitmix64(seed ^ 0x5A3, 0)) + (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(GOLDEN))
    return (z >> np.uint64(11)) < np.uint64(round(share * (1 << 53)))


def dropout_mask(seed: int, step: int, layer: int, shape: tuple[int, int], rate: float) -> Array:
    """The activations that remain at this step, of shape (batch, fan_out): True with probability 1 - rate.

    The 24 highest bits of each draw are compared with round(rate * 2^24), so that every engine decides alike.
    """
    key = splitmix64(splitmix64(seed ^ 0xD20, step), layer)
    draws = splitmix64_block(key, shape[0] * shape[1]) >> np.uint64(40)
    return (draws >= np.uint64(round(rate * (1 << 24)))).reshape(shape)
