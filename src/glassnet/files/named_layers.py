"""A chain of dense layers in a file of named tensors: PyTorch state dicts, safetensors, npz.

Such files keep no forward: `layer_order` puts the layers in order, and each has to take what the one before gives.
Which activations stand between them only notes of glassnet's own, or the caller, say.
"""

import re
from collections.abc import Sequence

import numpy as np

from glassnet.arrays import Array, shape_text
from glassnet.files import layer_order, naming
from glassnet.files.access import natural
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.layer_graph import Affine, Chain, Dense, InTheWay, batch_norm
from glassnet.files.metadata import activations_from, described, notes_of
from glassnet.files.tensors import TensorInfo
from glassnet.opening import quoted
from glassnet.schema import Schema

EPSILON = 1e-5
"""PyTorch's, in batch norm; a state dict does not keep it."""
LARGEST = 1 << 33
"""Bytes that are taken into memory."""


def chain(file: Checkpoint, order: "Sequence[str] | None" = None) -> Chain:
    """The layers in these tensors, their activations None where nothing says them.

    order   names of layers or modules, from the inputs on, where the file does not tell; others are left out

    Raises `InTheWay` for what is no chain, `SettingError` where the order has to be said.
    """
    learnt = {
        name: info
        for name, info in file.tensors.items()
        if info.role == "parameter" or (info.role == "statistic" and info.shape)  # all but num_batches_tracked
    }
    if order is not None:
        wanted = layer_order.chosen(list(learnt), order)
        taken = {*wanted, *(naming.bias_of(name, learnt) for name in wanted)}
        learnt = {name: info for name, info in learnt.items() if name in taken}
    texts = notes_of(file)
    _check_size(learnt)
    norms = _norms(learnt)
    matrices, biases = _matrices(learnt, norms)
    sizes = {name: _sizes(info) for name, info in matrices.items()}
    if order is None:
        names = layer_order.in_order(list(matrices), sizes, file.keeps_order)
    else:
        names = [name for name in wanted if name in matrices]
        layer_order.check(names, sizes)
    layers, followed = _layers(file, names, biases, norms)
    activations: Sequence[str | None] = activations_from(texts) or [None] * len(layers)
    if len(activations) != len(layers):
        activations = [None] * len(layers)
    made = _folded(layers, followed, norms, file)
    chained: list[tuple[Array, Array, str | None]] = [
        (w, b, name) for (w, b), name in zip(made, activations, strict=True)
    ]
    return Chain(*described(chained, texts, Schema()))


def _check_size(learnt: dict[str, TensorInfo]) -> None:
    if (total := sum(info.count * 4 for info in learnt.values())) > LARGEST:
        raise InTheWay(f"{total:,} bytes of parameters, more than the {LARGEST:,} that are taken into memory at once")


def _norms(learnt: dict[str, TensorInfo]) -> dict[str, str]:
    """The prefixes of batch norms, with the separator after them."""
    found = {}
    for name in learnt:
        match = re.fullmatch(r"(.*?)([./]?)running_mean", name)
        if match and f"{match[1]}{match[2]}running_var" in learnt:
            found[match[1]] = match[2]
    return found


def _matrices(
    learnt: dict[str, TensorInfo], norms: dict[str, str]
) -> tuple[dict[str, TensorInfo], dict[str, str | None]]:
    """The weights of each layer, and the name of its biases; everything else is in the way."""
    of_norms = {f"{prefix}{dot}{part}" for prefix, dot in norms.items() for part in ("weight", "bias")}
    of_norms |= {f"{prefix}{dot}running_{part}" for prefix, dot in norms.items() for part in ("mean", "var")}
    matrices = {name: info for name, info in learnt.items() if len(info.shape) == 2 and info.role == "parameter"}
    biases = {}
    for name in list(matrices):
        if name in matrices:
            bias = naming.bias_of(name, learnt)
            biases[name] = bias
            matrices.pop(bias or "", None)  # a bias kept as (1, n)
    paired = set(biases.values())
    for name, info in learnt.items():
        if name not in matrices and name not in paired and name not in of_norms:
            raise InTheWay(f"tensor {quoted(name)} {shape_text(info.shape)}, neither a matrix nor the biases of one")
    if not matrices:
        raise InTheWay("no matrix of weights at all")
    return matrices, {name: biases[name] for name in matrices}


