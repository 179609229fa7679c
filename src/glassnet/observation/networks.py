"""A glassnet network on one input, as an observation: the same views as of any other model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from glassnet.activations import activation
from glassnet.network import Network
from glassnet.observation.computed import Computed, observation_of
from glassnet.observation.observation import Observation, Output


def observe_network(network: Network, inputs: Any, layers: Sequence[str] | None, position: int | None) -> Observation:
    """The layers are named by their numbers; the network computes them itself, in its own type."""
    trace = network.trace(inputs)
    computed = []
    for i, layer in enumerate(trace.layers):
        given, z = np.atleast_2d(layer.inputs), np.atleast_2d(layer.pre_activations)
        after = [np.atleast_2d(layer.activations)]
        name, squish = str(i), layer.activation_name
        computed.append(Computed(name, given, z, layer.weights.T, layer.biases, after, activation=squish))
    names = [trace.output_name(k) for k in range(trace.outputs.shape[-1])]
    name = f"network {'-'.join(map(str, trace.sizes))}"
    seen = observation_of(name, computed, trace.outputs, None, (), layers, position)
    for each in seen.layers:
        if each.name == "0":
            each.input_names = trace.input_names(0)
    last = np.atleast_2d(trace.outputs)[-1]
    order = [int(k) for k in np.argsort(-last, kind="stable")]
    chances = activation(trace.layers[-1].activation_name).probabilities is not None
    seen.outputs = [Output(names[k], float(last[k]) if chances else None, float(last[k])) for k in order[:10]]
    seen.output_names = names
    return seen
