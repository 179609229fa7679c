"""Data frames and sparse matrices in, column names kept, and every prediction taken apart by column."""

from typing import Any

import numpy as np
import pandas
import polars
import pyarrow
import pytest
import scipy.sparse
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import KBinsDiscretizer, MinMaxScaler, OneHotEncoder, OrdinalEncoder, StandardScaler

from glassnet.errors import InputError, SettingError
from glassnet.estimators import GlassClassifier, GlassRegressor, explain

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
QUICK: dict[str, Any] = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 60, "learning_rate_init": 0.01}
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]


@pytest.fixture(scope="module")
def people() -> tuple[pandas.DataFrame, np.ndarray]:
    """200 people: age, income with gaps, and two columns of text; what is asked hangs on all of them."""
    random = np.random.default_rng(0)
    frame = pandas.DataFrame(
        {
            "age": random.normal(40, 10, 200),
            "income": random.normal(3e4, 1e4, 200),
            "colour": random.choice(["red", "green", "blue"], 200),
            "size": random.choice(["S", "M", "L"], 200),
        }
    )
    score = frame["age"] / 10 + frame["income"] / 1e4 + 3 * (frame["colour"] == "red") + (frame["size"] == "L")
    frame.loc[::17, "income"] = np.nan
    return frame, np.where(score > score.median(), "yes", "no")


def by_column() -> ColumnTransformer:
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["age", "income"]),
            ("words", OneHotEncoder(), ["colour", "size"]),
        ]
    )


# In


@pytest.mark.parametrize(
    "as_table",
    [
        lambda x: pandas.DataFrame(x, columns=NAMES),
        lambda x: polars.DataFrame(x, schema=NAMES),
        lambda x: pyarrow.table(list(x.T), names=NAMES),
    ],
    ids=["pandas", "polars", "arrow"],
)
def test_tables_train_alike_and_their_names_are_kept(iris: Any, as_table: Any) -> None:
    inputs, classes = iris
    plain = GlassClassifier(**QUICK).fit(inputs, classes)
    table = as_table(inputs)
    fitted = GlassClassifier(**QUICK).fit(table, classes)
    np.testing.assert_array_equal(fitted.network_.parameters, plain.network_.parameters)
    np.testing.assert_array_equal(fitted.predict_proba(table), plain.predict_proba(inputs))
    assert list(fitted.feature_names_in_) == NAMES
    assert fitted.network_.schema.features == tuple(NAMES)
    assert "petal width" in str(fitted.explain(table[:1]))
    assert "petal width" in str(fitted.network_.trace(inputs[0].astype(np.float32)).neuron(0, 0))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        fitted.predict(inputs)


@pytest.mark.parametrize("kind", [scipy.sparse.csr_matrix, scipy.sparse.csc_matrix, scipy.sparse.coo_array])
def test_sparse_matrices_train_as_dense_ones_do(iris: Any, kind: Any) -> None:
    inputs, classes = np.maximum(iris[0], 0), iris[1]
    dense = GlassClassifier(**QUICK, early_stopping=True).fit(inputs, classes)
    sparse = GlassClassifier(**QUICK, early_stopping=True).fit(kind(inputs), classes)
    np.testing.assert_allclose(sparse.predict_proba(kind(inputs)), dense.predict_proba(inputs), rtol=1e-4, atol=1e-6)


def test_set_output_and_a_validation_set_by_column_name(people: Any) -> None:
    frame, answers = people
    steps = by_column().set_output(transform="pandas").set_params(words__sparse_output=False)
    table = steps.fit_transform(frame)
    fitted = GlassClassifier(**QUICK).fit(table[::2], answers[::2], X_val=table[1::2], y_val=answers[1::2])
    assert fitted.feature_names_in_[3] == "words__colour_blue"
    assert len(fitted.validation_scores_) == fitted.n_iter_
    with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
        fitted.predict(table.rename(columns={"words__colour_blue": "x"}))


# Explained


def adds_up(explanation: Any) -> None:
    total = sum(column.contribution for column in explanation.columns) + explanation.bias_contribution
    assert total == pytest.approx(explanation.total, rel=1e-4, abs=1e-5)
    assert explanation.error == pytest.approx(abs(total - explanation.total), abs=1e-9)


def logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_pipeline_is_explained_by_the_columns_that_it_was_given(people: Any, activation: str) -> None:
    frame, answers = people
    pipeline = make_pipeline(by_column(), GlassClassifier(**QUICK, activation=activation)).fit(frame, answers)
    for i in (0, 1, 17):
        found = explain(pipeline, frame[i : i + 1])
        adds_up(found)
        assert found.total == pytest.approx(logit(pipeline.predict_proba(frame[i : i + 1])[0, 1]), rel=1e-3)
        assert [column.name for column in found.columns] == list(frame.columns)
        assert [column.value for column in found.columns if column.name != "income"] == [
            frame.loc[i, name] for name in ("age", "colour", "size")
        ]
        assert {column.name: column.inputs for column in found.columns} == {
            "age": (0,),
            "income": (1, 2),
            "colour": (3, 4, 5),
            "size": (6, 7, 8),
        }
        assert list(found.by_column()) == sorted(found.by_column(), key=lambda name: -abs(found.by_column()[name]))


