"""The kernel beside its peers, in one run on one machine: each job's time, ours and theirs, paired and repeated.

    python benchmarks/kernel.py [--json FILE] [--repeats N] [--only WORD]

Peers are written as their own users write their fastest loop: tensors in memory and no DataLoader for PyTorch, at its
best number of threads; `jit` and `lax.scan` for JAX; scikit-learn's own classes. Ours and each peer take turns, and the
median of each is printed, with loss and accuracy where they say something. A peer that is not installed is named as
such. Not for: anything but speed; that the numbers agree is for the tests.
"""

import os

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.pop(variable, None)  # peers may use the whole machine

import argparse
import json
import platform
import statistics
import sys
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.architecture import Architecture
from glassnet.engine import native
from glassnet.engine.plan import Examples, Plan, State
from glassnet.losses import CrossEntropy, SquaredError
from glassnet.optimizers import SGD, Adam

MNIST = Path("/work/shared/data/mnist.npz")
SCALE = 1 / 255
EPOCHS = 5  # ours are timed as a fifth of this many, packing included


@dataclass
class Row:
    """One job: what was asked for, and the seconds that each took (None: not there, and why in `missing`)."""

    job: str
    wanted: str
    ours: float
    peers: dict[str, float] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    notes: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**self.__dict__, "times_faster": {name: seconds / self.ours for name, seconds in self.peers.items()}}


