"""Columns of text as inputs: one for each text, kept in the schema, and applied to later tables."""

import json
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest

import glassnet as gn
from glassnet import data
from glassnet.data.column_statistics import MOST_TEXTS, Moments
from glassnet.errors import FileError, InputError, SettingError
from glassnet.files import own_format

pa = import_module("pyarrow")
pq = import_module("pyarrow.parquet")

ROWS = [("red", 1.0, "yes"), ("blue", 2.0, "no"), ("red", 4.0, "no"), ("", 5.0, "yes"), ("blue", 6.0, "yes")]


def write(path, rows=ROWS, header="colour,size,bought"):
    path.write_text(f"{header}\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows))
    return path


@pytest.fixture
def shop(tmp_path):
    """A table with a column of text, in which one cell is missing."""
    return data.table(write(tmp_path / "shop.csv"), "bought")


def test_each_text_is_an_input_as_pandas_has_it(shop):
    assert shop.schema.features == ("colour=blue", "colour=red", "size")
    assert shop.schema.one_hot == (("colour", "blue"), ("colour", "red"), None)
    dummies = pd.get_dummies(pd.Series([colour or None for colour, *_ in ROWS]))
    assert np.array_equal(shop.inputs[:, :2], dummies.to_numpy(np.float32))
    sizes = pd.Series([size for _, size, _ in ROWS])
    assert shop.scaled()[:, 2] == pytest.approx(((sizes - sizes.mean()) / sizes.std(ddof=0)).to_numpy(), abs=1e-6)
    assert shop.notes == ("missing texts, none of the column's inputs is 1: 'colour' (1)",)


def test_a_later_table_is_read_by_name_and_what_is_new_is_said(shop, tmp_path):
    later = write(tmp_path / "later.csv", [(9, "red", "yes"), (9, "violet", "no"), (9, "", "no")], "size,colour,bought")
    read = data.table(later, like=shop.schema)
    assert read.inputs[:, :2].tolist() == [[0, 1], [0, 0], [0, 0]]
    assert read.notes == (
        "missing texts, none of the column's inputs is 1: 'colour' (1)",
        "texts not seen in training, none of the column's inputs is 1: 'colour' (1, such as 'violet')",
    )


def test_a_column_that_is_missing_is_named(shop, tmp_path, refused: Any):
    path = write(tmp_path / "later.csv", [(9, "red"), (9, "blue")], "size,color")
    with refused(InputError):
        data.table_inputs(path, shop.schema)


def test_codes_that_look_like_numbers_stay_text(tmp_path):
    known = data.table(
        write(tmp_path / "a.csv", [("07", "a"), ("x", "b"), ("07", "a"), ("x", "b")], "code,kind"), "kind"
    )
    assert known.schema.features == ("code=07", "code=x")
    later = write(tmp_path / "b.csv", [("07",), ("7",)], "code")
    assert data.table_inputs(later, known.schema).tolist() == [[1, 0], [0, 0]]


def test_codes_that_became_numbers_are_read_as_text(tmp_path, refused: Any):
    """A later Parquet file may hold as numbers, or as truth values, what was text in training."""
    schema = gn.Schema(features=("code=7", "code=true"), one_hot=(("code", "7"), ("code", "true")))
    for cells, inputs in (([7, 8, None], [[1, 0], [0, 0], [0, 0]]), ([True, False], [[0, 1], [0, 0]])):
        pq.write_table(pa.table({"code": cells}), tmp_path / "t")
        assert data.table_inputs(tmp_path / "t", schema).tolist() == inputs
    pq.write_table(pa.table({"code": pa.array([1], pa.timestamp("ms"))}), tmp_path / "t")
    with refused(InputError):
        data.table_inputs(tmp_path / "t", schema)


@pytest.mark.parametrize(
    ("different", "times", "used"),
    [(MOST_TEXTS, 2, True), (MOST_TEXTS + 1, 2, False), (10, 1, False), (2, 2, True), (1, 4, False)],
)
def test_which_columns_of_text_are_inputs(tmp_path, different, times, used):
    cells = [f"word {i}" for i in range(different)] * times
    rows = [(cell, i, "ab"[i % 2]) for i, cell in enumerate(cells)]
    table = data.table(write(tmp_path / "t.csv", rows, "word,x,kind"), "kind")
    assert (len(table.schema.features) == different + 1) is used
    assert ("columns left out" in "".join(table.notes)) is not used


def test_the_signature_comes_back_from_a_file(shop, tmp_path):
    network = gn.Network.create((3, 2), seed=0).with_schema(shop.schema)
    network.save(tmp_path / "a.safetensors")
    assert gn.load(tmp_path / "a.safetensors").schema == shop.schema
    gn.export(network, tmp_path / "a.npz")
    assert gn.load(tmp_path / "a.npz").schema.one_hot == shop.schema.one_hot


def test_files_from_before_categories_are_read_and_new_ones_are_not_misread(shop, tmp_path):
    """To a glassnet without categories the inputs are columns of 0 and 1 of these names."""
    network = gn.Network.create((3, 2), seed=0).with_schema(shop.schema)
    network.save(tmp_path / "new.safetensors")
    _, description = own_format.read(tmp_path / "new.safetensors", "network")
    older = {key: value for key, value in description["schema"].items() if key != "one_hot"}
    schema = gn.Schema.from_dict(json.loads(json.dumps(older)))
    table = write(tmp_path / "t.csv", [(1, 0, 2.0), (0, 1, 4.0)], "colour=blue,colour=red,size")
    assert np.array_equal(data.table_inputs(table, schema), shop.inputs[1:3])


@pytest.mark.parametrize("one_hot", [[3], [["a"]], [["a", 1]], [["a", "b"], None]])
def test_a_signature_that_makes_no_sense_is_told(tmp_path, one_hot, refused: Any):
    schema = {"features": ["a=b"], "one_hot": one_hot}
    tensors = {"layers.0.weight": np.zeros((1, 1), np.float32), "layers.0.bias": np.zeros(1, np.float32)}
    described = {"kind": "network", "sizes": [1, 1], "activations": ["relu"], "schema": schema}
    own_format.write(tmp_path / "a.safetensors", tensors, described)
    with refused(FileError):
        gn.load(tmp_path / "a.safetensors")


def test_one_hot_is_a_pair_of_texts(refused: Any):
    with refused(SettingError):
        gn.Schema(features=("a",), one_hot=(("a",),))
    with refused(SettingError):
        gn.Schema(features=("a", "a=b"), one_hot=(None, ("a", "b")))


def test_moments_of_parts_are_those_of_the_whole():
    numbers = np.random.default_rng(0).normal(1e6, 3, 1000)
    numbers[::7] = np.nan
    moments = Moments()
    for part in np.split(numbers, [10, 10, 500]):
        moments.add(part)
    whole = pd.Series(numbers)
    assert (moments.count, moments.low, moments.high) == (whole.count(), whole.min(), whole.max())
    assert (moments.mean, moments.spread) == pytest.approx((whole.mean(), whole.std(ddof=0)), rel=1e-12)
