"""Two networks evaluated on the same inputs: their outputs, where they diverge inside, and the networks between them.

Everything is taken from the traces of both, a few thousand inputs at a time. Imports `matching` of `explain`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array, numeric, shape_text
from glassnet.data.dataset import Dataset
from glassnet.engines.blas import fitting_threads
from glassnet.errors import InputError
from glassnet.evaluation import ROWS_AT_ONCE, as_dataset, evaluate, meeting
from glassnet.explain.matching import Matching
from glassnet.names import PLAIN
from glassnet.network import Network
from glassnet.prediction import classify
from glassnet.schema import Schema
from glassnet.trace import Trace

CHEAP_SUMS = 4
"""With at least this many inputs per neuron of the first layer, mixing the first sums is cheaper."""


class Given(NamedTuple):
    """Data of a comparison: name, raw inputs, schema, and targets if there are any."""

    name: str
    inputs: Array
    schema: Schema | None
    targets: Array | None
    dataset: Dataset | None = None

    @property
    def labels(self) -> Array | None:
        """The targets (n,), if they are classes."""
        targets = self.targets
        return targets if targets is not None and targets.ndim == 1 and targets.dtype.kind == "i" else None


def given(data: Any) -> Given:
    """A `Dataset`, a pair (inputs, targets), or inputs alone as `Given`; raises `InputError` for anything else."""
    if isinstance(data, tuple) and len(data) == 2:
        data = as_dataset(data)
    if isinstance(data, Dataset):
        return Given(data.name, data.inputs, data.schema, data.targets, data)
    inputs = numeric(data, "inputs")
    if inputs.size == 0 or inputs.ndim == 0:
        raise InputError(
            f"inputs have shape {shape_text(inputs.shape)}: expected a Dataset, a pair (inputs, targets), or "
            "inputs (n, fan_in)"
        )
    return Given("the inputs", inputs, None, None)


def inputs_for(network: Network, data: Given) -> Array:
    """The inputs of this network's first layer: floats (n, fan_in), preprocessed by its own schema."""
    inputs = data.inputs
    if data.dataset is not None:
        _, dataset, _ = meeting(network, data.dataset)
        assert isinstance(dataset, Dataset)
        return dataset.scaled(network.dtype)
    shape, fan_in = network.schema.input_shape or (), network.sizes[0]
    if inputs.ndim > 1 and inputs.shape[-1] != fan_in and prod(inputs.shape[-len(shape) :]) == fan_in and shape:
        inputs = inputs.reshape(-1, fan_in)
    inputs = inputs[None] if inputs.ndim == 1 else inputs
    if inputs.ndim != 2 or inputs.shape[1] != fan_in:
        raise InputError(
            f"inputs have shape {shape_text(data.inputs.shape)}, expected (n, {fan_in}), as "
            f"{network.architecture} takes"
        )
    return network.preprocess(inputs)


def _reading(schema: Schema) -> tuple[Any, ...]:
    return schema.centers, schema.spreads


def same_preprocessing(a: Network, b: Network) -> bool:
    """Whether a raw row becomes the same inputs for both."""
    one, other = a.schema, b.schema
    known = (one.centers, one.spreads, other.centers, other.spreads)
    return all(part is None for part in known) or _reading(one) == _reading(other)


def predicts_classes(network: Network, data: Given) -> bool:
    """Whether the network predicts classes, as far as data and schema say."""
    if data.targets is not None:
        return data.labels is not None
    if network.schema.classes is not None or decides_on_logits(network):
        return True
    return network.sizes[-1] > 1 and network.schema.target is None


def decides_on_logits(network: Network) -> bool:
    """Whether classes are decided by the last pre-activations, as in `evaluate`."""
    return activation(network.architecture.activations[-1]).probabilities is not None


@dataclass(frozen=True, eq=False)
class PairedOutputs:
    """Outputs of two networks on n inputs.

    Parameters
    ----------
    count : int
        Number of inputs, n.
    output_difference : float or None
        Largest difference between two outputs; None if the numbers of outputs differ, or some output is not finite.
    largest_output : float
        Largest absolute output of either.
    answers : ndarray of shape (n, 2) or None
        Classes that a and b predict; None if they do not predict classes.
    apart : tuple of float
        For each layer the mean distance between a's and b's matched activations, relative to the root mean square of
        their lengths; empty without a matching.
    first_sums : tuple of ndarray of shape (n, fan_out) or None
        First pre-activations of a, and of b unchanged, if asked for.
    overflowed : dict
        For each network, "a" or "b", with numbers that are not finite the first layer that has some.
    """

    count: int
    output_difference: float | None
    largest_output: float
    answers: Array | None
    apart: tuple[float, ...]
    first_sums: tuple[Array, Array] | None
    overflowed: dict[str, int]


