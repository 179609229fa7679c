"""ONNX: what the `onnx` package writes is counted and read as it reads it; files made to mislead are refused."""

import contextlib
import importlib.util
import os
import subprocess
import sys
import time
import tracemalloc
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassnet.errors import AddressError, FileError, GlassnetError
from glassnet.files import open_checkpoint
from glassnet.files.formats.onnx import reader
from glassnet.files.formats.onnx.reader import open_file, recognises

onnx = import_module("onnx")
helper, numpy_helper, T = onnx.helper, onnx.numpy_helper, onnx.TensorProto


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def graph(nodes, initializers=(), name="g", sparse=()):
    value = helper.make_tensor_value_info
    ends = [value("x", T.FLOAT, None)], [value("y", T.FLOAT, None)]
    return helper.make_graph(nodes, name, *ends, list(initializers), sparse_initializer=list(sparse))


def model_of(nodes=(), initializers=(), functions=(), **more):
    return helper.make_model(graph(list(nodes), initializers, **more), functions=list(functions), producer_name="tests")


def save(path, model):
    path.write_bytes(model.SerializeToString())
    return path


def tensor(array, name="w"):
    return numpy_helper.from_array(np.asarray(array), name)


def every_tensor(graph):
    """All tensors in a graph and in the bodies of its nodes, with the output of Constant nodes as their name."""
    yield from ((t.name, t) for t in graph.initializer)
    for sparse in graph.sparse_initializer:
        yield from ((sparse.values.name, sparse.values), (None, sparse.indices))
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield node.output[0] if node.op_type == "Constant" else None, attribute.t
            yield from ((None, t) for t in attribute.tensors)
            for body in [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]:
                yield from every_tensor(body)


def agree(path):
    """Our counts and numbers are those of the package; returns how many tensors were compared."""
    checkpoint, theirs = open_file(path), list(every_tensor(onnx.load(path).graph))
    assert sum(info.count for info in checkpoint.tensors.values()) == sum(int(np.prod(t.dims)) for _, t in theirs)
    compared = 0
    for name, tensor in theirs:
        if name in checkpoint.tensors and tensor.data_type != T.STRING:
            array, ours = numpy_helper.to_array(tensor), checkpoint.array(name)
            assert ours.shape == array.shape
            np.testing.assert_array_equal(ours, array.astype(ours.dtype))
            compared += 1
    return compared


# Real files


def package_files(package, pattern):
    spec = importlib.util.find_spec(package)
    folder = Path(spec.origin).parent if spec and spec.origin else None
    return sorted(folder.glob(pattern)) if folder else []


def test_the_models_that_the_package_carries():
    files = package_files("onnx", "backend/test/data/**/*.onnx")
    assert len(files) > 50
    assert sum(agree(path) for path in files) > 500


def test_a_real_model_that_another_package_carries():
    """Magika, which tells files by their content: weights in Constant nodes and initializers."""
    files = package_files("magika", "models/*/*.onnx")
    assert files
    assert all(agree(path) for path in files if not onnx.load(path).functions)


def test_coefficients_of_a_linear_classifier():
    files = package_files("onnxruntime", "datasets/logreg_iris.onnx")
    tensors = open_file(files[0]).tensors
    assert sum(info.count for info in tensors.values() if info.role == "parameter") == 4 * 3 + 3


@pytest.mark.parametrize("trained", [True, False])
def test_torchs_own_export(tmp_path, trained):
    """A module written by PyTorch's exporter has as many parameters as PyTorch says.

    Untrained its statistics are equal to its scales and shifts: the exporter keeps one of each, for both.
    """
    torch = import_module("torch")
    layers = [torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.BatchNorm1d(5), torch.nn.Linear(5, 3)]
    if trained:
        layers[2](torch.randn(9, 5))
    module = torch.nn.Sequential(*layers).eval()
    path = tmp_path / "m.onnx"
    options = {"do_constant_folding": False, "training": torch.onnx.TrainingMode.PRESERVE}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, torch.zeros(2, 6), path, dynamo=False, **options)
    checkpoint = open_file(path)
    parameters = [info for info in checkpoint.tensors.values() if info.role == "parameter"]
    assert sum(info.count for info in parameters) == sum(p.numel() for p in module.parameters())
    if trained:
        assert checkpoint.tensors["2.running_mean"].role == "statistic"
    weight = checkpoint.tensors["0.weight"]
    assert (weight.shape, weight.neurons_in) == ((5, 6), "rows")
    np.testing.assert_array_equal(checkpoint.rows("0.weight", 2), module[0].weight[2].detach().numpy())


