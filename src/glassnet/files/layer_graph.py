"""What a model does to its inputs, step by step, and how such steps become layers.

Every format is first read into steps, inputs first; `assemble` then makes layers of them. What only scales and shifts
(batch norm, normalised inputs) goes into the weights and biases beside it, exactly. A squish is told by what it
computes, not by what it is called: the same name stands for other functions elsewhere (Keras' leaky_relu), and one
function comes under many names or in pieces.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import TypeAlias

import numpy as np

from glassnet.activations import ACTIVATIONS, PROBABILITIES, activation, leaky
from glassnet.arrays import Array, shape_text
from glassnet.errors import FileError
from glassnet.names import PLAIN, spelling
from glassnet.opening import printable
from glassnet.schema import Schema


@dataclass(frozen=True)
class Dense:
    """A layer's weights (fan_out, fan_in) and biases (fan_out,); without biases, none."""

    name: str
    weights: Array
    biases: Array | None = None


@dataclass(frozen=True)
class Affine:
    """Every number times `scale` plus `shift`, both spread over one example as numpy does.

    `channels`: both have one number for each channel, which is the first axis of an example (PyTorch, ONNX).
    """

    name: str
    scale: Array
    shift: Array
    channels: bool = False


@dataclass(frozen=True)
class Squish:
    """An activation by glassnet's name."""

    name: str
    activation: str


@dataclass(frozen=True)
class Flatten:
    """The numbers of an example in a row, in their order. With a `shape`: in that shape."""

    name: str
    shape: tuple[int, ...] | None = None


Step: TypeAlias = Dense | Affine | Squish | Flatten


@dataclass(frozen=True)
class Chain:
    """Dense layers one after another: for each weights (fan_out, fan_in), biases (fan_out,) and the activation's name.

    `activation` is None where the source does not say it.
    """

    layers: list[tuple[Array, Array, str | None]]
    schema: Schema


class InTheWay(FileError):
    """The first thing in a model that is no dense layer, activation, flattening or normalisation."""

    def __init__(self, what: str, help: str | None = "gn.open(path) shows what is in the file") -> None:
        self.what = printable(what, 400)
        super().__init__(
            f"{self.what}: expected a chain of dense layers with known activations, between them flatten, dropout or "
            "batch norm",
            help=help,
        )


def of_rows(kind: str, called: str) -> Squish | None:
    """The activation of whole rows that others call `kind`; None if it is none.

    Log-softmax is read as softmax, of which it is the logarithm: the answers are the same, and outputs can be read as
    probabilities. It is said in a warning, since the outputs are other numbers than the model's.
    """
    chances = PROBABILITIES["one of many"]
    if spelling(kind) == spelling(chances):
        return Squish(called, chances)
    if spelling(kind) == spelling(f"log_{chances}"):
        warnings.warn(
            f"{called}: loaded as {chances}, so outputs are probabilities; the model gives their logarithms",
            stacklevel=2,
        )
        return Squish(called, chances)
    return None


def batch_norm(
    name: str,
    mean: Array,
    variance: Array,
    epsilon: float,
    gamma: Array | None = None,
    beta: Array | None = None,
    channels: bool = True,
) -> Affine:
    """(x - mean) / sqrt(variance + epsilon) times gamma plus beta, as one scale and shift."""
    scale = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    if gamma is not None:
        scale = scale * gamma
    shift = -mean.astype(np.float64) * scale
    return Affine(name, scale, shift if beta is None else shift + beta, channels)


def assemble(steps: Iterable[Step], input_shape: tuple[int, ...] | None = None) -> Chain:
    """The layers that these steps make together; `input_shape` is that of one example, if it is known.

    Raises `InTheWay` for steps that no chain of dense layers can do, and for sizes that do not fit.
    """
    making = _Making(input_shape)
    for step in steps:
        making.add(step)
    schema = Schema(input_shape=_picture(input_shape), scale=1.0 if making.scales_inputs else None)
    return Chain(making.finished(), schema)


