"""Waterfall of a neuron: its products one after another, from 0 to the weighted sum, and the bias to the pre-
activation.

The lines are those of `NeuronTrace.rows`, drawn as long as their printed values: what is shown adds up as shown.
"""

import textwrap
from math import isfinite

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from glassnet.arithmetic import Product, Row
from glassnet.errors import InputError
from glassnet.neuron import NeuronTrace
from glassnet.plots.style import Canvas, Style, figure, heading, named, plain
from glassnet.render.layout import NORMAL

ROW, TOP, BOTTOM, WIDE = 0.27, 0.65, 0.45, 7.2
LEFT, RIGHT, MARGIN = 3.1, 0.3, 0.15


def waterfall(neuron: NeuronTrace, style: str = "light", top: int = 10) -> Figure:
    """Plot the arithmetic of one neuron on one input.

    Parameters
    ----------
    neuron : NeuronTrace
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.
    top : int, default 10
        Number of products shown singly; the others are added up.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If some product or sum is not finite: it has no length.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("3-4-2", "tanh", output="softmax", seed=0)
    >>> figure = gn.plots.waterfall(network.trace([1, 0, -1]).neuron(0, 2))
    """
    colours = named(style)
    made = figure(colours, WIDE, height(neuron, top))
    draw(made, neuron, colours, top)
    return made


def height(neuron: NeuronTrace, top: int = 10) -> float:
    """Height of the waterfall in inches."""
    return TOP + BOTTOM + ROW * len(neuron.rows(top))


def draw(canvas: Canvas, neuron: NeuronTrace, style: Style, top: int = 10) -> None:
    """Draw it on a given canvas."""
    if not all(map(isfinite, (*neuron.products, neuron.weighted_sum, neuron.pre_activation))):
        raise InputError(
            f"{neuron.name} has products or sums that are not finite: they cannot be drawn to scale",
            help="print the neuron to read them",
        )
    *rows, result = neuron.rows(top)
    high = TOP + BOTTOM + ROW * (len(rows) + 1)
    heading(canvas, style, neuron.name, f"{result.what} = {_minus(result.figure)}")
    axes = plain(canvas.add_axes((LEFT / WIDE, BOTTOM / high, 1 - (LEFT + RIGHT) / WIDE, 1 - (TOP + BOTTOM) / high)),
                 style, "bottom")  # fmt: skip
    spans = _spans(rows)
    low, most = min(0.0, *(min(s) for s in spans)), max(0.0, *(max(s) for s in spans))
    label_width = (most - low or 1.0) * 0.036 * max(len(row.figure) for row in rows)  # for the longest figure
    left = max([label_width - (end - low) for start, end in spans if end < start], default=0.0)
    axes.set(xlim=(low - max(left, 0.1 * label_width), most + label_width), ylim=(len(rows) + 0.3, -0.6), yticks=[])
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _minus(f"{value:,.6g}")))
    axes.axvline(0, color=style.line, linewidth=0.8, zorder=0)
    for y, (row, (start, end)) in enumerate(zip(rows, spans, strict=True)):
        total = row.kind == "total"
        bar = Rectangle(
            (min(start, end), y - 0.34), abs(end - start), 0.68, zorder=3, linewidth=1.0,
            facecolor=style.ink if total else style.sign(end - start) if row.kind != "rest" else "none",
            edgecolor=style.ink if total else style.sign(end - start),
        )  # fmt: skip
        bar.set_gid(f"{row.kind}-{y}")
        axes.add_patch(bar)
        if y + 1 < len(rows):  # from here the next line carries on
            axes.plot([end, end], [y + 0.34, y + 1 - 0.34], color=style.quiet, linewidth=0.6, zorder=2)
        bold = "bold" if total else "normal"
        right = end >= start
        figure_ = _minus(row.figure) if total or row.figure.startswith("-") else f"+{row.figure}"
        axes.annotate(
            figure_, (end, y), xytext=(4 if right else -4, 0), textcoords="offset points", va="center", weight=bold,
            ha="left" if right else "right", fontsize=NORMAL, color=style.ink,
        )  # fmt: skip
        name, factors = _what(row)
        for words, points, side in ((name, -72 * (LEFT - MARGIN), "left"), (factors, -6, "right")):
            axes.annotate(
                words, (0, y), xycoords=("axes fraction", "data"), xytext=(points, 0), textcoords="offset points",
                ha=side, va="center", fontsize=NORMAL, weight=bold,
                color=style.quiet if row.kind == "rest" else style.ink,
            )  # fmt: skip


def _spans(rows: list[Row]) -> list[tuple[float, float]]:
    """Start and end of each line: terms continue from the line before, totals start at 0."""
    spans, at = [], 0.0
    for row in rows:
        value = float(row.figure.replace(",", ""))
        spans.append((0.0, value) if row.kind == "total" else (at, at + value))
        at = spans[-1][1]
    return spans


def _what(row: Row) -> tuple[str, str]:
    """Name of a line, and for a product its factors."""
    if isinstance(row.what, Product):
        name = textwrap.shorten(row.what.name, 26, placeholder="...") or row.what.name[:26]
        return name, _minus(f"{row.what.input} x {row.what.weight}")
    return textwrap.fill(row.what, 46), ""


def _minus(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")
