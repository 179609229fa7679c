"""One treatment of inputs: whatever meets data reads it by the network's schema, exactly once."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet import cli
from glassnet.errors import InputError, SettingError
from glassnet.explain import attribution

FLOWERS = ["setosa", "versicolor", "virginica"]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Flowers of three kinds with columns of very different sizes, one of them text, and a cell missing."""
    random = np.random.default_rng(0)
    kind = np.arange(150) % 3
    frame = pandas.DataFrame(
        {
            "length": np.round(5 + kind + random.normal(0, 0.3, 150), 1),
            "weight": np.round(2000 - 300 * kind + random.normal(0, 90, 150)),
            "soil": np.where(random.random(150) < 0.8, np.array(["clay", "loam", "sand"])[kind], "clay"),
            "kind": np.array(FLOWERS)[kind],
        }
    )
    frame.loc[7, "weight"] = np.nan
    path = tmp_path_factory.mktemp("table") / "flowers.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def network(table: Path) -> gn.Network:
    data = gn.data.table(table, "kind")
    start = gn.Network.create(f"{data.inputs.shape[1]}-8-3", output="softmax", seed=0)
    return gn.train(start, data, epochs=30).network


ROW = {"length": 5.1, "weight": 2010.0, "soil": "clay"}


def test_every_kind_of_named_data_gives_the_same_answers(network: gn.Network, table: Path) -> None:
    frame = pandas.read_csv(table)
    wanted = network(gn.data.table(table, "kind"))
    asked = {
        "pandas": frame,
        "other order, another column": frame[["kind", "soil", "weight", "length"]].assign(more=1),
        "polars": polars.read_csv(table),
        "pyarrow": pyarrow.Table.from_pandas(frame),
        "a dict of columns": {name: frame[name].tolist() for name in frame},
        "a list of dicts": frame.to_dict("records"),
        "the path": table,
    }
    for what, rows in asked.items():
        np.testing.assert_array_equal(network.predict(rows).outputs, wanted, err_msg=what)
        if what != "the path":
            np.testing.assert_array_equal(network(rows), wanted, err_msg=what)
    assert gn.evaluate(network, gn.data.table(table, "kind")).accuracy == pytest.approx(
        np.mean([a == b for a, b in zip(network.predict(frame).labels or (), frame["kind"], strict=True)])
    )
    assert gn.evaluate(network, (frame, frame["kind"])).accuracy == gn.evaluate(network, frame_data(frame)).accuracy


def frame_data(frame: pandas.DataFrame) -> gn.Dataset:
    return gn.data.table(frame, "kind")


def test_one_row_in_every_way(network: gn.Network, table: Path) -> None:
    wanted = network(ROW)
    assert wanted.shape == (3,)
    first = pandas.DataFrame([ROW])
    for row in (first.iloc[0], [5.1, 2010, "clay"], [5.1, 2010.0, 1, 0, 0], np.array([5.1, 2010, 1, 0, 0])):
        np.testing.assert_array_equal(network(row), wanted)
    np.testing.assert_array_equal(network(first), wanted[None])
    answer = network.predict(ROW)
    assert (answer.label, len(answer)) == ("setosa", 1)
    assert repr(answer).startswith("Prediction(setosa, 8")
    assert json.loads(json.dumps(answer.as_dict()))["labels"] == ["setosa"]


def test_missing_and_unknown_cells_are_noted(network: gn.Network) -> None:
    answer = network.predict({"length": 5.1, "weight": None, "soil": "moon dust"})
    center = dict(zip(network.schema.features or (), network.schema.centers or (), strict=True))["weight"]
    np.testing.assert_allclose(answer.outputs, network([5.1, center, 0, 0, 0]), rtol=1e-6)
    assert len(answer.notes) == 2


def test_a_missing_column_is_refused(network: gn.Network, refused: Any) -> None:
    with refused(InputError):
        network({"length": 5.1, "weights": 2010, "soil": "clay"})
    with refused(InputError):
        network([5.1, "clay"])


def test_everything_reads_raw_rows_once(network: gn.Network) -> None:
    trace = network.trace(ROW)
    own = trace.layers[0].inputs
    np.testing.assert_array_equal(own, network.preprocess(ROW))
    np.testing.assert_array_equal(network.bare(own), network(ROW))
    assert trace.given is not None
    assert trace.given.tolist() == [5.1, 2010, 1, 0, 0]
    assert abs(own[1]) < 3
    np.testing.assert_array_equal(attribution(network, ROW).inputs, own)
    loss, slopes = network.loss_and_gradient(ROW, 0)
    assert loss == pytest.approx(-np.log(network(ROW)[0]), rel=1e-4)
    np.testing.assert_array_equal(slopes, network.bare.gradient(own, 0))
    template = gn.explain.template(network, 0, 0, ROW)
    assert template.match is not None
    assert template.match.weighted_sum == pytest.approx(float(trace.layers[0].weighted_sums[0]))


