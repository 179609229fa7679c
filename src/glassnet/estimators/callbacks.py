"""Callbacks of an epoch: the functions in `callbacks`, and scikit-learn's own callbacks where it has them (1.9 on)."""

from typing import Any

from glassnet.training.history import Epoch

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Placeholder for versions of scikit-learn without callbacks."""

    def with_callbacks(method: Any) -> Any:
        """The method, unchanged."""
        return method


__all__ = ["CallbackSupportMixin", "Callbacks", "with_callbacks"]


class Callbacks:
    """The callbacks of one fit. `wanted` is whether there are any: without, an epoch costs nothing more."""

    def __init__(self, estimator: Any, epochs: int, **data: Any) -> None:
        self._estimator, self._data = estimator, data
        self._functions = tuple(estimator.callbacks or ())
        self._context = None
        if vars(estimator).get("_skl_callbacks"):
            self._context = estimator._init_callback_context(max_subtasks=epochs)
            self._context.call_on_fit_task_begin(estimator=estimator, **data)
        self.wanted = bool(self._functions) or self._context is not None

    def begin(self) -> None:
        """An epoch begins."""
        if self._context is not None:
            self._epoch = self._context.subcontext(task_name="epoch")
            self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def end(self, epoch: Epoch) -> bool:
        """An epoch has ended; whether one of them asks to stop."""
        answers = [function(epoch) for function in self._functions]
        if self._context is not None:
            answers.append(
                self._epoch.call_on_fit_task_end(estimator=self._estimator, reconstruction_attributes={}, **self._data)
            )
        return any(answer is True for answer in answers)

    def close(self) -> None:
        """The fit has ended."""
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=self._estimator, reconstruction_attributes={}, **self._data)
