"""Tables larger than memory: what a stream learns and gives is what pandas, and the table in memory, have."""

import errno
import io
import sys
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest

from glassnet import data
from glassnet.data.arrow_files import ROWS_AT_ONCE, ArrowFiles
from glassnet.data.streams import Rows, is_streamed
from glassnet.errors import FileError, InputError, MissingExtra, SettingError

pa = import_module("pyarrow")
pq = import_module("pyarrow.parquet")

COUNT = 2 * ROWS_AT_ONCE + 1000


def frame(count=COUNT):
    """Numbers with gaps, text with gaps, truths, and things that are left out; one row without a target."""
    random = np.random.default_rng(0)
    size = random.normal(1e5, 3, count)
    size[::11] = np.nan
    columns = {
        "size": size,
        "colour": random.choice(["red", "green", None], count),
        "new": random.random(count) < 0.3,
        "row": np.arange(count),
        "name": [f"person {i}" for i in range(count)],
        "day": pd.Timestamp("2024-01-01"),
        "planet": "earth",
        "kind": np.where(random.random(count) < 0.2, "a", "b"),
    }
    table = pd.DataFrame(columns)
    table.loc[5, "kind"] = None
    return table


@pytest.fixture(scope="module")
def table():
    return frame()


@pytest.fixture(scope="module")
def path(table, tmp_path_factory):
    path = tmp_path_factory.mktemp("stream") / "table.parquet"
    table.to_parquet(path, row_group_size=7000)
    return path


def collected(blocks):
    parts = list(blocks)
    return np.concatenate([part.inputs for part in parts]), np.concatenate([part.targets for part in parts])


# What is learnt of the columns


def test_statistics_are_those_of_pandas(path, table):
    stream, kept = data.stream(path, "kind"), table.dropna(subset=["kind"])
    schema = stream.schema
    assert schema.features == ("size", "colour=green", "colour=red", "new", "row")
    for i, name in ((0, "size"), (3, "new"), (4, "row")):
        column = kept[name].astype(float)
        assert schema.centers[i] == pytest.approx(column.mean(), rel=1e-12)
        assert schema.spreads[i] == pytest.approx(column.std(ddof=0), rel=1e-9)
    assert (len(stream), stream.classes) == (COUNT - 1, ("a", "b"))
    assert stream.counts == tuple(kept["kind"].value_counts().sort_index())
    assert stream.notes == (
        "rows left out, without a target: 1",
        "columns left out, values of type timestamp[us]: 'day'",
        "columns left out, text of more than 50 different values: 'name'",
        "columns left out, constant: 'planet'",
    )


def test_a_stream_gives_what_the_table_in_memory_gives(path):
    in_memory, stream = data.table(path, "kind"), data.stream(path, "kind")
    inputs, targets = collected(stream.blocks())
    assert stream.schema.features == in_memory.schema.features
    assert stream.schema.centers == pytest.approx(in_memory.schema.centers, rel=1e-12)
    assert np.allclose(inputs, in_memory.scaled(), atol=1e-5)
    assert np.array_equal(targets, in_memory.targets)


def test_measurements_come_with_center_and_spread(path, table):
    stream = data.stream(path, "row", task="measurement")
    assert (stream.classes, stream.counts) == (None, None)
    assert (stream.center, stream.spread) == pytest.approx((table["row"].mean(), table["row"].std(ddof=0)), rel=1e-12)
    assert np.array_equal(collected(stream.blocks())[1], table["row"])
    assert np.allclose(np.sort(collected(stream.shuffled(0, 0, 64))[1]), table["row"], atol=0.01)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        ([3, 1, 3, 1], ("1", "3")),
        ([True, False, True, False], ("false", "true")),
        (["b", "a", "10", "9"], ("10", "9", "a", "b")),
        ([0.5, 1, 2, 1], None),
        (list(range(40)), None),
    ],
)
def test_what_is_a_class(tmp_path, values, classes):
    pq.write_table(pa.table({"x": range(len(values)), "y": values}), tmp_path / "t")
    assert data.stream(tmp_path / "t", "y").classes == classes


# The order of an epoch


