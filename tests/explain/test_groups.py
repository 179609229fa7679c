"""Neurons that say the same: equal, proportional, opposite and constant ones, found whatever their order and size."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.explain import NeuronGroup, neuron_groups


def network(rows: np.ndarray, activation: str = "tanh") -> gn.Network:
    """A hidden layer of these rows, the bias last."""
    width = len(rows)
    return gn.Network.from_layers(
        [(rows[:, :-1], rows[:, -1], activation), (np.ones((2, width)), np.zeros(2), "identity")], dtype="float64"
    )


@given(seed=st.integers(0, 2**32 - 1), fan_in=st.integers(2, 20), scale=st.integers(-6, 6).map(lambda e: 10.0**e))
def test_all_kinds_are_found_and_nothing_else(seed: int, fan_in: int, scale: float) -> None:
    random = np.random.default_rng(seed)
    kinds = {
        "equal": random.normal(size=fan_in + 1) * np.ones((3, 1)),
        "proportional": random.normal(size=fan_in + 1) * np.array([[1.0], [2.5]]),
        "opposite": random.normal(size=fan_in + 1) * np.array([[1.0], [-0.5]]),
        "constant": np.column_stack([np.zeros((2, fan_in)), random.normal(size=2)]),
        "": random.normal(size=(4, fan_in + 1)),
    }
    names = [kind for kind, rows in kinds.items() for _ in rows]
    order = random.permutation(len(names))
    found = neuron_groups(network(scale * np.concatenate(list(kinds.values()))[order]))
    wanted = {
        NeuronGroup(0, kind, tuple(k for k, place in enumerate(order) if names[place] == kind))  # type: ignore[arg-type]
        for kind in kinds
        if kind
    }
    assert set(found) == wanted
    assert len(found) == len(wanted)


def test_neurons_that_differ_in_a_bias_are_no_group() -> None:
    assert neuron_groups(network(np.array([[1.0, 2, 0.5], [1, 2, 0.6]]))) == ()


def test_they_are_named_where_one_looks() -> None:
    found = network(np.array([[1.0, 2, 0.5], [-2, -4, -1], [0, 0, 7]]))
    text = str(gn.explain.activity(found, [[1.0, 1], [2, 2]]))
    assert "layer 0: 2 neurons are opposite (0:0, 0:1)" in text
    assert "in b" in str(gn.compare(found, found.with_parameters(found.parameters * 2)))
