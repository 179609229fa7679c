"""The squishes: what a neuron does to its weighted sum plus bias, each beside its slope.

An activation takes the pre-activations z of shape (n, fan_out) and gives activations a of the same shape and dtype.
Its slope da/dz is a function of both z and a, whichever is the shorter formula. All are element-wise but softmax,
which looks at a whole row. All are stable: at z = +-10,000 they neither overflow nor warn, in float32 and float64.
Definitions are PyTorch's (`torch.nn.functional`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import unknown_name


@dataclass(frozen=True)
class Activation:
    """One squish: `a = act(z)`, its slope, and how a gradient goes back through it."""

    name: str
    squish: Callable[[Array], Array]
    slope: Callable[[Array, Array], Array]
    formula: str
    trainable: bool = True

    def __call__(self, z: Array) -> Array:
        return self.squish(z)

    def back(self, z: Array, a: Array, gradient: Array) -> Array:
        """The gradient with respect to z, from the gradient with respect to a."""
        return gradient * self.slope(z, a)


class RowActivation(Activation):
    """Softmax: each activation depends on the whole row, so its slope is a matrix, of which `slope` is the diagonal."""

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


_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _normal_below(z: Array) -> Array:
    """The share of a standard normal distribution below z."""
    return (_erfc(-z / math.sqrt(2)) / 2).astype(z.dtype) if z.size else z


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


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("identity", identity, identity_slope, "z"),
        Activation("sigmoid", sigmoid, sigmoid_slope, "1 / (1 + exp(-z))"),
        Activation("tanh", tanh, tanh_slope, "tanh(z)"),
        Activation("relu", relu, relu_slope, "max(0, z)"),
        Activation("leaky_relu", leaky_relu, leaky_relu_slope, "z above 0, 0.01 z below"),
        Activation("elu", elu, elu_slope, "z above 0, exp(z) - 1 below"),
        Activation("selu", selu, selu_slope, "1.0507 times (z above 0, 1.6733 (exp(z) - 1) below)"),
        Activation("softplus", softplus, softplus_slope, "log(1 + exp(z))"),
        Activation("gelu", gelu, gelu_slope, "z times the share of a normal distribution below z"),
        Activation("gelu_tanh", gelu_tanh, gelu_tanh_slope, "z / 2 (1 + tanh(0.7979 (z + 0.044715 z^3)))"),
        Activation("silu", silu, silu_slope, "z / (1 + exp(-z))"),
        Activation("mish", mish, mish_slope, "z tanh(log(1 + exp(z)))"),
        Activation("hard_sigmoid", hard_sigmoid, hard_sigmoid_slope, "z / 6 + 1/2, kept between 0 and 1"),
        Activation("step", step, step_slope, "1 above 0, else 0", trainable=False),
        RowActivation("softmax", softmax, sigmoid_slope, "exp(z) / sum of exp(z) over the row"),
    )
}


def activation(name: str) -> Activation:
    """The activation called `name`; raises `SettingError` with the nearest name if there is none."""
    try:
        return ACTIVATIONS[name]
    except (KeyError, TypeError):
        raise unknown_name("activation", name, ACTIVATIONS) from None
