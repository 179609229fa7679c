"""The reference engine as a machine: what it gives, what it leaves alone, and that a run can be cut anywhere."""

from itertools import pairwise

import numpy as np
import pytest
import torch_oracle
from formula_cases import HIDDEN, random_examples, random_parameters, tries
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_info, threadpool_limits

from glassnet.activations import ACTIVATIONS
from glassnet.architecture import Architecture
from glassnet.arrays import Array
from glassnet.engines import reference
from glassnet.engines.base import Examples, Plan, State
from glassnet.engines.blas import fitting_threads
from glassnet.losses import CrossEntropy, Loss, SquaredError
from glassnet.optimizers import OPTIMIZERS, SGD, Momentum, Optimizer, optimizer

SHAPE = Architecture((5, 6, 4, 3), ("relu", "tanh", "softmax"))


def case(seed: int = 0, dtype: str = "float64", loss: Loss | None = None) -> tuple[Array, Examples]:
    random = np.random.default_rng(seed)
    parameters = random_parameters(SHAPE, random, dtype)
    return parameters, random_examples(SHAPE, loss or CrossEntropy(), 10, random, weighted=True, dtype=dtype)


def plan(rule: Optimizer | None = None, loss: Loss | None = None, **options: object) -> Plan:
    return Plan(SHAPE, loss or CrossEntropy(), rule or SGD(), batch_size=4, **options)


# Forward


