"""Counting parameters, whatever they are in: sizes written down, a network, or a file of any format."""

import json
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from glassnet.architecture import ParameterCount, count_sizes, parse_sizes
from glassnet.errors import FileError

if TYPE_CHECKING:
    from glassnet.files.checkpoint import Checkpoint
    from glassnet.files.report import CheckpointCount
    from glassnet.network import Network


def count(source: "str | Sequence[int] | os.PathLike[str] | Network | Any") -> "ParameterCount | CheckpointCount":
    """The ledger of sizes such as "784-16-16-10" or (784, 16, 16, 10), of a network, or of a model file.

    Sizes are only counted: nothing is allocated, not even numpy is imported. Of a file only the header is read; one of
    our own gives the ledger of its layers, any other the tree of its tensors; `.total` is the number of parameters of
    either. Raises `SettingError` for sizes that make no network, `FileError` for a file that is missing or holds none.
    """
    if isinstance(source, os.PathLike) or (isinstance(source, str) and os.path.exists(source)):
        from glassnet.files import open_checkpoint

        with open_checkpoint(source) as checkpoint:
            return _ledger(checkpoint) or checkpoint.count()
    if isinstance(source, str) and not source.replace("-", "").isdigit():
        raise FileError(
            f"no such file: {source!r}",
            help="paths are relative to the current folder; sizes are written as 784-16-16-10",
        )
    if isinstance(source, str | Sequence):
        return count_sizes(source)
    if hasattr(source, "architecture") or not hasattr(source, "__dict__"):
        return source.count()
    from glassnet.files.inspection import open

    return open(source).count()


def _ledger(checkpoint: "Checkpoint") -> ParameterCount | None:
    """The ledger of a network that we saved, if its tensors are what its description says."""
    try:
        description = json.loads(checkpoint.metadata["glassnet"])
        if description["kind"] != "network":
            return None
        sizes = parse_sizes(description["sizes"])
    except (KeyError, TypeError, ValueError):
        return None
    shapes: dict[str, tuple[int, ...]] = {}
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        shapes |= {f"layers.{i}.weight": (fan_out, fan_in), f"layers.{i}.bias": (fan_out,)}
    if {name: info.shape for name, info in checkpoint.tensors.items()} != shapes:
        return None
    return count_sizes(sizes, next(iter(checkpoint.tensors.values())).dtype)
