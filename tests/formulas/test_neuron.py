"""One neuron: its sum, its squish, and the page of arithmetic that can be checked by hand."""

import json
import math
import re
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any, NamedTuple

import numpy as np
import pytest
from formula_cases import HIDDEN, tries
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.architecture import Architecture
from glassnet.engines import reference
from glassnet.errors import GlassnetError, InputError, SettingError
from glassnet.neuron import Neuron, NeuronTrace

INPUTS, WEIGHTS, BIAS = [0.5, 0.8, 0.2], [0.3, -0.2, 0.5], 0.1


# The known case


@pytest.mark.parametrize(("activation", "value"), [("sigmoid", 0.5473576181430894), ("relu", 0.19), ("identity", 0.19)])
def test_the_known_case(activation: str, value: float) -> None:
    neuron = Neuron(WEIGHTS, BIAS, activation)
    trace = neuron.trace(INPUTS)
    assert trace.products == pytest.approx([0.15, -0.16, 0.10])
    assert trace.weighted_sum == pytest.approx(0.09)
    assert trace.bias == 0.1
    assert trace.pre_activation == pytest.approx(0.19)
    assert trace.activation_name == activation
    assert neuron(INPUTS) == trace.activation == pytest.approx(value, rel=1e-14)


def test_the_known_case_as_printed() -> None:
    neuron = Neuron(WEIGHTS, BIAS)
    assert (
        str(neuron.trace(INPUTS))
        == """\
neuron
  input 0  0.5 x  0.3            0.15
  input 1  0.8 x -0.2           -0.16
  input 2  0.2 x  0.5            0.10
                                -----
  weighted sum                   0.09
  + bias                         0.10
                                -----
  pre-activation z               0.19
  sigmoid = 1 / (1 + exp(-z))    0.5473576"""
    )


def test_many_inputs_as_printed() -> None:
    neuron = Neuron([-1.5, 0, 4, 1 / 3, 2 / 3, 0, -1e-4], -2.0, "relu")
    assert (
        neuron.trace([1, 1, 0.5, 1, 1, 1, 1]).document(top=3).text()
        == """\
neuron
  input 2  0.5 x        4         2.0000
  input 0    1 x     -1.5        -1.5000
  input 4    1 x 0.666667         0.6667
  4 more products, 2 of them 0    0.3332
                                 -------
  weighted sum                    1.4999
  + bias                         -2.0000
                                 -------
  pre-activation z               -0.5001
  relu = max(0, z)                0"""
    )


def test_what_rounding_leaves_over_has_a_line_of_its_own() -> None:
    neuron = Neuron([1 / 3, 1 / 3, 1 / 3], 0.33335, "identity")
    assert (
        str(neuron.trace([1, 1, 1]))
        == """\
neuron
  input 0  1 x 0.333333         0.3333
  input 1  1 x 0.333333         0.3333
  input 2  1 x 0.333333         0.3333
  rounding of the lines above   0.0001
                                ------
  weighted sum                  1.0000
  + bias                        0.3333
  rounding of the lines above   0.0001
                                ------
  pre-activation z              1.3334
  identity = z                  1.33335"""
    )


def test_inputs_and_the_neuron_can_have_names() -> None:
    trace = NeuronTrace(
        inputs=np.array([2.0, 1.0]),
        weights=np.array([0.5, -1.0]),
        weighted_sum=0.0,
        bias=0.5,
        pre_activation=0.5,
        activation_name="step",
        activation=1.0,
        name="neuron 1:0, step, 2 inputs",
        input_names=("petal length", "hue"),
    )
    assert (
        str(trace)
        == """\
neuron 1:0, step, 2 inputs
  petal length  2 x 0.5       1.0
  hue           1 x  -1      -1.0
                             ----
  weighted sum                0.0
  + bias                      0.5
                             ----
  pre-activation z            0.5
  step = 1 above 0, else 0    1"""
    )


# Whatever the numbers


class Page(NamedTuple):
    """A printed trace, read back."""

    terms: list[Decimal]
    weighted_sum: Decimal
    after: list[Decimal]
    """The bias, and the rounding under it if there is any."""
    pre_activation: Decimal
    answer: float
    texts: list[str]


