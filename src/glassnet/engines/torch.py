"""The torch engine: the same verbs over PyTorch's tensors, for wide networks, GPUs and many processes.

    module = Dense(architecture)      its parameters are the flat vector, layer after layer
    loss(module(inputs)).backward()   the gradient by autograd; the rules are torch.optim's

Here are the verbs. `torch_formulas` has the formulas, `torch_examples` brings the data, `torch_steps` takes the steps.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from glassnet.architecture import Architecture
from glassnet.arrays import Array, dense
from glassnet.engines import torch_formulas as formulas
from glassnet.engines.base import Examples, LayerTrace, Plan, State
from glassnet.engines.torch_inputs import as_floats, batches, on_device, tensor
from glassnet.engines.torch_steps import Alone, GradientExchange, Steps, back, losses_of
from glassnet.errors import SettingError, unknown_name
from glassnet.losses import Loss
from glassnet.optimizers import Optimizer

DEVICES = ("cpu", "cuda", "mps")


@dataclass(frozen=True)
class Torch:
    """The engine on one device.

    device    "cpu", "cuda" (or "cuda:1"), "mps"
    bfloat16  multiply in bfloat16 where torch.autocast holds that to be safe; parameters keep their own type
    compile   let torch.compile fuse the passes; the first steps then take long
    exchange      the processes that share the work

    Raises `SettingError` for a device that is not there.
    """

    device: str = "cpu"
    bfloat16: bool = False
    compile: bool = False
    exchange: GradientExchange = field(default_factory=Alone)
    name: str = field(default="torch", init=False)

    def __post_init__(self) -> None:
        check_device(self.device)

    def supports(
        self, architecture: Architecture, dtype: str, loss: Loss | None = None, optimizer: Optimizer | None = None
    ) -> str | None:
        """None where it computes exactly this, else why it cannot."""
        return formulas.supports(architecture, loss, optimizer)

    def forward(self, architecture: Architecture, parameters: Array, inputs: Array, scale: float = 1.0) -> Array:
        module = self._module(architecture, parameters)
        rows = int(inputs.shape[0])
        with torch.inference_mode(), self._autocast():
            outputs = module(self._floats(inputs[self.exchange.mine(rows)], scale, parameters))
        return _array(self.exchange.gather(outputs, rows), parameters)

    def trace(
        self, architecture: Architecture, parameters: Array, inputs: Array, scale: float = 1.0
    ) -> list[LayerTrace]:
        activations, traced = self._floats(inputs, scale, parameters), []
        layers = self._module(architecture, parameters).linear
        with torch.inference_mode(), self._autocast():
            for name, layer in zip(architecture.activations, layers, strict=True):
                weighted_sums = nn.functional.linear(activations, layer.weight)
                pre_activations = weighted_sums + layer.bias
                activations = formulas.torch_activation(name)(pre_activations)
                numbers = (weighted_sums, pre_activations, activations)
                traced.append(LayerTrace(*(_array(part, parameters) for part in numbers)))
        return traced

    def gradient(
        self, architecture: Architecture, parameters: Array, examples: Examples, loss: Loss
    ) -> tuple[float, Array]:
        module = self._module(architecture, parameters)
        batch = on_device(examples, self._at, _dtype(parameters))
        with self._autocast():
            losses, counts = losses_of(module, batch, loss, loss.reads_logits(architecture.activations[-1]))
        count = float(len(examples.targets)) if counts is None else counts.item()
        back(losses, 1 / count if count else 0.0)
        slopes = _vector([_slope(parameter) for parameter in module.parameters()])
        return (losses.sum().item() / count if count else 0.0), slopes

    def trainer(self, plan: Plan, examples: Examples, state: State) -> "TorchTrainer":
        return TorchTrainer(self, plan, examples, state)

    def steps(
        self, plan: Plan, module: nn.Module, optimizer: torch.optim.Optimizer, examples: Examples, step: int
    ) -> tuple[Steps, str]:
        """Steps on a module that lies on this device, and in words how the inputs are held."""
        parallel = self.exchange.parallel(module)
        dtype = next(module.parameters()).dtype
        bring, about_inputs = batches(examples, self._at, dtype)
        if self.compile:
            parallel.compile()
        return Steps(plan, parallel, optimizer, bring, self.exchange, self.bfloat16, step), about_inputs

    @property
    def _at(self) -> torch.device:
        return torch.device(self.device)

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self._at.type, torch.bfloat16, enabled=self.bfloat16)

    def _module(self, architecture: Architecture, parameters: Array) -> formulas.Dense:
        module = formulas.Dense(architecture, _dtype(parameters)).to_empty(device=self._at)
        vector_to_parameters(tensor(parameters, self._at), module.parameters())  # which become views of one vector
        return module

    def _floats(self, inputs: Array, scale: float, parameters: Array) -> Tensor:
        return as_floats(tensor(dense(inputs), self._at), scale, _dtype(parameters))


class TorchTrainer:
    """A run in progress on the engine's device. `about_inputs` says how the inputs are held."""

    def __init__(self, engine: Torch, plan: Plan, examples: Examples, state: State) -> None:
        self._module = engine._module(plan.architecture, state.parameters)
        for parameter in self._module.parameters():
            parameter.data = parameter.data.clone()  # memory of its own, which begins where processors like it to
        self._names = formulas.slots(plan.optimizer)
        self._optimizer = formulas.optimizer(plan.optimizer, self._module.parameters())
        self._begin_with(state)
        self._steps, self.about_inputs = engine.steps(plan, self._module, self._optimizer, examples, state.step)

    def run(self, order: Array, learning_rates: Sequence[float]) -> list[float]:
        return self._steps.run(order, learning_rates)

    def state(self) -> State:
        memory = [
            _vector([self._optimizer.state[parameter][name] for parameter in self._module.parameters()])
            for name in self._names
        ]
        return State(_vector(self._module.parameters()), memory, self._steps.step)

    def _begin_with(self, state: State) -> None:
        """Give the optimizer its memory: what the state holds, or zeros."""
        parameters = list(self._module.parameters())
        fused = self._optimizer.defaults.get("fused")  # reads its count of steps where the parameters are
        step = torch.tensor(float(state.step), device=parameters[0].device if fused else "cpu")
        for slot, name in enumerate(self._names):
            kept = state.slots[slot] if state.slots else np.zeros_like(state.parameters)
            parts = torch.split(tensor(kept.copy(), parameters[0].device), [p.numel() for p in parameters])
            for parameter, part in zip(parameters, parts, strict=True):
                self._optimizer.state[parameter][name] = part.view_as(parameter)
                self._optimizer.state[parameter]["step"] = step.clone()


def check_device(device: str) -> None:
    """`SettingError` unless this machine has the device."""
    kind, _, number = device.partition(":")
    if kind not in DEVICES or not (number or "0").isdecimal():
        raise unknown_name("device", device, DEVICES)
    count = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }[kind]
    if int(number or 0) >= count:
        there = [name for name in DEVICES if name == "cpu" or (name != kind and accelerator() == name)]
        raise SettingError(
            f"this machine has {count} devices of the kind {device!r}: PyTorch {torch.__version__} finds "
            f"{', '.join(there)}",
            help="name another device, or install the PyTorch that is built for this one",
        )


def accelerator() -> str | None:
    """The device other than the CPU that PyTorch finds here."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else None


def _dtype(parameters: Array) -> torch.dtype:
    return torch.float64 if parameters.dtype == np.float64 else torch.float32


def _array(numbers: Tensor, like: Array) -> Array:
    return numbers.to("cpu", _dtype(like)).numpy()


def _slope(parameter: nn.Parameter) -> Tensor:
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


def _vector(parts: Iterable[Tensor]) -> Array:
    """Tensors as one flat vector."""
    return parameters_to_vector(parts).detach().to("cpu", copy=True).numpy()