def optional(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(
    job: str,
    wanted: str,
    ours: Callable[[], Any],
    peers: dict[str, Callable[[], Any] | str],
    repeats: int,
    share: float = 1.0,
) -> Row:
    """Medians of runs that take turns; `share` is the part of one of our runs that counts as one. A peer given as text
    is missing, and the text says why."""
    ours()
    for peer in peers.values():
        if not isinstance(peer, str):
            peer()
    times: dict[str, list[float]] = {}
    for _ in range(repeats):
        times.setdefault("ours", []).append(seconds(ours) * share)
        for name, peer in peers.items():
            if not isinstance(peer, str):
                times.setdefault(name, []).append(seconds(peer))
    medians = {name: statistics.median(values) for name, values in times.items()}
    missing = {name: peer for name, peer in peers.items() if isinstance(peer, str)}
    return Row(job, wanted, medians.pop("ours"), medians, missing)


# ---- Data


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Full MNIST where it lies, else as many made-up images with as many zeros."""
    if MNIST.exists():
        with np.load(MNIST) as file:
            flat = [np.ascontiguousarray(file[f"{part}_images"].reshape(-1, 784)) for part in ("train", "test")]
            return flat[0], file["train_labels"].astype(np.int64), flat[1], file["test_labels"].astype(np.int64)
    random = np.random.default_rng(0)
    x = (random.integers(1, 256, (70_000, 784)) * (random.random((70_000, 784)) < 0.19)).astype(np.uint8)
    y = random.integers(0, 10, 70_000)
    return x[:60_000], y[:60_000], x[60_000:], y[60_000:]


def start(architecture: Architecture, seed: int = 0) -> np.ndarray:
    random, parts = np.random.default_rng(seed), []
    for layer in architecture.layers:
        parts.append(random.standard_normal(layer.fan_in * layer.fan_out) * (2 / layer.fan_in) ** 0.5)
        parts.append(np.zeros(layer.fan_out))
    return np.concatenate(parts).astype(np.float32)


# ---- Ours


class Ours:
    """Training from scratch: everything that a call does, packing included."""

    def __init__(
        self, spec: str, optimizer: Any, batch: int, x: Any, y: Any, scale: float, loss: Any, epochs: int
    ) -> None:
        self.architecture = Architecture.of(spec)
        self.parameters = start(self.architecture)
        self.plan = Plan(self.architecture, loss, optimizer, batch)
        self.examples, self.epochs = Examples(x, scale, y), epochs
        self.orders = [np.random.default_rng(i).permutation(x.shape[0]) for i in range(epochs)]

    def __call__(self) -> None:
        self.trainer = native.trainer(self.plan, self.examples, State(self.parameters))
        rate = self.plan.optimizer.default_learning_rate
        for order in self.orders:
            self.losses = self.trainer.run(order, [rate] * -(-len(order) // self.plan.batch_size))

    def notes(self, x: np.ndarray, y: np.ndarray, scale: float) -> str:
        scores = native.forward(self.architecture, self.trainer.state().parameters, x, scale)
        return f"loss {np.mean(self.losses):.4f}, accuracy {(scores.argmax(axis=1) == y).mean():.2%}, {self.trainer.about_inputs}"


# ---- Peers


def pytorch(spec: str, adam: bool, batch: int, x: np.ndarray, y: np.ndarray, squared: bool = False) -> Any:
    torch = optional("torch")
    if torch is None:
        return "not installed"
    sizes = Architecture.of(spec).sizes
    inputs = torch.from_numpy(x.astype(np.float32) * (np.float32(SCALE) if x.dtype == np.uint8 else 1))
    targets = torch.from_numpy(y.astype(np.float32) if squared else y)

    def build() -> tuple[Any, Any, Any]:
        layers: list[Any] = []
        for i, (a, b) in enumerate(zip(sizes, sizes[1:], strict=False)):
            layers += [torch.nn.Linear(a, b)] + ([torch.nn.ReLU()] if i < len(sizes) - 2 else [])
        net = torch.nn.Sequential(*layers)
        optimizer = (
            torch.optim.Adam(net.parameters(), fused=True) if adam else torch.optim.SGD(net.parameters(), lr=0.1)
        )
        return net, optimizer, torch.nn.MSELoss() if squared else torch.nn.CrossEntropyLoss()

    def epoch(limit: int | None = None) -> None:
        net, optimizer, loss_of = build()
        order = torch.randperm(len(inputs))[:limit]
        for rows in order.split(batch):
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of(net(inputs[rows]), targets[rows])
            loss.backward()
            optimizer.step()

    best: dict[int, float] = {}
    for threads in range(1, (os.cpu_count() or 1) + 1):
        torch.set_num_threads(threads)
        epoch(20 * batch)
        best[threads] = min(seconds(lambda: epoch(100 * batch)) for _ in range(3))
    chosen = min(best, key=best.__getitem__)

    def run() -> None:
        torch.set_num_threads(chosen)
        epoch()

    return run


def jax_scan(spec: str, batch: int, x: np.ndarray, y: np.ndarray) -> Any:
    jax = optional("jax")
    if jax is None:
        return "not installed"
    jnp, sizes = jax.numpy, Architecture.of(spec).sizes
    inputs, targets = jnp.asarray(x.astype(np.float32) * np.float32(SCALE)), jnp.asarray(y)
    keys = jax.random.split(jax.random.PRNGKey(0), len(sizes))
    first = [
        (jax.random.normal(key, (a, b)) * (2 / a) ** 0.5, jnp.zeros(b))
        for key, a, b in zip(keys, sizes, sizes[1:], strict=False)
    ]

    def loss_of(params: Any, xs: Any, ys: Any) -> Any:
        for i, (w, b) in enumerate(params):
            xs = xs @ w + b
            if i < len(params) - 1:
                xs = jax.nn.relu(xs)
        return -jnp.take_along_axis(jax.nn.log_softmax(xs), ys[:, None], axis=1).mean()

    def step(params: Any, rows: Any) -> tuple[Any, Any]:
        value, slopes = jax.value_and_grad(loss_of)(params, inputs[rows], targets[rows])
        return jax.tree.map(lambda p, g: p - 0.1 * g, params, slopes), value

    epoch = jax.jit(lambda params, order: jax.lax.scan(step, params, order))
    whole = len(x) // batch * batch

    def run() -> None:
        order = jnp.asarray(np.random.default_rng(0).permutation(len(x))[:whole].reshape(-1, batch))
        jax.block_until_ready(epoch(first, order))

    return run


def sklearn_epochs(spec: str, adam: bool, batch: int, x: Any, y: np.ndarray, epochs: int = 1) -> Any:
    module = optional("sklearn.neural_network")
    if module is None:
        return "not installed"
    hidden = Architecture.of(spec).sizes[1:-1]
    inputs = x if not isinstance(x, np.ndarray) else x.astype(np.float32) * np.float32(SCALE)

    def run() -> None:
        settings = {"solver": "adam"} if adam else {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.1}
        net = module.MLPClassifier(hidden, batch_size=batch, max_iter=epochs, alpha=0, **settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has not converged after one epoch
            net.fit(inputs, y)

    return run


# ---- The jobs


def training_jobs(repeats: int) -> list[Callable[[], Row]]:
    x, y, test_x, test_y = digits()

    def on_digits(spec: str, adam: bool, batch: int, wanted: str, peers: list[str]) -> Callable[[], Row]:
        def job() -> Row:
            ours = Ours(spec, Adam() if adam else SGD(), batch, x, y, SCALE, CrossEntropy(), EPOCHS)
            made: dict[str, Any] = {}
            if "PyTorch" in peers:
                made["PyTorch"] = pytorch(spec, adam, batch, x, y)
            if "JAX" in peers:
                made["JAX"] = jax_scan(spec, batch, x, y)
            if "scikit-learn" in peers:
                made["scikit-learn"] = sklearn_epochs(spec, adam, batch, x, y)
            row = compare(
                f"{spec}, {'Adam' if adam else 'SGD'}, batch {batch}", wanted, ours, made, repeats, 1 / EPOCHS
            )
            row.notes = ours.notes(test_x, test_y, SCALE)
            return row

        return job

    def floor() -> Row:
        ours = Ours("784-16-16-10", SGD(), 32, x, y, SCALE, CrossEntropy(), 1)
        ours()
        order = ours.orders[0]
        rates = [0.1] * -(-len(order) // 32)
        return compare(
            "a whole epoch, and its first-layer loops alone",
            "at most 1.5 times them",
            lambda: ours.trainer.run(order, rates),
            {"the loops alone": lambda: ours.trainer._context.floor(order)},
            3 * repeats,
        )

    def table() -> Row:
        random = np.random.default_rng(0)
        rows = random.standard_normal((200_000, 64)).astype(np.float32)
        targets = (np.sin(rows[:, :1]) + rows[:, 1:2] * rows[:, 2:3]).astype(np.float32)
        ours = Ours("64-32-32-1", Adam(), 64, rows, targets, 1.0, SquaredError(), EPOCHS)
        peers = {"PyTorch": pytorch("64-32-32-1", True, 64, rows, targets, squared=True)}
        row = compare(
            "a dense table, 64-32-32-1, Adam, batch 64, 200,000 rows", "10x PyTorch", ours, peers, repeats, 1 / EPOCHS
        )
        row.notes = f"loss {np.mean(ours.losses):.4f}, {ours.trainer.about_inputs}"
        return row

    def text() -> Row:
        sparse = optional("scipy.sparse")
        if sparse is None:
            return Row(
                "TF-IDF rows", "5x scikit-learn", float("nan"), missing={"scikit-learn": "scipy is not installed"}
            )
        random = np.random.default_rng(0)
        rows = sparse.random(10_000, 50_000, density=0.002, format="csr", dtype=np.float32, random_state=0)
        labels = random.integers(0, 10, 10_000)
        ours = Ours("50000-50-10", Adam(), 200, rows, labels, 1.0, CrossEntropy(), EPOCHS)
        peers = {"scikit-learn": sklearn_epochs("50000-50-10", True, 200, rows, labels)}
        return compare(
            "TF-IDF rows, 50000-50-10, Adam, batch 200, 10,000 rows",
            "5x scikit-learn",
            ours,
            peers,
            repeats,
            1 / EPOCHS,
        )

    def threads() -> Row:
        def sixteen(workers: int) -> Callable[[], None]:
            nets = [Ours("784-16-16-10", SGD(), 32, x, y, SCALE, CrossEntropy(), 1) for _ in range(16)]
            ready = [native.trainer(net.plan, net.examples, State(net.parameters)) for net in nets]

            def work(mine: list[int]) -> None:
                for i in mine:
                    ready[i].run(nets[i].orders[0], [0.1] * 1875)

            def run() -> None:
                pool = [threading.Thread(target=work, args=(list(range(w, 16, workers)),)) for w in range(workers)]
                for thread in pool:
                    thread.start()
                for thread in pool:
                    thread.join()

            return run

        return compare(
            "16 networks of 784-16-16-10, on 2 threads and on 1",
            "1.9x",
            sixteen(2),
            {"one thread": sixteen(1)},
            repeats,
        )

    main, wide = "784-16-16-10", "784-128-10"
    return [
        on_digits(main, False, 32, "28x PyTorch, 4x JAX, 20x scikit-learn", ["PyTorch", "JAX", "scikit-learn"]),
        on_digits(main, False, 10, "80x PyTorch, 8x JAX", ["PyTorch", "JAX"]),
        on_digits(main, False, 128, "9x PyTorch, 2.4x JAX", ["PyTorch", "JAX"]),
        on_digits("784-30-10", True, 10, "25x PyTorch", ["PyTorch"]),
        on_digits(wide, True, 32, "4x PyTorch, 4x scikit-learn", ["PyTorch", "scikit-learn"]),
        on_digits(wide, True, 200, "2x PyTorch, 2x scikit-learn", ["PyTorch", "scikit-learn"]),
        on_digits("784-512-512-10", False, 128, "no slower than PyTorch", ["PyTorch"]),
        table,
        text,
        threads,
        floor,
    ]


def forward_jobs(repeats: int) -> list[Callable[[], Row]]:
    _, _, x, _ = digits()
    architecture = Architecture.of("784-16-16-10")
    parameters = start(architecture)
    floats = x.astype(np.float32) * np.float32(SCALE)
    dense = floats + np.float32(0.1)  # no zeros to skip

    def torch_forward(rows: np.ndarray) -> Any:
        torch = optional("torch")
        if torch is None:
            return "not installed"
        net = torch.nn.Sequential(
            torch.nn.Linear(784, 16), torch.nn.ReLU(), torch.nn.Linear(16, 16), torch.nn.ReLU(), torch.nn.Linear(16, 10)
        )
        inputs = torch.from_numpy(rows)

        def run() -> None:
            with torch.inference_mode():
                net(inputs if inputs.dtype == torch.float32 else inputs.float() * SCALE)

        return run

    def onnx_forward(rows: np.ndarray, threads: int) -> Any:
        runtime, onnx = optional("onnxruntime"), optional("onnx")
        if runtime is None or onnx is None:
            return "not installed"
        helper, kinds = onnx.helper, onnx.TensorProto
        as_bytes = rows.dtype == np.uint8
        nodes, values, name = [], [], "x"
        if as_bytes:
            values.append(onnx.numpy_helper.from_array(np.float32(SCALE).reshape(()), "scale"))
            nodes += [
                helper.make_node("Cast", ["x"], ["c"], to=kinds.FLOAT),
                helper.make_node("Mul", ["c", "scale"], ["s"]),
            ]
            name = "s"
        for i, layer in enumerate(architecture.layers):
            weights = parameters[layer.start : layer.biases_start].reshape(layer.fan_out, layer.fan_in)
            values.append(onnx.numpy_helper.from_array(weights, f"w{i}"))
            values.append(onnx.numpy_helper.from_array(parameters[layer.biases_start : layer.stop], f"b{i}"))
            nodes.append(helper.make_node("Gemm", [name, f"w{i}", f"b{i}"], [f"z{i}"], transB=1))
            name = f"z{i}"
            if i < len(architecture.layers) - 1:
                nodes.append(helper.make_node("Relu", [name], [f"a{i}"]))
                name = f"a{i}"
        inputs = [helper.make_tensor_value_info("x", kinds.UINT8 if as_bytes else kinds.FLOAT, [None, 784])]
        graph = helper.make_graph(
            nodes, "g", inputs, [helper.make_tensor_value_info(name, kinds.FLOAT, [None, 10])], values
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        session = runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return lambda: session.run(None, {"x": rows})

    def often(call: Any, times: int = 2000) -> Any:
        if isinstance(call, str):
            return call

        def run() -> None:
            for _ in range(times):
                call()

        return run

    def one() -> Row:
        ask, row = native.prepare(architecture, parameters), floats[0]
        peers = {
            "ONNX Runtime": often(onnx_forward(floats[:1], 1)),
            "PyTorch": often(torch_forward(floats[:1])),
        }
        result = compare(
            "one input through 784-16-16-10 (2,000 calls)",
            "at most 3 us a call; 3x ONNX Runtime, 10x PyTorch",
            often(lambda: ask(row)),
            peers,
            3 * repeats,
        )
        result.notes = f"{result.ours / 2000 * 1e6:.2f} us a call"
        return result

    def many(name: str, rows: np.ndarray, scale: float, wanted: str) -> Callable[[], Row]:
        def job() -> Row:
            ask = native.prepare(architecture, parameters, scale)
            peers = {"ONNX Runtime": often(onnx_forward(rows, 1), 10), "PyTorch": often(torch_forward(rows), 10)}
            return compare(
                f"10,000 digits, {name}, one thread (10 calls)",
                wanted,
                often(lambda: ask(rows), 10),
                peers,
                3 * repeats,
            )

        return job

    return [
        one,
        many("uint8", x, SCALE, "2x ONNX Runtime"),
        many("float32 with zeros", floats, 1.0, "no slower than ONNX Runtime"),
        many("float32 without zeros", dense, 1.0, "no slower than ONNX Runtime"),
    ]


def machine() -> dict[str, Any]:
    versions = {}
    for package in ("numpy", "scipy", "torch", "jax", "scikit-learn", "onnxruntime"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = names[0].split(":", 1)[1].strip() if names else cpu
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "kernel": native.variant(),
        **versions,
    }


def printed(row: Row) -> str:
    peers = [f"{name} {took:.4f} s ({took / row.ours:.2f}x)" for name, took in row.peers.items()]
    peers += [f"{name} {why}" for name, why in row.missing.items()]
    note = f"\n    {row.notes}" if row.notes else ""
    return f"{row.job}\n    ours {row.ours:.4f} s; {'; '.join(peers)}\n    asked for: {row.wanted}{note}"


def main() -> None:
    parser = argparse.ArgumentParser(description="The kernel beside its peers.")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each, of which the median counts")
    parser.add_argument("--only", default="", help="jobs with this number or name: train, forward, or 0, 1, 2...")
    arguments = parser.parse_args()
    jobs = training_jobs(arguments.repeats) + forward_jobs(arguments.repeats)
    chosen = [int(i) for i in arguments.only.split(",")] if arguments.only else range(len(jobs))
    rows = []
    about = machine()
    print(", ".join(f"{key} {value}" for key, value in about.items()), file=sys.stderr)
    for i in chosen:
        rows.append(jobs[i]())
        print(printed(rows[-1]), flush=True)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"machine": about, "jobs": [row.as_dict() for row in rows]}, indent=2) + "\n"
        )


if __name__ == "__main__":
    main()
