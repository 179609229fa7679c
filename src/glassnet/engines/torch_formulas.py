"""The formulas as PyTorch has them: activations, losses, rules and dropout masks over tensors.

Where the tables name PyTorch's own function or class, that is used; else the formula in numpy (see `torch_arrays`).
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassnet import losses, optimizers
from glassnet.activations import activation
from glassnet.architecture import Architecture
from glassnet.arrays import Array
from glassnet.engines.torch_arrays import OwnRule, TorchArray, own_activation, own_losses
from glassnet.random import GOLDEN, MIX_1, MIX_2, splitmix64


def torch_activation(name: str) -> Callable[[Tensor], Tensor]:
    """The activation of this name over tensors."""
    of = activation(name)
    if of.torch is None:
        return own_activation(of)
    function, settings = of.torch
    found: Callable[..., Tensor] = getattr(F, function, None) or getattr(torch, function)
    return partial(found, **settings)


def supports(
    architecture: Architecture, loss: losses.Loss | None = None, optimizer: optimizers.Optimizer | None = None
) -> str | None:
    """None where each part is PyTorch's own, or is written with what `torch_arrays` has; else what is not."""
    z = torch.tensor([[0.25, -1.5]], dtype=torch.float64, requires_grad=True)
    part = ""
    try:
        for name in architecture.activations:
            part = f"the activation {name}"
            if activation(name).torch is None:
                torch_activation(name)(z).sum().backward()  # type: ignore[no-untyped-call]
        if loss is not None and not losses.LOSSES.fresh(loss):
            part = f"the loss {type(loss).__name__}"
            if any(
                getattr(type(loss), own) is not getattr(losses.Loss, own) for own in ("value", "slope", "total_weight")
            ):
                return f"{part} has a mean over the batch of its own"
            example_losses(loss, z, torch.ones_like(z)).sum().backward()  # type: ignore[no-untyped-call]
        if optimizer is not None and not optimizers.OPTIMIZERS.fresh(optimizer):
            part = f"the optimizer {type(optimizer).__name__}"
            flat = TorchArray(z.detach().clone()), TorchArray(z.detach().clone())
            update: Any = optimizer.update
            update(*flat, [TorchArray(0 * z.detach()) for _ in optimizer.slots], 0.1, 1)
    except Exception as problem:  # a formula written for numpy alone may raise anything
        return f"{part} does not run on tensors ({str(problem).splitlines()[0]})"
    return None


class Dense(nn.Module):
    """The chain of layers. Its parameters, in order, are the flat vector; by name they are the tensors of our files."""

    def __init__(self, architecture: Architecture, dtype: torch.dtype) -> None:
        """On the meta device, without memory: `to_empty` gives it some."""
        super().__init__()
        self._activations = [torch_activation(name) for name in architecture.activations]
        self.linear = [
            nn.Linear(layer.fan_in, layer.fan_out, device="meta", dtype=dtype) for layer in architecture.layers
        ]
        self.layers = nn.ModuleList(self.linear)

    def forward(self, inputs: Tensor, kept: Iterable[Tensor | None] = (), logits: bool = False) -> Tensor:
        """The outputs (n, fan_out), or the last pre-activations; `kept` is what hidden activations are times."""
        a, masks = inputs, iter(kept)
        *hidden, last = self.linear
        for layer, function in zip(hidden, self._activations, strict=False):
            a = function(layer(a))
            mask = next(masks, None)
            a = a if mask is None else a * mask
        z: Tensor = last(a)
        return z if logits else self._activations[-1](z)


def example_losses(loss: losses.Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of each example, (n,)."""
    name = vars(type(loss)).get("torch")
    if name is None:
        return own_losses(loss, outputs, targets)
    settings = {field.name: getattr(loss, field.name) for field in fields(loss)}
    if "class_weights" in settings:
        settings["weight"] = class_weights(loss, outputs)
        del settings["class_weights"]
    each: Tensor = getattr(F, name)(outputs, targets, reduction="none", **settings)
    return each if each.ndim == 1 else each.mean(dim=1)


def example_weights(loss: losses.Loss, targets: Tensor, weights: Tensor | None, like: Tensor) -> Tensor | None:
    """What each example counts in the number that the sum of the losses is divided by; None: all count 1."""
    by_class = class_weights(loss, like)
    if by_class is None or targets.ndim == 2:
        return weights
    return by_class[targets] if weights is None else by_class[targets] * weights


def class_weights(loss: losses.Loss, like: Tensor) -> Tensor | None:
    """One for each class, where the loss has some."""
    given = getattr(loss, "class_weights", None)
    return None if given is None else like.new_tensor(given)


def slots(rule: optimizers.Optimizer) -> tuple[str, ...]:
    """What PyTorch's optimizer calls the memory of this rule, in our order."""
    theirs: optimizers.TorchRule | None = vars(type(rule)).get("torch")
    return rule.slots if theirs is None else theirs.slots


def optimizer(
    rule: optimizers.Optimizer, parameters: Iterable[nn.Parameter], fused: bool = True
) -> torch.optim.Optimizer:
    """PyTorch's optimizer for this rule; `fused` into one pass over the numbers where it has that."""
    theirs: optimizers.TorchRule | None = vars(type(rule)).get("torch")
    if theirs is None:
        return OwnRule(list(parameters), rule)
    kind = getattr(torch.optim, theirs.name)
    parameters = list(parameters)
    settings: dict[str, Any] = {"lr": 0.0, **theirs.fixed}
    for ours, name in theirs.settings.items():
        value = getattr(rule, ours)
        settings[name] = (*settings.get(name, ()), value) if name == "betas" else value
    if "fused" in inspect.signature(kind).parameters:
        there = parameters[0].device.type == "cpu" or kind is not torch.optim.Adagrad  # fused on no GPU (PyTorch 2.13)
        settings["fused"] = fused and there
    made: torch.optim.Optimizer = kind(parameters, **settings)
    return made


def dropout_mask(key: tuple[int, int, int], rows: Array, width: int, rate: float, like: Tensor) -> Tensor:
    """`randomness.dropout_mask` of (seed, step, layer) = `key` for these rows of a batch, over 1 - rate, where `like`
    lives: the same bits, drawn side by side. Shape (rows, width).
    """
    start = splitmix64(splitmix64(key[0] ^ 0xD20, key[1]), key[2])
    first = torch.as_tensor(rows, device=like.device)[:, None] * width + 1
    z = (first + torch.arange(width, device=like.device)) * _signed(GOLDEN) + _signed(start)
    z = (z ^ _down(z, 30)) * _signed(MIX_1)
    z = (z ^ _down(z, 27)) * _signed(MIX_2)
    z = _down(z ^ _down(z, 31), 40)
    return (z >= round(rate * (1 << 24))).to(like.dtype) / (1 - rate)


def _signed(number: int) -> int:
    """64 bits as the whole number with sign that PyTorch knows; products wrap around alike."""
    return number - (1 << 64) if number >> 63 else number


def _down(z: Tensor, bits: int) -> Tensor:
    """z >> bits with zeros coming in."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)
