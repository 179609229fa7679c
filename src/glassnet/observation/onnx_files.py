"""An ONNX file on one input: ONNX Runtime computes it, with the inputs and outputs of each product as outputs besides.

Products are Gemm, MatMul and Conv nodes of the main graph whose weights are constants, or computed from constants
alone. What is inside of an If or a Loop, recurrent layers and integer arithmetic cannot be looked into, and is named.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import FileError, InputError, MissingExtra
from glassnet.files.formats.onnx.elementwise import attribute
from glassnet.observation.computed import Computed, observation_of
from glassnet.observation.observation import Observation
from glassnet.observation.products import Window
from glassnet.observation.selection import first_line
from glassnet.opening import printable, quoted

LARGEST = 1 << 31
"""Bytes: a protobuf message ends there."""
_PASSED = ("Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout")
_HOLDING = ("LSTM", "GRU", "RNN", "ConvTranspose", "Einsum", "Attention", "MultiHeadAttention", "ConvInteger",
            "MatMulInteger", "QLinearConv", "QLinearMatMul", "QGemm", "MatMulNBits", "GroupQueryAttention")  # fmt: skip
"""Nodes with weights that are not taken apart."""


@dataclass
class _Found:
    """A product's node, and what is to be asked of the engine."""

    name: str
    node: Any
    inputs: str
    weights: str
    bias: str
    outputs: str
    after: list[str] = field(default_factory=list)


def observe_onnx(path: Path, inputs: Any, layers: Sequence[str] | None, position: int | None) -> Observation:
    """One run of the file by ONNX Runtime."""
    onnx, runtime = _engine()
    model = _read(onnx, path)
    graph = _Graph(onnx, model)
    session = _session(onnx, runtime, model, graph.wanted(), path)
    feed = _feed(session, inputs)
    names = [output.name for output in session.get_outputs()]
    try:
        given = dict(zip(names, session.run(None, feed), strict=True))
    except Exception as problem:  # the engine's own errors are of many kinds
        raise InputError(f"{quoted(path)} cannot compute these inputs: {first_line(problem)}") from problem
    own = [output.name for output in model.graph.output][: graph.output_count]
    raw = {name: given[name] for name in own}
    computed = [made for found in graph.found if (made := graph.computed(found, given | feed)) is not None]
    return observation_of(
        path.name, computed, raw[own[0]] if len(own) == 1 else raw, None, graph.unseen(), layers, position
    )


def _engine() -> tuple[Any, Any]:
    try:
        import onnx
    except ModuleNotFoundError as problem:
        raise MissingExtra("onnx", "onnx") from problem
    try:
        import onnxruntime
    except ModuleNotFoundError as problem:
        raise MissingExtra("onnxruntime", "onnx") from problem
    return onnx, onnxruntime


def _read(onnx: Any, path: Path) -> Any:
    size = path.stat().st_size
    if size > LARGEST:
        raise FileError(f"{quoted(path)} has {size:,} bytes, too many to load: expected at most {LARGEST:,}")
    try:
        return onnx.load(path, load_external_data=False)
    except Exception as problem:  # protobuf's errors have no common kind
        raise FileError(f"{quoted(path)} is no readable ONNX file: {first_line(problem)}") from problem


def _session(onnx: Any, runtime: Any, model: Any, wanted: Sequence[str], path: Path) -> Any:
    """The engine with the model, which gives the wanted values besides its own."""
    there = {output.name for output in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if name not in there)
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    external = any(onnx.external_data_helper.uses_external_data(tensor) for tensor in model.graph.initializer)
    try:
        if external:  # beside the file; onnx refuses places outside of its folder
            onnx.external_data_helper.load_external_data_for_model(model, str(path.parent))
        return runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as problem:
        raise FileError(
            f"ONNX Runtime cannot run {quoted(path)}: {first_line(problem)}",
            help="onnx.checker.check_model(path) shows more",
        ) from problem


_TYPES = {
    "tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16,
    "tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(uint8)": np.uint8, "tensor(int8)": np.int8,
    "tensor(bool)": np.bool_,
}  # fmt: skip


def _feed(session: Any, inputs: Any) -> dict[str, Array]:
    """The inputs by their names, in the types that the file asks for."""
    asked = {entry.name: entry for entry in session.get_inputs()}
    given = inputs if isinstance(inputs, Mapping) else None
    if given is None:
        many = list(inputs) if isinstance(inputs, tuple) else [inputs]
        if len(many) != len(asked):
            raise InputError(
                f"{len(many)} input{'s' * (len(many) != 1)} for a model that takes {len(asked)}: "
                f"{', '.join(map(printable, asked))}",
                help="pass a dict of arrays by these names",
            )
        given = dict(zip(asked, many, strict=True))
    wrong = [name for name in given if name not in asked] or [name for name in asked if name not in given]
    if wrong:
        raise InputError(f"inputs {', '.join(map(str, given))}: expected {', '.join(map(printable, asked))}")
    return {name: _as_asked(asked[name], values) for name, values in given.items()}


def _as_asked(entry: Any, values: Any) -> Array:
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(
            f"rows of different lengths in {entry.name}: expected a rectangular array of numbers"
        ) from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{entry.name} of type {array.dtype}: expected real numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"NaN or infinite values in {entry.name}: expected finite numbers")
    return array.astype(_TYPES.get(entry.type, array.dtype))


