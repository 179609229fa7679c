"""The losses: how wrong the outputs are, each beside its slope.

A loss takes outputs of shape (n, fan_out) and targets, and gives one number for the batch: the mean over it. Its slope
has the shape of the outputs: which way, and how much, each of them changes that number. Definitions and reductions are
PyTorch's (`torch.nn.functional`, reduction "mean"), so that figures can be compared line by line.

Cross-entropies read *logits*, scores before any activation function: only these avoid overflow.
Where the last layer is already softmax (or sigmoid), its pre-activations are those logits: see `Loss.reads_logits_of`.

With sample weights s the mean becomes sum(s * loss) / sum(s).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeAlias

import numpy as np

from glassnet.activations import activation, sigmoid
from glassnet.arrays import Array, numeric, shape_text
from glassnet.errors import InputError, SettingError
from glassnet.formulas import Dual
from glassnet.names import Table, made


@dataclass(frozen=True)
class Loss:
    """What all losses share: the weighted mean over the batch of a loss per example, and the check of the targets.

    A loss of your own is a subclass with a `name` and `per_example`; `per_example_slope` is then found by
    differentiating it, exact to rounding (see `glassnet.formulas`), unless the subclass has one.

    Examples
    --------
    >>> class Quartic(Loss):
    ...     name = "quartic"
    ...     def per_example(self, outputs, targets):
    ...         return ((outputs - targets) ** 4).mean(axis=1)
    >>> Quartic().slope(np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]]))
    array([[ 2.],
           [16.]])
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    reads_logits_of: ClassVar[str | None] = None
    """What its probabilities answer, "one of many" or "yes or no", if it reads the logits of such probabilities."""
    reads_labels: ClassVar[bool] = False
    """Whether targets may be labels, (n,)."""
    torch: ClassVar[str | None] = None
    """The function of `torch.nn.functional` that has the same formula and settings. Not inherited."""

    def __init_subclass__(cls, **named: Any) -> None:
        """A formula of its own does not go with a slope that belongs to another one."""
        super().__init_subclass__(**named)
        own = vars(cls)
        if "per_example" in own and "per_example_slope" not in own:
            cls.per_example_slope = Loss.per_example_slope  # type: ignore[method-assign]
        if "value" in own and "slope" not in own:
            raise SettingError(
                f"{cls.__name__} has a value of its own, but an inherited slope",
                help="define slope too, or override per_example instead",
            )

    def per_example(self, outputs: Array, targets: Array) -> Array:
        """The loss of each example, shape (n,)."""
        raise NotImplementedError

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        """The slope of each example's own loss, shape (n, fan_out)."""
        slopes = np.zeros_like(outputs)
        for k in range(outputs.shape[1]):
            one = np.zeros_like(outputs)
            one[:, k] = 1
            found: Any = self.per_example(Dual(outputs, one), targets)  # type: ignore[arg-type]
            if isinstance(found, Dual):
                slopes[:, k] = found.derivative
        return slopes

    def reads_logits(self, last: str) -> bool:
        """Whether it reads the pre-activations of a last layer of this activation instead of its outputs."""
        return self.reads_logits_of is not None and activation(last).probabilities == self.reads_logits_of

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
                f"targets have shape {shape_text(array.shape)} and type {array.dtype}, expected (n, {fan_out})"
                + ("" if fan_out == 1 else f" or n labels from 0 to {fan_out - 1}")
            )
        return array.astype(dtype, copy=False)


@dataclass(frozen=True)
class SquaredError(Loss):
    """(output - target)^2, averaged over outputs and batch (`mse_loss`)."""

    name = "squared_error"
    aliases = ("mse", "mse_loss", "mean_squared_error", "l2_loss")
    torch = "mse_loss"

    def per_example(self, outputs: Array, targets: Array) -> Array:
        return ((outputs - targets) ** 2).mean(axis=1)

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        return (outputs - targets) * (2 / outputs.shape[1])


@dataclass(frozen=True)
class AbsoluteError(Loss):
    """|output - target|, averaged over outputs and batch (`l1_loss`); its slope at 0 is 0."""

    name = "absolute_error"
    aliases = ("mae", "mean_absolute_error", "l1", "l1_loss")
    torch = "l1_loss"

    def per_example(self, outputs: Array, targets: Array) -> Array:
        return np.abs(outputs - targets).mean(axis=1)

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        return np.sign(outputs - targets) * (1 / outputs.shape[1])


