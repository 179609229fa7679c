"""A table's columns, by name: which cells are numbers, text, or missing. What they mean is for others to say.

CSV is read as text throughout and told apart here, so that no cell's type is guessed from the rows before it. A cell is
- **missing** if it is empty or one of `MISSING` (any case), or null in Parquet, or NaN;
- **a number** if it is written as one, with a decimal point, no units and no thousands separators;
- **text** otherwise. A column of nothing but true and false (any case) is numbers, 0 and 1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.data.opening import short
from glassnet.errors import InputError, MissingExtra

MISSING = ("", "?", "na", "n/a", "#n/a", "nan", "null")

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class Column:
    """One column of n cells.

    numbers   (n,) float64, NaN where a cell is no number
    texts     (n,) str, None where a cell is missing; None for a column without any text
    truths    the numbers are truth values
    other     what the column holds if neither numbers nor text can be made of it: dates, lists, ...
    before    how many rows of the file come before these
    """

    name: str
    numbers: Array
    texts: Array | None = None
    truths: bool = False
    other: str | None = None
    before: int = 0

    @property
    def missing(self) -> Array:
        """Which cells are missing: (n,) bool."""
        absent = np.isnan(self.numbers)
        return absent if self.texts is None else absent & (self.texts == None)  # noqa: E711, element by element

    @property
    def stray(self) -> Array:
        """Which cells are text: (n,) bool."""
        return np.isnan(self.numbers) & ~self.missing

    @property
    def is_text(self) -> bool:
        """Whether it is a column of words: at least half of the cells that are there are text."""
        return self.texts is not None and 2 * int(self.stray.sum()) >= int((~self.missing).sum())

    def as_numbers(self) -> Array:
        """The numbers, NaN where missing; `InputError` that names the row and the cell if one is text or infinite."""
        wrong = np.isinf(self.numbers) if self.texts is None else self.stray | np.isinf(self.numbers)
        if self.other or wrong.any():
            row = int(wrong.argmax())
            cell = self.numbers[row] if self.texts is None else self.texts[row]
            where = f"row {self.before + row + 1:,} below the header"
            more = f" (and in {int(wrong.sum()) - 1:,} more)" if wrong.sum() > 1 else ""
            raise InputError(
                got=f"column {short(self.name)} with " + (self.other or f"{short(cell)} in {where}{more}"),
                expected="a finite number in every cell, or an empty cell where it is missing",
                do="correct or empty the cell, or drop the column",
            )
        return self.numbers

    def as_texts(self) -> Array:
        """The cells as text, (n,) str, None where missing; numbers as `number_text` writes them."""
        if self.texts is not None:
            return self.texts
        if self.other:
            raise InputError(
                got=f"column {short(self.name)} with {self.other}", expected="text", do="convert it to text first"
            )
        cells = [None if np.isnan(number) else number_text(number, self.truths) for number in self.numbers]
        return np.array(cells, dtype=object)


def number_text(value: float, truths: bool = False) -> str:
    """A number as it is called whatever the file's format: 3 and 3.0 are "3"."""
    number = float(value) + 0.0  # -0.0 becomes 0.0
    if truths:
        return "true" if number else "false"
    return f"{number:.0f}" if number.is_integer() else repr(number)


def of_array(name: str, values: Array) -> Column:
    """The column in a one-dimensional array of numbers, truth values or text."""
    if values.dtype.kind == "U":
        words = [word.strip() for word in values.tolist()]
        texts = np.array([None if word.lower() in MISSING else word for word in words], dtype=object)
        return Column(name, np.full(len(values), np.nan), texts)
    if values.dtype.kind not in "buif":
        return Column(name, np.full(len(values), np.nan), other=f"values of type {values.dtype}")
    return Column(name, values.astype(np.float64), truths=values.dtype.kind == "b")


def of_arrow(name: str, column: Any, as_text: bool = False, before: int = 0) -> Column:
    """The column in an Arrow array of any type.

    as_text   its strings are text even if all of them read as numbers
    before    how many rows of the file come before these
    """
    pa = pyarrow()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = kind_of_type(column.type)
    if kind == "text":
        return _of_text(name, column.cast(pa.string()), as_text, before)
    if kind not in ("number", "truth"):
        return Column(name, np.full(len(column), np.nan), other=f"values of type {column.type}", before=before)
    if kind == "truth":
        column = column.cast(pa.int8())
    numbers = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return Column(name, numbers, truths=kind == "truth", before=before)


def kind_of_type(type_: Any) -> str:
    """What a column of this Arrow type holds: "number", "truth", "text" or "other"."""
    types = pyarrow().types
    if types.is_dictionary(type_):
        type_ = type_.value_type
    if str(type_) in ("string", "large_string", "string_view"):
        return "text"
    if types.is_boolean(type_):
        return "truth"
    numbers = (types.is_integer, types.is_floating, types.is_decimal, types.is_null)
    return "number" if any(known(type_) for known in numbers) else "other"


def _of_text(name: str, column: Any, as_text: bool, before: int) -> Column:
    """The column in an Arrow array of strings: numbers where they read as such."""
    pa = pyarrow()
    from pyarrow import compute as on

    cells = on.utf8_trim_whitespace(column)
    lower = on.utf8_lower(cells)
    missing = on.or_(on.is_null(cells), on.is_in(lower, pa.array(MISSING)))
    if as_text:
        texts = on.if_else(missing, None, cells).to_numpy(zero_copy_only=False)
        return Column(name, np.full(len(texts), np.nan), texts, before=before)
    true, false = on.equal(lower, "true"), on.equal(lower, "false")
    if on.any(on.or_(true, false)).as_py() and on.all(on.or_(on.or_(true, false), missing)).as_py():
        numbers = on.if_else(missing, None, true.cast(pa.float64())).to_numpy(zero_copy_only=False)
        return Column(name, numbers, truths=True, before=before)
    number = on.match_substring_regex(cells, _NUMBER)
    numbers = on.if_else(number, cells, None).cast(pa.float64()).to_numpy(zero_copy_only=False)
    words = not on.all(on.or_(number, missing)).as_py()
    texts = on.if_else(missing, None, cells).to_numpy(zero_copy_only=False) if words else None
    return Column(name, numbers, texts, before=before)


def pyarrow() -> Any:
    """The package, or `MissingExtra`."""
    try:
        import pyarrow
    except ImportError:
        raise MissingExtra("pyarrow", "tables") from None
    return pyarrow
