"""What users of scikit-learn's MLPs asked for and were refused."""

import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, mean_absolute_error, recall_score
from sklearn.utils.class_weight import compute_sample_weight

import glassnet as gn
from glassnet.estimators import GlassClassifier, GlassRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
QUICK: dict[str, Any] = {"hidden_layer_sizes": (8,), "random_state": 0, "max_iter": 30}


def assert_same_bits(one: Any, other: Any) -> None:
    np.testing.assert_array_equal(one.network_.parameters, other.network_.parameters)


# Layers


def test_an_activation_for_each_layer(iris: Any) -> None:
    fitted = GlassClassifier((8, 6), ["mish", "logistic"], random_state=0, max_iter=5).fit(*iris)
    assert fitted.network_.architecture.activations == ("mish", "sigmoid", "softmax")
    np.testing.assert_allclose(fitted.network_(iris[0]), fitted.predict_proba(iris[0]), rtol=1e-5)


def test_a_penalty_for_each_layer(iris: Any) -> None:
    def sizes(alpha: Any) -> list[float]:
        return [
            float(np.abs(w).mean()) for w in GlassClassifier(**QUICK | {"max_iter": 200}, alpha=alpha).fit(*iris).coefs_
        ]

    plain, first, last = sizes(0.0), sizes([50.0, 0.0]), sizes([0.0, 50.0])
    assert first[0] < 0.8 * plain[0]
    assert first[1] > 0.9 * plain[1]
    assert last[1] < 0.8 * plain[1]


def test_dropout_for_each_layer(iris: Any) -> None:
    def loss(dropout: Any) -> float:
        return GlassClassifier((30, 30), random_state=0, max_iter=100, dropout=dropout).fit(*iris).loss_

    assert loss(0.0) < loss([0.0, 0.5]) < loss(0.7)


# Weights


@pytest.mark.parametrize("weight", ["balanced", {0: 1.0, 1: 5.0, 2: 0.5}], ids=str)
def test_class_weight_is_that_of_its_examples(iris: Any, weight: Any) -> None:
    inputs, classes = iris[0][:120], iris[1][:120]
    by_class = GlassClassifier(**QUICK, class_weight=weight).fit(inputs, classes)
    by_example = GlassClassifier(**QUICK).fit(inputs, classes, compute_sample_weight(weight, classes))
    assert_same_bits(by_class, by_example)


def test_class_weight_moves_what_is_found(two: Any) -> None:
    inputs, classes = two

    def found(weight: Any) -> float:
        fitted = GlassClassifier(**QUICK, class_weight=weight).fit(inputs, classes)
        return recall_score(classes, fitted.predict(inputs), pos_label="virginica")

    assert found({"virginica": 10.0}) > found({"versicolor": 10.0})


# A validation set of one's own, and stopping by any scorer


def test_a_validation_set_of_ones_own_has_a_loss_curve(iris: Any) -> None:
    inputs, classes = iris
    fitted = GlassClassifier(**QUICK).fit(inputs[::2], classes[::2], X_val=inputs[1::2], y_val=classes[1::2])
    assert len(fitted.validation_loss_curve_) == len(fitted.loss_curve_) == fitted.n_iter_ == 30
    assert fitted.validation_loss_curve_[-1] == pytest.approx(
        log_loss(classes[1::2], fitted.predict_proba(inputs[1::2])), rel=1e-5
    )
    assert fitted.validation_scores_[-1] == fitted.score(inputs[1::2], classes[1::2])
    assert_same_bits(fitted, GlassClassifier(**QUICK).fit(inputs[::2], classes[::2]))  # it is only looked at


def test_the_validation_set_has_weights_and_goes_by_column_name(diabetes: Any) -> None:
    inputs, targets = diabetes
    weights = np.linspace(0, 1, 100)
    fitted = GlassRegressor(loss="absolute_error", **QUICK).fit(
        inputs[:100], targets[:100], X_val=inputs[100:], y_val=targets[100:], sample_weight_val=weights
    )
    expected = mean_absolute_error(targets[100:], fitted.predict(inputs[100:]), sample_weight=weights)
    assert fitted.validation_loss_curve_[-1] == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="X_val without y_val: validation data needs both"):
        fitted.fit(inputs, targets, X_val=inputs)
    with pytest.raises(ValueError, match="y_val without X_val"):
        fitted.fit(inputs, targets, y_val=targets)


