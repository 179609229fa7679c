"""Our own file: any safetensors reader opens it, and whatever happens, the earlier file or the new one is there."""

import contextlib
import json
import os
import resource
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.errors import FileError, SettingError

SMOOTH = sorted(set(ACTIVATIONS) - {"softmax"})


@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=4),
    squish=st.sampled_from(SMOOTH),
    dtype=st.sampled_from(["float32", "float64"]),
    classes=st.none() | st.lists(st.text(max_size=5), min_size=1, max_size=4).map(tuple),
)
def test_what_is_saved_comes_back(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], squish: str, dtype: str, classes: tuple[str, ...] | None
) -> None:
    path = tmp_path_factory.mktemp("saved") / "a.safetensors"
    schema = gn.Schema(input_shape=(sizes[0],), scale=1 / 255, classes=classes)
    network = gn.Network.create(sizes, squish, seed=1, dtype=dtype).with_schema(schema)
    network.save(path)
    assert gn.load(path) == network
    assert gn.count(path).total == network.count().total


def test_any_safetensors_reader_opens_it(network: gn.Network, tmp_path: Path) -> None:
    network.save(tmp_path / "a.safetensors")
    tensors = load_file(tmp_path / "a.safetensors")
    assert sorted(tensors) == ["layers.0.bias", "layers.0.weight", "layers.1.bias", "layers.1.weight"]
    np.testing.assert_array_equal(tensors["layers.0.weight"], network.layers[0].weights)


def test_saving_again_replaces_and_leaves_nothing_behind(network: gn.Network, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    network.save(path)
    network.edit(0, 0, bias=3).save(path)
    assert gn.load(path).layers[0].biases[0] == 3
    assert os.listdir(tmp_path) == ["a.safetensors"]


def test_a_file_cut_anywhere_is_told(network: gn.Network, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    network.save(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError, match="truncated or damaged"):
            gn.load(path)


@given(st.binary(min_size=9, max_size=200))
def test_any_other_bytes_are_told(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("other") / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(FileError):
        gn.load(path)


@given(position=st.integers(0, 2000), value=st.integers(0, 255))
def test_a_changed_byte_is_told_or_harmless(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    path = tmp_path_factory.mktemp("changed") / "a.safetensors"
    gn.Network.create("3-4-2", seed=0).save(path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = value
    path.write_bytes(content)
    with contextlib.suppress(FileError, SettingError):  # the key gone, it is a file that does not say its activations
        gn.load(path)


def described(path: Path, **changes: object) -> Path:
    """A saved network whose description was changed."""
    gn.Network.create("3-2", seed=0).save(path)
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    description = json.loads(metadata["glassnet"]) | {"version": 1} | changes  # version 1: without a checksum
    description.pop("checksum", None)
    save_file(load_file(path), path, {"glassnet": json.dumps(description)})
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 99},
        {"version": "new"},
        {"kind": "checkpoint"},
        {"activations": ["relu", "relu"]},
        {"activations": ["rleu"]},
        {"sizes": [4, 2]},
        {"schema": None},
    ],
)
def test_descriptions_that_do_not_fit_are_told(tmp_path: Path, changes: dict[str, object], refused: Any) -> None:
    with refused(FileError):
        gn.load(described(tmp_path / "a.safetensors", **changes))


def test_what_is_not_ours_is_told(tmp_path: Path, refused: Any) -> None:
    save_file({"a": np.ones(3)}, tmp_path / "other.safetensors")
    with refused(FileError):
        gn.load(tmp_path / "other.safetensors")
    with refused(FileError):
        gn.load(tmp_path / "missing.safetensors")
    (tmp_path / "folder").mkdir()
    with refused(FileError):
        gn.load(tmp_path / "folder")


def test_numbers_that_are_no_numbers_are_told(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "a.safetensors"
    gn.Network.create("3-2", seed=0).save(path)
    content = bytearray(path.read_bytes().replace(b'version\\":2', b'version\\":1').replace(b"checksum", b"unlooked"))
    content[-4:] = struct.pack("<f", float("nan"))
    path.write_bytes(content)
    with refused(FileError):
        gn.load(path)


def test_a_folder_that_is_not_there_is_told(network: gn.Network, tmp_path: Path, refused: Any) -> None:
    with refused(FileError):
        network.save(tmp_path / "no" / "a.safetensors")


def test_a_full_disk_leaves_the_earlier_file(network: gn.Network, tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the write fails halfway just so."""
    path = tmp_path / "a.safetensors"
    network.save(path)
    script = (
        "import resource, signal, sys, glassnet as gn\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "network = gn.Network.create('300-300-2', seed=0)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n    network.save(sys.argv[1])\n"
        "except gn.GlassnetError as problem:\n    print(problem)\n"
    )
    result = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True)
    assert "cannot write" in result.stdout, result.stderr
    assert "unchanged" in result.stdout
    assert gn.load(path) == network
    assert os.listdir(tmp_path) == ["a.safetensors"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4096


def test_nothing_is_unpickled(tmp_path: Path, refused: Any) -> None:
    """A pickle that would make a file when loaded is refused as another format."""
    import pickle

    trap = tmp_path / "trap"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(trap),)

    (tmp_path / "a.safetensors").write_bytes(pickle.dumps(Trap()))
    with refused(FileError):
        gn.load(tmp_path / "a.safetensors")
    assert not trap.exists()
