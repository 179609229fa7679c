"""Arithmetic written out: how many decimals a column gets, and chains of sums that carry on."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from glassnet.arithmetic import Sum, decimals_for, rows, significant, strongest
from glassnet.errors import GlassnetError
from glassnet.neuron import NeuronTrace
from glassnet.render.parts import Section, Worked
from glassnet.render.text import write


@pytest.mark.parametrize(
    ("values", "precision", "decimals"),
    [
        ([0.15, -0.16, 0.1], 1e-9, 2),  # as few as say them exactly
        ([1, -2, 300], 1e-9, 1),
        ([0.125, 4], 1e-9, 3),
        ([0.000001, 0.5], 1e-9, 6),
        ([1 / 3, 0.5], 1e-9, 4),  # four, where no few are exact
        ([1234.56789, 0.1], 1e-9, 4),  # a fifth would not tell an exact number from another
        ([1234567.1234567], 1e-9, 4),
        ([0.00123456], 1e-9, 6),  # so many that the largest has four digits
        ([0.0000123456], 1e-9, 8),
        ([1e-310], 1e-9, 314),  # as a float it is a little less than 1e-310
        ([0.1 + 1e-8, 0.2], 1e-6, 1),  # in float32 there is no more to 0.1
        ([0.1 + 1e-8, 0.2], 1e-9, 4),
        ([], 1e-9, 1),
        ([0, 0.0], 1e-9, 1),
    ],
)
def test_a_column_gets_as_many_decimals_as_it_needs(values: list[float], precision: float, decimals: int) -> None:
    assert decimals_for(values, precision) == decimals


def test_each_sum_carries_on_from_the_one_before(golden: Callable[..., None]) -> None:
    sums = [
        Sum([("apples", 1.25), ("pears", 2.5)], ("fruit", 3.75)),
        Sum([("minus what was eaten", -0.5)], ("left", 3.0), ("3 more plates", -0.25)),
        Sum([("bread", 1000.0)], ("food", 1003.0)),
    ]
    golden(write(Section("Monday", [Worked(rows(sums, ("root", math.sqrt(1003))))])))


def test_terms_that_do_not_make_the_total_are_an_error() -> None:
    terms = [("a", 1.0), ("b", 2.0)]
    assert len(rows([Sum(terms, ("sum", 3.0000001), bound=1e-6)], ("end", 0.0))) == 4
    with pytest.raises(GlassnetError, match="the terms of 'sum' make 3, the machine's own number is 3.001"):
        rows([Sum(terms, ("sum", 3.001), bound=1e-6)], ("end", 0.0))


def test_the_rest_is_true_and_what_the_machine_lost_is_named() -> None:
    """1e8 + 1 - 1e8 in float32, one after the other, loses the 1 and 20 small ones."""
    weights = np.array([1e8, 1, -1e8, *[1e-3] * 20], np.float32)
    lost = float(np.add.accumulate(weights)[-1])
    trace = NeuronTrace(np.ones(23, np.float32), weights, lost, 0.0, lost, "identity", lost)
    found = {str(row.what): row.figure for row in trace.rows(3) if row.kind == "rest"}
    assert found == {"20 more products": "0.0200", "rounding in float32": "-1.0000"}


def test_the_strongest_come_first_unless_all_are_shown() -> None:
    products = [0.1, -5.0, 3.0, 5.0, 0.0]
    assert strongest(products, 3) == [1, 3, 2]
    assert strongest(products, 5) == strongest(products, 99) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5473576181, "0.5473576"), (2.1e-9, "2.1e-09"), (19.0, "19"), (-1 / 3, "-0.3333333"), (0.0, "0")],
)
def test_a_number_on_its_own_has_seven_significant_digits(value: float, text: str) -> None:
    assert significant(value) == text
