"""Counting parameters, whatever they are in: sizes written down, a network, or a file."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from glassnet.architecture import ParameterCount, count_sizes
from glassnet.errors import FileError

if TYPE_CHECKING:
    from glassnet.network import Network


def count(source: "str | Sequence[int] | os.PathLike[str] | Network") -> ParameterCount:
    """The ledger of sizes such as "784-16-16-10" or (784, 16, 16, 10), of a network, or of a network's file.

    Sizes are only counted: nothing is allocated, not even numpy is imported. Raises `SettingError` for sizes that make
    no network, and `FileError` for a file that is missing or holds none.
    """
    if isinstance(source, os.PathLike) or (isinstance(source, str) and os.path.exists(source)):
        from glassnet.network import load

        return load(source).count()
    if isinstance(source, str) and not source.replace("-", "").isdigit():
        raise FileError(
            got=f"{source!r}, which is not there", expected="sizes such as 784-16-16-10, or a file", do="check the path"
        )
    return count_sizes(source) if isinstance(source, str | Sequence) else source.count()
