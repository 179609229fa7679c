"""Table files as named columns: CSV and Parquet, each with errors that name the row, the cell or the file.

A `.npz` archive is no such table: see `npz`.
"""

import codecs
import csv
import io
from collections import Counter
from collections.abc import Collection
from typing import Any

from glassnet.data.access import Source, listed, short
from glassnet.data.columns import Column, of_arrow, pyarrow
from glassnet.errors import FileError, InputError
from glassnet.opening import open_file

MOST_CELLS = 1 << 29
"""No table of more cells is taken into memory: as numbers they would fill 4 GiB."""

_HEAD = 1 << 20


def read_csv(path: Source, texts: Collection[str] = ()) -> dict[str, Column]:
    """The columns of a CSV file: UTF-8, a header line, cells separated by the header's comma, semicolon, tab or bar.

    texts   the names of columns to read as text even if all their cells are numbers

    Raises `FileError` for a file that is no such table, `InputError` for names that occur twice, `MissingExtra` without
    pyarrow.
    """
    pa = pyarrow()
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
                f"{str(path)!r} has {row.actual_columns} cells in {where}, expected {row.expected_columns} as in "
                f"the header: {short(row.text)}",
                help=f"put quotes around a cell that has {separator!r} in it",
            ) from None
        raise FileError(f"{str(path)!r} cannot be read as CSV: {error}") from None
    table = table.slice(1)
    if not table.num_rows:
        raise FileError(f"{str(path)!r} has a header and no rows")
    return {name: of_arrow(name, cells, name in texts) for name, cells in zip(names, table.columns, strict=True)}


def read_parquet(path: Source, texts: Collection[str] = ()) -> dict[str, Column]:
    """The columns of a Parquet file. Raises `FileError`, `InputError` and `MissingExtra` as `read_csv` does."""
    pa = pyarrow()
    from pyarrow import parquet

    with open_file(path) as file:
        try:
            source = parquet.ParquetFile(file)
            rows, columns = source.metadata.num_rows, len(source.schema_arrow)
            if rows * columns > MOST_CELLS:
                raise FileError(
                    f"{str(path)!r} claims {rows:,} rows of {columns:,} columns, expected at most {MOST_CELLS:,} "
                    "cells in memory",
                    help="read it with gn.data.stream, or drop columns",
                )
            table = source.read(use_threads=False)
        except FileError:
            raise
        except (pa.ArrowException, OSError, ValueError) as error:
            raise FileError(
                f"{str(path)!r} is truncated or damaged ({error}): expected a Parquet file", help="write the file again"
            ) from None
    if not table.num_rows:
        raise FileError(f"{str(path)!r} has no rows")
    names = tuple(table.column_names)
    check_names(path, names)
    return {name: of_arrow(name, cells, name in texts) for name, cells in zip(names, table.columns, strict=True)}


def _header(path: Source) -> tuple[tuple[str, ...], str]:
    """The names in the first line, and the character that separates them."""
    with open_file(path) as file:
        head = file.read(_HEAD)
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError as error:
        raise FileError(
            f"{str(path)!r} is not UTF-8 text: {error.reason} at byte {error.start:,}", help="save it as 'CSV UTF-8'"
        ) from None
    if "\0" in text or not text.strip():
        got = "no table" if text.strip() else "an empty file"
        raise FileError(f"{str(path)!r} is no CSV table with a header line: {got}")
    first = text.lstrip("\r\n").partition("\n")[0]
    separator = max(",;\t|", key="".join(first.split('"')[::2]).count)
    try:
        names = tuple(
            name.strip() for name in next(row for row in csv.reader(io.StringIO(text), delimiter=separator) if row)
        )
    except csv.Error as error:
        raise FileError(
            f"the header line of {str(path)!r} cannot be read: {error}", help="write it again as CSV"
        ) from None
    check_names(path, names)
    return names, separator


def check_names(path: Source, names: Collection[str]) -> None:
    """`InputError` unless each column has a name of its own."""
    twice = [name for name, times in Counter(names).items() if name and times > 1]
    if twice:
        raise InputError(
            f"{str(path)!r} has more than one column named {listed(twice)}", help="rename or drop the others"
        )
