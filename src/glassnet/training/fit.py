"""The door to training: settings checked once, then a `Run` that goes epoch by epoch.

for epoch in epochs(network, data):  print(epoch.number, epoch.loss, epoch.network)

train(network, data).network          the same, to the end
"""

import os
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, ParamSpec

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array, numeric, shape_text
from glassnet.data.dataset import Dataset
from glassnet.data.stream_dataset import Stream
from glassnet.engines.base import Engine, Plan
from glassnet.errors import InputError, SettingError
from glassnet.evaluation import meeting
from glassnet.losses import CrossEntropy, Loss, is_labels
from glassnet.network import Network
from glassnet.optimizers import Optimizer
from glassnet.optimizers import optimizer as known_optimizer
from glassnet.schedules import Schedule
from glassnet.schedules import schedule as known_schedule
from glassnet.training.history import Epoch, History
from glassnet.training.run import DivergedError, Run
from glassnet.training.target_scaling import Unit

__all__ = ["DivergedError", "Epoch", "History", "Run", "Training", "epochs", "train", "train_many"]


@dataclass(frozen=True)
class Training:
    """What a run gives: the network (the best one where early stopping was on, else the last), every epoch's figures,
    and why it ended: "all epochs done", "stopped early", "stopped by a callback" or "interrupted"."""

    network: Network
    history: History
    ended: str