def read(text: str, name: str) -> Page:
    heading, *lines, last = text.splitlines()
    assert heading == name
    sums: list[list[tuple[str, Decimal]]] = [[]]
    for line in lines:
        if re.fullmatch(r" +-+", line):
            sums.append([])
        else:
            words, figure = re.fullmatch(r"  (.*?)   +(-?[\d,]+\.\d+(?:e[+-]\d+)?)", line).groups()
            sums[-1].append((words, Decimal(figure.replace(",", ""))))
    terms, (total, *after), (z,) = sums
    assert (total[0], after[0][0], z[0]) == ("weighted sum", "+ bias", "pre-activation z")
    return Page(
        [figure for _, figure in terms],
        total[1],
        [f for _, f in after],
        z[1],
        float(last.split()[-1]),
        [w for w, _ in terms],
    )


def rounded(value: float, like: Decimal) -> Decimal:
    return Decimal(value).quantize(like, ROUND_HALF_EVEN)


def some_trace(
    size: int, dtype: str, inputs_around: float, weights_around: float, activation: str, seed: int
) -> NeuronTrace:
    """One neuron at work as an engine computes it in this dtype; a third of the inputs is 0, some are whole."""
    random = np.random.default_rng(seed)
    inputs = random.normal(0, inputs_around, size) * (random.random(size) < 0.7)
    if random.random() < 0.3:
        inputs = np.round(inputs, 2)
    parameters = random.normal(0, weights_around, size + 1).astype(dtype)
    inputs = inputs.astype(dtype)
    architecture = Architecture((size, 1), (activation,))
    (layer,) = reference.trace(architecture, parameters, inputs[None])
    return NeuronTrace(
        inputs=inputs,
        weights=parameters[:-1],
        weighted_sum=float(layer.weighted_sums[0, 0]),
        bias=float(parameters[-1]),
        pre_activation=float(layer.pre_activations[0, 0]),
        activation_name=activation,
        activation=float(layer.activations[0, 0]),
    )


MAGNITUDES = st.integers(-6, 6).map(lambda exponent: 10.0**exponent)


@given(
    size=st.integers(1, 900),
    dtype=st.sampled_from(["float32", "float64"]),
    inputs_around=MAGNITUDES,
    weights_around=MAGNITUDES,
    activation=st.sampled_from(HIDDEN),
    top=st.integers(1, 30),
    seed=st.integers(0, 2**32 - 1),
)
@tries(300)
def test_whatever_the_numbers_the_printed_column_adds_up(
    size: int, dtype: str, inputs_around: float, weights_around: float, activation: str, top: int, seed: int
) -> None:
    trace = some_trace(size, dtype, inputs_around, weights_around, activation, seed)
    page = read(trace.document(top).text(), "neuron")

    # as printed, to the last digit
    assert sum(page.terms) == page.weighted_sum
    assert page.weighted_sum + sum(page.after) == page.pre_activation

    # and what is printed is true
    assert page.weighted_sum == rounded(trace.weighted_sum, page.weighted_sum)
    assert abs(page.after[0] - rounded(trace.bias, page.weighted_sum)) <= Decimal(1).scaleb(
        page.weighted_sum.as_tuple().exponent
    )
    assert page.pre_activation == rounded(trace.pre_activation, page.weighted_sum)
    assert page.answer == pytest.approx(trace.activation, rel=1e-6)
    products = trace.products.tolist()
    strongest = sorted(products, key=abs, reverse=True)[:top]
    shown = sorted(page.terms[: len(strongest)])
    unit = Decimal(1).scaleb(page.weighted_sum.as_tuple().exponent)
    for figure, product in zip(shown, sorted(strongest), strict=True):
        assert abs(Decimal(product) - figure) <= Decimal("0.6001") * unit
    if size > len(strongest):
        hidden_sum = math.fsum(sorted(products, key=abs, reverse=True)[top:])
        assert abs(Decimal(hidden_sum) - page.terms[len(strongest)]) <= Decimal("0.6001") * unit

    # what is not shown is counted
    hidden = size - len(strongest)
    zeros = sum(product == 0 for product in products) - sum(product == 0 for product in strongest)
    others = page.texts[len(strongest) :]
    if others and others[-1] in ("rounding of the lines above", f"rounding in {dtype}"):
        others.pop()
    if hidden == 0:
        assert others == []
    elif zeros == hidden:
        assert others == [f"{hidden} more products, all 0"]
    else:
        assert others == [f"{hidden} more products" + (f", {zeros} of them 0" if zeros else "")]


