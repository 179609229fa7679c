"""How good a network is on data: its loss, how often it is right, and what it takes for what."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, prod
from typing import Any

import numpy as np

from glassnet import engines
from glassnet.activations import activation
from glassnet.arrays import Array, is_sparse
from glassnet.data.dataset import Dataset
from glassnet.data.stream_dataset import Stream
from glassnet.engines.base import Engine
from glassnet.errors import InputError
from glassnet.losses import Loss
from glassnet.network import Network
from glassnet.render import html

ROWS_AT_ONCE = 4096
NUMBERS_AT_ONCE = 1 << 25
"""So many inputs go through at once at most: 4,096 digits, or fewer rows where these are wide."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The figures of one network on one data set.

    count      how many examples
    loss       the mean loss over them
    accuracy   the share that is recognised, or None where the targets are measurements
    confusion  (classes, classes): row = what it is, column = what it was taken for; None for measurements
    r_squared  for measurements the share of their variance that is explained, else None
    """

    count: int
    loss: float
    accuracy: float | None
    confusion: Array | None
    r_squared: float | None
    classes: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        figures: dict[str, Any] = {"count": self.count, "loss": self.loss}
        if self.accuracy is not None and self.confusion is not None:
            figures |= {"accuracy": self.accuracy, "classes": self.classes, "confusion": self.confusion.tolist()}
        if self.r_squared is not None:
            figures["r_squared"] = self.r_squared
        return figures

    def _repr_html_(self) -> str:
        if self.confusion is None or len(self.confusion) > 30:
            return html.block(str(self))
        mistakes = self.confusion - np.diag(np.diag(self.confusion))
        most = int(mistakes.max()) or 1
        names = list(self.classes or ())
        names += [str(k) for k in range(len(names), len(self.confusion))]
        rows = []
        for k, (counts, wrong) in enumerate(zip(self.confusion.tolist(), mistakes.tolist(), strict=True)):
            cells = [
                html.element(
                    "span", f"{n:,}" if n or i == k else "\N{MIDDLE DOT}", style=_shade(wrong[i] / most, i == k)
                )
                for i, n in enumerate(counts)
            ]
            rows.append([names[k], *cells, f"{counts[k] / sum(counts):.1%}" if sum(counts) else ""])
        table = html.table(["is \\ taken for", *names, "right"], rows, "r" + "c" * len(names) + "r")
        return html.block(str(self), table)

    def __str__(self) -> str:
        figures = [f"{self.count:,} examples", f"loss {self.loss:.4f}"]
        if self.accuracy is not None:
            figures.append(f"accuracy {self.accuracy:.2%}")
        if self.r_squared is not None:
            figures.append(f"R squared {self.r_squared:.4f}")
        return ", ".join(figures)


def _shade(share: float, right: bool) -> str:
    """How a cell looks: the more mistakes the darker, what is right in bold."""
    weight = "font-weight:600" if right else f"background:rgb(128 128 128/{0.65 * share**0.5:.2f})"
    return f"display:block;min-width:2.2em;margin:0 -.6em;padding:.1em .3em;{weight}"


def evaluate(
    network: Network,
    data: Any,
    loss: "str | Loss | None" = None,
    engine: str | Engine = "auto",
    device: str | None = None,
) -> Evaluation:
    """The figures of `network` on a `Dataset`, on a `Stream`, or on a pair (inputs, targets).

    Without a `loss`, the one that fits targets and network is taken (see `Network.gradient`).
    Raises `InputError` for data that does not fit the network.
    """
    data = as_examples(data)
    check_fits(network, data)
    kind = network.loss_for(data.targets, loss)
    chosen, _ = engines.choose(engine, network.architecture, network.dtype, device)
    tally = Tally(network, kind, data.classes)
    for part in [data] if isinstance(data, Dataset) else data.blocks():
        targets = kind.targets(part.targets, network.sizes[-1], network.parameters.dtype)
        tally.add(logits_or_outputs(network, part, kind, chosen), targets, part.targets)
    return tally.evaluation()


class Tally:
    """The figures of one network, added up over parts of the data."""

    def __init__(self, network: Network, loss: Loss, classes: tuple[str, ...] | None) -> None:
        self._network, self._loss, self._classes = network, loss, classes
        self._on_logits = loss.reads_logits_of == network.architecture.activations[-1]
        self._count = 0
        self._losses: list[tuple[float, float]] = []  # of each part, and what it counts
        self._confusion: Array | None = None
        self._wrong, self._spread = (
            0.0,
            0.0,
        )  # sums of squares: of the errors, of the targets' distances from their mean
        self._mean: Any = 0.0

    def add(self, outputs: Array, targets: Array, given: Array) -> None:
        """Take in a part: what the loss reads, (n, fan_out), its targets, and the targets as they were given."""
        self._losses.append((self._loss.value(outputs, targets), self._loss.total_weight(targets, None)))
        if given.ndim == 1 and given.dtype.kind == "i":
            classes = max(len(self._classes or ()), self._network.sizes[-1], 2)
            taken_for = classify(outputs, self._network, self._on_logits)
            confusion = np.bincount(given * classes + taken_for, minlength=classes * classes).reshape(classes, classes)
            self._confusion = confusion if self._confusion is None else self._confusion + confusion
        else:
            self._wrong += float(((outputs - targets) ** 2).sum())
            mean, count = targets.mean(axis=0), self._count + len(targets)
            apart = mean - self._mean
            self._spread += float(((targets - mean) ** 2).sum())
            self._spread += float((apart**2).sum()) * self._count * len(targets) / count
            self._mean = self._mean + apart * (len(targets) / count)
        self._count += len(given)

    def evaluation(self) -> Evaluation:
        """The figures of all parts together."""
        confusion = self._confusion
        r_squared = 1 - self._wrong / self._spread if self._spread else float("nan")
        return Evaluation(
            count=self._count,
            loss=weighted_mean(self._losses),
            accuracy=None if confusion is None else float(np.trace(confusion)) / self._count,
            confusion=confusion,
            r_squared=r_squared if confusion is None else None,
            classes=self._classes or self._network.schema.classes,
        )


def weighted_mean(parts: Sequence[tuple[float, float]]) -> float:
    """The mean of means, each with what it counts; one alone is as it is, to the bit."""
    if len(parts) == 1:
        return parts[0][0]
    total = fsum(weight for _, weight in parts)
    return fsum(mean * weight for mean, weight in parts) / total if total else 0.0


def logits_or_outputs(network: Network, data: Dataset, loss: Loss, engine: Engine) -> Array:
    """What the loss reads, (n, fan_out): the last pre-activations where these are its logits, else the outputs."""
    architecture = network.architecture
    if loss.reads_logits_of == architecture.activations[-1]:
        architecture = type(architecture)(architecture.sizes, (*architecture.activations[:-1], "identity"))
    rows = max(1, min(ROWS_AT_ONCE, NUMBERS_AT_ONCE // network.sizes[0]))
    parts = [
        engine.forward(architecture, network.parameters, data.inputs[start : start + rows], data.scale)
        for start in range(0, len(data), rows)
    ]
    return np.concatenate(parts)


def classify(outputs: Array, network: Network, on_logits: bool = False) -> Array:
    """The class of each row, (n,): the largest output; with one output, class 1 where it says more than even."""
    if outputs.shape[1] > 1:
        return outputs.argmax(axis=1)
    squish = "identity" if on_logits else network.architecture.activations[-1]
    even = float(activation(squish)(np.zeros((1, 1)))[0, 0])  # what a logit of 0 becomes: 0.5 under sigmoid
    return (outputs[:, 0] > even).astype(np.int64)


def as_dataset(data: Any) -> Dataset:
    """A data set as it is, or one made of a pair (inputs, targets)."""
    if isinstance(data, Dataset):
        return data
    try:
        inputs, targets = data
    except (TypeError, ValueError):
        raise InputError(
            f"data of type {type(data).__name__}: expected a Dataset or a pair (inputs, targets)",
            help="the readers in glassnet.data make a Dataset from files",
        ) from None
    return Dataset(inputs if is_sparse(inputs) else np.asarray(inputs), np.asarray(targets))


def as_examples(data: Any) -> Dataset | Stream:
    """A stream as it is, or what `as_dataset` gives."""
    return data if isinstance(data, Stream) else as_dataset(data)


def check_fits(network: Network, data: Dataset | Stream) -> None:
    """Raise `InputError` unless the data has as many inputs as the network."""
    inputs = prod(data.input_shape)
    if inputs != network.sizes[0]:
        raise InputError(
            f"{data.name} has {inputs} inputs, but the network {network.architecture} takes {network.sizes[0]}",
            help=f"create a network with sizes {inputs}-..., or pass other data",
        )
