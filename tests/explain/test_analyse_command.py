"""`glassnet analyse`: each view is the library's, on a screen of 80 columns and as JSON."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import glassnet as gn
from glassnet.cli import main

VIEWS: dict[str, tuple[list[str], Callable[[gn.Network, gn.Dataset], Any]]] = {
    "activity": ([], gn.explain.activity),
    "ablation": ([], gn.explain.ablation),
    "perturbation": (["--kind", "prune"], lambda network, data: gn.explain.perturbation(network, data, kind="prune")),
    "bias": (["--neuron", "0:3"], lambda network, data: gn.explain.bias_response(network, 0, 3, data)),
    "sensitivity": (
        ["--example", "7"],
        lambda network, data: gn.explain.sensitivity(network, data.inputs[7], data.targets[7]),
    ),
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    gn.Network.create("2-6-2", output="softmax", seed=0).save(tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_the_librarys(saved: Path, capsys: pytest.CaptureFixture[str], view: str) -> None:
    flags, found = VIEWS[view]
    wanted = found(gn.load(saved), gn.data.circle())
    assert main(["analyse", view, str(saved), "circle", *flags]) == 0
    shown = capsys.readouterr().out
    assert shown == wanted.document().text() + "\n"
    assert max(map(len, shown.split("\n"))) <= 80
    assert main(["analyse", view, str(saved), "circle", *flags, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(wanted.as_dict()))


def test_an_ablation_is_drawn(saved: Path, tmp_path: Path) -> None:
    assert main(["analyse", "ablation", str(saved), "circle", "--plot", str(tmp_path / "a.svg")]) == 0
    assert (tmp_path / "a.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    "words",
    [
        ["bias"],
        ["bias", "--neuron", "0:9"],
        ["activity", "--neuron", "0:1"],
        ["sensitivity", "--example", "1000000"],
        ["ablation", "--kind", "noise"],
        ["nonsense"],
    ],
)
def test_what_makes_no_sense_is_refused(saved: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    try:
        status = main(["analyse", words[0], str(saved), "circle", *words[1:]])
    except SystemExit as ended:
        status = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert err.startswith("glassnet")


def test_several_neurons_are_taken_away_together(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["analyse", "ablation", str(saved), "circle", "--neuron", "0:1", "--neuron", "0:4", "--json"]) == 0
    together = json.loads(capsys.readouterr().out)["together"]
    assert together["neurons"] == [[0, 1], [0, 4]]
    wanted = gn.explain.ablation(gn.load(saved), gn.data.circle(), steps=0, neurons=[(0, 1), (0, 4)]).together
    assert wanted is not None
    assert together["accuracy"] == wanted.accuracy


def test_the_help_fits_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["analyse", "--help"])
    assert max(map(len, capsys.readouterr().out.split("\n"))) <= 80
