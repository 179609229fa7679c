"""Writing all or nothing: a temporary file beside the target is filled, flushed to the disk and renamed.

Whatever happens, the target is either the old file or the new one.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from glassnet.errors import FileError


def write(path: str | os.PathLike[str], fill: Callable[[str], object], *problems: type[Exception]) -> None:
    """Have `fill` write the file whose name it is given, then put that in the place of `path`.

    Raises `FileError` for an `OSError` and for the other `problems` named, with an earlier file of this name intact.
    """
    path = Path(path)
    temporary = None
    expected: tuple[type[Exception], ...] = (OSError, *problems)
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
        os.close(handle)
        fill(temporary)
        os.chmod(temporary, 0o666 & ~_umask())  # only now: some writers put a file of their own there
        _flush_to_disk(Path(temporary))
        os.replace(temporary, path)
        _flush_to_disk(path.parent)
    except expected as problem:
        if isinstance(problem, FileError):
            raise
        reason = problem.strerror if isinstance(problem, OSError) and problem.strerror else str(problem)
        raise FileError(f"cannot write {path}: {reason}", help="an earlier file of this name is unchanged") from problem
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
