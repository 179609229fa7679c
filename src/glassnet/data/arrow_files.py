"""Arrow data sets of any size, read from beginning to end in small parts: Parquet files, Arrow (Feather 2) files, and
folders of one of them, whose sub-folders may be hive partitions such as `year=2024`.

What is in memory at a time is one part, and the pages of the file that it comes from, however large the row groups are.
"""

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from glassnet.data.access import KIND_WORDS, Source, kind_of, listed, short
from glassnet.data.columns import Column, kind_of_type, of_arrow, pyarrow
from glassnet.data.table_readers import check_names
from glassnet.errors import FileError, InputError
from glassnet.opening import no_such_file

ROWS_AT_ONCE = 1 << 14
SUFFIXES = (".parquet", ".arrow", ".feather", ".ipc")
"""Suffixes that distinguish a folder of tables from one of pictures; the format itself is recognised by content."""
_BUFFER = 1 << 16  # bytes read at once of each column, instead of the whole row group


class Part(NamedTuple):
    """Some rows that follow one another: their columns by name, how many they are, and how many came before."""

    columns: dict[str, Column]
    rows: int
    before: int


@dataclass(frozen=True)
class ArrowFiles:
    """A data set's files in the order of their paths, of which all have the same columns.

    kinds   what each column holds: "number", "truth", "text" or "other"; hive's partitions are columns, too
    others  what those columns hold that are neither numbers nor text
    rows    how many rows there are
    """

    path: Path
    kinds: dict[str, str]
    others: dict[str, str]
    rows: int
    fragments: tuple[Any, ...]

    @classmethod
    def open(cls, path: Source) -> "ArrowFiles":
        """Look at the files without reading their rows.

        Raises `FileError` for files that are missing, damaged, without rows or of another kind, `InputError` for
        columns that do not agree, `MissingExtra` without pyarrow.
        """
        pa = pyarrow()
        from pyarrow import dataset

        place = Path(path)
        kind = _only_kind(place)
        try:
            found = dataset.dataset(place, format={"arrow": "ipc"}.get(kind, kind), partitioning="hive")
            fragments = tuple(sorted(found.get_fragments(), key=lambda fragment: fragment.path))
            schemas = [fragment.physical_schema for fragment in fragments]
            rows = sum(fragment.count_rows() for fragment in fragments)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _damaged(place, error) from None
        if not rows:
            raise FileError(f"{str(path)!r} has no rows")
        check_names(path, found.schema.names)
        kinds = {name: kind_of_type(found.schema.field(name).type) for name in found.schema.names}
        for fragment, schema in zip(fragments, schemas, strict=True):
            _check_agrees(fragment, schema, kinds)
        others = {n: f"values of type {found.schema.field(n).type}" for n, kind in kinds.items() if kind == "other"}
        return cls(place, kinds, others, rows, fragments)

    @property
    def files(self) -> list[tuple[str, int]]:
        """The path of each file below the data set's, and its size in bytes."""
        base = self.path if self.path.is_dir() else self.path.parent
        return [(os.path.relpath(f.path, base), os.path.getsize(f.path)) for f in self.fragments]

    def parts(
        self, names: Collection[str], texts: Collection[str] | None = None, rows: range | None = None
    ) -> Iterator[Part]:
        """All rows, or only these, in the order of the files, with the columns of these names.

        texts   which columns of strings are text even if all of them read as numbers; without it all of them are

        Files, and row groups of Parquet, in which none of the `rows` are, are not read. Raises `FileError` for a file
        that turns out to be damaged.
        """
        from pyarrow import dataset

        wanted, start = rows or range(self.rows), 0
        for fragment in self.fragments:
            count = fragment.count_rows()
            here = range(max(0, wanted.start - start), min(count, wanted.stop - start))
            start += count
            if not here:
                continue
            before = start - count
            keys = dataset.get_partition_keys(fragment.partition_expression)
            file = os.path.basename(fragment.path) if len(self.fragments) > 1 else None
            stored = [name for name in names if name in fragment.physical_schema.names]
            for within, batch in _batches(fragment, stored, here):
                cells = dict(zip(batch.schema.names, batch.columns, strict=True))
                columns = {}
                for name in names:
                    values = cells[name] if name in cells else self._partition(name, keys[name], batch.num_rows)
                    column = of_arrow(name, values, texts is None or name in texts)
                    columns[name] = replace(column, before=within, file=file)
                yield Part(columns, batch.num_rows, before + within)

    def _partition(self, name: str, value: Any, rows: int) -> Any:
        """The column that a folder's name stands for."""
        pa = pyarrow()
        if self.kinds[name] == "text":
            value = pa.scalar(None if value is None else str(value), pa.string())
        return pa.repeat(value, rows)


