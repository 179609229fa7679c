"""What a network's inputs and outputs stand for: pixels of a picture, columns of a table, names of classes.

None of it enters the arithmetic; it tells how a picture or a row becomes the inputs, and what to call the outputs. A
data set has one, and a network trained on the data keeps it.
"""

from dataclasses import asdict, dataclass, fields
from math import prod
from typing import Any

from glassnet.errors import SettingError


@dataclass(frozen=True)
class Schema:
    """The meaning of inputs and outputs; every field may be unknown (None).

    input_shape   the shape of one input: (28, 28) for a digit, (4,) for a row of a table
    scale         stored whole numbers times this are the inputs: 1/255 for grey values kept as uint8
    features      the name of each input: a column of a table, or "colour=red" for one value of a column of text
    centers       what was taken from each column, before
    spreads       each column was divided by this
    one_hot       (column, text) for an input that is 1 where the column has this text, else 0; None for the others
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
    one_hot: tuple[tuple[str, str] | None, ...] | None = None

    def __post_init__(self) -> None:
        inputs = {prod(self.input_shape)} if self.input_shape else set()
        parts = (self.features, self.centers, self.spreads, self.one_hot)
        inputs |= {len(part) for part in parts if part is not None}
        if len(inputs) > 1:
            raise SettingError(
                got=f"a schema that speaks of {' and of '.join(map(str, sorted(inputs)))} inputs",
                expected="one number of inputs throughout",
                do="give features, centers, spreads, one_hot and input_shape the same length",
            )
        for hot in self.one_hot or ():
            if hot is not None and not (len(hot) == 2 and all(isinstance(word, str) for word in hot)):
                raise SettingError(
                    got=f"one_hot {hot!r}", expected="(column, text), or None for a number", do="correct the schema"
                )
        numbers = {name for name, hot in self._inputs if hot is None}
        both = [hot[0] for _, hot in self._inputs if hot is not None and hot[0] in numbers]
        if both:
            raise SettingError(
                got=f"column {both[0]!r} as numbers and as text", expected="one of both", do="correct the schema"
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
