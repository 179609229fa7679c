"""Fit by gradient descent: epochs of an engine's trainer, with stopping rules and messages of scikit-learn's MLPs."""

import time
import warnings
from dataclasses import dataclass, field
from math import isfinite, nan
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from glassnet.engines import Engine, Examples, Plan, Trainer
from glassnet.estimators.callbacks import Callbacks
from glassnet.estimators.fitted import NOT_FINITE
from glassnet.estimators.rates import LearningRates
from glassnet.estimators.stopping import ValidationScore, ValidationSet
from glassnet.random import epoch_order
from glassnet.training.history import Epoch
from glassnet.training.run import batch_losses, mean_loss


@dataclass
class Descent:
    """One call of fit, or of partial_fit, which is one epoch of it."""

    estimator: Any
    engine: Engine
    plan: Plan
    examples: Examples
    validation: ValidationSet | None
    unit: float
    epochs: int
    incremental: bool
    callbacks: Callbacks
    at_once: int = field(default=1, init=False)

    def run(self) -> None:
        """Train and store the results in the estimator's attributes; Ctrl-C ends it with a warning."""
        estimator, progress = self.estimator, self.estimator._progress
        trainer = self.engine.trainer(self.plan, self.examples, progress.resumed(self.plan.optimizer.name))
        progress.rule = self.plan.optimizer.name
        batches = -(-len(self.examples.targets) // self.plan.batch_size)
        past = estimator.validation_loss_curve_ or estimator.loss_curve_
        rates = LearningRates(estimator, self.unit, batches, progress.epochs, past)
        estimator.n_iter_, estimator.stopped_early_ = 0, False
        try:
            while estimator.n_iter_ < self.epochs and not estimator.stopped_early_:
                if self._epoch(trainer, rates):
                    break
            else:
                if not estimator.stopped_early_ and not self.incremental:
                    warnings.warn(
                        f"Stochastic Optimizer: Maximum iterations ({self.epochs}) reached and the optimization hasn't "
                        "converged yet.",
                        ConvergenceWarning,
                        stacklevel=2,
                    )
        except KeyboardInterrupt:
            warnings.warn("Training interrupted by user.", stacklevel=2)
        progress.state = trainer.state()
        if progress.best is not None and (estimator.stopped_early_ or not self.incremental):
            progress.state = progress.best
        if not np.isfinite(progress.state.parameters).all():
            raise ValueError(NOT_FINITE)
        estimator._set_network(progress.state.parameters)

    def _epoch(self, trainer: Trainer, rates: LearningRates) -> bool:
        """One epoch; whether a callback asks to stop."""
        estimator, progress, count = self.estimator, self.estimator._progress, len(self.examples.targets)
        started = time.perf_counter()
        self.callbacks.begin()
        order = epoch_order(self.plan.seed, progress.epochs, count) if estimator.shuffle else np.arange(count)
        each = rates.of_epoch(progress.epochs, estimator.t_, progress.cuts)
        seen: list[float] = []
        for losses in batch_losses(trainer, order, each, self.plan.batch_size, self.at_once):
            seen += losses
            self.at_once = max(self.at_once, len(losses))
        loss = self.unit * mean_loss(seen, self.plan.batch_size, count) if isfinite(seen[-1]) else nan

        progress.epochs += 1
        estimator.n_iter_ += 1
        estimator.t_ += count
        estimator.loss_ = loss
        estimator.loss_curve_.append(loss)
        figures = self._validate(trainer, loss)
        score = figures.score if figures is not None and estimator.early_stopping else -loss
        if isfinite(loss):
            best = progress.patience.observe(score, estimator.tol)
            self._report(loss, figures, best, trainer)
        else:
            best = False
            self._diverged()
        rates.observe(loss if figures is None else figures.loss)
        self._out_of_patience(rates)
        if not self.callbacks.wanted:
            return False
        progress.state = trainer.state()  # so that an estimator pickled by a callback is complete
        network = estimator._set_network(progress.state.parameters)
        seconds = time.perf_counter() - started
        accuracy = figures.score if figures is not None and estimator._score_is_accuracy else None
        validation = None if figures is None else figures.loss
        return self.callbacks.end(Epoch(progress.epochs, loss, each[-1], seconds, validation, accuracy, best, network))

    def _validate(self, trainer: Trainer, loss: float) -> ValidationScore | None:
        """Loss and score on the validation data, appended to the curves."""
        if self.validation is None:
            return None
        figures = ValidationScore(nan, nan)
        if isfinite(loss):
            figures = self.estimator._validation_score(
                trainer.state().parameters, self.validation, self.plan.loss, self.unit
            )
        self.estimator.validation_loss_curve_.append(figures.loss)
        self.estimator.validation_scores_.append(figures.score)
        return figures

    def _report(self, loss: float, figures: ValidationScore | None, best: bool, trainer: Trainer) -> None:
        """Update the best state, and print what `verbose` asks for."""
        estimator, progress = self.estimator, self.estimator._progress
        if figures is not None and estimator.early_stopping:
            if best:
                progress.best = trainer.state()
            estimator.best_validation_score_ = progress.patience.best
        else:
            estimator.best_loss_ = -progress.patience.best
        if estimator.verbose:
            print(f"Iteration {estimator.n_iter_}, loss = {loss:.8f}")
            if figures is not None:
                print(f"Validation score: {figures.score:f}")

    def _diverged(self) -> None:
        """Raise for a loss that is not finite, unless early stopping has a better network."""
        epoch, rate = self.estimator._progress.epochs, self.estimator.learning_rate_init
        found = f"the loss became NaN or infinite in epoch {epoch}; lower learning_rate_init (now {rate:g})"
        if self.estimator._progress.best is None:
            raise ValueError(f"{NOT_FINITE} ({found})")
        warnings.warn(f"{found}; the best network so far is kept", ConvergenceWarning, stacklevel=2)
        self.estimator.stopped_early_ = True

    def _out_of_patience(self, rates: LearningRates) -> None:
        """Stop, or with "adaptive" go on with a fifth of the learning rate, while that is above a millionth."""
        estimator, progress = self.estimator, self.estimator._progress
        if progress.patience.waited <= estimator.n_iter_no_change:
            return
        if rates.can_be_cut and estimator.learning_rate_init / 5**progress.cuts > 1e-6:
            progress.cuts += 1
            progress.patience.waited = 0
            return
        estimator.stopped_early_ = True
        if estimator.verbose:
            what = "Validation score" if estimator.early_stopping else "Training loss"
            count = estimator.n_iter_no_change
            print(f"{what} did not improve more than tol={estimator.tol:f} for {count} consecutive epochs. Stopping.")
