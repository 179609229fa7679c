"""Taking over: networks of other frameworks give here what they give there; what cannot be is told."""

import contextlib
import itertools
import json
import os
import warnings
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from hypothesis import given as given_
from hypothesis import strategies as st
from safetensors.numpy import save_file
from torch import nn

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.cli import main
from glassnet.errors import FileError, GlassnetError, SettingError
from glassnet.files.layer_graph import InTheWay, known_squish

os.environ["KERAS_BACKEND"] = "torch"

MODULES = {
    "sigmoid": nn.Sigmoid(),
    "tanh": nn.Tanh(),
    "relu": nn.ReLU(inplace=True),
    "leaky_relu": nn.LeakyReLU(),
    "elu": nn.ELU(),
    "selu": nn.SELU(),
    "softplus": nn.Softplus(),
    "gelu": nn.GELU(),
    "gelu_tanh": nn.GELU(approximate="tanh"),
    "silu": nn.SiLU(),
    "mish": nn.Mish(),
    "hard_sigmoid": nn.Hardsigmoid(),
}


def inputs(*shape: int) -> np.ndarray:
    return np.random.default_rng(5).normal(0, 2, shape).astype(np.float32)


def given(module: nn.Module, x: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return module.eval()(torch.from_numpy(x)).numpy()


def seen(module: nn.Module, *shape: int) -> nn.Module:
    """The module after some batches, so that its running statistics are not those of the start."""
    torch.manual_seed(0)
    module.train()
    for _ in range(4):
        module(torch.randn(16, *shape) * 2 + 1)
    return module.eval()


def close(got: Any, wanted: Any) -> None:
    np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def exported(module: nn.Module, x: np.ndarray, path: Path, opset: int = 17) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), (torch.from_numpy(x),), path, opset_version=opset, dynamo=False)
    return path


# ActivationAlternatives, by what they compute


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"softmax"}))
def test_each_squish_is_known_by_what_it_computes(name: str) -> None:
    assert known_squish(ACTIVATIONS[name]) == name


def test_what_is_near_a_squish_is_another() -> None:
    assert known_squish(lambda x: np.where(x > 0, x, x * np.inf)) is None
    assert known_squish(lambda x: np.where(x > 1, x, 0.02 * x)) is None
    assert known_squish(lambda x: np.clip(x, 0, 6)) is None
    assert known_squish(lambda x: np.clip(x, 0, 1000)) is None
    assert known_squish(lambda x: np.clip(0.2 * x + 0.5, 0, 1)) is None
    assert known_squish(lambda x: (x >= 0) * 1.0) is None
    assert known_squish(lambda x: x.reshape(-1, 5)) is None


# PyTorch modules in memory, and the same through ONNX


def layered() -> nn.Module:
    return nn.Sequential(
        nn.Flatten(),
        nn.BatchNorm1d(12),
        nn.Linear(12, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.BatchNorm1d(8, affine=False),
        nn.Sequential(nn.Linear(8, 6, bias=False), nn.Tanh()),
        nn.Identity(),
        nn.Linear(6, 5),
        nn.Linear(5, 3),
        nn.Softmax(dim=1),
    )


def test_a_sequential_with_all_that_is_passed_over_or_folded() -> None:
    module = seen(layered(), 3, 4)
    network = gn.load(module)
    assert network.sizes == (12, 8, 6, 5, 3)
    assert network.architecture.activations == ("relu", "tanh", "identity", "softmax")
    close(network(inputs(20, 12)), given(module, inputs(20, 12).reshape(20, 3, 4)))


def test_the_same_through_onnx(tmp_path: Path) -> None:
    module = seen(layered(), 3, 4)
    network = gn.load(exported(module, inputs(1, 3, 4), tmp_path / "a.onnx"))
    assert network.architecture.activations == ("relu", "tanh", "identity", "softmax")
    assert network.schema.input_shape == (3, 4)
    close(network(inputs(20, 12)), given(module, inputs(20, 3, 4)))


@pytest.mark.parametrize("name", sorted(MODULES))
def test_each_squish_of_pytorch_and_its_pieces_in_onnx(tmp_path: Path, name: str) -> None:
    torch.manual_seed(1)
    module = nn.Sequential(nn.Linear(4, 5), MODULES[name], nn.Linear(5, 2), MODULES[name])
    x = inputs(30, 4)
    for source in (module, exported(module, x[:1], tmp_path / "a.onnx")):
        network = gn.load(source)
        assert network.architecture.activations == (name, name)
        close(network(x), given(module, x))


def test_double_stays_double() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU()).double()
    network = gn.load(module)
    assert network.dtype == "float64"
    x = inputs(9, 4).astype(np.float64)
    np.testing.assert_allclose(network(x), given(module, x), rtol=1e-12, atol=1e-14)


