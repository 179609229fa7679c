"""A chain of dense layers in a Keras model, in memory or in a file: Sequential, or functional with one path through it.

The configuration says which layer follows which; nothing of it is run. Names mean what Keras means by them: its
leaky ReLU leaks 0.2 without being asked, its hard sigmoid was another one before Keras 3.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from glassnet.activations import ACTIVATIONS, PROBABILITIES
from glassnet.arrays import Array
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.layer_graph import (
    Affine,
    Chain,
    Dense,
    Flatten,
    InTheWay,
    Squish,
    Step,
    assemble,
    batch_norm,
    known_squish,
    of_rows,
)
from glassnet.files.metadata import described, notes_of
from glassnet.names import PLAIN

Variables: TypeAlias = Callable[[tuple[str, ...], str], Array | None]
"""From the names of a layer, those of the models around it first, and of a variable to its numbers, if it is there."""

_PASSED = (
    "InputLayer",
    "Dropout",
    "SpatialDropout1D",
    "GaussianDropout",
    "GaussianNoise",
    "AlphaDropout",
    "ActivityRegularization",
    "Identity",
)
_DEEPEST = 16
_SMALLEST_SPREAD = 1e-7
"""Keras' epsilon, below which Normalization takes no spread."""


def of_model(model: Any) -> Chain:
    """The layers of a model in memory, with the numbers that it has now."""
    import keras

    def variable(names: tuple[str, ...], wanted: str) -> Array | None:
        layer = model
        for name in names:
            layer = layer.get_layer(name)
        found = [one for one in layer.variables if one.name.split(":")[0].split("/")[-1] == wanted]
        return np.asarray(keras.ops.convert_to_numpy(found[0])) if found else None

    try:
        config = {"class_name": type(model).__name__, "config": model.get_config()}
    except NotImplementedError:
        raise InTheWay(f"a {type(model).__name__} with a call of its own", "export it to ONNX") from None
    return _Model(variable, str(keras.__version__)).chain(config)


def of_file(file: Checkpoint) -> Chain:
    """The layers of a Keras file that holds its configuration: .keras, or .h5 of a whole model."""
    try:
        config = json.loads(file.metadata.get("config", "null"))
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        raise InTheWay(
            f"a {file.format} file without the model's configuration", "save the whole model with model.save(...)"
        )

    def variable(names: tuple[str, ...], wanted: str) -> Array | None:
        name = "/".join([*(name.replace("/", "_") for name in names), wanted])
        return file.array(name) if name in file.tensors else None

    try:
        found = _Model(variable, file.metadata.get("keras_version", "")).chain(config)
    except (TypeError, ValueError, OverflowError, AttributeError) as problem:
        raise InTheWay(f"a configuration that makes no sense ({problem})", "save the model again") from problem
    return Chain(*described(found.layers, notes_of(file), found.schema))


