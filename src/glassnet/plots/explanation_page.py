"""An explanation on one page: the network on one input, or one neuron with waterfall, activation curve and pictures."""

import numpy as np
from matplotlib.figure import Figure, SubFigure

from glassnet.plots import activation_curves, network_picture, waterfall_chart
from glassnet.plots.input_picture import ink_picture, picture_shape, signed_picture
from glassnet.plots.style import Style, figure, named
from glassnet.render.layout import SMALL
from glassnet.trace import Trace

PICTURE = 1.55


def explain(trace: Trace, neuron: tuple[int, int] | None = None, style: str = "light", top: int = 10) -> Figure:
    """Plot a whole network on one input, or the arithmetic of one neuron.

    Parameters
    ----------
    trace : Trace
        Of one example.
    neuron : tuple of int, optional
        Address (layer, index) of a neuron.
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.
    top : int, default 10
        Number of products shown singly.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    AddressError
        If the neuron does not exist.
    SettingError
        If the trace has several examples.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("3-4-2", "tanh", output="softmax", seed=0)
    >>> figure = gn.plots.explain(network.trace([1, 0, -1]), neuron=(0, 2))
    """
    if neuron is None:
        return network_picture.network(trace, style)
    colours = named(style)
    worked = trace.neuron(*neuron)
    pictures = neuron[0] == 0 and picture_shape(trace.schema) is not None
    below = PICTURE + 0.75 if pictures else 0.0
    high, wide = (
        max(waterfall_chart.height(worked, top), activation_curves.HIGH + below),
        waterfall_chart.WIDE + activation_curves.WIDE,
    )
    made = figure(colours, wide, high)
    left, right = made.subfigures(1, 2, squeeze=False, width_ratios=(waterfall_chart.WIDE, activation_curves.WIDE))[0]
    waterfall_chart.draw(_upper(left, waterfall_chart.height(worked, top), high), worked, colours, top)
    activation_curves.draw(_upper(right, activation_curves.HIGH, high), worked, colours)
    if pictures:
        _pictures(made, trace, neuron[1], colours, high, wide)
    return made


def _upper(column: SubFigure, tall: float, high: float) -> SubFigure:
    """The upper `tall` inches of a column of a figure."""
    column.set_facecolor("none")
    part: SubFigure = column.subfigures(2, 1, squeeze=False, height_ratios=(tall, max(high - tall, 1e-6)))[0, 0]
    part.set_facecolor("none")
    return part


def _pictures(made: Figure, trace: Trace, index: int, style: Style, high: float, wide: float) -> None:
    """The input, the template, and their product pixel by pixel."""
    shape = picture_shape(trace.schema)
    assert shape is not None
    layer = trace.layers[0]
    values, weights = layer.inputs.reshape(shape), layer.weights[index].reshape(shape)
    tall = PICTURE * min(1.0, shape[0] / shape[1])
    across = tall * shape[1] / shape[0]
    bottom = high - activation_curves.HIGH - 0.35 - tall
    for place, name in enumerate(("input", "x weights (its template)", "= products")):
        left = waterfall_chart.WIDE + 0.25 + place * (PICTURE + 0.1)
        axes = made.add_axes((left / wide, bottom / high, across / wide, tall / high))
        if place == 0:
            ink_picture(axes, values, style)
        else:
            signed = weights if place == 1 else values * weights
            signed_picture(axes, signed, float(np.abs(signed).max()), style).set_gid(("weights", "products")[place - 1])
        axes.text(0, 1.04, name, transform=axes.transAxes, color=style.ink, fontsize=SMALL, va="bottom")
        if place:
            axes.text(
                0, -0.05, "blue for, orange against", transform=axes.transAxes, color=style.quiet,
                fontsize=SMALL - 1, va="top",
            )  # fmt: skip
