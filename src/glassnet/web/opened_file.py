"""A model file on the page: its tree, one of its neurons, the network in it. Of large files only rows are read."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

from glassnet.errors import AddressError, GlassnetError, SettingError
from glassnet.files import naming
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.inspection import open
from glassnet.files.neuron_report import CheckpointNeuron
from glassnet.files.tensors import TensorInfo
from glassnet.files.writing import for_page
from glassnet.names import DEFAULT_HIDDEN
from glassnet.network import Network, load
from glassnet.web.responses import number

MOST_LOADED = 20_000_000
"""A file of more numbers is looked into, and never loaded as a network."""
MOST_INPUTS = 1 << 24
"""A neuron of more inputs is not read."""
MOST_WEIGHTS = 1 << 16
"""So many weights are sent at a time."""


class Chain(NamedTuple):
    """The dense layers in a file: sizes, and activations where the file says them; or why there are none."""

    sizes: tuple[int, ...] | None = None
    activations: tuple[str, ...] | None = None
    why: str = ""


class Opened:
    """The file at `path`, which is called `name` in all that is said of it. One thread reads it at a time."""

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self._reading = threading.Lock()
        with called(path, name):
            self._file: Checkpoint = open(path)

    def tree(self) -> dict[str, Any]:
        """What is in it: every tensor, in the file's order, and what the page should know besides."""
        with self._read() as file:
            count = file.count()
        chain = self.chain
        notes = [*count.notes, *([f"no network to open: {chain.why}"] if chain.why else [])]
        return {
            "name": self.name,
            "kind": count.format,
            "total": count.total,
            "bytes": count.bytes,
            "tensors": [
                {
                    "name": info.name,
                    "shape": list(info.shape),
                    "dtype": info.dtype,
                    "count": info.count,
                    "bytes": info.bytes,
                    "neurons": _neurons(file, info),
                    "role": info.role,
                    "shared_with": info.shared_with,
                }
                for info in count.tensors
            ],
            "notes": notes,
            "chain": chain.sizes and {"sizes": chain.sizes, "activations": chain.activations},
        }

    def neuron(self, tensor: str, index: int, start: int = 0) -> dict[str, Any]:
        """A neuron's weights from `start` on, at most `MOST_WEIGHTS`, its bias and figures of the whole row.

        A vector counts as one neuron; of other tensors, what lies at `index` along the first axis.
        Raises `AddressError` for what is not there.
        """
        with self._read() as file:
            info = file.info(tensor)
            axes = len(info.shape)
            fan_in = max(info.shape) if axes == 2 else prod(info.shape[1:] if axes > 1 else info.shape)
            if fan_in > MOST_INPUTS:
                raise SettingError(
                    f"a neuron of this tensor has {fan_in:,} weights, expected at most {MOST_INPUTS:,}",
                    help="choose a smaller tensor",
                )
            if axes == 2:
                found = file.neuron(tensor, index)
            elif axes < 2:
                if index > 0:
                    raise AddressError(f"a vector is one neuron, got index {index}", help="ask for index=0")
                found = CheckpointNeuron(tensor, 0, "rows", file.flat(tensor, 0, info.count), None, None)
            else:
                found = CheckpointNeuron(tensor, index, "rows", file.rows(tensor, index).reshape(-1), None, None)
        figures = found.statistics
        return {
            "tensor": tensor,
            "index": index,
            "shape": list(info.shape),
            "dtype": info.dtype,
            "fan_in": found.weights.size,
            "bias": None if found.bias is None else number(found.bias),
            "bias_tensor": found.bias_name,
            "start": start,
            "weights": [number(float(weight)) for weight in found.weights[start : start + MOST_WEIGHTS]],
            "mean": figures.get("mean"),
            "std": figures.get("spread"),
            "min": figures.get("smallest"),
            "max": figures.get("largest"),
        }

    def network(self, activation: str | list[str] | None = None) -> bytes:
        """The chain of dense layers in it, as glassnet's own file in float32; raises what `gn.load` raises."""
        return for_page(self._loaded(activation))

    @cached_property
    def chain(self) -> Chain:
        """Whether a network is in it; found out by loading it, once, where it is small."""
        try:
            architecture = self._loaded().architecture
            return Chain(architecture.sizes, architecture.activations)
        except SettingError:
            pass  # a chain, whose file does not say its activations; or too large
        except GlassnetError as problem:
            return Chain(why=problem.problem)
        try:
            return Chain(self._loaded(DEFAULT_HIDDEN).architecture.sizes)
        except GlassnetError as problem:
            return Chain(why=problem.problem)

    def _loaded(self, activation: str | list[str] | None = None) -> Network:
        with self._read() as file:
            held = sum(info.count for info in file.tensors.values())
            if held > MOST_LOADED:
                raise SettingError(
                    f"the network has {held:,} numbers, too many for the page: expected at most {MOST_LOADED:,}",
                    help="look at its neurons one by one",
                )
            return load(self.path, activation)

    @contextmanager
    def _read(self) -> Iterator[Checkpoint]:
        with self._reading, called(self.path, self.name):
            yield self._file


def _neurons(file: Checkpoint, info: TensorInfo) -> int:
    """How many indices `Opened.neuron` takes for this tensor."""
    if len(info.shape) < 2:
        return 1
    if len(info.shape) > 2:
        return info.shape[0]
    way = info.neurons_in or naming.orientation_of(info.name, file.tensors, None)
    return info.shape[1 if way == "columns" else 0]


@contextmanager
def called(path: Path, name: str) -> Iterator[None]:
    """Errors about the file at `path` call it by its name: where it lies is of no use to the page."""
    try:
        yield
    except GlassnetError as problem:
        problem.problem = problem.problem.replace(str(path), name)
        raise
