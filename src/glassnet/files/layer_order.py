"""The order of dense layers in a file that keeps no forward: by the numbers in names, else by sizes, else unknown.

Names make a tree, as the modules did: layers of one module stay together, and numbers in names sort as numbers.
Modules that differ in words stand in the file's order where its format keeps one. safetensors sorts by name, so there
sizes have to settle it.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from typing import TypeAlias

from glassnet.errors import SettingError
from glassnet.files.access import natural
from glassnet.files.layer_graph import InTheWay
from glassnet.opening import quoted

Sizes: TypeAlias = Mapping[str, tuple[int, int]]
"""Inputs and neurons of each layer."""
MOST_STEPS = 20_000
"""Layers that are put after one another in search of an order."""
SHOWN = 3
"""Names of an order that a message shows from either end."""


def in_order(names: Sequence[str], sizes: Sizes, keeps_order: bool) -> list[str]:
    """The layers, inputs first.

    Parameters
    ----------
    names : sequence of str
        Their matrices, as the file lists them.
    sizes : mapping
        Inputs and neurons of each.
    keeps_order : bool
        Whether the file lists them as the model does.

    Raises
    ------
    InTheWay
        If in no order each takes what the one before gives.
    SettingError
        If several orders do, or these may be networks side by side.
    """
    tree = _tree(names)
    _refuse_side_by_side(tree, sizes)
    if keeps_order:
        for order in (tree.names(), list(names)):
            if _broken(order, sizes) is None:
                return order
    fitting = list(islice(_fitting(tree, sizes, _Budget()), 2))
    if len(fitting) > 1:
        raise SettingError(
            "neither names nor sizes tell the order of the layers: " + " and ".join(map(_shown, fitting)) + " both fit",
            help=f"give the order of the model, such as order={_modules(fitting[0])}",
        )
    if fitting:
        return fitting[0]
    check(sorted(names, key=natural), sizes)
    return sorted(names, key=natural)


def check(order: Sequence[str], sizes: Sizes) -> None:
    """`InTheWay` at the first layer that does not take what the one before gives."""
    broken = _broken(order, sizes)
    if broken is not None:
        before, after = broken
        raise InTheWay(
            f"{quoted(after)}, which takes {sizes[after][0]:,} inputs where {quoted(before)} gives {sizes[before][1]:,}"
        )


def chosen(names: Sequence[str], order: Sequence[str]) -> list[str]:
    """The names that these layers or modules stand for, first to last; each of them has to be there once."""
    if isinstance(order, str):
        raise SettingError(f"order is {order!r}, expected a list of names", help=f"order=[{order!r}]")
    made: list[str] = []
    for prefix in order:
        found = [name for name in names if name == prefix or re.match(rf"{re.escape(str(prefix))}[./]", name)]
        if not found or set(found) & set(made):
            raise SettingError(
                f"order names {quoted(prefix)}, " + ("which is named twice" if found else "which is no layer"),
                help=f"the layers are {', '.join(map(quoted, names[:8]))}" + (", ..." if len(names) > 8 else ""),
            )
        made += sorted(found, key=natural)
    return made


@dataclass
class _Branch:
    """Names that begin alike: a layer's own, and branches by the next number or word."""

    name: str | None = None
    branches: "dict[int | str, _Branch]" = field(default_factory=dict)

    def names(self) -> list[str]:
        """All of them: numbers in order, words as they came."""
        return ([self.name] if self.name else []) + [
            name for unit in self.units() for one in unit for name in one.names()
        ]

    def units(self) -> "list[list[_Branch]]":
        """Branches whose order among themselves names do not tell; in each those that numbers put in order."""
        numbered = sorted(key for key in self.branches if isinstance(key, int))
        first = next((key for key in self.branches if isinstance(key, int)), None)
        return [
            [self.branches[n] for n in numbered] if key == first else [branch]
            for key, branch in self.branches.items()
            if isinstance(key, str) or key == first
        ]


