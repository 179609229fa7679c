"""The validation set: given (X_val, y_val), or the part of the data that early stopping holds out."""

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from glassnet.arrays import Array
from glassnet.engines import Examples
from glassnet.errors import InputError
from glassnet.estimators.stopping import ValidationSet

GivenValidation = tuple[Any, Any, Any]
"""(X_val, y_val, sample_weight_val), each None if not given."""


def split_validation(
    estimator: Any, given: Any, examples: Examples, own: GivenValidation
) -> tuple[Examples, ValidationSet | None]:
    """The training examples and the validation set; `given` are the targets before encoding.

    Without a given set, early stopping holds out `validation_fraction` of the examples: always the same ones for the
    same data and `random_state`, stratified by class.
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
    validation_set = ValidationSet(
        examples.inputs[others],
        examples.targets[others],
        given[others],
        None if weights is None else weights[others],
    )
    remaining: Array | None = None if weights is None else weights[rows]
    return Examples(examples.inputs[rows], 1.0, examples.targets[rows], remaining), validation_set


def _own(estimator: Any, own: GivenValidation) -> ValidationSet:
    if own[1] is None:
        raise InputError("X_val without y_val: validation data needs both")
    inputs, given = estimator._validated(own[0], own[1], reset=False)
    return ValidationSet(
        estimator._narrowed(inputs), estimator._encoded(given), given, estimator._weights(own[2], inputs, given)
    )