@given(
    size=st.integers(1, 900),
    magnitude=st.integers(-2, 2).map(lambda exponent: 10.0**exponent),
    activation=st.sampled_from(HIDDEN),
    seed=st.integers(0, 2**32 - 1),
)
@tries(100)
def test_everyday_numbers_fit_80_columns_with_their_points_in_line(
    size: int, magnitude: float, activation: str, seed: int
) -> None:
    lines = some_trace(size, "float32", 1, magnitude, activation, seed).document().text().splitlines()
    assert max(map(len, lines)) <= 80
    figures = [line for line in lines[1:-1] if not line.endswith("-")]
    assert len({line.rindex(".") for line in figures}) == 1


@given(size=st.integers(1, 50), seed=st.integers(0, 2**32 - 1), activation=st.sampled_from(HIDDEN))
@tries(50)
def test_a_neuron_computes_squish_of_weights_times_inputs_plus_bias(size: int, seed: int, activation: str) -> None:
    random = np.random.default_rng(seed)
    weights, inputs, bias = random.normal(size=size), random.normal(size=size), random.normal()
    neuron = Neuron(weights, bias, activation)
    by_hand = sum(w * x for w, x in zip(weights.tolist(), inputs.tolist(), strict=True)) + bias
    wanted = float(ACTIVATIONS[activation](np.array([by_hand]))[0])
    assert neuron(inputs) == neuron.trace(inputs).activation == pytest.approx(wanted, rel=1e-9, abs=1e-12)


# Extreme pages


@pytest.mark.parametrize("size", [1e-310, 1e-40, 1e15, 1e300])
def test_numbers_of_any_size_are_printed(size: float) -> None:
    trace = Neuron([size, -size], size, "identity").trace([1, 0.5])
    with localcontext(prec=700):
        page = read(str(trace), "neuron")
        assert sum(page.terms) == page.weighted_sum
        assert page.pre_activation == rounded(trace.pre_activation, page.pre_activation) > 0


def test_a_neuron_of_nothing_but_zeros_is_printed() -> None:
    page = read(str(Neuron([0, 0], 0).trace([0, 0])), "neuron")
    assert (page.terms, page.weighted_sum, page.pre_activation, page.answer) == ([0, 0], 0, 0, 0.5)


# The value and its door


def test_plain_values_for_json() -> None:
    values = json.loads(json.dumps(Neuron(WEIGHTS, BIAS).trace(INPUTS).as_dict()))
    assert values["inputs"] == INPUTS
    assert values["weights"] == WEIGHTS
    assert values["products"] == pytest.approx([0.15, -0.16, 0.1])
    assert [values[key] for key in ("weighted_sum", "bias", "pre_activation")] == pytest.approx([0.09, 0.1, 0.19])
    assert (values["activation_name"], values["activation"]) == ("sigmoid", pytest.approx(0.5473576))


def test_its_arrays_cannot_be_written_to() -> None:
    trace = Neuron(WEIGHTS, BIAS).trace(INPUTS)
    for array in (Neuron(np.ones(3), 0.0).weights, trace.inputs, trace.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: Neuron([[1, 2]], 0), InputError),
        (lambda: Neuron([], 0), InputError),
        (lambda: Neuron([1.0], [1, 2]), InputError),
        (lambda: Neuron([1.0, float("inf"), float("nan")], 0), InputError),
        (lambda: Neuron([1.0, 2.0], 0)([1.0]), InputError),
        (lambda: Neuron([1.0, 2.0], 0).trace("ab"), InputError),
        (lambda: Neuron([1.0], 0, "sigmod"), SettingError),
        (lambda: Neuron([1.0], 0, "softmax")([1.0]), SettingError),
    ],
)  # fmt: skip
def test_what_makes_no_neuron_is_told_why(call: Any, error: type[GlassnetError], refused: Any) -> None:
    with refused(error):
        call()


def test_an_overflow_is_printed_as_it_is() -> None:
    network = gn.Network.from_layers([([[1e30, 1.0]], [0.0], "relu"), ([[1e30]], [0.5], "identity")], dtype="float32")
    with np.errstate(over="ignore"):
        printed = str(network.trace([1.0, 2.0]).neuron(1, 0))
    assert "weighted sum" in printed
    assert "inf" in printed


def test_what_was_handed_in_can_change_without_changing_the_neuron() -> None:
    weights, inputs = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    neuron = Neuron(weights, 0.0, "identity")
    trace = neuron.trace(inputs)
    weights[:], inputs[:] = 0, 0
    assert neuron([1, 1]) == 3
    assert trace.products.tolist() == [3, 8]
