"""glassnet's description of a network that is cut into shards: it stands in the metadata of their index."""

import json
import os
from pathlib import Path
from typing import Any

from glassnet.files import outputs
from glassnet.files.own_format import VERSION

INDEX = "model.safetensors.index.json"


def described(index: Path, description: dict[str, Any]) -> None:
    """Write the description into an index that is there, all or nothing."""
    value = json.loads(index.read_text())
    value.setdefault("metadata", {})["glassnet"] = json.dumps({"version": VERSION, **description})
    outputs.write(index, lambda path: Path(path).write_text(json.dumps(value, indent=1)))


def description_of(source: str | os.PathLike[str]) -> dict[str, Any] | None:
    """What a folder of shards, or its index, says of the network; None if it was not written by glassnet."""
    path = Path(source)
    index = path / INDEX if path.is_dir() else path
    if index.name != INDEX or not index.is_file():
        return None
    try:
        found = json.loads(json.loads(index.read_text())["metadata"]["glassnet"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, dict) and found.get("version", VERSION + 1) <= VERSION else None