def _sizes(info: TensorInfo) -> tuple[int, int]:
    """Inputs and neurons of a layer."""
    rows, columns = info.shape if info.quantised is None else info.quantised.shape
    return (rows, columns) if info.neurons_in == "columns" else (columns, rows)


def _layers(
    file: Checkpoint, order: list[str], biases: dict[str, str | None], norms: dict[str, str]
) -> tuple[list[Dense], dict[str, int]]:
    """The layers read, neurons in rows, and for each batch norm the layer that it stands after (-1: before all)."""
    layers = []
    for name in order:
        weights = file.weights(name)
        weights = weights.T if file.info(name).neurons_in == "columns" else weights
        bias = biases[name]
        layers.append(Dense(name, weights, None if bias is None else file.array(bias).reshape(-1)))
    places = [re.sub(r"[./]?[^./]*$", "", name) for name in order]
    prefixes = sorted([*places, *norms], key=natural)
    followed, at = {}, -1
    for prefix in prefixes:
        if prefix in norms:
            followed[prefix] = at
        else:
            at = places.index(prefix)
    return layers, followed


def _folded(
    layers: list[Dense], followed: dict[str, int], norms: dict[str, str], file: Checkpoint
) -> list[tuple[Array, Array]]:
    """Weights and biases with batch norms in them. Numbered names tell whether a squish stands between: 0, 1 are
    neighbours, 0 and 2 are not."""
    made: list[tuple[Array, Array]] = []
    for dense in layers:
        kind = np.float64 if dense.weights.dtype == np.float64 else np.float32
        biases: Array = np.zeros(len(dense.weights)) if dense.biases is None else dense.biases
        made.append((dense.weights.astype(kind, copy=False), biases.astype(kind, copy=False)))
    for prefix, at in followed.items():
        affine = _affine(prefix, norms[prefix], file)
        after = at >= 0 and _next(layers[at].name, prefix)
        before = at + 1 < len(layers) and _next(prefix, layers[at + 1].name)
        if not after and not before and at >= 0:
            raise InTheWay(
                f"batch norm {quoted(prefix)}, of which the names do not tell whether it stands before or after "
                "an activation",
                "take the model over from memory, gn.load(module), or from ONNX",
            )
        weights, biases = made[at] if after else made[at + 1]
        own = weights.dtype
        if affine.scale.shape != (weights.shape[0 if after else 1],):
            raise InTheWay(
                f"batch norm {quoted(prefix)} of {affine.scale.size:,} numbers beside {shape_text(weights.shape)}"
            )
        if after:
            folded = weights * affine.scale[:, None], biases * affine.scale + affine.shift
        else:
            folded = weights * affine.scale, biases + weights @ affine.shift
        made[at if after else at + 1] = folded[0].astype(own), folded[1].astype(own)
    return made


def _affine(prefix: str, dot: str, file: Checkpoint) -> Affine:
    def part(name: str) -> Array | None:
        whole = f"{prefix}{dot}{name}"
        return file.array(whole) if whole in file.tensors else None

    mean, variance = part("running_mean"), part("running_var")
    assert mean is not None
    assert variance is not None
    return batch_norm(prefix, mean, variance, EPSILON, part("weight"), part("bias"))


def _next(first: str, second: str) -> bool:
    """Whether numbers in these names follow one another: `net.0.weight` and `net.1`."""
    a, b = (re.match(r"(.*?)(\d+)([./][^./]*)?$", name) for name in (first, second))
    return bool(a and b and a[1] == b[1] and int(b[2][:9]) == int(a[2][:9]) + 1)
