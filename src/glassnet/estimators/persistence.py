"""What an estimator is kept as: plain values and arrays, and the version that wrote them.

None of glassnet's own classes but the estimator itself is named in it, so that pickles outlive changes inside, and
skops has one name to trust.
"""

from typing import Any

import numpy as np

import glassnet
from glassnet.architecture import Architecture
from glassnet.errors import FileError
from glassnet.estimators.training_state import Progress
from glassnet.network import Network
from glassnet.schema import Schema

FORMAT = 1
"""Counts the changes in what is kept that an earlier version could not read."""


def kept(state: dict[str, Any]) -> dict[str, Any]:
    """An estimator's attributes as plain values."""
    state = dict(state, _glassnet={"format": FORMAT, "version": glassnet.__version__})
    state.pop("_shape", None)  # the network's
    network = state.pop("network_", None)
    if network is not None:
        state["_network"] = {
            "sizes": list(network.sizes),
            "activations": list(network.architecture.activations),
            "parameters": np.array(network.parameters),
            "schema": network.schema.as_dict(),
        }
        state["_progress"] = state["_progress"].as_dict()
    return state


def taken_up(state: dict[str, Any]) -> dict[str, Any]:
    """The attributes that `kept` wrote; raises `FileError` for what a later version wrote."""
    state = dict(state)
    made = state.pop("_glassnet", {"format": 0, "version": "unknown"})
    if made["format"] != FORMAT:
        raise FileError(
            f"the estimator was saved by glassnet {made['version']} in format {made['format']}; glassnet "
            f"{glassnet.__version__} reads format {FORMAT}",
            help=f"load it with glassnet {made['version']}, or fit it again",
        )
    if "_network" in state:
        parts = state.pop("_network")
        shape = Architecture(tuple(parts["sizes"]), tuple(parts["activations"]))
        state["network_"] = Network(shape, parts["parameters"], Schema.from_dict(parts["schema"]))
        state["_shape"] = shape
        state["_progress"] = Progress.from_dict(state["_progress"])
    return state
