"""What a network answers for raw inputs: the names of classes, or values in the unit of the target."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.activations import activation
from glassnet.arithmetic import significant, three
from glassnet.arrays import Array
from glassnet.names import PLAIN
from glassnet.render.document import Document, Record
from glassnet.render.parts import Bar, Cell, Column, Table, Text

if TYPE_CHECKING:
    from glassnet.network import Network


@dataclass(frozen=True, eq=False, repr=False)
class Prediction(Record):
    """The answer of a network for one input, or for n of them.

    Attributes
    ----------
    outputs : array of shape (fan_out,) or (n, fan_out)
        What the network computes: probabilities of the classes, or values in the unit of the target.
    labels : tuple of str or None
        The name of the class of each input; None where the outputs are values.
    target : str or None
        The name of what is predicted.
    notes : tuple of str
        What was filled in or assumed on the way.
    classes : tuple of str or None
        The name of each output, where outputs are classes with names.
    """

    outputs: Array
    labels: tuple[str, ...] | None = None
    target: str | None = None
    notes: tuple[str, ...] = ()
    classes: tuple[str, ...] | None = None

    @property
    def label(self) -> str | None:
        """The class of a single input."""
        return self.labels[0] if self.labels is not None and self.outputs.ndim == 1 else None

    def __len__(self) -> int:
        return 1 if self.outputs.ndim == 1 else len(self.outputs)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "outputs": self.outputs.tolist(),
            "labels": None if self.labels is None else list(self.labels),
            "target": self.target,
            "notes": list(self.notes),
        }

    def document(self, top: int = 10) -> Document:
        """The outputs for one input, the largest first; or the answers for the first inputs.

        Parameters
        ----------
        top : int, default 10
            Number of outputs, or of inputs.
        """
        many = self.outputs.ndim == 2
        values = self.outputs if many else self.outputs[None]
        names = self.classes if self.classes is not None and len(self.classes) == values.shape[1] else None
        names = names or tuple(f"output {k}" for k in range(values.shape[1]))
        rows: list[list[Cell]] = []
        if many:
            for k, row in enumerate(values[:top]):
                answer = self.labels[k] if self.labels else ", ".join(significant(float(v), 6) for v in row[:4])
                rows.append([str(k), answer, three(float(row.max())) if self.labels else ""])
            heads = [Column("input", "r"), Column(self.target or "answer"), Column("", "r")]
        else:
            order = np.argsort(-values[0], kind="stable")[:top].tolist() if self.labels else range(len(values[0]))[:top]
            largest = float(np.abs(values).max()) or 1.0
            for k in order:
                value = float(values[0, k])
                rows.append([names[k], significant(value, 6), Bar(value, largest, bool((values < 0).any()))])
            heads = [Column(self.target or "", "l", 24), Column("output", "r"), Column()]
        count = len(values) if many else values.shape[1]
        more = [Text(f"... {count - top:,} more", quiet=True)] if count > top else []
        return Document(repr(self), [Table(heads, rows), *more, *(Text(note) for note in self.notes)])

    def __repr__(self) -> str:
        if self.outputs.ndim == 2:
            return f"Prediction({len(self):,} inputs)"
        if self.labels is None:
            values = ", ".join(f"{value:.7g}" for value in self.outputs[:4].tolist())
            more = ", ..." if len(self.outputs) > 4 else ""
            return f"Prediction({self.target + ' = ' if self.target else ''}{values}{more})"
        share = float(self.outputs.max())
        sure = f", {share:.2%}" if len(self.outputs) > 1 and 0 <= share <= 1 else ""
        return f"Prediction({self.labels[0]}{sure})"


def labels_of(outputs: Array, network: "Network") -> tuple[str, ...] | None:
    """The names of the classes that outputs (n, fan_out) choose; None where they are values."""
    classes, last = network.schema.classes, network.architecture.activations[-1]
    if classes is None and activation(last).probabilities is None:
        return None
    names = classes or [str(k) for k in range(max(outputs.shape[1], 2))]
    return tuple(names[k] if k < len(names) else str(k) for k in classify(outputs, network).tolist())


def classify(outputs: Array, network: "Network", on_logits: bool = False) -> Array:
    """The class of each row, (n,): the largest output; with one output, class 1 where it is above even."""
    if outputs.shape[1] > 1:
        return outputs.argmax(axis=1)
    name = PLAIN if on_logits else network.architecture.activations[-1]
    even = float(activation(name)(np.zeros((1, 1)))[0, 0])  # what a logit of 0 becomes: 0.5 under sigmoid
    return (outputs[:, 0] > even).astype(np.int64)
