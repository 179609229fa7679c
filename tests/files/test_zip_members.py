"""The directory of a zip file with 64-bit sizes and places, as files of more than 4 GB have it."""

import os
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from glassnet.errors import FileError
from glassnet.files import zip_members
from glassnet.files.formats.torch.reader import recognises


def wide_zip(path: Path, hole: int, **lies: int) -> None:
    """One member of 4 bytes behind a hole of so many, everything in the directory in 64 bits."""
    name, content = b"archive/data.pkl", pickle.dumps({}, 0)[:4]
    told = {"size": 4, "header": hole, "start": hole + 30 + len(name) + 4, "place": 0} | lies
    local = struct.pack("<4s5H3I2H", b"PK\x03\x04", 45, 0, 0, 0, 0, zlib.crc32(content), 4, 4, len(name), 0)
    extra = struct.pack("<2H3Q", 1, 24, told["size"], told["size"], told["header"])
    wide = 0xFFFFFFFF
    entry = struct.pack("<4s6H3I", b"PK\x01\x02", 45, 45, 0, 0, 0, 0, 0, wide, wide)
    entry += struct.pack("<5H2I", len(name), len(extra), 0, 0, 0, 0, wide) + name + extra
    end = struct.pack("<4sQ2H2I4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, len(entry), told["start"])
    place = told["place"] or hole + 30 + len(name) + 4 + len(entry)
    locator = struct.pack("<4sIQI", b"PK\x06\x07", 0, place, 1)
    last = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    with path.open("wb") as file:
        file.seek(hole)
        file.write(local + name + content + entry + end + locator + last)


@pytest.mark.parametrize("hole", [0, 5 << 30])
def test_a_file_of_five_gigabytes(hole: int, tmp_path: Path) -> None:
    wide_zip(tmp_path / "a.zip", hole)
    with (tmp_path / "a.zip").open("rb") as file:
        members = zip_members.read_members(file, tmp_path / "a.zip")
        assert list(members) == ["archive/data.pkl"]
        assert zip_members.data_start(file, tmp_path / "a.zip", members["archive/data.pkl"]) == hole + 46
        content = zip_members.read_member(file, tmp_path / "a.zip", members["archive/data.pkl"], 4)
        assert content == pickle.dumps({}, 0)[:4]
    os.unlink(tmp_path / "a.zip")


@pytest.mark.parametrize(
    "lie", [{"size": 5}, {"size": 1 << 62}, {"header": 1 << 62}, {"start": 1 << 62}, {"place": 1 << 62}, {"start": 3}]
)
def test_lies_of_64_bits(lie: dict[str, int], tmp_path: Path, refused: Any) -> None:
    wide_zip(tmp_path / "a.zip", 100, **lie)
    with refused(FileError):
        first_start(tmp_path / "a.zip")


def first_start(path: Path) -> int:
    with path.open("rb") as file:
        return zip_members.data_start(file, path, zip_members.read_members(file, path)["archive/data.pkl"])


def test_a_pickle_deeper_in_a_zip_is_no_torch_file(tmp_path: Path) -> None:
    for name, torch_file in (("archive/data.pkl", True), ("a/b/data.pkl", False)):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("first", bytes(4096))
            archive.writestr(name, b"")
        head = (tmp_path / "a.zip").read_bytes()[:512]
        assert recognises(head, tmp_path / "a.zip") is torch_file
