"""Which engine does a job, and why. All have the same verbs (`plan.Engine`) and the same meaning (`reference`)."""

import os
from importlib.util import find_spec

from glassnet.architecture import Architecture
from glassnet.engines import native, reference
from glassnet.engines.base import Engine, Examples, LayerTrace, Plan, State, Trainer
from glassnet.errors import MissingExtra, SettingError, unknown_name
from glassnet.losses import Loss
from glassnet.optimizers import Optimizer

__all__ = ["ENGINES", "Engine", "Examples", "LayerTrace", "Plan", "State", "Trainer", "choose", "native", "reference"]

ENGINES = ("auto", "reference", "native", "torch")

WIDE = 512 * 512
"""Weights of one layer after the first, from which numpy's BLAS, on two cores, is faster than the kernel on one: 1.2 to
1.9 times for 784-512-512-10 and 1024-1024-1024-10. (A first layer's zeros are skipped by the kernel alone.)"""


def choose(
    name: str | Engine,
    architecture: Architecture,
    dtype: str,
    device: str | None = None,
    batch_size: int | None = None,
    loss: Loss | None = None,
    optimizer: Optimizer | None = None,
) -> tuple[Engine, str]:
    """The engine for a network of this structure and dtype, and in words why.

    `auto` goes by the variable GLASSNET_ENGINE if it is set, or takes torch where a `device` is named. Else it takes
    native where that fits and no layer is wide; and for the training of wide ones, which a `batch_size` indicates,
    a GPU if there is one that gains (see `gain`). Raises `SettingError` for unknown names and devices, and for native
    asked for by name where it does not fit; `MissingExtra` for torch where that is not installed.
    """
    if not isinstance(name, str):
        return _fit(name, architecture, dtype, loss, optimizer), f"{name.name} ({dtype}): given"
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    source = "asked for by name"
    if name == "auto" and os.environ.get("GLASSNET_ENGINE"):
        name, source = os.environ["GLASSNET_ENGINE"], "asked for by GLASSNET_ENGINE"
        if name not in ENGINES:
            raise unknown_name("GLASSNET_ENGINE", name, ENGINES)
    if name == "torch" or (name == "auto" and device is not None):
        engine, why = _torch(device or "cpu", dtype, source if name == "torch" else f"device {device} asked for")
        return _fit(engine, architecture, dtype, loss, optimizer), why
    if device not in (None, "cpu"):
        raise SettingError(f"engine {name!r} knows no devices, got device={device!r}", help="use engine='torch'")
    if name == "reference":
        return reference, f"reference (numpy, {dtype}): {source}"
    if name == "native":
        return _fit(native, architecture, dtype, loss, optimizer), f"native ({native.variant()}, {dtype}): {source}"
    unfit = native.supports(architecture, dtype, loss, optimizer)
    if unfit:
        return reference, f"reference (numpy, {dtype}): the native engine does not fit, {unfit}"
    widest = max(architecture.layers[1:], key=lambda layer: layer.fan_in * layer.fan_out, default=None)
    if name == "auto" and widest and widest.fan_in * widest.fan_out >= WIDE:
        gpu = _gpu(architecture, dtype, batch_size)
        if gpu is not None and gpu[0].supports(architecture, dtype, loss, optimizer) is None:
            return gpu
        size = f"{widest.fan_in} x {widest.fan_out}"
        return reference, f"reference (numpy, {dtype}): its BLAS is faster for a layer of {size}"
    return native, f"native ({native.variant()}, {dtype}): it fits"


def _fit(
    engine: Engine, architecture: Architecture, dtype: str, loss: Loss | None, optimizer: Optimizer | None
) -> Engine:
    """The engine, or `SettingError` where it cannot do this."""
    reason = engine.supports(architecture, dtype, loss, optimizer)
    if reason is None:
        return engine
    raise SettingError(
        f"the {engine.name} engine cannot do this: {reason}",
        help="use engine='auto', which falls back to the reference"
        + (", or dtype float32" if engine.name == "native" and dtype != "float32" else ""),
    )


def _torch(device: str, dtype: str, why: str) -> tuple[Engine, str]:
    try:
        from glassnet.engines.torch import Torch
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtra("torch", "torch") from None
    if device.startswith("mps") and dtype == "float64":
        raise SettingError("the device mps has no float64", help="use dtype='float32'")
    return Torch(device), f"torch ({device}, {dtype}): {why}"


def _gpu(architecture: Architecture, dtype: str, batch_size: int | None) -> tuple[Engine, str] | None:
    """torch on the GPU, if there is one and steps of this size are quicker there; measured now, in a tenth of a second
    or so."""
    if batch_size is None or find_spec("torch") is None:
        return None
    from glassnet.engines.torch import accelerator

    device = accelerator()
    if device is None or (device == "mps" and dtype == "float64"):
        return None
    from glassnet.engines.cost_model import seconds_per_step

    there, here = (seconds_per_step(architecture, dtype, batch_size, place) for place in (device, "cpu"))
    if there >= here:
        return None
    return _torch(device, dtype, f"a step of {batch_size} is about {here / there:.1f} times as quick as here")
