"""On a GPU: training is what the reference engine does, and observed neurons add up. Skipped where there is none."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import glassnet as gn
from glassnet.engines.torch import Torch, accelerator
from glassnet.losses import LOSSES
from glassnet.optimizers import OPTIMIZERS

DEVICE = accelerator()
pytestmark = pytest.mark.skipif(DEVICE != "cuda", reason="PyTorch finds no CUDA device")


@pytest.fixture
def blobs() -> gn.data.Dataset:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 120)
    return gn.data.Dataset(rng.normal(size=(120, 3)) + 2 * np.eye(3)[labels], labels)


@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
@pytest.mark.parametrize("dropout", [0.0, 0.25])
def test_a_run_is_the_reference_s(blobs: gn.data.Dataset, optimizer: str, dropout: float, tmp_path: Path) -> None:
    start = gn.Network.create("3-8-3", output="softmax", seed=0, dtype="float64")
    options = {"epochs": 4, "batch_size": 16, "dropout": dropout, "optimizer": optimizer, "schedule": "constant",
               "learning_rate": 0.01, "l2": 1e-3}  # fmt: skip
    wanted = gn.train(start, blobs, engine="reference", **options).network.parameters
    ours = gn.train(start, blobs, engine=Torch("cuda"), **options).network.parameters
    np.testing.assert_allclose(ours, wanted, rtol=1e-7, atol=1e-9)
    kept = {"checkpoint": tmp_path / "run.checkpoint"}
    gn.train(start, blobs, engine=Torch("cuda"), **(options | kept | {"epochs": 2}))
    resumed = gn.train(start, blobs, engine=Torch("cuda"), resume=True, **options, **kept).network.parameters
    np.testing.assert_allclose(resumed, wanted, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("loss", sorted(name for name, of in LOSSES.items() if of.reads_logits_of is None))
def test_losses_of_measured_targets(loss: str) -> None:
    rng = np.random.default_rng(1)
    data = gn.data.Dataset(rng.random((60, 3)), rng.random((60, 2)))
    start = gn.Network.create("3-8-2", "tanh", output="sigmoid", seed=0, dtype="float64")
    options = {"epochs": 2, "batch_size": 16, "loss": loss}
    runs = [
        gn.train(start, data, engine=engine, **options).network.parameters for engine in ("reference", Torch("cuda"))
    ]
    np.testing.assert_allclose(runs[1], runs[0], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("precision", ["highest", "high"])
@pytest.mark.parametrize("width", [64, 2048])
def test_observed_neurons_add_up_within_their_bound(dtype: torch.dtype, precision: str, width: int) -> None:
    torch.manual_seed(0)
    dense = nn.Sequential(nn.Linear(width, 256), nn.GELU(), nn.Linear(256, width)).cuda().to(dtype)
    conv = nn.Sequential(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU()).cuda().to(dtype)
    usual = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision(precision)
        seen = gn.observe(dense, torch.randn(3, width, device="cuda", dtype=dtype))
        moved = gn.observe(conv, torch.randn(2, 32, 9, 9, device="cuda", dtype=dtype))
    finally:
        torch.set_float32_matmul_precision(usual)
    traces = [seen.neuron(name, k) for name in ("0", "2") for k in range(0, 64, 3)]
    for trace in traces + [moved.neuron("0", k) for k in range(0, 64, 5)]:
        assert trace.rounding is not None
        assert trace.bound is not None
        assert abs(trace.rounding) <= trace.bound
        trace.rows()
