"""The members of a zip file, seen without unpacking: where each lies, so that a few bytes of it can be read in place.

Nothing is ever extracted or inflated. What is read whole is compared with its checksum. The directory at the end of the
file is believed only within the file's own size; members that overlap, lie outside, share a name or have a name that
climbs out of a folder make it no file to read.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from glassnet.errors import FileError
from glassnet.files.access import check_crc, damaged
from glassnet.opening import quoted

_END, _END64, _LOCATOR, _ENTRY, _LOCAL = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02", b"PK\x03\x04"
_Entry: TypeAlias = tuple[int, int, int, int, bool, int, str]
LARGEST_DIRECTORY = 64 << 20
"""Bytes: room for half a million members; a checkpoint has one for each storage."""


@dataclass(frozen=True, slots=True)
class Member:
    """`size` is what it holds, `stored` what it takes; `limit` is where the next thing in the file begins;
    a `crc` of 0 may mean that none was computed."""

    name: str
    header: int
    size: int
    stored: int
    method: int
    encrypted: bool
    crc: int
    limit: int


def read_members(file: BinaryIO, path: Path) -> dict[str, Member]:
    """The directory of a zip file; `FileError` where it is cut, damaged or hostile."""
    try:
        return _members(file, path)
    except struct.error:
        raise damaged(path, "its directory is cut short") from None


def check_stored(path: Path, member: Member) -> None:
    """`FileError` for a member that is compressed or encrypted, so that it cannot be read in place."""
    if member.method != 0 or member.stored != member.size or member.encrypted:
        how = "encrypted" if member.encrypted else "compressed"
        raise FileError(
            f"member {quoted(member.name)} of {quoted(path)} is {how}: expected members stored without "
            "compression, which can be read in place",
            help="save it again where it was made, or repack it with: zip -0",
        )


def data_start(file: BinaryIO, path: Path, member: Member) -> int:
    """Where the bytes of a member begin; `FileError` for one that is compressed or not where it should be."""
    check_stored(path, member)
    file.seek(member.header)
    head = file.read(30)
    if len(head) < 30 or head[:4] != _LOCAL:
        raise damaged(path, f"the member {quoted(member.name)} is not where the directory says")
    start = member.header + 30 + sum(struct.unpack("<HH", head[26:30]))
    if start + member.size > member.limit:
        raise damaged(path, f"the member {quoted(member.name)} runs into what follows it")
    return start


def read_member(file: BinaryIO, path: Path, member: Member, most: int) -> bytes:
    """A small stored member, whole: no more than `most` bytes."""
    if member.size > most:
        raise FileError(
            f"member {quoted(member.name)} of {quoted(path)} has {member.size:,} bytes, expected at most {most:,} "
            "of description",
            help="store long lists of numbers as tensors",
        )
    file.seek(data_start(file, path, member))
    content = file.read(member.size)
    if len(content) < member.size:
        raise damaged(path, f"the member {quoted(member.name)} is cut short")
    check_crc(path, member.name, zlib.crc32(content), member.crc)
    return content


def _members(file: BinaryIO, path: Path) -> dict[str, Member]:
    size = file.seek(0, 2)
    tail_start = max(0, size - 22 - 0xFFFF)
    file.seek(tail_start)
    tail = file.read(size - tail_start)
    at = tail.rfind(_END)
    while at >= 0 and (len(tail) - at < 22 or at + 22 + struct.unpack_from("<H", tail, at + 20)[0] != len(tail)):
        at = tail.rfind(_END, 0, at)
    if at < 0:
        raise damaged(path, "its directory, which is at the end, is not there")
    end = tail_start + at
    count, length, start = struct.unpack_from("<HII", tail, at + 10)
    if count == 0xFFFF or 0xFFFFFFFF in (length, start):
        end, count, length, start = _end64(file, path, end)
    if length > LARGEST_DIRECTORY or count * 46 > length or start + length > end:
        raise damaged(path, f"its directory claims {count:,} members in {length:,} bytes at {start:,}")
    file.seek(start)
    directory = file.read(length)
    entries: list[_Entry] = []
    at = 0
    for _ in range(count):
        entry, at = _entry(directory, at, path)
        entries.append(entry)
    entries.sort()
    members: dict[str, Member] = {}
    limits = [*(entry[0] for entry in entries[1:]), start]
    for entry, limit in zip(entries, limits, strict=False):  # where there is no entry, there is a limit too many
        header, stored, holds, method, encrypted, crc, name = entry
        if header + 30 + stored > limit:
            raise damaged(path, f"the member {quoted(name)} runs into what follows it")
        if name in members:
            raise damaged(path, f"there are two members {quoted(name)}")
        members[name] = Member(name, header, holds, stored, method, encrypted, crc, limit)
    return members


def _end64(file: BinaryIO, path: Path, end: int) -> tuple[int, int, int, int]:
    file.seek(max(0, end - 20))
    locator = file.read(20)
    if len(locator) < 20 or locator[:4] != _LOCATOR:
        raise damaged(path, "its 64-bit directory is not there")
    (place,) = struct.unpack_from("<Q", locator, 8)
    if place > end - 20:
        raise damaged(path, "its 64-bit directory lies outside the file")
    file.seek(place)
    record = file.read(56)
    if record[:4] != _END64:
        raise damaged(path, "its 64-bit directory is not there")
    count, length, start = struct.unpack_from("<QQQ", record, 32)
    return place, count, length, start


def _entry(directory: bytes, at: int, path: Path) -> tuple[_Entry, int]:
    if directory[at : at + 4] != _ENTRY:
        raise damaged(path, "an entry of its directory is cut short")
    flags, method = struct.unpack_from("<HH", directory, at + 8)
    crc, stored, size, name_length, extra_length, comment_length = struct.unpack_from("<IIIHHH", directory, at + 16)
    (header,) = struct.unpack_from("<I", directory, at + 42)
    name_end = at + 46 + name_length
    extra_end = name_end + extra_length
    if extra_end + comment_length > len(directory):
        raise damaged(path, "an entry of its directory is cut short")
    name = directory[at + 46 : name_end].decode("utf-8" if flags & 0x800 else "cp437", "replace")
    if name.startswith(("/", "\\")) or "\0" in name or ".." in name.replace("\\", "/").split("/") or name[1:2] == ":":
        raise FileError(
            f"{quoted(path)} has a member named {quoted(name)}, which leads out of the archive",
            help="do not unpack it; download the file from elsewhere",
        )
    if 0xFFFFFFFF in (stored, size, header):
        wide = iter(_wide_extra(directory[name_end:extra_end]))
        size = next(wide, size) if size == 0xFFFFFFFF else size
        stored = next(wide, stored) if stored == 0xFFFFFFFF else stored
        header = next(wide, header) if header == 0xFFFFFFFF else header
    return (header, stored, size, method, bool(flags & 1), crc, name), extra_end + comment_length


def _wide_extra(extra: bytes) -> tuple[int, ...]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            part = extra[at + 4 : at + 4 + length]
            return struct.unpack(f"<{len(part) // 8}Q", part[: len(part) // 8 * 8])
        at += 4 + length
    return ()


def by_folder(members: Mapping[str, Member], ending: str) -> list[str]:
    """The names of the members that end so, shortest first."""
    return sorted((name for name in members if name == ending or name.endswith("/" + ending)), key=len)
