"""Answers in JSON, and every problem as one: what was got, what was expected, what to do."""

import json
from math import isfinite
from typing import Any

from starlette.responses import Response

from glassnet.errors import AddressError, FileError, GlassnetError


def as_json(value: Any, status: int = 200) -> Response:
    """Plain values, with nothing in them that a careless reader could take for HTML."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return Response(text, status, media_type="application/json")


def problem(status: int, got: str, expected: str, do: str) -> Response:
    """What was refused, and why."""
    return as_json({"got": got, "expected": expected, "do": do}, status)


def of_error(error: GlassnetError) -> Response:
    """An error of ours: 404 for what is not there, 422 for a file that is not what it should be, 400 otherwise."""
    status = 404 if isinstance(error, AddressError) else 422 if isinstance(error, FileError) else 400
    return problem(status, error.got, error.expected, error.do)


def number(value: float) -> float | str:
    """A number as JSON can hold it: what is not finite as text."""
    if isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
