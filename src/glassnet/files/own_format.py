"""glassnet's own file: named tensors in safetensors, with a description in JSON in its metadata.

Any safetensors reader opens it. The description is under the key `glassnet`; its `version` is raised only when an older
glassnet would misread the file. Its `checksum` is the CRC-32 of all else in it and of all tensors, which is
compared before any is read; only files of version 1, the page's and older ones, have none. Writing is all or nothing.
"""

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import FileError
from glassnet.files import outputs
from glassnet.files.access import damaged
from glassnet.opening import descriptor, open_file

VERSION = 2
"""From 2 on there is a checksum."""
_KEY = "glassnet"
_CHECKSUM = "checksum"


def write(path: outputs.Output, tensors: dict[str, Array], description: dict[str, Any]) -> None:
    """Save tensors and their description; raises `FileError`, with an earlier file of this name intact."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    metadata = _metadata(tensors, description)
    outputs.write(path, lambda temporary: save_file(tensors, temporary, metadata), SafetensorError)


def to_bytes(tensors: dict[str, Array], description: dict[str, Any]) -> bytes:
    """The file that `write` makes, in memory."""
    from safetensors.numpy import save

    return save(tensors, _metadata(tensors, description))


def _metadata(tensors: Mapping[str, Array], description: dict[str, Any]) -> dict[str, str]:
    description = {"version": VERSION, **description}
    # One key, not two: safetensors writes several in an order that changes from run to run.
    return {_KEY: _text({**description, _CHECKSUM: _checksum(tensors, description)})}


def _text(description: dict[str, Any]) -> str:
    return json.dumps(description, separators=(",", ":"))


def _checksum(tensors: Mapping[str, Array], description: dict[str, Any]) -> str:
    """In eight hexadecimal digits: of the description, then of the names, types, shapes and bytes by name."""
    crc = zlib.crc32(_text(description).encode())
    for name in sorted(tensors):
        tensor = np.ascontiguousarray(tensors[name])
        crc = zlib.crc32(f"{name} {tensor.dtype.name} {tensors[name].shape}".encode(), crc)
        crc = zlib.crc32(tensor.reshape(-1).view(np.uint8).data, crc)
    return f"{crc:08x}"


class Tensors(Mapping[str, Array]):
    """The tensors in a file by their names, each read when it is asked for."""

    def __init__(self, path: Path, kind: str, file: Any) -> None:
        self._path, self._kind, self._file = path, kind, file
        self._names = list(file.keys())

    def __getitem__(self, name: str) -> Array:
        from safetensors import SafetensorError

        if name not in self._names:
            raise KeyError(name)
        try:
            return self._file.get_tensor(name)
        except (SafetensorError, OSError, AttributeError, TypeError) as problem:  # AttributeError: a type numpy lacks
            raise _unreadable(self._path, self._kind, problem) from problem

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def is_ours(path: str | os.PathLike[str]) -> bool:
    """Whether a file is glassnet's own; also if it looks so and is damaged or missing, which `read` then tells."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if os.path.isdir(path):
        return False
    try:
        with open_file(path) as file:  # waits for no pipe
            start = file.read(9)
        if len(start) == 9 and start[8:] != b"{":
            return False
        return _KEY in (safe_open(path, framework="numpy").metadata() or {})
    except (SafetensorError, OSError, FileError):
        return True


def read(path: str | os.PathLike[str], kind: str) -> tuple[Tensors, dict[str, Any]]:
    """The tensors and the description of a file that `write` made; `kind` is what its description must say it is.

    Raises `FileError` for a file that is missing, damaged, of another format, of another kind or of a newer version.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    with descriptor(path):
        pass  # a missing file has one wording everywhere
    try:
        file = safe_open(path, framework="numpy")
    except (SafetensorError, OSError) as problem:
        raise _unreadable(path, kind, problem) from problem
    description, tensors = _description(path, file.metadata() or {}, kind), Tensors(path, kind, file)
    checksum = description.pop(_CHECKSUM, None)
    if (checksum is not None or int(description["version"]) > 1) and checksum != _checksum(tensors, description):
        raise damaged(path, "its checksum is wrong", f"glassnet {kind} file")
    return tensors, description


def _description(path: Path, metadata: dict[str, str], kind: str) -> dict[str, Any]:
    if _KEY not in metadata:
        raise FileError(
            f"{path} is a safetensors file without glassnet's description, expected a glassnet {kind} file",
            help="build the network from its arrays with Network.from_layers, then save it",
        )
    try:
        description = dict(json.loads(metadata[_KEY]))
        version = int(description["version"])
    except (ValueError, TypeError, KeyError) as problem:
        raise FileError(f"the description in {path} is not readable", help="save it again") from problem
    if version > VERSION:
        raise FileError(
            f"{path} has format version {version}, expected {VERSION} or older", help="pip install -U glassnet"
        )
    if description.get("kind") != kind:
        raise FileError(f"{path} is a glassnet {description.get('kind')} file, expected a {kind} file")
    return description


def _unreadable(path: Path, kind: str, problem: Exception) -> FileError:
    try:
        with open(path, "rb") as file:
            start = file.read(9)
    except OSError as error:
        return FileError(f"cannot read {path}: {error.strerror}")
    looks_right = len(start) == 9 and start[8:] == b"{"
    if not looks_right and len(start) == 9:
        return FileError(f"{path} has another format, expected a glassnet {kind} file (safetensors)")
    return FileError(
        f"{path} is truncated or damaged ({problem}): expected a complete safetensors file",
        help="copy or save it again",
    )
