"""scikit-learn's MLPs as the oracle: from the same random_state the same numbers, where both compute in float64 and see
the examples in the same order. (Adam's epsilon stands elsewhere in the two
formulas: it is kept out of the way.)"""

from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from glassnet.estimators import GlassClassifier, GlassRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
COMMON: dict[str, Any] = {"hidden_layer_sizes": (7, 5), "random_state": 3, "max_iter": 12, "shuffle": False}


def both(kind: str, data: Any, weights: Any = None, **settings: Any) -> tuple[Any, Any]:
    """glassnet's and scikit-learn's, fitted alike."""
    ours, theirs = {
        "classifier": (GlassClassifier, MLPClassifier),
        "regressor": (GlassRegressor, MLPRegressor),
    }[kind]
    settings = {**COMMON, **settings}
    return (
        ours(**settings, dtype="float64").fit(*data, sample_weight=weights),
        theirs(**settings).fit(*data, sample_weight=weights),
    )


def assert_alike(ours: Any, theirs: Any, inputs: Any, rtol: float) -> None:
    for mine, other in zip([*ours.coefs_, *ours.intercepts_], [*theirs.coefs_, *theirs.intercepts_], strict=True):
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=rtol)
    verb = "predict_proba" if hasattr(theirs, "predict_proba") else "predict"
    np.testing.assert_allclose(getattr(ours, verb)(inputs), getattr(theirs, verb)(inputs), rtol=rtol, atol=rtol)
    np.testing.assert_array_equal(ours.predict(inputs[:3]).shape, theirs.predict(inputs[:3]).shape)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name


SGD = [
    {"momentum": 0},
    {"nesterovs_momentum": False},
    {},
    {"learning_rate": "adaptive", "tol": 10.0, "n_iter_no_change": 2, "momentum": 0},
    {"learning_rate": "invscaling", "power_t": 0.3, "momentum": 0},
    {"alpha": 3.0},
    {"activation": "logistic"},
    {"activation": "tanh", "batch_size": 50},
    {"activation": "identity"},
]


@pytest.mark.parametrize("settings", SGD, ids=str)
@pytest.mark.parametrize("data", ["iris", "two", "labels"])
def test_a_classifier_by_sgd(data: str, settings: dict[str, Any], request: Any) -> None:
    table = request.getfixturevalue(data)
    given = {"solver": "sgd", "learning_rate_init": 0.05, **settings}
    assert_alike(*both("classifier", table, **given), table[0], 1e-9)


@pytest.mark.parametrize("settings", SGD, ids=str)
@pytest.mark.parametrize("outputs", [1, 3])
def test_a_regressor_by_sgd(diabetes: Any, outputs: int, settings: dict[str, Any]) -> None:
    inputs, targets = diabetes
    table = inputs, targets if outputs == 1 else np.c_[targets, -targets, targets**2]
    given = {"solver": "sgd", "learning_rate_init": 0.01, **settings}
    assert_alike(*both("regressor", table, **given), inputs, 1e-9)


@pytest.mark.parametrize(
    ("kind", "data"), [("classifier", "iris"), ("classifier", "labels"), ("regressor", "diabetes")]
)
def test_by_adam(kind: str, data: str, request: Any) -> None:
    table = request.getfixturevalue(data)
    assert_alike(*both(kind, table, beta_1=0.8, beta_2=0.99, epsilon=1e-14, alpha=0.1), table[0], 1e-6)


@pytest.mark.parametrize(("kind", "data"), [("classifier", "iris"), ("classifier", "two"), ("regressor", "diabetes")])
def test_by_lbfgs(kind: str, data: str, request: Any) -> None:
    table = request.getfixturevalue(data)
    ours, theirs = both(kind, table, solver="lbfgs", alpha=0.1, max_iter=8)
    assert_alike(ours, theirs, table[0], 1e-6)
    assert ours.loss_ == pytest.approx(theirs.loss_)


@pytest.mark.parametrize(("kind", "data"), [("classifier", "iris"), ("regressor", "diabetes")])
def test_with_weights_of_examples(kind: str, data: str, request: Any) -> None:
    table = request.getfixturevalue(data)
    weights = np.random.default_rng(0).integers(0, 4, len(table[1])).astype(float)
    assert_alike(*both(kind, table, weights, solver="sgd", alpha=0.5), table[0], 1e-9)


@pytest.mark.parametrize(
    ("kind", "data"), [("classifier", "iris"), ("classifier", "labels"), ("regressor", "diabetes")]
)
def test_the_loss_curve(kind: str, data: str, request: Any) -> None:
    ours, theirs = both(kind, request.getfixturevalue(data), solver="sgd", alpha=0)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_)
    assert ours.loss_ == pytest.approx(theirs.loss_)
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_)


def test_stopping_after_as_many_epochs(iris: Any) -> None:
    for settings in ({"tol": 0.02}, {"tol": 0.01, "n_iter_no_change": 3}):
        ours, theirs = both("classifier", iris, solver="sgd", alpha=0, max_iter=300, **settings)
        assert ours.n_iter_ == theirs.n_iter_ < 300


def test_shuffled_and_in_float32_they_learn_as_well(iris: Any) -> None:
    ours, theirs = (kind((20,), random_state=0).fit(*iris) for kind in (GlassClassifier, MLPClassifier))
    assert ours.network_.dtype == "float32"
    assert ours.score(*iris) >= theirs.score(*iris) - 0.02
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=0.05)


@pytest.mark.parametrize("kind", [GlassClassifier, MLPClassifier])
def test_they_warn_alike(iris: Any, kind: Any) -> None:
    with pytest.warns(ConvergenceWarning, match="Maximum iterations .2. reached and the optimization hasn't converged"):
        kind(max_iter=2).fit(*iris)
    with pytest.warns(UserWarning, match="Got `batch_size` less than 1 or larger than sample size"):
        kind(max_iter=2, batch_size=1000).fit(*iris)
