"""Which engine does a job, and why. All have the same verbs (`plan.Engine`) and the same meaning (`reference`)."""

import os

from glassnet.architecture import Architecture
from glassnet.engine import native, reference
from glassnet.engine.plan import Engine, Examples, LayerTrace, Plan, State, Trainer
from glassnet.errors import SettingError, unknown_name

__all__ = ["ENGINES", "Engine", "Examples", "LayerTrace", "Plan", "State", "Trainer", "choose", "native", "reference"]

ENGINES = ("auto", "reference", "native")

WIDE = 512 * 512
"""Weights of one layer after the first, from which numpy's BLAS, on two cores, is faster than the kernel on one: 1.2 to
1.9 times for 784-512-512-10 and 1024-1024-1024-10. (A first layer's zeros are skipped by the kernel alone.)"""


def choose(name: str, architecture: Architecture, dtype: str) -> tuple[Engine, str]:
    """The engine for a network of this structure and dtype, and in words why.

    `auto` goes by the variable GLASSNET_ENGINE if it is set, else it takes native where that fits and no layer is
    wide. Raises `SettingError` for unknown names, and for native asked for by name where it does not fit.
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
    widest = max(architecture.layers[1:], key=lambda layer: layer.fan_in * layer.fan_out, default=None)
    if name == "auto" and widest and widest.fan_in * widest.fan_out >= WIDE:
        size = f"{widest.fan_in} x {widest.fan_out}"
        return reference, f"reference (numpy, {dtype}): its BLAS is faster for a layer of {size}"
    why = source if name == "native" else "it fits"
    return native, f"native ({native.variant()}, {dtype}): {why}"
