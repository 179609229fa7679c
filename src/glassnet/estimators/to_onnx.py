"""ONNX of a whole estimator or pipeline, with its scaling and encoding.

skl2onnx converts scikit-learn's own steps; this module registers converters for the networks. Outputs are those of its
classifiers, `label` and `probabilities` (for a regressor `variable`).
"""

import warnings
from typing import Any

import numpy as np

from glassnet.errors import MissingExtra, SettingError
from glassnet.estimators.classifier import GlassClassifier
from glassnet.estimators.regressor import GlassRegressor
from glassnet.files.formats.onnx.writer import OPSET, model


def to_onnx(fitted: Any, X: Any) -> Any:
    """Convert a fitted estimator or pipeline to ONNX.

    Parameters
    ----------
    fitted : estimator or Pipeline
    X : array_like or data frame
        Some rows like those it was fitted on, for names and types of the inputs: one input for each column of a data
        frame.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    SettingError
        If skl2onnx has no converter for a step.
    MissingExtra
        If skl2onnx is not installed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> import glassnet as gn
    >>> X, y = load_iris(return_X_y=True)
    >>> model = gn.GlassClassifier((4,), solver="lbfgs", random_state=0).fit(X, y)
    >>> [output.name for output in gn.estimators.to_onnx(model, X[:1]).graph.output]
    ['label', 'probabilities']
    """
    try:
        import skl2onnx
    except ImportError:
        raise MissingExtra("skl2onnx", "sklearn") from None
    _register(skl2onnx)
    options = {GlassClassifier: {"zipmap": False}}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # skl2onnx's own
            return skl2onnx.to_onnx(fitted, X, options=options, target_opset=OPSET)
    except skl2onnx.common.exceptions.MissingShapeCalculator as problem:
        raise SettingError(
            f"skl2onnx cannot convert this pipeline: {str(problem).splitlines()[0]}",
            help="export the network alone: glassnet.export(pipeline[-1].network_, path)",
        ) from None


def _register(skl2onnx: Any) -> None:
    skl2onnx.update_registered_converter(
        GlassClassifier,
        "GlassClassifier",
        _classifier_shapes,
        _classifier,
        options={"zipmap": [True, False], "nocl": [True, False], "output_class_labels": [False, True]},
    )
    skl2onnx.update_registered_converter(GlassRegressor, "GlassRegressor", _regressor_shapes, _regressor)


def _classifier_shapes(operator: Any) -> None:
    from skl2onnx.common.data_types import Int64TensorType, StringTensorType

    fitted, rows = operator.raw_operator, operator.inputs[0].get_first_dimension()
    count = len(fitted.classes_)
    labels = Int64TensorType if fitted.classes_.dtype.kind in "bui" else StringTensorType
    operator.outputs[0].type = labels([rows, count] if fitted._multilabel else [rows])
    operator.outputs[1].type = _numbers(fitted)([rows, count])


def _regressor_shapes(operator: Any) -> None:
    fitted = operator.raw_operator
    operator.outputs[0].type = _numbers(fitted)([operator.inputs[0].get_first_dimension(), fitted.n_outputs_])


def _numbers(fitted: Any) -> Any:
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    return DoubleTensorType if fitted.network_.dtype == "float64" else FloatTensorType


def _regressor(scope: Any, operator: Any, container: Any) -> None:
    _network(scope, operator, container, operator.outputs[0].full_name)


def _classifier(scope: Any, operator: Any, container: Any) -> None:
    """Probabilities from the outputs, and the label of the largest."""
    fitted = operator.raw_operator
    label, probabilities = (output.full_name for output in operator.outputs)
    steps = _Steps(scope, container, np.dtype(fitted.network_.dtype))
    if len(fitted.classes_) == 1:
        outputs = _network(scope, operator, container)
        steps.add("Add", [steps.add("Mul", [outputs, steps.constant(0.0)]), steps.constant(1.0)], probabilities)
    elif fitted.n_outputs_ == 1:
        outputs = _network(scope, operator, container)
        other = steps.add("Sub", [steps.constant(1.0), outputs])
        steps.add("Concat", [other, outputs], probabilities, axis=1)
    else:
        _network(scope, operator, container, probabilities)
    if fitted._multilabel:
        steps.add("Cast", [steps.add("Greater", [probabilities, steps.constant(0.5)])], label, to=7)  # int64
        return
    places = steps.add("ArgMax", [probabilities], axis=1, keepdims=0)
    numbers = fitted.classes_.dtype.kind in "bui"
    classes = np.array(fitted.classes_, np.int64) if numbers else [str(name).encode() for name in fitted.classes_]
    names = steps.constant(classes, np.dtype(np.int64) if numbers else np.dtype(object))
    steps.add("Gather", [names, places], label)


def _network(scope: Any, operator: Any, container: Any, end: str | None = None) -> str:
    """Nodes of the network, as `glassnet.export` writes them, under names of this graph; returns the last one's."""
    from onnx import helper, numpy_helper

    network = operator.raw_operator.network_
    graph = model(network).graph
    steps = _Steps(scope, container, np.dtype(network.dtype))
    number = helper.np_dtype_to_tensor_dtype(np.dtype(network.dtype))
    names = {graph.input[0].name: steps.add("Cast", [operator.inputs[0].full_name], to=number)}
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        names[constant.name] = steps.constant(values, values.dtype)
    for node in graph.node:
        (output,) = node.output
        last = output == graph.output[0].name
        settings = {part.name: helper.get_attribute_value(part) for part in node.attribute}
        named = [names[name] for name in node.input]
        names[output] = steps.add(node.op_type, named, end if last else None, **settings)
    return names[graph.output[0].name]


class _Steps:
    """Adds nodes and constants under unique names."""

    def __init__(self, scope: Any, container: Any, dtype: np.dtype) -> None:
        self._scope, self._container, self._dtype = scope, container, dtype

    def add(self, kind: str, inputs: list[str], output: str | None = None, **settings: Any) -> str:
        output = output or self._scope.get_unique_variable_name(kind.lower())
        name = self._scope.get_unique_operator_name(kind)
        self._container.add_node(kind, inputs, output, op_version=OPSET, name=name, **settings)
        return output

    def constant(self, values: Any, dtype: "np.dtype | None" = None) -> str:
        from onnx import TensorProto, helper

        dtype = dtype or self._dtype
        name = self._scope.get_unique_variable_name("constant")
        kind = TensorProto.STRING if dtype.kind == "O" else helper.np_dtype_to_tensor_dtype(dtype)
        flat = values if dtype.kind == "O" else np.ravel(values).astype(dtype)
        self._container.add_initializer(name, kind, list(np.shape(values)), flat)
        return name
