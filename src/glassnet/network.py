"""Networks: an architecture and one flat vector of parameters. A network never changes.

Every source of parameters (random, trained, read from a file) makes a `Network`, and every view reads one. An edit
returns a new network, so that the two can be compared and every edit can be undone.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from math import inf, prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from glassnet import engines
from glassnet.architecture import Architecture, ParameterCount
from glassnet.arrays import DTYPES, Array, is_sparse, numeric, readonly, shape_text
from glassnet.engines.reference import weights_and_biases
from glassnet.errors import FileError, InputError, SettingError, sentence, unknown_name
from glassnet.files import own_format
from glassnet.initializers import Initializer, fitting, initializer
from glassnet.losses import Loss, LossLike, default_loss, loss
from glassnet.names import DEFAULT_HIDDEN, ActivationLike
from glassnet.neuron import Neuron
from glassnet.opening import quoted
from glassnet.prediction import Prediction, labels_of
from glassnet.render.document import Document, Record
from glassnet.render.parts import Bar, Beside, Cell, Column, Part, Picture, Table
from glassnet.schema import LARGEST_FRACTION, Schema
from glassnet.trace import Trace, TraceLayer, check_address

if TYPE_CHECKING:
    from glassnet.data.dataset import RawInputs
    from glassnet.data.encoding import Gaps
    from glassnet.files.outputs import Output


@dataclass(frozen=True, eq=False)
class Layer(Record):
    """A view of one layer.

    Parameters
    ----------
    weights : ndarray of shape (fan_out, fan_in)
        Row k is the template of neuron k.
    biases : ndarray of shape (fan_out,)
    activation : str

    Examples
    --------
    >>> import glassnet as gn
    >>> gn.Network.create("3-4-2", seed=0).layers[0]
    Layer(3 inputs, 4 neurons, relu)
    """

    weights: Array
    biases: Array
    activation: str

    def __repr__(self) -> str:
        fan_out, fan_in = self.weights.shape
        return f"Layer({fan_in} inputs, {fan_out} neurons, {self.activation})"


@dataclass(frozen=True, eq=False, repr=False)
class Network(Record):
    """A network of dense layers.

    Parameters
    ----------
    architecture : Architecture
    parameters : array_like of shape (total,)
        Layer after layer the weights, row by row, then the biases.
    schema : Schema, optional
        How raw data becomes the inputs of the first layer, and what the outputs mean.

    Raises
    ------
    InputError
        If the number of parameters does not fit the architecture.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.create("784-16-16-10", "sigmoid", seed=0)
    >>> network
    Network(784-16-16-10, sigmoid sigmoid identity, 13,002 parameters, float32)
    >>> network.layers[0].weights.shape
    (16, 784)
    """

    architecture: Architecture
    parameters: Array
    schema: Schema = field(default_factory=Schema)

    def __post_init__(self) -> None:
        vector = numeric(self.parameters, "parameters")
        total = self.architecture.layers[-1].stop
        if vector.shape != (total,):
            raise InputError(
                f"parameters have shape {shape_text(vector.shape)}, expected ({total},) for {self.architecture}"
            )
        dtype = vector.dtype if str(vector.dtype) in DTYPES else np.dtype(np.float32)
        vector = vector.astype(dtype, copy=vector.flags.writeable)  # copies if the caller could still modify it
        object.__setattr__(self, "parameters", readonly(vector))

    # Creation and editing

    @classmethod
    def create(
        cls,
        sizes: str | Sequence[int],
        activation: ActivationLike | Sequence[ActivationLike] = DEFAULT_HIDDEN,
        output: ActivationLike | None = None,
        init: str | Initializer | None = None,
        seed: int | None = None,
        dtype: str = "float32",
    ) -> "Network":
        """Create a network with random weights and zero biases.

        Parameters
        ----------
        sizes : str or sequence of int
            Inputs first: "784-16-16-10" or (784, 16, 16, 10).
        activation : str or sequence of str, default "relu"
            For all hidden layers, or one for each layer, the output layer included.
        output : str, optional
            Activation of the last layer; by default "identity", plain scores.
        init : str or callable, optional
            A name from `initializers` or a function; by default the one that fits each activation.
        seed : int, optional
            The same seed gives the same network; None a different one each time.
        dtype : {"float32", "float64"}, default "float32"

        Returns
        -------
        Network

        Raises
        ------
        SettingError
            If sizes or names are not valid.

        Examples
        --------
        >>> import glassnet as gn
        >>> gn.Network.create("2-4-2", "tanh", output="softmax", seed=0).count().total
        22
        """
        if dtype not in DTYPES:
            raise unknown_name("dtype", dtype, DTYPES)
        architecture = Architecture.of(sizes, activation, output)
        random = np.random.default_rng(seed)
        vector = np.zeros(architecture.layers[-1].stop, dtype)
        for layer, name in zip(architecture.layers, architecture.activations, strict=True):
            weights = initializer(init or fitting(name))(random, layer.fan_in, layer.fan_out)
            vector[layer.start : layer.biases_start] = weights.ravel()
        return cls(architecture, vector)

    @classmethod
    def from_layers(
        cls,
        layers: Sequence[tuple[npt.ArrayLike, npt.ArrayLike, ActivationLike]],
        schema: Schema | None = None,
        dtype: str | None = None,
    ) -> "Network":
        """Create a network from arrays.

        Parameters
        ----------
        layers : sequence of (weights, biases, activation)
            Weights of shape (fan_out, fan_in), biases of shape (fan_out,), and the name of the activation.
        schema : Schema, optional
        dtype : {"float32", "float64"}, optional
            By default that of the arrays.

        Returns
        -------
        Network

        Raises
        ------
        InputError
            If the shapes do not fit together.

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.from_layers([([[1, 2], [3, 4]], [0, 1], "relu"), ([[1, -1]], [0.5], "identity")])
        >>> network.sizes
        (2, 2, 1)
        """
        arrays = [
            (numeric(w, f"weights of layer {i}"), numeric(b, f"biases of layer {i}"), name)
            for i, (w, b, name) in enumerate(layers)
        ]
        if not arrays:
            raise InputError(
                "a network needs at least one layer",
                help=f"Network.from_layers([(weights, biases, {DEFAULT_HIDDEN!r}), ...])",
            )
        fan_in = None
        for i, (weights, biases, _) in enumerate(arrays):
            if weights.ndim != 2 or biases.shape != weights.shape[:1] or fan_in not in (None, weights.shape[1]):
                raise InputError(
                    f"layer {i} has weights {shape_text(weights.shape)} and biases {shape_text(biases.shape)}, "
                    f"expected (fan_out, {fan_in or 'fan_in'}) and (fan_out,)",
                    help="transpose weights that are stored as (fan_in, fan_out)",
                )
            fan_in = len(weights)
        sizes = (arrays[0][0].shape[1], *(len(w) for w, _, _ in arrays))
        architecture = Architecture.of(sizes, [name for _, _, name in arrays])
        if dtype is None:
            widest = np.result_type(*(part for w, b, _ in arrays for part in (w, b)))
            dtype = "float64" if widest == np.float64 else "float32"
        vector = np.empty(architecture.layers[-1].stop, dtype)
        for (weights, biases), (given_weights, given_biases, _) in zip(
            weights_and_biases(architecture, vector), arrays, strict=True
        ):
            weights[:], biases[:] = given_weights, given_biases
        return cls(architecture, readonly(vector), schema or Schema())

    def with_parameters(self, vector: npt.ArrayLike) -> "Network":
        """A network of the same architecture with other parameters.

        Parameters
        ----------
        vector : array_like of shape (total,)

        Returns
        -------
        Network

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.create("3-1", seed=0)
        >>> network.with_parameters([1, 2, 3, 4]).layers[0].biases.tolist()
        [4.0]
        """
        return replace(self, parameters=numeric(vector, "parameters").astype(self.dtype))

    def edit(
        self,
        layer: int,
        neuron: int,
        *,
        bias: float | None = None,
        weights: "Mapping[int, float] | Sequence[float] | Array | None" = None,
    ) -> "Network":
        """A network in which one neuron has another bias or other weights.

        Parameters
        ----------
        layer, neuron : int
            Address of the neuron, from 0.
        bias : float, optional
        weights : array_like of shape (fan_in,) or dict, optional
            All weights, or some of them as {input: weight}.

        Returns
        -------
        Network

        Raises
        ------
        AddressError
            If the neuron or an input does not exist.
        InputError
            If the values do not fit.

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.create("3-1", seed=0).edit(0, 0, bias=0.5, weights={2: 1.0})
        >>> float(network.layers[0].biases[0]), float(network.layers[0].weights[0, 2])
        (0.5, 1.0)
        """
        check_address(layer, neuron, self.sizes[1:])
        vector = self.parameters.copy()
        rows, biases = list(weights_and_biases(self.architecture, vector))[layer]
        if bias is not None:
            biases[neuron] = numeric(bias, "bias")
        if isinstance(weights, Mapping):
            for position, value in weights.items():
                check_address(0, position, [len(rows[neuron])])
                rows[neuron, position] = numeric(value, "weight")
        elif weights is not None:
            row = numeric(weights, "weights")
            if row.shape != rows[neuron].shape:
                raise InputError(
                    f"weights of neuron {layer}:{neuron} have shape {shape_text(row.shape)}, expected "
                    f"{shape_text(rows[neuron].shape)}",
                    help="to change only some, give a mapping: weights={0: 1.5}",
                )
            rows[neuron] = row
        return replace(self, parameters=vector)

    def with_activation(self, layer: int, name: ActivationLike) -> "Network":
        """A network with another activation in one layer.

        Parameters
        ----------
        layer : int
        name : str, Activation or callable

        Returns
        -------
        Network

        Raises
        ------
        AddressError
            If the layer does not exist.
        SettingError
            If the activation is unknown, or is softmax in a hidden layer.

        Examples
        --------
        >>> import glassnet as gn
        >>> gn.Network.create("3-4-2", seed=0).with_activation(0, "tanh").layers[0].activation
        'tanh'
        """
        check_address(layer, 0, self.sizes[1:])
        names: list[ActivationLike] = list(self.architecture.activations)
        names[layer] = name
        return replace(self, architecture=Architecture.of(self.sizes, names))

    def with_schema(self, schema: Schema) -> "Network":
        """A network with the same parameters and another schema.

        Parameters
        ----------
        schema : Schema

        Returns
        -------
        Network

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.create("1-2", seed=0).with_schema(gn.Schema(classes=("no", "yes")))
        >>> network.schema.classes
        ('no', 'yes')
        """
        return replace(self, schema=schema)

    def described(self, **changes: Any) -> "Network":
        """A network with some fields of the schema changed.

        Parameters
        ----------
        **changes
            Fields of `Schema`.

        Returns
        -------
        Network

        Raises
        ------
        SettingError
            If a field does not fit the network.

        Examples
        --------
        >>> import glassnet as gn
        >>> gn.Network.create("784-10", seed=0).described(scale=1 / 255, input_shape=(28, 28)).schema.input_shape
        (28, 28)
        """
        schema = replace(self.schema, **changes)
        inputs, outputs = self.sizes[0], self.sizes[-1]
        if schema.input_shape is not None and prod(schema.input_shape) != inputs:
            raise SettingError(
                f"the shape {'x'.join(map(str, schema.input_shape))} has {prod(schema.input_shape):,} values, and the "
                f"network has {inputs:,} inputs",
                help="give a shape of as many values",
            )
        count = len(schema.classes) if schema.classes is not None else outputs
        if count != outputs and (count, outputs) != (2, 1):
            raise SettingError(
                f"{count} classes for a network of {outputs} outputs", help="name one class for each output"
            )
        return self.with_schema(schema)

    # Structure

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes, inputs first: (784, 16, 16, 10)."""
        return self.architecture.sizes

    @cached_property
    def dtype(self) -> str:
        """Type of the parameters: "float32" or "float64"."""
        return str(self.parameters.dtype)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Read-only views of the weights, biases and activation of each layer."""
        parts = weights_and_biases(self.architecture, self.parameters)
        return tuple(Layer(w, b, name) for (w, b), name in zip(parts, self.architecture.activations, strict=True))

    def neuron(self, layer: int, index: int) -> Neuron:
        """One neuron on its own.

        Parameters
        ----------
        layer, index : int
            Address of the neuron, from 0.

        Returns
        -------
        Neuron

        Raises
        ------
        AddressError
            If the neuron does not exist.

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.from_layers([([[1.0, 2.0]], [0.5], "relu")])
        >>> network.neuron(0, 0)([3, 4])
        11.5
        """
        check_address(layer, index, self.sizes[1:])
        at = self.layers[layer]
        return Neuron(at.weights[index], float(at.biases[index]), at.activation)

    def count(self) -> ParameterCount:
        """Parameters of each layer; `.total` is their number.

        Returns
        -------
        ParameterCount

        Examples
        --------
        >>> import glassnet as gn
        >>> gn.Network.create("784-16-16-10", seed=0).count().total
        13002
        """
        return self.architecture.count(self.dtype)

    # Computation

    def __call__(self, inputs: "RawInputs") -> Array:
        """Compute the outputs of raw inputs; `Schema` has the rule by which they are read.

        Parameters
        ----------
        inputs : array of shape (fan_in,) or (n, fan_in), dict, DataFrame or Dataset
            One input or many, in the user's units.

        Returns
        -------
        array of shape (fan_out,) or (n, fan_out)

        Examples
        --------
        >>> import glassnet as gn
        >>> gn.Network.from_layers([([[1.0, 2.0]], [0.5], "relu")])([3, 4])
        array([11.5])
        """
        if type(inputs) is np.ndarray:
            quick = self._quick.get(inputs.dtype.char)
            if quick is not None:
                outputs = quick.outputs(inputs, quick.factor, quick.limit)
                if outputs is not None:
                    return outputs
        given = self._read(inputs)
        outputs = self._engine.forward(self.architecture, self.parameters, given.batch, given.factor)
        return outputs[0] if given.single else outputs

    def predict(self, inputs: "RawInputs | str | os.PathLike[str]") -> Prediction:
        """Answer for raw inputs: the class, or the values in the unit of the target.

        Parameters
        ----------
        inputs : array, dict, list of dict, DataFrame, Dataset, path or Pillow image
            One input or many, in the user's units; a path names a table or a picture.

        Returns
        -------
        Prediction
            Its `labels` and `outputs`; what was filled in is in its `notes`.

        Examples
        --------
        >>> import glassnet as gn
        >>> schema = gn.Schema(features=("length",), centers=(5.0,), spreads=(2.0,), classes=("short", "long"))
        >>> network = gn.Network.from_layers([([[-1.0], [1.0]], [0.0, 0.0], "softmax")], schema)
        >>> network.predict({"length": 7})
        Prediction(long, 88.08%)
        """
        from glassnet.data.encoding import Gaps

        gaps = Gaps()
        given = self._read(self._opened(inputs, gaps), gaps)
        outputs = self._engine.forward(self.architecture, self.parameters, given.batch, given.factor)
        notes = given.notes + gaps.notes("the network's center")
        answer = outputs[0] if given.single else outputs
        return Prediction(answer, labels_of(outputs, self), given.schema.target, notes, self.schema.classes)

    def preprocess(self, inputs: "RawInputs") -> Array:
        """Convert raw inputs to those of the first layer; `Schema` has the rule.

        Parameters
        ----------
        inputs : as for a call

        Returns
        -------
        ndarray of shape (fan_in,) or (n, fan_in)

        Examples
        --------
        >>> import glassnet as gn
        >>> schema = gn.Schema(features=("length",), centers=(5.0,), spreads=(2.0,))
        >>> gn.Network.create("1-1", seed=0).with_schema(schema).preprocess([9.0]).tolist()
        [2.0]
        """
        given = self._read(inputs)
        floats = engines.reference.as_floats(given.batch, given.factor, self.parameters.dtype)
        return floats[0] if given.single else floats

    def trace(self, inputs: "RawInputs") -> Trace:
        """Compute every number on the way from raw inputs to outputs.

        Parameters
        ----------
        inputs : as for a call

        Returns
        -------
        Trace
            `trace.given` are the raw values, `trace.layers[0].inputs` those of the first layer.

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.from_layers([([[1.0, 2.0]], [0.5], "relu")])
        >>> network.trace([3, 4]).layers[0].weighted_sums.tolist()
        [11.0]
        """
        given = self._read(inputs)
        before = readonly(engines.reference.as_floats(given.batch, given.factor, self.parameters.dtype))
        layers = []
        numbers = self._engine.trace(self.architecture, self.parameters, given.batch, given.factor)
        for layer, (weighted_sums, pre_activations, activations) in zip(self.layers, numbers, strict=True):
            layers.append(
                TraceLayer(
                    inputs=before,
                    weights=layer.weights,
                    weighted_sums=readonly(weighted_sums),
                    biases=layer.biases,
                    pre_activations=readonly(pre_activations),
                    activation_name=layer.activation,
                    activations=readonly(activations),
                )
            )
            before = layers[-1].activations
        trace = Trace(tuple(layers), given.schema, given.raw, self)
        return trace[0] if given.single else trace

    def gradient(self, inputs: "RawInputs", target: npt.ArrayLike, loss: LossLike | None = None) -> Array:
        """Gradient of the loss for every parameter, on one example or a batch.

        The loss falls fastest against this vector.

        Parameters
        ----------
        inputs : as for a call
        target : int, float or array_like
            A label or the wanted outputs; for a batch, n of them.
        loss : str or Loss, optional
            By default cross-entropy for labels (binary for sigmoid outputs), else squared error.

        Returns
        -------
        ndarray of shape (total,)
            In the order of `parameters`.

        Raises
        ------
        InputError
            If inputs and targets do not fit.

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.from_layers([([[1.0, 2.0]], [0.0], "identity")])
        >>> network.gradient([1.0, 1.0], [2.0], "squared_error").tolist()
        [2.0, 2.0, 2.0]
        """
        return self.loss_and_gradient(inputs, target, loss)[1]

    def loss_and_gradient(
        self, inputs: "RawInputs", target: npt.ArrayLike, loss: LossLike | None = None
    ) -> tuple[float, Array]:
        """Loss on one example or a batch, and its `gradient`.

        Parameters
        ----------
        inputs, target, loss
            As for `gradient`.

        Returns
        -------
        loss : float
        gradient : ndarray of shape (total,)

        Examples
        --------
        >>> import glassnet as gn
        >>> network = gn.Network.from_layers([([[1.0, 2.0]], [0.0], "identity")])
        >>> network.loss_and_gradient([1.0, 1.0], [2.0], "squared_error")[0]
        1.0
        """
        given = self._read(inputs)
        targets = np.asarray(target)[None] if given.single else target
        kind = self.loss_for(targets, loss)
        targets = kind.targets(targets, self.sizes[-1], self.parameters.dtype)
        if len(targets) != given.batch.shape[0]:
            raise InputError(
                f"{given.batch.shape[0]:,} inputs but {len(targets):,} targets: each input needs one target"
            )
        examples = engines.Examples(given.batch, given.factor, targets)
        engine = self._engine
        if engine.supports(self.architecture, self.dtype, kind) is not None:
            engine, _ = engines.choose("auto", self.architecture, self.dtype, loss=kind)
        return engine.gradient(self.architecture, self.parameters, examples, kind)

    def loss_for(self, targets: npt.ArrayLike, kind: LossLike | None = None) -> Loss:
        """The given loss, or the one that fits these targets and the last layer.

        Parameters
        ----------
        targets : array_like
        kind : str, Loss, class of losses, or function of (outputs, targets); optional

        Returns
        -------
        Loss

        Examples
        --------
        >>> import glassnet as gn
        >>> gn.Network.create("2-3", seed=0).loss_for([0, 2, 1]).name
        'cross_entropy'
        """
        if kind is not None:
            return loss(kind)
        return default_loss(numeric(targets, "targets"), self.sizes[-1], self.architecture.activations[-1])

    @cached_property
    def _engine(self) -> engines.Engine:
        return engines.choose("auto", self.architecture, self.dtype)[0]

    def __getstate__(self) -> dict[str, Any]:
        """State for copies and pickles, without cached properties."""
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @cached_property
    def bare(self) -> "Network":
        """The network without preprocessing: it takes the inputs of the first layer."""
        return self.with_schema(self.schema.without_preprocessing())

    @cached_property
    def _quick(self) -> "dict[str, _Quick]":
        """The engine's fast path for many short calls, if it has one, by the letter of each type that it reads.

        The letter does not say the order of bytes; the engine does, and refuses one that is not the machine's.
        """
        scale = self.schema.scale
        if self._engine is not engines.native or self.schema.standardises:
            return {}
        outputs = engines.native.prepare(self.architecture, self.parameters).outputs
        floats = _Quick(outputs, 1.0, LARGEST_FRACTION if scale is not None and scale < 1 else inf)
        return {"f": floats} if scale is None else {"f": floats, "B": _Quick(outputs, float(scale), inf)}

    def _read(self, inputs: Any, gaps: "Gaps | None" = None) -> "_Given":
        """Raw inputs as the engine reads them. This is the only way in."""
        if not _is_plain(inputs) or self.schema.one_hot is not None:
            inputs = self._as_numbers(inputs, gaps)
            if isinstance(inputs, _Given):
                return inputs
        array = numeric(inputs, "inputs")
        shape = self.schema.input_shape
        if shape and len(shape) > 1 and array.shape[-len(shape) :] == shape:
            array = array.reshape(*array.shape[: -len(shape)], self.sizes[0])
        self._check_shape(array)
        batch, factor = self.schema.preprocess(array)
        if factor == 1 and batch is not array and not np.isfinite(batch).all():
            numeric(batch, "standardised inputs")
        single = array.ndim == 1
        return _Given(batch[None] if single else batch, factor, single, array[None] if single else array, self.schema)

    def _as_numbers(self, inputs: Any, gaps: "Gaps | None") -> Any:
        """A data set as it is read (`_Given`), the raw numbers of named data and of rows with text, or all else."""
        from glassnet.data.conforming import conformed
        from glassnet.data.dataset import Dataset
        from glassnet.data.frames import frame_inputs, is_named, text_rows

        if isinstance(inputs, Dataset):
            schema, data, notes = conformed(self.schema, inputs, self.sizes[0])
            assert isinstance(data, Dataset)
            self._check_shape(data.inputs)
            batch, factor = data.network_inputs
            return _Given(batch, factor, False, None if data.preprocessed else data.inputs, schema, notes)
        if is_named(inputs):
            return frame_inputs(inputs, self.schema, gaps)
        if self.schema.one_hot is not None and not is_sparse(inputs):
            rows = np.asarray(inputs, dtype=None if isinstance(inputs, np.ndarray) else object)
            if rows.dtype.kind in "OU" and any(isinstance(cell, str) for cell in rows.flat):
                return text_rows(rows, self.schema, gaps)
        return inputs

    def _check_shape(self, array: Array) -> None:
        fan_in = self.sizes[0]
        if array.ndim not in (1, 2) or array.shape[-1] != fan_in:
            raise InputError(
                f"inputs have shape {shape_text(array.shape)}, expected ({fan_in},) for one or (n, {fan_in}) for many"
            )

    def _opened(self, inputs: Any, gaps: "Gaps") -> Any:
        """The raw inputs in a file or a Pillow image; all else as it is."""
        is_path = isinstance(inputs, str | os.PathLike)
        if not is_path and not type(inputs).__module__.startswith("PIL."):
            return inputs
        from glassnet.data.access import kind_of
        from glassnet.data.images import image_inputs
        from glassnet.data.tables import table_rows

        if is_path and kind_of(inputs) != "picture":
            return table_rows(inputs, self.schema, gaps)
        return image_inputs(inputs, self.schema)

    # Files

    def save(self, path: "Output") -> None:
        """Write the network as safetensors, atomically.

        Parameters
        ----------
        path : str, path or binary file object

        Raises
        ------
        FileError
            If the file cannot be written, or would replace a file that is no network of glassnet.

        Examples
        --------
        >>> import os, tempfile
        >>> import glassnet as gn
        >>> network = gn.Network.create("3-4-2", seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     network.save(os.path.join(folder, "small.safetensors"))
        ...     gn.load(os.path.join(folder, "small.safetensors")) == network
        True
        """
        own_format.write(path, *self._stored())

    def to_bytes(self) -> bytes:
        """The file that `save` writes, as bytes."""
        return own_format.to_bytes(*self._stored())

    def _stored(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Tensors by their names in the file, and the description."""
        tensors = {}
        for i, layer in enumerate(self.layers):
            tensors[f"layers.{i}.weight"] = np.ascontiguousarray(layer.weights)
            tensors[f"layers.{i}.bias"] = np.ascontiguousarray(layer.biases)
        description = {
            "kind": "network",
            "sizes": self.sizes,
            "activations": self.architecture.activations,
            "schema": self.schema.as_dict(),
        }
        return tensors, description

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        same = self.architecture == other.architecture and self.dtype == other.dtype
        return same and np.array_equal(self.parameters, other.parameters) and self.schema == other.schema

    def __hash__(self) -> int:
        return hash((self.architecture, self.parameters.tobytes()))

    def __repr__(self) -> str:
        activations = " ".join(self.architecture.activations)
        return f"Network({self.architecture}, {activations}, {self.count().total:,} parameters, {self.dtype})"

    def document(self) -> Document:
        """The ledger of its parameters, and its weights as pictures."""
        rows: list[list[Cell]] = []
        total = self.count().total
        for i, (layer, shape) in enumerate(zip(self.layers, self.architecture.layers, strict=True)):
            ranges = [f"{part.min():.3g} to {part.max():.3g}" for part in (layer.weights, layer.biases)]
            bar = Bar(shape.count, total)
            rows.append([str(i), layer.activation, shape.formula, f"{shape.count:,}", bar, *ranges])
        rows.append(["", "", "total", f"{total:,}", "", "", ""])
        heads = ["layer", "activation", "formula", "parameters", "", "weights", "biases"]
        columns = [Column(name, align) for name, align in zip(heads, "rllrlll", strict=True)]
        table = Table(columns, rows, strong=[len(self.layers)], ruled=[len(self.layers)])
        return Document(repr(self), [table, *self._pictures()])

    def _pictures(self, most: int = 20) -> list[Part]:
        """The templates of the first layer where the inputs are a picture, and small layers weight by weight."""
        pictures, shape = [], self.schema.input_shape
        for i, layer in enumerate(self.layers):
            limit = float(np.abs(layer.weights).max())
            if i == 0 and shape is not None and len(shape) == 2:
                pictures += [
                    Picture(f"0:{k}", row.reshape(shape), True, limit) for k, row in enumerate(layer.weights[:most])
                ]
            elif max(layer.weights.shape) <= 64:
                name, width = f"layer {i}, a row for each neuron", 10 * layer.weights.shape[1]
                pictures.append(Picture(name, layer.weights, True, limit, width))
        return [Beside(pictures)] if pictures else []

    def __str__(self) -> str:
        return f"{self.architecture}  ({', '.join(self.architecture.activations)})\n{self.count()}"


def _is_plain(inputs: Any) -> bool:
    """Whether these are numbers without names, as far as can be seen at a glance."""
    if isinstance(inputs, np.ndarray):
        return True
    return isinstance(inputs, list | tuple) and not (inputs and isinstance(inputs[0], Mapping))


class _Quick(NamedTuple):
    """A call of the engine without checks of ours: the factor of the inputs, and the largest one that it takes."""

    outputs: Callable[[Array, float, float], Array | None]
    factor: float
    limit: float


class _Given(NamedTuple):
    """Inputs (n, fan_in) for an engine and the factor they count times, whether there was only one, the raw values if
    they are known, the schema by which they were read, and what its user should know."""

    batch: Array
    factor: float
    single: bool
    raw: Array | None
    schema: Schema
    notes: tuple[str, ...] = ()


def load(
    source: Any,
    activation: "str | Sequence[str] | None" = None,
    *,
    order: Sequence[str] | None = None,
    scale: float | None = None,
    shape: Sequence[int] | None = None,
    classes: Sequence[str] | None = None,
) -> Network:
    """Load the network in a file or model.

    Flatten and dropout are skipped; batch norm and input scaling are folded into the layers beside them.

    Parameters
    ----------
    source : str, path, or a PyTorch, Keras or scikit-learn model in memory
        A file that `Network.save` wrote, or one of any format that holds a chain of dense layers.
    activation : str or sequence of str, optional
        For formats that do not store it (state dicts, plain tensors): of the hidden layers, with plain scores as
        output, or one for each layer.
    order : sequence of str, optional
        For such formats, where names and sizes do not tell it: names of layers or modules, from the inputs on. What
        they do not name is left out: ``order=["actor"]`` loads one of two networks in a file.
    scale : float, optional
        Factor for stored pixels: 1/255 for a network trained on fractions, 1 for one trained on 0 to 255. By default, a
        network whose file does not say it takes the schema of the data that it is used on.
    shape : sequence of int, optional
        Shape of one input, such as (28, 28).
    classes : sequence of str, optional
        Name of each class, in the order of the outputs.

    Returns
    -------
    Network

    Raises
    ------
    FileError
        If the file is damaged or is not a chain of dense layers; the message names the first obstacle.
    SettingError
        If activations are missing or already known, or a description does not fit.

    Examples
    --------
    >>> import glassnet as gn
    >>> gn.load("mnist.safetensors")                        # doctest: +SKIP
    Network(784-16-16-10, relu relu softmax, 13,002 parameters, float32)
    """
    network = _load(source, activation, order)
    said = {"scale": scale, "input_shape": shape and tuple(shape), "classes": classes and tuple(map(str, classes))}
    said = {name: value for name, value in said.items() if value is not None}
    return network.described(**said) if said else network


def _load(source: Any, activation: "str | Sequence[str] | None", order: "Sequence[str] | None" = None) -> Network:
    from glassnet.files.importing import chain_of, known_already  # the reports on files come with them
    from glassnet.files.sharded_network import description_of

    if isinstance(source, str | os.PathLike) and own_format.is_ours(source):
        network = _load_own(source)
        if activation is not None:
            raise known_already(quoted(source), activation, network.architecture.activations)
        if order is not None:
            raise SettingError(f"{quoted(source)} says the order of its layers itself", help="leave out order")
        return network
    said = description_of(source) if isinstance(source, str | os.PathLike) and activation is None else None
    chain = chain_of(source, said["activations"] if said else activation, order)
    try:
        schema = Schema.from_dict(said["schema"]) if said else chain.schema
        return Network.from_layers([(w, b, str(name)) for w, b, name in chain.layers], schema)
    except InputError as problem:
        raise FileError(problem.problem, help=problem.help) from problem


def _load_own(path: str | os.PathLike[str]) -> Network:
    """The network in a file that `Network.save` wrote; raises `FileError`."""
    tensors, description = own_format.read(path, "network")
    try:
        architecture = Architecture.of(description["sizes"], description["activations"])
        vector = np.empty(architecture.layers[-1].stop, tensors["layers.0.weight"].dtype)
        for i, (weights, biases) in enumerate(weights_and_biases(architecture, vector)):
            for part, name in ((weights, f"layers.{i}.weight"), (biases, f"layers.{i}.bias")):
                stored = tensors[name]  # one at a time, so that no two copies of a large network are held
                if stored.shape != part.shape or stored.dtype != part.dtype:
                    raise InputError(f"{name} is {stored.dtype} {stored.shape}, expected {part.dtype} {part.shape}")
                part[:] = stored
        network = Network(architecture, readonly(vector), Schema.from_dict(description["schema"]))
    except (KeyError, TypeError, ValueError, MemoryError) as problem:
        raise FileError(
            f"{path} is damaged: its tensors do not match its description ({sentence(problem)})",
            help="save the network again with network.save(path)",
        ) from problem
    return network
