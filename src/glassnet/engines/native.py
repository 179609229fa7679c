"""The native engine: the compiled kernel, with the verbs and the meaning of `reference`. float32 only.

Here is what the kernel trusts: types, shapes, labels and indices are checked, inputs are brought into one of the forms
that it reads. Inputs of which most are zero become lists of what is not (a scipy CSR matrix is such lists already), and
the zeros are never multiplied.
"""

import os
from collections.abc import Sequence
from dataclasses import fields
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from glassnet.activations import ACTIVATIONS
from glassnet.architecture import Architecture
from glassnet.arrays import Array, shape_text
from glassnet.engines.base import Examples, LayerTrace, Plan, State
from glassnet.errors import AddressError, InputError, SettingError, unknown_name
from glassnet.losses import LOSSES, Loss, SquaredError
from glassnet.optimizers import OPTIMIZERS, SGD, Optimizer

try:
    from glassnet.engines import _kernel
except ImportError:  # installed without a compiler
    _kernel = None  # type: ignore[assignment]

name = "native"

FORWARD, TRACE, GRADIENT, TRAIN = range(4)
DENSE_BYTES, DENSE_FLOATS, SHORT_BYTES, SHORT_FLOATS, LONG_FLOATS = range(5)
PARAMETERS, SLOPES, FIRST_SLOT = range(3)

MOST_SHORT = 65_536  # positions of two bytes reach so far
MOST_LISTED = 0.33  # of the inputs, or all are multiplied, zeros too (kernel/network.c says how it was measured)
MOST_ROWS = 96  # go forward at once
LIST_ROOM = 16  # entries that the kernel may write beyond the last


def variant() -> str:
    """Which build of the kernel runs here: the best for this processor, or the one that GLASSNET_CPU names."""
    usable: list[str] = _kernel.variants()
    wanted = os.environ.get("GLASSNET_CPU") or usable[0]
    if wanted not in usable:
        raise unknown_name("GLASSNET_CPU", wanted, usable)
    return wanted


_NO_STEPS = SquaredError(), SGD()
"""What a context is made with that takes no steps: any would do."""


def supports(
    architecture: Architecture, dtype: str, loss: Loss | None = None, optimizer: Optimizer | None = None
) -> str | None:
    """None where the kernel computes exactly this, else why it cannot."""
    if _kernel is None:
        return "it was not built (no C compiler at install)"
    if np.dtype(dtype) != np.float32:
        return f"it computes in float32, not {dtype}"
    for name in architecture.activations:
        if name not in ACTIVATIONS.built_in:
            return f"the activation {name} has no formula in its kernel"
    for part, table in ((loss, LOSSES), (optimizer, OPTIMIZERS)):
        if part is not None and not table.fresh(part):
            return f"the {table.kind} {type(part).__name__} has no formula in its kernel"
    if max(architecture.sizes) > 2**24 or architecture.layers[-1].stop > 2**31:
        return "its layers are of at most 2^24 neurons, and 2^31 numbers in all"
    return None


class _Inputs(NamedTuple):
    """Inputs as the kernel reads them; the arrays are alive for as long as this is."""

    kind: int
    scale: float
    rows: int
    values: Array
    positions: Array | None = None
    starts: Array | None = None

    @property
    def sparse(self) -> bool:
        return self.kind >= SHORT_BYTES


def forward(architecture: Architecture, parameters: Array, inputs: Array, scale: float = 1.0) -> Array:
    ready = _inputs(inputs, scale, architecture.sizes[0])
    context = _context(architecture, FORWARD, ready)
    context.write(PARAMETERS, _vector(parameters, architecture, "parameters"))
    outputs = np.empty((ready.rows, architecture.sizes[-1]), np.float32)
    context.forward(tuple(ready), outputs)
    return outputs


def trace(architecture: Architecture, parameters: Array, inputs: Array, scale: float = 1.0) -> list[LayerTrace]:
    ready = _inputs(inputs, scale, architecture.sizes[0])
    context = _context(architecture, TRACE, ready)
    context.write(PARAMETERS, _vector(parameters, architecture, "parameters"))
    layers = [LayerTrace(*(np.empty((ready.rows, n), np.float32) for _ in range(3))) for n in architecture.sizes[1:]]
    context.trace(tuple(ready), [array for layer in layers for array in layer])
    return layers


