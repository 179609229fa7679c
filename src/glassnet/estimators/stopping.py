"""Early stopping: scikit-learn's patience, and the score on a validation set."""

from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from glassnet.arrays import Array


@dataclass
class Patience:
    """Counts consecutive epochs whose score did not exceed the best by at least `tol`; larger scores are better.

    Without validation data the score of an epoch is its negative training loss.
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


class ValidationSet(NamedTuple):
    """Data that is evaluated, never trained on: inputs (n, fan_in), encoded targets, targets as given, weights."""

    inputs: Array
    targets: Array
    given: Any
    weights: Array | None


class ValidationScore(NamedTuple):
    """Loss (in scikit-learn's unit) and score of one epoch on the validation data."""

    loss: float
    score: float
