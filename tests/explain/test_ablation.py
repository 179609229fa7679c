"""What a neuron is worth: held to networks whose weights were edited so that it says nothing any more."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import AddressError, InputError, SettingError
from glassnet.explain import ablation


def without(network: gn.Network, taken: list[tuple[int, int]], instead: list[np.ndarray]) -> gn.Network:
    """The network whose neurons after a taken one get the constant instead of it."""
    for layer, neuron in taken:
        after = network.layers[layer + 1]
        for k in range(len(after.biases)):
            weights, bias = np.array(after.weights[k], float), float(network.layers[layer + 1].biases[k])
            weights = np.array(network.layers[layer + 1].weights[k], float)
            bias += weights[neuron] * float(instead[layer][neuron])
            weights[neuron] = 0
            network = network.edit(layer + 1, k, weights=weights, bias=bias)
    return network


@given(seed=st.integers(0, 2**32 - 1), activation=st.sampled_from(["relu", "tanh", "sigmoid"]), zero=st.booleans())
@settings(max_examples=25, deadline=None)
def test_each_neuron_and_each_path_is_the_edited_network(seed: int, activation: str, zero: bool) -> None:
    random = np.random.default_rng(seed)
    network = gn.Network.create("4-5-3-3", activation, output="softmax", seed=seed, dtype="float64")
    data = gn.Dataset(random.normal(size=(60, 4)), random.integers(0, 3, 60))
    traces = network.trace(data.inputs).layers
    instead = [np.zeros(5), np.zeros(3)] if zero else [at.activations.mean(axis=0) for at in traces[:-1]]
    found = ablation(network, data, replacement="zero" if zero else "mean", steps=3)

    def accuracy(taken: list[tuple[int, int]]) -> float:
        return gn.evaluate(without(network, taken, instead), data).accuracy

    assert found.accuracy == gn.evaluate(network, data).accuracy
    assert {(n.layer, n.neuron): n.accuracy for n in found.neurons} == {
        (i, k): accuracy([(i, k)]) for i, width in enumerate((5, 3)) for k in range(width)
    }
    order = np.random.default_rng(0).permutation(60)  # neurons are chosen on one half, and measured on the other
    chosen, measured = data[np.sort(order[:30])], data[np.sort(order[30:])]
    assert found.measured == (gn.evaluate(network, measured).accuracy, 30)
    every = [(i, k) for i, width in enumerate((5, 3)) for k in range(width)]
    for path, best in ((found.least, max), (found.most, min)):
        taken: list[tuple[int, int]] = []
        for step in path:
            tried = {at: gn.evaluate(without(network, [*taken, at], instead), chosen).accuracy
                     for at in every if at not in taken}  # fmt: skip
            taken.append((step.layer, step.neuron))
            assert tried[taken[-1]] == best(tried.values())
            assert step.accuracy == gn.evaluate(without(network, taken, instead), measured).accuracy
            assert step.loss == pytest.approx(found.measured[0] - step.accuracy)
            assert step.low <= step.loss <= step.high
    some = [(0, 2), (1, 0), (0, 2)]
    together = ablation(network, data, replacement="zero" if zero else "mean", steps=0, neurons=some).together
    assert together is not None
    assert together.neurons == ((0, 2), (1, 0))
    assert together.accuracy == accuracy([(0, 2), (1, 0)])
    for n in found.neurons:
        assert n.loss == pytest.approx(found.accuracy - n.accuracy)
        assert n.low <= n.loss <= n.high


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """1,000 samples of a network of which one neuron's worth on all of the data is known."""
    random = np.random.default_rng(0)
    network = gn.Network.create("3-4-2", "tanh", output="softmax", seed=4, dtype="float64")
    inputs = random.normal(size=(40_000, 3))
    targets = np.where(random.random(40_000) < 0.8, network(inputs).argmax(axis=1), random.integers(0, 2, 40_000))
    before = network(inputs).argmax(axis=1) == targets
    after = without(network, [(0, 1)], [np.zeros(4)])(inputs).argmax(axis=1) == targets
    truth = before.mean() - after.mean()
    held = 0
    for _ in range(200):
        some = random.choice(40_000, 400, replace=False)
        found = ablation(network, (inputs[some], targets[some]), replacement="zero", steps=0)
        (n,) = [n for n in found.neurons if n.neuron == 1]
        held += n.low <= truth <= n.high
    assert 0.92 <= held / 200 <= 0.99


