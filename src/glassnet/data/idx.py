"""IDX, the format in which MNIST and its relatives (Fashion-MNIST, EMNIST, Kuzushiji-MNIST) are given out.

    two zeros, a byte for the type, a byte for the number of axes      00 00 08 03
    the length of each axis, 4 bytes, big end first                    60000, 28, 28
    the values, row by row, big end first                              exactly as many as the lengths say

Usually gzipped. Images and labels are two files.
"""

import gzip
import os
import struct
import zlib
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from glassnet.arrays import Array, shape_text
from glassnet.data.access import Source, check_claim
from glassnet.data.dataset import Dataset
from glassnet.errors import FileError, InputError
from glassnet.opening import open_file
from glassnet.schema import Schema

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MOST_AXES = 32
_MOST_CLASSES = 1 << 16


def idx(images: Source, labels: Source) -> Dataset:
    """Read a pair of IDX files, plain or gzipped.

    Parameters
    ----------
    images : str or path
        Images of shape (n, ...); uint8 is multiplied by 1/255, other types are used as they are.
    labels : str or path
        Whole labels are classes, "0" to the largest, so that parts of one set agree; fractions are measured targets.

    Returns
    -------
    Dataset
        Inputs of shape (n, fan_in).

    Raises
    ------
    FileError
        If a file is not IDX, truncated or damaged.
    InputError
        If the files do not fit together.

    References
    ----------
    http://yann.lecun.com/exdb/mnist/

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.idx("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")    # doctest: +SKIP
    """
    inputs, targets = read_idx(images), read_idx(labels)
    if inputs.ndim < 2 or targets.ndim != 1 or len(inputs) != len(targets):
        swapped = inputs.ndim == 1 and targets.ndim > 1
        raise InputError(
            f"images have shape {shape_text(inputs.shape)} and labels {shape_text(targets.shape)}, expected (n, "
            "...) and (n,)",
            help="give the images first, then the labels" if swapped else "take both files from the same set",
        )
    classes = None
    if targets.dtype.kind != "f":
        low, high = int(targets.min()), int(targets.max())
        if low < 0 or high >= _MOST_CLASSES:
            raise InputError(
                f"labels run from {low} to {high}, expected class numbers from 0 to {_MOST_CLASSES - 1:,}",
                help="check that the second file holds labels",
            )
        classes = tuple(str(k) for k in range(high + 1))
    schema = Schema(inputs.shape[1:], 1 / 255 if inputs.dtype == np.uint8 else None, classes=classes)
    return Dataset(inputs.reshape(len(inputs), -1), targets, schema, Path(images).name)


def labels_beside(images: Source) -> Path:
    """The labels that belong to a file of images, by the usual names: train-labels-idx1-ubyte, gzipped or not, for
    train-images-idx3-ubyte. `FileError` if they are not beside it.
    """
    place = Path(images)
    name = place.name.replace("images", "labels").replace("idx3", "idx1")
    usual = [place.with_name(name.removesuffix(".gz") + end) for end in ("", ".gz")]
    found = [path for path in usual if name != place.name and path.exists()]
    if not found:
        raise FileError(
            f"the labels of {str(images)!r} are missing: expected "
            + (f"{usual[0].name!r} beside it" if name != place.name else "a name such as train-images-idx3-ubyte"),
            help="put the labels there, or name both files: gn.data.idx(images, labels)",
        )
    return found[0]


def read_idx(path: Source) -> Array:
    """The array in an IDX file, plain or gzipped, in native byte order. `FileError` if it is no complete one."""
    with open_file(path) as raw:
        stored = os.fstat(raw.fileno()).st_size
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        try:
            if not packed:
                return _read(raw, path, stored, packed)
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return _read(unpacked, path, stored, packed)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _wrong(path, f"a gzip stream that breaks off or is damaged ({error})", "a complete one") from None


def _read(file: "IO[bytes] | gzip.GzipFile", path: Source, stored: int, packed: bool) -> Array:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES or not 1 <= head[3] <= _MOST_AXES:
        magic = head.hex(" ") or "nothing"
        raise _wrong(path, f"{magic} at its start", "00 00, a known type, and 1 to 32 axes: the start of an IDX file")
    dtype, axes = np.dtype(_TYPES[head[2]]), head[3]
    lengths = file.read(4 * axes)
    if len(lengths) < 4 * axes:
        raise _wrong(path, f"{len(lengths)} bytes for the lengths of {axes} axes", f"{4 * axes}")
    shape = struct.unpack(f">{axes}I", lengths)
    if 0 in shape:
        raise _wrong(path, f"an empty array of shape {shape_text(shape)}", "at least one value")
    claimed = prod(shape) * dtype.itemsize
    if packed:
        check_claim(claimed, stored, f"{str(path)!r} of shape {shape_text(shape)}")
    elif claimed != stored - 4 - 4 * axes:
        raise _wrong(
            path,
            f"{stored - 4 - 4 * axes:,} bytes of values",
            f"{claimed:,}, as its header says: {shape_text(shape)} of {dtype.name}",
        )
    values = bytearray(file.read(claimed))
    # The byte more also makes gzip compare its checksum, which comes after the last value.
    if len(values) != claimed or file.read(1):
        got = "more" if len(values) == claimed else f"{len(values):,}"
        raise _wrong(
            path, f"{got} bytes of values", f"{claimed:,}, as its header says: {shape_text(shape)} of {dtype.name}"
        )
    return np.ndarray(shape, dtype, values).astype(dtype.newbyteorder("="), copy=False)


def _wrong(path: Source, got: str, expected: str) -> FileError:
    return FileError(f"{str(path)!r} has {got}, expected {expected}", help="download the file again")
