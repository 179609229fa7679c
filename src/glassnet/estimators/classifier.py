"""GlassClassifier: an MLPClassifier with every number visible, and with features that its users asked for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets, type_of_target
from sklearn.utils.validation import validate_data

from glassnet.activations import PROBABILITIES
from glassnet.arrays import Array, check_places
from glassnet.estimators.base import GlassEstimator
from glassnet.estimators.callbacks import with_callbacks
from glassnet.estimators.fitted import FLOATS
from glassnet.estimators.settings import CONSTRAINTS, has_steps
from glassnet.estimators.stopping import ValidationSet
from glassnet.losses import BinaryCrossEntropy, CrossEntropy, Loss
from glassnet.names import DEFAULT_HIDDEN, DEFAULT_OPTIMIZER, ActivationLike
from glassnet.optimizers import Optimizer
from glassnet.schedules import Schedule


class GlassClassifier(ClassifierMixin, GlassEstimator):
    """Classifier of dense layers, trained with cross-entropy: two or more classes, or several labels at once.

    Parameters and attributes of MLPClassifier keep their names, defaults and meaning; docs/estimators.md lists them
    all. These go beyond them:

    Parameters
    ----------
    activation : str or sequence of str, default "relu"
        One for all hidden layers, or one for each; any of `glassnet.activations`.
    solver : str or Optimizer, default "adam"
        "adam", "sgd", "lbfgs", or another of `glassnet.optimizers`.
    alpha : float or sequence of float, default 0.0001
        L2 penalty: one for all layers, or one for each, the last one included.
    learning_rate : str or Schedule, default "constant"
        "constant", "invscaling" and "adaptive" for "sgd", or any of `glassnet.schedules` for every solver.
    class_weight : None, "balanced", dict or list of dict, default None
        {class: weight}; a list of these for several labels.
    dropout : float or sequence of float, default 0.0
        Rate for all hidden layers, or one for each.
    weight_decay : float, default 0.01
        Of solver "adamw".
    scoring : str, callable or None, default None
        Score for early stopping: a scorer's name or function, "loss", or None for accuracy.
    callbacks : sequence of callable, optional
        Called with the `glassnet.training.Epoch` after each epoch; one that returns True ends training.
    engine : str, default "auto"
        As in `glassnet.train`.
    dtype : {"auto", "float32", "float64"}, default "auto"
        "auto" is float32, but float64 for L-BFGS and for fits of at most 64 examples.

    Attributes
    ----------
    network_ : glassnet.Network
        The trained network.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> import glassnet as gn
    >>> X, y = load_iris(return_X_y=True)
    >>> model = gn.GlassClassifier((8,), solver="lbfgs", random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.95
    True
    >>> model.network_.sizes
    (4, 8, 3)
    """

    _parameter_constraints: ClassVar = {**CONSTRAINTS, "class_weight": [str, dict, list, None]}

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (100,),
        activation: ActivationLike | Sequence[ActivationLike] = DEFAULT_HIDDEN,
        *,
        solver: str | Optimizer = DEFAULT_OPTIMIZER,
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
        self._store_parameters(locals())

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
        """Train on rows and their classes.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, features)
        y : array_like of shape (n,) or (n, labels)
            Classes, or 0 and 1 for each of several labels.
        sample_weight : array_like of shape (n,), optional
        X_val, y_val, sample_weight_val : optional
            A validation set: its loss and score are recorded for each epoch, and early stopping uses it.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If data or parameters do not fit.
        """
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

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
        """Train for one epoch.

        With early stopping, calls count as epochs: after `n_iter_no_change` of them without improvement
        `stopped_early_` is true and the best network so far is restored.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, features)
        y : array_like of shape (n,) or (n, labels)
            Classes, or 0 and 1 for each of several labels.
        sample_weight : array_like of shape (n,), optional
        classes : array_like, optional
            All classes; required in the first call.
        X_val, y_val, sample_weight_val : optional
            A validation set: its loss and score are recorded for each epoch, and early stopping uses it.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If data or parameters do not fit.
        """
        if self.class_weight is not None and not isinstance(self.class_weight, dict):
            raise ValueError(
                f"class_weight {self.class_weight!r} is not supported for partial_fit, which sees a part of the data. "
                "Use compute_class_weight('balanced', classes=classes, y=y) and pass its weights as a dict."
            )
        if _check_partial_fit_first_call(self, classes):
            self._name(y if type_of_target(y).startswith("multilabel") else classes)
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True)

    def predict(self, X: Any) -> Array:
        """Predict the class of each row.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, features)

        Returns
        -------
        ndarray of shape (n,), or (n, labels) of 0 and 1
        """
        return self._decided(self._outputs(X), 0.5)

    def predict_proba(self, X: Any) -> Array:
        """Predict the probability of each class.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, features)

        Returns
        -------
        ndarray of shape (n, classes)
            In the order of `classes_`.
        """
        outputs = self._outputs(X)
        if self._shape.activations[-1] == PROBABILITIES["one of many"]:
            return outputs / outputs.sum(axis=1, keepdims=True)  # to the last digit of what fit was given
        if self._multilabel:
            return outputs
        return np.ones_like(outputs) if len(self.classes_) == 1 else np.hstack([1 - outputs, outputs])

    def predict_log_proba(self, X: Any) -> Array:
        """Logarithm of `predict_proba`.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, features)

        Returns
        -------
        ndarray of shape (n, classes)
        """
        return np.log(self.predict_proba(X))

    # Hooks of GlassEstimator

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        check_places(X, "X")
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
        """Set the classes to those in `y`."""
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
            return count, PROBABILITIES["yes or no"], BinaryCrossEntropy()
        if count > 2:
            return count, PROBABILITIES["one of many"], CrossEntropy()
        return 1, PROBABILITIES["yes or no"], BinaryCrossEntropy()

    def _weights(self, given: Any, X: Any, y: Any) -> Array | None:
        weights = super()._weights(given, X, y)
        if self.class_weight is None:
            return weights
        by_class = compute_sample_weight(self.class_weight, y).astype(self._dtype)
        return by_class if weights is None else weights * by_class

    def _decided(self, outputs: Array, even: float) -> Array:
        """Classes for these outputs; a single output means the second class above `even`."""
        if self._multilabel:
            return (outputs > even).astype(int)
        if outputs.shape[1] > 1:
            return self.classes_[outputs.argmax(axis=1)]
        return self.classes_[np.minimum((outputs[:, 0] > even).astype(np.intp), len(self.classes_) - 1)]

    def _plain_score(self, logits: Array, data: ValidationSet) -> float:
        """Accuracy; with several labels the share of rows with all of them right."""
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
