"""Documents as plain text for a terminal: plain ASCII, figures in line, no line wider than asked for."""

import textwrap
from collections.abc import Sequence
from functools import singledispatch
from itertools import zip_longest

from glassnet.arithmetic import Product, Row, significant
from glassnet.render.parts import (
    Bar,
    Beside,
    Cell,
    Chart,
    Items,
    Layer,
    NetworkPicture,
    Picture,
    Section,
    Shaded,
    Table,
    Text,
    Worked,
    by_size,
)
from glassnet.render.text_pictures import AGAINST, FOR, bar, curve, figures, ink, signed

NARROWEST = 16
"""Columns; in fewer, lines are longer than the room that there is."""
MOST_WRAPPED = 16
"""A last column of words is wrapped down to this width."""
GAP = 3
"""Columns between parts that stand beside each other."""
NOTHING = "."
"""A cell for a count of 0."""
NARROW = 60
"""In fewer columns nothing stands beside anything, and what is too wide stands one below another."""
BESIDE = 22
"""Columns that an input needs, to stand beside the outputs."""
HIDDEN_LAYERS = 6
"""So many hidden layers get a line each; of more, the first and the last ones."""


def write(section: Section, width: int = 80) -> str:
    """The whole section, no line wider than `width` unless a figure is."""
    width = max(width, NARROWEST)
    lines = [line.rstrip() for line in _lines(section, width)]
    if width < NARROW:  # in so few, names and bars may still go beyond
        lines = [part for line in lines for part in (_wrapped(line, width) if len(line) > width else [line])]
    return "\n".join(lines)


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(line, width, subsequent_indent="    ", break_on_hyphens=False)


@singledispatch
def _lines(part: object, width: int) -> list[str]:
    raise TypeError(f"no part of a document: {type(part).__name__}")


@_lines.register
def _section(section: Section, width: int) -> list[str]:
    below = width < NARROW and len(section.title) + 2 + len(section.aside) > width
    room = width if below else width - len(section.aside) - 2 * bool(section.aside)
    lines = textwrap.wrap(section.title, room) if section.title else []
    if section.aside and below:
        lines += textwrap.wrap(section.aside, width)
    elif section.aside:
        lines[:1] = [f"{lines[0] if lines else '':<{width - len(section.aside)}}{section.aside}"]
    after = False  # a blank line stands before and after a section
    for part in section.parts:
        inset = "  " if isinstance(part, Table) and section.title else ""
        made = [inset + line for line in _lines(part, width - len(inset))]
        if made and lines and (after or isinstance(part, Section)):
            lines.append("")
        lines += made
        after = isinstance(part, Section) if made else after
    return lines


@_lines.register
def _text(text: Text, width: int) -> list[str]:
    return textwrap.wrap(text.text, width) if text.text else [""]


@_lines.register
def _items(items: Items, width: int) -> list[str]:
    return [line for text in items.texts for line in textwrap.wrap(text, width, subsequent_indent="  ")]