def is_folder_of_tables(path: Source) -> bool:
    """Whether there are files of tables in it, at any depth."""
    if not os.path.isdir(path):
        return False
    return any(name.endswith(SUFFIXES) for _, _, names in os.walk(path) for name in names)


def _only_kind(path: Path) -> str:
    """What all files are by their content: "parquet" or "arrow"."""
    if not path.exists():
        raise no_such_file(path)
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    files = [file for file in files if not any(p.startswith((".", "_")) for p in file.relative_to(path).parts)]
    kinds = {kind_of(file): file for file in reversed(files)}
    for kind, file in kinds.items():
        if kind not in ("parquet", "arrow"):
            raise FileError(
                f"{str(file)!r} is {KIND_WORDS[kind]} by its content, expected Parquet or Arrow files",
                help="write the table as Parquet, or move the file out of the folder",
            )
    if len(kinds) != 1:
        raise FileError(
            (
                f"{str(path)!r} mixes {' and '.join(f'{str(file)!r}' for file in kinds.values())}"
                if kinds
                else f"{str(path)!r} has no files"
            )
            + ": expected files of one kind, Parquet or Arrow"
        )
    return next(iter(kinds))


def _check_agrees(fragment: Any, schema: Any, kinds: dict[str, str]) -> None:
    """`InputError` unless a file has the columns of the first, of the same kinds."""
    from pyarrow import dataset

    there = {name: kind_of_type(schema.field(name).type) for name in schema.names}
    keys = dataset.get_partition_keys(fragment.partition_expression)
    absent = [name for name in kinds if name not in there and name not in keys]
    other = [name for name, kind in there.items() if kinds.get(name, kind) != kind]
    if absent or other:
        raise InputError(
            f"{fragment.path!r} "
            + (
                f"lacks {listed(absent)}, expected the columns of the first file"
                if absent
                else f"has {there[other[0]]} in column {short(other[0])}, expected {kinds[other[0]]} "
                "as in the first file"
            ),
            help="write the files with the same columns",
        )


def _batches(fragment: Any, names: list[str], rows: range) -> Iterator[tuple[int, Any]]:
    """Record batches of at most `ROWS_AT_ONCE` of these rows of a file, and where in it they begin."""
    for start, batch in _whole_batches(fragment, names, rows):
        skipped = max(0, rows.start - start)
        kept = batch.slice(skipped, max(0, min(batch.num_rows, rows.stop - start) - skipped))
        if kept.num_rows:
            yield start + skipped, kept


def _whole_batches(fragment: Any, names: list[str], rows: range) -> Iterator[tuple[int, Any]]:
    """The batches in which the rows are, and some of their neighbours."""
    pa = pyarrow()
    try:
        if fragment.format.default_extname == "parquet":
            yield from _parquet_batches(fragment, names, rows)
        else:
            with pa.OSFile(fragment.path) as file:
                positions = [fragment.physical_schema.get_field_index(name) for name in names]
                reader = pa.ipc.open_file(
                    file, options=pa.ipc.IpcReadOptions(included_fields=positions, use_threads=False)
                )
                before = 0
                for i in range(reader.num_record_batches):
                    batch = reader.get_batch(i)
                    for start in range(0, batch.num_rows, ROWS_AT_ONCE):
                        yield before + start, batch.slice(start, ROWS_AT_ONCE)
                    before += batch.num_rows
                    if before >= rows.stop:
                        return
    except (pa.ArrowException, OSError) as error:
        raise _damaged(fragment.path, error) from None


def _parquet_batches(fragment: Any, names: list[str], rows: range) -> Iterator[tuple[int, Any]]:
    from pyarrow import parquet

    with parquet.ParquetFile(fragment.path, buffer_size=_BUFFER, pre_buffer=False) as file:
        ends = list(accumulate(file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)))
        groups = [i for i, end in enumerate(ends) if end > rows.start and (ends[i - 1] if i else 0) < rows.stop]
        start = ends[groups[0] - 1] if groups and groups[0] else 0
        for batch in file.iter_batches(ROWS_AT_ONCE, groups, columns=names, use_threads=False):
            yield start, batch
            start += batch.num_rows


def _damaged(path: Source, error: Exception) -> FileError:
    return FileError(
        f"{str(path)!r} is truncated or damaged ({error}): expected complete Parquet or Arrow files",
        help="write the file again",
    )
