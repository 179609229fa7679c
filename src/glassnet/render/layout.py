"""Where everything of a network's picture stands, for every writer that draws: discs, lines, bars, words.

Units are inches, the origin is at the lower left. The page of the browser lays out its own picture by these rules:
columns from left to right, each column centred, up to 20 neurons in their order, the last column as bars.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from glassnet.arithmetic import three
from glassnet.render.parts import Layer, NetworkPicture, Picture

LIFT = 0.4
"""The power that small values are lifted by: a hundredth of the largest is drawn as 0.01 ** 0.4 = a sixth of it."""

SMALL, NORMAL = 7.0, 8.5
"""Sizes of letters, in points."""
RADIUS, NUMBER = 0.15, 0.47
TOP, BOTTOM, PICTURE, APART, BARS = 0.45, 0.1, 2.0, 2.0, 1.6
"""Room above and below; sides of the input's picture; between columns; the longest bar."""
MOST_LETTERS = 16


class Disc(NamedTuple):
    """A neuron, filled by `share`; `sign` is 0 where the layer has no value below 0, and ink fills it."""

    id: str
    name: str
    value: float
    x: float
    y: float
    radius: float
    share: float
    sign: int


class Line(NamedTuple):
    """A connection of a layer, as strong as `share` after lifting."""

    layer: int
    x: tuple[float, float]
    y: tuple[float, float]
    product: float
    share: float


class OutputBar(NamedTuple):
    """An output, from the common line at `x`; `width` is below 0 to the left of it."""

    id: str
    name: str
    value: float
    x: float
    y: float
    width: float
    thick: float
    sign: int


class Words(NamedTuple):
    """Words at a place, centred in height; on a disc so full (`on`) that ink would not be read they are light."""

    text: str
    x: float
    y: float
    align: Literal["left", "center", "right"] = "left"
    size: float = SMALL
    quiet: bool = False
    strong: bool = False
    on: float = 0.0


class Image(NamedTuple):
    """The input's picture and its lower left corner."""

    picture: Picture
    x: float
    y: float
    width: float
    height: float


@dataclass
class Drawing:
    """Everything that is drawn, `width` by `height` inches."""

    width: float
    height: float
    discs: list[Disc] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    bars: list[OutputBar] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    image: Image | None = None


class _Column(NamedTuple):
    """Where lines to a column end and from where lines leave it, and the height of each of its nodes."""

    x: float
    ys: Sequence[float]
    outs: float


def layout(network: NetworkPicture) -> Drawing:
    """The picture, laid out."""
    inputs, layers = network.inputs, network.layers
    room = 0.25 + 0.085 * min(max(len(node.name) for node in layers[-1].nodes), MOST_LETTERS)
    picture = isinstance(inputs, Picture)
    longest = max(len(layer.nodes) for layer in (*layers, *([inputs] if isinstance(inputs, Layer) else [])))
    high = max(PICTURE + 0.3 if picture else 1.0, min(4.85, 0.4 * longest))
    start = 2.6 if picture else 2.2
    drawing = Drawing(start + APART * len(layers) + room + BARS + 0.5, TOP + high + BOTTOM)
    middle = BOTTOM + high / 2
    before = _picture(drawing, inputs, middle) if isinstance(inputs, Picture) else _inputs(drawing, inputs, middle)
    for i, layer in enumerate(layers):
        x = start + APART * (i + 1) - 0.4
        ys = _heights(len(layer.nodes), middle)
        last = i == len(layers) - 1
        _connect(drawing, network, i, before, x - 0.05 if last else x - RADIUS, ys)
        if last:
            _bars(drawing, layer, i, x, ys, room, network.largest)
        else:
            _discs(drawing, layer, f"neuron-{i}", x, ys)
        before = _Column(x, ys, x + RADIUS + NUMBER)
        detail = f"{layer.detail}, the {len(layer.nodes)} largest" if len(layer.nodes) < layer.count else layer.detail
        _above(drawing, x + room if last else x, layer.title, detail, "left" if last else "center")
    return drawing


def _heights(count: int, middle: float) -> list[float]:
    """Centred, the first on top."""
    step = _step(count)
    return [middle + step * ((count - 1) / 2 - k) for k in range(count)]


def _step(count: int) -> float:
    return min(0.45, 4.85 / count)


