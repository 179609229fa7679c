"""Taking over: the chain of dense layers in any model file or object, as weights, biases and activations.

`registry` finds the format by content; `formats/<name>/layers.py` finds its layers, `named_layers` those of files of
named tensors.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glassnet.activations import PROBABILITIES
from glassnet.architecture import Architecture, spec
from glassnet.errors import SettingError
from glassnet.files import named_layers, registry
from glassnet.files.layer_graph import Chain, InTheWay
from glassnet.names import DEFAULT_HIDDEN
from glassnet.opening import quoted


def chain_of(
    source: Any, activation: "str | Sequence[str] | None" = None, order: "Sequence[str] | None" = None
) -> Chain:
    """The layers of a model file, or of a PyTorch, Keras or scikit-learn model in memory; each with its activation.

    activation   for files that do not say it: of the hidden layers (plain scores come out), or one for each layer
    order        for files of named tensors that do not say it: layers or modules by name, from the inputs on

    Raises `InTheWay` (a `FileError`) for what is no chain of dense layers, with the first thing in the way, and
    `SettingError` where activations have to be said, or are said by the source already.
    """
    named = isinstance(source, str | os.PathLike)
    what = quoted(source) if named else f"a {type(source).__name__}"
    try:
        found = _in_file(Path(source), order) if named else _in_memory(source, order)
    except InTheWay as problem:
        raise InTheWay(f"{what}: {problem.what}", problem.help) if named else problem from None
    except SettingError as problem:
        raise SettingError(f"{what}: {problem.problem}", help=problem.help) from None
    sizes = (found.layers[0][0].shape[1], *(len(weights) for weights, _, _ in found.layers))
    unknown = any(name is None for _, _, name in found.layers)
    if not unknown and activation is not None:
        raise known_already(what, activation, [str(name) for _, _, name in found.layers])
    if not unknown:
        return found
    if activation is None:
        each = [DEFAULT_HIDDEN] * (len(found.layers) - 1) + [PROBABILITIES["one of many"]]
        raise SettingError(
            f"{what}, {spec(sizes)}, does not say its activations",
            help=f'give activation="{DEFAULT_HIDDEN}", which ends in plain scores, or a list of '
            f"{len(found.layers)} such as {each}; in the command --activation {','.join(each)}",
        )
    names_ = Architecture.of(sizes, activation).activations
    layers = [(weights, biases, name) for (weights, biases, _), name in zip(found.layers, names_, strict=True)]
    return Chain(list(layers), found.schema)


def known_already(what: str, given: Any, own: Sequence[str]) -> SettingError:
    """The error for activations that are given for a source which says its own."""
    return SettingError(
        f"{what} says its own activations ({', '.join(own)}), got activation={given!r}",
        help="leave out activation; with_activation changes one afterwards",
    )


def _in_file(path: Path, order: "Sequence[str] | None") -> Chain:
    format = registry.recognise(path)
    with format.part("reader").open_file(path) as file:
        find = getattr(format.part("layers"), "of_file", None) if format.has("layers") else None
        if find is None:
            return named_layers.chain(file, order)
        _says_its_order(order)
        chain: Chain = find(file)
        return chain


def _says_its_order(order: "Sequence[str] | None") -> None:
    if order is not None:
        raise SettingError("it says the order of its layers itself", help="leave out order")


def _in_memory(model: Any, order: "Sequence[str] | None") -> Chain:
    """By the modules that the classes of this object come from."""
    _says_its_order(order)
    packages = {kind.__module__.split(".")[0] for kind in type(model).__mro__}
    for format in registry.FORMATS.values():
        if format.framework in packages:
            return format.part("layers").of_model(model)
    raise InTheWay(
        f"a {type(model).__module__}.{type(model).__name__}", "give a file, or a PyTorch, Keras or scikit-learn model"
    )
