"""Whatever is shown, in whatever form, is the trace's own figures, and adds up as shown."""

import json
import re
from decimal import Decimal
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.explain.overviews import overview
from glassnet.explain.templates import template

HIDDEN = sorted(set(ACTIVATIONS) - {"softmax"})


@st.composite
def asked(draw: st.DrawFn) -> tuple[gn.Network, np.ndarray, int, int]:
    """A random network, an input of it, and one of its neurons."""
    sizes = draw(st.lists(st.integers(1, 40), min_size=2, max_size=4))
    seed = draw(st.integers(0, 2**32 - 1))
    network = gn.Network.create(
        sizes,
        draw(st.sampled_from(HIDDEN)),
        output=draw(st.sampled_from(["softmax", "identity", "sigmoid"])),
        seed=seed,
        dtype=draw(st.sampled_from(["float32", "float64"])),
    )
    random = np.random.default_rng(seed)
    size = 10.0 ** draw(st.integers(-3, 3))
    vector = (size * network.parameters + random.normal(0, 0.1, len(network.parameters))).astype(network.dtype)
    inputs = random.normal(size=sizes[0]) * (random.random(sizes[0]) < 0.7)
    layer = draw(st.integers(0, len(sizes) - 2))
    return network.with_parameters(vector), inputs, layer, draw(st.integers(0, sizes[layer + 1] - 1))


def text_figures(text: str) -> list[str]:
    lines = [line for line in text.splitlines()[1:] if line and not re.fullmatch(r" +-+", line)]
    return [line.split()[-1] for line in lines]


def first_sum(text: str) -> str:
    """Without that of the softmax, which comes after it."""
    return re.split(r"\n\**the softmax of its layer", text)[0].rstrip("\n")


def markdown_figures(text: str) -> list[str]:
    return [line.split("|")[-2].strip().strip("*") for line in text.splitlines()[4:]]


def html_figures(text: str) -> list[str]:
    body = next(ElementTree.fromstring(text).iter("tbody"))
    return ["".join(row[2].itertext()) for row in body]


def latex_figures(text: str) -> list[str]:
    """The last two cells of each row, put together, and powers of ten written as Python does."""
    figures = []
    for line in text.splitlines():
        if line.endswith(r"\\"):
            whole, part = line.removesuffix(r" \\").rsplit("&", 2)[1:]
            figure = (whole.strip() + part.strip()).replace("{,}", ",")
            figures.append(re.sub(r"\\cdot 10\^\{(-?\d+)\}", lambda m: f"e{int(m[1]):+03d}", figure))
    return figures


@given(asked(), st.integers(0, 30))
@settings(max_examples=150, deadline=None)
def test_every_form_carries_the_same_figures_and_they_add_up(
    case: tuple[gn.Network, np.ndarray, int, int], top: int
) -> None:
    network, inputs, layer, index = case
    neuron = network.trace(inputs).neuron(layer, index)
    rows = neuron.rows(top)
    figures = [row.figure for row in rows]

    document = neuron.document(top)
    shares = [row.figure for row in neuron.softmax_rows(top)]
    assert text_figures(first_sum(document.text())) == figures
    assert markdown_figures(first_sum(document.markdown())) == figures
    assert html_figures(document.html()) == figures
    assert latex_figures(document.latex()) == figures + shares
    assert text_figures(document.text())[-len(shares) :] == shares or not shares

    values = [Decimal(figure.replace(",", "")) for figure in figures]
    so_far = Decimal(0)
    for row, value in zip(rows, values, strict=True):
        if row.kind == "total":
            assert value == so_far
        elif row.kind != "result":
            so_far += value
    assert rows[-1].kind == "result"
    assert float(values[-1]) == pytest.approx(neuron.activation, rel=1e-6)


@given(asked())
@settings(max_examples=100, deadline=None)
def test_every_view_shows_what_the_trace_holds(case: tuple[gn.Network, np.ndarray, int, int]) -> None:
    network, inputs, layer, index = case
    trace = network.trace(inputs)
    np.testing.assert_array_equal(trace.outputs, network(inputs))

    view = overview(trace, top=5)
    for at, shown in zip(trace.layers, view.layers, strict=True):
        for neuron in shown.strongest:
            assert neuron.activation == at.activations[neuron.neuron]
            assert neuron.pre_activation == at.pre_activations[neuron.neuron]
    assert json.loads(json.dumps(view.as_dict(), allow_nan=False))["says"] == view.says
    for columns in (80, 120):
        assert max(map(len, view.document().text(columns).splitlines())) <= columns

    pattern = template(network, layer, index, inputs)
    assert pattern.match is not None
    assert pattern.match.weighted_sum == trace.neuron(layer, index).weighted_sum
    np.testing.assert_array_equal(pattern.contributions.ravel(), trace.neuron(layer, index).products)
    assert max(map(len, str(pattern).splitlines())) <= 80
