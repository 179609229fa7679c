"""The built page as a table, address to bytes, read once: no request ever becomes a path."""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from glassnet.errors import FileError

FOLDER: Traversable = files("glassnet").joinpath("web", "page")
TYPES = {
    "html": "text/html",
    "js": "text/javascript",
    "css": "text/css",
    "json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "wasm": "application/wasm",
    "md": "text/plain",
}
"""By the ends of names; the system's own table is not asked, since it can be anything."""


class Part(NamedTuple):
    """A file of the page."""

    content: bytes
    type: str


def read() -> Mapping[str, Part]:
    """Every file of the built page by its address, the page itself as `/`; `FileError` if it was not built."""
    found = dict(_walk(FOLDER, "/")) if FOLDER.is_dir() else {}
    if "/index.html" not in found:
        raise FileError(
            got="no built page in this copy of glassnet",
            expected="glassnet/web/page/index.html",
            do="install glassnet from a wheel, or run: npm ci && npm run build in frontend/",
        )
    found["/"] = found.pop("/index.html")
    return found


def _walk(folder: Traversable, address: str) -> Iterator[tuple[str, Part]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{address}{entry.name}/")
        else:
            kind = TYPES.get(entry.name.rpartition(".")[2], "application/octet-stream")
            yield address + entry.name, Part(entry.read_bytes(), kind)
