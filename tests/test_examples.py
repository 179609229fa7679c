"""The examples in docstrings give what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

import glassnet

SOURCES = Path(glassnet.__file__).parent
WITH_EXAMPLES = [
    ".".join(("glassnet", *path.relative_to(SOURCES).with_suffix("").parts)).removesuffix(".__init__")
    for path in sorted(SOURCES.rglob("*.py"))
    if ">>> " in path.read_text()
]


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples(module: str) -> None:
    found = doctest.testmod(importlib.import_module(module))
    assert found.attempted > 0
    assert found.failed == 0
