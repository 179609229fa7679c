"""The tokens of a language model as texts, from its files alone: tokenizer.json, or the metadata of a GGUF file."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from glassnet.errors import FileError
from glassnet.opening import open_file, quoted

_BYTE = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_LARGEST = 1 << 28
"""Bytes of a tokenizer file that are read at most."""


class Vocabulary:
    """Number of a token -> its text.

    Parameters
    ----------
    pieces : mapping of int to str
        Tokens as the model's vocabulary writes them.
    bytewise : bool
        Whether each letter stands for a byte (byte-level BPE).
    """

    def __init__(self, pieces: Mapping[int, str], bytewise: bool) -> None:
        self.pieces, self.bytewise = pieces, bytewise

    def __getitem__(self, token: int) -> str:
        """The text of a token; its number where the vocabulary lacks it."""
        piece = self.pieces.get(token)
        return f"token {token}" if piece is None else text_of(piece, self.bytewise)


def text_of(piece: str, bytewise: bool) -> str:
    """What a piece of a vocabulary stands for.

    Examples
    --------
    >>> text_of("\u2581Paris", bytewise=False), text_of("\u0120Paris", bytewise=True), text_of("<0x0A>", bytewise=False)
    (' Paris', ' Paris', '\\n')
    """
    if bytewise:
        table = _letters()
        if all(letter in table for letter in piece):
            return bytes(table[letter] for letter in piece).decode("utf-8", "replace")
        return piece
    single = _BYTE.fullmatch(piece)
    if single is not None:
        return bytes([int(single[1], 16)]).decode("utf-8", "replace")
    return piece.replace("\u2581", " ")


@cache
def _letters() -> dict[str, int]:
    """The letter that stands for each byte in byte-level BPE: printable ones for themselves, others from 256 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in set(plain)]
    return {chr(byte): byte for byte in plain} | {chr(256 + i): byte for i, byte in enumerate(others)}


def of_gguf(values: Mapping[str, Any]) -> Vocabulary:
    """From the metadata of a GGUF file."""
    tokens = values.get("tokenizer.ggml.tokens")
    kind = values.get("tokenizer.ggml.model")
    pieces = tokens if isinstance(tokens, list) else []
    return Vocabulary(dict(enumerate(map(str, pieces))), kind == "gpt2")


def of_folder(folder: Path) -> Vocabulary:
    """From tokenizer.json of a folder; without one, tokens have their numbers only."""
    path = folder / "tokenizer.json"
    if not path.is_file():
        return Vocabulary({}, False)
    with open_file(path) as file:
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise FileError(f"{quoted(path)} has more than {_LARGEST:,} bytes: expected a vocabulary")
    text = data.decode("utf-8", "replace")
    del data
    pieces: dict[int, str] = {}
    vocabulary = _value(text, "vocab", path)  # the merges beside it are as large, and of no use here
    if isinstance(vocabulary, dict):
        pieces = {number: piece for piece, number in vocabulary.items() if isinstance(number, int)}
    elif isinstance(vocabulary, list):
        pieces = {i: str(pair[0]) for i, pair in enumerate(vocabulary) if isinstance(pair, list) and pair}
    for token in _value(text, "added_tokens", path) or ():
        if isinstance(token, dict) and isinstance(token.get("id"), int):
            pieces[token["id"]] = str(token.get("content"))
    return Vocabulary(pieces, '"ByteLevel"' in text)


def _value(text: str, key: str, path: Path) -> Any:
    """The value of a key, parsed without what is around it; quotes within texts are escaped, so it is found safely."""
    found = re.search(rf'"{key}"\s*:\s*', text)
    if found is None:
        return None
    try:
        return json.JSONDecoder().raw_decode(text, found.end())[0]
    except (ValueError, RecursionError):
        raise FileError(f"{quoted(path)} is damaged: expected a JSON value of {key!r}") from None
