"""A table's columns, by name: which cells are numbers, text, or missing. What they mean is for others to say.

CSV is read as text and its cells are classified here, so that no type is guessed from the rows before. A cell is
- **missing** if it is empty or one of `MISSING` (any case), or null in Parquet, or NaN;
- **a number** if it is written as one, with a decimal point, no units and no thousands separators;
- **text** otherwise. A column of nothing but true and false (any case) is numbers, 0 and 1.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.data.access import short
from glassnet.errors import InputError, MissingExtra

MISSING = ("", "?", "na", "n/a", "#n/a", "nan", "null")

NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class Column:
    """One column of n cells.

    numbers   (n,) float64, NaN where a cell is no number
    texts     (n,) str, None where a cell is missing; None for a column without any text
    truths    the numbers are truth values
    other     what the column holds if neither numbers nor text can be made of it: dates, lists, ...
    before    how many rows of its file come before these
    file      the name of its file, where there are several
    """

    name: str
    numbers: Array
    texts: Array | None = None
    truths: bool = False
    other: str | None = None
    before: int = 0
    file: str | None = None

    @cached_property
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
            where = f"row {self.before + row + 1:,} " + (f"of {self.file}" if self.file else "below the header")
            more = f" (and in {int(wrong.sum()) - 1:,} more)" if wrong.sum() > 1 else ""
            raise InputError(
                f"column {short(self.name)} has "
                + (self.other or f"{short(cell)} in {where}{more}")
                + ": expected a finite number in every cell, or an empty cell where it is missing",
                help="correct or empty the cell, or drop the column",
            )
        return self.numbers

    def as_texts(self) -> Array:
        """The cells as text, (n,) str, None where missing; numbers as `number_text` writes them."""
        if self.texts is not None:
            return self.texts
        if self.other:
            raise InputError(
                f"column {short(self.name)} has {self.other}, expected text", help="convert it to text first"
            )
        cells = [None if np.isnan(number) else number_text(number, self.truths) for number in self.numbers]
        return np.array(cells, dtype=object)


def number_text(value: float, truths: bool = False) -> str:
    """The name of a number, the same for every file format: 3 and 3.0 are "3"."""
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


def of_arrow(name: str, cells: Any, as_text: bool = False) -> Column:
    """The column in an Arrow array of any type; `as_text`: its strings are text even if all of them read as numbers."""
    pa = pyarrow()
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    kind = kind_of_type(cells.type)
    if kind == "text":
        try:
            return _of_text(name, cells.cast(pa.string()), as_text)
        except pa.ArrowInvalid:
            raise InputError(
                f"column {short(name)} holds text that is not UTF-8", help="write the file again with text in UTF-8"
            ) from None
    if kind == "other":
        return Column(name, np.full(len(cells), np.nan), other=f"values of type {cells.type}")
    if kind == "truth":
        cells = cells.cast(pa.int8())
    return Column(name, _numpy(cells.cast(pa.float64(), safe=False)), truths=kind == "truth")


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


def _of_text(name: str, column: Any, as_text: bool) -> Column:
    """The column in an Arrow array of strings: numbers where they read as such."""
    pa = pyarrow()
    from pyarrow import compute as on

    cells = on.utf8_trim_whitespace(column)
    lower = on.utf8_lower(cells)
    missing = on.or_(on.is_null(cells), on.is_in(lower, pa.array(MISSING)))
    if as_text:
        return Column(name, np.full(len(cells), np.nan), _numpy(on.if_else(missing, None, cells)))
    true, false = on.equal(lower, "true"), on.equal(lower, "false")
    if on.any(on.or_(true, false)).as_py() and on.all(on.or_(on.or_(true, false), missing)).as_py():
        return Column(name, _numpy(on.if_else(missing, None, true.cast(pa.float64()))), truths=True)
    number = on.match_substring_regex(cells, NUMBER)
    numbers = _numpy(on.if_else(number, cells, None).cast(pa.float64()))
    words = not on.all(on.or_(number, missing)).as_py()
    return Column(name, numbers, _numpy(on.if_else(missing, None, cells)) if words else None)


def _numpy(cells: Any) -> Array:
    """An Arrow array, or one in chunks: NaN or None where null."""
    return cells.to_numpy(zero_copy_only=False)


def pyarrow() -> Any:
    """The package, or `MissingExtra`."""
    try:
        import pyarrow
    except ImportError:
        raise MissingExtra("pyarrow", "tables") from None
    return pyarrow
