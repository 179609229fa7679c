"""The structure without the values: sizes, squishes, and a ledger that adds up at any size."""

import json
import re
import tracemalloc
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from formula_cases import HIDDEN, tries
from hypothesis import given
from hypothesis import strategies as st

from glassnet.activations import ACTIVATIONS
from glassnet.architecture import Architecture, count_sizes, human_bytes, parse_sizes, spec
from glassnet.errors import SettingError

SIZES = st.lists(st.integers(1, 10**6), min_size=2, max_size=8)


def test_the_digit_network_has_13002_numbers() -> None:
    ledger = count_sizes("784-16-16-10")
    assert [row.count for row in ledger] == [12_560, 272, 170]
    assert [row.formula for row in ledger] == ["784 x 16 + 16", "16 x 16 + 16", "16 x 10 + 10"]
    assert ledger.total == int(ledger) == 13_002
    assert (ledger.weights, ledger.biases, ledger.bytes) == (12_960, 42, 52_008)


def test_the_printed_ledger() -> None:
    assert (
        str(count_sizes("784-16-16-10"))
        == """\
layer  inputs x neurons + biases  numbers
    0  784 x 16 + 16               12,560
    1  16 x 16 + 16                   272
    2  16 x 10 + 10                   170
total  52.0 kB as float32          13,002"""
    )
    assert (
        str(count_sizes((1_000_000, 1_000_000, 10), "float64"))
        == """\
layer  inputs x neurons + biases                    numbers
    0  1,000,000 x 1,000,000 + 1,000,000  1,000,001,000,000
    1  1,000,000 x 10 + 10                       10,000,010
total  8.0 TB as float64                  1,000,011,000,010"""
    )


@given(sizes=SIZES)
@tries(100)
def test_rows_and_printed_rows_add_up_to_the_total(sizes: list[int]) -> None:
    ledger = count_sizes(sizes)
    assert ledger.total == sum(row.count for row in ledger) == ledger.weights + ledger.biases
    assert ledger.total == sum(a * b + b for a, b in pairwise(sizes))

    heading, *lines, last = str(ledger).splitlines()
    assert (heading.split()[0], last.split()[0]) == ("layer", "total")
    figures = []
    for i, line in enumerate(lines):
        layer, formula, figure = re.split(r"  +", line.replace(",", "").strip())
        fan_in, fan_out, biases = map(int, re.split(r" x | \+ ", formula))
        assert (int(layer), fan_in * fan_out + biases) == (i, int(figure))
        figures.append(int(figure))
    assert sum(figures) == int(last.replace(",", "").split()[-1])
    assert len({len(line) for line in (heading, *lines, last)}) == 1


@given(sizes=SIZES)
@tries(50)
def test_the_layers_follow_each_other_in_the_flat_vector(sizes: list[int]) -> None:
    layers = Architecture.of(sizes).layers
    assert [layer.start for layer in layers] == [0, *(layer.stop for layer in layers[:-1])]
    for layer, (fan_in, fan_out) in zip(layers, pairwise(sizes), strict=True):
        assert (layer.fan_in, layer.fan_out) == (fan_in, fan_out)
        assert (layer.biases_start - layer.start, layer.stop - layer.biases_start) == (fan_in * fan_out, fan_out)


def test_a_million_million_parameters_are_counted_without_memory() -> None:
    count_sizes("1-1")  # whatever is imported on the way
    tracemalloc.start()
    assert count_sizes("1000000-1000000").total == 10**12 + 10**6
    assert Architecture.of((10**9, 10**9, 10**9)).count().total == 2 * (10**18 + 10**9)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000