@dataclass(frozen=True)
class Huber(Loss):
    """Squared near the target, straight beyond `delta` from it (`huber_loss`; Huber, 1964)."""

    name = "huber"
    aliases = ("huber_loss",)
    torch = "huber_loss"
    delta: float = 1.0

    def __post_init__(self) -> None:
        if not self.delta > 0:
            raise SettingError(f"delta is {self.delta}, expected a number above 0", help="1.0 is usual")

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
    aliases = ("ce", "cross_entropy_loss", "categorical_crossentropy", "sparse_categorical_crossentropy", "log_loss")
    reads_logits_of = "one of many"
    reads_labels = True
    torch = "cross_entropy"
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.label_smoothing < 1:
            raise SettingError(
                f"label_smoothing is {self.label_smoothing}, expected a number from 0 to below 1",
                help="0.1 is usual, 0 is off",
            )
        for position, weight in enumerate(self.class_weights or ()):
            if not 0 <= weight < float("inf"):
                raise SettingError(
                    f"the weight of class {position} is {weight}, expected a finite number from 0 up",
                    help="1 is usual, 0 leaves a class out",
                )

    def per_example(self, outputs: Array, targets: Array) -> Array:
        return -(self.weighted_targets(outputs, targets) * log_softmax(outputs)).sum(axis=1)

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        wanted = self.weighted_targets(outputs, targets)
        return np.exp(log_softmax(outputs)) * wanted.sum(axis=1, keepdims=True) - wanted

    def weighted_targets(self, outputs: Array, targets: Array) -> Array:
        """The target distribution of each row, (n, fan_out): smoothed, each class times its weight."""
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
                f"there are {len(self.class_weights)} class weights for {fan_out} outputs",
                help="give one for each class",
            )
        if fan_out == 1:
            raise SettingError(
                "cross_entropy needs an output for each class, and the network has one",
                help="use binary_cross_entropy, or two outputs",
            )
        array = numeric(targets, "targets")
        return check_labels(array, fan_out) if array.ndim == 1 else super().targets(array, fan_out, dtype)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """-log of the probability that sigmoid gives the right answer, each output a yes or no of its own
    (`binary_cross_entropy_with_logits`); targets are from 0 to 1, averaged over outputs and batch."""

    name = "binary_cross_entropy"
    aliases = ("bce", "bce_loss", "bce_with_logits", "bce_with_logits_loss", "binary_cross_entropy_with_logits")
    reads_logits_of = "yes or no"
    torch = "binary_cross_entropy_with_logits"

    def per_example(self, outputs: Array, targets: Array) -> Array:
        losses = np.maximum(outputs, 0) - outputs * targets + np.log1p(np.exp(-np.abs(outputs)))
        return losses.mean(axis=1)

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        return (sigmoid(outputs) - targets) * (1 / outputs.shape[1])

    def targets(self, targets: Any, fan_out: int, dtype: Any) -> Array:
        array = super().targets(targets, fan_out, dtype)
        if array.size and (array.min() < 0 or array.max() > 1):
            raise InputError(
                f"targets run from {array.min():g} to {array.max():g}, expected probabilities from 0 to 1",
                help="scale them, or use squared_error",
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
            f"targets have type {labels.dtype} and shape {shape_text(labels.shape)}, expected one whole-number "
            "label for each example",
            help="use squared_error for measurements",
        )
    outside = (labels < 0) | (labels >= classes)
    if outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            f"label {int(labels[row])} at example {row} is out of range: expected 0 to {classes - 1} for "
            f"{classes} outputs",
            help="renumber the labels, or give the network an output for each class",
        )
    return labels.astype(np.int64, copy=False)


@dataclass(frozen=True)
class FunctionLoss(Loss):
    """A loss made of a function of (outputs, targets), both (n, fan_out), that gives the loss of each example, (n,).

    Examples
    --------
    >>> cubic = loss(lambda outputs, targets: (np.abs(outputs - targets) ** 3).mean(axis=1))
    >>> cubic.value(np.array([[2.0]]), np.array([[0.0]]))
    8.0
    """

    function: Callable[[Any, Any], Any] = field(kw_only=True)

    @property
    def name(self) -> str:  # type: ignore[override]
        return getattr(self.function, "__name__", type(self.function).__name__)

    def per_example(self, outputs: Array, targets: Array) -> Array:
        losses: Any = self.function(outputs, targets)
        if losses.shape != outputs.shape[:1]:
            raise InputError(
                f"the loss {self.name!r} gives shape {losses.shape} for {outputs.shape[0]} examples: expected one "
                f"number for each, {(outputs.shape[0],)}",
                help="take the mean over the outputs only: .mean(axis=1)",
            )
        return losses


LOSSES: Table[type[Loss]] = Table("loss", (SquaredError, AbsoluteError, Huber, CrossEntropy, BinaryCrossEntropy))


LossLike: TypeAlias = str | Loss | type[Loss] | Callable[[Any, Any], Any]
"""A loss: its name, itself, its class, or a function of (outputs, targets)."""


def loss(kind: LossLike) -> Loss:
    """The loss of this name or alias, with its usual settings; a class of losses, likewise; a function of (outputs,
    targets) as a loss; or the loss given.

    Examples
    --------
    >>> loss("mse")
    SquaredError()
    """
    if isinstance(kind, Loss):
        return kind
    if isinstance(kind, type):
        if issubclass(kind, Loss):
            return made(kind)
    elif callable(kind):
        return FunctionLoss(function=kind)
    return LOSSES.find(kind)()


def default_loss(targets: Array, fan_out: int, output: str) -> Loss:
    """The loss that fits: for labels cross-entropy, binary where each output answers yes or no; else squared error."""
    if not is_labels(targets):
        return SquaredError()
    yes_or_no = fan_out == 1 or BinaryCrossEntropy().reads_logits(output)
    return BinaryCrossEntropy() if yes_or_no else CrossEntropy()
