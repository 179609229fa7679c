"""Every public function, class and method is documented in numpydoc, with an example that runs (`test_examples`)."""

import inspect
import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest

import glassnet as gn

NAMESPACES = (gn, gn.data, gn.explain, gn.plots, gn.training, gn.estimators, gn.tracking)
WITHOUT_EXAMPLE = {
    # results: the function that makes one has the example
    "ActivationAlternatives": "gn.explain.activation_alternatives",
    "ActivationCurve": "gn.explain.activation_curve",
    "Activity": "gn.explain.activity",
    "AffineMap": "gn.explain.affine_map",
    "Attribution": "gn.explain.attribution",
    "BiasResponse": "gn.explain.bias_response",
    "Change": "gn.explain.sensitivity",
    "ColumnContribution": "gn.estimators.explain",
    "Comparison": "gn.explain.compare",
    "Epoch": "gn.training.epochs",
    "Evaluation": "gn.evaluate",
    "Explanation": "gn.estimators.explain",
    "Matching": "gn.explain.matched",
    "NeuronSimilarity": "gn.explain.neuron_similarity",
    "Overview": "gn.explain.overview",
    "ParameterSensitivity": "gn.explain.sensitivity",
    "ParameterUpdates": "gn.explain.record",
    "Perturbation": "gn.explain.perturbation",
    "Run": "gn.training.epochs",
    "Sensitivity": "gn.explain.sensitivity",
    "Similarity": "gn.explain.similarity",
    "Template": "gn.explain.template",
    "Training": "gn.train",
    # an error that a run raises
    "DivergedError": "gn.train",
}
ARRAYS = {"inputs", "targets", "target", "weights", "parameters", "vector", "data", "validation", "baseline", "at"}


def public() -> Iterator[tuple[str, Any]]:
    for namespace in NAMESPACES:
        for name in namespace.__all__:
            value = getattr(namespace, name)
            if inspect.isfunction(value) or inspect.isclass(value):
                yield f"{namespace.__name__}.{name}", value


def methods(kind: type) -> Iterator[tuple[str, Any]]:
    for name, value in vars(kind).items():
        inner = getattr(value, "__func__", value)
        if not name.startswith("_") and inspect.isfunction(inner):
            yield name, inner


PUBLIC = dict(public())
OWN = {name: value for name, value in PUBLIC.items() if value.__module__.startswith("glassnet")}
CALLABLES = {name: value for name, value in OWN.items() if inspect.isfunction(value)} | {
    f"{name}.{method}": inner
    for name, value in OWN.items()
    if inspect.isclass(value)
    for method, inner in methods(value)
}


@pytest.mark.parametrize("name", sorted(OWN))
def test_a_public_name_has_an_example(name: str) -> None:
    text = inspect.getdoc(OWN[name]) or ""
    maker = WITHOUT_EXAMPLE.get(name.rpartition(".")[2])
    if maker is not None:
        assert ">>> " in (inspect.getdoc(eval(maker)) or ""), f"{maker} has no example for {name}"
        assert text, f"{name} has no docstring"
        return
    assert "Examples\n--------\n" in text, f"{name} has no Examples section"
    assert ">>> " in text


@pytest.mark.parametrize("name", sorted(CALLABLES))
def test_a_public_function_names_its_parameters(name: str) -> None:
    function = CALLABLES[name]
    text = inspect.getdoc(function) or ""
    assert text, f"{name} has no docstring"
    parameters = set(inspect.signature(function).parameters) - {"self", "cls", "args", "kwargs"}
    if "Parameters\n----------\n" not in text:
        short = "." in name.removeprefix("glassnet.") and len(text.splitlines()) == 1
        assert short or not parameters, f"{name} has no Parameters section"
        return
    section = re.split(r"\n\n\w+\n---+\n", text.partition("Parameters\n----------\n")[2])[0]
    documented = {part.strip(" *") for line in section.splitlines() for part in line.partition(":")[0].split(",")}
    assert parameters <= documented, f"{name}: {parameters - documented} not documented"


@pytest.mark.parametrize("name", sorted(CALLABLES))
def test_arrays_have_a_type(name: str) -> None:
    function = CALLABLES[name]
    for parameter, kind in typing.get_type_hints(function, include_extras=True).items() if _resolves(function) else ():
        if parameter in ARRAYS:
            assert kind is not Any, f"{name}: {parameter} is Any"


def _resolves(function: Any) -> bool:
    try:
        typing.get_type_hints(function)
    except (NameError, TypeError):  # names that are imported for type checkers only
        return False
    return True
