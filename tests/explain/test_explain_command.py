"""`glassnet explain`: its screens, its forms, its JSON, and what it says about wrong usage."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

import glassnet as gn
from glassnet.cli import main

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three networks: two by hand, one for digits."""
    monkeypatch.chdir(tmp_path)
    table = gn.Schema(features=("age", "hue"), centers=(0.0, 0.0), spreads=(1.0, 1.0), classes=("no", "yes"))
    layers = [([[1.0, -2.0], [0.5, 0.25]], [0.5, -0.1], "tanh"), ([[1.0, 1.0], [-1.0, 2.0]], [0.0, 0.25], "softmax")]
    gn.Network.from_layers(layers, table).save("table.safetensors")
    gn.Network.from_layers([([[1, 2]], [0.5], "identity")]).save("sum.safetensors")
    digits = gn.Schema(input_shape=(28, 28), scale=1 / 255, classes=tuple("0123456789"))
    gn.Network.create("784-16-16-10", output="softmax", seed=0).with_schema(digits).save("digits.safetensors")
    Path("rows.csv").write_text("hue,age\n1,2\n3,4\n")
    Path("row.csv").write_text("hue,age\n1,2\n")
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    """What the command prints: on standard output, or on standard error where it fails."""
    try:
        actual = main(["explain", *map(str, arguments)])
    except SystemExit as ended:
        actual = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert actual == status, err
    if status:
        assert out == ""
        assert [line.startswith("help: ") for line in err.splitlines()] in ([False], [False, True])
    return err if status else out


