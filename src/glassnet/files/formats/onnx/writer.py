"""ONNX, opset 17: one Gemm a layer, and its squish; `inputs` (batch, fan_in) to `outputs` (batch, fan_out).

Inputs are raw: stored pixels as floats, columns in their units. The preprocessing is folded into the first layer; the
metadata names columns, classes and what a missing number becomes.
ActivationAlternatives that opset 17 lacks are written in pieces.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.activations import GELU_CUBIC, GELU_ROOT, LEAK, SELU_ALPHA, SELU_SCALE
from glassnet.errors import MissingExtra, SettingError
from glassnet.files.writing import folded, noted, title

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network

OPSET, IR_VERSION = 17, 8
_SINGLE_ONLY = ("elu", "selu", "softplus", "gelu", "gelu_tanh", "mish", "hard_sigmoid")
"""Their nodes lack a kernel for float64 in ONNX Runtime's CPU provider."""
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
            got=f"{network.parameters.nbytes:,} bytes of parameters",
            expected=f"at most {LARGEST:,} in one ONNX file",
            do="export to safetensors instead",
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
            plain = layer.activation == "identity"
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

    def squished(self, squish: str, sums: str, end: str) -> None:
        """The squish; in float32 where ONNX Runtime has it for no other numbers."""
        if self.dtype == np.float64 and squish in _SINGLE_ONLY:
            whole, self.dtype, self.type = (self.dtype, self.type), np.dtype(np.float32), _FLOAT
            narrow = self.add("Cast", [sums], f"{sums}.float", to=_FLOAT)
            _SQUISHES[squish](self, narrow, f"{end}.float")
            self.dtype, self.type = whole
            self.add("Cast", [f"{end}.float"], end, to=self.type)
        else:
            _SQUISHES[squish](self, sums, end)

    def keep(self, name: str, numbers: Any) -> str:
        from onnx import numpy_helper

        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.ascontiguousarray(numbers, self.dtype), name)
        return name

    def number(self, value: float) -> str:
        return self.keep(f"{self.dtype} {value:g}", np.asarray(value))

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, [output], f"{output}.{kind}", **attributes))
        return output

    def piece(self, kind: str, *inputs: str) -> str:
        """A step on the way, under a name of its own."""
        return self.add(kind, list(inputs), f"{self.layer}.piece.{len(self.nodes)}")


def _one(kind: str, **attributes: Any) -> Callable[[_Graph, str, str], object]:
    return lambda graph, z, end: graph.add(kind, [z], end, **attributes)


def _gelu(g: _Graph, z: str, end: str) -> None:
    bend = g.piece("Erf", g.piece("Mul", z, g.number(2**-0.5)))
    g.add("Mul", [g.piece("Mul", z, g.number(0.5)), g.piece("Add", bend, g.number(1))], end)


def _gelu_tanh(g: _Graph, z: str, end: str) -> None:
    cube = g.piece("Mul", g.piece("Mul", z, z), z)
    inner = g.piece("Add", z, g.piece("Mul", cube, g.number(GELU_CUBIC)))
    bend = g.piece("Tanh", g.piece("Mul", inner, g.number(GELU_ROOT)))
    g.add("Mul", [g.piece("Mul", z, g.number(0.5)), g.piece("Add", bend, g.number(1))], end)


def _silu(g: _Graph, z: str, end: str) -> None:
    g.add("Mul", [z, g.piece("Sigmoid", z)], end)


def _mish(g: _Graph, z: str, end: str) -> None:
    g.add("Mul", [z, g.piece("Tanh", g.piece("Softplus", z))], end)


def _step(g: _Graph, z: str, end: str) -> None:
    g.add("Cast", [g.piece("Greater", z, g.number(0))], end, to=g.type)


_SQUISHES: Mapping[str, Callable[[_Graph, str, str], object]] = {
    "sigmoid": _one("Sigmoid"),
    "tanh": _one("Tanh"),
    "relu": _one("Relu"),
    "leaky_relu": _one("LeakyRelu", alpha=LEAK),
    "elu": _one("Elu", alpha=1.0),
    "selu": _one("Selu", alpha=SELU_ALPHA, gamma=SELU_SCALE),
    "softplus": _one("Softplus"),
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "silu": _silu,
    "mish": _mish,
    "hard_sigmoid": _one("HardSigmoid", alpha=1 / 6, beta=0.5),
    "step": _step,
    "softmax": _one("Softmax", axis=-1),
}