def _picture(shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """(1, 28, 28) and (28, 28, 1) as (28, 28); nothing to say of a plain row."""
    if shape is None or len(shape) < 2:
        return None
    sides = tuple(side for side in shape if side != 1)
    return sides if len(sides) >= 2 else None


class _Making:
    """Layers in the making: what waits to be folded into the next one, and the last one, still without a squish."""

    def __init__(self, shape: tuple[int, ...] | None) -> None:
        self.shape = shape
        self.done: list[tuple[Array, Array, str | None]] = []
        self.open: tuple[Dense, Array, Array] | None = None
        self.waiting: list[Affine] = []
        self.scales_inputs = False  # whether the model scales its inputs itself, so that it takes raw ones
        self.wide = False  # whether there were weights in float64
        self.last = "the inputs"
        self.squish: str | None = None

    def add(self, step: Step) -> None:
        if isinstance(step, Dense):
            self._dense(step)
        elif isinstance(step, Affine):
            self._affine(step)
        elif isinstance(step, Squish):
            self._squish(step)
        elif self.shape is not None:
            self._flatten(step)
        if not isinstance(step, Flatten):
            self.last = step.name

    def _flatten(self, step: Flatten) -> None:
        assert self.shape is not None
        wanted, there = step.shape or (prod(self.shape),), prod(self.shape)
        if -1 in wanted and (known := -prod(wanted)) > 0:
            wanted = tuple(there // known if side == -1 else side for side in wanted)
        if prod(wanted) != there:
            raise InTheWay(f"{step.name}, which makes {shape_text(step.shape or ())} of {shape_text(self.shape)}")
        self.shape = wanted
        self.last = step.name if step.shape else self.last

    def _dense(self, step: Dense) -> None:
        if step.weights.ndim != 2 or (step.biases is not None and step.biases.shape != step.weights.shape[:1]):
            of_biases = "none" if step.biases is None else shape_text(step.biases.shape)
            raise InTheWay(f"{step.name} with weights {shape_text(step.weights.shape)} and biases {of_biases}")
        fan_out, fan_in = step.weights.shape
        if self.shape is not None and self.shape != (fan_in,):
            what = f"{shape_text(self.shape)} numbers" if len(self.shape) > 1 else f"{self.shape[0]:,}"
            raise InTheWay(f"{step.name}, which takes {fan_in:,} inputs where {self.last} gives {what}")
        self._close()
        self.wide = self.wide or step.weights.dtype == np.float64
        weights, biases = step.weights, np.zeros(fan_out, step.weights.dtype) if step.biases is None else step.biases
        self.scales_inputs = self.scales_inputs or (not self.done and self.open is None and bool(self.waiting))
        for affine in reversed(self.waiting):
            if affine.scale.size not in (1, fan_in) or affine.shift.size not in (1, fan_in):
                raise InTheWay(f"{affine.name} with {affine.scale.size:,} factors before {fan_in:,} inputs")
            biases = biases + weights @ np.broadcast_to(affine.shift, (fan_in,))
            weights = weights * np.broadcast_to(affine.scale, (fan_in,))
        self.waiting = []
        self.open, self.squish, self.shape = (step, weights, biases), None, (fan_out,)

    def _affine(self, step: Affine) -> None:
        scale, shift = (self._spread(part, step) for part in (step.scale, step.shift))
        if self.open is not None and self.squish is None:
            dense, weights, biases = self.open
            if not {scale.size, shift.size} <= {1, len(biases)}:
                raise InTheWay(f"{step.name} with {scale.size:,} factors after {len(biases):,} neurons")
            rows = np.broadcast_to(scale, biases.shape)
            self.open = dense, weights * rows[:, None], biases * rows + shift
        else:
            self.waiting.append(Affine(step.name, scale, shift))

    def _spread(self, part: Array, step: Affine) -> Array:
        """A factor for each number of an example, in a row; or one for all."""
        part = np.asarray(part, np.float64)
        if part.size == 1:
            return part.reshape(())
        if self.shape is None:
            return part.reshape(-1)
        if step.channels:
            part = part.reshape(part.shape[:1] + (1,) * (len(self.shape) - 1))
        elif part.ndim > len(self.shape) and part.shape[0] == 1:
            part = part.reshape(part.shape[1:])  # an axis for the batch
        try:
            return np.broadcast_to(part, self.shape).reshape(-1)
        except ValueError:
            what = f"{step.name} with {shape_text(part.shape)} factors for the {shape_text(self.shape)} numbers"
            raise InTheWay(f"{what} that {self.last} gives") from None

    def _squish(self, step: Squish) -> None:
        if step.activation == PLAIN:
            return
        if self.open is None:
            raise InTheWay(f"{step.name} ({step.activation}) before the first dense layer")
        if self.waiting:
            raise InTheWay(f"{self.waiting[0].name} between two activations, with no dense layer to fold it into")
        if self.squish is not None and activation(step.activation).by_row:
            own = np.eye(len(self.open[2]), dtype=self.open[1].dtype)
            self._dense(Dense(step.name, own))  # softmax of an activation: a layer that passes it on
        elif self.squish is not None and not (
            self.squish == step.activation and activation(step.activation).idempotent
        ):
            raise InTheWay(f"{step.name} ({step.activation}) right after another activation, {self.squish}")
        self.squish = step.activation

    def _close(self, last: bool = False) -> None:
        if self.open is None:
            return
        dense, weights, biases = self.open
        squish = self.squish or PLAIN
        if activation(squish).by_row and not last:
            raise InTheWay(f"{dense.name} with {squish}, which is not the last layer")
        kind = np.float64 if self.wide else np.float32
        self.done.append((weights.astype(kind, copy=False), biases.astype(kind, copy=False), squish))

    def finished(self) -> list[tuple[Array, Array, str | None]]:
        if self.open is None:
            raise InTheWay("no dense layer at all")
        if self.waiting:
            raise InTheWay(f"{self.waiting[0].name} after the last activation, with no dense layer to fold it into")
        self._close(last=True)
        return self.done


_CORE = np.concatenate([np.arange(-1200, 1201) / 100, [-100.0, -30.0, 30.0, 100.0]])
_FAR = np.array([-10_000.0, 10_000.0])


def known_squish(function: Callable[[Array], Array]) -> str | None:
    """The activation that this function of single numbers computes, tried out on some thousand of them; else None."""
    with np.errstate(all="ignore"):
        near = np.asarray(function(_CORE.copy()), np.float64)
        if near.shape != _CORE.shape or not np.isfinite(near).all():
            return None
        far = np.asarray(function(_FAR.copy()), np.float64)
        within = np.isfinite(far)  # a formula in pieces may overflow out there
        for name, (core, out_there) in _known().items():
            if _alike(near, core) and _alike(far[within], out_there[within]):
                return name
        below = -near[_CORE == -1].item()
        if abs(below) > 1e30:  # no float32 to be named after
            return None
        straight = leaky(float(str(np.float32(below))))  # as short as float32, which the slope was kept in, can tell
        if _alike(near, straight(_CORE)) and _alike(far[within], straight(_FAR)[within]):
            return straight.name
    return None


@cache
def _known() -> dict[str, tuple[Array, Array]]:
    """What each activation makes of the points."""
    single = {
        name: squish for name, squish in ACTIVATIONS.items() if not squish.by_row and name in ACTIVATIONS.built_in
    }
    return {name: (squish(_CORE), squish(_FAR)) for name, squish in single.items()}


def _alike(a: Array, b: Array) -> bool:
    return bool((np.abs(a - b) <= 1e-6 * (1 + np.abs(b))).all())
