"""Model files: counting, one row, a long header and a comparison, on files large enough to tell.

A sparse file of 7 billion parameters (26 GB apparent, a few kB on the disk), headers of 100 MB, and two files of a GB
each, compared in the time in which the page cache is read. In-process figures are the best of several, commands whole
processes with their peak memory. GLASSNET_BENCHMARK_MB sets the size of the compared files."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from machine import keep

import glassnet as gn
from glassnet.errors import FileError

MEGABYTES = int(os.environ.get("GLASSNET_BENCHMARK_MB", "1000"))
ROW = "model.layers.31.mlp.up_proj.weight"


def main() -> None:
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(dir=os.environ.get("GLASSNET_BENCHMARK_FOLDER")) as folder:
        figures |= seven_billion(Path(folder) / "7b.safetensors")
        figures |= long_headers(Path(folder) / "header.safetensors")
        figures |= comparison(Path(folder))
    for name, value in figures.items():
        print(f"{name:<52} {value:>12,.4g}")
    keep("model_files", figures, ("numpy", "safetensors"))


def seven_billion(path: Path) -> dict[str, float]:
    """A Llama-like file: 291 tensors, of which only the header takes room."""
    shapes = {"model.embed_tokens.weight": (32000, 4096)}
    for i in range(32):
        layer = {f"self_attn.{name}_proj.weight": (4096, 4096) for name in "qkvo"}
        layer |= {"mlp.gate_proj.weight": (11008, 4096), "mlp.up_proj.weight": (11008, 4096)}
        layer |= {"mlp.down_proj.weight": (4096, 11008)}
        layer |= {"input_layernorm.weight": (4096,), "post_attention_layernorm.weight": (4096,)}
        shapes |= {f"model.layers.{i}.{name}": shape for name, shape in layer.items()}
    shapes |= {"model.norm.weight": (4096,), "lm_head.weight": (32000, 4096)}
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    opened = gn.open(path)
    count, _ = command("count", str(path))
    inspect, memory = command("inspect", str(path))
    row, row_memory = command("inspect", str(path), "--neuron", f"{ROW}:11007")
    return {
        "7 billion: opened and counted, ms": 1e3 * best(lambda: gn.open(path).count().total, 20),
        "7 billion: one row, ms": 1e3 * best(lambda: opened.rows(ROW, 11007), 20),
        "7 billion: one neuron, ms": 1e3 * best(lambda: opened.neuron(ROW, 11007), 20),
        "7 billion: the tree printed, ms": 1e3 * best(lambda: str(opened.count()), 5),
        "7 billion: glassnet count, s": count,
        "7 billion: glassnet inspect, s": inspect,
        "7 billion: glassnet inspect, MB": memory,
        "7 billion: glassnet inspect --neuron, s": row,
        "7 billion: glassnet inspect --neuron, MB": row_memory,
    }


def long_headers(path: Path) -> dict[str, float]:
    """100 MB that are spaces, one name, brackets, or 700,000 tensors; then 120,000 tensors, which are read."""
    shape = "1," * 27 + "1"
    one = f'"t{{:06}}":{{{{"dtype":"F32","shape":[{shape}],"data_offsets":[{{}},{{}}]}}}}'
    many = ("{" + ",".join(one.format(i, 4 * i, 4 * i + 4) for i in range(700_000)) + "}").encode()[:100_000_000]
    contents = {
        "spaces": b"{}" + b" " * 99_999_998,
        "a name": b'{"' + b"x" * 99_999_998,
        "brackets": b'{"a":' + b"[" * 99_999_995,
        "700,000 tensors": many,
        "120,000 tensors": ("{" + ",".join(
            f'"layers.{i // 9}.part{i % 9}.weight":{{"dtype":"F32","shape":[0,8],"data_offsets":[0,0]}}'
            for i in range(120_000)) + "}").encode(),
    }  # fmt: skip
    figures = {}
    for name, content in contents.items():
        path.write_bytes(len(content).to_bytes(8, "little") + content)
        seconds, memory = command("count", str(path), "--depth", "1", status=None)
        figures |= {f"header of {len(content) / 1e6:.0f} MB, {name}: in process, s": best(lambda: _counted(path), 1)}
        figures |= {f"header, {name}: command, s": seconds, f"header, {name}: command, MB": memory}
    return figures


def _counted(path: Path) -> None:
    with contextlib.suppress(FileError):
        int(gn.open(path).count())


def comparison(folder: Path) -> dict[str, float]:
    """Two files of which every number differs, two that are equal, and bfloat16, against reading them."""
    from glassnet.files.formats.safetensors.reader import BLOCK

    random = np.random.default_rng(0)
    columns = 4096
    rows = MEGABYTES * 1_000_000 // (8 * 4 * columns)
    block = random.normal(size=(rows, columns)).astype(np.float32)
    other = block + np.float32(1e-3) * random.normal(size=block.shape).astype(np.float32)
    for name, array in (("a", block), ("b", other), ("c", block)):
        written(folder / f"{name}.safetensors", "F32", array)
        written(folder / f"{name}16.safetensors", "BF16", (array.view(np.uint32) >> 16).astype(np.uint16))

    def read(*names: str) -> None:
        memory = __import__("mmap").mmap(-1, BLOCK)
        for name in names:
            with open(folder / f"{name}.safetensors", "rb", buffering=0) as file:
                while file.readinto(memory):
                    pass

    figures = {"compared files, MB each": (folder / "a.safetensors").stat().st_size / 1e6}
    for words, names in (("all changed", "ab"), ("equal", "ac"), ("bfloat16, all changed", ("a16", "b16"))):
        reading = best(lambda n=names: read(*n), 3)  # type: ignore[misc]
        paths = [folder / f"{name}.safetensors" for name in names]
        comparing = best(lambda p=paths: gn.compare_files(*p), 3)  # type: ignore[misc]
        _, memory = command("compare", *map(str, paths), "--tensors")
        figures |= {f"compare, {words}: s": comparing, f"compare, {words}: times reading": comparing / reading}
        figures |= {f"compare, {words}: command, MB": memory}
    return figures


def written(path: Path, dtype: str, block: Any) -> None:
    """A file of eight tensors, all of them this block."""
    size = block.nbytes
    header = {
        f"layers.{i}.weight": {"dtype": dtype, "shape": block.shape, "data_offsets": [i * size, (i + 1) * size]}
        for i in range(8)
    }
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _ in range(8):
            file.write(block.data)


def best(work: Callable[[], Any], times: int) -> float:
    work()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def command(*arguments: str, status: int | None = 0) -> tuple[float, float]:
    """Seconds (best of three) and peak memory in MB of a whole `glassnet` process."""
    script = (
        "import resource, subprocess, sys, time; t = time.perf_counter();"
        "s = subprocess.run([sys.executable, '-m', 'glassnet', *sys.argv[1:]], capture_output=True).returncode;"
        "print(time.perf_counter() - t, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, s)"
    )
    runs = []
    for _ in range(3):
        told = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
        seconds, memory, ended = told.stdout.split()
        if status is not None and int(ended) != status:
            raise RuntimeError(f"glassnet {' '.join(arguments)} ended with {ended}")
        runs.append((float(seconds), float(memory) / (1e6 if sys.platform == "darwin" else 1e3)))
    return min(seconds for seconds, _ in runs), max(memory for _, memory in runs)


if __name__ == "__main__":
    main()
