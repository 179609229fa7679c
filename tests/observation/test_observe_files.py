"""Observing ONNX files, Keras models and networks: every neuron adds up, and is what the engine computes."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_observe_torch import adds_up

import glassnet as gn
from glassnet.cli import main
from glassnet.errors import AddressError, FileError, InputError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

NODE = onnx.helper.make_node
FLOAT = onnx.TensorProto.FLOAT
RANDOM = np.random.default_rng(0)


def saved(path: Path, nodes: list[Any], constants: dict[str, Any], inputs: dict[str, Any], output: str = "y") -> Path:
    graph = onnx.helper.make_graph(
        nodes,
        "g",
        [onnx.helper.make_tensor_value_info(name, FLOAT, shape) for name, shape in inputs.items()],
        [onnx.helper.make_tensor_value_info(output, FLOAT, None)],
        [onnx.numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)], ir_version=9)
    onnx.save(model, path)
    return path


def numbers(*shape: int) -> Any:
    return RANDOM.normal(size=shape).astype(np.float32)


def picture_net(path: Path) -> Path:
    """Conv, ReLU, flatten, Gemm turned with alpha, GELU in pieces, MatMul and Add, softmax."""
    nodes = [
        NODE("Conv", ["x", "k", "kb"], ["c"], name="/conv/Conv", pads=[1, 1, 1, 1], strides=[2, 2], group=2),
        NODE("Relu", ["c"], ["r"]),
        NODE("Flatten", ["r"], ["f"]),
        NODE("Gemm", ["f", "w", "wb"], ["h"], name="/fc/Gemm", transB=1, alpha=0.5, beta=2.0),
        NODE("Div", ["h", "root"], ["d"]),
        NODE("Erf", ["d"], ["e"]),
        NODE("Add", ["e", "one"], ["p"]),
        NODE("Mul", ["h", "p"], ["m"]),
        NODE("Mul", ["m", "half"], ["a"]),
        NODE("MatMul", ["a", "u"], ["z"], name="/out/MatMul"),
        NODE("Add", ["z", "ub"], ["s"]),
        NODE("Softmax", ["s"], ["y"]),
    ]
    constants = {
        "k": numbers(4, 1, 3, 3), "kb": numbers(4), "w": numbers(24, 64) / 8, "wb": numbers(24), "u": numbers(24, 5),
        "ub": numbers(5), "root": np.float32(2**0.5), "one": np.float32(1), "half": np.float32(0.5),
    }  # fmt: skip
    return saved(path, nodes, constants, {"x": [None, 2, 8, 8]})


def test_every_neuron_of_an_onnx_file(tmp_path: Path) -> None:
    path, x = picture_net(tmp_path / "m.onnx"), numbers(2, 2, 8, 8)
    seen = gn.observe(path, x)
    assert [(layer.name, layer.kind, layer.activation) for layer in seen.layers] == [
        ("conv/Conv", "convolution", "relu"),
        ("fc/Gemm", "dense", "gelu"),
        ("out/MatMul", "dense", "softmax"),
    ]
    expected = onnxruntime.InferenceSession(path.read_bytes()).run(None, {"x": x})[0]
    assert np.allclose(seen.raw, expected, atol=1e-7)
    for layer in seen.layers:
        for k in range(layer.shape[0]):
            adds_up(layer.neuron(k))
    outputs = [seen.neuron("out/MatMul", k).activation for k in range(5)]
    assert outputs == pytest.approx(expected[-1].tolist(), abs=1e-6)
    for place in np.ndindex(4, 4):
        adds_up(seen.neuron("conv/Conv", 3, place))
    given = seen.attribution()
    assert sum(value for _, value in given.parts) == pytest.approx(given.total, abs=1e-12)
    assert given.neurons[0].layer == "fc/Gemm"


def test_gated_neurons_and_constants_that_are_computed(tmp_path: Path) -> None:
    nodes = [
        NODE("DequantizeLinear", ["q", "scale"], ["w"]),
        NODE("MatMul", ["x", "w"], ["g"], name="mlp.gate"),
        NODE("MatMul", ["x", "v"], ["u"], name="mlp.up"),
        NODE("Sigmoid", ["g"], ["s"]),
        NODE("Mul", ["g", "s"], ["silu"]),
        NODE("Mul", ["silu", "u"], ["h"]),
        NODE("MatMul", ["h", "d"], ["y"], name="mlp.down"),
    ]
    codes = RANDOM.integers(-127, 128, (6, 40)).astype(np.int8)
    constants = {"q": codes, "scale": np.float32(0.01), "v": numbers(6, 40), "d": numbers(40, 6)}
    path = saved(tmp_path / "m.onnx", nodes, constants, {"x": [1, 3, 6]})
    seen = gn.observe(path, numbers(1, 3, 6), position=1)
    layer = seen.layer("mlp")
    assert (layer.kind, layer.activation, layer.positions) == ("gated", "silu", (1,))
    for k in range(40):
        trace = layer.neuron(k, 1)
        adds_up(trace)
        assert trace.weights.tolist() == pytest.approx((codes[:, k] * 0.01).tolist(), rel=1e-6)


def test_what_cannot_be_looked_into_is_named(tmp_path: Path) -> None:
    inner = onnx.helper.make_graph(
        [NODE("MatMul", ["x", "w"], ["i"])], "then", [], [onnx.helper.make_tensor_value_info("i", FLOAT, None)]
    )
    nodes = [NODE("If", ["yes"], ["y"], then_branch=inner, else_branch=inner)]
    path = saved(tmp_path / "m.onnx", nodes, {"yes": np.array(True), "w": numbers(3, 3)}, {"x": [1, 3]})
    seen = gn.observe(path, numbers(1, 3))
    assert list(seen.layers) == []
    assert list(seen.unseen) == ["If with 2 nodes inside"]
    assert "not seen in any product: If with 2 nodes inside" in str(seen)
    assert len(seen.outputs) == 3


def test_the_command_observes_an_onnx_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = picture_net(tmp_path / "m.onnx")
    np.save(tmp_path / "x.npy", numbers(1, 2, 8, 8))
    command = ["observe", str(path), "--inputs", str(tmp_path / "x.npy")]
    assert main([*command, "--neuron", "fc/Gemm:3"]) == 0
    assert "fc/Gemm:3, gelu, 64 inputs" in capsys.readouterr().out
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    total = sum(part["contribution"] for part in found["parts"])
    assert total == pytest.approx(found["attribution"]["total"])
    assert main([*command, "--layer", "conv/Conv"]) == 0
    assert "convolution" in capsys.readouterr().out


def keras_model() -> Any:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential([
        layers.Input((8, 9, 2)),
        layers.Conv2D(4, (3, 2), strides=2, padding="same", activation="relu", name="conv"),
        layers.Conv2D(6, 2, groups=2, name="grouped"),
        layers.Flatten(),
        layers.Dense(20, activation="silu", name="hidden"),
        layers.Dense(3, activation="softmax", name="out"),
    ])  # fmt: skip
    for layer in model.layers:
        if layer.weights:
            layer.bias.assign(numbers(*layer.bias.shape))
    return model


def test_every_neuron_of_a_keras_model(tmp_path: Path) -> None:
    model, x = keras_model(), numbers(2, 8, 9, 2)
    calls, squishes = (
        [layer.call for layer in model.layers],
        [getattr(layer, "activation", 0) for layer in model.layers],
    )
    seen = gn.observe(model, x)
    assert [layer.call for layer in model.layers] == calls
    assert [getattr(layer, "activation", 0) for layer in model.layers] == squishes
    assert not any("call" in vars(layer) for layer in model.layers)
    assert [(layer.name, layer.kind, layer.activation) for layer in seen.layers] == [
        ("conv", "convolution", "relu"),
        ("grouped", "convolution", "identity"),
        ("hidden", "dense", "silu"),
        ("out", "dense", "softmax"),
    ]
    expected = keras.ops.convert_to_numpy(model(x))
    outputs = [seen.neuron("out", k).activation for k in range(3)]
    assert outputs == pytest.approx(expected[-1].tolist(), abs=1e-6)
    for layer in seen.layers:
        for k in range(layer.shape[0]):
            adds_up(layer.neuron(k))
    for place in np.ndindex(4, 5):
        adds_up(seen.neuron("conv", 1, place))
    model.save(tmp_path / "m.keras")
    again = gn.observe(tmp_path / "m.keras", x)
    assert [n.output for n in again.strongest()] == pytest.approx([n.output for n in seen.strongest()], rel=1e-5)


def test_code_in_a_keras_file_is_refused(tmp_path: Path) -> None:
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Lambda(lambda x: x + 1), keras.layers.Dense(2)])
    model.save(tmp_path / "m.keras")
    with pytest.raises(FileError, match="Keras cannot load"):
        gn.observe(tmp_path / "m.keras", np.ones((1, 2)))


def test_a_network_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = gn.Network.create("5-7-3", activation="tanh", seed=3)
    x = RANDOM.normal(size=(4, 5))
    seen = gn.observe(network, x)
    trace = network.trace(x)[3]
    for layer, width in ((0, 7), (1, 3)):
        for k in range(width):
            here, there = seen.neuron(str(layer), k), trace.neuron(layer, k)
            assert here.pre_activation == pytest.approx(there.pre_activation, rel=1e-6)
            assert here.activation == pytest.approx(there.activation, rel=1e-5, abs=1e-7)
            adds_up(here)
    network.save(tmp_path / "n.safetensors")
    np.save(tmp_path / "x.npy", x)
    assert main(["observe", str(tmp_path / "n.safetensors"), "--inputs", str(tmp_path / "x.npy")]) == 0
    assert "network 5-7-3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (np.ones((1, 3, 8, 8)), "cannot compute these inputs"),
        (np.full((1, 2, 8, 8), np.nan), "NaN or infinite values in x"),
        ({"z": np.ones(3)}, "inputs z: expected x"),
        ((np.ones(3), np.ones(3)), "2 inputs for a model that takes 1: x"),
        (["a"], "x of type <U1: expected real numbers"),
        ([[1, 2], [3]], "rows of different lengths in x"),
    ],
)
def test_bad_inputs_of_an_onnx_file(tmp_path: Path, inputs: Any, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(words)):
        gn.observe(picture_net(tmp_path / "m.onnx"), inputs)


def test_bad_input_has_one_clear_message(tmp_path: Path) -> None:
    path = picture_net(tmp_path / "m.onnx")
    x = numbers(1, 2, 8, 8)
    with pytest.raises(AddressError, match=r"(?s)no layer 'fc/Gem' among the 3 seen.*did you mean fc/Gemm"):
        gn.observe(path, x, layers=["fc/Gem"])
    with pytest.raises(AddressError, match="no place \\(9, 0\\) in conv/Conv: its outputs have the shape 4x4"):
        gn.observe(path, x).neuron("conv/Conv", 0, (9, 0))
    with pytest.raises(InputError, match="text for a model without a tokenizer"):
        gn.observe(path, text="a")
    with pytest.raises(InputError, match="text for a model without a tokenizer"):
        gn.observe(keras_model(), text="a")
    with pytest.raises(InputError, match="sequential.* cannot compute these inputs"):
        gn.observe(keras_model(), np.ones((1, 3)))
    nodes = [NODE("Gemm", ["x", "w"], ["y"], name="fc")]
    broken = saved(tmp_path / "b.onnx", nodes, {"w": numbers(3, 2)}, {"x": [1, 3]})
    model = onnx.load(broken)
    model.graph.node[0].op_type = "NoSuchOperation"
    onnx.save(model, broken)
    with pytest.raises(FileError, match="ONNX Runtime cannot run"):
        gn.observe(broken, np.ones((1, 3)))
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    with pytest.raises(FileError, match=r"cannot observe .*other.npz"):
        gn.observe(tmp_path / "other.npz", np.ones((1, 3)))
