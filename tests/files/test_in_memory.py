"""PyTorch modules and plain arrays in memory as a Checkpoint (Keras' and scikit-learn's: beside their files)."""

import numpy as np
import torch
from torch import nn

import glassnet as gn
from glassnet.files import models_in_memory


def test_a_module() -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 4), nn.Linear(4, 4))
    model[3].weight = model[2].weight
    model.register_buffer("mask", torch.ones(2, 2))
    file = models_in_memory.open_object(model)
    assert file.tensors["3.weight"].shared_with == "2.weight"
    assert file.tensors["mask"].role == "buffer"
    assert file.tensors["1.running_mean"].role == "statistic"
    own = [info for info in file.tensors.values() if info.role == "parameter" and info.shared_with is None]
    assert sum(info.count for info in own) == sum(parameter.numel() for parameter in model.parameters())
    np.testing.assert_array_equal(file.rows("2.weight", slice(3, 0, -2)), model[2].weight.detach().numpy()[3:0:-2])
    np.testing.assert_array_equal(file.column("2.weight", 1), model[2].weight.detach().numpy()[:, 1])
    assert file.tensors["0.weight"].neurons_in == "rows"
    assert file.files() == []


def test_numbers_are_those_of_now_and_copies() -> None:
    model = nn.Linear(2, 2)
    file = models_in_memory.open_object(model)
    file.array("weight")[:] = 7
    with torch.no_grad():
        model.weight.fill_(3)
    np.testing.assert_array_equal(file.array("weight"), np.full((2, 2), 3, np.float32))


def test_a_state_dict_and_arrays() -> None:
    file = models_in_memory.open_object(
        {"half": torch.ones(2, dtype=torch.bfloat16), "sparse": torch.eye(2).to_sparse(), "one": torch.tensor(1.0)}
    )
    np.testing.assert_array_equal(file.array("half"), [1, 1])
    np.testing.assert_array_equal(file.array("sparse"), np.eye(2))
    assert file.array("one") == 1
    arrays = models_in_memory.open_object({"w": np.ones((2, 3)), "n": np.arange(2)})
    assert {name: info.role for name, info in arrays.tensors.items()} == {"w": "parameter", "n": "buffer"}


def test_tied_weights_on_the_meta_device_count_once() -> None:
    with torch.device("meta"):
        model = torch.nn.ModuleDict({"wte": torch.nn.Embedding(50, 8), "head": torch.nn.Linear(8, 50, bias=False)})
    model["head"].weight = model["wte"].weight
    assert gn.count(model).total == 50 * 8
