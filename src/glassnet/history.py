"""What a run says of itself: one record of figures for each epoch."""

from dataclasses import dataclass, field
from typing import Any

from glassnet.network import Network


@dataclass(frozen=True)
class Epoch:
    """One epoch's figures. `number` counts from 1; `loss` is the mean over its batches, each before its own step,
    without penalties; `best` tells whether the validation loss was the lowest so far."""

    number: int
    loss: float
    learning_rate: float
    seconds: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    best: bool = False
    network: Network | None = field(default=None, repr=False, compare=False)
    """The network after this epoch (not kept in a `History`)."""

    def as_dict(self) -> dict[str, Any]:
        """The figures as plain values for JSON."""
        return {key: value for key, value in vars(self).items() if key != "network" and value is not None}


class History(tuple[Epoch, ...]):
    """The figures of all epochs so far, in order; each also as a list over the epochs."""

    @property
    def loss(self) -> list[float]:
        return [epoch.loss for epoch in self]

    @property
    def validation_loss(self) -> list[float | None]:
        return [epoch.validation_loss for epoch in self]

    @property
    def validation_accuracy(self) -> list[float | None]:
        return [epoch.validation_accuracy for epoch in self]

    @property
    def learning_rate(self) -> list[float]:
        return [epoch.learning_rate for epoch in self]

    def as_dict(self) -> list[dict[str, Any]]:
        """Plain values for JSON."""
        return [epoch.as_dict() for epoch in self]