SCORERS = [None, "loss", "accuracy", "neg_log_loss", "f1_macro", lambda est, X, y: est.score(X, y)]


@pytest.mark.parametrize("scoring", SCORERS, ids=["none", "loss", "accuracy", "neg_log_loss", "f1_macro", "function"])
def test_early_stopping_on_any_scorer(iris: Any, scoring: Any) -> None:
    settings = {**QUICK, "max_iter": 500, "n_iter_no_change": 5, "learning_rate_init": 0.05}
    fitted = GlassClassifier(**settings, early_stopping=True, scoring=scoring).fit(*iris)
    assert fitted.n_iter_ < 500
    assert fitted.stopped_early_
    assert len(fitted.validation_scores_) == fitted.n_iter_
    assert fitted.best_validation_score_ == max(fitted.validation_scores_)
    if scoring == "loss":
        np.testing.assert_allclose(fitted.validation_scores_, -np.array(fitted.validation_loss_curve_))


def test_early_stopping_keeps_the_best_network(two: Any) -> None:
    inputs, classes = two
    fitted = GlassClassifier((50,), max_iter=400, learning_rate_init=0.05, early_stopping=True, scoring="neg_log_loss")
    fitted.set_params(random_state=0).fit(inputs[::2], classes[::2], X_val=inputs[1::2], y_val=classes[1::2])
    curve = fitted.validation_loss_curve_
    assert min(curve) < curve[-1]
    assert log_loss(classes[1::2], fitted.predict_proba(inputs[1::2])) == pytest.approx(min(curve), rel=1e-5)


def test_partial_fit_together_with_early_stopping(iris: Any) -> None:
    inputs, classes = iris
    held_out = {"X_val": inputs[::3], "y_val": classes[::3]}
    settings = {**QUICK, "n_iter_no_change": 5, "learning_rate_init": 0.05, "early_stopping": True}
    fitted = GlassClassifier(**settings)
    calls = 0
    while calls < 500:
        fitted.partial_fit(inputs[1::3], classes[1::3], classes=[0, 1, 2], **held_out)
        calls += 1
        if fitted.stopped_early_:
            break
    assert 5 < calls < 500
    assert fitted.score(**{"X": held_out["X_val"], "y": held_out["y_val"]}) == fitted.best_validation_score_


# Losses, rules, schedules


@pytest.mark.parametrize("loss", ["absolute_error", "huber", gn.losses.Huber(delta=0.1)], ids=str)
def test_losses_that_forgive_outliers(diabetes: Any, loss: Any) -> None:
    inputs, targets = diabetes
    spoilt = targets.copy()
    spoilt[::20] += 100

    def error(kind: Any) -> float:
        fitted = GlassRegressor(kind, (8,), max_iter=300, learning_rate_init=0.01, random_state=0).fit(inputs, spoilt)
        return mean_absolute_error(targets, fitted.predict(inputs))

    assert error(loss) < 0.3 * error("squared_error")


@pytest.mark.parametrize(
    "solver", ["adamw", "rmsprop", "adagrad", "nesterov", gn.optimizers.AdamW(weight_decay=0.5)], ids=str
)
def test_other_rules(iris: Any, solver: Any) -> None:
    fitted = GlassClassifier(**QUICK, solver=solver, learning_rate_init=0.05).fit(*iris)
    assert fitted.score(*iris) > 0.9
    assert fitted._progress.rule == getattr(solver, "name", solver)


def test_weight_decay_is_adamws(iris: Any) -> None:
    sizes = [
        np.abs(GlassClassifier(**QUICK, solver="adamw", weight_decay=decay).fit(*iris).coefs_[0]).mean()
        for decay in (0.0, 5.0)
    ]
    assert sizes[1] < 0.95 * sizes[0]


def rates_seen(estimator: Any, data: Any) -> list[float]:
    epochs: list[gn.training.Epoch] = []
    estimator.set_params(callbacks=[epochs.append]).fit(*data)
    return [epoch.learning_rate for epoch in epochs]


