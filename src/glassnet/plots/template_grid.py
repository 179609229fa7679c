"""Templates of a first layer: each neuron's weights as a picture, all on one scale."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from glassnet.arithmetic import three
from glassnet.errors import SettingError
from glassnet.explain.templates import template
from glassnet.network import Network
from glassnet.plots.input_picture import signed_picture
from glassnet.plots.style import Style, figure, heading, named
from glassnet.render.layout import NORMAL, SMALL

MOST = 64
CELL, GAP, NAME = 1.15, 0.14, 0.24
TOP, BOTTOM, SIDE = 0.75, 0.72, 0.3


def templates(network: Network, style: str = "light", neurons: Sequence[int] | None = None) -> Figure:
    """Plot the templates of the first layer as a grid.

    Parameters
    ----------
    network : Network
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.
    neurons : sequence of int, optional
        By default the first 64.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SettingError
        If the inputs are not known to be a picture.
    AddressError
        If a neuron does not exist.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("16-4", seed=0).with_schema(gn.Schema(input_shape=(4, 4)))
    >>> figure = gn.plots.templates(network)
    """
    colours = named(style)
    count = network.sizes[1]
    shown = list(range(min(count, MOST))) if neurons is None else list(neurons)
    if not shown:
        raise SettingError("no neurons to draw", help=f"name some from 0 to {count - 1}")
    found = [template(network, 0, k) for k in shown]
    pictures = [one.picture for one in found]
    limit = max(float(np.abs(picture).max()) for picture in pictures)
    columns = min(8, len(shown)) if len(shown) != 10 else 5
    rows = -(-len(shown) // columns)
    tall = CELL * pictures[0].shape[0] / pictures[0].shape[1]
    wide = max(2 * SIDE + columns * CELL + (columns - 1) * GAP, 5.2)
    high = TOP + rows * (tall + NAME) + (rows - 1) * GAP + BOTTOM
    made = figure(colours, wide, high)
    what = f"{len(shown):,} of {count:,} neurons" if len(shown) < count else f"{count:,} neurons"
    heading(made, colours, "What the first layer looks for", f"{what}, {found[0].activation_name}; b = bias")
    for place, (one, picture) in enumerate(zip(found, pictures, strict=True)):
        row, column = divmod(place, columns)
        left = SIDE + column * (CELL + GAP)
        bottom = high - TOP - row * (tall + NAME + GAP) - NAME - tall
        axes = made.add_axes((left / wide, bottom / high, CELL / wide, tall / high))
        signed_picture(axes, picture, limit, colours).set_gid(f"template-0-{one.neuron}")
        _named(axes, f"0:{one.neuron}", f"b {three(one.bias)}", colours)
    bar = made.add_axes((SIDE / wide, 0.42 / high, min(3.2, wide - 2 * SIDE) / wide, 0.1 / high))
    _scale(made, bar, limit, colours)
    return made


def _named(axes: Axes, name: str, bias: str, style: Style) -> None:
    axes.text(0, 1.03, name, transform=axes.transAxes, color=style.ink, fontsize=NORMAL, va="bottom")
    axes.text(1, 1.03, bias, transform=axes.transAxes, color=style.quiet, fontsize=SMALL, va="bottom", ha="right")


def _scale(made: Figure, axes: Axes, limit: float, style: Style) -> None:
    """The legend of the colours."""
    bar = made.colorbar(ScalarMappable(Normalize(-limit, limit), style.signs), cax=axes, orientation="horizontal")
    ticks = [-limit, -limit / 2, 0, limit / 2, limit]
    bar.set_ticks(ticks, labels=[three(t) if t <= 0 else f"+{three(t)}" for t in ticks])
    axes.tick_params(colors=style.quiet, labelsize=SMALL, length=2, color=style.line)
    bar.outline.set_color(style.line)
    axes.text(
        1.04, 0.5, "weight", transform=axes.transAxes, color=style.quiet,
        fontsize=SMALL, va="center",
    )  # fmt: skip
