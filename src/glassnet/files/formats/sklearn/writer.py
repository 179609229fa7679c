"""scikit-learn: an MLPClassifier or MLPRegressor that predicts as the network does; as a file, in skops' format."""

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.activations import ACTIVATIONS, activation
from glassnet.errors import MissingExtra, SettingError
from glassnet.files.writing import folded, not_there, noted
from glassnet.names import PLAIN

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network

_HIDDEN = {name: of.sklearn for name, of in ACTIVATIONS.items() if of.sklearn and not of.by_row}
_ENDS = {name: of.sklearn for name, of in ACTIVATIONS.items() if of.sklearn and (of.probabilities or name == PLAIN)}


def filling(network: "Network", path: Path) -> "Filling":
    model = pipeline(network)
    try:
        from skops.io import dump
    except ImportError:
        raise MissingExtra("skops", "sklearn") from None
    return lambda name: dump(model, Path(name))


def pipeline(network: "Network") -> Any:
    """The estimator, after a one-hot encoder of the columns of text if there are any: it takes the raw table."""
    model = estimator(network)
    schema = network.schema
    if schema.one_hot is None:
        return model
    try:
        pandas = import_module("pandas")
    except ImportError:
        raise MissingExtra("pandas", "sklearn") from None
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    columns = schema.columns
    longest = max(len(texts) for texts in columns.values() if texts is not None)
    example = pandas.DataFrame(
        {
            name: [0.0] * longest if texts is None else [texts[i % len(texts)] for i in range(longest)]
            for name, texts in columns.items()
        }
    )
    parts: list[Any] = [
        (f"column {i}", "passthrough", [name])
        if texts is None
        else (f"column {i}", OneHotEncoder(categories=[list(texts)], handle_unknown="ignore"), [name])
        for i, (name, texts) in enumerate(columns.items())
    ]
    encoder = ColumnTransformer(parts, sparse_threshold=0).fit(example)
    del model.feature_names_in_  # the encoder hands on an array
    return Pipeline([("columns", encoder), ("network", model)])


def estimator(network: "Network") -> Any:
    """The fitted MLPClassifier (softmax or sigmoid at the end) or MLPRegressor (identity).

    Its inputs are raw: stored pixels or columns in their units, since the preprocessing is folded into its first layer
    (columns of text are one-hot inputs: see `pipeline`); classes are the schema's names, else 0, 1, 2, ...
    Raises `SettingError` for networks that scikit-learn has no words for.
    """
    try:
        from sklearn.neural_network import MLPClassifier, MLPRegressor
        from sklearn.preprocessing import LabelBinarizer
    except ImportError:
        raise MissingExtra("scikit-learn", "sklearn") from None
    notes, network = noted(network), folded(network)
    *hidden, end = network.architecture.activations
    outputs = network.sizes[-1]
    for i, name in enumerate(hidden):
        if name not in _HIDDEN:
            raise not_there("scikit-learn", name, i, list(_HIDDEN))
        if name != hidden[0]:
            raise SettingError(
                f"layer 0 has {hidden[0]} and layer {i} {name}: scikit-learn has one activation for all hidden layers",
                help="export to onnx, c or python instead",
            )
    if end not in _ENDS or (activation(end).by_row and outputs < 2):
        raise not_there("scikit-learn", end, len(hidden), list(_ENDS))
    classifier = end != PLAIN
    kind = MLPClassifier if classifier else MLPRegressor
    sizes = network.sizes[1:-1]
    model = kind(hidden_layer_sizes=sizes, activation=_HIDDEN[hidden[0]] if hidden else _HIDDEN[PLAIN])
    model.glassnet_notes_ = json.dumps(notes)
    model.coefs_ = [np.array(layer.weights.T, order="C") for layer in network.layers]
    model.intercepts_ = [np.array(layer.biases) for layer in network.layers]
    model.n_layers_, model.n_outputs_, model.n_features_in_ = len(network.sizes), outputs, network.sizes[0]
    model.out_activation_ = _ENDS[end]
    model.n_iter_, model.t_, model.loss_, model.best_loss_, model.loss_curve_ = 0, 0, 0.0, None, []
    names = network.schema.features
    if names is not None and len(names) == network.sizes[0]:
        model.feature_names_in_ = np.array(names, dtype=object)
    if classifier:
        classes = _classes(network, max(outputs, 2))
        binarizer = LabelBinarizer()
        binarizer.classes_, binarizer.y_type_ = classes, "binary" if outputs == 1 else "multiclass"
        binarizer.sparse_input_ = False
        model._label_binarizer = binarizer
        if not activation(end).by_row and outputs > 1:
            binarizer.y_type_ = "multilabel-indicator"
            binarizer.classes_ = np.arange(outputs)
        model.classes_ = binarizer.classes_
    return model


def _classes(network: "Network", count: int) -> Any:
    """Names, in the order of the outputs; scikit-learn wants them sorted to train on, not to predict."""
    names = network.schema.classes
    if names is None or len(names) != count:
        return np.arange(count)
    return np.array(names)
