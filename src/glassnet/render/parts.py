"""What a result consists of, as plain data: words, tables, sums, pictures, curves, networks.

A result is turned into these once; the writers (`text`, `html`, `markdown`, `latex`, and `glassnet.plots`) turn them
into their medium. A writer leaves out what its medium has no way to show, such as a curve in Markdown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from glassnet.arithmetic import Row
    from glassnet.arrays import Array


class Bar(NamedTuple):
    """A cell that is drawn: a value as its share of the largest; from the middle to both sides where it is `signed`."""

    value: float
    largest: float
    signed: bool = False


class Shaded(NamedTuple):
    """A cell of a matrix, the darker the larger its share of 1; `strong` on the diagonal."""

    text: str
    share: float
    strong: bool = False


Cell: TypeAlias = str | Bar | Shaded


class Column(NamedTuple):
    """The head of a column, and how its cells are aligned ("l", "r" or "c").

    In text, a cell longer than `most` is cut; without a `most`, in the last column, it is wrapped.
    """

    name: str = ""
    align: str = "l"
    most: int | None = 40


@dataclass(frozen=True)
class Table:
    """Rows of cells; `strong` ones stand out, `ruled` ones have a line above."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    strong: Sequence[int] = ()
    ruled: Sequence[int] = ()


@dataclass(frozen=True)
class Text:
    """A paragraph; a `quiet` one is a note on what is beside it."""

    text: str
    quiet: bool = False


@dataclass(frozen=True)
class Items:
    """Sentences, each on its own."""

    texts: Sequence[str]


@dataclass(frozen=True)
class Worked:
    """A sum written out, as `arithmetic.rows` makes it; `activation` names the function of the last row."""

    rows: "Sequence[Row]"
    activation: str = ""


@dataclass(frozen=True)
class Picture:
    """Values (h, w) as pixels: from nothing to ink, or `signed` ones by their sign, the strongest as `limit`."""

    caption: str
    values: "Array"
    signed: bool = False
    limit: float = 0.0
    width: int = 84


@dataclass(frozen=True)
class Chart:
    """Lines over `x`, the first solid and the second dashed; one `mark` at (x, y). `zero`: the axis starts at 0."""

    caption: str
    x: Sequence[float]
    lines: Sequence[tuple[str, Sequence[float | None]]]
    mark: tuple[float, float] | None = None
    zero: bool = True


class Node(NamedTuple):
    """A neuron (or an input): its number in its layer, its name, and its activation."""

    number: int
    name: str
    value: float


class Link(NamedTuple):
    """A connection between two columns of nodes, by their places in the picture, and its product weight x input."""

    left: int
    right: int
    product: float


@dataclass(frozen=True)
class Layer:
    """A column of a network's picture: of `count` neurons the strongest, in their order."""

    title: str
    detail: str
    count: int
    nodes: Sequence[Node]


@dataclass(frozen=True)
class NetworkPicture:
    """A network at work on one input.

    inputs    a picture, or the inputs that are furthest from 0
    layers    the last one is drawn as bars, from 0 to `largest` at least
    links     for each layer its largest products; from pixels, `Link.left` counts pixels
    """

    inputs: Picture | Layer
    layers: Sequence[Layer]
    links: Sequence[Sequence[Link]]
    largest: float = 0.0


@dataclass(frozen=True)
class Beside:
    """Parts next to each other."""

    parts: "Sequence[Part]"


@dataclass(frozen=True)
class Section:
    """Parts under a title; `aside` is said on the title's line, at its end."""

    title: str
    parts: "Sequence[Part]" = ()
    aside: str = ""


Part: TypeAlias = Section | Table | Text | Items | Worked | Picture | Chart | NetworkPicture | Beside


def by_size(layer: Layer) -> list[Node]:
    """The nodes of a layer as they are listed: all in their order, or of many the strongest first."""
    if len(layer.nodes) == layer.count:
        return list(layer.nodes)
    return sorted(layer.nodes, key=lambda node: -abs(node.value))
