"""Count the parameters of sizes, a network, or a model file of any format."""

import json
import os
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from glassnet.architecture import ParameterCount, count_sizes, parse_sizes
from glassnet.opening import no_such_file

if TYPE_CHECKING:
    from glassnet.files.checkpoint import Checkpoint
    from glassnet.files.report import CheckpointCount
    from glassnet.network import Network


def count(source: "str | Sequence[int] | os.PathLike[str] | Network | Any") -> "ParameterCount | CheckpointCount":
    """Count parameters.

    Sizes are only counted: nothing is allocated, not even numpy is imported. Of a file only the header is read.

    Parameters
    ----------
    source : str, sequence of int, path, Network or model in memory
        Sizes such as "784-16-16-10" or (784, 16, 16, 10), or anything that holds parameters.

    Returns
    -------
    ParameterCount or CheckpointCount
        By layer for sizes and networks, by tensor for other files; `.total` is the number of parameters.

    Raises
    ------
    SettingError
        If the sizes are not valid.
    FileError
        If the file does not exist or has no parameters.

    Examples
    --------
    >>> import glassnet as gn
    >>> gn.count("784-16-16-10").total
    13002
    """
    if isinstance(source, os.PathLike) or (isinstance(source, str) and os.path.exists(source)):
        from glassnet.files import open_checkpoint

        with open_checkpoint(source) as checkpoint:
            return _ledger(checkpoint) or checkpoint.count()
    if isinstance(source, str) and not source.replace("-", "").isdigit():
        raise no_such_file(source, "sizes are written as 784-16-16-10")
    if isinstance(source, str | Sequence):
        return count_sizes(source)
    if hasattr(source, "architecture") or not hasattr(source, "__dict__"):
        return source.count()
    from glassnet.files.inspection import open

    return open(source).count()


def _ledger(checkpoint: "Checkpoint") -> ParameterCount | None:
    """The count by layer of a network that glassnet saved, if its tensors match its description."""
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
