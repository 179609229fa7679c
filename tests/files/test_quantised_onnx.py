"""ONNX files with quantised weights, as onnxruntime's own tools write them."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import glassnet as gn
from glassnet.files.layer_graph import InTheWay

quantization = pytest.importorskip("onnxruntime.quantization")


def draw(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def saved(
    path: Path, nodes: list[Any], constants: dict[str, np.ndarray], x: list[Any], y: list[Any], kind: int = 1
) -> Path:
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", kind, x)], [helper.make_tensor_value_info("y", 1, y)],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    domains = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=domains, ir_version=10), path)
    return path


def mlp(path: Path) -> Path:
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"]), helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "v"], ["y"]),
    ]  # fmt: skip
    return saved(path, nodes, {"w": draw(32, 16), "b": draw(16), "v": draw(16, 4)}, ["n", 32], ["n", 4])


def test_lstms_quantised_while_running_count_whole(tmp_path: Path) -> None:
    node = helper.make_node("LSTM", ["x", "w", "r", "b"], ["", "h"], hidden_size=8)
    squeezed = helper.make_node("Identity", ["h"], ["y"])
    constants = {"w": draw(1, 32, 16), "r": draw(1, 32, 8), "b": draw(1, 64)}
    path = saved(tmp_path / "f.onnx", [node, squeezed], constants, ["t", 1, 16], [1, 1, 8])
    quantization.quantize_dynamic(path, tmp_path / "q.onnx")
    assert any(n.op_type == "DynamicQuantizeLSTM" for n in onnx.load(tmp_path / "q.onnx").graph.node)
    assert gn.count(tmp_path / "q.onnx").total == gn.count(path).total == 832


def test_tables_of_codes_count_as_weights(tmp_path: Path) -> None:
    nodes = [helper.make_node("Gather", ["t", "x"], ["e"]), helper.make_node("MatMul", ["e", "w"], ["y"])]
    constants = {"t": draw(50, 16), "w": draw(16, 4)}
    path = saved(tmp_path / "f.onnx", nodes, constants, ["n"], ["n", 4], TensorProto.INT64)
    quantization.quantize_dynamic(path, tmp_path / "q.onnx")
    assert gn.count(tmp_path / "q.onnx").total == gn.count(path).total == 50 * 16 + 16 * 4


class Reader(quantization.CalibrationDataReader):  # type: ignore[misc, name-defined]
    def __init__(self) -> None:
        self.left = [{"x": draw(4, 32)} for _ in range(3)]

    def get_next(self) -> Any:
        return self.left.pop() if self.left else None


@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
def test_static_quantisation_counts_and_reads_weights(tmp_path: Path, form: str, refused: Any) -> None:
    path = mlp(tmp_path / "f.onnx")
    quantization.quantize_static(
        path, tmp_path / "q.onnx", Reader(), quant_format=quantization.QuantFormat[form], per_channel=True
    )
    assert gn.count(tmp_path / "q.onnx").total == gn.count(path).total == 32 * 16 + 16 + 16 * 4
    if form == "QDQ":
        with gn.open(tmp_path / "q.onnx") as file:
            got = file.neuron("w_quantized", 3).weights
        np.testing.assert_allclose(got, draw(32, 16)[:, 3], atol=0.02)
        with refused(InTheWay):
            gn.load(tmp_path / "q.onnx")


def test_dynamic_quantisation_counts_weights(tmp_path: Path) -> None:
    path = mlp(tmp_path / "f.onnx")
    quantization.quantize_dynamic(path, tmp_path / "q.onnx")
    assert gn.count(tmp_path / "q.onnx").total == gn.count(path).total


def test_weights_alone_in_codes_are_loaded(tmp_path: Path) -> None:
    codes, scale = np.arange(12, dtype=np.int8).reshape(3, 4), np.float32([0.5, 1, 2, 4])
    nodes = [
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["w"], axis=1),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    constants = {"q": codes, "s": scale, "z": np.int8([1, 0, 0, 0])}
    path = saved(tmp_path / "m.onnx", nodes, constants, ["n", 3], ["n", 4])
    x = draw(5, 3)
    (want,) = ReferenceEvaluator(str(path)).run(None, {"x": x})  # onnxruntime's own kernel rounds the inputs too
    np.testing.assert_allclose(gn.load(path).predict(x).outputs, want, rtol=1e-5, atol=1e-5)
    with gn.open(path) as file:
        assert file.neuron("q", 0).weights.tolist() == [-0.5, 1.5, 3.5]


@pytest.mark.parametrize("zeros", [False, True])
def test_four_bits_in_blocks_are_onnxruntimes_own(tmp_path: Path, zeros: bool) -> None:
    rng = np.random.default_rng(0)
    constants = {"q": rng.integers(0, 256, (6, 2, 16), np.uint8), "s": draw(12)}
    if zeros:
        constants["z"] = rng.integers(0, 256, 6, np.uint8)
    node = helper.make_node(
        "MatMulNBits", ["x", *constants], ["y"], domain="com.microsoft", K=64, N=6, bits=4, block_size=32
    )
    path = saved(tmp_path / "m.onnx", [node], constants, ["n", 64], ["n", 6])
    (want,) = ort.InferenceSession(path).run(None, {"x": np.eye(64, dtype=np.float32)})
    with gn.open(path) as file:
        assert file.count().total == 6 * 64
        np.testing.assert_allclose(file.weights("q"), want.T, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(file.neuron("q", 2).weights, want[:, 2], rtol=1e-4, atol=1e-4)


def test_tables_in_blocks_count_as_weights(tmp_path: Path) -> None:
    node = helper.make_node(
        "GatherBlockQuantized", ["q", "x", "s"], ["y"], domain="com.microsoft", bits=4, block_size=32, quantize_axis=1
    )
    constants = {"q": np.zeros((50, 32), np.uint8), "s": draw(50, 2)}
    path = saved(tmp_path / "m.onnx", [node], constants, ["n"], ["n", 64], TensorProto.INT64)
    assert gn.count(path).total == 50 * 64


@pytest.mark.parametrize("node", ["initializer", "Constant"])
def test_a_bias_of_one_number_is_learnt_wherever_it_lies(tmp_path: Path, node: str) -> None:
    constants = {"w": draw(4, 1), "b": draw(1)}
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"])]
    if node == "Constant":
        made = [helper.make_node("Constant", [], [n], value=numpy_helper.from_array(v)) for n, v in constants.items()]
        nodes, constants = made + nodes, {}
    assert gn.count(saved(tmp_path / "m.onnx", nodes, constants, ["n", 4], ["n", 1])).total == 5


def test_a_cast_to_half_is_not_passed_over(tmp_path: Path, refused: Any) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["a"], to=TensorProto.FLOAT16),
        helper.make_node("Cast", ["a"], ["c"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["c", "w"], ["y"]),
    ]
    path = saved(tmp_path / "m.onnx", nodes, {"w": draw(3, 4)}, ["n", 3], ["n", 4])
    with refused(InTheWay):
        gn.load(path)


def test_softmax_of_an_activation_is_a_layer_that_passes_it_on(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Gemm", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Softmax", ["r"], ["y"]),
    ]  # fmt: skip
    path = saved(tmp_path / "m.onnx", nodes, {"w": draw(3, 4)}, ["n", 3], ["n", 4])
    x = draw(5, 3)
    (want,) = ort.InferenceSession(path).run(None, {"x": x})
    network = gn.load(path)
    np.testing.assert_allclose(network.predict(x).outputs, want, rtol=1e-5, atol=1e-6)
    assert network.sizes == (3, 4, 4)
