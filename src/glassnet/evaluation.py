"""Evaluation of a network on data: loss, accuracy, confusion matrix, R squared."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import fsum, prod
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from glassnet import engines
from glassnet.arrays import Array, is_sparse, numeric, shape_text
from glassnet.data.conforming import conformed
from glassnet.data.dataset import Dataset, RawInputs
from glassnet.data.frames import frame_inputs, is_named
from glassnet.data.stream_dataset import Stream
from glassnet.data.tables import frame_dataset
from glassnet.engines.base import Engine
from glassnet.errors import InputError
from glassnet.losses import Loss
from glassnet.names import PLAIN
from glassnet.network import Network
from glassnet.prediction import classify
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Cell, Column, Section, Shaded, Table
from glassnet.schema import Schema

Data: TypeAlias = Dataset | Stream | tuple[RawInputs, npt.ArrayLike]
"""Examples: a data set, a stream, or a pair (inputs, targets)."""
ROWS_AT_ONCE = 4096
NUMBERS_AT_ONCE = 1 << 25
"""Largest number of inputs in a batch: 4,096 digits, or fewer rows if they are wide."""


@dataclass(frozen=True, eq=False)
class Evaluation(Rendered):
    """Measures of one network on one data set.

    Parameters
    ----------
    count : int
        Number of examples.
    loss : float
        Mean loss.
    accuracy : float or None
        Share of correct classes; None for measured targets.
    confusion : ndarray of shape (classes, classes) or None
        Row: true class, column: predicted class; None for measured targets.
    r_squared : float or None
        Share of the variance of measured targets that is explained; None for classes.
    classes : tuple of str or None
    notes : tuple of str
        What was assumed about the data.
    """

    count: int
    loss: float
    accuracy: float | None
    confusion: Array | None
    r_squared: float | None
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        figures: dict[str, Any] = {"count": self.count, "loss": self.loss}
        if self.accuracy is not None and self.confusion is not None:
            figures |= {"accuracy": self.accuracy, "classes": self.classes, "confusion": self.confusion.tolist()}
        if self.r_squared is not None:
            figures["r_squared"] = self.r_squared
        return figures

    def document(self, name: str = "") -> Document:
        """The figures in a line, and the confusion matrix, or of many classes the most frequent mistakes."""
        title = f"{name}: {self}" if name else str(self)
        return Document(title, [] if self.confusion is None else [confusion_section(self.confusion, self.classes)])

    def __str__(self) -> str:
        figures = [f"{self.count:,} examples", f"loss {self.loss:.4f}"]
        if self.accuracy is not None:
            figures.append(f"accuracy {self.accuracy:.2%}")
        if self.r_squared is not None:
            figures.append(f"R squared {self.r_squared:.4f}")
        return ", ".join(figures)

    def __repr__(self) -> str:
        return f"Evaluation({self})"


MOST_CLASSES = 12
"""A confusion matrix of more classes does not fit into 80 columns: then its largest mistakes are listed."""


def confusion_section(confusion: Array, classes: Sequence[str] | None) -> Section:
    """How often each class was predicted as which, and the share of it that was recognised."""
    names = list(classes or ())
    names += [str(k) for k in range(len(names), len(confusion))]
    mistakes = confusion - np.diag(np.diag(confusion))
    rows: list[list[Cell]] = []
    if len(names) > MOST_CLASSES:
        order = np.argsort(-mistakes, axis=None, kind="stable")[:10].tolist()
        for i, k in (divmod(at, len(names)) for at in order if mistakes.flat[at]):
            rows.append([f"{int(confusion[i, k]):,}", names[i], names[k]])
        if not rows:
            return Section("no mistakes")
        columns = [Column("mistakes", "r"), Column("true class"), Column("predicted as")]
        return Section("the most frequent mistakes", [Table(columns, rows)])
    most = int(mistakes.max()) or 1
    for k, counts in enumerate(confusion.tolist()):
        cells = [
            Shaded(f"{n:,}" if n or i == k else ".", 0.0 if i == k else n / most, i == k) for i, n in enumerate(counts)
        ]
        rows.append([names[k], *cells, f"{counts[k] / sum(counts):.1%}" if sum(counts) else "-"])
    columns = [Column("", "r", 14), *(Column(name, "r", 8) for name in names), Column("recall", "r")]
    return Section("confusion matrix: rows are the true class, columns the predicted one", [Table(columns, rows)])


def evaluate(
    network: Network,
    data: Data,
    loss: "str | Loss | None" = None,
    engine: str | Engine = "auto",
    device: str | None = None,
) -> Evaluation:
    """Evaluate a network on data.

    Parameters
    ----------
    network : Network
    data : Dataset, Stream or pair (inputs, targets)
    loss : str or Loss, optional
        By default the one that fits targets and network (see `Network.gradient`).
    engine : str or Engine, default "auto"
    device : str, optional
        Device of torch: "cpu", "cuda", "mps".

    Returns
    -------
    Evaluation

    Raises
    ------
    InputError
        If the data does not fit the network.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.from_layers([([[1.0], [-1.0]], [0.0, 0.0], "identity")])
    >>> found = gn.evaluate(network, ([[1.0], [2.0], [-3.0]], [0, 0, 0]))
    >>> round(found.accuracy, 4), found.confusion.tolist()
    (0.6667, [[2, 1], [0, 0]])
    """
    network, data, notes = meeting(network, data)
    kind = network.loss_for(data.targets, loss)
    chosen, _ = engines.choose(engine, network.architecture, network.dtype, device)
    tally = Tally(network, kind, data.classes)
    for part in [data] if isinstance(data, Dataset) else data.blocks():
        targets = kind.targets(part.targets, network.sizes[-1], network.parameters.dtype)
        tally.add(logits_or_outputs(network, part, kind, chosen), targets, part.targets)
    return replace(tally.evaluation(), notes=notes)


class Tally:
    """Running measures of one network over parts of the data."""

    def __init__(self, network: Network, loss: Loss, classes: tuple[str, ...] | None) -> None:
        self._network, self._loss, self._classes = network, loss, classes
        self._on_logits = loss.reads_logits(network.architecture.activations[-1])
        self._count = 0
        self._losses: list[tuple[float, float]] = []  # of each part, and what it counts
        self._confusion: Array | None = None
        self._wrong, self._spread = (
            0.0,
            0.0,
        )  # sums of squares: of the errors, of the targets' distances from their mean
        self._mean: Any = 0.0

    def add(self, outputs: Array, targets: Array, given: Array) -> None:
        """Add a part: what the loss reads, (n, fan_out), the encoded targets, and the targets as given."""
        self._losses.append((self._loss.value(outputs, targets), self._loss.total_weight(targets, None)))
        if given.ndim == 1 and given.dtype.kind == "i":
            classes = max(len(self._classes or ()), self._network.sizes[-1], 2)
            predicted = classify(outputs, self._network, self._on_logits)
            confusion = np.bincount(given * classes + predicted, minlength=classes * classes).reshape(classes, classes)
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
        """The measures of all parts."""
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
    """Weighted mean of (mean, weight) pairs; a single one is returned unchanged, to the bit."""
    if len(parts) == 1:
        return parts[0][0]
    total = fsum(weight for _, weight in parts)
    return fsum(mean * weight for mean, weight in parts) / total if total else 0.0


def logits_or_outputs(network: Network, data: Dataset, loss: Loss, engine: Engine) -> Array:
    """What the loss reads, (n, fan_out): the last pre-activations if these are its logits, else the outputs."""
    architecture = network.architecture
    if loss.reads_logits(architecture.activations[-1]):
        architecture = type(architecture)(architecture.sizes, (*architecture.activations[:-1], PLAIN))
    rows = max(1, min(ROWS_AT_ONCE, NUMBERS_AT_ONCE // network.sizes[0]))
    inputs, factor = data.network_inputs
    parts = [
        engine.forward(architecture, network.parameters, inputs[start : start + rows], factor)
        for start in range(0, len(data), rows)
    ]
    return np.concatenate(parts)


def as_dataset(data: Any, like: Schema | None = None) -> Dataset:
    """A data set as it is, or one made of a pair (inputs, targets). Inputs with column names are read by `like`, or
    else as a new table."""
    if isinstance(data, Dataset):
        return data
    try:
        inputs, targets = data
    except (TypeError, ValueError):
        raise InputError(
            f"data of type {type(data).__name__}: expected a Dataset or a pair (inputs, targets)",
            help="the readers in glassnet.data make a Dataset from files",
        ) from None
    labels = _labels(targets, like)
    if not is_named(inputs):
        return Dataset(inputs if is_sparse(inputs) else np.asarray(inputs), labels)
    if like is not None and like.describes_inputs:
        return Dataset(np.atleast_2d(frame_inputs(inputs, like)), labels, like, "the data")
    return frame_dataset(inputs, labels)


def _labels(targets: Any, like: Schema | None) -> Array:
    """Targets as numbers: the names of known classes as their places."""
    array = np.asarray(targets)
    if array.dtype.kind not in "OU" or like is None or like.classes is None:
        return array
    place = {name: k for k, name in enumerate(like.classes)}
    names = [str(name) for name in array.ravel()]
    unknown = next((name for name in names if name not in place), None)
    if unknown is not None:
        raise InputError(
            f"target {unknown!r} is not a class of the network",
            help=f"its classes are {', '.join(like.classes[:12])}",
        )
    return np.array([place[name] for name in names], np.int64)


def as_examples(data: Any) -> Dataset | Stream:
    """A stream as it is, or what `as_dataset` gives."""
    return data if isinstance(data, Stream) else as_dataset(data)


class Meeting(NamedTuple):
    """A network and data that it can read, each with the same schema, and what was assumed."""

    network: Network
    data: Dataset | Stream
    notes: tuple[str, ...] = ()


def meeting(network: Network, data: Any) -> Meeting:
    """The network and the data as it reads them, by the rule of `Schema`: everything that tries a network on data
    begins here. Raises `InputError` for data that does not fit the network."""
    data = data if isinstance(data, Stream) else as_dataset(data, network.schema)
    schema, data, notes = conformed(network.schema, data, network.sizes[0])
    check_fits(network, data)
    return Meeting(network if schema == network.schema else network.with_schema(schema), data, notes)


def meeting_inputs(network: Network, data: Any) -> Meeting:
    """`meeting` for data whose targets do not matter: a `Dataset`, a pair (inputs, targets), or raw inputs alone, with
    column names or as an array."""
    if not isinstance(data, Dataset):
        data = data[0] if isinstance(data, tuple) and len(data) == 2 else data
        if is_named(data):
            inputs = np.atleast_2d(frame_inputs(data, network.schema))
        else:
            inputs, fan_in = numeric(data, "data"), network.sizes[0]
            if inputs.ndim > 2 and len(inputs) and inputs[0].size == fan_in:
                inputs = inputs.reshape(len(inputs), fan_in)
            if inputs.ndim != 2 or inputs.shape[1] != fan_in or inputs.shape[0] == 0:
                raise InputError(
                    f"data has shape {shape_text(inputs.shape)}: expected (n, {fan_in}), at least one row of "
                    f"the network's {fan_in:,} inputs"
                )
        data = Dataset(inputs, np.zeros(inputs.shape[0]))
    return meeting(network, data)


def check_fits(network: Network, data: Dataset | Stream) -> None:
    """Raise `InputError` unless the data has as many inputs as the network."""
    inputs = prod(data.input_shape)
    if inputs != network.sizes[0]:
        raise InputError(
            f"{data.name} has {inputs} inputs, but the network {network.architecture} takes {network.sizes[0]}",
            help=f"create a network with sizes {inputs}-..., or pass other data",
        )
