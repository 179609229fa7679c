"""A Keras model on one input, on any backend: its Dense and convolution layers, and what they were given.

For one call each layer's activation is replaced by one that keeps what comes in, and passes it on; then everything is
put back.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import FileError, InputError
from glassnet.observation.computed import Computed, observation_of
from glassnet.observation.observation import Observation
from glassnet.observation.products import Window
from glassnet.observation.selection import first_line
from glassnet.opening import quoted

_DENSE, _CONVOLUTIONS = ("Dense",), ("Conv1D", "Conv2D", "Conv3D")


def observe_keras(model: Any, inputs: Any, layers: Sequence[str] | None, position: int | None) -> Observation:
    """One call of a model in memory."""
    seen: list[Computed] = []
    with _spied(model, seen):
        try:
            given = model(_converted(inputs), training=False)
        except InputError:
            raise
        except Exception as problem:  # each backend has errors of its own
            raise InputError(f"{model.name} cannot compute these inputs: {first_line(problem)}") from problem
    raw = [_numbers(part) for part in given] if isinstance(given, list | tuple) else _numbers(given)
    names = {each.name.partition("#")[0] for each in seen}
    unseen = [
        f"{layer.name} ({type(layer).__name__})"
        for layer in _leaves(model)
        if layer.weights and layer.name not in names and any(len(weight.shape) > 1 for weight in layer.weights)
    ]
    return observation_of(str(model.name), seen, raw, None, unseen, layers, position)


def load_keras(path: Path) -> Any:
    """The model in a file; what is code in it (Lambda layers) is refused by Keras' safe mode."""
    try:
        import keras
    except ModuleNotFoundError as problem:
        raise FileError(
            f"{quoted(path)} is a Keras model, and the package 'keras' is not installed",
            help="pip install keras, and a backend of it such as torch",
        ) from problem
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as problem:
        raise FileError(
            f"Keras cannot load {quoted(path)}: {first_line(problem)}", help="code inside of a model is never run"
        ) from problem


def _leaves(model: Any) -> list[Any]:
    return [layer for layer in model._flatten_layers() if not list(layer._flatten_layers(include_self=False))]


@contextmanager
def _spied(model: Any, seen: list[Computed]) -> Iterator[None]:
    """While it is entered, every layer reports what it computes."""
    undo: list[Callable[[], None]] = []
    try:
        known = [layer for layer in _leaves(model) if type(layer).__name__ in (*_DENSE, *_CONVOLUTIONS)]
        undo.extend(_spy(layer, seen) for layer in known if hasattr(layer, "kernel"))
        yield
    finally:
        for each in undo:
            each()


def _spy(layer: Any, seen: list[Computed]) -> Callable[[], None]:
    squish, call = layer.activation, layer.call
    given: list[Any] = []

    def reported_call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        given.append(inputs)
        made = call(inputs, *args, **kwargs)
        if given:  # without an activation nothing asked for it
            _report(layer, seen, given.pop(), made, None)
        return made

    def reported_squish(z: Any) -> Any:
        made = z if squish is None else squish(z)
        if given:
            _report(layer, seen, given.pop(), z, made)
        return made

    layer.call = reported_call
    layer.activation = reported_squish if squish is not None else None

    def back() -> None:
        del layer.call  # the class's own shows again
        layer.activation = squish

    return back


def _report(layer: Any, seen: list[Computed], inputs: Any, z: Any, a: Any) -> None:
    x, outputs = _numbers(inputs), _numbers(z)
    after = [] if a is None else [_numbers(a)]
    kernel, bias = _numbers(layer.kernel), None if layer.bias is None else _numbers(layer.bias)
    calls = sum(each.name.partition("#")[0] == layer.name for each in seen)
    name = layer.name if not calls else f"{layer.name}#{calls + 1}"
    if type(layer).__name__ in _DENSE:
        rows = [values.reshape(-1, values.shape[-1]) for values in (x, outputs, *after)]
        seen.append(Computed(name, rows[0], rows[1], kernel, bias, rows[2:]))
        return
    last = layer.data_format != "channels_first"  # then the axis of channels comes last
    one = [np.moveaxis(values[-1], -1, 0) if last else values[-1] for values in (x, outputs, *after)]
    sizes = kernel.shape[:-2]
    steps, spread = tuple(layer.strides), tuple(layer.dilation_rate)
    padding = _padding(layer.padding, one[0].shape[1:], sizes, steps, spread)
    templates = np.moveaxis(kernel, (-1, -2), (0, 1)).reshape(kernel.shape[-1], -1)
    window = Window(sizes, steps, padding, spread, int(layer.groups))
    seen.append(Computed(name, one[0], one[1], templates.T, bias, one[2:], window))


def _padding(
    kind: str, space: Sequence[int], kernel: Sequence[int], steps: Sequence[int], spread: Sequence[int]
) -> tuple[int, ...]:
    """How many zeros stand before the input on each axis."""
    before = []
    for size, k, step, dilation in zip(space, kernel, steps, spread, strict=True):
        reach = dilation * (k - 1)
        if kind == "same":
            before.append(max((-(-size // step) - 1) * step + reach + 1 - size, 0) // 2)
        else:
            before.append(reach if kind == "causal" else 0)
    return tuple(before)


def _converted(inputs: Any) -> Any:
    import keras

    def one(values: Any) -> Any:
        try:
            array = np.asarray(values)
        except ValueError:
            raise InputError("rows of different lengths in inputs: expected a rectangular array of numbers") from None
        if array.dtype.kind not in "biuf":
            raise InputError(f"inputs of type {array.dtype}: expected real numbers")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise InputError("NaN or infinite values in inputs: expected finite numbers")
        return keras.ops.convert_to_tensor(array.astype(np.float32) if array.dtype == np.float64 else array)

    if isinstance(inputs, dict):
        return {name: one(values) for name, values in inputs.items()}
    return [one(values) for values in inputs] if isinstance(inputs, tuple) else one(inputs)


def _numbers(tensor: Any) -> Array:
    import keras

    return np.array(keras.ops.convert_to_numpy(tensor))
