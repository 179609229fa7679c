"""IDX files: what is written comes back, and what is cut or wrong is refused by name."""

import contextlib
import gzip
import struct

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
def test_a_huge_claim_takes_no_memory(place, packed):
    claim = b"\0\0\x0e\x03" + b"\xff" * 12
    place.write_bytes(gzip.compress(claim) if packed else claim)
    with pytest.raises(FileError, match=r"at most 1032 times|0 bytes of values; expected 6\d\d,"):
        read_idx(place)


def test_a_gzip_bomb_is_unpacked_no_further_than_its_header_says(place):
    place.write_bytes(gzip.compress(b"\0\0\x08\x01" + struct.pack(">I", 1000) + bytes(10_000_000)))
    with pytest.raises(FileError, match=r"with more bytes of values; expected 1,000, as its header says: \(1000,\)"):
        read_idx(place)


def test_a_flipped_bit_in_gzip_is_found_by_its_checksum(place):
    whole = bytearray(gzip.compress(written(np.arange(50, dtype=np.uint8)), 0))
    whole[-20] ^= 1
    place.write_bytes(whole)
    with pytest.raises(FileError, match="a gzip stream that breaks off or is damaged"):
        read_idx(place)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "with nothing at its start; expected 00 00, a known type"),
        (b"\x01\0\x08\x01", "with 01 00 08 01 at its start"),
        (b"\0\0\x0a\x01\0\0\0\x01a", "with 00 00 0a 01 at its start"),
        (b"\0\0\x08\0", "with 00 00 08 00 at its start"),
        (b"\0\0\x08\x02\0\0", "with 2 bytes for the lengths of 2 axes; expected 8"),
        (b"\0\0\x08\x01\0\0\0\0", r"with an empty array of shape \(0,\)"),
        (b"\0\0\x08\x01\0\0\0\x03ab", r"with 2 bytes of values; expected 3, as its header says: \(3,\) of uint8"),
        (b"\0\0\x08\x01\0\0\0\x03abcd", "with 4 bytes of values; expected 3"),
    ],
)
def test_what_is_no_idx_file_is_told(place, content, words):
    place.write_bytes(content)
    with pytest.raises(FileError, match=words):
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
    assert (digits.input_shape, digits.scale, digits.classes) == ((2, 3), 1 / 255, ("0", "1", "2"))
    assert digits.targets.tolist() == [0, 2, 2, 1]


def test_fractions_are_measurements_and_other_types_have_no_scale(pair):
    lengths = data.idx(*pair(IMAGES.astype("f4"), np.array([0.5, 1, 2, 3], "f8")))
    assert lengths.classes is None
    assert lengths.schema.scale is None
    assert lengths.targets.tolist() == [0.5, 1, 2, 3]


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (IMAGES, LABELS[:3], r"images of shape \(4, 2, 3\) and labels of shape \(3,\); .*from the same set"),
        (LABELS, IMAGES, "give the images first, then the labels"),
        (IMAGES, LABELS.astype("i1") - 1, r"got labels from -1 to 1; expected class numbers from 0 to 65,535"),
        (IMAGES, LABELS.astype("i4") * 100_000, "got labels from 0 to 200000"),
    ],
)
def test_a_pair_that_does_not_fit(pair, images, labels, words):
    with pytest.raises(InputError, match=words):
        data.idx(*pair(images, labels))


def test_a_missing_file_is_named_with_the_nearest_one(pair):
    images, labels = pair(IMAGES, LABELS)
    with pytest.raises(FileError, match=r"t-labels-idx1-ubite', which does not exist; .*did you mean .*idx1-ubyte'"):
        data.idx(images, labels.with_name("t-labels-idx1-ubite"))
