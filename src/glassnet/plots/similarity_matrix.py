"""Matrix of similarities: layers with layers (CKA), or the neurons of two layers (correlation)."""

import numpy as np
from matplotlib.figure import Figure

from glassnet.explain.similarities import NeuronSimilarity, Similarity
from glassnet.plots.style import figure, heading, named, plain
from glassnet.render.layout import NORMAL, SMALL

MOST_NUMBERED = 12
MOST_TICKS = 24
MOST_LEVEL = 4
"""So few columns are made as wide as their names."""
LARGEST, SMALLEST = 6.0, 2.4
"""Sides of the matrix, in inches."""


def similarity(similarity: Similarity | NeuronSimilarity, style: str = "light") -> Figure:
    """Plot the similarities of layers, or of the neurons of two layers, with a colour bar.

    Rows are those of a, columns those of b. CKA goes from 0, paper, to 1, ink; correlations from -1 to 1 in two
    colours. Neurons of a are in their order, those of b in the order of their partners in a.

    Parameters
    ----------
    similarity : Similarity or NeuronSimilarity
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import glassnet as gn
    >>> a, b = gn.Network.create("2-6-2", "tanh", seed=0), gn.Network.create("2-4-3-2", seed=1)
    >>> figure = gn.plots.similarity(gn.explain.similarity(a, b, gn.data.circle(100, seed=0)))
    """
    colours = named(style)
    signed = isinstance(similarity, NeuronSimilarity)
    if isinstance(similarity, NeuronSimilarity):
        order = _by_partner(similarity)
        values, title = similarity.correlation[:, order], "Correlation of neurons"
        one, other = similarity.layers
        names = ([f"{one}:{i}" for i in range(len(values))], [f"{other}:{k}" for k in order])
        axis_names = (f"neurons of {_clipped(similarity.names[0])}", f"neurons of {_clipped(similarity.names[1])}")
    else:
        values, title = similarity.cka, "Similarity of layers (CKA)"
        names = (list(similarity.layers[0]), list(similarity.layers[1]))
        axis_names = (f"layers of {_clipped(similarity.names[0])}", f"layers of {_clipped(similarity.names[1])}")
    rows, columns = values.shape
    cell = min(max(0.6 if max(rows, columns) <= MOST_NUMBERED else 0.2, SMALLEST / max(rows, columns)),
               LARGEST / max(rows, columns))  # fmt: skip
    longest = max(map(len, names[1]))
    across = max(cell, 0.08 * longest) if columns <= MOST_LEVEL else cell
    turned = 0.075 * longest > across * -(-columns // MOST_TICKS)
    left, top = 0.5 + 0.072 * max(map(len, names[0])), 0.7
    right, bottom = 1.0, 0.5 + (0.075 * longest if turned else 0.1)
    wide, high = max(left + columns * across + right, 4.2), top + rows * cell + bottom
    made = figure(colours, wide, high)
    below = f"{similarity.count:,} inputs" + (f" of {similarity.data}" if similarity.data else "")
    below += "; grey: constant" if np.isnan(values).any() else ""
    heading(made, colours, title, below)
    place = (left / wide, bottom / high, columns * across / wide, rows * cell / high)
    axes = plain(made.add_axes(place), colours, "")
    colour_map = (colours.signs if signed else colours.inks).with_extremes(bad=colours.line)
    image = axes.imshow(np.ma.masked_invalid(values), cmap=colour_map, vmin=-1 if signed else 0, vmax=1, aspect="auto")
    image.set_gid("similarity")
    for axis, texts, count in ((axes.yaxis, names[0], rows), (axes.xaxis, names[1], columns)):
        places = list(range(0, count, -(-count // MOST_TICKS)))
        axis.set_ticks(places, [texts[k] for k in places])
    axes.tick_params(length=0, labelsize=NORMAL if cell >= 0.3 else SMALL, labelcolor=colours.ink)
    axes.tick_params(axis="x", labelrotation=90 if turned else 0)
    axes.set(ylabel=axis_names[0], xlabel=axis_names[1])
    if max(rows, columns) <= MOST_NUMBERED:
        for i, k in np.ndindex(rows, columns):
            value = float(values[i, k])
            dark = abs(value) > 0.55
            axes.text(k, i, "-" if np.isnan(value) else f"{value:.2f}", ha="center", va="center", fontsize=SMALL,
                      color=colours.paper if dark else colours.ink)  # fmt: skip
    bar_axes = plain(made.add_axes((place[0] + place[2] + 0.12 / wide, place[1], 0.12 / wide, place[3])), colours, "")
    bar = made.colorbar(image, cax=bar_axes)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=colours.quiet, labelsize=SMALL, length=2, color=colours.line)
    return made


def _by_partner(similarity: NeuronSimilarity) -> list[int]:
    """The neurons of b: each beside the neuron of a that it has most in common with, so that pairs form a diagonal."""
    size = np.nan_to_num(np.abs(similarity.correlation), nan=-1.0)
    constant = size.max(axis=0) < 0  # the last ones
    return sorted(range(size.shape[1]), key=lambda k: (constant[k], int(size[:, k].argmax()), -float(size[:, k].max())))


def _clipped(name: str) -> str:
    return name if len(name) <= 24 else "..." + name[-21:]
