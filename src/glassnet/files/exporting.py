"""Giving a network away: one target a file, each written so that its own framework, compiler or interpreter runs it.

What is written predicts what the network predicts. What inputs and outputs stand for (classes, the scale of stored
bytes) goes along where the target has a place for it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.errors import SettingError, unknown_name
from glassnet.files import outputs, registry

if TYPE_CHECKING:
    from glassnet.data.dataset import Dataset
    from glassnet.network import Network

TARGETS = tuple(registry.with_part("writer"))
"""What a network can be exported to."""


def export(
    network: "Network",
    path: outputs.Output,
    to: str | None = None,
    *,
    quantise: str | None = None,
    inputs: "Dataset | None" = None,
) -> None:
    """Write a network in another format, atomically.

    Parameters
    ----------
    network : Network
    path : str, path or binary file object
    to : str, optional
        One of `TARGETS`; by default the one with the suffix of the path.
    quantise : {"int8"}, optional
        Weights as whole numbers from -127 to 127 with a factor for each neuron (only "c").
    inputs : Dataset, optional
        Data of which the page gets a sample (only "html").

    Raises
    ------
    SettingError
        If the format cannot hold this network.
    MissingExtra
        If the format needs a package that is not installed.
    FileError
        If the file cannot be written, or would replace a file of another kind; an earlier file is unchanged.

    Examples
    --------
    >>> import os, tempfile
    >>> import glassnet as gn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gn.export(gn.Network.create("3-4-2", seed=0), os.path.join(folder, "small.py"))
    ...     os.listdir(folder)
    ['small.py']
    """
    place = Path(path) if isinstance(path, str | os.PathLike) else Path("network")
    to = to or _by_suffix(place)
    if to not in TARGETS:
        raise unknown_name("target", to, TARGETS)
    if quantise not in (None, "int8"):
        raise unknown_name("quantise", quantise, ["int8"])
    if quantise and to != "c":
        raise SettingError(f"quantise={quantise!r} works for the target 'c' only, not for {to!r}")
    if inputs is not None and to != "html":
        raise SettingError(f"inputs are for the target 'html' only, not for {to!r}")
    writer = registry.FORMATS[to].part("writer")
    if quantise:
        fill = writer.filling(network, place, quantised=True)
    elif inputs is not None:
        fill = writer.filling(network, place, inputs)
    else:
        fill = writer.filling(network, place)
    outputs.write(path, fill)


Filling = Callable[[str], object]
"""Writes the whole file under the name that it is given."""


def _by_suffix(path: Path) -> str:
    suffixes = {registry.FORMATS[name].suffix: name for name in TARGETS}
    if path.suffix in suffixes:
        return suffixes[path.suffix]
    raise SettingError(
        f"the name {str(path)!r} does not say what to export to: expected a name that ends in one of "
        f"{', '.join(suffixes)}",
        help=f"or give to=, one of {', '.join(TARGETS)}",
    )
