"""A table file as named columns: which cells are numbers, text, or missing. What they mean is for `tables` to say.

CSV is read as text throughout and told apart here, so that no cell's type is guessed from the rows before it. A cell is
- **missing** if it is empty or one of `MISSING` (any case), or null in Parquet, or NaN;
- **a number** if it is written as one, with a decimal point, no units and no thousands separators;
- **text** otherwise. A column of nothing but true and false (any case) is numbers, 0 and 1.
"""

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.data.opening import Source, listed, open_file, short
from glassnet.errors import FileError, InputError, MissingExtra

MISSING = ("", "?", "na", "n/a", "#n/a", "nan", "null")
MOST_CELLS = 1 << 29
"""No table of more cells is taken into memory: as numbers they would fill 4 GiB."""

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_HEAD = 1 << 20


@dataclass(frozen=True)
class Column:
    """One column of n cells.

    numbers   (n,) float64, NaN where a cell is no number
    texts     (n,) str, None where a cell is missing; None for a column without any text
    truths    the numbers are truth values
    other     what the column holds if neither numbers nor text can be made of it: dates, lists, ...
    """

    name: str
    numbers: Array
    texts: Array | None = None
    truths: bool = False
    other: str | None = None

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
        wrong = self.stray | np.isinf(self.numbers)
        if self.other or wrong.any():
            row = int(wrong.argmax())
            cell = self.numbers[row] if self.texts is None else self.texts[row]
            where = f"row {row + 1:,} below the header"
            more = f" (and in {int(wrong.sum()) - 1:,} more)" if wrong.sum() > 1 else ""
            raise InputError(
                got=f"column {short(self.name)} with " + (self.other or f"{short(cell)} in {where}{more}"),
                expected="a finite number in every cell, or an empty cell where it is missing",
                do="correct or empty the cell, or drop the column",
            )
        return self.numbers


def read_csv(path: Source) -> dict[str, Column]:
    """The columns of a CSV file: UTF-8, a header line, cells separated by the header's comma, semicolon, tab or bar.

    Raises `FileError` for a file that is no such table, `InputError` for names that occur twice, `MissingExtra` without
    pyarrow.
    """
    pa = _pyarrow()
    from pyarrow import csv as arrow

    names, separator = _header(path)
    wrong: list[Any] = []

    def keep_wrong(row: Any) -> str:
        wrong.append(row)
        return "error"

    try:
        with open_file(path) as file:
            table = arrow.read_csv(
                file,
                arrow.ReadOptions(autogenerate_column_names=True, use_threads=False),  # threads lose the row's number
                arrow.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=keep_wrong),
                arrow.ConvertOptions(column_types={f"f{i}": pa.string() for i in range(len(names))}),
            )
        if table.num_columns != len(names):
            raise pa.ArrowInvalid(f"{len(names)} names for {table.num_columns} columns")
    except pa.ArrowException as error:
        if wrong:
            row = wrong[0]
            where = f"row {row.number - 1:,} below the header"
            raise FileError(
                got=f"{str(path)!r} with {row.actual_columns} cells in {where}: {short(row.text)}",
                expected=f"{row.expected_columns}, as in the header",
                do=f"put quotes around a cell that has {separator!r} in it, and give every row as many cells",
            ) from None
        raise FileError(
            got=f"{str(path)!r}, which cannot be read as CSV ({error})",
            expected="a CSV table in UTF-8",
            do="write it again as CSV",
        ) from None
    table = table.slice(1)
    if not table.num_rows:
        raise FileError(
            got=f"{str(path)!r} with a header and no rows", expected="a row for each example", do="add rows"
        )
    return {name: _of_text(name, column) for name, column in zip(names, table.columns, strict=True)}


