"""Gradients and training of the reference engine: those of PyTorch's autograd and optimizers, and plain differences.

A cross-entropy reads the pre-activations of a softmax layer (the binary one those of a sigmoid layer); of any other
last layer it takes the outputs as logits.
"""

from itertools import product

import numpy as np
import pytest
import torch_oracle
from formula_cases import HIDDEN, assert_close, random_examples, random_loss, random_parameters, tries
from hypothesis import given
from hypothesis import strategies as st

from glassnet.activations import ACTIVATIONS
from glassnet.architecture import Architecture
from glassnet.arrays import Array
from glassnet.engines import reference
from glassnet.engines.base import Examples, Plan, State
from glassnet.losses import LOSSES, AbsoluteError, CrossEntropy, Huber, Loss
from glassnet.optimizers import OPTIMIZERS, optimizer

PAIRS = list(product(ACTIVATIONS, LOSSES))
ALL_PAIRS = pytest.mark.parametrize(("name", "loss_name"), PAIRS)

SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def hidden_layers(draw: st.DrawFn, name: str, most: int = 3, widest: int = 8) -> tuple[list[int], list[str]]:
    """Widths of the inputs and of up to `most` hidden layers, and these layers' activations, often `name`."""
    widths = draw(st.lists(st.integers(1, widest), min_size=1, max_size=most + 1))
    squish = st.sampled_from(HIDDEN) if name == "softmax" else st.just(name) | st.sampled_from(HIDDEN)
    return widths, [draw(squish) for _ in widths[1:]]


def architecture(hidden: tuple[list[int], list[str]], name: str, fan_out: int, loss_name: str) -> Architecture:
    widths, names = hidden
    return Architecture((*widths, max(fan_out, 2) if loss_name == "cross_entropy" else fan_out), (*names, name))


# Beside autograd


