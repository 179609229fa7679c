"""Each activation, loss, optimizer and initializer is listed once: in the table of its formula file, and, where the
kernel has a formula of its own, in one C file. Everything else reads the tables or is generated from them."""

import ast
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet import activations, losses, names, optimizers
from glassnet.activations import ACTIVATIONS, Activation, Derived
from glassnet.engines import native, reference
from glassnet.errors import GlassnetError, InputError, SettingError
from glassnet.formulas import NotFollowed, derivative
from glassnet.initializers import INITIALIZERS
from glassnet.losses import LOSSES, FunctionLoss
from glassnet.optimizers import OPTIMIZERS
from glassnet.schedules import SCHEDULES

ROOT = Path(__file__).resolve().parents[1]
NAMES = [*ACTIVATIONS, *LOSSES, *OPTIMIZERS, *INITIALIZERS]
ELEMENTWISE = [name for name, of in ACTIVATIONS.items() if not of.by_row]

# ---- (a) Where a name occurs

GENERATED = (ROOT / "kernel/tables.h", ROOT / "frontend/src/generated/tables.ts")
DEFAULTS = "src/glassnet/names.py"
"""Names what is taken if nothing is said, for the command's help, which is printed without numpy."""

FOLDERS = {"py": "src/glassnet/", "ts": "frontend/src/", "svelte": "frontend/src/"}
ALLOWED = {
    # numpy's function, in what formulas are written with, and ONNX's "gelu" with approximate="tanh"
    "tanh": "formulas.py files/formula_text.py engines/torch_arrays.py files/formats/onnx/writer.py "
    "files/formats/onnx/elementwise.py",
    # a setting of scikit-learn's estimators
    "momentum": "estimators/settings.py",
    # a step of training, in files and in torch's optimizers; a schedule; a speed and a style of the page
    "step": "training/run.py engines/torch.py engines/torch_arrays.py distributed/sharded.py "
    "distributed/sharded_files.py schedules.py state/training.svelte.ts views/train/Transport.svelte "
    "views/train/StepView.svelte views/card/NeuronCard.svelte views/card/Bias.svelte",
    # BinaryCrossEntropy is made of this function
    "sigmoid": "losses.py",
    # the weight of letters; a distribution
    "normal": "plots/network_picture.py plots/activation_curves.py plots/confusion_matrix.py plots/waterfall_chart.py "
    "views/share/snapshot.ts core/random.ts",
    "uniform": "core/random.ts",
    # how many of a neuron's weights are 0
    "zeros": "files/neuron_report.py",
}
"""Files in which a name means something else."""
ENGLISH = ("identity", "momentum", "step", "normal", "uniform", "zeros")
"""Words that code uses in other senses: of these only quoted ones count."""


def allowed(name: str) -> set[str]:
    files = ALLOWED.get(name, "").split()
    return {DEFAULTS, *(FOLDERS[file.rpartition(".")[2]] + file for file in files)}


def sources() -> list[Path]:
    found = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.c"), *(ROOT / "kernel").glob("*.[ch]")]
    found += [*(ROOT / "frontend/src").rglob("*.ts"), *(ROOT / "frontend/src").rglob("*.svelte")]
    return [path for path in found if path not in GENERATED]


def words_of(path: Path, quoted: bool = False) -> set[str]:
    """The words in the code of a file: strings that are just this, and names. Texts for readers do not count."""
    text = path.read_text("utf-8")
    if path.suffix == ".py":
        nodes = list(ast.walk(ast.parse(text)))
        strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        return strings if quoted else strings | {node.id for node in nodes if isinstance(node, ast.Name)}
    if path.suffix in (".c", ".h"):
        code = re.sub(r"/\*.*?\*/|//[^\n]*|\"[^\"\n]*\"", " ", text, flags=re.S)
        return {word.lower() for word in re.findall(r"\b[A-Z][A-Z0-9_]*\b", code)}
    code = re.sub(r"/\*.*?\*/|<!--.*?-->|(?<!:)//[^\n]*", " ", text, flags=re.S)
    return set(re.findall(r"[\"'`](\w+)[\"'`]", code)) | (set() if quoted else set(re.findall(r"\b(\w+):", code)))


