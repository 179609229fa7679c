"""What went wrong: one sentence, then `help:` with something to type or to change.

Every error that glassnet raises on purpose is a `GlassnetError`. Each kind is also the built-in exception that a Python
programmer would catch.

    GlassnetError
        InputError (ValueError)        numbers that cannot be computed with
        SettingError (ValueError)      a setting out of range, an unknown name
        AddressError (IndexError)      a layer, neuron or example that does not exist
        FileError (OSError)            a file that cannot be read or written
        MissingExtra (ImportError)     an optional package that is not installed
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any


class GlassnetError(Exception):
    """The base of all errors raised on purpose.

    Parameters
    ----------
    problem : str
        One sentence: what is wrong, and what was expected. No full stop.
    help : str or None
        What the reader can type or change.

    Examples
    --------
    >>> print(GlassnetError("no such file: 'x.csv'", help="paths are relative to the current folder"))
    no such file: 'x.csv'
    help: paths are relative to the current folder
    """

    def __init__(self, problem: str, *, help: str | None = None) -> None:
        self.problem, self.help = problem, help
        super().__init__(problem if help is None else f"{problem}\nhelp: {help}")

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
    """A layer, neuron or example that does not exist."""


class FileError(GlassnetError, OSError):
    """A file that cannot be read or written, or that is not what it should be."""


class MissingExtra(GlassnetError, ImportError):
    """An optional package is not installed; the message names its extra and the packages that this consists of."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"the package {package!r} of the extra {extra!r} is not installed",
            help=" ".join(["pip install", *(_packages_of(extra) or [package])]),
        )


def _packages_of(extra: str) -> list[str]:
    """What an extra installs, as this installation says. Naming "glassnet[extra]" to pip would ask an index for it."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        needed = requires("glassnet") or []
    except PackageNotFoundError:  # used from a folder, without an installation
        return []
    return [
        re.split(r"[\s<>=!~\[]", what)[0]
        for what, _, when in (each.partition(";") for each in needed)
        if when.split()[-1:] == [f'"{extra}"']
    ]


def sentence(error: Exception) -> str:
    """The message of an error without its help, to quote it in another message."""
    return error.problem if isinstance(error, GlassnetError) else str(error)


def unknown_name(
    kind: str, name: object, known: Iterable[str], aliases: Mapping[str, str] | None = None
) -> SettingError:
    """The error for a name that is not among `known`, with the nearest one suggested.

    `aliases` leads from other names of the known ones to these: what is near to an alias is near to its name.

    Examples
    --------
    >>> print(unknown_name("activation", "swsh", ["relu", "silu"], {"swish": "silu"}))
    unknown activation 'swsh': expected one of relu, silu
    help: did you mean 'silu'?
    """
    known = list(known)
    spellings = {**(aliases or {}), **{word.lower(): word for word in known}}  # ReLU is near to relu
    near = difflib.get_close_matches(str(name).lower(), spellings, n=1)
    return SettingError(
        f"unknown {kind} {name!r}: expected one of {', '.join(known)}",
        help=f"did you mean {spellings[near[0]]!r}?" if near else None,
    )
