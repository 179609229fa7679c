"""skops files of scikit-learn models: a tree of JSON that says what was an object, and its arrays as `.npy` members.

The tree is read as data: a class in it is a name, and no object is made. Names of tensors are the way to them
(`coefs_.0`; in a pipeline the step first: `mlpclassifier.coefs_.0`). `metadata` holds, named in the same way, the class
of every object (`mlpclassifier.class`) and its settings as JSON (`mlpclassifier.activation` is `"relu"`). Single
numbers of numpy's types (a loss, a learning rate) are arrays to skops; they are no tensors here.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from glassnet.arrays import Array
from glassnet.errors import FileError, GlassnetError
from glassnet.files import zip_members
from glassnet.files.access import damaged
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.formats.npz.reader import NpzFile
from glassnet.files.tensors import Role, TensorInfo
from glassnet.opening import descriptor, printable, quoted

LARGEST_SCHEMA = 16 << 20
"""Bytes of JSON: it takes some twenty times as much memory when it is read."""
_DEEPEST = 64
_MOST_NODES = 500_000
_LEARNT = ("coefs_", "intercepts_", "coef_", "intercept_")
_COUNTED = ("mean_", "var_", "scale_", "min_", "data_min_", "data_max_", "data_range_", "center_", "max_abs_")


def recognises(head: bytes, path: Path) -> bool:
    """A zip file with a `schema.json`."""
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        with descriptor(path) as (number, _), os.fdopen(number, "rb", closefd=False) as file:
            return "schema.json" in zip_members.read_members(file, path)
    except GlassnetError:
        return False


def open_file(path: Path) -> Checkpoint:
    """The arrays of a scikit-learn model in a skops file; `FileError` where it is damaged or hostile."""
    with descriptor(path) as (number, _), os.fdopen(number, "rb", closefd=False) as file:
        members = zip_members.read_members(file, path)
        if "schema.json" not in members:
            raise damaged(path, "it has no schema.json", "skops file")
        content = zip_members.read_member(file, path, members["schema.json"], LARGEST_SCHEMA)
    try:
        schema = json.loads(content)
    except (ValueError, RecursionError):
        raise damaged(path, "its schema.json cannot be read", "skops file") from None
    if not isinstance(schema, dict) or "__loader__" not in schema:
        raise damaged(path, "its schema.json describes no object", "skops file")
    metadata: dict[str, str] = {}
    if isinstance(version := schema.get("_skops_version"), str):
        metadata["skops_version"] = printable(version, 40)
    leaves = list(_leaves(schema, path))
    if not any(name.endswith(".npy") for name in members):
        raise FileError(
            f"{quoted(path)} is a skops file without arrays, expected a fitted model", help="call fit before saving"
        )
    arrays = NpzFile(path)
    tensors: dict[str, TensorInfo] = {}
    members_of: dict[str, str] = {}
    first: dict[str, str] = {}
    for name, kind, value in leaves:
        if kind == "text":
            metadata[name] = value
            continue
        member = value.removesuffix(".npy")
        if member not in arrays.tensors:
            raise damaged(path, f"the array {quoted(value)} of {quoted(name)} is not there", "skops file")
        if name in tensors:
            raise damaged(path, f"two arrays are named {quoted(name)}", "skops file")
        info = arrays.tensors[member]
        shared = first.setdefault(member, name)
        tensors[name] = replace(
            info,
            name=name,
            role=_role(name),
            shared_with=None if shared == name else shared,
            neurons_in="columns" if len(info.shape) == 2 and _role(name) == "parameter" else None,
            where=printable(value, 100),
        )
        members_of[name] = member
    return SkopsFile(path, metadata, tensors, arrays, members_of)


def _role(name: str) -> Role:
    parts = name.split(".")
    if "_optimizer" in parts:
        return "optimizer"
    if any(part in _LEARNT for part in parts[-2:]):
        return "parameter"
    return "statistic" if parts[-1] in _COUNTED else "buffer"


def _leaves(schema: Any, path: Path) -> Iterator[tuple[str, str, str]]:
    """(name, "array", member) and (name, "text", what it says), by the way to them; an object is met once at each."""
    waiting: list[tuple[str, Any, int]] = [("", schema, 0)]
    nodes = 0
    while waiting:
        name, node, depth = waiting.pop()
        nodes += 1
        if depth > _DEEPEST or nodes > _MOST_NODES:
            raise FileError(
                f"the schema of {quoted(path)} is deeper than {_DEEPEST} levels or has more than {_MOST_NODES:,} nodes",
                help="save the model alone",
            )
        if not isinstance(node, dict):
            continue
        loader, content = node.get("__loader__"), node.get("content")
        dot = name + "." if name else ""
        if loader == "NdArrayNode" and node.get("type") == "numpy":
            if not isinstance(node.get("file"), str):
                raise damaged(path, f"the array {quoted(name)} is in no member", "skops file")
            if node.get("__class__") == "ndarray":
                yield name, "array", node["file"]
        elif loader == "JsonNode":
            if name and isinstance(content, str) and len(content) <= 1000:
                yield name, "text", printable(content, 1000)
        elif loader in ("ListNode", "TupleNode") and isinstance(content, list):
            steps = _steps(content) if name.rpartition(".")[2] == "steps" else None
            start = name.removesuffix("steps") if steps else dot
            inner = [(start + key, part) for key, part in (steps or [(str(i), part) for i, part in enumerate(content)])]
            waiting += [(key, part, depth + 1) for key, part in reversed(inner)]
        elif loader == "DictNode" and isinstance(content, dict):
            waiting += [(dot + printable(key, 200), part, depth + 1) for key, part in reversed(content.items())]
        elif isinstance(content, dict):  # an object: what it is, and its attributes
            yield f"{dot}class", "text", printable(f"{node.get('__module__')}.{node.get('__class__')}", 200)
            waiting.append((name, content, depth + 1))


def _steps(content: list[Any]) -> list[tuple[str, Any]] | None:
    """The steps of a pipeline by their names; None for a list of anything else."""
    made = []
    for step in content:
        pair = step.get("content") if isinstance(step, dict) else None
        if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], dict):
            return None
        try:
            name = json.loads(pair[0].get("content", ""))
        except (ValueError, TypeError, RecursionError):
            return None
        if not isinstance(name, str):
            return None
        made.append((printable(name, 200), pair[1]))
    return made


class SkopsFile(Checkpoint):
    """A skops file, opened: its arrays are read as those of any `.npz`."""

    def __init__(
        self,
        path: Path,
        metadata: Mapping[str, str],
        tensors: Mapping[str, TensorInfo],
        arrays: NpzFile,
        members: Mapping[str, str],
    ) -> None:
        self.path, self.format, self.metadata, self.tensors = path, "skops", metadata, tensors
        self._arrays, self._members = arrays, members

    def rows(self, name: str, which: int | slice) -> Array:
        return self._arrays.rows(self._members[self.info(name).name], which)

    def verify(self, name: str) -> None:
        self._arrays.verify(self._members[self.info(name).name])

    def column(self, name: str, index: int) -> Array:
        """One column, as numpy's files have it."""
        return self._arrays.column(self._members[self.info(name).name], index)

    def flat(self, name: str, start: int, stop: int) -> Array:
        return self._arrays.flat(self._members[self.info(name).name], start, stop)

    def close(self) -> None:
        self._arrays.close()