def test_schedules(iris: Any) -> None:
    settings = {**QUICK, "learning_rate_init": 0.01, "max_iter": 8, "batch_size": 150}
    assert rates_seen(GlassClassifier(**settings), iris) == [0.01] * 8
    cosine = rates_seen(GlassClassifier(**settings, learning_rate="cosine"), iris)
    np.testing.assert_allclose(cosine, 0.005 * (1 + np.cos(np.pi * np.arange(8) / 8)))
    halved = gn.schedules.Step(every=2, factor_each=0.5)
    np.testing.assert_allclose(
        rates_seen(GlassClassifier(**settings, learning_rate=halved), iris), 0.01 * 0.5 ** (np.arange(8) // 2)
    )
    plateau = gn.schedules.ReduceOnPlateau(factor_each=0.1, patience=1)
    stuck = {**settings, "learning_rate_init": 1e-9, "learning_rate": plateau}
    np.testing.assert_allclose(rates_seen(GlassClassifier(**stuck), iris)[:4], [1e-9, 1e-9, 1e-9, 1e-10])


# Going on


@pytest.mark.parametrize("solver", ["adam", "sgd", "adamw", "rmsprop"])
def test_warm_start_keeps_the_optimizers_memory(iris: Any, solver: str) -> None:
    settings = {"hidden_layer_sizes": (8,), "random_state": 0, "solver": solver, "dropout": 0.2, "batch_size": 40}
    whole = GlassClassifier(**settings, max_iter=12).fit(*iris)
    parts = GlassClassifier(**settings, max_iter=5, warm_start=True).fit(*iris)
    parts.set_params(max_iter=7).fit(*iris)
    assert_same_bits(whole, parts)
    assert parts.loss_curve_ == whole.loss_curve_
    assert (parts.n_iter_, parts.t_) == (7, whole.t_)


def test_partial_fit_calls_are_epochs_of_fit(diabetes: Any) -> None:
    whole = GlassRegressor(**QUICK | {"max_iter": 10}).fit(*diabetes)
    parts = GlassRegressor(**QUICK)
    for _ in range(10):
        parts.partial_fit(*diabetes)
    assert_same_bits(whole, parts)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_exact_resume_from_a_pickle(iris: Any, early_stopping: bool) -> None:
    settings = {"random_state": 0, "warm_start": True, "early_stopping": early_stopping, "dropout": 0.1}
    begun = GlassClassifier(**settings, max_iter=4).fit(*iris)
    resumed = pickle.loads(pickle.dumps(begun))
    for estimator in (begun, resumed):
        estimator.set_params(max_iter=6).fit(*iris)
    assert_same_bits(begun, resumed)
    assert begun.validation_scores_ == resumed.validation_scores_


@pytest.mark.parametrize("early_stopping", [False, True])
def test_exact_resume_after_it_was_killed(iris: Any, early_stopping: bool) -> None:
    settings = {"random_state": 0, "warm_start": True, "early_stopping": early_stopping, "dropout": 0.1}
    whole = GlassClassifier(**settings, max_iter=10).fit(*iris)
    kept: list[bytes] = []

    def keep(epoch: gn.training.Epoch) -> None:
        dying.set_params(callbacks=None)
        kept.append(pickle.dumps(dying))
        if epoch.number == 4:
            raise RuntimeError("killed")

    dying = GlassClassifier(**settings, max_iter=10, callbacks=[keep])
    with pytest.raises(RuntimeError, match="killed"):
        dying.fit(*iris)
    assert_same_bits(whole, pickle.loads(kept[-1]).set_params(max_iter=6).fit(*iris))


def test_what_cannot_be_gone_on_with_is_told(iris: Any) -> None:
    fitted = GlassClassifier((8,), max_iter=2, warm_start=True).fit(*iris)
    with pytest.raises(ValueError, match="warm_start continues 4-8-3 .*, but the settings ask for 4-9-3 "):
        fitted.set_params(hidden_layer_sizes=(9,)).fit(*iris)
    fitted.set_params(hidden_layer_sizes=(8,), solver="sgd").fit(*iris)  # another rule begins with no memory
    assert fitted._progress.rule == "nesterov"


@pytest.mark.parametrize("state", [3, np.random.RandomState(3)], ids=["number", "RandomState"])
def test_the_same_random_state_gives_the_same_bits(iris: Any, state: Any) -> None:
    settings = {**QUICK, "dropout": 0.3, "early_stopping": True}
    one, other = (
        GlassClassifier(**{**settings, "random_state": pickle.loads(pickle.dumps(state))}).fit(*iris) for _ in "12"
    )
    assert_same_bits(one, other)
    another = GlassClassifier(**{**settings, "random_state": 4}).fit(*iris)
    assert not np.array_equal(one.network_.parameters, another.network_.parameters)


# Progress


def test_callbacks_are_told_of_each_epoch_and_can_stop_it(iris: Any) -> None:
    epochs: list[gn.training.Epoch] = []

    def watch(epoch: gn.training.Epoch) -> bool:
        epochs.append(epoch)
        return epoch.number == 7

    fitted = GlassClassifier(**QUICK, callbacks=[watch]).fit(*iris, X_val=iris[0], y_val=iris[1])
    assert [epoch.number for epoch in epochs] == list(range(1, 8))
    assert [epoch.loss for epoch in epochs] == fitted.loss_curve_
    assert [epoch.validation_loss for epoch in epochs] == fitted.validation_loss_curve_
    assert epochs[-1].validation_accuracy == fitted.score(*iris)
    assert epochs[-1].network == fitted.network_


def test_scikit_learns_callbacks(iris: Any) -> None:
    class Watch:
        """Follows scikit-learn's FitCallback protocol."""

        def __init__(self) -> None:
            self.ended: list[Any] = []

        def setup(self, estimator: Any, context: Any) -> None:
            self.planned = context.max_subtasks

        def on_fit_task_begin(self, estimator: Any, context: Any) -> None: ...

        def on_fit_task_end(self, estimator: Any, context: Any, *, fitted_estimator: Any) -> bool:
            self.ended.append((context.task_name, fitted_estimator.score(*iris)))
            return len(self.ended) == 5

        def teardown(self, estimator: Any, context: Any) -> None:
            self.torn_down = True

    watch = Watch()
    fitted = GlassClassifier(**QUICK).set_callbacks(watch).fit(*iris)
    assert watch.planned == 30
    assert [name for name, _ in watch.ended] == ["epoch"] * 5 + ["fit"]
    assert watch.ended[-1][1] == fitted.score(*iris)
    assert fitted.n_iter_ == 5
    assert watch.torn_down


def test_verbose_prints_what_mlps_print(iris: Any, capsys: Any) -> None:
    GlassClassifier(**QUICK | {"max_iter": 2}, verbose=True, early_stopping=True).fit(*iris)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Iteration 1, loss = ")
    assert lines[1].startswith("Validation score: ")
    assert len(lines) == 4


def test_ctrl_c_leaves_a_network(iris: Any) -> None:
    def interrupt(epoch: gn.training.Epoch) -> None:
        if epoch.number == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="Training interrupted by user"):
        fitted = GlassClassifier(**QUICK, callbacks=[interrupt]).fit(*iris)
    assert fitted.n_iter_ == 3
    assert fitted.predict(iris[0]).shape == (150,)


