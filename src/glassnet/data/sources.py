"""`read`: the data set that a name or a path stands for, recognised by its content."""

import os
from pathlib import Path

from glassnet.data import toys
from glassnet.data.access import KIND_WORDS, Kind, Source, kind_of
from glassnet.data.dataset import Dataset
from glassnet.data.digits import digits
from glassnet.data.idx import idx, labels_beside
from glassnet.data.images import folder
from glassnet.data.tables import table
from glassnet.data.targets import Task
from glassnet.errors import FileError, SettingError, unknown_name
from glassnet.schema import Schema

TOYS = {"circle": toys.circle, "xor": toys.xor, "gauss": toys.gauss, "spiral": toys.spiral}
NAMES = ("digits", *TOYS)
"""The data sets that come with glassnet."""


def read(
    source: Source,
    target: str | None = None,
    *,
    like: Schema | None = None,
    task: Task | None = None,
    size: tuple[int, int] | None = None,
) -> Dataset:
    """Read the data set that `source` names.

    Parameters
    ----------
    source : str or path
        - "digits": the 60,000 training digits of MNIST (`digits()` returns the test digits as well) - "circle", "xor",
        "gauss", "spiral": 500 points of a toy shape - a folder: its sub-folders of pictures, see `folder` - a file, by
        its content: a table (CSV, Parquet, .npz), see `table`; IDX images, whose labels lie beside them under
          their usual name, see `idx`

        A bundled name wins over a file of the same name; write ./digits for the file.
    target : str, optional
        Column to predict, of a table.
    like : Schema, optional
        Schema of a trained network that will be used on the data.
    task : {"classes", "measurement"}, optional
        Kind of the target, of a table.
    size : tuple of int, optional
        (height, width) to which the pictures of a folder are scaled.

    Returns
    -------
    Dataset

    Raises
    ------
    SettingError
        If the name is unknown, or a setting does not belong to the source.
    FileError
        If the file does not exist or its kind is unknown; also the errors of the reader of its kind.

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.read("spiral")
    >>> data.inputs.shape, data.classes
    ((500, 2), ('orange', 'blue'))
    """
    name, place = os.fspath(source), Path(source)
    if like is not None and target == like.target:
        target = None  # said twice; a source without named columns has no use for it
    if name in NAMES:
        _refuse(name, target=target, task=task, size=size)
        return digits()[0] if name == "digits" else TOYS[name]()
    if os.path.isdir(source):
        _refuse(name, target=target, task=task)
        return folder(source, size, like=like)
    if not (os.path.exists(source) or place.suffix or len(place.parts) > 1):
        raise unknown_name("data set", name, [*NAMES, "a path"])
    _refuse(name, size=size)
    kind = kind_of(source)
    if kind == "idx":
        _refuse(name, target=target, task=task)
        return idx(source, labels_beside(source))
    if kind in ("picture", "gzip", "binary"):
        raise FileError(
            f"{name!r} is {KIND_WORDS[kind]}, expected a data set: a folder of pictures, a table (CSV, Parquet, "
            ".npz) or IDX images",
            help=_REMEDIES[kind],
        )
    return table(source, target, like=like, task=task)


_REMEDIES: dict[Kind, str] = {
    "picture": "put the pictures of each class into a folder of their own, and name the folder around them",
    "gzip": "unpack it first",
    "binary": "export it as CSV",
}


def _refuse(source: str, **settings: object) -> None:
    """`SettingError` for a setting that means nothing here, rather than passing over it."""
    for name, value in settings.items():
        if value is not None:
            raise SettingError(f"{source!r} takes no {name}, got {value!r}")
