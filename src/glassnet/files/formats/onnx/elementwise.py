"""What ONNX's operators do to single numbers, so that a squish in pieces can be told by what it computes."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from glassnet.arrays import Array

FLOATS = (1, 10, 11, 16)
"""TensorProto's float32, float16, float64, bfloat16."""


def called(node: Any) -> str:
    """A node for a message: its kind, and its name if it has one."""
    return f"{node.op_type} {node.name!r}" if node.name else f"{node.op_type} (its output is {node.output[0]!r})"


def attribute(node: Any, name: str, default: Any) -> Any:
    """An attribute of a node, text as str; `default` where it has none of this name."""
    import onnx

    for given in node.attribute:
        if given.name == name:
            value = onnx.helper.get_attribute_value(given)
            return value.decode(errors="replace") if isinstance(value, bytes) else value
    return default


def elementwise(node: Any, inputs: Sequence[Array]) -> Array:
    """What a node of `ELEMENTWISE` makes of these numbers."""
    if node.op_type in _PLAIN:
        return _PLAIN[node.op_type](*inputs)
    return _WITH_ATTRIBUTES[node.op_type](lambda name, default: attribute(node, name, default), *inputs)


_erf = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x: Array) -> Array:
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, small) / (1 + small)


def _softplus(x: Array) -> Array:
    return np.logaddexp(x, 0)


def _elu(alpha: float, x: Array) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _leak(x: Array, slope: Array) -> Array:
    return np.where(x < 0, slope * x, x)


def _greatest(*xs: Array) -> Array:
    return np.maximum.reduce(np.broadcast_arrays(*xs))


def _least(*xs: Array) -> Array:
    return np.minimum.reduce(np.broadcast_arrays(*xs))


Attributes = Callable[[str, Any], Any]


def _cast(a: Attributes, x: Array) -> Array:
    return np.asarray(x, np.float64 if a("to", 0) in FLOATS else np.bool_)


def _clip(a: Attributes, x: Array, *bounds: Array) -> Array:
    low = bounds[0] if bounds else a("min", -np.inf)
    high = bounds[1] if len(bounds) > 1 else a("max", np.inf)
    return np.clip(x, low, high)


def _gelu(a: Attributes, x: Array) -> Array:
    if a("approximate", "none") == "tanh":
        return x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    return x / 2 * (1 + _erf(x / math.sqrt(2)))


_PLAIN: Mapping[str, Callable[..., Array]] = {
    "Abs": np.abs,
    "Add": np.add,
    "Div": np.divide,
    "Erf": _erf,
    "Exp": np.exp,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
    "HardSwish": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "Identity": lambda x: x,
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Log": np.log,
    "Max": _greatest,
    "Min": _least,
    "Mish": lambda x: x * np.tanh(_softplus(x)),
    "Mul": np.multiply,
    "Neg": np.negative,
    "Not": np.logical_not,
    "PRelu": _leak,
    "Pow": np.power,
    "Reciprocal": np.reciprocal,
    "Relu": lambda x: np.maximum(x, 0),
    "Sigmoid": _sigmoid,
    "Sign": np.sign,
    "Softplus": _softplus,
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Sqrt": np.sqrt,
    "Sub": np.subtract,
    "Tanh": np.tanh,
    "Where": np.where,
}
_WITH_ATTRIBUTES: Mapping[str, Callable[..., Array]] = {
    "Cast": _cast,
    "Celu": lambda a, x: np.maximum(x, 0) + a("alpha", 1.0) * np.expm1(np.minimum(x, 0) / a("alpha", 1.0)),
    "Clip": _clip,
    "Elu": lambda a, x: _elu(a("alpha", 1.0), x),
    "Gelu": _gelu,
    "HardSigmoid": lambda a, x: np.clip(a("alpha", 0.2) * x + a("beta", 0.5), 0, 1),
    "LeakyRelu": lambda a, x: _leak(x, a("alpha", 0.01)),
    "Selu": lambda a, x: a("gamma", 1.0507009873554805) * _elu(a("alpha", 1.6732632423543772), x),
    "ThresholdedRelu": lambda a, x: np.where(x > a("alpha", 1.0), x, 0),
}
ELEMENTWISE = frozenset(_PLAIN) | frozenset(_WITH_ATTRIBUTES)
