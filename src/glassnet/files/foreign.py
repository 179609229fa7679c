"""Files that are no model which can be read, named by their content, with the remedy that fits each."""

import os
from pathlib import Path
from typing import NamedTuple

from glassnet import opening

LONGEST = 512
"""Bytes looked at: a tar file says so at byte 257."""


class Foreign(NamedTuple):
    """What a file is, and what to do with it."""

    what: str
    remedy: str


POINTER = Foreign("a Git LFS pointer, which stands for the file", "fetch the file itself: git lfs pull")
PAGE = Foreign("a web page", "download the file itself: the link of a download button, not that of the page about it")
ARRAYS = "save its arrays from Python with safetensors or numpy.savez, and open that"
TREES = Foreign("an XGBoost model", "its trees are no network: XGBoost itself shows them")
CONVERT = "export the model to ONNX or safetensors, and open that"

_BEGINNINGS = (
    (b"\x1f\x8b", Foreign("a gzip file", "unpack it first: gunzip")),
    (b"\x28\xb5\x2f\xfd", Foreign("a zstd file", "unpack it first: unzstd")),
    (b"\x04\x22\x4d\x18", Foreign("an lz4 file, as joblib writes them too", f"unpack it first: unlz4; else {ARRAYS}")),
    (b"\xfd7zXZ\0", Foreign("an xz file", "unpack it first: unxz")),
    (b"7z\xbc\xaf\x27\x1c", Foreign("a 7z archive", "unpack it first")),
    (b"PK\x03\x04", Foreign("a zip archive without a model right in it", "unpack it, and name a file in it")),
    (b"x\x01", Foreign("a zlib file, as joblib writes them", ARRAYS)),
    (b"x\x9c", Foreign("a zlib file, as joblib writes them", ARRAYS)),
    (b"x\xda", Foreign("a zlib file, as joblib writes them", ARRAYS)),
    (
        b"lmgg",
        Foreign("a ggml file, the format before GGUF", "convert it to GGUF, with llama.cpp or whisper.cpp"),
    ),
    (b'{"learner"', TREES),
    (
        b"{L\0\0\0\0\0\0\0\x07learner",
        TREES,
    ),
)
_FOLDERS = (
    ("saved_model.pb", Foreign("a TensorFlow SavedModel", "save it again with model.save('model.keras')")),
    ("model_index.json", Foreign("a diffusers pipeline", "name one of its folders, such as unet or vae")),
    (".metadata", Foreign("a torch distributed checkpoint", "python -m torch.distributed.checkpoint.format_utils "
                          "dcp_to_torch FOLDER model.pt")),
    ("pytorch_model.bin.index.json", Foreign("a PyTorch model in shards", "name one of its pytorch_model-*.bin files")),
    ("manifest.ocdbt", Foreign("an Orbax checkpoint", ARRAYS)),
    ("_METADATA", Foreign("an Orbax checkpoint", ARRAYS)),
    ("Manifest.json", Foreign("a Core ML package", CONVERT)),
)  # fmt: skip


def never_a_model(head: bytes) -> Foreign | None:
    """What was downloaded in place of a model, whatever the file is called."""
    if head.startswith(b"version https://git-lfs"):
        return POINTER
    return PAGE if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")) else None


def told_by_content(path: Path) -> Foreign | None:
    """What a file or folder is that no reader knows; None where nothing tells."""
    if os.path.isdir(path):
        return next((foreign for name, foreign in _FOLDERS if os.path.exists(path / name)), None)
    with opening.descriptor(path) as (number, _):
        head = os.read(number, LONGEST)
    if head[4:8] == b"TFL3":
        return Foreign("a TensorFlow Lite model", CONVERT)
    if head[257:262] == b"ustar":
        return Foreign("a tar archive, as .nemo files are", "unpack it (tar -xf), and name a file in it")
    for beginning, foreign in _BEGINNINGS:
        if head.startswith(beginning):
            return foreign
    suffixes = {".mlmodel": Foreign("a Core ML model", CONVERT), ".msgpack": Foreign("a msgpack file", ARRAYS)}
    return suffixes.get(path.suffix)
