"""Named data in memory as columns: a dict, a list of dicts, or a table of pandas, polars or pyarrow.

Nothing of these packages is imported: a table says its column names and gives each column by its name. Cells mean what
they mean in a CSV file (see `columns`), but that truth values and numbers keep their type.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.data.columns import MISSING, NUMBER, Column, of_array
from glassnet.data.encoding import Gaps, check_columns, raw_inputs
from glassnet.errors import InputError
from glassnet.schema import Schema


def is_named(data: Any) -> bool:
    """Whether this is data with column names: a mapping, a list of mappings, a table, or one row of a table."""
    if isinstance(data, np.ndarray):
        return False
    if isinstance(data, Mapping):
        return True
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return len(data) > 0 and isinstance(data[0], Mapping)
    return _names(data) is not None or _is_row(data)


def named_columns(data: Any) -> tuple[dict[str, Column], bool]:
    """The columns by name, and whether this was a single row; raises `InputError` for columns of uneven lengths."""
    single = False
    if _is_row(data):
        data = {str(name): value for name, value in zip(data.index, data.tolist(), strict=True)}
    if isinstance(data, Mapping):
        single = not any(_is_long(value) for value in data.values())
        cells = {str(name): [value] if single else value for name, value in data.items()}
    elif isinstance(data, Sequence):
        names = dict.fromkeys(str(name) for row in data for name in row)
        cells = {name: [row.get(name) for row in data] for name in names}
    else:
        cells = {str(name): data[name] for name in _names(data) or ()}
    columns = {name: _column(name, values) for name, values in cells.items()}
    lengths = {len(column.numbers) for column in columns.values()}
    if len(lengths) != 1:
        raise InputError(
            "the columns are of different lengths" if lengths else "the data has no columns",
            help="give each column a value for every row",
        )
    return columns, single


def frame_inputs(data: Any, schema: Schema, gaps: Gaps | None = None) -> Array:
    """Raw inputs (n, fan_in), or (fan_in,) for a single row, of named data: by name, in any order.

    Columns that the schema does not name are ignored. Raises `InputError` for missing columns.
    """
    columns, single = named_columns(data)
    check_columns("the data", columns, schema)
    inputs = raw_inputs(columns, schema, Gaps() if gaps is None else gaps)
    return inputs[0] if single else inputs


def text_rows(rows: Array, schema: Schema, gaps: Gaps | None = None) -> Array:
    """Raw inputs of unnamed rows that hold text: cells in the order of the schema's `columns`."""
    names = list(schema.columns)
    if rows.shape[-1] != len(names):
        raise InputError(
            f"rows of {rows.shape[-1]} values with text, for a network of {len(names)} columns",
            help=f"give a value for each column: {', '.join(names[:12])}",
        )
    table = np.atleast_2d(rows)
    columns = {name: _column(name, table[:, i].tolist()) for i, name in enumerate(names)}
    inputs = raw_inputs(columns, schema, Gaps() if gaps is None else gaps)
    return inputs[0] if rows.ndim == 1 else inputs


def _names(data: Any) -> list[Any] | None:
    """The column names of a table: pandas and polars have `columns`, pyarrow `column_names`."""
    for attribute in ("column_names", "columns"):
        names = getattr(data, attribute, None)
        if names is not None and not callable(names) and hasattr(data, "__getitem__"):
            return list(names)
    return None


def _is_row(data: Any) -> bool:
    """One row of a pandas DataFrame: a Series whose index holds column names."""
    index = getattr(data, "index", None)
    if index is None or callable(index) or not hasattr(data, "tolist") or hasattr(data, "columns"):
        return False
    return len(index) > 0 and all(isinstance(name, str) for name in index)


def _is_long(value: Any) -> bool:
    return not isinstance(value, str | bytes) and hasattr(value, "__len__") and np.ndim(value) > 0


def _column(name: str, values: Any) -> Column:
    if hasattr(values, "to_pylist"):  # pyarrow
        values = values.to_pylist()
    elif not isinstance(values, np.ndarray) and hasattr(values, "to_numpy"):
        values = values.to_numpy()
    array = values if isinstance(values, np.ndarray) else _object_array(values)
    if array.dtype.kind in "buifU":
        return of_array(name, array)
    return of_cells(name, array.tolist())


def _object_array(values: Any) -> Array:
    cells = list(values)
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array


def of_cells(name: str, cells: list[Any]) -> Column:
    """The column in a list of Python objects: numbers, texts, None."""
    numbers = np.full(len(cells), np.nan)
    texts = np.full(len(cells), None, dtype=object)
    words, truths = False, True
    for i, cell in enumerate(cells):
        if isinstance(cell, str):
            word = cell.strip()
            if word.lower() in MISSING:
                continue
            texts[i], truths = word, False
            if re.match(NUMBER, word):
                numbers[i] = float(word)
            else:
                words = True
        elif isinstance(cell, bool | np.bool_):
            numbers[i] = float(cell)
        elif cell is None or cell != cell or type(cell).__name__ in ("NAType", "NaTType"):
            continue
        else:
            try:
                numbers[i], truths = float(cell), False
            except (TypeError, ValueError):
                return Column(name, numbers, other=f"values of type {type(cell).__name__}")
    for k in np.flatnonzero(~np.isnan(numbers)).tolist() if words else ():
        if texts[k] is None:
            texts[k] = str(cells[k])
    return Column(name, numbers, texts if words else None, truths=truths)
