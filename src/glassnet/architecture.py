"""Architectures: sizes and activations without parameters, and the number of parameters that they make.

    784-16-16-10  ->  784 x 16 + 16,  16 x 16 + 16,  16 x 10 + 10  ->  13,002

A layer with `fan_in` inputs and `fan_out` neurons has a weight for every pair and a bias for every neuron. Nothing here
holds a parameter, so an architecture of 10^12 of them is counted as quickly as one of ten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from glassnet.errors import SettingError, unknown_name
from glassnet.names import DEFAULT_HIDDEN, PLAIN, ActivationLike
from glassnet.render.document import Document, Record, Rendered
from glassnet.render.parts import Column, Table

_BYTES = {"float32": 4, "float64": 8}


@dataclass(frozen=True)
class LayerShape(Record):
    """Sizes of one layer and its place in the flat vector: weights row by row, then the biases."""

    fan_in: int
    fan_out: int
    start: int

    @property
    def biases_start(self) -> int:
        return self.start + self.fan_in * self.fan_out

    @property
    def stop(self) -> int:
        return self.biases_start + self.fan_out

    @property
    def count(self) -> int:
        return self.stop - self.start

    @property
    def formula(self) -> str:
        return f"{self.fan_in:,} x {self.fan_out:,} + {self.fan_out:,}"


@dataclass(frozen=True)
class Architecture(Record):
    """Sizes, inputs first, and the activation of each layer.

    Parameters
    ----------
    sizes : tuple of int
        (784, 16, 16, 10) has three layers; the inputs are not a layer.
    activations : tuple of str
        One for each layer.

    Examples
    --------
    >>> import glassnet as gn
    >>> architecture = gn.Architecture.of("784-16-16-10", "sigmoid")
    >>> architecture.activations, architecture.count().total
    (('sigmoid', 'sigmoid', 'identity'), 13002)
    """

    sizes: tuple[int, ...]
    activations: tuple[str, ...]

    @classmethod
    def of(
        cls,
        sizes: "str | Sequence[int]",
        activation: "ActivationLike | Sequence[ActivationLike]" = DEFAULT_HIDDEN,
        output: "ActivationLike | None" = None,
    ) -> "Architecture":
        """An architecture from sizes as text, and activations by name.

        Parameters
        ----------
        sizes : str or sequence of int
            "784-16-16-10" or (784, 16, 16, 10).
        activation : str or sequence of str, default "relu"
            For all hidden layers, or one for each layer, the output layer included.
        output : str, optional
            Activation of the last layer; by default the last of a list, else "identity" (plain scores, for a loss on
            logits).

        Returns
        -------
        Architecture

        Raises
        ------
        SettingError
            If sizes or activations are not valid.

        Examples
        --------
        >>> import glassnet as gn
        >>> gn.Architecture.of("2-4-3", output="softmax").activations
        ('relu', 'softmax')
        """
        from glassnet.activations import activation as known_activation

        sizes = parse_sizes(sizes)
        layers = len(sizes) - 1
        names: tuple[ActivationLike, ...]
        if isinstance(activation, str) or callable(activation):
            names = (activation,) * (layers - 1) + (output or PLAIN,)
        else:
            names = tuple(activation)
            if len(names) == layers - 1 and output:
                names += (output,)
            if len(names) != layers:
                raise SettingError(
                    f"{len(names)} activation{'s' * (len(names) != 1)} for the {layers} layers of {spec(sizes)}",
                    help="name one activation for all hidden layers, or list one per layer, the output layer included",
                )
            names = (*names[:-1], output or names[-1])
        known = [known_activation(name) for name in names]
        for position, of in enumerate(known[:-1]):
            if of.by_row:
                raise SettingError(f"{of.name} in hidden layer {position}: only the last layer can have {of.name}")
        return cls(sizes, tuple(of.name for of in known))

    @cached_property
    def layers(self) -> tuple[LayerShape, ...]:
        shapes, start = [], 0
        for fan_in, fan_out in zip(self.sizes, self.sizes[1:], strict=False):
            shapes.append(LayerShape(fan_in, fan_out, start))
            start = shapes[-1].stop
        return tuple(shapes)

    def count(self, dtype: str = "float32") -> "ParameterCount":
        """Number of parameters, layer by layer.

        Parameters
        ----------
        dtype : {"float32", "float64"}, default "float32"
            For the number of bytes.

        Returns
        -------
        ParameterCount

        Examples
        --------
        >>> import glassnet as gn
        >>> print(gn.Architecture.of("784-16-10").count())
        layer  inputs x neurons + biases  numbers
            0  784 x 16 + 16               12,560
            1  16 x 10 + 10                   170
        total  50.9 kB as float32          12,730
        """
        if dtype not in _BYTES:
            raise unknown_name("dtype", dtype, _BYTES)
        return ParameterCount(self.layers, _BYTES[dtype])

    def document(self) -> Document:
        """The number of parameters of each layer."""
        figures = self.count().document()
        return Document(f"{self}, {' '.join(self.activations)}", figures.parts)

    def __str__(self) -> str:
        return spec(self.sizes)


@dataclass(frozen=True)
class ParameterCount(Rendered):
    """Parameters of each layer and their sum; print it to read it.

    Parameters
    ----------
    rows : tuple of LayerShape
    bytes_each : int
        Bytes of a parameter.

    Examples
    --------
    >>> import glassnet as gn
    >>> found = gn.count("784-16-16-10")
    >>> found.total, found.weights, found.biases, found.bytes
    (13002, 12960, 42, 52008)
    """

    rows: tuple[LayerShape, ...]
    bytes_each: int = 4

    @property
    def total(self) -> int:
        return sum(row.count for row in self.rows)

    @property
    def weights(self) -> int:
        return sum(row.fan_in * row.fan_out for row in self.rows)

    @property
    def biases(self) -> int:
        return sum(row.fan_out for row in self.rows)

    @property
    def bytes(self) -> int:
        return self.total * self.bytes_each

    def __iter__(self) -> Iterator[LayerShape]:
        return iter(self.rows)

    def __int__(self) -> int:
        return self.total

    def document(self) -> Document:
        """The ledger as a table."""
        rows = [[str(i), row.formula, f"{row.count:,}"] for i, row in enumerate(self.rows)]
        rows.append(["total", f"{human_bytes(self.bytes)} as float{8 * self.bytes_each}", f"{self.total:,}"])
        heads = ("layer", "inputs x neurons + biases", "numbers")
        columns = [Column(name, align) for name, align in zip(heads, "rlr", strict=True)]
        return Document("", [Table(columns, rows, strong=[len(self.rows)], ruled=[len(self.rows)])])

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {
            "total": self.total,
            "weights": self.weights,
            "biases": self.biases,
            "bytes": self.bytes,
            "layers": [
                {
                    "layer": i,
                    "fan_in": r.fan_in,
                    "fan_out": r.fan_out,
                    "formula": f"{r.formula} = {r.count:,}",
                    "total": r.count,
                }
                for i, r in enumerate(self.rows)
            ],
        }


def count_sizes(sizes: "str | Sequence[int]", dtype: str = "float32") -> ParameterCount:
    """Parameters of an architecture with these sizes; activations have none."""
    sizes = parse_sizes(sizes)
    return Architecture(sizes, (PLAIN,) * (len(sizes) - 1)).count(dtype)


def spec(sizes: Sequence[int]) -> str:
    """Sizes as text: `784-16-16-10`."""
    return "-".join(str(size) for size in sizes)


def parse_sizes(sizes: "str | Sequence[int]") -> tuple[int, ...]:
    """Sizes from `"784-16-16-10"` or a sequence of whole numbers; raises `SettingError` if they are not valid."""
    try:
        parts = sizes.split("-") if isinstance(sizes, str) else list(sizes)
        parsed = tuple(int(part) for part in parts)
        whole = all(isinstance(part, str) or part == int(part) for part in parts)
    except (TypeError, ValueError, OverflowError):
        parsed, whole = (), False
    if not whole or len(parsed) < 2 or min(parsed) < 1:
        raise SettingError(
            f"sizes {sizes!r} do not describe a network: expected at least two whole numbers from 1 up, first the "
            "inputs, then the neurons of each layer",
            help="write them as 784-16-16-10 or (784, 16, 16, 10)",
        )
    return parsed


def human_bytes(count: int) -> str:
    """52008 -> `52.0 kB` (decimal units)."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if round(size, 1) < 1000 or unit == "TB":
            return f"{count} bytes" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    raise AssertionError
