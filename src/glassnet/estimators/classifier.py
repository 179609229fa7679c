"""GlassClassifier: an MLPClassifier whose numbers can all be seen, and with what its users asked for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from glassnet.arrays import Array
from glassnet.estimators.base import GlassEstimator
from glassnet.estimators.callbacks import with_callbacks
from glassnet.estimators.fitted import FLOATS
from glassnet.estimators.settings import CONSTRAINTS, has_steps
from glassnet.estimators.stopping import HeldOut
from glassnet.losses import BinaryCrossEntropy, CrossEntropy, Loss
from glassnet.optimizers import Optimizer
from glassnet.schedules import Schedule


class GlassClassifier(ClassifierMixin, GlassEstimator):
    """A classifier of dense layers, trained by cross-entropy: two classes or several, or several labels at once.

    Parameters and attributes that MLPClassifier has keep its names, defaults and meaning; docs/estimators.md lists them
    all. Beyond those:

    activation     one for all hidden layers, or a list with one for each; any of `glassnet.activations`
    solver         besides "adam", "sgd" and "lbfgs" the other rules of `glassnet.optimizers`, by name or with settings
    alpha          the L2 penalty: one for all layers, or a list with one for each, the last one included
    learning_rate  besides scikit-learn's words for "sgd", any of `glassnet.schedules`, for every solver
    class_weight   None, "balanced" or {class: weight}; a list of these for several labels
    dropout        the share of hidden activations dropped at each step, one for all hidden layers or a list
    weight_decay   of solver="adamw"
    scoring        what early stopping goes by: a scorer's name or function, "loss", or None: accuracy
    callbacks      functions called with the `glassnet.training.Epoch` after each; one that returns True ends training
    engine         as in `glassnet.train`
    dtype          "float32", "float64" or "auto": float32, but float64 for L-BFGS and fits of at most 64 examples

    `network_` is the trained `glassnet.Network`.
    """

    _parameter_constraints: ClassVar = {**CONSTRAINTS, "class_weight": [str, dict, list, None]}

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: str | Sequence[str] = "relu",
        *,
        solver: str | Optimizer = "adam",
        alpha: float | Sequence[float] = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: str | Schedule = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        class_weight: "str | Mapping[Any, float] | Sequence[Any] | None" = None,
        dropout: float | Sequence[float] = 0.0,
        weight_decay: float = 0.01,
        scoring: "str | Callable[..., float] | None" = None,
        callbacks: "Sequence[Callable[..., Any]] | None" = None,
        engine: str = "auto",
        dtype: str = "auto",
    ) -> None:
        self._take(locals())

    @with_callbacks
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> "GlassClassifier":
        """Train on rows X, (n, features), dense, sparse or a data frame, and their classes y, (n,) or (n, labels).

        X_val and y_val are a validation set of one's own: its loss and score are kept for each epoch, and early
        stopping goes by it. Raises `ValueError` for data and parameters that do not fit.
        """
        return self._learn(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @available_if(has_steps)
    @with_callbacks
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> "GlassClassifier":
        """One epoch over these rows; the first call names all `classes`.

        With early stopping the calls are counted as epochs: when patience is out, `stopped_early_` becomes true and the
        best network so far is taken.
        """
        if self.class_weight is not None and not isinstance(self.class_weight, dict):
            raise ValueError(
                f"class_weight {self.class_weight!r} is not supported for partial_fit, which sees a part of the data. "
                "Use compute_class_weight('balanced', classes=classes, y=y) and pass its weights as a dict."
            )
        if _check_partial_fit_first_call(self, classes):
            self._name(y if type_of_target(y).startswith("multilabel") else classes)
        return self._learn(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True)

    def predict(self, X: Any) -> Array:
        """The class of each row, (n,), or for several labels a 0 or 1 for each, (n, labels)."""
        return self._decided(self._outputs(X), 0.5)

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, classes), in the order of `classes_`."""
        outputs = self._outputs(X)
        if self.out_activation_ == "softmax":
            return outputs / outputs.sum(axis=1, keepdims=True)  # to the last digit of what fit was given
        if self._multilabel:
            return outputs
        return np.ones_like(outputs) if len(self.classes_) == 1 else np.hstack([1 - outputs, outputs])

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithm of `predict_proba`."""
        return np.log(self.predict_proba(X))

    # What the common part asks

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        X, y = validate_data(self, X, y, accept_sparse="csr", multi_output=True, dtype=FLOATS, reset=reset)
        if hasattr(y, "toarray"):
            y = y.toarray()
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _prepare(self, y: Any, onwards: bool, incremental: bool) -> None:
        check_classification_targets(y)
        if not onwards and not incremental:
            self._name(y)
            return
        found = np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
        if self.warm_start and not incremental and set(found) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
                f"got {self.classes_}, `y` has {found}"
            )
        if len(np.setdiff1d(found, self.classes_)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {found}."
            )

    def _name(self, y: Any) -> None:
        """Let the classes be those in `y`."""
        self._multilabel = np.ndim(y) == 2 or hasattr(y, "toarray")
        self.classes_ = np.arange(y.shape[1]) if self._multilabel else np.unique(y)

    def _encoded(self, y: Array) -> Array:
        """`y` as the loss reads it: labels (n,), or 0 and 1 as (n, 1) or (n, labels)."""
        if self._multilabel:
            return y.astype(self._dtype)
        labels = np.searchsorted(self.classes_, y)
        return labels if len(self.classes_) > 2 else labels[:, None].astype(self._dtype)

    def _ending(self) -> tuple[int, str, Loss]:
        count = len(self.classes_)
        if self._multilabel:
            return count, "sigmoid", BinaryCrossEntropy()
        return (count, "softmax", CrossEntropy()) if count > 2 else (1, "sigmoid", BinaryCrossEntropy())

    def _weights(self, given: Any, X: Any, y: Any) -> Array | None:
        weights = super()._weights(given, X, y)
        if self.class_weight is None:
            return weights
        by_class = compute_sample_weight(self.class_weight, y).astype(self._dtype)
        return by_class if weights is None else weights * by_class

    def _decided(self, outputs: Array, even: float) -> Array:
        """The classes that outputs speak for; a single one speaks for the second class above `even`."""
        if self._multilabel:
            return (outputs > even).astype(int)
        if outputs.shape[1] > 1:
            return self.classes_[outputs.argmax(axis=1)]
        return self.classes_[np.minimum((outputs[:, 0] > even).astype(np.intp), len(self.classes_) - 1)]

    def _plain_score(self, logits: Array, data: HeldOut) -> float:
        """Accuracy; of several labels, the share of rows with all of them right."""
        right = self._decided(logits, 0.0) == data.given
        return float(np.average(right.all(axis=1) if right.ndim == 2 else right, weights=data.weights))

    @property
    def _score_is_accuracy(self) -> bool:
        return self.scoring in (None, "accuracy")

    @property
    def _stratified(self) -> bool:
        return not self._multilabel

    def _class_names(self) -> tuple[str, ...] | None:
        return tuple(str(name) for name in self.classes_)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
