"""Giving a network away: what is written its own framework, compiler or interpreter runs, with the same predictions."""

import importlib.util
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.errors import FileError, MissingExtra, SettingError
from glassnet.files.exporting import TARGETS, export
from glassnet.files.formats.c import writer as c_writer
from glassnet.files.formats.sklearn import writer as sklearn_writer

os.environ["KERAS_BACKEND"] = "torch"
EVERY = [name for name in ACTIVATIONS if name != "softmax"]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wdouble-promotion", "-O1"]
SCHEMA = gn.Schema(scale=1 / 255, classes=("nought", 'o"ne\\ ??/', "zwei ü */ \n"))


def rich(dtype: str = "float32", squishes: list[str] = EVERY) -> gn.Network:
    """A network with every one of these activations, softmax at its end, and biases that are not zero."""
    sizes = [7, *[5] * len(squishes), 3]
    start = gn.Network.create(sizes, [*squishes, "softmax"], seed=3, dtype=dtype)
    random = np.random.default_rng(4)
    moved = start.parameters + random.normal(0, 0.2, start.parameters.shape)
    return start.with_parameters(moved).with_schema(SCHEMA)


def inputs(count: int = 40, width: int = 7) -> np.ndarray:
    return np.random.default_rng(5).normal(0, 2, (count, width)).astype(np.float32)


def stored(count: int = 40, width: int = 7) -> np.ndarray:
    """Stored pixels, which is what `rich` takes, as floats."""
    return np.random.default_rng(6).integers(0, 256, (count, width)).astype(np.float32)


def answers(network: gn.Network) -> np.ndarray:
    return network(stored().astype(np.uint8))


def compiled(header: Path, name: str, real: str = "float", compiler: str = "gcc", call: str = "") -> Path:
    """A program around a header: rows of numbers in as bytes, rows of outputs out."""
    big = name.upper()
    kind = "uint8_t" if call.endswith("_bytes") else real
    source = header.with_suffix(".c")
    source.write_text(
        f'#include <stdio.h>\n#include "{header.name}"\n'
        f"int main(void) {{ {kind} in[{big}_INPUTS]; {real} out[{big}_OUTPUTS];\n"
        f"  while (fread(in, sizeof in, 1, stdin) == 1) {{ {call or name}(in, out);\n"
        "    fwrite(out, sizeof out, 1, stdout); }\n"
        "  return 0; }\n"
    )
    program = header.with_suffix("")
    command = [compiler, *STRICT, str(source), "-o", str(program), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return program


def ran(program: Path, rows: np.ndarray, outputs: int, dtype: str = "float32") -> np.ndarray:
    out = subprocess.run([str(program)], input=rows.tobytes(), capture_output=True, check=True).stdout
    return np.frombuffer(out, dtype).reshape(len(rows), outputs)


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def close(got: Any, wanted: Any, within: float = 1e-5) -> None:
    np.testing.assert_allclose(np.asarray(got, np.float64), np.asarray(wanted, np.float64), rtol=within, atol=within)


# ONNX


@pytest.mark.parametrize("squish", EVERY)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_onnx_runtime_predicts_the_same(tmp_path: Path, squish: str, dtype: str) -> None:
    runtime = import_module("onnxruntime")
    network = rich(dtype, [squish, squish])
    gn.export(network, tmp_path / "a.onnx")
    session = runtime.InferenceSession(tmp_path / "a.onnx", providers=["CPUExecutionProvider"])
    ((x,), (y,)) = session.get_inputs(), session.get_outputs()
    assert (x.name, x.shape, y.name, y.shape) == ("inputs", ["batch", 7], "outputs", ["batch", 3])
    close(session.run(None, {"inputs": stored().astype(dtype)})[0], answers(network))


def test_onnx_keeps_the_opset_and_what_outputs_stand_for(tmp_path: Path) -> None:
    onnx = import_module("onnx")
    gn.export(rich(), tmp_path / "a.onnx")
    model = onnx.load(tmp_path / "a.onnx")
    assert [(i.domain, i.version) for i in model.opset_import] == [("", 17)]
    noted = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert noted["glassnet.schema"]["classes"] == list(SCHEMA.classes or ())
    assert noted["glassnet.activations"] == list(rich().architecture.activations)


# safetensors, torch, npz: tensors under the names that PyTorch's Sequential gives


def sequential() -> tuple[gn.Network, torch.nn.Sequential]:
    nn = torch.nn
    network = rich(squishes=["relu", "identity", "tanh"])
    linears = [nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 5), nn.Linear(5, 5), nn.Tanh(), nn.Linear(5, 3), nn.Softmax(1)]
    return network, nn.Sequential(*linears)