def test_the_worked_neuron_shows_the_users_value_and_the_step(network: gn.Network) -> None:
    center, spread = (network.schema.centers or ())[0], (network.schema.spreads or ())[0]
    text = str(network.trace(ROW).neuron(0, 0))
    own = (5.1 - center) / spread
    assert f"length = 5.1 -> (5.1 - {center:.6g}) / {spread:.6g} = {own:.6g}" in text
    assert "soil=clay = " not in text  # nothing happens to it


def test_command_and_python_agree(
    tmp_path: Path, table: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["train", str(table), "--target", "kind", "--epochs", "30", "-o", "m.safetensors"]) == 0
    network = gn.load("m.safetensors")
    wanted = network.predict(pandas.read_csv(table)).labels
    capsys.readouterr()
    assert cli.main(["predict", "m.safetensors", str(table)]) == 0
    assert tuple(capsys.readouterr().out.split()) == wanted
    for typed in ("5.1,2010,clay", "soil=clay,length=5.1,weight=2010", "5.1,2010,1,0,0"):
        assert cli.main(["predict", "m.safetensors", "--inputs", typed, "--json"]) == 0
        figures = json.loads(capsys.readouterr().out)
        assert figures["outputs"] == network(ROW).tolist()
        assert figures["class"] == "setosa"
    assert cli.main(["explain", "m.safetensors", "--inputs", "5.1,2010,clay", "--neuron", "0:0"]) == 0
    assert "length = 5.1 -> (5.1 - " in capsys.readouterr().out


# Measurements


def test_a_table_of_prices_is_learnt_as_the_command_learns_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(1)
    size = random.uniform(50, 200, 300)
    prices = pandas.DataFrame({"size": size, "age": random.uniform(0, 90, 300), "price": 3e3 * size + 1e5})
    prices.to_csv("prices.csv", index=False)
    command = ["train", "prices.csv", "--target", "price", "--seed", "0", "--epochs", "20", "--json"]
    assert cli.main([*command, "-o", "a.safetensors"]) == 0
    figures = json.loads(capsys.readouterr().out)
    train, held_out = gn.data.table("prices.csv", "price").split(0.2)
    start = gn.Network.create("2-16-16-1", seed=0)
    result = gn.train(start, train, validation=held_out, epochs=20, l2=1e-4)
    assert figures["r_squared"] > 0.9
    assert gn.evaluate(result.network, held_out).r_squared == pytest.approx(figures["r_squared"], abs=1e-6)
    assert result.network == gn.load("a.safetensors")
    price = float(result.network.predict({"size": 100, "age": 20}).outputs[0])
    assert price == pytest.approx(4e5, rel=0.1)
    again = gn.train(result.network, train, epochs=1, learning_rate=1e-6).network
    assert float(again({"size": 100, "age": 20})[0]) == pytest.approx(price, rel=1e-3)  # goes on from where it was


def test_targets_of_plain_arrays_are_learnt_as_they_are() -> None:
    x = np.linspace(-1, 1, 20)[:, None]
    start = gn.Network.from_layers([([[1.0]], [0.5], "identity")], dtype="float64")
    result = gn.train(start, (x, 300 + x[:, 0]), epochs=1, batch_size=20, optimizer="sgd", learning_rate=0.1)
    loss, slopes = start.loss_and_gradient(x, 300 + x)
    assert result.history[0].loss == pytest.approx(loss)
    assert start.parameters - result.network.parameters != pytest.approx(0 * slopes)


# Pixels


def as_stored(pixels: np.ndarray) -> list[Any]:
    """The same stored pixels in every type of integers, and as fractions."""
    fractions = pixels / 255
    return [
        pixels,
        pixels.astype(np.uint16),
        pixels.astype(np.int32),
        pixels.astype(np.int64),
        pixels.tolist(),
        torch.from_numpy(pixels.copy()),
        torch.from_numpy(pixels.astype(np.int64)),
        fractions,
        fractions.astype(np.float32),
        fractions.tolist(),
        torch.from_numpy(fractions),
    ]


def pixel_network() -> gn.Network:
    schema = gn.Schema((2, 3), 1 / 255, classes=("a", "b", "c"))
    return gn.Network.create("6-5-3", output="softmax", seed=0).with_schema(schema)


@given(st.lists(st.integers(0, 255), min_size=6, max_size=6))
def test_stored_pixels_count_alike_in_every_type(values: list[int]) -> None:
    network, pixels = pixel_network(), np.array(values, np.uint8)
    wanted = network.bare((pixels / 255).astype(np.float32))
    for given_ in as_stored(pixels):
        for got in (network(given_), network.trace(given_).outputs, network.predict(given_).outputs):
            np.testing.assert_allclose(got, wanted, rtol=1e-5)


