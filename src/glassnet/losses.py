"""The losses: how wrong the outputs are, each beside its slope.

A loss takes outputs of shape (n, fan_out) and targets, and gives one number for the batch: the mean over it. Its slope
has the shape of the outputs: which way, and how much, each of them changes that number. Definitions and reductions are
PyTorch's (`torch.nn.functional`, reduction "mean"), so that figures can be compared line by line.

Cross-entropies read *logits*, scores before any squish, since only from them can they be computed without overflow.
Where the last layer is already softmax (or sigmoid), its pre-activations are those logits: see `Loss.reads_logits_of`.

With sample weights s the mean becomes sum(s * loss) / sum(s).
"""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from glassnet.activations import sigmoid
from glassnet.arrays import Array, numeric, shape_text
from glassnet.errors import InputError, SettingError, unknown_name


@dataclass(frozen=True)
class Loss:
    """What all losses share: the weighted mean over the batch of a loss per example, and the door for targets."""

    name: ClassVar[str]
    reads_logits_of: ClassVar[str | None] = None
    """The activation that turns this loss's logits into probabilities."""

    def per_example(self, outputs: Array, targets: Array) -> Array:
        """The loss of each example, shape (n,)."""
        raise NotImplementedError

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        """The slope of each example's own loss, shape (n, fan_out)."""
        raise NotImplementedError

    def value(self, outputs: Array, targets: Array, sample_weights: Array | None = None) -> float:
        """The loss of the batch."""
        losses = self.per_example(outputs, targets)
        if sample_weights is not None:
            losses = losses * sample_weights
        total = self.total_weight(targets, sample_weights)
        return float(losses.sum(dtype=np.float64)) / total if total else 0.0

    def slope(self, outputs: Array, targets: Array, sample_weights: Array | None = None) -> Array:
        """The slope of the batch's loss with respect to each output."""
        slopes = self.per_example_slope(outputs, targets)
        if sample_weights is not None:
            slopes = slopes * sample_weights[:, None]
        total = self.total_weight(targets, sample_weights)
        return slopes * outputs.dtype.type(1 / total if total else 0)

    def total_weight(self, targets: Array, sample_weights: Array | None) -> float:
        """What the sum over the examples is divided by."""
        return len(targets) if sample_weights is None else float(sample_weights.sum(dtype=np.float64))

    def targets(self, targets: Any, fan_out: int, dtype: Any) -> Array:
        """The targets as this loss reads them, (n, fan_out) of `dtype`; labels become one row each (7 -> 0000000100).

        Raises `InputError` for shapes and labels that do not fit `fan_out` outputs.
        """
        array = numeric(targets, "targets")
        if array.ndim == 1 and fan_out == 1:
            return array.astype(dtype)[:, None]
        if array.ndim == 1 and is_labels(array):
            return one_hot(check_labels(array, fan_out), fan_out, dtype)
        if array.ndim != 2 or array.shape[1] != fan_out:
            raise InputError(
                got=f"targets of shape {shape_text(array.shape)} and type {array.dtype}",
                expected=f"shape (n, {fan_out})" + ("" if fan_out == 1 else f", or n labels from 0 to {fan_out - 1}"),
                do="give one number for each output neuron",
            )
        return array.astype(dtype, copy=False)


@dataclass(frozen=True)
class SquaredError(Loss):
    """(output - target)^2, averaged over outputs and batch (`mse_loss`)."""

    name = "squared_error"

    def per_example(self, outputs: Array, targets: Array) -> Array:
        return ((outputs - targets) ** 2).mean(axis=1)

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        return (outputs - targets) * (2 / outputs.shape[1])


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """|output - target|, averaged over outputs and batch (`l1_loss`); its slope at 0 is 0."""

    name = "absolute_error"

    def per_example(self, outputs: Array, targets: Array) -> Array:
        return np.abs(outputs - targets).mean(axis=1)

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        return np.sign(outputs - targets) * (1 / outputs.shape[1])


