"""Public functions of training: settings are validated once, then a `Run` computes epoch by epoch.

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
import numpy.typing as npt

from glassnet.activations import activation
from glassnet.arrays import Array, numeric, shape_text
from glassnet.data.dataset import Dataset
from glassnet.data.stream_dataset import Stream
from glassnet.engines.base import Engine, Plan
from glassnet.errors import InputError, SettingError
from glassnet.evaluation import Data, meeting
from glassnet.losses import CrossEntropy, Loss, LossLike, is_labels
from glassnet.names import DEFAULT_NEURON, DEFAULT_OPTIMIZER
from glassnet.network import Network
from glassnet.optimizers import Optimizer
from glassnet.optimizers import optimizer as known_optimizer
from glassnet.render.document import Document, Record
from glassnet.render.parts import Section
from glassnet.schedules import Schedule
from glassnet.schedules import schedule as known_schedule
from glassnet.training.history import Epoch, History
from glassnet.training.run import DivergedError, Run
from glassnet.training.target_scaling import Unit

__all__ = ["DivergedError", "Epoch", "History", "Run", "Training", "epochs", "train", "train_many"]


@dataclass(frozen=True)
class Training(Record):
    """Result of a training run.

    Parameters
    ----------
    network : Network
        The best network with early stopping, else the last.
    history : History
        Losses and measures of each epoch.
    ended : str
        "all epochs done", "stopped early", "stopped by a callback" or "interrupted".
    """

    network: Network
    history: History
    ended: str

    def document(self) -> Document:
        """The network, how the run ended, and the losses and measures of its epochs."""
        figures = self.history.document()
        return Document(f"{self.network!r}: {self.ended}", [Section(figures.title, figures.parts)])


def epochs(
    network: Network,
    data: Data,
    *,
    validation: Data | None = None,
    epochs: int = 15,
    batch_size: int = 64,
    optimizer: str | Optimizer | type[Optimizer] = DEFAULT_OPTIMIZER,
    learning_rate: float | None = None,
    schedule: str | Schedule | type[Schedule] = "one_cycle",
    loss: LossLike | None = None,
    class_weight: "str | Sequence[float] | Mapping[int, float] | None" = None,
    sample_weight: npt.ArrayLike | None = None,
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
    restart: bool = False,
    progress: Callable[[int, int], None] | None = None,
    callbacks: Iterable[Callable[[Epoch], object]] = (),
) -> Run:
    """Train, one `Epoch` at a time.

    Parameters
    ----------
    network : Network
        Start values; it does not change.
    data : Dataset, Stream or pair (inputs, targets)
        Training data.
    validation : Dataset, Stream or pair, optional
        Data evaluated after each epoch; never trained on.
    epochs : int, default 15
        Number of passes over the data.
    batch_size : int, default 64
        Examples in a step; the last batch of an epoch may be smaller.
    optimizer : str or Optimizer, default "adam"
        A name from `optimizers`, or one of its classes with settings.
    learning_rate : float, optional
        By default the optimizer's usual one.
    schedule : str or Schedule, default "one_cycle"
        How the learning rate changes: a name from `schedules`, or one of its classes.
    loss : str or Loss, optional
        A name from `losses`, or one of its classes; by default the one that fits targets and last layer.
    class_weight : "balanced", sequence of float or dict, optional
        Weight of each class; "balanced" is inverse to its frequency.
    sample_weight : array_like of shape (n,), optional
        Weight of each example.
    l1, l2 : float, default 0.0
        Penalties on the weights: l1 * sum |w| + l2 / 2 * sum w^2 is added to the loss; l2 may be one for each layer.
    dropout : float or sequence of float, default 0.0
        Rate of dropped activations, for all hidden layers or for each.
    clip_norm : float, optional
        Gradients longer than this are shortened to it.
    patience : int, optional
        Stop after this many epochs without improvement in validation loss, and return the best network.
    seed : int, default 0
        Seed of the order of examples and of dropout.
    engine : str or Engine, default "auto"
        A name, or one with settings, such as `engines.torch.Torch(bfloat16=True)`.
    device : str, optional
        Device of torch: "cpu", "cuda" (or "cuda:1"), "mps".
    checkpoint : str or path, optional
        File in which the state is saved after each epoch, atomically.
    resume : bool, default False
        Continue from `checkpoint` if it exists; settings and data must be the same.
    restart : bool, default False
        Replace an existing `checkpoint`; without this and `resume` it is an error.
    progress : callable, optional
        Called with (batches done, all batches) of the epoch, some twenty times a second.
    callbacks : iterable of callable, optional
        Called with each `Epoch` (see `tracking`); the run ends when one returns True.

    Returns
    -------
    Run
        Iterate over it for its epochs.

    Raises
    ------
    InputError
        If the data does not fit the network.
    SettingError
        If a setting is out of range.
    DivergedError
        While running, if the loss is not finite; it has the last good network.

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.xor(n=40, seed=0)
    >>> network = gn.Network.create("2-4-2", "tanh", output="softmax", seed=0)
    >>> [epoch.number for epoch in gn.training.epochs(network, data, epochs=3)]
    [1, 2, 3]
    """
    start, data, _ = meeting(network, data)
    if validation is not None:
        start, validation, _ = meeting(start, validation)
    for i, name in enumerate(start.architecture.activations):
        if not activation(name).trainable:
            raise SettingError(
                f"layer {i} has activation {name!r}, which has no gradient to train with",
                help=f"train network.with_activation({i}, {DEFAULT_NEURON!r}), then set {name!r} again",
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
        restart=restart,
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
    parameters, _, errors = (of.__doc__ or "").partition("    Parameters\n")[2].partition("    Returns\n")
    train.__doc__ = f"""Train to the end.

    Ctrl-C ends it with a warning, with the network of the last finished epoch.

    Parameters
{parameters}    Returns
    -------
    Training
        The network, its history, and why it ended.

    Raises
{errors.partition("    Raises" + chr(10))[2].partition("    Examples")[0]}    Examples
    --------
    >>> import glassnet as gn
    >>> train, test = gn.data.xor(n=200, seed=0).split(0.25)
    >>> network = gn.Network.create("2-8-2", "tanh", output="softmax", seed=0)
    >>> result = gn.train(network, train, validation=test, epochs=30, batch_size=10, learning_rate=0.05)
    >>> result.ended, len(result.history)
    ('all epochs done', 30)
    >>> gn.evaluate(result.network, test).accuracy > 0.9
    True
    """
    return train


train = _to_the_end(epochs)


def train_many(runs: Iterable[Run], *, threads: int | None = None) -> list[Training]:
    """Train several networks at once: ensembles, seeds, sweeps.

    Each run has its own thread. The native engine releases Python's lock, so that they compute in parallel. The results
    do not depend on the number of threads; the first error ends all.

    Parameters
    ----------
    runs : iterable of Run
        From `epochs(...)`.
    threads : int, optional
        Runs at a time; by default the number of cores.

    Returns
    -------
    list of Training

    Examples
    --------
    >>> import glassnet as gn
    >>> data = gn.data.xor(n=40, seed=0)
    >>> network = gn.Network.create("2-4-2", "tanh", output="softmax", seed=0)
    >>> found = gn.train_many(gn.training.epochs(network, data, epochs=1, seed=seed) for seed in range(3))
    >>> len(found)
    3
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
