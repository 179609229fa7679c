"""The peers, each as its own users write its fastest loop. Every peer is imported when it is first asked.

A trainer is made once for a job (tensors built, code compiled, number of threads chosen: not timed), and a call of it
trains from the job's start for its epochs. Same start, same order of examples, same rule; scikit-learn alone shuffles
by itself. Not for: forward passes (`peers_forward.py`).
"""

import os
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from jobs import EPOCHS, Job, Outcome, flat

Trainer = Callable[[], Outcome]


def best_threads(trial: Callable[[int], None]) -> int:
    """The number of threads with which a trial takes least, the best of three turns for each."""
    least: dict[int, float] = {}
    for _ in range(3):
        for threads in range(1, (os.cpu_count() or 1) + 1):
            started = time.perf_counter()
            trial(threads)
            least[threads] = min(least.get(threads, np.inf), time.perf_counter() - started)
    return min(least, key=least.__getitem__)


def pytorch(job: Job) -> tuple[Trainer, str]:
    """Eager; tensors in memory and no DataLoader, fused rules, best number of threads."""
    import torch

    inputs = torch.from_numpy(job.train.scaled())
    targets = torch.from_numpy(np.array(job.train.targets, np.int64 if job.labelled else np.float32))
    orders = [torch.from_numpy(order) for order in job.orders]
    loss_of = torch.nn.CrossEntropyLoss() if job.labelled else torch.nn.MSELoss()
    rule = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[job.optimizer]

    def build() -> Any:
        net = torch.nn.Sequential()
        for weights, biases in job.layers:
            layer = torch.nn.Linear(*reversed(weights.shape))
            with torch.no_grad():
                layer.weight.copy_(torch.from_numpy(weights))
                layer.bias.copy_(torch.from_numpy(biases))
            net.extend([layer, torch.nn.ReLU()])
        return net[:-1]

    def train(orders: list[Any]) -> Outcome:
        net = build()
        optimizer = rule(net.parameters(), lr=job.rate, fused=True)
        for order in orders:
            losses = []
            for rows in order.split(job.batch):
                optimizer.zero_grad()
                loss = loss_of(net(inputs[rows]), targets[rows])
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
        counts = torch.tensor([len(rows) for rows in order.split(job.batch)])
        vector = torch.nn.utils.parameters_to_vector(net.parameters())
        return Outcome(float((torch.stack(losses) * counts).sum() / counts.sum()), vector.detach().numpy())

    def trial(threads: int) -> None:
        torch.set_num_threads(threads)
        train([orders[0][: 200 * job.batch]])

    trial(1)
    threads = best_threads(trial)

    def run() -> Outcome:
        torch.set_num_threads(threads)
        return train(orders)

    return run, f"{threads} thread{'s' * (threads > 1)}"


def jax(job: Job) -> tuple[Trainer, str]:
    """`jit` over a whole epoch, `lax.scan` over its batches; compiled before it is timed. Plain descent on labels."""
    import jax
    from jax import numpy as jnp

    assert (job.optimizer, job.labelled) == ("sgd", True)
    inputs, targets = jnp.asarray(job.train.scaled()), jnp.asarray(job.train.targets)
    start = [(jnp.asarray(weights.T), jnp.asarray(biases)) for weights, biases in job.layers]
    whole = len(job.train) // job.batch * job.batch
    orders = [(jnp.asarray(o[:whole].reshape(-1, job.batch)), jnp.asarray(o[whole:])) for o in job.orders]

    def loss_of(params: Any, x: Any, labels: Any) -> Any:
        *hidden, (last, biases) = params
        for w, b in hidden:
            x = jax.nn.relu(x @ w + b)
        scores = jax.nn.log_softmax(x @ last + biases)
        return -jnp.take_along_axis(scores, labels[:, None], axis=1).mean()

    def step(params: Any, rows: Any) -> tuple[Any, Any]:
        loss, slopes = jax.value_and_grad(loss_of)(params, inputs[rows], targets[rows])
        return jax.tree.map(lambda p, slope: p - job.rate * slope, params, slopes), loss

    @jax.jit
    def epoch(params: Any, batches: Any, rest: Any) -> tuple[Any, Any]:
        params, losses = jax.lax.scan(step, params, batches)
        total = losses.sum() * job.batch
        if rest.size:  # the last batch is smaller
            params, loss = step(params, rest)
            total += loss * rest.size
        return params, total / len(job.train)

    def run() -> Outcome:
        params = start
        for batches, rest in orders:
            params, loss = epoch(params, batches, rest)
        vector = flat([(np.asarray(w).T, np.asarray(b)) for w, b in params])
        return Outcome(float(loss), vector)

    jax.block_until_ready(epoch(start, *orders[0]))
    return run, "jit, scan"


def scikit_learn(job: Job) -> tuple[Trainer, str]:
    """MLPClassifier with the job's start; best number of threads for its BLAS. Sparse rows as they are."""
    from sklearn.neural_network import MLPClassifier
    from threadpoolctl import threadpool_limits

    class Started(MLPClassifier):
        """From given numbers instead of random ones."""

        def _initialize(self, *args: Any) -> None:
            super()._initialize(*args)
            self.coefs_ = [np.array(weights.T, order="C") for weights, _ in job.layers]
            self.intercepts_ = [biases.copy() for _, biases in job.layers]

    dense = isinstance(job.train.inputs, np.ndarray)
    inputs = job.train.scaled() if dense else job.train.inputs
    settings = {"momentum": 0.0} if job.optimizer == "sgd" else {}

    def train(rows: int, epochs: int) -> Outcome:
        net = Started(
            tuple(job.start.sizes[1:-1]),
            solver=job.optimizer,
            learning_rate_init=job.rate,
            batch_size=job.batch,
            max_iter=epochs,
            alpha=0,
            random_state=job.seed,
            **settings,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it has not converged yet
            net.fit(inputs[:rows], job.train.targets[:rows])
        layers = [(w.T, b) for w, b in zip(net.coefs_, net.intercepts_, strict=True)]
        return Outcome(float(net.loss_), flat(layers))

    def trial(threads: int) -> None:
        with threadpool_limits(threads):
            train(min(len(job.train.targets), 100 * job.batch), 1)

    threads = best_threads(trial)

    def run() -> Outcome:
        with threadpool_limits(threads):
            return train(len(job.train.targets), EPOCHS)

    return run, f"{threads} thread{'s' * (threads > 1)}"


TRAINERS = {"PyTorch": pytorch, "JAX": jax, "scikit-learn": scikit_learn}
