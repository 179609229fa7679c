"""What stands at the doors: arrays that come in, errors that explain themselves, schemas that fit."""

import json
import pickle
from typing import Any

import numpy as np
import pytest

from glassnet import errors
from glassnet.arrays import numeric, readonly, shape_text
from glassnet.errors import (
    AddressError,
    FileError,
    GlassnetError,
    InputError,
    MissingExtra,
    SettingError,
    unknown_name,
)
from glassnet.schema import Schema

# Arrays


@pytest.mark.parametrize(
    "values", [[1, 2.5], [[True, False]], np.arange(3, dtype=np.uint8), np.float32(1.5), [], 3], ids=repr
)
def test_numbers_come_in_as_they_are(values: Any) -> None:
    array = numeric(values, "inputs")
    np.testing.assert_array_equal(array, values)
    assert array.dtype == np.asarray(values).dtype


def test_an_array_is_not_copied() -> None:
    array = np.ones((3, 2), np.float32)
    assert numeric(array, "inputs") is array


@pytest.mark.parametrize(
    "values",
    [
        ["1", "2"],
        [1, None],
        [1j],
        np.array(["2020-01-01"], "datetime64[D]"),
        [[1, 2], [3]],
        [[0, np.inf], [np.nan, 0]],
        np.full((40, 50), np.nan, np.float32),
    ],
)
def test_what_is_no_array_of_finite_numbers_is_told_why(values: Any, refused: Any) -> None:
    with refused(InputError):
        numeric(values, "x")


def test_a_readonly_view_follows_its_array_but_cannot_be_written_to() -> None:
    array = np.zeros(3)
    view = readonly(array)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    array[0] = 2
    assert view[0] == 2


def test_shapes_are_written_in_plain_numbers() -> None:
    assert [shape_text(shape) for shape in ((), (784,), (np.int64(60000), 784))] == ["()", "(784,)", "(60000, 784)"]


# Errors


KINDS = {InputError: ValueError, SettingError: ValueError, AddressError: IndexError, FileError: OSError}


@pytest.mark.parametrize(("kind", "builtin"), KINDS.items())
def test_an_error_is_a_sentence_with_help_and_also_a_builtin_one(
    kind: type[GlassnetError], builtin: type[Exception]
) -> None:
    assert str(kind("a is wrong", help="try b")) == "a is wrong\nhelp: try b"
    assert str(kind("a is wrong")) == "a is wrong"
    assert issubclass(kind, GlassnetError)
    assert issubclass(kind, builtin)


@pytest.mark.parametrize("kind", [GlassnetError, *KINDS])
def test_an_error_comes_back_whole_from_another_process(kind: type[GlassnetError]) -> None:
    error = pickle.loads(pickle.dumps(kind("a is wrong", help="try b")))
    assert (type(error), str(error), error.problem, error.help) == (
        kind,
        "a is wrong\nhelp: try b",
        "a is wrong",
        "try b",
    )


def test_every_kind_of_error_is_among_those_tested() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, GlassnetError)}
    assert kinds == {GlassnetError, MissingExtra, *KINDS}


def test_a_missing_extra_names_its_fix() -> None:
    error = MissingExtra("pyarrow", "tables")
    assert isinstance(error, ImportError)
    assert str(error) == "the package 'pyarrow' of the extra 'tables' is not installed\nhelp: pip install pyarrow"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("setosq", "\nhelp: did you mean 'Setosa'?"),
        ("SETOSA", "\nhelp: did you mean 'Setosa'?"),
        ("virginca", "\nhelp: did you mean 'virginica'?"),
        ("tulip", ""),
        (5, ""),
    ],
)
def test_an_unknown_name_suggests_the_nearest_whatever_its_case(name: object, advice: str) -> None:
    error = unknown_name("class", name, (word for word in ("Setosa", "virginica")))
    assert str(error) == f"unknown class {name!r}: expected one of Setosa, virginica{advice}"


# Schemas

FULL = Schema(
    input_shape=(2, 1),
    scale=1 / 255,
    features=("length", "width"),
    centers=(1.5, 2.0),
    spreads=(0.5, 1.0),
    classes=("a", "b"),
    target="kind",
)


@pytest.mark.parametrize("schema", [Schema(), FULL, Schema(classes=("a",)), Schema(scale=0.5)], ids=repr)
def test_a_schema_comes_back_from_json(schema: Schema) -> None:
    values = json.loads(json.dumps(schema.as_dict()))
    assert None not in values.values()
    assert Schema.from_dict(values) == schema


def test_fields_of_a_later_version_are_passed_over() -> None:
    assert Schema.from_dict({"classes": ["a"], "colour": "green"}) == Schema(classes=("a",))


@pytest.mark.parametrize(
    "fields",
    [
        {"input_shape": (2, 2), "features": ("a", "b")},
        {"features": ("a", "b"), "centers": (1.0,)},
        {"centers": (1.0, 2.0), "spreads": (1.0, 2.0, 3.0)},
        {"input_shape": (3,), "features": ("a",), "spreads": (1.0, 2.0)},
    ],
)
def test_a_schema_speaks_of_one_number_of_inputs(fields: dict[str, Any], refused: Any) -> None:
    with refused(SettingError):
        Schema(**fields)
