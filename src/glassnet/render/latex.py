"""Documents as LaTeX that needs amsmath and nothing more. Pictures and curves are left out."""

import re
from functools import singledispatch

from glassnet.activations import ACTIVATIONS
from glassnet.arithmetic import Product, Row
from glassnet.render.parts import Items, Section, Table, Text, Worked
from glassnet.render.tables import drawn_out, in_a_column


def write(section: Section) -> str:
    """The section, its title in bold."""
    return "\n\n".join(_blocks(section))


_ESCAPES = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def escaped(text: str) -> str:
    """Text that LaTeX sets as it is."""
    return "".join(_ESCAPES.get(c, c) for c in " ".join(text.split()))


_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d+(e[-+]?\d+)?")


@singledispatch
def _blocks(part: object) -> list[str]:
    return []


@_blocks.register
def _section(section: Section) -> list[str]:
    title = [f"\\medskip\\noindent\\textbf{{{escaped(section.title)}}}"] if section.title else []
    return [*title, *(block for part in in_a_column(section.parts) for block in _blocks(part))]


@_blocks.register
def _text(text: Text) -> list[str]:
    return [f"\\noindent {escaped(text.text)}"] if text.text else []


@_blocks.register
def _items(items: Items) -> list[str]:
    return ["\n".join(["\\begin{itemize}", *(f"\\item {escaped(text)}" for text in items.texts), "\\end{itemize}"])]


@_blocks.register
def _table(table: Table) -> list[str]:
    columns, rows = drawn_out(table)
    cells = [[_cell(cell) for cell in row] for row in rows]
    lines = [f"\\smallskip\\noindent\n\\begin{{tabular}}{{{''.join(column.align for column in columns)}}}"]
    if any(column.name for column in columns):
        lines.append(f"{' & '.join(escaped(column.name) for column in columns)} \\\\\n\\hline")
    for k, row in enumerate(cells):
        strong = "\\bfseries " * (k in table.strong)
        lines.append("\\hline\n" * (k in table.ruled) + f"{' & '.join(strong + cell for cell in row)} \\\\")
    return ["\n".join([*lines, "\\end{tabular}"])]


def _cell(cell: str) -> str:
    """A number in mathematics, for its sign and power of ten; all else as text."""
    return f"${_number(cell)}$" if _NUMBER.fullmatch(cell) else escaped(cell)


# A sum: `array` in display mathematics, the points of its figures under one another


@_blocks.register
def _worked(worked: Worked) -> list[str]:
    decimals = len(worked.rows[0].figure.partition(".")[2])
    lines = []
    for row in worked.rows:
        rule = r"\hline" + "\n" if row.kind == "total" else ""
        lines.append(f"{rule}{_what(row, worked.activation)} & {_figure(row, decimals)} \\\\")
    body = "\n".join(lines)
    return [
        "\\[\n\\renewcommand{\\arraystretch}{1.15}\n"
        f"\\begin{{array}}{{l@{{\\quad}}r@{{}}c@{{}}l@{{\\qquad}}r@{{}}l}}\n{body}\n\\end{{array}}\n\\]"
    ]


def _what(row: Row, activation: str) -> str:
    if isinstance(row.what, Product):
        value, weight = (_number(part) for part in row.what[1:])
        weight = f"({weight})" if weight.startswith("-") else weight
        return f"\\text{{{escaped(row.what.name)}}} & {value} & {{}} \\times {{}} & {weight}"
    what = f"\\text{{{escaped(row.what)}}}"
    if row.kind == "result" and ACTIVATIONS.has(activation):
        what = f"\\text{{{escaped(activation)}}} = {ACTIVATIONS.find(activation).latex}"
    return f"\\multicolumn{{4}}{{l@{{\\qquad}}}}{{{what}}}"


def _figure(row: Row, decimals: int) -> str:
    """A figure in two cells, split at its point."""
    whole, point, part = row.figure.partition(".")
    if "e" in row.figure:
        return f"{_number(row.figure)} &"
    return f"{whole.replace(',', '{,}')} & {point}{part}"


def _number(figure: str) -> str:
    mantissa, e, exponent = figure.partition("e")
    return mantissa.replace(",", "{,}") + (f"\\cdot 10^{{{int(exponent)}}}" if e else "")
