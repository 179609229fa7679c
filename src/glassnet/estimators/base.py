"""Common part of both estimators: validation, fit and partial_fit.

An estimator is a translation: parameters become a `Plan` (`settings`), an engine trains (`descent`, `lbfgs`), and the
result is `network_`, an ordinary `glassnet.Network`.
"""

import warnings
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from glassnet import engines
from glassnet.activations import activation
from glassnet.architecture import Architecture
from glassnet.arrays import Array, readonly
from glassnet.engines import Examples, Plan, State
from glassnet.errors import SettingError
from glassnet.estimators import lbfgs, settings
from glassnet.estimators.callbacks import Callbacks, CallbackSupportMixin
from glassnet.estimators.descent import Descent
from glassnet.estimators.explanation import ExplainMixin
from glassnet.estimators.fitted import NOT_FINITE, Fitted
from glassnet.estimators.stopping import ValidationScore, ValidationSet
from glassnet.estimators.training_state import Progress
from glassnet.estimators.validation_split import GivenValidation, split_validation
from glassnet.losses import Loss
from glassnet.names import PLAIN
from glassnet.network import Network


class GlassEstimator(CallbackSupportMixin, ExplainMixin, Fitted):
    """Base class of `GlassClassifier` and `GlassRegressor`: training."""

    loss_curve_: list[float]
    validation_loss_curve_: list[float] | None
    validation_scores_: list[float] | None

    def _store_parameters(self, values: dict[str, Any]) -> None:
        """Store the constructor's arguments, its `locals()`, unchanged, as scikit-learn requires."""
        for name, value in values.items():
            if name != "self":
                setattr(self, name, value)

    # Training

    def _fit(self, X: Any, y: Any, sample_weight: Any, own: GivenValidation, incremental: bool = False) -> Any:
        self._validate_params()
        onwards = self.__sklearn_is_fitted__() and (incremental or self.warm_start)
        X, y = self._validated(X, y, reset=not onwards)
        if not onwards:
            self._given_dtype = str(X.dtype)
            self._dtype = settings.dtype(self, len(y), incremental)
        weights = self._weights(sample_weight, X, y)
        self._prepare(y, onwards, incremental)
        fan_out, output, loss = self._ending()
        shape = settings.architecture(self, X.shape[1], fan_out, output)
        self._begin(shape, onwards)
        examples = Examples(self._narrowed(X), 1.0, self._encoded(y), weights)
        unit = settings.unit(loss, fan_out)
        if self.solver == "lbfgs":
            l2 = self._l2(shape, examples, unit, len(y))
            start = self._progress.state.parameters
            self._set_network(lbfgs.minimise(self, shape, loss, examples, start, unit, l2))
            self._progress.state = State(np.array(self.network_.parameters))
            return self
        seen, validation_set = split_validation(self, y, examples, own)
        if validation_set is not None and self.validation_scores_ is None:
            self.validation_scores_, self.validation_loss_curve_ = [], []
        epochs = 1 if incremental else self.max_iter
        callbacks = Callbacks(self, epochs, X=X, y=y)
        Descent(
            estimator=self,
            engine=engines.choose(self.engine, shape, self._dtype)[0],
            plan=self._plan(shape, loss, seen, unit, self._batch_size(len(seen.targets))),
            examples=seen,
            validation=validation_set,
            unit=unit,
            epochs=epochs,
            incremental=incremental,
            callbacks=callbacks,
        ).run()
        callbacks.close()
        return self

    def _begin(self, shape: Architecture, onwards: bool) -> None:
        """Draw the start values, or continue from the current state."""
        if not onwards:
            self.__dict__.pop("network_", None)  # an earlier one would not be of this data
            random = check_random_state(self.random_state)
            start = settings.start(shape, random, self._dtype)
            self._progress = Progress(State(start), seed=int(random.randint(2**31 - 1)))
            self._shape = shape
            self.n_outputs_, self.n_layers_ = shape.sizes[-1], len(shape.sizes)
            self.out_activation_ = activation(shape.activations[-1]).sklearn
            self.n_iter_, self.t_, self.loss_curve_, self.best_loss_ = 0, 0, [], None
            self.validation_scores_ = self.validation_loss_curve_ = self.best_validation_score_ = None
        elif shape != self._shape:
            raise SettingError(
                f"warm_start continues {self._shape} ({', '.join(self._shape.activations)}), but the settings ask "
                f"for {shape} ({', '.join(shape.activations)})",
                help="keep layers and outputs as they were, or set warm_start=False",
            )

    def _batch_size(self, count: int) -> int:
        if self.batch_size == "auto":
            return min(200, count)
        if self.batch_size > count:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=2
            )
        return int(min(self.batch_size, count))

    def _plan(self, shape: Architecture, loss: Loss, examples: Examples, unit: float, batch_size: int) -> Plan:
        return Plan(
            architecture=shape,
            loss=loss,
            optimizer=settings.optimizer(self, unit),
            batch_size=batch_size,
            l2=self._l2(shape, examples, unit, batch_size),
            dropout=settings.dropout(self, len(shape.layers) - 1),
            seed=self._progress.seed,
        )

    def _l2(self, shape: Architecture, examples: Examples, unit: float, batch_size: int) -> tuple[float, ...]:
        weights = examples.sample_weights
        batch_weight = batch_size * (1.0 if weights is None else float(weights.mean()) or 1.0)
        return settings.l2(self, unit, batch_weight, len(shape.layers))

    def _set_network(self, parameters: Array) -> Network:
        """Make the network with these parameters the one that predicts."""
        if not np.isfinite(parameters).all():
            raise ValueError(NOT_FINITE)
        self.network_ = Network(self._shape, readonly(parameters.astype(self._dtype, copy=False)), self._schema())
        return self.network_

    def _validation_score(self, parameters: Array, data: ValidationSet, loss: Loss, unit: float) -> ValidationScore:
        """Loss and score on validation data."""
        shape = self._shape
        if loss.reads_logits(shape.activations[-1]):
            shape = Architecture(shape.sizes, (*shape.activations[:-1], PLAIN))
        engine, _ = engines.choose(self.engine, shape, self._dtype)
        with np.errstate(over="ignore", invalid="ignore"):  # a run that diverges shows it in its loss
            outputs = engine.forward(shape, parameters, data.inputs)
            value = unit * loss.value(outputs, data.targets, data.weights)
            if not np.isfinite(outputs).all():
                return ValidationScore(np.nan, np.nan)
            if self.scoring is None:
                return ValidationScore(value, self._plain_score(outputs, data))
        if self.scoring == "loss":
            return ValidationScore(value, -value)
        judged = object.__new__(type(self))  # as it would be, were this its last epoch; inputs come without names
        judged.__dict__ = {name: part for name, part in vars(self).items() if name != "feature_names_in_"}
        judged._set_network(parameters)
        weights = {} if data.weights is None else {"sample_weight": data.weights}
        return ValidationScore(
            value, float(check_scoring(self, self.scoring)(judged, data.inputs, data.given, **weights))
        )

    # Validation

    def _validated(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:
        """Inputs as floats (sparse ones as CSR) and targets; errors have scikit-learn's messages."""
        raise NotImplementedError

    def _weights(self, given: Any, X: Any, y: Any) -> Array | None:
        """A weight for each example, or None."""
        return None if given is None else _check_sample_weight(given, X, dtype=self._dtype, ensure_non_negative=True)
