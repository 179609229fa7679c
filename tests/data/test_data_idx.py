"""IDX files: what is written comes back, and what is cut or wrong is refused by name."""

import contextlib
import gzip
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from glassnet import data
from glassnet.data.idx import read_idx
from glassnet.errors import FileError, InputError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def written(array) -> bytes:
    """An array as an IDX file, by the letter of the format."""
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, CODES[array.dtype.str[1:]], array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def some_arrays():
    dtypes = st.sampled_from([np.dtype(code) for code in CODES])
    shapes = arrays.array_shapes(min_dims=1, max_dims=4, max_side=5)
    return dtypes.flatmap(lambda dtype: arrays.arrays(dtype, shapes))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """One file, written over and over."""
    return tmp_path_factory.mktemp("idx") / "values-idx"


@given(some_arrays(), st.booleans())
def test_any_array_comes_back(place, array, packed):
    place.write_bytes(gzip.compress(written(array), 1) if packed else written(array))
    back = read_idx(place)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()


@given(some_arrays(), st.booleans(), st.data())
def test_cut_anywhere_it_is_refused(place, array, packed, draw):
    whole = gzip.compress(written(array), 1) if packed else written(array)
    place.write_bytes(whole[: draw.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(FileError):
        read_idx(place)


@given(st.binary(max_size=60), st.booleans())
def test_any_bytes_give_an_array_or_a_file_error(place, noise, packed):
    start = b"\0\0\x08\x02" + noise
    place.write_bytes(gzip.compress(start, 1) if packed else start)
    with contextlib.suppress(FileError):
        read_idx(place)


@pytest.mark.parametrize("packed", [False, True])
def test_a_huge_claim_takes_no_memory(place, packed, refused: Any):
    claim = b"\0\0\x0e\x03" + b"\xff" * 12
    place.write_bytes(gzip.compress(claim) if packed else claim)
    with refused(FileError):
        read_idx(place)


def test_a_gzip_bomb_is_unpacked_no_further_than_its_header_says(place, refused: Any):
    place.write_bytes(gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 1000) + bytes(10_000_000)))
    with refused(FileError):
        read_idx(place)


def test_a_flipped_bit_in_gzip_is_found_by_its_checksum(place, refused: Any):
    whole = bytearray(gzip.compress(written(np.arange(50, dtype=np.uint8)), 0))
    whole[-20] ^= 1
    place.write_bytes(whole)
    with refused(FileError):
        read_idx(place)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01\0\x08\x01",
        b"\0\0\x0a\x01\0\0\0\x01a",
        b"\0\0\x08\0",
        b"\0\0\x08\x02\0\0",
        b"\0\0\x08\x01\0\0\0\0",
        b"\0\0\x08\x01\0\0\0\x03ab",
        b"\0\0\x08\x01\0\0\0\x03abcd",
    ],
)
def test_what_is_no_idx_file_is_told(place, content, refused: Any):
    place.write_bytes(content)
    with refused(FileError):
        read_idx(place)


@pytest.fixture
def pair(tmp_path):
    """Writes images and labels under MNIST's names, and gives their paths."""

    def write(images, labels, end=""):
        paths = [tmp_path / f"t-images-idx3-ubyte{end}", tmp_path / f"t-labels-idx1-ubyte{end}"]
        for path, array in zip(paths, (images, labels), strict=True):
            path.write_bytes(gzip.compress(written(array)) if end else written(array))
        return paths

    return write


IMAGES = np.arange(24, dtype=np.uint8).reshape(4, 2, 3)
LABELS = np.array([0, 2, 2, 1], np.uint8)


@pytest.mark.parametrize("end", ["", ".gz"])
def test_a_pair_is_a_data_set(pair, end):
    digits = data.idx(*pair(IMAGES, LABELS, end))
    assert np.array_equal(digits.inputs, IMAGES.reshape(4, 6))
    assert digits.inputs.dtype == np.uint8
    assert (digits.input_shape, digits.schema.scale, digits.classes) == ((2, 3), 1 / 255, ("0", "1", "2"))
    assert digits.targets.tolist() == [0, 2, 2, 1]


def test_fractions_are_measurements_and_other_types_have_no_scale(pair):
    lengths = data.idx(*pair(IMAGES.astype("f4"), np.array([0.5, 1, 2, 3], "f8")))
    assert lengths.classes is None
    assert lengths.schema.scale is None
    assert lengths.targets.tolist() == [0.5, 1, 2, 3]


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (IMAGES, LABELS[:3]),
        (LABELS, IMAGES),
        (IMAGES, LABELS.astype("i1") - 1),
        (IMAGES, LABELS.astype("i4") * 100_000),
    ],
)
def test_a_pair_that_does_not_fit(pair, images, labels, refused: Any):
    with refused(InputError):
        data.idx(*pair(images, labels))


def test_a_missing_file_is_named_with_the_nearest_one(pair, refused: Any):
    images, labels = pair(IMAGES, LABELS)
    with refused(FileError):
        data.idx(images, labels.with_name("t-labels-idx1-ubite"))
