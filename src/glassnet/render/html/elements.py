"""Tags whose text and attributes are escaped by the way they are made, and tables of them."""

import re
from collections.abc import Iterable, Sequence
from html import escape

_PLAIN = "border:0;background:transparent;color:inherit"
_BLOCK = "font:14px/1.45 system-ui,sans-serif;font-variant-numeric:tabular-nums;color:inherit;overflow-x:auto"


class Html(str):
    """Text that is markup already; all other text is escaped when it goes into an element."""

    __slots__ = ()


def element(name: str, *inner: str, **attributes: object) -> Html:
    """`<name attribute="...">inner</name>`; an attribute's `_` stands for `-`, and one at its end for nothing."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_allowed(str(v)))}"' for key, v in attributes.items()
    )
    return Html(f"<{name}{written}>{joined(*inner)}</{name}>" if inner else f"<{name}{written}/>")


def joined(*parts: str) -> Html:
    """Parts one after another: markup as it is, text escaped and without what no document may hold."""
    return Html("".join(part if isinstance(part, Html) else escape(_allowed(part)) for part in parts))


_FORBIDDEN = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _allowed(text: str) -> str:
    """Text with a mark in place of every character that XML has no way to write."""
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)


def block(title: str, *parts: str) -> Html:
    """A value's whole representation: a title, and its parts below."""
    return element("div", element("div", title, style="font-weight:600;margin:.2em 0 .4em"), *parts, style=_BLOCK)


def note(text: str) -> Html:
    """A quiet line."""
    return element("div", text, style="opacity:.7;font-size:12px;margin:.3em 0")


def side_by_side(*parts: str) -> Html:
    """Parts in a row, wrapped where it is narrow."""
    style = "display:flex;flex-wrap:wrap;gap:.7em 1.2em;align-items:flex-start;margin:.4em 0"
    return element("div", *parts, style=style)


def figure(caption: str, picture: str) -> Html:
    """A picture and its name above."""
    return element("div", element("div", caption, style="font-size:12px;opacity:.7"), picture)


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    align: str,
    strong: Iterable[int] = (),
    ruled: Iterable[int] = (),
) -> Html:
    """A table; `align` has an l, r or c for each column, `strong` rows are bold, `ruled` ones have a line above."""
    strong, ruled = set(strong), set(ruled)
    sides = [{"l": "left", "r": "right", "c": "center"}[letter] for letter in align]

    def row(kind: str, cells: Sequence[str], more: str = "") -> Html:
        made = [
            element(
                kind,
                Html(joined(cell) or " "),
                style=f"text-align:{side};padding:.1em .7em;{_PLAIN}{more}{';white-space:nowrap' * (side == 'right')}",
            )
            for cell, side in zip(cells, sides, strict=True)
        ]
        return element("tr", *made, style="background:transparent")

    quiet = ";font-weight:400;opacity:.7;white-space:nowrap"
    parts = [element("thead", row("th", head, quiet))] if any(head) else []
    body = [
        row("td", cells, ";font-weight:600" * (i in strong) + ";border-top:1px solid currentColor" * (i in ruled))
        for i, cells in enumerate(rows)
    ]
    style = f"border-collapse:collapse;font:inherit;margin:.2em 0;{_PLAIN}"
    return element("table", *parts, element("tbody", *body), style=style)