# What is found


def test_a_file_is_told_by_its_content_and_says_what_it_is(tmp_path):
    model = model_of([helper.make_node("MatMul", ["x", "w"], ["y"])], [tensor(draw((4, 3)))])
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    helper.set_model_props(model, {"author": "someone"})
    checkpoint = open_checkpoint(save(tmp_path / "model.bin", model))
    assert checkpoint.format == "ONNX"
    assert checkpoint.metadata["producer"] == "tests"
    assert checkpoint.metadata["author"] == "someone"
    assert checkpoint.metadata["opset"].endswith(", com.microsoft 1")
    info = checkpoint.tensors["w"]
    assert (info.shape, info.dtype, info.bytes, info.role) == ((4, 3), "float32", 48, "parameter")


@pytest.mark.parametrize(
    "other", [b"", b"\x08", b"GGUF" + b"\0" * 60, b":a" + b"text" * 50, b"\x08\x01\x12\x03abc", b"PK\3\4"]
)
def test_other_files_are_not_taken_for_it(tmp_path, other):
    path = tmp_path / "file"
    path.write_bytes(other)
    assert not recognises(other[:64], path)


def test_a_model_written_in_another_order_is_recognised(tmp_path):
    whole = model_of(initializers=[tensor(draw(3))])
    path = tmp_path / "m"
    path.write_bytes(onnx.ModelProto(graph=whole.graph).SerializeToString() + b"\x08\x07")
    assert recognises(path.read_bytes()[:64], path)
    assert open_checkpoint(path).tensors["w"].count == 3


DTYPES = [number for number, name in reader.TYPES.items() if name != "string"]


@pytest.mark.parametrize("raw", [True, False])
@pytest.mark.parametrize("kind", DTYPES, ids=lambda kind: reader.TYPES[kind])
def test_each_type_raw_and_typed(tmp_path, kind, raw):
    if raw and kind in (T.COMPLEX64, T.COMPLEX128):
        made = tensor(draw((3, 5)).astype("c8" if kind == T.COMPLEX64 else "c16"))
    else:
        values = (draw((3, 5)) * 3).astype(np.float64)
        if reader.TYPES[kind].startswith(("uint", "bool")):
            values = np.abs(values).astype(int)
        dtype = helper.tensor_dtype_to_np_dtype(kind)
        made = numpy_helper.from_array(values.astype(dtype), "w")
        if not raw:
            if kind in (T.UINT2, T.INT2):
                pytest.skip("the package writes these raw")
            made = helper.make_tensor("w", kind, (3, 5), values.astype(dtype).reshape(-1).tolist())
            assert not made.raw_data
    checkpoint = open_file(save(tmp_path / "m.onnx", model_of(initializers=[made])))
    array = numpy_helper.to_array(made)
    info = checkpoint.tensors["w"]
    assert info.dtype == reader.TYPES[kind]
    whole = checkpoint.array("w")
    np.testing.assert_array_equal(whole, array.astype(whole.dtype))
    for row in range(3):
        np.testing.assert_array_equal(checkpoint.rows("w", row), whole[row])
    np.testing.assert_array_equal(checkpoint.rows("w", slice(None, None, -2)), whole[::-2])
    for column in range(5):
        np.testing.assert_array_equal(checkpoint.column("w", column), whole[:, column])
    np.testing.assert_array_equal(checkpoint.flat("w", 2, 11), whole.reshape(-1)[2:11])


