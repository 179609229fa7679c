"""The README runs: its Python as it stands, and what its commands print is what it says."""

import os
import re
import shlex
from pathlib import Path

import pytest

from glassnet.cli import main

README = (Path(__file__).parent.parent / "README.md").read_text()


def test_the_python_runs_and_reaches_what_is_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len(blocks) >= 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    out = capsys.readouterr().out
    accuracy = re.search(r"10,000 examples, loss [\d.]+, accuracy ([\d.]+)%", out)
    assert accuracy
    assert float(accuracy[1]) >= 95.5
    assert "neuron 0:3, relu, 784 inputs" in out


@pytest.mark.parametrize("command", ["glassnet neuron", "glassnet count 784-16-16-10"])
def test_commands_print_what_the_readme_shows(capsys: pytest.CaptureFixture[str], command: str) -> None:
    shown = re.search(rf"\$ {re.escape(command)}\n(.*?)(?=\n\$ |\n```)", README, re.DOTALL)
    assert shown
    assert main(shlex.split(command)[1:]) == 0
    assert capsys.readouterr().out.rstrip("\n") == shown[1].rstrip("\n")


def test_every_file_it_names_is_there() -> None:
    root = Path(__file__).parent.parent
    for link in re.findall(r"\]\(([^):]+)\)", README):
        assert os.path.exists(root / link), link
