"""The compiled kernel says what the reference says: every shape, squish, loss, rule and kind of inputs."""

import math
import threading
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassnet import engines
from glassnet.activations import ACTIVATIONS
from glassnet.architecture import Architecture
from glassnet.engines import native, reference
from glassnet.engines.base import Examples, Plan, State
from glassnet.errors import AddressError, InputError, SettingError
from glassnet.losses import LOSSES, CrossEntropy, SquaredError
from glassnet.optimizers import OPTIMIZERS, SGD, Adam

SQUISHES = [squish for squish in ACTIVATIONS if squish != "softmax"]
SCALES = {
    "bytes": 1 / 255,
    "mostly zero bytes": 1 / 255,
    "floats": 1.0,
    "scaled floats": 0.25,
    "mostly zero floats": 1.0,
}
KINDS = [*SCALES, "csr"]


def network(sizes, squish="tanh", output="identity", seed=0):
    architecture = Architecture.of(sizes, squish, output)
    random = np.random.default_rng(seed)
    parts = [
        np.concatenate(
            [random.normal(0, layer.fan_in**-0.5, layer.fan_in * layer.fan_out), random.normal(0, 0.1, layer.fan_out)]
        )
        for layer in architecture.layers
    ]
    return architecture, np.concatenate(parts).astype(np.float32)


def make_inputs(kind, rows, columns, seed=0):
    """(what native is given, what reference is given, their scale)."""
    random = np.random.default_rng(seed)
    values = random.normal(0, 1, (rows, columns)).astype(np.float32)
    if "bytes" in kind:
        values = random.integers(0, 256, (rows, columns)).astype(np.uint8)
    if "zero" in kind or kind == "csr":
        values[random.random((rows, columns)) < 0.8] = 0
    if kind == "csr":
        return import_module("scipy.sparse").csr_matrix(values), values, 1.0
    return values, values, SCALES[kind]


def make_targets(loss, rows, outputs, seed=0, labels=True):
    random = np.random.default_rng(seed)
    if loss.name == "cross_entropy":
        return (
            random.integers(0, outputs, rows) if labels else random.dirichlet(np.ones(outputs), rows).astype(np.float32)
        )
    return random.random((rows, outputs)).astype(np.float32)


