"""Validation of arrays: checked once when they come in, read-only when they go out."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from glassnet.errors import InputError

Array: TypeAlias = npt.NDArray[Any]

DTYPES = ("float32", "float64")


def numeric(values: Any, what: str) -> Array:
    """`values` as an array of finite numbers, copied only if it has to be; a sparse matrix as CSR.

    Raises `InputError` for text and other objects, complex numbers, ragged lists, NaN and infinity.
    """
    if is_sparse(values):
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


def is_sparse(values: Any) -> bool:
    """Whether these are a scipy sparse matrix, which keeps only what is not zero; such inputs stay as they are."""
    return hasattr(values, "tocsr")


def dense(array: Array) -> Array:
    """A sparse matrix with its zeros written out; an array as it is."""
    return array.toarray() if is_sparse(array) else array  # type: ignore[attr-defined]


def readonly(array: Array) -> Array:
    """A view of `array` that cannot be written through (a sparse matrix as it is)."""
    if is_sparse(array):
        return array
    view = array.view()
    view.flags.writeable = False
    return view


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape as it is read in messages: `(784,)`, `(60000, 784)`."""
    return str(tuple(int(n) for n in shape))
