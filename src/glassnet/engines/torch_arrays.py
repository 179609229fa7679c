"""Formulas written with numpy, run on PyTorch's tensors: how a user's activation, loss and optimizer get to a GPU.

A formula that brings its slope keeps it (`torch.autograd.Function`); of one without, autograd finds the slope.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from glassnet.activations import Activation, Derived
from glassnet.formulas import Duck, NotFollowed
from glassnet.losses import Loss
from glassnet.optimizers import Optimizer

_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "add": torch.add,
    "subtract": torch.subtract,
    "multiply": torch.multiply,
    "divide": torch.divide,
    "power": torch.pow,
    "maximum": lambda a, b: torch.where(b >= a, b, a),  # a tie goes to the second: the slope of relu at 0 is 0
    "minimum": lambda a, b: torch.where(b <= a, b, a),
    "where": torch.where,
    "negative": torch.neg,
    "positive": torch.positive,
    "abs": torch.abs,
    "sign": torch.sign,
    "sqrt": torch.sqrt,
    "square": torch.square,
    "exp": torch.exp,
    "expm1": torch.expm1,
    "log": torch.log,
    "log1p": torch.log1p,
    "tanh": torch.tanh,
    "sin": torch.sin,
    "cos": torch.cos,
    "arctan": torch.atan,
    "erfc": torch.special.erfc,
    "greater": torch.gt,
    "greater_equal": torch.ge,
    "less": torch.lt,
    "less_equal": torch.le,
    "equal": torch.eq,
    "not_equal": torch.ne,
}


class TorchArray(Duck):
    """A tensor that numpy's functions work on; changed in place by `x *= 2` and `out=x`."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    @property
    def dtype(self) -> Any:
        return np.dtype(np.float64 if self.tensor.dtype == torch.float64 else np.float32)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.tensor.shape)

    @property
    def size(self) -> int:
        return self.tensor.numel()

    @property
    def ndim(self) -> int:
        return self.tensor.ndim

    def __len__(self) -> int:
        return len(self.tensor)

    def __getitem__(self, key: Any) -> "TorchArray":
        return TorchArray(self.tensor[key])

    def apply(self, function: str, *arguments: Any) -> "TorchArray":
        if function not in _FUNCTIONS:
            raise NotFollowed(f"np.{function}")
        return TorchArray(_FUNCTIONS[function](*(self._tensor(argument) for argument in arguments)))

    def _tensor(self, value: Any) -> Tensor:
        if isinstance(value, TorchArray):
            return value.tensor
        dtype = self.tensor.dtype if self.tensor.is_floating_point() else torch.float64  # as numpy does beside booleans
        return torch.as_tensor(value, dtype=dtype, device=self.tensor.device)

    def reduce(self, function: str, axis: int | None, keepdims: bool) -> "TorchArray":
        if function == "max":
            kept = self.tensor.amax(() if axis is None else axis, keepdim=keepdims)
        else:
            kept = getattr(self.tensor, function)(() if axis is None else axis, keepdim=keepdims)
        return TorchArray(kept)

    def fill(self, result: "TorchArray") -> "TorchArray":
        self.tensor.copy_(result.tensor)
        return self

    def astype(self, dtype: Any, copy: bool = True) -> "TorchArray":
        wanted = torch.float64 if np.dtype(dtype) == np.float64 else torch.float32
        if self.tensor.is_floating_point() and self.dtype == dtype:
            return self
        return TorchArray(self.tensor.to(wanted))


def own_activation(of: Activation) -> Callable[[Tensor], Tensor]:
    """The activation over tensors, from its formula and its slope in numpy."""
    if isinstance(of.slope, Derived):
        return lambda z: of(TorchArray(z)).tensor  # type: ignore[arg-type, attr-defined]
    return lambda z: _Activation.apply(z, of)  # type: ignore[no-untyped-call]


class _Activation(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, of: Activation) -> Tensor:
        a: Tensor = of(TorchArray(z)).tensor  # type: ignore[arg-type, attr-defined]
        ctx.save_for_backward(z, a)
        ctx.of = of
        return a.clone() if a is z else a

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        z, a = ctx.saved_tensors
        back: Any = ctx.of.back(TorchArray(z), TorchArray(a), TorchArray(gradient))
        return back.tensor, None


def own_losses(loss: Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of each example, (n,), from its formulas in numpy."""
    if type(loss).per_example_slope is Loss.per_example_slope:
        return loss.per_example(TorchArray(outputs), TorchArray(targets)).tensor  # type: ignore[arg-type, attr-defined]
    return _Loss.apply(outputs, targets, loss)  # type: ignore[no-untyped-call]


class _Loss(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, outputs: Tensor, targets: Tensor, loss: Loss) -> Tensor:
        ctx.save_for_backward(outputs, targets)
        ctx.loss = loss
        return loss.per_example(TorchArray(outputs), TorchArray(targets)).tensor  # type: ignore[arg-type, attr-defined]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        slopes: Any = ctx.loss.per_example_slope(*map(TorchArray, ctx.saved_tensors))
        return slopes.tensor * gradient[:, None], None, None


class OwnRule(torch.optim.Optimizer):
    """An optimizer of `glassnet.optimizers` over tensors: its `update` on all parameters as one flat vector."""

    def __init__(self, parameters: Iterable[torch.nn.Parameter], rule: Optimizer) -> None:
        super().__init__(parameters, {"lr": 0.0})
        self._rule = rule

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            parameters = group["params"]
            step = 1
            for parameter in parameters:
                state = self.state[parameter]
                for slot in self._rule.slots:
                    state.setdefault(slot, torch.zeros_like(parameter))
                step = int(state.setdefault("step", torch.zeros(()))) + 1
            flat = _flat(parameter for parameter in parameters)
            gradient = _flat(p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters)
            slots = [_flat(self.state[p][slot] for p in parameters) for slot in self._rule.slots]
            duck: Any = self._rule.update
            duck(TorchArray(flat), TorchArray(gradient), [*map(TorchArray, slots)], group["lr"], step)
            start = 0
            for parameter in parameters:
                part = slice(start, start + parameter.numel())
                parameter.copy_(flat[part].view_as(parameter))
                for slot, memory in zip(self._rule.slots, slots, strict=True):
                    self.state[parameter][slot].copy_(memory[part].view_as(parameter))
                self.state[parameter]["step"] = torch.tensor(float(step))
                start = part.stop


def _flat(parts: Iterable[Tensor]) -> Tensor:
    return torch.cat([part.reshape(-1) for part in parts])
