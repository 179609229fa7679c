"""Activation functions: what a neuron does to its weighted sum plus bias, each beside its derivative.

An activation takes the pre-activations z of shape (n, fan_out) and gives activations a of the same shape and dtype.
Its slope da/dz is a function of both z and a, whichever is the shorter formula. All are element-wise but softmax,
which looks at a whole row. All are stable: at z = +-10,000 they neither overflow nor warn, in float32 and float64.
Definitions are PyTorch's (`torch.nn.functional`).
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import InputError, SettingError
from glassnet.formulas import derivative, erfc
from glassnet.names import Table

INFINITY = math.inf


@dataclass(frozen=True)
class Derived:
    """The slope of a formula, found by differentiating it."""

    formula: Callable[[Any], Any]

    def __call__(self, z: Array, a: Array) -> Array:
        return derivative(self.formula, z)


@dataclass(frozen=True)
class Activation:
    """One activation: its formula, its slope, and all that the rest of glassnet asks about it.

    Parameters
    ----------
    name : str
        A Python identifier; files keep it.
    function : callable
        z (n, fan_out) -> activations of the same shape and dtype, written with numpy.
    slope : callable, optional
        (z, a) -> da/dz. Without it the formula is differentiated (see `glassnet.formulas`): exact to rounding.
    formula, latex : str
        The formula for readers.
    aliases : tuple of str
        What others call it. `LeakyReLU` and `leaky-relu` need no alias.
    bounds : (float, float)
        No activation is outside these.
    odd : bool
        f(-z) = -f(z).
    homogeneous : bool
        f(s z) = s f(z) for every s above 0.
    corners : tuple of float, optional
        Where the straight pieces meet that it is made of; None if it is curved.
    probabilities : "one of many" or "yes or no", optional
        What question its outputs answer, if they are probabilities made of logits.
    self_normalizing : bool
        Keeps mean 0 and variance 1 from layer to layer (Klambauer et al., 2017).
    trainable : bool
        False if its slope is 0 everywhere.
    torch, onnx, keras : (str, dict), optional
        The function of `torch.nn.functional`, the node of ONNX, the function or layer of Keras that computes the same,
        with its settings. Without them the formula is translated where that is possible.
    keras_since : int
        Keras' major version from which on this name means this formula.
    sklearn : str, optional
        scikit-learn's name.

    Examples
    --------
    >>> softsign = Activation("my_softsign", lambda z: z / (1 + np.abs(z)), odd=True, bounds=(-1, 1))
    >>> softsign(np.array([1.0, -3.0]))
    array([ 0.5 , -0.75])
    >>> softsign.slope(np.array([1.0]), np.array([0.5]))
    array([0.25])
    """

    name: str
    function: Callable[[Any], Any]
    slope: Callable[[Any, Any], Any] = None  # type: ignore[assignment]
    formula: str = ""
    latex: str = ""
    aliases: tuple[str, ...] = ()
    bounds: tuple[float, float] = (-INFINITY, INFINITY)
    odd: bool = False
    homogeneous: bool = False
    corners: tuple[float, ...] | None = None
    probabilities: str | None = None
    self_normalizing: bool = False
    trainable: bool = True
    torch: tuple[str, dict[str, Any]] | None = None
    onnx: tuple[str, dict[str, Any]] | None = None
    keras: tuple[str, dict[str, Any]] | None = None
    keras_since: int = 0
    sklearn: str | None = None

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise SettingError(
                f"activation name {self.name!r}: expected a Python identifier",
                help='give it a name: gn.activations.Activation("my_name", function)',
            )
        if self.slope is None:
            object.__setattr__(self, "slope", Derived(self.function))
        object.__setattr__(self, "formula", self.formula or f"{self.name}(z)")
        word = self.name.replace("_", r"\_")
        object.__setattr__(self, "latex", self.latex or rf"\operatorname{{{word}}}(z)")

    def __call__(self, z: Array) -> Array:
        return _of_dtype(self.function(z), z.dtype)

    def back(self, z: Array, a: Array, gradient: Array) -> Array:
        """The gradient with respect to z, from the gradient with respect to a."""
        return gradient * _of_dtype(self.slope(z, a), z.dtype)

    @property
    def by_row(self) -> bool:
        """Whether it looks at a whole row of pre-activations rather than at each one alone."""
        return False

    @property
    def bounded(self) -> bool:
        return all(map(math.isfinite, self.bounds))

    @property
    def rectifies(self) -> bool:
        """Whether it lets through what is above 0, and little or nothing of what is below."""
        return self.bounds[1] == INFINITY and not self.odd

    @property
    def idempotent(self) -> bool:
        """Whether applying it twice is the same as once."""
        if self.by_row or self.corners is None:
            return False
        z = np.linspace(-10, 10, 401)
        return bool(np.array_equal(self(self(z)), self(z)))

    def pieces(self, z: Array) -> tuple[Array, Array]:
        """For each z the slope of its straight piece and what that piece is at 0: a = slope * z + at_zero."""
        assert self.corners is not None
        a = self(z)
        slope = self.slope(z, a)
        if not self.corners:
            return slope, np.zeros_like(z)
        corners = np.asarray(self.corners, z.dtype)
        nearest = corners[np.abs(z[..., None] - corners).argmin(axis=-1)]
        return slope, np.where(slope == 0, a, self(nearest) - slope * nearest)


def _of_dtype(array: Array, dtype: Any) -> Array:
    return array if array.dtype == dtype else array.astype(dtype)


class RowActivation(Activation):
    """An activation of a whole row, such as softmax: its slope is a matrix, of which `slope` is the diagonal."""

    @property
    def by_row(self) -> bool:
        return True

    def back(self, z: Array, a: Array, gradient: Array) -> Array:
        return a * (gradient - (gradient * a).sum(axis=-1, keepdims=True))


def identity(z: Array) -> Array:
    return z


def identity_slope(z: Array, a: Array) -> Array:
    return np.ones_like(z)


def sigmoid(z: Array) -> Array:
    small = np.exp(-np.abs(z))  # between 0 and 1, so nothing overflows
    return np.where(z >= 0, 1, small) / (1 + small)


def sigmoid_slope(z: Array, a: Array) -> Array:
    return a * (1 - a)


def tanh(z: Array) -> Array:
    return np.tanh(z)


def tanh_slope(z: Array, a: Array) -> Array:
    return 1 - a * a


def relu(z: Array) -> Array:
    return np.maximum(z, 0)


def relu_slope(z: Array, a: Array) -> Array:
    return (z > 0).astype(z.dtype)


LEAK = 0.01


def leaky_relu(z: Array) -> Array:
    return np.where(z > 0, z, LEAK * z).astype(z.dtype)


def leaky_relu_slope(z: Array, a: Array) -> Array:
    return np.where(z > 0, 1, LEAK).astype(z.dtype)


@cache
def leaky(slope: float) -> "Activation":
    """The leaky ReLU of this slope below 0, named after it: 0.2 gives `leaky_relu_0_2`, -1e-05 `leaky_relu_m1em05`."""
    sign, number = ("m" if slope < 0 else ""), np.format_float_positional(abs(slope), trim="-")
    if len(number) > 20:
        number = repr(abs(float(slope)))
    text = number.replace("e-", "em").replace("e+", "e").replace(".", "_")
    return Activation(
        f"leaky_relu_{sign}{text}",
        lambda z: np.where(z > 0, z, slope * z).astype(z.dtype),
        lambda z, _: np.where(z > 0, 1, slope).astype(z.dtype),
        f"z above 0, {slope:g} z below",
        rf"\begin{{cases}} z & z > 0 \\ {slope:g}\,z & \text{{else}} \end{{cases}}",
        bounds=(-INFINITY, INFINITY) if slope > 0 else NEVER_NEGATIVE,
        homogeneous=True,
        corners=(0.0,),
        torch=("leaky_relu", {"negative_slope": slope}),
        onnx=("LeakyRelu", {"alpha": slope}),
        keras=("LeakyReLU", {"negative_slope": slope}),
    )


_LEAKY_NAME = re.compile(r"leaky_relu_(m?)(\d+)(?:_(\d+))?(?:e(m?)(\d{1,3}))?")


def of_family(name: str) -> "Activation | None":
    """The leaky ReLU whose name this is, for any slope; None for other names.

    Examples
    --------
    >>> of_family("leaky_relu_0_2")(np.array([2.0, -1.0]))
    array([ 2. , -0.2])
    """
    found = _LEAKY_NAME.fullmatch(name)
    if found is None:
        return None
    minus, whole, fraction, small, power = found.groups()
    slope = float(f"{'-' if minus else ''}{whole}.{fraction or 0}e{'-' if small else ''}{power or 0}")
    return leaky(slope) if math.isfinite(slope) else None


def elu(z: Array) -> Array:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def elu_slope(z: Array, a: Array) -> Array:
    return np.where(z > 0, 1, a + 1).astype(z.dtype)


# Klambauer et al., Self-Normalizing Neural Networks, 2017: the fixed point at mean 0, variance 1.
SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805


def selu(z: Array) -> Array:
    return np.where(z > 0, SELU_SCALE * z, SELU_SCALE * SELU_ALPHA * np.expm1(np.minimum(z, 0))).astype(z.dtype)


def selu_slope(z: Array, a: Array) -> Array:
    return np.where(z > 0, SELU_SCALE, a + SELU_SCALE * SELU_ALPHA).astype(z.dtype)


def softplus(z: Array) -> Array:
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def softplus_slope(z: Array, a: Array) -> Array:
    return sigmoid(z)


def _normal_below(z: Array) -> Array:
    """The share of a standard normal distribution below z."""
    return erfc(-z / math.sqrt(2)) / 2


def gelu(z: Array) -> Array:
    return z * _normal_below(z)


def gelu_slope(z: Array, a: Array) -> Array:
    return _normal_below(z) + z * np.exp(-z * z / 2) * z.dtype.type(1 / math.sqrt(2 * math.pi))


# Hendrycks and Gimpel, Gaussian Error Linear Units, 2016: the approximation by tanh.
GELU_ROOT = math.sqrt(2 / math.pi)
GELU_CUBIC = 0.044715


def _gelu_bend(z: Array) -> Array:
    return np.tanh(GELU_ROOT * (z + GELU_CUBIC * z * z * z))


def gelu_tanh(z: Array) -> Array:
    return z / 2 * (1 + _gelu_bend(z))


def gelu_tanh_slope(z: Array, a: Array) -> Array:
    t = _gelu_bend(z)
    return (1 + t) / 2 + z / 2 * (1 - t * t) * GELU_ROOT * (1 + 3 * GELU_CUBIC * z * z)


def silu(z: Array) -> Array:
    return z * sigmoid(z)


def silu_slope(z: Array, a: Array) -> Array:
    s = sigmoid(z)
    return s * (1 + z * (1 - s))


def mish(z: Array) -> Array:
    return z * np.tanh(softplus(z))


def mish_slope(z: Array, a: Array) -> Array:
    t = np.tanh(softplus(z))
    return t + z * (1 - t * t) * sigmoid(z)


def hard_sigmoid(z: Array) -> Array:
    return np.clip(z / 6 + 0.5, 0, 1)


def hard_sigmoid_slope(z: Array, a: Array) -> Array:
    return np.where(np.abs(z) < 3, 1 / 6, 0).astype(z.dtype)


def step(z: Array) -> Array:
    return (z > 0).astype(z.dtype)


def step_slope(z: Array, a: Array) -> Array:
    return np.zeros_like(z)


def softmax(z: Array) -> Array:
    raised = np.exp(z - z.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


UP_TO_ONE, NEVER_NEGATIVE = (0.0, 1.0), (0.0, INFINITY)

ACTIVATIONS: Table[Activation] = Table(
    "activation",
    (
        Activation(
            "identity",
            identity,
            identity_slope,
            "z",
            "z",
            aliases=("linear",),
            odd=True,
            homogeneous=True,
            corners=(),
            torch=("positive", {}),
            onnx=("Identity", {}),
            keras=("linear", {}),
            sklearn="identity",
        ),
        Activation(
            "sigmoid",
            sigmoid,
            sigmoid_slope,
            "1 / (1 + exp(-z))",
            r"\frac{1}{1 + e^{-z}}",
            aliases=("logistic",),
            bounds=UP_TO_ONE,
            probabilities="yes or no",
            torch=("sigmoid", {}),
            onnx=("Sigmoid", {}),
            keras=("sigmoid", {}),
            sklearn="logistic",
        ),
        Activation(
            "tanh",
            tanh,
            tanh_slope,
            "tanh(z)",
            r"\tanh z",
            bounds=(-1.0, 1.0),
            odd=True,
            torch=("tanh", {}),
            onnx=("Tanh", {}),
            keras=("tanh", {}),
            sklearn="tanh",
        ),
        Activation(
            "relu",
            relu,
            relu_slope,
            "max(0, z)",
            r"\max(0, z)",
            bounds=NEVER_NEGATIVE,
            homogeneous=True,
            corners=(0.0,),
            torch=("relu", {}),
            onnx=("Relu", {}),
            keras=("relu", {}),
            sklearn="relu",
        ),
        Activation(
            "leaky_relu",
            leaky_relu,
            leaky_relu_slope,
            "z above 0, 0.01 z below",
            r"\max(z, 0.01\,z)",
            homogeneous=True,
            corners=(0.0,),
            torch=("leaky_relu", {}),
            onnx=("LeakyRelu", {"alpha": LEAK}),
            keras=("LeakyReLU", {"negative_slope": LEAK}),
        ),
        Activation(
            "elu",
            elu,
            elu_slope,
            "z above 0, exp(z) - 1 below",
            r"\begin{cases} z & z > 0 \\ e^{z} - 1 & \text{else} \end{cases}",
            aliases=("celu",),
            bounds=(-1.0, INFINITY),
            torch=("elu", {}),
            onnx=("Elu", {"alpha": 1.0}),
            keras=("elu", {}),
        ),
        Activation(
            "selu",
            selu,
            selu_slope,
            "1.0507 times (z above 0, 1.6733 (exp(z) - 1) below)",
            r"1.0507 \begin{cases} z & z > 0 \\ 1.6733\,(e^{z} - 1) & \text{else} \end{cases}",
            bounds=(-SELU_SCALE * SELU_ALPHA, INFINITY),
            self_normalizing=True,
            torch=("selu", {}),
            onnx=("Selu", {"alpha": SELU_ALPHA, "gamma": SELU_SCALE}),
            keras=("selu", {}),
        ),
        Activation(
            "softplus",
            softplus,
            softplus_slope,
            "log(1 + exp(z))",
            r"\log(1 + e^{z})",
            bounds=NEVER_NEGATIVE,
            torch=("softplus", {"threshold": 40}),  # from 20 on, its default, it is off by 2e-9
            onnx=("Softplus", {}),
            keras=("softplus", {}),
        ),
        Activation(
            "gelu",
            gelu,
            gelu_slope,
            "z times the share of a normal distribution below z",
            r"z\,\Phi(z)",
            bounds=(-0.17, INFINITY),
            torch=("gelu", {}),
            keras=("gelu", {}),
        ),
        Activation(
            "gelu_tanh",
            gelu_tanh,
            gelu_tanh_slope,
            "z / 2 (1 + tanh(0.7979 (z + 0.044715 z^3)))",
            r"\tfrac{z}{2}\bigl(1 + \tanh(0.7979\,(z + 0.044715\,z^{3}))\bigr)",
            aliases=("gelu_approximate", "gelu_new", "gelu_pytorch_tanh"),
            bounds=(-0.171, INFINITY),
            torch=("gelu", {"approximate": "tanh"}),
        ),
        Activation(
            "silu",
            silu,
            silu_slope,
            "z / (1 + exp(-z))",
            r"\frac{z}{1 + e^{-z}}",
            aliases=("swish",),
            bounds=(-0.2785, INFINITY),
            torch=("silu", {}),
            keras=("silu", {}),
        ),
        Activation(
            "mish",
            mish,
            mish_slope,
            "z tanh(log(1 + exp(z)))",
            r"z \tanh(\log(1 + e^{z}))",
            bounds=(-0.309, INFINITY),
            torch=("mish", {}),
            keras=("mish", {}),
        ),
        Activation(
            "hard_sigmoid",
            hard_sigmoid,
            hard_sigmoid_slope,
            "z / 6 + 1/2, kept between 0 and 1",
            r"\min(1, \max(0, z/6 + 1/2))",
            bounds=UP_TO_ONE,
            corners=(-3.0, 3.0),
            onnx=("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
            keras=("hard_sigmoid", {}),
            keras_since=3,
        ),
        Activation(
            "step",
            step,
            step_slope,
            "1 above 0, else 0",
            r"\begin{cases} 1 & z > 0 \\ 0 & \text{else} \end{cases}",
            aliases=("heaviside", "threshold"),
            bounds=UP_TO_ONE,
            corners=(0.0,),
            trainable=False,
        ),
        RowActivation(
            "softmax",
            softmax,
            sigmoid_slope,
            "exp(z) / sum of exp(z) over the row",
            r"\frac{e^{z}}{\sum e^{z}}",
            bounds=UP_TO_ONE,
            probabilities="one of many",
            torch=("softmax", {"dim": -1}),
            onnx=("Softmax", {"axis": -1}),
            keras=("softmax", {}),
            sklearn="softmax",
        ),
    ),
    of_family,
)

PROBABILITIES = {entry.probabilities: entry.name for entry in ACTIVATIONS.values() if entry.probabilities}
"""The activation whose outputs answer "one of many" and the one that answers "yes or no"."""


def activation(kind: "str | Activation | Callable[[Any], Any]") -> Activation:
    """The activation of this name or alias, or the one given.

    A callable that was not registered is registered under its own name (`gn.register` says how).
    Raises `SettingError` with the nearest name if there is none.

    Examples
    --------
    >>> activation("swish").name
    'silu'
    >>> activation(np.tanh).name
    'tanh'
    """
    if isinstance(kind, str):
        return ACTIVATIONS.find(kind)
    if isinstance(kind, Activation) or callable(kind):
        return register(kind)
    return ACTIVATIONS.find(kind)


def register(
    kind: "Activation | Callable[[Any], Any]",
    slope: Callable[[Any, Any], Any] | None = None,
    replace: bool = False,
) -> Activation:
    """Add an activation to the table, once; see `gn.register`."""
    for entry in ACTIVATIONS.values():
        if kind is entry or kind is entry.function or (kind is np.tanh and entry.function is tanh):
            return entry
    if not isinstance(kind, Activation):
        kind = Activation(getattr(kind, "__name__", type(kind).__name__), kind, slope)  # type: ignore[arg-type]
    there = ACTIVATIONS.get(kind.name)
    if there is not None and not replace and _same_code(there.function, kind.function):
        return there  # a cell of a notebook that ran again
    check(kind)
    ACTIVATIONS.add(kind, replace)
    return kind


def check(kind: Activation) -> None:
    """Raise `SettingError` or `InputError` unless formula and slope can be used and agree."""
    z = np.array([[-2.5, -0.75, 0.3], [0.6, 1.25, 4.0]])
    a = np.asarray(kind(z))
    if a.shape != z.shape or a.dtype.kind != "f":
        raise InputError(
            f"activation {kind.name!r} makes {a.dtype} of shape {a.shape} of {z.dtype} of shape {z.shape}: "
            "expected the same shape and type",
            help="write it for whole arrays, with numpy's functions: np.maximum, not max",
        )
    if kind.by_row:
        return
    slope, h = np.asarray(kind.slope(z, a)), 1e-6
    measured = (kind(z + h) - kind(z - h)) / (2 * h)
    if slope.shape != z.shape or not np.allclose(slope, measured, rtol=1e-3, atol=1e-4):
        raise InputError(
            f"the slope of activation {kind.name!r} is not that of its formula: {slope.flat[0]:.6g} "
            f"at z = {z.flat[0]:g}, where it changes by {measured.flat[0]:.6g}",
            help="leave the slope out: glassnet then differentiates the formula",
        )


def _same_code(a: Any, b: Any) -> bool:
    """Whether two functions are one definition that ran twice."""
    parts = [
        (getattr(f, "__code__", f), getattr(f, "__closure__", None), getattr(f, "__defaults__", None)) for f in (a, b)
    ]
    return bool(parts[0] == parts[1])
