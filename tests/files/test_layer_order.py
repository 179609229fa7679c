"""Layers of files that keep no forward: in which order they are taken, and when that has to be asked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import glassnet as gn
from glassnet.errors import SettingError


class Net(torch.nn.Module):
    """Linear layers by name, relu between them."""

    def __init__(self, **layers: tuple[int, int]) -> None:
        super().__init__()
        for name, (taken, given) in layers.items():
            setattr(self, name, torch.nn.Linear(taken, given))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        *hidden, last = self.children()
        for layer in hidden:
            x = torch.relu(layer(x))
        return last(x)


def saved(tmp_path: Path, model: torch.nn.Module, name: str = "m.safetensors") -> Path:
    path = tmp_path / name
    if path.suffix == ".pt":
        torch.save(model.state_dict(), path)
    else:
        save_file(model.state_dict(), path)
    return path


def square(count: int) -> torch.nn.Sequential:
    steps = [step for _ in range(count) for step in (torch.nn.Linear(8, 8), torch.nn.ReLU())]
    return torch.nn.Sequential(*steps[:-1])


def agree(network: gn.Network, model: torch.nn.Module) -> None:
    x = np.random.default_rng(0).normal(size=(4, network.sizes[0])).astype(np.float32)
    with torch.no_grad():
        np.testing.assert_allclose(network.predict(x).outputs, model(torch.from_numpy(x)).numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["m.safetensors", "m.pt"])
def test_numbers_in_names_sort_as_numbers(tmp_path: Path, name: str) -> None:
    for model in (square(12), Net(**{f"fc{i}": (8, 8) for i in range(1, 12)})):
        agree(gn.load(saved(tmp_path, model, name), "relu"), model)


def test_sorted_names_are_put_in_order_by_sizes(tmp_path: Path) -> None:
    model = Net(encoder=(8, 5), bottleneck=(5, 3), decoder=(3, 8))
    with pytest.raises(SettingError):  # a circle: any of the three may be first
        gn.load(saved(tmp_path, model), "relu")
    model = Net(stem=(8, 5), body=(5, 3), head=(3, 2))
    agree(gn.load(saved(tmp_path, model), "relu"), model)


@pytest.mark.parametrize(
    "layers",
    [
        {"encoder": (8, 8), "bottleneck": (8, 8), "decoder": (8, 8)},
        {"encoder": (8, 3), "decoder": (3, 8)},
        {f"word{chr(97 + i)}": (4, 4) for i in range(12)},
    ],
)
def test_an_order_that_nothing_tells_is_asked_for(tmp_path: Path, layers: dict[str, Any], refused: Any) -> None:
    model = Net(**layers)
    path = saved(tmp_path, model)
    with refused(SettingError):
        gn.load(path, "relu")
    agree(gn.load(path, "relu", order=list(layers)), model)
    agree(gn.load(saved(tmp_path, model, "m.pt"), "relu"), model)  # state dicts keep the order of the model


@pytest.mark.parametrize("name", ["m.safetensors", "m.pt"])
def test_two_networks_side_by_side_are_no_chain(tmp_path: Path, name: str, refused: Any) -> None:
    def part(out: int) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, out))

    model = torch.nn.ModuleDict({"actor": part(4), "critic": part(1)})
    if name == "m.pt":
        model = torch.nn.ModuleDict({"actor": part(2), "critic": part(1)})
    path = saved(tmp_path, model, name)
    with refused(SettingError):
        gn.load(path, "relu")
    for word in ("actor", "critic"):
        agree(gn.load(path, "relu", order=[word]), model[word])


def test_names_in_order_are_those_of_layers(tmp_path: Path, refused: Any) -> None:
    path = saved(tmp_path, Net(encoder=(8, 3), decoder=(3, 8)))
    with refused(SettingError):
        gn.load(path, "relu", order=["encoder", "coder"])
    with refused(SettingError):
        gn.load(path, "relu", order=["encoder", "encoder.weight"])
    with refused(SettingError):
        gn.load(path, "relu", order="encoder")
    with refused(SettingError):
        gn.load(path, "relu", order=["encoder", "encoder"])
