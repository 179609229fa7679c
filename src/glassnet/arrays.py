"""Validation of arrays: checked once when they come in, read-only when they go out."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from glassnet.errors import InputError

Array: TypeAlias = npt.NDArray[Any]

DTYPES = ("float32", "float64")


def numeric(values: Any, what: str) -> Array:
    """`values` as an array of finite numbers, copied only if it has to be; a sparse matrix as CSR.

    Raises `InputError` for text and other objects, complex numbers, ragged lists, NaN and infinity, and for a sparse
    matrix with values outside its shape.
    """
    if is_sparse(values):
        check_places(values, what)
        matrix = values.tocsr()
        numeric(matrix.data, what)
        return matrix
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"rows of different lengths in {what}: expected a rectangular array of numbers") from None
    if array.dtype.kind not in "buif":
        raise InputError(
            f"{what} of type {array.dtype}: expected real numbers", help="convert text and objects to numbers first"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = np.argwhere(~np.isfinite(array))
        one, at = len(bad) == 1, f", the first at {tuple(bad[0].tolist())}" if array.ndim else ""
        which = (
            f"{len(bad):,} value{'s' * (not one)} in {what} {'is' if one else 'are'}" if array.ndim else f"{what} is"
        )
        raise InputError(
            f"{which} NaN or infinite{at}: expected finite numbers", help="fill or drop these values first"
        )
    return array


def check_places(matrix: Any, what: str) -> None:
    """`InputError` unless the stored values of a sparse matrix lie within its shape. scipy trusts index arrays that
    were modified later, and so does the kernel: a wrong one would read or write foreign memory."""
    if not is_sparse(matrix):
        return
    try:
        if hasattr(matrix, "check_format"):
            matrix.check_format(full_check=True)
        for places, size in zip(getattr(matrix, "coords", ()), matrix.shape, strict=False):
            if len(places) and (places.min() < 0 or places.max() >= size):
                raise ValueError(f"indices from {places.min()} to {places.max()} for a size of {size}")
    except ValueError as error:
        raise InputError(
            f"{what} as a sparse matrix with invalid index arrays ({error}): expected indices within its shape",
            help="make the matrix again from its values, rows and columns",
        ) from None


def is_sparse(values: Any) -> bool:
    """Whether these are a scipy sparse matrix, which stores only nonzero values; such inputs stay sparse."""
    return hasattr(values, "tocsr")


def dense(array: Array) -> Array:
    """A sparse matrix as an array; an array unchanged."""
    return array.toarray() if is_sparse(array) else array  # type: ignore[attr-defined]


def readonly(array: Array) -> Array:
    """A read-only view of an array; a sparse matrix unchanged."""
    if is_sparse(array):
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape for messages: `(784,)`, `(60000, 784)`."""
    return str(tuple(int(n) for n in shape))


def equal_rows(matrix: Array, digits: int = 6) -> list[tuple[int, ...]]:
    """Groups of two or more rows that are equal to this many digits of the largest number, in order.

    Examples
    --------
    >>> equal_rows(np.array([[1.0, 2], [3, 4], [1, 2]]))
    [(0, 2)]
    """
    largest = float(np.abs(matrix).max(initial=0.0)) or 1.0
    rounded = np.round(np.asarray(matrix, np.float64) / largest, digits) + 0.0  # + 0.0: -0 becomes 0
    groups: dict[bytes, list[int]] = {}
    for i, row in enumerate(np.ascontiguousarray(rounded)):
        groups.setdefault(row.tobytes(), []).append(i)
    return [tuple(rows) for rows in groups.values() if len(rows) > 1]