def test_what_could_be_pixels_or_fractions_is_refused(refused: Any) -> None:
    network, pixels = pixel_network(), np.array([0, 1, 2, 128, 254, 255], np.uint8)
    for values in (pixels.astype(np.float32), pixels.astype(float).tolist(), -pixels.astype(int)):
        with refused(InputError):
            network(values)
    with refused(InputError):
        network(pixels.astype(int) * 2)
    with refused(InputError):
        network.with_schema(gn.Schema())(pixels)
    np.testing.assert_array_equal(
        network.with_schema(gn.Schema(scale=1.0))(pixels), network.with_schema(gn.Schema())(pixels.astype(float))
    )


def test_a_network_without_a_description_reads_data_as_the_data_says() -> None:
    data = gn.Dataset(np.arange(60, dtype=np.uint8).reshape(10, 6) * 4, np.arange(10) % 3, gn.Schema((2, 3), 1 / 255))
    described = pixel_network()
    bare = described.with_schema(gn.Schema())
    figures = gn.evaluate(bare, data)
    assert figures.loss == gn.evaluate(described, data).loss
    assert "stored pixels times 0.00392157" in figures.notes[0]
    np.testing.assert_array_equal(bare(data), described(data))
    np.testing.assert_array_equal(bare.trace(data).outputs, described(data))
    assert gn.explain.activity(bare, data).as_dict() == gn.explain.activity(described, data).as_dict()
    assert gn.compare(bare, described, data).same_function
    raw = described.described(scale=1.0)  # says that it reads 0 to 255
    assert gn.evaluate(raw, data).notes == ()
    np.testing.assert_array_equal(raw(data), described.bare(data.inputs.astype(np.float32)))


def test_the_mean_of_stored_pixels_is_a_baseline() -> None:
    train, test = gn.data.digits()
    network = gn.Network.create("784-16-10", output="softmax", seed=0).with_schema(test.schema)
    digit, mean = test.inputs[7], train.inputs[:1000].mean(axis=0)
    found = attribution(network, digit, baseline=mean)
    np.testing.assert_allclose(found.baseline, mean / 255)
    same = attribution(network, digit, baseline=mean / 255)  # the units are those of the input, not of the values
    assert float(same.baseline.max()) < 0.01
    np.testing.assert_allclose(attribution(network, digit / 255, baseline=mean / 255).baseline, mean / 255, rtol=1e-6)
    np.testing.assert_allclose(
        attribution(network, digit, baseline=train[:50], method="deeplift").baseline,
        train.inputs[:50].mean(axis=0) / 255,
        rtol=1e-4,
    )
    assert abs(found.contributions).max() < 10


def test_a_description_is_given_when_a_file_is_loaded(tmp_path: Path, refused: Any) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    torch.save(model.state_dict(), tmp_path / "a.pt")
    network = gn.load(tmp_path / "a.pt", "relu", scale=1 / 255, shape=(2, 3), classes=["a", "b", "c"])
    assert network.schema == gn.Schema((2, 3), 1 / 255, classes=("a", "b", "c"))
    pixels = np.array([0, 1, 2, 128, 254, 255], np.uint8)
    with torch.no_grad():
        wanted = model(torch.from_numpy(pixels.astype(np.float32) / 255)).numpy()
    np.testing.assert_allclose(network(pixels), wanted, rtol=1e-4, atol=1e-6)
    for said in ({"shape": (2, 2)}, {"classes": ["a"]}):
        with refused(SettingError):
            gn.load(tmp_path / "a.pt", "relu", **said)


# Every way in


ROUTES = ("own", "torch", "keras", "onnx", "sklearn", "npz", "safetensors", "state dict")


@pytest.fixture(scope="module")
def taken_over(tmp_path_factory: pytest.TempPathFactory) -> dict[str, gn.Network]:
    """One digit network, learnt on fractions, by every route; none of them but glassnet's own says how it reads."""
    folder, made = tmp_path_factory.mktemp("routes"), {}
    train, _ = gn.data.digits()
    start = gn.Network.create("784-12-10", "relu", output="softmax", seed=0)
    network = gn.train(start, train[:3000], epochs=2).network
    network.save(folder / "own.safetensors")
    made["own"] = gn.load(folder / "own.safetensors")
    first, second = network.layers
    model = torch.nn.Sequential(torch.nn.Linear(784, 12), torch.nn.ReLU(), torch.nn.Linear(12, 10), torch.nn.Softmax(1))
    with torch.no_grad():
        for layer, module in ((first, model[0]), (second, model[2])):
            module.weight.copy_(torch.from_numpy(layer.weights.copy()))
            module.bias.copy_(torch.from_numpy(layer.biases.copy()))
    made["torch"] = gn.load(model)
    torch.save(model.state_dict(), folder / "a.pt")
    made["state dict"] = gn.load(folder / "a.pt", ["relu", "softmax"])
    nameless = network.with_schema(gn.Schema())
    for route, name in (("keras", "a.keras"), ("onnx", "a.onnx"), ("sklearn", "a.skops"), ("npz", "a.npz")):
        gn.export(nameless, folder / name)
        made[route] = gn.load(folder / name)
    from safetensors.numpy import save_file

    tensors = {"a.weight": first.weights, "a.bias": first.biases, "b.weight": second.weights, "b.bias": second.biases}
    save_file({name: np.ascontiguousarray(part) for name, part in tensors.items()}, folder / "b.safetensors")
    made["safetensors"] = gn.load(folder / "b.safetensors", ["relu", "softmax"])
    return made