def read_parquet(path: Source) -> dict[str, Column]:
    """The columns of a Parquet file. Raises `FileError`, `InputError` and `MissingExtra` as `read_csv` does."""
    pa = _pyarrow()
    from pyarrow import parquet

    with open_file(path) as file:
        try:
            source = parquet.ParquetFile(file)
            rows, columns = source.metadata.num_rows, len(source.schema_arrow)
            if rows * columns > MOST_CELLS:
                raise FileError(
                    got=f"{str(path)!r}, which claims {rows:,} rows of {columns:,} columns",
                    expected=f"at most {MOST_CELLS:,} cells",
                    do="split the table into smaller files, or leave columns out",
                )
            table = source.read(use_threads=False)
        except FileError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            raise FileError(
                got=f"{str(path)!r}, which is truncated or damaged ({error})",
                expected="a Parquet file",
                do="write the file again",
            ) from None
    if not table.num_rows:
        raise FileError(got=f"{str(path)!r} without rows", expected="a row for each example", do="add rows")
    names = tuple(table.column_names)
    _check_names(path, names)
    return {name: _of_arrow(name, column) for name, column in zip(names, table.columns, strict=True)}


def of_array(name: str, values: Array) -> Column:
    """The column in a one-dimensional array of numbers, truth values or text."""
    if values.dtype.kind == "U":
        words = [word.strip() for word in values.tolist()]
        texts = np.array([None if word.lower() in MISSING else word for word in words], dtype=object)
        return Column(name, np.full(len(values), np.nan), texts)
    if values.dtype.kind not in "buif":
        return Column(name, np.full(len(values), np.nan), other=f"values of type {values.dtype}")
    return Column(name, values.astype(np.float64), truths=values.dtype.kind == "b")


def _header(path: Source) -> tuple[tuple[str, ...], str]:
    """The names in the first line, and the character that separates them."""
    with open_file(path) as file:
        head = file.read(_HEAD)
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError as error:
        raise FileError(
            got=f"{str(path)!r}, which is no text in UTF-8 ({error.reason} at byte {error.start:,})",
            expected="a CSV table in UTF-8",
            do="save it as 'CSV UTF-8'",
        ) from None
    if "\0" in text or not text.strip():
        got = "no table" if text.strip() else "an empty file"
        raise FileError(
            got=f"{str(path)!r}, {got}", expected="a CSV table with a header line", do="check where the file comes from"
        )
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t|", key="".join(first.split('"')[::2]).count)
    try:
        names = tuple(
            name.strip() for name in next(row for row in csv.reader(io.StringIO(text), delimiter=separator) if row)
        )
    except csv.Error as error:
        raise FileError(
            got=f"{str(path)!r}, whose first line cannot be read ({error})",
            expected="a header line",
            do="write it again as CSV",
        ) from None
    _check_names(path, names)
    return names, separator


def _check_names(path: Source, names: tuple[str, ...]) -> None:
    twice = [name for name, times in Counter(names).items() if name and times > 1]
    if twice:
        raise InputError(
            got=f"{str(path)!r} with more than one column named {listed(twice)}",
            expected="a name of its own for each column",
            do="rename or drop the others",
        )


def _of_arrow(name: str, column: Any) -> Column:
    pa = _pyarrow()
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if str(kind) in ("string", "large_string", "string_view"):
        return _of_text(name, column.cast(pa.string()))
    truths = pa.types.is_boolean(kind)
    if truths:
        column = column.cast(pa.int8())
    elif not (
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind)
    ):
        return Column(name, np.full(len(column), np.nan), other=f"values of type {kind}")
    return Column(name, column.cast(pa.float64(), safe=False).to_numpy(), truths=truths)


def _of_text(name: str, column: Any) -> Column:
    """The column in an arrow array of strings: numbers where they read as such."""
    pa = _pyarrow()
    from pyarrow import compute as on

    cells = on.utf8_trim_whitespace(column)
    lower = on.utf8_lower(cells)
    missing = on.or_(on.is_null(cells), on.is_in(lower, pa.array(MISSING)))
    true, false = on.equal(lower, "true"), on.equal(lower, "false")
    if on.any(on.or_(true, false)).as_py() and on.all(on.or_(on.or_(true, false), missing)).as_py():
        return Column(name, on.if_else(missing, None, true.cast(pa.float64())).to_numpy(), truths=True)
    number = on.match_substring_regex(cells, _NUMBER)
    numbers = on.if_else(number, cells, None).cast(pa.float64()).to_numpy()
    words = not on.all(on.or_(number, missing)).as_py()
    return Column(name, numbers, on.if_else(missing, None, cells).to_numpy() if words else None)


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ImportError:
        raise MissingExtra("pyarrow", "tables") from None
    return pyarrow
