"""Files that hold networks: one format a file, told by what is in it.

Each leaf says whether it `recognises` a file by its first bytes (a folder has none) and opens it as a `Checkpoint`.
A leaf is imported when it is asked, and what it needs beyond numpy when it opens a file.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.errors import FileError

if TYPE_CHECKING:
    from glassnet.files.checkpoint import Checkpoint

FORMATS = (
    "safetensors_file",
    "gguf_file",
    "pytorch_file",
    "keras_file",
    "skops_file",
    "npz_file",
    "onnx_file",  # last: it begins with no sign of its own
)


def open_checkpoint(path: str | os.PathLike[str]) -> "Checkpoint":
    """Any model file, opened: its header is read, and no more.

    Raises `FileError` for a file that is missing, damaged or of no known format, `MissingExtra` where its format needs
    a package that is not installed.
    """
    from glassnet.files import opening

    path = Path(path)
    head = b""
    if not path.is_dir():
        with opening.descriptor(path) as (number, status):
            head = os.read(number, opening.HEAD)
        if status.st_size == 0:
            raise opening.damaged(path, "it is empty")
    for name in FORMATS:
        try:
            leaf = import_module(f"glassnet.files.{name}")
        except ModuleNotFoundError as problem:
            if problem.name != f"glassnet.files.{name}":
                raise
            continue
        if leaf.recognises(head, path):
            checkpoint: Checkpoint = leaf.open_file(path)
            return checkpoint
    if path.suffix == ".safetensors" and head:
        raise opening.damaged(path, "it does not begin as its name says", "safetensors file")
    raise FileError(
        got=f"{opening.quoted(path)}, {'a folder without a model' if path.is_dir() else 'a file of no known format'}",
        expected="safetensors, GGUF, ONNX, PyTorch, Keras, skops, .npz or .npy",
        do="check the path",
    )
