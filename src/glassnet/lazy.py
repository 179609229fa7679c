"""Public names of a package, imported when they are first used: `import glassnet` stays quick."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any


def attach(
    package: str, names: dict[str, str | None]
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package whose `names` live in these modules below it.

    A name whose module is None is a module itself.
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = names[name]
        value = import_module(f"{package}.{name}") if module is None else _from(f"{package}.{module}", name)
        setattr(sys.modules[package], name, value)  # the next look is direct, also where a module has this name
        return value

    return (
        get,
        lambda: sorted([*names, *(name for name in vars(sys.modules[package]) if name == "__version__")]),
        list(names),
    )


def _from(module: str, name: str) -> Any:
    return getattr(import_module(module), name)
