"""The file formats: one folder in `formats/` and one line here for each.

A folder holds up to three modules: `reader` (recognises a file by its first bytes and opens it as a `Checkpoint`),
`layers` (finds the chain of dense layers in such a file, or in a model in memory) and `writer` (exports a network).
They are imported when they are used.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from glassnet.errors import FileError


class Format(NamedTuple):
    """One file format.

    Parameters
    ----------
    name : str
        Its folder in `formats/`, and what `export(to=...)` calls it.
    title : str
        As people write it.
    suffix : str
        How the names of exported files end.
    framework : str or None
        The package whose models in memory `layers.of_model` reads.
    """

    name: str
    title: str
    suffix: str
    framework: str | None = None

    def has(self, part: str) -> bool:
        """Whether its folder has a `reader`, `layers` or `writer`."""
        return find_spec(f"glassnet.files.formats.{self.name}.{part}") is not None

    def part(self, part: str) -> Any:
        """The module `reader`, `layers` or `writer` of its folder."""
        return import_module(f"glassnet.files.formats.{self.name}.{part}")


FORMATS = {
    format.name: format
    for format in (
        Format("safetensors", "safetensors", ".safetensors"),
        Format("gguf", "GGUF", ".gguf"),
        Format("keras", "Keras", ".keras", framework="keras"),  # before torch: its models may be modules of PyTorch
        Format("torch", "PyTorch", ".pt", framework="torch"),
        Format("sklearn", "skops", ".skops", framework="sklearn"),
        Format("npz", ".npz or .npy", ".npz"),
        Format("onnx", "ONNX", ".onnx"),  # after the others with a reader: it begins with no magic bytes
        Format("c", "C", ".h"),
        Format("python", "Python", ".py"),
        Format("html", "HTML", ".html"),
    )
}
"""All formats by name, in the order in which a file is tried."""


def with_part(part: str) -> dict[str, Format]:
    """The formats whose folder has this part, by name."""
    return {name: format for name, format in FORMATS.items() if format.has(part)}


def readable_titles() -> str:
    """The formats that can be read, in words."""
    *titles, last = (format.title for format in with_part("reader").values())
    return f"{', '.join(titles)} or {last}"


def recognise(path: str | os.PathLike[str]) -> Format:
    """The format of a file, by its content.

    Raises
    ------
    FileError
        For a file that is missing, empty, damaged or of no known format.
    """
    from glassnet import opening
    from glassnet.files import access, foreign

    path = Path(path)
    head, folder = b"", os.path.isdir(path)  # pathlib's is_dir raises for names that are too long
    if not folder:
        with opening.descriptor(path) as (number, status):
            head = access.head(number, path)
        if status.st_size == 0 and not head:
            raise access.damaged(path, "it is empty")
    other = foreign.never_a_model(head)
    if other is not None:
        raise FileError(f"{opening.quoted(path)} is {other.what}: expected a model", help=other.remedy)
    readable = with_part("reader")
    for format in readable.values():
        if format.part("reader").recognises(head, path):
            return format
    if path.suffix == ".safetensors" and head:
        raise access.damaged(path, "it does not begin as its name says", "safetensors file")
    other = foreign.told_by_content(path)
    if other is not None:
        raise FileError(f"{opening.quoted(path)} is {other.what}: expected {readable_titles()}", help=other.remedy)
    kind = "a folder without a model" if folder else "a file of no known format"
    raise FileError(f"{opening.quoted(path)} is {kind}: expected {readable_titles()}", help="check the path")