@ALL_PAIRS
@given(data=st.data(), n=st.integers(1, 6), fan_out=st.integers(1, 8), weighted=st.booleans(), seed=SEEDS)
@tries(10)
def test_the_gradient_is_autograds(
    name: str, loss_name: str, data: st.DataObject, n: int, fan_out: int, weighted: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    shape = architecture(data.draw(hidden_layers(name)), name, fan_out, loss_name)
    loss = random_loss(loss_name, shape.sizes[-1], random)
    parameters = random_parameters(shape, random)
    examples = random_examples(shape, loss, n, random, weighted)

    value, slopes = reference.gradient(shape, parameters, examples, loss)
    their_value, their_slopes = torch_oracle.gradient(shape, parameters, examples, loss)
    assert value == pytest.approx(their_value, rel=1e-9)
    assert_close(slopes, their_slopes)


@ALL_PAIRS
def test_the_float32_gradient_is_near_the_exact_one(name: str, loss_name: str) -> None:
    random = np.random.default_rng(5)
    shape = Architecture((6, 7, 4), ("tanh" if name in ("softmax", "step") else name, name))
    loss = random_loss(loss_name, 4, random)
    parameters = random_parameters(shape, random, "float32")
    examples = random_examples(shape, loss, 5, random, weighted=True, dtype="float32")
    exact = Examples(*(p.astype(float) if isinstance(p, np.ndarray) and p.dtype.kind == "f" else p for p in examples))

    value, slopes = reference.gradient(shape, parameters, examples, loss)
    exact_value, exact_slopes = reference.gradient(shape, parameters.astype(float), exact, loss)
    assert slopes.dtype == np.float32
    assert value == pytest.approx(exact_value, rel=1e-5)
    np.testing.assert_allclose(slopes, exact_slopes, rtol=1e-4, atol=1e-5 * np.abs(exact_slopes).max())


# Beside differences: no other library's idea of a gradient

KINKS = {"relu": [0], "leaky_relu": [0], "elu": [0], "selu": [0], "step": [0], "hard_sigmoid": [-3, 3]}


def away_from_kinks(shape: Architecture, parameters: Array, inputs: Array, margin: float = 0.02) -> Array:
    """The parameters, with biases shifted so that no pre-activation of these inputs is within `margin` of a kink."""
    parameters = parameters.copy()
    before = inputs
    for name, (weights, biases) in zip(shape.activations, reference.weights_and_biases(shape, parameters), strict=True):
        kinks = np.array(KINKS.get(name, []))
        for k in range(len(biases)):
            start = before @ weights[k] + biases[k]
            # every (example, kink) forbids one of the shifts at most, so there is always one left
            shifts = np.arange(len(inputs) * len(kinks) + 1) * (2.5 * margin)
            distances = np.abs(start[None, :, None] + shifts[:, None, None] - kinks)
            biases[k] += shifts[np.argmax(distances.min(axis=(1, 2), initial=np.inf) > margin)]
        before = ACTIVATIONS[name](before @ weights.T + biases)
    return parameters


def away_from_the_loss_kinks(loss: Loss, outputs: Array, examples: Examples, random: np.random.Generator) -> Examples:
    """Targets at a distance from the outputs at which the loss is smooth."""
    if not isinstance(loss, AbsoluteError | Huber):
        return examples
    near, far = random.uniform(0.1, 0.8, outputs.shape), random.uniform(1.2, 2, outputs.shape)
    distance = np.where(random.random(outputs.shape) < 0.5, near, far) * getattr(loss, "delta", 1)
    return examples._replace(targets=outputs + distance * random.choice([-1, 1], outputs.shape))


@ALL_PAIRS
@given(data=st.data(), n=st.integers(1, 4), fan_out=st.integers(1, 4), weighted=st.booleans(), seed=SEEDS)
@tries(4)
def test_the_gradient_is_what_small_changes_do_to_the_loss(
    name: str, loss_name: str, data: st.DataObject, n: int, fan_out: int, weighted: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    shape = architecture(data.draw(hidden_layers(name, most=2, widest=4)), name, fan_out, loss_name)
    loss = random_loss(loss_name, shape.sizes[-1], random)
    examples = random_examples(shape, loss, n, random, weighted)
    parameters = away_from_kinks(shape, random_parameters(shape, random), examples.inputs)
    outputs = reference.forward(shape, parameters, examples.inputs)
    examples = away_from_the_loss_kinks(loss, outputs, examples, random)

    change = 1e-6
    differences = np.empty_like(parameters)
    for i in range(len(parameters)):
        moved = parameters.copy()
        moved[i] = parameters[i] + change
        more, _ = reference.gradient(shape, moved, examples, loss)
        moved[i] = parameters[i] - change
        less, _ = reference.gradient(shape, moved, examples, loss)
        differences[i] = (more - less) / (2 * change)
    _, slopes = reference.gradient(shape, parameters, examples, loss)
    np.testing.assert_allclose(slopes, differences, rtol=1e-6, atol=1e-6 * np.abs(slopes).max() + 1e-8)


# Training beside PyTorch's


def assert_trains_alike(plan: Plan, parameters: Array, examples: Examples, rates: list[float]) -> Array:
    """Run the trainer and PyTorch's loop over the same batches, compare, and give how far the parameters went."""
    order = np.random.default_rng(1).permutation(len(examples.targets))
    trainer = reference.trainer(plan, examples, State(parameters))
    values = trainer.run(order, rates)
    their_values, theirs = torch_oracle.train(plan, parameters, examples, order, rates)
    ours = trainer.state().parameters
    assert values == pytest.approx(their_values, rel=1e-9)
    assert trainer.state().step == len(rates)
    assert_close(ours, theirs)
    return ours - parameters


RATES = [0.05, 0.02, 0.04]  # for batches of 4, 4 and 2

OPTIONS: dict[str, dict[str, object]] = {
    "plain": {},
    "l1": {"l1": 0.03},
    "l2": {"l2": 0.2},
    "l2 of layers": {"l2": (0.2, 0.01)},
    "clipped": {"clip_norm": 0.05},
    "weighted": {},
    "dropout": {"dropout": (0.4,)},
    "all at once": {"l1": 0.03, "l2": 0.2, "clip_norm": 0.5, "dropout": (0.4,)},
}

TRIPLES = list(product(ACTIVATIONS, LOSSES, OPTIMIZERS))


def option_of(name: str, loss_name: str, rule: str) -> str:
    """One of the options for each triple, so that every pair of option and optimizer (or loss, or squish) comes up."""
    place = list(ACTIVATIONS).index(name) + 3 * list(LOSSES).index(loss_name) + list(OPTIMIZERS).index(rule)
    return list(OPTIONS)[place % len(OPTIONS)]


@pytest.mark.parametrize(("name", "loss_name", "rule", "option"), [(*triple, option_of(*triple)) for triple in TRIPLES])
def test_three_steps_are_pytorchs(name: str, loss_name: str, rule: str, option: str) -> None:
    shape = Architecture((4, 5, 3), ("tanh" if name == "softmax" else name, name))
    random = np.random.default_rng(TRIPLES.index((name, loss_name, rule)))
    loss = random_loss(loss_name, 3, random)
    parameters = random_parameters(shape, random)
    examples = random_examples(shape, loss, 10, random, weighted=option in ("weighted", "all at once"))
    plan = Plan(shape, loss, optimizer(rule), batch_size=4, seed=3, **OPTIONS[option])

    moved = assert_trains_alike(plan, parameters, examples, RATES)
    if name != "step":
        assert np.abs(moved).max() > 1e-6


@pytest.mark.parametrize("l1", [0, 0.03])
@pytest.mark.parametrize("l2", [0, 0.2])
@pytest.mark.parametrize("clip_norm", [None, 0.05, 100.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dropout", [(), (0.4, 0.0), (0.0, 0.25), (0.5, 0.25)], ids=str)
def test_every_mixture_of_options_is_pytorchs(
    l1: float, l2: float, clip_norm: float | None, weighted: bool, dropout: tuple[float, ...]
) -> None:
    shape = Architecture((4, 6, 5, 3), ("gelu", "relu", "softmax"))
    random = np.random.default_rng(11)
    loss = CrossEntropy(0.1, (1.0, 2.0, 0.5))
    parameters = random_parameters(shape, random)
    examples = random_examples(shape, loss, 10, random, weighted)
    plan = Plan(shape, loss, optimizer("adam"), 4, l1=l1, l2=l2, dropout=dropout, clip_norm=clip_norm, seed=9)
    assert_trains_alike(plan, parameters, examples, RATES)


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_fifty_epochs_are_still_pytorchs(rule: str) -> None:
    shape = Architecture((3, 8, 2), ("tanh", "identity"))
    random = np.random.default_rng(0)
    loss = random_loss("squared_error", 2, random)
    parameters, examples = random_parameters(shape, random), random_examples(shape, loss, 8, random)
    plan = Plan(shape, loss, optimizer(rule), batch_size=8, l2=0.01)
    trainer = reference.trainer(plan, examples, State(parameters))
    order, rates = np.arange(8), [0.02] * 50
    values = [value for rate in rates for value in trainer.run(order, [rate])]
    their_values, theirs = torch_oracle.train(plan, parameters, _again(examples, 50), np.arange(400), rates)
    assert values == pytest.approx(their_values, rel=1e-6)
    assert values[-1] < values[0]
    assert_close(trainer.state().parameters, theirs)


def _again(examples: Examples, times: int) -> Examples:
    return examples._replace(inputs=np.tile(examples.inputs, (times, 1)), targets=np.tile(examples.targets, (times, 1)))
