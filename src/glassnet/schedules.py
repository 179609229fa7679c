"""How the learning rate moves over a run: a factor on it, as a function of time.

Time is measured in epochs and runs on within them (2.5 is the middle of the third), so that a schedule means the same
at every batch size. `ReduceOnPlateau` alone looks at the losses as well.
"""

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar

from glassnet.errors import SettingError
from glassnet.names import Table, made


@dataclass(frozen=True)
class Schedule:
    """The factor at time `epoch` of a run of `epochs`; what came before it matters only through `observe`."""

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    needs_length: ClassVar[bool] = False
    """Whether the run's length changes the factor, so that a resumed run must keep it."""

    def __post_init__(self) -> None:
        for setting in ("factor_each", "start", "final", "warm_epochs", "patience"):
            value = getattr(self, setting, 0)
            if not 0 <= value < math.inf:
                raise SettingError(
                    f"{setting} is {value}, expected a finite number from 0 up",
                    help=f"{getattr(type(self), setting):g} is usual",
                )

    def factor(self, epoch: float, epochs: float) -> float:
        raise NotImplementedError

    def observe(self, loss: float) -> "Schedule":
        """The schedule after an epoch that ended with this loss (of the validation set, where there is one)."""
        return self


@dataclass(frozen=True)
class Constant(Schedule):
    """Always 1."""

    name = "constant"

    def factor(self, epoch: float, epochs: float) -> float:
        return 1.0


@dataclass(frozen=True)
class Step(Schedule):
    """Times `factor_each` after every `every` epochs (PyTorch's `StepLR`)."""

    name = "step"
    aliases = ("step_lr",)
    every: int = 10
    factor_each: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.every < 1:
            raise SettingError(f"every is {self.every}, expected 1 epoch or more", help="10 is usual")

    def factor(self, epoch: float, epochs: float) -> float:
        return self.factor_each ** int(epoch // self.every)


@dataclass(frozen=True)
class Cosine(Schedule):
    """From 1 down to `final` along half a cosine (Loshchilov and Hutter, 2017; PyTorch's `CosineAnnealingLR`)."""

    name = "cosine"
    aliases = ("cosine_annealing", "cosine_annealing_lr")
    needs_length = True
    final: float = 0.0

    def factor(self, epoch: float, epochs: float) -> float:
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * epoch / epochs)) / 2


@dataclass(frozen=True)
class OneCycle(Schedule):
    """Up from 1/25 to 1 in the first `rise` of the run, then down to almost nothing, both along half a cosine
    (Smith and Topin, 2018; defaults of PyTorch's `OneCycleLR`)."""

    name = "one_cycle"
    aliases = ("one_cycle_lr",)
    needs_length = True
    rise: float = 0.3
    start: float = 1 / 25
    final: float = 1 / 25 / 1e4

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.rise < 1:
            raise SettingError(
                f"rise is {self.rise}, expected a fraction of the run between 0 and 1", help="0.3 is usual"
            )

    def factor(self, epoch: float, epochs: float) -> float:
        time = epoch / epochs
        low, share = (self.start, time / self.rise) if time < self.rise else (self.final, (1 - time) / (1 - self.rise))
        return low + (1 - low) * (1 - math.cos(math.pi * share)) / 2


@dataclass(frozen=True)
class WarmUp(Schedule):
    """A straight rise from 0 over the first `warm_epochs`, then another schedule for the rest of the run."""

    name = "warm_up"
    aliases = ("linear_lr",)
    warm_epochs: float = 1.0
    then: Schedule = field(default_factory=Constant)

    @property
    def needs_length(self) -> bool:  # type: ignore[override]
        return self.then.needs_length

    def factor(self, epoch: float, epochs: float) -> float:
        if epoch < self.warm_epochs:
            return epoch / self.warm_epochs
        rest = max(epochs - self.warm_epochs, 1e-9)  # not 0, by which a schedule of the run's length would divide
        return self.then.factor(epoch - self.warm_epochs, rest)

    def observe(self, loss: float) -> Schedule:
        return replace(self, then=self.then.observe(loss))


@dataclass(frozen=True)
class ReduceOnPlateau(Schedule):
    """Times `factor_each` when the loss has not got better by a ten-thousandth for more than `patience` epochs
    (PyTorch's `ReduceLROnPlateau`)."""

    name = "reduce_on_plateau"
    aliases = ("reduce_lr_on_plateau", "plateau")
    factor_each: float = 0.1
    patience: int = 10
    best: float = math.inf
    waited: int = 0
    reduced: int = 0

    def factor(self, epoch: float, epochs: float) -> float:
        return self.factor_each**self.reduced

    def observe(self, loss: float) -> Schedule:
        if loss < self.best * (1 - 1e-4):
            return replace(self, best=loss, waited=0)
        if self.waited < self.patience:
            return replace(self, waited=self.waited + 1)
        return replace(self, waited=0, reduced=self.reduced + 1)


SCHEDULES: Table[type[Schedule]] = Table("schedule", (Constant, Step, Cosine, OneCycle, WarmUp, ReduceOnPlateau))


def schedule(kind: "str | Schedule | type[Schedule]") -> Schedule:
    """The schedule of this name or alias, with its usual settings; a class of schedules, likewise; or the one given."""
    if isinstance(kind, Schedule):
        return kind
    if isinstance(kind, type) and issubclass(kind, Schedule):
        return made(kind)
    return SCHEDULES.find(kind)()
