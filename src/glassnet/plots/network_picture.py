"""The network at work: columns of neurons, how full by their activation, and the connections that count most.

The input is the picture that it is, the outputs are bars. A connection's colour and dashes tell the sign of its
product w x a, its width and strength how large that is within its layer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from glassnet.arrays import Array
from glassnet.errors import SettingError
from glassnet.plots.input_picture import ink_picture, picture_shape
from glassnet.plots.style import LIFT, NORMAL, SMALL, Canvas, Style, empty, figure, heading, named, three
from glassnet.trace import Trace, largest

MOST_DISCS, MOST_LETTERS = 20, 16
CONNECTIONS = 60
RADIUS, NUMBER = 0.15, 0.37
TOP, BOTTOM, PICTURE, OUTPUTS = 1.0, 0.55, 2.0, 2.3
"""In inches: of a disc; for the number beside it; room for the words above and below; of the
input's picture, and of the
outputs' bars and numbers."""


def network(trace: Trace, style: str = "light", connections: int = CONNECTIONS) -> Figure:
    """A network at work on one input.

    Of a layer of more than 20 neurons those with the largest activations stand there; of the connections between two
    columns the `connections` largest products are drawn. Raises `SettingError` for a trace of several examples.
    """
    colours = named(style)
    if trace.outputs.ndim == 2:
        raise SettingError(
            f"a plot of a network shows one example; this trace has {len(trace)}",
            help="pick one first: plots.network(trace[0])",
        )
    outputs = OUTPUTS + _room(trace)
    wide, high = 2.0 + outputs + 2.15 * len(trace.layers), _height(trace)
    made = figure(colours, wide, high)
    page = _Page(trace, made, empty(made, wide, high), colours, wide, high)
    column = page.inputs()
    start, end = column.x + 1.75, wide - outputs
    step = (end - start) / max(1, len(trace.layers) - 1)
    for i, layer in enumerate(trace.layers):
        last = i == len(trace.layers) - 1
        before, column = column, page.column(layer.activations, end if last else start + i * step)
        page.connect(i, before, column, connections)
        if last:
            page.bars(column)
        else:
            page.neurons(i, column)
    page.words(connections)
    return made


def _height(trace: Trace) -> float:
    """As high as the longest column or the picture needs."""
    discs = [min(len(layer.biases), MOST_DISCS) for layer in trace.layers]
    if picture_shape(trace.schema) is None:
        discs.append(min(len(trace.layers[0].inputs), MOST_DISCS))
        return TOP + BOTTOM + max(1.0, min(4.85, 0.4 * max(discs)))
    return TOP + BOTTOM + max(PICTURE + 0.4, min(4.85, 0.4 * max(discs)))


@dataclass(frozen=True)
class _Column:
    """What stands in one column: which of the layer's values, and how high; lines to the next one start at `outs`."""

    shown: list[int]
    x: float
    ys: list[float]
    outs: float