def gradient(architecture: Architecture, parameters: Array, examples: Examples, loss: Loss) -> tuple[float, Array]:
    parameters = _vector(parameters, architecture, "parameters")
    ready = _inputs(examples.inputs, examples.scale, architecture.sizes[0])
    plan = Plan(architecture, loss, _NO_STEPS[1], batch_size=ready.rows)
    context = _context(architecture, GRADIENT, ready, plan)
    context.write(PARAMETERS, parameters)
    context.set_examples(tuple(ready), *_targets(examples, ready.rows, architecture.sizes[-1], loss))
    value = context.gradient()
    slopes = np.empty_like(parameters)
    context.read(SLOPES, slopes)
    return value, slopes


class Prepared:
    """A network made ready to be asked often: its parameters lie as the kernel wants them. Called with (n, fan_in) it
    gives (n, fan_out), with (fan_in,) it gives (fan_out,). May be called from many threads, one at a time goes on.

    `outputs(inputs, scale)` is the short way: None, unless inputs are contiguous, of this width, and bytes or finite
    floats of 32 bits.
    """

    __slots__ = ("_architecture", "_context", "_scale", "outputs")

    def __init__(self, architecture: Architecture, parameters: Array, scale: float = 1.0) -> None:
        self._architecture, self._scale = architecture, float(scale)
        self._context = _new_context(architecture, FORWARD, MOST_ROWS, sparse=False)
        self._context.write(PARAMETERS, _vector(parameters, architecture, "parameters"))
        self.outputs = self._context.outputs

    def __call__(self, inputs: Any) -> Array:
        outputs = self.outputs(inputs, self._scale)
        return self._any(inputs) if outputs is None else outputs

    def _any(self, inputs: Any) -> Array:
        inputs = inputs if _is_csr(inputs) else np.asarray(inputs)
        ready = _inputs(
            np.atleast_2d(inputs) if isinstance(inputs, np.ndarray) else inputs,
            self._scale,
            self._architecture.sizes[0],
        )
        outputs = np.empty((ready.rows, self._architecture.sizes[-1]), np.float32)
        self._context.forward(tuple(ready), outputs)
        return outputs if inputs.ndim != 1 else outputs[0]


def prepare(architecture: Architecture, parameters: Array, scale: float = 1.0) -> Prepared:
    """`forward` for one network and many calls, without packing its parameters each time."""
    return Prepared(architecture, parameters, scale)


class NativeTrainer:
    """A run in progress, in the kernel's memory. `about_inputs` says how the inputs are held."""

    def __init__(self, plan: Plan, examples: Examples, state: State) -> None:
        architecture = plan.architecture
        parameters = _vector(state.parameters, architecture, "parameters")
        ready, self.about_inputs = _listed(
            _inputs(examples.inputs, examples.scale, architecture.sizes[0]),
            architecture.sizes[0],
            # A weight that is not finite would go unnoticed behind a zero.
            may_skip=bool(np.isfinite(parameters).all()),
        )
        self._plan, self._slots = plan, len(plan.optimizer.slots)
        self._count = architecture.layers[-1].stop
        self._context = _context(architecture, TRAIN, ready, plan)
        if isinstance(plan.l2, tuple):
            self._context.set_l2(np.array(plan.l2, np.float64))
        self._context.write(PARAMETERS, parameters)
        for slot, memory in enumerate(state.slots[: self._slots]):
            self._context.write(FIRST_SLOT + slot, _vector(memory, architecture, "optimizer memory"))
        self._context.set_step(state.step)
        targets = _targets(examples, ready.rows, architecture.sizes[-1], plan.loss)
        self._context.set_examples(tuple(ready), *targets)

    def run(self, order: Array, learning_rates: Sequence[float]) -> list[float]:
        order = _plain(order, np.int64)
        rates = _plain(learning_rates, np.float64)
        losses = np.empty(len(rates))
        try:
            done = self._context.run(order, rates, losses)
        except IndexError as error:
            got, expected, do = str(error).removeprefix("got ").replace("expected ", "").split("; ")
            raise AddressError(f"{got}, expected {expected}", help=do) from None
        return losses[:done].tolist()

    def state(self) -> State:
        vectors = [np.empty(self._count, np.float32) for _ in range(1 + self._slots)]
        for which, vector in zip((PARAMETERS, *range(FIRST_SLOT, FIRST_SLOT + self._slots)), vectors, strict=True):
            self._context.read(which, vector)
        return State(vectors[0], vectors[1:], self._context.step())


