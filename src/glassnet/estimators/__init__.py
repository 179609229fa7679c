"""scikit-learn estimators over glassnet's networks: drop-in for MLPClassifier and MLPRegressor, with every number
visible.

    GlassClassifier(hidden_layer_sizes=(16,)).fit(X, y)         as any estimator of scikit-learn
    explain(fitted, row)                                        contribution of each column to a prediction
    to_onnx(fitted, X)                                          estimator or pipeline as one ONNX graph

They need the extra `sklearn`.
"""

from glassnet.errors import MissingExtra

try:
    import sklearn
except ImportError:
    raise MissingExtra("scikit-learn", "sklearn") from None

from glassnet.estimators.classifier import GlassClassifier
from glassnet.estimators.explanation import ColumnContribution, Explanation, explain
from glassnet.estimators.regressor import GlassRegressor
from glassnet.estimators.to_onnx import to_onnx

TRUSTED = [f"{kind.__module__}.{kind.__qualname__}" for kind in (GlassClassifier, GlassRegressor)]
"""Types for skops to trust: `skops.io.load(path, trusted=TRUSTED)`."""

__all__ = ["TRUSTED", "ColumnContribution", "Explanation", "GlassClassifier", "GlassRegressor", "explain", "to_onnx"]
