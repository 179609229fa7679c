"""Quantised weights in files of named tensors: counted as weights, and computed as their makers compute them."""

import json
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import glassnet as gn
from glassnet.errors import FileError

OUT, IN = 128, 256
F8, E8M0 = torch.float8_e4m3fn, torch.float8_e8m0fnu


def zeros(dtype: torch.dtype, *shape: int) -> torch.Tensor:
    return torch.zeros(shape, dtype=torch.uint8).view(dtype) if dtype in (F8, E8M0) else torch.zeros(shape, dtype=dtype)


I8, U8, I32, F16, F32 = torch.int8, torch.uint8, torch.int32, torch.float16, torch.float32
MIXED = {"a.weight_packed": (I32, OUT, IN // 8), "a.weight_scale": (F16, OUT, IN // 128),
         "b.weight_packed": (I32, OUT, IN // 4), "b.weight_scale": (F16, OUT, IN // 128)}  # fmt: skip
CASES: dict[str, dict[str, Any]] = {
    "bitsandbytes int8": {"l.weight": (I8, OUT, IN), "l.SCB": (F32, OUT), "l.weight_format": (U8,)},
    "W8A8": {"l.weight": (I8, OUT, IN), "l.weight_scale": (F32, OUT, 1), "l.input_scale": (F32, 1)},
    "int8 by the row": {"l.qweight": (I8, OUT, IN), "l.scale": (F32, OUT)},
    "quanto int8": {"l.weight._data": (I8, OUT, IN), "l.weight._scale": (F32, OUT, 1), "l.input_scale": (F32,)},
    "torchao int8": {"l._weight_qdata": (I8, OUT, IN), "l._weight_scale": (F32, OUT, 1)},
    "fp8": {"l.weight": (F8, OUT, IN), "l.weight_scale": (F32, 1)},
    "fp8 by the block": {"l.weight": (F8, OUT, IN), "l.weight_scale_inv": (F32, 1, 2)},
    "fp8 with E8M0": {"l.weight": (F8, OUT, IN), "l.scale": (E8M0, 1, 2)},
    "fp4 with E8M0": {"l.weight": (I8, OUT, IN // 2), "l.scale": (E8M0, OUT, IN // 32)},
    "NVFP4 compressed": {"l.weight_packed": (U8, OUT, IN // 2), "l.weight_scale": (F8, OUT, IN // 16),
                         "l.weight_global_scale": (F32, 1), "l.input_global_scale": (F32, 1)},
    "NVFP4 modelopt": {"l.weight": (U8, OUT, IN // 2), "l.weight_scale": (F8, OUT, IN // 16),
                       "l.weight_scale_2": (F32,), "l.input_scale": (F32,)},
    "mxfp4": {"e.w_blocks": (U8, OUT, IN // 32, 16), "e.w_scales": (U8, OUT, IN // 32)},
    "MLX 4 bits": {"l.weight": (torch.uint32, OUT, IN // 8), "l.scales": (F16, OUT, 4), "l.biases": (F16, OUT, 4)},
    "MLX 8 bits": {"l.weight": (torch.uint32, OUT, IN // 4), "l.scales": (F16, OUT, 4), "l.biases": (F16, OUT, 4)},
    **{
        f"GPTQ {bits} bits": {"l.qweight": (I32, IN * bits // 32, OUT), "l.scales": (F16, 2, OUT),
                              "l.qzeros": (I32, 2, OUT * bits // 32), "l.g_idx": (I32, IN)}
        for bits in (2, 3, 4, 8)
    },
    "GPTQ without zeros or index": {"l.qweight": (I32, IN // 8, OUT), "l.scales": (F16, IN // 128, OUT)},
    "GPTQ 3 bits without index": {"l.qweight": (I32, IN * 3 // 32, OUT), "l.scales": (F16, 2, OUT),
                                  "l.qzeros": (I32, 2, OUT * 3 // 32)},
    "Marlin": {"l.B": (I32, IN // 16, OUT * 2), "l.s": (F16, 2, OUT), "l.workspace": (I32, 16)},
    "AWQ": {"l.qweight": (I32, IN, OUT // 8), "l.scales": (F16, 2, OUT), "l.qzeros": (I32, 2, OUT // 8)},
    "HQQ": {"l.W_q": (U8, OUT // 2, IN), "l.scale": (F16, 512, 1), "l.zero": (F16, 512, 1)},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_codes_count_as_the_weights_they_stand_for(tmp_path: Path, case: str) -> None:
    path = tmp_path / "m.safetensors"
    tensors = {name: zeros(*described) for name, described in CASES[case].items()}
    save_file(tensors, path)
    count = gn.count(path)
    assert count.total == OUT * IN
    assert not count.notes


def test_each_weight_of_compressed_tensors_has_its_own_bits(tmp_path: Path) -> None:
    tensors = {name: zeros(*described) for name, described in MIXED.items()}
    tensors |= {f"{name}.weight_shape": torch.tensor([OUT, IN]) for name in "ab"}
    save_file(tensors, tmp_path / "m.safetensors")
    assert gn.count(tmp_path / "m.safetensors").total == 2 * OUT * IN


def test_the_configuration_beside_says_the_bits(tmp_path: Path) -> None:
    """8 bits and one scale a column: names and shapes do not tell."""
    save_file({"l.qweight": zeros(I32, IN // 4, OUT), "l.scales": zeros(F16, 1, OUT)}, tmp_path / "m.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"quantization_config": {"bits": 8, "quant_method": "gptq"}}))
    assert gn.count(tmp_path / "m.safetensors").total == OUT * IN


def test_state_dicts_and_arrays_pair_alike(tmp_path: Path) -> None:
    tensors = {"l.weight": zeros(I8, OUT, IN), "l.SCB": zeros(F32, OUT)}
    torch.save(tensors, tmp_path / "m.pt")
    np.savez(tmp_path / "m.npz", **{name: tensor.numpy() for name, tensor in tensors.items()})  # type: ignore[arg-type]
    for source in (tmp_path / "m.pt", tmp_path / "m.npz", tensors):
        assert gn.open(source).count().total == OUT * IN


def test_the_scale_of_a_quantised_layers_outputs_is_no_weight(tmp_path: Path) -> None:
    torch.save({"0.scale": torch.tensor(0.5), "0.zero_point": torch.tensor(3)}, tmp_path / "m.pt")
    assert gn.count(tmp_path / "m.pt").total == 0


def test_a_quantised_network_is_loaded_as_its_weights(tmp_path: Path) -> None:
    codes, scale = torch.from_numpy(draw(4, 6)).view(I8), torch.tensor([1.0, 2.0, 0.5, 0.25])
    save_file({"l.weight": codes, "l.weight_scale": scale, "l.bias": torch.zeros(4)}, tmp_path / "m.safetensors")
    network = gn.load(tmp_path / "m.safetensors", "relu")
    np.testing.assert_array_equal(network.layers[0].weights, (codes.float() * scale[:, None]).numpy())


def test_codes_without_a_scale_are_told(tmp_path: Path, golden: Any) -> None:
    save_file({"l.weight": zeros(I8, OUT, IN), "l.bias": zeros(F32, OUT)}, tmp_path / "m.safetensors")
    count = gn.count(tmp_path / "m.safetensors")
    golden(str(count))
    assert count.total == OUT


def weights(tmp_path: Path, tensors: dict[str, torch.Tensor], name: str) -> Any:
    save_file({key: value.contiguous() for key, value in tensors.items()}, tmp_path / "m.safetensors")
    return gn.open(tmp_path / "m.safetensors").weights(name)


def draw(*shape: int) -> Any:
    return np.random.default_rng(prod(shape)).integers(0, 256, shape, np.uint8)


def test_eight_bits_times_their_scales(tmp_path: Path) -> None:
    codes = torch.from_numpy(draw(4, 6)).view(I8)
    rows = torch.tensor([1.0, 2.0, 0.5, 0.25])
    made = weights(tmp_path, {"l.weight": codes, "l.SCB": rows}, "l.weight")
    np.testing.assert_allclose(made, (codes.float() * rows[:, None] / 127).numpy(), rtol=1e-6)
    two = {"l.weight": torch.full((4, 6), 2.0).to(F8), "l.weight_scale_inv": torch.tensor([[0.25]])}
    save_file(two, tmp_path / "m.safetensors")
    neuron = gn.open(tmp_path / "m.safetensors").neuron("l.weight", 1)
    assert neuron.weights.tolist() == [0.5] * 6


def test_blocks_of_128_at_the_edge_are_smaller(tmp_path: Path) -> None:
    values = torch.ones(200, 130).to(F8)
    made = weights(tmp_path, {"w.weight": values, "w.weight_scale_inv": torch.tensor([[1.0, 2], [3, 4]])}, "w.weight")
    assert (made[127, 127], made[127, 128], made[128, 127], made[199, 129]) == (1, 2, 3, 4)


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_gptq_as_its_makers_compute_it(tmp_path: Path, bits: int) -> None:
    """(code - (zero + 1)) times scale, codes running down the columns; GPTQ, `dequantize_weight`."""
    codes, zeros_ = draw(64, 32) >> (8 - bits), draw(2, 32) >> (8 - bits)
    scales = np.random.default_rng(1).normal(size=(2, 32)).astype(np.float32)

    def packed(numbers: Any) -> torch.Tensor:
        """One column after another, each as one whole number."""
        words = numbers.shape[0] * bits // 32
        wholes = [sum(int(n) << (bits * i) for i, n in enumerate(column)) for column in numbers.T]
        made = [[whole >> (32 * i) & 0xFFFFFFFF for whole in wholes] for i in range(words)]
        return torch.from_numpy(np.array(made, np.uint32).view(np.int32))

    index = np.arange(64) // 32
    tensors = {
        "l.qweight": packed(codes), "l.qzeros": packed(zeros_.T).T, "l.scales": torch.from_numpy(scales),
        "l.g_idx": torch.from_numpy(index.astype(np.int32)),
    }  # fmt: skip
    want = (codes - (zeros_[index].astype(np.float32) + 1)) * scales[index]
    np.testing.assert_allclose(weights(tmp_path, tensors, "l.qweight"), want, rtol=1e-6)
    assert gn.open(tmp_path / "m.safetensors").neuron("l.qweight", 3).weights.tolist() == want[:, 3].tolist()


def test_awq_interleaves_columns(tmp_path: Path) -> None:
    """Column 0, 2, 4, 6, 1, 3, 5, 7 of eight lie in a word, from the lowest bits on."""
    codes = draw(4, 8) % 16
    word = sum(codes[:, column].astype(np.uint32) << (4 * i) for i, column in enumerate([0, 2, 4, 6, 1, 3, 5, 7]))
    tensors = {
        "l.qweight": torch.from_numpy(word[:, None].view(np.int32)),
        "l.qzeros": torch.from_numpy(np.array([[0x11111111]], np.int32)), "l.scales": torch.full((1, 8), 0.5),
    }  # fmt: skip
    np.testing.assert_array_equal(weights(tmp_path, tensors, "l.qweight"), (codes - 1.0) * 0.5)


def test_mlx_scales_and_shifts(tmp_path: Path) -> None:
    codes = draw(2, 64) % 16
    words = sum(codes[:, i::8].astype(np.uint32) << (4 * i) for i in range(8))
    tensors = {
        "l.weight": torch.from_numpy(words), "l.scales": torch.tensor([[2.0], [3.0]]),
        "l.biases": torch.tensor([[-1.0], [5.0]]),
    }  # fmt: skip
    want = codes * np.array([[2.0], [3.0]]) + np.array([[-1.0], [5.0]])
    np.testing.assert_array_equal(weights(tmp_path, tensors, "l.weight"), want)


def test_nf4_and_its_scales_in_eight_bits(tmp_path: Path) -> None:
    from glassnet.files.quantised import NF4

    state = {"blocksize": 64, "shape": [2, 64], "nested_blocksize": 256, "nested_offset": 0.5}
    codes = draw(64, 1)
    tensors = {
        "l.weight": torch.from_numpy(codes), "l.weight.absmax": torch.tensor([3, 1], dtype=U8),
        "l.weight.quant_map": torch.from_numpy(NF4), "l.weight.nested_absmax": torch.tensor([2.0]),
        "l.weight.nested_quant_map": torch.arange(256.0),
        "l.weight.quant_state.bitsandbytes__nf4": torch.tensor(list(json.dumps(state).encode()), dtype=U8),
    }  # fmt: skip
    halves = np.stack([codes[:, 0] >> 4, codes[:, 0] & 15], -1).reshape(2, 64)
    want = NF4[halves] * np.array([[6.5], [2.5]], np.float32)
    np.testing.assert_allclose(weights(tmp_path, tensors, "l.weight"), want, rtol=1e-6)


def test_fp4_with_scales_of_scales(tmp_path: Path) -> None:
    codes = torch.full((1, 16), 0x72, dtype=U8)  # 1 and 6
    tensors = {
        "l.weight": codes, "l.weight_scale": torch.tensor([[2.0, 4.0]]).to(F8), "l.weight_scale_2": torch.tensor(0.5),
    }  # fmt: skip
    assert weights(tmp_path, tensors, "l.weight")[0, [0, 1, 16, 17]].tolist() == [1, 6, 2, 12]
    tensors = {
        "l.weight_packed": codes, "l.weight_scale": torch.tensor([[2.0, 4.0]]).to(F8),
        "l.weight_global_scale": torch.tensor([4.0]),
    }  # fmt: skip
    assert weights(tmp_path, tensors, "l.weight_packed")[0, [0, 1, 16, 17]].tolist() == [0.5, 3, 1, 6]
    tensors = {"w_blocks": codes.reshape(1, 1, 16), "w_scales": torch.tensor([[129]], dtype=U8)}
    assert weights(tmp_path, tensors, "w_blocks")[0, [0, 1]].tolist() == [4, 24]


def test_scales_that_do_not_fit_are_told(tmp_path: Path, refused: Any) -> None:
    tensors = {name: zeros(*described) for name, described in CASES["GPTQ 4 bits"].items()}
    tensors["l.g_idx"] += 7  # of two groups
    with refused(FileError):
        weights(tmp_path, tensors, "l.qweight")
