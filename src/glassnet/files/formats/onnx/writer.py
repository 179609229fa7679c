"""ONNX, opset 17: one Gemm a layer, and its squish; `inputs` (batch, fan_in) to `outputs` (batch, fan_out).

Inputs are raw: stored pixels as floats, columns in their units. The preprocessing is folded into the first layer; the
metadata names columns, classes and what a missing number becomes.
ActivationAlternatives that opset 17 lacks are written in pieces.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.activations import ACTIVATIONS, Activation, activation
from glassnet.errors import MissingExtra, SettingError
from glassnet.files.formula_text import formula_of, known_parts
from glassnet.files.writing import folded, not_there, noted, title
from glassnet.formulas import Tree
from glassnet.names import PLAIN

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network

OPSET, IR_VERSION = 17, 8
_SINGLE_ONLY = frozenset({"Elu", "Selu", "Softplus", "HardSigmoid", "Erf"})
"""Nodes without a kernel for float64 in ONNX Runtime's CPU provider."""
_FLOAT = 1
"""TensorProto.FLOAT."""
LARGEST = (1 << 31) - (1 << 20)
"""Bytes: protobuf holds no more than 2 GB."""


def filling(network: "Network", path: Path) -> "Filling":
    return lambda name: Path(name).write_bytes(model(network).SerializeToString())


def model(network: "Network") -> Any:
    """The network as an onnx.ModelProto, checked by the onnx package."""
    try:
        import onnx
    except ImportError:
        raise MissingExtra("onnx", "onnx") from None
    if network.parameters.nbytes > LARGEST:
        raise SettingError(
            f"the parameters take {network.parameters.nbytes:,} bytes, and one ONNX file holds at most {LARGEST:,}",
            help="export to safetensors instead",
        )
    graph = _Graph(folded(network))
    from glassnet import __version__

    made = onnx.helper.make_model(
        graph.built(),
        producer_name="glassnet",
        producer_version=__version__,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    onnx.helper.set_model_props(made, noted(network))
    onnx.checker.check_model(made, full_check=True)
    return made


class _Graph:
    """Nodes and constants in the making."""

    def __init__(self, network: "Network") -> None:
        from onnx import TensorProto

        self.network = network
        self.dtype = np.dtype(network.dtype)
        self.type: int = TensorProto.DOUBLE if network.dtype == "float64" else TensorProto.FLOAT
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def built(self) -> Any:
        from onnx import helper

        value, last = "inputs", len(self.network.layers) - 1
        for i, layer in enumerate(self.network.layers):
            self.keep(f"{i}.weight", layer.weights)
            self.keep(f"{i}.bias", layer.biases)
            end = "outputs" if i == last else f"{i}.activations"
            self.layer = i
            plain = layer.activation == PLAIN
            sums = end if plain else f"{i}.pre_activations"
            self.add("Gemm", [value, f"{i}.weight", f"{i}.bias"], sums, transB=1)
            if not plain:
                self.squished(layer.activation, sums, end)
            value = end
        sides = self.network.sizes
        return helper.make_graph(
            self.nodes,
            title(self.network),
            [helper.make_tensor_value_info("inputs", self.type, ["batch", sides[0]])],
            [helper.make_tensor_value_info("outputs", self.type, ["batch", sides[-1]])],
            list(self.constants.values()),
        )

    def squished(self, name: str, sums: str, end: str) -> None:
        """The activation; in float32 where ONNX Runtime has its nodes for no other numbers."""
        of, before = activation(name), len(self.nodes)
        if self.dtype == np.float64:
            self._activation(of, sums, end)
            if not _SINGLE_ONLY & {node.op_type for node in self.nodes[before:]}:
                return
            del self.nodes[before:]
            whole, self.dtype, self.type = (self.dtype, self.type), np.dtype(np.float32), _FLOAT
            narrow = self.add("Cast", [sums], f"{sums}.float", to=_FLOAT)
            self._activation(of, narrow, f"{end}.float")
            self.dtype, self.type = whole
            self.add("Cast", [f"{end}.float"], end, to=self.type)
        else:
            self._activation(of, sums, end)

    def _activation(self, of: Activation, sums: str, end: str) -> None:
        if of.onnx is not None:
            kind, settings = of.onnx
            self.add(kind, [sums], end, **settings)
        elif of.by_row:
            raise not_there("ONNX", of.name, self.layer, [name for name, one in ACTIVATIONS.items() if one.onnx])
        else:
            _in_pieces(self, of, sums)
            self.nodes[-1].output[0] = end

    def keep(self, name: str, numbers: Any) -> str:
        from onnx import numpy_helper

        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(numbers, self.dtype), name)
        return name

    def number(self, value: float) -> str:
        return self.keep(f"{self.dtype} {value!r}", np.asarray(value))

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], f"{output}.{kind}", **attributes))
        return output

    def piece(self, kind: str, *inputs: str) -> str:
        """A step on the way, under a name of its own."""
        return self.add(kind, list(inputs), self.fresh())

    def fresh(self) -> str:
        return f"{self.layer}.piece.{len(self.nodes)}"


_NODES: Mapping[str, str] = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "power": "Pow",
    "maximum": "Max",
    "minimum": "Min",
    "where": "Where",
    "negative": "Neg",
    "positive": "Identity",
    "abs": "Abs",
    "sign": "Sign",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "tanh": "Tanh",
    "sin": "Sin",
    "cos": "Cos",
    "arctan": "Atan",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "equal": "Equal",
}
"""ONNX's nodes for the functions of a formula."""


def _in_pieces(graph: _Graph, of: Activation, z: str) -> str:
    """The value that the nodes of a formula make of z."""
    known = known_parts()
    made: dict[Tree, str] = {}

    def value(node: "Tree | float") -> str:
        if not isinstance(node, Tree):
            return graph.number(node)
        if node.function == "z":
            return z
        if node not in made:
            made[node] = _node(node)
        return made[node]

    def _node(node: Tree) -> str:
        part = known.get(node)
        if part is not None and part.onnx is not None:
            kind, settings = part.onnx
            return graph.add(kind, [z], graph.fresh(), **settings)
        inputs = [value(argument) for argument in node.arguments]
        if node.function == "expm1":
            return graph.piece("Sub", graph.piece("Exp", *inputs), graph.number(1))
        if node.function == "log1p":
            return graph.piece("Log", graph.piece("Add", *inputs, graph.number(1)))
        if node.function == "erfc":
            return graph.piece("Sub", graph.number(1), graph.piece("Erf", *inputs))
        if node.function == "not_equal":
            return graph.piece("Not", graph.piece("Equal", *inputs))
        return graph.piece(_NODES[node.function], *inputs)

    return value(formula_of(of, "onnx"))
