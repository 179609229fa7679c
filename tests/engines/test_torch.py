"""The torch engine says what the reference says: every squish, loss, rule and option, in each type of numbers."""

import sys
from functools import partialmethod
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet import engines
from glassnet.activations import ACTIVATIONS
from glassnet.architecture import Architecture
from glassnet.engines import cost_model, reference, torch_inputs
from glassnet.engines import torch as torch_engine
from glassnet.engines.base import Examples, Plan, State
from glassnet.engines.torch import Torch
from glassnet.engines.torch_formulas import dropout_mask
from glassnet.errors import MissingExtra, SettingError
from glassnet.losses import LOSSES, CrossEntropy, Huber
from glassnet.optimizers import OPTIMIZERS, SGD, Adam
from glassnet.random import dropout_mask as reference_mask

SQUISHES = [squish for squish in ACTIVATIONS if squish != "softmax"]
TRAINABLE = [squish for squish in SQUISHES if squish != "step"]
TOLERANCES = {"float64": 1e-9, "float32": 1e-5}
patient = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
CPU = torch.device("cpu")


def network(sizes, squish="tanh", output="identity", seed=0, dtype="float64"):
    architecture = Architecture.of(sizes, squish, output)
    random = np.random.default_rng(seed)
    layers = [
        np.concatenate([random.normal(0, at.fan_in**-0.5, at.fan_in * at.fan_out), random.normal(0, 0.1, at.fan_out)])
        for at in architecture.layers
    ]
    return architecture, np.concatenate(layers).astype(dtype)


def examples(loss, rows, sizes, seed=0, dtype="float64", weighted=False, labels=True):
    random = np.random.default_rng(seed)
    if loss.name == "cross_entropy":
        targets = random.integers(0, sizes[-1], rows) if labels else random.dirichlet(np.ones(sizes[-1]), rows)
    else:
        targets = random.random((rows, sizes[-1]))
    targets = loss.targets(targets, sizes[-1], dtype)
    weights = random.uniform(0, 2, rows).astype(dtype) if weighted else None
    return Examples(random.normal(size=(rows, sizes[0])).astype(dtype), 1.0, targets, weights)


def close(ours, theirs, tolerance):
    """Equal: of the same type, their difference as a vector at most `tolerance` as long as they are."""
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    assert np.linalg.norm(ours - theirs) <= tolerance * max(np.linalg.norm(theirs), 1e-3)


