"""Inside scikit-learn's own tools: pipelines, searches, cross-validation, calibration, joblib's backends."""

from typing import Any

import joblib
import numpy as np
import pytest
from scipy.stats import loguniform
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, StackingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_val_predict, cross_validate
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from glassnet.estimators import GlassClassifier, GlassRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
QUICK: dict[str, Any] = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 60, "learning_rate_init": 0.01}
GRID = {"glassclassifier__alpha": [1e-4, 1.0], "glassclassifier__activation": ["relu", ["tanh"]]}


def search(n_jobs: int | None = None) -> GridSearchCV:
    return GridSearchCV(make_pipeline(StandardScaler(), GlassClassifier(**QUICK)), GRID, cv=3, n_jobs=n_jobs)


@pytest.fixture(scope="module")
def alone(iris: Any) -> Any:
    """What the search finds without any help."""
    return search().fit(*iris).cv_results_["mean_test_score"]


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_joblib_finds_the_same_in_threads_and_processes(iris: Any, alone: Any, backend: str) -> None:
    with joblib.parallel_config(backend, n_jobs=2):
        np.testing.assert_array_equal(search().fit(*iris).cv_results_["mean_test_score"], alone)


@pytest.mark.filterwarnings("ignore:::distributed", "ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_joblib_finds_the_same_on_dask(iris: Any, alone: Any) -> None:
    from distributed import Client

    with (
        Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None),
        joblib.parallel_config("dask"),
    ):
        np.testing.assert_array_equal(search(n_jobs=2).fit(*iris).cv_results_["mean_test_score"], alone)


def test_searches_and_cross_validation(iris: Any) -> None:
    assert search().fit(*iris).best_score_ > 0.9
    drawn = RandomizedSearchCV(
        GlassClassifier(**QUICK), {"alpha": loguniform(1e-5, 1e-1)}, n_iter=3, cv=2, random_state=0
    )
    assert drawn.fit(*iris).best_score_ > 0.85
    scores = cross_validate(GlassClassifier(**QUICK), *iris, cv=3, scoring=["accuracy", "roc_auc_ovr", "neg_log_loss"])
    assert scores["test_roc_auc_ovr"].mean() > 0.95
    assert cross_val_predict(GlassClassifier(**QUICK), *iris, cv=3, method="predict_proba").shape == (150, 3)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibration(two: Any, method: str) -> None:
    fitted = CalibratedClassifierCV(GlassClassifier(**QUICK), method=method, cv=3).fit(*two)
    assert fitted.score(*two) > 0.9
    np.testing.assert_allclose(fitted.predict_proba(two[0]).sum(axis=1), 1)


def test_permutation_importance(iris: Any) -> None:
    fitted = GlassClassifier(**QUICK).fit(*iris)
    found = permutation_importance(fitted, *iris, n_repeats=3, random_state=0)
    assert found.importances_mean[2:].min() > found.importances_mean[:2].max()  # petals tell more than sepals


def test_ensembles_and_chains(iris: Any, labels: Any, diabetes: Any) -> None:
    assert BaggingClassifier(GlassClassifier(**QUICK), 3, random_state=0).fit(*iris).score(*iris) > 0.9
    stacked = StackingClassifier([("glass", GlassClassifier(**QUICK))], LogisticRegression(), cv=2)
    assert stacked.fit(*iris).score(*iris) > 0.9
    assert ClassifierChain(GlassClassifier(**QUICK)).fit(*labels).predict(labels[0]).shape == labels[1].shape
    inputs, targets = diabetes
    raised = TransformedTargetRegressor(GlassRegressor(**QUICK), transformer=StandardScaler())
    assert raised.fit(inputs, targets * 100).score(inputs, targets * 100) > 0.4