def test_a_run_that_diverges_late_keeps_the_best_network(diabetes: Any) -> None:
    wild = GlassRegressor(
        activation="identity", solver="sgd", learning_rate_init=1.0, max_iter=50, early_stopping=True, random_state=0
    )
    with pytest.warns(ConvergenceWarning, match="NaN or infinite in epoch .*; the best network so far is kept"):
        wild.fit(*diabetes)
    assert np.isnan(wild.validation_scores_[-1])
    assert np.isfinite(wild.predict(diabetes[0])).all()


# Several answers


def test_several_labels(labels: Any) -> None:
    inputs, rows = labels
    fitted = GlassClassifier((30,), random_state=0, learning_rate_init=0.01).fit(inputs, rows)
    probabilities = fitted.predict_proba(inputs)
    assert probabilities.shape == rows.shape
    np.testing.assert_array_equal(fitted.predict(inputs), (probabilities > 0.5).astype(int))
    assert fitted.out_activation_ == "logistic"
    assert (fitted.predict(inputs) == rows).mean() > 0.9


def test_several_targets(diabetes: Any) -> None:
    inputs, targets = diabetes
    both = np.c_[targets, inputs[:, 0]]
    fitted = GlassRegressor("huber", (20,), learning_rate_init=0.01, random_state=0).fit(inputs, both)
    assert fitted.predict(inputs).shape == both.shape
    assert fitted.score(inputs, both) > 0.6
