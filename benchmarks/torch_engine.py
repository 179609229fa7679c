"""The torch engine on the CPU beside a hand-written PyTorch loop with the same settings, and its own compiled passes.

torch_engine.py [--repeats N] [--threads N]     in turns, medians; the last loss of each is printed beside
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from figures import HEADING, Entry, Figure, take_turns
from machine import OtherWork, keep
from torch import nn

from glassnet.architecture import Architecture
from glassnet.engines.base import Examples, Plan, State
from glassnet.engines.torch import Torch
from glassnet.losses import CrossEntropy
from glassnet.optimizers import OPTIMIZERS

JOBS = (("784-128-10", 64, 300), ("784-512-512-10", 128, 100), ("784-2048-2048-10", 1024, 6))
RULES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}
ROWS, RATE = 6144, 0.01


class Contest:
    """One job: sizes, batch and rule, for so many steps from the same start."""

    def __init__(self, sizes: str, batch: int, steps: int, rule: str) -> None:
        random = np.random.default_rng(0)
        self.architecture, self.batch, self.steps, self.rule = Architecture.of(sizes), batch, steps, rule
        self.inputs = random.random((ROWS, 784), np.float32)
        self.labels = random.integers(0, 10, ROWS)
        self.start = random.normal(0, 0.03, self.architecture.layers[-1].stop).astype(np.float32)
        self.order = np.concatenate([random.permutation(ROWS) for _ in range(steps * batch // ROWS + 2)])

    def ours(self, compiled: bool = False) -> Callable[[int], float]:
        plan = Plan(self.architecture, CrossEntropy(), OPTIMIZERS[self.rule](), self.batch)
        examples = Examples(self.inputs, 1.0, self.labels)
        trainer = Torch(compile=compiled).trainer(plan, examples, State(self.start))
        return lambda steps: trainer.run(self.order, [RATE] * steps)[-1]

    def by_hand(self) -> Callable[[int], float]:
        layers: list[nn.Module] = []
        for shape in self.architecture.layers:
            layer = nn.Linear(shape.fan_in, shape.fan_out)
            weights = self.start[shape.start : shape.biases_start].reshape(shape.fan_out, shape.fan_in)
            with torch.no_grad():
                layer.weight.copy_(torch.tensor(weights))
                layer.bias.copy_(torch.tensor(self.start[shape.biases_start : shape.stop]))
            layers += [layer, nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
        rule = RULES[self.rule](model.parameters(), lr=RATE, fused=True)
        inputs, labels, order = torch.tensor(self.inputs), torch.tensor(self.labels), torch.tensor(self.order)

        def run(steps: int) -> float:
            for step in range(steps):
                rows = order[step * self.batch : (step + 1) * self.batch]
                rule.zero_grad()
                loss = nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
                loss.backward()
                rule.step()
                value = loss.item()
            return value

        return run


def measure(sizes: str, batch: int, steps: int, rule: str, repeats: int) -> Figure:
    contest = Contest(sizes, batch, steps, rule)
    entries = [Entry("torch engine"), Entry("PyTorch by hand", at_least=1.0), Entry("torch engine, compiled")]
    works: list[tuple[Entry, Callable[[], Any]]] = []
    for entry, run in zip(entries, (contest.ours(), contest.by_hand(), contest.ours(compiled=True)), strict=True):
        entry.loss = run(2)  # not timed: what is made at the first steps, code included
        works.append((entry, lambda run=run: run(steps)))
    with OtherWork() as others:
        take_turns(works, repeats, share=1 / steps)
    return Figure(f"{sizes}, {rule}, batch {batch}, a step", entries, others=others.processors)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=1)
    wanted = arguments.parse_args()
    torch.set_num_threads(wanted.threads)
    print(HEADING)
    figures = []
    for sizes, batch, steps in JOBS:
        for rule in RULES:
            figures.append(measure(sizes, batch, steps, rule, wanted.repeats))
            print(figures[-1], flush=True)
    keep("torch_engine", {"threads": wanted.threads, "jobs": [f.as_dict() for f in figures]}, ("numpy", "torch"))


if __name__ == "__main__":
    main()
