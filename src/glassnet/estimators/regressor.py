"""GlassRegressor: an MLPRegressor with every number visible, and with features that its users asked for."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from glassnet.arrays import Array, check_places
from glassnet.estimators.base import GlassEstimator
from glassnet.estimators.callbacks import with_callbacks
from glassnet.estimators.fitted import FLOATS
from glassnet.estimators.settings import CONSTRAINTS, has_steps
from glassnet.estimators.stopping import ValidationSet
from glassnet.losses import LOSSES, Loss, SquaredError
from glassnet.losses import loss as known_loss
from glassnet.names import DEFAULT_HIDDEN, DEFAULT_OPTIMIZER, PLAIN, ActivationLike
from glassnet.optimizers import Optimizer
from glassnet.schedules import Schedule

MEASURED = tuple(kind for kind in LOSSES.values() if kind.reads_logits_of is None)
"""The losses for measured targets."""


class GlassRegressor(RegressorMixin, GlassEstimator):
    """Regressor of dense layers for one target or several.

    Parameters and attributes of MLPRegressor keep their names, defaults and meaning (without its loss "poisson");
    docs/estimators.md lists them all. These go beyond them:

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber"} or Loss, default "squared_error"
        A name, or one of `glassnet.losses` with settings, such as `Huber(delta=0.5)`.
    activation : str or sequence of str, default "relu"
        One for all hidden layers, or one for each; any of `glassnet.activations`.
    solver : str or Optimizer, default "adam"
        "adam", "sgd", "lbfgs", or another of `glassnet.optimizers`.
    alpha : float or sequence of float, default 0.0001
        L2 penalty: one for all layers, or one for each, the last one included.
    learning_rate : str or Schedule, default "constant"
        "constant", "invscaling" and "adaptive" for "sgd", or any of `glassnet.schedules` for every solver.
    dropout : float or sequence of float, default 0.0
        Rate for all hidden layers, or one for each.
    weight_decay : float, default 0.01
        Of solver "adamw".
    scoring : str, callable or None, default None
        Score for early stopping: a scorer's name or function, "loss", or None for R squared.
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
    >>> import numpy as np
    >>> import glassnet as gn
    >>> X = np.linspace(-1, 1, 40).reshape(-1, 1)
    >>> y = np.sin(3 * X[:, 0])
    >>> model = gn.GlassRegressor(hidden_layer_sizes=(8,), activation="tanh", solver="lbfgs", alpha=0, random_state=0)
    >>> model.fit(X, y).score(X, y) > 0.99
    True
    """

    _parameter_constraints: ClassVar = {
        **CONSTRAINTS,
        "loss": [StrOptions({kind.name for kind in MEASURED}), *MEASURED],
    }

    def __init__(
        self,
        loss: str | Loss = SquaredError.name,
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
    ) -> "GlassRegressor":
        """Train on rows and their targets.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, features)
        y : array_like of shape (n,) or (n, targets)
            Targets.
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
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> "GlassRegressor":
        """Train for one epoch.

        With early stopping, calls count as epochs: after `n_iter_no_change` of them without improvement
        `stopped_early_` is true and the best network so far is restored.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, features)
        y : array_like of shape (n,) or (n, targets)
            Targets.
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
        return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True)

    def predict(self, X: Any) -> Array:
        """Predict the targets of each row.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame of shape (n, features)

        Returns
        -------
        ndarray of shape (n,) or (n, targets)
        """
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    # Hooks of GlassEstimator

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        check_places(X, "X")
        X, y = validate_data(
            self, X, y, accept_sparse="csr", multi_output=True, y_numeric=True, dtype=FLOATS, reset=reset
        )
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _prepare(self, y: Any, onwards: bool, incremental: bool) -> None:
        self._outputs_wanted = y.shape[1] if y.ndim == 2 else 1

    def _encoded(self, y: Array) -> Array:
        """`y` as the loss reads it, (n, targets)."""
        return np.reshape(y, (len(y), -1)).astype(self._dtype)

    def _ending(self) -> tuple[int, str, Loss]:
        return self._outputs_wanted, PLAIN, known_loss(self.loss)

    def _plain_score(self, outputs: Array, data: ValidationSet) -> float:
        """R squared, the mean over the targets."""
        return float(r2_score(data.targets, outputs, sample_weight=data.weights))

    _score_is_accuracy = _stratified = False

    def _class_names(self) -> None:
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
