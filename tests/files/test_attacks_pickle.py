"""Hostile pickles and zip files (docs/security.md): each ends in a FileError, soon, nothing run, with little memory."""

import io
import os
import pickle
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.errors import FileError, GlassnetError
from glassnet.files.formats.torch import pickle_reader, reader

Dressed = Callable[[bytes], bytes]
STREAM = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({}, 2)


def in_zip(content: bytes, **members: bytes) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        for name, more in members.items():
            archive.writestr(f"archive/{name.replace('_', '/')}", more)
    return memory.getvalue()


DRESSES: dict[str, Dressed] = {
    "zip": in_zip,
    "stream": lambda content: STREAM + content + pickle.dumps([], 2),
    "bare": lambda content: content if content[:1] == b"\x80" else b"\x80\x02" + content,
    "sys_info": lambda content: STREAM[: -len(pickle.dumps({}, 2))] + content,
}


def opened(content: bytes, folder: Path) -> Any:
    path = folder / "hostile.pt"
    path.write_bytes(content)
    assert reader.recognises(content[:64], path)
    return reader.open_file(path)


class Calls:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments

    def __reduce__(self) -> Any:
        return self.function, self.arguments


MARK = "glassnet_was_attacked"
CALLS = {
    "os.system": pickle.dumps(Calls(os.system, f"touch {MARK}"), 2),
    "eval": pickle.dumps(Calls(eval, f"open('{MARK}', 'w')"), 2),
    "exec": pickle.dumps(Calls(exec, f"open('{MARK}', 'w')"), 4),
    "open": pickle.dumps(Calls(open, MARK, "w"), 5),
    "chain": pickle.dumps(Calls(getattr, Calls(__import__, "os"), "system"), 4),
    "inside": pickle.dumps({"w": [1, {"x": Calls(os.system, f"touch {MARK}")}]}, 2),
    "stack global": b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.",
    "stack global put together": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x02id\x85R.",
    "inst": b"(S'id'\nios\nsystem\n.",
    "obj": b"(cos\nsystem\nS'id'\no.",
    "newobj": b"\x80\x02csubprocess\nPopen\nS'id'\n\x85\x81.",
    "newobj_ex": b"\x80\x04csubprocess\nPopen\n)}\x92.",
    "extension": b"\x80\x02\x82\x01.",
    "python 2": b"c__builtin__\neval\nS'1'\n\x85R.",
    "allowed module, other name": b"ctorch.serialization\nload\nS'/etc/passwd'\n\x85R.",
    "dotted": b"\x80\x04\x8c\x05torch\x8c\x0b_utils.os.x\x93.",
    "numpy load": b"cnumpy\nload\nS'/etc/passwd'\n\x85R.",
    "torch hub": b"ctorch.hub\nload\n)R.",
    "unused name": b"cos\nsystem\n0}.",
    "setstate": b"\x80\x02ctorch\nUnheardOf\n)\x81}S'__setstate__'\ncos\nsystem\nsb.",
    "buffers": b"\x80\x05\x97.",
}