class Written(nn.Module):
    """A module with a forward of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.drop = nn.Linear(12, 5), nn.Linear(5, 2), nn.Dropout()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.view(x.size(0), -1) / 2
        x = self.drop(nn.functional.silu(self.fc1(x)))
        return torch.sigmoid(self.fc2(x))


class MadeInForward(nn.Module):
    """An activation without a name of its own in the model."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.Softmax(dim=1)(self.last(nn.Tanh()(self.first(x))))


def test_an_activation_made_in_the_forward_is_followed() -> None:
    module, x = MadeInForward(), inputs(5, 4)
    network = gn.load(module)
    assert network.architecture.activations == ("tanh", "softmax")
    close(network(x), given(module, x))


def test_a_forward_that_is_a_chain_is_followed() -> None:
    module = Written()
    network = gn.load(module)
    assert network.architecture.activations == ("silu", "sigmoid")
    close(network(inputs(7, 12)), given(module, inputs(7, 3, 4)))
    assert module.training is False  # as `given` left it


class Around(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.relu(self.fc(x))


@pytest.mark.parametrize("slope", [0.2, 0.3, 1 / 3, 1e-6, 1e-5, 2.5, -0.25, -3e-5, 12345.678])
@pytest.mark.parametrize("form", ["module", "parameter", "function"])
def test_a_leaky_relu_of_any_slope_is_imported(tmp_path: Path, form: str, slope: float) -> None:
    class Function(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 5), nn.Linear(5, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.b(nn.functional.leaky_relu(self.a(x), slope))

    squish = nn.PReLU(init=slope) if form == "parameter" else nn.LeakyReLU(slope)
    module = Function() if form == "function" else nn.Sequential(nn.Linear(4, 5), squish, nn.Linear(5, 3))
    x = inputs(20, 4)
    expected = module(torch.from_numpy(x)).detach().numpy()
    network = gn.load(module.eval())
    close(network(x), expected)
    for name in ("a.safetensors", "a.onnx", "a.py"):
        gn.export(network, tmp_path / name)
    exported(module, x, tmp_path / "theirs.onnx")
    for name in ("a.safetensors", "a.onnx", "theirs.onnx"):
        again = gn.load(tmp_path / name)
        assert again.architecture == network.architecture
        close(again(x), expected)
    assert network.with_parameters(network.parameters * 2).architecture == network.architecture


@pytest.mark.parametrize("form", ["module", "function", "onnx"])
def test_log_softmax_is_loaded_as_softmax_and_said(tmp_path: Path, form: str) -> None:
    class Function(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a = nn.Linear(4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.log_softmax(self.a(x), dim=1)

    module: nn.Module = Function() if form == "function" else nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(1))
    x = inputs(20, 4)
    source: Any = module.eval()
    if form == "onnx":
        source = tmp_path / "a.onnx"
        exported(module, x, source)
    with pytest.warns(UserWarning, match="loaded as softmax, so outputs are probabilities"):
        network = gn.load(source)
    close(np.log(network(x)), module(torch.from_numpy(x)).detach().numpy())


@pytest.mark.parametrize("base", [nn.Softmax, nn.LogSoftmax])
@pytest.mark.filterwarnings("ignore:.*loaded as softmax")
def test_a_class_of_one_s_own_made_of_softmax(base: type[nn.Module]) -> None:
    own = type("Own", (base,), {})
    assert gn.load(nn.Sequential(nn.Linear(3, 2), own(1))).architecture.activations == ("softmax",)


def test_the_command_says_so_without_a_place_in_the_source(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    exported(nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(1)), inputs(1, 4), tmp_path / "a.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        assert main(["export", str(tmp_path / "a.onnx"), "--to", "npz", "-o", str(tmp_path / "a.npz")]) == 0
    lines = capfd.readouterr().err.splitlines()
    assert [line.startswith("glassnet: warning: LogSoftmax") for line in lines] == [True]


def test_slopes_that_differ_from_neuron_to_neuron_are_in_the_way() -> None:
    squish = nn.PReLU(4)
    squish.weight.data = torch.tensor([0.1, 0.2, 0.3, 0.4])
    with pytest.raises(InTheWay, match="PReLU"):
        gn.load(nn.Sequential(nn.Linear(4, 4), squish))


@pytest.mark.parametrize(
    "module",
    [
        Around(),
        nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)),
        nn.Sequential(nn.Conv2d(1, 2, 3)),
        nn.Sequential(nn.Linear(4, 4), nn.ReLU6()),
        nn.Sequential(nn.Linear(4, 3), nn.Softmax(1), nn.Linear(3, 2)),
        nn.Sequential(nn.ReLU(), nn.Linear(4, 3)),
        nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.ReLU()),
        nn.Sequential(nn.Linear(4, 3), nn.Linear(4, 3)),
        nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.BatchNorm1d(3)),
        nn.Sequential(nn.Flatten()),
    ],
)
def test_the_first_thing_in_the_way_is_told(module: nn.Module, refused: Any) -> None:
    with refused(InTheWay):
        gn.load(module.eval())


