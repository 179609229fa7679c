"""`glassnet export`: what it writes, prints and refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import glassnet as gn
from glassnet.cli import main
from glassnet.files.exporting import TARGETS
from glassnet.files.registry import FORMATS


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: gn.Network) -> Path:
    """A folder with a saved network in it."""
    monkeypatch.chdir(tmp_path)
    network.save("net.safetensors")
    return tmp_path


@pytest.mark.parametrize("target", sorted(set(TARGETS) - {"safetensors", "html"}))
def test_each_target_gets_a_file_of_its_name(here: Path, capsys: pytest.CaptureFixture[str], target: str) -> None:
    assert main(["export", "net.safetensors", "--to", target]) == 0
    path = Path(f"net{FORMATS[target].suffix}")
    assert path.exists()
    first, second = capsys.readouterr().out.splitlines()
    assert first == "3-4-2 (tanh, softmax)"
    assert second.startswith(f"saved {path} (")


def test_figures_as_json(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "net.safetensors", "--to", "c", "--quantise", "int8", "-o", "small.h", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["saved"] == "small.h"
    assert figures["bytes"] == Path("small.h").stat().st_size
    assert (figures["total"], figures["sizes"], figures["activations"]) == (26, [3, 4, 2], ["tanh", "softmax"])
    assert "int8_t" in Path("small.h").read_text()


def test_other_formats_are_converted(here: Path, network: gn.Network) -> None:
    state = {"a.weight": torch.ones(4, 3), "a.bias": torch.ones(4)}
    torch.save(state, "weights.pt")
    assert main(["export", "weights.pt", "--to", "npz", "--activation", "relu"]) == 0
    assert gn.load("weights.npz").sizes == (3, 4)
    assert main(["export", "net.safetensors", "--to", "onnx"]) == 0
    assert main(["export", "net.onnx", "--to", "keras"]) == 0
    assert gn.load("net.keras") == network


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["net.safetensors", "--to", "safetensors"], 2),
        (["net.safetensors", "--to", "onnx", "--quantise", "int8"], 2),
        (["net.safetensors", "--to", "onnx", "--activation", "relu"], 2),
        (["net.safetensors", "--to", "c", "-o", "gone/a.h"], 1),
        (["missing", "--to", "c"], 1),
    ],
)
def test_what_cannot_be_is_told(
    here: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, reported: Any
) -> None:
    assert main(["export", *arguments]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.startswith("help: ") for line in err.splitlines()] in ([False], [False, True])
    reported(err)


def test_files_can_be_read_by_whom_the_umask_lets(here: Path) -> None:
    main(["export", "net.safetensors", "--to", "safetensors", "-o", "plain.safetensors"])
    main(["export", "net.safetensors", "--to", "c"])
    assert (
        Path("plain.safetensors").stat().st_mode
        == Path("net.h").stat().st_mode
        == Path("net.safetensors").stat().st_mode
    )
