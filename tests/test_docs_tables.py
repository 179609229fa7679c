"""docs/tables.md runs: its Python as it stands, and its commands print what it shows."""

import re
import shlex
from pathlib import Path

import pytest

from glassnet.cli import main

GUIDE = (Path(__file__).parent.parent / "docs" / "tables.md").read_text()


def without_numbers(line: str) -> list[str]:
    """Its words: another processor rounds otherwise."""
    return re.sub(r"-?\d[\d.]*", "", line).split()


def test_the_guide_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, *others = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names: dict[str, object] = {}
    exec(first, names)
    shown = re.findall(r"\$ glassnet (.*)\n((?:(?!\$|```).*\n)+)", GUIDE.partition("## What becomes")[0])
    assert len(shown) == 3
    for command, lines in shown:
        assert main(shlex.split(command)) == 0
        out, err = capsys.readouterr()
        printed = [without_numbers(line) for line in (out + err).splitlines()]
        for line in lines.strip().splitlines():
            assert line == "..." or without_numbers(line) in printed
    for block in others:
        exec(block, names)
    assert "2,000 examples" in capsys.readouterr().out
    assert list(Path("runs/shirts").iterdir())
