"""Exports take raw rows: every target gives what `network.predict` gives, and so does the file loaded again."""

import os
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import torch
from test_exporting import compiled, imported, ran

import glassnet as gn

os.environ["KERAS_BACKEND"] = "torch"
COLUMNS = ["length (cm)", "weight", "soil", "rain", "colour"]


@pytest.fixture(scope="module")
def frame() -> pandas.DataFrame:
    """Columns of sizes from 0.001 to 2,000, two of them text."""
    random = np.random.default_rng(0)
    kind = np.arange(120) % 3
    return pandas.DataFrame(
        {
            "length (cm)": 5 + kind + random.normal(0, 0.3, 120),
            "weight": 2000 - 300 * kind + random.normal(0, 90, 120),
            "soil": np.where(random.random(120) < 0.8, np.array(["clay", "loam", 'sa"nd'])[kind], "clay"),
            "rain": 0.001 * random.normal(1, 0.3, 120),
            "colour": random.choice(["red", "blue"], 120),
            "kind": np.array(["a", "b", "c"])[kind],
            "price": 3e5 + 1e4 * kind + random.normal(0, 300, 120),
        }
    )


@pytest.fixture(scope="module")
def classes(frame: pandas.DataFrame) -> gn.Network:
    data = gn.data.table(frame.drop(columns="price"), "kind")
    start = gn.Network.create(f"{data.inputs.shape[1]}-8-8-3", "tanh", output="softmax", seed=0)
    return gn.train(start, data, epochs=20).network


@pytest.fixture(scope="module")
def prices(frame: pandas.DataFrame) -> gn.Network:
    data = gn.data.table(frame.drop(columns=["kind", "soil", "colour"]), "price")
    return gn.train(gn.Network.create("3-8-1", "relu", seed=0), data, epochs=40).network


@pytest.fixture(scope="module")
def pixels() -> gn.Network:
    train, _ = gn.data.digits()
    start = gn.Network.create("784-12-10", "relu", output="softmax", seed=0)
    return gn.train(start, train[:2000], epochs=2).network


Run = Callable[[Path, gn.Network, np.ndarray], Any]


def onnx(path: Path, network: gn.Network, rows: np.ndarray) -> Any:
    gn.export(network, path.with_suffix(".onnx"))
    session = import_module("onnxruntime").InferenceSession(path.with_suffix(".onnx"))
    return session.run(None, {"inputs": rows.astype(np.float32)})[0]


def keras(path: Path, network: gn.Network, rows: np.ndarray) -> Any:
    gn.export(network, path.with_suffix(".keras"))
    return import_module("keras").models.load_model(path.with_suffix(".keras")).predict(rows, verbose=0)


def sequential(network: gn.Network, tensors: Any, rows: np.ndarray) -> Any:
    modules: list[torch.nn.Module] = []
    for layer in network.layers:
        modules.append(torch.nn.Linear(layer.weights.shape[1], layer.weights.shape[0]))
        known = {"tanh": torch.nn.Tanh(), "relu": torch.nn.ReLU(), "softmax": torch.nn.Softmax(1)}
        modules += [known[layer.activation]] if layer.activation in known else []
    model = torch.nn.Sequential(*modules)
    model.load_state_dict(tensors, strict=True)
    with torch.no_grad():
        return model(torch.from_numpy(rows.astype(np.float32))).numpy()


def pytorch(path: Path, network: gn.Network, rows: np.ndarray) -> Any:
    gn.export(network, path.with_suffix(".pt"))
    return sequential(network, torch.load(path.with_suffix(".pt"), weights_only=True), rows)


def npz(path: Path, network: gn.Network, rows: np.ndarray) -> Any:
    gn.export(network, path.with_suffix(".npz"))
    with np.load(path.with_suffix(".npz")) as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files if name[0].isdigit()}
    return sequential(network, arrays, rows)


def safetensors(path: Path, network: gn.Network, rows: np.ndarray) -> Any:
    gn.export(network, path.with_suffix(".safetensors"))
    return sequential(network, import_module("safetensors.torch").load_file(path.with_suffix(".safetensors")), rows)


def c(path: Path, network: gn.Network, rows: np.ndarray) -> Any:
    gn.export(network, path.with_suffix(".h"))
    return ran(compiled(path.with_suffix(".h"), "exported"), rows.astype(np.float32), network.sizes[-1])


TARGETS: dict[str, tuple[str, Run]] = {
    "onnx": (".onnx", onnx),
    "keras": (".keras", keras),
    "torch": (".pt", pytorch),
    "npz": (".npz", npz),
    "safetensors": (".safetensors", safetensors),
    "c": (".h", c),
}


def raw(network: gn.Network, frame: pandas.DataFrame) -> np.ndarray:
    """The rows as a program without names has them: numbers in the order of the inputs."""
    return np.stack(
        [
            (frame[hot[0]] == hot[1]).to_numpy(float) if hot else frame[name].to_numpy(float)
            for name, hot in zip(
                network.schema.features or (), network.schema.one_hot or [None] * network.sizes[0], strict=True
            )
        ],
        axis=1,
    )


