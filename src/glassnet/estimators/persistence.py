"""The state of a pickled estimator: plain values and arrays, and the version that wrote them.

It names none of glassnet's classes but the estimator itself, so that pickles survive changes inside the package and
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
"""Incremented by changes of the state that an earlier version cannot read."""


def to_state(state: dict[str, Any]) -> dict[str, Any]:
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


def from_state(state: dict[str, Any]) -> dict[str, Any]:
    """The attributes that `to_state` wrote; raises `FileError` for a later format."""
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
