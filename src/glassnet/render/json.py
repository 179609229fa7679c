"""Documents and values as plain data for JSON: dicts, lists, strings, numbers, None."""

from dataclasses import fields, is_dataclass
from typing import Any

from glassnet.arithmetic import Product, Row


def plain(value: Any) -> Any:
    """A value of any kind as plain data: dataclasses and named tuples by their fields, arrays and tuples as lists."""
    if isinstance(value, Row):
        what = value.what._asdict() if isinstance(value.what, Product) else {"name": value.what}
        return {"kind": value.kind, "what": what.pop("name"), **what, "figure": value.figure}
    if hasattr(value, "_fields"):
        return {name: plain(getattr(value, name)) for name in value._fields}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    return value.tolist() if hasattr(value, "tolist") else value


def write(part: Any) -> Any:
    """A part of a document, and every part in it, each with its kind."""
    if isinstance(part, list | tuple) and not hasattr(part, "_fields"):
        return [write(each) for each in part]
    if not is_dataclass(part):
        return plain(part)
    return {"kind": type(part).__name__.lower()} | {f.name: write(getattr(part, f.name)) for f in fields(part)}