@given(
    sizes=st.lists(st.integers(1, 8), min_size=2, max_size=5),
    n=st.integers(1, 6),
    dtype=st.sampled_from(["float32", "float64"]),
    last=st.sampled_from(list(ACTIVATIONS)),
    data=st.data(),
    seed=st.integers(0, 2**32 - 1),
)
@tries(60)
def test_outputs_and_trace_are_pytorchs(
    sizes: list[int], n: int, dtype: str, last: str, data: st.DataObject, seed: int
) -> None:
    random = np.random.default_rng(seed)
    smooth = [name for name in HIDDEN if name != "step"]  # rounding tips a step over
    hidden = [data.draw(st.sampled_from(smooth)) for _ in sizes[2:]]
    shape = Architecture(tuple(sizes), (*hidden, last if last != "step" else "identity"))
    parameters, inputs = random_parameters(shape, random, dtype), random.normal(size=(n, sizes[0])).astype(dtype)

    outputs = reference.forward(shape, parameters, inputs)
    layers = reference.trace(shape, parameters, inputs)
    assert (outputs.shape, outputs.dtype) == ((n, sizes[-1]), dtype)
    np.testing.assert_array_equal(outputs, layers[-1].activations)

    z, a = torch_oracle.forward(shape, torch_oracle.layers(sizes, parameters), torch_oracle.tensor(inputs))
    tolerance = {"rtol": 1e-12, "atol": 1e-13} if dtype == "float64" else {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(outputs, a.detach(), **tolerance)
    np.testing.assert_allclose(layers[-1].pre_activations, z.detach(), **tolerance)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_trace_holds_every_step_on_the_way(dtype: str) -> None:
    parameters, examples = case(dtype=dtype)
    before, parts = examples.inputs, reference.weights_and_biases(SHAPE, parameters)
    layers = reference.trace(SHAPE, parameters, examples.inputs)
    for name, (weights, biases), layer in zip(SHAPE.activations, parts, layers, strict=True):
        np.testing.assert_allclose(layer.weighted_sums, np.einsum("ni,ki->nk", before, weights), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(layer.pre_activations, layer.weighted_sums + biases)
        np.testing.assert_array_equal(layer.activations, ACTIVATIONS[name](layer.pre_activations))
        assert {part.dtype for part in layer} == {np.dtype(dtype)}
        before = layer.activations


def test_the_flat_vector_is_weights_row_by_row_then_biases_layer_after_layer() -> None:
    vector = np.arange(11.0)
    parts = list(reference.weights_and_biases(Architecture((3, 2, 1), ("relu", "identity")), vector))
    np.testing.assert_array_equal(parts[0][0], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(parts[0][1], [6, 7])
    np.testing.assert_array_equal(parts[1][0], [[8, 9]])
    np.testing.assert_array_equal(parts[1][1], [10])
    parts[0][0][1, 2] = 50
    assert vector[5] == 50, "these are views"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_bytes_with_a_scale_count_as_their_products(dtype: str) -> None:
    parameters, examples = case(dtype=dtype)
    stored = np.random.default_rng(0).integers(0, 256, (10, 5)).astype(np.uint8)
    seen = stored.astype(dtype) * np.dtype(dtype).type(1 / 255)

    outputs = reference.forward(SHAPE, parameters, stored, 1 / 255)
    assert outputs.dtype == dtype
    np.testing.assert_array_equal(outputs, reference.forward(SHAPE, parameters, seen))
    as_bytes = examples._replace(inputs=stored, scale=1 / 255)
    as_floats = examples._replace(inputs=seen)
    slopes = [reference.gradient(SHAPE, parameters, given, CrossEntropy())[1] for given in (as_bytes, as_floats)]
    np.testing.assert_array_equal(*slopes)
    runs = []
    for given_examples in (as_bytes, as_floats):
        trainer = reference.trainer(plan(), given_examples, State(parameters))
        trainer.run(np.arange(10), [0.1] * 3)
        runs.append(trainer.state().parameters)
    np.testing.assert_array_equal(*runs)


# Training


@pytest.mark.parametrize("rule", OPTIMIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_that_it_is_given_is_changed(rule: str, dtype: str) -> None:
    parameters, examples = case(dtype=dtype)
    slots = [np.full_like(parameters, 0.1) for _ in OPTIMIZERS[rule].slots]
    order = np.arange(10)
    for array in (parameters, examples.inputs, examples.targets, examples.sample_weights, order, *slots):
        assert array is not None
        array.flags.writeable = False  # whoever writes into it, fails
    state = State(parameters, slots, step=5)
    trainer = reference.trainer(
        plan(optimizer(rule), dropout=(0.5, 0.2), l1=0.01, l2=0.1, clip_norm=1.0), examples, state
    )
    trainer.run(order, [0.1] * 3)
    reference.gradient(SHAPE, parameters, examples, CrossEntropy())

    after = trainer.state()
    assert (state.step, after.step) == (5, 8)
    assert all(array.dtype == dtype for array in (after.parameters, *after.slots))
    assert not np.array_equal(after.parameters, parameters)


def test_the_state_it_gives_is_a_copy() -> None:
    parameters, examples = case()
    trainer = reference.trainer(plan(Momentum()), examples, State(parameters))
    trainer.run(np.arange(10), [0.1])
    given_away = trainer.state()
    given_away.parameters[:] = 7
    given_away.slots[0][:] = 7
    assert not (trainer.state().parameters == 7).any()
    assert not (trainer.state().slots[0] == 7).any()


@pytest.mark.parametrize("rule", OPTIMIZERS)
@given(cuts=st.sets(st.integers(1, 4)), resumed=st.booleans())
@tries(8)
def test_a_run_cut_anywhere_ends_with_the_same_bits(rule: str, cuts: set[int], resumed: bool) -> None:
    parameters, examples = case(dtype="float32")
    how = plan(optimizer(rule), dropout=(0.5, 0.2), l2=0.01, clip_norm=1.0, seed=4)
    order, rates = np.random.default_rng(2).integers(0, 10, 19), [0.1, 0.09, 0.08, 0.07, 0.06]

    whole = reference.trainer(how, examples, State(parameters))
    losses = whole.run(order, rates)
    parts, part_losses = reference.trainer(how, examples, State(parameters)), []
    for start, stop in pairwise([0, *sorted(cuts), 5]):
        part_losses += parts.run(order[start * 4 : stop * 4], rates[start:stop])
        if resumed:
            parts = reference.trainer(how, examples, parts.state())

    assert part_losses == losses
    one, other = whole.state(), parts.state()
    assert one.step == other.step == 5
    for left, right in zip((one.parameters, *one.slots), (other.parameters, *other.slots), strict=True):
        assert left.tobytes() == right.tobytes()


def test_a_run_stops_at_the_first_loss_that_is_not_finite_before_its_step() -> None:
    loss = SquaredError()
    shape = Architecture((5, 3), ("identity",))
    random = np.random.default_rng(0)
    parameters, examples = random_parameters(shape, random), random_examples(shape, loss, 12, random)
    trainer = reference.trainer(Plan(shape, loss, SGD(), 4), examples, State(parameters))
    losses = trainer.run(np.arange(12), [0.1, 1e200, 0.1])
    assert np.isfinite(losses).tolist() == [True, True, False]
    state = trainer.state()
    assert state.step == 2
    assert np.isfinite(state.parameters).all()
    alone = reference.trainer(Plan(shape, loss, SGD(), 4), examples, State(parameters))
    alone.run(np.arange(8), [0.1, 1e200])
    np.testing.assert_array_equal(state.parameters, alone.state().parameters)


def test_a_learning_rate_of_0_changes_no_parameter() -> None:
    parameters, examples = case()
    for rule in OPTIMIZERS:
        trainer = reference.trainer(plan(optimizer(rule)), examples, State(parameters))
        assert len(trainer.run(np.arange(10), [0.0] * 3)) == 3
        np.testing.assert_array_equal(trainer.state().parameters, parameters)


def test_penalties_are_for_weights_and_not_for_biases() -> None:
    shape = Architecture((3, 2), ("step",))  # its slope is 0, so that only the penalties move anything
    random = np.random.default_rng(0)
    parameters, examples = random_parameters(shape, random), random_examples(shape, SquaredError(), 4, random)
    trainer = reference.trainer(Plan(shape, SquaredError(), SGD(), 4, l1=0.2, l2=0.5), examples, State(parameters))
    trainer.run(np.arange(4), [0.1])
    weights, biases = parameters[:6], parameters[6:]
    np.testing.assert_allclose(trainer.state().parameters[:6], weights - 0.1 * (0.5 * weights + 0.2 * np.sign(weights)))
    np.testing.assert_array_equal(trainer.state().parameters[6:], biases)


def test_dropout_is_for_hidden_layers_and_for_training_only() -> None:
    parameters, examples = case()
    value, _ = reference.gradient(SHAPE, parameters, examples, CrossEntropy())
    whole = examples._replace(inputs=examples.inputs)
    how = Plan(SHAPE, CrossEntropy(), SGD(), batch_size=10, dropout=(0.5, 0.5))
    losses = {reference.trainer(how, whole, State(parameters, step=s)).run(np.arange(10), [0.0])[0] for s in range(20)}
    assert len(losses) == 20, "every step has masks of its own"
    assert value not in losses
    # one layer has no hidden activations to drop
    single = Architecture((5, 3), ("softmax",))
    random = np.random.default_rng(0)
    vector, few = random_parameters(single, random), random_examples(single, CrossEntropy(), 6, random)
    run = reference.trainer(Plan(single, CrossEntropy(), SGD(), 6), few, State(vector)).run(np.arange(6), [0.1])
    assert run[0] == reference.gradient(single, vector, few, CrossEntropy())[0]


def test_take_picks_rows_and_their_weights() -> None:
    _, examples = case()
    few = reference.take(examples, np.array([7, 2]))
    np.testing.assert_array_equal(few.inputs, examples.inputs[[7, 2]])
    np.testing.assert_array_equal(few.targets, examples.targets[[7, 2]])
    assert examples.sample_weights is not None
    np.testing.assert_array_equal(few.sample_weights, examples.sample_weights[[7, 2]])
    assert reference.take(examples._replace(sample_weights=None), np.array([0])).sample_weights is None


# Threads


def blas_threads() -> set[int]:
    """How many threads the BLAS that numpy came with takes (scipy brings another)."""
    libraries = [library for library in threadpool_info() if library["user_api"] == "blas"]
    return {library["num_threads"] for library in libraries if "scipy.libs" not in library["filepath"]}


def test_small_products_take_one_thread_and_large_ones_all() -> None:
    small, large = Architecture((784, 16, 10), ("relu", "identity")), Architecture((4096, 4096), ("identity",))
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with fitting_threads(small, 64):
            assert blas_threads() == {1}
        assert blas_threads() == before
        with fitting_threads(large, 64):
            assert blas_threads() == before
        with pytest.raises(ZeroDivisionError), fitting_threads(small, 64):
            raise ZeroDivisionError
        assert blas_threads() == before
