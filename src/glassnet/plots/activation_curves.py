"""The curve of a neuron's activation, with the neuron's own point and the slope there."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from glassnet.activations import PROBABILITIES
from glassnet.activations import activation as known_activation
from glassnet.arithmetic import three
from glassnet.arrays import Array
from glassnet.explain.activation_curves import activation_curve as curve_of
from glassnet.neuron import NeuronTrace
from glassnet.plots.style import Canvas, Style, figure, heading, named, plain
from glassnet.render.layout import NORMAL, SMALL

WIDE, HIGH = 5.2, 3.9


def activation_curve(neuron: NeuronTrace, style: str = "light") -> Figure:
    """Plot a neuron's activation function, with its own pre-activation as a point.

    Softmax depends on a whole layer: its curve is drawn with the other neurons of the layer fixed.

    Parameters
    ----------
    neuron : NeuronTrace
    style : {"light", "dark"}, default "light"
        Colours for print or for slides.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("3-4-2", "tanh", output="softmax", seed=0)
    >>> figure = gn.plots.activation_curve(network.trace([1, 0, -1]).neuron(0, 2))
    """
    colours = named(style)
    made = figure(colours, WIDE, HIGH)
    draw(made, neuron, colours)
    return made


def draw(canvas: Canvas, neuron: NeuronTrace, style: Style) -> None:
    """Draw it on a given canvas."""
    name, z, a = neuron.activation_name, neuron.pre_activation, neuron.activation
    still = ", the others held still" if known_activation(name).by_row else ""
    heading(canvas, style, f"Activation: {name}", f"{known_activation(name).formula}{still}")
    axes = plain(canvas.add_axes((0.13, 0.14, 0.82, 0.68)), style)
    zs, activations, slope = _points(neuron)
    axes.set(xlabel="pre-activation z", ylabel="activation a")
    axes.plot(zs, activations, color=style.quiet, linewidth=1.6, zorder=2, gid="curve")
    low, high = float(min(activations.min(), 0)), float(max(activations.max(), a))
    axes.set(xlim=(zs[0], zs[-1]), ylim=(low - 0.1 * (high - low), high + 0.22 * (high - low)))
    axes.axvline(0, color=style.line, linewidth=0.6, zorder=0)
    axes.axhline(0, color=style.line, linewidth=0.6, zorder=0)
    axes.plot([z, z], [0, a], color=style.ink, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=3)
    axes.plot([zs[0], z], [a, a], color=style.ink, linewidth=0.8, linestyle=(0, (1, 1.5)), zorder=3)
    if slope is not None:
        reach = 0.14 * (zs[-1] - zs[0]) / np.hypot(1, slope * (zs[-1] - zs[0]) / (1.32 * (high - low or 1)))
        ends = np.array([z - reach, z + reach])
        axes.plot(ends, a + slope * (ends - z), color=style.sign(slope), linewidth=2.4, zorder=4, gid="slope")
    axes.plot([z], [a], "o", color=style.ink, markersize=7, markeredgecolor=style.paper, zorder=5, gid="point")
    _words(axes, z, a, slope, style)


def _words(axes: Axes, z: float, a: float, slope: float | None, style: Style) -> None:
    """The numbers, at the upper left, where no curve passes."""
    lines = [f"z = {three(z)}", f"a = {three(a)}", "" if slope is None else f"slope = {three(slope)}"]
    for k, line in enumerate(lines):
        axes.text(
            0.03, 0.97 - 0.085 * k, line, transform=axes.transAxes, va="top", fontsize=NORMAL,
            color=style.sign(slope or 0.0) if k == 2 else style.ink, weight="bold" if k == 2 else "normal",
            bbox={"facecolor": style.paper, "edgecolor": "none", "pad": 1.2},
        )  # fmt: skip
    if slope is None:
        axes.text(0.03, 0.8, "no curve: it has all of the 1 that is shared out, or nothing", transform=axes.transAxes,
                  color=style.quiet, fontsize=SMALL, va="top")  # fmt: skip


def _points(neuron: NeuronTrace) -> tuple[Array, Array, float | None]:
    """The curve, and its slope at the neuron's own point."""
    z, a = neuron.pre_activation, neuron.activation
    reach = max(6.0, 1.25 * abs(z))
    if not known_activation(neuron.activation_name).by_row:
        curve = curve_of(neuron.activation_name, -reach, reach, 401, at=z)
        assert curve.at is not None
        return curve.z, curve.activations, curve.at[2]
    zs = np.linspace(-reach, reach, 401)
    if not 0 < a < 1:
        return zs, np.full_like(zs, np.nan_to_num(a)), None
    others = z - np.log(a / (1 - a))  # what they come to: a = exp(z) / (exp(z) + exp(others))
    function = known_activation(PROBABILITIES["yes or no"])
    return zs, function(zs - others), a * (1 - a)