def test_plain_values_for_json() -> None:
    values = json.loads(json.dumps(count_sizes("3-2-1").as_dict()))
    assert values == {
        "total": 11,
        "weights": 8,
        "biases": 3,
        "bytes": 44,
        "layers": [
            {"layer": 0, "fan_in": 3, "fan_out": 2, "formula": "3 x 2 + 2 = 8", "total": 8},
            {"layer": 1, "fan_in": 2, "fan_out": 1, "formula": "2 x 1 + 1 = 3", "total": 3},
        ],
    }


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (52_008, "52.0 kB"), (999_949, "999.9 kB"),
     (999_950, "1.0 MB"), (10**6, "1.0 MB"), (1_260 * 10**6, "1.3 GB"), (999_999_999_999, "1.0 TB"),
     (4 * 10**15, "4,000.0 TB")],
)  # fmt: skip
def test_bytes_are_written_in_decimal_units(count: int, text: str) -> None:
    assert human_bytes(count) == text


# Sizes as they are given


@pytest.mark.parametrize(
    "sizes",
    ["784-16-10", (784, 16, 10), [784.0, 16, 10], np.array([784, 16, 10]), ("784", "16", "10"), "784 - 16 - 10"],
)
def test_sizes_may_be_written_in_many_ways(sizes: Any) -> None:
    parsed = parse_sizes(sizes)
    assert parsed == (784, 16, 10)
    assert all(type(size) is int for size in parsed)
    assert spec(parsed) == str(Architecture.of(sizes)) == "784-16-10"


@pytest.mark.parametrize(
    "sizes",
    ["", "784", "784-", "784--10", "784-0-10", "-784-10", "784x16", "784,16,10", "a-b", "3.5-2", (784,), (), (3, 0),
     (3, -1), (3, 2.5), (3, None), (3, float("nan")), (3, float("inf")), 784, None, [[3, 2]]],
    ids=repr,
)  # fmt: skip
def test_sizes_that_make_no_network_are_told_why(sizes: Any, refused: Any) -> None:
    with refused(SettingError):
        parse_sizes(sizes)


def test_an_unknown_dtype_is_told_the_list(refused: Any) -> None:
    with refused(SettingError):
        count_sizes("3-2", "float23")


# Activations as they are given


@pytest.mark.parametrize(
    ("activation", "output", "names"),
    [
        ("relu", None, ("relu", "relu", "identity")),
        ("tanh", "softmax", ("tanh", "tanh", "softmax")),
        (["relu", "tanh", "sigmoid"], None, ("relu", "tanh", "sigmoid")),
        (["relu", "tanh"], "softmax", ("relu", "tanh", "softmax")),
        (["relu", "tanh", "sigmoid"], "softmax", ("relu", "tanh", "softmax")),
    ],
)
def test_one_activation_for_the_hidden_layers_or_one_for_each(
    activation: Any, output: str | None, names: tuple[str, ...]
) -> None:
    assert Architecture.of("5-4-3-2", activation, output).activations == names


def test_a_single_layer_is_the_output_layer() -> None:
    assert Architecture.of("5-2", "relu").activations == ("identity",)
    assert (
        Architecture.of("5-2", ["relu"]).activations == Architecture.of("5-2", "tanh", "relu").activations == ("relu",)
    )


@given(names=st.lists(st.sampled_from(HIDDEN), min_size=1, max_size=5), last=st.sampled_from(list(ACTIVATIONS)))
@tries(30)
def test_the_same_structure_is_equal_and_has_the_same_hash(names: list[str], last: str) -> None:
    sizes = range(1, len(names) + 3)
    one, other = Architecture.of(list(sizes), [*names, last]), Architecture.of(list(sizes), names, last)
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize(
    ("activation", "output"),
    [
        (["relu"] * 5, None),
        (["relu"] * 4, "softmax"),
        (["relu", "softmax", "relu"], None),
        ("softmax", None),
        ("relu", "sofmax"),
    ],
)  # fmt: skip
def test_activations_that_do_not_fit_are_told_why(activation: Any, output: str | None, refused: Any) -> None:
    with refused(SettingError):
        Architecture.of("5-4-3-2", activation, output)
