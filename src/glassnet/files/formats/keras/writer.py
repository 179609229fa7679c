"""Keras 3: a .keras file of a Sequential, written without Keras: its configuration as JSON, its weights as HDF5."""

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.activations import ACTIVATIONS, activation
from glassnet.errors import MissingExtra
from glassnet.files.metadata import PLACES
from glassnet.files.writing import folded, not_there, noted

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network

_VERSION = "3.0.0"


def filling(network: "Network", path: Path) -> "Filling":
    known = [name for name, of in ACTIVATIONS.items() if of.keras]
    for i, name in enumerate(network.architecture.activations):
        if activation(name).keras is None:
            raise not_there("Keras", name, i, known)
    weights = _weights(folded(network))
    metadata = {"keras_version": _VERSION, "date_saved": "", **noted(network)}

    def fill(name: str) -> None:
        with zipfile.ZipFile(name, "w", zipfile.ZIP_STORED) as archive:
            for member, content in (
                (PLACES[2], json.dumps(metadata).encode()),
                ("config.json", json.dumps(_config(network, path.stem)).encode()),
                ("model.weights.h5", weights),
            ):
                archive.writestr(zipfile.ZipInfo(member), content)

    return fill


def _weights(network: "Network") -> bytes:
    """HDF5 with a group for each layer, by the names that Keras gives it: `layers/dense_1/vars/0`."""
    try:
        import h5py
    except ImportError:
        raise MissingExtra("h5py", "keras") from None
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for i, layer in enumerate(network.layers):
            variables = file.create_group(f"layers/dense{f'_{i}' if i else ''}/vars")
            variables["0"] = np.ascontiguousarray(layer.weights.T)
            variables["1"] = layer.biases
    return content.getvalue()


def _config(network: "Network", name: str) -> dict[str, Any]:
    layers = [_layer("InputLayer", {"batch_shape": [None, network.sizes[0]], "dtype": network.dtype, "name": "inputs"})]
    for i, layer in enumerate(network.layers):
        dense = {"name": f"layer_{i}", "trainable": True, "dtype": network.dtype, "units": len(layer.biases)}
        theirs, settings = activation(layer.activation).keras or ("", {})  # with settings it is a layer of its own
        dense |= {"activation": "linear" if settings else theirs, "use_bias": True}
        layers.append(_layer("Dense", dense) | {"build_config": {"input_shape": [None, layer.weights.shape[1]]}})
        if settings:
            common = {"name": f"activation_{i}", "trainable": True, "dtype": network.dtype}
            layers.append(_layer(theirs, common | settings))
    plain = "".join(c if c.isascii() and c.isalnum() else "_" for c in name)
    whole = {"name": plain or "network", "trainable": True, "dtype": network.dtype, "layers": layers}
    return {"module": "keras", "class_name": "Sequential", "config": whole, "registered_name": None}


def _layer(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": "keras.layers", "class_name": kind, "config": config, "registered_name": None}