@pytest.mark.parametrize("route", ROUTES)
def test_what_trace_answers_is_what_evaluate_counts(taken_over: dict[str, gn.Network], route: str) -> None:
    network, (_, test) = taken_over[route], gn.data.digits()
    digits = test[:200]
    counted = gn.evaluate(network, digits)
    assert (counted.accuracy or 0) > 0.7
    assert (counted.notes == ()) == (route == "own")
    assert counted.loss == pytest.approx(gn.evaluate(taken_over["own"], digits).loss, rel=1e-5)
    described = network.described(**{} if route == "own" else {"scale": 1 / 255, "input_shape": (28, 28)})
    for values in as_stored(digits.inputs):
        answers = described.trace(values).outputs.argmax(axis=1)
        assert (answers == digits.targets).mean() == counted.accuracy
        inputs = values if not isinstance(values, torch.Tensor) else values.numpy()
        assert gn.evaluate(described, (inputs, digits.targets)).accuracy == counted.accuracy
    if route != "own":
        with pytest.raises(InputError, match="does not say how it reads"):
            network.trace(digits.inputs)
        with pytest.raises(InputError, match="does not say how it reads"):
            gn.evaluate(network, (digits.inputs, digits.targets))


def test_commands_read_a_digit_alike(
    taken_over: dict[str, gn.Network],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A network whose file says nothing: explain and predict called a 5 a 0 that evaluate counted as right."""
    monkeypatch.chdir(tmp_path)
    own = taken_over["own"]
    gn.export(own.with_schema(gn.Schema()), "a.onnx")
    wanted = own(gn.data.digits()[1].inputs[52])
    for command in ("explain", "predict"):
        assert cli.main([command, "a.onnx", "--digit", "52", "--json"]) == 0
        out, err = capsys.readouterr()
        np.testing.assert_allclose(json.loads(out)["outputs"], wanted, rtol=1e-4)
        assert "they are read as" in err
    assert cli.main(["evaluate", "a.onnx", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["accuracy"] == gn.evaluate(own, gn.data.digits()[1]).accuracy
    assert "they are read as" in err
    assert cli.main(["compare", "a.onnx", "a.onnx", "--scale", "1/255"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    described = ["--scale", "1/255", "--shape", "28x28", "--classes", "0,1,2,3,4,5,6,7,8,9"]
    assert cli.main(["predict", "a.onnx", "--digit", "52", "--json", *described]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["class"], err) == (str(wanted.argmax()), "")
    assert cli.main(["explain", "a.onnx", "--digit", "52", "--json", "--scale", "1"]) == 0
    assert json.loads(capsys.readouterr().out)["inputs"][:784] == gn.data.digits()[1].inputs[52].tolist()


def test_a_classifier_fitted_on_stored_pixels_says_so(tmp_path: Path) -> None:
    """scikit-learn's on 0 to 255 was 12.7 % right for evaluate, truly 17.6 %: it was given 0 to 1."""
    from sklearn.neural_network import MLPClassifier

    (train, test) = gn.data.digits()
    model = MLPClassifier((8,), max_iter=3, random_state=0)
    with pytest.warns(UserWarning, match="iterations"):
        model.fit(train.inputs[:2000].astype(float), train.targets[:2000])
    wanted = model.score(test.inputs[:500].astype(float), test.targets[:500])
    network = gn.load(model, scale=1)
    assert gn.evaluate(network, test[:500]).accuracy == pytest.approx(wanted)
    answers = network.trace(test.inputs[:500]).outputs.argmax(axis=1)
    assert (answers == test.targets[:500]).mean() == pytest.approx(wanted)
    assert (
        gn.evaluate(gn.load(model), test[:500]).notes != ()
    )  # not told, it is read as the digits say, and this is said


def test_an_attribution_names_the_users_values(network: gn.Network) -> None:
    text = str(attribution(network, ROW))
    assert "length = 5.1" in text
    assert "weight = 2010" in text
