"""The one door: each source finds its reader by what it is."""

import gzip
import os
import struct
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from PIL import Image

from glassnet import data
from glassnet.errors import FileError, SettingError
from glassnet.schema import Schema

CSV = "x,y,kind\n1,2,a\n3,4,b\n5,7,a\n"


def idx_bytes(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_digits_are_the_training_digits():
    assert repr(data.read("digits")).startswith("Dataset(training digits: 60,000")


@pytest.mark.parametrize("name", ["circle", "xor", "gauss", "spiral"])
def test_toys_by_name(name):
    assert np.array_equal(data.read(name).inputs, getattr(data, name)().inputs)


def test_a_bundled_name_wins_over_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "xor").write_text(CSV)
    assert data.read("xor").classes == ("orange", "blue")
    assert data.read("./xor", "kind").classes == ("a", "b")


def test_tables_by_content_whatever_their_name(tmp_path):
    pq = import_module("pyarrow.parquet")
    import pyarrow as pa

    (tmp_path / "a.parquet").write_text(CSV)
    pq.write_table(pa.table({"x": [1, 3, 5], "y": [2, 4, 7], "kind": ["a", "b", "a"]}), tmp_path / "b.csv")
    as_csv, as_parquet = data.read(tmp_path / "a.parquet", "kind"), data.read(tmp_path / "b.csv", "kind")
    assert np.array_equal(as_csv.inputs, as_parquet.inputs)
    assert as_csv.schema == as_parquet.schema

    np.savez(tmp_path / "c", inputs=[[1.0], [2.0]], targets=[0, 1])
    (tmp_path / "c.npz").rename(tmp_path / "c.csv")
    assert data.read(tmp_path / "c.csv").classes == ("0", "1")


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte"),
        ("train-images.idx3-ubyte", "train-labels.idx1-ubyte"),
    ],
)
def test_idx_images_find_the_labels_beside_them(tmp_path, images, labels):
    for name, array in [(images, np.zeros((2, 3, 3), np.uint8)), (labels, np.array([1, 0], np.uint8))]:
        content = idx_bytes(array)
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert data.read(tmp_path / images).targets.tolist() == [1, 0]


@pytest.mark.parametrize(
    "name",
    [
        "train-images-idx3-ubyte",
        "digits.bin",
    ],
)
def test_idx_images_without_labels(tmp_path, name, refused: Any):
    (tmp_path / name).write_bytes(idx_bytes(np.zeros((2, 3, 3), np.uint8)))
    with refused(FileError):
        data.read(tmp_path / name)


def test_a_folder_of_pictures(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        Image.new("L", (4, 4), 9).save(tmp_path / name / "1.png")
    assert data.read(tmp_path, size=(2, 3)).input_shape == (2, 3)
    like = Schema((2, 2), 1 / 255, classes=("ant", "cat", "dog"))
    assert data.read(tmp_path, like=like).targets.tolist() == [1, 2]


def test_unknown_names_are_told_apart_from_missing_files(tmp_path, monkeypatch, refused: Any):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "iris.csv").write_text(CSV)
    with refused(SettingError):
        data.read("digit")
    with refused(FileError):
        data.read("iris.cvs")
    with refused(FileError):
        data.read("nowhere/x")


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n....",
        gzip.compress(CSV.encode(), mtime=0),
        b"\x1f\x8b broken",
        b"\x80\x04\x95\0\0\0",
        b"",
    ],
)
def test_files_that_are_no_data_set(tmp_path, content, refused: Any):
    (tmp_path / "file.csv").write_bytes(content)
    with refused(FileError):
        data.read(tmp_path / "file.csv", "kind")


@pytest.mark.parametrize("settings", [{"target": "a"}, {"task": "classes"}, {"size": (2, 2)}])
def test_settings_that_mean_nothing_are_refused(settings, refused: Any):
    with refused(SettingError):
        data.read("digits", **settings)


def test_the_targets_name_of_a_network_is_no_setting(tmp_path):
    np.savez(tmp_path / "a", inputs=[[1.0, 2.0], [3.0, 5.0]], targets=["a", "b"])
    like = Schema((2,), None, ("x0", "x1"), (0.0, 0.0), (1.0, 1.0), ("a", "b"), "kind")
    assert data.read(tmp_path / "a.npz", "kind", like=like).targets.tolist() == [0, 1]


def test_paths_that_cannot_be_read(tmp_path, refused: Any):
    os.mkfifo(tmp_path / "pipe.csv")
    with refused(FileError):
        data.read(tmp_path / "pipe.csv")
    with refused(FileError):
        data.table(tmp_path, "kind")
    with refused(FileError):
        data.read("a\0b.csv")
    with refused(FileError):
        data.read("a" * 5000 + ".csv")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path, refused: Any):
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "a.csv").chmod(0)
    with refused(FileError):
        data.read(tmp_path / "a.csv", "kind")