def test_an_epoch_has_every_row_once_in_whole_batches(path):
    stream = data.stream(path, "kind")
    blocks = list(stream.shuffled(0, 0, 64))
    rows = np.concatenate([block.inputs[:, -1] for block in blocks])
    assert all(len(block) % 64 == 0 for block in blocks[:-1])
    assert np.array_equal(np.sort(rows), np.sort(collected(stream.blocks())[0][:, -1]))


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of a few thousand rows, so that a small table has many."""
    monkeypatch.setattr("glassnet.data.stream_dataset.NUMBERS_AT_ONCE", 1 << 14)


def test_a_sorted_file_is_shuffled_as_well_as_any(path, table, small_blocks, tmp_path):
    """Every stretch of an epoch has rows from all places: its mean is that of a random sample."""
    stream = data.stream(path, "kind")
    row = np.concatenate([block.inputs[:, -1] for block in stream.shuffled(0, 0, 64)])
    assert len(list(stream.shuffled(0, 0, 64))) > 5
    stretches = row[: len(row) // 500 * 500].reshape(-1, 500)
    assert abs(stretches.mean(axis=1)).max() < 5 / np.sqrt(500)  # the rows' numbers, standardised
    assert np.std(stretches, axis=1) == pytest.approx(1, abs=0.15)
    neighbours = np.corrcoef(row[1:], row[:-1])[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(len(row))


def test_seed_and_epoch_decide_the_order(path, small_blocks):
    def order(seed, epoch):
        return collected(data.stream(path, "kind").shuffled(seed, epoch, 64))[0][:, -1]

    assert np.array_equal(order(0, 1), order(0, 1))
    assert not np.array_equal(order(0, 1), order(0, 2))
    assert not np.array_equal(order(0, 1), order(1, 1))


def test_a_share_is_held_out_row_by_row(path, table):
    learnt, held_out = data.stream(path, "kind").split(0.2, seed=3)
    assert len(learnt) + len(held_out) == COUNT - 1
    assert len(held_out) == pytest.approx(0.2 * COUNT, abs=4 * np.sqrt(0.16 * COUNT))
    rows = np.concatenate([collected(learnt.blocks())[0][:, -1], held_out.inputs[:, -1]])
    assert len(np.unique(rows)) == COUNT - 1
    assert np.array_equal(
        np.sort(collected(learnt.shuffled(0, 0, 64))[0], axis=0), np.sort(collected(learnt.blocks())[0], axis=0)
    )
    again = data.stream(path, "kind").split(0.2, seed=3)[1]
    assert np.array_equal(again.inputs, held_out.inputs)
    assert not np.array_equal(data.stream(path, "kind").split(0.2, seed=4)[1].inputs[:9], held_out.inputs[:9])
    missing = table.dropna(subset=["kind"]).isna().sum()
    assert learnt.notes[-2:] == (
        f"missing values filled with the column's mean: 'size' ({missing['size']:,})",
        f"missing texts, none of the column's inputs is 1: 'colour' ({missing['colour']:,})",
    )


def test_no_more_is_held_out_than_memory_should_hold(path, monkeypatch):
    monkeypatch.setattr("glassnet.data.stream_dataset.MOST_HELD_OUT", 1000)
    _, held_out = data.stream(path, "kind").split(0.5)
    assert 850 < len(held_out) < 1150


@pytest.mark.parametrize("share", [0, 1e-9, -1, 2])
def test_a_share_that_leaves_nothing_is_told(path, share, refused: Any):
    with refused(SettingError):
        data.stream(path, "kind").split(share)


# Files and folders


def test_folders_partitions_and_arrow_files_are_the_same_table(tmp_path, table):
    table = table.drop(columns=["day"])
    whole = pa.Table.from_pandas(table)
    pq.write_table(whole, tmp_path / "whole")
    (tmp_path / "parts").mkdir()
    for i in range(3):
        pq.write_table(whole.slice(i * 12_000, 12_000), tmp_path / "parts" / f"{i}.parquet")
    (tmp_path / "parts" / "_SUCCESS").write_text("")
    with pa.ipc.new_file(tmp_path / "whole.arrow", whole.schema) as writer:
        writer.write_table(whole, max_chunksize=20_000)
    expected = collected(data.stream(tmp_path / "whole", "kind").blocks())[0]
    for name in ("parts", "whole.arrow"):
        stream = data.stream(tmp_path / name, "kind")
        assert np.allclose(collected(stream.blocks())[0], expected, atol=1e-5)
        assert is_streamed(tmp_path / name)
    assert not is_streamed(tmp_path / "whole")


def test_hive_partitions_are_columns(tmp_path):
    rows = {"year": [2023, 2024] * 50, "land": ["no", "se", "no", "dk"] * 25, "x": range(100), "y": ["a", "b"] * 50}
    pq.write_to_dataset(pa.table(rows), tmp_path / "set", partition_cols=["year", "land"])
    stream = data.stream(tmp_path / "set", "y")
    assert stream.schema.features == ("x", "year", "land=dk", "land=no", "land=se")
    inputs, targets = collected(stream.blocks())
    assert np.array_equal(inputs[:, 1] > 0, targets == 1)
    assert inputs[:, 2:].sum(axis=0).tolist() == [25, 50, 25]


def test_a_partition_may_be_the_target(tmp_path):
    rows = {"x": range(20), "y": ["a", "b"] * 10}
    pq.write_to_dataset(pa.table(rows), tmp_path / "set", partition_cols=["y"])
    stream = data.stream(tmp_path / "set", "y")
    assert (stream.classes, stream.counts) == (("a", "b"), (10, 10))
    assert len(data.stream(tmp_path / "set", like=stream.schema)) == 20


def test_a_partition_without_a_value_is_a_missing_cell(tmp_path):
    rows = {"land": ["no", None, "se", "no"] * 5, "x": range(20), "y": ["a", "b"] * 10}
    pq.write_to_dataset(pa.table(rows), tmp_path / "set", partition_cols=["land"])
    inputs, _ = collected(data.stream(tmp_path / "set", "y").blocks())
    assert inputs[:, 1:].sum(axis=0).tolist() == [10, 5]


def test_a_stream_says_what_it_is(path):
    assert repr(data.stream(path, "kind")) == f"Stream(table.parquet: {COUNT - 1:,} examples of 5 inputs, 2 classes)"


def test_rows_are_read_for_a_network_by_name(path, tmp_path):
    like = data.stream(path, "kind").schema
    later = {
        "colour": ["red", "pink", None],
        "row": [1, 2, None],
        "new": [True, False, True],
        "size": ["1e5", "2", "3"],
    }
    pq.write_table(pa.table(later), tmp_path / "later")
    rows = Rows.of(tmp_path / "later", like)
    (inputs,) = rows
    assert len(rows) == 3
    assert np.array_equal(inputs, like.preprocess(data.table_inputs(tmp_path / "later", like))[0])
    assert inputs[:, 1:3].tolist() == [[0, 1], [0, 0], [0, 0]]
    assert rows.gaps.notes("the center") == (
        "missing values filled with the center: 'row' (1)",
        "missing texts, none of the column's inputs is 1: 'colour' (1)",
        "texts not seen in training, none of the column's inputs is 1: 'colour' (1, such as 'pink')",
    )


# What cannot be used


def test_without_pyarrow_the_extra_is_named(path, monkeypatch, refused: Any):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with refused(MissingExtra):
        data.stream(path, "kind")


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.999])
def test_truncated_files(path, tmp_path, keep, refused: Any):
    whole = path.read_bytes()
    (tmp_path / "t").write_bytes(whole[: int(keep * len(whole))])
    with refused(FileError):
        data.stream(tmp_path / "t", "kind")


def test_damage_within_the_rows_names_the_file(path, tmp_path, refused: Any):
    content = bytearray(path.read_bytes())
    content[1000:40_000] = bytes(39_000)
    (tmp_path / "t").write_bytes(content)
    with refused(FileError):
        data.stream(tmp_path / "t", "kind")


def test_the_cell_that_is_no_number_is_named_with_its_file(tmp_path, refused: Any):
    (tmp_path / "set").mkdir()
    pq.write_table(pa.table({"x": [1.0, 2], "y": ["a", "b"]}), tmp_path / "set" / "1.parquet")
    pq.write_table(pa.table({"x": [1.0, np.inf], "y": ["a", "b"]}), tmp_path / "set" / "2.parquet")
    with refused(InputError):
        data.stream(tmp_path / "set", "y")


@pytest.mark.parametrize(
    "columns",
    [
        {"y": ["a", "b"]},
        {"x": ["p", "q"], "y": ["a", "b"]},
    ],
    ids=["absent", "other"],
)
def test_files_that_do_not_agree(tmp_path, columns, refused: Any):
    pq.write_table(pa.table({"x": [1.0, 2], "y": ["a", "b"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table(columns), tmp_path / "2.parquet")
    with refused(InputError):
        data.stream(tmp_path, "y")


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"a.parquet": None, "b.csv": b"x,y\n1,2\n"},
        {"a.csv": b"x,y\n1,2\n"},
    ],
    ids=["empty", "mixed", "csv"],
)
def test_folders_of_other_things(tmp_path, files, refused: Any):
    for name, content in files.items():
        if content is None:
            pq.write_table(pa.table({"x": [1], "y": [2]}), tmp_path / name)
        else:
            (tmp_path / name).write_bytes(content)
    with refused(FileError):
        data.stream(tmp_path, "y")


@pytest.mark.parametrize(
    ("target", "error"),
    [
        ("knd", SettingError),
        (None, SettingError),
        ("planet", InputError),
        ("name", InputError),
        ("day", InputError),
    ],
)
def test_targets_that_cannot_be_told(path, target, error, refused: Any):
    with refused(error):
        data.stream(path, target)


def test_more_classes_than_can_be_told_apart(tmp_path, monkeypatch, refused: Any):
    monkeypatch.setattr("glassnet.data.targets.MOST_CLASSES", 30)
    pq.write_table(pa.table({"x": range(40), "y": [f"{i}" for i in range(40)]}), tmp_path / "t")
    with refused(InputError):
        data.stream(tmp_path / "t", "y")


def test_targets_for_a_network_have_to_be_there(path, tmp_path, refused: Any):
    like = data.stream(path, "kind").schema
    table = pq.read_table(path)
    empty = table.set_column(table.column_names.index("kind"), "kind", pa.nulls(len(table), pa.string()))
    pq.write_table(empty, tmp_path / "t")
    with refused(InputError):
        data.stream(tmp_path / "t", like=like)


def test_a_disk_without_room_is_told_before_the_work(path, monkeypatch, refused: Any):
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with refused(FileError):
        data.stream(path, "kind").split(0.2)


def test_a_disk_that_fills_up_is_told(path, monkeypatch, refused: Any):
    class Full(io.BytesIO):
        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: Full())
    with refused(FileError):
        data.stream(path, "kind").split(0.2)


def test_a_scratch_folder_that_is_not_there_is_told(path, monkeypatch, tmp_path, refused: Any):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "no"))
    with refused(FileError):
        data.stream(path, "kind").split(0.2)


def test_nothing_is_left_behind(path, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    learnt, _ = data.stream(path, "kind").split(0.2)
    next(learnt.shuffled(0, 0, 64))
    del learnt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
@pytest.mark.parametrize("rows", [range(3, 7), range(0, 1), range(39, 40), range(5, 40), range(19, 21)])
def test_these_rows_alone_are_read(tmp_path, kind, rows):
    table = pa.table({"n": np.arange(40.0)})
    path = tmp_path / f"t.{kind}"
    if kind == "parquet":
        pq.write_table(table, path, row_group_size=20)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table)
    found = [part.columns["n"].numbers for part in ArrowFiles.open(path).parts(["n"], rows=rows)]
    assert np.concatenate(found).tolist() == list(rows)


@pytest.mark.parametrize(("files", "where"), [(1, "row 2 below the header"), (2, "row 2 of b.parquet")])
def test_a_cell_is_named_with_its_file_where_there_are_several(tmp_path, files, where):
    for name in "ab"[2 - files :]:
        numbers = [1.0, float("inf") if name == "b" else 2.0, 3.0]
        pq.write_table(pa.table({"x": numbers, "y": [0, 1, 0]}), tmp_path / f"{name}.parquet")
    with pytest.raises(InputError, match=where):
        data.stream(tmp_path, "y")
