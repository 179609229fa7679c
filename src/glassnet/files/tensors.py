"""Named tensors, looked at without being loaded: what is known of each, and how rows and columns of it are read."""

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from math import prod
from pathlib import Path

from glassnet.arrays import Array
from glassnet.errors import AddressError
from glassnet.files import quantised
from glassnet.files.tensor_info import Orientation as Orientation
from glassnet.files.tensor_info import Quantised as Quantised
from glassnet.files.tensor_info import Role as Role
from glassnet.files.tensor_info import TensorInfo as TensorInfo
from glassnet.opening import printable, quoted


class TensorSource(ABC):
    """Tensors by name: `tensors` in the file's order, `format` in words, `metadata` as the file has it."""

    path: Path
    format: str
    metadata: Mapping[str, str]
    tensors: Mapping[str, TensorInfo]
    threads: bool = False
    """Whether several threads may read from it at a time."""
    keeps_order: bool = True
    """Whether its tensors come as the model listed them, and not sorted by name."""

    @abstractmethod
    def rows(self, name: str, which: "int | slice") -> Array:
        """Rows of a tensor along its first axis, as floats (or whole numbers, where it holds these), quantised ones
        taken apart; only their bytes are read. Raises `AddressError` for rows and names that are not there."""

    @abstractmethod
    def column(self, name: str, index: int) -> Array:
        """One column of a matrix; formats that cannot do this without reading it all say so in their docstring."""

    def array(self, name: str) -> Array:
        """A whole tensor, compared with the file's checksum where the format has one."""
        self.verify(name)
        return self.rows(name, slice(None))

    def weights(self, name: str) -> Array:
        """A whole tensor as the weights that it stands for: quantised ones computed, others as they are."""
        info = self.info(name)
        if info.quantised is None:
            return self.array(name)
        return quantised.weights(name, info, self.array)

    def verify(self, name: str) -> None:  # noqa: B027 - most formats have no checksums
        """`FileError` where the tensor's bytes are not those that the file's checksum is of. Rows, columns and pieces
        are read without: for them, all of it would have to be read."""

    def flat(self, name: str, start: int, stop: int) -> Array:
        """The numbers from `start` to `stop` of a tensor, taken row by row as one long vector; for comparing in pieces.

        As it stands here, the rows that hold them are read; formats that can read less do.
        """
        shape = self.info(name).shape
        if not shape:
            return self.array(name).reshape(1)[start:stop]
        row = prod(shape[1:])
        if row == 0 or stop <= start:
            return self.rows(name, slice(0, 0)).reshape(0)
        first = start // row
        rows = self.rows(name, slice(first, -(-stop // row)))
        return rows.reshape(-1)[start - first * row : stop - first * row]

    def read_into(self, name: str, start: int, buffer: memoryview) -> bool:
        """Fill a buffer with the bytes of a tensor as they lie in the file, from byte `start` of it on; False where
        they do not lie there as numbers of `files.numbers`, one after another."""
        return False

    def info(self, name: str) -> TensorInfo:
        """What is known of the tensor of this name; `AddressError` if there is none."""
        if name not in self.tensors:
            raise no_tensor(name, self.tensors)
        return self.tensors[name]

    def files(self) -> list[Path]:
        """The files it is kept in."""
        if not self.path.is_dir():
            return [self.path]
        return [self.path / name for name in dict.fromkeys(info.where for info in self.tensors.values()) if name]


def no_tensor(name: str, names: Iterable[str]) -> AddressError:
    """The error for a tensor that is not there, with the most similar name."""
    every = list(names)
    near = difflib.get_close_matches(name[:200], every[:5000], n=1)
    return AddressError(
        f"no tensor {quoted(name)} among the {len(every):,} in the file",
        help=f"did you mean '{printable(near[0])}'?" if near else "glassnet inspect FILE lists them",
    )


def row_range(info: TensorInfo, which: "int | slice") -> range:
    """The rows asked for, as numbers from 0; `AddressError` for one that is not there, or where there are no rows."""
    length = info.shape[0] if info.shape else 0
    if isinstance(which, slice):
        return range(length)[which] if info.shape else range(1)[which]
    if isinstance(which, bool) or not hasattr(which, "__index__") or not -length <= which.__index__() < length:
        raise AddressError(
            f"no row {which!r} in {quoted(info.name)}: "
            + (f"expected one from 0 to {length - 1:,}" if length else "the tensor has none")
        )
    index = which.__index__() % length
    return range(index, index + 1)


def column_index(info: TensorInfo, index: int) -> int:
    """The column asked for, from 0; `AddressError` for one that is not there, or where there are no columns."""
    width = info.shape[1] if len(info.shape) == 2 else 0
    if isinstance(index, bool) or not hasattr(index, "__index__") or not -width <= index.__index__() < width:
        raise AddressError(
            f"no column {index!r} in {quoted(info.name)}: "
            + (f"expected one from 0 to {width - 1:,}" if width else "it is no matrix")
        )
    return index.__index__() % width
