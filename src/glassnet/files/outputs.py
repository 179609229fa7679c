"""Where every output goes: networks, checkpoints, exports, tables, pictures.

A file is written in a folder of its own beside its place, flushed to the disk and moved: whatever happens, the old file
or the new one is there, complete. A file is replaced only by one of its own kind. Links are followed; pipes and devices
are written to as streams.
"""

import contextlib
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeAlias

from glassnet.errors import FileError
from glassnet.files.kinds import kind_of_output
from glassnet.opening import quoted

Output: TypeAlias = "str | os.PathLike[str] | BinaryIO"
"""A place for a file, or a binary file object that is open for writing."""

KEPT = "an earlier file of this name is unchanged"


def write(output: Output, fill: Callable[[str], object], *problems: type[Exception]) -> None:
    """Have `fill` write the file whose name it is given, then put that in its place.

    Parameters
    ----------
    output : str, path or binary file object
    fill : callable
        Writes a file of this name, which exists and is empty.
    *problems : exception types
        What `fill` raises, besides `OSError`, when it cannot write.

    Raises
    ------
    FileError
        If it cannot be written, or would replace a file of another kind; an earlier file is unchanged.
    """
    expected: tuple[type[Exception], ...] = (OSError, *problems)
    try:
        if not isinstance(output, str | os.PathLike):
            _stream(fill, output)
        elif _is_stream(place := _real(output)):
            with open(place, "wb", buffering=0) as file:
                _stream(fill, file)
        else:
            _replace(place, fill)
    except expected as problem:
        if isinstance(problem, FileError):
            raise
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise FileError(f"cannot write {_name(output)}: {reason}", help=KEPT) from problem


def check(output: Output, kind: str) -> None:
    """`FileError` if a file of this kind (as `kinds` names it) could not be written there; to be asked before long
    work."""
    if not isinstance(output, str | os.PathLike):
        return
    place = _real(output)
    if not place.parent.is_dir():
        raise FileError(f"cannot write {quoted(output)}: no such folder", help="make the folder first")
    if _is_stream(place):
        return
    if not os.access(place.parent, os.W_OK):
        raise FileError(f"cannot write {quoted(output)}: its folder cannot be written to", help="name another folder")
    _check_kind(place, kind)


def _replace(place: Path, fill: Callable[[str], object]) -> None:
    _remove_leftovers(place)
    folder = tempfile.mkdtemp(prefix=_prefix(place, os.getpid()), suffix=".tmp", dir=place.parent)
    temporary = Path(folder, "output")  # in a folder, since some writers write under another name beside it first
    try:
        temporary.touch()
        fill(str(temporary))
        _check_kind(place, kind_of_output(temporary))
        os.chmod(temporary, _mode(place))
        _flush_to_disk(temporary)
        os.replace(temporary, place)
        _flush_to_disk(place.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _stream(fill: Callable[[str], object], file: BinaryIO) -> None:
    """The whole file is made first, so that nothing is sent of one that cannot be made."""
    with tempfile.TemporaryDirectory(prefix="glassnet-") as folder:
        temporary = Path(folder, "output")
        temporary.touch()
        fill(str(temporary))
        with open(temporary, "rb") as made:
            shutil.copyfileobj(made, file, 1 << 20)
        file.flush()


def _real(path: str | os.PathLike[str]) -> Path:
    """Where the file itself lies, behind all links."""
    place = Path(path)
    return Path(os.path.realpath(place)) if place.is_symlink() and not _is_stream(place) else place


def _is_stream(place: Path) -> bool:
    """Whether something is there that is written to, not replaced; `FileError` for what is neither."""
    try:
        mode = place.stat().st_mode
    except OSError:
        return False
    if stat.S_ISDIR(mode) or stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a disk" if stat.S_ISBLK(mode) else "a socket"
        raise FileError(f"cannot write {quoted(place)}: it is {what}", help="name a file")
    return not stat.S_ISREG(mode)


def _check_kind(place: Path, kind: str) -> None:
    there = kind_of_output(place) if place.exists() else ""
    if there and there != kind:
        raise FileError(
            f"{quoted(place)} is {there} and would be replaced by {kind}: it is kept",
            help="name another file, or remove this one first",
        )


def _mode(place: Path) -> int:
    """The permissions of the file that is replaced, or those of a new one."""
    with contextlib.suppress(OSError):
        return stat.S_IMODE(place.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _prefix(place: Path, process: int) -> str:
    return f".{place.name[:100]}.{socket.gethostname()[:60]}-{process}-"


def _remove_leftovers(place: Path) -> None:
    """Temporary folders for this place whose process on this machine was killed."""
    start = _prefix(place, 0).removesuffix("0-")
    with contextlib.suppress(OSError):
        for name in os.listdir(place.parent):
            process = name.removeprefix(start).partition("-")[0] if name.startswith(start) else ""
            if process.isdigit() and name.endswith(".tmp") and not _runs(int(process)):
                shutil.rmtree(place.parent / name, ignore_errors=True)


def _runs(process: int) -> bool:
    if os.name != "posix":
        return True  # asking would end it there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name(output: Output) -> str:
    return quoted(output) if isinstance(output, str | os.PathLike) else getattr(output, "name", "the file object")
