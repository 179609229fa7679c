"""Runs over streams: as good as in memory, resumed with the same bits, measured with the same figures."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.cli import main
from glassnet.engines import choose
from glassnet.errors import SettingError
from glassnet.training import epochs
from glassnet.training.target_scaling import Unit

pa = import_module("pyarrow")
pq = import_module("pyarrow.parquet")


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of some hundred rows: a small table has many, and they are no whole number of batches."""
    monkeypatch.setattr("glassnet.data.stream_dataset.NUMBERS_AT_ONCE", 3000)


def table(seed: int, count: int) -> Any:
    """Rows whose class takes a curved border to tell."""
    x, y, z = np.random.default_rng(seed).normal(size=(3, count))
    kind = np.where(x * y + np.sin(2 * z) > 0, "orange", "blue")
    return pa.table({"x": x, "y": y, "z": z, "price": 3e5 + 2e4 * x + 1e4 * y, "kind": kind})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 rows sorted by their class, which is the worst order to learn in."""
    path = tmp_path_factory.mktemp("run") / "fruit.parquet"
    pq.write_table(table(0, 2000).sort_by("kind"), path)
    return path


@pytest.fixture
def stream(path: Path) -> gn.data.Stream:
    return gn.data.stream(path, "kind")


@pytest.fixture
def start() -> gn.Network:
    return gn.Network.create("4-16-2", "tanh", output="softmax", seed=0)


SETTINGS = {"epochs": 4, "batch_size": 32, "seed": 3, "dropout": 0.1}


def test_it_learns_as_well_as_in_memory(path: Path, tmp_path: Path) -> None:
    """A file sorted by class: accuracy on other rows over seeds, beside the same table in memory."""
    pq.write_table(table(1, 4000), tmp_path / "test.parquet")
    accuracies: dict[str, list[float]] = {"memory": [], "stream": []}
    for seed in range(4):
        for name, data in (("memory", gn.data.table(path, "kind")), ("stream", gn.data.stream(path, "kind"))):
            start = gn.Network.create("4-32-32-2", output="softmax", seed=seed)
            network = gn.train(start, data, epochs=10, seed=seed).network
            test = gn.data.table(tmp_path / "test.parquet", like=network.schema)
            accuracies[name].append(gn.evaluate(network, test).accuracy or 0)
    assert np.mean(accuracies["memory"]) > 0.9
    assert np.mean(accuracies["stream"]) == pytest.approx(np.mean(accuracies["memory"]), abs=0.01)


def test_one_block_is_one_epoch_in_memory(start: gn.Network, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All rows in one block, in the order that the stream gave them: the same steps, the same bits."""
    monkeypatch.setattr("glassnet.data.stream_dataset.NUMBERS_AT_ONCE", 1 << 20)
    stream = gn.data.stream(path, "kind")
    (block,) = stream.shuffled(3, 0, 40)
    settings = {**SETTINGS, "epochs": 1, "batch_size": 40}
    streamed = next(iter(epochs(start, stream, **settings)))  # type: ignore[arg-type]
    run = epochs(start, block, **settings)  # type: ignore[arg-type]
    assert run.examples is not None
    trainer = choose("auto", start.architecture, start.dtype)[0].trainer(run.plan, run.examples, run.state)
    rates = [run.learning_rate * run.schedule.factor(batch / 50, 1) for batch in range(50)]
    losses = trainer.run(np.arange(len(block)), rates)
    assert streamed.network is not None
    assert np.array_equal(streamed.network.parameters, trainer.state().parameters)
    assert streamed.loss == pytest.approx(np.mean(losses))


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_the_same_seed_gives_the_same_bits(start: gn.Network, path: Path, engine: str) -> None:
    one, other = (gn.train(start, gn.data.stream(path, "kind"), engine=engine, **SETTINGS).network for _ in "ab")  # type: ignore[arg-type]
    assert one == other
    assert one.schema.features == ("x", "y", "z", "price")


