"""Curves of a training run: training and validation loss, and validation accuracy."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from glassnet.arithmetic import three
from glassnet.errors import InputError
from glassnet.plots.style import Style, figure, heading, named, plain
from glassnet.render.layout import NORMAL, SMALL
from glassnet.render.parts import Chart
from glassnet.training.history import History

WIDE = 6.4
RATES = 1.05
"""Height of the panel of learning rates and of the room above it, in inches."""


def history(history: History, style: str = "light", log: bool = False) -> Figure:
    """Plot the losses of a run, the learning rate, and the validation accuracy if there is one.

    Parameters
    ----------
    history : History
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.
    log : bool, default False
        Losses on a logarithmic scale.

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
    charts = [*history.charts(), _learning_rates(history)]
    high = RATES + (5.4 if len(charts) > 2 else 3.4)
    made = figure(colours, WIDE, high)
    epochs = f"{len(history)} epoch{'s' * (len(history) != 1)}, {sum(e.seconds for e in history):.3g} s"
    best = [epoch.number for epoch in history if epoch.best]
    heading(made, colours, "The run", epochs + (f"; the lowest validation loss in epoch {best[-1]}" if best else ""))
    tall = (high - 0.8 - 0.5 - RATES - 0.35 * (len(charts) - 2)) / (len(charts) - 1)
    for place, chart in enumerate(reversed(charts)):  # from below
        bottom = 0.5 + (RATES + (place - 1) * (tall + 0.35) if place else 0)
        axes = plain(made.add_axes((0.1, bottom / high, 0.72, (tall if place else RATES - 0.35) / high)), colours)
        _lines(axes, chart, colours, log and chart.zero and place > 0)
        if place == 0:
            axes.set(ylim=(0, 1.15 * axes.get_ylim()[1]), ylabel="rate")
        elif chart.zero:
            axes.set(ylabel="loss", **({} if log else {"ylim": (0, 1.06 * axes.get_ylim()[1])}))
        else:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
            axes.set(ylabel="accuracy")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.tick_params(labelbottom=place == 0)
        if place == 0:
            axes.set(xlabel="epoch")
    return made


def _learning_rates(history: History) -> Chart:
    return Chart("learning rate", [float(e.number) for e in history], [("learning rate", history.learning_rate)])


def _lines(axes: Axes, chart: Chart, style: Style, log: bool = False) -> None:
    """Lines with their names and last figures at their ends, so that no legend has to be looked up."""
    if log:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda loss, _: f"{loss:g}"))
        axes.yaxis.set_minor_locator(NullLocator())
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
    if chart.zero and not log:
        low = 0.0
    scale = axes.yaxis.get_transform()  # labels are apart on the paper, whatever the scale
    lowest, highest = scale.transform([low, high])
    apart, ends = 0.19 * (highest - lowest), sorted(ends, key=lambda end: end[0])
    places = scale.transform([max(value, low) if log else value for value, _, _ in ends]).tolist()
    if len(places) == 2 and places[1] - places[0] < apart:
        middle = max(sum(places) / 2, lowest + apart / 2)
        places = [middle - apart / 2, middle + apart / 2]
    for (value, name, colour), place in zip(ends, scale.inverted().transform(places), strict=True):
        words = f"{value:.2%}" if name.endswith("accuracy") else three(float(value))
        axes.annotate(
            f"{words}", (1.01, place), xycoords=("axes fraction", "data"), xytext=(2, 4), textcoords="offset points",
            color=colour, fontsize=NORMAL, weight="bold", va="center", annotation_clip=False,
        )  # fmt: skip
        axes.annotate(
            name, (1.01, place), xycoords=("axes fraction", "data"), xytext=(2, -6), textcoords="offset points",
            color=colour, fontsize=SMALL, va="center", annotation_clip=False,
        )  # fmt: skip
