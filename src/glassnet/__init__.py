"""glassnet: a glass-box toolkit for dense neural networks.

    activation = squish(weights . inputs + bias)

The public names; each is imported when it is first used.
"""

from typing import TYPE_CHECKING

from glassnet import lazy

__version__ = "0.2.0"

if TYPE_CHECKING:
    from glassnet import (
        activations,
        data,
        errors,
        estimators,
        explain,
        initializers,
        losses,
        optimizers,
        plots,
        schedules,
        tracking,
        training,
    )
    from glassnet.architecture import Architecture, ParameterCount
    from glassnet.backward import BackwardTrace, NeuronGradient
    from glassnet.counting import count
    from glassnet.data.dataset import Dataset
    from glassnet.errors import GlassnetError
    from glassnet.estimators import GlassClassifier, GlassRegressor
    from glassnet.evaluation import Evaluation, evaluate
    from glassnet.explain.comparison import Comparison, compare
    from glassnet.files.exporting import export
    from glassnet.files.inspection import compare_files, open
    from glassnet.network import Layer, Network, load
    from glassnet.neuron import Neuron, NeuronTrace
    from glassnet.observation.observing import observe
    from glassnet.observation.words import words
    from glassnet.registration import register
    from glassnet.schema import Schema
    from glassnet.trace import Trace
    from glassnet.training import History, Training, train, train_many


__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "Architecture": "architecture",
        "BackwardTrace": "backward",
        "Comparison": "explain.comparison",
        "Dataset": "data.dataset",
        "Evaluation": "evaluation",
        "GlassClassifier": "estimators",
        "GlassRegressor": "estimators",
        "GlassnetError": "errors",
        "History": "training.history",
        "Layer": "network",
        "Network": "network",
        "Neuron": "neuron",
        "NeuronGradient": "backward",
        "NeuronTrace": "neuron",
        "ParameterCount": "architecture",
        "Schema": "schema",
        "Trace": "trace",
        "Training": "training.fit",
        "compare": "explain.comparison",
        "compare_files": "files.inspection",
        "count": "counting",
        "evaluate": "evaluation",
        "export": "files.exporting",
        "load": "network",
        "observe": "observation.observing",
        "open": "files.inspection",
        "register": "registration",
        "train": "training.fit",
        "train_many": "training.fit",
        "words": "observation.words",
        "activations": None,
        "data": None,
        "errors": None,
        "estimators": None,
        "explain": None,
        "initializers": None,
        "losses": None,
        "optimizers": None,
        "plots": None,
        "schedules": None,
        "tracking": None,
        "training": None,
    },
)