@_lines.register
def _beside(beside: Beside, width: int) -> list[str]:
    """Parts in columns; charts, whose figures stand in what they are beside, are left out."""
    shown = [part for part in beside.parts if not isinstance(part, Chart)]
    if not shown or width < NARROW:
        return [line for part in shown for line in _lines(part, width)]
    *parts, last = shown
    columns, left = [], width
    for k, part in enumerate(parts):
        lines = _lines(part, (left - GAP * (len(parts) - k)) // (len(parts) + 1 - k))
        wide = max(map(len, lines), default=0) + GAP
        columns.append([f"{line:<{wide}}" for line in lines] or [""])
        left -= wide
    columns.append(_lines(last, left))
    blank = [" " * len(column[0]) for column in columns[:-1]] + [""]
    rows = zip_longest(*columns)
    return ["".join(b if a is None else a for a, b in zip(row, blank, strict=True)).rstrip() for row in rows]


# Tables


@_lines.register
def _table(table: Table, width: int) -> list[str]:
    """Columns two apart under their names; bars take the room that is left."""
    bars = [any(isinstance(row[i], Bar) for row in table.rows) for i in range(len(table.columns))]
    plain = [[_cut(_words(cell), column.most) for cell, column in zip(row, table.columns, strict=True)]
             for row in ([column.name for column in table.columns], *table.rows)]  # fmt: skip
    wide = [max(len(row[i]) for row in plain) for i in range(len(table.columns))]
    left = width - sum(wide) - 2 * (len(wide) - 1)
    wraps = table.columns[-1].most is None and table.columns[-1].align == "l" and not bars[-1]
    if width < NARROW and left + (max(wide[-1] - MOST_WRAPPED, 0) if wraps else 0) < 0:
        return _stacked(table, plain, bars, width)
    room = min(max(left // (sum(bars) or 1), 4), 48)
    lines = []
    for number, row in enumerate(plain):
        cells = []
        for i, (column, text) in enumerate(zip(table.columns, row, strict=True)):
            cell = table.rows[number - 1][i] if number else ""
            shown = bar(cell.value, cell.largest, room) if isinstance(cell, Bar) else text
            cells.append(f"{shown:{'>' if column.align == 'r' else '<'}{max(room, wide[i]) if bars[i] else wide[i]}}")
        line = "  ".join(cells).rstrip()
        if len(line) > width and table.columns[-1].most is None:
            before = "  ".join(["", *cells[:-1], ""])[2:]
            lines += textwrap.wrap(cells[-1], width, initial_indent=before, subsequent_indent=" " * len(before))
        else:
            lines.append(line)
    return lines if any(column.name for column in table.columns) else lines[1:]


def _stacked(table: Table, plain: Sequence[Sequence[str]], bars: Sequence[bool], width: int) -> list[str]:
    """For a table that is wider than there is room: its rows one below another, a line for each cell, without bars."""
    lines, names = list[str](), plain[0]
    for cells in plain[1:]:
        inset = " " * (len(cells[0]) - len(cells[0].lstrip()) + 2)
        lines += textwrap.wrap(cells[0], width, subsequent_indent="    ") or [""]
        for name, cell, is_bar in zip(names[1:], cells[1:], bars[1:], strict=True):
            if cell not in ("", NOTHING) and not is_bar:
                lines += textwrap.wrap(f"{name}  {cell}", width, initial_indent=inset, subsequent_indent=f"{inset}  ")
    return lines


def _words(cell: Cell) -> str:
    return "" if isinstance(cell, Bar) else cell.text if isinstance(cell, Shaded) else cell


def _cut(text: str, most: int | None) -> str:
    """A long text without its end."""
    return text if most is None or len(text) <= most else text[: most - 3] + "..."


# Sums


@_lines.register
def _worked(worked: Worked, width: int) -> list[str]:
    """Figures in one column, their points in line, a rule above each total."""
    rows = worked.rows
    texts = _in_columns([row.what for row in rows])
    text_width = max(map(len, texts))
    wide = max(len(row.figure) for row in rows if row.kind != "result")
    decimals = len(rows[0].figure.partition(".")[2])
    if width < NARROW and text_width + wide + 5 > width:
        return _below_one_another(rows, width, wide)
    lines = []
    for row, text in zip(rows, texts, strict=True):
        if row.kind == "total":
            lines.append(f"  {'':<{text_width}}   {'-' * wide}")
        lines.append(f"  {text:<{text_width}}   {_in_line(row, wide, decimals)}")
    return lines


def _below_one_another(rows: Sequence[Row], width: int, wide: int) -> list[str]:
    """For a sum that is wider than there is room: each figure at the right, below what it is."""
    lines = list[str]()
    for row in rows:
        what = row.what
        text = f"{what.name}  {what.input} x {what.weight}" if isinstance(what, Product) else what
        if row.kind == "total":
            lines.append(f"{'-' * wide:>{width}}")
        lines += textwrap.wrap(text, width, initial_indent="  ", subsequent_indent="    ")
        if len(lines[-1]) + 2 + len(row.figure) > width:
            lines.append("")
        lines[-1] += f"{row.figure:>{width - len(lines[-1])}}"
    return lines


def _in_line(row: Row, wide: int, decimals: int) -> str:
    """A figure with its point under the others."""
    if row.kind != "result":
        return f"{row.figure:>{wide}}"
    return " " * max(0, wide - decimals - 1 - len(row.figure.partition(".")[0])) + row.figure


def _in_columns(whats: Sequence[str | Product]) -> list[str]:
    """What each row is; the parts of the products among them stand under one another."""
    products = [what for what in whats if isinstance(what, Product)]
    name, value, weight = (max((len(product[part]) for product in products), default=0) for part in range(3))
    return [
        f"{what.name:<{name}}  {what.input:>{value}} x {what.weight:>{weight}}" if isinstance(what, Product) else what
        for what in whats
    ]


# Pictures


@_lines.register
def _picture(picture: Picture, width: int) -> list[str]:
    caption = [picture.caption] if picture.caption else []
    if picture.signed:
        lines = signed(picture.values, width, width // 2)
        while lines and not lines[0]:
            del lines[0]
        legend = f"for {FOR.strip()}  against {AGAINST.strip()}"
        return [*caption, *lines, *textwrap.wrap(legend, width)]
    lines = ink(picture.values, width, width // 2).split("\n")
    margin = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
    return [*caption, *(line[margin:] for line in lines)]


@_lines.register
def _chart(chart: Chart, width: int) -> list[str]:
    """The first line as a curve of dots."""
    import numpy as np

    lines = curve(
        np.asarray(chart.x),
        np.asarray(chart.lines[0][1], float),
        chart.mark,
        columns=min(66, width - 12),
        zero=chart.zero,
    )
    return [*([chart.caption] if chart.caption else []), *lines]


# A network at work


@_lines.register
def _network(network: NetworkPicture, width: int) -> list[str]:
    """The input beside the outputs, then a line for each hidden layer."""
    left = min(width - 38, 42)
    inputs, outputs = network.inputs, network.layers[-1]
    if left < BESIDE:
        given = _lines(inputs, width) if isinstance(inputs, Picture) else _inputs(inputs)
        lines = [*given, "", *_outputs(outputs, width)]
    else:
        given = _lines(inputs, left - GAP) if isinstance(inputs, Picture) else _inputs(inputs)
        sides = zip_longest(given, _outputs(outputs, width - left), fillvalue="")
        lines = [f"{a:<{left}}{b}".rstrip() for a, b in sides]
    hidden = _hidden(network.layers[:-1], width)
    return [*lines, "", *hidden] if hidden else lines


def _inputs(layer: Layer) -> list[str]:
    nodes = by_size(layer)
    label = min(max(len(node.name) for node in nodes), 20)
    return [
        layer.title,
        *(f"  {node.name[:label]:<{label}} {significant(node.value, 4):>10}" for node in nodes),
        *_more(layer),
    ]


def _outputs(layer: Layer, width: int) -> list[str]:
    nodes = by_size(layer)
    label = min(max(len(node.name) for node in nodes), 14)
    values = [node.value for node in nodes]
    texts = figures(values)
    room = max(4, width - label - len(texts[0]) - 4)
    largest = max(map(abs, values))
    lines = [
        f"  {node.name[:label]:>{label}} {text} {bar(node.value, largest, room)}"
        for node, text in zip(nodes, texts, strict=True)
    ]
    return [f"the outputs: {layer.title}", *lines, *_more(layer)]


def _more(layer: Layer) -> list[str]:
    hidden = layer.count - len(layer.nodes)
    return [f"  and {hidden:,} more"] if hidden else []


def _hidden(layers: Sequence[Layer], width: int) -> list[str]:
    """A line for each hidden layer: its strongest neurons with their bars, as many as there is room for."""
    skipped = len(layers) - HIDDEN_LAYERS
    if skipped > 0:
        half = HIDDEN_LAYERS // 2
        layers = (*layers[:half], *layers[-half:])
    if not layers:
        return []
    heads = [f"{layer.title}: {layer.detail}" for layer in layers]
    wide = max(map(len, heads)) + 2
    strongest = [sorted(layer.nodes, key=lambda node: -abs(node.value)) for layer in layers]
    cells = [[(f"{node.name} {node.value:.3g}", node.value) for node in nodes] for nodes in strongest]
    for fitting in range(max(map(len, cells)), 0, -1):
        cell = max(len(text) for line in cells for text, _ in line[:fitting]) + 8  # a bar of 5, blanks around it
        if wide + fitting * cell - 2 <= width:
            break
    lines = []
    for head, line in zip(heads, cells, strict=True):
        largest = abs(line[0][1])
        bars = [f"{f'{text} {bar(value, largest, 5)}':<{cell}}" for text, value in line[:fitting]]
        if wide + cell - 2 > width:  # not even one beside its layer
            lines += [*textwrap.wrap(head, width), f"  {line[0][0]}"]
        else:
            lines.append(f"{head:<{wide}}{''.join(bars)}".rstrip())
    if skipped > 0:
        lines.insert(HIDDEN_LAYERS // 2, f"... {skipped:,} more layers ...")
    return lines
