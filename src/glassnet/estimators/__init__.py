"""scikit-learn estimators over glassnet's networks: drop-in for MLPClassifier and MLPRegressor, every number in reach.

    GlassClassifier(hidden_layer_sizes=(16,)).fit(X, y)         as any estimator of scikit-learn
    explain(fitted, row)                                        what each column gives to a prediction, adding up

The extra `sklearn` brings what they need.
"""

from glassnet.errors import MissingExtra

try:
    import sklearn
except ImportError:
    raise MissingExtra("scikit-learn", "sklearn") from None

from glassnet.estimators.classifier import GlassClassifier
from glassnet.estimators.regressor import GlassRegressor

__all__ = ["GlassClassifier", "GlassRegressor"]
