"""A chain of dense layers in an ONNX graph, found from its output back to its input.

The way back follows the one input of each node that is not a constant. Where a squish is written in pieces (GELU with
Erf, SiLU with Sigmoid and Mul) the pieces are put together and told by what they compute. Nothing here runs the model.
"""

from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import FileError, GlassnetError, MissingExtra
from glassnet.files import quantised
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.formats.onnx.elementwise import ELEMENTWISE, FLOATS, attribute, called, elementwise
from glassnet.files.layer_graph import (
    Affine,
    Chain,
    Dense,
    Flatten,
    InTheWay,
    Squish,
    Step,
    assemble,
    batch_norm,
    known_squish,
    of_rows,
)
from glassnet.names import PLAIN
from glassnet.opening import printable, quoted

LARGEST = 1 << 31
"""Bytes: protobuf ends there, and a chain is taken into memory whole."""
HALVES = (10, 16)
"""The numbers of the types float16 and bfloat16."""
_PASSED = ("Identity", "Dropout")
_FLATTENING = ("Flatten", "Reshape", "Squeeze", "Unsqueeze")
_PIECES = 24
"""Nodes that one activation may be written in."""
_LONGEST = 512
"""Nodes from the output back to the input; pieces of one activation count as one."""
_DEEPEST = 64
"""Nodes, one after another, that a constant may be made by."""


def of_file(file: Checkpoint) -> Chain:
    """The layers in an ONNX file, with the weights that it keeps in other files. Raises `FileError`."""
    path = file.path
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise MissingExtra("onnx", "onnx") from None
    size = path.stat().st_size
    if size > LARGEST:
        raise FileError(
            f"{quoted(path)} has {size:,} bytes, too many to load: expected at most {LARGEST:,}",
            help="gn.open(path) reads it lazily",
        )
    try:
        model = onnx.load(path, load_external_data=False)
    except (DecodeError, OSError, ValueError) as problem:
        raise FileError(
            f"{quoted(path)} is no readable ONNX file: {printable(problem)}", help="export it again"
        ) from problem
    try:
        found = _Graph(model, file).chain()
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as problem:
        if isinstance(problem, GlassnetError):
            raise
        raise FileError(
            f"the graph in {quoted(path)} does not follow the ONNX standard: {printable(problem)}",
            help="onnx.checker.check_model(path) shows more",
        ) from problem
    from glassnet.files.metadata import described

    return Chain(*described(found.layers, {entry.key: entry.value for entry in model.metadata_props}, found.schema))