def test_long_typed_numbers_are_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr("glassnet.files.stored_tensors._PIECE", 37)
    values = np.random.default_rng(0).integers(-(2**62), 2**62, (40, 7)) >> np.arange(280).reshape(40, 7) % 62
    made = helper.make_tensor("w", T.INT64, (40, 7), values.reshape(-1).tolist())
    checkpoint = open_file(save(tmp_path / "m.onnx", model_of(initializers=[made])))
    np.testing.assert_array_equal(checkpoint.array("w"), values)
    np.testing.assert_array_equal(checkpoint.rows("w", slice(11, 30)), values[11:30])
    np.testing.assert_array_equal(checkpoint.column("w", 6), values[:, 6])


@pytest.mark.parametrize(
    ("node", "way"),
    [
        (helper.make_node("Gemm", ["x", "w"], ["y"], transB=1), "rows"),
        (helper.make_node("Gemm", ["x", "w"], ["y"]), "columns"),
        (helper.make_node("MatMul", ["x", "w"], ["y"]), "columns"),
        (helper.make_node("MatMul", ["w", "x"], ["y"]), "rows"),
        (helper.make_node("Gather", ["w", "x"], ["y"]), None),
    ],
)
def test_nodes_tell_where_neurons_lie(tmp_path, node, way):
    path = save(tmp_path / "m.onnx", model_of([node], [tensor(draw((4, 3)))]))
    assert open_file(path).tensors["w"].neurons_in == way


def test_nodes_tell_which_bias_belongs_to_a_weight(tmp_path):
    body = graph(
        [helper.make_node("MatMul", ["x", "w"], ["p"]), helper.make_node("Add", ["b", "p"], ["z"])],
        [tensor(draw((4, 3), 1)), tensor(draw(3, 1), "b")],
        "body",
    )
    nodes = [
        helper.make_node("Transpose", ["v"], ["vt"]),
        helper.make_node("Gemm", ["x", "vt", "of v"], ["h"]),
        helper.make_node("MatMul", ["h", "w"], ["p"]),
        helper.make_node("Add", ["p", "x"], ["r"]),
        helper.make_node("If", ["c"], ["y"], name="choice", then_branch=body, else_branch=body),
    ]
    initializers = [
        tensor(draw((3, 4)), "v"),
        tensor(draw(3), "of v"),
        tensor(draw((3, 4))),
        tensor(np.array(True), "c"),
    ]
    checkpoint = open_file(save(tmp_path / "m.onnx", model_of(nodes, initializers)))
    biases = {name: info.bias for name, info in checkpoint.tensors.items() if len(info.shape) == 2}
    assert biases == {
        "v": "of v",
        "w": None,
        "choice/then_branch/w": "choice/then_branch/b",
        "choice/else_branch/w": "choice/else_branch/b",
    }
    neuron = checkpoint.neuron("v", 1)
    assert (neuron.bias_name, neuron.bias) == ("of v", draw(3)[1])
    np.testing.assert_array_equal(neuron.weights, draw((3, 4))[1])


def test_a_weight_is_followed_through_transposes_and_out_of_bodies(tmp_path):
    body = graph([helper.make_node("MatMul", ["x", "wt"], ["z"])], name="body")
    nodes = [
        helper.make_node("Transpose", ["w"], ["wt0"], perm=[1, 0]),
        helper.make_node("Identity", ["wt0"], ["wt"]),
        helper.make_node("If", ["c"], ["y"], name="choice", then_branch=body, else_branch=body),
    ]
    path = save(tmp_path / "m.onnx", model_of(nodes, [tensor(draw((4, 3))), tensor(np.array(True), "c")]))
    assert open_file(path).tensors["w"].neurons_in == "rows"