def close(ours, theirs, tolerance=1e-5):
    """Equal: their difference, as a vector, is at most `tolerance` as long as they are."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert ours.shape == theirs.shape
    assert np.linalg.norm(ours - theirs) <= tolerance * max(np.linalg.norm(theirs), 1e-3)


def both(plan, examples, plain_examples, parameters, epochs=1, rate=None):
    """Every engine's losses and state after the same run."""
    results = []
    rows = len(plain_examples.targets)
    batches = -(-rows // plan.batch_size)
    for made, given_examples in ((native, examples), (reference, plain_examples)):
        trainer, losses = made.trainer(plan, given_examples, State(parameters)), []
        for epoch in range(epochs):
            order = np.random.default_rng(epoch).permutation(rows)
            losses += trainer.run(order, [rate or plan.optimizer.default_learning_rate] * batches)
        results.append((losses, trainer.state()))
    return results


sizes = st.lists(st.integers(1, 40), min_size=2, max_size=5).map(tuple)
patient = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


class TestForward:
    @pytest.mark.parametrize("squish", SQUISHES)
    def test_every_squish(self, squish):
        architecture, parameters = network("7-19-5", squish, squish)
        x = np.random.default_rng(0).normal(0, 3, (11, 7)).astype(np.float32)
        close(native.forward(architecture, parameters, x), reference.forward(architecture, parameters, x), 2e-6)

    @pytest.mark.parametrize("squish", SQUISHES)
    def test_no_squish_overflows_or_loses_small_numbers(self, squish):
        z = np.array([0, 1e-30, 1e-6, 1e-3, 0.3, 0.7, 3, 9, 50, 88, 100, 1e4, 3e38], np.float32)
        z = np.concatenate([z, -z])[:, None]
        identity = np.array([1, 0], np.float32)
        ours = native.forward(Architecture.of("1-1", output=squish), identity, z)
        with np.errstate(over="ignore"):
            theirs = reference.forward(Architecture.of("1-1", output=squish), identity, z)
        # gelu far below 0 is 1e-18 and less; without fused products its last bits are the exponent's rounding.
        np.testing.assert_allclose(ours, theirs, rtol=1e-5 if squish == "gelu" else 6e-6, atol=1e-35)

    @patient
    @given(sizes=sizes, kind=st.sampled_from(KINDS), rows=st.integers(0, 30), seed=st.integers(0, 99))
    def test_every_shape_and_kind_of_inputs(self, sizes, kind, rows, seed):
        architecture, parameters = network(sizes, "relu", "softmax", seed)
        ours, theirs, scale = make_inputs(kind, rows, sizes[0], seed)
        close(
            native.forward(architecture, parameters, ours, scale),
            reference.forward(architecture, parameters, theirs, scale),
            3e-6,
        )

    def test_many_rows_go_through_in_chunks(self):
        architecture, parameters = network("50-20-3")
        for kind in KINDS:
            ours, theirs, scale = make_inputs(kind, 1000, 50)
            close(
                native.forward(architecture, parameters, ours, scale),
                reference.forward(architecture, parameters, theirs, scale),
                3e-6,
            )

    @pytest.mark.parametrize("spec", ["513-512-300-7", "3-600-600-600-2", "70000-9-2", "-".join(["6"] * 80)])
    def test_wide_and_deep(self, spec):
        architecture, parameters = network(spec)
        x = np.random.default_rng(0).random((40, architecture.sizes[0])).astype(np.float32)
        close(native.forward(architecture, parameters, x), reference.forward(architecture, parameters, x), 1e-5)

    @pytest.mark.parametrize("kind", KINDS)
    def test_trace_shows_every_layer(self, kind):
        architecture, parameters = network("30-9-4", "gelu", "softmax")
        ours, theirs, scale = make_inputs(kind, 130, 30)
        for mine, reference_layer in zip(
            native.trace(architecture, parameters, ours, scale),
            reference.trace(architecture, parameters, theirs, scale),
            strict=True,
        ):
            for a, b in zip(mine, reference_layer, strict=True):
                close(a, b, 3e-6)

    def test_prepared_gives_what_forward_gives(self):
        architecture, parameters = network("30-9-4")
        for kind in KINDS:
            x, _, scale = make_inputs(kind, 5, 30)
            ask = native.prepare(architecture, parameters, scale)
            outputs = native.forward(architecture, parameters, x, scale)
            np.testing.assert_array_equal(ask(x), outputs)
            if kind != "csr":
                close(ask(x[0]), outputs[0], 1e-6)
                close(ask(x[0].tolist()), outputs[0], 1e-6)


class TestGradient:
    @patient
    @given(
        sizes=st.lists(st.integers(2, 30), min_size=2, max_size=4).map(tuple),
        squish=st.sampled_from(SQUISHES),
        output=st.sampled_from(["identity", "sigmoid", "softmax", "tanh"]),
        loss=st.sampled_from(sorted(LOSSES)),
        labels=st.booleans(),
        kind=st.sampled_from(KINDS),
        rows=st.integers(0, 20),
        weighted=st.booleans(),
        seed=st.integers(0, 99),
    )
    def test_every_squish_loss_and_kind_of_inputs(
        self, sizes, squish, output, loss, labels, kind, rows, weighted, seed
    ):
        architecture, parameters = network(sizes, squish, output, seed)
        ours, theirs, scale = make_inputs(kind, rows, sizes[0], seed)
        made = LOSSES[loss]()
        targets = make_targets(made, rows, sizes[-1], seed, labels)
        weights = np.random.default_rng(seed).random(rows).astype(np.float32) if weighted else None
        value, slopes = native.gradient(architecture, parameters, Examples(ours, scale, targets, weights), made)
        wanted, wanted_slopes = reference.gradient(
            architecture, parameters, Examples(theirs, scale, targets, weights), made
        )
        assert value == pytest.approx(wanted, rel=1e-5, abs=1e-7)
        close(slopes, wanted_slopes, 2e-5)

    @pytest.mark.parametrize("labels", [True, False])
    @pytest.mark.parametrize("smoothing", [0, 0.1])
    @pytest.mark.parametrize("weights", [None, (1.0, 0.5, 3.0, 0.0)])
    def test_cross_entropy_with_smoothing_and_class_weights(self, labels, smoothing, weights):
        architecture, parameters = network("12-8-4")
        loss = CrossEntropy(label_smoothing=smoothing, class_weights=weights)
        x, _, scale = make_inputs("floats", 50, 12)
        examples = Examples(
            x, scale, make_targets(loss, 50, 4, labels=labels), np.linspace(0, 2, 50).astype(np.float32)
        )
        value, slopes = native.gradient(architecture, parameters, examples, loss)
        wanted, wanted_slopes = reference.gradient(architecture, parameters, examples, loss)
        assert value == pytest.approx(wanted, rel=1e-6)
        close(slopes, wanted_slopes)

    def test_more_rows_than_go_through_at_once(self):
        architecture, parameters = network("20-8-4")
        for kind in KINDS:
            ours, theirs, scale = make_inputs(kind, 2500, 20)
            targets = make_targets(CrossEntropy(), 2500, 4)
            value, slopes = native.gradient(architecture, parameters, Examples(ours, scale, targets), CrossEntropy())
            wanted, wanted_slopes = reference.gradient(
                architecture, parameters, Examples(theirs, scale, targets), CrossEntropy()
            )
            assert value == pytest.approx(wanted, rel=1e-6)
            close(slopes, wanted_slopes)


class TestTraining:
    @settings(patient, max_examples=80)
    @given(
        sizes=st.lists(st.integers(2, 24), min_size=2, max_size=4).map(tuple),
        squish=st.sampled_from(["relu", "sigmoid", "tanh", "gelu", "leaky_relu", "softplus"]),
        rule=st.sampled_from(sorted(OPTIMIZERS)),
        loss=st.sampled_from(["cross_entropy", "squared_error", "huber"]),
        kind=st.sampled_from(KINDS),
        batch_size=st.integers(1, 40),
        dropout=st.sampled_from([0.0, 0.25, 0.5]),
        penalties=st.sampled_from([(0.0, 0.0), (1e-3, 0.0), (0.0, 1e-3), (1e-3, 1e-2)]),
        clip_norm=st.sampled_from([None, 0.05, 1000.0]),
        seed=st.integers(0, 99),
    )
    def test_every_rule_and_option(
        self, sizes, squish, rule, loss, kind, batch_size, dropout, penalties, clip_norm, seed
    ):
        architecture, parameters = network(sizes, squish, seed=seed)
        ours, theirs, scale = make_inputs(kind, 60, sizes[0], seed)
        made = LOSSES[loss]()
        targets = make_targets(made, 60, sizes[-1], seed)
        plan = Plan(
            architecture,
            made,
            OPTIMIZERS[rule](),
            batch_size,
            *penalties,
            dropout=(dropout,) * (len(sizes) - 2),
            clip_norm=clip_norm,
            seed=seed,
        )
        (losses, state), (wanted, wanted_state) = both(
            plan, Examples(ours, scale, targets), Examples(theirs, scale, targets), parameters
        )
        # A step goes by signs here and there (l1, Adam's first steps), where the last bits of a slope decide: looser
        # than the runs below.
        close(losses, wanted, 2e-4)
        close(state.parameters, wanted_state.parameters, 5e-4)
        assert state.step == wanted_state.step
        assert [slot.shape for slot in state.slots] == [slot.shape for slot in wanted_state.slots]

    @pytest.mark.parametrize("rule", sorted(OPTIMIZERS))
    @pytest.mark.parametrize("kind", ["mostly zero bytes", "floats"])
    def test_a_hundred_steps_agree_within_a_hundred_thousandth(self, rule, kind):
        architecture, parameters = network("60-16-16-10", "tanh")
        x, _, scale = make_inputs(kind, 1000, 60)
        examples = Examples(x, scale, make_targets(CrossEntropy(), 1000, 10))
        plan = Plan(architecture, CrossEntropy(), OPTIMIZERS[rule](), 10, dropout=(0.2, 0.2), seed=3)
        # PyTorch's own rates: at higher ones the rules that go by the sign of a slope blow rounding up.
        rate = {"sgd": 0.1, "momentum": 0.05, "nesterov": 0.05, "adagrad": 0.01}.get(rule, 0.001)
        (losses, state), (wanted, wanted_state) = both(plan, examples, examples, parameters, rate=rate)
        assert len(losses) == 100
        close(losses, wanted)
        close(state.parameters, wanted_state.parameters)
        for slot, wanted_slot in zip(state.slots, wanted_state.slots, strict=True):
            close(slot, wanted_slot)

    @pytest.mark.parametrize("batch_size", [1, 7, 64, 5000])
    @pytest.mark.parametrize("rule", ["sgd", "adam"])
    def test_batches_of_any_size(self, rule, batch_size):
        architecture, parameters = network("30-12-5", "sigmoid")
        x, _, scale = make_inputs("mostly zero bytes", 200 if batch_size < 100 else 3000, 30)
        examples = Examples(x, scale, make_targets(CrossEntropy(), len(x), 5))
        plan = Plan(architecture, CrossEntropy(), OPTIMIZERS[rule](), batch_size)
        (losses, state), (wanted, wanted_state) = both(plan, examples, examples, parameters, epochs=2)
        close(losses, wanted)
        close(state.parameters, wanted_state.parameters)

    @pytest.mark.parametrize("clip_norm", [None, 0.1])
    @pytest.mark.parametrize("kind", ["floats", "mostly zero bytes"])
    @pytest.mark.parametrize("l2", [(0.5, 0.0, 0.1), (0.0, 0.3, 0.0), (0.0, 0.0, 0.0)], ids=str)
    @pytest.mark.parametrize("rule", ["sgd", "adam"])
    def test_a_penalty_for_each_layer(self, rule, l2, kind, clip_norm):
        architecture, parameters = network("30-12-8-5")
        ours, theirs, scale = make_inputs(kind, 60, 30)
        targets = make_targets(CrossEntropy(), 60, 5)
        plan = Plan(architecture, CrossEntropy(), OPTIMIZERS[rule](), 10, l2=l2, clip_norm=clip_norm)
        (losses, state), (wanted, wanted_state) = both(
            plan, Examples(ours, scale, targets), Examples(theirs, scale, targets), parameters, epochs=2
        )
        close(losses, wanted)
        close(state.parameters, wanted_state.parameters)

    @pytest.mark.parametrize("rule", sorted(OPTIMIZERS))
    def test_the_same_bits_from_run_to_run_and_after_a_pause(self, rule):
        architecture, parameters = network("40-20-4")
        x, _, scale = make_inputs("mostly zero floats", 300, 40)
        examples = Examples(x, scale, make_targets(CrossEntropy(), 300, 4))
        plan = Plan(architecture, CrossEntropy(), OPTIMIZERS[rule](), 10, dropout=(0.3,), l2=1e-4)
        order = np.random.default_rng(0).permutation(300)
        states = []
        for pauses in ([30], [30], [11, 19]):
            state, at = State(parameters), 0
            for batches in pauses:
                trainer = native.trainer(plan, examples, state)
                trainer.run(order[at * 10 :], [0.01] * batches)
                state, at = trainer.state(), at + batches
            states.append(state)
        for other in states[1:]:
            np.testing.assert_array_equal(other.parameters, states[0].parameters)
            for slot, first in zip(other.slots, states[0].slots, strict=True):
                np.testing.assert_array_equal(slot, first)

    def test_inputs_that_never_occur_stay_as_they_are_and_memory_of_them_goes_on(self):
        architecture, parameters = network("40-6-3")
        x, _, scale = make_inputs("mostly zero bytes", 200, 40)
        x[:, 5:9] = 0
        examples = Examples(x, scale, make_targets(CrossEntropy(), 200, 3))
        plan = Plan(architecture, CrossEntropy(), Adam(), 20)
        slots = [np.full_like(parameters, 0.01), np.full_like(parameters, 0.02)]
        for given_slots in ([], slots):
            states = []
            for made in (native, reference):
                trainer = made.trainer(plan, examples, State(parameters, given_slots, step=3))
                trainer.run(np.arange(200), [0.001] * 10)
                states.append(trainer.state())
            close(states[0].parameters, states[1].parameters)
            close(states[0].slots[0], states[1].slots[0])

    def test_a_run_that_diverges_stops_at_the_first_loss_that_is_not_finite(self):
        architecture, parameters = network("20-8-1", "relu")
        x, _, scale = make_inputs("floats", 100, 20)
        examples = Examples(x, scale, make_targets(SquaredError(), 100, 1))
        with np.errstate(all="ignore"):
            plan = Plan(architecture, SquaredError(), SGD(), 10)
            (losses, state), (wanted, wanted_state) = both(plan, examples, examples, parameters, rate=1e6)
        assert len(losses) == len(wanted) < 10
        assert not math.isfinite(losses[-1])
        assert state.step == wanted_state.step

    @pytest.mark.parametrize("squish", [s for s in SQUISHES if s != "step"])
    def test_nan_is_never_swallowed(self, squish):
        architecture, parameters = network("6-4-2", squish)
        x = np.ones((4, 6), np.float32)
        x[1, 2] = np.nan
        assert np.isnan(native.forward(architecture, parameters, x)[1]).all()
        assert np.isfinite(native.forward(architecture, parameters, x)[0]).all()
        trainer = native.trainer(
            Plan(architecture, SquaredError(), SGD(), 4),
            Examples(x, 1.0, np.ones((4, 2), np.float32)),
            State(parameters),
        )
        losses = trainer.run(np.arange(4), [0.1])
        assert len(losses) == 1
        assert math.isnan(losses[0])
        np.testing.assert_array_equal(trainer.state().parameters, parameters)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_a_weight_that_is_not_finite_shows_behind_zeros(self, bad):
        architecture, parameters = network("30-4-2")
        parameters[3] = bad
        x = np.zeros((5, 30), np.float32)
        assert np.isnan(native.forward(architecture, parameters, x)).all()
        examples = Examples(x, 1.0, np.ones((5, 2), np.float32))
        trainer = native.trainer(Plan(architecture, SquaredError(), SGD(), 5), examples, State(parameters))
        assert math.isnan(trainer.run(np.arange(5), [0.1])[0])

    def test_empty_batches_count_as_in_the_reference(self):
        architecture, parameters = network("6-4-2")
        x, _, scale = make_inputs("floats", 10, 6)
        examples = Examples(x, scale, make_targets(SquaredError(), 10, 2))
        for rule in ("sgd", "momentum"):
            states = []
            for made in (native, reference):
                trainer = made.trainer(
                    Plan(architecture, SquaredError(), OPTIMIZERS[rule](), 5), examples, State(parameters)
                )
                losses = trainer.run(np.arange(10), [0.1] * 4)
                states.append(trainer.state())
                assert losses[2:] == [0.0, 0.0]
            close(states[0].parameters, states[1].parameters)
            assert states[0].step == states[1].step == 4

    def test_threads_train_side_by_side(self):
        architecture, parameters = network("50-16-4")
        x, _, scale = make_inputs("mostly zero bytes", 2000, 50)
        examples = Examples(x, scale, make_targets(CrossEntropy(), 2000, 4))
        plan = Plan(architecture, CrossEntropy(), SGD(), 10)
        trainers = [native.trainer(plan, examples, State(parameters)) for _ in range(4)]
        shared = native.prepare(architecture, parameters, scale)
        outputs = {}

        def work(i):
            trainers[i].run(np.arange(2000), [0.1] * 200)
            outputs[i] = shared(x)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for i in range(1, 4):
            np.testing.assert_array_equal(trainers[i].state().parameters, trainers[0].state().parameters)
            np.testing.assert_array_equal(outputs[i], outputs[0])


class TestAwkwardArrays:
    def arrays(self):
        x = np.random.default_rng(0).normal(0, 1, (9, 6)).astype(np.float32)
        frozen = x.copy()
        frozen.flags.writeable = False
        wide = np.zeros((9, 12), np.float32)
        wide[:, ::2] = x
        unaligned = np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)
        yield from (x, frozen, wide[:, ::2], np.asfortranarray(x), x.astype(np.float64), x[::-1][::-1], unaligned)
        yield x.astype(x.dtype.newbyteorder(">"))

    def test_read_only_strided_unaligned_and_foreign_arrays(self):
        architecture, parameters = network("6-5-2")
        parameters.flags.writeable = False
        wanted = None
        for x in self.arrays():
            results = [native.forward(architecture, parameters, x), native.prepare(architecture, parameters)(x)]
            examples = Examples(x, 1.0, np.ones((9, 2)))
            trainer = native.trainer(Plan(architecture, SquaredError(), SGD(), 3), examples, State(parameters))
            trainer.run(np.arange(9, dtype=np.int32), [0.1] * 3)
            results.append(trainer.state().parameters)
            wanted = wanted or results
            for ours, first in zip(results, wanted, strict=True):
                np.testing.assert_array_equal(ours, first)

    def test_no_rows(self):
        architecture, parameters = network("6-5-2")
        none = np.zeros((0, 6), np.float32)
        assert native.forward(architecture, parameters, none).shape == (0, 2)
        assert [layer.activations.shape for layer in native.trace(architecture, parameters, none)] == [(0, 5), (0, 2)]
        value, slopes = native.gradient(architecture, parameters, Examples(none, 1.0, np.zeros((0, 2))), SquaredError())
        assert value == 0
        assert not slopes.any()

    @pytest.mark.parametrize(
        "change",
        [
            {"inputs": np.zeros((4, 7))},
            {"inputs": np.zeros(6)},
            {"inputs": np.array([["a"] * 6] * 4)},
            {"targets": np.zeros((3, 2))},
            {"sample_weights": np.ones(3)},
        ],
    )
    def test_what_does_not_fit_is_refused_in_words(self, change, refused: Any):
        architecture, parameters = network("6-5-2")
        examples = Examples(np.zeros((4, 6)), 1.0, np.zeros((4, 2)))._replace(**change)
        with refused(InputError):
            native.trainer(Plan(architecture, SquaredError(), SGD(), 2), examples, State(parameters))

    def test_labels_orders_and_vectors_out_of_range_are_refused(self, refused: Any):
        architecture, parameters = network("6-5-2")
        x = np.zeros((4, 6), np.float32)
        plan = Plan(architecture, CrossEntropy(), SGD(), 2)
        with refused(InputError):
            native.trainer(plan, Examples(x, 1.0, np.array([0, 1, 2, 0])), State(parameters))
        with refused(InputError):
            native.forward(architecture, parameters[:-1], x)
        trainer = native.trainer(plan, Examples(x, 1.0, np.array([0, 1, 1, 0])), State(parameters))
        for order in ([0, 4], [0, -1]):
            with refused(AddressError):
                trainer.run(np.array(order), [0.1])

    def test_csr_that_contradicts_itself_is_refused(self, refused: Any):
        sparse = import_module("scipy.sparse")
        architecture, parameters = network("6-5-2")
        for spoil in ("indices", "indptr"):
            x = sparse.csr_matrix(np.eye(4, 6, dtype=np.float32))
            getattr(x, spoil)[2] = 99
            with refused(InputError):
                native.forward(architecture, parameters, x)

    def test_the_door_below_checks_sizes_too(self, refused: Any):
        architecture, parameters = network("6-5-2")
        ask = native.prepare(architecture, parameters)
        context = ask._context
        with pytest.raises(ValueError, match="vector: got 4 bytes"):
            context.write(0, np.zeros(1, np.float32))
        with pytest.raises(ValueError, match="inputs: got"):
            context.forward(
                (native.DENSE_FLOATS, 1.0, 5, np.zeros(6, np.float32), None, None), np.zeros(10, np.float32)
            )
        with pytest.raises(ValueError, match="no such vector"):
            context.read(native.FIRST_SLOT, np.zeros(100, np.float32))
        with refused(InputError):
            ask(np.zeros((2, 5), np.float32))


