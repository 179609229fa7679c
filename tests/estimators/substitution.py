"""A pytest plugin: where scikit-learn's tests say MLPClassifier and MLPRegressor, glassnet's estimators are taken.

`python -m pytest -p substitution --pyargs sklearn.neural_network.tests.test_mlp` runs them so.
"""

import sklearn.neural_network

from glassnet.estimators import GlassClassifier, GlassRegressor

sklearn.neural_network.MLPClassifier = GlassClassifier
sklearn.neural_network.MLPRegressor = GlassRegressor
