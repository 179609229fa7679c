"""One neuron of a matrix in a model file: its weights, its bias, what they look like, and its arithmetic on inputs.

activation = squish(weights . inputs + bias)
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.arithmetic import significant
from glassnet.arrays import Array, readonly
from glassnet.errors import AddressError, SettingError
from glassnet.files import naming, quantised
from glassnet.files.tensors import Orientation, TensorSource
from glassnet.names import PLAIN
from glassnet.neuron import Neuron, NeuronTrace
from glassnet.opening import printable, quoted
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Bar, Column, Part, Section, Table


@dataclass(frozen=True, eq=False)
class CheckpointNeuron(Rendered):
    """`weights` of shape (fan_in,); `bias` where `bias_name` could be paired; `neurons_in`: how the matrix lies;
    `scheme`: how the weights were computed, where the file keeps codes."""

    tensor: str
    index: int
    neurons_in: Orientation
    weights: Array
    bias: float | None
    bias_name: str | None
    scheme: str | None = None

    @property
    def statistics(self) -> dict[str, float]:
        """Mean, spread, length, smallest, largest and how many are 0, of those weights that are numbers."""
        weights = self.weights.astype(np.float64)
        finite = weights[np.isfinite(weights)]
        if finite.size == 0:
            return {"count": weights.size, "not_finite": weights.size}
        return {
            "count": weights.size,
            "mean": float(finite.mean()),
            "spread": float(finite.std()),
            "norm": float(np.sqrt(np.sum(finite * finite))),
            "smallest": float(finite.min()),
            "largest": float(finite.max()),
            "zeros": int((finite == 0).sum()),
            "not_finite": int(weights.size - finite.size),
        }

    def strongest(self, top: int = 10) -> list[tuple[int, float]]:
        """The inputs that count most, for or against, with their weights; the strongest first."""
        if top < 0:
            raise SettingError(f"top is {top}, expected a number from 0 up")
        size = np.nan_to_num(np.abs(self.weights.astype(np.float64)), nan=-1.0, posinf=np.inf)
        top = min(top, size.size)
        found = np.argpartition(-size, top - 1)[:top] if 0 < top < size.size else np.arange(top)
        order = sorted(found.tolist(), key=lambda i: (-size[i], i))
        return [(i, float(self.weights[i])) for i in order]

    def trace(self, inputs: Any, activation: str = PLAIN) -> NeuronTrace:
        """Its arithmetic on inputs of shape (fan_in,); without a paired bias that is 0."""
        made = Neuron(self.weights, self.bias or 0.0, activation).trace(inputs)
        return NeuronTrace(
            made.inputs, made.weights, made.weighted_sum, made.bias, made.pre_activation, activation, made.activation,
            name=f"{printable(self.tensor, 60)}, neuron {self.index}",
        )  # fmt: skip

    def document(self, top: int = 10) -> Document:
        """Statistics and the strongest connections."""
        figures = self.statistics
        where = "row" if self.neurons_in == "rows" else "column"
        facts = [("weights", f"{self.weights.size:,}")]
        if self.scheme is not None:
            facts.append(("from codes", printable(self.scheme)))
        if "mean" in figures:
            facts += [(key, significant(figures[key], 6)) for key in ("mean", "spread", "norm")]
            facts.append(("from", f"{significant(figures['smallest'], 6)} to {significant(figures['largest'], 6)}"))
            facts.append(("zeros", f"{figures['zeros']:,}"))
        if figures["not_finite"]:
            facts.append(("NaN, inf", f"{figures['not_finite']:,}"))
        bias = "none found by its name" if self.bias is None else significant(self.bias, 6)
        facts.append(("bias", bias + (f" ({printable(self.bias_name, 50)})" if self.bias_name else "")))
        parts: list[Part] = [Table([Column(), Column(most=80)], facts)]
        found = [(i, weight) for i, weight in self.strongest(top) if weight != 0]
        if found:
            largest = max(abs(weight) for _, weight in found)
            rows = [(f"input {i:,}", significant(weight, 6), Bar(weight, largest)) for i, weight in found]
            columns = [Column(), Column(align="r"), Column()]
            parts.append(Section("strongest connections", [Table(columns, rows)]))
        return Document(f"{printable(self.tensor, 50)}, neuron {self.index} ({where} {self.index})", parts)

    def __repr__(self) -> str:
        return f"CheckpointNeuron({printable(self.tensor, 50)}:{self.index}, {self.weights.size:,} weights)"

    def as_dict(self, top: int = 10) -> dict[str, Any]:
        """Plain values for JSON; what is not finite as text."""
        return {
            "tensor": self.tensor,
            "neuron": self.index,
            "neurons_in": self.neurons_in,
            "bias": _plain(self.bias),
            "bias_name": self.bias_name,
            **({"scheme": self.scheme} if self.scheme is not None else {}),
            "statistics": self.statistics,
            "strongest": [{"input": i, "weight": _plain(weight)} for i, weight in self.strongest(top)],
            "weights": [_plain(weight) for weight in self.weights.tolist()],
        }


def _plain(value: float | None) -> float | str | None:
    return value if value is None or np.isfinite(value) else str(value)


def read_neuron(checkpoint: TensorSource, name: str, index: int, neurons_in: Orientation | None) -> CheckpointNeuron:
    """A row or a column of a matrix with its bias; nothing else is read."""
    info = checkpoint.info(name)
    if neurons_in not in (None, "rows", "columns"):
        raise SettingError(f"neurons_in is {neurons_in!r}, expected 'rows' or 'columns'")
    how = info.quantised
    shape = info.shape if how is None else how.shape
    if len(shape) != 2:
        raise AddressError(
            f"tensor {quoted(name)} has shape {shape}, expected a matrix with a row or a column of weights "
            "for each neuron",
            help="name a tensor with two sizes",
        )
    if how is None and info.packed > 1:
        raise AddressError(
            f"tensor {quoted(name)} packs {info.packed} weights into each {info.dtype}, so none can be read singly",
            help="unpack the model with the tool that packed it",
        )
    way = neurons_in or info.neurons_in or naming.orientation_of(name, checkpoint.tensors, None)
    if way is None:
        raise SettingError(
            f"neither format nor names say whether tensor {quoted(name)} of shape {info.shape} has its neurons in "
            "rows or columns",
            help='give neurons_in="rows" (as PyTorch) or "columns" (as Keras); in the command --neurons-in',
        )
    neurons = shape[0 if way == "rows" else 1]
    if isinstance(index, bool) or not hasattr(index, "__index__") or not 0 <= index.__index__() < neurons:
        raise AddressError(
            f"no neuron {index!r} in {quoted(name)}: "
            + (f"expected one from 0 to {neurons - 1:,}, its {way}" if neurons else "the matrix has none")
        )
    index = index.__index__()
    if how is not None:
        matrix = checkpoint.weights(name)
        weights = matrix[index].copy() if way == "rows" else matrix[:, index].copy()
    else:
        weights = checkpoint.rows(name, index) if way == "rows" else checkpoint.column(name, index)
    bias_name = naming.bias_of(name, checkpoint.tensors)
    bias = None
    if bias_name is not None:
        about = checkpoint.info(bias_name)
        if about.count == neurons:
            if about.quantised is not None:
                read = checkpoint.weights(bias_name).reshape(-1)[index:]
            else:
                read = checkpoint.flat(bias_name, index, index + 1)
            bias = float(read[0])
        else:
            bias_name = None
    scheme = None if how is None else quantised.title(info)
    return CheckpointNeuron(name, index, way, readonly(weights), bias, bias_name, scheme)
