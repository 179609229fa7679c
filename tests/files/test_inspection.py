"""Model files counted, looked into and compared, through the library and the command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from safetensors.numpy import save_file

import glassnet as gn
from glassnet.cli import main
from glassnet.errors import AddressError, SettingError
from glassnet.files.naming import role_of
from glassnet.files.report import human_count
from glassnet.files.tensors import TensorInfo


class Block(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = torch.nn.Linear(8, 32), torch.nn.Linear(32, 8, bias=False)
        self.norm = torch.nn.BatchNorm1d(8)
        self.register_buffer("position_ids", torch.arange(16))


class Model(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = torch.nn.Embedding(50, 8)
        self.layers = torch.nn.ModuleList(Block() for _ in range(12))
        self.head = torch.nn.Linear(8, 50)


@pytest.fixture(scope="module")
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return Model()


@pytest.fixture(scope="module")
def file(model: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    safetensors.torch.save_file(model.state_dict(), path, {"format": "pt"})
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> str:
    """What a command prints; where it fails, its one line on standard error."""
    try:
        actual = main([str(argument) for argument in arguments])
    except SystemExit as ended:
        actual = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert actual == status, err
    assert [line.startswith("help: ") for line in err.splitlines()] in (
        [[]] if status == 0 else [[False], [False, True]]
    )
    return err if status else out


def flat_sum(group: Any) -> int:
    return sum(flat_sum(child) for child in group.children) if group.children else group.figures.count


# Counting


def test_counts_are_torchs_own(model: torch.nn.Module, file: Path) -> None:
    count = gn.open(file).count()
    assert count.total == sum(p.numel() for p in model.parameters())
    assert count.by_role["statistic"].count == 12 * (8 + 8 + 1)
    assert count.by_role["buffer"].count == 12 * 16
    assert count.bytes == sum(t.numel() * t.element_size() for t in model.state_dict().values())
    assert count.bytes_in_memory == count.bytes
    assert count.file_bytes == file.stat().st_size
    assert count.by_dtype["float32"].count == count.total == int(count)
    assert gn.count(file).total == count.total


def test_rows_of_the_tree_add_up(file: Path) -> None:
    tree = gn.open(file).count().tree

    def check(group: Any) -> None:
        if group.children:
            assert sum(child.figures.count for child in group.children) == group.figures.count
            assert sum(child.figures.bytes for child in group.children) == group.figures.bytes
            assert sum(child.figures.tensors for child in group.children) == group.figures.tensors
            for child in group.children:
                check(child)

    check(tree)


def test_the_tree_as_it_is_printed(file: Path, golden: Callable[..., None]) -> None:
    document = gn.open(file).count().document()
    golden(document.text())
    assert max(map(len, document.text().splitlines())) <= 80
    assert "| layers.0-11 (12 alike, 560 each) | 6,720 | 88.8% |" in document.markdown()


def test_depth_folds_the_tree(file: Path, refused: Any) -> None:
    count = gn.open(file).count()
    assert "up" not in count.document(1).text()
    assert "  up " in count.document(2).text()
    assert "    weight  32 x 8" in count.document(3).text()
    assert "share" in count.document(0).text()
    assert "layers" not in count.document(0).text()
    with refused(SettingError):
        count.document(-1).text()


def test_many_tensors_on_one_level_fit_a_screen(tmp_path: Path) -> None:
    save_file({f"t{i:04}x": np.ones(i + 1, np.float32) for i in range(500)}, tmp_path / "a.safetensors")
    count = gn.open(tmp_path / "a.safetensors").count()
    assert len(count.document().text().splitlines()) < 32
    assert "(479 more)" in count.document().text()
    assert flat_sum(count.tree) == count.total == 500 * 501 // 2


def test_layers_that_differ_are_not_folded(tmp_path: Path) -> None:
    tensors = {f"l.{i}.w": np.ones((2, 3 if i != 2 else 4), np.float32) for i in range(5)}
    save_file(tensors, tmp_path / "a.safetensors")
    text = gn.open(tmp_path / "a.safetensors").count().document().text()
    for line in ("0-1.w  (2 alike, 6 each)", "2.w  2 x 4", "3-4.w  (2 alike, 6 each)"):
        assert line in text


def test_an_empty_file_has_nothing_to_count(tmp_path: Path) -> None:
    save_file({}, tmp_path / "a.safetensors")
    count = gn.open(tmp_path / "a.safetensors").count()
    assert (count.total, count.document().text().splitlines()[1]) == (0, "0 parameters, 0 bits each")


@pytest.mark.parametrize(
    ("name", "dtype", "shape", "role"),
    [
        ("layers.0.weight", "float32", (2, 2), "parameter"),
        ("bn1.running_mean", "float32", (2,), "statistic"),
        ("bn1.num_batches_tracked", "int64", (), "statistic"),
        ("batch_normalization/moving_variance:0", "float32", (2,), "statistic"),
        ("h.0.attn.bias", "float32", (1, 1, 8, 8), "buffer"),
        ("h.0.attn.bias", "float32", (8,), "parameter"),
        ("model.layers.0.self_attn.rotary_emb.inv_freq", "float32", (4,), "buffer"),
        ("optimizer.state.0.exp_avg", "float32", (2,), "optimizer"),
        ("layers.0.mlp.up_proj.weight_scale_inv", "float32", (1, 1), "buffer"),
        ("scale", "float32", (2,), "parameter"),
        ("tokens", "int32", (2,), "buffer"),
    ],
)
def test_what_a_tensor_is_for(name: str, dtype: str, shape: tuple[int, ...], role: str) -> None:
    assert role_of(name, dtype, shape) == role


def test_packed_weights_are_counted_as_weights(tmp_path: Path) -> None:
    """As GPTQ, AWQ, bitsandbytes, gpt-oss and compressed-tensors keep a matrix of 4-bit weights, 64 x 32."""

    def words(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.int32)

    tensors = {
        "gptq.qweight": words(8, 32), "gptq.qzeros": words(2, 4), "gptq.g_idx": words(64),
        "gptq.scales": np.ones((2, 32), np.float16),
        "awq.qweight": words(64, 4), "awq.qzeros": words(2, 4), "awq.scales": np.ones((2, 32), np.float16),
        "nf4.weight": np.zeros((1024, 1), np.uint8), "nf4.weight.absmax": np.ones(32, np.float32),
        "nf4.weight.quant_state.bitsandbytes__nf4": np.zeros(20, np.uint8),
        "oss_blocks": np.zeros((32, 2, 16), np.uint8), "oss_scales": np.zeros((32, 2), np.uint8),
        "ct.weight_packed": words(32, 8), "ct.weight_scale": np.ones((32, 2), np.float16),
        "ct.weight_shape": np.array([32, 64]),
    }  # fmt: skip
    save_file(tensors, tmp_path / "a.safetensors")
    count = gn.open(tmp_path / "a.safetensors").count()
    assert count.total == 5 * 64 * 32
    assert count.parameters.bits_each == 4
    assert "4 bits each" in count.document().text()


def test_shared_tensors_count_once() -> None:
    info = TensorInfo("b", (3, 4), "float32", 48, shared_with="a")
    one = TensorInfo("a", (3, 4), "float32", 48)
    from glassnet.files.report import CheckpointCount

    count = CheckpointCount(Path("x"), "test", (one, info), 100)
    assert (count.total, count.bytes) == (12, 48)
    assert "shared b is a" in count.document().text()


def test_figures_in_words() -> None:
    assert [human_count(n) for n in (13_002, 6_738_415_616, 1_026 * 10**9)] == [
        "13,002", "6.74 billion", "1.03 trillion",
    ]  # fmt: skip


# One neuron


def test_a_neuron_is_the_frameworks_own(model: Any, file: Path) -> None:
    neuron = gn.open(file).neuron("layers.3.up.weight", 5)
    x = np.linspace(-1, 1, 8).astype(np.float32)
    trace = neuron.trace(x, "relu")
    with torch.no_grad():
        wanted = torch.relu(model.layers[3].up(torch.from_numpy(x)))[5].item()
    assert trace.activation == pytest.approx(wanted, abs=1e-6)
    assert neuron.bias_name == "layers.3.up.bias"
    assert neuron.strongest(1)[0][0] == int(np.abs(neuron.weights).argmax())
    figures = neuron.statistics
    assert figures["mean"] == pytest.approx(float(neuron.weights.mean()))
    assert figures["norm"] == pytest.approx(float(np.linalg.norm(neuron.weights)))


def test_columns_are_told_by_the_length_of_the_bias_and_by_names(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    tensors = {
        "h.0.attn.c_attn.weight": (6, 18), "h.0.attn.c_attn.bias": (18,),
        "h.0.attn.c_proj.weight": (6, 6), "h.0.attn.c_proj.bias": (6,),
        "dense/kernel": (4, 4), "dense/bias": (4,),
        "linear.weight": (5, 5), "linear.bias": (5,),
        "coefs_.0": (3, 2), "intercepts_.0": (2,),
    }  # fmt: skip
    save_file({n: random.normal(size=s).astype(np.float32) for n, s in tensors.items()}, tmp_path / "a.safetensors")
    file = gn.open(tmp_path / "a.safetensors")
    ways = {name: info.neurons_in for name, info in file.tensors.items() if len(info.shape) == 2}
    assert ways == {
        "h.0.attn.c_attn.weight": "columns", "h.0.attn.c_proj.weight": "columns", "dense/kernel": "columns",
        "linear.weight": "rows", "coefs_.0": "columns",
    }  # fmt: skip
    biases = {name: file.neuron(name, 1).bias_name for name in ways}
    assert list(biases.values()) == [name for name in biases.values() if name in file.tensors]
    assert np.array_equal(file.neuron("linear.weight", 1, "columns").weights, file.array("linear.weight")[:, 1])


def test_neurons_that_are_not_there_are_told(file: Path, refused: Any) -> None:
    opened = gn.open(file)
    with refused(AddressError):
        opened.neuron("head.weight", 50)
    with refused(AddressError):
        opened.neuron("head.bias", 0)
    with refused(SettingError):
        opened.neuron("head.weight", 0, "across")  # type: ignore[arg-type]


def test_weights_that_are_no_numbers_are_shown(tmp_path: Path) -> None:
    save_file({"a.weight": np.array([[np.nan, 1], [np.inf, 2]], np.float32)}, tmp_path / "a.safetensors")
    neuron = gn.open(tmp_path / "a.safetensors").neuron("a.weight", 0)
    assert "NaN, inf  1" in str(neuron)
    json.dumps(neuron.as_dict(), allow_nan=False)


# Two files


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path, dict[str, np.ndarray], dict[str, np.ndarray]]:
    random = np.random.default_rng(0)
    a = {
        "same": random.normal(size=(50, 30)).astype(np.float32),
        "tuned": random.normal(size=(700, 900)).astype(np.float32),
        "half": random.normal(size=300).astype(np.float16),
        "whole": np.arange(10),
        "nan": np.array([np.nan, 1, 2], np.float32),
        "grown": np.ones((2, 3), np.float32),
        "gone": np.ones(3, np.float32),
        "retyped": np.arange(6, dtype=np.float32),
    }
    b = {name: array.copy() for name, array in a.items() if name != "gone"}
    b["tuned"][650, 17] += 2
    b["half"] = (b["half"] * np.float16(1.5)).astype(np.float16)
    b["whole"][3] = -5
    b["nan"][2] = 5
    b["grown"] = np.ones((3, 3), np.float32)
    b["new"] = np.ones(2, np.float32)
    b["retyped"] = a["retyped"].astype(np.float64)
    paths = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file(a, paths[0])
    save_file(b, paths[1])
    return *paths, a, b


def test_two_files_are_compared_tensor_by_tensor(pair: Any) -> None:
    first, second, a, b = pair
    found = gn.compare_files(first, second)
    by_name = {tensor.name: tensor for tensor in found.tensors}
    assert {name: tensor.status for name, tensor in by_name.items()} == {
        "same": "equal", "tuned": "changed", "half": "changed", "whole": "changed", "nan": "changed",
        "grown": "reshaped", "gone": "only in a", "new": "only in b", "retyped": "equal",
    }  # fmt: skip
    assert not found.same
    assert by_name["retyped"].retyped
    tuned = by_name["tuned"]
    assert (tuned.changed, tuned.at) == (1, (650, 17))
    assert tuned.largest == pytest.approx(2)
    for name in ("tuned", "half", "whole"):
        x, y = a[name].astype(float), b[name].astype(float)
        assert by_name[name].distance == pytest.approx(np.linalg.norm(x - y) / np.linalg.norm(x), rel=1e-5)
        assert by_name[name].changed == (x != y).sum()
        assert by_name[name].largest == pytest.approx(np.abs(x - y).max(), rel=1e-5)
    text = str(found)
    assert max(map(len, text.splitlines())) <= 80
    assert "2 equal, 4 changed, 1 reshaped, 1 only in a, 1 only in b" in text
    assert "(2, 3) and (3, 3)" in text


def test_a_file_is_the_same_as_itself_in_any_format(pair: Any, tmp_path: Path) -> None:
    first, _, a, _ = pair
    assert gn.compare_files(first, first).same
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **{name: np.asfortranarray(array) for name, array in a.items()})
        assert gn.compare_files(first, tmp_path / "a.npz").same


def test_bfloat16_is_compared_by_value(tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = torch.randn(600, 700)
    y = x + 0.01 * torch.randn(600, 700)
    for name, tensor in (("x", x), ("y", y)):
        safetensors.torch.save_file({"w": tensor.bfloat16()}, tmp_path / f"{name}.safetensors")
        safetensors.torch.save_file({"w": tensor}, tmp_path / f"{name}32.safetensors")
    a, b = x.bfloat16().double(), y.bfloat16().double()
    (tensor,) = gn.compare_files(tmp_path / "x.safetensors", tmp_path / "y.safetensors").tensors
    assert tensor.distance == pytest.approx(((a - b).norm() / a.norm()).item(), rel=1e-5)
    assert tensor.changed == (a != b).sum().item()
    (rounded,) = gn.compare_files(tmp_path / "x32.safetensors", tmp_path / "x.safetensors").tensors
    assert rounded.largest == pytest.approx((x.double() - a).abs().max().item(), rel=1e-5)


# The command


def test_inspect_prints_the_tree(capsys: pytest.CaptureFixture[str], file: Path) -> None:
    assert told(capsys, "inspect", file) == gn.open(file).count().document().text() + "\n"
    assert told(capsys, "inspect", file, "--depth", 1) == gn.open(file).count().document(1).text() + "\n"
    assert told(capsys, "count", file, "--depth", 1) == gn.open(file).count().document(1).text() + "\n"
    figures = json.loads(told(capsys, "inspect", file, "--json"))
    assert (figures["total"], len(figures["tensors"])) == (7570, 111)
    assert json.loads(told(capsys, "inspect", file, "--depth", 1, "--json"))["tree"]["groups"][0].get("groups") is None


def test_inspect_shows_a_neuron_and_its_arithmetic(
    capsys: pytest.CaptureFixture[str], file: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", np.ones((3, 8), np.float32))
    out = told(capsys, "inspect", file, "--neuron", "head.weight:7")
    assert out.startswith("head.weight, neuron 7 (row 7)\n  weights  8\n")
    assert "(head.bias)" in out
    flags = ("--neuron", "head.weight:7", "--inputs", tmp_path / "x.npy", "--row", 1, "--activation", "relu")
    out = told(capsys, "inspect", file, *flags)
    assert "pre-activation z" in out
    assert "relu = max(0, z)" in out
    neuron = gn.open(file).neuron("head.weight", 7)
    figures = json.loads(told(capsys, "inspect", file, *flags, "--json"))
    assert figures["trace"]["weighted_sum"] == pytest.approx(float(neuron.weights.sum()), abs=1e-6)
    assert figures["bias"] == neuron.bias


def test_our_own_network_is_counted_and_its_neuron_found_by_address(
    capsys: pytest.CaptureFixture[str], network: gn.Network, tmp_path: Path
) -> None:
    network.save(tmp_path / "n.safetensors")
    assert told(capsys, "count", tmp_path / "n.safetensors").startswith("layer  inputs x neurons + biases  numbers\n")
    flags = ("--neuron", "1:1", "--inputs", "0.1,0.2,0.3,0.4", "--activation", "tanh", "--json")
    figures = json.loads(told(capsys, "inspect", tmp_path / "n.safetensors", *flags))
    wanted = gn.Neuron(network.layers[1].weights[1], network.layers[1].biases[1], "tanh")([0.1, 0.2, 0.3, 0.4])
    assert figures["trace"]["activation"] == pytest.approx(wanted)
    flags = ("--neuron", "0:1", "--inputs", "0.1,0.2,0.3")
    assert "tanh = " in told(capsys, "inspect", tmp_path / "n.safetensors", *flags)  # its own, of the hidden layer


@pytest.mark.parametrize(
    "arguments",
    [
        ["--neuron", "head.weight"],
        ["--neuron", "99:0"],
        ["--neuron", "head.weigth:0"],
        ["--inputs", "1,2"],
        ["--neuron", "head.weight:0", "--activation", "relu"],
        ["--depth", "-1"],
    ],
)
def test_wrong_usage_is_told(
    capsys: pytest.CaptureFixture[str], file: Path, arguments: list[str], reported: Any
) -> None:
    reported(told(capsys, "inspect", file, *arguments, status=2))


def test_files_that_are_no_networks_are_compared_by_the_command(capsys: pytest.CaptureFixture[str], pair: Any) -> None:
    first, second, *_ = pair
    assert "2 equal, 4 changed" in told(capsys, "compare", first, second)
    figures = json.loads(told(capsys, "compare", first, second, "--json"))
    assert (figures["equal"], figures["only_in_a"], figures["same"]) == (2, 1, False)


def test_networks_are_compared_by_tensors_if_asked(
    capsys: pytest.CaptureFixture[str], network: gn.Network, tmp_path: Path
) -> None:
    network.save(tmp_path / "a.safetensors")
    network.edit(1, 0, bias=3).save(tmp_path / "b.safetensors")
    out = told(capsys, "compare", tmp_path / "a.safetensors", tmp_path / "b.safetensors", "--tensors")
    assert "3 equal, 1 changed" in out
    assert "layers.1.bias" in out


def test_a_terminal_that_knows_ascii_only_gets_ascii(
    monkeypatch: pytest.MonkeyPatch, file: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    import io
    import sys

    memory = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(memory, encoding="ascii"))
    assert main(["inspect", str(file)]) == 0
    sys.stdout.flush()
    assert b"############" in memory.getvalue()


def test_a_bias_of_another_length_is_not_paired(tmp_path: Path) -> None:
    """Columns as neurons: the bias has one number for each row, so none belongs to column 0."""
    path = tmp_path / "a.safetensors"
    save_file({"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "a.bias": np.ones(2, np.float32)}, path)
    with gn.open(path) as file:
        assert file.neuron("a.weight", 0).bias == 1
        across = file.neuron("a.weight", 0, neurons_in="columns")
    assert (across.bias, across.bias_name, across.weights.tolist()) == (None, None, [0, 3])


@pytest.mark.parametrize("kind", ["safetensors", "torch"])
def test_equal_hidden_neurons_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    """A state dict does not say its activations: its weights are compared all the same."""
    random = np.random.default_rng(0)
    weights = np.repeat(random.normal(size=(2, 5)), [3, 1], axis=0)
    layers = [(weights, np.zeros(4), "sigmoid"), (random.normal(size=(3, 4)), np.zeros(3), "identity")]
    network = gn.Network.from_layers(layers)
    gn.export(network, tmp_path / "a", to=kind)
    assert main(["inspect", str(tmp_path / "a")]) == 0
    assert capsys.readouterr().out.endswith("\nlayer 0: 3 neurons are equal (0:0, 0:1, 0:2)\n")
    assert main(["inspect", str(tmp_path / "a"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["neuron_groups"] == [{"layer": 0, "kind": "equal", "neurons": [0, 1, 2]}]
    network.edit(0, 1, bias=1.0).edit(0, 2, bias=2.0).save(tmp_path / "b.safetensors")
    assert main(["inspect", str(tmp_path / "b.safetensors")]) == 0
    assert "equal" not in capsys.readouterr().out