def trained(by, plan, data, parameters, epochs=2):
    """The losses and the state after some epochs, the second of which goes on from the state of the first."""
    losses, state = [], State(parameters)
    for epoch in range(epochs):
        trainer = by.trainer(plan, data, state)
        order = np.random.default_rng(epoch).permutation(len(data.targets))
        batches = -(-len(order) // plan.batch_size)
        losses += trainer.run(order, [plan.optimizer.default_learning_rate] * batches)
        state = trainer.state()
    return losses, state


class TestVerbs:
    @pytest.mark.parametrize("dtype", TOLERANCES)
    @pytest.mark.parametrize("squish", SQUISHES)
    def test_every_squish_forward_and_traced(self, squish, dtype):
        architecture, parameters = network("7-19-5", squish, squish, dtype=dtype)
        x = np.random.default_rng(0).normal(0, 3, (11, 7)).astype(dtype)
        wanted = reference.trace(architecture, parameters, x)
        close(Torch().forward(architecture, parameters, x), wanted[-1].activations, TOLERANCES[dtype])
        for ours, theirs in zip(Torch().trace(architecture, parameters, x), wanted, strict=True):
            for mine, other in zip(ours, theirs, strict=True):
                close(mine, other, TOLERANCES[dtype])

    def test_softmax_of_large_numbers(self):
        architecture, parameters = network("2-3", output="softmax")
        x = np.array([[1e4, -1e4], [3, 2]])
        close(Torch().forward(architecture, parameters, x), reference.forward(architecture, parameters, x), 1e-12)

    @pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int64, bool])
    def test_inputs_as_stored_count_times_their_scale(self, kind):
        architecture, parameters = network("5-4-3")
        x = np.random.default_rng(0).integers(0, 2 if kind is bool else 200, (9, 5)).astype(kind)
        x.flags.writeable = False
        close(
            Torch().forward(architecture, parameters, x, 1 / 255),
            reference.forward(architecture, parameters, x, 1 / 255),
            1e-12,
        )

    def test_sparse_inputs(self):
        architecture, parameters = network("5-4-3")
        x = import_module("scipy.sparse").random(20, 5, 0.3, "csr", random_state=0)
        close(Torch().forward(architecture, parameters, x), reference.forward(architecture, parameters, x), 1e-12)
        data = Examples(x, 1.0, np.arange(20) % 3)
        plan = Plan(architecture, CrossEntropy(), SGD(), 6)
        _, state = trained(Torch(), plan, data, parameters)
        close(state.parameters, trained(reference, plan, data, parameters)[1].parameters, 1e-12)

    @pytest.mark.parametrize("dtype", TOLERANCES)
    @settings(patient, max_examples=60)
    @given(
        sizes=st.lists(st.integers(2, 30), min_size=2, max_size=4).map(tuple),
        squish=st.sampled_from(TRAINABLE),
        output=st.sampled_from(["identity", "sigmoid", "softmax", "tanh"]),
        loss=st.sampled_from(sorted(LOSSES)),
        labels=st.booleans(),
        rows=st.integers(0, 20),
        weighted=st.booleans(),
        seed=st.integers(0, 99),
    )
    def test_gradient_of_every_squish_and_loss(self, dtype, sizes, squish, output, loss, labels, rows, weighted, seed):
        architecture, parameters = network(sizes, squish, output, seed, dtype)
        made = LOSSES[loss]()
        data = examples(made, rows, sizes, seed, dtype, weighted, labels)
        value, slopes = Torch().gradient(architecture, parameters, data, made)
        wanted, wanted_slopes = reference.gradient(architecture, parameters, data, made)
        assert value == pytest.approx(wanted, rel=TOLERANCES[dtype], abs=1e-6 * TOLERANCES[dtype])
        close(slopes, wanted_slopes, 2 * TOLERANCES[dtype])

    @pytest.mark.parametrize("labels", [True, False])
    @pytest.mark.parametrize(
        "loss",
        [
            CrossEntropy(0.1),
            CrossEntropy(class_weights=(1.0, 0.5, 3.0, 0.0)),
            CrossEntropy(0.2, (1, 2, 3, 4)),
            Huber(0.3),
        ],
        ids=lambda loss: f"{loss}",
    )
    def test_losses_with_their_settings(self, loss, labels):
        architecture, parameters = network("6-5-4")
        data = examples(loss, 40, (6, 5, 4), labels=labels, weighted=True)
        value, slopes = Torch().gradient(architecture, parameters, data, loss)
        wanted, wanted_slopes = reference.gradient(architecture, parameters, data, loss)
        assert value == pytest.approx(wanted, rel=1e-12)
        close(slopes, wanted_slopes, 1e-12)

    def test_what_it_is_given_is_not_changed(self):
        architecture, parameters = network("4-3")
        state = State(parameters.copy(), [np.ones_like(parameters)])
        plan = Plan(architecture, LOSSES["squared_error"](), OPTIMIZERS["momentum"](), 4)
        Torch().trainer(plan, examples(plan.loss, 12, (4, 3)), state).run(np.arange(12), [0.1] * 3)
        np.testing.assert_array_equal(state.parameters, parameters)
        np.testing.assert_array_equal(state.slots[0], 1)


