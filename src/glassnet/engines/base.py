"""What all engines are given: the job, the examples and the numbers that change.

An engine knows arrays only. It takes (architecture, parameter vector, inputs) and gives outputs, a trace, a gradient
or a trained vector; it changes only arrays that it made itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from glassnet.architecture import Architecture
from glassnet.arrays import Array
from glassnet.losses import Loss
from glassnet.optimizers import Optimizer


class LayerTrace(NamedTuple):
    """One layer at work, each of shape (n, fan_out): `activations = activation(pre_activations)`,
    `pre_activations = weighted_sums + biases`."""

    weighted_sums: Array
    pre_activations: Array
    activations: Array


class Examples(NamedTuple):
    """What is learnt from: inputs (n, fan_in) as stored, what they are multiplied by, targets as the loss reads them,
    and a weight for each example (or None: all count alike)."""

    inputs: Array
    scale: float
    targets: Array
    sample_weights: Array | None = None


@dataclass(frozen=True)
class Plan:
    """How a step is made: everything that stays the same over a run.

    l1, l2     added to the loss for the weights w (not the biases): l1 * sum |w| + l2 / 2 * sum w^2; l2 may be one
               number for each layer
    dropout    the share of each hidden layer's activations that is set to 0 at a step; the others grow by 1 / (1 -
    share)
    clip_norm  the gradient (penalties included) is shortened to this length where it is longer
    seed       what the dropout masks are drawn from
    """

    architecture: Architecture
    loss: Loss
    optimizer: Optimizer
    batch_size: int
    l1: float = 0.0
    l2: float | tuple[float, ...] = 0.0
    dropout: tuple[float, ...] = ()
    clip_norm: float | None = None
    seed: int = 0

    @property
    def l2_of_layers(self) -> tuple[float, ...]:
        """The L2 penalty of each layer."""
        return self.l2 if isinstance(self.l2, tuple) else (self.l2,) * len(self.architecture.layers)


@dataclass
class State:
    """All that a run has come to: the parameters, the optimizer's memory, and the number of steps taken."""

    parameters: Array
    slots: list[Array] = field(default_factory=list)
    step: int = 0

    def copy(self) -> "State":
        return State(self.parameters.copy(), [slot.copy() for slot in self.slots], self.step)


class Trainer(Protocol):
    """A run in progress inside an engine."""

    @property
    def about_inputs(self) -> str:
        """How the inputs are held, in words."""
        ...

    def run(self, order: Array, learning_rates: Sequence[float]) -> list[float]:
        """One step for each batch of `order` (indices of examples) and its learning rate; the loss of each batch.

        Stops at the first loss that is not finite, before its step is taken: that loss is then the last of the list.
        """
        ...

    def state(self) -> State:
        """A copy of all that the run has come to."""
        ...


class Engine(Protocol):
    """The verbs. `inputs` (n, fan_in) count times `scale`; `parameters` is the flat vector, of the results' dtype."""

    @property
    def name(self) -> str: ...

    def supports(
        self, architecture: Architecture, dtype: str, loss: Loss | None = None, optimizer: Optimizer | None = None
    ) -> str | None:
        """None where it computes exactly this, else the reason why it cannot.

        What a subclass overrides counts: a loss or an optimizer is judged by its exact type, not by its name.
        """
        ...

    def forward(self, architecture: Architecture, parameters: Array, inputs: Array, scale: float = 1.0) -> Array:
        """The outputs, (n, fan_out)."""
        ...

    def trace(
        self, architecture: Architecture, parameters: Array, inputs: Array, scale: float = 1.0
    ) -> list[LayerTrace]:
        """Every layer's numbers."""
        ...

    def gradient(
        self, architecture: Architecture, parameters: Array, examples: Examples, loss: Loss
    ) -> tuple[float, Array]:
        """The loss of these examples as one batch, and its slope with respect to every parameter."""
        ...

    def trainer(self, plan: Plan, examples: Examples, state: State) -> Trainer:
        """Start, or go on with, a run."""
        ...
