"""Networks of different structures: layers by CKA, neurons by correlation, answers by class; each found another way."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, recall_score

import glassnet as gn
from glassnet.errors import AddressError, InputError
from glassnet.explain.intervals import paired_change


def gram_cka(x: np.ndarray, y: np.ndarray) -> float:
    """CKA by Gram matrices and the centering matrix, as Kornblith et al. define it by HSIC."""
    n = len(x)
    center = np.eye(n) - np.ones((n, n)) / n
    k, m = (center @ (z @ z.T) @ center for z in (x, y))
    return float(np.trace(k @ m) / np.sqrt(np.trace(k @ k) * np.trace(m @ m)))


def activations(network: gn.Network, inputs: np.ndarray) -> list[np.ndarray]:
    return [layer.activations.astype(np.float64) for layer in network.trace(inputs).layers]


@pytest.fixture
def pair() -> tuple[gn.Network, gn.Network]:
    return gn.Network.create("5-9-4-3", "tanh", output="softmax", seed=0), gn.Network.create("5-30-3", seed=1)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(3, 40),
    st.lists(st.integers(2, 30), min_size=1, max_size=3),
    st.sampled_from(["float32", "float64"]),
    st.integers(0, 99),
)
def test_cka_is_that_of_gram_matrices(count: int, widths: list[int], dtype: Any, seed: int) -> None:
    """Of few inputs and many neurons, too, which are multiplied the other way round."""
    a = gn.Network.create([4, *widths, 3], "tanh", seed=seed, dtype=dtype)
    b = gn.Network.create("4-6-2", "sigmoid", seed=seed + 1, dtype=dtype)
    inputs = np.random.default_rng(seed).normal(size=(count, 4))
    found = gn.explain.similarity(a, b, inputs)
    for i, x in enumerate(activations(a, inputs)):
        for k, y in enumerate(activations(b, inputs)):
            assert found.cka[i, k] == pytest.approx(gram_cka(x, y), abs=1e-5)
    itself = gn.explain.similarity(a, a, inputs)
    np.testing.assert_allclose(np.diag(itself.cka), 1)
    np.testing.assert_allclose(itself.cka, itself.cka.T)


def test_a_rotated_and_scaled_layer_is_the_same() -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=(6, 4))
    rotation, _ = np.linalg.qr(random.normal(size=(6, 6)))
    a = gn.Network.from_layers([(weights, np.zeros(6), "identity")], dtype="float64")
    b = gn.Network.from_layers([(1e150 * rotation @ weights, np.ones(6), "identity")], dtype="float64")
    found = gn.explain.similarity(a, b, random.normal(size=(50, 4)))
    assert found.cka[0, 0] == pytest.approx(1)


def test_chance_is_the_mean_over_orders(pair: tuple[gn.Network, gn.Network]) -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(12, 5))
    found = gn.explain.similarity(*pair, inputs)
    x, y = activations(pair[0], inputs)[0], activations(pair[1], inputs)[0]
    shuffled = [gram_cka(x, y[random.permutation(12)]) for _ in range(2_000)]
    assert found.chance[0, 0] == pytest.approx(np.mean(shuffled), abs=4 * np.std(shuffled) / 2_000**0.5)
    assert found.chance[0, 0] > 0.3  # so few inputs are alike whatever the networks are
    assert "layers that have nothing in common: 0." in str(found)


def test_constant_and_overflowed_layers_have_no_similarity(pair: tuple[gn.Network, gn.Network]) -> None:
    dead = gn.Network.from_layers([([[0.0] * 5] * 3, [0.1] * 3, "identity"), ([[1.0] * 3] * 2, [0, 0], "identity")])
    wild = pair[1].with_parameters(pair[1].parameters * 1e38)
    inputs = np.random.default_rng(0).normal(size=(20, 5)).astype(np.float32)
    found = gn.explain.similarity(dead, pair[0], inputs)
    assert np.isnan(found.cka).all()
    assert np.isnan(found.chance).all()
    assert "  -" in str(found)
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["cka"] == [[None] * 3] * 2
    with np.errstate(all="ignore"):
        assert not np.isfinite(activations(wild, inputs)[1]).all()
        found = gn.explain.similarity(wild, pair[0], inputs)
    assert np.isnan(found.cka[1]).all()


def test_many_examples_are_taken_evenly(blobs: gn.Dataset) -> None:
    a, b = gn.Network.create("3-4-3", "tanh", seed=0), gn.Network.create("3-6-3", "tanh", seed=1)
    inputs = np.random.default_rng(0).normal(size=(5_000, 3))
    found = gn.explain.similarity(a, b, inputs)
    assert found.count == 2_000
    taken = inputs[np.linspace(0, 4_999, 2_000).round().astype(int)]
    np.testing.assert_allclose(found.cka, gn.explain.similarity(a, b, taken).cka)
    data = gn.Dataset(inputs, np.arange(5_000) % 3)
    np.testing.assert_allclose(gn.explain.similarity(a, b, data).cka, found.cka)


def test_neurons_are_correlated_as_numpy_says(pair: tuple[gn.Network, gn.Network]) -> None:
    a, b = pair
    dead = b.edit(0, 7, weights=dict.fromkeys(range(5), 0.0), bias=-1.0)
    inputs = np.random.default_rng(0).normal(size=(40, 5))
    found = gn.explain.neuron_similarity(a, dead, inputs, (1, 0))
    x, y = activations(a, inputs)[1], activations(dead, inputs)[0]
    for i in range(4):
        for k in set(range(30)) - {7}:
            if y[:, k].any():
                assert found.correlation[i, k] == pytest.approx(np.corrcoef(x[:, i], y[:, k])[0, 1], abs=1e-6)
    assert np.isnan(found.correlation[:, 7]).all()
    first, *_, last = found.partners()
    assert abs(first[2]) >= abs(last[2]) == abs(np.nan_to_num(found.correlation[last[0]])).max()
    permuted = gn.explain.neuron_similarity(a, a, inputs)
    assert [(i, k) for i, k, _ in sorted(permuted.partners())] == [(i, i) for i in range(9)]


def test_wrong_asks_have_one_error(pair: tuple[gn.Network, gn.Network]) -> None:
    a, b = pair
    with pytest.raises(AddressError, match="no layer 2 in b: expected 0 to 1"):
        gn.explain.neuron_similarity(a, b, np.zeros((5, 5)), (0, 2))
    with pytest.raises(AddressError, match="no layer True in a"):
        gn.explain.neuron_similarity(a, b, np.zeros((5, 5)), (True, 0))
    with pytest.raises(InputError, match="similarity needs 3 inputs or more, got 2"):
        gn.explain.similarity(a, b, np.zeros((2, 5)))
    with pytest.raises(InputError, match="5 and 3 inputs"):
        gn.explain.similarity(a, gn.Network.create("3-2", seed=0), np.zeros((5, 5)))


# Answers


@pytest.fixture
def compared(blobs: gn.Dataset) -> tuple[gn.explain.Comparison, gn.Dataset]:
    small = gn.train(gn.Network.create("3-3-3", output="softmax", seed=2), blobs, epochs=2, seed=0).network
    large = gn.train(gn.Network.create("3-12-7-3", output="softmax", seed=1), blobs, epochs=3, seed=0).network
    return gn.compare(small, large, blobs), blobs


def test_answers_by_class_are_scikit_learns(compared: tuple[gn.explain.Comparison, gn.Dataset]) -> None:
    found, data = compared
    changes = found.changes
    assert changes is not None
    assert changes.confusions is not None
    answers = [network(data.scaled("float32")).argmax(axis=1) for network in found.networks]
    assert (answers[0] != answers[1]).any()
    for matrix, predicted in zip(changes.confusions, answers, strict=True):
        np.testing.assert_array_equal(matrix, confusion_matrix(data.targets, predicted))
    recalls = [recall_score(data.targets, predicted, average=None) for predicted in answers]
    for one in changes.by_class():
        k = changes.classes.index(one.name)
        assert (one.a, one.b) == pytest.approx((recalls[0][k], recalls[1][k]))
        assert one.change == pytest.approx(recalls[1][k] - recalls[0][k])
        assert one.low <= one.change <= one.high
    moves = changes.moves()
    assert sum(move.examples for move in moves) == (answers[0] != answers[1]).sum()
    for move in moves:
        rows = (answers[0] == changes.classes.index(move.a)) & (answers[1] == changes.classes.index(move.b))
        assert move.examples == rows.sum()
        assert move.a_right == (data.targets[rows] == changes.classes.index(move.a)).sum()
    assert found.similarity is not None
    assert found.similarity.cka.shape == (2, 3)
    text = str(found)
    assert "recall by class" in text
    assert "similarity of layers (CKA)" in text
    assert "confusion matrix" not in text
    whole = found.document(confusions=True).text()
    assert whole.count("confusion matrix") == 2
    assert max(map(len, whole.splitlines())) <= 80
    json.dumps(found.as_dict(), allow_nan=False)


def test_without_targets_there_are_moves_alone(compared: tuple[gn.explain.Comparison, gn.Dataset]) -> None:
    found = gn.compare(*compared[0].networks, compared[1].inputs)
    assert found.changes is not None
    assert found.changes.confusions is None
    assert found.changes.by_class() == []
    assert sum(move.examples for move in found.changes.moves()) == len(compared[0].changes.answers)  # type: ignore[union-attr]
    assert all(move.a_right is None for move in found.changes.moves())


def test_labels_and_outputs_beyond_the_names_are_numbered() -> None:
    a, b = gn.Network.create("2-4-3", output="softmax", seed=0), gn.Network.create("2-4-2", output="softmax", seed=1)
    inputs = np.random.default_rng(0).normal(size=(30, 2))
    changes = gn.compare(a, b, (inputs, np.arange(30) % 2)).changes
    assert changes is not None
    assert changes.classes == ("0", "1", "2")
    assert [one.name for one in sorted(changes.by_class())] == ["0", "1"]  # no example is of class 2


# Intervals


@pytest.mark.parametrize(("count", "won", "lost"), [(50, 0.1, 0.05), (200, 0.02, 0.02), (1_000, 0.005, 0.0)])
def test_intervals_hold_the_change_as_often_as_they_say(count: int, won: float, lost: float) -> None:
    draws = np.random.default_rng(0).multinomial(count, [won, lost, 1 - won - lost], size=4_000)
    inside = [low <= won - lost <= high for low, high in (paired_change(int(w), int(n), count) for w, n, _ in draws)]
    assert np.mean(inside) >= 0.94
    low, high = paired_change(0, 0, count)
    assert low < 0 < high  # nothing changed on the examples: no proof that nothing does
