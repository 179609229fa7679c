"""PyTorch files without PyTorch: what it wrote is counted and read as it reads them itself; see also the attacks."""

import pickle
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import glassnet as gn
from glassnet.errors import AddressError, FileError
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.formats.torch import reader

BOTH = pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])


def saved(content: object, folder: Path, zipped: bool = True) -> Checkpoint:
    path = folder / "model.pt"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert reader.recognises(path.read_bytes()[:64], path)
    return reader.open_file(path)


def module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.BatchNorm1d(7), nn.ReLU(), nn.Linear(7, 3))


@BOTH
def test_a_state_dict(tmp_path: Path, zipped: bool) -> None:
    model = module()
    file = saved(model.state_dict(), tmp_path, zipped)
    assert list(file.tensors) == list(model.state_dict())
    for name, tensor in model.state_dict().items():
        info = file.tensors[name]
        assert (info.shape, info.dtype) == (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        assert info.bytes == tensor.numel() * tensor.element_size()
        np.testing.assert_array_equal(file.array(name), tensor.numpy())
    learnt = sum(info.count for info in file.tensors.values() if info.role == "parameter")
    assert learnt == sum(parameter.numel() for parameter in model.parameters())
    assert {name for name, info in file.tensors.items() if info.role == "statistic"} == dict(
        model.named_buffers()
    ).keys()
    assert file.tensors["0.weight"].neurons_in == "rows"


@BOTH
def test_a_checkpoint_keeps_its_optimizer_apart(tmp_path: Path, zipped: bool) -> None:
    model = module()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(4, 5)).sum().backward()
    optimizer.step()
    whole = {"epoch": 3, "state_dict": model.state_dict(), "training": optimizer.state_dict(), "loss": 0.5}
    file = saved(whole, tmp_path, zipped)
    assert file.metadata["epoch"] == "3"
    assert file.metadata["model"] == "state_dict"
    parameters = [name for name, info in file.tensors.items() if info.role == "parameter"]
    assert parameters == [name for name, _ in model.named_parameters()]
    moments = [info for info in file.tensors.values() if info.role == "optimizer"]
    assert len(moments) == 3 * len(parameters)
    name = "training.state.0.exp_avg"
    np.testing.assert_array_equal(file.array(name), optimizer.state_dict()["state"][0]["exp_avg"].numpy())


@BOTH
def test_views_and_transposed_tensors_are_read_by_their_strides(tmp_path: Path, zipped: bool) -> None:
    whole = torch.arange(60.0).reshape(6, 10)
    parts = {"whole": whole, "turned": whole.t(), "middle": whole[1:5:2, 3:], "stretched": whole[2].expand(4, 10)}
    file = saved(parts, tmp_path, zipped)
    for name, tensor in parts.items():
        np.testing.assert_array_equal(file.array(name), tensor.numpy())
        np.testing.assert_array_equal(file.rows(name, 1), tensor[1].numpy())
        np.testing.assert_array_equal(file.rows(name, slice(None, None, -2)), tensor.numpy()[::-2])
        np.testing.assert_array_equal(file.column(name, 2), tensor[:, 2].numpy())
        assert file.tensors[name].shared_with == (None if name == "whole" else "whole")


def test_a_row_of_a_large_transposed_matrix_is_gathered(tmp_path: Path) -> None:
    whole = torch.arange(400.0 * 300).reshape(400, 300)
    file = saved({"turned": whole.t()}, tmp_path)
    np.testing.assert_array_equal(file.rows("turned", 7), whole[:, 7].numpy())
    np.testing.assert_array_equal(file.column("turned", 7), whole[7].numpy())


def test_tied_weights_are_told(tmp_path: Path) -> None:
    model = nn.ModuleDict({"embed": nn.Embedding(9, 4), "out": nn.Linear(4, 9, bias=False)})
    model["out"].weight = model["embed"].weight
    file = saved(model.state_dict(), tmp_path)
    assert file.tensors["out.weight"].shared_with == "embed.weight"


@pytest.mark.filterwarnings("ignore:ComplexHalf")
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64", "int8", "uint8", "bool", "complex64", "complex32",
    "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "uint16"])  # fmt: skip
def test_types_of_numbers(tmp_path: Path, dtype: str) -> None:
    every = torch.arange(256, dtype=torch.uint8).repeat(8)
    if dtype == "bool":
        tensor = every % 2 == 0
    elif "int" in dtype or dtype.startswith("float8"):
        tensor = every.view(getattr(torch, dtype))
    else:
        tensor = (every.double() / 7).to(getattr(torch, dtype))
    file = saved({"a": tensor}, tmp_path)
    expected = tensor.to(torch.complex64) if "complex" in dtype else tensor
    expected = expected.float() if dtype.startswith(("bfloat", "float16", "float8")) else expected
    assert file.tensors["a"].dtype == dtype
    np.testing.assert_array_equal(file.array("a"), expected.numpy())


