"""The command whose standard streams are full, closed or lead to a terminal; and the one that is asked to end."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import glassnet as gn

FULL = "/dev/full"
COMMANDS = ["count 3-4-2", "count 3-4-2 --json", "neuron", "inspect n.safetensors", "--help", "--version"]
TRAIN = "train xor --epochs 2 -o out.safetensors"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    gn.Network.create("3-4-2", output="softmax", seed=0).save(tmp_path / "n.safetensors")
    return tmp_path


def shell(command: str, folder: Path, *python: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command of glassnet in a shell, which opens and closes its streams."""
    glassnet = " ".join([sys.executable, *python, "-m glassnet"])
    return subprocess.run(
        ["bash", "-c", command.replace("glassnet", glassnet)], cwd=folder, capture_output=True, text=True, **options
    )


@pytest.mark.skipif(not os.path.exists(FULL), reason="no /dev/full on this system")
@pytest.mark.parametrize("command", [*COMMANDS, TRAIN])
def test_a_full_standard_output_is_one_error(folder: Path, command: str) -> None:
    done = shell(f"glassnet {command} > {FULL}", folder)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "glassnet: cannot write to standard output: No space left on device"
    assert "Traceback" not in done.stderr
    assert (folder / "out.safetensors").exists() == (command == TRAIN)


@pytest.mark.parametrize("command", [*COMMANDS[:4], TRAIN])
def test_a_closed_standard_output_is_one_error(folder: Path, command: str) -> None:
    done = shell(f"glassnet {command} >&-", folder)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "glassnet: cannot write to standard output: it is closed"
    assert (folder / "out.safetensors").exists() == (command == TRAIN)


@pytest.mark.parametrize("closing", ["2>&-", "2>/dev/full", "2>&- <&-"])
def test_progress_that_cannot_be_shown_stops_nothing(folder: Path, closing: str) -> None:
    done = shell(f"glassnet {TRAIN} {closing}", folder)
    assert done.returncode == 0
    assert "saved out.safetensors" in done.stdout
    assert gn.load(folder / "out.safetensors").sizes == (2, 16, 16, 2)


@pytest.mark.parametrize("command", ["--print-completion bash", "--help", "inspect n.safetensors"])
def test_a_reader_that_leaves_is_no_traceback(folder: Path, command: str) -> None:
    assert shell(f"glassnet {command} | true", folder).stderr == ""


def test_a_run_that_is_asked_to_end_saves_what_it_has(folder: Path) -> None:
    command = [sys.executable, "-m", "glassnet", "train", "xor", "--epochs", "1000000", "-o", "out.safetensors"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("epoch")
        process.send_signal(signal.SIGTERM)
        _, messages = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "terminated; saved what epoch" in messages.splitlines()[-1]
    assert gn.load(folder / "out.safetensors").sizes == (2, 16, 16, 2)
    assert sorted(path.name for path in folder.iterdir()) == ["n.safetensors", "out.safetensors"]


INTERRUPTED = """
import builtins

real = builtins.__import__

def interrupted(name, *arguments, **named):
    if name == MODULE:
        raise KeyboardInterrupt
    return real(name, *arguments, **named)

from glassnet.__main__ import command
builtins.__import__ = interrupted
raise SystemExit(command())
"""


@pytest.mark.parametrize("module", ["glassnet.cli", "numpy", "glassnet.training"])
def test_ctrl_c_while_modules_are_imported_is_no_traceback(folder: Path, module: str) -> None:
    script = INTERRUPTED.replace("MODULE", repr(module))
    done = subprocess.run([sys.executable, "-c", script, "train", "xor"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "glassnet: interrupted\n")


def test_it_works_without_docstrings_and_assertions(folder: Path) -> None:
    for command in (TRAIN, "predict out.safetensors --inputs 0.5,0.5 --neuron 0:1", "neuron"):
        done = shell(f"glassnet {command}", folder, "-OO")
        assert done.returncode == 0, done.stderr


def test_names_do_not_steer_the_terminal(folder: Path) -> None:
    evil = "\x1b[2J\x07evil\u202e"
    rows = "".join(f"{i},{evil if i % 2 else 'good'}\n" for i in range(40))
    (folder / "t.csv").write_text(f"n{evil},kind\n{rows}")
    done = shell("glassnet train t.csv --target kind --epochs 2 -o out.safetensors", folder)
    shown = shell("glassnet predict out.safetensors t.csv; glassnet explain out.safetensors t.csv --row 0", folder)
    missing = shell("glassnet predict out.safetensors $'no\\x1b[2Jfile.csv'", folder)
    assert (done.returncode, shown.returncode, missing.returncode) == (0, 0, 1)
    text = done.stdout + done.stderr + shown.stdout + shown.stderr + missing.stderr
    assert "\\x1b[2J" in text
    assert all(c.isprintable() or c in "\n\t" for c in text)