def test_constants_bodies_functions_and_lists_are_found(tmp_path):
    def branch(seed):
        constant = helper.make_node("Constant", [], ["inner"], value=tensor(draw((2, 3), seed), "ignored"))
        return graph(
            [constant, helper.make_node("MatMul", ["x", "inner"], ["z"])], [tensor(draw(5, seed), "b")], "body"
        )

    loop = graph([helper.make_node("Add", ["x", "s"], ["z"])], [tensor(draw(7), "s")], "loop")
    function = helper.make_function(
        "own", "Layer", ["x"], ["y"], [helper.make_node("Constant", [], ["k"], value=tensor(draw(11)))], []
    )
    nodes = [
        helper.make_node("If", ["c"], ["y1"], name="choice", then_branch=branch(1), else_branch=branch(2)),
        helper.make_node("Loop", ["n", "c"], ["y2"], body=loop),
        helper.make_node("Constant", [], ["floats"], value_floats=[1.5, 2.5, 3.5]),
        helper.make_node("Constant", [], ["ints"], value_ints=[-1, 2]),
        helper.make_node("Constant", [], ["one"], value_float=0.5),
        helper.make_node("Layer", ["x"], ["y"], domain="own"),
    ]
    path = save(tmp_path / "m.onnx", model_of(nodes, [tensor(draw((2, 2)))], [function]))
    checkpoint = open_file(path)
    counts = {name: (info.count, info.role) for name, info in checkpoint.tensors.items()}
    assert counts == {
        "choice/then_branch/inner": (6, "parameter"),
        "choice/then_branch/b": (5, "parameter"),
        "choice/else_branch/inner": (6, "parameter"),
        "choice/else_branch/b": (5, "parameter"),
        "s": (7, "parameter"),
        "floats": (3, "parameter"),
        "ints": (2, "buffer"),
        "one": (1, "buffer"),
        "w": (4, "parameter"),
        "k": (11, "parameter"),
    }
    np.testing.assert_array_equal(checkpoint.array("choice/else_branch/inner"), draw((2, 3), 2))
    np.testing.assert_array_equal(checkpoint.array("floats"), [1.5, 2.5, 3.5])
    np.testing.assert_array_equal(checkpoint.array("ints"), [-1, 2])
    assert checkpoint.tensors["choice/else_branch/inner"].neurons_in == "columns"
    assert checkpoint.tensors["k"].where == "function own.Layer"


