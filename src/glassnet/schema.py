"""The schema of a network: what its inputs and outputs mean, and what raw data becomes before the first layer.

This is the one treatment of inputs. Everything that meets data (calls, traces, training, evaluation, explanations, the
command, every export) applies it exactly once, through `Schema.preprocess`.
"""

from dataclasses import asdict, dataclass, fields, replace
from math import prod
from typing import Any

import numpy as np

from glassnet.arrays import Array, dense
from glassnet.errors import InputError, SettingError
from glassnet.render.document import Record

LARGEST_FRACTION = 1 + 1e-6
"""Grey values as fractions are at most this: 1, and what rounding adds."""


@dataclass(frozen=True)
class Schema(Record):
    """What inputs and outputs mean, and how raw data becomes the inputs of the first layer.

    Every field may be unknown (None). A network takes data in the user's units, and its schema decides:

    - columns with `centers` and `spreads` are standardised: (value - center) / spread;
    - for a network with a `scale` below 1, integers of any type are stored pixels and are multiplied by it; floats are
      fractions from 0 to 1 and stay as they are, and floats above 1 are refused, since they could be either;
    - named data (a dict, a DataFrame, a table) is read by column name in any order: other columns are ignored, missing
      columns are refused, text becomes one-hot inputs, missing numbers become `fill`;
    - arrays have no names: their columns are taken in the order of `features` (one-hot inputs as 0 and 1), or, where
      they hold text, in the order of `columns`;
    - a network without a schema computes with the numbers it is given. Given a `Dataset`, it reads it as the data's
      schema says; uint8 arrays above 1 are refused, since they could be pixels.

    Measurements need no field: training folds their scaling into the last layer, so that outputs are in the unit of the
    target.

    Parameters
    ----------
    input_shape : tuple of int, optional
        Shape of one input: ``(28, 28)`` for a digit, ``(4,)`` for a row of a table.
    scale : float, optional
        Stored integers times this are the inputs: ``1/255`` for grey values kept as bytes, ``1`` for a network that
        reads them as they are.
    features : tuple of str, optional
        Name of each input: a column of a table, or ``"colour=red"`` for one value of a column of text.
    centers, spreads : tuple of float, optional
        Subtracted from each input, and what it is then divided by.
    classes : tuple of str, optional
        Name of each class, in the order of the outputs.
    target : str, optional
        Name of the target column.
    one_hot : tuple, optional
        For each input ``(column, text)`` if it is 1 where the column has this text and else 0; None for a number.
    fill : tuple of float, optional
        What a missing number becomes, in the units of the column; its center where this is not given.

    Examples
    --------
    >>> import glassnet as gn
    >>> flowers = gn.Schema(features=("length", "width"), centers=(5.0, 3.0), spreads=(0.5, 0.25))
    >>> network = gn.Network.create("2-1", seed=0).with_schema(flowers)
    >>> network.preprocess([5.5, 2.5])
    array([ 1., -2.], dtype=float32)
    >>> network.preprocess({"width": 2.5, "length": 5.5})
    array([ 1., -2.], dtype=float32)
    """

    input_shape: tuple[int, ...] | None = None
    scale: float | None = None
    features: tuple[str, ...] | None = None
    centers: tuple[float, ...] | None = None
    spreads: tuple[float, ...] | None = None
    classes: tuple[str, ...] | None = None
    target: str | None = None
    one_hot: tuple[tuple[str, str] | None, ...] | None = None
    fill: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        inputs = {prod(self.input_shape)} if self.input_shape else set()
        parts = (self.features, self.centers, self.spreads, self.one_hot, self.fill)
        inputs |= {len(part) for part in parts if part is not None}
        if len(inputs) > 1:
            raise SettingError(
                f"the fields of the schema are of different lengths: {' and '.join(map(str, sorted(inputs)))} inputs",
                help="give features, centers, spreads, one_hot, fill and input_shape the same length",
            )
        for hot in self.one_hot or ():
            if hot is not None and not (len(hot) == 2 and all(isinstance(word, str) for word in hot)):
                raise SettingError(
                    f"one_hot {hot!r} is neither (column, text) nor None", help='write ("colour", "red") for colour=red'
                )
        numbers = {name for name, hot in self._inputs if hot is None}
        both = [hot[0] for _, hot in self._inputs if hot is not None and hot[0] in numbers]
        if both:
            raise SettingError(
                f"column {both[0]!r} is a column of numbers and of text", help="give the two columns different names"
            )

    @property
    def _inputs(self) -> list[tuple[str, tuple[str, str] | None]]:
        """The name of each input, and the column and text that it stands for, if it is one-hot."""
        names = self.features or ()
        return list(zip(names, self.one_hot or (None,) * len(names), strict=False))

    @property
    def columns(self) -> dict[str, tuple[str, ...] | None]:
        """The columns that a row has to have, in the order of the inputs: for each None if it holds numbers, or the
        texts that have an input of their own."""
        texts: dict[str, list[str]] = {}
        for name, hot in self._inputs:
            known = texts.setdefault(name if hot is None else hot[0], [])
            if hot is not None:
                known.append(hot[1])
        return {name: tuple(known) or None for name, known in texts.items()}

    @property
    def standardises(self) -> bool:
        """Whether columns are centred or divided by a spread."""
        return self.centers is not None or self.spreads is not None

    @property
    def preprocesses(self) -> bool:
        """Whether raw numbers become others before the first layer."""
        return self.standardises or self.scale not in (None, 1)

    @property
    def describes_inputs(self) -> bool:
        """Whether it says how inputs are read; if not, the schema of the data that a network meets does."""
        return self.preprocesses or self.scale is not None or self.features is not None

    def without_preprocessing(self) -> "Schema":
        """The schema of a network that takes the numbers of its first layer: the same names, no scaling."""
        return replace(self, scale=1.0, centers=None, spreads=None, fill=None)

    def folded(self) -> "Schema":
        """The schema of a network whose first layer does the preprocessing itself: it reads raw numbers as they are."""
        fill = self.fill or self.centers
        scale = 1.0 if self.preprocesses else self.scale
        return replace(self, scale=scale, centers=None, spreads=None, fill=fill)

    def completed(self, other: "Schema") -> "Schema":
        """What is unknown here taken from `other`: how inputs are read as a whole, all else field by field."""
        reading = ("scale", "features", "centers", "spreads", "one_hot", "fill")
        taken = {
            f.name: getattr(other, f.name)
            for f in fields(self)
            if getattr(self, f.name) is None and not (f.name in reading and self.describes_inputs)
        }
        return replace(self, **taken)

    def preprocess(self, inputs: Array) -> tuple[Array, float]:
        """Convert raw inputs to the form that engines read.

        Parameters
        ----------
        inputs : ndarray of shape (..., fan_in)

        Returns
        -------
        values : ndarray of shape (..., fan_in)
        factor : float
            What the values are multiplied by.

        Raises
        ------
        InputError
            If the values could be stored pixels or fractions, by the rule of this class.
        """
        kind = inputs.dtype.kind
        if self.standardises:
            values = dense(inputs).astype(np.float64)
            with np.errstate(over="ignore", invalid="ignore"):
                if self.centers is not None:
                    values = values - np.asarray(self.centers)
                if self.spreads is not None:
                    values = values / np.asarray(self.spreads)
                return values.astype(np.float32), 1.0
        if self.scale is None:
            if inputs.dtype == np.uint8 and not self.describes_inputs and inputs.size and inputs.max() > 1:
                raise InputError(
                    f"the network does not say how it reads uint8 values, which are up to {inputs.max()}",
                    help="network.described(scale=1/255) reads them as pixels, scale=1 as they are; "
                    "a file: gn.load(path, scale=1/255), --scale 1/255",
                )
            return inputs, 1.0
        if kind not in "iu":
            if self.scale < 1 and kind == "f" and inputs.size and inputs.max() > LARGEST_FRACTION:
                raise InputError(
                    f"floats up to {inputs.max():g} for a network that reads floats from 0 to 1, or stored pixels as "
                    "integers",
                    help="pass stored pixels as integers: inputs.astype(int); or fractions: inputs / 255",
                )
            return inputs, 1.0
        if self.scale < 1 and inputs.dtype != np.uint8 and inputs.size:
            low, high = inputs.min(), inputs.max()
            if low < 0 or high * self.scale > LARGEST_FRACTION:
                raise InputError(
                    f"integers from {low} to {high} for a network that reads stored pixels from 0 to "
                    f"{1 / self.scale:.6g}",
                    help=f"rescale the picture to 0 to {1 / self.scale:.6g}",
                )
        return inputs, float(self.scale)

    def written(self, index: int, raw: float, value: float) -> str:
        """The conversion of one raw value, written out; "" if there is none.

        Parameters
        ----------
        index : int
            Number of the input.
        raw, value : float
            The raw value, and the input of the first layer.

        Returns
        -------
        str

        Examples
        --------
        >>> import glassnet as gn
        >>> gn.Schema(centers=(5.843,), spreads=(0.828,)).written(0, 5.1, -0.8973)
        '(5.1 - 5.843) / 0.828 = -0.8973'
        """
        if self.standardises:
            center = self.centers[index] if self.centers is not None else 0.0
            spread = self.spreads[index] if self.spreads is not None else 1.0
            if (center, spread) == (0, 1):
                return ""
            sign = "-" if center >= 0 else "+"
            return f"({raw:.6g} {sign} {abs(center):.6g}) / {spread:.6g} = {value:.6g}"
        if self.scale in (None, 1):
            return ""
        return f"{raw:.6g} x {self.scale:.6g} = {value:.6g}"

    def as_dict(self) -> dict[str, Any]:
        """The known fields, as plain values for JSON."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Schema":
        """The schema written by `as_dict`; fields of a later version are passed over."""
        known = {f.name for f in fields(cls)}
        return cls(**{key: _tuples(value) for key, value in dict(values).items() if key in known})


def _tuples(value: Any) -> Any:
    """JSON's lists as tuples, those within them included."""
    return tuple(_tuples(part) for part in value) if isinstance(value, list) else value
