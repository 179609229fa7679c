"""The whole network on one input in a screenful: the input, the outputs, who was active, and in words what mattered.

Imports `active`, `drawing` and `words` of `explain`.
"""

import textwrap
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from glassnet.arithmetic import significant
from glassnet.errors import SettingError
from glassnet.explain.active import active
from glassnet.explain.wording import neuron_summary, output_name, share_text
from glassnet.render import text_pictures
from glassnet.trace import Trace

PANEL_ROWS = 14
"""How high the input is drawn, at most."""
HIDDEN_LAYERS = 6
"""So many hidden layers get a line each; of more, the first and the last ones."""


class Shown(NamedTuple):
    """A neuron as it is shown: its address, what to call it, its numbers, and whether it is active."""

    layer: int
    neuron: int
    name: str
    pre_activation: float
    activation: float
    active: bool


class LayerView(NamedTuple):
    """A layer: how many neurons it has, how many are active, and the ones that give most, strongest first."""

    layer: int
    activation_name: str
    neurons: int
    active: int
    strongest: tuple[Shown, ...]


@dataclass(frozen=True, eq=False)
class Overview:
    """A network at work on one input; `str()` is at most 80 columns, `written(columns)` as wide as wanted.

    name       what to call the input
    says       what the network makes of it, in words
    taken_for  the class it takes it for, or None where it tells no classes
    layers     a `LayerView` for each; the strongest of the last layer are the outputs, all of them in their order
               if they are few
    words      sentences on what mattered, from the output down to the inputs
    """

    name: str
    says: str
    taken_for: str | None
    layers: tuple[LayerView, ...]
    words: tuple[str, ...]
    trace: Trace = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "says": self.says,
            **({} if self.taken_for is None else {"class": self.taken_for}),
            "words": list(self.words),
            "layers": [
                view._asdict() | {"strongest": [shown._asdict() for shown in view.strongest]} for view in self.layers
            ],
        }

    def written(self, columns: int = 80) -> str:
        """The screenful, `columns` wide (72 at least)."""
        columns = max(columns, 72)
        left = min(columns - 38, 42)
        sizes = [self.trace.layers[0].inputs.shape[-1], *(view.neurons for view in self.layers)]
        structure = "-".join(map(str, sizes))
        heading = self.name and f"{self.name}: "
        lines = textwrap.wrap(f"{heading}{self.says}", columns - 2 - len(structure)) or [""]
        lines[0] = f"{lines[0]:<{columns - len(structure)}}{structure}"
        lines += ["", *self._beside(self._input(left - 3), self._outputs(columns - left), left), ""]
        lines += [*self._hidden(columns), ""] if len(self.layers) > 1 else []
        for sentence in self.words:
            lines += textwrap.wrap(sentence, columns, subsequent_indent="  ")
        return "\n".join(line.rstrip() for line in lines)

    def __str__(self) -> str:
        return self.written()

    def _input(self, columns: int) -> list[str]:
        schema, inputs = self.trace.schema, self.trace.layers[0].inputs
        shape = schema.input_shape
        if shape is not None and len(shape) == 2:
            lines = text_pictures.ink(inputs.reshape(shape), columns, PANEL_ROWS).split("\n")
            margin = min((len(line) - len(line.lstrip()) for line in lines if line), default=0)
            return ["the input", *(line[margin:] for line in lines)]
        names = self.trace.input_names(0)
        order = range(len(inputs)) if len(inputs) <= 10 else np.argsort(-np.abs(inputs), kind="stable")[:10]
        label = min(max(len(names[i]) for i in order), 20)
        lines = [f"  {names[i][:label]:<{label}} {significant(float(inputs[i]), 4):>10}" for i in order]
        more = [f"  and {len(inputs) - 10:,} more"] if len(inputs) > 10 else []
        return ["the inputs" if len(inputs) <= 10 else "the largest inputs", *lines, *more]

    def _outputs(self, width: int) -> list[str]:
        view = self.layers[-1]
        label = min(max(len(shown.name) for shown in view.strongest), 14)
        values = [shown.activation for shown in view.strongest]
        largest = max(map(abs, values))
        figures = text_pictures.figures(values)
        room = max(4, width - label - len(figures[0]) - 4)
        lines = [
            f"  {s.name[:label]:>{label}} {figure} {text_pictures.bar(s.activation, largest, room)}"
            for s, figure in zip(view.strongest, figures, strict=True)
        ]
        hidden = view.neurons - len(view.strongest)
        return [
            f"the outputs: layer {view.layer}, {view.activation_name}",
            *lines,
            *([f"  and {hidden:,} more"] if hidden else []),
        ]

    @staticmethod
    def _beside(left: list[str], right: list[str], wide: int) -> list[str]:
        rows = max(len(left), len(right))
        left, right = (side + [""] * (rows - len(side)) for side in (left, right))
        return [f"{a:<{wide}}{b}".rstrip() for a, b in zip(left, right, strict=True)]

    def _hidden(self, columns: int) -> list[str]:
        """A line for each hidden layer: how many are active, and the strongest with their bars."""
        views = self.layers[:-1]
        skipped = len(views) - HIDDEN_LAYERS
        if skipped > 0:
            half = HIDDEN_LAYERS // 2
            views = (*views[:half], *views[-half:])
        heads = [f"layer {v.layer}, {v.activation_name}: {v.active:,} of {v.neurons:,} active" for v in views]
        wide = max(map(len, heads)) + 2
        cells = [[(f"{s.layer}:{s.neuron} {s.activation:.3g}", s.activation) for s in v.strongest] for v in views]
        for fitting in range(max(map(len, cells)), 0, -1):
            cell = max(len(text) for line in cells for text, _ in line[:fitting]) + 8  # a bar of 5, blanks around it
            if wide + fitting * cell - 2 <= columns:
                break
        lines = []
        for head, line in zip(heads, cells, strict=True):
            largest = max(abs(value) for _, value in line)
            bars = [f"{f'{text} {text_pictures.bar(value, largest, 5)}':<{cell}}" for text, value in line[:fitting]]
            lines.append(f"{head:<{wide}}{''.join(bars)}".rstrip())
        if skipped > 0:
            lines.insert(HIDDEN_LAYERS // 2, f"... {skipped:,} more layers ...")
        return lines


def overview(trace: Trace, top: int = 10, name: str = "") -> Overview:
    """The screenful for the trace of one input, with the `top` strongest neurons of each layer.

    name  what to call the input, for the heading

    Raises `SettingError` for a trace of several inputs.
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
        taken_for=_class(trace, guess),
        layers=views,
        words=_chain(trace, guess),
        trace=trace,
    )


def _view(trace: Trace, layer: int, top: int) -> LayerView:
    at = trace.layers[layer]
    wakes = active(at)
    count = len(at.activations)
    order = np.argsort(-np.abs(at.activations), kind="stable")[:top]
    last = layer == len(trace.layers) - 1
    if last and count <= top:
        order = np.arange(count)
    strongest = tuple(
        Shown(
            layer,
            int(k),
            output_name(trace, int(k)) if last else f"neuron {layer}:{k}",
            float(at.pre_activations[k]),
            float(at.activations[k]),
            bool(wakes[k]),
        )
        for k in order
    )
    return LayerView(layer, at.activation_name, count, int(wakes.sum()), strongest)


def _guess(trace: Trace) -> int:
    """The output that the words are about: the largest, by which a class is told; of measurements the one furthest
    from 0."""
    outputs = trace.outputs
    return int(outputs.argmax() if _tells_classes(trace) else np.abs(outputs).argmax())


def _class(trace: Trace, guess: int) -> str | None:
    """The class that the outputs tell, where classes have names."""
    classes, count = trace.schema.classes, len(trace.outputs)
    if classes is None or len(classes) not in (count, 2):
        return None
    if count == 1:
        return classes[int(active(trace.layers[-1])[0])]
    return classes[guess]


def _tells_classes(trace: Trace) -> bool:
    return trace.schema.classes is not None or trace.layers[-1].activation_name in ("softmax", "sigmoid")


def _says(trace: Trace, guess: int) -> str:
    outputs, last = trace.outputs, trace.layers[-1]

    def one(k: int) -> str:
        value = float(outputs[k])
        return f"{output_name(trace, k)} ({share_text(value) if last.activation_name == 'softmax' else f'{value:.4g}'})"

    if len(outputs) == 1:
        name = _class(trace, guess)
        return f"{output_name(trace, 0)} = {float(outputs[0]):.4g}" + (f": looks like {name}" if name else "")
    if not _tells_classes(trace):
        return f"{output_name(trace, guess)} = {float(outputs[guess]):.4g} is furthest from 0"
    second = int(np.argsort(-outputs, kind="stable")[1])
    if last.activation_name == "softmax" and outputs[second] < 0.0005:
        return f"looks like {one(guess)}"  # the others are not worth a word
    return f"looks like {one(guess)}, then {one(second)}"


def _chain(trace: Trace, output: int, most: int = 3) -> tuple[str, ...]:
    """From the output down: a neuron in words, then the one before it that counted most, and so on."""
    sentences = []
    neuron = output
    for layer in range(len(trace.layers) - 1, -1, -1)[:most]:
        sentences.append(neuron_summary(trace, layer, neuron))
        neuron = int(np.abs(trace.neuron(layer, neuron).products).argmax())
    return tuple(sentences)