class _Graph:
    def __init__(self, model: Any, tensors: Checkpoint) -> None:
        graph = model.graph
        self.tensors = tensors
        self.stored = {tensor.name: tensor for tensor in graph.initializer}
        self.maker = {name: node for node in graph.node for name in node.output if name}
        self.inputs = {value.name: value for value in graph.input if value.name not in self.stored}
        self.outputs = [value.name for value in graph.output]
        self.halves = any(tensor.data_type in HALVES for tensor in graph.initializer)
        self._constants: dict[str, Array | None] = {}
        self._depth = 0

    def chain(self) -> Chain:
        """The chain that ends in one of the outputs (some models give a label and its probabilities)."""
        found, problem = [], None
        for output in self.outputs:
            try:
                found.append(self._back_from(output))
            except InTheWay as error:
                problem = problem or error
        if found:
            return max(found, key=lambda one: len(one.layers))
        raise problem or InTheWay("a graph without outputs")

    def _back_from(self, value: str) -> Chain:
        steps: list[Step] = []
        for _ in range(_LONGEST):
            if value in self.inputs:
                return assemble(reversed(steps), _shape_of(self.inputs[value]))
            node = self.maker.get(value)
            if node is None:
                raise InTheWay(f"{value!r}, which no node makes")
            step, value = self._step(node, value)
            if step is not None:
                steps.append(step)
        raise InTheWay(f"a path of more than {_LONGEST} nodes, or one that runs in circles")

    def _step(self, node: Any, value: str) -> tuple[Step | None, str]:
        """What this node does, and the value that it does it to."""
        name, kind = called(node), node.op_type
        if node.domain not in ("", "ai.onnx"):
            raise InTheWay(f"{name}, of domain {node.domain}")
        if kind == "QuantizeLinear" or (kind == "DequantizeLinear" and self.constant(value) is None):
            raise InTheWay(f"{name}, which rounds what flows from layer to layer to 8 bits", "load the float model")
        if kind == "Cast" and attribute(node, "to", 0) in HALVES and not self.halves:
            raise InTheWay(f"{name}, which rounds to 16 bits what flows between layers of 32", "load the float model")
        if kind in _PASSED or (kind == "Cast" and attribute(node, "to", 0) in FLOATS):
            return None, node.input[0]
        if kind in _FLATTENING:
            return Flatten(name), node.input[0]
        if kind == "BatchNormalization":
            parts = [self._needed(node, i) for i in range(1, 5)]
            gamma, beta, mean, variance = parts
            epsilon = attribute(node, "epsilon", 1e-5)
            return batch_norm(name, mean, variance, epsilon, gamma, beta), node.input[0]
        if kind == "Gemm":
            return self._gemm(node)
        if kind == "MatMul" and (weights := self.constant(node.input[1])) is not None:
            return Dense(name, weights.T if weights.ndim == 2 else weights), node.input[0]
        of_row = of_rows(kind, name)
        if of_row is not None:
            if attribute(node, "axis", -1) not in (-1, 1):
                raise InTheWay(f"{name} over axis {attribute(node, 'axis', -1)}")
            return of_row, node.input[0]
        return self._elementwise(node, value)

    def _gemm(self, node: Any) -> tuple[Step, str]:
        name = called(node)
        weights = self._needed(node, 1)
        if weights.ndim != 2 or attribute(node, "transA", 0):
            raise InTheWay(f"{name}, which is no dense layer")
        weights = weights if attribute(node, "transB", 0) else weights.T
        alpha, beta = attribute(node, "alpha", 1.0), attribute(node, "beta", 1.0)
        weights = weights if alpha == 1 else weights * weights.dtype.type(alpha)
        biases = None
        if len(node.input) > 2 and node.input[2]:
            biases = self._needed(node, 2)
            biases = np.broadcast_to(biases.reshape(-1) if biases.size > 1 else biases.reshape(()), weights.shape[:1])
            biases = biases if beta == 1 else biases * biases.dtype.type(beta)
        return Dense(name, weights, biases), node.input[0]

    def _elementwise(self, node: Any, value: str) -> tuple[Step, str]:
        """A squish, perhaps in pieces; else a factor or a summand for each number."""
        for source in self._sources(value):
            squish = known_squish(lambda x, source=source: self._computed(value, source, x))  # type: ignore[misc]
            if squish not in (None, PLAIN):
                assert squish is not None
                return Squish(called(node), squish), source
        flowing = [name for name in node.input if name and self.constant(name) is None]
        if node.op_type in ("Add", "Sub", "Mul", "Div") and len(flowing) == 1:
            return self._affine(node, flowing[0])
        if len(flowing) > 1:
            raise InTheWay(f"{called(node)}, where {len(flowing)} branches meet")
        raise InTheWay(called(node))

    def _affine(self, node: Any, flow: str) -> tuple[Step, str]:
        first = node.input[0] == flow
        constant = self.constant(node.input[1 if first else 0])
        assert constant is not None
        constant = constant.astype(np.float64)
        one, none = np.ones(()), np.zeros(())
        if node.op_type == "Div" and not first:
            raise InTheWay(f"{called(node)}, which divides by what comes in")
        scale, shift = {
            "Add": (one, constant),
            "Sub": (one, -constant) if first else (-one, constant),
            "Mul": (constant, none),
            "Div": (1 / constant if constant.all() else constant, none),
        }[node.op_type]
        if node.op_type == "Div" and not constant.all():
            raise InTheWay(f"{called(node)}, which divides by zero")
        return Affine(called(node), scale, shift), flow

    # ActivationAlternatives in pieces

    def _sources(self, value: str) -> list[str]:
        """The values from which alone `value` is computed number by number, the nearest first."""
        reached: dict[str, None] = {}
        edge: list[str] = [value]
        sources: list[str] = []
        while edge and len(reached) < _PIECES:
            # Of the values on the edge, take apart one that no other on the edge is made from.
            at = next((e for e in edge if not any(e in self._ancestors(o) for o in edge if o != e)), edge[0])
            edge.remove(at)
            node = self.maker.get(at)
            if node is None or node.op_type not in ELEMENTWISE or at in self.inputs:
                break
            reached[at] = None
            for name in node.input:
                constant = self.constant(name) if name else None
                if constant is None and name and name not in edge:
                    edge.append(name)
                elif constant is not None and constant.size != 1 and not (constant == constant.flat[0]).all():
                    return sources
            if len(edge) == 1:
                sources.append(edge[0])
        return sources

    def _ancestors(self, value: str) -> set[str]:
        """The values that `value` is made from, as far as single numbers go."""
        seen: set[str] = set()
        waiting = [value]
        while waiting and len(seen) < 4 * _PIECES:
            node = self.maker.get(waiting.pop())
            if node is not None and node.op_type in ELEMENTWISE:
                fresh = [name for name in node.input if name and name not in seen]
                seen.update(fresh)
                waiting += fresh
        return seen

    def _computed(self, value: str, source: str, x: Array) -> Array:
        done: dict[str, Array] = {source: x}

        def of(name: str) -> Array:
            if name not in done:
                constant = self.constant(name)
                if constant is not None:
                    done[name] = np.asarray(constant.flat[0] if constant.size else np.nan, np.float64)
                else:
                    node = self.maker[name]
                    done[name] = elementwise(node, [of(i) for i in node.input if i])
            return done[name]

        try:
            return of(value)
        except (TypeError, IndexError, RecursionError, AttributeError):  # a node with other inputs than its kind has
            return np.full(1, np.nan)

    # Constants

    def _needed(self, node: Any, position: int) -> Array:
        constant = self.constant(node.input[position]) if position < len(node.input) else None
        if constant is None:
            raise InTheWay(f"{called(node)}, whose weights are no constants")
        return constant

    def constant(self, name: str) -> Array | None:
        """The array of this name if it depends on no input; else None."""
        if name not in self._constants:
            self._constants[name] = None  # against circles
            self._depth += 1
            self._constants[name] = self._read(name) if self._depth <= _DEEPEST else None
            self._depth -= 1
        return self._constants[name]

    def _read(self, name: str) -> Array | None:
        if name in self.stored:
            return self._array(self.stored[name])
        node = self.maker.get(name)
        if node is None:
            return None
        if node.op_type == "Constant":
            return self._constant_node(node, name)
        if node.op_type == "DequantizeLinear":
            return self._dequantised(node)
        if node.op_type in ("Identity", "Transpose", "Cast", "Unsqueeze", "Squeeze", "Reshape"):
            before = self.constant(node.input[0])
            if before is None:
                return None
            if node.op_type == "Transpose":
                order = attribute(node, "perm", None)
                return before.transpose(order if order is None or sorted(order) == list(range(before.ndim)) else None)
            if node.op_type == "Reshape":
                return self._reshaped(node, before)
            if node.op_type == "Squeeze":
                return before.reshape([side for side in before.shape if side != 1])
            return before
        return None

    def _dequantised(self, node: Any) -> Array | None:
        """Constant codes as weights."""
        parts = [self.constant(name) if name else None for name in node.input]
        if any(part is None for part, name in zip(parts, node.input, strict=True) if name):
            return None
        codes, scale, zero = [*parts, None, None][:3]
        assert codes is not None
        assert scale is not None
        keys = {"scale": scale} | ({"zero": zero} if zero is not None else {})
        setting = attribute(node, "axis", 1), attribute(node, "block_size", 0)
        return quantised.computed("onnx", codes.shape, codes, keys, setting)

    def _reshaped(self, node: Any, before: Array) -> Array | None:
        shape = self.constant(node.input[1])
        if shape is None:
            return None
        sides = [int(side) or before.shape[i] for i, side in enumerate(shape.tolist())]
        try:
            return before.reshape(sides)
        except ValueError:
            raise InTheWay(f"{called(node)}, which makes {sides} of {list(before.shape)}") from None

    def _constant_node(self, node: Any, name: str) -> Array | None:
        for given in node.attribute:
            if given.name == "value":
                return self._array(given.t, name)
            if given.name in ("value_float", "value_int"):
                return np.asarray(given.f if given.name == "value_float" else given.i)
            if given.name in ("value_floats", "value_ints"):
                return np.asarray(list(given.floats or given.ints))
        return None

    def _array(self, tensor: Any, name: str | None = None) -> Array:
        from onnx import TensorProto, numpy_helper

        if tensor.data_location == TensorProto.EXTERNAL:
            return self.tensors.array(tensor.name or str(name))
        try:
            array = np.asarray(numpy_helper.to_array(tensor))
        except Exception as problem:  # the package raises many kinds for tensors whose parts do not fit
            raise FileError(
                f"tensor {quoted(tensor.name or name)} does not hold the numbers that its shape promises: "
                f"{printable(problem)}",
                help="export the model again",
            ) from problem
        return array.astype(np.float32) if array.dtype.kind not in "biuf" or array.dtype == np.float16 else array


def _shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of one example of a graph's input, if it is known."""
    tensor = value.type.tensor_type
    if not tensor.HasField("shape") or len(tensor.shape.dim) < 2:
        return None
    sides = tuple(int(side.dim_value) for side in tensor.shape.dim[1:])
    return sides if min(sides) > 0 else None
