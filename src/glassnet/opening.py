"""Opening files: a regular file or one clear error, for data, models and lessons alike."""

import difflib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from glassnet.errors import FileError


@contextmanager
def descriptor(path: str | os.PathLike[str]) -> Iterator[tuple[int, os.stat_result]]:
    """Open a regular file for reading and close it at the end of the block.

    Parameters
    ----------
    path : path-like
        The file. Pipes and devices are refused without waiting for them.

    Yields
    ------
    int, os.stat_result
        The descriptor, and the status of the very file that it reads.

    Raises
    ------
    FileError
        If the file is missing, a folder, a pipe or a device, or may not be read.
    """
    number = _opened(path)
    try:
        yield number, os.fstat(number)
    finally:
        os.close(number)


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading bytes; raises what `descriptor` raises."""
    number = _opened(path)
    return open(path, "rb", opener=lambda *_: number)  # so that the file knows its name


def _opened(path: str | os.PathLike[str]) -> int:
    try:
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        raise no_such_file(path) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        if os.path.isdir(os.fspath(path).replace("\0", "")):  # Windows opens no folder
            raise _a_folder(path) from None
        why = getattr(error, "strerror", None) or str(error)
        raise FileError(f"cannot read {quoted(path)}: {why}", help="check its name and its permissions") from None
    mode = os.fstat(number).st_mode
    if stat.S_ISREG(mode):
        return number
    os.close(number)
    if stat.S_ISDIR(mode):
        raise _a_folder(path)
    raise FileError(
        f"{quoted(path)} is a pipe or a device: expected a regular file", help="save its content to a file first"
    )


def _a_folder(path: str | os.PathLike[str]) -> FileError:
    return FileError(f"{quoted(path)} is a folder: expected a file", help="name a file in it")


def no_such_file(path: str | os.PathLike[str], hint: str = "") -> FileError:
    """The error for a missing file; its help suggests a similar name from the same folder.

    Examples
    --------
    >>> print(no_such_file("nowhere/x.csv"))
    no such file: 'nowhere/x.csv'
    help: paths are relative to the current folder
    """
    place = Path(path)
    try:
        beside = {Path(entry.name).stem: entry.name for entry in os.scandir(place.parent)}
    except (OSError, ValueError):
        beside = {}
    near = difflib.get_close_matches(place.stem, beside, 1)  # long suffixes alike would make any two names similar
    hints = [hint] if hint else []
    hints += [f"did you mean {quoted(place.with_name(beside[stem]))}?" for stem in near]
    return FileError(
        f"no such file: {quoted(path)}", help="; ".join(["paths are relative to the current folder", *hints])
    )


def printable(text: object, length: int = 200) -> str:
    """Text of a file as it may be shown: nothing in it that steers a terminal, the middle left out where it is long."""
    text = str(text)
    if len(text) > length:
        text = f"{text[: length // 2]}...{text[-(length // 2 - 3) :]}"
    return text if text.isprintable() else escaped(text)


def escaped(text: str, keep: str = "") -> str:
    """Text with each character that is not printable, but those to keep, written as in Python: `\\x1b`."""
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape", "replace").decode() for c in text)


def quoted(text: object, length: int = 200) -> str:
    """The same in quotation marks, for messages."""
    return f"'{printable(text, length)}'"


def quoted_word(text: str, length: int = 30) -> str:
    """A piece of a text, such as a token, in marks that do not occur in it.

    Examples
    --------
    >>> print(quoted_word(" the"), quoted_word("\\n"), quoted_word("it's"))
    ' the' '\\n' "it's"
    """
    mark = '"' if "'" in text else "'"
    return f"{mark}{printable(text, length)}{mark}"
