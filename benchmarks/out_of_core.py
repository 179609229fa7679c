"""Tables larger than memory: how fast they are learnt from, and how memory grows with the file (it should not).

A table of 20 numbers, a column of text and a class, sorted by the class, in growing sizes; the smallest also in memory.
Each size is a process of its own: the one pass that reads it and finds the statistics, the shuffled copy, two epochs
of 23-32-32-2, and the outputs for all of its rows.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import memory
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from machine import OtherWork, keep

import glassnet as gn
from glassnet.data.streams import Rows
from glassnet.training import epochs

ROWS = (1_000_000, 4_000_000, 16_000_000)
PER_GROUP = 500_000


def main() -> None:
    figures = []
    print("       rows     file  from      read     copy    epoch  predict  held out  peak memory")
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as folder, OtherWork() as other:
        for rows in ROWS:
            path = Path(folder) / f"{rows}.parquet"
            write(path, rows)
            for how in ("memory", "stream") if rows == ROWS[0] else ("stream",):
                row = measured(path, how, rows)
                figures.append(row)
                rates = "  ".join(
                    f"{row[part] / 1e6:5.2f} M" if part in row else "      -"
                    for part in ("read", "copy", "epoch", "predict")
                )
                print(
                    f"{rows:>11,}  {row['file'] / 1e6:5,.0f} MB  {how}  {rates}    {row['accuracy']:.2%}"
                    f"  {row['megabytes']:8,.0f} MB",
                    flush=True,
                )
            path.unlink()
    print(f"rates in rows/s; other work took {other.processors:.1f} processors meanwhile\n")
    keep("out_of_core", {"rows": figures, "processors of other work": other.processors}, ("numpy", "pyarrow"))


def write(path: Path, rows: int) -> None:
    """Sorted by the class: first all that are `no`, group by group, then all that are `yes`."""
    random = np.random.default_rng(0)
    writer = None
    for wanted in (False, True):
        written = 0
        while written < rows // 2:
            x = random.standard_normal((4 * PER_GROUP, 20), dtype=np.float32)
            colour = random.integers(0, 3, len(x))
            kept = (x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + (colour - 1) > 0) == wanted
            x, colour = x[kept][: rows // 2 - written], colour[kept][: rows // 2 - written]
            table = pa.table(
                {f"x{i}": column for i, column in enumerate(x.T)}
                | {"colour": np.array(["red", "green", "blue"])[colour], "y": ["yes" if wanted else "no"] * len(x)}
            )
            writer = writer or pq.ParquetWriter(path, table.schema)
            writer.write_table(table, row_group_size=PER_GROUP)
            written += len(x)
    assert writer is not None
    writer.close()


def measured(path: Path, how: str, rows: int) -> dict[str, Any]:
    result = path.with_suffix(".json")
    megabytes = memory.peak([sys.executable, __file__, "part", str(path), how, str(result)])
    about = {"rows": rows, "file": path.stat().st_size, "how": how, "megabytes": megabytes}
    return about | json.loads(result.read_text())


def part(path: Path, how: str, result: Path) -> None:
    """One size, in rows a second for each of its parts."""
    figures: dict[str, float] = {}
    started = time.perf_counter()

    def lap(name: str, rows: int) -> None:
        nonlocal started
        now = time.perf_counter()
        figures[name] = rows / (now - started)
        started = now

    data = gn.data.stream(path, "y") if how == "stream" else gn.data.table(path, "y")
    rows = len(data)
    lap("read", rows)
    learn, held_out = data.split(0.1)
    if how == "stream":
        lap("copy", rows)
    start = gn.Network.create((*learn.input_shape, 32, 32, 2), output="softmax", seed=0)
    run = epochs(start, learn, epochs=2)
    started = time.perf_counter()
    list(run)
    lap("epoch", 2 * len(learn))
    if how == "stream":
        for inputs in Rows.of(path, run.network.schema):
            run.network(inputs)
        lap("predict", rows)
    figures["accuracy"] = gn.evaluate(run.network, held_out).accuracy or 0.0
    result.write_text(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["part"]:
        part(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
    else:
        main()
