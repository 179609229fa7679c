"""Python: one file of plain Python that imports nothing but math; slow, and short enough to be read.

import digits
digits.predict(inputs)
"""

import builtins
import keyword
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.activations import activation
from glassnet.files.formula_text import PYTHON, by_row, formula_of, written
from glassnet.files.writing import numbers_text, one_line, title

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network
    from glassnet.schema import Schema

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
    yield from _taken(network)
    yield '"""'
    squishes = list(dict.fromkeys(network.architecture.activations))
    if any("math." in line for squish in squishes for line in _function(squish)):
        yield ""
        yield "import math"
    yield ""
    if schema.classes is not None:
        yield f"CLASSES = {[str(label) for label in schema.classes]!a}"
    yield from _constants(schema)
    yield ""
    yield ""
    yield "def predict(inputs):"
    yield '    """The outputs for one raw input."""'
    yield "    values = preprocess(inputs)"
    yield "    for weights, biases, squish in LAYERS:"
    yield "        sums = [sum(map(multiply, row, values)) + bias for row, bias in zip(weights, biases)]"
    yield "        values = squish(sums)"
    yield "    return values"
    yield ""
    if schema.classes is not None and len(schema.classes) == network.sizes[-1] > 1:
        yield ""
        yield "def classify(inputs):"
        yield '    """The name of the class of one raw input."""'
        yield "    outputs = predict(inputs)"
        yield "    return CLASSES[outputs.index(max(outputs))]"
        yield ""
    yield ""
    yield from _preprocess(network)
    yield ""
    yield ""
    yield "def multiply(weight, value):"
    yield "    return weight * value"
    for squish in squishes:
        yield ""
        yield ""
        yield from _function(squish)
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
        yield f"        {_named(layer.activation)},"
        yield "    ),"
    yield "]"


def _taken(network: "Network") -> Iterator[str]:
    """What `predict` takes, in words."""
    schema, width = network.schema, network.sizes[0]
    if schema.features is not None:
        yield "`predict` takes a raw row: a dict by column name, or a sequence in the order of COLUMNS."
        yield f"It gives {network.sizes[-1]} numbers; None or NaN is a missing value."
    elif schema.preprocesses:
        yield f"`predict` takes {width} stored pixels, from 0 to {1 / (schema.scale or 1):.6g}, and gives"
        yield f"{network.sizes[-1]} numbers."
    else:
        yield f"`predict` takes {width} numbers and gives {network.sizes[-1]}."


def _constants(schema: "Schema") -> Iterator[str]:
    """What `preprocess` needs."""
    if schema.features is not None:
        yield "COLUMNS = {  # each column of a row: None for numbers, or the texts that it can hold"
        for name, texts in schema.columns.items():
            yield f"    {name!a}: {None if texts is None else list(texts)!a},"
        yield "}"
    for word, numbers in (("CENTERS", schema.centers), ("SPREADS", schema.spreads)):
        if numbers is not None:
            yield f"{word} = {[float(number) for number in numbers]!r}"
    fill = schema.fill or schema.centers
    if fill is not None:
        yield f"MISSING = {[float(number) for number in fill]!r}  # what a missing number becomes"
    if schema.preprocesses and not schema.standardises:
        yield f"SCALE = {float(schema.scale or 1)!r}  # what stored pixels count times"


def _preprocess(network: "Network") -> Iterator[str]:
    """The function that makes the inputs of the first layer of a raw row."""
    schema, width = network.schema, network.sizes[0]
    yield "def preprocess(inputs):"
    yield '    """One raw input as the first layer takes it."""'
    if schema.features is None:
        times = "SCALE * " if schema.preprocesses and not schema.standardises else ""
        yield f"    values = [{times}float(value) for value in inputs]"
    else:
        yield "    cells = [inputs[name] for name in COLUMNS] if isinstance(inputs, dict) else list(inputs)"
        short = f" != {width}" if schema.one_hot else ""
        yield f"    if len(cells) == len(COLUMNS){short}:"
        yield "        values = []"
        yield "        for texts, cell in zip(COLUMNS.values(), cells):"
        yield "            if texts is None:"
        yield "                missing = cell is None or cell != cell"
        yield (
            "                values.append(MISSING[len(values)] if missing else float(cell))"
            if schema.fill or schema.centers
            else "                values.append(0.0 if missing else float(cell))"
        )
        yield "            else:"
        yield "                values += [float(cell == text) for text in texts]"
        yield "    else:"
        yield "        values = [float(cell) for cell in cells]"
    yield f"    if len(values) != {width}:"
    yield f'        raise ValueError(f"got {{len(values)}} inputs; expected {width}")'
    if schema.centers is not None:
        yield "    values = [value - center for value, center in zip(values, CENTERS)]"
    if schema.spreads is not None:
        yield "    values = [value / spread for value, spread in zip(values, SPREADS)]"
    yield "    return values"


def _row(literals: list[str], indent: str) -> Iterator[str]:
    line = indent + "["
    for literal in literals:
        if len(line) + len(literal) + 2 > _WIDTH:
            yield line.rstrip()
            line = indent + " "
        line += f"{literal}, "
    yield line.rstrip(" ,") + "],"


def _function(name: str) -> Iterator[str]:
    """What an activation does to a list of sums."""
    of = activation(name)
    yield f"def {_named(name)}(sums):"
    if by_row(of, "python"):
        yield "    largest = max(sums)"
        yield "    raised = [math.exp(z - largest) for z in sums]"
        yield "    total = sum(raised)"
        yield "    return [value / total for value in raised]"
        return
    steps, whole = written(
        formula_of(of, "python"), PYTHON, lambda number: repr(number) if number >= 0 else f"({number!r})"
    )
    if not steps:
        yield "    return sums" if whole == "z" else f"    return [{whole} for z in sums]"
        return
    yield f"    return [one_{name}(z) for z in sums]"
    yield ""
    yield ""
    yield f"def one_{name}(z):"
    yield from (f"    {step} = {what}" for step, what in steps)
    yield f"    return {whole}"


def _literal(number: float) -> str:
    return repr(number) if number >= 0 else f"({number!r})"


def _named(name: str) -> str:
    """The name of the function: not one that the file, or Python, has given to something else."""
    taken = name in _OWN or keyword.iskeyword(name) or hasattr(builtins, name)
    return f"activation_{name}" if taken else name


_OWN = ("math", "predict", "predict_stored", "multiply")
