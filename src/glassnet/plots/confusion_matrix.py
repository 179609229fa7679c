"""Confusion matrix of an evaluation."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from glassnet.arrays import Array
from glassnet.errors import SettingError, unknown_name
from glassnet.evaluation import Evaluation
from glassnet.plots.style import figure, heading, named, plain
from glassnet.render.layout import NORMAL, SMALL

MOST_NUMBERED = 30
SHARES = {"true": "% of the true class", "pred": "% of the predicted class", "all": "% of all examples"}


def confusion(evaluation: Evaluation, style: str = "light", normalize: str | None = None) -> Figure:
    """Plot the confusion matrix: rows are true classes, columns predicted ones.

    The more frequent a mistake, the darker its cell. The diagonal is left out of the colours: it would outshine them.

    Parameters
    ----------
    evaluation : Evaluation
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.
    normalize : {"true", "pred", "all"}, optional
        Cells as shares of their row, of their column or of all examples, as in scikit-learn; by default counts.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SettingError
        If the evaluation is of measured targets, which have no classes, or for another `normalize`.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("3-4-2", "tanh", output="softmax", seed=0)
    >>> found = gn.evaluate(network, ([[1, 0, 0], [0, 1, 0]], [0, 1]))
    >>> figure = gn.plots.confusion(found)
    """
    colours = named(style)
    if evaluation.confusion is None or evaluation.accuracy is None:
        raise SettingError(
            "an evaluation of measured targets has no confusion matrix",
            help="evaluate a network on data with class labels",
        )
    if normalize is not None and normalize not in SHARES:
        raise unknown_name("normalize", normalize, SHARES)
    counts = np.asarray(evaluation.confusion)
    classes = len(counts)
    names = evaluation.classes if evaluation.classes and len(evaluation.classes) == classes else None
    names = tuple(str(k) for k in range(classes)) if names is None else names
    names = tuple(name if len(name) <= 12 else name[:11] + "\N{HORIZONTAL ELLIPSIS}" for name in names)
    cell = 0.46 if classes <= MOST_NUMBERED else 14 / classes
    numbered = classes <= MOST_NUMBERED
    long = max(map(len, names))
    left, top, right, bottom = 0.55 + 0.075 * long, 1.15 + 0.06 * (long if long > 3 else 0), 1.5, 0.3
    wide, high = max(left + classes * cell + right, 4.6), top + classes * cell + bottom
    made = figure(colours, wide, high)
    wrong = evaluation.count - int(np.trace(counts))
    below = f"{evaluation.accuracy:.2%} of {evaluation.count:,} right, {wrong:,} wrong; loss {evaluation.loss:.4f}"
    below += f"; cells in {SHARES[normalize]}" if normalize else ""
    heading(made, colours, "Confusion matrix", below)
    axes = plain(made.add_axes((left / wide, bottom / high, classes * cell / wide, classes * cell / high)), colours, "")
    shares = counts / np.maximum(_whole(counts, normalize), 1)
    mistakes = shares.copy()
    np.fill_diagonal(mistakes, np.nan)
    most = float(np.nanmax(mistakes)) if classes > 1 else 0.0
    image = axes.imshow(mistakes, cmap=colours.inks, vmin=0, vmax=(most or 1.0) * 1.12)
    image.set_gid("mistakes")
    for row in range(classes):
        axes.add_patch(Rectangle((row - 0.5, row - 0.5), 1, 1, facecolor="none", edgecolor=colours.quiet, lw=0.8))
        for column in range(classes if numbered else 0):
            count = int(counts[row, column])
            dark = row != column and count > 0 and shares[row, column] / most > 0.56
            text = f"{count:,}" if normalize is None else f"{100 * shares[row, column]:.1f}"
            axes.text(
                column, row, text if count or row == column else "\N{MIDDLE DOT}", ha="center", va="center",
                color=colours.paper if dark else colours.ink if count else colours.quiet,
                fontsize=NORMAL if len(text) < 6 else SMALL - 1, weight="bold" if row == column else "normal",
            )  # fmt: skip
        of_class = int(counts[row].sum())
        if of_class and numbered:
            axes.text(
                classes - 0.35, row, f"{counts[row, row] / of_class:.1%}", va="center", fontsize=SMALL,
                color=colours.quiet,
            )  # fmt: skip
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    step = 1 if numbered else -(-classes // MOST_NUMBERED)
    ticks = list(range(0, classes, step))
    axes.set_xticks(ticks, [names[k] for k in ticks], rotation=90 if long > 3 else 0)
    axes.set_yticks(ticks, [names[k] for k in ticks])
    axes.tick_params(length=0, labelsize=NORMAL, labelcolor=colours.ink)
    axes.set(xlabel="predicted", ylabel="true")
    if numbered:
        axes.text(classes - 0.35, -0.62, "right", va="bottom", fontsize=SMALL, color=colours.quiet)
    side = made.add_axes(((wide - 0.62) / wide, bottom / high, 0.12 / wide, min(classes * cell, 2.5) / high))
    bar = made.colorbar(image, cax=plain(side, colours, ""))
    bar.ax.set_ylim(0, most or 1.0)
    bar.outline.set_color(colours.line)
    bar.ax.tick_params(colors=colours.quiet, labelsize=SMALL, length=2, color=colours.line)
    bar.ax.yaxis.set_major_locator(MaxNLocator(4, integer=normalize is None))
    if normalize is not None:
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g} %"))
    bar.ax.set_title("mistakes", fontsize=SMALL, color=colours.quiet, loc="left", pad=4)
    return made


def _whole(counts: Array, normalize: str | None) -> Array:
    """What a cell is a share of; 1 for counts."""
    if normalize is None:
        return np.ones((1, 1))
    return np.asarray(counts.sum(axis={"true": 1, "pred": 0, "all": None}[normalize], keepdims=True))
