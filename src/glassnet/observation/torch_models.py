"""One forward pass of a PyTorch module, recorded; nothing of the module is changed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.arrays import Array
from glassnet.errors import InputError
from glassnet.names import PLAIN
from glassnet.observation.layers import ATTENTION, Kind, SeenLayer, common, parent
from glassnet.observation.observation import Observation
from glassnet.observation.recording import Recorded, Recorder, numbers
from glassnet.observation.selection import Selection, first_line


def observe_module(
    model: nn.Module, inputs: Any, layers: Sequence[str] | None = None, position: int | None = None
) -> Observation:
    """A module on its inputs: an array, several, or a dict of arguments."""
    args, kwargs = _arguments(model, inputs)
    wanted = Selection(layers, position)
    recorder = Recorder(model, wanted)
    recorder.length = _length(args, kwargs)
    with as_evaluated(model), recorder:
        try:
            given = model(*args, **kwargs)
        except (RuntimeError, TypeError, ValueError, IndexError) as problem:
            raise InputError(
                f"{type(model).__name__} cannot compute these inputs: {first_line(problem)}",
                help="pass what model(...) takes: an array, a tuple of arrays, or a dict of named arguments",
            ) from problem
    wanted.check([record.name for record in recorder.records], addresses(recorder.records))
    raw = as_arrays(given)
    seen = Observation(
        f"{type(model).__name__}",
        seen_layers(recorder.records),
        (),
        raw,
        unseen(recorder),
        -1 if position is None else position,
        class_names(model),
    )
    seen.outputs = seen.largest_outputs()
    return seen


@contextmanager
def as_evaluated(model: nn.Module) -> Iterator[None]:
    """Without gradients, in evaluation mode, each module of it back in its own mode afterwards; without the fused path
    of attention, which is no product that could be seen."""
    modes = [(module, module.training) for module in model.modules()]
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        if any(training for _, training in modes):
            model.eval()
        with torch.no_grad():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for module, training in modes:
            module.training = training


def addresses(records: Sequence[Recorded]) -> list[str]:
    """Names of all layers that these products make, kept or not."""
    return list(dict.fromkeys(_address(record)[0] for record in records))


def seen_layers(records: Sequence[Recorded]) -> list[SeenLayer]:
    """The layers of neurons that these products make, in their order; those of which nothing was kept are left out."""
    return [layer for layer, _ in layers_of(records)]


def layers_of(records: Sequence[Recorded]) -> list[tuple[SeenLayer, Recorded]]:
    """The same, each with the product of its (first) sum."""
    made: list[tuple[SeenLayer, Recorded]] = []
    taken: set[str] = set()
    for record in records:
        if record.product is None or record.gate is not None:
            continue
        layer = _layer(record)
        if layer.name in taken:
            layer.name = record.name
        taken.add(layer.name)
        made.append((layer, record))
    return made


def _layer(record: Recorded) -> SeenLayer:
    product = record.product
    assert product is not None
    result = record.result.product if record.result is not None else None
    name, aliases = _address(record)
    squish = record.activation or PLAIN
    if record.halves is not None:
        halves, shape = record.halves, (record.fan_out // 2, record.fan_in)
        return SeenLayer(
            name, "gated", shape, squish, product, halves.gate, product, halves.up, result, aliases
        )  # fmt: skip
    shape = (record.fan_out, record.fan_in)
    if record.up is not None and record.up.product is not None:
        return SeenLayer(name, "gated", shape, squish, product, up=record.up.product, result=result, aliases=aliases)
    kind: Kind = "dense"
    if product.window is not None:
        kind = "convolution"
    elif ATTENTION.search(record.name):
        kind = "attention projection"
    if record.up is not None:  # a gated layer of which only one sum was kept
        name, squish = record.name, PLAIN
    return SeenLayer(name, kind, shape, squish, product, result=result)


def _address(record: Recorded) -> tuple[str, tuple[str, ...]]:
    """Name of the layer that a product, or two of them, make, and other names for it."""
    if record.halves is not None:
        return parent(record.name), (record.name,)
    pair = (record.gate or record), (record.up or record)
    if pair[0] is not pair[1]:
        names = (pair[0].name, pair[1].name)
        return common(*names), names
    return record.name, ()


def unseen(recorder: Recorder) -> list[str]:
    """Parameters with two or more axes that no product used; embeddings, which are looked up, are not among them."""
    return [
        name
        for name, parameter in recorder.names.items()
        if parameter.dim() >= 2 and name not in recorder.used and name not in recorder.looked_up
    ]


def class_names(model: nn.Module) -> list[str] | None:
    """Names of the outputs, where a model of the transformers library has them."""
    table = getattr(getattr(model, "config", None), "id2label", None)
    if not isinstance(table, Mapping) or (not hasattr(model, "classifier") and not hasattr(model, "score")):
        return None
    return [str(table[k]) for k in sorted(table)]


def as_arrays(given: Any) -> Any:
    """What a model returned, as arrays."""
    if isinstance(given, Tensor):
        return numbers(given)
    if isinstance(given, Mapping):
        return {str(key): as_arrays(value) for key, value in given.items() if _holds_tensor(value)}
    if isinstance(given, list | tuple):
        return [as_arrays(value) for value in given if _holds_tensor(value)]
    return given


def _holds_tensor(value: Any) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, list | tuple) and any(isinstance(v, Tensor) for v in value))


def _arguments(model: nn.Module, inputs: Any) -> tuple[list[Any], dict[str, Any]]:
    like = next((p for p in model.parameters() if p.is_floating_point()), None)
    if isinstance(inputs, Mapping):
        return [], {str(name): as_tensor(value, like, str(name)) for name, value in inputs.items()}
    if isinstance(inputs, tuple):
        return [as_tensor(value, like, f"inputs[{i}]") for i, value in enumerate(inputs)], {}
    return [as_tensor(inputs, like, "inputs")], {}


def as_tensor(values: Any, like: Tensor | None, what: str) -> Any:
    """An array as a tensor, floats in the type of the model's parameters; others as they are."""
    if isinstance(values, Tensor):
        return values
    if values is None or isinstance(values, bool | str):
        return values
    try:
        array: Array = np.asarray(values)
    except ValueError:
        raise InputError(f"rows of different lengths in {what}: expected a rectangular array of numbers") from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{what} of type {array.dtype}: expected real numbers")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"NaN or infinite values in {what}: expected finite numbers")
    tensor = torch.from_numpy(np.array(array))
    if like is not None:
        tensor = tensor.to(like.device, like.dtype if array.dtype.kind == "f" else None)
    return tensor


def _length(args: Sequence[Any], kwargs: Mapping[str, Any]) -> int:
    """How many tokens the inputs hold, where they are tokens."""
    for value in (kwargs.get("input_ids"), kwargs.get("inputs_embeds"), *args):
        if isinstance(value, Tensor) and value.dim() == 2 and not value.is_floating_point():
            return int(value.numel())
        if isinstance(value, Tensor) and value.dim() == 3:
            return int(value.shape[0] * value.shape[1])
    return 0
