"""`observe`: one forward pass of any model, seen neuron by neuron."""

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.errors import FileError, GlassnetError, InputError, MissingExtra, SettingError
from glassnet.opening import no_such_file, quoted

if TYPE_CHECKING:
    from glassnet.observation.observation import Observation


def observe(
    model: Any,
    inputs: Any = None,
    *,
    text: str | None = None,
    layers: Sequence[str] | None = None,
    position: int | None = None,
) -> "Observation":
    """Run a model once and see any of its neurons, with its real inputs, to the last product.

    Nothing of the model is changed, nothing is fetched from a network, and no code of a model file is run.

    Parameters
    ----------
    model : torch.nn.Module, keras.Model, Network or path
        The model, or the path of one: the folder of a language model as the transformers library saves it, a GGUF,
        ONNX or Keras file, or a saved network. A module in training mode is observed in evaluation mode, and put back.
    inputs : array_like, tuple or dict
        What the model takes: one array, several, or named arguments. Floats are converted to the model's type.
    text : str, optional
        In place of `inputs`, for language models.
    layers : sequence of str, optional
        Keep all positions of these layers only (names of layers, or of modules that hold them). By default one
        position of every layer is kept.
    position : int, optional
        The position to keep: an example, or a token (default: the last one).

    Returns
    -------
    Observation
        Its `layers`, `neuron(layer, index)`, `strongest()`, `outputs` and `attribution(output)`; print it to read it.

    Raises
    ------
    InputError
        If the model is of no known kind, or cannot compute the inputs.
    AddressError
        If a layer does not exist.

    Examples
    --------
    >>> import glassnet as gn
    >>> import torch
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU())
    >>> _ = model[0].weight.data.copy_(torch.tensor([[0.5, -1.0]])), model[0].bias.data.fill_(0.25)
    >>> print(gn.observe(model, [[2.0, 0.5]]).neuron("0", 0))
    0:0, relu, 2 inputs
      input 0    2 x 0.5           1.00
      input 1  0.5 x  -1          -0.50
                                  -----
      weighted sum                 0.50
      + bias                       0.25
      rounding of the framework    0.00
                                  -----
      pre-activation z             0.75
      relu = max(0, z)             0.75
    """
    if position is not None and (isinstance(position, bool) or not isinstance(position, int)):
        raise SettingError(f"position is {position!r}, expected a whole number")
    if (inputs is None) == (text is None):
        raise InputError(
            "expected either inputs or text" + (", got both" if text is not None else ", got neither"),
            help='observe(model, inputs), or observe(folder, text="...") for a language model',
        )
    families = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(model).__mro__}
    if isinstance(model, str | os.PathLike):
        return _observe_file(Path(model), inputs, text, layers, position)
    if "glassnet.Network" in families:
        from glassnet.observation.networks import observe_network

        return observe_network(model, _given(inputs, text), layers, position)
    if families & {"keras.Layer", "keras.Model"}:  # with PyTorch as backend they are modules, too
        from glassnet.observation.keras_models import observe_keras

        return observe_keras(model, _given(inputs, text), layers, position)
    if "torch.Module" in families:
        if "transformers.PreTrainedModel" in families:
            from glassnet.observation import language_models

            if language_models.is_language_model(model):
                return language_models.observe_language_module(model, inputs, text, layers, position)
        if text is not None:
            raise InputError(
                f"text for a {type(model).__name__} without a tokenizer",
                help="pass the numbers of the tokens as inputs, or the folder of the model",
            )
        from glassnet.observation.torch_models import observe_module

        return observe_module(model, inputs, layers, position)
    raise InputError(
        f"cannot observe a {type(model).__module__}.{type(model).__qualname__}: expected a PyTorch module, a Keras "
        "model, a network, or the path of a model",
    )


def _observe_file(
    path: Path, inputs: Any, text: str | None, layers: Sequence[str] | None, position: int | None
) -> "Observation":
    if not path.exists():
        raise no_such_file(path)
    if not path.is_dir():
        found = _other_file(path, inputs, text, layers, position)
        if found is not None:
            return found
    loaded = _language_model(path)
    if text is not None:
        seen: Observation = loaded.observe(text, layers, position)
        return seen
    from glassnet.observation import language_models, torch_models

    if language_models.is_language_model(loaded.module):
        return language_models.observe_language_module(loaded.module, inputs, None, layers, position)
    return torch_models.observe_module(loaded.module, inputs, layers, position)


def _language_model(path: Path) -> Any:
    """The language model in a folder or a GGUF file."""
    load = import_torch("llm").load_language_model
    if path.is_dir():
        return load(path)
    from glassnet.observation.gguf_models import load_gguf

    return load_gguf(path)


def _other_file(
    path: Path, inputs: Any, text: str | None, layers: Sequence[str] | None, position: int | None
) -> "Observation | None":
    """A file of another kind than a language model's; None for one of these."""
    from glassnet.files import registry

    kind = registry.recognise(path).name
    if kind == "gguf":
        return None
    if kind == "onnx":
        from glassnet.observation.onnx_files import observe_onnx

        return observe_onnx(path, _given(inputs, text), layers, position)
    if kind == "keras":
        from glassnet.observation.keras_models import load_keras, observe_keras

        return observe_keras(load_keras(path), _given(inputs, text), layers, position)
    from glassnet.network import load
    from glassnet.observation.networks import observe_network

    try:
        network = load(path)
    except GlassnetError as problem:
        raise FileError(
            f"cannot observe {quoted(path)}: {problem.problem}",
            help="name the folder of a language model, a GGUF, ONNX or Keras file, or a saved network",
        ) from problem
    return observe_network(network, _given(inputs, text), layers, position)


def _given(inputs: Any, text: str | None) -> Any:
    if text is not None:
        raise InputError("text for a model without a tokenizer", help="pass arrays as inputs")
    return inputs


def import_torch(extra: str) -> Any:
    """The module for language models; `MissingExtra` without PyTorch."""
    try:
        return import_module("glassnet.observation.language_models")
    except ModuleNotFoundError as problem:
        if problem.name != "torch":
            raise
        raise MissingExtra("torch", extra) from problem
