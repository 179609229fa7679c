"""Pictures: folders of them, and one photo or drawing made into a digit of MNIST's kind."""

import contextlib
import io
import struct
import subprocess
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw, ImageFont

from glassnet import data
from glassnet.errors import FileError, InputError, SettingError
from glassnet.schema import Schema


@pytest.fixture
def album(tmp_path):
    """Two cats and a dog, and a text beside them."""
    for name, shape, grey in [("cat/1.png", (4, 6), 10), ("cat/2.jpg", (8, 8), 20), ("dog/a.JPEG", (2, 2), 200)]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.full(shape, grey, np.uint8)).save(tmp_path / name)
    (tmp_path / "dog" / "note.txt").write_text("good dog")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "readme.md").write_text("about")
    return tmp_path


def png(values) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    return file.getvalue()


# Folders


def test_a_folder_is_a_data_set(album):
    pictures = data.folder(album)
    assert pictures.inputs.dtype == np.uint8
    assert (pictures.input_shape, pictures.schema.scale, pictures.classes) == ((4, 6), 1 / 255, ("cat", "dog"))
    assert pictures.targets.tolist() == [0, 0, 1]
    assert [row.mean() for row in pictures.inputs] == pytest.approx([10, 20, 200], abs=1)
    assert pictures.notes == ("files left out, no PNG or JPEG: 'dog/note.txt'",)


def test_pictures_are_scaled_to_one_size(album):
    assert data.folder(album, (3, 5)).inputs.shape == (3, 15)


def test_a_folder_for_a_trained_network(album, refused: Any):
    like = Schema((2, 3), 1 / 255, classes=("dog", "owl", "cat"))
    pictures = data.folder(album, like=like)
    assert (pictures.input_shape, pictures.classes) == ((2, 3), like.classes)
    assert pictures.targets.tolist() == [2, 2, 0]
    with refused(SettingError):
        data.folder(album, like=Schema((2, 3), classes=("cat", "dogs")))


def test_a_picture_is_told_by_its_content(album):
    (album / "cat" / "1.png").rename(album / "cat" / "first")
    assert len(data.folder(album)) == 3


@pytest.mark.parametrize("size", [(0, 3), (100_000, 100_000)])
def test_sizes_that_are_none(album, size, refused: Any):
    with refused(SettingError):
        data.folder(album, size)


def test_folders_that_are_none(tmp_path, refused: Any):
    with refused(FileError):
        data.folder(tmp_path / "nowhere")
    with refused(InputError):
        data.folder(tmp_path)
    (tmp_path / "cat").mkdir()
    with refused(InputError):
        data.folder(tmp_path)
    Image.new("L", (2, 2)).save(tmp_path / "cat" / "1.png")
    with refused(InputError):
        data.folder(tmp_path)
    with refused(FileError):
        data.folder(tmp_path / "cat" / "1.png")


@pytest.mark.parametrize("content", [b"", b"no picture", png(np.zeros((9, 9), np.uint8))[:-30]])
def test_a_picture_that_cannot_be_read_is_named(album, content, refused: Any):
    (album / "dog" / "broken.png").write_bytes(content)
    with refused(FileError):
        data.folder(album)


# What a picture's grey values are


@pytest.mark.parametrize(
    ("picture", "grey"),
    [
        (Image.new("RGB", (1, 1), (255, 0, 0)), 76),
        (Image.new("RGBA", (1, 1), (0, 0, 0, 0)), 255),
        (Image.new("RGBA", (1, 1), (0, 0, 0, 128)), 127),
        (Image.new("LA", (1, 1), (0, 0)), 255),
        (Image.new("1", (1, 1), 1), 255),
        (Image.new("P", (1, 1), 3), None),
        (Image.new("CMYK", (1, 1), (0, 0, 0, 255)), 0),
        (Image.fromarray(np.array([[40_000]], np.uint16)), 155),
    ],
)
def test_every_kind_of_picture_becomes_grey(tmp_path, picture, grey):
    kind = "jpg" if picture.mode == "CMYK" else "png"
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        picture.save(tmp_path / name / f"1.{kind}")
    values = data.folder(tmp_path).inputs.ravel()
    assert grey is None or values.tolist() == [grey, grey]


def test_a_photo_is_turned_the_way_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Image.new("L", (6, 4)).save(tmp_path / name / "1.jpg", exif=exif)
    assert data.folder(tmp_path).input_shape == (6, 4)


