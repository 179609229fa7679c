"""Pieces of HTML that values show themselves with in a notebook: tables, bars, pictures, curves, columns of discs.

Knows text and plain numbers only, so that every floor can use it. What it makes is self-contained (inline styles,
inline SVG and PNG; no script, nothing that is asked for from outside), well-formed XML as well as HTML, escaped
throughout, and takes the colours of the page around it: letters and activations are in its ink, light or dark. Blue
is positive and orange negative; sign is also told by the side a bar is on, by stripes in pictures, by dashes of lines.
"""

from glassnet.render.html.elements import Html, block, element, figure, joined, note, side_by_side, significant, table
from glassnet.render.html.network import Column, Link, columns
from glassnet.render.html.pictures import NEGATIVE, POSITIVE, bar, curves, ink, signed

__all__ = [
    "NEGATIVE",
    "POSITIVE",
    "Column",
    "Html",
    "Link",
    "bar",
    "block",
    "columns",
    "curves",
    "element",
    "figure",
    "ink",
    "joined",
    "note",
    "side_by_side",
    "signed",
    "significant",
    "table",
]