def test_what_chance_alone_chooses_is_no_gain() -> None:
    """Of labels that nothing predicts: by the examples that neurons were chosen on, the accuracy would rise."""
    random = np.random.default_rng(0)
    network = gn.Network.create("6-24-2", "tanh", output="softmax", seed=1)
    gains, inside = [], 0
    for _ in range(30):
        data = random.normal(size=(200, 6)).astype(np.float32), random.integers(0, 2, 200)
        last = ablation(network, data, steps=6).least[-1]
        gains.append(-last.loss)
        inside += last.low <= 0 <= last.high
    assert abs(np.mean(gains)) < 3 * np.std(gains) / 30**0.5
    assert inside >= 26


def test_saturated_outputs_are_told_apart_as_evaluate_does() -> None:
    """Both logits so large that softmax in float32 has a tie where they differ."""
    layers = [([[1.0], [-1.0]], [0, 0], "relu"), ([[-200.0, 0.0], [-300.0, 0.0], [0.0, 0.0]], [0, 0, 0], "softmax")]
    network = gn.Network.from_layers(layers, dtype="float32").edit(1, 2, bias=-1e-3)
    data = (np.linspace(-1, 1, 20)[:, None], np.arange(20) % 3)
    assert ablation(network, data).accuracy == gn.evaluate(network, data).accuracy


@pytest.mark.parametrize(
    "settings", [{"replacement": "max"}, {"layer": 1}, {"layer": True}, {"steps": 9}, {"steps": -1}, {"steps": 1.5}]
)
def test_settings_that_make_no_sense(settings: dict[str, Any], blobs: gn.Dataset) -> None:
    with pytest.raises(SettingError):
        ablation(gn.Network.create("3-4-3", seed=0), blobs, **settings)


@pytest.mark.parametrize("at", [(1, 0), (0, 4), (2, 0), (-1, 0)])
def test_neurons_that_cannot_be_taken_away(at: tuple[int, int], blobs: gn.Dataset) -> None:
    with pytest.raises(AddressError):
        ablation(gn.Network.create("3-4-3", seed=0), blobs, neurons=[at])


def test_measured_targets_are_refused() -> None:
    with pytest.raises(InputError, match="classes"):
        ablation(gn.Network.create("2-3-1", seed=0), (np.ones((4, 2)), np.array([0.5, 1.5, 2.5, 3.5])))


def test_it_is_read_plotted_and_told_in_json(blobs: gn.Dataset) -> None:
    found = ablation(gn.Network.create("3-4-3", seed=0), blobs)
    assert max(map(len, str(found).split("\n"))) <= 80
    assert "<table" in found._repr_html_()
    figures = found.as_dict()
    assert (len(figures["neurons"]), len(figures["least"]), len(figures["most"])) == (4, 2, 2)
    for style in ("light", "dark"):
        left, right = gn.plots.ablation(found, style).axes
        assert left.lines[0].get_ydata().tolist() == [found.measured[0], *(step.accuracy for step in found.least)]
        bands = {band.get_gid(): band.get_paths()[0].get_extents() for band in left.collections}
        assert bands["band-most"].y0 == pytest.approx(min(found.measured[0] - step.high for step in found.most))
        assert right.get_yticklabels()[0].get_text() == f"{found.neurons[0].layer}:{found.neurons[0].neuron}"
