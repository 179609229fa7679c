"""The picture of a network as inline SVG, in the colours of the page around it."""

from glassnet.render.html.elements import Html, element
from glassnet.render.html.pictures import NEGATIVE, POSITIVE, ink
from glassnet.render.layout import Drawing, Words

SCALE = 96
"""Pixels for an inch of the layout."""
FULLEST = 0.6
"""The opacity of a full disc: the number on it is in the page's own ink, light or dark, and stays readable."""
_COLOURS = {-1: NEGATIVE, 0: "currentColor", 1: POSITIVE}


def svg(drawing: Drawing, label: str) -> Html:
    """Lines below, then discs and bars, words on top; values and names in full as tooltips."""
    wide, high = drawing.width * SCALE, drawing.height * SCALE

    def at(x: float, y: float) -> tuple[str, str]:
        return f"{x * SCALE:.1f}", f"{high - y * SCALE:.1f}"

    parts: list[Html] = []
    if drawing.image is not None:
        image = drawing.image
        x, y = at(image.x, image.y + image.height)
        parts.append(ink(image.picture.values.tolist(), round(image.width * SCALE), "the input", x=x, y=y))
    for line in drawing.lines:
        (x1, y1), (x2, y2) = (at(*end) for end in zip(line.x, line.y, strict=True))
        dashes = {"stroke_dasharray": "5 3"} if line.product < 0 else {}
        parts.append(element("path", d=f"M{x1} {y1}L{x2} {y2}", stroke=_COLOURS[-1 if line.product < 0 else 1],
                             stroke_opacity=f"{0.08 + 0.8 * line.share:.2f}",
                             stroke_width=f"{0.4 + 1.6 * line.share:.2f}", **dashes))  # fmt: skip
    for disc in drawing.discs:
        x, y = at(disc.x, disc.y)
        title, radius = element("title", f"{disc.name}: {disc.value:.7g}"), f"{disc.radius * SCALE:.1f}"
        parts.append(element("circle", title, cx=x, cy=y, r=radius, fill=_COLOURS[disc.sign],
                             fill_opacity=f"{FULLEST * disc.share:.2f}", stroke="currentColor",
                             stroke_opacity=0.5))  # fmt: skip
    for bar in drawing.bars:
        x, y = at(bar.x + min(bar.width, 0), bar.y + bar.thick / 2)
        title = element("title", f"{bar.name}: {bar.value:.7g}")
        parts.append(element("rect", title, x=x, y=y, width=f"{abs(bar.width) * SCALE:.1f}",
                             height=f"{bar.thick * SCALE:.1f}", fill=_COLOURS[bar.sign]))  # fmt: skip
    (x, top), (_, bottom) = (at(drawing.bars[k].x, drawing.bars[k].y + out) for k, out in ((0, 0.2), (-1, -0.2)))
    parts.append(element("path", d=f"M{x} {top}V{bottom}", stroke="currentColor", stroke_opacity=0.4))
    parts += [_words(words, *at(words.x, words.y)) for words in drawing.words]
    return element(
        "svg", *parts, width=round(wide), height=round(high), viewBox=f"0 0 {wide:.0f} {high:.0f}",
        fill="currentColor", role="img", aria_label=label, style="max-width:100%;height:auto",
    )  # fmt: skip


def _words(words: Words, x: str, y: str) -> Html:
    anchor = {"left": {}, "center": {"text_anchor": "middle"}, "right": {"text_anchor": "end"}}[words.align]
    more: dict[str, object] = {"opacity": 0.7} if words.quiet else {}
    if words.strong:
        more["font_weight"] = 700
    size = f"{words.size * SCALE / 72:.1f}"
    return element("text", words.text, x=x, y=y, dy="0.35em", font_size=size, **anchor, **more)
