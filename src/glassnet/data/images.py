"""Pictures: a folder of them as a data set, and one photo or drawing as a digit of MNIST's kind.

Grey values are uint8, 0 = black, 255 = white, and count times 1/255. What is transparent is seen on white, and a photo
is turned the way its camera says. Pillow, which reads the files, is imported at use, since that is slow.
"""

import os
import warnings
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np

from glassnet.arrays import Array, numeric, shape_text
from glassnet.data.access import LARGEST, Source, kind_of, listed
from glassnet.data.dataset import Dataset
from glassnet.data.digits import DIGITS
from glassnet.errors import FileError, GlassnetError, InputError, SettingError, unknown_name
from glassnet.opening import no_such_file, open_file
from glassnet.schema import Schema

if TYPE_CHECKING:
    from PIL import Image

Picture: TypeAlias = "Source | BinaryIO | Image.Image | Array"

MOST_PIXELS = 64_000_000
"""A larger picture is refused before it is unpacked, since a small file can claim any size."""

SIDE, DIGIT_SIDE, MIDDLE = 28, 20, 14
_WORKING_SIDE = 1024
_FAINTEST = 24
_PIXELS_AT_ONCE = 1 << 20


def folder(path: Source, size: tuple[int, int] | None = None, *, like: Schema | None = None) -> Dataset:
    """Read a folder that has a sub-folder of PNG and JPEG files for each class.

    Files that are not pictures are skipped and named in the notes; names that begin with a dot or two underscores are
    ignored.

    Parameters
    ----------
    path : str or path
    size : tuple of int, optional
        (height, width) to which all are scaled, without keeping their ratio; by default that of the first picture.
    like : Schema, optional
        Schema of a trained network, whose classes and size are used.

    Returns
    -------
    Dataset
        Inputs of shape (n, height * width), uint8, row by row; classes are the names of the sub-folders, sorted.

    Raises
    ------
    FileError
        If a picture cannot be read.
    InputError
        If there are less than two classes, a class has no pictures, or `like` does not have it.
    SettingError
        If the size is not valid or makes more than 4 GiB.

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.folder("leaves/", size=(32, 32))                  # doctest: +SKIP
    """
    groups, others = _groups(path)
    classes = tuple(groups)
    if like is not None and like.classes is not None:
        for name in classes:
            if name not in like.classes:
                raise unknown_name("class", name, like.classes)
        classes = like.classes
    elif len(classes) < 2:
        raise InputError(
            f"{str(path)!r} has one class, {classes[0]!r}: expected at least two sub-folders, one for each class"
        )
    files = [(file, classes.index(name)) for name, pictures in groups.items() for file in pictures]
    if size is None and like is not None and like.input_shape is not None and len(like.input_shape) == 2:
        size = (like.input_shape[0], like.input_shape[1])
    if size is None:
        size = _grey(files[0][0]).size[::-1]
    height, width = size
    if min(size) < 1 or height * width * len(files) > LARGEST:
        raise SettingError(
            f"{len(files):,} pictures of size {shape_text(size)} are too many: expected sides from 1 up and at "
            f"most {LARGEST:,} pixels in all",
            help="give a smaller size, such as size=(28, 28)",
        )
    inputs = np.empty((len(files), height, width), np.uint8)
    for picture, (file, _) in zip(inputs, files, strict=True):
        picture[:] = np.asarray(_grey(file).resize((width, height)))
    notes = (f"files left out, no PNG or JPEG: {listed(others)}",) if others else ()
    targets = np.array([k for _, k in files])
    schema = Schema((height, width), 1 / 255, classes=classes)
    return Dataset(inputs.reshape(len(files), -1), targets, schema, Path(path).name, notes)


