"""What a run says of itself: one record of figures for each epoch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from glassnet.network import Network
from glassnet.render import html


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

    def _cells(self) -> list[str]:
        """Number, loss, validation loss (with a star where it was the lowest so far), accuracy and learning rate."""
        loss = "" if self.validation_loss is None else f"{self.validation_loss:.4f}{' *' * self.best}"
        accuracy = "" if self.validation_accuracy is None else f"{self.validation_accuracy:.2%}"
        return [str(self.number), f"{self.loss:.4f}", loss, accuracy, f"{self.learning_rate:.3g}"]


_Lines: TypeAlias = list[tuple[str, Sequence[float | None]]]


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

    def _repr_html_(self) -> str:
        if not self:
            return html.block("History of no epochs")
        numbers = [float(epoch.number) for epoch in self]
        losses: _Lines = [("training", self.loss), ("validation", self.validation_loss)]
        pictures: list[tuple[str, _Lines]] = [("loss: training, dashed validation", losses)]
        if any(value is not None for value in self.validation_accuracy):
            pictures.append(("validation accuracy", [("validation", self.validation_accuracy)]))
        drawn = [html.figure(name, html.curves(numbers, lines, name, zero="loss" in name)) for name, lines in pictures]
        shown = self if len(self) <= 12 else (*self[:3], *self[-8:])
        rows = [epoch._cells() for epoch in shown]
        if len(shown) < len(self):
            rows.insert(3, ["\N{HORIZONTAL ELLIPSIS}", "", "", "", ""])
        table = html.table(["epoch", "loss", "validation loss", "accuracy", "learning rate"], rows, "rrrrr")
        title = f"{len(self)} epoch{'s' * (len(self) != 1)}, {sum(epoch.seconds for epoch in self):.3g} s"
        return html.block(title, html.side_by_side(*drawn), table)

    def as_dict(self) -> list[dict[str, Any]]:
        """Plain values for JSON."""
        return [epoch.as_dict() for epoch in self]
