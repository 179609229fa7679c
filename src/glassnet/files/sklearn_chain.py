"""The layers of scikit-learn's MLPClassifier and MLPRegressor, alone or after scalers in a pipeline."""

from typing import Any

import numpy as np

from glassnet.files.steps import Affine, Chain, Dense, InTheWay, Squish, Step, assemble
from glassnet.signature import Signature

SQUISHES = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu", "softmax": "softmax"}
"""glassnet's names for scikit-learn's."""
MODELS = ("MLPClassifier", "MLPRegressor")


def chain(model: Any) -> Chain:
    """The layers of a fitted model. Its probabilities are the outputs (for two classes: of the second)."""
    *before, last = [part for _, part in model.steps] if hasattr(model, "steps") else [model]
    steps: list[Step] = [step for scaler in before for step in _scaler(scaler)]
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
    )


def of_parts(
    coefs: Any,
    intercepts: Any,
    activation: str,
    out_activation: str,
    classes: Any = None,
    features: Any = None,
    before: "list[Step] | None" = None,
) -> Chain:
    """The layers of a fitted model, from its attributes; `coefs` are kept as (fan_in, fan_out)."""
    steps = list(before or [])
    for i, (weights, biases) in enumerate(zip(coefs, intercepts, strict=True)):
        last = i == len(coefs) - 1
        name = out_activation if last else activation
        if name not in SQUISHES:
            raise InTheWay(f"activation {name!r} in layer {i}", f"scikit-learn's are {', '.join(SQUISHES)}")
        steps += [Dense(f"coefs_[{i}]", np.asarray(weights).T, np.asarray(biases)), Squish(name, SQUISHES[name])]
    found = assemble(steps)
    names = None if features is None else tuple(str(name) for name in features)
    labels = None if classes is None or np.ndim(classes) != 1 else tuple(str(label) for label in classes)
    fits = labels is not None and len(labels) in (len(coefs[-1][0]), 2)
    return Chain(found.layers, Signature(features=names, classes=labels if fits else None))


def _scaler(scaler: Any) -> list[Step]:
    """What a scaler does to every column, as a factor and a summand."""
    kind = type(scaler).__name__
    if scaler == "passthrough" or scaler is None:
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
