"""The reference engine: plain numpy, to be read beside the equations. It is the meaning of every other engine.

    forward    Z = A W' + b,  A = activation(Z)                            for each layer, inputs first
    backward   G_Z = G_A * slope(Z),  G_W = G_Z' A_before,  G_b = sum of G_Z,  G_A_before = G_Z W      last layer first

Rows are examples: A_before is (n, fan_in), W is (fan_out, fan_in), Z and A are (n, fan_out). Not fast by tricks; any
sizes, float32 and float64.
"""

from collections.abc import Iterator, Sequence
from math import isfinite

import numpy as np

from glassnet.activations import activation
from glassnet.architecture import Architecture
from glassnet.arrays import Array, dense
from glassnet.engines.base import Examples, LayerTrace, Plan, State
from glassnet.engines.blas import fitting_threads
from glassnet.losses import Loss
from glassnet.optimizers import Optimizer
from glassnet.random import dropout_mask

name = "reference"


def supports(
    architecture: Architecture, dtype: str, loss: Loss | None = None, optimizer: Optimizer | None = None
) -> str | None:
    """Supports every plan: it calls the formulas themselves."""
    return None


def weights_and_biases(architecture: Architecture, parameters: Array) -> Iterator[tuple[Array, Array]]:
    """Views into the flat vector: each layer's weights (fan_out, fan_in) and biases (fan_out,)."""
    for layer in architecture.layers:
        weights = parameters[layer.start : layer.biases_start].reshape(layer.fan_out, layer.fan_in)
        yield weights, parameters[layer.biases_start : layer.stop]


def as_floats(inputs: Array, scale: float, dtype: np.dtype) -> Array:
    """The inputs as the network sees them: of its dtype, times `scale`."""
    inputs = dense(inputs).astype(dtype, copy=False)
    return inputs if scale == 1 else inputs * dtype.type(scale)


def forward(architecture: Architecture, parameters: Array, inputs: Array, scale: float = 1.0) -> Array:
    with fitting_threads(architecture, inputs.shape[0]), np.errstate(over="ignore", invalid="ignore"):
        for layer in _layer_by_layer(architecture, parameters, inputs, scale):
            outputs = layer.activations
    return outputs


def trace(architecture: Architecture, parameters: Array, inputs: Array, scale: float = 1.0) -> list[LayerTrace]:
    with fitting_threads(architecture, inputs.shape[0]), np.errstate(over="ignore", invalid="ignore"):
        return list(_layer_by_layer(architecture, parameters, inputs, scale))


def _layer_by_layer(architecture: Architecture, parameters: Array, inputs: Array, scale: float) -> Iterator[LayerTrace]:
    activations = as_floats(inputs, scale, parameters.dtype)
    layers = weights_and_biases(architecture, parameters)
    for name, (weights, biases) in zip(architecture.activations, layers, strict=True):
        weighted_sums = activations @ weights.T
        pre_activations = weighted_sums + biases
        activations = activation(name)(pre_activations)
        yield LayerTrace(weighted_sums, pre_activations, activations)


def gradient(architecture: Architecture, parameters: Array, examples: Examples, loss: Loss) -> tuple[float, Array]:
    with fitting_threads(architecture, examples.inputs.shape[0]):
        return _batch_gradient(architecture, parameters, examples, loss, masks=[])


