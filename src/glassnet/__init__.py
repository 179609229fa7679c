"""glassnet: a glass-box toolkit for dense neural networks.

    activation = squish(weights . inputs + bias)

This is the public shelf: names are handed on from where they live, and imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_SHELF = {
    "Neuron": "neuron",
    "NeuronTrace": "neuron",
    "Architecture": "architecture",
    "ParameterCount": "architecture",
    "Signature": "signature",
    "Trace": "trace",
    "Network": "network",
    "Layer": "network",
    "load": "network",
    "count": "counting",
    "open": "inspecting",
    "compare_files": "inspecting",
    "Dataset": "data.dataset",
    "Evaluation": "evaluation",
    "evaluate": "evaluation",
    "Training": "training",
    "History": "training",
    "train": "training",
    "train_many": "training",
    "Comparison": "explain.comparison",
    "compare": "explain.comparison",
    "export": "exporting",
    "GlassnetError": "errors",
}
_MODULES = (
    "activations",
    "data",
    "errors",
    "explain",
    "initializers",
    "losses",
    "optimizers",
    "plots",
    "schedules",
    "tracking",
    "training",
)

__all__ = [*_SHELF, *_MODULES]

if TYPE_CHECKING:
    from glassnet import (
        activations,
        data,
        errors,
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
    from glassnet.counting import count
    from glassnet.data.dataset import Dataset
    from glassnet.errors import GlassnetError
    from glassnet.evaluation import Evaluation, evaluate
    from glassnet.explain.comparison import Comparison, compare
    from glassnet.exporting import export
    from glassnet.inspecting import compare_files, open
    from glassnet.network import Layer, Network, load
    from glassnet.neuron import Neuron, NeuronTrace
    from glassnet.signature import Signature
    from glassnet.trace import Trace
    from glassnet.training import History, Training, train, train_many


def __getattr__(name: str) -> Any:
    if name in _SHELF:
        value = getattr(import_module(f"glassnet.{_SHELF[name]}"), name)
    elif name in _MODULES:
        value = import_module(f"glassnet.{name}")
    else:
        raise AttributeError(f"module 'glassnet' has no attribute {name!r}")
    globals()[name] = value  # the next look is direct
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
