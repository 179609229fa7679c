"""Which data a command means by its DATA argument."""

import os

from glassnet.arrays import Array
from glassnet.data import digits, read, table_inputs
from glassnet.data.dataset import Dataset
from glassnet.data.images import image_inputs
from glassnet.data.opening import kind_of
from glassnet.signature import Signature


def to_train(
    source: str, target: str | None, validation: str | None, share: float, seed: int
) -> tuple[Dataset, Dataset]:
    """What is learnt from and what is held out: the file given for it, the test digits, or a share drawn at random."""
    if source == "digits" and validation is None:
        return digits()
    data = read(source, target)
    if validation is not None:
        return data, read(validation, target, like=data.signature)
    return data.split(share, seed)


def held_out(source: str, target: str | None, signature: Signature) -> Dataset:
    """Data to measure a network on: the test digits, or a source read as the network's own data was."""
    return digits()[1] if source == "digits" else read(source, target or signature.target, like=signature)


def to_predict(path: str | os.PathLike[str], signature: Signature) -> Array:
    """The inputs in a file: one picture (fan_in,), or the rows of a table (n, fan_in)."""
    return image_inputs(path, signature) if kind_of(path) == "picture" else table_inputs(path, signature)
