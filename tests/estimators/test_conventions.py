"""All of scikit-learn's own checks of estimators, and what its validation says."""

import re
import subprocess
import sys
from typing import Any

import numpy as np
import pandas
import polars
import pyarrow
import pytest
from sklearn.base import clone
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import check_estimator

import glassnet as gn
from glassnet.estimators import GlassClassifier, GlassRegressor


def by_status(estimator: Any) -> dict[str, set[str]]:
    """The names of the checks, by how they ended: passed, skipped or failed."""
    found: dict[str, set[str]] = {"passed": set(), "skipped": set(), "failed": set()}
    for result in check_estimator(estimator, on_skip=None, on_fail=None):
        found[result["status"]].add(result["check_name"])
    return found


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("kind", "theirs"), [(GlassClassifier, MLPClassifier), (GlassRegressor, MLPRegressor)])
def test_every_check_passes_and_none_is_skipped_that_mlps_do_not_skip(kind: Any, theirs: Any) -> None:
    skipped_for_mlps = by_status(theirs(max_iter=1))["skipped"]
    for dtype in ("auto", "float64"):
        found = by_status(kind(dtype=dtype))
        assert len(found["passed"]) > 45
        assert not found["failed"]
        assert found["skipped"] <= skipped_for_mlps


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"alpha": -1}, "The 'alpha' parameter of GlassClassifier must be a float in the range [0.0, inf)"),
        ({"solver": "adan"}, "The 'solver' parameter of GlassClassifier must be a str among"),
        ({"max_iter": 0}, "The 'max_iter' parameter of GlassClassifier must be an int in the range [1, inf)"),
        ({"dropout": 1.0}, "The 'dropout' parameter of GlassClassifier must be a float in the range [0.0, 1.0)"),
        ({"hidden_layer_sizes": (4, 0)}, "hidden_layer_sizes must be > 0, got [4, 0]."),
        (
            {"activation": ["relu", "tanh"]},
            "activation has 2 values: expected one, or one for each of the 1 hidden layers",
        ),
        ({"activation": ["rleu"]}, "unknown activation 'rleu': expected one of"),
        ({"alpha": [0.1]}, "alpha has 1 values: expected one, or one for each of the 2 layers"),
        ({"alpha": [0.1, -0.1]}, "alpha must be 0 or more, got -0.1"),
        ({"dropout": [0.1, 0.1]}, "dropout has 2 values: expected one, or one for each of the 1 hidden layers"),
        ({"scoring": "acuracy"}, "acuracy"),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_are_told(iris: Any, settings: dict[str, Any], words: str) -> None:
    estimator = GlassClassifier(**{"max_iter": 2, "early_stopping": "scoring" in settings, **settings})
    with pytest.raises(ValueError, match=re.escape(words)):
        estimator.fit(*iris)


def test_errors_are_scikit_learns_where_it_has_them(iris: Any) -> None:
    inputs, classes = iris
    fitted = GlassClassifier(solver="lbfgs").fit(inputs, classes)
    with pytest.raises(ValueError, match="X has 3 features, but GlassClassifier is expecting 4 features as input"):
        fitted.predict(inputs[:, :3])
    with pytest.raises(ValueError, match="Input X contains NaN"):
        fitted.predict(np.full((1, 4), np.nan))
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array instead"):
        fitted.predict(inputs[0])
    with pytest.raises(ValueError, match="need to be preprocessed. .float32 holds numbers up to 3.4e38."):
        GlassClassifier().fit(inputs * 1e300, classes)
    with pytest.raises(InvalidParameterError):
        GlassRegressor(loss="poisson").fit(inputs, classes)


def test_a_run_that_diverges_is_told_with_what_to_do(diabetes: Any) -> None:
    wild = GlassRegressor(solver="sgd", learning_rate_init=1e6, random_state=0)
    with pytest.raises(ValueError, match="Solver produced non-finite.*lower learning_rate_init .now 1e.06"):
        wild.fit(*diabetes)
    assert not hasattr(wild, "network_")


@pytest.mark.parametrize(
    "as_targets",
    [list, pandas.Series, lambda y: pandas.Series(y).astype("category"), polars.Series, pyarrow.array],
    ids=["list", "pandas", "category", "polars", "arrow"],
)
def test_targets_come_in_any_column(two: Any, as_targets: Any) -> None:
    inputs, classes = two
    fitted = GlassClassifier(solver="lbfgs", random_state=0).fit(inputs, as_targets(classes.tolist()))
    assert fitted.classes_.tolist() == ["versicolor", "virginica"]
    assert set(fitted.predict(inputs)) == {"versicolor", "virginica"}


def test_without_scikit_learn_the_extra_is_named() -> None:
    code = "import sys; sys.modules['sklearn'] = None; import glassnet as gn; gn.GlassClassifier"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "pip install scikit-learn" in run.stderr


def test_they_stand_on_the_public_shelf() -> None:
    assert gn.GlassClassifier is GlassClassifier
    assert gn.GlassRegressor is GlassRegressor
    assert clone(GlassClassifier(alpha=[0.1, 0.2])).alpha == [0.1, 0.2]