def test_a_state_dict_loads_into_a_sequential(tmp_path: Path) -> None:
    network, module = sequential()
    gn.export(network, tmp_path / "a.pt", to="torch")
    state = torch.load(tmp_path / "a.pt", weights_only=True)
    module.load_state_dict(state, strict=True)
    close(module(torch.from_numpy(stored())).detach().numpy(), answers(network))
    mapped = torch.load(tmp_path / "a.pt", weights_only=True, mmap=True)
    assert all(torch.equal(mapped[name], state[name]) for name in state)


def test_a_state_dict_in_double(tmp_path: Path) -> None:
    gn.export(rich("float64"), tmp_path / "a.pt")
    state = torch.load(tmp_path / "a.pt", weights_only=True)
    assert {tensor.dtype for tensor in state.values()} == {torch.float64}
    np.testing.assert_array_equal(state["1.weight"].numpy(), rich("float64").layers[1].weights)
    close(state["0.weight"].numpy() * 255, rich("float64").layers[0].weights, 1e-12)


def test_safetensors_load_into_a_sequential(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    network, module = sequential()
    gn.export(network, tmp_path / "a.safetensors")
    module.load_state_dict(load_file(tmp_path / "a.safetensors"), strict=True)
    close(module(torch.from_numpy(stored())).detach().numpy(), answers(network))
    with safe_open(tmp_path / "a.safetensors", "np") as file:
        assert json.loads(file.metadata()["glassnet.activations"]) == ["relu", "identity", "tanh", "softmax"]


def test_npz_is_read_without_pickle(tmp_path: Path) -> None:
    network = rich(squishes=["relu"])
    gn.export(network, tmp_path / "a.npz")
    file = np.load(tmp_path / "a.npz", allow_pickle=False)
    assert set(file) == {"0.weight", "0.bias", "2.weight", "2.bias", "glassnet.json"}
    np.testing.assert_array_equal(file["2.weight"], network.layers[1].weights)
    noted = json.loads(file["glassnet.json"])
    assert (json.loads(noted["glassnet.schema"])["scale"], json.loads(noted["glassnet.folded_scale"])) == (1, 1 / 255)


# Keras


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_keras_predicts_the_same(tmp_path: Path, dtype: str) -> None:
    keras = import_module("keras")
    network = rich(dtype, [name for name in EVERY if name not in ("step", "gelu_tanh")])
    gn.export(network, tmp_path / "my net.keras")
    model = keras.models.load_model(tmp_path / "my net.keras")
    close(model.predict(stored().astype(dtype), verbose=0), answers(network))
    assert model.count_params() == network.count().total


@pytest.mark.parametrize("squish", ["step", "gelu_tanh"])
def test_what_keras_lacks_is_told(tmp_path: Path, squish: str, refused: Any) -> None:
    with refused(SettingError):
        gn.export(rich(squishes=[squish]), tmp_path / "a.keras")


# scikit-learn


@pytest.mark.parametrize("squish", ["identity", "sigmoid", "tanh", "relu"])
def test_an_mlp_classifier_predicts_the_same(squish: str) -> None:
    network = rich("float64", [squish, squish])
    model = sklearn_writer.estimator(network)
    close(model.predict_proba(stored()), answers(network))
    assert network.schema.classes is not None
    best = np.asarray(network.schema.classes)[answers(network).argmax(axis=1)]
    assert model.predict(stored()).tolist() == best.tolist()


def test_an_mlp_of_two_classes_and_of_several_at_once() -> None:
    two = gn.Network.create("7-4-1", "relu", output="sigmoid", seed=1)
    model = sklearn_writer.estimator(two)
    close(model.predict_proba(inputs())[:, 1:], two(inputs()))
    assert model.predict(inputs()).tolist() == (two(inputs())[:, 0] > 0.5).astype(int).tolist()
    several = gn.Network.create("7-4-3", "relu", output="sigmoid", seed=1)
    model = sklearn_writer.estimator(several)
    close(model.predict_proba(inputs()), several(inputs()))
    assert (model.predict(inputs()) == (several(inputs()) > 0.5)).all()


@pytest.mark.parametrize("outputs", [1, 2])
def test_an_mlp_regressor_predicts_the_same_from_its_file(tmp_path: Path, outputs: int) -> None:
    skops = import_module("skops.io")
    network = gn.Network.create(f"7-4-{outputs}", "tanh", seed=1)
    network = network.with_schema(gn.Schema(features=tuple("abcdefg")))
    gn.export(network, tmp_path / "a.skops")
    model = skops.load(tmp_path / "a.skops")
    assert model.feature_names_in_.tolist() == list("abcdefg")
    wanted = network(inputs())
    del model.feature_names_in_  # plain arrays have no names, of which it would warn
    close(model.predict(inputs()), wanted[:, 0] if outputs == 1 else wanted)


def test_what_scikit_learn_lacks_is_told(refused: Any) -> None:
    with refused(SettingError):
        sklearn_writer.estimator(rich(squishes=["relu", "gelu"]))
    with refused(SettingError):
        sklearn_writer.estimator(rich(squishes=["relu", "tanh"]))


# C


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_a_header_compiles_strictly_and_predicts_the_same(tmp_path: Path, compiler: str) -> None:
    network = rich()
    gn.export(network, tmp_path / "My-net.h")
    program = compiled(tmp_path / "My-net.h", "my_net", compiler=compiler)
    close(ran(program, stored(), 3), answers(network))


@pytest.mark.parametrize("squish", EVERY)
def test_each_squish_in_c_also_far_out(tmp_path: Path, squish: str) -> None:
    network = gn.Network.from_layers([(np.eye(4, dtype=np.float32), np.zeros(4, np.float32), squish)])
    gn.export(network, tmp_path / "a.h")
    points = np.array([[-1e4, -90, -20, -3], [-1, -1e-3, 0, 1e-3], [1, 3, 20, 90], [1e4, 5, -5, 0.3]], np.float32)
    close(ran(compiled(tmp_path / "a.h", "a"), points, 4), network(points))


def test_a_header_in_double(tmp_path: Path) -> None:
    network = rich("float64")
    gn.export(network, tmp_path / "a.h", to="c")
    program = compiled(tmp_path / "a.h", "a", "double")
    close(ran(program, stored().astype(np.float64), 3, "float64"), answers(network), 1e-12)


def test_a_header_of_whole_numbers_computes_the_rounded_network(tmp_path: Path) -> None:
    network = gn.Network.create("7-30-20-3", "relu", output="softmax", seed=2)
    gn.export(network, tmp_path / "small.h", to="c", quantise="int8")
    got = ran(compiled(tmp_path / "small.h", "small"), inputs(), 3)
    close(got, c_writer.quantised(network)(inputs()))
    assert np.abs(got - network(inputs())).max() < 0.05
    assert "static const int8_t small_weights_0[210]" in (tmp_path / "small.h").read_text()


def test_rounding_keeps_within_half_a_step_of_every_weight() -> None:
    weights = np.random.default_rng(0).normal(size=(6, 50)).astype(np.float32)
    weights[2] = 0
    whole, scales = c_writer.int8_rows(weights)
    assert np.abs(whole).max(axis=1).tolist() == [127, 127, 0, 127, 127, 127]
    assert (np.abs(whole * scales[:, None] - weights) <= scales[:, None] * 0.5001).all()


def test_stored_bytes_and_class_names_in_c(tmp_path: Path) -> None:
    network = rich(squishes=["relu"])
    gn.export(network, tmp_path / "a.h")
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7), np.uint8)
    close(ran(compiled(tmp_path / "a.h", "a", call="a_bytes"), pixels, 3), network(pixels))
    text = (
        '#include <stdio.h>\n#include "a.h"\nint main(void) { int i;\n'
        "  for (i = -1; i < 4; i++) { fputs(a_class(i), stdout); putchar(0); }\n  return 0; }\n"
    )
    (tmp_path / "names.c").write_text(text)
    subprocess.run(["gcc", *STRICT, "names.c", "-o", "names", "-lm"], cwd=tmp_path, check=True)
    names = subprocess.run([str(tmp_path / "names")], capture_output=True, check=True).stdout.decode().split("\0")
    assert names == ["", *(SCHEMA.classes or ()), "", ""]