def paired_outputs(a: Network, b: Network, data: Given, matching: Matching | None, keep_sums: bool) -> PairedOutputs:
    """Run both networks on all inputs. Raises `InputError` if inputs or targets do not fit both."""
    left = inputs_for(a, data)
    right = left if (a.schema, a.dtype) == (b.schema, b.dtype) else inputs_for(b, data)
    if len(left) != len(right):
        raise InputError(
            f"inputs have shape {shape_text(data.inputs.shape)}: the networks read them as different numbers of rows",
            help="give inputs as (n, fan_in)",
        )
    if data.targets is not None:
        for network in (a, b):  # the loss raises for labels without an output
            network.loss_for(data.targets).targets(data.targets, network.sizes[-1], network.parameters.dtype)
    comparable = a.sizes[-1] == b.sizes[-1]
    classes = predicts_classes(a, data) and predicts_classes(b, data)
    difference = largest = 0.0
    answers, sums = [], []
    apart = np.zeros(len(a.layers) if matching else 0)
    overflowed: dict[str, int] = {}
    for start in range(0, len(left), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        traces = a.bare.trace(left[rows]), b.bare.trace(right[rows])
        for name, trace in zip("ab", traces, strict=True):
            found = _first_overflow(trace)
            if found is not None:
                overflowed[name] = min(found, overflowed.get(name, found))
        outputs = [trace.outputs for trace in traces]
        largest = max(largest, *(float(np.abs(part).max()) for part in outputs))
        if comparable and not overflowed:
            difference = max(difference, float(np.abs(outputs[0] - outputs[1]).max()))
        if classes:
            predicted = [
                classify(
                    trace.layers[-1].pre_activations if decides_on_logits(n) else trace.outputs, n, decides_on_logits(n)
                )
                for n, trace in zip((a, b), traces, strict=True)
            ]
            answers.append(np.stack(predicted, axis=1))
        if matching is not None:
            for i, (of_a, of_b) in enumerate(zip(traces[0].layers, traces[1].layers, strict=True)):
                apart[i] += _apart(of_a.activations, in_order(of_b.activations, matching, i)).sum()
        if keep_sums:
            sums.append([trace.layers[0].pre_activations for trace in traces])
    return PairedOutputs(
        count=len(left),
        output_difference=difference if comparable and not overflowed else None,
        largest_output=largest,
        answers=np.concatenate(answers) if classes else None,
        apart=tuple((apart / len(left)).tolist()),
        first_sums=(np.concatenate([s[0] for s in sums]), np.concatenate([s[1] for s in sums])) if sums else None,
        overflowed=overflowed,
    )


def _first_overflow(trace: Trace) -> int | None:
    """The first layer with a pre-activation or an activation that is not finite."""
    finite = (np.isfinite(at.pre_activations).all() and np.isfinite(at.activations).all() for at in trace.layers)
    return next((i for i, all_of_them in enumerate(finite) if not all_of_them), None)


def in_order(activations: Array, matching: Matching, layer: int) -> Array:
    """b's activations of one layer (n, fan_out), in a's order, signs and scale; outputs do not change."""
    if layer == len(matching.permutations):
        return activations
    factors = (matching.signs[layer] * matching.scales[layer]).astype(activations.dtype)
    return activations[:, matching.permutations[layer]] * factors


def _apart(a: Array, b: Array) -> Array:
    """Distance between each pair of rows, relative to the root mean square of their lengths; 0 for two zeros, infinite
    where some number is not finite."""
    finite: Any = np.isfinite(a).all(axis=1, keepdims=True) & np.isfinite(b).all(axis=1, keepdims=True)
    a, b = np.where(finite, a, 0).astype(np.float64), np.where(finite, b, 0).astype(np.float64)
    size = np.maximum(np.abs(a).max(axis=1, keepdims=True), np.abs(b).max(axis=1, keepdims=True))
    size = np.where(size > 0, size, 1)  # squares of very large or very small numbers would be lost
    a, b = a / size, b / size
    difference, lengths = ((a - b) ** 2).sum(axis=1), ((a**2).sum(axis=1) + (b**2).sum(axis=1)) / 2
    return np.where(finite[:, 0], np.sqrt(difference / np.where(lengths > 0, lengths, 1)), np.inf)


def r_squared(network: Network, data: Given) -> float:
    """Share of the variance of measured targets that a network explains."""
    assert data.targets is not None
    figure = evaluate(network.bare, (inputs_for(network, data), data.targets)).r_squared
    assert figure is not None
    return figure


def mixes_sums(network: Network) -> bool:
    """Whether networks on the line are cheaper from the sums of the first layer, which mix as parameters do."""
    return network.sizes[0] >= CHEAP_SUMS * network.sizes[1]


def between(
    a: Network, b: Network, share: float, data: Given, sums: tuple[Array, Array] | None, inputs: Array
) -> float:
    """Accuracy (R squared for measured targets) of the network with 1 - share of a's parameters and share of b's.

    If `sums`, the first pre-activations of a and b, are given, only the layers after them are computed; otherwise
    `inputs` are those of a's first layer.
    """
    mixed = a.with_parameters((1 - share) * a.parameters.astype(np.float64) + share * b.parameters)
    if data.labels is None:
        return r_squared(mixed, data)
    logits = decides_on_logits(mixed)
    if logits:
        mixed = mixed.with_activation(len(mixed.layers) - 1, PLAIN)
    if sums is not None:
        mixed, inputs = _after_first_sums(mixed), (1 - share) * sums[0] + share * sums[1]
    right, mixed = 0, mixed.bare
    with fitting_threads(mixed.architecture, ROWS_AT_ONCE):
        for start in range(0, len(inputs), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            right += int((classify(mixed(inputs[rows]), a, logits) == data.labels[rows]).sum())
    return right / len(inputs)


def _after_first_sums(network: Network) -> Network:
    """The network without the weights of its first layer: it takes that layer's pre-activations."""
    first, *others = [(layer.weights, layer.biases, layer.activation) for layer in network.layers]
    width = len(first[1])
    layers: Sequence[tuple[Any, Any, str]] = [(np.eye(width), np.zeros(width), first[2]), *others]
    return Network.from_layers(layers, dtype=network.dtype)
