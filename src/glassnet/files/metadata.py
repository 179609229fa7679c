"""What glassnet notes in the files of others that it writes: activations, and what inputs and outputs stand for.

Two texts of JSON, wherever a format has a place for texts of its own. Whoever does not know them passes them over.
"""

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from glassnet.activations import ACTIVATIONS
from glassnet.arrays import Array
from glassnet.files import zip_members
from glassnet.files.checkpoint import Checkpoint
from glassnet.schema import Schema

ACTIVATIONS_KEY = "glassnet.activations"
SCHEMA_KEY = "glassnet.schema"
PLACES = ("archive/extra/glassnet.json", "glassnet.json", "metadata.json")
"""In PyTorch's zip, numpy's, Keras'."""
SCALE_KEY = "glassnet.folded_scale"
_LONGEST = 1 << 20


def notes(activations: Sequence[str], schema: Schema) -> dict[str, str]:
    """The texts for a file whose first layer does what `schema` does to raw inputs: the schema without it, and the
    scale, so that `described` can take it out of the first layer again."""
    texts = {ACTIVATIONS_KEY: json.dumps(list(activations)), SCHEMA_KEY: json.dumps(schema.folded().as_dict())}
    if schema.preprocesses and not schema.standardises:
        texts[SCALE_KEY] = json.dumps(schema.scale)
    return texts


def described(
    layers: list[tuple[Array, Array, str | None]], texts: Mapping[str, str], otherwise: Schema
) -> tuple[list[tuple[Array, Array, str | None]], Schema]:
    """The layers and the schema of a file with these notes. A scale that was folded into the weights is taken out, so
    that fractions and stored pixels are told apart as before; standardised columns stay folded: the network reads raw
    rows."""
    schema = schema_from(texts, layers)
    if schema is None:
        return layers, otherwise
    scale = _json(texts.get(SCALE_KEY))
    if isinstance(scale, int | float) and 0 < scale < float("inf") and schema.scale == 1:
        weights, biases, name = layers[0]
        unfolded = (weights.astype(np.float64) / scale).astype(weights.dtype)
        if np.isfinite(unfolded).all():
            return [(unfolded, biases, name), *layers[1:]], replace(schema, scale=float(scale))
    return layers, schema


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
    if isinstance(names, list) and names and all(isinstance(name, str) and ACTIVATIONS.has(name) for name in names):
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
