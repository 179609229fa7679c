""".npz and .npy: judged by numpy, and attacked."""

import contextlib
import io
import pickle
import struct
import time
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import FileError, SettingError
from glassnet.files.formats.npz import reader

RANDOM = np.random.default_rng(3)
ARRAYS = {
    "w1": RANDOM.normal(size=(7, 4)).astype(np.float32),
    "b1": RANDOM.normal(size=4).astype(np.float32),
    "fortran": np.asfortranarray(RANDOM.normal(size=(5, 3, 2))),
    "tall": np.asfortranarray(RANDOM.normal(size=(3000, 120))),
    "wide": RANDOM.normal(size=(40, 9000)),
    "big_endian": RANDOM.normal(size=(6, 4)).astype(">f4"),
    "half": RANDOM.normal(size=(6, 4)).astype(np.float16),
    "whole": np.arange(12).reshape(3, 4),
    "bits": np.array([[True, False]]),
    "scalar": np.array(3.5),
    "empty": np.zeros((0, 3)),
    "complex": np.ones((3, 2), complex),
}


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_read_as_numpy_reads_them(tmp_path: Path, save: Any) -> None:
    save(tmp_path / "a.npz", **ARRAYS)
    file = gn.open(tmp_path / "a.npz")
    assert list(file.tensors) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert file.tensors[name].shape == array.shape
        assert file.tensors[name].dtype == array.dtype.name
        assert np.array_equal(file.array(name), array)
        assert np.array_equal(file.flat(name, 1, 9), array.reshape(-1)[1:9])
        if array.ndim and len(array):
            for which in (slice(None, None, -1), slice(1, None, 2), slice(None, 0, -2), slice(2, 2), 0, -1):
                assert np.array_equal(file.rows(name, which), array[which]), (name, which)
        if array.ndim == 2 and len(array):
            assert np.array_equal(file.column(name, 1), array[:, 1])
    assert ("compressed" in file.format) is (save is np.savez_compressed)


@pytest.mark.parametrize("name", ["wide", "tall", "fortran"])
def test_pieces_one_after_another_make_the_whole(tmp_path: Path, name: str) -> None:
    np.savez_compressed(tmp_path / "a.npz", **ARRAYS)
    file = gn.open(tmp_path / "a.npz")
    size, step = ARRAYS[name].size, 7001
    pieces = [file.flat(name, start, min(start + step, size)) for start in range(0, size, step)]
    assert np.array_equal(np.concatenate(pieces), ARRAYS[name].reshape(-1))


def test_a_single_array_is_a_file_too(tmp_path: Path, refused: Any) -> None:
    np.save(tmp_path / "weights.npy", ARRAYS["w1"])
    file = gn.open(tmp_path / "weights.npy")
    assert np.array_equal(file.array("weights"), ARRAYS["w1"])
    assert file.count().total == 28
    with refused(SettingError):
        file.neuron("weights", 0)
    assert np.array_equal(file.neuron("weights", 2, "columns").weights, ARRAYS["w1"][:, 2])


class Bomb:
    def __reduce__(self) -> Any:
        return print, ("this must never run",)


def test_objects_are_listed_and_never_loaded(tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: Any) -> None:
    np.savez(tmp_path / "a.npz", w=np.ones((2, 2)), bomb=np.array([Bomb()], object), names=np.array(["a", "b"]))
    file = gn.open(tmp_path / "a.npz")
    assert file.count().total == 4
    for name in ("bomb", "names"):
        for read in (file.array, lambda n: file.flat(n, 0, 1), lambda n: file.rows(n, 0)):
            with refused(FileError):
                read(name)
    np.save(tmp_path / "b.npy", np.array([Bomb()], object), allow_pickle=True)
    with refused(FileError):
        gn.open(tmp_path / "b.npy").array("b")
    assert capsys.readouterr().out == ""


