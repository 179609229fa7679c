"""`glassnet train --reproducible`: the same file on every processor that can run here."""

from pathlib import Path

import pytest

from glassnet.cli import main
from glassnet.engines import native


def test_every_build_of_the_kernel_writes_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = set()
    for variant in native._kernel.variants():
        monkeypatch.setenv("GLASSNET_CPU", variant)
        path = tmp_path / f"{variant}.safetensors"
        assert main(["train", "spiral", "--epochs", "5", "--reproducible", "--dropout", "0.1", "-o", str(path)]) == 0
        written.add(path.read_bytes())
    assert len(written) == 1


@pytest.mark.parametrize("more", [["--engine", "reference"], ["--dtype", "float64"]])
def test_what_cannot_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    monkeypatch.setenv("GLASSNET_CPU", "baseline")
    monkeypatch.chdir(tmp_path)
    assert main(["train", "spiral", "--reproducible", *more]) != 0
    assert "--reproducible is for the native engine" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
