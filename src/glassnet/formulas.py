"""What a formula written with numpy does, seen by running it on numbers that are more than numbers.

`Duck` takes numpy's functions and operators (NEP 13 and 18) and leaves to its subclasses what becomes of them:

    Dual    a value and its derivative: the formula's slope, exact to rounding (forward-mode differentiation); at a
            corner, where slopes differ, the slope on the left of it (0 for relu at 0)
    Tree    the formula itself, node by node, from which exporters write it in other languages
    (`engines.torch_arrays` has a third one: tensors of PyTorch)

A formula may use + - * / ** and comparisons, `np.where`, `np.clip`, `np.maximum`, `np.minimum`, `np.abs`, `np.sign`,
`np.sqrt`, `np.square`, `np.exp`, `np.expm1`, `np.log`, `np.log1p`, `np.tanh`, `np.sin`, `np.cos`, `erfc` of this
module, `astype`, and (not in a `Tree`) `sum` and `mean` along an axis.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from glassnet.arrays import Array
from glassnet.errors import SettingError

_erfc = np.frompyfunc(math.erfc, 1, 1)


def erfc(z: Array) -> Array:
    """The complementary error function, 2 / sqrt(pi) times the integral of exp(-t^2) from z on."""
    found: Any = _erfc(z)
    return found.astype(z.dtype)


class NotFollowed(SettingError):
    """A formula uses something that cannot be differentiated, translated or run elsewhere."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"the formula uses {what}, which glassnet cannot follow",
            help="write it with the numpy functions that glassnet.formulas lists, or give its slope",
        )


class Duck(NDArrayOperatorsMixin):
    """An array for numpy's functions. Subclasses have `shape`, `dtype` and `apply`."""

    __hash__ = object.__hash__

    def apply(self, function: str, *arguments: Any) -> Any:
        """What a function of numpy, by its name, makes of these arguments, of which at least one is a `Duck`."""
        raise NotImplementedError

    def reduce(self, function: str, axis: int | None, keepdims: bool) -> Any:
        """The sum, mean or max along an axis."""
        raise NotFollowed(f"{function}()")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **settings: Any) -> Any:
        if method != "__call__" or any(value is not True for value in settings.values()):
            raise NotFollowed(f"np.{ufunc.__name__}.{method}")
        name = ufunc.__name__.split(" ")[0]  # "erfc (vectorized)"
        result = self.apply(_SPELLINGS.get(name, name), *inputs)
        return result if out is None else out[0].fill(result)

    def fill(self, result: Any) -> Any:
        """Take over a result, for `x *= 2` and `out=x`."""
        raise NotFollowed("assignment in place")

    def __array_function__(self, function: Callable[..., Any], types: Any, arguments: Any, named: Any) -> Any:
        name = function.__name__
        if name == "where" and len(arguments) == 3:
            return self.apply("where", *arguments)
        if name == "clip" and len(arguments) == 3:
            x, low, high = arguments
            raised = x if low is None else self.apply("maximum", x, low)
            return raised if high is None else self.apply("minimum", raised, high)
        if name in ("sum", "mean", "max", "amax") and not set(named) - {"axis", "keepdims"}:
            return getattr(arguments[0], name.removeprefix("a"))(*arguments[1:], **named)
        if name in ("zeros_like", "ones_like"):
            return self.apply("multiply", self, 0) + (name == "ones_like")
        raise NotFollowed(f"np.{name}")

    def astype(self, dtype: Any, copy: bool = True) -> Any:
        return self

    def sum(self, axis: int | None = None, keepdims: bool = False) -> Any:
        return self.reduce("sum", axis, keepdims)

    def mean(self, axis: int | None = None, keepdims: bool = False) -> Any:
        return self.reduce("mean", axis, keepdims)

    def max(self, axis: int | None = None, keepdims: bool = False) -> Any:
        return self.reduce("max", axis, keepdims)

    def clip(self, low: Any, high: Any) -> Any:
        return self.__array_function__(np.clip, (), (self, low, high), {})

    def __bool__(self) -> bool:
        raise NotFollowed("if")

    def __float__(self) -> float:
        raise NotFollowed("a function of single numbers, such as those of the module math")


_SPELLINGS = {
    "absolute": "abs",
    "fabs": "abs",
    "divide": "divide",
    "true_divide": "divide",
    "float_power": "power",
    "fmax": "maximum",
    "fmin": "minimum",
}


