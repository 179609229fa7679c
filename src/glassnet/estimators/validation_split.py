"""The validation set: one's own (X_val, y_val), or the part of the data that early stopping holds out."""

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from glassnet.arrays import Array
from glassnet.engines import Examples
from glassnet.errors import InputError
from glassnet.estimators.stopping import HeldOut

OwnSet = tuple[Any, Any, Any]
"""(X_val, y_val, sample_weight_val), each of them None where it is not given."""


def held_out(estimator: Any, given: Any, examples: Examples, own: OwnSet) -> tuple[Examples, HeldOut | None]:
    """What is learnt from, and what is only looked at; `given` are the examples' targets as they came.

    Early stopping holds `validation_fraction` of the examples out where there is no set of one's own: always the same
    ones for the same data and `random_state`, in equal shares of the classes.
    """
    if own[0] is not None:
        return examples, _own(estimator, own)
    if own[1] is not None or own[2] is not None:
        raise InputError("y_val without X_val: validation data needs both")
    if not estimator.early_stopping:
        return examples, None
    rows, others = train_test_split(
        np.arange(len(examples.targets)),
        random_state=estimator._progress.seed,
        test_size=estimator.validation_fraction,
        stratify=given if estimator._stratified else None,
    )
    if len(others) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    weights = examples.sample_weights
    looked_at = HeldOut(
        examples.inputs[others],
        examples.targets[others],
        given[others],
        None if weights is None else weights[others],
    )
    kept: Array | None = None if weights is None else weights[rows]
    return Examples(examples.inputs[rows], 1.0, examples.targets[rows], kept), looked_at


def _own(estimator: Any, own: OwnSet) -> HeldOut:
    if own[1] is None:
        raise InputError("X_val without y_val: validation data needs both")
    inputs, given = estimator._validated(own[0], own[1], reset=False)
    return HeldOut(
        estimator._narrowed(inputs), estimator._encoded(given), given, estimator._weights(own[2], inputs, given)
    )
