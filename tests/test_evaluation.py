"""Evaluation: figures that can be worked out by hand."""

from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import InputError
from glassnet.evaluation import Tally


@pytest.fixture
def echo() -> gn.Network:
    """Three inputs straight through to three scores."""
    return gn.Network.from_layers([(np.eye(3), np.zeros(3), "identity")])


def test_accuracy_and_confusion_are_counts(echo: gn.Network) -> None:
    guesses, truth = [0, 0, 1, 2, 2], [0, 1, 1, 2, 0]
    figures = gn.evaluate(echo, (np.eye(3)[guesses], truth))
    assert figures.accuracy == 3 / 5
    assert figures.confusion is not None
    assert figures.confusion.tolist() == [[1, 0, 1], [1, 1, 0], [0, 0, 1]]
    right, wrong = -np.log(np.e / (np.e + 2)), -np.log(1 / (np.e + 2))
    assert figures.loss == pytest.approx((3 * right + 2 * wrong) / 5, rel=1e-6)
    assert figures.r_squared is None


def test_softmax_at_the_end_changes_nothing_but_the_outputs(echo: gn.Network) -> None:
    random = np.random.default_rng(0)
    data = (random.normal(size=(50, 3)), random.integers(0, 3, 50))
    plain, soft = gn.evaluate(echo, data), gn.evaluate(echo.with_activation(0, "softmax"), data)
    assert (plain.loss, plain.accuracy) == (soft.loss, soft.accuracy)


def test_parts_of_the_data_add_up_to_the_whole(echo: gn.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    data = (random.normal(size=(50, 3)), random.integers(0, 3, 50))
    whole = gn.evaluate(echo, data)
    monkeypatch.setattr("glassnet.evaluation.ROWS_AT_ONCE", 7)
    assert gn.evaluate(echo, data).as_dict() == whole.as_dict()


@pytest.mark.parametrize(("output", "even"), [("sigmoid", 0.0), ("identity", 0.0), ("tanh", 0.0)])
def test_one_output_says_yes_above_even(output: str, even: float) -> None:
    network = gn.Network.from_layers([([[1.0]], [0.0], output)])
    inputs = np.array([[-2.0], [-0.1], [0.1], [2.0]])
    figures = gn.evaluate(network, (inputs, [0, 1, 1, 1]))
    assert figures.accuracy == 3 / 4
    assert figures.confusion is not None
    assert figures.confusion.tolist() == [[1, 0], [1, 2]]


def test_measurements_have_a_share_of_explained_variance(echo: gn.Network) -> None:
    targets = np.random.default_rng(0).normal(size=(20, 3))
    perfect, mean = gn.evaluate(echo, (targets, targets)), gn.evaluate(echo, (0 * targets + targets.mean(0), targets))
    assert perfect.r_squared == pytest.approx(1)
    assert mean.r_squared == pytest.approx(0, abs=1e-6)
    assert perfect.accuracy is None
    assert "R squared 1.0000" in str(perfect)


def test_as_a_dictionary_it_is_json(echo: gn.Network) -> None:
    figures = gn.evaluate(echo, (np.eye(3), [0, 1, 2])).as_dict()
    assert figures["accuracy"] == 1
    assert figures["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_data_of_another_width_is_told(echo: gn.Network, refused: Any) -> None:
    with refused(InputError):
        gn.evaluate(echo, (np.ones((4, 2)), [0, 1, 2, 0]))


def test_r_squared_of_parts_is_that_of_the_whole(echo: gn.Network) -> None:
    """The spread between the means of the parts counts: sorted targets are spread between the parts, not within."""
    targets = np.sort(np.random.default_rng(0).normal(size=(50, 3)), axis=0)
    expected = 1 - 0.25 * targets.size / ((targets - targets.mean(0)) ** 2).sum()
    tally = Tally(echo, gn.losses.SquaredError(), None)
    for start in range(0, 50, 20):  # of 20, 20 and 10 rows
        part = targets[start : start + 20]
        tally.add(part + 0.5, part, part)
    assert tally.evaluation().r_squared == pytest.approx(expected)


@pytest.mark.parametrize("output", ["sigmoid", "identity", "tanh"])
def test_an_even_output_is_class_0(output: str) -> None:
    """A dead relu before the output gives a logit of exactly 0."""
    network = gn.Network.from_layers([([[1.0]], [0.0], "relu"), ([[1.0]], [0.0], output)])
    figures = gn.evaluate(network, ([[-1.0], [-2.0], [1.0]], [0, 0, 1]))
    assert figures.confusion is not None
    assert figures.confusion.tolist() == [[2, 0], [0, 1]]


def test_a_class_that_was_never_recognised_shows_0_and_mistakes_that_never_happened_a_point() -> None:
    swap = gn.Network.from_layers([(np.array([[0.0, 1], [1, 0]]), np.zeros(2), "softmax")])
    text = gn.evaluate(swap, (np.eye(2), np.array([0, 1]))).document().text()
    rows = [line.split() for line in text.splitlines() if line.strip().endswith("%")]
    assert [row[-4:] for row in rows[-2:]] == [["0", "0", "1", "0.0%"], ["1", "1", "0", "0.0%"]]
    text = gn.evaluate(swap, (np.eye(2), np.array([1, 0]))).document().text()
    assert [line.split()[-4:] for line in text.splitlines()][-2:] == [
        ["0", "1", ".", "100.0%"],
        ["1", ".", "1", "100.0%"],
    ]