def _tree(names: Sequence[str]) -> _Branch:
    root = _Branch()
    for name in names:
        branch = root
        for word in re.findall(r"\d{1,18}|[^\d./]+", name):
            branch = branch.branches.setdefault(int(word) if word.isdecimal() else word, _Branch())
        if branch.name is not None:  # `a.1` and `a/1`
            branch = branch.branches.setdefault(name, _Branch())
        branch.name = name
    return root


class _Budget:
    def __init__(self) -> None:
        self.left = MOST_STEPS

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise SettingError(
                "neither names nor sizes tell the order of the layers",
                help="give order=[...], the names of layers or modules from the inputs on",
            )


def _fitting(branch: _Branch, sizes: Sizes, budget: _Budget) -> Iterator[list[str]]:
    """Orders of a branch's layers in which each takes what the one before gives."""
    budget.spend()
    if branch.name is not None and not branch.branches:
        yield [branch.name]
        return
    units: list[Callable[[], Iterator[list[str]]]] = [
        lambda unit=unit: _numbered(unit, sizes, budget)  # type: ignore[misc]
        for unit in branch.units()
    ]
    if branch.name is not None:
        units.insert(0, lambda: iter([[str(branch.name)]]))
    yield from _joined([], units, sizes, budget)


def _numbered(unit: list[_Branch], sizes: Sizes, budget: _Budget) -> Iterator[list[str]]:
    if len(unit) == 1:
        yield from _fitting(unit[0], sizes, budget)
        return
    ways: list[list[list[str]]] = [[[]]]
    for branch in unit:  # a few ways at a time are kept: two that fit are enough to know that names do not tell
        added = list(islice(_fitting(branch, sizes, budget), 8))
        ways.append([way + more for way in ways[-1] for more in added if _fits(way, more, sizes)][:8])
        budget.spend()
    yield from ways[-1]


def _joined(
    done: list[str], units: "list[Callable[[], Iterator[list[str]]]]", sizes: Sizes, budget: _Budget
) -> Iterator[list[str]]:
    if not units:
        yield done
        return
    for i, unit in enumerate(units):
        for more in unit():
            budget.spend()
            if _fits(done, more, sizes):
                yield from _joined(done + more, units[:i] + units[i + 1 :], sizes, budget)


def _fits(before: list[str], after: list[str], sizes: Sizes) -> bool:
    return not before or not after or sizes[before[-1]][1] == sizes[after[0]][0]


def _broken(order: Sequence[str], sizes: Sizes) -> tuple[str, str] | None:
    return next(((a, b) for a, b in pairwise(order) if sizes[a][1] != sizes[b][0]), None)


def _refuse_side_by_side(tree: _Branch, sizes: Sizes) -> None:
    """Two modules of several layers that take the same inputs (an actor and a critic) are hardly one after another."""
    branch = tree
    while len(branch.branches) == 1 and branch.name is None:
        (branch,) = branch.branches.values()
    taking: dict[int, list[str]] = {}
    for key, one in branch.branches.items():
        names = one.names()
        if isinstance(key, str) and len(names) > 1 and len({side for name in names for side in sizes[name]}) > 1:
            taking.setdefault(sizes[names[0]][0], []).append(names[0])
    for inputs, firsts in taking.items():
        if len(firsts) > 1:
            modules = _modules(firsts)
            raise SettingError(
                f"{' and '.join(map(quoted, firsts[:4]))} take {inputs:,} inputs each: one network, or several?",
                help=f"give order={modules[:1]} for one of them, order={modules} for all in a chain",
            )


def _modules(order: Sequence[str]) -> list[str]:
    """The first part in which these names differ, each once, in their order."""
    parts = [re.split(r"[./]", name) for name in order]
    depth = 0
    while all(len(p) > depth + 1 for p in parts) and len({p[depth] for p in parts}) == 1:
        depth += 1
    heads = [name[: len("/".join(p[: depth + 1]))] for name, p in zip(order, parts, strict=True)]
    return list(dict.fromkeys(heads))


def _shown(order: Sequence[str]) -> str:
    modules = _modules(order)
    if len(modules) > 2 * SHOWN:
        modules = [*modules[:SHOWN], "...", *modules[-SHOWN:]]
    return quoted(", ".join(modules), 300)
