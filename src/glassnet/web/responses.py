"""Answers in JSON; a problem is `{"problem": ..., "help": ...}`."""

import json
from math import isfinite
from typing import Any

from starlette.responses import Response

from glassnet.errors import AddressError, FileError, GlassnetError


def as_json(value: Any, status: int = 200) -> Response:
    """Plain values, with nothing in them that a careless reader could take for HTML."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return Response(text, status, media_type="application/json")


def problem(status: int, text: str, help: str | None = None) -> Response:
    """What was refused, and what to do."""
    return as_json({"problem": text, "help": help}, status)


def of_error(error: GlassnetError) -> Response:
    """An error of ours: 404 for what is not there, 422 for a file that is not what it should be, 400 otherwise."""
    status = 404 if isinstance(error, AddressError) else 422 if isinstance(error, FileError) else 400
    return problem(status, error.problem, error.help)


def number(value: float) -> float | str:
    """A number as JSON can hold it: what is not finite as text."""
    if isfinite(value):
        return value
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
