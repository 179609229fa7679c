"""Runs as TensorBoard and MLflow have them: read back with their own readers."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import glassnet as gn
from glassnet.errors import FileError, MissingExtra
from glassnet.training import epochs

FIGURES = {"loss", "learning_rate", "seconds", "validation_loss", "validation_accuracy"}


@pytest.fixture
def start() -> gn.Network:
    return gn.Network.create("3-4-3", output="softmax", seed=0)


def in_tensorboard(folder: Path) -> dict[str, dict[int, float]]:
    """For each figure its values by step."""
    reading = import_module("tensorboard.backend.event_processing.event_accumulator")
    number = import_module("tensorboard.util.tensor_util").make_ndarray
    events = reading.EventAccumulator(str(folder))
    events.Reload()
    return {
        tag: {event.step: float(number(event.tensor_proto)) for event in events.Tensors(tag)}
        for tag in events.Tags()["tensors"]
    }


def test_tensorboard_shows_every_epoch(start: gn.Network, blobs: gn.Dataset, tmp_path: Path) -> None:
    with gn.tracking.TensorBoard(tmp_path / "runs" / "a") as board:
        history = gn.train(start, blobs, validation=blobs, epochs=3, callbacks=[board]).history
    shown = in_tensorboard(tmp_path / "runs" / "a")
    assert set(shown) == FIGURES
    assert shown["loss"] == pytest.approx(dict(enumerate(history.loss, 1)), rel=1e-6)
    assert shown["validation_accuracy"] == pytest.approx(dict(enumerate(history.validation_accuracy, 1)), rel=1e-6)


def test_tensorboard_has_an_epoch_as_soon_as_it_is_done(start: gn.Network, blobs: gn.Dataset, tmp_path: Path) -> None:
    board = gn.tracking.TensorBoard(tmp_path)
    for epoch in epochs(start, blobs, epochs=3):
        board(epoch)
        assert max(in_tensorboard(tmp_path)["loss"]) == epoch.number
    board.close()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, refused: Any) -> None:
    (tmp_path / "file").write_text("")
    with refused(FileError):
        gn.tracking.TensorBoard(tmp_path / "file" / "runs")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder of MLflow's: its small package has no other store."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return (tmp_path / "mlruns").as_uri()


def test_mlflow_has_metrics_settings_and_the_end(start: gn.Network, blobs: gn.Dataset, store: str) -> None:
    run = epochs(start, blobs, validation=blobs, epochs=3, seed=5)
    with gn.tracking.MLflow("blobs", "first", store, run.settings()) as log:
        for epoch in run:
            log(epoch)
    client = import_module("mlflow.tracking").MlflowClient(store)
    (found,) = client.search_runs([client.get_experiment_by_name("blobs").experiment_id])
    assert (found.info.run_name, found.info.status) == ("first", "FINISHED")
    assert set(found.data.metrics) == FIGURES
    assert (found.data.params["seed"], found.data.params["sizes"]) == ("5", "[3, 4, 3]")
    losses = {metric.step: metric.value for metric in client.get_metric_history(log.run_id, "loss")}
    assert losses == dict(enumerate(run.history.loss, 1))


def test_mlflow_is_told_of_a_run_that_failed(start: gn.Network, blobs: gn.Dataset, store: str) -> None:
    def fail(epoch: gn.training.Epoch) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"), gn.tracking.MLflow(uri=store) as log:
        gn.train(start, blobs, callbacks=[log, fail])
    assert import_module("mlflow.tracking").MlflowClient(store).get_run(log.run_id).info.status == "FAILED"


def test_a_store_that_is_gone_does_not_end_the_run(start: gn.Network, blobs: gn.Dataset, store: str) -> None:
    log = gn.tracking.MLflow(uri=store)
    import_module("mlflow.tracking").MlflowClient(store).delete_run(log.run_id)
    with pytest.warns(UserWarning, match="epoch 1 is not in MLflow"):
        history = gn.train(start, blobs, epochs=1, callbacks=[log]).history
    assert len(history) == 1


def test_a_store_of_no_known_kind_is_told(refused: Any) -> None:
    with refused(FileError):
        gn.tracking.MLflow(uri="gopher://here")


@pytest.mark.parametrize(
    ("package", "writer"),
    [("tensorboard", lambda: gn.tracking.TensorBoard("runs")), ("mlflow", lambda: gn.tracking.MLflow())],
    ids=["tensorboard", "mlflow"],
)
def test_a_package_that_is_missing_is_named_with_its_extra(
    package: str, writer: Callable[[], object], monkeypatch: pytest.MonkeyPatch, refused: Any
) -> None:
    for name in [package, *(name for name in sys.modules if name.startswith(f"{package}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    with refused(MissingExtra):
        writer()


def test_a_callback_may_end_the_run(start: gn.Network, blobs: gn.Dataset) -> None:
    seen: list[int] = []
    told = [lambda epoch: epoch.number == 2, lambda epoch: seen.append(epoch.number)]
    training = gn.train(start, blobs, epochs=9, callbacks=told)
    assert (len(training.history), training.ended, seen) == (2, "stopped by a callback", [1, 2])
