"""Curves of a training run: training and validation loss, and validation accuracy."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from glassnet.arithmetic import three
from glassnet.errors import InputError
from glassnet.plots.style import Style, figure, heading, named, plain
from glassnet.render.layout import NORMAL, SMALL
from glassnet.render.parts import Chart
from glassnet.training.history import History

WIDE = 6.4


def history(history: History, style: str = "light") -> Figure:
    """Plot the losses of a run, and the validation accuracy if there is one.

    Parameters
    ----------
    history : History
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        If the history has no epochs.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("2-4-2", "tanh", output="softmax", seed=0)
    >>> figure = gn.plots.history(gn.train(network, gn.data.xor(n=40), epochs=3).history)
    """
    colours = named(style)
    if not history:
        raise InputError("the history has no epochs to draw", help="train for at least one epoch")
    charts = history.charts()
    high = 5.4 if len(charts) > 1 else 3.4
    made = figure(colours, WIDE, high)
    epochs = f"{len(history)} epoch{'s' * (len(history) != 1)}, {sum(e.seconds for e in history):.3g} s"
    best = [epoch.number for epoch in history if epoch.best]
    heading(made, colours, "The run", epochs + (f"; the lowest validation loss in epoch {best[-1]}" if best else ""))
    tall = (high - 0.8 - 0.5 - 0.35 * (len(charts) - 1)) / len(charts)
    for place, chart in enumerate(reversed(charts)):  # from below
        bottom = 0.5 + place * (tall + 0.35)
        axes = plain(made.add_axes((0.1, bottom / high, 0.72, tall / high)), colours)
        _lines(axes, chart, colours)
        if chart.zero:
            axes.set(ylim=(0, 1.06 * axes.get_ylim()[1]), ylabel="loss")
        else:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
            axes.set(ylabel="accuracy")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelbottom=place == 0)
        if place == 0:
            axes.set(xlabel="epoch")
    return made


def _lines(axes: Axes, chart: Chart, style: Style) -> None:
    """Lines with their names and last figures at their ends, so that no legend has to be looked up."""
    axes.grid(axis="y", color=style.line, linewidth=0.5)
    axes.set_axisbelow(True)
    ends = []
    for name, values in chart.lines:
        known = np.array([np.nan if value is None else value for value in values], float)
        main = name.startswith("validation")
        colour = style.ink if main else style.quiet
        axes.plot(
            chart.x, known, "-" if main else "--", color=colour, linewidth=1.6, marker="o" if main else "s",
            gid=name.replace(" ", "-"), markersize=3.5 if len(chart.x) <= 40 else 0,
        )  # fmt: skip
        ends.append((known[-1], name, colour))
    low, high = axes.get_ylim()
    if chart.zero:
        low = 0.0
    apart, ends = 0.19 * (high - low), sorted(ends, key=lambda end: end[0])
    places = [end[0] for end in ends]
    if len(places) == 2 and places[1] - places[0] < apart:
        middle = max(sum(places) / 2, low + apart / 2)
        places = [middle - apart / 2, middle + apart / 2]
    for (value, name, colour), place in zip(ends, places, strict=True):
        words = f"{value:.2%}" if name.endswith("accuracy") else three(float(value))
        axes.annotate(
            f"{words}", (1.01, place), xycoords=("axes fraction", "data"), xytext=(2, 4), textcoords="offset points",
            color=colour, fontsize=NORMAL, weight="bold", va="center", annotation_clip=False,
        )  # fmt: skip
        axes.annotate(
            name, (1.01, place), xycoords=("axes fraction", "data"), xytext=(2, -6), textcoords="offset points",
            color=colour, fontsize=SMALL, va="center", annotation_clip=False,
        )  # fmt: skip
