"""The page as it was built from frontend/: one HTML file with everything inline, compressed, its data block empty."""

import gzip
import zlib
from importlib.resources import files
from importlib.resources.abc import Traversable

from glassnet.errors import FileError

BUILT: Traversable = files("glassnet").joinpath("web", "page", "page.html.gz")


def template() -> str:
    """The text of the page.

    Raises
    ------
    FileError
        If this copy of glassnet has no built page, or a damaged one.
    """
    try:
        return gzip.decompress(BUILT.read_bytes()).decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError):
        raise FileError(
            "this copy of glassnet has no built page",
            help="install glassnet from a wheel, or run: npm ci && npm run build in frontend/",
        ) from None