def test_a_header_needs_no_mathematics_for_relu(tmp_path: Path) -> None:
    gn.export(gn.Network.create("3-4-2", seed=0), tmp_path / "int.h")
    text = (tmp_path / "int.h").read_text()
    assert "math.h" not in text
    assert "malloc" not in text
    assert "static inline void network_int(" in text  # a name that C has taken


# Python


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_plain_python_predicts_the_same(tmp_path: Path, dtype: str) -> None:
    network = rich(dtype)
    gn.export(network, tmp_path / "a.py")
    module = imported(tmp_path / "a.py")
    close([module.predict(row) for row in stored().tolist()], answers(network))
    assert module.classify(stored()[0].tolist()) == (SCHEMA.classes or ())[int(answers(network)[0].argmax())]
    assert tuple(module.CLASSES) == SCHEMA.classes
    with pytest.raises(ValueError, match="got 2 inputs; expected 7"):
        module.predict([1, 2])


def test_plain_python_imports_nothing_but_math(tmp_path: Path) -> None:
    gn.export(rich(), tmp_path / "a.py")
    imports = [line for line in (tmp_path / "a.py").read_text().splitlines() if "import" in line.split("#")[0].split()]
    assert imports == ["import math"]
    subprocess.run([sys.executable, "-I", "-S", str(tmp_path / "a.py")], check=True)
    gn.export(gn.Network.create("3-4-2", seed=0), tmp_path / "b.py")
    assert "math" not in (tmp_path / "b.py").read_text()