class TestTraining:
    @pytest.mark.parametrize("dtype", TOLERANCES)
    @patient
    @given(
        sizes=st.lists(st.integers(2, 20), min_size=2, max_size=4).map(tuple),
        squish=st.sampled_from(["relu", "sigmoid", "tanh", "gelu"]),
        rule=st.sampled_from(sorted(OPTIMIZERS)),
        loss=st.sampled_from(["cross_entropy", "squared_error", "huber"]),
        batch_size=st.integers(1, 40),
        dropout=st.sampled_from([0.0, 0.25, 0.5]),
        penalties=st.sampled_from([(0.0, 0.0), (1e-3, 0.0), (0.0, 1e-3), (1e-3, 1e-2)]),
        clip_norm=st.sampled_from([None, 0.05, 1000.0]),
        weighted=st.booleans(),
        seed=st.integers(0, 99),
    )
    def test_every_rule_and_option(
        self, dtype, sizes, squish, rule, loss, batch_size, dropout, penalties, clip_norm, weighted, seed
    ):
        architecture, parameters = network(sizes, squish, seed=seed, dtype=dtype)
        made = LOSSES[loss]()
        data = examples(made, 30, sizes, seed, dtype, weighted)
        hidden = (dropout,) * (len(sizes) - 2)
        plan = Plan(architecture, made, OPTIMIZERS[rule](), batch_size, *penalties, hidden, clip_norm, seed)
        losses, state = trained(Torch(), plan, data, parameters)
        wanted, wanted_state = trained(reference, plan, data, parameters)
        # Rules that divide by the gradient's own size enlarge what float32 rounds off: two tenths of a thousandth.
        tolerance = 1e-9 if dtype == "float64" else 2e-4
        np.testing.assert_allclose(losses, wanted, rtol=tolerance)
        close(state.parameters, wanted_state.parameters, tolerance)
        assert (state.step, len(state.slots)) == (wanted_state.step, len(wanted_state.slots))
        if dtype == "float64":
            for mine, other in zip(state.slots, wanted_state.slots, strict=True):
                close(mine, other, 1e-8)

    @pytest.mark.parametrize("layer", [0, 3])
    def test_dropout_draws_the_reference_s_bits_for_any_rows_of_a_batch(self, layer):
        whole = reference_mask(5, 70, layer, (12, 33), 0.3)
        rows = np.array([0, 3, 4, 11])
        ours = dropout_mask((5, 70, layer), rows, 33, 0.3, torch.zeros(1, dtype=torch.float64))
        np.testing.assert_allclose(ours.numpy(), whole[rows] / 0.7)

    def test_a_run_stops_at_the_first_loss_that_is_not_finite_before_its_step(self):
        architecture, parameters = network("4-3", output="identity")
        data = examples(LOSSES["squared_error"](), 12, (4, 3))
        data.inputs[8:] = np.inf
        plan = Plan(architecture, LOSSES["squared_error"](), SGD(), 4)
        trainer = Torch().trainer(plan, data, State(parameters))
        losses = trainer.run(np.arange(12), [0.1] * 3)
        assert np.isfinite(losses).tolist() == [True, True, False]
        assert trainer.state().step == 2
        assert np.isfinite(trainer.state().parameters).all()

    def test_a_whole_run_is_the_reference_s_and_either_engine_takes_up_the_other_s_checkpoint(self, blobs, tmp_path):
        start = gn.Network.create("3-8-3", output="softmax", seed=0, dtype="float64")
        options = {"epochs": 4, "batch_size": 16, "dropout": 0.2, "validation": blobs, "schedule": "constant"}
        whole = gn.train(start, blobs, engine="reference", **options)
        ours = gn.train(start, blobs, engine="torch", **options)
        close(ours.network.parameters, whole.network.parameters, 1e-9)
        np.testing.assert_allclose(ours.history.validation_loss, whole.history.validation_loss, rtol=1e-9)
        kept = {"checkpoint": tmp_path / "run.checkpoint", "resume": True}
        gn.train(start, blobs, engine="torch", **(options | kept | {"epochs": 2}))
        resumed = gn.train(start, blobs, engine="reference", **options, **kept)
        close(resumed.network.parameters, whole.network.parameters, 1e-9)

    def test_bfloat16_multiplies_coarsely_and_keeps_the_parameters_whole(self, blobs):
        start = gn.Network.create("3-16-3", output="softmax", seed=0)
        coarse = Torch(bfloat16=True).forward(start.architecture, start.parameters, blobs.inputs)
        fine = start(blobs.inputs)
        assert 1e-5 < np.abs(coarse - fine).max() < 0.02
        options = {"epochs": 20, "batch_size": 16, "seed": 1}
        network = gn.train(start, blobs, engine=Torch(bfloat16=True), **options).network
        wanted = gn.train(start, blobs, engine="reference", **options).network
        assert network.dtype == "float32"
        close(network(blobs.inputs), wanted(blobs.inputs), 0.02)

    def test_compiled_passes_give_the_same(self, blobs, monkeypatch):
        # Without code generation, which needs a C++ compiler and many seconds: what is compiled, and from what.
        monkeypatch.setattr(torch.nn.Module, "compile", partialmethod(torch.nn.Module.compile, backend="eager"))
        start = gn.Network.create("3-8-3", output="softmax", seed=0, dtype="float64")
        options = {"epochs": 2, "batch_size": 50, "dropout": 0.3}
        ours = gn.train(start, blobs, engine=Torch(compile=True), **options).network
        close(ours.parameters, gn.train(start, blobs, engine="reference", **options).network.parameters, 1e-9)


