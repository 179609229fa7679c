"""Keras files against Keras itself: names as the user gave them, counts and numbers as Keras has them."""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
pytestmark = pytest.mark.filterwarnings("ignore")

h5py = import_module("h5py")
keras = import_module("keras")

from glassnet.errors import AddressError  # noqa: E402
from glassnet.files import models_in_memory  # noqa: E402
from glassnet.files.checkpoint import Checkpoint  # noqa: E402
from glassnet.files.formats.keras import reader  # noqa: E402


@pytest.fixture(scope="module")
def model() -> Any:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,))
    values = keras.layers.Dense(6, activation="relu", name="hidden")(inputs)
    values = keras.layers.BatchNormalization(name="norm", scale=False)(values)
    values = keras.layers.Dropout(0.2)(values)
    block = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, use_bias=False, name="inner")], name="block")
    outputs = keras.layers.Dense(3, activation="softmax", name="scores")(block(values))
    model = keras.Model(inputs, outputs)
    model.compile("adam", "mse")
    model.fit(np.ones((4, 8)), np.ones((4, 3)), verbose=0)
    return model


@pytest.fixture(scope="module", params=["a.keras", "a.weights.h5", "a.h5"])
def file(request: pytest.FixtureRequest, model: Any, tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    path = tmp_path_factory.mktemp("keras") / request.param
    (model.save_weights if ".weights." in request.param else model.save)(path)
    assert reader.recognises(path.read_bytes()[:64], path)
    return reader.open_file(path)


def test_counts_are_those_of_keras(file: Checkpoint, model: Any) -> None:
    assert file.format.startswith("Keras")
    by_role: dict[str, int] = {}
    for info in file.tensors.values():
        by_role[info.role] = by_role.get(info.role, 0) + info.count
    trainable = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert by_role["parameter"] == trainable
    assert by_role["statistic"] == model.count_params() - trainable
    assert by_role["optimizer"] == sum(int(np.prod(v.shape)) for v in model.optimizer.variables)


def test_names_and_numbers_are_the_users(file: Checkpoint, model: Any, refused: Any) -> None:
    hidden = file.tensors["hidden/kernel"]
    assert (hidden.shape, hidden.dtype, hidden.neurons_in, hidden.bytes) == ((8, 6), "float32", "columns", 192)
    for name, values in {
        "hidden/kernel": model.get_layer("hidden").get_weights()[0],
        "hidden/bias": model.get_layer("hidden").get_weights()[1],
        "norm/moving_variance": model.get_layer("norm").get_weights()[2],
        "block/inner/kernel": model.get_layer("block").get_weights()[0],
        "scores/kernel": model.get_layer("scores").get_weights()[0],
    }.items():
        np.testing.assert_array_equal(file.array(name), values)
        np.testing.assert_array_equal(file.rows(name, slice(-1, 0, -2)), values[-1:0:-2])
        if values.ndim == 2:
            np.testing.assert_array_equal(file.column(name, -1), values[:, -1])
            np.testing.assert_array_equal(file.rows(name, 2), values[2])
    with refused(AddressError):
        file.column("hidden/kernel", 6)


def test_the_same_model_in_memory(model: Any, tmp_path: Path) -> None:
    model.save(tmp_path / "a.keras")
    here, there = models_in_memory.open_object(model), reader.open_file(tmp_path / "a.keras")
    learnt = {name for name, info in there.tensors.items() if info.role == "parameter"}
    assert {name for name, info in here.tensors.items() if info.role == "parameter"} == learnt
    for name in learnt:
        np.testing.assert_array_equal(here.array(name), there.array(name))
        assert here.tensors[name].neurons_in == there.tensors[name].neurons_in
    assert here.metadata["config"]


def test_chunked_compressed_bfloat16_and_shared(tmp_path: Path) -> None:
    values = np.arange(60.0).reshape(20, 3)
    with h5py.File(tmp_path / "a.h5", "w") as made:
        made.create_dataset("chunks", data=values, chunks=(4, 2), compression="gzip", shuffle=True)
        made["same"] = made["chunks"]
        made["wide"] = np.arange(3000.0).reshape(2, 1500)
        made["big"] = values.astype(">f4")
        made["half"] = np.array([0x3FC0, 0xC000], "u2")
        made["half"].attrs["dtype"] = "bfloat16"
        made["text"] = "not a number"
        made["one"] = 2.5
    with reader.open_file(tmp_path / "a.h5") as file:
        assert file.format == "HDF5"
        assert sorted(file.tensors) == ["big", "chunks", "half", "one", "same", "wide"]
        for name in ("chunks", "same", "big"):
            np.testing.assert_array_equal(file.array(name), values)
            np.testing.assert_array_equal(file.rows(name, slice(3, 12, 4)), values[3:12:4])
            np.testing.assert_array_equal(file.column(name, 1), values[:, 1])
        np.testing.assert_array_equal(file.column("wide", 7), [7, 1507])
        np.testing.assert_array_equal(file.array("half"), [1.5, -2])
        assert file.array("one") == 2.5
        assert file.tensors["same"].shared_with == "chunks"
        assert file.tensors["half"].dtype == "bfloat16"
