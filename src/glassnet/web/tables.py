"""A table dropped on the page, read by the reader of `glassnet train`: its columns, or all examples in it.

Nothing is kept: the page sends the file again when another column becomes the target.
"""

import json
from pathlib import Path

import numpy as np

from glassnet.data.tables import column_names, table
from glassnet.web.opened_file import called


def columns(path: Path, name: str) -> list[str]:
    """The names of the columns; `name` is what the file is called in errors."""
    with called(path, name):
        return column_names(path)


def examples(path: Path, name: str, target: str) -> bytes:
    """All rows as safetensors: `inputs` (n, fan_in) float32 as the network reads them, `targets` (n,) int32 labels or
    float32 measurements, and in the metadata the `schema` and the `notes` as JSON."""
    from safetensors.numpy import save

    with called(path, name):
        data = table(path, target)
    values, factor = data.schema.preprocess(data.inputs)
    arrays = {
        "inputs": np.ascontiguousarray(values * np.float32(factor), np.float32),
        "targets": np.ascontiguousarray(data.targets, np.int32 if data.classes else np.float32),
    }
    return save(arrays, {"schema": json.dumps(data.schema.as_dict()), "notes": json.dumps(data.notes)})