class Dual(Duck):
    """Values and their derivatives, both arrays of one shape."""

    def __init__(self, value: Array, derivative: Array) -> None:
        self.value, self.derivative = value, derivative

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        return self.value.shape

    @property
    def size(self) -> int:
        return self.value.size

    def apply(self, function: str, *arguments: Any) -> Any:
        values = [a.value if isinstance(a, Dual) else a for a in arguments]
        slopes = [a.derivative if isinstance(a, Dual) else 0 for a in arguments]
        if function in _COMPARISONS:
            # Seen from just left of here, where equal numbers differ as their derivatives do.
            before = [0 * value - slope for value, slope in zip(values, slopes, strict=True)]
            return np.where(np.equal(*values), getattr(np, function)(*before), getattr(np, function)(*values))
        if function == "where":
            condition, *pair = values
            return Dual(np.where(condition, *pair), np.where(condition, *slopes[1:]))
        if function not in _DERIVATIVES:
            raise NotFollowed(f"np.{function}")
        value = erfc(values[0]) if function == "erfc" else getattr(np, function)(*values)
        derivative = _DERIVATIVES[function](value, *values, *slopes)
        return Dual(value, np.broadcast_to(derivative, np.shape(value)).astype(value.dtype))

    def reduce(self, function: str, axis: int | None, keepdims: bool) -> Any:
        if function == "max":
            raise NotFollowed("max()")
        both = (getattr(part, function)(axis=axis, keepdims=keepdims) for part in (self.value, self.derivative))
        return Dual(*both)


_COMPARISONS = ("greater", "greater_equal", "less", "less_equal", "equal", "not_equal")
_ROOT_PI = math.sqrt(math.pi)


def _power(y: Any, a: Any, b: Any, da: Any, db: Any) -> Any:
    if np.any(db):
        raise NotFollowed("a variable in an exponent")
    return b * np.power(a, b - 1) * da


# ruff: noqa: ARG005
_DERIVATIVES: Mapping[str, Callable[..., Any]] = {
    "add": lambda y, a, b, da, db: da + db,
    "subtract": lambda y, a, b, da, db: da - db,
    "multiply": lambda y, a, b, da, db: da * b + a * db,
    "divide": lambda y, a, b, da, db: (da - y * db) / b,
    "power": _power,
    "maximum": lambda y, a, b, da, db: np.where(a == b, np.minimum(da, db), np.where(a > b, da, db)),
    "minimum": lambda y, a, b, da, db: np.where(a == b, np.maximum(da, db), np.where(a < b, da, db)),
    "negative": lambda y, a, da: -da,
    "positive": lambda y, a, da: da,
    "abs": lambda y, a, da: np.where(a == 0, -np.abs(da), np.sign(a) * da),
    "sign": lambda y, a, da: 0 * da,
    "sqrt": lambda y, a, da: da / (2 * y),
    "square": lambda y, a, da: 2 * a * da,
    "exp": lambda y, a, da: y * da,
    "expm1": lambda y, a, da: (y + 1) * da,
    "log": lambda y, a, da: da / a,
    "log1p": lambda y, a, da: da / (1 + a),
    "tanh": lambda y, a, da: (1 - y * y) * da,
    "sin": lambda y, a, da: np.cos(a) * da,
    "cos": lambda y, a, da: -np.sin(a) * da,
    "arctan": lambda y, a, da: da / (1 + a * a),
    "erfc": lambda y, a, da: -2 / _ROOT_PI * np.exp(-a * a) * da,
}
"""How each function's derivative follows from the value y, the arguments and their derivatives."""


def derivative(formula: Callable[[Any], Any], z: Array) -> Array:
    """The slope of a function of single numbers at each z, of z's shape and dtype; raises `NotFollowed`."""
    found = formula(Dual(z, np.ones_like(z)))
    return found.derivative if isinstance(found, Dual) else np.zeros_like(z)


@dataclass(frozen=True)
class Tree(Duck):
    """A formula: a function's name and what it is of, which are trees and numbers. The variable is `Tree("z", ())`."""

    function: str
    arguments: "tuple[Tree | float, ...]"
    dtype = np.dtype(np.float64)
    shape = (1,)
    size = 1

    def __hash__(self) -> int:
        return hash((self.function, self.arguments))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and (self.function, self.arguments) == (other.function, other.arguments)

    def apply(self, function: str, *arguments: Any) -> "Tree":
        for a in arguments:
            if not isinstance(a, Tree) and np.ndim(a):
                raise NotFollowed("arrays of constants")
        if function == "square":
            return Tree("multiply", (arguments[0], arguments[0]))
        if function not in _DERIVATIVES and function not in _COMPARISONS and function != "where":
            raise NotFollowed(f"np.{function}")
        return Tree(function, tuple(a if isinstance(a, Tree) else float(a) for a in arguments))

    def astype(self, dtype: Any, copy: bool = True) -> "Tree":
        return Tree("where", (self, 1.0, 0.0)) if self.function in _COMPARISONS else self


def tree(formula: Callable[[Any], Any]) -> Tree:
    """A function of single numbers as a tree; raises `NotFollowed`."""
    found = formula(Tree("z", ()))
    if not isinstance(found, Tree):
        raise NotFollowed("constants only")
    return found
