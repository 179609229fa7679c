"""What a network makes of many rows: lines on standard output, or a file with a row for each, a block at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from glassnet.cli import processes
from glassnet.cli.options import Place, need, place, say
from glassnet.cli.progress import Rate
from glassnet.data.columns import pyarrow
from glassnet.data.prefetch import ahead
from glassnet.data.streams import Rows
from glassnet.files import outputs
from glassnet.network import Network
from glassnet.prediction import classify

ROWS_WRITTEN_AT_ONCE = 1 << 17
"""Rows in a Parquet row group: fewer make larger files."""


def of_stream(network: Network, rows: Rows, output: str | None, *read: str) -> int:
    """Of a table of any size, whose rows are preprocessed. Many processes write a folder, a file each for its share of
    the rows, in their order."""
    network = network.bare
    if processes.launched():
        need(output is not None, "several processes need a folder to write to", "add --output FOLDER")
        k, n = processes.share()
        folder, ending = Path(output or ""), Path(output or "").suffix
        folder.mkdir(parents=True, exist_ok=True)
        output = str(folder / f"part-{k:05}-of-{n:05}{ending}")
    if output is None:
        for inputs in ahead(rows):
            print("\n".join(lines(network, inputs)))
    else:
        write(network, ahead(rows), len(rows), place(output, "--output", *read))
    for note in rows.gaps.notes("the network's center"):
        say(note)
    return 0


def lines(network: Network, inputs: Any) -> Iterator[str]:
    """For each row the name of its class, or its outputs."""
    outputs, classes = network(inputs), network.schema.classes
    if classes:
        return (classes[k] for k in classify(outputs, network))
    return (" ".join(f"{value:.7g}" for value in row) for row in outputs)


def write(network: Network, blocks: Iterable[Any], total: int, output: Place) -> int:
    """Into a file, in the order of the rows: the class by the target's name, and the output for each class; or the
    outputs alone. The name's ending says the format; standard output gets CSV."""
    pa, rate = pyarrow(), Rate()
    suffix = output.output.suffix if isinstance(output.output, Path) else ".csv"

    def fill(temporary: str) -> None:
        done, waiting, rows_waiting = 0, list[Any](), 0
        with _writer(suffix, temporary, _table(network, network.bare(_none(network))).schema) as writer:
            for inputs in blocks:
                waiting.append(_table(network, network(inputs)))
                rows_waiting += len(inputs)
                done += len(inputs)
                if rows_waiting >= ROWS_WRITTEN_AT_ONCE or done == total:
                    writer.write_table(pa.concat_tables(waiting).combine_chunks())
                    waiting, rows_waiting = [], 0
                rate("predicted", done, total)

    need(
        suffix in _ENDINGS, f"cannot write a table to {output.name}: expected a name that ends in {', '.join(_ENDINGS)}"
    )
    outputs.write(output.output, fill, pa.ArrowException)
    return 0


_ENDINGS = (".parquet", ".csv", ".arrow", ".feather")


def _writer(suffix: str, path: str, schema: Any) -> Any:
    pa = pyarrow()
    if suffix == ".parquet":
        from pyarrow import parquet

        return parquet.ParquetWriter(path, schema)
    if suffix == ".csv":
        from pyarrow import csv

        return csv.CSVWriter(path, schema)
    return pa.ipc.new_file(path, schema)


def _none(network: Network) -> Any:
    import numpy as np

    return np.empty((0, network.sizes[0]), np.float32)


def _table(network: Network, outputs: Any) -> Any:
    pa = pyarrow()
    classes, target = network.schema.classes, network.schema.target or "prediction"
    if not classes:
        names = [target] if outputs.shape[1] == 1 else [f"{target} {i}" for i in range(outputs.shape[1])]
        return pa.table(dict(zip(names, outputs.T, strict=True)))
    guesses = pa.DictionaryArray.from_arrays(classify(outputs, network), list(classes)).cast(pa.string())
    named = classes if outputs.shape[1] == len(classes) else classes[1:]
    return pa.table(
        {target: guesses} | {f"{target}={name}": column for name, column in zip(named, outputs.T, strict=True)}
    )
