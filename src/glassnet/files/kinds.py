"""What a file is, in words, as far as it decides whether another may take its place."""

import json
import zipfile
from pathlib import Path

NETWORK, CHECKPOINT, RECORDING = ("a glassnet network", "a glassnet checkpoint", "a glassnet recording")

_MAGICS = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"GGUF": "a GGUF file",
    b"\x89HDF": "an HDF5 file",
    b"\x89PNG": "a PNG picture",
    b"%PDF": "a PDF file",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x93NUMPY": "a .npy file",
    b"\x1f\x8b": "a gzip file",
}
_MEMBERS = {
    "data.pkl": "a PyTorch file",
    "schema.json": "a skops file",
    "model.weights.h5": "a Keras file",
}
_MOST_HEADER = 16 << 20


def kind_of_output(path: Path) -> str:
    """The kind of a file, by its content; "" for an empty one.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = Path(folder, "rows")
    ...     _ = place.write_text("a,b")
    ...     kind_of_output(place)
    'text'
    """
    with open(path, "rb") as file:
        head = file.read(1024)
    if not head:
        return ""
    for magic, kind in _MAGICS.items():
        if head.startswith(magic):
            return kind
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _of_zip(path)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= _MOST_HEADER:
        return _of_safetensors(path)
    if b"\0" in head or head[:1] == b"\x08":
        return "an ONNX model" if head[:1] == b"\x08" else "a file of no kind known here"
    return _of_text(head)


def _of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.rpartition("/")[2] for name in archive.namelist()[:1000]]
    except (zipfile.BadZipFile, OSError, ValueError):
        return "a damaged zip file"
    known = next((kind for member, kind in _MEMBERS.items() if member in names), None)
    return known or ("an .npz file" if names and all(name.endswith(".npy") for name in names) else "a zip file")


def _of_safetensors(path: Path) -> str:
    with open(path, "rb") as file:
        header = file.read(int.from_bytes(file.read(8), "little"))
    try:
        metadata = json.loads(header).get("__metadata__") or {}
        return f"a glassnet {json.loads(metadata['glassnet'])['kind']}" if "glassnet" in metadata else "safetensors"
    except (ValueError, TypeError, KeyError, AttributeError):
        return "a damaged safetensors file"


def _of_text(head: bytes) -> str:
    start = head.lstrip()
    if start[:14].lower() == b"<!doctype html":
        return "an HTML page"
    if b"<svg" in head:
        return "an SVG picture"
    if start.startswith(b"{"):
        return "JSON"
    if b"written by glassnet" in head:
        return "a C header" if start.startswith(b"/*") else "a Python file"
    return "text"
