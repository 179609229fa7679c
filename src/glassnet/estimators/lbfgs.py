"""fit by L-BFGS (Byrd, Lu, Nocedal and Zhu, 1995): all examples at each step, in float64, as its line search needs."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from glassnet.architecture import Architecture
from glassnet.arrays import Array
from glassnet.engines import Examples, reference
from glassnet.losses import Loss


def minimise(
    estimator: Any, shape: Architecture, loss: Loss, examples: Examples, start: Array, unit: float, l2: Sequence[float]
) -> Array:
    """The parameters where the loss with its penalties, `l2` for each layer, is least, float64, from `start` on.

    Sets `loss_` and `n_iter_`; warns where `max_iter` or `max_fun` end it before its time.
    """
    penalties = np.zeros(len(start))
    for layer, penalty in zip(shape.layers, l2, strict=True):
        penalties[layer.start : layer.biases_start] = penalty

    def value_and_slopes(parameters: Array) -> tuple[float, Array]:
        value, slopes = reference.gradient(shape, parameters, examples, loss)
        pull = penalties * parameters
        return unit * (value + float(pull @ parameters) / 2), unit * (slopes + pull)

    options = {"maxfun": estimator.max_fun, "maxiter": estimator.max_iter, "gtol": estimator.tol}
    found = minimize(value_and_slopes, start.astype(np.float64), method="L-BFGS-B", jac=True, options=options)
    if found.status != 0:
        warnings.warn(
            f"lbfgs failed to converge after {found.nit} iteration(s) (status={found.status}): {found.message}. "
            "Increase max_iter or max_fun, or scale the data.",
            ConvergenceWarning,
            stacklevel=2,
        )
    estimator.loss_, estimator.n_iter_ = float(found.fun), min(int(found.nit), estimator.max_iter)
    result: Array = found.x
    return result
