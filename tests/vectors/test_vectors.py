"""The shared cases are what Python answers today; the page's tests hold the page to the same files."""

import json

import pytest
from shared_vectors import HERE, VECTORS, text


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_are_pythons_answers(name: str) -> None:
    stored = (HERE / f"{name}.json").read_text()
    assert json.loads(stored) == json.loads(text(name)), "run python tests/vectors/shared_vectors.py, if it is meant"


def test_no_file_of_vectors_is_left_over() -> None:
    assert {path.stem for path in HERE.glob("*.json")} == set(VECTORS)