def _above(drawing: Drawing, x: float, first: str, second: str, align: Literal["left", "center"]) -> None:
    drawing.words += [
        Words(first, x, drawing.height - 0.1, align, NORMAL),
        Words(second, x, drawing.height - 0.25, align, quiet=True),
    ]


def _picture(drawing: Drawing, picture: Picture, middle: float) -> _Column:
    rows, columns = picture.values.shape
    tall, across = PICTURE * min(1.0, rows / columns), PICTURE * min(1.0, columns / rows)
    left, bottom = 0.15 + (PICTURE - across) / 2, middle - tall / 2
    drawing.image = Image(picture, left, bottom, across, tall)
    drawing.words.append(Words(picture.caption, left, bottom + tall + 0.1, quiet=True))
    ys = [bottom + tall * (1 - (row + 0.5) / rows) for row in range(rows) for _ in range(columns)]
    return _Column(left, ys, left + across)  # a line leaves the picture at the height of its pixel


def _inputs(drawing: Drawing, layer: Layer, middle: float) -> _Column:
    x, ys = 2.0, _heights(len(layer.nodes), middle)
    _discs(drawing, layer, "input", x, ys, left=True)
    some = f"the {len(layer.nodes)} largest" if len(layer.nodes) < layer.count else ""
    _above(drawing, x, layer.title, some, "center")
    return _Column(x, ys, x + RADIUS)


def _discs(drawing: Drawing, layer: Layer, id: str, x: float, ys: Sequence[float], left: bool = False) -> None:
    values = [node.value for node in layer.nodes]
    largest, below = max(map(abs, filter(math.isfinite, values)), default=0.0), min(values) < 0
    radius = min(RADIUS, 0.42 * _step(len(ys)))
    for node, y in zip(layer.nodes, ys, strict=True):
        share = _share(node.value, largest)
        sign = 0 if not below else -1 if node.value < 0 else 1
        drawing.discs.append(Disc(f"{id}-{node.number}", node.name, node.value, x, y, radius, share, sign))
        figure = three(node.value)
        if left:
            text = f"{shortened(node.name, MOST_LETTERS)}  {figure}"
            drawing.words.append(Words(text, x - radius - 0.05, y, "right"))
        else:
            drawing.words.append(Words(figure, x + radius + 0.05, y))
            drawing.words.append(Words(str(node.number), x, y, "center", SMALL - 1 - (node.number > 99), on=share))


def _share(value: float, largest: float) -> float:
    """The size of a value as a fraction of the largest; 1 for what is infinite, 0 for what is no number."""
    if math.isnan(value):
        return 0.0
    return abs(value) / largest if largest > 0 and math.isfinite(value) else float(math.isinf(value))


def _bars(
    drawing: Drawing, layer: Layer, number: int, x: float, ys: Sequence[float], room: float, largest: float
) -> None:
    """The outputs as bars from a common line."""
    values = [node.value for node in layer.nodes if math.isfinite(node.value)]
    low, high = min([0.0, *values]), max([largest if math.isfinite(largest) else 0.0, *values])
    scale = BARS / (high - low or 1.0)
    zero = x + room - low * scale
    thick = min(0.26, 0.62 * _step(len(ys)))
    for node, y in zip(layer.nodes, ys, strict=True):
        sign = 0 if low == 0 else -1 if node.value < 0 else 1
        strong = node.value == max(values, default=None) and layer.count > 1
        length = node.value * scale if math.isfinite(node.value) else 0.0
        bar = OutputBar(f"output-{node.number}", node.name, node.value, zero, y, length, thick, sign)
        drawing.bars.append(bar)
        drawing.words += [
            Words(shortened(node.name, MOST_LETTERS), x, y, size=NORMAL, strong=strong),
            Words(three(node.value), zero + max(bar.width, 0) + 0.06, y, strong=strong),
        ]


def _connect(
    drawing: Drawing, network: NetworkPicture, layer: int, before: _Column, x: float, ys: Sequence[float]
) -> None:
    links = network.links[layer]
    largest = max((abs(link.product) for link in links if math.isfinite(link.product)), default=0.0)
    drawing.lines += [
        Line(layer, (before.outs, x), (before.ys[left], ys[right]), product, _share(product, largest) ** LIFT)
        for left, right, product in links
    ]


def shortened(name: str, most: int) -> str:
    """A long name without its middle: names that belong together mostly differ at their ends."""
    return name if len(name) <= most else f"{name[: most // 2]}\N{HORIZONTAL ELLIPSIS}{name[most // 2 + 1 - most :]}"
