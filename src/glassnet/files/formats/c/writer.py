"""C: one C99 header that needs nothing but the standard headers, allocates nothing, and keeps no state.

    #include "digits.h"
    float outputs[DIGITS_OUTPUTS];
    digits(inputs, outputs);

With int8 weights each neuron's are whole numbers from -127 to 127 times one factor; inputs, sums and biases stay
floating-point numbers. `quantised` is the network that such a header computes.
"""

import keyword
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array
from glassnet.files.formula_text import C, by_row, formula_of, written
from glassnet.files.writing import numbers_text, one_line, title
from glassnet.names import PLAIN

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network

_WIDTH = 110
_DTYPES = {"float": "float32", "double": "float64"}


def filling(network: "Network", path: Path, quantised: bool = False) -> "Filling":
    def fill(name: str) -> None:
        with open(name, "w", encoding="ascii", newline="\n") as file:
            for line in header(network, c_name(path.stem), quantised):
                file.write(line + "\n")

    return fill


def c_name(stem: str) -> str:
    """A file's name as a name in C (and in Python): `my-digits.2` becomes `my_digits_2`."""
    name = re.sub(r"[^0-9A-Za-z]+", "_", stem).strip("_").lower()
    if not name or name[0].isdigit() or name in _TAKEN or keyword.iskeyword(name):
        name = f"network_{name}".rstrip("_")
    return name


def int8_rows(weights: Array) -> tuple[Array, Array]:
    """Weights as whole numbers (fan_out, fan_in) from -127 to 127, and what each neuron's count times (fan_out,)."""
    largest = np.abs(weights).max(axis=1)
    scales = np.where(largest > 0, largest / 127, 1).astype(weights.dtype)
    scales[scales == 0] = np.finfo(weights.dtype).tiny  # weights so small that the factor vanished
    return np.clip(np.rint(weights / scales[:, None]), -127, 127).astype(np.int8), scales


def quantised(network: "Network") -> "Network":
    """The network with every weight rounded to what int8 and its neuron's factor can say."""
    layers = []
    for layer in network.layers:
        whole, scales = int8_rows(layer.weights)
        layers.append((whole * scales[:, None], layer.biases, layer.activation))
    return type(network).from_layers(layers, network.schema, network.dtype)


def header(network: "Network", name: str, quantised: bool = False) -> Iterator[str]:
    """The lines of the header; every name in it begins with `name`."""
    real = "double" if network.dtype == "float64" else "float"
    big = name.upper()
    yield from _head(network, name, big, real, quantised)
    squishes = list(dict.fromkeys(network.architecture.activations))
    if any(map(_uses_math, squishes)):
        yield "#include <math.h>"
    yield "#include <stddef.h>"
    yield "#include <stdint.h>"
    yield ""
    yield f"#define {big}_INPUTS {network.sizes[0]}"
    yield f"#define {big}_OUTPUTS {network.sizes[-1]}"
    yield ""
    for i, layer in enumerate(network.layers):
        fan_out, fan_in = layer.weights.shape
        if quantised:
            whole, scales = int8_rows(layer.weights)
            yield from _array("int8_t", f"{name}_weights_{i}", fan_out * fan_in, map(str, whole.ravel().tolist()))
            yield from _array(real, f"{name}_scales_{i}", fan_out, _literals(scales, real))
        else:
            yield from _array(real, f"{name}_weights_{i}", fan_out * fan_in, _literals(layer.weights.ravel(), real))
        yield from _array(real, f"{name}_biases_{i}", fan_out, _literals(layer.biases, real))
    yield from _preprocessing(network, name, big, real)
    yield from _names(network.schema.features, "column", "What each input is, in the order of the inputs.", name, big)
    yield from _names(network.schema.classes, "class", "What each output stands for.", name, big)
    stored = "int8_t" if quantised else real
    yield _DENSE.format(name=name, real=real, stored=stored).rstrip("\n")
    for squish in squishes:
        if squish != PLAIN:
            yield _function(name, squish, real)
    yield from _forward(network, name, big, real, quantised)
    yield f"#endif /* {big}_H */"


