"""Chart of an ablation: the accuracy as neurons are taken away, and what each is worth alone."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from glassnet.explain.ablations import Ablation
from glassnet.plots.style import figure, heading, named, plain
from glassnet.render.layout import NORMAL, SMALL

MOST = 24


def ablation(found: Ablation, style: str = "light") -> Figure:
    """Plot an ablation: on the left one neuron after the other taken away, on the right each alone, with 95 %
    intervals of the loss.

    Parameters
    ----------
    found : Ablation
    style : {"light", "dark"}, default "light"

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.circle(100, seed=0)
    >>> figure = gn.plots.ablation(gn.explain.ablation(gn.Network.create("2-4-2", seed=0), data))
    """
    colours = named(style)
    made = figure(colours, 9.6, 4.8)
    below = f"accuracy {found.accuracy:.2%} on {found.count:,} examples of {found.data}"
    heading(made, colours, "Which neurons the accuracy rests on", below)
    axes = plain(made.add_axes((0.08, 0.14, 0.44, 0.66)), colours)
    for path, name, colour in (
        (found.least, "least harm first", colours.positive),
        (found.most, "most harm first", colours.negative),
    ):
        whole = found.measured[0]
        values = [whole, *(step.accuracy for step in path)]
        low = [whole, *(whole - step.high for step in path)]
        high = [whole, *(whole - step.low for step in path)]
        band = axes.fill_between(range(len(values)), low, high, color=colour, alpha=0.18, lw=0)
        band.set_gid(f"band-{name.split()[0]}")
        axes.plot(
            range(len(values)), values, color=colour, lw=1.8, marker="o" if len(values) < 20 else "", ms=3.5, label=name
        )
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("neurons taken away", color=colours.ink, fontsize=NORMAL)
    axes.set_ylabel("accuracy", color=colours.ink, fontsize=NORMAL)
    axes.yaxis.set_major_formatter(PercentFormatter(1, 0))
    axes.tick_params(colors=colours.quiet, labelsize=SMALL)
    axes.legend(frameon=False, labelcolor=colours.ink, fontsize=NORMAL, loc="lower left")
    alone = found.neurons[:MOST]
    right = plain(made.add_axes((0.63, 0.14, 0.33, 0.66)), colours, "bottom")
    places = np.arange(len(alone))[::-1]
    losses = [n.loss for n in alone]
    off = [[n.loss - n.low for n in alone], [n.high - n.loss for n in alone]]
    right.errorbar(losses, places, xerr=off, fmt="o", color=colours.ink, ecolor=colours.quiet, ms=3.5, lw=1)
    right.axvline(0, color=colours.quiet, lw=0.8)
    right.set_yticks(places, [f"{n.layer}:{n.neuron}" for n in alone])
    right.xaxis.set_major_formatter(PercentFormatter(1))
    right.set_xlabel("loss of accuracy without it, 95 % interval", color=colours.ink, fontsize=NORMAL)
    right.tick_params(colors=colours.quiet, labelsize=SMALL)
    return made