def test_it_prints_as_arithmetic_and_gives_plain_values(people: Any) -> None:
    frame, answers = people
    pipeline = make_pipeline(by_column(), GlassClassifier(**QUICK)).fit(frame, answers)
    found = explain(pipeline, frame.iloc[1])  # a Series
    text = str(found)
    assert text.startswith("logit of yes, column by column\n")
    assert f"colour={frame.loc[1, 'colour']}" in text
    assert "activation, sigmoid" in text
    plain = found.as_dict()
    assert plain["columns"][0] == {
        "name": "age",
        "value": frame.loc[1, "age"],
        "contribution": found.columns[0].contribution,
        "inputs": (0,),
    }
    assert plain["method"] == "integrated_gradients"


def test_classes_and_targets_are_named(iris: Any, diabetes: Any, refused: Any) -> None:
    inputs, classes = iris
    names = np.array(["setosa", "versicolor", "virginica"])[classes]
    pipeline = make_pipeline(MinMaxScaler(), GlassClassifier(**QUICK)).fit(inputs, names)
    found = explain(pipeline, inputs[0], output="virginica", against="setosa")
    adds_up(found)
    assert found.attribution.name == "logit of virginica less logit of setosa"
    assert found.total < 0
    with refused(SettingError):
        explain(pipeline, inputs[0], output="tulip")
    regressor = GlassRegressor(**QUICK).fit(*diabetes)
    said = explain(regressor, diabetes[0][:1])
    adds_up(said)
    assert said.total == pytest.approx(regressor.predict(diabetes[0][:1])[0], rel=1e-5)
    assert said.columns[2].name == "input 2"


def test_a_search_is_explained_by_what_it_found(iris: Any) -> None:
    search = GridSearchCV(
        make_pipeline(StandardScaler(), GlassClassifier(**QUICK)), {"glassclassifier__alpha": [0, 1]}, cv=2
    )
    adds_up(explain(search.fit(*iris), iris[0][0]))


@pytest.mark.parametrize(
    ("step", "inputs"),
    [
        (ColumnTransformer([("a", "passthrough", [2, 0]), ("b", "drop", [1])], remainder=MinMaxScaler()), [2, 0, 3]),
        (ColumnTransformer([("a", MinMaxScaler(), slice(1, 3))]), [1, 2]),
        (ColumnTransformer([("a", MinMaxScaler(), np.array([True, False, False, True]))]), [0, 3]),
        (FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())]), [0, 1, 2, 3, 0, 1, 2, 3]),
        (SelectKBest(k=2), [2, 3]),
        (KBinsDiscretizer(2, quantile_method="averaged_inverted_cdf"), [0, 0, 1, 1, 2, 2, 3, 3]),
        (KBinsDiscretizer(2, encode="ordinal", quantile_method="averaged_inverted_cdf"), [0, 1, 2, 3]),
        (Pipeline([("a", StandardScaler()), ("b", "passthrough")]), [0, 1, 2, 3]),
    ],
    ids=["columns", "slice", "mask", "union", "selected", "bins", "ordinal bins", "pipeline"],
)
def test_columns_are_followed_through(iris: Any, step: Any, inputs: list[int]) -> None:
    pipeline = make_pipeline(step, GlassClassifier(**QUICK)).fit(*iris)
    found = explain(pipeline, iris[0][3])
    adds_up(found)
    origins = {i: c for c, column in enumerate(found.columns) for i in column.inputs}
    assert [origins[i] for i in range(len(inputs))] == inputs


@pytest.mark.parametrize(
    ("encoder", "labels"),
    [
        (OneHotEncoder(drop="first"), ["colour=green", "colour=red", "size=M", "size=S"]),
        (OneHotEncoder(min_frequency=70), None),
        (OrdinalEncoder(), ["colour", "size"]),
    ],
    ids=["first dropped", "rare together", "ordinal"],
)
def test_codes_are_followed_through(people: Any, encoder: Any, labels: list[str] | None) -> None:
    frame, answers = people[0][["colour", "size"]], people[1]
    pipeline = make_pipeline(encoder, GlassClassifier(**QUICK)).fit(frame, answers)
    found = explain(pipeline, frame[:1])
    adds_up(found)
    count = len(pipeline[0].get_feature_names_out())
    assert sorted(i for column in found.columns for i in column.inputs) == list(range(count))
    if labels is not None:
        assert list(found.attribution.input_names) == labels


def test_what_mixes_columns_is_told(iris: Any, refused: Any) -> None:
    pipeline = make_pipeline(PCA(2), GlassClassifier(**QUICK)).fit(*iris)
    with refused(SettingError):
        explain(pipeline, iris[0][0])
    adds_up(explain(pipeline[-1], pipeline[:-1].transform(iris[0][:1])))
    with refused(InputError):
        explain(pipeline, iris[0][:2])
    with refused(SettingError):
        explain(pipeline[:1], iris[0][0])