def test_the_screen(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    assert (
        told(capsys, "table.safetensors", "row.csv")
        == """\
row.csv: looks like yes (53.6 %), then no (46.4 %)                         2-2-2

the inputs                                the outputs: layer 1, softmax
  age          2                             no 0.4642 ######################
  hue          1                            yes 0.5358 #########################

layer 0, tanh: 2 of 2 active  0:1 0.818 #####  0:0 0.462 ###

Neuron 1:1 (yes) has 53.6 % with a score of 1.423: mostly neuron 0:1, for; its
  bias raises it.
Neuron 0:1 is active (0.8178): mostly age, for; its bias lowers it a little.
"""
    )


def test_a_neuron_worked_by_hand(capsys: pytest.CaptureFixture[str], here: Path, golden: Callable[..., None]) -> None:
    golden(told(capsys, "table.safetensors", "rows.csv", "--row", 1, "--neuron", "0:0"))


def test_a_digit_on_one_screen(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    lines = told(capsys, "digits.safetensors", "--digit", 7).splitlines()
    assert lines[0].startswith("test digit 7 (a 9): looks like ")
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    lines = told(capsys, "digits.safetensors", "--digit", 7, "--neuron", "0:3").splitlines()
    assert max(map(len, lines)) <= 80


def test_forms_for_a_handout(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    for form, start in (("markdown", "**inputs:"), ("latex", "\\medskip"), ("html", "<div")):
        assert told(capsys, "table.safetensors", "--inputs", "1,2", "--format", form).startswith(start)
        out = told(capsys, "table.safetensors", "--inputs", "1,2", "--neuron", "0:1", "--format", form)
        for part in ("neuron 0:1, tanh", "weighted sum", "template of neuron 0:1", "this input matches with"):
            assert part in out


SCHEMA = json.loads(re.findall(r"```json\n(.*?)```", (ROOT / "docs/explain-json.md").read_text(), re.S)[0])


@pytest.mark.parametrize(
    "arguments",
    [
        ("table.safetensors", "row.csv"),
        ("table.safetensors", "--inputs", "0,0", "--neuron", "1:1"),
        ("sum.safetensors", "--inputs", "1,2", "--neuron", "0:0"),
        ("digits.safetensors", "--digit", "7"),
        ("digits.safetensors", "--digit", "7", "--neuron", "0:3", "--top", "3"),
    ],
)
def test_json_keeps_to_its_schema_and_is_the_trace(
    capsys: pytest.CaptureFixture[str], here: Path, arguments: tuple[str, ...]
) -> None:
    figures = json.loads(told(capsys, *arguments, "--json"))
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(figures, SCHEMA)
    network = gn.load(arguments[0])
    trace = network.trace(np.array(figures["inputs"]))
    np.testing.assert_allclose(figures["outputs"], trace.outputs, rtol=1e-6)
    for layer, at in zip(figures["layers"], trace.layers, strict=True):
        np.testing.assert_allclose(layer["activations"], at.activations, rtol=1e-6)
        sums = np.float32(layer["weighted_sums"]) + np.float32(layer["biases"])
        np.testing.assert_allclose(layer["pre_activations"], sums, rtol=1e-6)
    assert ("neuron" in figures) == ("--neuron" in arguments)
    if "neuron" in figures:
        neuron = figures["neuron"]
        np.testing.assert_allclose(np.multiply(neuron["inputs"], neuron["weights"]), neuron["products"], rtol=1e-6)
        assert neuron["pre_activation"] == figures["layers"][neuron["layer"]]["pre_activations"][neuron["neuron"]]


def test_a_plot_without_matplotlib_names_the_extra(
    capsys: pytest.CaptureFixture[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    err = told(capsys, "sum.safetensors", "--inputs", "1,2", "--plot", "x.svg", status=1)
    assert "the package 'matplotlib' of the extra 'plots' is not installed" in err
    assert "pip install matplotlib" in err
    assert not Path("x.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["sum.safetensors"], 2),
        (["sum.safetensors", "row.csv", "--inputs", "1,2"], 2),
        (["table.safetensors", "rows.csv"], 2),
        (["table.safetensors", "rows.csv", "--row", "2"], 2),
        (["sum.safetensors", "--inputs", "1,2", "--row", "0"], 2),
        (["sum.safetensors", "--inputs", "1,2", "--neuron", "1:0"], 2),
        (["sum.safetensors", "--inputs", "1,2", "--neuron", "0:1"], 2),
        (["sum.safetensors", "--inputs", "1,2", "--top", "0"], 2),
        (["sum.safetensors", "--inputs", "1,2", "--json", "--format", "html"], 2),
        (["sum.safetensors", "--inputs", "1,2", "--format", "pdf"], 2),
        (["sum.safetensors", "--inputs", "1,2,3"], 1),
        (["sum.safetensors", "--inputs", "1,nan"], 1),
        (["sum.safetensors", "--digit", "3"], 1),
        (["sum.safetensors", "--digit", "-1"], 2),
        (["none.safetensors", "--inputs", "1,2"], 1),
    ],
)
def test_wrong_usage_says_what_would_work(
    capsys: pytest.CaptureFixture[str], here: Path, arguments: list[str], status: int, reported: Any
) -> None:
    reported(told(capsys, *arguments, status=status))


@pytest.mark.parametrize(
    "flags",
    [
        ["--attribution"],
        ["--attribution", "9", "--against", "4"],
        ["--attribution", "9", "--layer", "0", "--baseline", "0"],
        ["--attribution", "--neuron", "0:3", "--method", "deeplift"],
        ["--attribution", "--method", "affine", "--format", "latex"],
    ],
)
def test_an_attribution_is_the_librarys(tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str]) -> None:
    network = gn.Network.create("784-6-10", output="softmax", seed=1).with_schema(gn.data.digits()[1].schema)
    network.save(tmp_path / "net.safetensors")
    command = ["explain", str(tmp_path / "net.safetensors"), "--digit", "7", *flags]
    assert main(command) == 0
    shown = capsys.readouterr().out
    asked = dict(zip(flags[::2], flags[1::2], strict=False)) if len(flags) > 1 else {}
    value = flags[1] if len(flags) > 1 and flags[1].isdigit() else None
    found = gn.explain.attribution(
        network,
        gn.data.digits()[1].inputs[7],
        value,
        asked.get("--against"),
        "deeplift" if "deeplift" in flags else "affine" if "affine" in flags else "auto",
        0 if "--baseline" in flags else None,
        neuron=(0, 3) if "--neuron" in flags else None,
        layer=0 if "--layer" in flags else None,
    )
    format = "latex" if "latex" in flags else "text"
    assert found.document(10).write(format).splitlines()[-3] in shown
    if format == "text":
        assert main([*command, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["contributions"] == found.contributions.tolist()


@pytest.mark.parametrize(
    "flags",
    [
        ["--layer", "0"],
        ["--attribution", "11"],
        ["--attribution", "--layer", "3"],
        ["--attribution", "--plot", "a.png"],
    ],
)
def test_an_attribution_that_makes_no_sense_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str]
) -> None:
    network = gn.Network.create("784-6-10", output="softmax", seed=1).with_schema(gn.data.digits()[1].schema)
    network.save(tmp_path / "net.safetensors")
    try:
        status = main(["explain", str(tmp_path / "net.safetensors"), "--digit", "7", *flags])
    except SystemExit as ended:
        status = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert (status != 0, out) == (True, "")
    assert err.startswith("glassnet: ")