def _head(network: "Network", name: str, big: str, real: str, quantised: bool) -> Iterator[str]:
    from glassnet import __version__

    ready = network.sizes[0] if network.schema.preprocesses else 0
    stack = (2 * max((*network.sizes[1:-1], 1)) + ready) * (8 if real == "double" else 4)
    yield f"/* {one_line(title(network))}, written by glassnet {__version__}."
    yield ""
    yield f'     #include "{name}.h"'
    yield f"     {real} outputs[{big}_OUTPUTS];"
    yield f"     {name}(inputs, outputs);       {network.sizes[0]} numbers in, {network.sizes[-1]} out"
    yield ""
    needs = any(map(_uses_math, network.architecture.activations))
    yield f"   C99{', link with -lm' if needs else ''}. No allocation, no state; {stack:,} bytes of stack."
    yield f"   Inputs are raw: {_raw_words(network)}."
    yield "   activation = squish(weights . inputs + bias); a row of weights belongs to a neuron."
    if quantised:
        yield "   Weights are whole numbers from -127 to 127, times the neuron's factor in the scales. */"
    else:
        yield "   Weights and biases have all digits that they need to be the same numbers again. */"
    yield f"#ifndef {big}_H"
    yield f"#define {big}_H"
    yield ""


def _literals(numbers: Array, real: str) -> Iterator[str]:
    suffix = "f" if real == "float" else ""
    for text in numbers_text(numbers):
        yield (text if any(c in text for c in ".e") else f"{text}.0") + suffix


def _array(kind: str, name: str, count: int, literals: Iterable[str]) -> Iterator[str]:
    yield f"static const {kind} {name}[{count}] = {{"
    line = "   "
    for literal in literals:
        if len(line) + len(literal) + 2 > _WIDTH:
            yield line
            line = "   "
        line += f" {literal},"
    yield line
    yield "};"


def _names(names: "tuple[str, ...] | None", what: str, comment: str, name: str, big: str) -> Iterator[str]:
    if names is None:
        return
    many = f"{big}_{'CLASSES' if what == 'class' else 'COLUMNS'}"
    yield ""
    yield f"/* {comment} */"
    yield f"#define {many} {len(names)}"
    yield f"static inline const char *{name}_{what}(int index) {{"
    yield f"    static const char *const names[{many}] = {{"
    yield from (f"        {c_string(label)}," for label in names)
    yield "    };"
    yield f'    return index >= 0 && index < {many} ? names[index] : "";'
    yield "}"


def _preprocessing(network: "Network", name: str, big: str, real: str) -> Iterator[str]:
    """The step from raw inputs to those of the first layer."""
    schema, width = network.schema, network.sizes[0]
    if not schema.preprocesses:
        return
    line = "inputs[i]"
    if schema.standardises:
        centers = np.asarray(schema.centers if schema.centers is not None else np.zeros(width))
        spreads = np.asarray(schema.spreads if schema.spreads is not None else np.ones(width))
        fill = np.asarray(schema.fill) if schema.fill is not None else centers
        for part, numbers in (("centers", centers), ("spreads", spreads), ("missing", (fill - centers) / spreads)):
            yield from _array(real, f"{name}_{part}", width, _literals(numbers.astype(network.dtype), real))
        line = f"inputs[i] != inputs[i] ? {name}_missing[i] : (inputs[i] - {name}_centers[i]) / {name}_spreads[i]"
    else:
        (factor,) = _literals(np.asarray([schema.scale], network.dtype), real)
        line = f"inputs[i] * {factor}"
    yield ""
    yield "/* Raw inputs as the first layer takes them. */"
    yield f"static inline void {name}_preprocess(const {real} *inputs, {real} *ready) {{"
    yield "    size_t i;"
    yield f"    for (i = 0; i < {big}_INPUTS; i++) ready[i] = {line};"
    yield "}"


def c_string(text: str) -> str:
    """Any text as a string of C, its letters beyond ASCII as the bytes of UTF-8."""
    out = ""
    for byte in text.encode("utf-8", "replace"):
        character = chr(byte)
        plain = 32 <= byte < 127 and character not in '"\\?'
        out += character if plain else f"\\{byte:03o}"  # octal ends after three digits, hexadecimal does not
    return f'"{out}"'


