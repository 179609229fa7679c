"""Initial values: random weights whose variance fits the layer's width and activation function. Biases start at zero.

With too little spread the signal dies on its way through the layers, with too much it saturates them. Each rule keeps
its size about the same from layer to layer, for its family of activations:

    he       variance 2 / fan_in               for activations that are zero on one half (He et al., 2015)
    glorot   variance 2 / (fan_in + fan_out)   for symmetric ones (Glorot and Bengio, 2010)
    lecun    variance 1 / fan_in               for selu (LeCun et al., 1998; Klambauer et al., 2017)
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array
from glassnet.names import Table

Initializer: TypeAlias = Callable[[np.random.Generator, int, int], Array]
"""(random numbers, fan_in, fan_out) -> weights of shape (fan_out, fan_in)."""


@dataclass(frozen=True)
class Rule:
    """Random weights of variance `numerator / (fan_in * of_fan_in + fan_out * of_fan_out + constant)`.

    Examples
    --------
    >>> initializer("xavier_uniform").name
    'glorot_uniform'
    >>> initializer("zeros")(np.random.default_rng(0), 2, 1)
    array([[0., 0.]])
    """

    name: str
    distribution: str  # "normal" or "uniform"
    numerator: float
    of_fan_in: float = 0.0
    of_fan_out: float = 0.0
    constant: float = 0.0
    aliases: tuple[str, ...] = ()

    def variance(self, fan_in: int, fan_out: int) -> float:
        return self.numerator / (fan_in * self.of_fan_in + fan_out * self.of_fan_out + self.constant)

    def __call__(self, random: np.random.Generator, fan_in: int, fan_out: int) -> Array:
        variance, shape = self.variance(fan_in, fan_out), (fan_out, fan_in)
        if variance == 0:
            return np.zeros(shape)
        if self.distribution == "normal":
            return random.normal(0, math.sqrt(variance), shape)
        limit = math.sqrt(3 * variance)  # a uniform variable on +-limit has variance limit^2 / 3
        return random.uniform(-limit, limit, shape)


HE_NORMAL = Rule("he_normal", "normal", 2, of_fan_in=1, aliases=("kaiming_normal",))
HE_UNIFORM = Rule("he_uniform", "uniform", 2, of_fan_in=1, aliases=("kaiming_uniform",))
GLOROT_NORMAL = Rule("glorot_normal", "normal", 2, of_fan_in=1, of_fan_out=1, aliases=("xavier_normal",))
GLOROT_UNIFORM = Rule("glorot_uniform", "uniform", 2, of_fan_in=1, of_fan_out=1, aliases=("xavier_uniform", "glorot"))
LECUN_NORMAL = Rule("lecun_normal", "normal", 1, of_fan_in=1)
LECUN_UNIFORM = Rule("lecun_uniform", "uniform", 1, of_fan_in=1)
NORMAL = Rule("normal", "normal", 1, constant=1, aliases=("random_normal", "standard_normal"))
UNIFORM = Rule("uniform", "uniform", 1, of_fan_in=3, aliases=("torch_linear",))  # +-1 / sqrt(fan_in): torch.nn.Linear's
ZEROS = Rule("zeros", "normal", 0, constant=1, aliases=("zero",))

INITIALIZERS: Table[Rule] = Table(
    "initializer",
    (
        *(HE_NORMAL, HE_UNIFORM, GLOROT_NORMAL, GLOROT_UNIFORM),
        *(LECUN_NORMAL, LECUN_UNIFORM, NORMAL, UNIFORM, ZEROS),
    ),
)


def fitting(kind: str) -> str:
    """The name of the rule that fits this activation."""
    of = activation(kind)
    if of.self_normalizing:
        return LECUN_NORMAL.name
    return (GLOROT_UNIFORM if of.bounded or of.odd else HE_NORMAL).name


def initializer(kind: "str | Initializer") -> Initializer:
    """The rule of this name or alias, or the function given."""
    return kind if callable(kind) else INITIALIZERS.find(kind)