def trainer(plan: Plan, examples: Examples, state: State) -> NativeTrainer:
    return NativeTrainer(plan, examples, state)


# ---- Checks of what goes to the kernel


def _plain(values: Any, dtype: Any = None) -> Array:
    """In C's order and at an address that C may read its type from; a copy only where it is not."""
    return np.require(values, dtype, ("C", "A"))


def _vector(values: Array, architecture: Architecture, what: str) -> Array:
    values = _plain(values, np.float32)
    total = architecture.layers[-1].stop
    if values.shape != (total,):
        raise InputError(f"{what} have shape {shape_text(values.shape)}, expected ({total},) for {architecture}")
    return values


def _is_csr(inputs: Any) -> bool:
    return getattr(inputs, "format", None) == "csr"


def _inputs(inputs: Any, scale: float, fan_in: int) -> _Inputs:
    """Dense arrays as bytes or floats, scipy's CSR as lists; copied only where type or order ask for it."""
    if inputs.ndim != 2 or inputs.shape[1] != fan_in:
        raise InputError(f"inputs have shape {shape_text(inputs.shape)}, expected (n, {fan_in})")
    rows = int(inputs.shape[0])
    if _is_csr(inputs):
        starts = _plain(inputs.indptr, np.int64)
        positions, values = inputs.indices, inputs.data.astype(np.float32, copy=False)
        listed = int(starts[-1])
        if (
            starts[0] != 0
            or (np.diff(starts) < 0).any()
            or len(starts) != rows + 1
            or min(len(positions), len(values)) < listed
            or (listed and not (positions[:listed].min() >= 0 and positions[:listed].max() < fan_in))
        ):
            raise InputError(
                "the index arrays of the CSR matrix contradict its shape", help="its method check_format() shows more"
            )
        if scale != 1:
            values = values * np.float32(scale)
        positions = _plain(positions, np.uint16 if fan_in <= MOST_SHORT else np.uint32)
        kind = SHORT_FLOATS if fan_in <= MOST_SHORT else LONG_FLOATS
        return _Inputs(kind, 1.0, rows, _plain(values), positions, starts)
    if inputs.dtype.kind not in "buif":
        raise InputError(
            f"inputs have type {inputs.dtype}, expected real numbers", help="convert text and objects to numbers first"
        )
    as_bytes = inputs.dtype == np.uint8
    return _Inputs(
        DENSE_BYTES if as_bytes else DENSE_FLOATS,
        float(scale),
        rows,
        _plain(inputs, np.uint8 if as_bytes else np.float32),
    )


def _listed(dense: _Inputs, columns: int, may_skip: bool) -> tuple[_Inputs, str]:
    """Lists of what is not zero, where that is little enough, and how the inputs are held, in words."""
    if dense.sparse:
        share = len(dense.values) / max(dense.rows * columns, 1)
        return dense, f"inputs as lists ({share:.1%} are not zero)"
    if not may_skip or columns > MOST_SHORT or not dense.rows:
        return dense, "inputs as they are"
    is_bytes = dense.kind == DENSE_BYTES
    # Room for as many as would still be listed; the system gives memory only for what is written.
    limit = int(MOST_LISTED * dense.rows * columns)
    positions = np.empty(limit + columns + LIST_ROOM, np.uint16)
    packed = np.empty(limit + columns + LIST_ROOM, np.uint8 if is_bytes else np.float32)
    starts = np.empty(dense.rows + 1, np.int64)
    listed = _kernel.pack(
        variant(), dense.values, is_bytes, dense.rows, columns, dense.scale, limit, positions, packed, starts
    )
    if listed < 0:
        return dense, f"inputs as they are (more than {MOST_LISTED:.0%} are not zero)"
    share = listed / (dense.rows * columns)
    lists = _Inputs(SHORT_BYTES if is_bytes else SHORT_FLOATS, dense.scale, dense.rows, packed, positions, starts)
    return lists, f"zeros skipped ({share:.0%} of the inputs are not zero)"