@dataclass(frozen=True)
class Huber(Loss):
    """Squared near the target, straight beyond `delta` from it (`huber_loss`; Huber, 1964)."""

    name = "huber"
    delta: float = 1.0

    def __post_init__(self) -> None:
        if not self.delta > 0:
            raise SettingError(got=f"delta {self.delta}", expected="a number above 0", do="1.0 is usual")

    def per_example(self, outputs: Array, targets: Array) -> Array:
        far = np.abs(outputs - targets)
        near = np.minimum(far, self.delta)
        return (near * (far - near / 2)).mean(axis=1)

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        return np.clip(outputs - targets, -self.delta, self.delta) * (1 / outputs.shape[1])


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """-log of the probability that softmax gives the right class (`cross_entropy`), from logits.

    Targets are labels, shape (n,), or distributions over the classes, shape (n, fan_out). `label_smoothing` moves that
    share of the target evenly to all classes. `class_weights` (one per class) weigh the classes; with labels the mean
    is then divided by the weights of the labels, as PyTorch does.
    """

    name = "cross_entropy"
    reads_logits_of = "softmax"
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise SettingError(
                got=f"label_smoothing {self.label_smoothing}", expected="from 0 to below 1", do="0.1 is usual, 0 is off"
            )
        for position, weight in enumerate(self.class_weights or ()):
            if not 0 <= weight < float("inf"):
                raise SettingError(
                    got=f"class weight {weight} for class {position}",
                    expected="finite numbers from 0 up",
                    do="1 is as usual, 0 leaves a class out",
                )

    def per_example(self, outputs: Array, targets: Array) -> Array:
        return -(self._weighted(outputs, targets) * log_softmax(outputs)).sum(axis=1)

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        wanted = self._weighted(outputs, targets)
        return np.exp(log_softmax(outputs)) * wanted.sum(axis=1, keepdims=True) - wanted

    def _weighted(self, outputs: Array, targets: Array) -> Array:
        """The target distribution of each row, smoothed, each class times its weight."""
        classes = outputs.shape[1]
        wanted = one_hot(targets, classes, outputs.dtype) if targets.ndim == 1 else targets
        if self.label_smoothing:
            wanted = wanted * (1 - self.label_smoothing) + self.label_smoothing / classes
        return wanted if self.class_weights is None else wanted * np.asarray(self.class_weights, outputs.dtype)

    def total_weight(self, targets: Array, sample_weights: Array | None) -> float:
        if self.class_weights is None or targets.ndim == 2:
            return super().total_weight(targets, sample_weights)
        weights = np.asarray(self.class_weights)[targets]
        return float((weights if sample_weights is None else weights * sample_weights).sum())

    def targets(self, targets: Any, fan_out: int, dtype: Any) -> Array:
        if self.class_weights is not None and len(self.class_weights) != fan_out:
            raise SettingError(
                got=f"{len(self.class_weights)} class weights",
                expected=f"one for each of {fan_out} outputs",
                do="list one per class",
            )
        if fan_out == 1:
            raise SettingError(
                got="cross_entropy with one output",
                expected="an output for each class",
                do="use binary_cross_entropy, or two outputs",
            )
        array = numeric(targets, "targets")
        return check_labels(array, fan_out) if array.ndim == 1 else super().targets(array, fan_out, dtype)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """-log of the probability that sigmoid gives the right answer, each output a yes or no of its own
    (`binary_cross_entropy_with_logits`); targets are from 0 to 1, averaged over outputs and batch."""

    name = "binary_cross_entropy"
    reads_logits_of = "sigmoid"

    def per_example(self, outputs: Array, targets: Array) -> Array:
        losses = np.maximum(outputs, 0) - outputs * targets + np.log1p(np.exp(-np.abs(outputs)))
        return losses.mean(axis=1)

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        return (sigmoid(outputs) - targets) * (1 / outputs.shape[1])

    def targets(self, targets: Any, fan_out: int, dtype: Any) -> Array:
        array = super().targets(targets, fan_out, dtype)
        if array.size and (array.min() < 0 or array.max() > 1):
            raise InputError(
                got=f"targets from {array.min():g} to {array.max():g}",
                expected="probabilities from 0 to 1",
                do="scale them, or use squared_error",
            )
        return array


def log_softmax(z: Array) -> Array:
    """log(softmax(z)) of each row, without overflow."""
    shifted = z - z.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def one_hot(labels: Array, classes: int, dtype: Any) -> Array:
    """Labels (n,) as rows (n, classes) with a 1 at the label."""
    rows = np.zeros((len(labels), classes), dtype)
    rows[np.arange(len(labels)), labels] = 1
    return rows


def is_labels(targets: Array) -> bool:
    """Whether these targets are classes (whole numbers or booleans, one per example) and not measurements."""
    return targets.ndim == 1 and targets.dtype.kind in "bui"


def check_labels(labels: Array, classes: int) -> Array:
    """Labels as int64, each from 0 to classes - 1, or `InputError`."""
    if labels.dtype.kind == "f" and (labels == np.round(labels)).all():
        labels = labels.astype(np.int64)
    if not is_labels(labels):
        raise InputError(
            got=f"targets of type {labels.dtype} and shape {shape_text(labels.shape)}",
            expected="whole-number labels, one per example",
            do="use squared_error for measurements",
        )
    outside = (labels < 0) | (labels >= classes)
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            got=f"label {int(labels[row])} at example {row}",
            expected=f"labels from 0 to {classes - 1}, for {classes} outputs",
            do="renumber the labels, or give the network an output for each class",
        )
    return labels.astype(np.int64, copy=False)


LOSSES: dict[str, type[Loss]] = {
    loss.name: loss for loss in (SquaredError, AbsoluteError, Huber, CrossEntropy, BinaryCrossEntropy)
}


def loss(kind: "str | Loss") -> Loss:
    """The loss called by its name, or the one given."""
    if isinstance(kind, Loss):
        return kind
    if kind not in LOSSES:
        raise unknown_name("loss", kind, LOSSES)
    return LOSSES[kind]()


def default_loss(targets: Array, fan_out: int, output: str) -> Loss:
    """The loss that fits: for labels cross-entropy, binary where each output answers yes or no; else squared error."""
    if not is_labels(targets):
        return SquaredError()
    return BinaryCrossEntropy() if fan_out == 1 or output == "sigmoid" else CrossEntropy()
