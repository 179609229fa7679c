"""The time and memory that hostile files take to be looked into, loaded and refused."""

import contextlib
import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torture.child import in_child

import glassnet as gn
from glassnet.errors import GlassnetError

SECONDS, MEGABYTES = 10.0, 500.0
"""What docs/security.md promises of any file."""


class Hostile(NamedTuple):
    tried: int
    longest: tuple[str, float]
    """The file that took the most time, and how many seconds."""
    largest: tuple[str, float]
    """The file that took the most memory, and how many megabytes beyond those of Python and its libraries."""
    faults: list[str]
    """Beyond a bound, or with another end than an answer or an error of glassnet's own."""


def hostile(folder: Path) -> Hostile:
    """Look into each file in a child of its own."""
    worst_time, worst_memory, faults, tried = ("", 0.0), ("", 0.0), list[str](), 0
    for name, content in _files(folder):
        path = folder / name.replace(" ", "-")
        if content is not None:
            path.write_bytes(content)
        reading = {".png": ("as_digit", gn.data.as_digit), ".csv": ("read", gn.data.read)}.get(path.suffix)
        ways = dict([reading] if reading else [("count", gn.count), ("load", gn.load)])
        for way, work in ways.items():
            outcome = in_child(lambda work=work, path=path: _told(lambda: work(path)), limit=20 * SECONDS)
            what, tried = f"{way} of {name}", tried + 1
            worst_time = max(worst_time, (what, outcome.seconds), key=lambda pair: pair[1])
            worst_memory = max(worst_memory, (what, outcome.megabytes), key=lambda pair: pair[1])
            if outcome.how != "answered" or outcome.seconds > SECONDS or outcome.megabytes > MEGABYTES:
                cost = f"{outcome.seconds:.1f} s, {outcome.megabytes:.0f} MB"
                faults.append(f"{what}: {outcome.how} {str(outcome.value)[:100]}, {cost}")
        path.unlink()
    return Hostile(tried, worst_time, worst_memory, faults)


def _told(work: Callable[[], object]) -> None:
    with contextlib.suppress(GlassnetError):
        work()


def _files(folder: Path) -> Iterator[tuple[str, bytes | None]]:
    """Names, and contents; None where the file is written already."""
    from PIL import Image

    for mode, colour in (("RGBA", (0, 0, 0, 120)), ("L", 9), ("I;16", 999), ("P", 3)):
        name = f"{mode.replace(';', '')}.png"
        Image.new(mode, (8000, 8000), colour).save(folder / name, compress_level=1)
        yield name, None
    np.savez_compressed(
        folder / "bomb.npz", **{"0.weight": np.zeros((5000, 8000), np.float32), "0.bias": np.zeros(5000)}
    )
    yield "bomb.npz", None
    tensors = {f"layer.{i}.w": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(230_000)}
    header = json.dumps(tensors, separators=(",", ":")).encode()[: (16 << 20)]
    yield "many.safetensors", struct.pack("<Q", len(header)) + header
    lie = json.dumps({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 8]}}).encode()
    yield "lying.safetensors", struct.pack("<Q", len(lie)) + lie + bytes(8)
    yield "deep.safetensors", struct.pack("<Q", 200_000) + b"[" * 200_000
    yield "endless.safetensors", struct.pack("<Q", 1 << 62) + b"{" + b" " * 1000
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"0" * 300_000_000)
    yield "bomb.pt", zipped.getvalue()
    lists = b"".join(b"(" + b"h%c" % i * 10 + b"lq%c" % (i + 1) for i in range(60))
    yield "laughs.pkl", b"\x80\x02(lq\x00" + lists + b"."
    yield "steps.pkl", b"\x80\x02" + b"N0" * 20_000_000 + b"N."
    yield "long.pkl", pickle.dumps(["x" * 100] * 10 + list(range(2_000_000)))
    yield "many.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60)
    text = struct.pack("<Q", 1 << 40) + b"x" * 1000
    yield "text.gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + text
    yield "fields.onnx", b"\x08\x08\x3a" + b"\xff\xff\xff\x7f" + b"\x0a\x00" * 10_000_000
    yield "nested.onnx", b"\x3a" * 2_000_000
    yield "quotes.csv", b'a,b\n"' + b"x" * 50_000_000
    yield "columns.csv", b",".join(b"c%d" % i for i in range(200_000)) + b"\n" + b",".join([b"1"] * 200_000)
    yield "nulls.csv", b"a,b\n" + bytes(20_000_000)