class _Model:
    def __init__(self, variable: Variables, version: str) -> None:
        self.variable, self.version = variable, version
        self.shape: tuple[int, ...] | None = None
        self.flat = False  # whether an example is known to be a plain row by now

    def chain(self, config: dict[str, Any]) -> Chain:
        return assemble(list(self._of_model(config, ())), self.shape)

    def _of_model(self, layer: dict[str, Any], around: tuple[str, ...]) -> Iterator[Step]:
        kind, config = layer.get("class_name"), layer.get("config")
        listed = config.get("layers") if isinstance(config, dict) else config  # a list in the oldest files
        if len(around) > _DEEPEST or not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise InTheWay(f"a {kind} model that does not say its layers", "export it to ONNX")
        if kind != "Sequential":
            listed = _one_path(listed, config if isinstance(config, dict) else {})
        for one in listed:
            yield from self._of_layer(one, around)

    def _of_layer(self, layer: dict[str, Any], around: tuple[str, ...]) -> Iterator[Step]:
        kind, config = str(layer.get("class_name")), layer.get("config")
        if not isinstance(config, dict):
            raise InTheWay(f"a {kind} without settings")
        name = str(config.get("name", kind))
        names, called = (*around, name), f"{name} ({kind})"
        shape = config.get("batch_shape", config.get("batch_input_shape"))
        if not around and self.shape is None and isinstance(shape, list | tuple) and all(_whole(s) for s in shape[1:]):
            self.shape = tuple(int(side) for side in shape[1:]) or None
            self.flat = self.shape is not None and len(self.shape) == 1
        if "layers" in config:
            yield from self._of_model(layer, names)
        elif kind in _PASSED:
            return
        elif kind in ("Flatten", "Reshape"):
            if kind == "Flatten" and config.get("data_format") == "channels_first" and not self.flat:
                raise InTheWay(f"{called} of channels_first, which reorders")
            wanted = config.get("target_shape")
            self.flat = kind == "Flatten" or (isinstance(wanted, list | tuple) and len(wanted) == 1)
            sides = tuple(int(side) for side in wanted) if isinstance(wanted, list | tuple) else None
            yield Flatten(called, sides if kind == "Reshape" else None)
        elif kind == "Dense":
            yield from self._dense(names, called, config)
        else:
            yield self._scaling(names, called, kind, config) or self._squish(names, called, kind, config)

    def _dense(self, names: tuple[str, ...], called: str, config: dict[str, Any]) -> Iterator[Step]:
        kernel = self._needed(names, "kernel", called)
        if kernel.ndim != 2 or kernel.dtype.kind != "f":
            raise InTheWay(f"{called} with a kernel of {kernel.ndim} axes, {kernel.dtype}")
        biases = self._needed(names, "bias", called) if config.get("use_bias", True) else None
        self.flat = True
        yield Dense(called, kernel.T, biases)
        yield self._named(called, config.get("activation"))

    def _scaling(self, names: tuple[str, ...], called: str, kind: str, config: dict[str, Any]) -> Step | None:
        if kind == "Rescaling":
            scale, offset = (
                np.asarray(config.get(key, usual), np.float64) for key, usual in (("scale", 1), ("offset", 0))
            )
            return Affine(called, scale, offset)
        if kind not in ("BatchNormalization", "Normalization"):
            return None
        axis = config.get("axis", -1)
        axis = axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis
        if axis != -1 and not (axis == 1 and self.flat):
            raise InTheWay(f"{called} over axis {axis}")
        if kind == "BatchNormalization":
            return batch_norm(
                called,
                self._needed(names, "moving_mean", called),
                self._needed(names, "moving_variance", called),
                float(config.get("epsilon", 1e-3)),
                self._needed(names, "gamma", called) if config.get("scale", True) else None,
                self._needed(names, "beta", called) if config.get("center", True) else None,
                channels=False,
            )
        if config.get("invert"):
            raise InTheWay(f"{called} turned round")
        given = config.get("mean"), config.get("variance")
        if None in given:
            mean, variance = (self._needed(names, part, called) for part in ("mean", "variance"))
        else:
            mean, variance = (np.asarray(part, np.float64) for part in given)
        spread = np.maximum(np.sqrt(variance.astype(np.float64)), _SMALLEST_SPREAD)
        return Affine(called, 1 / spread, -mean / spread)

    def _squish(self, names: tuple[str, ...], called: str, kind: str, config: dict[str, Any]) -> Step:
        if kind == "Activation":
            return self._named(called, config.get("activation"))
        if kind == "Softmax":
            axis = config.get("axis", -1)
            if axis not in (-1, [-1]) and not (axis == 1 and self.flat):
                raise InTheWay(f"{called} over axis {axis}")
            return Squish(called, PROBABILITIES["one of many"])
        function = self._function(names, called, kind, config)
        squish = None if function is None else known_squish(function)
        if squish is None:
            raise InTheWay(called)
        return Squish(called, squish)

    def _function(
        self, names: tuple[str, ...], called: str, kind: str, config: dict[str, Any]
    ) -> Callable[[Array], Array] | None:
        """What a layer without weights (or with a slope) does to single numbers."""

        def number(usual: float, *keys: str) -> float:
            values = (config[key] for key in keys if config.get(key) is not None)
            return float(next(values, usual))

        if kind == "ReLU":
            top, slope, threshold = number(np.inf, "max_value"), number(0, "negative_slope"), number(0, "threshold")
            return lambda x: np.where(x >= threshold, np.minimum(x, top), slope * (x - threshold))
        if kind == "LeakyReLU":
            leak = number(0.3, "negative_slope", "alpha")
            return lambda x: np.where(x < 0, leak * x, x)
        if kind == "ELU":
            alpha = number(1, "alpha")
            return lambda x: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
        if kind == "PReLU":
            slopes = self._needed(names, "alpha", called)
            if slopes.size and (slopes == slopes.flat[0]).all():
                return lambda x: np.where(x < 0, float(slopes.flat[0]) * x, x)
        return None

    def _named(self, called: str, activation: Any) -> Step:
        """A function of Keras by its name, or a layer that is used as one."""
        if isinstance(activation, dict):
            inner, kind = activation.get("config"), str(activation.get("class_name"))
            if isinstance(inner, dict):
                return self._squish((), f"{called}, {kind}", kind, inner)
            activation = inner if kind == "function" and activation.get("module") in ("builtins", None) else kind
        if activation is None:
            return Squish(called, PLAIN)
        of_row = of_rows(str(activation), called)
        if of_row is not None:
            return of_row
        major = self.version.split(".")[0]
        since = int(major) if major.isdigit() else 0
        for name, of in ACTIVATIONS.items():
            theirs, settings = of.keras or (None, None)
            if activation in (theirs, *of.aliases) and theirs and not settings and of.keras_since <= since:
                return Squish(called, name)
        raise InTheWay(f"{called} with activation {activation!r}")

    def _needed(self, names: tuple[str, ...], wanted: str, called: str) -> Array:
        numbers = self.variable(names, wanted)
        if numbers is None:
            raise InTheWay(f"{called} whose {wanted} is not there", "build the model, or save it whole")
        return numbers


