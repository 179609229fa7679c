"""Which engine does a job, and why. All have the same verbs (`plan.Engine`) and the same meaning (`reference`)."""

from glassnet.architecture import Architecture
from glassnet.engine import reference
from glassnet.engine.plan import Engine, Examples, LayerTrace, Plan, State, Trainer
from glassnet.errors import unknown_name

__all__ = ["ENGINES", "Engine", "Examples", "LayerTrace", "Plan", "State", "Trainer", "choose", "reference"]

ENGINES = ("auto", "reference")


def choose(name: str, architecture: Architecture, dtype: str) -> tuple[Engine, str]:
    """The engine for a network of this structure and dtype, and in words why; `SettingError` for unknown names."""
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    why = "asked for by name" if name == "reference" else "the one engine there is so far"
    return reference, f"reference (numpy, {dtype}): {why}"