WORDS = {str(path.relative_to(ROOT)): words_of(path) for path in sources()}
QUOTED = {str(path.relative_to(ROOT)): words_of(path, quoted=True) for path in sources()}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_occurs_in_at_most_two_files(name: str) -> None:
    words = QUOTED if name in ENGLISH else WORDS
    found = sorted({path for path, inside in words.items() if name in inside} - allowed(name))
    assert 1 <= len(found) <= 2, found


def test_what_is_generated_is_current() -> None:
    run = subprocess.run([sys.executable, ROOT / "kernel/generate.py", "--check"], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


# ---- (b) Adding one of each in a copy

SOFTSIGN = """
def softsign(z: Array) -> Array:
    return z / (1 + np.abs(z))


def softsign_slope(z: Array, a: Array) -> Array:
    return (1 - np.abs(a)) ** 2

"""
LOG_COSH = '''
@dataclass(frozen=True)
class LogCosh(Loss):
    """log(cosh(output - target)), averaged over outputs and batch."""

    name = "log_cosh"

    def per_example(self, outputs: Array, targets: Array) -> Array:
        far = np.abs(outputs - targets)
        return (far + np.log1p(np.exp(-2 * far)) - np.log(2.0)).mean(axis=1)

    def per_example_slope(self, outputs: Array, targets: Array) -> Array:
        return np.tanh(outputs - targets) * (1 / outputs.shape[1])


'''
LION = '''
@dataclass(frozen=True)
class Lion(Optimizer):
    """The sign of a fading mean (Chen et al., 2023)."""

    name = "lion"
    slots = ("mean",)
    formula = "p -= rate * sign(0.9 m + 0.1 g)"
    default_learning_rate = 0.001
    beta1: float = 0.9
    beta2: float = 0.99

    def update(
        self, parameters: Array, gradient: Array, slots: Sequence[Array], learning_rate: float, step: int
    ) -> None:
        (mean,) = slots
        parameters -= learning_rate * np.sign(self.beta1 * mean + (1 - self.beta1) * gradient)
        mean *= self.beta2
        mean += (1 - self.beta2) * gradient


'''
ADDED = {
    "src/glassnet/activations.py": [
        ("def step(z", SOFTSIGN.lstrip() + "\ndef step(z"),
        (
            "        RowActivation(\n",
            '        Activation("softsign", softsign, softsign_slope, "z / (1 + |z|)", odd=True, bounds=(-1.0, 1.0)),\n'
            "        RowActivation(\n",
        ),
    ],
    "kernel/activations.c": [
        ("    default: return z;", "    case SOFTSIGN: return z / (1.0f + absolute(z));\n    default: return z;"),
        (
            "    default: return all(1);",
            "    case SOFTSIGN: return (1.0f - absolute(a)) * (1.0f - absolute(a));\n    default: return all(1);",
        ),
    ],
    "src/glassnet/losses.py": [
        ("def log_softmax(", LOG_COSH.lstrip() + "def log_softmax("),
        ("CrossEntropy, BinaryCrossEntropy))", "CrossEntropy, BinaryCrossEntropy, LogCosh))"),
    ],
    "kernel/losses.c": [
        (
            "    } else {\n        *value = larger(all(0), output)",
            "    } else if (kind == LOG_COSH) {\n        vec far = absolute(off);\n"
            "        *value = far + log_1_plus(exp_of(-2.0f * far)) - 0.69314718f;\n        *slope = tanh_of(off);\n"
            "    } else {\n        *value = larger(all(0), output)",
        )
    ],
    "src/glassnet/optimizers.py": [
        ("OPTIMIZERS: Table", LION.lstrip() + "OPTIMIZERS: Table"),
        ("RMSprop, Adagrad))", "RMSprop, Adagrad, Lion))"),
    ],
    "kernel/rules.c": [
        (
            "    case ADAGRAD: epsilon = setting[0]; break;",
            "    case ADAGRAD: epsilon = setting[0]; break;\n"
            "    case LION: decay1 = setting[0], decay2 = setting[1]; break;",
        ),
        (
            "    case ADAGRAD: {",
            "    case LION: {\n        vec m = load(first);\n"
            "        store(first, m * s->decay2 + s->fresh2 * g);\n"
            "        return p - s->rate * sign(m * s->decay1 + s->fresh1 * g);\n    }\n    case ADAGRAD: {",
        ),
    ],
}
"""What is changed in which hand-written files: two for each of the three."""

CHECK = r"""
import json, subprocess, sys
from pathlib import Path
import numpy as np
import glassnet as gn
from glassnet.architecture import Architecture
from glassnet.engines import native, reference
from glassnet.engines.base import Examples, Plan, State
from glassnet.engines.torch import Torch
from glassnet.losses import loss
from glassnet.optimizers import optimizer

assert Path(gn.__file__).is_relative_to(sys.argv[1]), gn.__file__
random = np.random.default_rng(0)
architecture = Architecture.of("20-12-10", ["softsign", "softsign"])
parameters = random.normal(0, 0.4, architecture.count().total).astype(np.float32)
images = (random.integers(0, 256, (120, 20)) * (random.random((120, 20)) < 0.5)).astype(np.uint8)
labels = random.integers(0, 10, 120)
examples = Examples(images, 1 / 255, np.eye(10, dtype=np.float32)[labels])
plan = Plan(architecture, loss("log_cosh"), optimizer("lion"), batch_size=10)
order, rates = random.permutation(120), [0.001] * 12
assert native.supports(architecture, "float32", plan.loss, plan.optimizer) is None

# The same numbers, number for number, by reference, native, torch (whose autograd finds the slopes) and the page.
wide = parameters.astype(np.float64)
exact = reference.gradient(architecture, wide, examples, plan.loss)
results = {}
for name, engine in (("reference", reference), ("native", native), ("torch", Torch())):
    trainer = engine.trainer(plan, examples, State(parameters.copy()))
    losses = trainer.run(order, rates)
    value, slopes = engine.gradient(architecture, parameters, examples, plan.loss)
    np.testing.assert_allclose(value, exact[0], rtol=1e-5)
    np.testing.assert_allclose(slopes, exact[1], atol=1e-6, rtol=1e-4)
    results[name] = np.array(losses)
import torch
z = torch.tensor(np.linspace(-4, 4, 33), requires_grad=True)
torch.nn.functional.softsign(z).sum().backward()
own = gn.activations.activation("softsign")
np.testing.assert_allclose(own.slope(z.detach().numpy(), own(z.detach().numpy())), z.grad.numpy(), rtol=1e-12)

job = {"sizes": architecture.sizes, "activations": architecture.activations, "parameters": parameters.tolist(),
       "images": images.ravel().tolist(), "rows": examples.targets.ravel().tolist(), "order": order.tolist(),
       "rates": rates, "scale": 1 / 255, "batch_size": 10, "loss": "log_cosh", "optimizer": "lion", "l2": 0}
page = subprocess.run([sys.argv[2], "tests/engines/kernel_in_node.ts", "kernel.wasm"], input=json.dumps(job),
                      capture_output=True, text=True, cwd=sys.argv[1])
assert page.returncode == 0, page.stderr
results["page"] = np.array(json.loads(page.stdout)["training"]["losses"])
for name, found in results.items():
    np.testing.assert_allclose(found, results["reference"], rtol=2e-4, err_msg=name)

# Exports compute what the network computes.
network = gn.Network(architecture, parameters)
x = random.random(20).astype(np.float32)
wanted = network(x)
gn.export(network, "net.py", "python")
import importlib.util
spec = importlib.util.spec_from_file_location("net", "net.py")
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
np.testing.assert_allclose(module.predict(x.tolist()), wanted, rtol=1e-5, atol=1e-6)
gn.export(network, "net.onnx", "onnx")
import onnxruntime
session = onnxruntime.InferenceSession("net.onnx", providers=["CPUExecutionProvider"])
np.testing.assert_allclose(session.run(None, {"inputs": x[None]})[0][0], wanted, rtol=1e-5, atol=1e-6)
gn.export(network, "net.h", "c")
Path("main.c").write_text('#include <stdio.h>\n#include "net.h"\nint main(void) { float y[NET_OUTPUTS], x[] = {'
    + ",".join(f"{v!r}f" for v in x.tolist()) + '}; net(x, y);\n'
    + '    for (int i = 0; i < NET_OUTPUTS; i++) printf("%.9g\\n", y[i]); }\n')
subprocess.run(["cc", "main.c", "-o", "main", "-lm"], check=True)
printed = subprocess.run(["./main"], capture_output=True, text=True, check=True).stdout
np.testing.assert_allclose([float(line) for line in printed.split()], wanted, rtol=1e-5, atol=1e-6)
assert gn.load(Path("net.onnx")).architecture.activations == architecture.activations
print("equal")
"""


def test_adding_one_of_each_touches_two_files_and_runs_everywhere(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    skipped = shutil.ignore_patterns("page", "__pycache__", "*.so", "*.npz", "examples")
    for folder in ("src/glassnet", "kernel", "frontend/src/core", "frontend/src/network", "frontend/src/data"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=skipped)
    for file in ("setup.py", "pyproject.toml", "frontend/kernel.sh", "tests/engines/kernel_in_node.ts"):
        (copy / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, copy / file)
    for path in ("README.md", "LICENSE"):
        shutil.copy(ROOT / path, copy / path)
    for path, changes in ADDED.items():
        text = (copy / path).read_text("utf-8")
        for before, after in changes:
            assert text.count(before) == 1, (path, before)
            text = text.replace(before, after)
        (copy / path).write_text(text, "utf-8")
    assert len(ADDED) == 3 * 2  # for each of the three, its formula in Python and in C

    def run(*command: str | Path) -> str:
        environment = {**os.environ, "PYTHONPATH": str(copy / "src")}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(sys.executable, "kernel/generate.py")
    with ThreadPoolExecutor() as pool:
        page = pool.submit(run, "sh", "frontend/kernel.sh", copy / "kernel.wasm")
        run(sys.executable, "setup.py", "-q", "build_ext", "--inplace")
        page.result()
    (copy / "check.py").write_text(CHECK)
    assert run(sys.executable, "check.py", copy, Path(sys.executable).parent / "node") == "equal\n"


# ---- Properties in the tables


@pytest.mark.parametrize("name", ELEMENTWISE)
@given(scale=st.floats(0.125, 8))
def test_what_is_homogeneous_scales_and_what_is_not_does_not(name: str, scale: float) -> None:
    """Two networks count as the same function where hidden neurons differ by such a scale."""
    of, z = ACTIVATIONS[name], np.linspace(-6, 6, 49)
    equal = np.allclose(of(scale * z), scale * of(z), rtol=1e-12, atol=1e-12)
    assert equal if of.homogeneous else not equal or abs(scale - 1) < 1e-3


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_oddness_is_what_the_table_says(name: str) -> None:
    of, z = ACTIVATIONS[name], np.linspace(0.01, 6, 49)
    assert np.allclose(of(-z), -of(z), rtol=1e-12) is of.odd


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_bounds_are_never_passed_and_nearly_reached(name: str) -> None:
    of = ACTIVATIONS[name]
    a = of(np.concatenate([np.linspace(-40, 40, 40_001), [-1e4, 1e4]]))
    low, high = of.bounds
    assert low <= a.min() <= a.max() <= high
    assert a.min() < low + 0.01 if np.isfinite(low) else a.min() < -50
    assert a.max() > high - 0.01 if np.isfinite(high) else a.max() > 1e3


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_pieces_are_straight_exactly_where_the_table_says(name: str) -> None:
    of, z = ACTIVATIONS[name], np.setdiff1d(np.linspace(-7.05, 7, 200), [-3.0, 0.0, 3.0])
    slopes = np.unique(np.round(of.slope(z, of(z)), 12))
    assert (len(slopes) <= 2) is (of.corners is not None)
    if of.corners is not None:
        slope, at_zero = of.pieces(z)
        np.testing.assert_allclose(slope * z + at_zero, of(z), rtol=1e-15, atol=1e-15)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_a_formula_alone_gives_the_slope_of_the_table(name: str) -> None:
    of, z = ACTIVATIONS[name], np.setdiff1d(np.linspace(-9, 9, 361), [3.0])  # at a corner it is the slope on the left
    np.testing.assert_allclose(derivative(of.function, z), of.slope(z, of(z)), rtol=1e-11, atol=1e-13)


# ---- Names


@pytest.mark.parametrize(
    ("find", "given_", "name"),
    [
        *(
            (activations.activation, *pair)
            for pair in [("swish", "silu"), ("linear", "identity"), ("logistic", "sigmoid")]
        ),
        *(
            (losses.loss, *pair)
            for pair in [("mse", "squared_error"), ("MSELoss", "squared_error"), ("L1Loss", "absolute_error")]
        ),
        *(
            (losses.loss, *pair)
            for pair in [
                ("mae", "absolute_error"),
                ("bce", "binary_cross_entropy"),
                ("BCEWithLogitsLoss", "binary_cross_entropy"),
            ]
        ),
        *((optimizers.optimizer, *pair) for pair in [("SGD", "sgd"), ("RMSprop", "rmsprop"), ("nag", "nesterov")]),
        *(
            (INITIALIZERS.find, *pair)
            for pair in [("xavier_uniform", "glorot_uniform"), ("kaiming_normal", "he_normal")]
        ),
        *((INITIALIZERS.find, *pair) for pair in [("GlorotUniform", "glorot_uniform"), ("HeNormal", "he_normal")]),
        (SCHEDULES.find, "CosineAnnealingLR", "cosine"),
    ],
)
def test_the_names_of_other_frameworks_are_understood(find: object, given_: str, name: str) -> None:
    assert find(given_).name == name  # type: ignore[operator]


@pytest.mark.parametrize("table", [ACTIVATIONS, LOSSES, OPTIMIZERS, INITIALIZERS, SCHEDULES])
def test_no_two_entries_share_a_name(table: names.Table) -> None:  # type: ignore[type-arg]
    spelled = [names.spelling(word) for entry in table.values() for word in {entry.name, *entry.aliases}]
    assert len(spelled) == len(set(spelled))


@pytest.mark.parametrize(
    ("table", "written", "meant"),
    [
        *((ACTIVATIONS, *pair) for pair in [("swsh", "silu"), ("logistc", "sigmoid"), ("lineaar", "identity")]),
        *((INITIALIZERS, *pair) for pair in [("xavier_unifrm", "glorot_uniform"), ("kaiming_norml", "he_normal")]),
    ],
)
def test_suggestions_know_the_aliases(table: names.Table, written: str, meant: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(SettingError, match=f"did you mean '{meant}'"):
        table.find(written)


# ---- A user's own


@pytest.fixture
def clean_tables():
    before = [(table, dict(table), dict(table.aliases)) for table in (ACTIVATIONS, LOSSES, OPTIMIZERS)]
    yield
    for table, entries, aliases in before:
        table.clear()
        table.update(entries)
        table.aliases = aliases


@pytest.fixture
def data():
    inputs = np.random.default_rng(0).normal(size=(120, 3)).astype(np.float32)
    return inputs, np.tanh(inputs.sum(axis=1))


class Cubic(gn.losses.SquaredError):
    def per_example(self, outputs, targets):
        return (np.abs(outputs - targets) ** 3).mean(axis=1)


class WithSlope(gn.losses.SquaredError):
    def per_example(self, outputs, targets):
        return (np.abs(outputs - targets) ** 3).mean(axis=1)

    def per_example_slope(self, outputs, targets):
        return 3 * np.sign(outputs - targets) * (outputs - targets) ** 2 / outputs.shape[1]


class Sign(gn.optimizers.SGD):
    def update(self, parameters, gradient, slots, learning_rate, step):
        parameters -= learning_rate * np.sign(gradient)


class Heavy(gn.optimizers.Optimizer):
    name = "heavy"
    slots = ("velocity",)

    def update(self, parameters, gradient, slots, learning_rate, step):
        slots[0] *= 0.9
        slots[0] += gradient / np.sqrt(1 + step)
        parameters -= learning_rate * slots[0]


def bent(z):
    return np.where(z > 0, z, z / (1 + np.abs(z)))


def quartic(outputs, targets):
    return ((outputs - targets) ** 4).mean(axis=1)


@pytest.mark.parametrize("optimizer", [Sign(), Heavy(), Heavy], ids=["Sign", "Heavy", "class"])
@pytest.mark.parametrize("loss", [Cubic(), WithSlope, quartic], ids=["Cubic", "class", "function"])
def test_what_is_overridden_counts_on_every_engine(clean_tables, data, loss, optimizer) -> None:
    network = gn.Network.create("3-8-1", bent, seed=1)
    found = {}
    for engine in ("reference", "auto", "torch"):
        settings = {"epochs": 3, "engine": engine, "learning_rate": 0.01}
        run = gn.training.epochs(network, data, loss=loss, optimizer=optimizer, **settings)
        found[engine] = [epoch.loss for epoch in run]
    assert found["auto"] == found["reference"]
    np.testing.assert_allclose(found["torch"], found["reference"], rtol=2e-4)
    plain = gn.train(network, data, loss="mse", optimizer="sgd", epochs=3, engine="reference", learning_rate=0.01)
    assert not np.allclose(found["auto"], plain.history.loss, rtol=1e-3)


def test_auto_says_why_and_a_named_engine_refuses(data) -> None:
    network = gn.Network.create("3-8-1", seed=1)
    run = gn.training.epochs(network, data, loss=Cubic())
    assert run.chosen_engine is reference
    assert "the loss Cubic has no formula in its kernel" in run.engine_choice
    assert "the optimizer Sign" in gn.training.epochs(network, data, optimizer=Sign).engine_choice
    with pytest.raises(SettingError, match="native engine cannot do this: the loss Cubic"):
        gn.training.epochs(network, data, loss=Cubic(), engine="native")
    with pytest.raises(SettingError, match="the optimizer Sign"):
        gn.training.epochs(network, data, optimizer=Sign(), engine=native)


@pytest.mark.parametrize("loss", [Cubic(), WithSlope(), quartic, "huber"], ids=["Cubic", "slope", "function", "name"])
def test_one_value_of_one_loss(data, loss) -> None:
    network = gn.Network.create("3-8-1", seed=1)
    value, gradient = network.loss_and_gradient(*data, loss)
    assert value == pytest.approx(gn.evaluate(network, data, loss=loss).loss, rel=1e-6)
    k, h = 5, 1e-3
    moved = [network.with_parameters(network.parameters + s * h * np.eye(1, len(gradient), k)[0]) for s in (1, -1)]
    up, down = (one.loss_and_gradient(*data, loss)[0] for one in moved)
    assert gradient[k] == pytest.approx((up - down) / (2 * h), rel=0.02, abs=1e-4)


def test_an_activation_of_ones_own_goes_through_everything(clean_tables, data, tmp_path) -> None:
    gn.register(bent)
    network = gn.train(gn.Network.create("3-6-1", "bent", seed=0), data, epochs=3).network
    trace = network.trace(data[0][0])
    np.testing.assert_allclose(trace.layers[0].activations, bent(trace.layers[0].pre_activations), rtol=1e-6)
    assert "bent" in str(trace.neuron(0, 2))
    gn.explain.attribution(network, data[0][0], method="integrated_gradients")
    network.save(tmp_path / "own.safetensors")
    assert gn.load(tmp_path / "own.safetensors") == network
    gn.export(network, tmp_path / "own.py", "python")
    space: dict[str, object] = {}
    exec((tmp_path / "own.py").read_text(), space)
    np.testing.assert_allclose(space["predict"](data[0][0].tolist()), network(data[0][0]), rtol=1e-5)  # type: ignore[operator]


def test_a_file_with_an_activation_that_is_not_registered_says_so(clean_tables, data, tmp_path) -> None:
    gn.Network.create("3-6-1", bent, seed=0).save(tmp_path / "own.safetensors")
    ACTIVATIONS.pop("bent")
    del ACTIVATIONS.aliases["bent"]
    with pytest.raises(GlassnetError, match="unknown activation 'bent'"):
        gn.load(tmp_path / "own.safetensors")


def test_registering(clean_tables) -> None:
    gn.register(Heavy)
    assert gn.optimizers.optimizer("heavy") == Heavy()
    gn.register(quartic)
    assert gn.losses.loss("Quartic").value(np.array([[2.0]]), np.array([[0.0]])) == 16
    assert gn.register(quartic) is quartic  # once more, as a cell of a notebook that runs again
    assert gn.activations.activation(np.tanh) is ACTIVATIONS["tanh"]
    with pytest.raises(SettingError, match="built in"):
        gn.register(Activation("relu", lambda z: z * z))
    gn.register(Activation("mine", lambda z: z * z))
    with pytest.raises(SettingError, match="already registered"):
        gn.register(Activation("mine", lambda z: z * z * z))
    gn.register(Activation("mine", lambda z: z * z * z), replace=True)
    assert ACTIVATIONS["mine"](np.array([2.0])) == 8


@pytest.mark.parametrize(
    ("thing", "kind", "words"),
    [
        (lambda z: z.sum(axis=1), SettingError, "expected a Python identifier"),
        (Activation("summed", lambda z: z.sum(axis=1)), InputError, "expected the same shape"),
        (Activation("wrong", lambda z: z * z, lambda z, _: z), InputError, "is not that of its formula"),
        (Activation("strange", lambda z: np.sinc(z)), NotFollowed, "cannot follow"),
        (lambda a, b, c: a + b + c, SettingError, "neither an activation nor a loss"),
        (type("Unnamed", (gn.optimizers.Optimizer,), {"name": "not a name"}), SettingError, "has no name"),
        (3, SettingError, "no activation, loss or optimizer"),
    ],
)
def test_what_cannot_be_registered(clean_tables, thing, kind, words) -> None:
    with pytest.raises(kind, match=words):
        gn.register(thing)


def test_a_loss_with_a_value_of_its_own_needs_a_slope() -> None:
    with pytest.raises(SettingError, match="has a value of its own"):
        type("Odd", (gn.losses.SquaredError,), {"value": lambda *_: 0.0})


def test_a_function_that_is_no_loss_per_example_is_refused(data) -> None:
    with pytest.raises(InputError, match="expected one number for each"):
        gn.evaluate(gn.Network.create("3-1", seed=0), data, loss=lambda o, t: (o - t) ** 2)


def test_slopes_given_and_found_are_told_apart() -> None:
    assert isinstance(Activation("found", bent).slope, Derived)
    assert isinstance(gn.losses.loss(quartic), FunctionLoss)


def test_a_run_with_a_function_as_its_loss_can_be_kept_and_resumed(data, tmp_path) -> None:
    network, file = gn.Network.create("3-4-1", seed=0), tmp_path / "run.safetensors"
    settings = {
        "loss": quartic,
        "optimizer": Heavy(),
        "learning_rate": 0.01,
        "schedule": "constant",
        "checkpoint": file,
    }
    gn.train(network, data, epochs=2, **settings)
    resumed = gn.train(network, data, epochs=4, resume=True, **settings)
    del settings["checkpoint"]
    assert resumed.network == gn.train(network, data, epochs=4, **settings).network
    with pytest.raises(SettingError):
        gn.train(network, data, epochs=5, resume=True, checkpoint=file, learning_rate=0.01, schedule="constant")
