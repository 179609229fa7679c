"""Each process reads its own rows of a Parquet data set, and all of them learn what one would learn from all rows."""

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
import tasks
from pyarrow import dataset, parquet

import glassnet as gn


def write(path, rows=600, measurement=False, without=()):
    """A table of numbers and a column of text; some rows are without a target."""
    random = np.random.default_rng(0)
    x = random.normal(size=(rows, 3)) * [1, 5, 0.1] + [0, 100, 3]
    colour = random.choice(["red", "green", "blue"], rows)
    score = x[:, 0] + (x[:, 1] - 100) / 5 + (colour == "red")
    y = (score * 1e4).astype(object) if measurement else np.where(score > 0, "yes", "no").astype(object)
    y[list(without)] = None
    columns = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "colour": colour, "y": pa.array(y)}
    parquet.write_table(pa.table(columns), path, row_group_size=100)
    return str(path)


@pytest.mark.parametrize("measurement", [False, True], ids=["classes", "measurement"])
def test_any_number_of_processes_learns_the_same(on, tmp_path, measurement):
    path = write(tmp_path / "t.parquet", measurement=measurement, without=range(0, 600, 50))
    one, *_ = on(1, tasks.read, path, {})
    assert one.error is None
    for size in (2, 3):
        outcomes = on(size, tasks.read, path, {})
        for mine, other in zip(outcomes[-1].value[:3], one.value[:3], strict=True):
            np.testing.assert_allclose(mine, other, rtol=1e-9, atol=1e-9)
        assert sum(outcome.value[4] for outcome in outcomes) == one.value[4]


def test_it_is_what_a_stream_learns_of_the_same_file(on, tmp_path):
    path = write(tmp_path / "t.parquet")
    learn, held_out = gn.data.stream(path, "y").split(0.2)
    *_, examples = on(1, tasks.read, path, {"epochs": 1})[0].value
    assert examples == len(learn)
    assert 0 < len(held_out) == 600 - examples


def test_nobody_reads_the_row_groups_of_others(on, tmp_path):
    first, second = on(2, tasks.read, write(tmp_path / "t.parquet"), {"epochs": 1})
    assert first.value[3] == [0, 1, 2]
    assert second.value[3] == [3, 4, 5]


def test_a_folder_of_files_is_shared_by_its_rows(on, tmp_path):
    whole = write(tmp_path / "whole.parquet")
    table, folder = parquet.read_table(whole), tmp_path / "folder"
    folder.mkdir()
    for name, part in (("1", table.slice(0, 90)), ("2", table.slice(90, 400)), ("3", table.slice(490))):
        parquet.write_table(part, folder / f"{name}.parquet")
    ours, theirs = on(2, tasks.read, str(folder), {})[0].value, on(1, tasks.read, whole, {})[0].value
    np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=1e-9)


def test_a_run_on_parts_goes_on_with_another_number_of_processes(on, tmp_path):
    path, kept = write(tmp_path / "t.parquet"), {"checkpoint": str(tmp_path / "run.checkpoint"), "resume": True}
    on(2, tasks.read, path, kept | {"epochs": 1, "schedule": "constant"})
    resumed = on(3, tasks.read, path, kept | {"schedule": "constant"})[2].value
    whole = on(1, tasks.read, path, {"schedule": "constant"})[0].value
    assert len(resumed[1]) == 3
    np.testing.assert_allclose(resumed[0], whole[0], rtol=0, atol=1e-9)


def test_a_part_without_an_example_is_told_by_all(on, tmp_path):
    path = write(tmp_path / "t.parquet", rows=300, without=range(150, 300))
    for outcome in on(2, tasks.read, path, {}):
        assert "InputError: rank 1 of 2 has no example of t.parquet" in outcome.error
        assert "start fewer processes" in outcome.error


def test_a_spoilt_cell_in_one_part_is_told_by_all(on, tmp_path):
    path = write(tmp_path / "t.parquet")
    table = parquet.read_table(path)
    spoilt = table["a"].to_numpy().copy()
    spoilt[500] = np.inf
    parquet.write_table(table.set_column(0, "a", pa.array(spoilt)), path)
    for outcome in on(2, tasks.read, path, {}):
        assert "rank 1 of 2 failed: " in outcome.error
        assert "row" in outcome.error


def test_prediction_is_split_over_processes_and_keeps_the_rows_in_order(tmp_path):
    path = write(tmp_path / "t.parquet")
    learn, _ = gn.data.stream(path, "y").split(0.2)
    network = gn.train(
        gn.Network.create(f"{learn.input_shape[0]}-4-2", output="softmax", seed=0), learn, epochs=1
    ).network
    network.save(tmp_path / "n.safetensors")
    command = [sys.executable, "-m", "glassnet", "predict", str(tmp_path / "n.safetensors"), path, "-o"]

    def predict(output, **environment):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
        subprocess.run([*command, str(tmp_path / output)], env=environment, check=True, capture_output=True, timeout=60)

    predict("one.arrow")
    for rank in ("0", "1"):  # they need not meet
        predict("two.parquet", RANK=rank, WORLD_SIZE="2")
    one = dataset.dataset(tmp_path / "one.arrow", format="ipc").to_table()
    two = dataset.dataset(tmp_path / "two.parquet").to_table()
    assert two.num_rows == 600
    assert two["y"].to_pylist() == one["y"].to_pylist()
