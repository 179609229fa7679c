"""A lock on a file that one process writes over a long time: a second one is refused."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from glassnet.errors import FileError
from glassnet.opening import quoted

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be replaced anyway
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of this file, which lies beside it and ends with its process; `FileError` if another holds it."""
    if fcntl is None:
        yield
        return
    place = path.with_name(f".{path.name}.lock")
    try:
        descriptor = _taken(place)
    except BlockingIOError:
        raise FileError(
            f"{quoted(path)} is in use by another run", help="wait for its end, or name another checkpoint"
        ) from None
    except OSError as problem:
        raise FileError(f"cannot write {quoted(place)}: {problem.strerror}") from problem
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(place)  # before it is given up, so that no other can hold a lock on a file that is gone
        with contextlib.suppress(OSError):  # nothing was written there
            os.close(descriptor)


def _taken(place: Path) -> int:
    while True:
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), os.stat(place)):
                    return descriptor
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)  # its holder removed it in this moment: take the next one