def _batch_gradient(
    architecture: Architecture, parameters: Array, batch: Examples, loss: Loss, masks: Sequence[Array | None]
) -> tuple[float, Array]:
    """The loss and its slope; `masks` holds, for each hidden layer with dropout, what its activations are times."""
    functions = [activation(name) for name in architecture.activations]
    layers = list(weights_and_biases(architecture, parameters))

    before = [as_floats(batch.inputs, batch.scale, parameters.dtype)]  # what goes into each layer
    trail = []  # each layer's (pre-activations, activations)
    for i, (function, (weights, biases)) in enumerate(zip(functions, layers, strict=True)):
        z = before[-1] @ weights.T + biases
        a = function(z)
        trail.append((z, a))
        mask = masks[i] if i < len(masks) else None
        before.append(a if mask is None else a * mask)

    z, a = trail[-1]
    on_logits = loss.reads_logits(architecture.activations[-1])
    outputs = z if on_logits else a
    value = loss.value(outputs, batch.targets, batch.sample_weights)
    back = loss.slope(outputs, batch.targets, batch.sample_weights)
    if not on_logits:
        back = functions[-1].back(z, a, back)

    slopes = np.empty_like(parameters)
    for i, (for_weights, for_biases) in reversed(list(enumerate(weights_and_biases(architecture, slopes)))):
        np.matmul(back.T, before[i], out=for_weights)
        back.sum(axis=0, out=for_biases)
        if i > 0:
            back = back @ layers[i][0]
            mask = masks[i - 1] if i <= len(masks) else None
            back = functions[i - 1].back(*trail[i - 1], back if mask is None else back * mask)
    return value, slopes


class ReferenceTrainer:
    """Mini-batch training: for each batch the gradient, the penalties, the clipping, the update."""

    about_inputs = "inputs as they are, zeros multiplied like all others"

    def __init__(self, plan: Plan, examples: Examples, state: State) -> None:
        self._plan, self._examples, self._state = plan, examples, state.copy()
        if not self._state.slots:
            self._state.slots = [np.zeros_like(state.parameters) for _ in plan.optimizer.slots]

    def run(self, order: Array, learning_rates: Sequence[float]) -> list[float]:
        with (
            fitting_threads(self._plan.architecture, self._plan.batch_size),
            np.errstate(over="ignore", invalid="ignore"),  # the loss shows that a run diverges
        ):
            return self._steps(order, learning_rates)

    def _steps(self, order: Array, learning_rates: Sequence[float]) -> list[float]:
        plan, state = self._plan, self._state
        losses = []
        for batch, learning_rate in enumerate(learning_rates):
            rows = order[batch * plan.batch_size : (batch + 1) * plan.batch_size]
            examples = take(self._examples, rows)
            masks = self._masks(len(rows))
            value, slopes = _batch_gradient(plan.architecture, state.parameters, examples, plan.loss, masks)
            losses.append(value)
            if not isfinite(value):
                break
            self._add_penalties(slopes)
            if plan.clip_norm is not None:
                length = float(np.linalg.norm(slopes))
                slopes *= min(1.0, plan.clip_norm / (length + 1e-6))  # as torch.nn.utils.clip_grad_norm_ does
            state.step += 1
            plan.optimizer.update(state.parameters, slopes, state.slots, learning_rate, state.step)
        return losses

    def state(self) -> State:
        return self._state.copy()

    def _masks(self, rows: int) -> list[Array | None]:
        """For each hidden layer what its activations are multiplied by at this step: 0, or 1 / (1 - share)."""
        plan = self._plan
        return [
            dropout_mask(plan.seed, self._state.step, i, (rows, width), rate).astype(self._state.parameters.dtype)
            * self._state.parameters.dtype.type(1 / (1 - rate))
            if rate
            else None
            for i, (width, rate) in enumerate(zip(plan.architecture.sizes[1:-1], plan.dropout, strict=False))
        ]

    def _add_penalties(self, slopes: Array) -> None:
        plan = self._plan
        if not (plan.l1 or any(plan.l2_of_layers)):
            return
        for layer, l2 in zip(plan.architecture.layers, plan.l2_of_layers, strict=True):
            weights = slice(layer.start, layer.biases_start)
            values = self._state.parameters[weights]
            slopes[weights] += l2 * values + plan.l1 * np.sign(values)


def take(examples: Examples, rows: Array) -> Examples:
    """Only these examples."""
    weights = examples.sample_weights
    return Examples(
        examples.inputs[rows], examples.scale, examples.targets[rows], None if weights is None else weights[rows]
    )


def trainer(plan: Plan, examples: Examples, state: State) -> ReferenceTrainer:
    return ReferenceTrainer(plan, examples, state)