@pytest.mark.filterwarnings("ignore")
def test_quantised_tensors_are_taken_apart(tmp_path: Path) -> None:
    numbers = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    each = torch.quantize_per_channel(numbers, torch.rand(6) / 9 + 0.01, torch.arange(6), 0, torch.qint8)
    across = torch.quantize_per_channel(numbers, torch.rand(4) / 9 + 0.01, torch.arange(4), 1, torch.quint8)
    whole = torch.quantize_per_tensor(numbers, 0.1, 3, torch.quint8)
    parts = {"each": each, "across": across, "whole": whole}
    file = saved(parts, tmp_path)
    for name, tensor in parts.items():
        assert file.tensors[name].role == "parameter"
        np.testing.assert_allclose(file.array(name), tensor.dequantize().numpy(), atol=1e-6)
        np.testing.assert_allclose(file.rows(name, slice(4, 1, -2)), tensor.dequantize().numpy()[4:1:-2], atol=1e-6)
        np.testing.assert_allclose(file.column(name, 1), tensor.dequantize().numpy()[:, 1], atol=1e-6)


def test_odd_tensors(tmp_path: Path, refused: Any) -> None:
    content = {
        "empty": torch.zeros(0, 3),
        "one": torch.tensor(2.5),
        "parameter": nn.Parameter(torch.ones(2)),
        "sparse": torch.eye(3).to_sparse(),
        "meta": torch.zeros(4, 4, device="meta"),
        "listed": [torch.ones(1), (torch.ones(2), {"deep": torch.ones(3)})],
    }
    file = saved(content, tmp_path)
    assert file.array("empty").shape == (0, 3)
    assert file.array("one") == 2.5
    np.testing.assert_array_equal(file.array("sparse.values"), [1, 1, 1])
    np.testing.assert_array_equal(file.array("listed.1.1.deep"), [1, 1, 1])
    assert file.tensors["meta"].bytes == 0
    with refused(FileError):
        file.array("meta")
    with refused(AddressError):
        file.array("ones")


def test_settings_beside_the_weights_do_not_matter(tmp_path: Path) -> None:
    from argparse import Namespace
    from collections import defaultdict

    content = {
        "model": {"w": torch.ones(2)},
        "args": Namespace(path=Path("/data"), lr=0.1),
        "scores": np.float64(3),
        "random": np.arange(3),
        "steps": defaultdict(list, {"a": [1]}),
        "kinds": {1, 2},
        "type": torch.bfloat16,
        "device": torch.device("cpu"),
    }
    file = saved(content, tmp_path)
    assert list(file.tensors) == ["w"]


@pytest.mark.filterwarnings("ignore")
def test_torchscript(tmp_path: Path) -> None:
    model = module().eval()
    torch.jit.script(model).save(tmp_path / "a.pt")
    file = reader.open_file(tmp_path / "a.pt")
    assert file.format == "TorchScript"
    assert list(file.tensors) == list(model.state_dict())
    np.testing.assert_array_equal(file.array("3.weight"), model[3].weight.detach().numpy())
    torch.jit.freeze(torch.jit.script(model)).save(tmp_path / "b.pt")
    frozen = reader.open_file(tmp_path / "b.pt")
    assert any(np.array_equal(frozen.array(name), model[3].weight.detach()) for name in frozen.tensors)


@BOTH
def test_a_whole_module_is_refused_and_named(tmp_path: Path, zipped: bool, refused: Any) -> None:
    with refused(FileError):
        saved(module(), tmp_path, zipped)


def test_the_tar_of_2017_is_told(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "old.pt"
    (tmp_path / "sys_info").write_bytes(b"x")
    with tarfile.open(path, "w") as archive:
        archive.add(tmp_path / "sys_info", "sys_info")
    assert reader.recognises(path.read_bytes()[:64], path)
    with refused(FileError):
        reader.open_file(path)


def test_a_pickle_of_something_else_is_told(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "other.pkl"
    path.write_bytes(pickle.dumps({"a": [1, 2]}))
    assert reader.recognises(path.read_bytes()[:64], path)
    with refused(FileError):
        reader.open_file(path)


def test_torch_is_not_needed(tmp_path: Path) -> None:
    saved(module().state_dict(), tmp_path)
    program = """
import sys; sys.modules["torch"] = None
from pathlib import Path
from glassnet.files.formats.torch import reader
print(sum(info.count for info in reader.open_file(Path(sys.argv[1])).tensors.values()))
"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path / "model.pt"], capture_output=True, text=True)
    assert done.stdout.split() == [str(sum(t.numel() for t in module().state_dict().values()))], done.stderr


class Scripted(torch.nn.Module):
    """Parameters and a buffer that no name tells apart."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm = torch.nn.Linear(4, 2), torch.nn.BatchNorm1d(2)
        self.register_buffer("table", torch.zeros(10, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.linear(x))


@pytest.mark.filterwarnings("ignore:.*jit:DeprecationWarning")
def test_buffers_of_torchscript_are_those_that_its_code_lists(tmp_path: Path) -> None:
    torch.jit.script(torch.nn.Sequential(Scripted())).save(str(tmp_path / "m.pt"))
    count = gn.open(tmp_path / "m.pt").count()
    assert (count.total, count.by_role["buffer"].count) == (14, 40)
