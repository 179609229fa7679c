"""The network at work: the layout that notebooks draw as SVG, drawn by matplotlib.

The input is the picture that it is, the outputs are bars. A connection's colour and dashes show the sign of its product
weight x input, its width and strength how large that is within its layer.
"""

from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from glassnet.errors import SettingError
from glassnet.plots.input_picture import ink_picture
from glassnet.plots.style import Style, empty, figure, heading, named
from glassnet.render.layout import SMALL, Drawing, layout, shortened
from glassnet.trace import Trace

CONNECTIONS = 60
TOP, BOTTOM = 0.62, 0.4
"""Inches for the heading and for the legend."""


def network(trace: Trace, style: str = "light", connections: int = CONNECTIONS) -> Figure:
    """Plot a network on one input.

    Of a layer of more than 20 neurons, those with the largest activations are drawn.

    Parameters
    ----------
    trace : Trace
        Of one example.
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.
    connections : int
        Number of products drawn between two columns, the largest ones.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SettingError
        If the trace has several examples.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("3-4-2", "tanh", output="softmax", seed=0)
    >>> figure = gn.plots.network(network.trace([1, 0, -1]))
    """
    colours = named(style)
    if trace.outputs.ndim == 2:
        raise SettingError(f"this trace holds {len(trace)} examples, not one", help="pick one: trace[0]")
    drawing = layout(trace.picture(connections=connections))
    wide, high = drawing.width, drawing.height + TOP + BOTTOM
    made = figure(colours, wide, high)
    axes = empty(made, wide, high)
    axes.set_ylim(-BOTTOM, high - BOTTOM)
    if drawing.image is not None:
        image = drawing.image
        place = (image.x / wide, (image.y + BOTTOM) / high, image.width / wide, image.height / high)
        pixels = made.add_axes(place)
        pixels.set_zorder(-1)
        ink_picture(pixels, image.picture.values, colours).set_gid("input")
    _lines(axes, drawing, colours)
    _nodes(axes, drawing, colours)
    for text, x, y, align, size, quiet, strong, on in drawing.words:
        colour = colours.paper if on > 0.5 else colours.quiet if quiet else colours.ink
        axes.text(x, y, text, ha=align, va="center", fontsize=size, color=colour, zorder=6,
                  weight="bold" if strong else "normal")  # fmt: skip
    best = int(trace.outputs.argmax())
    classes = trace.schema.classes
    says = f": looks like {shortened(classes[best], 24)}" if classes and len(classes) == len(trace.outputs) > 1 else ""
    below = f"of each layer the {connections} connections with the largest |weight x input|"
    heading(made, colours, f"The network at work{says}", f"{'-'.join(f'{n:,}' for n in trace.sizes)}; {below}")
    _legend(axes, drawing, colours)
    return made


def _lines(axes: Axes, drawing: Drawing, style: Style) -> None:
    """A collection for each layer and sign."""
    for layer in range(max((line.layer for line in drawing.lines), default=-1) + 1):
        for sign, dashes in ((1, "solid"), (-1, (0, (3, 1.6)))):
            lines = [line for line in drawing.lines if line.layer == layer and line.product * sign > 0]
            made = LineCollection(
                [list(zip(line.x, line.y, strict=True)) for line in lines],
                colors=[to_rgba(style.sign(sign), 0.1 + 0.8 * line.share) for line in lines],
                linewidths=[0.35 + 1.75 * line.share for line in lines],
                linestyles=dashes,
                zorder=2,
            )
            made.set_gid(f"{'for' if sign > 0 else 'against'}-{layer}")
            axes.add_collection(made)


def _nodes(axes: Axes, drawing: Drawing, style: Style) -> None:
    for disc in drawing.discs:
        full = style.sign(disc.value) if disc.sign else style.ink
        axes.add_patch(Circle((disc.x, disc.y), disc.radius, facecolor=style.paper, edgecolor="none", zorder=3))
        circle = Circle((disc.x, disc.y), disc.radius, facecolor=to_rgba(full, disc.share), edgecolor=style.quiet,
                        linewidth=0.7, zorder=4)  # fmt: skip
        circle.set_gid(disc.id)
        axes.add_patch(circle)
    for bar in drawing.bars:
        drawn = Rectangle((bar.x, bar.y - bar.thick / 2), bar.width, bar.thick, edgecolor="none", zorder=4)
        drawn.set(facecolor=style.sign(bar.value) if bar.sign else style.ink, gid=bar.id)
        axes.add_patch(drawn)
    ys = [bar.y for bar in drawing.bars]
    line = drawing.bars[0].x
    axes.plot([line, line], [max(ys) + 0.2, min(ys) - 0.2], color=style.line, linewidth=0.8, zorder=3)


def _legend(axes: Axes, drawing: Drawing, style: Style) -> None:
    minus = "\N{MINUS SIGN}"
    handles = [
        Line2D([], [], color=style.positive, linewidth=1.6, label="+ for"),
        Line2D([], [], color=style.negative, linewidth=1.6, linestyle=(0, (3, 1.6)), label=f"{minus} against"),
    ]
    discs = {"activation 0": style.paper, "the layer's largest": style.ink}
    if any(disc.sign for disc in drawing.discs):
        discs |= {"or +": style.positive, f"or {minus}": style.negative}
    handles += [
        Line2D([], [], color=style.quiet, linewidth=0, marker="o", markerfacecolor=colour, label=label)
        for label, colour in discs.items()
    ]
    axes.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0.01), ncols=6, frameon=False, fontsize=SMALL,
        labelcolor=style.quiet, handlelength=2.4, columnspacing=1.2,
    )  # fmt: skip
