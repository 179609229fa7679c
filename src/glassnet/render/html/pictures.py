"""Numbers as inline pictures: bars, inputs, templates, curves. Signed ones are blue and orange."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Sequence
from math import isfinite

from glassnet.arithmetic import three
from glassnet.render.html.elements import Html, element

POSITIVE, NEGATIVE = "#2f7fd0", "#d9701a"
"""Blue and orange that can be seen on white and on black."""

LEVELS = 15
SHADES = 100
"""Of blue and of orange: more than can be told apart, so that the scale is continuous, and few enough for a palette."""
MOST_PIXELS = 64
"""On a side; of larger pictures every second, third, ... pixel is drawn."""

Rows = Sequence[Sequence[float]]


def bar(value: float, largest: float, signed: bool = False, width: int = 120) -> Html:
    """A bar for the value's share of the largest; if signed, from the middle to the right for positive ones."""
    share = min(abs(value) / largest, 1.0) if largest and isfinite(value) else 0.0
    zero, room = (width / 2, width / 2) if signed else (0.0, float(width))
    long = share * room
    colour = "currentColor" if not signed else NEGATIVE if value < 0 else POSITIVE
    parts = [element("rect", x=_at(zero - long if signed and value < 0 else zero), y=1, width=_at(long), height=10,
                     fill=colour)]  # fmt: skip
    if signed:
        parts.append(element("path", d=f"M{_at(zero)} 0V12", stroke="currentColor", stroke_opacity=0.4))
    return element("svg", *parts, width=width, height=12, role="img", aria_label=three(value))


def ink(rows: Rows, width: int, label: str, **place: object) -> Html:
    """A picture of values from 0 up, from nothing to the page's ink; within another SVG it stands at x, y."""
    rows = _small(rows)
    high = max(max(map(max, rows)), 0.0) or 1.0
    paths: dict[int, list[str]] = {}
    for y, row in enumerate(rows):
        levels = [round(LEVELS * max(v, 0.0) / high) for v in row]
        start = 0
        for x in range(1, len(levels) + 1):  # neighbours of one level become one bar
            if x == len(levels) or levels[x] != levels[start]:
                if levels[start]:
                    paths.setdefault(levels[start], []).append(f"M{start} {y}h{x - start}v1h{start - x}z")
                start = x
    drawn = [element("path", d="".join(d), fill_opacity=f"{level / LEVELS:.2f}") for level, d in sorted(paths.items())]
    frame = element("rect", x=0, y=0, width=len(rows[0]), height=len(rows), fill="none", stroke="currentColor",
                    stroke_opacity=0.4, stroke_width=0.2)  # fmt: skip
    return element(
        "svg", *drawn, frame, viewBox=f"0 0 {len(rows[0])} {len(rows)}", width=width,
        height=round(width * len(rows) / len(rows[0])), fill="currentColor", shape_rendering="crispEdges", role="img",
        aria_label=label, **place,
    )  # fmt: skip


def signed(rows: Rows, limit: float, width: int, label: str, height: int | None = None) -> Html:
    """A picture of signed values on a linear scale up to `limit`: blue for positive, orange for negative."""
    rows = _small(rows)
    lines = []
    for row in rows:
        levels = [round(SHADES * min(abs(v) / limit, 1.0)) if limit else 0 for v in row]
        lines.append(bytes(level + SHADES * (v < 0 and level > 0) for level, v in zip(levels, row, strict=True)))
    tall = height or round(width * len(rows) / len(rows[0]))
    style = "image-rendering:pixelated;border:1px solid rgb(128 128 128/.5);display:block;margin:0"
    source = f"data:image/png;base64,{b64encode(_png(lines)).decode()}"
    return element("img", src=source, alt=label, width=width, height=tall, style=style)


def _png(lines: Sequence[bytes]) -> bytes:
    """Lines of palette numbers as a PNG: 0 is clear, then blue ever less so, then orange."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    colours = [bytes.fromhex(colour[1:]) * SHADES for colour in (POSITIVE, NEGATIVE)]
    clear = bytes(round(255 * level / SHADES) for level in range(1, SHADES + 1))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", len(lines[0]), len(lines), 8, 3, 0, 0, 0)),
            chunk(b"PLTE", bytes(3) + b"".join(colours)),
            chunk(b"tRNS", b"\0" + clear + clear),
            chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines), 9)),
            chunk(b"IEND", b""),
        )
    )


def _small(rows: Rows) -> Rows:
    step = -(-max(len(rows), len(rows[0])) // MOST_PIXELS)
    return rows if step == 1 else [row[::step] for row in rows[::step]]


def curves(
    xs: Sequence[float],
    lines: Sequence[tuple[str, Sequence[float | None]]],
    label: str,
    point: tuple[float, float] | None = None,
    width: int = 300,
    height: int = 110,
    zero: bool = True,
) -> Html:
    """Lines over `xs` (the first whole, the second dashed) in a frame with its ends named; one point marked."""
    known = [v for _, values in lines for v in values if v is not None and isfinite(v)]
    known += [point[1]] if point else []
    low, high = min([*known, 0.0] if zero else known), max(known)
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    left, right = min(xs), max(xs)
    inner = width - 60.0

    def at(x: float, y: float) -> str:
        across = (x - left) / (right - left) if right > left else 0.5
        return f"{_at(10 + inner * across)} {_at(8 + (height - 30) * (high - y) / (high - low))}"

    parts = [element("path", d=f"M10 {height - 22}H{width - 50}", stroke="currentColor", stroke_opacity=0.4)]
    for k, (name, values) in enumerate(lines):
        ends = [at(x, v) for x, v in zip(xs, values, strict=True) if v is not None and isfinite(v)]
        if len(ends) == 1:
            cx, cy = ends[0].split()
            parts.append(element("circle", element("title", name), cx=cx, cy=cy, r=3, fill="currentColor"))
        elif ends:
            dashes = {"stroke_dasharray": "5 3", "stroke_opacity": 0.7} if k else {}
            parts.append(element("path", element("title", name), d="M" + "L".join(ends), fill="none",
                                 stroke="currentColor", stroke_width=1.6, **dashes))  # fmt: skip
    if point:
        cx, cy = at(*point).split()
        parts.append(element("circle", cx=cx, cy=cy, r=4.5, fill="currentColor"))
    for x, anchor, value in ((10, "start", left), (width - 50, "end", right)):
        parts.append(
            element("text", f"{value:.3g}".replace("-", "\N{MINUS SIGN}"), x=x, y=height - 8, text_anchor=anchor)
        )
    for y, value in ((12, high), (height - 18, low)):
        parts.append(element("text", three(value), x=width - 44, y=y, opacity=0.7))
    return element(
        "svg", *parts, width=width, height=height, fill="currentColor", font_size=11, role="img", aria_label=label
    )


def _at(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
