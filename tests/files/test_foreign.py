"""What is no model that can be read: named by its content, and never waited for."""

import gzip
import io
import os
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path
from typing import Any

import pytest

import glassnet as gn
from glassnet.errors import FileError

FILES = {
    "lfs.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n",
    "page.gguf": b"<!DOCTYPE html><html><head></head></html>",
    "m.gz": gzip.compress(b"numbers", mtime=0),
    "m.tflite": b"\x1c\0\0\0TFL3" + bytes(32),
    "m.joblib": zlib.compress(b"x" * 100),
    "m.json": b'{"learner":{"gradient_booster":{}}}',
    "m.bin": b"lmgg" + bytes(60),
    "m.msgpack": b"\x82\xa6params\x80\xa1a\x01",
    "m.mlmodel": b"\xc1" * 70,
}
FOLDERS = {"saved": "saved_model.pb", "pipeline": "model_index.json", "dcp": ".metadata", "orbax": "manifest.ocdbt",
           "shards": "pytorch_model.bin.index.json"}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_other_files_are_named(tmp_path: Path, name: str, refused: Any) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    with refused(FileError):
        gn.count(tmp_path / name)


def test_archives_are_named(tmp_path: Path, refused: Any) -> None:
    with tarfile.open(tmp_path / "m.nemo", "w") as archive:
        archive.addfile(tarfile.TarInfo("model.yaml"), io.BytesIO())
    with refused(FileError):
        gn.count(tmp_path / "m.nemo")


@pytest.mark.parametrize("name", FOLDERS)
def test_other_folders_are_named(tmp_path: Path, name: str, refused: Any) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / FOLDERS[name]).write_bytes(b"{}")
    with refused(FileError):
        gn.count(tmp_path / name)


@pytest.mark.parametrize(
    "command",
    ["inspect m", "export m --to npz", "compare m m", "predict m 1,2", "evaluate m m", "explain m", "compare n m"],
)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names on this system")
def test_nobody_waits_for_a_pipe(tmp_path: Path, command: str) -> None:
    os.mkfifo(tmp_path / "m")
    gn.Network.create("2-2", seed=0).save(tmp_path / "n.safetensors")
    words = ["n.safetensors" if word == "n" else word for word in command.split()]
    done = subprocess.run(
        [sys.executable, "-m", "glassnet", *words], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert "is a pipe or a device" in done.stderr


@pytest.mark.parametrize("command", ["inspect", "export --to npz", "compare m.npz"])
def test_a_name_that_is_too_long_is_one_error(tmp_path: Path, command: str) -> None:
    words = command.split()
    done = subprocess.run(
        [sys.executable, "-m", "glassnet", words[0], "a" * 300, *words[1:]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="a file of Linux")
def test_a_file_that_fails_to_read_is_one_error() -> None:
    with pytest.raises(FileError, match="cannot read"):
        gn.count(Path("/proc/self/mem"))
