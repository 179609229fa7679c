"""Learning rate of every batch: scikit-learn's three schedules, or one of glassnet's."""

from collections.abc import Sequence
from typing import Any

from glassnet.estimators.settings import RATES
from glassnet.optimizers import SGD
from glassnet.schedules import Constant, Schedule
from glassnet.schedules import schedule as known_schedule


class LearningRates:
    """Learning rates of one call of fit or partial_fit.

    A schedule that depends on its length ("one_cycle", "cosine") runs over the `max_iter` epochs of each fit, and over
    the first `max_iter` calls of partial_fit; others continue where the last call ended.
    """

    def __init__(self, estimator: Any, unit: float, batches: int, begun: int, past: Sequence[float]) -> None:
        word = estimator.learning_rate if estimator.learning_rate in RATES else None
        self._word = word if estimator.solver == SGD.name else None
        self._schedule: Schedule = Constant() if word else known_schedule(estimator.learning_rate)
        for loss in past:
            self.observe(loss)
        self._first = begun if self._schedule.needs_length else 0
        self._rate = estimator.learning_rate_init * (unit if estimator.solver == SGD.name else 1.0)
        self._power, self._length, self._batches = estimator.power_t, estimator.max_iter, batches

    def of_epoch(self, epoch: int, seen: int, cuts: int) -> list[float]:
        """Rates of the batches; `seen` examples came before, and "adaptive" has divided the rate by 5 `cuts` times."""
        rate = self._rate
        if self._word == "invscaling":
            rate /= (seen + 1) ** self._power
        elif self._word == "adaptive":
            rate /= 5**cuts
        if isinstance(self._schedule, Constant):
            return [rate] * self._batches
        times = (epoch - self._first + batch / self._batches for batch in range(self._batches))
        return [rate * self._schedule.factor(min(time, self._length), self._length) for time in times]

    def observe(self, loss: float) -> None:
        """Update the schedule with the loss of an epoch."""
        self._schedule = self._schedule.observe(loss)

    @property
    def can_be_cut(self) -> bool:
        """Whether it is "adaptive", which continues with a fifth of the rate instead of stopping."""
        return self._word == "adaptive"
