"""Estimators kept and taken up again: pickle, copy, skops, joblib; and given away whole as ONNX."""

import copy
import pickle
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import onnxruntime
import pandas
import pytest
import skops.io
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from glassnet import activations
from glassnet.errors import FileError, SettingError
from glassnet.estimators import TRUSTED, GlassClassifier, GlassRegressor, to_onnx

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
QUICK: dict[str, Any] = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 20, "learning_rate_init": 0.01}


def by_skops(estimator: Any, folder: Path) -> Any:
    skops.io.dump(estimator, folder / "a.skops")
    assert set(skops.io.get_untrusted_types(file=folder / "a.skops")) <= set(TRUSTED)
    return skops.io.load(folder / "a.skops", trusted=TRUSTED)


def by_joblib(estimator: Any, folder: Path) -> Any:
    joblib.dump(estimator, folder / "a.joblib")
    return joblib.load(folder / "a.joblib")


WAYS = {
    "pickle": lambda estimator, _: pickle.loads(pickle.dumps(estimator)),
    "copy": lambda estimator, _: copy.deepcopy(estimator),
    "joblib": by_joblib,
    "skops": by_skops,
}


@pytest.mark.parametrize("way", WAYS)
def test_what_is_kept_predicts_and_goes_on_alike(iris: Any, way: str, tmp_path: Path) -> None:
    inputs, classes = iris
    names = np.array(["setosa", "versicolor", "virginica"])[classes]
    table = pandas.DataFrame(inputs, columns=list("abcd"))
    fitted = GlassClassifier(**QUICK, early_stopping=True, warm_start=True, dropout=0.1).fit(table, names)
    again = WAYS[way](fitted, tmp_path)
    np.testing.assert_array_equal(again.predict_proba(table), fitted.predict_proba(table))
    assert again.network_ == fitted.network_
    assert again.validation_scores_ == fitted.validation_scores_
    np.testing.assert_array_equal(
        again.fit(table, names).network_.parameters, fitted.fit(table, names).network_.parameters
    )


@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_fitted_is_kept_too(way: str, tmp_path: Path) -> None:
    again = WAYS[way](GlassRegressor(alpha=[0.1, 0.2]), tmp_path)
    assert again.alpha == [0.1, 0.2]
    assert not hasattr(again, "coefs_")


def test_a_pipeline_by_skops(iris: Any, tmp_path: Path) -> None:
    pipeline = make_pipeline(StandardScaler(), GlassClassifier(**QUICK)).fit(*iris)
    np.testing.assert_array_equal(by_skops(pipeline, tmp_path).predict(iris[0]), pipeline.predict(iris[0]))


def test_a_later_versions_format_is_told(iris: Any, refused: Any) -> None:
    fitted = GlassClassifier(**QUICK).fit(*iris)
    state = fitted.__getstate__()
    assert not any(type(part).__module__.startswith("glassnet") for part in state.values())
    state["_glassnet"] = {"format": 9, "version": "9.1"}
    with refused(FileError):
        GlassClassifier().__setstate__(state)


# ONNX


def answers(pipeline: Any, inputs: Any) -> list[Any]:
    """What ONNX Runtime gives."""
    session = onnxruntime.InferenceSession(to_onnx(pipeline, inputs[:1]).SerializeToString())
    if hasattr(inputs, "columns"):
        feed = {part.name: inputs[[part.name]].to_numpy() for part in session.get_inputs()}
    else:
        feed = {session.get_inputs()[0].name: inputs}
    return session.run(None, feed)


def assert_the_same(pipeline: Any, inputs: Any) -> None:
    labels, probabilities = answers(pipeline, inputs)
    np.testing.assert_array_equal(labels, pipeline.predict(inputs))
    np.testing.assert_allclose(probabilities, pipeline.predict_proba(inputs), atol=1e-6)


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler()], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_scaling_goes_along(iris: Any, scaler: Any, dtype: str) -> None:
    inputs = np.asarray(iris[0] * [1, 100, 0.01, 5] + [0, 1e4, 0, 7])
    assert_the_same(make_pipeline(scaler, GlassClassifier(**QUICK, dtype=dtype)).fit(inputs, iris[1]), inputs)


def test_columns_and_their_codes_go_along() -> None:
    random = np.random.default_rng(0)
    frame = pandas.DataFrame({"age": random.normal(40, 10, 100), "colour": random.choice(["red", "green"], 100)})
    wanted = np.where((frame["age"] > 40) ^ (frame["colour"] == "red"), "yes", "no")
    steps = ColumnTransformer([("a", StandardScaler(), ["age"]), ("b", OneHotEncoder(), ["colour"])])
    assert_the_same(make_pipeline(steps, GlassClassifier(**QUICK)).fit(frame, wanted), frame)


@pytest.mark.parametrize("squish", sorted(set(activations.ACTIVATIONS) - {"softmax", "step"}))
def test_every_squish_goes_along(iris: Any, squish: str) -> None:
    assert_the_same(GlassClassifier(**QUICK, activation=squish, dtype="float32").fit(*iris), iris[0].astype(np.float32))


def test_other_answers_go_along(labels: Any, diabetes: Any) -> None:
    assert_the_same(GlassClassifier(**QUICK).fit(*labels), labels[0])
    assert_the_same(GlassClassifier(**QUICK).fit(labels[0], np.full(100, 7)), labels[0])
    inputs, targets = diabetes
    for wanted in (targets, np.c_[targets, -targets]):
        pipeline = make_pipeline(StandardScaler(), GlassRegressor(**QUICK)).fit(inputs, wanted)
        (found,) = answers(pipeline, inputs)
        np.testing.assert_allclose(found.squeeze(), pipeline.predict(inputs), rtol=1e-4, atol=1e-5)


def test_a_step_without_a_converter_is_told(iris: Any, refused: Any) -> None:
    class Own(TransformerMixin, BaseEstimator):
        def fit(self, inputs: Any, targets: Any = None) -> "Own":
            return self

        def transform(self, inputs: Any) -> Any:
            return inputs

    pipeline = Pipeline([("own", Own()), ("glass", GlassClassifier(**QUICK))]).fit(*iris)
    with refused(SettingError):
        to_onnx(pipeline, iris[0])
