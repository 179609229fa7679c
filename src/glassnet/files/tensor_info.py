"""What is known of a tensor in a file without reading it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, Literal, TypeAlias

from glassnet.render.document import Record

Role: TypeAlias = Literal["parameter", "statistic", "buffer", "optimizer"]
"""What a tensor is for: learnt; counted along while learning (running means); fixed (positions); the optimizer's."""

Orientation: TypeAlias = Literal["rows", "columns"]
"""Where a neuron's weights lie in a matrix: a row each, as PyTorch keeps them, or a column each, as Keras does."""


@dataclass(frozen=True, slots=True)
class Quantised:
    """What a tensor of codes stands for.

    scheme   one of `quantised.SCHEMES`
    count    how many weights
    shape    their own shape, where it is known (else all in a row)
    parts    the tensors that make weights of the codes: scales, zero points, ...
    setting  what the scheme needs besides, such as the bits of a code
    """

    scheme: str
    count: int
    shape: tuple[int, ...]
    parts: Mapping[str, str]
    setting: Any = None


@dataclass(frozen=True, slots=True)
class TensorInfo(Record):
    """What is known of a tensor without reading it.

    dtype        as the format calls it in lower case: float32, bfloat16, float8_e4m3fn, int64, q4_k, ...
    bytes        what it takes in the file
    where        the file that holds it (its name, for sharded and external data), or a place inside
    shared_with  the name of the tensor whose bytes these are too (tied weights): such bytes count once
    neurons_in   where a neuron's weights lie; None where that is not known or it is no matrix
    bias         the name of the tensor with its neurons' biases, where the format says so (names are not asked)
    packed       how many numbers an element of this shape stands for: 2 where ONNX has two in a byte
    quantised    what it stands for together with others, where it holds codes
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    where: str = ""
    role: Role = "parameter"
    shared_with: str | None = None
    neurons_in: Orientation | None = None
    packed: int = 1
    bias: str | None = None
    quantised: Quantised | None = None

    @property
    def count(self) -> int:
        """How many numbers it stands for (packed quantised weights: the weights, not the bytes)."""
        return prod(self.shape) * self.packed if self.quantised is None else self.quantised.count

    @property
    def bits_each(self) -> float:
        """Bits in the file for each number."""
        return 8 * self.bytes / self.count if self.count else 0.0
