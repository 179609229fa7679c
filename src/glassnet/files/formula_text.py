"""An activation's formula in other languages, translated node by node from its `formulas.Tree`."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from glassnet.activations import ACTIVATIONS, Activation
from glassnet.errors import SettingError
from glassnet.formulas import NotFollowed, Tree, tree

_INFIX = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "greater": ">",
    "greater_equal": ">=",
    "less": "<",
    "less_equal": "<=",
    "equal": "==",
    "not_equal": "!=",
}

PYTHON: Mapping[str, str] = {
    **{name: f"({{}} {sign} {{}})" for name, sign in _INFIX.items()},
    **{name: f"math.{name}({{}})" for name in ("exp", "expm1", "log", "log1p", "tanh", "sqrt", "sin", "cos", "erfc")},
    "arctan": "math.atan({})",
    "power": "({} ** {})",
    "where": "({1} if {0} else {2})",
    "maximum": "({1} if {1} >= {0} else {0})",  # NaN stays NaN
    "minimum": "({1} if {1} <= {0} else {0})",
    "negative": "(-{})",
    "positive": "{}",
    "abs": "abs({})",
    "sign": "(({0} > 0) - ({0} < 0))",
}
C: Mapping[str, str] = {
    **{name: f"({{}} {sign} {{}})" for name, sign in _INFIX.items()},
    **{name: f"{name}<f>({{}})" for name in ("exp", "expm1", "log", "log1p", "tanh", "sqrt", "sin", "cos", "erfc")},
    "arctan": "atan<f>({})",
    "power": "pow<f>({}, {})",
    "where": "({} ? {} : {})",
    "maximum": "({1} >= {0} ? {1} : {0})",
    "minimum": "({1} <= {0} ? {1} : {0})",
    "negative": "(-{})",
    "positive": "{}",
    "abs": "fabs<f>({})",
    "sign": "(({0} > 0) - ({0} < 0))",
}
"""Each function of a formula; `<f>` is the suffix of C's functions for float."""

_TWICE = frozenset({"maximum", "minimum", "sign"})
"""Functions whose text has an argument more than once."""


def by_row(of: Activation, target: str) -> bool:
    """Whether this is softmax; `SettingError` for another activation of whole rows, which has no translation."""
    if of.by_row and not (ACTIVATIONS.fresh(of) and of.probabilities == "one of many"):
        raise SettingError(f"{of.name}, which looks at whole rows, cannot be written for {target}")
    return of.by_row


def formula_of(of: Activation, target: str) -> Tree:
    """The formula to translate; `SettingError` where it cannot be followed."""
    try:
        return tree(of.function)
    except NotFollowed as problem:
        raise SettingError(
            f"{of.name} cannot be written for {target}: {problem.problem}", help="export a network without it"
        ) from None


def written(
    formula: Tree, language: Mapping[str, str], number: Callable[[float], str]
) -> tuple[list[tuple[str, str]], str]:
    """Steps (name, text) for what is used more than once, and the text of the whole, in the variable z."""
    uses = Counter(_arguments(formula))
    names: dict[Tree, str] = {}
    steps: list[tuple[str, str]] = []

    def text(node: "Tree | float", twice: bool = False) -> str:
        if not isinstance(node, Tree):
            return number(node)
        if node.function == "z":
            return "z"
        if node not in names:
            parts = [text(part, node.function in _TWICE) for part in node.arguments]
            template = language[node.function]
            if template.endswith("({})"):  # a call, whose brackets are enough
                parts = [bare(part) for part in parts]
            whole = template.format(*parts)
            if uses[node] < 2 and not twice:
                return whole
            names[node] = f"t{len(names) + 1}"
            steps.append((names[node], bare(whole)))
        return names[node]

    whole = text(formula)
    return steps, bare(whole)


def bare(text: str) -> str:
    """Without the brackets around the whole."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for position, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and position < len(text) - 1:
            return text
    return text[1:-1]


def _arguments(formula: Tree) -> Iterator[Tree]:
    """Every tree in this one, as often as it is an argument of different ones."""
    seen: set[Tree] = set()
    waiting = [formula]
    while waiting:
        node = waiting.pop()
        for part in node.arguments:
            if isinstance(part, Tree):
                yield part
                if part not in seen:
                    seen.add(part)
                    waiting.append(part)


def known_parts() -> dict[Tree, Activation]:
    """The formulas for which a node of ONNX stands, so that parts of others are recognised."""
    return {tree(of.function): of for of in ACTIVATIONS.values() if of.onnx and not of.by_row and of.corners != ()}
