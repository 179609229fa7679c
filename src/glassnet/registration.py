"""Activations, losses and optimizers of your own, known by name from then on."""

import inspect
from collections.abc import Callable
from typing import Any

from glassnet import activations
from glassnet.activations import Activation
from glassnet.errors import SettingError
from glassnet.losses import LOSSES, FunctionLoss, Loss
from glassnet.optimizers import OPTIMIZERS, Optimizer


def register(thing: Any = None, /, *, slope: Callable[[Any, Any], Any] | None = None, replace: bool = False) -> Any:
    """Make an activation, a loss or an optimizer known by its name; also a decorator.

    The `auto` engine computes it with the reference, and says so; `engine="torch"` runs formulas that are written with
    the functions that `glassnet.formulas` lists. A network with an activation of your own is saved by its name:
    register the activation before you load the network.

    Parameters
    ----------
    thing : Activation, function, subclass of Loss or of Optimizer
        A function of one argument is an activation, one of two, (outputs, targets), a loss per example.
    slope : callable, optional
        (z, a) -> da/dz of an activation that is a function. Without it the function is differentiated, exact to
        rounding; at a corner the slope on its left counts.
    replace : bool
        Replace an earlier one of this name that was registered. Built-in ones cannot be replaced.

    Returns
    -------
    thing
        What was given, so that a decorated function or class stays what it is.

    Raises
    ------
    SettingError
        If the name is taken, or the formula uses something that cannot be differentiated.
    InputError
        If the formula changes shapes, or a given slope is not that of the formula.

    Examples
    --------
    >>> import numpy as np, glassnet as gn
    >>> @gn.register
    ... def bent(z):
    ...     return z / (1 + np.abs(z))
    >>> gn.Neuron([1, 2], 0.5, "bent")([1, 1])
    0.7777777777777778
    >>> @gn.register
    ... class Signs(gn.optimizers.Optimizer):
    ...     name = "signs"
    ...     def update(self, parameters, gradient, slots, learning_rate, step):
    ...         parameters -= learning_rate * np.sign(gradient)
    >>> gn.optimizers.optimizer("signs")
    Signs()
    """
    if thing is None:
        return lambda decorated: register(decorated, slope=slope, replace=replace)
    if isinstance(thing, Activation):
        activations.register(thing, replace=replace)
    elif isinstance(thing, type) and issubclass(thing, Loss | Optimizer):
        table: Any = LOSSES if issubclass(thing, Loss) else OPTIMIZERS
        if not isinstance(getattr(thing, "name", None), str) or not thing.name.isidentifier():
            raise SettingError(
                f"{thing.__name__} has no name: expected a Python identifier",
                help=f"put name = {thing.__name__.lower()!r} into the class",
            )
        if table.get(thing.name) is not thing:
            table.add(thing, replace or _same_class(table.get(thing.name), thing))
    elif callable(thing) and not isinstance(thing, type):
        if _arguments(thing) == 1:
            activations.register(thing, slope, replace)
        elif _arguments(thing) == 2:
            _register_loss(thing, replace)
        else:
            raise SettingError(
                f"a function of {_arguments(thing)} arguments is neither an activation nor a loss",
                help="an activation takes z, a loss takes (outputs, targets)",
            )
    else:
        raise SettingError(
            f"{thing!r} is no activation, loss or optimizer",
            help="register a function, an Activation, or a subclass of Loss or Optimizer",
        )
    return thing


def _register_loss(function: Callable[[Any, Any], Any], replace: bool) -> None:
    name = FunctionLoss(function=function).name

    def formula(self: Loss, outputs: Any, targets: Any) -> Any:
        return FunctionLoss(function=function).per_example(outputs, targets)

    kind: Any = type(name, (Loss,), {"name": name, "per_example": formula, "__module__": function.__module__})
    register(kind, replace=replace)


def _arguments(function: Callable[..., Any]) -> int:
    """How many arguments it needs; numpy's functions say it themselves."""
    count = getattr(function, "nin", None)
    if count is not None:
        return int(count)
    parameters = inspect.signature(function).parameters.values()
    return sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def _same_class(there: Any, given: type) -> bool:
    """Whether this is the same definition, run again, as a cell of a notebook is."""
    return there is not None and (there.__module__, there.__qualname__) == (given.__module__, given.__qualname__)
