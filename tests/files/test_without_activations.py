"""Files that do not say their activations, in the shell: --activation, beside --scale for the inputs."""

from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.cli import main

SAID = ["--activation", "relu,softmax", "--scale", "1/255"]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A digit network as arrays by name, and beside it the same as glassnet saves it."""
    network = gn.Network.create("784-8-10", output="softmax", seed=0)
    tensors = {f"{i}.{kind}": getattr(layer, name) for i, layer in enumerate(network.layers)
               for kind, name in (("weight", "weights"), ("bias", "biases"))}  # fmt: skip
    np.savez(tmp_path / "bare.npz", **tensors)
    network.described(scale=1 / 255).save(tmp_path / "own.safetensors")
    return tmp_path / "bare.npz"


@pytest.mark.parametrize(
    "command",
    [["evaluate", "MODEL", "digits"], ["predict", "MODEL", "--digit", "3"], ["explain", "MODEL", "--digit", "3"]],
)
def test_it_is_used_as_one_that_says_them(bare: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    own = bare.with_name("own.safetensors")
    assert main([str(bare) if word == "MODEL" else word for word in command] + SAID) == 0
    given = capsys.readouterr().out
    assert main([str(own) if word == "MODEL" else word for word in command]) == 0
    assert given == capsys.readouterr().out


def test_of_two_files_the_one_that_needs_it_gets_it(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(bare), str(bare.with_name("own.safetensors")), "digits", *SAID]) == 0
    assert "function  the same" in capsys.readouterr().out


def test_the_error_says_what_to_type_in_the_shell(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", str(bare), "digits"]) == 2
    assert "--activation relu,softmax" in capsys.readouterr().err
