"""The update rules: how a gradient becomes a step, each in the line or two that defines it.

`update` changes the parameters in place, and with them the optimizer's memory: one array per name in `slots`, each of
the parameters' shape and zero at first. `step` counts from 1. Rules and defaults are PyTorch's (`torch.optim`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import SettingError, unknown_name


@dataclass(frozen=True)
class Optimizer:
    """An update rule and its settings; the learning rate comes with each step."""

    name: ClassVar[str]
    slots: ClassVar[tuple[str, ...]] = ()
    default_learning_rate: ClassVar[float]
    """A rate that suits small networks as the peak of a `schedules.OneCycle`; PyTorch's own are for constant rates."""

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        """Take one step. `gradient` may be used as scratch space."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        for setting, limit in (("momentum", 1.0), ("decay", 1.0), ("beta1", 1.0), ("beta2", 1.0)):
            value = getattr(self, setting, 0.0)
            if not 0 <= value < limit:
                raise SettingError(got=f"{setting} {value}", expected="from 0 to below 1", do="0.9 is usual")
        for setting in ("weight_decay", "epsilon"):
            value = getattr(self, setting, 0.0)
            if not 0 <= value < float("inf"):
                raise SettingError(got=f"{setting} {value}", expected="a finite number from 0 up", do="0 is off")


@dataclass(frozen=True)
class SGD(Optimizer):
    """Straight downhill: p -= rate * g."""

    name = "sgd"
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
    slots = ("sum_of_squares",)
    default_learning_rate = 0.1
    epsilon: float = 1e-10

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        (sum_of_squares,) = slots
        sum_of_squares += gradient * gradient
        parameters -= learning_rate * gradient / (np.sqrt(sum_of_squares) + self.epsilon)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    rule.name: rule for rule in (SGD, Momentum, Nesterov, Adam, AdamW, RMSprop, Adagrad)
}


def optimizer(kind: "str | Optimizer") -> Optimizer:
    """The optimizer called by its name, with its usual settings, or the one given."""
    if isinstance(kind, Optimizer):
        return kind
    if kind not in OPTIMIZERS:
        raise unknown_name("optimizer", kind, OPTIMIZERS)
    return OPTIMIZERS[kind]()
