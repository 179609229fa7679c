"""The update rules: how a gradient becomes a step, each in the line or two that defines it.

`update` changes the parameters in place, and with them the optimizer's memory: one array per name in `slots`, each of
the parameters' shape and zero at first. `step` counts from 1. Rules and defaults are PyTorch's (`torch.optim`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import SettingError
from glassnet.names import Table, made


class TorchRule(NamedTuple):
    """The class of `torch.optim` that has the same rule: what it calls our slots and settings, and what it is given
    besides."""

    name: str
    slots: tuple[str, ...] = ()
    settings: dict[str, str] = {}  # noqa: RUF012
    fixed: dict[str, Any] = {}  # noqa: RUF012


@dataclass(frozen=True)
class Optimizer:
    """An update rule and its settings; the learning rate comes with each step.

    An optimizer of your own is a subclass with a `name`, `slots` and `update`. The parameters are one flat vector;
    `update` changes it in place, and the slots, which start at zero and have its shape.

    Examples
    --------
    >>> class Sign(Optimizer):
    ...     name = "sign"
    ...     def update(self, parameters, gradient, slots, learning_rate, step):
    ...         parameters -= learning_rate * np.sign(gradient)
    >>> p = np.array([1.0, 2.0])
    >>> Sign().update(p, np.array([0.5, -3.0]), [], 0.1, 1)
    >>> p
    array([0.9, 2.1])
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    formula: ClassVar[str] = ""
    """The rule for readers: how a parameter p moves with its gradient g."""
    slots: ClassVar[tuple[str, ...]] = ()
    default_learning_rate: ClassVar[float] = 0.01
    """A rate that suits small networks as the peak of a `schedules.OneCycle`; PyTorch's own are for constant rates."""
    constant_learning_rate: ClassVar[float] = 0.002
    """A rate that suits small networks while it stays the same."""
    torch: ClassVar[TorchRule | None] = None
    """PyTorch's own, if it has one. Not inherited: a subclass may have another rule."""

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        """Take one step. `gradient` may be used as scratch space."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        for setting, limit in (("momentum", 1.0), ("decay", 1.0), ("beta1", 1.0), ("beta2", 1.0)):
            value = getattr(self, setting, 0.0)
            if not 0 <= value < limit:
                raise SettingError(f"{setting} is {value}, expected a number from 0 to below 1", help="0.9 is usual")
        for setting in ("weight_decay", "epsilon"):
            value = getattr(self, setting, 0.0)
            if not 0 <= value < float("inf"):
                raise SettingError(f"{setting} is {value}, expected a finite number from 0 up")


@dataclass(frozen=True)
class SGD(Optimizer):
    """Straight downhill: p -= rate * g."""

    name = "sgd"
    aliases = ("gradient_descent",)
    formula = "p -= rate * g"
    constant_learning_rate = 0.1
    torch = TorchRule("SGD")
    default_learning_rate = 0.1

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        gradient *= learning_rate
        parameters -= gradient


@dataclass(frozen=True)
class Momentum(Optimizer):
    """A ball with inertia (Polyak, 1964): v = momentum * v + g; p -= rate * v."""

    name = "momentum"
    aliases = ("sgd_momentum", "heavy_ball")
    formula = "v = 0.9 v + g;  p -= rate * v"
    constant_learning_rate = 0.02
    torch = TorchRule("SGD", ("momentum_buffer",), {"momentum": "momentum"})
    slots = ("velocity",)
    default_learning_rate = 0.05
    momentum: float = 0.9

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        (velocity,) = slots
        velocity *= self.momentum
        velocity += gradient
        parameters -= learning_rate * velocity


@dataclass(frozen=True)
class Nesterov(Momentum):
    """Momentum that looks ahead (Nesterov, 1983): v = momentum * v + g; p -= rate * (g + momentum * v)."""

    name = "nesterov"
    aliases = ("nag", "nesterov_momentum")
    formula = "v = 0.9 v + g;  p -= rate * (g + 0.9 v)"
    torch = TorchRule("SGD", ("momentum_buffer",), {"momentum": "momentum"}, {"nesterov": True})

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        (velocity,) = slots
        velocity *= self.momentum
        velocity += gradient
        gradient += self.momentum * velocity
        parameters -= learning_rate * gradient


@dataclass(frozen=True)
class Adam(Optimizer):
    """Mean gradient over its root mean square, both fading, corrected for starting at zero (Kingma and Ba, 2015)."""

    name = "adam"
    formula = "p -= rate * m / sqrt(s), of the fading means m of g and s of g^2"
    torch = TorchRule("Adam", ("exp_avg", "exp_avg_sq"), {"beta1": "betas", "beta2": "betas", "epsilon": "eps"})
    slots = ("mean", "mean_square")
    default_learning_rate = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        mean, mean_square = slots
        mean *= self.beta1
        mean += (1 - self.beta1) * gradient
        np.multiply(gradient, gradient, out=gradient)
        gradient *= 1 - self.beta2
        mean_square *= self.beta2
        mean_square += gradient
        # mean / (1 - beta1^t) over sqrt(mean_square / (1 - beta2^t)) + epsilon
        np.sqrt(mean_square, out=gradient)
        gradient *= 1 / (1 - self.beta2**step) ** 0.5
        gradient += self.epsilon
        np.divide(mean, gradient, out=gradient)
        gradient *= learning_rate / (1 - self.beta1**step)
        parameters -= gradient


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam, the parameters themselves shrinking by rate * weight_decay at each step (Loshchilov and Hutter, 2019)."""

    name = "adamw"
    formula = "as Adam, and p shrinks by rate * 0.01 of itself"
    torch = TorchRule(
        "AdamW",
        ("exp_avg", "exp_avg_sq"),
        {"beta1": "betas", "beta2": "betas", "epsilon": "eps", "weight_decay": "weight_decay"},
    )
    weight_decay: float = 0.01

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        parameters *= 1 - learning_rate * self.weight_decay
        super().update(parameters, gradient, slots, learning_rate, step)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Gradient over its root mean square of late (Tieleman and Hinton, 2012): s = decay * s + (1 - decay) * g^2."""

    name = "rmsprop"
    formula = "p -= rate * g / sqrt(s), s the fading mean of g^2"
    constant_learning_rate = 0.001
    torch = TorchRule("RMSprop", ("square_avg",), {"decay": "alpha", "epsilon": "eps"})
    slots = ("mean_square",)
    default_learning_rate = 0.003
    decay: float = 0.99
    epsilon: float = 1e-8

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        (mean_square,) = slots
        mean_square *= self.decay
        mean_square += (1 - self.decay) * gradient * gradient
        parameters -= learning_rate * gradient / (np.sqrt(mean_square) + self.epsilon)


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Gradient over the root of all its squares so far (Duchi, Hazan and Singer, 2011)."""

    name = "adagrad"
    formula = "p -= rate * g / sqrt(s), s the sum of all g^2 so far"
    constant_learning_rate = 0.05
    torch = TorchRule("Adagrad", ("sum",), {"epsilon": "eps"})
    slots = ("sum_of_squares",)
    default_learning_rate = 0.1
    epsilon: float = 1e-10

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        (sum_of_squares,) = slots
        sum_of_squares += gradient * gradient
        parameters -= learning_rate * gradient / (np.sqrt(sum_of_squares) + self.epsilon)


OPTIMIZERS: Table[type[Optimizer]] = Table("optimizer", (SGD, Momentum, Nesterov, Adam, AdamW, RMSprop, Adagrad))


def optimizer(kind: "str | Optimizer | type[Optimizer]") -> Optimizer:
    """The optimizer of this name or alias, with its usual settings; a class of optimizers, likewise; or the one given.

    Examples
    --------
    >>> optimizer("SGD"), optimizer(Adam)
    (SGD(), Adam(beta1=0.9, beta2=0.999, epsilon=1e-08))
    """
    if isinstance(kind, Optimizer):
        return kind
    if isinstance(kind, type) and issubclass(kind, Optimizer):
        return made(kind)
    return OPTIMIZERS.find(kind)()