def huge_png(width, height) -> bytes:
    """A PNG of a few bytes that claims any size."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000])
def test_a_picture_too_large_is_refused_before_it_is_unpacked(tmp_path, side, refused: Any):
    (tmp_path / "huge.png").write_bytes(huge_png(side, side))
    with refused(InputError):
        data.as_digit(tmp_path / "huge.png")


def test_the_largest_picture_takes_less_than_500_mb(tmp_path):
    Image.new("RGBA", (8000, 8000), (255, 255, 255, 120)).save(tmp_path / "huge.png", compress_level=1)
    script = """if True:
        import sys
        import glassnet as gn
        try:
            gn.data.as_digit(sys.argv[1])
        except gn.GlassnetError as problem:
            print(problem.problem)
        print(*(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))"""
    ran = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "huge.png"], capture_output=True, text=True, check=True
    )
    blank, most = ran.stdout.splitlines()
    assert blank.startswith("the picture is blank")
    assert int(most) < 500_000  # kB


def test_a_turned_photo_is_turned_back(tmp_path):
    upright = seven()
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    for name in ("turned.jpg", "turned.png"):
        turned.save(tmp_path / name, exif=exif, **({"quality": 100} if name.endswith("jpg") else {}))
        digit = data.as_digit(tmp_path / name).astype(int)
        assert np.abs(digit - data.as_digit(upright)).mean() < 2


# Digits


def seven(paper=255, ink=0, size=(200, 240), line=18, **more):
    """A 7 with a known outline."""
    picture = Image.new(more.get("mode", "L"), size, paper)
    ImageDraw.Draw(picture).line([(60, 60), (140, 60), (100, 180)], fill=ink, width=line)
    return picture


def centre(digit):
    grey = digit.reshape(28, 28).astype(float)
    return (grey.sum(axis=1) @ np.arange(28) / grey.sum(), grey.sum(axis=0) @ np.arange(28) / grey.sum())


def assert_like_mnist(digit):
    assert digit.shape == (784,)
    assert digit.dtype == np.uint8
    assert digit.max() == 255
    assert centre(digit) == pytest.approx((14, 14), abs=0.5 + 1e-9)  # it moves by whole pixels


def test_a_digit_has_mnists_size_place_and_contrast():
    digit = data.as_digit(seven()).reshape(28, 28)
    assert_like_mnist(digit.reshape(-1))
    rows, columns = np.flatnonzero(digit.any(axis=1)), np.flatnonzero(digit.any(axis=0))
    assert rows[-1] - rows[0] + 1 == 20
    assert columns[-1] - columns[0] + 1 < 20
    assert (digit == 0).mean() > 0.6


@pytest.mark.parametrize(
    "other",
    [
        seven(paper=0, ink=255),
        seven(paper=120, ink=20),
        seven(paper=90, ink=130),
        seven(paper=(200, 220, 255), ink=(0, 0, 120), mode="RGB"),
        seven(paper=(0, 0, 0, 0), ink=(0, 0, 0, 255), mode="RGBA"),
        seven(size=(500, 240)),
        seven().resize((2000, 2400)),
        seven().convert("P"),
    ],
    ids=["light on dark", "faint", "fainter", "colours", "transparent", "aside", "large", "palette"],
)
def test_paper_ink_place_and_size_make_no_difference(other):
    difference = np.abs(data.as_digit(seven()).astype(int) - data.as_digit(other))
    assert difference.mean() < 5


def test_light_that_falls_off_and_noise_make_little_difference():
    y, x = np.mgrid[:240, :200]
    noise = np.random.default_rng(0).normal(0, 6, (240, 200))
    photo = (90 + 0.4 * x + 0.2 * y) * (0.3 + 0.7 * np.asarray(seven()) / 255) + noise
    difference = np.abs(data.as_digit(seven()).astype(int) - data.as_digit(photo.clip(0, 255)))
    assert difference.mean() < 8


def test_specks_of_dust_do_not_move_the_digit():
    dusty = seven().resize((800, 960))
    for at in [(30, 40), (700, 900), (720, 50)]:
        dusty.putpixel(at, 0)
    clean = data.as_digit(seven().resize((800, 960)))
    assert np.abs(clean.astype(int) - data.as_digit(dusty)).mean() < 2


def test_mnist_itself_stays_nearly_as_it_is():
    _, test = data.digits()
    for digit in test.inputs[:50]:
        again = data.as_digit(digit.reshape(28, 28))
        assert np.abs(again.astype(int) - digit).mean() < 25
        assert_like_mnist(again)


def test_mnist_drawn_large_black_on_white_comes_back():
    _, test = data.digits()
    differences = []
    for digit in test.inputs[:50]:
        large = Image.fromarray(255 - digit.reshape(28, 28)).resize((420, 420), Image.Resampling.BICUBIC)
        differences.append(np.abs(data.as_digit(large).astype(int) - digit).mean())
    assert np.median(differences) < 10


@pytest.mark.parametrize("text", "0123456789")
def test_printed_digits(text):
    picture = Image.new("L", (120, 120), 255)
    ImageDraw.Draw(picture).text((30, 20), text, fill=0, font=ImageFont.load_default(70))
    assert_like_mnist(data.as_digit(picture))


def test_a_few_dots_far_apart_are_centred_too():
    grey = np.zeros((12, 28), np.uint8)
    grey[0, 0] = grey[11, 0] = 41
    grey[2, 21] = 35
    assert_like_mnist(data.as_digit(grey))


@given(arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_any_picture_gives_a_digit_or_is_blank(grey):
    try:
        assert_like_mnist(data.as_digit(grey))
    except InputError as error:
        assert "the picture is blank" in str(error)  # noqa: PT017


@given(st.lists(st.tuples(st.integers(0, 59), st.integers(0, 99), st.integers(1, 30)), min_size=1, max_size=5))
def test_any_blots_of_ink_are_centred(blots):
    grey = np.full((60, 100), 250, np.uint8)
    for row, column, size in blots:
        grey[row : row + size, column : column + size] = 5
    try:
        assert_like_mnist(data.as_digit(grey))
    except InputError as error:
        assert "the picture is blank" in str(error)  # noqa: PT017


def test_any_way_to_give_the_picture(tmp_path):
    seven().save(tmp_path / "seven.png")
    expected = data.as_digit(seven())
    with (tmp_path / "seven.png").open("rb") as file:
        ways = [
            tmp_path / "seven.png",
            str(tmp_path / "seven.png"),
            file,
            np.asarray(seven()),
            np.asarray(seven()) / 1.0,
        ]
        assert all(np.array_equal(data.as_digit(way), expected) for way in ways)


@pytest.mark.parametrize("grey", [0, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (300, 200)])
def test_a_blank_picture_is_told(grey, shape, refused: Any):
    with refused(InputError):
        data.as_digit(np.full(shape, grey, np.uint8))


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(784),
        np.zeros((0, 3)),
        np.full((3, 3), 300.0),
        np.full((3, 3), -1),
        np.full((3, 3), np.nan),
        np.array([["a"]]),
    ],
)
def test_arrays_that_are_no_grey_values(values, refused: Any):
    with refused(InputError):
        data.as_digit(values)


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7), cut=st.floats(0, 1), jpeg=st.booleans())
def test_damaged_files_give_a_digit_or_an_error_of_ours(where, bit, cut, jpeg):
    file = io.BytesIO()
    seven(size=(60, 70), line=5).resize((30, 35)).save(file, "JPEG" if jpeg else "PNG")
    content = bytearray(file.getvalue())
    content[int(where * len(content))] ^= 1 << bit
    with contextlib.suppress(FileError, InputError):
        assert data.as_digit(io.BytesIO(content[: int(cut * len(content))])).shape == (784,)


# One picture for a trained network


def test_a_network_of_digits_gets_a_digit_and_another_one_its_size():
    train = Schema((28, 28), 1 / 255, classes=tuple("0123456789"))
    assert np.array_equal(data.image_inputs(seven(), train), data.as_digit(seven()))
    faces = Schema((12, 10), 1 / 255, classes=("me", "you"))
    assert np.array_equal(data.image_inputs(seven(), faces), np.asarray(seven().resize((10, 12))).reshape(-1))


@pytest.mark.parametrize("schema", [Schema((4,)), Schema(), Schema((28, 28))])
def test_a_network_of_no_pictures(schema, refused: Any):
    with refused(SettingError):
        data.image_inputs(seven(), schema)