def _whole(side: Any) -> bool:
    return isinstance(side, int) and side > 0


def _one_path(listed: list[dict[str, Any]], config: dict[str, Any]) -> list[dict[str, Any]]:
    """The layers of a functional model in their order, found from its output back."""
    by_name = {str(layer.get("name", _settings(layer).get("name"))): layer for layer in listed}
    ends = _sources(config.get("output_layers"))
    if len(ends) != 1:
        raise InTheWay(f"a functional model with {len(ends)} outputs")
    path: list[dict[str, Any]] = []
    name = ends[0]
    while len(path) <= len(listed):
        layer = by_name.get(name)
        if layer is None:
            raise InTheWay(f"layer {name!r}, which is not listed")
        path.append(layer)
        if layer.get("class_name") == "InputLayer":
            return path[::-1]
        nodes = layer.get("inbound_nodes")
        if not isinstance(nodes, list) or len(nodes) != 1:
            raise InTheWay(f"{name} ({layer.get('class_name')}), which is used {len(nodes or [])} times")
        sources = _sources(nodes)
        if len(sources) != 1:
            raise InTheWay(f"{name} ({layer.get('class_name')}), where {len(sources)} branches meet")
        name = sources[0]
    raise InTheWay("a functional model that runs in circles")


def _settings(layer: dict[str, Any]) -> dict[str, Any]:
    config = layer.get("config")
    return config if isinstance(config, dict) else {}


def _sources(value: Any, depth: int = 0) -> list[str]:
    """The layers that a part of a configuration names: `["dense", 0, 0]`, or a tensor with its `keras_history`."""
    if depth > _DEEPEST:
        return []
    if isinstance(value, list | tuple):
        if len(value) >= 3 and isinstance(value[0], str) and all(isinstance(number, int) for number in value[1:3]):
            return [value[0]]
        return [name for part in value for name in _sources(part, depth + 1)]
    if isinstance(value, dict):
        return [name for part in value.values() for name in _sources(part, depth + 1)]
    return []