def epochs(
    network: Network,
    data: Any,
    *,
    validation: Any = None,
    epochs: int = 15,
    batch_size: int = 64,
    optimizer: str | Optimizer = "adam",
    learning_rate: float | None = None,
    schedule: str | Schedule = "one_cycle",
    loss: str | Loss | None = None,
    class_weight: "str | Sequence[float] | Mapping[int, float] | None" = None,
    sample_weight: Any = None,
    l1: float = 0.0,
    l2: float | Sequence[float] = 0.0,
    dropout: float | Sequence[float] = 0.0,
    clip_norm: float | None = None,
    patience: int | None = None,
    seed: int = 0,
    engine: str | Engine = "auto",
    device: str | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    resume: bool = False,
    progress: Callable[[int, int], None] | None = None,
    callbacks: Iterable[Callable[[Epoch], object]] = (),
) -> Run:
    """Train, one `Epoch` at a time.

    network        where the numbers start; it is not changed
    data           what is learnt from: a `Dataset`, a `Stream`, or a pair (inputs, targets)
    validation     data that is only looked at, after each epoch
    epochs         how often all examples are seen
    batch_size     how many examples make a step (the last batch of an epoch may be smaller)
    optimizer      the update rule: a name from `optimizers`, or one of its classes with settings
    learning_rate  how far a step goes; without it the rule's own usual one
    schedule       how the learning rate moves: a name from `schedules`, or one of its classes
    loss           a name from `losses`, or one of its classes; without it the one that fits targets and last layer
    class_weight   how much each class counts: a number per class, {class: number}, or "balanced": against its frequency
    sample_weight  how much each example counts, (n,)
    l1, l2         penalties on the weights: l1 * sum |w| + l2 / 2 * sum w^2 is added to the loss; l2 may be one for
                   each layer
    dropout        the share of hidden activations dropped at each step: one for all hidden layers, or one for each
    clip_norm      the longest gradient that is followed as it is; longer ones are shortened to this
    patience       stop when the validation loss has not got lower for so many epochs, and keep the best network
    seed           of the order of examples and of dropout
    engine         "auto", one by name, or one made with settings such as `engine.torch.Torch(bfloat16=True)`
    device         where torch computes: "cpu", "cuda" (or "cuda:1"), "mps"
    checkpoint     a file in which the run is kept after each epoch, all or nothing
    resume         go on from that file where it exists; settings and data must be those it was made with
    progress       is called with (batches done, batches in all) of the epoch, some twenty times a second
    callbacks      are called with each `Epoch` (see `tracking`); the run ends where one of them answers True

    Measurements of a data set with a schema (a table's, not those of plain arrays) are standardised for the run, and
    the last layer of every network that comes out of it gives them in their unit; the losses of the epochs are those
    of standardised targets, `evaluate` gives them in the unit.

    Raises `InputError` and `SettingError` at once for data and settings that do not fit, and, while running,
    `DivergedError` with what was last good.
    """
    start, data, _ = meeting(network, data)
    if validation is not None:
        start, validation, _ = meeting(start, validation)
    for i, name in enumerate(start.architecture.activations):
        if not activation(name).trainable:
            raise SettingError(
                f"layer {i} has activation {name!r}, which has no gradient to train with",
                help=f"train network.with_activation({i}, 'sigmoid'), then set {name!r} again",
            )
    kind = start.loss_for(data.targets, loss)
    weights = _sample_weights(sample_weight, len(data))
    if class_weight is not None:
        kind, weights = _with_class_weight(kind, weights, class_weight, data, start.sizes[-1])
    if weights is not None and isinstance(data, Stream):
        raise SettingError(
            "a stream cannot have a weight for each example",
            help="read the data into memory, or use class_weight with cross_entropy",
        )
    rule = known_optimizer(optimizer)
    _check_whole("epochs", epochs, 0)
    _check_whole("batch_size", batch_size, 1)
    _check_whole("seed", seed, 0)
    _check_range("l1", l1, 0)
    penalty = _l2(l2, len(start.layers))
    rate = rule.default_learning_rate if learning_rate is None else learning_rate
    _check_range("learning_rate", rate, 0)
    if clip_norm is not None:
        _check_range("clip_norm", clip_norm, 0)
    if patience is not None:
        _check_whole("patience", patience, 1)
        if validation is None:
            raise SettingError(
                "patience needs validation data", help="pass validation=..., for example from data.split(0.1)"
            )
    unit = Unit.for_run(start, data)
    if unit is not None:
        start, data = unit.started(start), unit.standardise(data)
        validation = None if validation is None else unit.standardise(validation)
    return Run(
        start=start,
        data=data,
        sample_weights=weights,
        validation=validation,
        unit=unit,
        plan=Plan(
            architecture=start.architecture,
            loss=kind,
            optimizer=rule,
            batch_size=batch_size,
            l1=l1,
            l2=penalty,
            dropout=_dropout(dropout, len(start.layers) - 1),
            clip_norm=clip_norm,
            seed=seed,
        ),
        learning_rate=rate,
        schedule=known_schedule(schedule),
        epochs=epochs,
        patience=patience,
        engine=engine,
        device=device,
        checkpoint=None if checkpoint is None else Path(checkpoint),
        resume=resume,
        progress=progress,
        callbacks=tuple(callbacks),
    )


P = ParamSpec("P")


def _to_the_end(of: Callable[P, Run]) -> Callable[P, Training]:
    @wraps(of)
    def train(*args: P.args, **kwargs: P.kwargs) -> Training:
        run = of(*args, **kwargs)
        try:
            return _finish(run)
        except KeyboardInterrupt:
            warnings.warn(f"interrupted: the network is that of epoch {len(run.history)}", stacklevel=2)
            return Training(run.network, run.history, run.ended)

    # To `help` and editors it is a function of its own, with the settings of `epochs` and another result.
    del train.__wrapped__
    train.__name__ = train.__qualname__ = "train"
    train.__annotations__ = {**of.__annotations__, "return": Training}
    train.__signature__ = signature(of).replace(return_annotation=Training)  # type: ignore[attr-defined]
    train.__doc__ = f"""Train to the end and give the `Training`: network, history, and why it ended.

    Ctrl-C ends it with a warning, with the network of the last finished epoch.
    {(of.__doc__ or "").split(chr(10), 1)[1]}"""
    return train


train = _to_the_end(epochs)


