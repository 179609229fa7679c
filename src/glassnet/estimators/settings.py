"""Translation of the parameters of scikit-learn's MLPs.

Names and meaning are those of MLPClassifier and MLPRegressor. Two of their conventions need a factor, the `unit`: they
use half of the squared error and add up the errors of several outputs, where glassnet takes the mean; and they divide
`alpha` by the weight of the batch.

    their loss = unit * ours + alpha / 2 * sum w^2 / weight of a batch
"""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval, Options, StrOptions

from glassnet.activations import ACTIVATIONS, PROBABILITIES
from glassnet.architecture import Architecture
from glassnet.arrays import DTYPES, Array
from glassnet.engines import ENGINES
from glassnet.errors import SettingError
from glassnet.losses import BinaryCrossEntropy, Loss, SquaredError
from glassnet.names import PLAIN
from glassnet.optimizers import OPTIMIZERS, SGD, Adam, AdamW, Momentum, Nesterov, Optimizer
from glassnet.optimizers import optimizer as known_optimizer
from glassnet.schedules import SCHEDULES, Schedule

HIDDEN = {name for of in ACTIVATIONS.values() if of.trainable and not of.by_row for name in (of.name, *of.aliases)}
"""The names of activations for hidden layers, scikit-learn's among them."""
RATES = ("constant", "invscaling", "adaptive")
"""scikit-learn's own words for how the learning rate moves; they count for solver="sgd" alone."""

FEW = 64
"""So many examples are computed with in float64 by dtype="auto": they take no time worth saving, and checks that
compare fits to seven digits, as scikit-learn's do, hold."""

CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(HIDDEN), callable, list, tuple],
    "solver": [StrOptions({"lbfgs", *OPTIMIZERS}), Optimizer],
    "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
    "batch_size": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
    "learning_rate": [StrOptions({*RATES, *SCHEDULES}), Schedule],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "power_t": [Interval(Real, 0, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "shuffle": ["boolean"],
    "random_state": ["random_state"],
    "tol": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "warm_start": ["boolean"],
    "momentum": [Interval(Real, 0, 1, closed="left")],
    "nesterovs_momentum": ["boolean"],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "beta_1": [Interval(Real, 0, 1, closed="left")],
    "beta_2": [Interval(Real, 0, 1, closed="left")],
    "epsilon": [Interval(Real, 0, None, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), Options(Real, {np.inf})],
    "max_fun": [Interval(Integral, 1, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left"), "array-like"],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "scoring": [str, callable, None],
    "callbacks": ["array-like", None],
    "engine": [StrOptions(set(ENGINES))],
    "dtype": [StrOptions({"auto", *DTYPES})],
}


def dtype(estimator: Any, examples: int, incremental: bool) -> str:
    """What "auto" comes to: float32, which the kernel computes in; for L-BFGS and few examples float64."""
    if estimator.dtype != "auto":
        return str(estimator.dtype)
    return "float64" if estimator.solver == "lbfgs" or (examples <= FEW and not incremental) else "float32"


def architecture(estimator: Any, fan_in: int, fan_out: int, output: str) -> Architecture:
    """Sizes and activations; `activation` is one for all hidden layers, or one for each."""
    sizes = np.atleast_1d(np.asarray(estimator.hidden_layer_sizes, dtype=object)).tolist()
    if any(not isinstance(size, Integral) or size <= 0 for size in sizes):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    names = of_layers("activation", estimator.activation, len(sizes), "hidden layers")
    return Architecture.of((fan_in, *sizes, fan_out), [*names, output])


def of_layers(name: str, given: Any, count: int, layers: str = "layers") -> tuple[Any, ...]:
    """A setting given as one value for all layers, or one for each."""
    if isinstance(given, str | Real) or callable(given):
        return (given,) * count
    if len(given) != count:
        raise SettingError(f"{name} has {len(given)} values: expected one, or one for each of the {count} {layers}")
    return tuple(given)


def unit(loss: Loss, fan_out: int) -> float:
    """Factor from our loss to scikit-learn's; 1 for losses that it does not have."""
    if isinstance(loss, SquaredError):
        return fan_out / 2
    return float(fan_out) if isinstance(loss, BinaryCrossEntropy) else 1.0


def optimizer(estimator: Any, unit: float) -> Optimizer:
    """The update rule, with scikit-learn's settings in our units."""
    solver = estimator.solver
    if isinstance(solver, Optimizer):
        return solver
    if solver == SGD.name:
        if estimator.momentum == 0:
            return SGD()
        return (Nesterov if estimator.nesterovs_momentum else Momentum)(estimator.momentum)
    if solver in (Adam.name, AdamW.name):
        decays = (estimator.beta_1, estimator.beta_2, estimator.epsilon / unit)
        return Adam(*decays) if solver == Adam.name else AdamW(*decays, estimator.weight_decay)
    return known_optimizer(solver)


def l2(estimator: Any, unit: float, batch_weight: float, layers: int) -> tuple[float, ...]:
    """`alpha`, one for all layers or one for each, as the penalty of each layer."""
    penalties = of_layers("alpha", estimator.alpha, layers)
    if min(penalties) < 0:
        raise SettingError(f"alpha must be 0 or more, got {min(penalties):g}")
    return tuple(float(alpha) / unit / batch_weight for alpha in penalties)


def dropout(estimator: Any, hidden: int) -> tuple[float, ...]:
    """Dropout rate of each hidden layer."""
    rates = of_layers("dropout", estimator.dropout, hidden, "hidden layers")
    if any(not 0 <= rate < 1 for rate in rates):
        raise SettingError(f"dropout must be from 0 to below 1, got {rates}")
    return rates


def start(shape: Architecture, random: np.random.RandomState, dtype: str) -> Array:
    """The flat vector that training starts from: the very weights and biases that scikit-learn's MLPs draw from this
    `random_state` (Glorot and Bengio, 2010: uniform on +- sqrt(6 / (fan_in + fan_out)), for the sigmoid a third of 6).
    """
    vector = np.empty(shape.layers[-1].stop, dtype)
    hidden = shape.activations[:-1]
    for i, layer in enumerate(shape.layers):
        name = hidden[min(i, len(hidden) - 1)] if hidden else PLAIN
        bound = np.sqrt((2.0 if name == PROBABILITIES["yes or no"] else 6.0) / (layer.fan_in + layer.fan_out))
        weights = random.uniform(-bound, bound, (layer.fan_in, layer.fan_out))
        vector[layer.start : layer.biases_start] = weights.T.ravel()
        vector[layer.biases_start : layer.stop] = random.uniform(-bound, bound, layer.fan_out)
    return vector


def has_steps(estimator: Any) -> bool:
    """Whether the solver goes by batches, so that there can be a partial_fit."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit is only available for stochastic optimizers. lbfgs is not stochastic.")
    return True
