"""Save a figure as SVG (with text as text), PNG or PDF; the same figure gives the same bytes."""

import os
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from glassnet.errors import SettingError
from glassnet.files import outputs

_BY_SUFFIX: dict[str, dict[str, Any]] = {
    ".svg": {"format": "svg", "metadata": {"Date": None}},
    ".png": {"format": "png", "metadata": {"Software": None}, "dpi": 200},
    ".pdf": {"format": "pdf", "metadata": {"CreationDate": None}},
}


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Save a figure.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or path
        Its suffix, .svg, .png or .pdf, is the format.

    Raises
    ------
    SettingError
        If the suffix is another one.
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> import glassnet as gn
    >>> network = gn.Network.create("3-4-2", "tanh", seed=0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     gn.plots.save(gn.plots.network(network.trace([1, 0, -1])), os.path.join(folder, "network.svg"))
    ...     os.listdir(folder)
    ['network.svg']
    """
    options = _BY_SUFFIX.get(Path(path).suffix.lower())
    if options is None:
        raise SettingError(
            f"unknown picture format {os.fspath(path)!r}: expected a name that ends in .svg, .png or .pdf",
            help="name it figure.svg",
        )
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "glassnet"}):
        outputs.write(path, lambda name: figure.savefig(name, facecolor=figure.get_facecolor(), **options))