class TestBringingExamples:
    DATA = examples(CrossEntropy(), 50, (6, 3), weighted=True)._replace(scale=0.5)
    ROWS = (np.array([3, 1, 4]), np.array([], np.int64), np.arange(40))

    @pytest.mark.parametrize("way", ["lying_there", "one_ahead"])
    def test_either_way_a_batch_is_what_its_rows_are(self, way):
        if way == "lying_there":
            found = torch_inputs.lying_there(self.DATA, CPU, torch.float64)(self.ROWS)
        else:
            found = torch_inputs.one_ahead(self.DATA, self.ROWS, CPU, torch.float64)
        for batch, rows in zip(found, self.ROWS, strict=True):
            np.testing.assert_array_equal(batch.inputs.numpy(), self.DATA.inputs[rows] * 0.5)
            np.testing.assert_array_equal(batch.targets.numpy(), self.DATA.targets[rows])
            np.testing.assert_array_equal(batch.weights.numpy(), self.DATA.sample_weights[rows])

    @pytest.mark.parametrize(("free", "words"), [(1e9, "held on cuda"), (4000, "brought to cuda batch by batch")])
    def test_what_does_not_fit_half_the_free_memory_is_brought_batch_by_batch(self, monkeypatch, free, words):
        monkeypatch.setattr(torch_inputs, "free_memory", lambda *_: free)
        monkeypatch.setattr(torch_inputs, "lying_there", lambda *_: None)
        _, about = torch_inputs.batches(self.DATA, torch.device("cuda"), torch.float64)
        assert words in about


class TestChoice:
    WIDE = Architecture.of("784-2048-2048-10")

    def test_by_name_and_by_device(self):
        assert engines.choose("torch", self.WIDE, "float32")[1] == "torch (cpu, float32): asked for by name"
        assert engines.choose("auto", self.WIDE, "float32", "cpu")[1] == "torch (cpu, float32): device cpu asked for"

    @pytest.mark.parametrize(
        ("times", "words"),
        [
            ({"cpu": 0.5, "mps": 0.1}, "torch (mps, float32): a step of 64 is about 5.0 times as quick as here"),
            ({"cpu": 0.5, "mps": 0.6}, "reference (numpy, float32): its BLAS is faster for a layer of 2048 x 2048"),
        ],
        ids=["gains", "loses"],
    )
    def test_auto_takes_a_gpu_where_it_gains(self, monkeypatch, times, words):
        monkeypatch.setattr(torch_engine, "accelerator", lambda: "mps")
        monkeypatch.setattr(torch_engine, "check_device", lambda *_: None)
        monkeypatch.setattr(cost_model, "seconds_per_step", lambda *rest: times[rest[-1]])
        assert engines.choose("auto", self.WIDE, "float32", batch_size=64)[1] == words

    @pytest.mark.parametrize("spec", ["784-16-16-10", "784-2048-2048-10"])
    def test_auto_keeps_to_the_cpu_for_small_networks_and_for_asking(self, monkeypatch, spec):
        monkeypatch.setattr(torch_engine, "accelerator", lambda: pytest.fail("looked for a GPU"))
        batch_size = 64 if spec == "784-16-16-10" else None
        assert engines.choose("auto", Architecture.of(spec), "float32", batch_size=batch_size)[0].name != "torch"

    def test_the_cost_model_counts_calls_and_multiplications(self, monkeypatch):
        monkeypatch.setattr(cost_model, "measured", lambda *_: (1e-5, 1e-11))
        # 8 products; 784 x 2048 twice, the other layers three times, for each of 100 examples
        multiplications = 100 * (2 * 784 * 2048 + 3 * (2048 * 2048 + 2048 * 10))
        seconds = cost_model.seconds_per_step(self.WIDE, "float32", 100, "cuda")
        assert seconds == pytest.approx(8 * 1e-5 + multiplications * 1e-11)

    def test_what_it_goes_by_is_measured_on_the_device(self):
        call, multiplication = cost_model.measured("cpu", "float32")
        assert 0 < call < 1
        assert 0 <= multiplication < 1e-6

    @pytest.mark.parametrize(
        "device",
        [
            "cuda",
            "cpu:1",
            "cdua",
        ],
    )
    def test_a_device_that_is_not_there_is_told(self, monkeypatch, device, refused: Any):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with refused(SettingError):
            Torch(device)

    def test_a_device_for_an_engine_without_one_is_told(self, refused: Any):
        with refused(SettingError):
            engines.choose("native", self.WIDE, "float32", "cuda")

    def test_without_torch_the_error_names_the_extra(self, monkeypatch, refused: Any):
        monkeypatch.delitem(sys.modules, "glassnet.engines.torch")
        monkeypatch.setitem(sys.modules, "torch", None)
        with refused(MissingExtra):
            engines.choose("torch", self.WIDE, "float32")

    def test_adam_is_known_by_its_own_settings(self):
        architecture, parameters = network("4-3")
        plan = Plan(architecture, LOSSES["squared_error"](), Adam(beta1=0.5, beta2=0.6, epsilon=0.1), 4)
        data = examples(plan.loss, 12, (4, 3))
        close(
            trained(Torch(), plan, data, parameters)[1].parameters,
            trained(reference, plan, data, parameters)[1].parameters,
            1e-9,
        )
