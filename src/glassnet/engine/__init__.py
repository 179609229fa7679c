"""Which engine does a job, and why. All have the same verbs (`plan.Engine`) and the same meaning (`reference`)."""

import os

from glassnet.architecture import Architecture
from glassnet.engine import native, reference
from glassnet.engine.plan import Engine, Examples, LayerTrace, Plan, State, Trainer
from glassnet.errors import SettingError, unknown_name

__all__ = ["ENGINES", "Engine", "Examples", "LayerTrace", "Plan", "State", "Trainer", "choose", "reference"]

ENGINES = ("auto", "reference", "native")


def choose(name: str, architecture: Architecture, dtype: str) -> tuple[Engine, str]:
    """The engine for a network of this structure and dtype, and in words why.

    `auto` goes by the variable GLASSNET_ENGINE if it is set, else it takes native where that fits. Raises `SettingError`
    for unknown names, and for native asked for by name where it does not fit.
    """
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    source = "asked for by name"
    if name == "auto" and os.environ.get("GLASSNET_ENGINE"):
        name, source = os.environ["GLASSNET_ENGINE"], "asked for by GLASSNET_ENGINE"
        if name not in ENGINES:
            raise unknown_name("GLASSNET_ENGINE", name, ENGINES)
    if name == "reference":
        return reference, f"reference (numpy, {dtype}): {source}"
    unfit = native.supports(architecture, dtype)
    if unfit and name == "native":
        raise SettingError(
            got=f"engine 'native' for {architecture} in {dtype}",
            expected=f"a network that it can run: {unfit}",
            do="use engine='reference', or 'auto'" + (", or dtype float32" if dtype != "float32" else ""),
        )
    if unfit:
        return reference, f"reference (numpy, {dtype}): the native engine does not fit, {unfit}"
    why = source if name == "native" else "it fits"
    return native, f"native ({native.variant()}, {dtype}): {why}"
