"""The formulas of floor 1 as PyTorch has them: squishes, losses, rules and dropout masks over tensors.

Nothing is defined here: each entry is PyTorch's own function of that name, set so that it says what `activations`,
`losses`, `optimizers` and `randomness` say. Slopes are left to autograd.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from glassnet import losses, optimizers
from glassnet.architecture import Architecture
from glassnet.arrays import Array
from glassnet.random import GOLDEN, MIX_1, MIX_2, splitmix64

SQUISHES: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "softplus": lambda z: F.softplus(z, threshold=40),  # from 20 on, its default, it is off by 2e-9
    "gelu": F.gelu,
    "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "hard_sigmoid": lambda z: F.relu6(z + 3) / 6,  # hardsigmoid itself has float32's 1/6 as its slope in float64
    "step": lambda z: (z > 0).to(z.dtype) + 0 * z,  # so that autograd finds a slope: 0
    "softmax": lambda z: F.softmax(z, dim=-1),
}


class Dense(nn.Module):
    """The chain of layers. Its parameters, in order, are the flat vector; by name they are the tensors of our files."""

    def __init__(self, architecture: Architecture, dtype: torch.dtype) -> None:
        """On the meta device, without memory: `to_empty` gives it some."""
        super().__init__()
        self._squishes = [SQUISHES[name] for name in architecture.activations]
        self.linear = [
            nn.Linear(layer.fan_in, layer.fan_out, device="meta", dtype=dtype) for layer in architecture.layers
        ]
        self.layers = nn.ModuleList(self.linear)

    def forward(self, inputs: Tensor, kept: Iterable[Tensor | None] = (), logits: bool = False) -> Tensor:
        """The outputs (n, fan_out), or the last pre-activations; `kept` is what hidden activations are times."""
        a, masks = inputs, iter(kept)
        *hidden, last = self.linear
        for layer, squish in zip(hidden, self._squishes, strict=False):
            a = squish(layer(a))
            mask = next(masks, None)
            a = a if mask is None else a * mask
        z: Tensor = last(a)
        return z if logits else self._squishes[-1](z)


def example_losses(loss: losses.Loss, outputs: Tensor, targets: Tensor) -> Tensor:
    """The loss of each example, (n,)."""
    match loss:
        case losses.SquaredError():
            each = F.mse_loss(outputs, targets, reduction="none")
        case losses.AbsoluteError():
            each = F.l1_loss(outputs, targets, reduction="none")
        case losses.Huber(delta=delta):
            each = F.huber_loss(outputs, targets, reduction="none", delta=delta)
        case losses.BinaryCrossEntropy():
            each = F.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
        case losses.CrossEntropy(label_smoothing=smoothing):
            by_class = class_weights(loss, outputs)
            each = F.cross_entropy(outputs, targets, by_class, reduction="none", label_smoothing=smoothing)
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


SLOTS = {
    "velocity": "momentum_buffer",
    "mean": "exp_avg",
    "sum_of_squares": "sum",
    "mean_square": "exp_avg_sq",
}


def slots(rule: optimizers.Optimizer) -> list[str]:
    """What PyTorch's optimizer calls the memory of this rule, in our order."""
    return ["square_avg" if isinstance(rule, optimizers.RMSprop) else SLOTS[name] for name in rule.slots]


def optimizer(
    rule: optimizers.Optimizer, parameters: Iterable[nn.Parameter], fused: bool = True
) -> torch.optim.Optimizer:
    """PyTorch's optimizer for this rule; `fused` into one pass over the numbers where it has that."""
    common: dict[str, Any] = {"params": list(parameters), "lr": 0.0, "fused": fused}
    match rule:
        case optimizers.SGD():
            return torch.optim.SGD(**common)
        case optimizers.Momentum(momentum=momentum):
            nesterov = isinstance(rule, optimizers.Nesterov)
            return torch.optim.SGD(**common, momentum=momentum, nesterov=nesterov)
        case optimizers.AdamW(beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=decay):
            return torch.optim.AdamW(**common, betas=(beta1, beta2), eps=epsilon, weight_decay=decay)
        case optimizers.Adam(beta1=beta1, beta2=beta2, epsilon=epsilon):
            return torch.optim.Adam(**common, betas=(beta1, beta2), eps=epsilon)
        case optimizers.Adagrad(epsilon=epsilon):
            return torch.optim.Adagrad(**common, eps=epsilon)
        case optimizers.RMSprop(decay=decay, epsilon=epsilon):
            del common["fused"]
            return torch.optim.RMSprop(**common, alpha=decay, eps=epsilon)
    raise AssertionError(f"no rule of PyTorch for {rule}")


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
