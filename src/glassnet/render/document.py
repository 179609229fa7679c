"""A result ready to be written: `print` it, or ask for the text of another medium.

Each writer is imported when it writes: a result that nobody prints costs none of them.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from glassnet.errors import unknown_name
from glassnet.render.parts import Column, Section, Table


class Document(Section):
    """A result as plain data, and its writers. Notebooks show it as HTML."""

    def text(self, width: int = 80) -> str:
        """Plain text for a terminal of `width` columns."""
        from glassnet.render import text

        return text.write(self, width)

    def markdown(self) -> str:
        """Markdown, with tables as GitHub, Jupyter and pandoc read them."""
        from glassnet.render import markdown

        return markdown.write(self)

    def latex(self) -> str:
        """LaTeX that needs amsmath and nothing more."""
        from glassnet.render import latex

        return latex.write(self)

    def html(self) -> str:
        """A fragment of HTML with its styles inside, in the colours of the page around it."""
        from glassnet.render import html

        return html.write(self)

    def as_dict(self) -> dict[str, Any]:
        """The document as plain values for JSON, each part with its kind."""
        from glassnet.render import json

        made: dict[str, Any] = json.write(self)
        return made

    def write(self, format: str, width: int = 80) -> str:
        """The document as "text", "markdown", "latex" or "html"."""
        writers: dict[str, Callable[[], str]] = {
            "text": lambda: self.text(width),
            "markdown": self.markdown,
            "latex": self.latex,
            "html": self.html,
        }
        if format not in writers:
            raise unknown_name("format", format, writers)
        return writers[format]()

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"Document({self.title!r})"

    def _repr_html_(self) -> str:
        return self.html()


class Rendered:
    """What every result has in common: one `document`, which `str`, notebooks and hand-outs are written from."""

    __slots__ = ()

    def document(self, *args: Any, **options: Any) -> Document:
        """The result as words, tables and pictures."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.document().text()

    def _repr_html_(self) -> str:
        return self.document().html()


class Record(Rendered):
    """A result that is printed as its `repr`, in a line, and that notebooks show as a document: by default a table of
    its fields."""

    __slots__ = ()

    def document(self, *args: Any, **options: Any) -> Document:
        """Every field with its value; arrays by their shape, long ones cut."""
        return fields_of(self)

    def __str__(self) -> str:
        return repr(self)


MOST_LETTERS = 200


def fields_of(value: Any) -> Document:
    """The fields of a dataclass or a named tuple as a table, without those that are None."""
    if hasattr(value, "_fields"):
        named = {name: getattr(value, name) for name in value._fields}
    else:
        named = {field.name: getattr(value, field.name) for field in fields(value)}
    rows = [(name.replace("_", " "), _words(part)) for name, part in named.items() if part is not None]
    return Document(type(value).__name__, [Table([Column(), Column(most=None)], rows)])


def html_of_fields(value: Any) -> str:
    """The fields as HTML, for named tuples: they have no other base class."""
    return fields_of(value).html()


def _words(value: Any) -> str:
    if hasattr(value, "dtype") and hasattr(value, "shape") and value.shape:
        return f"{' x '.join(f'{n:,}' for n in value.shape)} {value.dtype}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    if isinstance(value, tuple | list) and not hasattr(value, "_fields"):
        words = ", ".join(_words(part) for part in value[:20]) or "none"
        more = f", ... ({len(value):,} in all)"
        return words + more * (len(value) > 20) if len(words) <= MOST_LETTERS else words[:MOST_LETTERS] + more
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}..."
