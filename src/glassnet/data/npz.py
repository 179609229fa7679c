"""NumPy's `.npz` archives, read without trust: never unpickled, no memory taken for what is not there.

Such a file is a zip with one `.npy` member for each array. What the member's header claims has to be what the archive
says it holds, and that has to be possible (see `opening`); only then is the array read.
"""

import zipfile
import zlib
from collections.abc import Sequence
from typing import IO

import numpy as np

from glassnet.arrays import Array, shape_text
from glassnet.data.access import check_claim, listed
from glassnet.errors import FileError

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, OSError)


def npz_names(file: IO[bytes], name: str) -> tuple[str, ...]:
    """The names of the arrays in the archive; `FileError` if it is none."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.namelist()
    except _DAMAGE as error:
        raise _damaged(name, error) from None
    arrays = tuple(member.removesuffix(".npy") for member in members if member.endswith(".npy"))
    if not arrays:
        workbook = any(member.startswith("xl/") for member in members)
        raise FileError(
            f"{name!r} is a zip file with {listed(members) if members else 'nothing in it'}, expected arrays",
            help="save the workbook as CSV first" if workbook else "write one with numpy.savez",
        )
    return arrays


def read_npz(file: IO[bytes], name: str, arrays: Sequence[str]) -> dict[str, Array]:
    """These arrays of the archive, in this order; `FileError` if it is truncated, damaged, or holds Python objects."""
    try:
        with zipfile.ZipFile(file) as archive:
            return {array: _read_member(archive, name, array) for array in arrays}
    except FileError:
        raise
    except KeyError as error:
        raise FileError(f"{name!r}: {error.args[0]}", help="download the file again") from None
    except _DAMAGE as error:
        raise _damaged(name, error) from None


def _read_member(archive: zipfile.ZipFile, name: str, array: str) -> Array:
    info = archive.getinfo(f"{array}.npy")
    what = f"array {array!r} of {name!r}"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("a compression that numpy does not write")
    check_claim(info.file_size, info.compress_size, what)
    with archive.open(info) as member:
        try:
            shape, fortran, dtype = _HEADERS[np.lib.format.read_magic(member)](member)
        except (
            Exception
        ) as error:  # numpy parses the header as a Python literal: SyntaxError, TokenError, RecursionError
            raise ValueError(f"{array} with a header that cannot be read: {error}") from None
        if dtype.hasobject:
            raise FileError(
                f"{what} holds Python objects, expected numbers or text: objects are not loaded, since loading "
                "them can run code",
                help="save it with a plain dtype, such as float32 or str",
            )
        count = 1
        for axis in shape:
            count *= axis  # Python's integers, since a claim of 2**70 must not wrap around
        if min(shape, default=0) < 0 or count * dtype.itemsize != info.file_size - member.tell():
            raise ValueError(f"{array} claims shape {shape_text(shape)} of {dtype}, and has {info.file_size:,} bytes")
        values = bytearray(member.read(count * dtype.itemsize))
        if len(values) != count * dtype.itemsize or member.read(1):  # at the end the checksum is compared, too
            raise ValueError(f"{array} breaks off after {len(values):,} bytes")
    return np.ndarray(shape, dtype, values, order="F" if fortran else "C")


def _damaged(name: str, error: Exception) -> FileError:
    return FileError(
        f"{name!r} is truncated or damaged ({str(error) or type(error).__name__}): expected a complete .npz file",
        help="download the file again, or write it again with numpy.savez",
    )