def as_digit(picture: Picture) -> Array:
    """Prepare a photo or drawing of one digit the way MNIST's digits were prepared.

    The background is estimated from the border, including light that falls off across it; ink is what differs from it
    most, darker or lighter. Faint ink is cut off, the rest brought to full contrast and cropped. The longer side
    becomes 20 pixels (fewer for a lopsided digit that would not fit), and the centre of mass goes to pixel (14, 14) of
    28x28, to half a pixel, where MNIST's digits have theirs.

    Parameters
    ----------
    picture : str, path, Pillow image or array_like of shape (height, width)
        A PNG or JPEG file, or grey values from 0 to 255.

    Returns
    -------
    ndarray of shape (784,), uint8
        0 = background, 255 = ink.

    Raises
    ------
    InputError
        If the picture is blank or its values are not grey values.
    FileError
        If the file cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> import glassnet as gn
    >>> drawing = np.full((60, 60), 255)
    >>> drawing[10:50, 28:34] = 0                     # a black stroke on white: a 1
    >>> digit = gn.data.as_digit(drawing).reshape(28, 28)
    >>> int(digit.max()), int((digit.max(axis=1) > 0).sum())
    (255, 20)
    """
    from PIL import ImageFilter

    image = _grey(picture)
    if max(image.size) > _WORKING_SIDE:
        image = image.reduce(ceil(max(image.size) / _WORKING_SIDE))
    image = image.filter(ImageFilter.BoxBlur(max(image.size) // 400))  # a camera's noise; nothing in small pictures
    return _placed(_cropped(_ink(np.asarray(image, np.float64)))).reshape(-1)


def image_inputs(picture: Picture, like: Schema) -> Array:
    """Read one picture as the inputs of a trained network.

    For a network of MNIST's digits it is prepared by `as_digit`; for another network of pictures it is scaled to its
    size.

    Parameters
    ----------
    picture : str, path, Pillow image or array_like of shape (height, width)
    like : Schema
        Schema of the network.

    Returns
    -------
    ndarray of shape (fan_in,), uint8

    Raises
    ------
    SettingError
        If the inputs of the network are not pictures; also the errors of `as_digit`.

    Examples
    --------
    >>> import numpy as np
    >>> import glassnet as gn
    >>> small = gn.Schema(input_shape=(2, 2), scale=1 / 255, classes=("dark", "light"))
    >>> gn.data.image_inputs(np.full((8, 8), 200, np.uint8), small).tolist()
    [200, 200, 200, 200]
    """
    shape = like.input_shape or ()
    if len(shape) != 2 or like.scale is None:
        raise SettingError(
            "the network was not trained on pictures, so it cannot read one", help="give it a row of numbers or a table"
        )
    if shape == (SIDE, SIDE) and like.classes == DIGITS.classes:
        return as_digit(picture)
    return np.asarray(_grey(picture).resize((shape[1], shape[0]))).reshape(-1)


def _ink(grey: Array) -> Array:
    """How much ink is on each pixel, 0 to 1, from grey values (height, width)."""
    ring = np.ones(grey.shape, bool)
    if min(grey.shape) > 2:
        edge = max(1, min(grey.shape) // 50)
        ring[edge:-edge, edge:-edge] = False
    paper = _paper(grey, ring)
    # Ranked a little below the very top, so that a few specks of dust are not taken for ink.
    rank = -1 - max(grey.shape) // 20
    peaks = [np.sort(difference, axis=None)[max(rank, -difference.size)] for difference in (paper - grey, grey - paper)]
    ink, peak = (paper - grey if peaks[0] >= peaks[1] else grey - paper), max(peaks)
    if peak < _FAINTEST:
        raise InputError(
            f"the picture is blank: nowhere further than {max(peak, 0):.0f} of 255 grey values from its background",
            help="draw the digit thicker or darker, on a background of one colour",
        )
    faint = min(max(0.1 * peak, 1.5 * np.percentile(ink[ring], 99)), 0.5 * peak)
    full = np.median(ink[ink > (faint + peak) / 2])
    clear: Array = np.clip((ink - faint) / (full - faint), 0, 1)
    return clear


def _paper(grey: Array, ring: Array) -> Array:
    """The background's grey values: the plane through those of the border, ink and objects on the border apart."""
    y, x = np.nonzero(ring)
    border = grey[ring]
    away = np.abs(border - np.median(border))
    usual = away <= max(2 * np.median(away), 8)
    y, x, border = y[usual], x[usual], border[usual]
    dy, dx, value = y - y.mean(), x - x.mean(), border - border.mean()
    yy, xx, xy, yv, xv = ((a * b).mean() for a, b in ((dy, dy), (dx, dx), (dy, dx), (dy, value), (dx, value)))
    determinant = yy * xx - xy * xy
    if determinant > 1e-9 * yy * xx:
        down, across = (yv * xx - xv * xy) / determinant, (xv * yy - yv * xy) / determinant
    else:  # all in one line: the plane rises along it
        down, across = (yv / (yy + xx), xv / (yy + xx)) if yy + xx > 0 else (0.0, 0.0)
    level = border.mean() - down * y.mean() - across * x.mean()
    plane: Array = level + down * np.arange(grey.shape[0])[:, None] + across * np.arange(grey.shape[1])
    return plane


def _cropped(ink: Array) -> Array:
    """The part with the digit: from the first to the last row and column that hold more than a trace of ink."""
    rows, columns = ink.sum(axis=1), ink.sum(axis=0)
    y, x = np.flatnonzero(rows > 0.02 * rows.max()), np.flatnonzero(columns > 0.02 * columns.max())
    return ink[y[0] : y[-1] + 1, x[0] : x[-1] + 1]


def _placed(ink: Array) -> Array:
    """The digit in 28x28, moved by whole pixels so that its centre of mass comes to (14, 14).

    Its longer side is 20 pixels, or fewer where it is so lopsided that it would not fit: at 14 every digit does.
    """
    for longest in range(DIGIT_SIDE, 0, -1):
        digit = _scaled(ink, longest)
        places = [round(MIDDLE - at) for at in _centre(digit)]
        if all(0 <= at <= SIDE - length for at, length in zip(places, digit.shape, strict=True)):
            break
    field = np.zeros((SIDE, SIDE), np.uint8)
    (top, left), (height, width) = places, digit.shape
    field[top : top + height, left : left + width] = digit
    return field


def _scaled(ink: Array, longest: int) -> Array:
    """The digit with this many pixels on its longer side, at full contrast, uint8."""
    from PIL import Image

    scale = longest / max(ink.shape)
    height, width = (max(1, round(scale * length)) for length in ink.shape)
    small: Array = np.asarray(Image.fromarray(ink.astype(np.float32)).resize((width, height), Image.Resampling.HAMMING))
    digit: Array = np.rint(255 * small / small.max()).astype(np.uint8)
    return digit


def _centre(ink: Array) -> tuple[float, float]:
    """The centre of mass, as row and column."""
    mass = ink.sum(dtype=np.float64)
    rows, columns = ink.sum(axis=1, dtype=np.float64), ink.sum(axis=0, dtype=np.float64)
    return float(rows @ np.arange(len(rows)) / mass), float(columns @ np.arange(len(columns)) / mass)


def _grey(picture: Picture) -> "Image.Image":
    """The picture in grey (Pillow's mode "L"), transparent parts on white."""
    from PIL import Image

    if isinstance(picture, Image.Image):
        return _flat(picture, "a picture")
    if isinstance(picture, np.ndarray):
        return Image.fromarray(_checked(picture))
    if isinstance(picture, str | os.PathLike):
        with open_file(picture) as file:
            return _decoded(file, repr(os.fspath(picture)))
    return _decoded(picture, "a picture")


def _checked(grey: Array) -> Array:
    grey = numeric(grey, "grey values")
    if grey.ndim != 2 or not grey.size or grey.min() < 0 or grey.max() > 255:
        between = f" from {grey.min():g} to {grey.max():g}" if grey.size else ""
        raise InputError(
            f"the array has shape {shape_text(grey.shape)}{between}, expected grey values (height, width) from 0 to 255"
        )
    return np.rint(grey).astype(np.uint8)


def _decoded(file: BinaryIO, what: str) -> "Image.Image":
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of size, which is checked here, and of oddities, which do no harm
            image = Image.open(file, formats=("PNG", "JPEG"))
            _check_size(image, what)
            return _flat(image, what)
    except Image.DecompressionBombError:
        raise _too_large(what) from None
    except GlassnetError:
        raise
    except Exception as error:  # a damaged file can make Pillow raise anything: SyntaxError, struct.error, ...
        raise FileError(
            f"{what} cannot be read as a picture ({error}): expected a complete PNG or JPEG file",
            help="save the picture again as PNG",
        ) from None


def _flat(image: "Image.Image", what: str) -> "Image.Image":
    """In grey, turned as its camera says; in bands, since a picture has up to eight bytes a pixel on the way."""
    from PIL import Image, ImageOps

    _check_size(image, what)
    scale = 257 if image.mode.startswith(("I", "F")) and _brightest(image) > 255 else 1
    grey = Image.new("L", image.size)
    rows = max(1, _PIXELS_AT_ONCE // image.width)
    for top in range(0, image.height, rows):
        band = image.crop((0, top, image.width, min(top + rows, image.height)))
        grey.paste(_band(band, scale), (0, top))
    grey.info = {key: value for key, value in image.info.items() if key != "transparency"}  # says how it is turned
    return ImageOps.exif_transpose(grey)


def _band(band: "Image.Image", scale: int) -> "Image.Image":
    from PIL import Image

    if band.mode.startswith(("I", "F")):
        values = np.nan_to_num(np.asarray(band, np.float64))
        return Image.fromarray(np.clip(values / scale, 0, 255).astype(np.uint8))
    if band.has_transparency_data:
        drawn = band.convert("RGBA")
        band = Image.alpha_composite(Image.new("RGBA", drawn.size, "white"), drawn)
    return band.convert("L")


def _brightest(image: "Image.Image") -> float:
    if image.mode == "F":  # whose own extremes are those of a NaN, where there is one
        return float(np.nan_to_num(np.asarray(image)).max())
    return float(image.getextrema()[1])  # type: ignore[arg-type]


def _check_size(image: "Image.Image", what: str) -> None:
    if not 0 < image.width * image.height <= MOST_PIXELS:
        raise _too_large(f"{what} of {image.width:,} x {image.height:,} pixels")


def _too_large(what: str) -> InputError:
    return InputError(f"{what}: expected from 1 to {MOST_PIXELS:,} pixels", help="scale it down first")


def _groups(path: Source) -> tuple[dict[str, list[Path]], list[str]]:
    """The picture files of each sub-folder, and the names of the files that are none."""
    groups, others = dict[str, list[Path]](), []
    try:
        for sub in _seen(Path(path)):
            if sub.is_dir():
                files = [file for file in _seen(sub) if file.is_file()]
                groups[sub.name] = [file for file in files if _is_picture(file)]
                others += [f"{sub.name}/{file.name}" for file in files if file not in groups[sub.name]]
    except GlassnetError:
        raise
    except FileNotFoundError:
        raise no_such_file(path) from None
    except OSError as error:
        raise FileError(f"cannot read {error.filename!r}: {error.strerror}") from None
    empty = [name for name, pictures in groups.items() if not pictures]
    if not groups or empty:
        raise InputError(
            f"{str(path)!r} has "
            + (f"no PNG or JPEG in {listed(empty)}" if empty else "no sub-folders")
            + ": expected a sub-folder for each class, with its pictures in it",
            help="sort the pictures into folders named after the classes",
        )
    return groups, others


def _seen(place: Path) -> list[Path]:
    return sorted(entry for entry in place.iterdir() if not entry.name.startswith((".", "__")))


def _is_picture(file: Path) -> bool:
    """By content; by suffix too, so that a damaged picture is an error and not passed over."""
    return file.suffix.lower() in (".png", ".jpg", ".jpeg") or kind_of(file) == "picture"