class TestChoice:
    def test_auto_takes_native_where_it_fits_and_says_so(self, monkeypatch):
        monkeypatch.delenv("GLASSNET_ENGINE", raising=False)
        architecture, _ = network("6-5-2")
        chosen, why = engines.choose("auto", architecture, "float32")
        assert chosen is native
        assert why.startswith(f"native ({native.variant()}, float32)")
        chosen, why = engines.choose("auto", architecture, "float64")
        assert chosen is reference
        assert "it computes in float32, not float64" in why

    def test_auto_leaves_wide_layers_to_numpy(self, monkeypatch):
        monkeypatch.delenv("GLASSNET_ENGINE", raising=False)
        chosen, why = engines.choose("auto", Architecture.of("784-512-512-10"), "float32")
        assert chosen is reference
        assert why.endswith("its BLAS is faster for a layer of 512 x 512")
        assert engines.choose("native", Architecture.of("784-512-512-10"), "float32")[0] is native
        assert engines.choose("auto", Architecture.of("100000-512-10"), "float32")[0] is native

    def test_native_by_name_that_does_not_fit_says_what_would(self, refused: Any):
        architecture, _ = network("6-5-2")
        with refused(SettingError):
            engines.choose("native", architecture, "float64")

    def test_the_environment_overrides_auto_only(self, monkeypatch, refused: Any):
        architecture, _ = network("6-5-2")
        monkeypatch.setenv("GLASSNET_ENGINE", "reference")
        assert engines.choose("auto", architecture, "float32")[0] is reference
        assert engines.choose("native", architecture, "float32")[0] is native
        monkeypatch.setenv("GLASSNET_ENGINE", "fast")
        with refused(SettingError):
            engines.choose("auto", architecture, "float32")

    def test_without_the_kernel_auto_is_numpy(self, monkeypatch):
        monkeypatch.delenv("GLASSNET_ENGINE", raising=False)
        monkeypatch.setattr(native, "_kernel", None)
        chosen, why = engines.choose("auto", network("6-5-2")[0], "float32")
        assert chosen is reference
        assert "was not built" in why

    def test_every_variant_of_this_machine_agrees(self, monkeypatch, refused: Any):
        architecture, parameters = network("60-16-16-10", "tanh")
        x, _, scale = make_inputs("mostly zero bytes", 300, 60)
        examples = Examples(x, scale, make_targets(CrossEntropy(), 300, 10))
        plan = Plan(architecture, CrossEntropy(), Adam(), 10, dropout=(0.1, 0.1))
        for variant in native._kernel.variants():
            monkeypatch.setenv("GLASSNET_CPU", variant)
            assert native.variant() == variant
            (losses, state), (wanted, wanted_state) = both(plan, examples, examples, parameters)
            close(losses, wanted)
            close(state.parameters, wanted_state.parameters)
        monkeypatch.setenv("GLASSNET_CPU", "avx9")
        with refused(SettingError):
            native.variant()
