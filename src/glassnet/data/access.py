"""Data files are recognised by content, and their headers are believed only within bounds.

A header may claim anything. What it claims is compared with what the file really holds before memory is taken for it:
plain data cannot be longer than the file, and no deflate stream (gzip, zip) grows to more than 1032 times its size.
"""

import os
import zlib
from collections.abc import Sequence
from typing import Literal, TypeAlias

from glassnet.errors import FileError
from glassnet.opening import open_file

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
            f"{what} claims {claimed:,} bytes and stores {stored:,}: deflate compresses at most {DEFLATE_AT_MOST} "
            "times",
            help="download or save the file again",
        )
    if claimed > LARGEST:
        raise FileError(
            f"{what} claims {claimed:,} bytes, expected at most {LARGEST:,}", help="split the data into smaller files"
        )


def short(text: object, length: int = 40) -> str:
    """Text quoted for a message, cut where it gets long."""
    text = str(text)
    return repr(text if len(text) <= length else text[: length - 3] + "...")


def listed(names: "Sequence[str]", most: int = 8, quoted: bool = True) -> str:
    """Names for a message: the first few, and how many more there are."""
    text = ", ".join(short(name) if quoted else name for name in names[:most])
    return f"{text} and {len(names) - most:,} more" if len(names) > most else text
