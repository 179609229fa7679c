"""Columns of discs, how full by their values, with lines between them and bars at the end."""

from collections.abc import Sequence
from typing import NamedTuple

from glassnet.render.html.elements import Html, element, significant
from glassnet.render.html.pictures import LIFT, NEGATIVE, POSITIVE

STEP, APART, RADIUS, BEHIND = 24, 190, 8, 56


class Column(NamedTuple):
    """A title, and for each disc its name and its value."""

    title: str
    names: Sequence[str]
    values: Sequence[float]


class Link(NamedTuple):
    """From a disc of one column to a disc of the next (both by place), how much and with which sign."""

    left: int
    right: int
    product: float


def columns(discs: Sequence[Column], links: Sequence[Sequence[Link]], bars: Column, label: str) -> Html:
    """Columns of discs, the last column as bars; `links[i]` lead to column i + 1 from the one before it."""
    every = [*discs, bars]
    longest = max(len(column.values) for column in every)
    high, wide = 34 + STEP * longest, 30 + APART * len(discs) + 230

    def y(column: Column, place: int) -> float:
        return 34 + STEP * (place + 0.5 + (longest - len(column.values)) / 2)

    parts: list[Html] = []
    for i, of_layer in enumerate(links):
        most = max((abs(link.product) for link in of_layer), default=0.0)
        for left, right, product in of_layer:
            share = (abs(product) / most) ** LIFT
            dashes = {"stroke_dasharray": "5 3"} if product < 0 else {}
            x = 30 + APART * i  # a line starts behind the number of its disc
            ends = f"M{x + BEHIND} {y(every[i], left):g}L{x + APART - RADIUS - 2} {y(every[i + 1], right):g}"
            parts.append(element("path", d=ends, stroke=NEGATIVE if product < 0 else POSITIVE,
                                 stroke_opacity=f"{0.08 + 0.8 * share:.2f}", stroke_width=f"{0.4 + 1.6 * share:.2f}",
                                 **dashes))  # fmt: skip
    for i, column in enumerate(discs):
        parts += _discs(column, 30 + APART * i, [y(column, k) for k in range(len(column.values))])
    parts += _bars(bars, 30 + APART * len(discs), [y(bars, k) for k in range(len(bars.values))])
    return element(
        "svg", *parts, width=wide, height=high, viewBox=f"0 0 {wide} {high}", fill="currentColor", font_size=11,
        role="img", aria_label=label, style="max-width:100%;height:auto",
    )  # fmt: skip


def _discs(column: Column, x: int, ys: Sequence[float]) -> list[Html]:
    parts = [element("text", column.title, x=x - RADIUS, y=14, opacity=0.8)]
    most = max(map(abs, column.values)) or 1.0
    below = min(column.values) < 0
    for name, value, y in zip(column.names, column.values, ys, strict=True):
        colour = "currentColor" if not below else NEGATIVE if value < 0 else POSITIVE
        parts.append(
            element(
                "circle", element("title", f"{name}: {value:.7g}"), cx=x, cy=f"{y:g}", r=RADIUS, fill=colour,
                fill_opacity=f"{abs(value) / most:.2f}", stroke="currentColor", stroke_opacity=0.5,
            )
        )  # fmt: skip
        parts.append(element("text", significant(value), x=x + RADIUS + 4, y=f"{y + 4:g}"))
    return parts


def _bars(column: Column, x: int, ys: Sequence[float]) -> list[Html]:
    parts = [element("text", column.title, x=x, y=14, opacity=0.8)]
    low, high = min(0.0, *column.values), max(0.0, *column.values)
    scale = 100 / (high - low or 1.0)
    zero = x + 62 - low * scale
    best = max(column.values)
    for name, value, y in zip(column.names, column.values, ys, strict=True):
        long = abs(value) * scale
        weight = 700 if value == best and len(column.values) > 1 else 400
        colour = "currentColor" if low == 0 else NEGATIVE if value < 0 else POSITIVE
        short = name if len(name) <= 9 else name[:8] + "\N{HORIZONTAL ELLIPSIS}"
        parts += [
            element("text", element("title", name), short, x=x, y=f"{y + 4:g}",
                    font_weight=weight),
            element("rect", element("title", f"{name}: {value:.7g}"), x=f"{zero - long if value < 0 else zero:.1f}",
                    y=f"{y - 6:g}", width=f"{long:.1f}", height=12, fill=colour),
            element("text", significant(value), x=f"{max(zero, zero + value * scale) + 5:.1f}", y=f"{y + 4:g}",
                    font_weight=weight),
        ]  # fmt: skip
    return parts
