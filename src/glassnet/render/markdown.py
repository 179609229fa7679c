"""Documents as Markdown, with tables as GitHub, Jupyter and pandoc read them. Pictures and curves are left out."""

import re
from collections.abc import Sequence
from functools import singledispatch

from glassnet.arithmetic import Product
from glassnet.render.parts import Items, Section, Table, Text, Worked
from glassnet.render.tables import drawn_out, in_a_column


def write(section: Section) -> str:
    """The section, its title in bold."""
    return "\n\n".join(_blocks(section))


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&])", r"\\\1", " ".join(text.split()))


@singledispatch
def _blocks(part: object) -> list[str]:
    return []


@_blocks.register
def _section(section: Section) -> list[str]:
    title = [f"**{escaped(section.title)}**"] if section.title else []
    return [*title, *(block for part in in_a_column(section.parts) for block in _blocks(part))]


@_blocks.register
def _text(text: Text) -> list[str]:
    return [escaped(text.text)] if text.text else []


@_blocks.register
def _items(items: Items) -> list[str]:
    return ["\n".join(f"- {escaped(text)}" for text in items.texts)]


@_blocks.register
def _worked(worked: Worked) -> list[str]:
    rows = []
    for row in worked.rows:
        name, factors = row.what, ""
        if isinstance(row.what, Product):
            name, factors = row.what.name, f"{row.what.input} x {row.what.weight}"
        strong = "**" * (row.kind in ("total", "result"))
        rows.append((f"{strong}{escaped(str(name))}{strong}", factors, f"{strong}{row.figure}{strong}"))
    return [_lines(("what", "input x weight", "value"), "lrr", rows)]


@_blocks.register
def _table(table: Table) -> list[str]:
    columns, rows = drawn_out(table)
    cells = [[escaped(cell) for cell in row] for row in rows]
    for k in table.strong:
        cells[k] = [f"**{cell}**" if cell else "" for cell in cells[k]]
    return [_lines([escaped(column.name) for column in columns], [column.align for column in columns], cells)]


def _lines(head: Sequence[str], aligned: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rules = {"l": ":--", "r": "--:", "c": ":-:"}
    written = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    written.insert(1, f"|{'|'.join(rules[letter] for letter in aligned)}|")
    return "\n".join(written)
