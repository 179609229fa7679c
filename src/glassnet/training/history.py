"""History of a run: one record of losses and measures for each epoch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from glassnet.network import Network
from glassnet.render.document import Document, Record, Rendered
from glassnet.render.parts import Beside, Chart, Column, Table


@dataclass(frozen=True)
class Epoch(Record):
    """Losses and measures of one epoch.

    Parameters
    ----------
    number : int
        From 1.
    loss : float
        Mean over the batches, each before its own step, without penalties.
    learning_rate : float
        Learning rate of the last batch.
    seconds : float
    validation_loss, validation_accuracy : float, optional
    best : bool
        Whether the validation loss is the lowest so far.
    network : Network, optional
        The network after this epoch (not stored in a `History`).
    """

    number: int
    loss: float
    learning_rate: float
    seconds: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    best: bool = False
    network: Network | None = field(default=None, repr=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {key: value for key, value in vars(self).items() if key != "network" and value is not None}

    def _cells(self) -> list[str]:
        """Number, loss, validation loss (with a star where it was the lowest so far), accuracy and learning rate."""
        loss = "" if self.validation_loss is None else f"{self.validation_loss:.4f}{' *' * self.best}"
        accuracy = "" if self.validation_accuracy is None else f"{self.validation_accuracy:.2%}"
        return [str(self.number), f"{self.loss:.4f}", loss, accuracy, f"{self.learning_rate:.3g}"]


class History(Rendered, tuple[Epoch, ...]):
    """All epochs so far, in order; each measure also as a list over the epochs.

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.xor(n=40, seed=0)
    >>> network = gn.Network.create("2-4-2", "tanh", output="softmax", seed=0)
    >>> history = gn.train(network, data, epochs=2).history
    >>> len(history.loss), history[0].number
    (2, 1)
    """

    @property
    def loss(self) -> list[float]:
        """Training loss of each epoch."""
        return [epoch.loss for epoch in self]

    @property
    def validation_loss(self) -> list[float | None]:
        """Validation loss of each epoch, or None."""
        return [epoch.validation_loss for epoch in self]

    @property
    def validation_accuracy(self) -> list[float | None]:
        """Validation accuracy of each epoch, or None."""
        return [epoch.validation_accuracy for epoch in self]

    @property
    def learning_rate(self) -> list[float]:
        """Learning rate at the end of each epoch."""
        return [epoch.learning_rate for epoch in self]

    def charts(self) -> list[Chart]:
        """The losses over the epochs, and the validation accuracy if it was measured; validation lines are solid."""
        numbers = [float(epoch.number) for epoch in self]
        losses: list[tuple[str, Sequence[float | None]]] = [("training loss", self.loss)]
        if any(value is not None for value in self.validation_loss):
            losses.insert(0, ("validation loss", self.validation_loss))
        charts = [Chart("loss: solid validation, dashed training" if losses[1:] else "training loss", numbers, losses)]
        if any(value is not None for value in self.validation_accuracy):
            accuracy = [("validation accuracy", self.validation_accuracy)]
            charts.append(Chart("validation accuracy", numbers, accuracy, zero=False))
        return charts

    def document(self) -> Document:
        """The loss and the accuracy over the epochs: as curves, and the figures of the first and the last epochs."""
        if not self:
            return Document("History of no epochs")
        shown = self if len(self) <= 12 else (*self[:3], *self[-8:])
        rows = [epoch._cells() for epoch in shown]
        if len(shown) < len(self):
            rows.insert(3, ["...", "", "", "", ""])
        names = ("epoch", "loss", "validation loss", "accuracy", "learning rate")
        title = f"{len(self)} epoch{'s' * (len(self) != 1)}, {sum(epoch.seconds for epoch in self):.3g} s"
        return Document(title, [Beside(self.charts()), Table([Column(name, "r") for name in names], rows)])

    def __repr__(self) -> str:
        last = f", loss {self[-1].loss:.4g}" if self else ""
        return f"History({len(self)} epoch{'s' * (len(self) != 1)}{last})"

    def as_dict(self) -> list[dict[str, Any]]:
        """Plain values for JSON."""
        return [epoch.as_dict() for epoch in self]
