"""What glassnet notes in the files of others that it writes: activations, and what inputs and outputs stand for.

Two texts of JSON, wherever a format has a place for texts of its own. Whoever does not know them passes them over.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from glassnet.activations import ACTIVATIONS
from glassnet.files import zip_members
from glassnet.files.checkpoint import Checkpoint
from glassnet.schema import Schema

ACTIVATIONS_KEY = "glassnet.activations"
SCHEMA_KEY = "glassnet.schema"
PLACES = ("archive/extra/glassnet.json", "glassnet.json", "metadata.json")
"""In PyTorch's zip, numpy's, Keras'."""
_LONGEST = 1 << 20


def notes(activations: Sequence[str], schema: Schema) -> dict[str, str]:
    """The two texts."""
    return {ACTIVATIONS_KEY: json.dumps(list(activations)), SCHEMA_KEY: json.dumps(schema.as_dict())}


def notes_of(file: Checkpoint) -> Mapping[str, str]:
    """The texts that a file keeps for glassnet: in its metadata, or in the member of a zip file that `PLACES` names."""
    if not (file.path.is_file() and zipfile.is_zipfile(file.path)):
        return file.metadata
    with open(file.path, "rb") as opened:
        members = zip_members.read_members(opened, file.path)
        for name in PLACES:
            if name in members and members[name].method == 0 and members[name].size <= _LONGEST:
                texts = _json(
                    zip_members.read_member(opened, file.path, members[name], _LONGEST).decode("utf-8", "replace")
                )
                if isinstance(texts, dict):
                    return {str(key): text for key, text in texts.items() if isinstance(text, str)}
    return file.metadata


def activations_from(texts: Mapping[str, str]) -> list[str] | None:
    """The activations noted, if they are there and known."""
    names = _json(texts.get(ACTIVATIONS_KEY))
    if isinstance(names, list) and names and all(isinstance(name, str) and name in ACTIVATIONS for name in names):
        return names
    return None


def schema_from(texts: Mapping[str, str], layers: Sequence[Sequence[Any]]) -> Schema | None:
    """The schema noted, if it is there and fits these layers (weights first)."""
    values = _json(texts.get(SCHEMA_KEY))
    if not isinstance(values, dict):
        return None
    try:
        schema = Schema.from_dict(values)
        inputs = layers[0][0].shape[1]
        told = [prod(schema.input_shape)] if schema.input_shape else []
        told += [len(part) for part in (schema.features, schema.centers, schema.spreads) if part is not None]
        scale = 0.0 if schema.scale is None else float(schema.scale)
    except (TypeError, ValueError):
        return None
    return schema if all(count == inputs for count in told) and abs(scale) < float("inf") else None


def _json(text: str | None) -> Any:
    if text is None or len(text) > _LONGEST:
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
