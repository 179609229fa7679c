"""Opening files: every command and function words a missing, unfit or forbidden file alike."""

import os
from pathlib import Path

import pytest

import glassnet as gn
from glassnet.cli import main
from glassnet.errors import FileError
from glassnet.opening import descriptor, open_file

COMMANDS = [
    "train MISSING --target a",
    "evaluate MISSING",
    "evaluate MODEL MISSING",
    "predict MISSING --inputs 1,2,3",
    "predict MODEL MISSING",
    "explain MISSING --inputs 1,2,3",
    "compare MISSING MODEL",
    "compare MODEL MISSING",
    "inspect MISSING",
    "count MISSING",
    "export MISSING --to c",
    "open MISSING",
]


@pytest.fixture
def folder(tmp_path: Path, network: gn.Network, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    network.save("model.safetensors")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere/nothing.safetensors", "model.safetensors/x"])
def test_commands_word_a_missing_file_alike(
    command: str, name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [{"MISSING": name, "MODEL": "model.safetensors"}.get(word, word) for word in command.split()]
    assert main(words) == 1
    problem, hint = capsys.readouterr().err.splitlines()
    assert problem == f"glassnet: no such file: {name!r}"
    assert hint.startswith("help: paths are relative to the current folder")


@pytest.mark.parametrize(
    "read",
    [
        gn.open,
        gn.load,
        gn.count,
        gn.data.read,
        open_file,
        lambda path: gn.compare_files(path, "model.safetensors"),
        lambda path: gn.compare_files("model.safetensors", path),
    ],
)
def test_a_near_name_is_suggested(read, folder: Path) -> None:
    with pytest.raises(FileError) as caught:
        read("modle.safetensors")
    problem, hint = str(caught.value).splitlines()
    assert problem == "no such file: 'modle.safetensors'"
    assert hint.startswith("help: paths are relative to the current folder; ")
    assert hint.endswith("did you mean 'model.safetensors'?")


def test_a_folder_a_pipe_and_a_forbidden_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo("pipe")
    for name, problem in (("pipe", "'pipe' is a pipe or a device"), (".", "'.' is a folder"), ("a\0", "cannot read")):
        for use in (open_file, lambda path: descriptor(path).__enter__()):
            with pytest.raises(FileError, match=problem):
                use(name)

    def forbidden(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(FileError, match=r"^cannot read 'model.safetensors': Permission denied\n"):
        open_file("model.safetensors")
