"""Taking over: the chain of dense layers in any model file or object, as weights, biases and activations.

Which format it is, is told by content; how its layers are found stands in a leaf for each: `onnx_chain`, `torch_chain`,
`keras_chain`, `sklearn_chain`, and `named_chain` for files of named tensors.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from glassnet.architecture import Architecture, spec
from glassnet.errors import SettingError
from glassnet.files.opening import quoted
from glassnet.files.steps import Chain, InTheWay


def chain_of(source: Any, activation: "str | Sequence[str] | None" = None) -> Chain:
    """The layers of a model file, or of a PyTorch, Keras or scikit-learn model in memory; each with its activation.

    activation   for files that do not say it: of the hidden layers (plain scores come out), or one for each layer

    Raises `InTheWay` (a `FileError`) for what is no chain of dense layers, with the first thing in the way, and
    `SettingError` where activations have to be said, or are said by the source already.
    """
    named = isinstance(source, str | os.PathLike)
    what = quoted(source) if named else f"a {type(source).__name__}"
    try:
        found = _in_file(Path(source)) if named else _in_memory(source)
    except InTheWay as problem:
        raise InTheWay(f"{what}: {problem.got}", problem.do) if named else problem from None
    sizes = (found.layers[0][0].shape[1], *(len(weights) for weights, _, _ in found.layers))
    unknown = any(name is None for _, _, name in found.layers)
    if not unknown and activation is not None:
        raise known_already(what, activation, [str(name) for _, _, name in found.layers])
    if not unknown:
        return found
    if activation is None:
        raise SettingError(
            got=f"{what}, {spec(sizes)}, which does not say its activations",
            expected="activation=: of the hidden layers, or one for each layer",
            do='try activation="relu", which ends in plain scores, or a list of '
            f"{len(found.layers)} such as {['relu'] * (len(found.layers) - 1) + ['softmax']}",
        )
    names_ = Architecture.of(sizes, activation).activations
    layers = [(weights, biases, name) for (weights, biases, _), name in zip(found.layers, names_, strict=True)]
    return Chain(list(layers), found.signature)


def known_already(what: str, given: Any, own: Sequence[str]) -> SettingError:
    """The error for activations that are given for a source which says its own."""
    return SettingError(
        got=f"activation {given!r} for {what}, which says its own ({', '.join(own)})",
        expected="none",
        do="leave it away; with_activation changes one afterwards",
    )


def _in_file(path: Path) -> Chain:
    from glassnet.files import named_chain, open_checkpoint

    with open_checkpoint(path) as file:
        if file.format.startswith("ONNX"):
            from glassnet.files import onnx_chain

            return onnx_chain.chain(path, file)
        if file.format.startswith("Keras"):
            from glassnet.files import keras_chain

            return keras_chain.of_file(file)
        if file.format.startswith("skops"):
            from glassnet.files import sklearn_chain

            return sklearn_chain.of_file(file)
        return named_chain.chain(file)


def _in_memory(model: Any) -> Chain:
    """By the modules that the classes of this object come from."""
    families = {kind.__module__.split(".")[0] for kind in type(model).__mro__}
    if "keras" in families:
        from glassnet.files import keras_chain

        return keras_chain.of_model(model)
    if "torch" in families:
        from glassnet.files import torch_chain

        return torch_chain.chain(model)
    if "sklearn" in families:
        from glassnet.files import sklearn_chain

        return sklearn_chain.chain(model)
    raise InTheWay(
        f"a {type(model).__module__}.{type(model).__name__}", "give a file, or a PyTorch, Keras or scikit-learn model"
    )
