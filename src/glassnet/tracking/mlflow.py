"""MLflow: losses, measures and settings of a run in a tracking store or server."""

import time
import warnings
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from glassnet.errors import FileError, MissingExtra
from glassnet.tracking.shared import figures
from glassnet.training.history import Epoch


class MLflow:
    """Callback that logs each epoch as metrics, named as in `History`; the step is the number of the epoch.

    `with` ends the run as finished, or as failed after an error; `close` does so too. If the store stops answering
    during training, a warning is issued and training continues.

    Parameters
    ----------
    experiment : str, default "glassnet"
        Name of the experiment; created if it does not exist.
    run : str, optional
        Name of the run; by default MLflow chooses one.
    uri : str, optional
        Store or server; by default that of MLFLOW_TRACKING_URI or of MLflow.
    settings : dict, optional
        Parameters of the run, such as `training.epochs(...).settings()`.

    Raises
    ------
    FileError
        If the store cannot be used.
    MissingExtra
        If mlflow is not installed.

    Examples
    --------
    >>> import glassnet as gn
    >>> with gn.tracking.MLflow("digits") as log:                        # doctest: +SKIP
    ...     gn.train(network, data, callbacks=[log])
    """

    def __init__(
        self,
        experiment: str = "glassnet",
        run: str | None = None,
        uri: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            from mlflow.entities import Param
            from mlflow.exceptions import MlflowException
            from mlflow.tracking import MlflowClient
        except ImportError:
            raise MissingExtra("mlflow", "mlflow") from None
        try:
            self._client = MlflowClient(tracking_uri=uri)
            known = self._client.get_experiment_by_name(experiment)
            place = self._client.create_experiment(experiment) if known is None else known.experiment_id
            self.run_id = str(self._client.create_run(place, run_name=run).info.run_id)
            parameters = [Param(name, str(value)) for name, value in (settings or {}).items()]
            self._client.log_batch(self.run_id, params=parameters)
        except MlflowException as problem:
            raise FileError(
                f"MLflow cannot be reached at {uri or 'its default location'}: {str(problem).strip()}",
                help="check uri, or the environment variable MLFLOW_TRACKING_URI",
            ) from problem

    def __call__(self, epoch: Epoch) -> None:
        from mlflow.entities import Metric
        from mlflow.exceptions import MlflowException

        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, epoch.number) for name, value in figures(epoch).items()]
        try:
            self._client.log_batch(self.run_id, metrics=metrics)
        except MlflowException as problem:
            warnings.warn(f"epoch {epoch.number} is not in MLflow: {problem}", stacklevel=2)

    def close(self, status: str = "FINISHED") -> None:
        """End the run, as "FINISHED", "FAILED" or "KILLED"."""
        self._client.set_terminated(self.run_id, status)

    def __enter__(self) -> "MLflow":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close("FINISHED" if kind is None else "FAILED")
