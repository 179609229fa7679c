"""The door for files: opened with errors that help, told apart by content, believed only within bounds.

A header may claim anything. What it claims is compared with what the file really holds before memory is taken for it:
plain data cannot be longer than the file, and no deflate stream (gzip, zip) grows to more than 1032 times its size.
"""

import difflib
import os
import stat
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Literal, TypeAlias

from glassnet.errors import FileError, GlassnetError

Source: TypeAlias = "str | os.PathLike[str]"
Kind: TypeAlias = Literal["empty", "parquet", "arrow", "zip", "gzip", "idx", "picture", "binary", "text"]
KIND_WORDS: dict[Kind, str] = {
    "empty": "an empty file",
    "parquet": "a Parquet file",
    "arrow": "an Arrow file",
    "zip": "a zip file",
    "gzip": "a gzip file",
    "idx": "an IDX file",
    "picture": "a picture",
    "binary": "of no format known here",
    "text": "text",
}

DEFLATE_AT_MOST = 1032
LARGEST = 1 << 32
"""Bytes: no array and no picture folder larger than 4 GiB is taken into memory (MNIST has 0.05 GB)."""


def open_file(path: Source) -> BinaryIO:
    """The file opened for reading bytes; `FileError` if it is missing, a folder, a pipe, or may not be read."""
    place = Path(path)
    try:
        if not stat.S_ISREG(place.stat().st_mode):
            kind = "a folder" if place.is_dir() else "no regular file"
            raise FileError(got=f"{str(path)!r}, {kind}", expected="a file", do="name a file")
        return place.open("rb")
    except GlassnetError:
        raise
    except FileNotFoundError:
        raise missing_file(path) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        why = getattr(error, "strerror", None) or str(error)
        raise FileError(
            got=f"{str(path)!r} ({why})",
            expected="a file that can be read",
            do="check its name and your right to read it",
        ) from None


def missing_file(path: Source) -> FileError:
    """The error for a file that is not there, with the most similar name in its folder."""
    place = Path(path)
    try:
        near = difflib.get_close_matches(place.name, [entry.name for entry in os.scandir(place.parent)], n=1)
    except OSError:
        near = []
    return FileError(
        got=f"{str(path)!r}, which does not exist",
        expected="a file that is there",
        do=f"did you mean {str(place.with_name(near[0]))!r}?"
        if near
        else f"check the path, seen from {str(Path.cwd())!r}",
    )


def kind_of(path: Source) -> Kind:
    """What a file holds, by its first bytes (an IDX file may be gzipped); its name plays no part."""
    with open_file(path) as file:
        head = file.read(4096)
    if not head:
        return "empty"
    for magic, kind in _MAGICS.items():
        if head.startswith(magic):
            return kind
    if head.startswith(b"\x1f\x8b"):
        try:
            return "idx" if _starts_idx(zlib.decompressobj(31).decompress(head, 4)) else "gzip"
        except zlib.error:
            return "gzip"
    if _starts_idx(head):
        return "idx"
    return "binary" if b"\0" in head else "text"


def _starts_idx(head: bytes) -> bool:
    return head[:2] == b"\0\0" and head[2:3] in (b"\x08", b"\x09", b"\x0b", b"\x0c", b"\x0d", b"\x0e")


_MAGICS: dict[bytes, Kind] = {
    b"PAR1": "parquet",
    b"ARROW1": "arrow",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x89PNG\r\n\x1a\n": "picture",
    b"\xff\xd8\xff": "picture",
}


def check_claim(claimed: int, stored: int, what: str) -> None:
    """`FileError` if `stored` bytes of deflate cannot hold the `claimed` bytes, or if they are more than `LARGEST`."""
    if claimed > stored * DEFLATE_AT_MOST:
        raise FileError(
            got=f"{what}, which claims {claimed:,} bytes and stores {stored:,}",
            expected=f"at most {DEFLATE_AT_MOST} times as many as are stored: deflate holds no more",
            do="get the file again from where it came from",
        )
    if claimed > LARGEST:
        raise FileError(
            got=f"{what}, which claims {claimed:,} bytes",
            expected=f"at most {LARGEST:,}",
            do="split the data into smaller files",
        )


def short(text: object, length: int = 40) -> str:
    """Text quoted for a message, cut where it gets long."""
    text = str(text)
    return repr(text if len(text) <= length else text[: length - 3] + "...")


def listed(names: "Sequence[str]", most: int = 8, quoted: bool = True) -> str:
    """Names for a message: the first few, and how many more there are."""
    text = ", ".join(short(name) if quoted else name for name in names[:most])
    return f"{text} and {len(names) - most:,} more" if len(names) > most else text