@pytest.mark.filterwarnings("ignore")  # of Keras
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("which", ["classes", "prices", "pixels"])
def test_raw_rows_give_what_predict_gives(
    tmp_path: Path, request: pytest.FixtureRequest, frame: pandas.DataFrame, target: str, which: str
) -> None:
    network = request.getfixturevalue(which)
    suffix, run = TARGETS[target]
    digits = gn.data.digits()[1].inputs[:50]
    rows, asked = (digits.astype(float), digits) if which == "pixels" else (raw(network, frame), frame)
    wanted = network.predict(asked).outputs
    got = np.asarray(run(tmp_path / "exported", network, rows), np.float64)
    scale = 1.0 if which != "prices" else float(frame["price"].std())
    np.testing.assert_allclose(got / scale, wanted / scale, atol=2e-4)
    if suffix == ".h":
        return
    again = gn.load((tmp_path / "exported").with_suffix(suffix))
    np.testing.assert_allclose(again.predict(asked).outputs / scale, wanted / scale, atol=2e-4)
    assert (again.schema.classes, again.schema.target) == (network.schema.classes, network.schema.target)
    if which == "pixels":
        assert again.schema == network.schema  # a scale is taken out of the weights again
        np.testing.assert_allclose(again.predict(digits / 255).outputs, wanted, atol=2e-4)
    else:
        reversed_ = frame[frame.columns[::-1]]
        np.testing.assert_allclose(again(reversed_) / scale, wanted / scale, atol=2e-4)
        gap = {**frame.iloc[0].to_dict(), "weight": None}
        np.testing.assert_allclose(again(gap) / scale, network(gap) / scale, atol=2e-4)


@pytest.mark.parametrize("which", ["classes", "prices", "pixels"])
def test_python_takes_a_row_by_name(
    tmp_path: Path, request: pytest.FixtureRequest, frame: pandas.DataFrame, which: str
) -> None:
    network = request.getfixturevalue(which)
    gn.export(network, tmp_path / "exported.py")
    module = imported(tmp_path / "exported.py")
    if which == "pixels":
        digits = gn.data.digits()[1].inputs[:5]
        np.testing.assert_allclose([module.predict(d.tolist()) for d in digits], network(digits), rtol=1e-4, atol=1e-5)
        return
    wanted = network.predict(frame)
    for rows in (frame.to_dict("records"), frame[list(network.schema.columns)].to_numpy(object), raw(network, frame)):
        got = [module.predict(row) for row in rows]
        np.testing.assert_allclose(got, wanted.outputs, rtol=1e-4, atol=1e-5)
    assert list(module.COLUMNS) == list(network.schema.columns)
    gap = {**frame.iloc[0].to_dict(), "weight": float("nan")}
    np.testing.assert_allclose(module.predict(gap), network(gap), rtol=1e-4)
    if which == "classes":
        assert [module.classify(row) for row in frame.to_dict("records")] == list(wanted.labels or ())


@pytest.mark.parametrize("which", ["classes", "prices"])
def test_scikit_learn_takes_the_data_frame(
    tmp_path: Path, request: pytest.FixtureRequest, frame: pandas.DataFrame, which: str
) -> None:
    network = request.getfixturevalue(which)
    skops = import_module("skops.io")
    gn.export(network, tmp_path / "a.skops")
    model = skops.load(tmp_path / "a.skops", trusted=skops.get_untrusted_types(file=tmp_path / "a.skops"))
    table, wanted = frame[list(network.schema.columns)], network.predict(frame)
    assert model.feature_names_in_.tolist() == list(table)
    if which == "classes":
        np.testing.assert_allclose(model.predict_proba(table), wanted.outputs, atol=2e-4)
        assert tuple(model.predict(table)) == wanted.labels
    else:
        np.testing.assert_allclose(model.predict(table), wanted.outputs[:, 0], rtol=1e-4)
    again = gn.load(tmp_path / "a.skops")
    np.testing.assert_allclose(again.predict(frame).outputs, wanted.outputs, rtol=1e-3, atol=2e-4)
    assert again.schema.features == network.schema.features


def test_a_header_of_whole_numbers_takes_raw_rows(tmp_path: Path, frame: pandas.DataFrame, classes: gn.Network) -> None:
    gn.export(classes, tmp_path / "small.h", to="c", quantise="int8")
    got = ran(compiled(tmp_path / "small.h", "small"), raw(classes, frame).astype(np.float32), 3)
    wanted = classes.predict(frame)
    assert (got.argmax(axis=1) == wanted.outputs.argmax(axis=1)).mean() > 0.97
    assert np.abs(got - wanted.outputs).max() < 0.1


def test_a_header_names_its_columns(tmp_path: Path, classes: gn.Network) -> None:
    gn.export(classes, tmp_path / "a.h")
    text = (
        '#include <stdio.h>\n#include "a.h"\nint main(void) { int i;\n'
        "  for (i = 0; i < A_COLUMNS; i++) puts(a_column(i));\n  return 0; }\n"
    )
    (tmp_path / "names.c").write_text(text)
    subprocess.run(["gcc", "names.c", "-o", "names", "-lm"], cwd=tmp_path, check=True)
    names = subprocess.run([str(tmp_path / "names")], capture_output=True, check=True, text=True).stdout.splitlines()
    assert tuple(names) == classes.schema.features
