"""The handwritten digits: the complete MNIST, bundled, so that the first network needs no download."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Literal

import numpy as np

from glassnet.arrays import Array
from glassnet.data.dataset import Dataset
from glassnet.data.npz import read_npz
from glassnet.errors import FileError
from glassnet.schema import Schema

DIGITS = Schema(input_shape=(28, 28), scale=1 / 255, classes=tuple("0123456789"))


def digits() -> tuple[Dataset, Dataset]:
    """Load the bundled MNIST digits: 60,000 to train on and 10,000 to test with.

    Loading takes 0.3 s and 55 MB. Source and licence: mnist.LICENSE.md, beside this file.

    Returns
    -------
    train, test : Dataset
        Inputs of shape (n, 784), uint8, row by row: 0 = background, 255 = ink; targets are the digits 0 to 9.

    Raises
    ------
    FileError
        If the bundled file is missing or damaged.

    References
    ----------
    Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998.

    Examples
    --------
    >>> import glassnet as gn
    >>> train, test = gn.data.digits()
    >>> train.inputs.shape, len(test), int(train.targets[0])
    ((60000, 784), 10000, 5)
    """
    (train, train_labels), (test, test_labels) = stored("train"), stored("test")
    return (
        Dataset(train, train_labels.astype(np.int64), DIGITS, "training digits"),
        Dataset(test, test_labels.astype(np.int64), DIGITS, "test digits"),
    )


def stored(part: Literal["train", "test"]) -> tuple[Array, Array]:
    """One part as it lies in the file, uint8: images (n, 784) and labels (n,). Raises what `digits` raises."""
    try:
        with files(__package__).joinpath("mnist.npz").open("rb") as file:
            images, labels = read_npz(file, "mnist.npz", (f"{part}_images", f"{part}_labels")).values()
    except FileNotFoundError:
        raise FileError(
            "the installed package lacks its digits (mnist.npz)", help="pip install --force-reinstall glassnet"
        ) from None
    return images, labels


def reads_digits(sizes: Sequence[int], schema: Schema) -> bool:
    """Whether a network of these sizes and schema can be tried on digits: 784 inputs, 10 outputs."""
    shape, classes = schema.input_shape, schema.classes
    fits = shape in (None, (784,), DIGITS.input_shape) and classes in (None, DIGITS.classes)
    return sizes[0] == 784 and sizes[-1] == 10 and fits and schema.features is None
