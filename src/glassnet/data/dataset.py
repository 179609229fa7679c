"""A data set: inputs, what they should give, and what both stand for. Every reader in this folder ends in one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from math import prod
from typing import Any, TypeAlias, Union

import numpy as np
import numpy.typing as npt

from glassnet.arrays import Array, dense, numeric, readonly, shape_text
from glassnet.errors import InputError, SettingError
from glassnet.render.document import Document, Record
from glassnet.schema import Schema

RawInputs: TypeAlias = Union[npt.ArrayLike, Mapping[str, Any], Sequence[Mapping[str, Any]], "Dataset"]
"""What a network takes: an array, named values, a data frame, or a data set; one input or many."""


@dataclass(frozen=True, eq=False)
class Dataset(Record):
    """Examples, checked once and then read-only.

    Parameters
    ----------
    inputs : array of shape (n, fan_in)
        Raw inputs in the user's units: stored pixels, columns of a table. A network preprocesses them by its schema
        (see `Schema`). A scipy sparse matrix stays sparse.
    targets : array of shape (n,) or (n, outputs)
        Labels, or measurements.
    schema : Schema
        What inputs and outputs stand for.
    name : str
        What to call the data in messages.
    notes : tuple of str
        What the reader did that its user should know: columns omitted, values filled in.
    preprocessed : bool
        Whether `inputs` are already what the schema makes of raw data. Blocks of a stream are.

    Raises
    ------
    InputError
        For inputs, targets and schema that do not fit together, NaN, infinity, or no examples.

    Examples
    --------
    >>> import glassnet as gn
    >>> pixels = gn.Dataset([[0, 255]], [1], gn.Schema(scale=1 / 255))
    >>> pixels.scaled()
    array([[0., 1.]], dtype=float32)
    """

    inputs: Array
    targets: Array
    schema: Schema = field(default_factory=Schema)
    name: str = "data"
    notes: tuple[str, ...] = ()
    preprocessed: bool = False

    def __post_init__(self) -> None:
        inputs, targets = numeric(self.inputs, "inputs"), numeric(self.targets, "targets")
        if inputs.ndim != 2 or targets.ndim not in (1, 2) or inputs.shape[0] != len(targets):
            raise InputError(
                f"inputs have shape {shape_text(inputs.shape)} and targets {shape_text(targets.shape)}, expected "
                "inputs (n, fan_in) and n targets"
            )
        if 0 in inputs.shape:
            raise InputError("the data has no examples")
        if prod(self.input_shape) != inputs.shape[1]:
            raise InputError(
                f"inputs have {inputs.shape[1]:,} values each, which is not input_shape {shape_text(self.input_shape)}",
                help="correct the schema",
            )
        if targets.ndim == 1 and targets.dtype.kind in "bui":
            targets = targets.astype(np.int64, copy=False)
            if self.classes is not None and (targets.min() < 0 or targets.max() >= len(self.classes)):
                raise InputError(
                    f"labels run from {targets.min()} to {targets.max()}, expected 0 to {len(self.classes) - 1} "
                    f"for the classes {', '.join(self.classes[:10])}",
                    help="number the classes from zero, and name them all",
                )
        object.__setattr__(self, "inputs", readonly(inputs))
        object.__setattr__(self, "targets", readonly(targets))

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input: (28, 28) for a picture, (columns,) for a row."""
        return self.schema.input_shape or (int(np.shape(self.inputs)[1]),)

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The names of the classes, or None where the targets are measurements."""
        return self.schema.classes

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, rows: "slice | Sequence[int] | Array") -> "Dataset":
        """The same kind of data with only these rows: a slice, indices or a mask."""
        return replace(self, inputs=self.inputs[rows], targets=self.targets[rows])

    @cached_property
    def network_inputs(self) -> tuple[Array, float]:
        """The inputs as an engine reads them: an array, and the factor that its values count times."""
        if self.preprocessed:
            return self.inputs, 1.0
        inputs, factor = self.schema.preprocess(self.inputs)
        return readonly(inputs), factor

    def scaled(self, dtype: Any = np.float32) -> Array:
        """All inputs as the first layer gets them: floats, preprocessed by the schema."""
        inputs, factor = self.network_inputs
        return dense(inputs).astype(dtype) * np.dtype(dtype).type(factor)

    def split(self, share: float, seed: int = 0) -> tuple["Dataset", "Dataset"]:
        """Two parts drawn at random: 1 - share of the examples, and `share` of them (at least one each)."""
        held_out = round(len(self) * share)
        if not 0 < held_out < len(self):
            raise SettingError(
                f"a fraction of {share} of {len(self)} examples leaves one part empty", help="0.1 to 0.2 is usual"
            )
        order = np.random.default_rng(seed).permutation(len(self))
        return self[np.sort(order[held_out:])], self[np.sort(order[:held_out])]

    def __getstate__(self) -> dict[str, Any]:
        """What a copy needs: not the preprocessed inputs."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    def document(self) -> Document:
        """The range of each column, or the first pictures; the counts of the classes, or the range of the targets."""
        from glassnet.data.describing import describe

        return describe(self)

    def __repr__(self) -> str:
        kind = f"{len(self.classes)} classes" if self.classes else "measurements"
        shape = " x ".join(str(n) for n in self.input_shape)
        return f"Dataset({self.name}: {len(self):,} examples of {shape} {self.inputs.dtype}, {kind})"
