"""GlassRegressor: an MLPRegressor whose numbers can all be seen, and with what its users asked for."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import validate_data

from glassnet.arrays import Array
from glassnet.estimators.base import GlassEstimator
from glassnet.estimators.callbacks import with_callbacks
from glassnet.estimators.fitted import FLOATS
from glassnet.estimators.settings import CONSTRAINTS, has_steps
from glassnet.estimators.stopping import HeldOut
from glassnet.losses import AbsoluteError, Huber, Loss, SquaredError
from glassnet.losses import loss as known_loss
from glassnet.optimizers import Optimizer
from glassnet.schedules import Schedule

LOSSES = tuple(kind.name for kind in (SquaredError, AbsoluteError, Huber))


class GlassRegressor(RegressorMixin, GlassEstimator):
    """A regressor of dense layers: one target or several, by squared or absolute error or Huber's loss.

    Parameters and attributes that MLPRegressor has keep its names, defaults and meaning (its loss "poisson" is not
    there); docs/estimators.md lists them all. `loss` is also "absolute_error", "huber" or one of `glassnet.losses` with
    settings, as `Huber(delta=0.5)`; the other parameters beyond MLPRegressor's are those of `GlassClassifier`.

    `network_` is the trained `glassnet.Network`.
    """

    _parameter_constraints: ClassVar = {
        **CONSTRAINTS,
        "loss": [StrOptions(set(LOSSES)), SquaredError, AbsoluteError, Huber],
    }

    def __init__(
        self,
        loss: str | Loss = "squared_error",
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
    ) -> "GlassRegressor":
        """Train on rows X, (n, features), dense, sparse or a data frame, and targets y, (n,) or (n, targets).

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
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> "GlassRegressor":
        """One epoch over these rows.

        With early stopping the calls are counted as epochs: when patience is out, `stopped_early_` becomes true and the
        best network so far is taken.
        """
        return self._learn(X, y, sample_weight, (X_val, y_val, sample_weight_val), incremental=True)

    def predict(self, X: Any) -> Array:
        """The target of each row, (n,), or (n, targets)."""
        outputs = self._outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    # What the common part asks

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
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
        return self._outputs_wanted, "identity", known_loss(self.loss)

    def _plain_score(self, outputs: Array, data: HeldOut) -> float:
        """R squared, the mean over the targets."""
        return float(r2_score(data.targets, outputs, sample_weight=data.weights))

    _score_is_accuracy = _stratified = False

    def _class_names(self) -> None:
        return None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