def _forward(network: "Network", name: str, big: str, real: str, quantised: bool) -> Iterator[str]:
    widest = max((*network.sizes[1:-1], 1))
    last = len(network.layers) - 1
    yield ""
    raw = network.schema.preprocesses
    yield f"/* The network: {_raw_words(network)} in, outputs out. They must not overlap. */"
    yield f"static inline void {name}(const {real} *inputs, {real} *outputs) {{"
    if last > 0:
        yield f"    {real} even[{widest}]{f', odd[{widest}]' if last > 1 else ''};"
    before = "ready" if raw else "inputs"
    if raw:
        yield f"    {real} ready[{big}_INPUTS];"
        yield f"    {name}_preprocess(inputs, ready);"
    for i, layer in enumerate(network.layers):
        to = "outputs" if i == last else ("even", "odd")[i % 2]
        fan_out, fan_in = layer.weights.shape
        scales = f"{name}_scales_{i}" if quantised else "NULL"
        yield f"    {name}_dense({name}_weights_{i}, {scales}, {name}_biases_{i}, {before}, {fan_in}, {to}, {fan_out});"
        if layer.activation != PLAIN:
            yield f"    {name}_{layer.activation}({to}, {fan_out});"
        before = to
    yield "}"
    yield ""
    scale = network.schema.scale
    if scale is not None:
        yield "/* The same for pixels stored as bytes. */"
        yield f"static inline void {name}_bytes(const uint8_t *stored, {real} *outputs) {{"
        yield f"    {real} inputs[{big}_INPUTS];"
        yield "    size_t i;"
        yield f"    for (i = 0; i < {big}_INPUTS; i++) inputs[i] = ({real})stored[i];"
        yield f"    {name}(inputs, outputs);"
        yield "}"
        yield ""


def _raw_words(network: "Network") -> str:
    """What goes in, in a few words."""
    schema = network.schema
    if schema.standardises:
        return "columns in their units (NaN where one is missing; one-hot columns 0 or 1)"
    if schema.preprocesses:
        return f"stored pixels from 0 to {1 / (schema.scale or 1):.6g}"
    return "numbers"


def _function(name: str, squish: str, real: str) -> str:
    suffix = "" if real == "double" else "f"
    lines = "\n".join(f"    {line.replace('<f>', suffix)}" for line in _body(squish, real))
    return f"\nstatic inline void {name}_{squish}({real} *z, size_t count) {{\n{lines}\n}}"


def _body(squish: str, real: str) -> list[str]:
    """What an activation does to `count` sums z, in place."""
    of = activation(squish)
    if by_row(of, "c"):
        text = _SHARED.replace("{real}", real)
    else:
        steps, whole = written(formula_of(of, "c"), C, lambda number: _literal(number, real))
        inner = "".join(f"    const {real} {step} = {what};\n" for step, what in (("x", "z[i]"), *steps))
        text = "size_t i;\nfor (i = 0; i < count; i++) {\n" + re.sub(r"\bz\b(?!\[)", "x", inner)
        whole = re.sub(r"\bz\b", "x", whole)
        text += f"    z[i] = {whole};\n}}"
    return text.strip("\n").split("\n")


def _literal(number: float, real: str) -> str:
    (text,) = _literals(np.asarray([number], _DTYPES[real]), real)
    return f"({text})" if number < 0 else text


def _uses_math(squish: str) -> bool:
    return squish != PLAIN and any("<f>" in line for line in _body(squish, "double"))


_DENSE = """
/* weights . inputs + bias for each neuron; with scales, its weights count times its scale. */
static inline void {name}_dense(const {stored} *weights, const {real} *scales, const {real} *biases,
                                const {real} *inputs, size_t fan_in, {real} *sums, size_t fan_out) {{
    size_t k, i;
    for (k = 0; k < fan_out; k++) {{
        {real} sum = 0;
        for (i = 0; i < fan_in; i++) sum += ({real})weights[k * fan_in + i] * inputs[i];
        sums[k] = (scales ? sum * scales[k] : sum) + biases[k];
    }}
}}
"""

_SHARED = """
{real} largest = z[0], sum = 0;
size_t i;
for (i = 1; i < count; i++) if (z[i] > largest) largest = z[i];
for (i = 0; i < count; i++) sum += z[i] = exp<f>(z[i] - largest);
for (i = 0; i < count; i++) z[i] /= sum;
"""
"""What softmax does to a row of `count` sums z, in place."""

_TAKEN = frozenset(
    re.findall(
        r"\w+",
        """
        auto break case char const continue default do double else enum extern float for goto if inline int long
        register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
        main exp exp2 tanh erf erfc log log1p expm1 sin cos tan sqrt pow floor ceil round abs fabs gamma signal time
        exit printf puts
        """,
    )
)
"""Names that C or its libraries have given away."""
