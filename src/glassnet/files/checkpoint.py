"""The common interface of model files: every format's reader opens a file as a `Checkpoint`.

Opening one reads its header; a row is read when it is asked for, and no more of the file than that row.
"""

from glassnet.files.neuron_report import CheckpointNeuron, read_neuron
from glassnet.files.report import CheckpointCount
from glassnet.files.tensors import Orientation, TensorSource
from glassnet.render.document import Document, Record


class Checkpoint(Record, TensorSource):
    """A model file, opened.

    Use it as a context manager, or `close` it, where the file is large and long held.
    """

    def document(self) -> Document:
        """Its tree of tensors, from the header alone."""
        return self.count().document()

    def __repr__(self) -> str:
        return f"Checkpoint({self.path.name}: {self.format}, {len(self.tensors):,} tensors)"

    def count(self) -> CheckpointCount:
        """How many numbers, of which kind, where: a tree that is printed as one. Nothing but the header was read."""
        return CheckpointCount.of(self)

    def neuron(self, name: str, index: int, neurons_in: Orientation | None = None) -> CheckpointNeuron:
        """One neuron of a matrix: its weights and, if one can be paired, its bias; only these are read.

        `neurons_in` overrides the way the matrix lies ("rows" or "columns"). Raises `AddressError` for a tensor or a
        neuron that is not there, `SettingError` where the way must be said.
        """
        return read_neuron(self, name, index, neurons_in)

    def close(self) -> None:
        """Let the file go."""

    def __enter__(self) -> "Checkpoint":
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()
