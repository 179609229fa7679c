"""Chart of a comparison: distances between the layers, and measures on the straight line between the networks; of
different structures the similarity of their layers, and the recall of each class."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from glassnet.arithmetic import three
from glassnet.explain.answer_changes import ClassChange
from glassnet.explain.comparison import Comparison, LayerComparison, Line
from glassnet.explain.similarities import Similarity
from glassnet.plots.style import Style, figure, heading, named, plain
from glassnet.render.layout import NORMAL, SMALL

MOST_LAYERS = 12
MOST_CLASSES = 12
WIDE, LINE, BOTTOM = 9.6, 0.165, 0.62


def comparison(comparison: Comparison, style: str = "light") -> Figure:
    """Plot a comparison: verdict, distances layer by layer, and accuracy from a to b if there are targets.

    Of networks of different structures, the similarity of their layers (CKA), and how the recall of each class changes
    from a to b, with its 95 % interval.

    Parameters
    ----------
    comparison : Comparison
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import glassnet as gn
    >>> a, b = (gn.Network.create("3-4-2", "tanh", seed=seed) for seed in (0, 1))
    >>> figure = gn.plots.comparison(gn.compare(a, b))
    """
    colours = named(style)
    layers = _shown(comparison.layers)
    words = _words(comparison)
    top = 0.75 + LINE * len(words)
    similar = comparison.similarity if comparison.differs else None
    classes = comparison.changes.by_class()[:MOST_CLASSES] if similar is not None and comparison.changes else []
    room = max(2.2, 0.62 * len(layers)) if layers else max(2.4, 0.24 * len(classes)) if similar is not None else 0.0
    high = top + BOTTOM + room if room else top
    made = figure(colours, WIDE, high)
    a, b = (textwrap.shorten(name, 36, placeholder="...") or name[:36] for name in comparison.names)
    title = "Two networks compared" if (a, b) == ("a", "b") else f"a: {a}    b: {b}"
    heading(made, colours, title, "\n".join(words))
    if layers:
        share = 0.44 if comparison.line else 0.86
        axes = made.add_axes((0.09, BOTTOM / high, share - 0.09, 1 - (top + BOTTOM) / high))
        _distances(plain(axes, colours, "bottom"), layers, colours)
    if comparison.line:
        axes = made.add_axes((0.55, BOTTOM / high, 0.36, 1 - (top + BOTTOM) / high))
        _between(plain(axes, colours), comparison.line, colours)
    if similar is not None:
        share = 0.42 if classes else 0.86
        axes = made.add_axes((0.14, BOTTOM / high, share - 0.14, 1 - (top + BOTTOM) / high))
        _similarity(plain(axes, colours, ""), similar, colours)
    if classes:
        axes = made.add_axes((0.58, BOTTOM / high, 0.39, 1 - (top + BOTTOM) / high))
        _recall(plain(axes, colours, "bottom"), classes, colours)
    return made


def _shown(layers: Sequence[LayerComparison]) -> list[LayerComparison]:
    """All layers, or the first and the last six."""
    if len(layers) <= MOST_LAYERS:
        return list(layers)
    return [*layers[: MOST_LAYERS // 2], *layers[-MOST_LAYERS // 2 :]]


def _words(found: Comparison) -> list[str]:
    verdict = {True: "the same function", False: "not the same function", None: "whether they are the same function "
               "cannot be decided"}[found.same_function]  # fmt: skip
    lines = [f"{verdict}: {found.evidence}"]
    if found.differs:
        lines.insert(0, f"not the same structure: {'; '.join(found.differs)}")
    if found.accuracy is not None:
        lines.append(f"accuracy a {found.accuracy[0]:.2%}, b {found.accuracy[1]:.2%}")
        if found.disagreements is not None:
            lines[-1] += f"; they disagree on {len(found.disagreements):,} of {found.examples:,}"
    if found.matching is not None:
        lines.append(str(found.matching))
    return [part for line in lines for part in textwrap.wrap(line, 118)][:5]


def _distances(axes: Axes, layers: list[LayerComparison], style: Style) -> None:
    """For each layer a bar before and one after matching, and one for its activations on the data."""
    kinds = [("as is", [at.distance_before for at in layers], "none"), ("matched", [at.distance for at in layers], "")]
    if any(at.activations is not None for at in layers):
        kinds.append(("activations on the data", [at.activations or 0.0 for at in layers], "half"))
    thick = 0.8 / len(kinds)
    for k, (name, values, look) in enumerate(kinds):
        ys = np.arange(len(layers)) - 0.4 + (k + 0.5) * thick
        face = "none" if look == "none" else style.quiet if look else style.ink
        bars = axes.barh(ys, values, 0.84 * thick, facecolor=face, edgecolor=style.ink, linewidth=0.8, label=name)
        bars[0].set_gid(name.split()[0])
        for y, value in zip(ys, values, strict=True):
            axes.annotate(three(value), (value, float(y)), xytext=(4, 0), textcoords="offset points", va="center",
                          color=style.ink, fontsize=SMALL)  # fmt: skip
    most = max(max(values) for _, values, _ in kinds)
    axes.set(ylim=(len(layers) - 0.5, -0.5), xlim=(0, 1.2 * most or 1.0))
    axes.set_yticks(range(len(layers)), [f"layer {at.layer}" for at in layers])
    axes.tick_params(axis="y", length=0, labelsize=NORMAL, labelcolor=style.ink)
    axes.set(xlabel="distance (0 the same, 1.41 unrelated, 2 opposite)")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=3, frameon=False, fontsize=SMALL,
                labelcolor=style.ink, handlelength=1.2, columnspacing=1.2)  # fmt: skip


def _between(axes: Axes, line: Line, style: Style) -> None:
    """Measures along the line, with b unchanged and with b in a's order."""
    chart = line.chart()
    looks = [("-", "o", style.ink), ("--", "s", style.quiet)]
    for (name, values), (dashes, marker, colour) in reversed(list(zip(chart.lines, looks, strict=True))):
        axes.plot(chart.x, np.array(values, float), dashes, color=colour, linewidth=1.6, marker=marker, markersize=3.5,
                  label=name, gid=name.replace(" ", "-").replace("'", ""))  # fmt: skip
    axes.grid(axis="y", color=style.line, linewidth=0.5)
    axes.set_axisbelow(True)
    if line.measure == "accuracy":
        axes.set(ylim=(0, 1.02))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.4g} %"))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["a", "1/4", "halfway", "3/4", "b"])
    axes.set(xlabel=f"{line.measure} on the straight line from a to b")
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, frameon=False, fontsize=SMALL,
                labelcolor=style.ink, handlelength=2.2)  # fmt: skip


