"""`glassnet compare`: what it prints, where, and with which exit status."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.cli import main
from glassnet.explain.symmetry import Order, arranged, layers_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two digit networks, one of them also in another order, and one that reads something else."""
    place = tmp_path_factory.mktemp("networks")
    train, _ = gn.data.digits()
    for name, seed in (("a", 0), ("b", 1)):
        start = gn.Network.create("784-12-10", output="softmax", seed=seed)
        network = gn.train(start, train[:10_000], epochs=2).network
        network.save(place / f"{name}.safetensors")
    order = Order((np.roll(np.arange(12), 5),), (np.ones(12),))
    layers = arranged(layers_of(network), order)
    moved = [(w, b, name) for (w, b), name in zip(layers, network.architecture.activations, strict=True)]
    gn.Network.from_layers(moved, network.schema, "float32").save(place / "b-moved.safetensors")
    gn.Network.create("2-3-2", seed=0).save(place / "toy.safetensors")
    return place


def told(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> tuple[str, str]:
    """What `glassnet compare` prints on standard output and on standard error; its exit status is checked."""
    try:
        actual = main(["compare", *(str(argument) for argument in arguments)])
    except SystemExit as ended:
        actual = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert actual == status, err
    return out, err


def test_two_digit_networks_are_tried_on_the_test_digits(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    a, b = folder / "a.safetensors", folder / "b.safetensors"
    out, err = told(capsys, a, b)
    lines = out.splitlines()
    assert err == ""
    assert max(map(len, lines)) <= 80
    assert "a.safetensors: 784-12-10, relu, softmax, 9,550 parameters" in out
    assert "b.safetensors: the same structure" in out
    assert "apart on test digits" in out
    assert "accuracy on the straight line from a to b" in out
    figures = json.loads(told(capsys, a, b, "--json")[0])
    accuracy = [gn.evaluate(gn.load(path), gn.data.digits()[1]).accuracy for path in (a, b)]
    assert figures["accuracy"] == accuracy
    assert figures["count"] == 10_000
    assert f"{len(figures['disagreements']):,} of 10,000 differ" in out


def test_the_same_network_in_another_order_is_recognised(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    out, _ = told(capsys, folder / "b.safetensors", folder / "b-moved.safetensors")
    assert "function  the same: every parameter is equal, in another order" in out
    assert "neurons   12 of 12 hidden moved; distance" in out
    assert "answers   the same for all 10,000" in out


def test_other_structures_without_data(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    out, _ = told(capsys, folder / "a.safetensors", folder / "toy.safetensors")
    assert "structure  not the same: 784 and 2 inputs; 12 and 3 neurons in layer 0" in out
    assert "function   not the same: they have 784 and 2 inputs" in out


def test_networks_of_unknown_inputs_are_compared_by_their_parameters(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    toy = folder / "toy.safetensors"
    figures = json.loads(told(capsys, toy, toy, "--json")[0])
    assert figures["same_function"] is True
    assert "count" not in figures


def test_a_table_is_read_as_the_networks_were_trained(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(80, 2))
    rows = "\n".join(f"{u},{v},{'yes' if u + v > 0 else 'no'}" for u, v in x)
    Path("answers.csv").write_text(f"left,right,answer\n{rows}\n")
    data = gn.data.read("answers.csv", "answer")
    for seed in (0, 1):
        start = gn.Network.create("2-4-2", output="softmax", seed=seed)
        gn.train(start, data, epochs=5).network.save(f"{seed}.safetensors")
    figures = json.loads(told(capsys, "0.safetensors", "1.safetensors", "answers.csv", "--json")[0])
    assert (figures["data"], figures["count"]) == (data.name, 80)
    assert all(row["truth"] in ("yes", "no") for row in figures["disagreements"])


def test_networks_of_different_structures(capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path) -> None:
    train, test = gn.data.digits()
    network = gn.train(gn.Network.create("784-6-8-10", output="softmax", seed=0), train[:5_000], epochs=1).network
    network.save(folder / "c.safetensors")
    a, c = folder / "a.safetensors", folder / "c.safetensors"
    out, err = told(capsys, a, c, "--confusion", "--plot", tmp_path / "both.svg")
    assert err == f"saved {tmp_path / 'both.svg'}\n"
    assert max(map(len, out.splitlines())) <= 80
    assert "a: confusion matrix: rows are the true class" in out
    assert "similarity of layers (CKA)" in out
    figures = json.loads(told(capsys, a, c, "--json")[0])
    for matrix, path in zip(figures["changes"]["confusions"], (a, c), strict=True):
        np.testing.assert_array_equal(matrix, gn.evaluate(gn.load(path), test).confusion)
    assert np.shape(figures["similarity"]["cka"]) == (2, 3)
    told(capsys, a, c, "--plot", tmp_path / "compared.pdf")
    assert (tmp_path / "compared.pdf").read_bytes().startswith(b"%PDF")


def test_matrices_need_data_with_classes(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    toy = folder / "toy.safetensors"
    _, err = told(capsys, toy, toy, "--confusion", status=2)
    assert "--confusion needs data with classes" in err
    _, err = told(capsys, toy, toy, "--confusion", "--tensors", status=2)
    assert "--confusion: not with --tensors" in err


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "--help")
    assert "examples:\n  glassnet compare" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["a.safetensors"], 2),
        (["a.safetensors", "b.safetensors", "digitz"], 2),
        (["toy.safetensors", "toy.safetensors", "--target", "x"], 2),
        (["a.safetensors", "missing.safetensors"], 1),
        (["a.safetensors", "toy.safetensors", "digits"], 1),
        (["toy.safetensors", "toy.safetensors", "digits"], 1),
    ],
)
def test_what_is_wrong_is_one_line(
    capsys: pytest.CaptureFixture[str],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    status: int,
    reported: Any,
) -> None:
    monkeypatch.chdir(folder)
    out, err = told(capsys, *arguments, status=status)
    assert out == ""
    reported(err)
    assert [line.startswith("help: ") for line in err.splitlines()] in ([False], [False, True])