@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_run_that_was_stopped_goes_on_with_the_same_bits(
    start: gn.Network, path: Path, tmp_path: Path, stop_after: int
) -> None:
    def settings() -> dict[str, object]:
        learn, held_out = gn.data.stream(path, "kind").split(0.2, 1)
        return {"data": learn, "validation": held_out, **SETTINGS}

    whole = gn.train(start, **settings())  # type: ignore[arg-type]
    checkpoint = tmp_path / "run.checkpoint"
    for epoch in epochs(start, checkpoint=checkpoint, **settings()):  # type: ignore[arg-type]
        if epoch.number == stop_after:
            break
    resumed = gn.train(start, checkpoint=checkpoint, resume=True, **settings())  # type: ignore[arg-type]
    np.testing.assert_array_equal(resumed.network.parameters, whole.network.parameters)
    assert resumed.history.validation_loss == whole.history.validation_loss


def test_other_rows_are_told(start: gn.Network, path: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    next(iter(epochs(start, gn.data.stream(path, "kind"), checkpoint=checkpoint)))
    table = pq.read_table(path)
    pq.write_table(table.slice(0, 1999), tmp_path / "fruit.parquet")
    for other in (gn.data.stream(tmp_path / "fruit.parquet", "kind"), gn.data.stream(path, "kind").split(0.1)[0]):
        with pytest.raises(SettingError, match=r"belongs to a run with data \[2000, .*, not \["):
            epochs(start, other, checkpoint=checkpoint, resume=True)


def test_a_stream_is_measured_as_the_table_is(start: gn.Network, path: Path, stream: gn.data.Stream) -> None:
    in_memory = gn.data.table(path, "kind")
    one, other = gn.evaluate(start, stream), gn.evaluate(start, in_memory)
    assert (one.count, one.accuracy, one.classes) == (other.count, other.accuracy, other.classes)
    assert np.array_equal(one.confusion, other.confusion)  # type: ignore[arg-type]
    assert one.loss == pytest.approx(other.loss, rel=1e-6)
    prices = gn.Network.create("5-4-1", seed=0)
    streamed = gn.evaluate(prices, gn.data.stream(path, "price"))
    assert streamed.r_squared == pytest.approx(gn.evaluate(prices, gn.data.table(path, "price")).r_squared, rel=1e-4)


def test_a_stream_can_be_looked_at_after_each_epoch(start: gn.Network, path: Path, stream: gn.data.Stream) -> None:
    history = gn.train(start, stream, validation=gn.data.stream(path, like=stream.schema), epochs=2).history
    assert history[-1].validation_accuracy == pytest.approx(0.6, abs=0.2)


def test_measurements_are_learnt_around_0(path: Path) -> None:
    stream = gn.data.stream(path, "price")
    unit = Unit.of(stream)
    standard = np.concatenate([block.targets for block in unit.standardise(stream).shuffled(0, 0, 32)])
    assert (standard.mean(), standard.std()) == pytest.approx((0, 1), abs=1e-6)
    network = gn.train(gn.Network.create("5-8-1", seed=0), stream, epochs=10).network
    assert (gn.evaluate(network, stream).r_squared or 0) > 0.98


def test_class_weights_follow_the_counts(start: gn.Network, path: Path, stream: gn.data.Stream, refused: Any) -> None:
    kinds = [*["a"] * 100, *["b"] * 1000]
    pq.write_table(pa.table({"x": range(1100), "kind": kinds}), path.with_name("rare.parquet"))
    start = gn.Network.create("1-2", seed=0)
    run = epochs(start, gn.data.stream(path.with_name("rare.parquet"), "kind"), class_weight="balanced")
    assert run.plan.loss.class_weights == pytest.approx((5.5, 0.55))  # type: ignore[attr-defined]
    for settings in ({"sample_weight": np.ones(2000)}, {"loss": "squared_error", "class_weight": "balanced"}):
        with refused(SettingError):
            epochs(gn.Network.create("4-2", seed=0), stream, **settings)  # type: ignore[arg-type]


def test_many_runs_learn_from_one_stream_at_once(start: gn.Network, path: Path) -> None:
    learn, _ = gn.data.stream(path, "kind").split(0.2)
    together = gn.train_many([epochs(start, learn, epochs=3, seed=seed) for seed in range(4)], threads=4)
    for seed, training in enumerate(together):
        assert training.network == gn.train(start, learn, epochs=3, seed=seed).network


def test_a_run_over_a_stream_is_not_recorded(start: gn.Network, stream: gn.data.Stream, refused: Any) -> None:
    with refused(SettingError):
        gn.explain.record(epochs(start, stream))


def test_a_run_can_be_stopped_within_an_epoch(start: gn.Network, stream: gn.data.Stream) -> None:
    run = epochs(start, stream, epochs=3, progress=lambda *_: run.stop())
    assert list(run) == []
    assert run.ended == "interrupted"


# The command


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> tuple[str, str]:
    assert main([str(argument) for argument in arguments]) == status, capsys.readouterr().err
    out, err = capsys.readouterr()
    return out, err


def test_train_evaluate_and_predict(capsys: pytest.CaptureFixture[str], path: Path, here: Path) -> None:
    folder = here / "fruit"
    folder.mkdir()
    pq.write_table(pq.read_table(path).drop_columns(["price"]), folder / "1.parquet")
    out, err = told(capsys, "train", folder, "--target", "kind", "--epochs", 40, "--batch-size", 16)
    assert "surveyed 2,000 rows in" in err
    assert "shuffled 2,000 rows in" in err
    assert " rows/s" in err.splitlines()[-1]
    assert "saved fruit.safetensors" in out
    figures = json.loads(told(capsys, "evaluate", "fruit.safetensors", folder, "--json")[0])
    assert figures["count"] == 2000
    out, err = told(capsys, "predict", "fruit.safetensors", folder, "-o", "out.parquet")
    assert out == ""
    assert err.startswith("predicted 2,000 rows in")
    told_by = pq.read_table("out.parquet")
    assert told_by.column_names == ["kind", "kind=blue", "kind=orange"]
    right = np.mean(told_by["kind"].to_numpy() == pq.read_table(path)["kind"].to_numpy())
    assert right == pytest.approx(figures["accuracy"])
    lines = told(capsys, "predict", "fruit.safetensors", folder)[0].splitlines()
    assert lines == told_by["kind"].to_pylist()


def test_a_flag_decides_where_size_should_not(capsys: pytest.CaptureFixture[str], path: Path, here: Path) -> None:
    _, err = told(capsys, "train", path, "--target", "price", "--epochs", 1, "--stream")
    assert "surveyed" in err
    _, err = told(capsys, "train", path, "--target", "price", "--epochs", 1)
    assert "surveyed" not in err


@pytest.mark.parametrize("name", ["out.csv", "out.arrow"])
def test_predictions_in_other_formats(capsys: pytest.CaptureFixture[str], path: Path, here: Path, name: str) -> None:
    told(capsys, "train", path, "--target", "price", "--epochs", 1, "-o", "a.safetensors")
    told(capsys, "predict", "a.safetensors", path, "-o", name)
    lines = told(capsys, "predict", "a.safetensors", path)[0].splitlines()
    if name == "out.csv":
        prices = [float(line) for line in Path(name).read_text().splitlines()[1:]]
    else:
        with pa.OSFile(name) as file:
            prices = pa.ipc.open_file(file).read_all()["price"].to_pylist()
    assert prices == pytest.approx([float(line) for line in lines], rel=1e-6)


def test_where_predictions_cannot_go(capsys: pytest.CaptureFixture[str], path: Path, here: Path, reported: Any) -> None:
    told(capsys, "train", path, "--target", "kind", "--epochs", 1, "-o", "a.safetensors")
    for arguments in ([path, "-o", "out.xlsx"], ["--inputs", "1,2,3,4", "-o", "out.csv"]):
        reported(told(capsys, "predict", "a.safetensors", *arguments, status=2)[1])
    reported(told(capsys, "predict", "a.safetensors", path, "-o", "no/out.csv", status=1)[1])