def _similarity(axes: Axes, found: Similarity, style: Style) -> None:
    """The layers of a, from above, with those of b."""
    shades = style.inks.with_extremes(bad=style.line)
    image = axes.imshow(np.ma.masked_invalid(found.cka), cmap=shades, vmin=0, vmax=1, aspect="auto")
    image.set_gid("similarity")
    rows, columns = found.cka.shape
    if max(rows, columns) <= MOST_LAYERS:
        for i, k in np.ndindex(rows, columns):
            value = float(found.cka[i, k])
            axes.text(k, i, "-" if np.isnan(value) else f"{value:.2f}", ha="center", va="center", fontsize=NORMAL,
                      color=style.paper if value > 0.55 else style.ink)  # fmt: skip
    for axis, names in ((axes.yaxis, found.layers[0]), (axes.xaxis, found.layers[1])):
        places = range(0, len(names), -(-len(names) // MOST_LAYERS))
        crowded = axis is axes.xaxis and columns > 3
        axis.set_ticks(places, [names[k].split()[0] if crowded else names[k] for k in places])
    axes.tick_params(length=0, labelsize=NORMAL, labelcolor=style.ink)
    axes.set(xlabel="layers of b", ylabel="layers of a")
    axes.set_title("similarity (CKA), 1: the same but for rotation and scale", loc="left", fontsize=SMALL,
                   color=style.quiet)  # fmt: skip


def _recall(axes: Axes, classes: Sequence[ClassChange], style: Style) -> None:
    """For each class the change of its recall, and the interval of that."""
    for row, one in enumerate(classes):
        colour = style.sign(one.change) if one.low > 0 or one.high < 0 else style.quiet
        axes.plot([100 * one.low, 100 * one.high], [row, row], color=colour, linewidth=1.4, solid_capstyle="butt")
        axes.plot([100 * one.change], [row], "o", color=colour, markersize=4.5, gid=f"recall-{row}")
    axes.axvline(0, color=style.line, linewidth=0.8, zorder=0)
    axes.set(ylim=(len(classes) - 0.5, -0.5), xlabel="recall of b less that of a, in points, with 95 % interval")
    names = [one.name if len(one.name) <= 14 else one.name[:13] + "\N{HORIZONTAL ELLIPSIS}" for one in classes]
    axes.set_yticks(range(len(classes)), names)
    axes.tick_params(axis="y", length=0, labelsize=NORMAL, labelcolor=style.ink)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda points, _: f"{points:+.4g}" if points else "0"))
    axes.set_title("grey: not beyond chance", loc="left", fontsize=SMALL, color=style.quiet)
