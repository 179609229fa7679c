"""What went wrong, always in three parts: what was got, what was expected, what to do.

Every error that glassnet raises on purpose is a `GlassnetError`; the kinds below also belong to the built-in class
that a Python programmer would catch (`ValueError`, `OSError`, ...).
"""

import difflib
from collections.abc import Iterable
from typing import Any


class GlassnetError(Exception):
    """The base of all errors raised on purpose: `got`, `expected` and `do` make the one-line message."""

    def __init__(self, *, got: str, expected: str, do: str) -> None:
        self.got, self.expected, self.do = got, expected, do
        super().__init__(f"got {got}; expected {expected}; {do}")

    def __reduce__(self) -> tuple[Any, ...]:
        """How it comes back from a worker process: not by `__init__`, which takes other arguments than pickle gives."""
        return _again, (type(self), self.args), vars(self)


def _again(kind: type[GlassnetError], args: tuple[Any, ...]) -> GlassnetError:
    error = kind.__new__(kind)
    error.args = args
    return error


class InputError(GlassnetError, ValueError):
    """Numbers that cannot be computed with: wrong shape, wrong type, NaN, labels out of range, no rows."""


class SettingError(GlassnetError, ValueError):
    """A setting outside its range, or a name that is not known."""


class AddressError(GlassnetError, IndexError):
    """A layer, neuron or example that is not there."""


class FileError(GlassnetError, OSError):
    """A file that cannot be read or written, or that is not what it should be."""


class MissingExtra(GlassnetError, ImportError):
    """An optional package is not installed; the message names the extra that brings it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            got=f"no package {package!r}",
            expected=f"the extra {extra!r} to be installed for this",
            do=f"run: pip install 'glassnet[{extra}]'",
        )


def unknown_name(kind: str, name: object, known: Iterable[str]) -> SettingError:
    """The error for a name that is not among `known`, with the nearest one suggested."""
    known = list(known)
    in_small_letters = {word.lower(): word for word in known}  # ReLU is near to relu
    near = difflib.get_close_matches(str(name).lower(), in_small_letters, n=1)
    return SettingError(
        got=f"{kind} {name!r}",
        expected="one of " + ", ".join(known),
        do=f"did you mean {in_small_letters[near[0]]!r}?" if near else "pick a name from this list",
    )