@dataclass(frozen=True)
class _Page:
    """Where it is drawn. Units are inches."""

    trace: Trace
    canvas: Canvas
    axes: Axes
    style: Style
    wide: float
    high: float

    @property
    def middle(self) -> float:
        return (self.high - TOP + BOTTOM) / 2

    def column(self, values: Array, x: float, numbers: float = NUMBER) -> _Column:
        """The strongest values, in their order, the first on top."""
        shown = largest(values, MOST_DISCS)
        count, room = len(shown), self.high - TOP - BOTTOM
        step = min(0.45, room / count)
        return _Column(
            shown, x, [self.middle + step * ((count - 1) / 2 - k) for k in range(count)], x + RADIUS + numbers
        )

    def inputs(self) -> _Column:
        values, shape = self.trace.layers[0].inputs, picture_shape(self.trace.schema)
        if shape is None:
            column = self.column(values, 1.75, numbers=0)
            self._discs(values, column, "input", self.trace.input_names(0), left=True)
            self._above(column.x, f"{len(values):,} inputs", _part(column, values))
            return column
        tall, across = (PICTURE * min(1.0, ratio) for ratio in (shape[0] / shape[1], shape[1] / shape[0]))
        left, bottom = 0.25 + (PICTURE - across) / 2, self.middle - tall / 2
        axes = self.canvas.add_axes((left / self.wide, bottom / self.high, across / self.wide, tall / self.high))
        axes.set_zorder(-1)
        ink_picture(axes, values.reshape(shape), self.style).set_gid("input")
        words = f"input, {shape[0]} x {shape[1]}"
        self.axes.text(left, bottom + tall + 0.08, words, color=self.style.quiet, fontsize=SMALL, va="bottom")
        rows = np.repeat(np.arange(shape[0]), shape[1])
        ys = bottom + tall * (1 - (rows + 0.5) / shape[0])  # a line leaves the picture at the height of its pixel
        return _Column(list(range(len(values))), 0.25 + PICTURE, ys.tolist(), left + across)

    def neurons(self, i: int, column: _Column) -> None:
        """A hidden layer."""
        layer = self.trace.layers[i]
        self._discs(layer.activations, column, "neuron", [f"{i}:{k}" for k in range(len(layer.activations))])
        words = f"{_many(len(layer.activations), 'neuron')}, {layer.activation_name}"
        self._above(column.x, f"layer {i}", words + _part(column, layer.activations, ", "))

    def _discs(self, values: Array, column: _Column, kind: str, names: Sequence[str], left: bool = False) -> None:
        """Discs filled by their values, by sign if some are negative; beside each its number."""
        style, axes = self.style, self.axes
        largest, two_sided = float(np.abs(values).max()) or 1.0, float(values.min()) < 0
        radius = min(RADIUS, 0.42 * (column.ys[0] - column.ys[1])) if len(column.ys) > 1 else RADIUS
        for k, y in zip(column.shown, column.ys, strict=True):
            value = float(values[k])
            share = abs(value) / largest
            full = style.sign(value) if two_sided else style.ink
            axes.add_patch(Circle((column.x, y), radius, facecolor=style.paper, edgecolor="none", zorder=3))
            disc = Circle((column.x, y), radius, facecolor=to_rgba(full, share), edgecolor=style.quiet, linewidth=0.7)
            disc.set(zorder=4, gid=f"{kind}-{k}" if left else f"{kind}-{names[k].replace(':', '-')}")
            axes.add_patch(disc)
            axes.text(
                column.x + (-1 if left else 1) * (radius + 0.05), y,
                f"{_short(names[k], 16)}  {three(value)}" if left else three(value), color=style.ink, fontsize=SMALL,
                va="center", ha="right" if left else "left", zorder=6,
            )  # fmt: skip
            if not left:
                axes.text(
                    column.x, y, str(k), color=style.paper if share > 0.5 else style.ink, fontsize=SMALL - 1 - (k > 99),
                    ha="center", va="center", zorder=6,
                )  # fmt: skip

    def bars(self, column: _Column) -> None:
        """The outputs, named, as bars from a common line: to the left of it what is below 0."""
        i, style, axes = len(self.trace.layers) - 1, self.style, self.axes
        layer = self.trace.layers[i]
        values = layer.activations
        names, room = _output_names(self.trace), _room(self.trace)
        most = 1.0 if layer.activation_name in ("softmax", "sigmoid") else max(0.0, float(values.max()))
        least = min(0.0, float(values.min()))
        scale = 1.6 / (most - least or 1.0)
        zero = column.x + room - least * scale
        axes.plot([zero, zero], [column.ys[0] + 0.2, column.ys[-1] - 0.2], color=style.line, linewidth=0.8, zorder=3)
        thick = min(0.26, 0.62 * (column.ys[0] - column.ys[1])) if len(column.ys) > 1 else 0.26
        for k, y in zip(column.shown, column.ys, strict=True):
            value = float(values[k])
            bold = "bold" if k == int(values.argmax()) and len(values) > 1 else "normal"
            bar = Rectangle((zero, y - thick / 2), value * scale, thick, edgecolor="none", zorder=4)
            bar.set(facecolor=style.sign(value) if least < 0 else style.ink, gid=f"output-{k}")
            axes.add_patch(bar)
            axes.text(
                column.x, y, _short(names[k], MOST_LETTERS), color=style.ink, fontsize=NORMAL, weight=bold, va="center",
                zorder=6,
            )  # fmt: skip
            axes.text(
                zero + max(value * scale, 0) + 0.06, y, three(value), color=style.ink, fontsize=SMALL, weight=bold,
                va="center", zorder=6,
            )  # fmt: skip
        words = f"{_many(len(values), 'output')}, {layer.activation_name}"
        self._above(column.x + room, f"layer {i}", words + _part(column, values, ", "), "left")

    def connect(self, i: int, left: _Column, right: _Column, most: int) -> None:
        """The largest products of a layer, as lines."""
        places = [dict(zip(column.shown, column.ys, strict=True)) for column in (left, right)]
        strongest = self.trace.layers[i].strongest(most, right.shown, left.shown)
        for sign, dashes in ((1, "solid"), (-1, (0, (3, 1.6)))):
            of_sign = [(k, j, product) for k, j, product in strongest if product * sign > 0]
            shares = [abs(product / strongest[0][2]) ** LIFT for _, _, product in of_sign]
            lines = LineCollection(
                [[(left.outs, places[0][j]), (right.x - RADIUS, places[1][k])] for k, j, _ in of_sign],
                colors=[to_rgba(self.style.sign(sign), 0.1 + 0.8 * share) for share in shares],
                linewidths=[0.35 + 1.75 * share for share in shares],
                linestyles=dashes,
                zorder=2,
            )
            lines.set_gid(f"{'for' if sign > 0 else 'against'}-{i}")
            self.axes.add_collection(lines)

    def words(self, connections: int) -> None:
        """What it says, and what stands for what."""
        trace, style = self.trace, self.style
        classes, outputs = trace.schema.classes, trace.outputs
        says = ""
        if classes and len(classes) == len(outputs) > 1:
            says = f": looks like {_short(classes[int(outputs.argmax())], 24)}"
        sizes = "-".join(f"{n:,}" for n in (len(trace.layers[0].inputs), *(len(t.biases) for t in trace.layers)))
        below = f"{sizes}; of each layer the {connections} connections with the largest |weight x input|"
        heading(self.canvas, style, f"The network at work{says}", below)
        minus, largest = "\N{MINUS SIGN}", "the layer's largest"
        handles = [
            Line2D([], [], color=style.positive, linewidth=1.6, label="+ for"),
            Line2D([], [], color=style.negative, linewidth=1.6, linestyle=(0, (3, 1.6)), label=f"{minus} against"),
        ]
        discs = {"activation 0": style.paper, largest: style.ink}
        values = [layer.activations for layer in trace.layers[:-1]]
        values += [trace.layers[0].inputs] if picture_shape(trace.schema) is None else []
        if any(value.min() < 0 for value in values):
            discs |= {"or +": style.positive, f"or {minus}": style.negative}
        handles += [
            Line2D([], [], color=style.quiet, linewidth=0, marker="o", markerfacecolor=colour, label=label)
            for label, colour in discs.items()
        ]
        self.axes.legend(
            handles=handles, loc="lower left", bbox_to_anchor=(0.01, 0.01), ncols=6, frameon=False, fontsize=SMALL,
            labelcolor=style.quiet, handlelength=2.4, columnspacing=1.2,
        )  # fmt: skip

    def _above(self, x: float, first: str, second: str, align: str = "center") -> None:
        y = self.high - TOP + 0.16
        self.axes.text(x, y + 0.14, first, color=self.style.ink, fontsize=NORMAL, ha=align, va="bottom")
        self.axes.text(x, y, second, color=self.style.quiet, fontsize=SMALL, ha=align, va="bottom")


def _output_names(trace: Trace) -> Sequence[str]:
    """The classes, or the addresses of the last neurons."""
    classes, count = trace.schema.classes, len(trace.outputs)
    last = len(trace.layers) - 1
    return classes if classes and len(classes) == count else [f"{last}:{k}" for k in range(count)]


def _room(trace: Trace) -> float:
    """How many inches wide the names of the outputs are."""
    return 0.25 + 0.085 * min(max(map(len, _output_names(trace))), MOST_LETTERS)


def _part(column: _Column, values: Array, before: str = "") -> str:
    return f"{before}the {len(column.shown)} strongest" if len(column.shown) < len(values) else ""


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _short(name: str, most: int) -> str:
    """A long name without its middle: names that belong together mostly differ at their ends."""
    return name if len(name) <= most else f"{name[: most // 2]}\N{HORIZONTAL ELLIPSIS}{name[most // 2 + 1 - most :]}"
