"""Hostile HDF5 files (docs/security.md): refused or told, with no other file read, by a process that could not."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassnet.errors import FileError, GlassnetError, MissingExtra
from glassnet.files.formats.keras import hdf5, hdf5_worker, reader

h5py = import_module("h5py")

Made = Callable[[Any, Path], None]


def external_storage(file: Any, secret: Path) -> None:
    file.create_dataset("layers/dense/vars/0", (4,), "u1", external=[(str(secret), 0, 4)])


def external_link(file: Any, secret: Path) -> None:
    file["layers"] = h5py.ExternalLink(str(secret), "/")


def soft_link(file: Any, secret: Path) -> None:
    file["layers"] = h5py.SoftLink("/somewhere")


def virtual(file: Any, secret: Path) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(str(secret), "w", (4,))
    file.create_virtual_dataset("w", layout)


def never_stored(file: Any, secret: Path) -> None:
    file.create_dataset("w", (1 << 20, 1 << 20), "f4")


def never_stored_in_chunks(file: Any, secret: Path) -> None:
    file.create_dataset("w", (1 << 20, 1 << 20), "f4", chunks=(1024, 1024), compression="gzip")


def hardly_stored(file: Any, secret: Path) -> None:
    file.create_dataset("w", (1 << 20, 1 << 20), "f4", chunks=(64, 64), compression="gzip")[0, 0] = 1


def circle(file: Any, secret: Path) -> None:
    inner = file.create_group("a/b")
    inner["c"] = file["a/b"]


def deep(file: Any, secret: Path) -> None:
    file.create_group("/".join("abcd" * 30))


def other_filter(file: Any, secret: Path) -> None:
    file.create_dataset("w", (64, 64), "f4", chunks=(8, 8), scaleoffset=2)[:] = 1


def user_block(file: Any, secret: Path) -> None:
    file.create_dataset("w", data=[1.0])


ATTACKS: dict[Made, str] = {
    external_storage: "external storage: '/layers/dense/vars/0' keeps its numbers in another file",
    external_link: "an external link at '/layers'",
    soft_link: "a soft link at '/layers'",
    virtual: "a virtual dataset",
    never_stored: "claims 4,398,046,511,104 bytes and stores 0",
    never_stored_in_chunks: "claims 4,398,046,511,104 bytes and stores 0",
    hardly_stored: "claims 4,398,046,511,104 bytes and stores [0-9]+;",
    circle: "the group '/a/b/c' for a second time",
    deep: "groups nested more than 64 deep",
    other_filter: "filter 6 of '/w'",
    user_block: "a user block",
}


@pytest.mark.parametrize("zipped", [False, True], ids=["h5", "keras"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_what_leads_out_of_the_file_or_lies(attack: Made, zipped: bool, tmp_path: Path, refused: Any) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["w"] = np.arange(4.0)
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w", userblock_size=512 if attack is user_block else 0) as file:
        attack(file, secret)
    if attack is user_block:
        content = path.read_bytes()
        with refused(FileError):
            hdf5.describe(part(path, 0, len(content)))
        return
    if zipped:
        with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
            archive.writestr("config.json", "{}")
            archive.write(path, "model.weights.h5")
        path = tmp_path / "model.keras"
    with refused(FileError):
        reader.open_file(path)


def part(path: Path, start: int, size: int) -> hdf5.Part:
    from glassnet.files.access import stored

    return hdf5.Part(stored(path), start, size)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_the_process_that_reads_can_open_no_other_file(tmp_path: Path) -> None:
    """As if an attack had taken the library over: what it does then, the system refuses."""
    program = f"""
import sys
sys.path.insert(0, {str(Path(hdf5_worker.__file__).parent)!r})
import hdf5_worker, os, socket
hdf5_worker.confine(1 << 30, 5)
for what in (lambda: open("/etc/hostname"), lambda: open("new", "w"), lambda: os.open(".", os.O_RDONLY), socket.socket,
             os.pipe, lambda: bytearray(2 << 30), lambda: __import__("resource").setrlimit(7, (64, 64))):
    try:
        what()
        print("it could")
    except (OSError, MemoryError, ValueError) as problem:
        print("refused")
"""
    if os.geteuid() == 0:  # root may raise its limits again; nobody should open files as root
        program = program.replace(', lambda: __import__("resource").setrlimit(7, (64, 64))', "")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert set(done.stdout.split("\n")[:-1]) == {"refused"}, done.stderr
    assert os.listdir(tmp_path) == []


def test_a_process_that_does_not_come_back_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Any
) -> None:
    stuck = tmp_path / "hdf5.py"
    (tmp_path / "hdf5_worker.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setattr(hdf5, "__file__", str(stuck))
    monkeypatch.setattr(hdf5, "_PATIENCE", 0.5)
    with refused(FileError):
        hdf5.describe(part(whole_file(tmp_path), 0, 8))


@pytest.mark.parametrize(
    "answer", ["print('x' * 100_000_000)", "print('{}')", "print('[' * 100_000)",
    "import os; os.abort()", """print('{"datasets": [{"name": 1}], "attributes": {}}')"""])  # fmt: skip
def test_an_answer_is_not_trusted(answer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Any) -> None:
    (tmp_path / "hdf5_worker.py").write_text(answer)
    monkeypatch.setattr(hdf5, "__file__", str(tmp_path / "hdf5.py"))
    with refused(FileError):
        hdf5.describe(part(whole_file(tmp_path), 0, 8))


def whole_file(folder: Path) -> Path:
    path = folder / "whole.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = np.arange(12.0).reshape(3, 4)
        file["layers/dense/vars"].attrs["name"] = "hidden"
        file.create_dataset("layers/dense/vars/1", data=np.ones(4), chunks=(2,), compression="gzip")
    return path


def test_a_file_cut_anywhere_is_told(tmp_path: Path) -> None:
    content = whole_file(tmp_path).read_bytes()
    path = tmp_path / "cut.h5"
    for length in [8, 50, 95, *range(100, len(content), len(content) // 12), len(content) - 1]:
        path.write_bytes(content[:length])
        with pytest.raises(FileError, match="truncated or damaged"):
            reader.open_file(path)


@given(changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_changed_bytes_are_told_or_harmless(changes: list[tuple[int, int]], tmp_path: Path) -> None:
    content = bytearray(whole_file(tmp_path).read_bytes())
    for place, value in changes:
        content[place % len(content)] = value
    path = tmp_path / "changed.h5"
    path.write_bytes(content)
    try:
        with reader.open_file(path) as file:
            for name, info in file.tensors.items():
                assert file.array(name).shape == info.shape
    except GlassnetError:
        pass


def test_without_h5py_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Any) -> None:
    path = whole_file(tmp_path)
    monkeypatch.setattr(hdf5, "find_spec", lambda _: None)
    with refused(MissingExtra):
        reader.open_file(path)


@pytest.mark.parametrize(
    "config", ["[" * 100_000, '{"config": ' * 100, "\x00", '{"config": {"layers": [1, {}, null]}}']
)
def test_a_hostile_configuration_tells_no_names(config: str, tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", config)
        archive.write(whole_file(tmp_path), "model.weights.h5")
    assert list(reader.open_file(path).tensors) == ["hidden/kernel", "hidden/bias"]


def test_compressed_and_climbing_members(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}" + " " * 1000)
        archive.write(whole_file(tmp_path), "model.weights.h5")
    with refused(FileError):
        reader.open_file(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../model.weights.h5", b"")
    with refused(FileError):
        reader.open_file(path)
