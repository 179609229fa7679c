"""The layers of scikit-learn's MLPClassifier and MLPRegressor, alone or after scalers in a pipeline."""

import json
from typing import Any

import numpy as np

from glassnet.activations import ACTIVATIONS
from glassnet.arrays import Array
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.layer_graph import Affine, Chain, Dense, InTheWay, Squish, Step, assemble
from glassnet.files.metadata import described
from glassnet.schema import Schema

BY_THEIRS = {of.sklearn: name for name, of in ACTIVATIONS.items() if of.sklearn}
"""glassnet's names for scikit-learn's."""
MODELS = ("MLPClassifier", "MLPRegressor")


def of_model(model: Any) -> Chain:
    """The layers of a fitted model. Its probabilities are the outputs (for two classes: of the second)."""
    *before, last = [part for _, part in model.steps] if hasattr(model, "steps") else [model]
    notes = getattr(last, "glassnet_notes_", None)
    scalers = [] if notes is not None else before
    steps: list[Step] = [step for scaler in scalers for step in _scaler(scaler, type(scaler).__name__)]
    kind = type(last).__name__
    if kind not in MODELS:
        raise InTheWay(f"a {kind} of scikit-learn", "MLPClassifier and MLPRegressor are made of dense layers")
    if not hasattr(last, "coefs_"):
        raise InTheWay(f"a {kind} that is not fitted yet", "call its fit first")
    return of_parts(
        last.coefs_,
        last.intercepts_,
        last.activation,
        last.out_activation_,
        getattr(last, "classes_", None),
        getattr(before[0] if before else last, "feature_names_in_", None),
        steps,
        notes,
    )


def of_parts(
    coefs: Any,
    intercepts: Any,
    activation: str,
    out_activation: str,
    classes: Any = None,
    features: Any = None,
    before: "list[Step] | None" = None,
    notes: Any = None,
) -> Chain:
    """The layers of a fitted model, from its attributes; `coefs` are kept as (fan_in, fan_out). `notes` are those that
    glassnet wrote into it, in which the steps before it are described."""
    steps = list(before or [])
    for i, (weights, biases) in enumerate(zip(coefs, intercepts, strict=True)):
        last = i == len(coefs) - 1
        name = out_activation if last else activation
        if name not in BY_THEIRS:
            raise InTheWay(f"activation {name!r} in layer {i}", f"scikit-learn's are {', '.join(BY_THEIRS)}")
        steps += [Dense(f"coefs_[{i}]", np.asarray(weights).T, np.asarray(biases)), Squish(name, BY_THEIRS[name])]
    found = assemble(steps)
    names = None if features is None else tuple(str(name) for name in features)
    labels = None if classes is None or np.ndim(classes) != 1 else tuple(str(label) for label in classes)
    fits = labels is not None and len(labels) in (len(coefs[-1][0]), 2)
    schema = Schema(features=names, classes=labels if fits else None, scale=found.schema.scale)
    texts = json.loads(notes) if isinstance(notes, str) else {}
    return Chain(*described(found.layers, texts, schema))


def of_file(file: Checkpoint) -> Chain:
    """The layers in a skops file, whose objects are read as data: `class` and settings by the way to them."""
    classes = {
        name.removesuffix("class").rstrip("."): text.rpartition(".")[2]
        for name, text in file.metadata.items()
        if name == "class" or name.endswith(".class")
    }
    ends = [place for place, kind in classes.items() if kind in MODELS]
    if len(ends) != 1:
        kind = next(iter(classes.values()), "object")
        raise InTheWay(f"a {kind} of scikit-learn", "MLPClassifier and MLPRegressor are made of dense layers")
    place = ends[0]
    last = _Stored(file, place)
    steps: list[Step] = []
    notes = last.glassnet_notes_
    notes = json.dumps(notes) if isinstance(notes, dict) else notes
    for before, kind in classes.items() if notes is None else ():
        if before and "." not in before and before != place and place:
            steps += _scaler(_Stored(file, before), kind)
    coefs, intercepts = last.arrays("coefs_"), last.arrays("intercepts_")
    if not coefs or len(coefs) != len(intercepts):
        raise InTheWay(f"a {classes[place]} that is not fitted yet", "call its fit first, then save it")
    labels = last.array("classes_") if classes[place] == "MLPClassifier" else None
    return of_parts(coefs, intercepts, str(last.activation), str(last.out_activation_), labels, None, steps, notes)


class _Stored:
    """An object in a skops file: its settings and arrays as attributes."""

    def __init__(self, file: Checkpoint, place: str) -> None:
        self._file, self._dot = file, f"{place}." if place else ""

    def __getattr__(self, name: str) -> Any:
        text = self._file.metadata.get(self._dot + name)
        if text is not None:
            try:
                return json.loads(text)
            except ValueError:
                return None
        return self.array(name)

    def array(self, name: str) -> Array | None:
        info = self._file.tensors.get(self._dot + name)
        if info is None or info.dtype in ("text", "bytes", "records", "Python objects"):  # names of classes are text
            return None
        return self._file.array(info.name)

    def arrays(self, name: str) -> list[Array]:
        found: list[Array] = []
        while (array := self.array(f"{name}.{len(found)}")) is not None:
            found.append(array)
        return found


def _scaler(scaler: Any, kind: str) -> list[Step]:
    """What a scaler does to every column, as a factor and a summand."""
    if kind in ("str", "NoneType"):  # "passthrough"
        return []
    if kind == "StandardScaler":
        spread = np.ones(1) if scaler.scale_ is None else np.asarray(scaler.scale_, np.float64)
        centre = np.zeros(1) if scaler.mean_ is None or not scaler.with_mean else np.asarray(scaler.mean_, np.float64)
        return [Affine(kind, 1 / spread, -centre / spread)]
    if kind == "MinMaxScaler" and not scaler.clip:
        return [Affine(kind, np.asarray(scaler.scale_), np.asarray(scaler.min_))]
    if kind == "MaxAbsScaler":
        spread = np.asarray(scaler.scale_, np.float64)
        return [Affine(kind, 1 / spread, np.zeros_like(spread))]
    raise InTheWay(f"a {kind} before the network", "StandardScaler, MinMaxScaler and MaxAbsScaler can be folded in")
