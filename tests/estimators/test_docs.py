"""docs/estimators.md: its examples run, and its tables name every parameter and attribute."""

import re
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from sklearn.neural_network import MLPClassifier, MLPRegressor

from glassnet.estimators import GlassClassifier, GlassRegressor

TEXT = (Path(__file__).parents[2] / "docs" / "estimators.md").read_text()
ROWS = dict(re.findall(r"^\| `(\w+)` \| (yes|no|regressor) \|", TEXT, re.MULTILINE))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_its_examples_run(capsys: Any) -> None:
    names: dict[str, Any] = {}
    for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(code, names)
    printed = capsys.readouterr().out
    assert "column by column" in printed
    assert "petal length" in printed
    assert names["pipeline"].score(names["flowers"], names["kinds"]) > 0.9
    assert names["network"].score(names["inputs"] / 16, names["digits"]) > 0.9


def test_every_parameter_has_its_row() -> None:
    ours = set(signature(GlassClassifier).parameters) | set(signature(GlassRegressor).parameters)
    both = set(signature(MLPClassifier).parameters)
    assert set(signature(MLPRegressor).parameters) - both == {"loss"}
    assert both | {"loss"} <= ours
    assert {name for name, where in ROWS.items() if where == "yes"} == both
    assert {name for name, where in ROWS.items() if where == "no"} >= ours - both - {"loss"}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("early_stopping", [False, True])
def test_every_attribute_of_mlps_is_there_and_named(iris: Any, early_stopping: bool) -> None:
    ours, theirs = (
        kind(max_iter=2, early_stopping=early_stopping).fit(*iris) for kind in (GlassClassifier, MLPClassifier)
    )
    attributes = {name for name in vars(theirs) if name.endswith("_") and not name.startswith("_")}
    assert len(attributes) >= 14
    for name in attributes:
        assert f"`{name}`" in TEXT, name
        assert isinstance(getattr(theirs, name), type(getattr(ours, name))), name
    for name in (name for name in vars(ours) if name.endswith("_") and not name.startswith("_")):
        assert f"`{name}`" in TEXT, name
