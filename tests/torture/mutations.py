"""Files with some bytes changed: each is told or gives the numbers that were written, where there is a checksum."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torture.child import in_child

import glassnet as gn
from glassnet.errors import GlassnetError

CHECKED = ("save", "checkpoint", "npz", "torch", "keras", "sklearn")
"""What carries a checksum of its numbers: of these, none may give others. A safetensors or ONNX file has none."""
SUFFIXES = {"onnx": ".onnx", "npz": ".npz", "torch": ".pt", "keras": ".keras", "sklearn": ".skops"}
KINDS = ("safetensors", "onnx", *CHECKED)
AT_ONCE = 25


class Mutations(NamedTuple):
    tried: int
    told: int
    same: int
    other: int
    """Files that gave other numbers than were written, without a word."""
    crashed: int
    hung: int
    escaped: list[str]
    """Exceptions that are none of glassnet's own."""


def mutations(
    folder: Path, each: int, seconds: float, seed: int = 0, kinds: Sequence[str] = KINDS
) -> dict[str, Mutations]:
    """Change each kind of file `each` times, or until its share of the time is over."""
    return {kind: _of_kind(kind, folder, each, seconds / len(kinds), seed) for kind in kinds}


def _of_kind(kind: str, folder: Path, each: int, seconds: float, seed: int) -> Mutations:
    path = folder / f"{kind}{SUFFIXES.get(kind, '.safetensors')}"
    _write(kind, path, seed)
    content = path.read_bytes()
    loaded = _resumed if kind == "checkpoint" else _read
    wanted = loaded(path)
    draw, found, escaped = random.Random(f"{kind} {seed}"), Counter[str](), list[str]()
    until = time.monotonic() + seconds
    place = folder / f"changed-{path.name}"

    def outcome(changed: bytes) -> str:
        place.write_bytes(changed)
        try:
            got = loaded(place)
        except GlassnetError:
            return "told"
        except Exception as problem:
            return f"{type(problem).__name__}: {problem}"
        return "same" if _equal(got, wanted) else "other"

    while sum(found.values()) < each and time.monotonic() < until:
        batch = [_changed(content, draw) for _ in range(AT_ONCE)]
        for how in _outcomes(batch, outcome):
            found[how if how in Mutations._fields else "escaped"] += 1
            if how not in Mutations._fields:
                escaped.append(f"{kind}: {how}")
    tried = sum(found.values())
    return Mutations(tried, *(found[how] for how in ("told", "same", "other", "crashed", "hung")), escaped)


def _outcomes(batch: list[bytes], outcome: Callable[[bytes], str]) -> list[str]:
    """Those of a batch in one child; where that does not end, of each in a child of its own."""
    together = in_child(lambda: [outcome(changed) for changed in batch], limit=120)
    if together.how == "answered":
        return list(together.value)
    alone = [in_child(lambda changed=changed: outcome(changed), limit=60) for changed in batch]
    ways = {"killed": "crashed", "hung": "hung"}
    return [one.value if one.how == "answered" else ways.get(one.how, str(one.value)) for one in alone]


def _write(kind: str, path: Path, seed: int) -> None:
    network = gn.Network.create([2, 5, 2], ["relu", "softmax"], seed=seed)
    if kind == "checkpoint":
        gn.train(network, gn.data.circle(40, seed=seed), epochs=1, schedule="constant", checkpoint=path)
    elif kind == "save":
        network.save(path)
    else:
        gn.export(network, path, kind)


def _resumed(path: Path) -> gn.Network:
    start, data = gn.Network.create([2, 5, 2], ["relu", "softmax"], seed=0), gn.data.circle(40, seed=0)
    return gn.train(start, data, epochs=2, schedule="constant", checkpoint=path, resume=True).network


def _read(path: Path) -> gn.Network:
    try:
        return gn.load(path)
    except GlassnetError:
        return gn.load(path, activation=["relu", "softmax"])


def _equal(one: gn.Network, other: gn.Network) -> bool:
    same = one.architecture == other.architecture
    return same and np.array_equal(one.parameters, other.parameters) and one.schema == other.schema


def _changed(content: bytes, draw: random.Random) -> bytes:
    """One to four changes: a bit, a byte, some bytes, a piece cut out, doubled or moved, or the end cut off."""
    made = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        at = draw.randrange(max(1, len(made)))
        length = draw.choice((1, 2, 4, 8, 64))
        match draw.randrange(7):
            case 0 | 1 if made:
                made[at] ^= 1 << draw.randrange(8)
            case 2 if made:
                made[at] = draw.randrange(256)
            case 3:
                made[at : at + length] = draw.choice((bytes(length), b"\xff" * length, draw.randbytes(length)))
            case 4:
                del made[at : at + length]
            case 5:
                made[at:at] = made[at : at + length]
            case _:
                del made[at:]
    return bytes(made)
