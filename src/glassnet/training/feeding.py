"""How an epoch's examples come to the engine: all at once from memory, or a stream's block by block.

Either way an epoch is a number of stretches, each a trainer and the order in which it is to visit its examples. Data in
memory is one stretch, and its trainer stays from epoch to epoch; for each block of a stream another trainer goes on
from the state of the last.
"""

from collections.abc import Iterator

import numpy as np

from glassnet.arrays import Array
from glassnet.data.dataset import Dataset
from glassnet.data.stream_dataset import Stream
from glassnet.engines.base import Engine, Examples, Plan, State, Trainer
from glassnet.random import epoch_order


def examples(plan: Plan, data: Dataset, weights: Array | None, dtype: str) -> Examples:
    """Data as an engine is given it."""
    targets = plan.loss.targets(data.targets, plan.architecture.sizes[-1], dtype)
    return Examples(*data.network_inputs, targets, weights)


class FromMemory:
    """All examples in one trainer; there are `count`, of which other processes may hold some."""

    def __init__(self, engine: Engine, plan: Plan, given: Examples, state: State, count: int) -> None:
        self._trainer, self._plan = engine.trainer(plan, given, state), plan
        self._count = count
        self.about_inputs = self._trainer.about_inputs

    def stretches(self, epoch: int) -> Iterator[tuple[Trainer, Array]]:
        """What an epoch consists of."""
        yield self._trainer, epoch_order(self._plan.seed, epoch, self._count)

    def state(self) -> State:
        """All that the run has come to."""
        return self._trainer.state()


class FromStream:
    """A trainer for each block of a stream."""

    about_inputs = "inputs in blocks from disk"

    def __init__(self, engine: Engine, plan: Plan, data: Stream, state: State) -> None:
        self._engine, self._plan, self._data, self._state = engine, plan, data, state

    def stretches(self, epoch: int) -> Iterator[tuple[Trainer, Array]]:
        """What an epoch consists of."""
        dtype = str(self._state.parameters.dtype)
        for block in self._data.shuffled(self._plan.seed, epoch, self._plan.batch_size):
            trainer = self._engine.trainer(self._plan, examples(self._plan, block, None, dtype), self._state)
            yield trainer, np.arange(len(block))
            self._state = trainer.state()

    def state(self) -> State:
        """All that the run has come to."""
        return self._state
