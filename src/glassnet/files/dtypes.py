"""Types of numbers in model files: how many bits, and how those that numpy lacks become float32.

bfloat16 is the upper half of a float32; float8 and float4 have few enough values for a table.
Sources: the OCP formats for 8-bit and microscaling numbers; the `fnuz` ones as in arXiv:2206.02915.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np

from glassnet.arrays import Array


class Kind(NamedTuple):
    """A type: bits for each number, and the numpy type its bits are read as."""

    bits: int
    read_as: str


KINDS: Mapping[str, Kind] = {
    "bool": Kind(8, "u1"),
    **{f"uint{n}": Kind(n, f"<u{n // 8}") for n in (8, 16, 32, 64)},
    **{f"int{n}": Kind(n, f"<i{n // 8}") for n in (8, 16, 32, 64)},
    **{f"float{n}": Kind(n, f"<f{n // 8}") for n in (16, 32, 64)},
    "complex64": Kind(64, "<c8"),
    "complex128": Kind(128, "<c16"),
    "bfloat16": Kind(16, "<u2"),
    "float8_e4m3fn": Kind(8, "u1"),
    "float8_e5m2": Kind(8, "u1"),
    "float8_e8m0fnu": Kind(8, "u1"),
    "float8_e4m3fnuz": Kind(8, "u1"),
    "float8_e5m2fnuz": Kind(8, "u1"),
    "float4_e2m1": Kind(4, "u1"),
    "float6_e2m3": Kind(6, "u1"),
    "float6_e3m2": Kind(6, "u1"),
}


def as_numbers(dtype: str, stored: Array) -> Array:
    """What the bits stand for: float32 for the types that numpy lacks, else as they are (in this machine's order)."""
    if dtype == "bfloat16":
        return (stored.astype(np.uint32) << 16).view(np.float32)
    if dtype == "bool":
        return stored != 0
    if dtype == "float4_e2m1":
        pairs = np.stack([stored & 15, stored >> 4], axis=-1).reshape(*stored.shape[:-1], -1)  # the lower half first
        return _table(dtype)[pairs]
    if dtype.startswith("float8"):
        return _table(dtype)[stored]
    return stored if stored.dtype.isnative else stored.astype(stored.dtype.newbyteorder("="))


@cache
def _table(dtype: str) -> Array:
    """The value of each byte, or of each half of one."""
    if dtype == "float4_e2m1":
        positive = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 6])
        return np.concatenate([positive, -positive]).astype(np.float32)
    code = np.arange(256)
    if dtype == "float8_e8m0fnu":
        return np.where(code == 255, np.nan, np.ldexp(1.0, code - 127)).astype(np.float32)
    mantissa_bits, bias = {
        "float8_e4m3fn": (3, 7),
        "float8_e5m2": (2, 15),
        "float8_e4m3fnuz": (3, 8),
        "float8_e5m2fnuz": (2, 16),
    }[dtype]
    exponent, mantissa = (code & 127) >> mantissa_bits, code & ((1 << mantissa_bits) - 1)
    share = mantissa / (1 << mantissa_bits)
    values = np.where(exponent > 0, np.ldexp(1 + share, exponent - bias), np.ldexp(share, 1 - bias))
    values = np.where(code > 127, -values, values)
    if dtype.endswith("fnuz"):
        values[128] = np.nan
    elif dtype == "float8_e4m3fn":
        values[[127, 255]] = np.nan
    else:  # e5m2 has infinities, as IEEE's types
        values[[124, 252]] = np.inf, -np.inf
        values[[125, 126, 127, 253, 254, 255]] = np.nan
    return values.astype(np.float32)
