"""Confusion matrix of an evaluation."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from glassnet.errors import SettingError
from glassnet.evaluation import Evaluation
from glassnet.plots.style import figure, heading, named, plain
from glassnet.render.layout import LIFT, NORMAL, SMALL

MOST_NUMBERED = 30


def confusion(evaluation: Evaluation, style: str = "light") -> Figure:
    """Plot the confusion matrix: rows are true classes, columns predicted ones.

    The more frequent a mistake, the darker its cell.

    Parameters
    ----------
    evaluation : Evaluation
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SettingError
        If the evaluation is of measured targets, which have no classes.

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
    counts = np.asarray(evaluation.confusion)
    classes = len(counts)
    names = evaluation.classes if evaluation.classes and len(evaluation.classes) == classes else None
    names = tuple(str(k) for k in range(classes)) if names is None else names
    names = tuple(name if len(name) <= 12 else name[:11] + "\N{HORIZONTAL ELLIPSIS}" for name in names)
    cell = 0.46 if classes <= MOST_NUMBERED else 14 / classes
    numbered = classes <= MOST_NUMBERED
    long = max(map(len, names))
    left, top, right, bottom = 0.55 + 0.075 * long, 1.15 + 0.06 * (long if long > 3 else 0), 0.95, 0.3
    wide, high = max(left + classes * cell + right, 4.6), top + classes * cell + bottom
    made = figure(colours, wide, high)
    wrong = evaluation.count - int(np.trace(counts))
    below = f"{evaluation.accuracy:.2%} of {evaluation.count:,} right, {wrong:,} wrong; loss {evaluation.loss:.4f}"
    heading(made, colours, "Confusion matrix", below)
    axes = plain(made.add_axes((left / wide, bottom / high, classes * cell / wide, classes * cell / high)), colours, "")
    mistakes = counts.astype(float)
    np.fill_diagonal(mistakes, np.nan)
    most = float(np.nanmax(mistakes)) if classes > 1 else 0.0
    image = axes.imshow((mistakes / (most or 1.0)) ** LIFT, cmap=colours.inks, vmin=0, vmax=1.12)
    image.set_gid("mistakes")
    for row in range(classes):
        axes.add_patch(Rectangle((row - 0.5, row - 0.5), 1, 1, facecolor="none", edgecolor=colours.quiet, lw=0.8))
        for column in range(classes if numbered else 0):
            count = int(counts[row, column])
            dark = row != column and count > 0 and (count / most) ** LIFT > 0.56
            axes.text(
                column, row, f"{count:,}" if count or row == column else "\N{MIDDLE DOT}", ha="center", va="center",
                color=colours.paper if dark else colours.ink if count else colours.quiet,
                fontsize=NORMAL if count < 10_000 else SMALL - 1, weight="bold" if row == column else "normal",
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
    return made