def train_many(runs: Iterable[Run], *, threads: int | None = None) -> list[Training]:
    """Train several networks at once: ensembles, seeds, sweeps. `runs` come from `epochs(...)`, as many as you like:

        train_many(epochs(start, data, seed=seed) for seed in range(16))

    Each run has a thread of its own, `threads` at a time (all cores without it); what they give does not depend on
    that. The native engine leaves Python's lock alone, so they really go on side by side. The first error ends it.
    """
    workers = threads or os.cpu_count() or 1
    _check_whole("threads", workers, 1)
    runs = list(runs)
    with ThreadPoolExecutor(workers, thread_name_prefix="glassnet") as pool:
        try:
            return list(pool.map(_finish, runs))
        except BaseException:
            for run in runs:
                run.stop()
            raise


def _finish(run: Run) -> Training:
    for _ in run:
        pass
    return Training(run.network, run.history, run.ended)


def _sample_weights(given: Any, count: int) -> Array | None:
    if given is None:
        return None
    weights = numeric(given, "sample_weight").astype(np.float64, copy=False)
    if weights.shape != (count,) or weights.min() < 0 or not weights.any():
        raise InputError(
            f"sample_weight has shape {shape_text(weights.shape)} and its smallest value is "
            f"{weights.min(initial=0):g}: expected ({count},) numbers from 0 up, not all 0"
        )
    return weights


def _with_class_weight(
    loss: Loss, weights: Array | None, wanted: Any, data: Dataset | Stream, outputs: int
) -> tuple[Loss, Array | None]:
    """Cross-entropy has class weights of its own; for another loss they become weights of the examples."""
    targets = data.targets
    if not is_labels(targets):
        raise SettingError(
            "class_weight needs targets that are class labels", help="use sample_weight for measured targets"
        )
    classes = max(outputs, 2)
    if isinstance(wanted, str):
        if wanted != "balanced":
            raise SettingError(f"unknown class_weight {wanted!r}: expected 'balanced' or a number for each class")
        counts = np.array(data.counts) if isinstance(data, Stream) else np.bincount(targets, minlength=classes)
        by_class = counts.sum() / (classes * np.maximum(counts, 1))
    elif isinstance(wanted, Mapping):
        by_class = np.ones(classes)
        for label, weight in wanted.items():
            if label not in range(classes):
                raise SettingError(f"class_weight names class {label!r}: expected classes from 0 to {classes - 1}")
            by_class[label] = weight
    else:
        by_class = numeric(wanted, "class_weight").astype(np.float64)
    if by_class.shape != (classes,) or by_class.min() < 0:
        raise SettingError(
            f"class_weight has {by_class.size} values from {by_class.min():g} up: expected {classes} numbers from "
            "0 up, one per class"
        )
    if isinstance(loss, CrossEntropy):
        return replace(loss, class_weights=tuple(by_class.tolist())), weights
    of_examples = by_class[targets]
    return loss, of_examples if weights is None else weights * of_examples


def _l2(given: float | Sequence[float], layers: int) -> float | tuple[float, ...]:
    if not isinstance(given, Sequence | np.ndarray):
        _check_range("l2", given, 0)
        return given
    for penalty in given:
        _check_range("l2", penalty, 0)
    if len(given) != layers:
        raise SettingError(f"l2 has {len(given)} values: expected one number, or one for each of the {layers} layers")
    return tuple(float(penalty) for penalty in given)


def _dropout(given: float | Sequence[float], hidden: int) -> tuple[float, ...]:
    rates = (float(given),) * hidden if isinstance(given, int | float) else tuple(float(rate) for rate in given)
    if len(rates) != hidden or not all(0 <= rate < 1 for rate in rates):
        raise SettingError(
            f"dropout {given!r} is out of range: expected a rate from 0 to below 1, or one for each of the "
            f"{hidden} hidden layers",
            help="0.2 to 0.5 is usual, 0 turns it off",
        )
    return rates


def _check_whole(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise SettingError(f"{name} must be a whole number from {least} up, got {value!r}")


def _check_range(name: str, value: Any, above: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not above <= value < float("inf"):
        raise SettingError(f"{name} must be a finite number from {above:g} up, got {value!r}")
