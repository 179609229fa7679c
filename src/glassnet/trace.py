"""Traces: every number that a network computes from inputs to outputs. All explanations start from one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from glassnet.arrays import Array, dense, is_sparse
from glassnet.errors import AddressError, SettingError
from glassnet.neuron import NeuronTrace
from glassnet.render import html
from glassnet.schema import Schema


@dataclass(frozen=True, eq=False)
class TraceLayer:
    """One layer of a trace.

    For n examples, inputs and results have an axis of n in front. `activations = activation(pre_activations)`,
    `pre_activations = weighted_sums + biases`, `weighted_sums = weights @ inputs`.

    Parameters
    ----------
    inputs : ndarray of shape (fan_in,) or (n, fan_in)
    weights : ndarray of shape (fan_out, fan_in)
    weighted_sums : ndarray of shape (fan_out,) or (n, fan_out)
    biases : ndarray of shape (fan_out,)
    pre_activations : ndarray of shape (fan_out,) or (n, fan_out)
    activation_name : str
    activations : ndarray of shape (fan_out,) or (n, fan_out)
    """

    inputs: Array
    weights: Array
    weighted_sums: Array
    biases: Array
    pre_activations: Array
    activation_name: str
    activations: Array

    def strongest(
        self, most: int, neurons: Sequence[int] | None = None, inputs: Sequence[int] | None = None
    ) -> list[tuple[int, int, float]]:
        """The largest products weight x input of one example, without zeros.

        Parameters
        ----------
        most : int
            Number of products.
        neurons, inputs : sequence of int, optional
            Only those of these neurons and inputs.

        Returns
        -------
        list of (neuron, input, product)
            Largest first.
        """
        rows = np.arange(len(self.biases)) if neurons is None else np.asarray(neurons)
        columns = np.arange(len(self.inputs)) if inputs is None else np.asarray(inputs)
        products = self.weights[np.ix_(rows, columns)] * self.inputs[columns]
        order = np.argsort(-np.abs(products), axis=None, kind="stable")[:most]
        at = zip(*np.unravel_index(order, products.shape), strict=True)
        return [(int(rows[k]), int(columns[i]), float(products[k, i])) for k, i in at if products[k, i] != 0]

    def example(self, row: int) -> "TraceLayer":
        """The layer on one of the examples."""
        return replace(
            self,
            inputs=self.inputs[row],
            weighted_sums=self.weighted_sums[row],
            pre_activations=self.pre_activations[row],
            activations=self.activations[row],
        )


@dataclass(frozen=True, eq=False)
class Trace:
    """A network on one input, or on n of them (then `trace[i]` is the trace of one); `Network.trace` makes one.

    Parameters
    ----------
    layers : tuple of TraceLayer
    schema : Schema
    given : ndarray of shape (fan_in,) or (n, fan_in), optional
        Raw inputs in the user's units; None if only the preprocessed ones are known.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.from_layers([([[1.0, 2.0]], [0.5], "relu")])
    >>> trace = network.trace([[3, 4], [0, -1]])
    >>> len(trace), trace.outputs.tolist(), trace[1].layers[0].pre_activations.tolist()
    (2, [[11.5], [0.0]], [-1.5])
    """

    layers: tuple[TraceLayer, ...]
    schema: Schema = field(default_factory=Schema, repr=False)
    given: Array | None = field(default=None, repr=False)

    @property
    def outputs(self) -> Array:
        """Activations of the last layer."""
        return self.layers[-1].activations

    def __len__(self) -> int:
        """Number of examples."""
        return 1 if self.outputs.ndim == 1 else len(self.outputs)

    def __getitem__(self, row: int) -> "Trace":
        """The trace of one example; raises `AddressError` if it does not exist."""
        if self.outputs.ndim == 1 or not -len(self) <= row < len(self):
            count = len(self)
            raise AddressError(
                f"no example {row}: expected one from 0 to {count - 1}"
                if self.outputs.ndim == 2
                else f"no example {row}: this trace is of one example",
                help=None if self.outputs.ndim == 2 else "use the trace without an index",
            )
        given = None if self.given is None else self.given[row]
        if given is not None and is_sparse(given):
            given = dense(given).reshape(-1)
        return replace(self, layers=tuple(layer.example(row) for layer in self.layers), given=given)

    def neuron(self, layer: int, index: int) -> NeuronTrace:
        """The arithmetic of one neuron; print it to read it.

        Parameters
        ----------
        layer, index : int
            Address of the neuron, from 0.

        Returns
        -------
        NeuronTrace

        Raises
        ------
        AddressError
            If the neuron does not exist.
        SettingError
            If the trace has several examples.

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.from_layers([([[1.0, 2.0]], [0.5], "relu")])
        >>> network.trace([3, 4]).neuron(0, 0).products.tolist()
        [3.0, 8.0]
        """
        if self.outputs.ndim == 2:
            raise SettingError(
                f"a neuron is shown on one example; this trace has {len(self)}",
                help="pick an example first: trace[0].neuron(layer, index)",
            )
        check_address(layer, index, [len(t.activations) for t in self.layers])
        at = self.layers[layer]
        return NeuronTrace(
            inputs=at.inputs,
            weights=at.weights[index],
            weighted_sum=float(at.weighted_sums[index]),
            bias=float(at.biases[index]),
            pre_activation=float(at.pre_activations[index]),
            activation_name=at.activation_name,
            activation=float(at.activations[index]),
            name=f"neuron {layer}:{index}, {at.activation_name}, {len(at.inputs):,} inputs",
            input_names=self.input_names(layer),
            conversions=self.conversions() if layer == 0 else None,
        )

    def conversions(self) -> "Sequence[str] | None":
        """For each input of one example the step from the raw value to the network's own, written out:
        "5.1 -> (5.1 - 5.843) / 0.828 = -0.8973"; "" where nothing happens. None where raw values are not known."""
        if self.given is None or not self.schema.preprocesses or self.outputs.ndim == 2:
            return None
        if not self.schema.standardises and self.given.dtype.kind not in "iu":
            return None
        values = self.layers[0].inputs
        steps = [self.schema.written(i, float(raw), float(values[i])) for i, raw in enumerate(self.given)]
        return [step and f"{raw:.6g} -> {step}" for raw, step in zip(self.given.tolist(), steps, strict=True)]

    def input_names(self, layer: int) -> Sequence[str]:
        """Name of each input of a layer."""
        return input_names(self.schema, layer, self.layers[layer].inputs.shape[-1])

    def _repr_html_(self) -> str:
        sizes = "-".join(str(n) for n in (self.layers[0].inputs.shape[-1], *(len(t.biases) for t in self.layers)))
        if self.outputs.ndim == 2:
            rows = [
                [f"trace[{i}]", *(f"{v:.3g}" for v in row[:12])] for i, row in enumerate(self.outputs[:10].tolist())
            ]
            names = self._output_names()[:12]
            table = html.table(["", *names], rows, "l" + "r" * len(names))
            more = html.note(f"the outputs of the first {len(rows)}; pick one to see it whole: trace[0]")
            return html.block(f"Trace of {len(self):,} examples, {sizes}", table, more)
        parts: list[str] = []
        shape = self.schema.input_shape
        if shape is not None and len(shape) == 2:
            picture = html.ink(self.layers[0].inputs.reshape(shape).tolist(), 168, "the input")
            parts.append(html.figure(f"input, {shape[0]} x {shape[1]}", picture))
        parts.append(self._columns())
        words = "lines: the 40 largest weight x input of each layer, blue for, orange and dashed against"
        return html.block(f"Trace, {sizes}", html.side_by_side(*parts), html.note(words))

    def _columns(self) -> str:
        """Up to 20 neurons of each layer as discs, outputs as bars, the largest products as lines between them."""
        shown = [largest(layer.activations, 20) for layer in self.layers]
        columns, links = [], []
        for i, (layer, neurons) in enumerate(zip(self.layers, shown, strict=True)):
            last = i == len(self.layers) - 1
            names = self._output_names() if last else [f"{i}:{k}" for k in range(len(layer.biases))]
            some = f"{len(neurons)} of " if len(neurons) < len(layer.biases) else ""
            title = f"layer {i}: {some}{len(layer.biases):,} {layer.activation_name}"
            values = layer.activations[neurons].tolist()
            columns.append(html.Column(title, [names[k] for k in neurons], values))
            if i > 0:
                products = layer.strongest(40, neurons, shown[i - 1])
                links.append([html.Link(shown[i - 1].index(j), neurons.index(k), p) for k, j, p in products])
        return html.columns(columns[:-1], links, columns[-1], "the activations of every layer")

    def _output_names(self) -> list[str]:
        """Classes, or addresses of the neurons of the last layer."""
        count, classes = self.outputs.shape[-1], self.schema.classes
        if classes is not None and len(classes) == count:
            return list(classes)
        return [f"{len(self.layers) - 1}:{k}" for k in range(count)]


def largest(values: Array, most: int) -> list[int]:
    """Indices of the largest absolute values, ascending."""
    return sorted(np.argsort(-np.abs(values), kind="stable")[:most].tolist())


def input_names(schema: Schema, layer: int, width: int) -> Sequence[str]:
    """Name of each input of a layer: a column, a pixel by row and column, or the neuron it comes from."""
    if layer > 0:
        return [f"neuron {layer - 1}:{i}" for i in range(width)]
    if schema.features is not None:
        return schema.features
    if schema.input_shape is not None and len(schema.input_shape) == 2:
        columns = schema.input_shape[1]
        return [f"pixel {i // columns},{i % columns}" for i in range(width)]
    return [f"input {i}" for i in range(width)]


def check_address(layer: int, index: int, widths: Sequence[int]) -> None:
    """Raise `AddressError` unless layer `layer` has a neuron `index`."""
    if not 0 <= layer < len(widths):
        raise AddressError(
            f"no layer {layer}: expected a layer from 0 to {len(widths) - 1}",
            help="layers count from 0; the inputs are not a layer",
        )
    if not 0 <= index < widths[layer]:
        raise AddressError(
            f"no neuron {layer}:{index}: expected a neuron from {layer}:0 to {layer}:{widths[layer] - 1}"
        )
