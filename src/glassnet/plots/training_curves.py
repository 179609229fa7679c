"""Curves of a training run: training and validation loss, and validation accuracy."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from glassnet.arithmetic import three
from glassnet.errors import InputError
from glassnet.plots.style import Style, figure, heading, named, plain
from glassnet.render.layout import NORMAL, SMALL
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
    numbers = [epoch.number for epoch in history]
    measured = any(value is not None for value in history.validation_accuracy)
    high = 5.4 if measured else 3.4
    made = figure(colours, WIDE, high)
    epochs = f"{len(history)} epoch{'s' * (len(history) != 1)}, {sum(e.seconds for e in history):.3g} s"
    best = [epoch.number for epoch in history if epoch.best]
    heading(made, colours, "The run", epochs + (f"; the lowest validation loss in epoch {best[-1]}" if best else ""))
    share = 1 - (0.8 + 0.5) / high
    parts = 2 if measured else 1
    each = (share - 0.35 / high * (parts - 1)) / parts
    losses = plain(made.add_axes((0.1, 0.5 / high + (parts - 1) * (each + 0.35 / high), 0.72, each)), colours)
    series: list[_Series] = [
        ("training loss", history.loss, "--", "s"),
        ("validation loss", history.validation_loss, "-", "o"),
    ]
    _lines(losses, numbers, series, colours)
    losses.set(ylim=(0, None), ylabel="loss")
    last = losses
    if measured:
        last = plain(made.add_axes((0.1, 0.5 / high, 0.72, each)), colours)
        _lines(last, numbers, [("validation accuracy", history.validation_accuracy, "-", "o")], colours)
        last.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
        last.set(ylabel="accuracy")
        losses.tick_params(labelbottom=False)
    last.set(xlabel="epoch")
    last.xaxis.set_major_locator(MaxNLocator(integer=True))
    losses.xaxis.set_major_locator(MaxNLocator(integer=True))
    return made


_Series = tuple[str, Sequence[float | None], str, str]
"""Name, values, dashes, marker."""


def _lines(axes: Axes, numbers: list[int], series: Sequence[_Series], style: Style) -> None:
    """Lines with names and last values at their ends, without a legend."""
    axes.grid(axis="y", color=style.line, linewidth=0.5)
    axes.set_axisbelow(True)
    ends = []
    for name, values, dashes, marker in series:
        if all(value is None for value in values):
            continue
        known = np.array([np.nan if value is None else value for value in values], float)
        colour = style.ink if name.startswith("validation") else style.quiet
        axes.plot(
            numbers, known, dashes, color=colour, linewidth=1.6, marker=marker, gid=name.replace(" ", "-"),
            markersize=3.5 if len(numbers) <= 40 else 0,
        )  # fmt: skip
        ends.append((known[-1], name, colour))
    low, high = axes.get_ylim()
    if not ends[0][1].endswith("accuracy"):
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
