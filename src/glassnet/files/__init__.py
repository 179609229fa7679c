"""Model files: each is opened as a `Checkpoint`, whatever its format."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.files.checkpoint import Checkpoint


def open_checkpoint(path: str | os.PathLike[str]) -> "Checkpoint":
    """Open a model file of any format: its header is read, and no more.

    Raises
    ------
    FileError
        For a file that is missing, damaged or of no known format.
    MissingExtra
        Where the format needs a package that is not installed.
    """
    from pathlib import Path

    from glassnet.files import registry

    return registry.recognise(path).part("reader").open_file(Path(path))
