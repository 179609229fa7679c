"""How the examples of an epoch reach the engine: all at once from memory, or block by block from a stream.

An epoch is one or more passes, each a trainer and the order in which it visits its examples. Data in memory is one
pass, with the same trainer in every epoch; each block of a stream has a trainer that continues from the last state.
"""

from collections.abc import Iterator

import numpy as np

from glassnet.arrays import Array
from glassnet.data.dataset import Dataset
from glassnet.data.stream_dataset import Stream
from glassnet.engines.base import Engine, Examples, Plan, State, Trainer
from glassnet.random import epoch_order


def examples(plan: Plan, data: Dataset, weights: Array | None, dtype: str) -> Examples:
    """Data in the form that an engine takes."""
    targets = plan.loss.targets(data.targets, plan.architecture.sizes[-1], dtype)
    return Examples(*data.network_inputs, targets, weights)


class FromMemory:
    """All examples in one trainer; there are `count`, some of which may be on other processes."""

    def __init__(self, engine: Engine, plan: Plan, given: Examples, state: State, count: int) -> None:
        self._trainer, self._plan = engine.trainer(plan, given, state), plan
        self._count = count
        self.about_inputs = self._trainer.about_inputs

    def passes(self, epoch: int) -> Iterator[tuple[Trainer, Array]]:
        """The passes of an epoch."""
        yield self._trainer, epoch_order(self._plan.seed, epoch, self._count)

    def state(self) -> State:
        """Parameters, slots and step."""
        return self._trainer.state()


class FromStream:
    """A trainer for each block of a stream."""

    about_inputs = "inputs in blocks from disk"

    def __init__(self, engine: Engine, plan: Plan, data: Stream, state: State) -> None:
        self._engine, self._plan, self._data, self._state = engine, plan, data, state

    def passes(self, epoch: int) -> Iterator[tuple[Trainer, Array]]:
        """The passes of an epoch."""
        dtype = str(self._state.parameters.dtype)
        for block in self._data.shuffled(self._plan.seed, epoch, self._plan.batch_size):
            trainer = self._engine.trainer(self._plan, examples(self._plan, block, None, dtype), self._state)
            yield trainer, np.arange(len(block))
            self._state = trainer.state()

    def state(self) -> State:
        """Parameters, slots and step."""
        return self._state
