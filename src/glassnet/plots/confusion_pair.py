"""Both confusion matrices of a comparison, and their difference."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glassnet.arrays import Array
from glassnet.errors import SettingError
from glassnet.explain.answer_changes import AnswerChanges
from glassnet.explain.comparison import Comparison
from glassnet.plots.style import Style, figure, heading, named, plain
from glassnet.render.layout import NORMAL, SMALL

MOST_NUMBERED = 12
MOST_TICKS = 24
SIDE = 3.3
"""Of a matrix, in inches."""


def confusions(comparison: "Comparison | AnswerChanges", style: str = "light") -> Figure:
    """Plot the confusion matrices of two networks side by side, and b's less a's.

    Cells are shares of the true class in percent, so that each row adds up to 100. The diagonals are left out of the
    colours, which belong to the mistakes. In the difference, blue is what b does more often and orange less often.

    Parameters
    ----------
    comparison : Comparison or AnswerChanges
        On data with classes.
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SettingError
        If the comparison has no confusion matrices.

    Examples
    --------
    >>> import glassnet as gn
    >>> a, b = (gn.Network.create("2-4-2", output="softmax", seed=seed) for seed in (0, 1))
    >>> figure = gn.plots.confusions(gn.compare(a, b, gn.data.circle(100, seed=0)))
    """
    colours = named(style)
    changes = comparison.changes if isinstance(comparison, Comparison) else comparison
    if changes is None or changes.confusions is None:
        raise SettingError(
            "the comparison has no confusion matrices", help="compare the networks on data with class labels"
        )
    one, other = (_shares(matrix) for matrix in changes.confusions)
    classes = len(one)
    names = [name if len(name) <= 12 else name[:11] + "\N{HORIZONTAL ELLIPSIS}" for name in changes.classes]
    labels = 0.07 * max(map(len, names))
    left, apart, top, bottom = 0.45 + labels, 0.35, 1.1 + 0.4 * labels, 0.75
    wide, high = left + 3 * SIDE + 2 * apart + 0.3, top + SIDE + bottom
    made = figure(colours, wide, high)
    right = [float(np.trace(matrix)) / changes.count for matrix in changes.confusions]
    below = f"{changes.count:,} examples: a {right[0]:.2%} right, b {right[1]:.2%}; cells in % of the true class"
    heading(made, colours, "Confusion matrices of a and b", below)
    off = ~np.eye(classes, dtype=bool)
    most = max(float(np.where(off, matrix, 0).max()) for matrix in (one, other)) or 1.0
    difference = other - one
    limit = float(np.abs(difference).max()) or 1.0
    panels = (
        ("a", one, np.where(off, one, np.nan), colours.inks, (0.0, most)),
        ("b", other, np.where(off, other, np.nan), colours.inks, (0.0, most)),
        ("b - a", difference, difference, colours.signs, (-limit, limit)),
    )
    for number, (name, shares, shaded, colour_map, (low, largest)) in enumerate(panels):
        x = left + number * (SIDE + apart)
        axes = plain(made.add_axes((x / wide, bottom / high, SIDE / wide, SIDE / high)), colours, "")
        image = axes.imshow(shaded, cmap=colour_map, vmin=low, vmax=largest)
        image.set_gid(name)
        _label(axes, names, name, number == 0, colours)
        if classes <= MOST_NUMBERED:
            _write(axes, shares, largest, low < 0, colours)
        bar_axes = made.add_axes(((x + 0.2 * SIDE) / wide, (bottom - 0.3) / high, 0.6 * SIDE / wide, 0.09 / high))
        bar = made.colorbar(image, cax=plain(bar_axes, colours, ""), orientation="horizontal")
        bar.outline.set_visible(False)
        bar.set_label("% more (b) or less" if low < 0 else "mistakes, %", color=colours.quiet, fontsize=SMALL)
        bar.ax.tick_params(colors=colours.quiet, labelsize=SMALL, length=2, color=colours.line)
    return made


def _shares(counts: Array) -> Array:
    """Percent of each true class; 0 for a class without examples."""
    counts = counts.astype(np.float64)
    of_class = counts.sum(axis=1, keepdims=True)
    return 100 * np.divide(counts, of_class, out=np.zeros_like(counts), where=of_class > 0)


def _label(axes: Axes, names: list[str], title: str, first: bool, style: Style) -> None:
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    ticks = list(range(0, len(names), -(-len(names) // MOST_TICKS)))
    turned = 90 if max(map(len, names)) > 3 else 0
    axes.set_xticks(ticks, [names[k] for k in ticks], rotation=turned)
    axes.set_yticks(ticks, [names[k] for k in ticks] if first else [])
    axes.tick_params(length=0, labelsize=NORMAL, labelcolor=style.ink)
    axes.set(xlabel=f"{title}: predicted", ylabel="true" if first else "")


def _write(axes: Axes, shares: Array, largest: float, signed: bool, style: Style) -> None:
    for row, column in np.ndindex(*shares.shape):
        value = float(shares[row, column])
        text = f"{value:+.1f}" if signed else f"{value:.1f}"
        nothing = abs(value) < 0.05
        strong = (signed or row != column) and abs(value) > 0.55 * largest
        axes.text(
            column, row, "\N{MIDDLE DOT}" if nothing else text, ha="center", va="center", fontsize=SMALL - 0.5,
            color=style.paper if strong else style.quiet if nothing else style.ink,
            weight="bold" if row == column and not signed else "normal",
        )  # fmt: skip
