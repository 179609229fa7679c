"""Python: one file of plain Python that imports nothing but math; slow, and short enough to be read.

import digits
digits.predict(inputs)
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.activations import GELU_CUBIC, GELU_ROOT, LEAK, SELU_ALPHA, SELU_SCALE
from glassnet.files.writing import numbers_text, one_line, title

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network

_WIDTH = 116


def filling(network: "Network", path: Path) -> "Filling":
    def fill(name: str) -> None:
        with open(name, "w", encoding="utf-8", newline="\n") as file:
            for line in module(network):
                file.write(line + "\n")

    return fill


def module(network: "Network") -> Iterator[str]:
    """The lines of the file."""
    from glassnet import __version__

    schema = network.schema
    yield f'"""{one_line(title(network))}, written by glassnet {__version__}.'
    yield ""
    yield "    activation = squish(weights . inputs + bias)"
    yield ""
    yield f"`predict` takes {network.sizes[0]} numbers and gives {network.sizes[-1]}."
    yield '"""'
    squishes = list(dict.fromkeys(network.architecture.activations))
    if any("math." in _SQUISHES[squish] for squish in squishes):
        yield ""
        yield "import math"
    yield ""
    if schema.classes is not None:
        yield f"CLASSES = {[str(label) for label in schema.classes]!a}"
    if schema.scale is not None:
        yield f"SCALE = {float(schema.scale)!r}  # what stored whole numbers count times"
    yield ""
    yield ""
    yield "def predict(inputs):"
    yield '    """The outputs for one input, a sequence of numbers as the network computes with them."""'
    yield "    values = [float(value) for value in inputs]"
    yield f"    if len(values) != {network.sizes[0]}:"
    yield f'        raise ValueError(f"got {{len(values)}} inputs; expected {network.sizes[0]}")'
    yield "    for weights, biases, squish in LAYERS:"
    yield "        sums = [sum(map(multiply, row, values)) + bias for row, bias in zip(weights, biases)]"
    yield "        values = squish(sums)"
    yield "    return values"
    yield ""
    if schema.scale is not None:
        yield ""
        yield "def predict_stored(whole_numbers):"
        yield '    """The outputs for one input as it is stored: whole numbers, such as grey values."""'
        yield "    return predict([SCALE * number for number in whole_numbers])"
        yield ""
    yield ""
    yield "def multiply(weight, value):"
    yield "    return weight * value"
    for squish in squishes:
        yield ""
        yield ""
        yield f"def {squish}(sums):"
        yield _SQUISHES[squish]
    yield ""
    yield ""
    yield "LAYERS = ["
    for layer in network.layers:
        yield "    ("
        yield "        ["
        for row in layer.weights:
            yield from _row(numbers_text(row), " " * 12)
        yield "        ],"
        yield from _row(numbers_text(layer.biases), " " * 8)
        yield f"        {layer.activation},"
        yield "    ),"
    yield "]"


def _row(literals: list[str], indent: str) -> Iterator[str]:
    line = indent + "["
    for literal in literals:
        if len(line) + len(literal) + 2 > _WIDTH:
            yield line.rstrip()
            line = indent + " "
        line += f"{literal}, "
    yield line.rstrip(" ,") + "],"


_SIGMOID = "1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))"
_SOFTPLUS = "max(z, 0.0) + math.log1p(math.exp(-abs(z)))"


def _each(formula: str) -> str:
    return f"    return [{formula} for z in sums]"


_SQUISHES: Mapping[str, str] = {
    "identity": "    return sums",
    "sigmoid": _each(_SIGMOID),
    "tanh": _each("math.tanh(z)"),
    "relu": _each("max(z, 0.0)"),
    "leaky_relu": _each(f"z if z > 0 else {LEAK!r} * z"),
    "elu": _each("z if z > 0 else math.expm1(z)"),
    "selu": _each(f"{SELU_SCALE!r} * (z if z > 0 else {SELU_ALPHA!r} * math.expm1(z))"),
    "softplus": _each(_SOFTPLUS),
    "gelu": _each("z * math.erfc(-z / math.sqrt(2)) / 2"),
    "gelu_tanh": _each(f"z / 2 * (1 + math.tanh({GELU_ROOT!r} * (z + {GELU_CUBIC!r} * z * z * z)))"),
    "silu": _each(f"z * ({_SIGMOID})"),
    "mish": _each(f"z * math.tanh({_SOFTPLUS})"),
    "hard_sigmoid": _each("min(max(z / 6 + 0.5, 0.0), 1.0)"),
    "step": _each("1.0 if z > 0 else 0.0"),
    "softmax": "    largest = max(sums)\n    raised = [math.exp(z - largest) for z in sums]\n"
    "    total = sum(raised)\n    return [value / total for value in raised]",
}
"""What each squish does to a list of sums."""
