"""What a network's inputs and outputs stand for: pixels of a picture, columns of a table, names of classes.

None of it enters the arithmetic; it tells how a picture or a row becomes the inputs, and what to call the outputs. A
data set has one, and a network trained on the data keeps it.
"""

from dataclasses import asdict, dataclass, fields
from math import prod
from typing import Any

from glassnet.errors import SettingError


@dataclass(frozen=True)
class Signature:
    """The meaning of inputs and outputs; every field may be unknown (None).

    input_shape   the shape of one input: (28, 28) for a digit, (4,) for a row of a table
    scale         stored whole numbers times this are the inputs: 1/255 for grey values kept as uint8
    features      the name of each input: the columns of a table
    centers       what was taken from each column, before
    spreads       each column was divided by this
    classes       the name of each class, in the order of the outputs
    target        what the outputs tell: the name of the target column
    """

    input_shape: tuple[int, ...] | None = None
    scale: float | None = None
    features: tuple[str, ...] | None = None
    centers: tuple[float, ...] | None = None
    spreads: tuple[float, ...] | None = None
    classes: tuple[str, ...] | None = None
    target: str | None = None

    def __post_init__(self) -> None:
        inputs = {prod(self.input_shape)} if self.input_shape else set()
        inputs |= {len(part) for part in (self.features, self.centers, self.spreads) if part is not None}
        if len(inputs) > 1:
            raise SettingError(
                got=f"a signature that speaks of {' and of '.join(map(str, sorted(inputs)))} inputs",
                expected="one number of inputs throughout",
                do="give features, centers, spreads and input_shape the same length",
            )

    def as_dict(self) -> dict[str, Any]:
        """The known fields, as plain values for JSON."""
        return {key: value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Signature":
        """The signature written by `as_dict`; fields of a later version are passed over."""
        known = {f.name for f in fields(cls)}
        read: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in dict(values).items() if k in known
        }
        return cls(**read)
