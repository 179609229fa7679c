"""html: the page as one file, with the network and a sample of data inside; it opens anywhere, with the network off.

The built page (`template`) has everything inline. What is put into it is one block of JSON, which the
page reads as data; so nothing in a network or a table can become a script.
"""

import base64
import gzip
import json
import re
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.arrays import Array, dense
from glassnet.data.dataset import Dataset
from glassnet.data.digits import digits, reads_digits
from glassnet.errors import FileError, InputError, SettingError
from glassnet.files.formats.html.template import template
from glassnet.files.writing import for_page
from glassnet.schema import Schema

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network

PLACE = re.compile(r'(?<=<script type="application/json" id="payload">)\s*null\s*(?=</script>)')
"""Where the data go in the template."""
MOST_ROWS = 1000
MOST_NUMBERS = 20_000_000
"""A file of more would be over 100 MB."""


def filling(network: "Network", path: Path, inputs: Dataset | None = None) -> "Filling":
    before, after = _template()
    text = json.dumps(payload(network, path.stem, inputs), allow_nan=False, separators=(",", ":"))

    def fill(name: str) -> None:
        with open(name, "w", encoding="utf-8", newline="\n") as file:
            file.writelines((before, text.replace("<", "\\u003c"), after))

    return fill


def payload(network: "Network", name: str, inputs: Dataset | None = None) -> dict[str, Any]:
    """What the page finds in the file: the network, and up to 1,000 examples; test digits where they fit."""
    if network.parameters.size > MOST_NUMBERS:
        raise SettingError(
            f"a network of {network.parameters.size:,} numbers is too large for a page: expected at most "
            f"{MOST_NUMBERS:,}",
            help="open it with: glassnet open FILE",
        )
    fan_in = network.sizes[0]
    if inputs is not None and prod(inputs.input_shape) != fan_in:
        raise InputError(
            f"the data has {prod(inputs.input_shape):,} inputs, and the network {fan_in:,}",
            help="give the data that it was trained on",
        )
    if inputs is None and reads_digits(network.sizes, network.schema):
        inputs = digits()[1][:MOST_ROWS]
    sample = None if inputs is None else _sampled(inputs)
    drawn = sample is not None and sample.inputs.dtype == np.uint8 and fan_in == 784
    return {
        "version": 1,
        "networks": [{"name": name, "safetensors": _base64(for_page(network))}],
        "digits": _digits(sample) if sample is not None and drawn else None,
        "table": _table(sample) if sample is not None and not drawn else None,
        "state": None,
    }


def _template() -> tuple[str, str]:
    """The page, before and after the place for the data."""
    parts = PLACE.split(template())
    if len(parts) != 2:
        raise FileError("the built page has no place for data, or two", help="run: npm run build in frontend/")
    return parts[0], parts[1]


def _sampled(data: Dataset) -> Dataset:
    """At most `MOST_ROWS` rows, evenly from all over the table, which may be sorted."""
    return data[np.linspace(0, len(data) - 1, min(len(data), MOST_ROWS)).astype(np.int64)]


def _digits(sample: Dataset) -> dict[str, Any]:
    """Pictures, then labels, a byte each."""
    stored = sample.inputs.tobytes() + sample.targets.astype(np.uint8).tobytes()
    return {"rows": len(sample), "gzip": _base64(gzip.compress(stored, mtime=0))}


def _table(sample: Dataset) -> dict[str, Any]:
    """Rows with the values that the table has, to the seven digits that float32 keeps of them."""
    schema = sample.schema
    values = [[float(f"{value:.7g}") for value in row] for row in _as_in_the_table(sample, schema)]
    return {
        "features": list(schema.features or (f"x{i}" for i in range(len(values[0])))),
        "inputs": values,
        "targets": sample.targets.tolist(),
        "classes": None if schema.classes is None else list(schema.classes),
        "target": schema.target,
    }


def _as_in_the_table(sample: Dataset, schema: "Schema") -> Array:
    """The rows in the units of the table; a missing value has become its column's mean."""
    rows: Array = dense(sample.inputs).astype(np.float64)
    if not sample.preprocessed:
        return rows
    if schema.spreads is not None:
        rows = rows * np.asarray(schema.spreads)
    return rows if schema.centers is None else rows + np.asarray(schema.centers)


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