# The door


def test_the_target_is_told_by_the_suffix(tmp_path: Path, network: gn.Network, refused: Any) -> None:
    with refused(SettingError):
        export(network, tmp_path / "net.tflite")
    with refused(SettingError):
        export(network, tmp_path / "a", to="onx")
    with refused(SettingError):
        export(network, tmp_path / "a.onnx", quantise="int8")
    with refused(SettingError):
        export(network, tmp_path / "a.h", quantise="int4")


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_writing_is_all_or_nothing(tmp_path: Path, target: str, refused: Any) -> None:
    network = gn.Network.create("3-4-2", seed=0)
    export(network, tmp_path / "a", to=target)
    export(network, tmp_path / "a", to=target)
    assert os.listdir(tmp_path) == ["a"]
    with refused(FileError):
        export(network, tmp_path / "gone" / "a", to=target)


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"sklearn", "safetensors"}))
def test_the_same_network_gives_the_same_bytes(  # those two packages order their own notes as it comes
    tmp_path: Path, target: str
) -> None:
    network = gn.Network.create("3-4-2", seed=0)
    export(network, tmp_path / "a", to=target)
    first = (tmp_path / "a").read_bytes()
    export(network, tmp_path / "a", to=target)
    assert (tmp_path / "a").read_bytes() == first


@pytest.mark.parametrize(
    ("target", "module"), [("onnx", "onnx"), ("keras", "h5py"), ("sklearn", "sklearn"), ("sklearn", "skops")]
)
def test_a_missing_package_is_told_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, module: str, refused: Any
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with refused(MissingExtra):
        export(gn.Network.create("3-4-2", seed=0), tmp_path / "a", to=target)
    assert os.listdir(tmp_path) == []


def test_the_other_targets_need_no_package_of_their_own(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "for name in ('torch', 'onnx', 'h5py', 'sklearn', 'skops', 'keras'): sys.modules[name] = None\n"
        "import glassnet as gn\n"
        "for name in ('a.safetensors', 'a.pt', 'a.npz', 'a.h', 'a.py'):\n"
        "    gn.export(gn.Network.create('3-4-2', seed=0), sys.argv[1] + '/' + name)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    assert len(os.listdir(tmp_path)) == 5