def test_the_same_is_told_of_an_onnx_file(tmp_path: Path, refused: Any) -> None:
    exported(Around(), inputs(1, 4), tmp_path / "a.onnx")
    with refused(FileError):
        gn.load(tmp_path / "a.onnx")
    exported(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2)), inputs(1, 1, 4, 4), tmp_path / "b.onnx")
    with refused(FileError):
        gn.load(tmp_path / "b.onnx")


def test_an_onnx_graph_of_matmul_add_and_constants_in_nodes(tmp_path: Path) -> None:
    onnx = import_module("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    w, b = inputs(4, 3), inputs(1, 3)
    nodes = [
        helper.make_node("Constant", [], ["wt"], value=numpy_helper.from_array(np.ascontiguousarray(w.T))),
        helper.make_node("Transpose", ["wt"], ["w"], perm=[1, 0]),
        helper.make_node("Cast", ["x"], ["floats"], to=1),
        helper.make_node("Mul", ["floats", "factor"], ["scaled"]),
        helper.make_node("MatMul", ["scaled", "w"], ["wx"]),
        helper.make_node("Add", ["b", "wx"], ["z"]),
        helper.make_node("Max", ["z", "zero"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", 2, ["n", 4])],
        [helper.make_tensor_value_info("y", 1, ["n", 3])],
        [
            numpy_helper.from_array(b, "b"),
            numpy_helper.from_array(np.float32(0), "zero"),
            numpy_helper.from_array(np.float32(1 / 255), "factor"),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "a.onnx")
    network = gn.load(tmp_path / "a.onnx")
    assert network.architecture.activations == ("relu",)
    x = np.arange(8, dtype=np.uint8).reshape(2, 4)
    close(network(x), np.maximum(x.astype(np.float32) / 255 @ w + b, 0))


def test_weights_beside_an_onnx_file(tmp_path: Path) -> None:
    onnx = import_module("onnx")
    network = gn.Network.create("3-4-2", "tanh", seed=0)
    gn.export(network, tmp_path / "whole.onnx")
    model = onnx.load(tmp_path / "whole.onnx")
    onnx.save(model, tmp_path / "a.onnx", save_as_external_data=True, location="a.data", size_threshold=0)
    assert gn.load(tmp_path / "a.onnx") == network


# Files of named tensors


@pytest.mark.parametrize("kind", ["pt", "safetensors", "npz"])
def test_a_state_dict_needs_its_activations(tmp_path: Path, kind: str, refused: Any) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 2))
    path = tmp_path / f"a.{kind}"
    arrays = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    if kind == "pt":
        torch.save(module.state_dict(), path)
    elif kind == "npz":
        np.savez(path, **arrays)
    else:
        save_file(arrays, path)
    with refused(SettingError):
        gn.load(path)
    network = gn.load(path, activation="relu")
    assert network.architecture.activations == ("relu", "relu", "identity")
    close(network(inputs(9, 4)), given(module, inputs(9, 4)))
    named = gn.load(path, activation=["relu", "relu", "softmax"])
    close(named(inputs(9, 4)), given(nn.Sequential(module, nn.Softmax(1)), inputs(9, 4)))


def test_batch_norm_in_a_state_dict_is_placed_by_its_number(tmp_path: Path) -> None:
    for first, second in itertools.product((True, False), repeat=2):
        parts = (
            [nn.Linear(4, 5), nn.BatchNorm1d(5), nn.ReLU()]
            if first
            else [nn.Linear(4, 5), nn.ReLU(), nn.BatchNorm1d(5)]
        )
        parts += [nn.Linear(5, 2)] + ([nn.BatchNorm1d(2)] if second else [])
        module = seen(nn.Sequential(*parts), 4)
        torch.save({"model": module.state_dict(), "epoch": 3}, tmp_path / "a.pt")
        close(gn.load(tmp_path / "a.pt", "relu")(inputs(9, 4)), given(module, inputs(9, 4)))


def test_what_is_no_chain_of_tensors_is_told(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "a.safetensors"
    w = np.ones((3, 4), np.float32)
    save_file({"a.weight": w, "b.weight": w}, path)
    with refused(FileError):
        gn.load(path)
    save_file({"conv.weight": np.ones((3, 4, 5), np.float32), "fc.weight": w}, path)
    with refused(FileError):
        gn.load(path)
    save_file({"steps": np.ones(3, np.int64)}, path)
    with refused(FileError):
        gn.load(path)


def test_activations_that_are_known_are_not_given(tmp_path: Path, network: gn.Network, refused: Any) -> None:
    network.save(tmp_path / "a.safetensors")
    for source in (tmp_path / "a.safetensors", nn.Sequential(nn.Linear(2, 2))):
        with refused(SettingError):
            gn.load(source, activation="relu")


# Keras


def keras_model(kind: str) -> Any:
    keras = import_module("keras")
    layers = keras.layers
    keras.utils.set_random_seed(0)
    parts = [
        layers.Rescaling(1 / 255, offset=-0.5),
        layers.Flatten(),
        layers.Dense(6, activation="gelu"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dense(5, use_bias=False),
        layers.BatchNormalization(scale=False),
        layers.LeakyReLU(negative_slope=0.01),
        layers.Dense(4, activation="hard_sigmoid"),
        layers.Dense(3),
        layers.Activation("softmax"),
    ]
    if kind == "sequential":
        model = keras.Sequential([keras.Input((3, 4)), *parts])
    elif kind == "nested":
        model = keras.Sequential([keras.Input((3, 4)), *parts[:4], keras.Sequential(parts[4:], name="end")])
    else:
        start = value = keras.Input((3, 4))
        for part in parts:
            value = part(value)
        model = keras.Model(start, value)
    model.compile("adam", "mse")
    model.fit(inputs(32, 3, 4) * 99, inputs(32, 3), verbose=0)
    return model


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["sequential", "nested", "functional"])
def test_keras_models_in_memory_and_in_files(tmp_path: Path, kind: str) -> None:
    model = keras_model(kind)
    x = inputs(9, 3, 4) * 99
    wanted = model.predict(x, verbose=0)
    model.save(tmp_path / "a.keras")
    model.save(tmp_path / "a.h5")
    for source in (model, tmp_path / "a.keras", tmp_path / "a.h5"):
        network = gn.load(source)
        assert network.architecture.activations == ("gelu", "leaky_relu", "hard_sigmoid", "softmax")
        assert network.schema.input_shape == (3, 4)
        close(network(x), wanted)


@pytest.mark.filterwarnings("ignore")
def test_what_is_in_the_way_in_keras_is_told(tmp_path: Path, refused: Any) -> None:
    keras = import_module("keras")
    layers = keras.layers
    for part in (
        layers.Dense(2, activation="leaky_relu", name="d"),
        layers.LayerNormalization(name="norm"),
        layers.Reshape((2, 2), name="again"),
    ):
        model = keras.Sequential([keras.Input((4,)), part, layers.Dense(2, name="after")])
        model.save(tmp_path / "a.keras")
        for source in (model, tmp_path / "a.keras"):
            with refused(FileError):
                gn.load(source)
    x = keras.Input((4,), name="x")
    model = keras.Model(x, layers.add([x, layers.Dense(4)(x)], name="sum"))
    with refused(FileError):
        gn.load(model)
    model.save_weights(tmp_path / "a.weights.h5")
    with refused(FileError):
        gn.load(tmp_path / "a.weights.h5")


# scikit-learn


def fitted(kind: str, classes: int, activation: str, scaled: bool) -> tuple[Any, np.ndarray]:
    neural = import_module("sklearn.neural_network")
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, StandardScaler

    x = inputs(60, 4)
    model = getattr(neural, kind)(hidden_layer_sizes=(6, 5), activation=activation, max_iter=20, random_state=0)
    whole = make_pipeline(MinMaxScaler(), StandardScaler(), model) if scaled else model
    y = np.arange(60) % classes if kind == "MLPClassifier" else x[:, :classes]
    return whole.fit(x, np.array(["no", "yes", "maybe"])[y] if kind == "MLPClassifier" else y.squeeze()), x


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(("activation", "classes"), [("relu", 2), ("tanh", 3), ("logistic", 3), ("identity", 2)])
def test_scikit_learn_classifiers(tmp_path: Path, activation: str, classes: int, scaled: bool) -> None:
    skops = import_module("skops.io")
    model, x = fitted("MLPClassifier", classes, activation, scaled)
    skops.dump(model, tmp_path / "a.skops")
    wanted = model.predict_proba(x)
    network = gn.load(model)
    assert network.schema.classes == tuple(model.classes_)
    for source in (model, tmp_path / "a.skops"):
        close(gn.load(source)(x), wanted if classes > 2 else wanted[:, 1:])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("outputs", [1, 2])
def test_scikit_learn_regressors(tmp_path: Path, outputs: int) -> None:
    skops = import_module("skops.io")
    model, x = fitted("MLPRegressor", outputs, "relu", scaled=True)
    skops.dump(model, tmp_path / "a.skops")
    for source in (model, tmp_path / "a.skops"):
        close(gn.load(source)(x).reshape(model.predict(x).shape), model.predict(x))


def test_what_is_in_the_way_in_scikit_learn_is_told(refused: Any) -> None:
    neural = import_module("sklearn.neural_network")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    with refused(FileError):
        gn.load(LogisticRegression())
    with refused(FileError):
        gn.load(neural.MLPClassifier())
    with refused(FileError):
        gn.load(make_pipeline(PolynomialFeatures(), neural.MLPClassifier()))
    with refused(FileError):
        gn.load([1, 2])


# There and back


@pytest.mark.parametrize("target", ["onnx", "safetensors", "torch", "npz", "keras", "sklearn"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_was_given_away_is_taken_over_again(tmp_path: Path, target: str, dtype: str) -> None:
    squishes = ["relu", "relu"] if target == "sklearn" else ["relu", "gelu", "identity", "silu", "leaky_relu"]
    network = gn.Network.create([4, *[5] * len(squishes), 3], [*squishes, "softmax"], seed=1, dtype=dtype)
    gn.export(network, tmp_path / "a", to=target)
    again = gn.load(tmp_path / "a")
    assert again.with_schema(network.schema) == network


@pytest.mark.parametrize("target", ["onnx", "safetensors", "torch", "npz", "keras"])
def test_what_inputs_and_outputs_stand_for_goes_along(tmp_path: Path, target: str) -> None:
    schema = gn.Schema(input_shape=(2, 2), scale=1 / 255, classes=("a", "b'\u00e9" + "x" * 300))
    network = gn.Network.create("4-3-2", output="softmax", seed=0).with_schema(schema)
    gn.export(network, tmp_path / "a", to=target)
    assert gn.load(tmp_path / "a") == network


# Files that are not what they should be


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same small network in each format that keeps a graph."""
    place = tmp_path_factory.mktemp("formats")
    network = gn.Network.create("4-5-3", "gelu", output="softmax", seed=0)
    for target in ("onnx", "keras", "npz", "torch"):
        gn.export(network, place / target, to=target)
    return place


@pytest.mark.parametrize("target", ["onnx", "npz", "torch"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given_(changes=st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), min_size=1, max_size=3))
def test_changed_bytes_are_told_or_harmless(folder: Path, target: str, changes: list[tuple[int, int]]) -> None:
    content = bytearray((folder / target).read_bytes())
    for position, value in changes:
        content[position % len(content)] = value
    (folder / "changed").write_bytes(content)
    with contextlib.suppress(GlassnetError):
        gn.load(folder / "changed")


@pytest.mark.parametrize(
    "config",
    [
        [],
        {"class_name": "Sequential"},
        {"class_name": "Sequential", "config": {"layers": [1]}},
        {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config": []}]}},
        {"class_name": "Sequential", "config": {"layers": [{"class_name": "Rescaling", "config": {"scale": "x"}}]}},
        {"class_name": "Functional", "config": {"layers": [], "output_layers": [["a", 0, 0]]}},
        {
            "class_name": "Functional",
            "config": {
                "layers": [{"class_name": "A", "config": {"name": "a"}, "inbound_nodes": [[["a", 0, 0]]]}],
                "output_layers": ["a", 0, 0],
            },
        },
    ],
)
def test_a_configuration_that_makes_no_sense_is_told(folder: Path, tmp_path: Path, config: Any, refused: Any) -> None:
    with zipfile.ZipFile(folder / "keras") as old, zipfile.ZipFile(tmp_path / "a.keras", "w") as new:
        for name in old.namelist():
            new.writestr(name, json.dumps(config) if name == "config.json" else old.read(name))
    with refused(FileError):
        gn.load(tmp_path / "a.keras")


def test_an_endless_path_through_onnx_is_told_soon(tmp_path: Path, refused: Any) -> None:
    onnx = import_module("onnx")
    helper = onnx.helper
    nodes = [helper.make_node("Tanh", [f"{i}"], [f"{i + 1}"]) for i in range(5000)]
    ends = [helper.make_tensor_value_info(name, 1, ["n", 4]) for name in ("0", "5000")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph), tmp_path / "a.onnx")
    with refused(FileError):
        gn.load(tmp_path / "a.onnx")
