"""Comparison: what two networks have in common and where they part, in figures that can be got in another way."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import InputError, SettingError
from glassnet.explain import paired_evaluation
from glassnet.explain.comparison import Comparison, compare
from glassnet.explain.symmetry import Order, arranged, layers_of


def in_another_order(network: gn.Network, seed: int = 0) -> gn.Network:
    random = np.random.default_rng(seed)
    widths = network.sizes[1:-1]
    order = Order(tuple(random.permutation(n) for n in widths), tuple(np.ones(n) for n in widths))
    names = network.architecture.activations
    layers = [(w, b, name) for (w, b), name in zip(arranged(layers_of(network), order), names, strict=True)]
    return gn.Network.from_layers(layers, network.schema, network.dtype)


@pytest.fixture
def pair(blobs: gn.Dataset) -> tuple[gn.Network, gn.Network]:
    """Two networks that learnt the three corners, one well and one not."""
    start = [gn.Network.create("3-8-6-3", output="softmax", seed=seed) for seed in (1, 2)]
    a, b = (gn.train(net, blobs, epochs=n, batch_size=10, seed=0).network for net, n in zip(start, (8, 1), strict=True))
    return a, b


def widest(text: object) -> int:
    return max(map(len, str(text).splitlines()))


def test_one_picture_is_one_input() -> None:
    schema = gn.Schema(input_shape=(4, 4))
    a, b = (gn.Network.create(sizes, "tanh", seed=0).with_schema(schema) for sizes in ("16-3-2", "16-2"))
    found = compare(a, b, np.ones((4, 4)))
    assert (found.examples, found.similarity) == (1, None)


# Structure and function


def test_a_network_is_the_same_as_itself(network: gn.Network) -> None:
    found = compare(network, network)
    assert found.same_structure
    assert found.same_function
    assert found.evidence == "every parameter is equal"
    assert [layer.distance for layer in found.layers] == [0, 0]
    assert len(str(found).splitlines()) == 4  # and nothing more to show


def test_the_same_function_in_another_order_is_recognised(
    pair: tuple[gn.Network, gn.Network], blobs: gn.Dataset
) -> None:
    found = compare(pair[0], in_another_order(pair[0]), blobs)
    assert found.same_function
    assert found.evidence == "every parameter is equal, in another order"
    assert all(layer.distance == 0 < layer.distance_before for layer in found.layers[:-1])
    assert found.first_divergence is None
    assert found.disagreements is not None
    assert len(found.disagreements) == 0
    assert "no layer differs" in str(found)
    assert found.line is not None
    assert set(found.line.matched) == {found.accuracy[0]} if found.accuracy else False
    assert min(found.line.plain) < min(found.line.matched)


def test_without_data_other_parameters_say_nothing_of_the_function(pair: tuple[gn.Network, gn.Network]) -> None:
    found = compare(*pair)
    assert found.same_function is None
    assert (found.examples, found.accuracy, found.line, found.disagreements) == (0, None, None, None)
    assert "function  unknown: the parameters differ, and no data was given" in str(found)


def test_outputs_that_are_equal_on_the_data_are_evidence() -> None:
    a = gn.Network.from_layers([([[1, 1], [0, 0]], [0, -1], "relu"), ([[1, 5]], [0], "identity")])
    b = a.edit(1, 0, weights={1: -3.0})  # the outgoing weight of a neuron that never wakes
    found = compare(a, b, [[1.0, 2.0], [3.0, 4.0]])
    assert found.same_function
    assert found.evidence == "outputs are equal on 2 inputs; the parameters differ"
    assert found.layers[1].distance_before > 0


def test_rounding_is_no_difference(pair: tuple[gn.Network, gn.Network]) -> None:
    wide = gn.Network(pair[0].architecture, pair[0].parameters.astype(np.float64) * (1 + 1e-8))
    found = compare(pair[0], in_another_order(wide))
    assert found.same_function
    assert found.evidence == "every parameter is equal but for rounding, in another order"


def test_other_structures_are_compared_by_what_they_do(pair: tuple[gn.Network, gn.Network], blobs: gn.Dataset) -> None:
    other = gn.train(gn.Network.create("3-5-3", "tanh", output="softmax", seed=0), blobs, epochs=8).network
    found = compare(pair[0], other, blobs)
    assert not found.same_structure
    assert found.differs == ("3 layers (3-8-6-3) and 2 layers (3-5-3)",)
    assert (found.matching, found.layers, found.line) == (None, (), None)
    assert found.same_function is False
    assert found.accuracy is not None
    assert "structure  not the same: 3 layers (3-8-6-3) and 2 layers (3-5-3)" in str(found)
    assert f"accuracy   a {found.accuracy[0]:.2%}, b {found.accuracy[1]:.2%}" in str(found)


def test_structures_that_differ_say_where() -> None:
    a, b = gn.Network.create("3-4-2", "relu"), gn.Network.create("3-6-2", "tanh")
    assert compare(a, b).differs == ("4 and 6 neurons in layer 0", "relu and tanh in layer 0")
    found = compare(a, gn.Network.create("5-4-2", "relu"))
    assert found.differs == ("3 and 5 inputs",)
    assert (found.same_function, found.evidence) == (False, "they have 3 and 5 inputs")


# Data


def test_answers_and_accuracies_are_those_of_the_networks(
    pair: tuple[gn.Network, gn.Network], blobs: gn.Dataset
) -> None:
    found = compare(*pair, blobs)
    answers = np.stack([net(blobs.inputs).argmax(axis=1) for net in pair], axis=1)
    differ = np.flatnonzero(answers[:, 0] != answers[:, 1])
    assert len(differ) > 0
    assert found.disagreements is not None
    assert found.answers is not None
    assert found.truth is not None
    assert found.disagreements.tolist() == differ.tolist()
    assert found.answers.tolist() == answers[differ].tolist()
    assert found.truth.tolist() == blobs.targets[differ].tolist()
    assert found.accuracy == tuple(gn.evaluate(net, blobs).accuracy for net in pair)
    a, b = found.accuracy
    only = [(found.answers[:, side] == found.truth).sum() for side in (0, 1)]
    assert round((a - b) * len(blobs)) == only[0] - only[1]
    assert f"of these a has {only[0]} right, b {only[1]}, neither" in str(found)
    assert f"  a  {a:>10.2%}  ###" in str(found)
    assert f"  b  {b:>10.2%}  ###" in str(found)
    assert found.output_difference == pytest.approx(np.abs(pair[0](blobs.inputs) - pair[1](blobs.inputs)).max())


def test_layers_part_where_an_edit_was_made(pair: tuple[gn.Network, gn.Network], blobs: gn.Dataset) -> None:
    edited = pair[0].edit(1, 2, bias=3.0)
    found = compare(pair[0], edited, blobs)
    assert found.first_divergence == 1
    first, second, _ = found.layers
    assert (first.distance, first.activations) == (0, 0)
    assert (second.largest.neuron, second.largest.input, second.largest.b) == (2, None, 3.0)
    one, other = (net.trace(blobs.inputs).layers[1].activations for net in (pair[0], edited))
    size = np.sqrt(((one**2).sum(axis=1) + (other**2).sum(axis=1)) / 2)
    assert second.activations == pytest.approx(np.mean(np.sqrt(((one - other) ** 2).sum(axis=1)) / size), rel=1e-5)
    assert "first difference in layer 1" in " ".join(str(found).split())


def test_layers_have_their_distribution(pair: tuple[gn.Network, gn.Network]) -> None:
    for at, a, b in zip(compare(*pair).layers, pair[0].layers, pair[1].layers, strict=True):
        for side, layer in enumerate((a, b)):
            values = np.append(layer.weights, layer.biases)
            assert at.mean[side] == pytest.approx(values.mean(), abs=1e-6)
            assert at.spread[side] == pytest.approx(values.std(), rel=1e-5)


@pytest.mark.parametrize("cheap", [0, 10**9])
def test_the_line_is_what_mixed_parameters_give(
    pair: tuple[gn.Network, gn.Network], blobs: gn.Dataset, cheap: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paired_evaluation, "CHEAP_SUMS", cheap)  # from the first layer's sums, and from the inputs
    a, b = pair
    found = compare(a, b, blobs, points=5)
    assert found.line is not None
    assert found.matching is not None
    assert found.line.shares == (0, 0.25, 0.5, 0.75, 1)
    for way, end in ((found.line.plain, b), (found.line.matched, found.matching.network)):
        mixed = [a.with_parameters((1 - t) * a.parameters + t * end.parameters) for t in found.line.shares]
        assert way == tuple(gn.evaluate(net, blobs).accuracy for net in mixed)


def test_parts_of_the_data_add_up_to_the_whole(
    pair: tuple[gn.Network, gn.Network], blobs: gn.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = compare(*pair, blobs).as_dict()
    monkeypatch.setattr(paired_evaluation, "ROWS_AT_ONCE", 7)
    parts = compare(*pair, blobs).as_dict()
    assert parts["disagreements"] == whole["disagreements"]
    assert parts["line"] == whole["line"]
    for one, other in zip(parts["layers"], whole["layers"], strict=True):
        assert one["activations"] == pytest.approx(other["activations"], rel=1e-5)


def test_inputs_alone_will_do(pair: tuple[gn.Network, gn.Network], blobs: gn.Dataset) -> None:
    with_targets, without = compare(*pair, blobs), compare(*pair, blobs.inputs)
    assert without.disagreements is not None
    assert with_targets.disagreements is not None
    assert without.disagreements.tolist() == with_targets.disagreements.tolist()
    assert (without.truth, without.accuracy, without.line) == (None, None, None)
    assert compare(*pair, blobs.inputs[0]).examples == 1
    assert compare(*pair, (blobs.inputs, blobs.targets)).accuracy == with_targets.accuracy


def test_pictures_keep_their_shape_and_grey_values_their_scale() -> None:
    random = np.random.default_rng(0)
    schema = gn.Schema(input_shape=(4, 4), scale=1 / 255, classes=("x", "o"))
    a, b = (gn.Network.create("16-5-2", output="softmax", seed=s).with_schema(schema) for s in (0, 1))
    grey = random.integers(0, 256, (30, 4, 4), dtype=np.uint8)
    flat = grey.reshape(30, 16)
    data = gn.Dataset(flat, random.integers(0, 2, 30), schema)
    found = [compare(a, b, inputs).output_difference for inputs in (grey, flat, flat / 255, data)]
    assert found == pytest.approx([np.abs(a(flat) - b(flat)).max()] * 4, rel=1e-5)


def test_measurements_have_no_classes_but_a_share_of_variance() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(60, 3))
    data = gn.Dataset(x, x @ [1.0, -2.0, 0.5])
    a, b = (gn.train(gn.Network.create("3-6-1", seed=s), data, epochs=5).network for s in (0, 1))
    found = compare(a, b, data, points=3)
    assert (found.disagreements, found.accuracy) == (None, None)
    assert found.r_squared == pytest.approx([gn.evaluate(net, data).r_squared for net in (a, b)])
    assert found.line is not None
    assert found.line.measure == "R squared"
    assert (found.line.plain[0], found.line.plain[-1]) == found.r_squared
    assert "R squared on the straight line from a to b" in str(found)


def test_each_network_gets_the_table_standardised_as_its_own_was() -> None:
    random = np.random.default_rng(0)
    raw = random.normal(3, 2, (50, 2))
    schemas = [
        gn.Schema(features=("u", "v"), centers=centers, spreads=spreads)
        for centers, spreads in (((3.0, 2.0), (2.0, 1.0)), ((0.0, 1.0), (1.0, 4.0)))
    ]
    base = gn.Network.create("2-4-1", seed=0, dtype="float64")
    a, b = (base.with_schema(schema) for schema in schemas)
    read = [(raw - s.centers) / s.spreads for s in schemas]
    found = compare(a, b, gn.Dataset(raw, np.zeros(50), schemas[0]))
    assert found.output_difference == pytest.approx(np.abs(base(read[0]) - base(read[1])).max(), rel=1e-5)
    assert found.same_function is False
    assert found.line is None
    assert compare(a, b).evidence.startswith("every parameter is equal, but raw inputs are standardised by other")


# Looks


def test_a_comparison_fits_a_screen_and_is_json(pair: tuple[gn.Network, gn.Network], blobs: gn.Dataset) -> None:
    found = compare(*pair, blobs, names=("here/" * 30 + "a.safetensors", "b.safetensors"))
    assert widest(found) <= 80
    assert len(str(found).splitlines()) <= 36
    figures = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert figures["accuracy"] == list(found.accuracy or ())
    assert figures["disagreements"][0]["truth"] in ("a", "b", "c")
    assert len(figures["layers"]) == 3
    assert figures["line"]["shares"][-1] == 1


@settings(max_examples=30, deadline=None)
@given(
    widths=st.lists(st.integers(1, 40), min_size=0, max_size=14),
    scale=st.sampled_from([1e-9, 1e-3, 1.0, 1e6]),
    offset=st.integers(0, 3),
    with_data=st.booleans(),
)
def test_any_comparison_fits_80_columns(widths: list[int], scale: float, offset: int, with_data: bool) -> None:
    sizes = [1500, *widths, 3]
    a, b = (gn.Network.create(sizes, "tanh", seed=s, dtype="float64") for s in (0, 1))
    b = b.with_parameters(b.parameters * scale)
    data = np.random.default_rng(0).normal(size=(3 + offset, 1500)) if with_data else None
    assert widest(compare(a, b, data)) <= 80


def test_many_layers_are_shortened() -> None:
    a, b = (gn.Network.create([4] * 14, seed=s) for s in (0, 1))
    lines = str(compare(a, b)).splitlines()
    assert "... 5 more layers" in lines
    assert lines[-2].startswith("     12 ")
    assert "13 layers, 260 parameters" in lines[0] or "4-4-4" in lines[0]


# Bad input


def test_bad_input_is_refused(network: gn.Network, blobs: gn.Dataset, refused) -> None:
    narrow = gn.Network.create("5-4-2", "tanh", output="softmax")
    two = replace(blobs, targets=blobs.targets % 2, schema=gn.Schema())
    with refused(InputError):
        compare(network, narrow, blobs)
    with refused(InputError):
        compare(network, network, two.inputs, points=5)
    with refused(InputError):
        compare(network, network, points=5)
    with refused(SettingError):
        compare(network, network, two, points=1)
    for inputs in np.ones((4, 7)), [1.0, np.nan, 0.0], np.ones((0, 3)), gn.Dataset(np.ones((2, 2)), [0, 1]), blobs:
        with refused(InputError):
            compare(network, network, inputs)


def test_classes_of_other_names_are_refused(network: gn.Network, blobs: gn.Dataset, refused) -> None:
    a, b = (network.with_schema(gn.Schema(classes=names)) for names in (("x", "y"), ("y", "x")))
    with refused(InputError):
        compare(a, b, blobs.inputs)
    assert isinstance(compare(a, b), Comparison)


def test_the_line_between_sigmoid_networks_decides_at_a_logit_of_0() -> None:
    """Logits from 0 to 0.5 are class 1, as `evaluate` decides."""
    a = gn.Network.from_layers([([[1.0]], [0.0], "identity"), ([[1.0]], [0.0], "sigmoid")])
    b = gn.Network.from_layers([([[0.9]], [0.0], "identity"), ([[1.0]], [0.0], "sigmoid")])
    data = ([[-0.2], [0.2], [0.3], [2.0]], [0, 1, 1, 1])
    line = compare(a, b, data).line
    assert line is not None
    assert set(line.plain) == {gn.evaluate(a, data).accuracy} == {1.0}


# Numbers that are not finite


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("side", ["a", "b", "both"])
def test_networks_that_overflow_are_not_the_same(blobs: gn.Dataset, dtype: str, side: str) -> None:
    network = gn.Network.create("3-8-6-3", output="softmax", seed=0, dtype=dtype)
    large = network.with_parameters(network.parameters * (1e18 if dtype == "float32" else 1e140))
    larger = large.with_parameters(large.parameters * 1.5)
    a, b = {"a": (large, network), "b": (network, large), "both": (large, larger)}[side]
    found = compare(a, b, blobs)
    assert found.same_function is False
    assert found.output_difference is None
    assert set(found.overflowed) == (set(side) if side != "both" else {"a", "b"})
    assert set(found.overflowed.values()) == {2}
    assert "layer 2 of" in found.evidence
    json.dumps(found.as_dict(), allow_nan=False)
    for text in (str(found), found.document().html(), found.document().latex()):
        assert "not the same" in text


def test_a_network_that_overflows_is_the_same_as_itself_and_said_to_overflow(blobs: gn.Dataset) -> None:
    network = gn.Network.create("3-8-6-3", output="softmax", seed=0)
    large = network.with_parameters(network.parameters * 1e18)
    found = compare(large, large, blobs)
    assert (found.same_function, found.first_divergence) == (True, None)
    assert "have numbers that are not finite" in str(found)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_views_of_a_network_that_overflows_raise_nothing_of_their_own(blobs: gn.Dataset) -> None:
    network = gn.Network.create("3-8-6-3", output="softmax", seed=0)
    large = network.with_parameters(network.parameters * 1e18)
    trace = large.trace(blobs.inputs[0])
    views = [
        lambda: str(trace),
        lambda: trace._repr_html_(),
        lambda: str(trace.neuron(2, 1)),
        lambda: trace.neuron(2, 1)._repr_html_(),
        lambda: str(gn.explain.overview(trace)),
        lambda: gn.explain.overview(trace).document().html(),
        lambda: str(gn.explain.attribution(large, blobs.inputs[0])),
        lambda: str(gn.explain.template(large, 2, 0, blobs.inputs[0])),
        lambda: str(gn.explain.activity(large, blobs)),
        lambda: str(gn.explain.bias_response(large, 1, 0, blobs)),
        lambda: str(gn.explain.sensitivity(large, blobs.inputs[0], 1)),
        lambda: str(gn.evaluate(large, blobs)),
        lambda: gn.plots.network(trace),
        lambda: gn.plots.explain(trace, (2, 1)),
    ]
    for i, view in enumerate(views):
        try:
            view()
        except gn.GlassnetError:
            pass
        except Exception as error:
            raise AssertionError(f"view {i}: {error!r}") from error
