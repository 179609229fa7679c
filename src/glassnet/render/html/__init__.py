"""Documents as HTML: a fragment with its styles inside.

It is self-contained (inline styles, inline SVG and PNG; no script, nothing that is asked for from outside), well-formed
XML as well as HTML, escaped throughout, and takes the colours of the page around it: letters and activations are in its
ink, light or dark. Blue is positive and orange negative, which colour-blind readers tell apart as well; sign is also
shown by the side a bar is on and by dashes of lines.
"""

from functools import singledispatch

from glassnet.arithmetic import Product
from glassnet.render.html.elements import Html, block, element, figure, joined, note, side_by_side, table
from glassnet.render.html.network import svg
from glassnet.render.html.pictures import bar, curves, ink, signed
from glassnet.render.layout import layout
from glassnet.render.parts import (
    Bar,
    Beside,
    Cell,
    Chart,
    Items,
    NetworkPicture,
    Picture,
    Section,
    Shaded,
    Table,
    Text,
    Worked,
)


def write(section: Section) -> Html:
    """The whole section: its title, and its parts below."""
    title = " ".join(filter(None, (section.title, section.aside)))
    return block(title, *(_html(part) for part in section.parts))


@singledispatch
def _html(part: object) -> Html:
    raise TypeError(f"no part of a document: {type(part).__name__}")


@_html.register
def _section(section: Section) -> Html:
    title = [element("div", section.title, style="font-weight:600;margin:.6em 0 .2em")] if section.title else []
    return element("div", *title, *(_html(part) for part in section.parts), style="margin:.4em 0")


@_html.register
def _text(text: Text) -> Html:
    return note(text.text) if text.quiet else element("div", text.text, style="margin:.2em 0")


@_html.register
def _items(items: Items) -> Html:
    style = "margin:.2em 0;padding-left:1.2em;text-indent:-1.2em;max-width:60em"
    return joined(*(element("div", text, style=style) for text in items.texts))


@_html.register
def _beside(beside: Beside) -> Html:
    made = side_by_side(*(_html(part) for part in beside.parts))
    if not any(isinstance(part, Picture) and part.signed for part in beside.parts):
        return made
    return joined(made, note("blue for, orange against"))


@_html.register
def _table(part: Table) -> Html:
    align = "".join(column.align for column in part.columns)
    rows = [[_cell(cell) for cell in row] for row in part.rows]
    return table([column.name for column in part.columns], rows, align, part.strong, part.ruled)


def _cell(cell: Cell) -> str:
    if isinstance(cell, Bar):
        return bar(cell.value, cell.largest, cell.signed)
    if isinstance(cell, Shaded):
        weight = "font-weight:600" if cell.strong else f"background:rgb(128 128 128/{0.65 * cell.share**0.5:.2f})"
        return element(
            "span", cell.text, style=f"display:block;min-width:2.2em;margin:0 -.6em;padding:.1em .3em;{weight}"
        )
    return cell


@_html.register
def _worked(worked: Worked) -> Html:
    """The rows, with a bar for each term."""
    values = [float(row.figure.replace(",", "").replace("...", "nan")) for row in worked.rows]
    terms = [abs(value) for row, value in zip(worked.rows, values, strict=True) if row.kind == "term"]
    lines = []
    for row, value in zip(worked.rows, values, strict=True):
        name, *factors = row.what if isinstance(row.what, Product) else (row.what, "", "")
        drawn = bar(value, max(terms), signed=True) if row.kind == "term" else ""
        lines.append([name, " x ".join(filter(None, factors)), row.figure, drawn])
    totals = [i for i, row in enumerate(worked.rows) if row.kind == "total"]
    return table(["", "input x weight", "", ""], lines, "lrrl", [*totals, len(lines) - 1], totals)


@_html.register
def _picture(picture: Picture) -> Html:
    rows = picture.values.tolist()
    drawn = signed(rows, picture.limit, picture.width, picture.caption) if picture.signed else ink(
        rows, picture.width, picture.caption)  # fmt: skip
    return figure(picture.caption, drawn)


@_html.register
def _chart(chart: Chart) -> Html:
    drawn = curves(chart.x, chart.lines, chart.caption, chart.mark, zero=chart.zero)
    return figure(chart.caption, drawn)


@_html.register
def _network(network: NetworkPicture) -> Html:
    words = "lines: the largest weight x input of each layer, blue for, orange and dashed against"
    return joined(svg(layout(network), "the network at work"), note(words))
