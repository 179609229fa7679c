"""scikit-learn's bundled tables, scaled, small enough for many quick fits."""

from typing import Any

import pytest
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.preprocessing import scale


@pytest.fixture(scope="session")
def iris() -> tuple[Any, Any]:
    """150 rows of 4, three classes."""
    inputs, classes = load_iris(return_X_y=True)
    return scale(inputs), classes


@pytest.fixture(scope="session")
def two() -> tuple[Any, Any]:
    """100 rows of 4, two classes by name, hard to part."""
    inputs, classes = load_iris(return_X_y=True)
    return scale(inputs[50:]), load_iris().target_names[classes[50:]]


@pytest.fixture(scope="session")
def labels() -> tuple[Any, Any]:
    """100 rows of 20, five labels each."""
    inputs, rows = make_multilabel_classification(100, random_state=0)
    return scale(inputs), rows


@pytest.fixture(scope="session")
def diabetes() -> tuple[Any, Any]:
    """200 rows of 10, one measurement."""
    inputs, targets = load_diabetes(return_X_y=True)
    return scale(inputs[:200]), scale(targets[:200])