def _targets(
    examples: Examples, rows: int, fan_out: int, loss: Loss
) -> tuple[Array | None, Array | None, Array | None]:
    """(labels, rows of numbers, sample weights): one of the first two is None."""
    targets = np.asarray(examples.targets)
    labels = loss.reads_labels and targets.ndim == 1
    if targets.shape != ((rows,) if labels else (rows, fan_out)):
        raise InputError(
            f"targets have shape {shape_text(targets.shape)} for {rows} examples, expected ({rows}, {fan_out})"
            + (f" or ({rows},)" if loss.reads_labels else "")
        )
    if labels and rows and not (targets.min() >= 0 and targets.max() < fan_out):
        raise InputError(
            f"labels run from {targets.min()} to {targets.max()}, expected 0 to {fan_out - 1} for {fan_out} outputs",
            help="renumber the labels, or give the network an output for each class",
        )
    weights = examples.sample_weights
    if weights is not None and weights.shape != (rows,):
        raise InputError(f"sample weights have shape {shape_text(weights.shape)}, expected ({rows},)")
    return (
        _plain(targets, np.int32) if labels else None,
        None if labels else _plain(targets, np.float32),
        None if weights is None else _plain(weights, np.float32),
    )


# ---- The kernel's contexts


def _context(architecture: Architecture, purpose: int, inputs: _Inputs, plan: Plan | None = None) -> Any:
    batch_size = plan.batch_size if plan else min(inputs.rows, MOST_ROWS)
    return _new_context(architecture, purpose, batch_size, inputs.sparse, plan)


def settings_of(part: Loss | Optimizer, room: int) -> tuple[float, ...]:
    """The numbers among the settings of a loss or an optimizer, in their order, as its formula in C reads them."""
    values = [getattr(part, field.name) for field in fields(part)]
    numbers = [float(value) for value in values if isinstance(value, int | float)]
    return (*numbers, *(0.0,) * (room - len(numbers)))


def _new_context(
    architecture: Architecture, purpose: int, batch_size: int, sparse: bool, plan: Plan | None = None
) -> Any:
    loss, optimizer = (plan.loss, plan.optimizer) if plan else _NO_STEPS
    unfit = supports(architecture, "float32", loss, optimizer)
    if unfit:
        raise SettingError(f"the native engine cannot do this: {unfit}", help="use engine='reference'")
    class_weights = getattr(loss, "class_weights", None)
    dropout = plan.dropout if plan else ()
    hidden = len(architecture.layers) - 1
    rates = np.zeros(hidden + 1)
    rates[: min(hidden, len(dropout))] = dropout[:hidden]
    clip_norm = plan.clip_norm if plan and plan.clip_norm is not None else 0.0
    if clip_norm < 0 or (plan and plan.clip_norm == 0) or not isfinite(clip_norm):
        raise SettingError(f"clip_norm is {clip_norm}, expected a finite number above 0", help="None does not clip")
    return _kernel.Context(
        variant(),
        purpose,
        batch_size,
        int(sparse),
        LOSSES.built_in.index(loss.name),
        OPTIMIZERS.built_in.index(optimizer.name),
        settings_of(loss, 2),
        settings_of(optimizer, 4),
        plan.l1 if plan else 0.0,
        max(plan.l2_of_layers) if plan else 0.0,
        clip_norm,
        plan.seed & (2**64 - 1) if plan else 0,
        np.array(architecture.sizes, np.int32),
        np.array([ACTIVATIONS.built_in.index(name) for name in architecture.activations], np.int32),
        rates if rates.any() else None,
        None if class_weights is None else np.array(class_weights, np.float32),
    )
