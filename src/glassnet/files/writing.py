"""What several targets share: tensors named as PyTorch's Sequential would name them, and errors in one voice."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import SettingError
from glassnet.files.metadata import notes
from glassnet.names import PLAIN

if TYPE_CHECKING:
    from glassnet.network import Network


def sequential_tensors(network: "Network") -> dict[str, Array]:
    """`0.weight`, `0.bias`, `2.weight`, ...: as `nn.Sequential(Linear, ReLU, Linear)` names them.

    A squish takes a number, the identity none, so that the tensors load into the Sequential that says the same.
    """
    tensors, number = {}, 0
    for layer in network.layers:
        tensors[f"{number}.weight"] = np.ascontiguousarray(layer.weights)
        tensors[f"{number}.bias"] = np.ascontiguousarray(layer.biases)
        number += 1 if layer.activation == PLAIN else 2
    return tensors


def noted(network: "Network") -> dict[str, str]:
    """Activations and schema as texts, for a file of the network `folded`."""
    return notes(network.architecture.activations, network.schema)


def folded(network: "Network") -> "Network":
    """The network whose first layer does the preprocessing itself: it takes raw rows, the stored pixels or the columns
    in their units. w . ((x - center) / spread) + b is the layer of weights w / spread and bias b - w . center / spread.

    Raises `SettingError` where a weight would be larger than its type can hold.
    """
    schema = network.schema
    if not schema.preprocesses:
        return network
    first, *others = [(layer.weights, layer.biases, layer.activation) for layer in network.layers]
    weights, biases = first[0].astype(np.float64), first[1].astype(np.float64)
    if schema.standardises:
        weights = weights / (np.asarray(schema.spreads) if schema.spreads is not None else 1.0)
        biases = biases - (weights @ np.asarray(schema.centers) if schema.centers is not None else 0.0)
    else:
        weights = weights * float(schema.scale or 1)
    with np.errstate(over="ignore"):
        parts = weights.astype(network.dtype), biases.astype(network.dtype)
    if not all(np.isfinite(part).all() for part in parts):
        raise SettingError(
            f"the columns are of sizes that cannot be folded into {network.dtype} weights",
            help="export to c or python, which standardise them in a step of its own",
        )
    return type(network).from_layers([(*parts, first[2]), *others], schema.folded(), network.dtype)


def for_page(network: "Network") -> bytes:
    """glassnet's own file in float32, which the page reads; `InputError` for numbers that float32 cannot hold."""
    with np.errstate(over="ignore"):  # told by the network, which takes no infinity
        return replace(network, parameters=network.parameters.astype(np.float32)).to_bytes()


def not_there(
    target: str, squish: str, layer: int, known: "list[str]", do: str = "export to onnx, c or python"
) -> SettingError:
    """The error for an activation that a target lacks."""
    return SettingError(f"{target} has no {squish} (layer {layer}): expected one of {', '.join(known)}", help=do)


def numbers_text(array: Array) -> list[str]:
    """Numbers with as few digits as give the same number back when they are read in their own type."""
    return [str(value) for value in array]


def title(network: "Network") -> str:
    """`784-16-16-10 (relu, relu, softmax)`."""
    return f"{network.architecture} ({', '.join(network.architecture.activations)})"


def one_line(text: str) -> str:
    """Text for a comment: on one line, in plain letters, nothing in it that could end the comment."""
    plain = text.encode("ascii", "backslashreplace").decode()
    return (
        "".join(c if c.isprintable() else "?" for c in plain)
        .replace("*/", "* /")
        .replace("/*", "/ *")
        .replace("??", "? ?")
    )