def test_statistics_shapes_and_quantised_weights(tmp_path):
    nodes = [
        helper.make_node("BatchNormalization", ["x", "gamma", "beta", "mean", "var"], ["a"]),
        helper.make_node("Reshape", ["a", "shape"], ["b"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["w"]),
        helper.make_node("Gemm", ["b", "w"], ["c"], transB=1),
        helper.make_node("MatMulNBits", ["c", "packed", "scales"], ["y"], domain="com.microsoft", K=32, N=4, bits=4),
    ]
    initializers = [tensor(draw(3, i), name) for i, name in enumerate(["gamma", "beta", "mean", "var"])]
    initializers += [tensor(np.array([1, 3]), "shape"), tensor(np.ones((2, 3), np.int8), "q")]
    initializers += [tensor(np.float32([0.1, 0.2]), "scale"), tensor(np.zeros(2, np.int8), "zero")]
    initializers += [tensor(np.ones((4, 1, 16), np.uint8), "packed"), tensor(draw(4), "scales")]
    tensors = open_file(save(tmp_path / "m.onnx", model_of(nodes, initializers))).tensors
    roles = {name: info.role for name, info in tensors.items()}
    assert [name for name, role in roles.items() if role == "parameter"] == ["gamma", "beta", "q", "packed"]
    assert [name for name, role in roles.items() if role == "statistic"] == ["mean", "var"]
    assert tensors["q"].neurons_in == "rows"
    assert (tensors["packed"].count, tensors["packed"].bits_each) == (4 * 32, 4)


def test_what_training_needs_is_the_optimizers(tmp_path):
    model = model_of(initializers=[tensor(draw(4))])
    model.training_info.add(algorithm=graph([], [tensor(draw(4, 1), "momentum")], "algorithm"))
    tensors = open_file(save(tmp_path / "m.onnx", model)).tensors
    assert {name: info.role for name, info in tensors.items()} == {"w": "parameter", "momentum": "optimizer"}
    assert tensors["momentum"].where == "training algorithm"


def test_protobuf_of_other_writers(tmp_path):
    """Shapes packed into one field, a list of floats too: allowed, though the package writes neither."""
    packed_shape = field(1, varint(2) + varint(3)) + b"\x10\x01" + field(8, b"w") + field(9, draw((2, 3)).tobytes())
    floats = field(5, field(1, b"value_floats") + field(7, np.float32([1.5, 2.5]).tobytes()))
    node = field(1, field(2, b"k") + field(4, b"Constant") + floats)
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x07" + field(7, node + field(5, packed_shape)))
    checkpoint = open_file(path)
    np.testing.assert_array_equal(checkpoint.array("w"), draw((2, 3)))
    np.testing.assert_array_equal(checkpoint.array("k"), [1.5, 2.5])
    wrong = field(5, field(1, b"value_floats") + field(7, b"123"))
    path.write_bytes(b"\x08\x07" + field(7, field(1, field(2, b"k") + field(4, b"Constant") + wrong)))
    is_refused(path, "floats are written wrongly")
    path.write_bytes(b"\x08\x07" + field(7, field(5, field(1, b"\x01" * 1000))))
    is_refused(path, "whole numbers are written wrongly")


def test_sparse_and_text(tmp_path, refused: Any):
    sparse = helper.make_sparse_tensor(tensor(draw(3), "s"), tensor(np.array([1, 5, 8]), "i"), [10])
    words = helper.make_tensor("words", T.STRING, (2,), [b"a", b"b"])
    checkpoint = open_file(save(tmp_path / "m.onnx", model_of(initializers=[words], sparse=[sparse])))
    assert {name: (i.count, i.role) for name, i in checkpoint.tensors.items()} == {
        "words": (2, "buffer"),
        "s": (3, "parameter"),
        "s.indices": (3, "buffer"),
    }
    with refused(AddressError):
        checkpoint.rows("words", 0)


# External data


def external(folder, location="data.bin", content=None, name="w", shape=(4, 3), **place):
    made = onnx.TensorProto(name=name, data_type=T.FLOAT, dims=shape, data_location=T.EXTERNAL)
    for key, value in {"location": location, **place}.items():
        made.external_data.add(key=key, value=str(value))
    if content is not None:
        (folder / location).write_bytes(content)
    return made


def test_external_data_as_the_package_writes_it(tmp_path):
    weights = [tensor(draw((400, 30), 1), "a"), tensor(draw((300, 20), 2), "b")]
    path = tmp_path / "m.onnx"
    onnx.save(model_of(initializers=weights), path, save_as_external_data=True, location="m.data", size_threshold=0)
    checkpoint = open_file(path)
    assert path.stat().st_size < 1000
    for name, seed, shape in (("a", 1, (400, 30)), ("b", 2, (300, 20))):
        assert checkpoint.tensors[name].where == "m.data"
        np.testing.assert_array_equal(checkpoint.array(name), draw(shape, seed))
        np.testing.assert_array_equal(checkpoint.column(name, 7), draw(shape, seed)[:, 7])
    assert [file.name for file in checkpoint.files()] == ["m.onnx", "m.data"]


def test_tensors_that_share_external_bytes_are_counted_once(tmp_path):
    both = [external(tmp_path, content=b"\0" * 48), external(tmp_path, name="tied", shape=(3, 4), offset=0, length=48)]
    tensors = open_file(save(tmp_path / "m.onnx", model_of(initializers=both))).tensors
    assert tensors["tied"].shared_with == "w"
    assert tensors["w"].shared_with is None


@pytest.mark.parametrize(
    "location", ["../secret", "/etc/passwd", "", "a/../../secret", "C:\\secret", "..\\secret", "\\\\h\\s", "a\0b"]
)
def test_external_names_that_lead_out(tmp_path, location):
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(b"\0" * 48)
    path = save(folder / "m.onnx", model_of(initializers=[external(folder, location)]))
    is_refused(path, "a name that is not relative to its folder")


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_external_links_that_lead_out(tmp_path, link):
    folder, secret = tmp_path / "model", tmp_path / "secret"
    folder.mkdir()
    secret.write_bytes(b"\0" * 48)
    link(secret, folder / "data.bin")
    path = save(folder / "m.onnx", model_of(initializers=[external(folder)]))
    is_refused(path, r"a link that leads out of its folder|\(a hard link\)")
    (folder / "sub").symlink_to(tmp_path)
    is_refused(
        save(path, model_of(initializers=[external(folder, "sub/secret")])), r"leads out of its folder|\(a hard link\)"
    )
    (folder / "round").symlink_to("round")
    is_refused(save(path, model_of(initializers=[external(folder, "round")])), "leads nowhere|no file 'round'")


def test_external_places_that_cannot_be(tmp_path):
    path = tmp_path / "m.onnx"
    for place, words in (
        ({"offset": 4}, "would end at byte 52 of 48"),
        ({"offset": -4}, "lies at '-4'"),
        ({"offset": 1 << 62}, "would end at byte 4,611"),
        ({"length": 44}, "has 44 bytes for 12 of its type"),
        ({"length": "4" * 5000}, "lies at '0', '4444"),
        ({"shape": (1 << 40, 1)}, "would end at byte 4,398"),
    ):
        is_refused(save(path, model_of(initializers=[external(tmp_path, content=b"\0" * 48, **place)])), words)
    is_refused(
        save(path, model_of(initializers=[external(tmp_path, "gone")])), "names the file 'gone', which is missing"
    )
    overlapping = [external(tmp_path, content=b"\0" * 96), external(tmp_path, name="v", offset=16)]
    is_refused(save(path, model_of(initializers=overlapping)), "'v' overlaps 'w'")
    twice = external(tmp_path)
    twice.external_data.add(key="location", value="other")
    is_refused(save(path, model_of(initializers=[twice])), "the place of 'w' is told twice")
    os.mkfifo(tmp_path / "pipe")
    is_refused(save(path, model_of(initializers=[external(tmp_path, "pipe")])), "is a pipe or a device")


# Attacks


def is_refused(path, words):
    """Refused with these words, in no time and with no memory, whatever the file claims."""
    began = time.process_time()
    with pytest.raises(FileError, match=words):
        open_file(path)
    assert time.process_time() - began < 5
    tracemalloc.start()
    with contextlib.suppress(FileError):
        open_file(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 64 << 20


@pytest.mark.parametrize(
    ("dims", "words"),
    [
        ((-1, 4), r"claims the shape \(-1, 4\)"),
        ((1 << 31, 1 << 31, 4), "claims the shape"),
        ((0, 1 << 62), "claims the shape"),
        ((1 << 40,), "has 48 bytes for 1,099,511,627,776"),
        ((13,), "has 48 bytes for 13 of its type"),
        ((1,) * 40, "has 40 axes"),
        ((1,) * 100, "more than 64 axes"),
    ],
)
def test_shapes_that_cannot_be(tmp_path, dims, words):
    made = onnx.TensorProto(name="w", data_type=T.FLOAT, dims=dims, raw_data=b"\0" * 48)
    is_refused(save(tmp_path / "m.onnx", model_of(initializers=[made])), words)


def test_numbers_that_are_not_there_or_of_another_type(tmp_path, refused: Any):
    path = tmp_path / "m.onnx"
    for made, words in (
        (onnx.TensorProto(name="w", data_type=T.FLOAT, dims=[2]), "has no numbers for 2"),
        (onnx.TensorProto(name="w", data_type=T.FLOAT, dims=[2], int64_data=[1, 2]), "are no float32, or there twice"),
        (onnx.TensorProto(name="w", data_type=T.INT64, dims=[9], int64_data=[1, 2]), "has 2 bytes for 9"),
        (onnx.TensorProto(name="w", data_type=T.STRING, dims=[9], string_data=[b"a"]), "has 1 texts for 9"),
        (onnx.TensorProto(name="w", data_type=99, dims=[0]), r"type number 99, .*\nhelp: upgrade glassnet"),
        (onnx.TensorProto(name="w", dims=[0]), "type number 0"),
    ):
        is_refused(save(path, model_of(initializers=[made])), words)
    lying = onnx.TensorProto(name="w", data_type=T.INT64, dims=[9], int64_data=[1 << 40, 2, 3, 4])
    checkpoint = open_file(save(path, model_of(initializers=[lying])))
    with refused(FileError):
        checkpoint.array("w")


def test_names_twice(tmp_path):
    path = tmp_path / "m.onnx"
    is_refused(save(path, model_of(initializers=[tensor(draw(2)), tensor(draw(2))])), "two tensors are named 'w'")
    model = model_of(initializers=[tensor(draw(2))])
    path.write_bytes(model.SerializeToString() + onnx.ModelProto(graph=model.graph).SerializeToString())
    is_refused(path, "it has two graphs")
    made = model.graph.initializer[0]
    twice = onnx.TensorProto(raw_data=b"1234").SerializeToString()
    whole = made.SerializeToString() + twice
    path.write_bytes(b"\x08\x07" + field(7, field(5, whole)))
    is_refused(path, "lie in pieces")


def field(number, content):
    """A field of bytes, by the letter of protobuf."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value):
    made = b""
    while value > 127:
        made, value = made + bytes([value & 127 | 128]), value >> 7
    return made + bytes([value])


def test_deep_nesting(tmp_path):
    content = field(5, onnx.TensorProto(name="w", data_type=T.FLOAT, dims=[0]).SerializeToString())
    for _ in range(2000):
        content = field(1, field(5, field(1, b"g") + field(6, content)))
    path = tmp_path / "m.onnx"
    path.write_bytes(b"\x08\x07" + field(7, content))
    is_refused(path, "graphs lie in graphs, more than 24 deep")


def test_fields_without_end(tmp_path, monkeypatch):
    path = tmp_path / "m.onnx"
    monkeypatch.setattr(reader, "MOST_FIELDS", 10_000)
    monkeypatch.setattr(reader._Walk.__init__, "__defaults__", (10_000,))
    path.write_bytes(b"\x08\x07" * 20_000)
    is_refused(path, "more than 10,000 fields")
    path.write_bytes(b"\x08\x07" + field(7, field(1, b"") * 20_000))
    is_refused(path, "more than 10,000 fields")


def test_names_without_end(tmp_path, monkeypatch):
    path = tmp_path / "m.onnx"
    is_refused(save(path, model_of(initializers=[tensor(draw(2), "w" * 20_000)])), "a name of 20,000 bytes")
    model = model_of()
    helper.set_model_props(model, {"long": "x" * 100_000})
    assert open_file(save(path, model)).metadata["long"] == "a text of 100,000 bytes"
    monkeypatch.setattr(reader, "MOST_KEPT", 20_000)
    model = model_of(initializers=[tensor(draw(0), f"{i:05}" * 20) for i in range(300)])
    is_refused(save(path, model), "more than 20,000 bytes of names")
    monkeypatch.setattr(reader, "MOST_TENSORS", 100)
    is_refused(path, "more than 100 tensors")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x08\x07", "it has no graph"),
        (b"\x08" + b"\xff" * 30, "a number without end"),
        (b"\x08\x07\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "a field ends at byte"),
        (b"\x08\x07\x3b\x3c", "no field of protobuf"),
        (b"\x08\x07\x02\x00", "what it is part of at"),
        (b"\x08\x07\x38\x01", "a model has no field 7"),
        (b"\x08\x07" + field(7, b"\x0a\x05"), "a field ends at byte"),
    ],
)
def test_broken_protobuf(tmp_path, content, words):
    path = tmp_path / "m.onnx"
    path.write_bytes(content)
    is_refused(path, words)


@pytest.fixture(scope="module")
def bytes_of_one(tmp_path_factory):
    """A model with something of everything."""
    body = graph([helper.make_node("Constant", [], ["k"], value=tensor(draw((2, 3))))], [tensor(draw(2), "b")], "body")
    nodes = [
        helper.make_node("If", ["c"], ["a"], then_branch=body, else_branch=body),
        helper.make_node("Transpose", ["w"], ["wt"], perm=[1, 0]),
        helper.make_node("Gemm", ["x", "wt"], ["y"], transB=1),
        helper.make_node("Constant", [], ["f"], value_floats=[1.0, 2.0]),
    ]
    typed = helper.make_tensor("t", T.INT32, (2, 2), [1, -2, 300, 4])
    four = onnx.TensorProto(name="q", data_type=T.INT4, dims=[3], raw_data=b"\x21\x03")
    outside = external(None, "d", name="e", shape=(2,))
    model = model_of(nodes, [tensor(draw((3, 4))), typed, four, outside])
    helper.set_model_props(model, {"author": "someone"})
    folder = tmp_path_factory.mktemp("onnx")
    (folder / "d").write_bytes(b"\0" * 8)
    return folder, model.SerializeToString()


def explore(path):
    """Everything that can be asked of a file."""
    checkpoint = open_file(path)
    for name, info in checkpoint.tensors.items():
        assert info.count >= 0
        if info.dtype != "string":
            checkpoint.array(name)


def test_cut_anywhere_it_is_refused(bytes_of_one):
    folder, whole = bytes_of_one
    path = folder / "cut.onnx"
    path.write_bytes(whole)
    explore(path)
    for length in range(whole.rindex(b"y\x12")):  # the graph ends a little later, and what follows may be missing
        path.write_bytes(whole[:length])
        with pytest.raises(FileError):
            open_file(path)


@settings(max_examples=500, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 1000), st.binary(min_size=1, max_size=6)), min_size=1, max_size=4))
def test_bytes_changed_give_tensors_or_a_clear_error(bytes_of_one, changes):
    folder, whole = bytes_of_one
    content = bytearray(whole)
    for at, new in changes:
        at %= len(whole)
        content[at : at + len(new)] = new
    path = folder / "changed.onnx"
    path.write_bytes(bytes(content[: len(whole)]))
    recognises(bytes(content[:64]), path)
    with contextlib.suppress(GlassnetError):
        explore(path)


@settings(max_examples=300, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes_give_a_clear_error(bytes_of_one, noise):
    path = bytes_of_one[0] / "noise.onnx"
    path.write_bytes(b"\x08\x07" + field(7, noise))
    with contextlib.suppress(GlassnetError):
        explore(path)


# Figures


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux")
def test_a_large_file_is_counted_without_being_loaded(tmp_path):
    """800 MB of weights in the model file itself, as holes: no memory is taken for them."""
    path = tmp_path / "large.onnx"
    tensors = [
        onnx.TensorProto(name=f"w{i}", data_type=T.FLOAT, dims=[1024, 2500]).SerializeToString() for i in range(80)
    ]
    size = 1024 * 2500 * 4
    heads = [head + varint(9 << 3 | 2) + varint(size) for head in tensors]
    entries = [varint(5 << 3 | 2) + varint(len(head) + size) + head for head in heads]
    with path.open("wb") as file:
        file.write(b"\x08\x07\x3a" + varint(sum(map(len, entries)) + 80 * size))
        for entry in entries:
            file.write(entry)
            file.seek(size, os.SEEK_CUR)
        file.truncate(file.tell())
    code = (
        "import re, sys, pathlib\n"
        "from glassnet.files.formats.onnx.reader import open_file\n"
        "tensors = open_file(pathlib.Path(sys.argv[1])).tensors\n"
        "print(sum(i.count for i in tensors.values()))\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    printed = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, check=True, text=True).stdout
    count, kilobytes = map(int, printed.split())
    assert count == 80 * 1024 * 2500
    assert kilobytes < 60_000