@pytest.mark.parametrize("dress", DRESSES)
@pytest.mark.parametrize("attack", CALLS)
def test_a_pickle_that_calls_something(
    attack: str, dress: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with refused(FileError):
        opened(DRESSES[dress](CALLS[attack]), tmp_path)
    assert os.listdir(tmp_path) == ["hostile.pt"]


@pytest.mark.parametrize("attack", CALLS)
def test_nothing_is_imported_or_looked_up(attack: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("it looked something up")

    with monkeypatch.context() as patched:
        patched.setattr("builtins.__import__", never)
        machine = pickle_reader.PlainUnpickler(io.BytesIO(CALLS[attack]), {}, lambda i: i, lambda _: False)
        with pytest.raises(pickle_reader.Refused):
            machine.load()


def test_a_name_that_is_allowed_is_not_called_with_more_than_it_takes(tmp_path: Path) -> None:
    state = b"\x80\x02cargparse\nNamespace\n)\x81}S'__class__'\ncnumpy\nndarray\nsb."
    assert opened(in_zip(state), tmp_path).tensors == {}


BOMBS = {
    "a memo slot of number 2^32 - 1": b"\x80\x02Nr\xff\xff\xff\xff.",
    "a text of 2^60 bytes": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 60) + b"a.",
    "bytes of 2^31": b"\x80\x03B\xff\xff\xff\x7fa.",
    "a byte array of 2^62": b"\x80\x05\x96" + struct.pack("<Q", 1 << 62) + b".",
    "a number of 2^31 bytes": b"\x80\x02\x8b\xff\xff\xff\x7f\x01.",
    "a number of many digits": b"L" + b"9" * 60_000 + b"L\n.",
    "tuples in tuples as a key": b"\x80\x02}" + b")" + b"\x85" * 200_000 + b"Ns.",
    "lists in lists": b"\x80\x02" + b"(" * 150_000 + b"l" * 150_000 + b".",
    "laughs": b"\x80\x02]q\x00" + b"".join(b"(" + b"h%c" % i * 10 + b"lq%c" % (i + 1) for i in range(60)) + b".",
    "copies of one list": b"\x80\x02(" + b"N" * 100_000 + b"lq\x000cbuiltins\nlist\nq\x01"
    + b"0h\x01h\x00\x85R" * 100_000 + b".",
    "copies of one text": b"\x80\x02X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20) + b"q\x000"
    + b"c_codecs\nencode\nq\x01" + b"0h\x01h\x00\x85R" * 100_000 + b".",
    "a key of a million parts": b"\x80\x02}(" + b"N" * 1_000_000 + b"tq\x00" + b"Nsh\x00Ns" * 100_000 + b".",
    "steps without end": b"\x80\x02" + b"N0" * 300_000 + b".",
    "names without end": b"\x80\x04X" + struct.pack("<I", 1 << 24) + b"a" * (1 << 24) + b"q\x00h\x00\x93.",
    "itself": b"\x80\x02]q\x00h\x00a}q\x01X\x01\x00\x00\x00ah\x01s\x86.",
    "nothing on the stack": b"\x80\x02R.",
    "no mark": b"\x80\x02Nt.",
}  # fmt: skip


@pytest.mark.parametrize("dress", ["zip", "stream"])
@pytest.mark.parametrize("attack", BOMBS)
def test_a_pickle_that_grows(attack: str, dress: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_reader, "STEPS", 500_000)  # an eighth, for a quick test
    content = DRESSES[dress](BOMBS[attack])
    path = tmp_path / "hostile.pt"
    path.write_bytes(content)
    tracemalloc.start()
    start = time.process_time()
    told = ""
    try:
        found = dict(reader.open_file(path).tensors)  # those that grow no further are harmless
    except FileError as problem:
        found, told = {}, str(problem)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found == {}
    assert len(told) < 1000
    assert time.process_time() - start < 10
    assert peak < 150 << 20  # `LARGEST` twice, and the steps


def tensor_pickle(storage: int, offset: object, shape: object, strides: object) -> bytes:
    """What torch.save writes for one tensor, with claims of one's own."""

    class Storage:
        pass

    class Pickler(pickle._Pickler):  # type: ignore[name-defined, misc]
        def persistent_id(self, thing: object) -> object:
            return ("storage", torch.FloatStorage, "0", "cpu", storage) if isinstance(thing, Storage) else None

    memory = io.BytesIO()
    rebuilt = Calls(torch._utils._rebuild_tensor_v2, Storage(), offset, shape, strides, False, {})
    Pickler(memory, 2).dump({"w": rebuilt})
    return memory.getvalue()


LIES = {
    "more than is stored": (4, 0, (5,), (1,)),
    "a storage larger than its member": (1 << 40, 0, (4,), (1,)),
    "an offset behind the end": (4, 4, (1,), (1,)),
    "a negative offset": (4, -1, (1,), (1,)),
    "a negative shape": (4, 0, (-1,), (1,)),
    "a negative stride": (4, 3, (4,), (-1,)),
    "2^40 numbers out of one": (4, 0, (1 << 40,), (0,)),
    "a shape that overflows": (4, 0, (1 << 62, 1 << 62), (0, 0)),
    "a stride that overflows": (4, 0, (2, 2), (1 << 62, 1)),
    "numbers that are no whole ones": (4, 0, (2.0,), (1,)),
    "true as a number": (4, 0, (True,), (1,)),
    "a thousand axes": (4, 0, (1,) * 1000, (1,) * 1000),
    "other strides than axes": (4, 0, (2, 2), (1,)),
    "no shape": (4, 0, "12", (1,)),
    "a number past 64 bits": (4, 0, (1 << 80,), (1,)),
}


@pytest.mark.parametrize("attack", LIES)
def test_a_tensor_that_lies(attack: str, tmp_path: Path, refused: Any) -> None:
    with refused(FileError):
        opened(in_zip(tensor_pickle(*LIES[attack]), data_0=bytes(16)), tmp_path)  # type: ignore[arg-type]


def test_the_same_tensor_without_a_lie(tmp_path: Path, refused: Any) -> None:
    file = opened(in_zip(tensor_pickle(4, 0, (2, 2), (2, 1)), data_0=bytes(16)), tmp_path)
    assert file.tensors["w"].shape == (2, 2)
    with refused(FileError):
        opened(in_zip(tensor_pickle(4, 0, (2, 2), (2, 1))), tmp_path)


def test_a_zip_bomb_is_not_inflated(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", tensor_pickle(1 << 22, 0, (1 << 22,), (1,)), zipfile.ZIP_STORED)
        archive.writestr("archive/data/0", bytes(1 << 24))
    with refused(FileError):
        reader.open_file(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 24))
    with refused(FileError):
        reader.open_file(path)


@pytest.mark.parametrize("name", ["../../evil", "/etc/passwd", "archive/../../x", "C:/x", "..\\x"])
def test_a_member_that_climbs_out(name: str, tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "climbing.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, 2))
        archive.writestr(name, b"evil")
    with refused(FileError):
        reader.open_file(path)


def test_members_of_one_name_and_members_over_one_another(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "twice.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, 2))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("archive/data.pkl", pickle.dumps({}, 2))
    with refused(FileError):
        reader.open_file(path)
    whole = bytearray(in_zip(pickle.dumps({}, 2), data_0=bytes(16)))
    second = whole.rfind(b"PK\x01\x02")
    whole[second + 42 : second + 46] = struct.pack("<I", 10)
    with refused(FileError):
        opened(bytes(whole), tmp_path)


@pytest.fixture(scope="module", params=[True, False], ids=["zip", "legacy"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("whole") / "a.pt"
    content = {"epoch": 1, "model": {"w": torch.arange(12.0).reshape(3, 4), "b": torch.ones(3)}}
    torch.save(content, path, _use_new_zipfile_serialization=request.param)
    return path.read_bytes()


def test_a_file_cut_anywhere_is_told(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cut.pt"
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError, match="truncated or damaged"):
            reader.open_file(path)


@given(changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_changed_bytes_are_told_or_harmless(
    whole: bytes, changes: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(whole)
    for place, value in changes:
        content[place % len(content)] = value
    read_all(bytes(content), tmp_path_factory)


@given(
    content=st.binary(max_size=300) | st.lists(st.sampled_from(sorted(pickle_reader._WORDS)), max_size=80).map(bytes)
)
@settings(max_examples=500, deadline=None)
def test_any_pickle_is_told_or_harmless(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    read_all(in_zip(content + b"."), tmp_path_factory)


def read_all(content: bytes, folders: pytest.TempPathFactory) -> None:
    path = folders.getbasetemp() / "changed.pt"
    path.write_bytes(content)
    try:
        with reader.open_file(path) as file:
            for name, info in file.tensors.items():
                assert file.array(name).shape == info.shape
    except GlassnetError:
        pass
