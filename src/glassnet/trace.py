"""Traces: every number that a network computes from inputs to outputs. All explanations start from one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from glassnet.activations import activation
from glassnet.arrays import Array, dense, is_sparse, numeric, readonly, shape_text
from glassnet.backward import BackwardTrace
from glassnet.errors import AddressError, InputError, SettingError, unknown_name
from glassnet.losses import LossLike
from glassnet.neuron import NeuronTrace
from glassnet.render.document import Document, Record, Rendered
from glassnet.render.parts import Column, Layer, Link, NetworkPicture, Node, Picture, Table, Text
from glassnet.schema import Schema

if TYPE_CHECKING:
    from glassnet.network import Network


@dataclass(frozen=True, eq=False)
class TraceLayer(Record):
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

    def __repr__(self) -> str:
        neurons, inputs = self.weights.shape
        return f"TraceLayer({neurons:,} neurons of {inputs:,} inputs, {self.activation_name})"

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
        with np.errstate(over="ignore", invalid="ignore"):  # shown as what they are: infinite, or no number
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
class Trace(Rendered):
    """A network on one input, or on n of them (then `trace[i]` is the trace of one); `Network.trace` makes one.

    Parameters
    ----------
    layers : tuple of TraceLayer
    schema : Schema
    given : ndarray of shape (fan_in,) or (n, fan_in), optional
        Raw inputs in the user's units; None if only the preprocessed ones are known.
    network : Network, optional
        What was traced; the way back asks it for the gradient.

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
    network: "Network | None" = field(default=None, repr=False)

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
        self._need_one("a neuron is shown on one example", "neuron(layer, index)")
        check_address(layer, index, [len(t.activations) for t in self.layers])
        at = self.layers[layer]
        shared = activation(at.activation_name).by_row
        last = layer == len(self.layers) - 1
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
            layer_scores=at.pre_activations.tolist() if shared else None,
            layer_names=[self.output_name(k) for k in range(len(at.biases))] if shared and last else None,
        )

    def backward(self, target: "npt.ArrayLike | str | None" = None, loss: LossLike | None = None) -> BackwardTrace:
        """The way back: the gradient of the loss on this example, to be worked by hand neuron by neuron.

        Parameters
        ----------
        target : int, str, float or array_like of shape (fan_out,)
            A label, the name of a class, or the wanted outputs.
        loss : str or Loss, optional
            As for `Network.gradient`.

        Returns
        -------
        BackwardTrace

        Raises
        ------
        InputError
            If there is no target, it does not fit, or a gradient is not finite.
        SettingError
            If the trace has several examples, or there is no such class.

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.from_layers([([[1.0], [2.0]], [0, 0], "softmax")])
        >>> print(network.trace([1.0]).backward(1).neuron(0, 0))
        gradient at neuron 0:0, softmax, 1 inputs: cross_entropy 0.313262
        <BLANKLINE>
        the loss by z: p - y
          p = softmax of z   0.2689
          - y                0.0000
                             ------
          delta              0.2689
        <BLANKLINE>
        gradient: delta x input
          weight of input 0  0.268941 x 1   0.2689
          bias               0.268941 x 1   0.2689
        """
        self._need_one("the way back is that of one example", "backward(target)")
        if self.network is None:
            raise SettingError("this trace has no network", help="make it with network.trace(inputs)")
        row = self._target(target)
        found, network = self.network.loss_for(row, loss), self.network.bare
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            value, gradient = network.loss_and_gradient(self.layers[0].inputs, row[0], found)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            raise InputError(
                f"the loss is {value:g} and {int((~np.isfinite(gradient)).sum()):,} gradients are not finite",
                help="the network's numbers are too large: look at its trace",
            )
        read = found.targets(row, len(self.outputs), self.outputs.dtype)
        return BackwardTrace(self, read, found, value, readonly(gradient))

    def _need_one(self, why: str, call: str) -> None:
        if self.outputs.ndim == 2:
            raise SettingError(f"{why}; this trace has {len(self)}", help=f"pick an example first: trace[0].{call}")

    def _target(self, target: "npt.ArrayLike | str | None") -> Array:
        """The target of one example, with an axis of 1 in front."""
        count, classes = len(self.outputs), self.schema.classes
        if target is None:
            raise InputError(
                "the way back starts from a target, and there is none",
                help="trace.backward(target), with a label or the wanted outputs",
            )
        if isinstance(target, str):
            if classes is None:
                raise SettingError(f"no class {target!r}: the network has no names of classes", help="give a number")
            if target not in classes:
                raise unknown_name("class", target, classes)
            target = classes.index(target)
        array = numeric(target, "target")
        if array.ndim > 1 or (array.ndim == 1 and len(array) != count):
            raise InputError(
                f"the target has shape {shape_text(array.shape)}, expected the wanted outputs ({count},)"
                + (f" or a label from 0 to {count - 1}" if count > 1 else "")
            )
        return array[None]

    def conversions(self) -> "Sequence[str] | None":
        """For each input of one example the step from the raw value to that of the first layer, written out.

        Such as "(5.1 - 5.843) / 0.828 = -0.8973"; "" for an input without preprocessing. None if raw values are not
        known.
        """
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

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs first: (784, 16, 16, 10)."""
        return (self.layers[0].inputs.shape[-1], *(len(layer.biases) for layer in self.layers))

    def document(self) -> Document:
        """One example as a picture of the network at work; of several examples their outputs."""
        sizes = "-".join(map(str, self.sizes))
        if self.outputs.ndim == 1:
            return Document(f"Trace of {sizes}", [self.picture()])
        first, count = self.outputs[:10].tolist(), self.sizes[-1]
        if count <= 7:
            names = [self.output_name(k) for k in range(count)]
            rows = [[f"trace[{i}]", *(f"{v:.3g}" for v in row)] for i, row in enumerate(first)]
        else:
            names = ["largest output", "its activation"]
            best = self.outputs.argmax(axis=1).tolist()
            rows = [[f"trace[{i}]", self.output_name(best[i]), f"{row[best[i]]:.3g}"] for i, row in enumerate(first)]
        table = Table([Column(), *(Column(name, "r", 14) for name in names)], rows)
        note = f"outputs of the first {len(rows)} examples; trace[0] is the whole trace of one"
        return Document(f"Trace of {sizes}, {len(self):,} examples", [table, Text(note, quiet=True)])

    def picture(self, most: int = 20, connections: int = 40, details: Sequence[str] = ()) -> NetworkPicture:
        """The network at work on one input, for drawing.

        Parameters
        ----------
        most : int
            How many neurons of each layer, those furthest from 0.
        connections : int
            How many products weight x input of each layer, the largest.
        details : sequence of str
            What to say of each layer instead of its number of neurons.
        """
        shape, first = self.schema.input_shape, self.layers[0].inputs
        inputs: Picture | Layer
        if shape is not None and len(shape) == 2:
            inputs, shown = Picture("the input", first.reshape(shape), width=168), list(range(len(first)))
        else:
            shown = largest(first, max(most, 10))
            title = "the inputs" if len(shown) == len(first) else "the largest inputs"
            inputs = Layer(title, "", len(first), _nodes(first, shown, self._names_with_values()))
        layers, links = [], []
        for i, layer in enumerate(self.layers):
            last, before = i == len(self.layers) - 1, shown
            count = len(layer.biases)
            shown = largest(layer.activations, most)
            names = [self.output_name(k) if last else f"{i}:{k}" for k in range(count)]
            detail = details[i] if details else f"{count:,} {'output' if last else 'neuron'}{'s' * (count != 1)}"
            nodes = _nodes(layer.activations, shown, names)
            layers.append(Layer(f"layer {i}, {layer.activation_name}", detail, count, nodes))
            places = [{k: place for place, k in enumerate(column)} for column in (before, shown)]
            products = layer.strongest(connections, shown, before)
            links.append([Link(places[0][j], places[1][k], product) for k, j, product in products])
        whole = 1.0 if activation(self.layers[-1].activation_name).probabilities else 0.0
        return NetworkPicture(inputs, layers, links, whole)

    def _names_with_values(self) -> Sequence[str]:
        """The inputs with the values that the user gave, where the first layer gets others."""
        names, schema = self.input_names(0), self.schema
        if self.given is None or not schema.standardises or self.outputs.ndim == 2:
            return names
        raw = self.given.tolist()
        return [
            f"{name} = {value:.6g}" if schema.written(i, value, 0.0) else name
            for i, (name, value) in enumerate(zip(names, raw, strict=True))
        ]

    def output_name(self, output: int) -> str:
        """What to call an output: its class, the column it predicts, or its number."""
        schema, count = self.schema, self.outputs.shape[-1]
        if schema.classes is not None and len(schema.classes) == count:
            return schema.classes[output]
        return schema.target if schema.target is not None and count == 1 else f"output {output}"

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.sizes))
        if self.outputs.ndim == 2:
            return f"Trace({sizes}, {len(self):,} examples)"
        best = int(self.outputs.argmax())
        return f"Trace({sizes}, 1 example, largest output {self.output_name(best)} ({self.outputs[best]:.3g}))"


def _nodes(values: Array, shown: Sequence[int], names: Sequence[str]) -> list[Node]:
    return [Node(k, names[k], float(values[k])) for k in shown]


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
    for number in (layer, index):
        if isinstance(number, bool | np.bool_) or not hasattr(number, "__index__"):
            raise AddressError(f"no neuron {layer}:{index}: expected the layer and the neuron as whole numbers")
    if not 0 <= layer < len(widths):
        raise AddressError(
            f"no layer {layer}: expected a layer from 0 to {len(widths) - 1}",
            help="layers count from 0; the inputs are not a layer",
        )
    if not 0 <= index < widths[layer]:
        raise AddressError(
            f"no neuron {layer}:{index}: expected a neuron from {layer}:0 to {layer}:{widths[layer] - 1}"
        )
