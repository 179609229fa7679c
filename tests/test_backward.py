"""The way back, worked by hand: held to PyTorch's autograd, to `network.gradient`, and to its own printed figures."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.arithmetic import Product, Row
from glassnet.backward import NeuronGradient
from glassnet.cli import main
from glassnet.errors import AddressError, InputError, SettingError
from glassnet.losses import LOSSES

torch = pytest.importorskip("torch")
BUILT_IN = sorted(name for name, of in ACTIVATIONS.items() if of.torch is not None)


def autograd(network: gn.Network, inputs: np.ndarray, target: np.ndarray, loss: Any) -> tuple[list[Any], list[Any]]:
    """Of each layer the gradients of weights and of pre-activations, by PyTorch, in float64."""
    values = torch.tensor(inputs[None])
    weights, scores = [], []
    last = network.layers[-1].activation
    for i, layer in enumerate(network.layers):
        weights.append(torch.tensor(layer.weights, requires_grad=True))
        scores.append(values @ weights[-1].T + torch.tensor(layer.biases))
        scores[-1].retain_grad()
        if i < len(network.layers) - 1 or not loss.reads_logits(last):
            name, options = ACTIVATIONS[layer.activation].torch or ("", {})
            function = getattr(torch.nn.functional, name, None) or getattr(torch, name, None)
            if name == "softmax":
                options = {"dim": 1}
            values = scores[-1] if layer.activation == "identity" else function(scores[-1], **options)
        else:
            values = scores[-1]
    settings = {} if loss.torch != "huber_loss" else {"delta": loss.delta}
    if loss.torch == "cross_entropy":
        settings = {"label_smoothing": loss.label_smoothing}
    getattr(torch.nn.functional, loss.torch)(values, torch.tensor(target[None]), **settings).backward()
    return [part.grad.numpy() for part in weights], [part.grad.numpy()[0] for part in scores]


@st.composite
def asked(draw: st.DrawFn, dtype: str | None = None) -> tuple[gn.Network, np.ndarray, np.ndarray, Any]:
    """A random network, an input, a target and a loss that reads it."""
    kind = LOSSES[draw(st.sampled_from(sorted(LOSSES.built_in)))]
    loss: Any = kind(label_smoothing=0.1) if kind.name == "cross_entropy" and draw(st.booleans()) else kind()
    sizes = draw(st.lists(st.integers(1, 9), min_size=2, max_size=4))
    sizes[-1] = max(sizes[-1], 2)
    hidden = draw(st.sampled_from([name for name in BUILT_IN if not ACTIVATIONS[name].by_row]))
    seed = draw(st.integers(0, 2**32 - 1))
    network = gn.Network.create(
        sizes,
        hidden,
        output=draw(st.sampled_from(["softmax", "sigmoid", "identity", "tanh"])),
        seed=seed,
        dtype=dtype or draw(st.sampled_from(["float32", "float64"])),
    )
    random = np.random.default_rng(seed)
    vector = (network.parameters + random.normal(0, 0.1, len(network.parameters))).astype(network.dtype)
    inputs = random.normal(size=sizes[0]) * (random.random(sizes[0]) < 0.8)
    return network.with_parameters(vector), inputs, random.dirichlet(np.ones(sizes[-1])), loss


@given(asked("float64"))
@settings(max_examples=150)
def test_deltas_and_gradients_are_those_of_autograd(case: tuple[gn.Network, np.ndarray, np.ndarray, Any]) -> None:
    network, inputs, target, loss = case
    back = network.trace(inputs).backward(target, loss)
    weights, deltas = autograd(network, inputs, target, loss)
    for layer in range(len(network.layers)):
        np.testing.assert_allclose(back.deltas(layer), deltas[layer], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(back.weight_gradients(layer), weights[layer], rtol=1e-9, atol=1e-12)
        for index in range(network.sizes[layer + 1]):
            step = back.neuron(layer, index).steps[-1]
            assert step.total == ("delta", back.deltas(layer)[index])
            worked = sum(value for _, value in step.terms)  # by the formulas, where delta is the engine's
            assert worked == pytest.approx(deltas[layer][index], rel=1e-8, abs=1e-12)
            assert step.difference == "rounding in float64"


@given(asked(), st.integers(0, 12))
@settings(max_examples=150)
def test_printed_figures_add_up_and_are_the_gradients(
    case: tuple[gn.Network, np.ndarray, np.ndarray, Any], top: int
) -> None:
    network, inputs, target, loss = case
    whole = network.gradient(inputs, target, loss)
    back = network.trace(inputs).backward(target, loss)
    np.testing.assert_array_equal(back.gradient, whole)
    for layer in range(len(network.layers)):
        for index in range(network.sizes[layer + 1]):
            found = back.neuron(layer, index)
            assert_adds_up(found.rows(top))
            assert found.steps[-1].difference == f"rounding in {network.dtype}"
            assert_is_the_gradient(found, network, layer, index, whole, top)
            assert max(map(len, str(found).splitlines())) <= 80


def assert_adds_up(rows: list[Row]) -> None:
    carried = Decimal(0)
    for row in rows:
        figure = Decimal(row.figure.replace(",", ""))
        if row.kind == "total":
            assert carried == figure
        carried = Decimal(0) if row.kind == "total" else carried + figure


def assert_is_the_gradient(
    found: NeuronGradient, network: gn.Network, layer: int, index: int, whole: np.ndarray, top: int
) -> None:
    """Each printed figure is the number of `network.gradient`, rounded to its decimals, and its factors make it."""
    place = network.architecture.layers[layer]
    own = whole[place.start : place.biases_start].reshape(place.fan_out, place.fan_in)[index]
    bias = whole[place.biases_start + index]
    expected = [*sorted(own, key=abs, reverse=True)[: max(top, 0)], bias] if len(own) > top else [*own, bias]
    rows = found.gradient_rows(top)
    assert len(rows) == len(expected)
    for row, value in zip(rows, expected, strict=True):
        figure = Decimal(row.figure.replace(",", ""))
        exponent = figure.as_tuple().exponent
        assert isinstance(exponent, int)
        unit = Decimal(1).scaleb(exponent)
        assert abs(abs(Decimal(float(value))) - abs(figure)) <= unit / 2  # of equal sizes either may come first
        assert isinstance(row.what, Product)
        delta, given = Decimal(row.what.input), Decimal(row.what.weight)
        assert abs(delta * given - figure) <= unit / 2 + abs(figure) * Decimal("1.1e-5")


@pytest.mark.parametrize("loss", ["squared_error", "absolute_error", "huber"])
@pytest.mark.parametrize("output", ["softmax", "sigmoid", "relu"])
def test_a_target_in_one_output_or_many(loss: str, output: str) -> None:
    for width in (1, 3):
        network = gn.Network.create([2, 3, width], "gelu", output=output, seed=3, dtype="float64")
        target = np.linspace(0.2, 0.7, width)
        back = network.trace([1.0, -2.0]).backward(target, loss)
        for index in range(width):
            step = back.neuron(1, index).steps[-1]
            assert sum(value for _, value in step.terms) == pytest.approx(back.deltas(1)[index], abs=1e-14)


def test_classes_with_weights_count_by_them() -> None:
    network = gn.Network.create("2-3", output="softmax", seed=1, dtype="float64")
    loss = gn.losses.CrossEntropy(label_smoothing=0.2, class_weights=(1.0, 2.0, 0.5))
    back = network.trace([1.0, 2.0]).backward(1, loss)
    for index in range(3):
        (step,) = back.neuron(0, index).steps
        assert sum(value for _, value in step.terms) == pytest.approx(back.deltas(0)[index], abs=1e-14)


def test_a_loss_of_your_own_goes_back_too() -> None:
    network = gn.Network.create("2-3-2", "tanh", seed=1, dtype="float64")
    back = network.trace([1.0, 2.0]).backward([0.0, 1.0], lambda a, y: ((a - y) ** 4).sum(axis=1))
    assert [row.kind for row in back.neuron(1, 0).rows()] == ["term", "total", "term", "total"]


def test_it_is_the_gradient_of_the_network_on_raw_inputs() -> None:
    test = gn.data.digits()[1]
    network = gn.Network.create("784-6-10", output="softmax", seed=1).with_schema(test.schema)
    trace = network.trace(test.inputs[:3])
    np.testing.assert_array_equal(trace[1].backward(2).gradient, network.gradient(test.inputs[1], 2))
    np.testing.assert_array_equal(trace[1].backward("2").gradient, network.gradient(test.inputs[1], 2))
    flowers = gn.Schema(features=("length", "width"), centers=(5.0, 3.0), spreads=(0.5, 0.25))
    table = gn.Network.create("2-3-1", seed=0).with_schema(flowers)
    np.testing.assert_array_equal(table.trace([5.5, 2.5]).backward(1.5).gradient, table.gradient([5.5, 2.5], 1.5))


@pytest.mark.parametrize(
    ("output", "loss", "address"),
    [("softmax", None, (1, 1)), ("softmax", None, (0, 2)), ("sigmoid", "mse", (1, 0)), ("softmax", "mse", (1, 0))],
)
def test_the_column(output: str, loss: str | None, address: tuple[int, int], golden: Callable[..., None]) -> None:
    network = gn.Network.create("3-4-2", "tanh", output=output, seed=7)
    found = network.trace([0.5, -1.0, 2.0]).backward([0.0, 1.0] if loss else 1, loss).neuron(*address)
    golden(str(found))


def test_every_medium_carries_the_same_figures(network: gn.Network, golden: Callable[..., None]) -> None:
    found = network.trace([0.5, -1.0, 2.0]).backward(1).neuron(0, 2).document(2)
    for form, ending in (("text", ".txt"), ("markdown", ".md"), ("latex", ".tex"), ("html", ".html")):
        golden(found.write(form), suffix=ending)


def test_layer_by_layer(network: gn.Network, golden: Callable[..., None]) -> None:
    back = network.trace([0.5, -1.0, 2.0]).backward(1)
    golden(str(back))
    figures = json.loads(json.dumps(back.as_dict()))
    assert [len(layer["deltas"]) for layer in figures["layers"]] == [4, 2]
    assert repr(back) == f"BackwardTrace(cross_entropy {back.loss:.6g}, 26 parameters)"


def test_what_has_no_way_back_is_refused(network: gn.Network, refused: Any) -> None:
    trace = network.trace([1, 2, 3])
    for target in (None, [1.0, 2.0, 3.0], [[1, 0]], 2, float("nan"), [0.5, float("inf")]):
        with refused(InputError):
            trace.backward(target)
    with refused(SettingError):
        trace.backward("cat")
    with refused(SettingError):
        network.with_schema(gn.Schema(classes=("cat", "dog"))).trace([1, 2, 3]).backward("dgo")
    with refused(SettingError):
        network.trace([[1, 2, 3]] * 2).backward(1)
    with refused(AddressError):
        trace.backward(1).neuron(1, 2)
    with refused(SettingError):
        trace.backward(1).neuron(1, 1).rows(-1)
    huge = gn.Network.from_layers([([[1e308]], [0], "identity"), ([[1]], [0], "identity")])
    with refused(InputError):
        huge.trace([10.0]).backward([0.0])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> gn.Network:
    """A folder with a network of two columns, and tables with and without its target."""
    monkeypatch.chdir(tmp_path)
    schema = gn.Schema(
        features=("age", "hue"), centers=(0.0, 0.0), spreads=(1.0, 1.0), classes=("no", "yes"), target="sold"
    )
    network = gn.Network.create("2-3-2", "tanh", output="softmax", seed=2).with_schema(schema)
    network.save("table.safetensors")
    Path("sold.csv").write_text("hue,age,sold\n1,2,yes\n3,4,no\n")
    Path("gaps.csv").write_text("hue,age,sold\n1,2,\n3,4,no\n")
    Path("new.csv").write_text("hue,age\n1,2\n")
    gn.Network.create("784-3-10", output="softmax", seed=1).save("bare.safetensors")
    gn.Network.create("2-1", output="identity", seed=1).save("sum.safetensors")
    return network


def told(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    try:
        actual = main(["explain", *arguments])
    except SystemExit as ended:
        actual = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert actual == status, err
    return err if status else out


def test_the_command_takes_the_label_of_the_row(capsys: pytest.CaptureFixture[str], here: gn.Network) -> None:
    command = ("table.safetensors", "sold.csv", "--row", "1", "--gradient", "--neuron", "0:1")
    expected = here.trace([4, 3]).backward("no").neuron(0, 1)
    assert told(capsys, *command) == f"sold.csv, row 1\n\n{expected.document(10)}\n"
    given = told(capsys, "table.safetensors", "--inputs", "4,3", "--gradient", "--neuron", "0:1", "--target", "no")
    assert given.partition("\n")[2] == told(capsys, *command).partition("\n")[2]
    figures = json.loads(told(capsys, *command, "--json"))
    assert figures["weight_gradients"] == expected.weight_gradients.tolist()
    assert (figures["target"], figures["delta"], figures["layer"]) == (0, expected.delta, 0)
    for form in ("markdown", "latex", "html"):
        assert "through tanh" in told(capsys, *command, "--format", form)


def test_the_command_takes_the_label_of_the_digit(capsys: pytest.CaptureFixture[str], here: gn.Network) -> None:
    out = told(capsys, "bare.safetensors", "--digit", "7", "--gradient")
    assert out.startswith("test digit 7 (a 9)\n\ngradient of cross_entropy")
    assert len(json.loads(told(capsys, "bare.safetensors", "--digit", "7", "--gradient", "--json"))["layers"]) == 2
    shown = told(capsys, "sum.safetensors", "--inputs", "1,2", "--gradient", "--target", "3", "--loss", "mae")
    assert "absolute_error" in shown


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--inputs", "1,2", "--gradient"], 2),
        (["new.csv", "--gradient"], 2),
        (["gaps.csv", "--row", "1", "--gradient"], 2),
        (["--inputs", "1,2", "--gradient", "--target", "maybe"], 2),
        (["--inputs", "1,2", "--gradient", "--target", "1,2,3"], 1),
        (["--inputs", "1,2", "--gradient", "--target", "nan"], 1),
        (["--inputs", "1,2", "--gradient", "--target", "yes", "--loss", "cross"], 2),
        (["--inputs", "1,2", "--target", "yes"], 2),
        (["--inputs", "1,2", "--gradient", "--attribution", "--target", "yes"], 2),
        (["--inputs", "1,2", "--gradient", "--target", "yes", "--plot", "a.svg"], 2),
    ],
)
def test_wrong_usage_says_what_would_work(
    capsys: pytest.CaptureFixture[str], here: gn.Network, arguments: list[str], status: int, reported: Any
) -> None:
    reported(told(capsys, "table.safetensors", *arguments, status=status))