class _Graph:
    """The nodes of the main graph: which are products, and what follows them."""

    def __init__(self, onnx: Any, model: Any) -> None:
        self.onnx, self.graph = onnx, model.graph
        self.output_count = len(model.graph.output)
        self.constants = {tensor.name: tensor for tensor in self.graph.initializer}
        self.made = {name: node for node in self.graph.node for name in node.output}
        self.users: dict[str, list[Any]] = {}
        for node in self.graph.node:
            for name in node.input:
                self.users.setdefault(name, []).append(node)
        self._constant: dict[str, bool] = {}
        self.found = list(self._products())

    def constant(self, name: str, depth: int = 0) -> bool:
        """Whether a value depends on no input."""
        if name in self.constants:
            return True
        if name not in self._constant:
            node = self.made.get(name)
            self._constant[name] = (
                node is not None
                and depth < 32
                and not node.op_type.startswith("Random")
                and all(self.constant(part, depth + 1) for part in node.input if part)
                and not any(entry.type == entry.GRAPH for entry in node.attribute)
            )
        return self._constant[name]

    def _products(self) -> Iterator[_Found]:
        names: Counter[str] = Counter()
        for node in self.graph.node:
            if node.op_type not in ("Gemm", "MatMul", "Conv") or len(node.input) < 2:
                continue
            if self.constant(node.input[0]) or not self.constant(node.input[1]):
                continue
            base = (node.name or node.output[0]).strip("/") or node.op_type
            names[base] += 1
            name = base if names[base] == 1 else f"{base}#{names[base]}"
            bias = node.input[2] if len(node.input) > 2 else ""
            outputs = node.output[0]
            users = self.users.get(outputs, [])
            if node.op_type == "MatMul" and len(users) == 1 and users[0].op_type == "Add":
                other = [part for part in users[0].input if part != outputs]
                if len(other) == 1 and self.constant(other[0]):
                    bias, outputs = other[0], users[0].output[0]
            found = _Found(name, node, node.input[0], node.input[1], bias, outputs)
            found.after = [user.output[0] for user in self.users.get(outputs, []) if len(user.output) == 1]
            yield found

    def wanted(self) -> list[str]:
        """The values that are asked of the engine besides the model's own outputs."""
        every = [
            name
            for found in self.found
            for name in (found.inputs, found.weights, found.bias, found.outputs, *found.after)
            if name and name not in self.constants and name not in {entry.name for entry in self.graph.input}
        ]
        return list(dict.fromkeys(every))

    def computed(self, found: _Found, given: Mapping[str, Array]) -> Computed | None:
        """A product with its numbers; None for weights of a shape that is no layer of neurons."""
        inputs, outputs = given[found.inputs], given[found.outputs]
        weights = self._value(found.weights, given)
        bias = self._value(found.bias, given) if found.bias else None
        after = [given[name] for name in found.after if isinstance(given.get(name), np.ndarray)]
        if found.node.op_type == "Conv":
            return self._convolution(found, inputs, outputs, weights, bias, after)
        if weights.ndim != 2 or inputs.ndim < 1 or (bias is not None and bias.size not in (1, outputs.shape[-1])):
            return None
        if found.node.op_type == "Gemm":
            if attribute(found.node, "transA", 0):
                return None
            weights = weights.T if attribute(found.node, "transB", 0) else weights
            weights = weights * np.float64(attribute(found.node, "alpha", 1.0))
            bias = None if bias is None else bias * np.float64(attribute(found.node, "beta", 1.0))
        width = outputs.shape[-1]
        bias = None if bias is None else np.broadcast_to(bias.reshape(-1), (width,))
        rows = outputs.reshape(-1, width)
        fits = [values.reshape(-1, width) for values in after if values.size == outputs.size]
        return Computed(found.name, inputs.reshape(-1, inputs.shape[-1]), rows, weights, bias, fits)

    def _convolution(
        self, found: _Found, inputs: Array, outputs: Array, weights: Array, bias: Array | None, after: list[Array]
    ) -> Computed | None:
        node, space = found.node, weights.ndim - 2
        automatic = attribute(node, "auto_pad", b"NOTSET")
        if space < 1 or automatic not in (b"NOTSET", b"VALID", "NOTSET", "VALID"):
            return None
        ones = [1] * space
        pads = list(attribute(node, "pads", [0] * (2 * space)))[:space]
        window = Window(
            tuple(weights.shape[2:]),
            tuple(attribute(node, "strides", ones)),
            tuple(pads),
            tuple(attribute(node, "dilations", ones)),
            int(attribute(node, "group", 1)),
        )
        fits = [values[-1] for values in after if values.shape == outputs.shape]
        return Computed(
            found.name, inputs[-1], outputs[-1], weights.reshape(len(weights), -1).T, bias, fits, window
        )  # fmt: skip

    def _value(self, name: str, given: Mapping[str, Array]) -> Array:
        if name in self.constants:
            values: Array = self.onnx.numpy_helper.to_array(self.constants[name])
            return values
        return given[name]

    def unseen(self) -> list[str]:
        """What holds weights and cannot be looked into."""
        counted = Counter(node.op_type for node in self.graph.node if node.op_type in _HOLDING)
        for node in self.graph.node:
            inside = sum(len(entry.g.node) for entry in node.attribute if entry.type == entry.GRAPH)
            if inside:
                counted[f"{node.op_type} with {inside} nodes inside"] += 1
        return [f"{count} {kind}" if count > 1 else kind for kind, count in counted.items()]
