"""Where the numbers start: random weights whose spread fits the layer's width and squish. Biases start at zero.

With too little spread the signal dies on its way through the layers, with too much it saturates them. Each rule keeps
its size about the same from layer to layer, for its family of activations:

    he       variance 2 / fan_in               for squishes that cut one half away (He et al., 2015)
    glorot   variance 2 / (fan_in + fan_out)   for symmetric ones (Glorot and Bengio, 2010)
    lecun    variance 1 / fan_in               for selu (LeCun et al., 1998; Klambauer et al., 2017)
"""

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import unknown_name

Initializer: TypeAlias = Callable[[np.random.Generator, int, int], Array]
"""(random numbers, fan_in, fan_out) -> weights of shape (fan_out, fan_in)."""


def _normal(variance: Callable[[int, int], float]) -> Initializer:
    return lambda random, fan_in, fan_out: random.normal(0, math.sqrt(variance(fan_in, fan_out)), (fan_out, fan_in))


def _uniform(variance: Callable[[int, int], float]) -> Initializer:
    def weights(random: np.random.Generator, fan_in: int, fan_out: int) -> Array:
        limit = math.sqrt(3 * variance(fan_in, fan_out))  # a uniform variable on +-limit has variance limit^2 / 3
        return random.uniform(-limit, limit, (fan_out, fan_in))

    return weights


def _he(fan_in: int, fan_out: int) -> float:
    return 2 / fan_in


def _glorot(fan_in: int, fan_out: int) -> float:
    return 2 / (fan_in + fan_out)


def _lecun(fan_in: int, fan_out: int) -> float:
    return 1 / fan_in


def _one(fan_in: int, fan_out: int) -> float:
    return 1.0  # the standard normal distribution


def _linear(fan_in: int, fan_out: int) -> float:
    return 1 / (3 * fan_in)  # uniform on +-1 / sqrt(fan_in), as torch.nn.Linear starts


def _zeros(random: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    return np.zeros((fan_out, fan_in))


INITIALIZERS: dict[str, Initializer] = {
    "he_normal": _normal(_he),
    "he_uniform": _uniform(_he),
    "glorot_normal": _normal(_glorot),
    "glorot_uniform": _uniform(_glorot),
    "lecun_normal": _normal(_lecun),
    "lecun_uniform": _uniform(_lecun),
    "normal": _normal(_one),
    "uniform": _uniform(_linear),
    "zeros": _zeros,
}

_SYMMETRIC = ("identity", "sigmoid", "tanh", "hard_sigmoid", "softmax", "step")


def fitting(activation: str) -> str:
    """The name of the rule that fits this activation."""
    if activation == "selu":
        return "lecun_normal"
    return "glorot_uniform" if activation in _SYMMETRIC else "he_normal"


def initializer(kind: "str | Initializer") -> Initializer:
    """The rule called by its name, or the function given."""
    if callable(kind):
        return kind
    if kind not in INITIALIZERS:
        raise unknown_name("initializer", kind, INITIALIZERS)
    return INITIALIZERS[kind]