def npy(header: bytes, data: bytes = b"\0" * 16, version: int = 1, length: int | None = None) -> bytes:
    size = struct.pack("<H" if version == 1 else "<I", len(header) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


HEADERS = {
    "2^40 numbers": b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,)}",
    "negative": b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -2)}",
    "overflow": b"{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4611686018427387904)}",
    "many axes": b"{'descr': '<f8', 'fortran_order': False, 'shape': (" + b"1," * 3000 + b"2)}",
    "a call": b"{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (2,)}",
    "deep": b"(" * 9000,
    "text": b"hello",
    "other keys": b"{'descr': '<f8', 'shape': (2,)}",
    "no size": b"{'descr': '<V0', 'fortran_order': False, 'shape': (2,)}",
    "a shape of words": b"{'descr': '<f8', 'fortran_order': False, 'shape': 'ab'}",
    "a type of 2 GB": b"{'descr': '<U500000000', 'fortran_order': False, 'shape': (1,)}",
}


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("in_zip", [False, True])
def test_a_header_that_lies_is_told(tmp_path: Path, name: str, in_zip: bool, refused: Any) -> None:
    path = tmp_path / "a"
    path.write_bytes(npy(HEADERS[name]))
    if in_zip:
        with zipfile.ZipFile(tmp_path / "z", "w") as archive:
            archive.write(path, "a.npy")
        path = tmp_path / "z"
    with refused(FileError):
        gn.open(path)


def test_a_header_without_end_is_not_read(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(npy(b" " * 50_000, version=2, length=(1 << 32) - 1))
    with refused(FileError):
        gn.open(path)


def zipped(path: Path, content: bytes, **changes: int) -> Path:
    """A zip file of one compressed array whose directory says other things than are true."""
    packed = zlib.compressobj(9, wbits=-15)
    stored = packed.compress(content) + packed.flush()
    told = {"size": len(content), "stored": len(stored), "offset": 0} | changes
    sizes = struct.pack("<III", zlib.crc32(content), told["stored"], told["size"])
    local = b"PK\3\4" + struct.pack("<HHHHH", 20, 0, 8, 0, 0) + sizes + struct.pack("<HH", 5, 0) + b"a.npy" + stored
    entry = (
        b"PK\1\2" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0) + sizes
        + struct.pack("<HHHHHII", 5, 0, 0, 0, 0, 0, told["offset"]) + b"a.npy"
    )  # fmt: skip
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, told.get("directory", len(entry)), len(local), 0)
    path.write_bytes(local + entry + end)
    return path


def test_zip_bombs_and_lying_directories_are_told(tmp_path: Path, refused: Any) -> None:
    whole = io.BytesIO()
    np.save(whole, np.zeros(1000))
    content = whole.getvalue()
    assert gn.open(zipped(tmp_path / "a", content)).array("a").sum() == 0
    for changes in (
        {"size": 1 << 31},
        {"size": len(content) + 8},
        {"stored": 1 << 30},
        {"offset": 99_999},
        {"directory": 1 << 30},
    ):
        with refused(FileError):
            reader.open_file(zipped(tmp_path / "a", content, **changes))


def test_a_compressed_array_takes_little_memory_to_count(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros((4000, 4000)))
    started = time.perf_counter()
    assert gn.open(tmp_path / "a.npz").count().total == 16_000_000
    assert time.perf_counter() - started < 0.2


@pytest.fixture(scope="module")
def archives() -> list[bytes]:
    made = []
    for save in (np.savez, np.savez_compressed):
        file = io.BytesIO()
        save(file, w=np.ones((3, 2)), b=np.zeros(2, np.float32))
        made.append(file.getvalue())
    return made


def looked_through(path: Path) -> None:
    file = reader.open_file(path)
    str(file.count())
    for name in file.tensors:
        file.array(name)


def test_cut_anywhere_it_is_told(tmp_path: Path, archives: list[bytes]) -> None:
    path = tmp_path / "a.npz"
    for whole in archives:
        for length in range(1, len(whole)):
            path.write_bytes(whole[:length])
            with pytest.raises(FileError):
                looked_through(path)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_bytes_changed_anywhere_are_told_or_harmless(
    tmp_path_factory: Any, archives: list[bytes], data: st.DataObject
) -> None:
    content = bytearray(data.draw(st.sampled_from(archives)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "a.npz"
    path.write_bytes(content)
    with contextlib.suppress(FileError):
        looked_through(path)


def test_a_pickle_is_no_array(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(FileError):
        gn.open(tmp_path / "a.npy")
