"""The same kernel as WebAssembly: it compiles without a library, and in Node it says what the reference says.

Needs clang, wasm-ld and node (on Debian: apt-get install clang lld nodejs); without them these tests fail.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from glassnet.architecture import Architecture
from glassnet.engine import native, reference
from glassnet.engine.plan import Examples, Plan, State
from glassnet.losses import CrossEntropy
from glassnet.optimizers import SGD, Adam

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "kernel" / "wasm.c"
BUILD = ["clang", "--target=wasm32", "-O3", "-msimd128", "-nostdlib", "-ffreestanding", "-std=c11", "-Wl,--no-entry"]


@pytest.fixture(scope="module")
def wasm(tmp_path_factory):
    built = tmp_path_factory.mktemp("wasm") / "kernel.wasm"
    subprocess.run([*BUILD, "-Wall", "-Wextra", "-Werror", "-o", built, SOURCE], check=True)
    return built


@pytest.mark.parametrize(
    ("rule", "settings"), [(SGD(), [0, 0, 0, 0]), (Adam(), [0.9, 0.999, 1e-8, 0])], ids=["sgd", "adam"]
)
def test_forward_and_an_epoch_in_node(wasm, rule, settings):
    random = np.random.default_rng(0)
    architecture = Architecture.of("100-16-16-10")
    parameters = random.normal(0, 0.2, architecture.count().total).astype(np.float32)
    images = (random.integers(0, 256, (500, 100)) * (random.random((500, 100)) < 0.2)).astype(np.uint8)
    labels, order = random.integers(0, 10, 500), random.permutation(500)
    rates = [rule.default_learning_rate] * 50
    job = {
        "sizes": architecture.sizes,
        "squishes": [native.SQUISHES.index(squish) for squish in architecture.activations],
        "parameters": parameters.tolist(),
        "images": images.ravel().tolist(),
        "labels": labels.tolist(),
        "order": order.tolist(),
        "rates": rates,
        "scale": 1 / 255,
        "batch_size": 10,
        "loss": native.LOSS_KINDS.index("cross_entropy"),
        "rule": native.RULES.index(rule.name),
        "rule_settings": settings,
    }
    run = subprocess.run(
        ["node", HERE / "kernel_in_node.mjs", wasm], input=json.dumps(job), capture_output=True, text=True, check=True
    )
    result = json.loads(run.stdout)

    wanted = reference.forward(architecture, parameters, images, 1 / 255)
    np.testing.assert_allclose(np.reshape(result["outputs"], wanted.shape), wanted, atol=1e-5)

    trainer = reference.trainer(
        Plan(architecture, CrossEntropy(), rule, 10), Examples(images, 1 / 255, labels), State(parameters)
    )
    np.testing.assert_allclose(result["losses"], trainer.run(order, rates), rtol=1e-5)
    np.testing.assert_allclose(result["parameters"], trainer.state().parameters, atol=1e-5)
