"""PyTorch as the outside judge: the same formulas, networks and training by its own functions and autograd.

Nothing here calls glassnet's arithmetic, save for the dropout masks, which are random and have to be the same.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from glassnet import losses, optimizers
from glassnet.architecture import Architecture
from glassnet.arrays import Array
from glassnet.engines.base import Examples, Plan
from glassnet.random import dropout_mask

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z * 1,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "selu": F.selu,
    "softplus": lambda z: F.softplus(z, threshold=40),  # from 20 on, the default, it is off by 2e-9
    "gelu": F.gelu,
    "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "hard_sigmoid": lambda z: F.relu6(z + 3) / 6,  # hardsigmoid itself has float32's 1/6 as its slope in float64
    "step": lambda z: (z > 0).to(z.dtype) + 0 * z,  # so that autograd finds a slope: 0
    "softmax": lambda z: F.softmax(z, dim=-1),
}

LOGITS_OF = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}


def tensor(array: Array, slopes: bool = False) -> Tensor:
    return torch.tensor(array, requires_grad=slopes)


def loss_value(loss: losses.Loss, outputs: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """The mean that PyTorch calls by the same name; with weights for the examples, their weighted mean."""
    if weights is None:
        return _loss(loss, outputs, targets, "mean")
    each = _loss(loss, outputs, targets, "none")
    shares = weights
    if each.ndim == 2:
        each = each.mean(1)
    elif isinstance(loss, losses.CrossEntropy) and loss.class_weights is not None and targets.ndim == 1:
        shares = weights * torch.tensor(loss.class_weights, dtype=outputs.dtype)[targets]
    return (each * weights).sum() / shares.sum()


def _loss(loss: losses.Loss, outputs: Tensor, targets: Tensor, reduction: str) -> Tensor:
    match loss:
        case losses.SquaredError():
            return F.mse_loss(outputs, targets, reduction=reduction)
        case losses.AbsoluteError():
            return F.l1_loss(outputs, targets, reduction=reduction)
        case losses.Huber(delta=delta):
            return F.huber_loss(outputs, targets, reduction=reduction, delta=delta)
        case losses.BinaryCrossEntropy():
            return F.binary_cross_entropy_with_logits(outputs, targets, reduction=reduction)
        case losses.CrossEntropy(label_smoothing=smoothing, class_weights=given):
            by_class = None if given is None else torch.tensor(given, dtype=outputs.dtype)
            return F.cross_entropy(outputs, targets, by_class, reduction=reduction, label_smoothing=smoothing)
    raise AssertionError(f"no PyTorch loss for {loss}")


def layers(sizes: Sequence[int], parameters: Array) -> list[tuple[Tensor, Tensor]]:
    """The flat vector cut up: layer after layer the weights row by row, then the biases."""
    parts, rest = [], np.asarray(parameters)
    for fan_in, fan_out in pairwise(sizes):
        weights, biases, rest = np.split(rest, [fan_in * fan_out, fan_in * fan_out + fan_out])
        parts.append((tensor(weights.reshape(fan_out, fan_in), slopes=True), tensor(biases, slopes=True)))
    assert rest.size == 0
    return parts


def forward(
    architecture: Architecture,
    parts: Sequence[tuple[Tensor, Tensor]],
    inputs: Tensor,
    kept: Sequence[Tensor | None] = (),
) -> tuple[Tensor, Tensor]:
    """The last layer's pre-activations and activations; `kept` is what hidden activations are multiplied by."""
    a = inputs
    for i, (name, (weights, biases)) in enumerate(zip(architecture.activations, parts, strict=True)):
        z = F.linear(a, weights, biases)
        a = ACTIVATIONS[name](z)
        if i < len(kept) and kept[i] is not None:
            a = a * kept[i]
    return z, a


def network_loss(
    architecture: Architecture,
    parts: Sequence[tuple[Tensor, Tensor]],
    examples: Examples,
    loss: losses.Loss,
    kept: Sequence[Tensor | None] = (),
) -> Tensor:
    inputs = tensor(examples.inputs.astype(parts[0][0].detach().numpy().dtype)) * examples.scale
    z, a = forward(architecture, parts, inputs, kept)
    outputs = z if LOGITS_OF.get(loss.name) == architecture.activations[-1] else a
    weights = None if examples.sample_weights is None else tensor(examples.sample_weights)
    return loss_value(loss, outputs, tensor(examples.targets), weights)


def gradient(
    architecture: Architecture, parameters: Array, examples: Examples, loss: losses.Loss
) -> tuple[float, Array]:
    parts = layers(architecture.sizes, parameters)
    value = network_loss(architecture, parts, examples, loss)
    value.backward()
    return float(value.detach()), flat(part.grad for pair in parts for part in pair)


def flat(tensors: Any) -> Array:
    return np.concatenate([t.detach().numpy().ravel() for t in tensors])


def optimizer(rule: optimizers.Optimizer, tensors: Sequence[Tensor], rate: float = 1.0) -> torch.optim.Optimizer:
    match rule:
        case optimizers.SGD():
            return torch.optim.SGD(tensors, rate)
        case optimizers.Nesterov(momentum=momentum):
            return torch.optim.SGD(tensors, rate, momentum=momentum, nesterov=True)
        case optimizers.Momentum(momentum=momentum):
            return torch.optim.SGD(tensors, rate, momentum=momentum)
        case optimizers.AdamW(beta1=beta1, beta2=beta2, epsilon=epsilon, weight_decay=decay):
            return torch.optim.AdamW(tensors, rate, (beta1, beta2), epsilon, weight_decay=decay)
        case optimizers.Adam(beta1=beta1, beta2=beta2, epsilon=epsilon):
            return torch.optim.Adam(tensors, rate, (beta1, beta2), epsilon)
        case optimizers.RMSprop(decay=decay, epsilon=epsilon):
            return torch.optim.RMSprop(tensors, rate, decay, epsilon)
        case optimizers.Adagrad(epsilon=epsilon):
            return torch.optim.Adagrad(tensors, rate, eps=epsilon)
    raise AssertionError(f"no PyTorch optimizer for {rule}")


def train(
    plan: Plan, parameters: Array, examples: Examples, order: Array, rates: Sequence[float]
) -> tuple[list[float], Array]:
    """The loss of each batch and the parameters after the last: a training loop as one writes it with PyTorch."""
    parts = layers(plan.architecture.sizes, parameters)
    tensors = [part for pair in parts for part in pair]
    rule = optimizer(plan.optimizer, tensors)
    values = []
    for step, rate in enumerate(rates):
        rows = order[step * plan.batch_size : (step + 1) * plan.batch_size]
        weights = None if examples.sample_weights is None else examples.sample_weights[rows]
        batch = Examples(examples.inputs[rows], examples.scale, examples.targets[rows], weights)
        kept = [
            tensor(dropout_mask(plan.seed, step, layer, (len(rows), width), share).astype(parameters.dtype))
            / (1 - share)
            if share
            else None
            for layer, (width, share) in enumerate(zip(plan.architecture.sizes[1:-1], plan.dropout, strict=False))
        ]
        value = network_loss(plan.architecture, parts, batch, plan.loss, kept)
        values.append(float(value.detach()))
        for (matrix, _), l2 in zip(parts, plan.l2_of_layers, strict=True):
            value = value + plan.l1 * matrix.abs().sum() + l2 / 2 * (matrix**2).sum()
        rule.zero_grad()
        value.backward()
        if plan.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(tensors, plan.clip_norm)
        for group in rule.param_groups:
            group["lr"] = rate
        rule.step()
    return values, flat(tensors)
