"""Overview of a network on one input: the input, the outputs, the active neurons, and in words what mattered.

Imports `active` and `wording` of `explain`.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from glassnet.activations import activation
from glassnet.errors import SettingError
from glassnet.explain.active import active
from glassnet.explain.wording import neuron_summary, share_text
from glassnet.render.document import Document, Rendered
from glassnet.render.json import plain
from glassnet.render.parts import Items, Section
from glassnet.trace import Trace


class Shown(NamedTuple):
    """A neuron of an overview: address, name, values, and whether it is active."""

    layer: int
    neuron: int
    name: str
    pre_activation: float
    activation: float
    active: bool


class LayerView(NamedTuple):
    """A layer of an overview: numbers of neurons and of active ones, and the strongest neurons, largest first."""

    layer: int
    activation_name: str
    neurons: int
    active: int
    strongest: tuple[Shown, ...]


@dataclass(frozen=True, eq=False)
class Overview(Rendered):
    """A network on one input; `overview` makes one. `str()` is at most 80 columns, `document().text(columns)` of any
    width.

    Parameters
    ----------
    name : str
        Name of the input.
    says : str
        The result in words.
    predicted : str or None
        The predicted class; None without classes.
    layers : tuple of LayerView
        If the outputs are few, the last layer has all of them in their order.
    words : tuple of str
        Sentences on what mattered, from the output to the inputs.
    trace : Trace
    """

    name: str
    says: str
    predicted: str | None
    layers: tuple[LayerView, ...]
    words: tuple[str, ...]
    trace: Trace = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "says": self.says,
            **({} if self.predicted is None else {"class": self.predicted}),
            "words": list(self.words),
            "layers": plain(self.layers),
        }

    def document(self) -> Document:
        """Result, picture and sentences."""
        most = max(len(view.strongest) for view in self.layers)
        details = [f"{view.active:,} of {view.neurons:,} active" for view in self.layers[:-1]]
        picture = self.trace.picture(most, details=[*details, ""])
        heading = f"{self.name}: {self.says}" if self.name else self.says
        sizes = "-".join(map(str, self.trace.sizes))
        return Document(heading, [Section("", [picture]), Items(self.words)], sizes)

    def __repr__(self) -> str:
        return f"Overview({self.name or 'one input'}: {self.says})"


def overview(trace: Trace, top: int = 10, name: str = "") -> Overview:
    """Summarise the trace of one input.

    Parameters
    ----------
    trace : Trace
        Of one example.
    top : int, default 10
        Number of strongest neurons of each layer.
    name : str, optional
        Name of the input, for the heading.

    Returns
    -------
    Overview

    Raises
    ------
    SettingError
        If the trace has several examples.

    Examples
    --------
    >>> import glassnet as gn
    >>> schema = gn.Schema(classes=("no", "yes"))
    >>> network = gn.Network.from_layers([([[1.0], [-1.0]], [0.0, 0.0], "softmax")], schema)
    >>> found = gn.explain.overview(network.trace([2.0]))
    >>> found.predicted, found.says
    ('no', 'looks like no (98.2 %), then yes (1.8 %)')
    """
    if trace.outputs.ndim == 2:
        raise SettingError(
            f"an overview shows one example; this trace has {len(trace)}", help="pick one first: overview(trace[0])"
        )
    if top < 1:
        raise SettingError(f"top must be 1 or more, got {top}")
    views = tuple(_view(trace, layer, top) for layer in range(len(trace.layers)))
    guess = _guess(trace)
    return Overview(
        name=name,
        says=_says(trace, guess),
        predicted=_class(trace, guess),
        layers=views,
        words=_chain(trace, guess),
        trace=trace,
    )


def _view(trace: Trace, layer: int, top: int) -> LayerView:
    at = trace.layers[layer]
    is_active = active(at)
    count = len(at.activations)
    order = np.argsort(-np.abs(at.activations), kind="stable")[:top]
    last = layer == len(trace.layers) - 1
    if last and count <= top:
        order = np.arange(count)
    strongest = tuple(
        Shown(
            layer,
            int(k),
            trace.output_name(int(k)) if last else f"neuron {layer}:{k}",
            float(at.pre_activations[k]),
            float(at.activations[k]),
            bool(is_active[k]),
        )
        for k in order
    )
    return LayerView(layer, at.activation_name, count, int(is_active.sum()), strongest)


def _guess(trace: Trace) -> int:
    """The output that the words are about: the largest for classes, else the one furthest from 0."""
    outputs = trace.outputs
    return int(outputs.argmax() if _predicts_classes(trace) else np.abs(outputs).argmax())


def _class(trace: Trace, guess: int) -> str | None:
    """The predicted class, if classes have names."""
    classes, count = trace.schema.classes, len(trace.outputs)
    if classes is None or len(classes) not in (count, 2):
        return None
    if count == 1:
        return classes[int(active(trace.layers[-1])[0])]
    return classes[guess]


def _predicts_classes(trace: Trace) -> bool:
    return trace.schema.classes is not None or activation(trace.layers[-1].activation_name).probabilities is not None


def _says(trace: Trace, guess: int) -> str:
    outputs, shared = trace.outputs, activation(trace.layers[-1].activation_name).by_row

    def one(k: int) -> str:
        value = float(outputs[k])
        return f"{trace.output_name(k)} ({share_text(value) if shared else f'{value:.4g}'})"

    if len(outputs) == 1:
        name = _class(trace, guess)
        return f"{trace.output_name(0)} = {float(outputs[0]):.4g}" + (f": looks like {name}" if name else "")
    if not _predicts_classes(trace):
        return f"{trace.output_name(guess)} = {float(outputs[guess]):.4g} is furthest from 0"
    tied = np.flatnonzero(outputs == outputs[guess]).tolist()
    if len(tied) > 1:
        names = ", ".join(trace.output_name(k) for k in tied[:3]) + (f" and {len(tied) - 3:,} more" * (len(tied) > 3))
        value = float(outputs[guess])
        return f"{len(tied):,} tie ({names}, {share_text(value) if shared else f'{value:.4g}'} each)"
    second = int(np.argsort(-outputs, kind="stable")[1])
    if shared and outputs[second] < 0.0005:
        return f"looks like {one(guess)}"  # the others are not worth a word
    return f"looks like {one(guess)}, then {one(second)}"


def _chain(trace: Trace, output: int, most: int = 3) -> tuple[str, ...]:
    """Sentences from the output down: a neuron, then the one before it that counted most, and so on."""
    sentences = []
    neuron = output
    for layer in range(len(trace.layers) - 1, -1, -1)[:most]:
        sentences.append(neuron_summary(trace, layer, neuron))
        neuron = int(np.abs(trace.neuron(layer, neuron).products).argmax())
    return tuple(sentences)
