"""The common face of model files: named tensors, looked at without being loaded.

Every format is a leaf of this folder that ends in a `Checkpoint`. Opening one reads its header; a row is read when it is
asked for, and no more of the file than that row.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Literal, TypeAlias

from glassnet.arrays import Array

Role: TypeAlias = Literal["parameter", "statistic", "buffer", "optimizer"]
"""What a tensor is for: learnt; counted along while learning (running means); fixed (positions, masks); the optimizer's."""

Orientation: TypeAlias = Literal["rows", "columns"]
"""Where a neuron's weights lie in a matrix: a row each, as PyTorch keeps them, or a column each, as Keras does."""


@dataclass(frozen=True)
class TensorInfo:
    """What is known of a tensor without reading it.

    dtype        as the format calls it in lower case: float32, bfloat16, float8_e4m3, int64, q4_k, ...
    bytes        what it takes in the file
    where        the file that holds it (its name, for sharded and external data), or a place inside
    shared_with  the name of the tensor whose bytes these are too (tied weights): such bytes count once
    neurons_in   where a neuron's weights lie; None where that is not known or it is no matrix
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    where: str = ""
    role: Role = "parameter"
    shared_with: str | None = None
    neurons_in: Orientation | None = None

    @property
    def count(self) -> int:
        """How many numbers it stands for (packed quantised weights: the weights, not the bytes)."""
        return prod(self.shape)

    @property
    def bits_each(self) -> float:
        """Bits in the file for each number."""
        return 8 * self.bytes / self.count if self.count else 0.0


class Checkpoint(ABC):
    """A model file, opened: `tensors` by name in the file's order, `format` in words, `metadata` as it says of itself.

    Use it as a context manager, or `close` it, where the file is large and long held.
    """

    path: Path
    format: str
    metadata: Mapping[str, str]
    tensors: Mapping[str, TensorInfo]

    @abstractmethod
    def rows(self, name: str, which: "int | slice") -> Array:
        """Rows of a tensor along its first axis, as floats (or whole numbers, where it holds these), quantised ones taken
        apart; only their bytes are read. Raises `AddressError` for rows and names that are not there."""

    @abstractmethod
    def column(self, name: str, index: int) -> Array:
        """One column of a matrix; formats that cannot do this without reading it all say so in their docstring."""

    def array(self, name: str) -> Array:
        """A whole tensor."""
        return self.rows(name, slice(None))

    def close(self) -> None:
        """Let the file go."""

    def __enter__(self) -> "Checkpoint":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()
