"""When training has come far enough: scikit-learn's patience, and what a validation set says of an epoch."""

from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from glassnet.arrays import Array


@dataclass
class Patience:
    """Counts the epochs in a row whose score was not better than the best by at least `tol`; the more the better.

    Where no score is given, the score of an epoch is its training loss, less than nothing.
    """

    best: float = -inf
    waited: int = 0

    def observe(self, score: float, tol: float) -> bool:
        """Whether this is the best score so far."""
        self.waited = self.waited + 1 if score < self.best + tol else 0
        improved = score > self.best
        if improved:
            self.best = score
        return improved


class HeldOut(NamedTuple):
    """Data that is only looked at: inputs (n, fan_in), targets as the loss reads them and as they came, weights."""

    inputs: Array
    targets: Array
    given: Any
    weights: Array | None


class Figures(NamedTuple):
    """What one epoch came to on the held-out data: the loss in scikit-learn's unit, and the score."""

    loss: float
    score: float
