"""The peers' forward passes: a network and inputs, ready to be asked over and over. Not for: training (`peers.py`)."""

from collections.abc import Callable
from typing import Any

import numpy as np

import glassnet as gn

Ask = Callable[[], Any]


def onnx_runtime(network: gn.Network, rows: np.ndarray, threads: int) -> Ask:
    """A session asked from Python, as its users do. Bytes are cast and scaled inside the graph."""
    import onnx
    import onnxruntime

    helper, kinds = onnx.helper, onnx.TensorProto
    as_bytes = rows.dtype == np.uint8
    nodes, constants, name = [], [], "x"
    if as_bytes:
        constants.append(onnx.numpy_helper.from_array(np.array(network.schema.scale, np.float32), "scale"))
        nodes += [helper.make_node("Cast", ["x"], ["cast"], to=kinds.FLOAT)]
        nodes += [helper.make_node("Mul", ["cast", "scale"], ["scaled"])]
        name = "scaled"
    for i, layer in enumerate(network.layers):
        constants.append(onnx.numpy_helper.from_array(layer.weights.copy(), f"w{i}"))
        constants.append(onnx.numpy_helper.from_array(layer.biases.copy(), f"b{i}"))
        nodes.append(helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], [f"z{i}"], transB=1))
        name = f"z{i}"
        if layer.activation == "relu":
            nodes.append(helper.make_node("Relu", [name], [f"a{i}"]))
            name = f"a{i}"
    fan_in, *_, fan_out = network.sizes
    x = helper.make_tensor_value_info("x", kinds.UINT8 if as_bytes else kinds.FLOAT, [None, fan_in])
    y = helper.make_tensor_value_info(name, kinds.FLOAT, [None, fan_out])
    graph = helper.make_graph(nodes, "network", [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": rows})[0]


def pytorch(network: gn.Network, rows: np.ndarray, threads: int) -> Ask:
    """Eager, in inference mode; bytes are cast and scaled first."""
    import torch

    net = torch.nn.Sequential()
    for layer in network.layers:
        linear = torch.nn.Linear(*reversed(layer.weights.shape))
        linear.weight.data = torch.from_numpy(layer.weights.copy())
        linear.bias.data = torch.from_numpy(layer.biases.copy())
        net.append(linear)
        if layer.activation == "relu":
            net.append(torch.nn.ReLU())
    net.eval()
    inputs = torch.from_numpy(np.array(rows))
    scale = network.schema.scale

    torch.set_num_threads(threads)

    @torch.inference_mode()
    def ask() -> np.ndarray:
        return net(inputs.float() * scale if inputs.dtype == torch.uint8 else inputs).numpy()

    return ask


ASKED = {"ONNX Runtime": onnx_runtime, "PyTorch": pytorch}
