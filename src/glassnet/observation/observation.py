"""What `observe` returns: the layers of a model's forward pass, any neuron of them, and what the model gave."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import fsum
from typing import Any, NamedTuple

import numpy as np

from glassnet.arithmetic import Line, Sum, rows, significant
from glassnet.arrays import Array
from glassnet.errors import AddressError, SettingError
from glassnet.names import PLAIN
from glassnet.neuron import NeuronTrace
from glassnet.observation.layers import SeenLayer
from glassnet.opening import quoted_word
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Column, Part, Section, Table, Text, Worked


def _number(layer: str) -> int | str:
    """A block of a language model as a number, any other layer by its name."""
    return int(layer) if layer.isdecimal() else layer


MOST_PARTS = 80
"""Of more parts than this only the largest are printed."""


class Output(NamedTuple):
    """One output of a model: a class, a token or a number. `logit` is the model's own value."""

    name: str
    probability: float | None
    logit: float


@dataclass(frozen=True)
class ActiveNeuron:
    """A neuron by its address, and what it passes on."""

    layer: str
    index: int
    output: float


@dataclass(frozen=True)
class Contribution:
    """What one neuron gave to an output; `writes`: the tokens that it promotes, in a language model."""

    layer: str
    index: int
    contribution: float
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Attribution(Rendered):
    """What each part of a model gave to one output, or to the difference of two; the parts add up to `total`.

    Parameters
    ----------
    output : str
    against : str or None
    total : float
        The logit, or the difference of two.
    parts : sequence of (str, float)
    neurons : sequence of Contribution
        The neurons that gave most, largest first.
    neuron_count : int
        Of how many these are.
    neuron_total : float
        What all of these together gave.
    exact : str
        In what sense the parts are exact, or what they leave out.
    """

    output: str
    against: str | None
    total: float
    parts: Sequence[tuple[str, float]]
    neurons: Sequence[Contribution] = ()
    neuron_count: int = 0
    neuron_total: float = 0.0
    exact: str = ""

    @property
    def title(self) -> str:
        return f"what spoke for {self.output}" + ("" if self.against is None else f" against {self.against}")

    def document(self, top: int = 12) -> Document:
        """The parts as a column that adds up; then the neurons that gave most, and the rest of them as one line."""
        what = "logit" if self.against is None else "difference of logits"
        shown = (
            sorted(self.parts, key=lambda part: -abs(part[1]))[: max(top, 0)] if len(self.parts) > 40 else self.parts
        )
        others = None
        if len(shown) < len(self.parts):
            hidden = fsum([*(value for _, value in self.parts), *(-value for _, value in shown)])
            others = (f"{len(self.parts) - len(shown):,} more parts", hidden)
        whole = Sum(list(shown), (what, self.total), others, "rounding of the framework")
        column = rows([whole], (what, self.total))[:-1]
        made: list[Part] = [Worked(column)]
        if self.neurons:
            made.append(Section("neurons", [Worked(self._neuron_rows(top)), *self._writes(top)]))
        if self.exact:
            made.append(Text(self.exact, quiet=True))
        return Document(self.title, made)

    def _neuron_rows(self, top: int) -> Any:
        shown = self.neurons[: max(top, 0)]
        terms: list[Line] = [(f"{n.layer}:{n.index}", n.contribution) for n in shown]
        hidden = self.neuron_count - len(shown)
        left = fsum([self.neuron_total, *(-n.contribution for n in shown)])  # only the total of all is kept
        others = (f"and {hidden:,} more neurons", left) if hidden else None
        return rows([Sum(terms, ("all neurons", self.neuron_total), others)], ("", 0.0))[:-1]

    def _writes(self, top: int) -> list[Part]:
        shown = [n for n in self.neurons[: max(top, 0)] if n.writes]
        if not shown:
            return []
        cells = [
            (f"{n.layer}:{n.index}", significant(n.contribution, 3), " ".join(quoted_word(w) for w in n.writes))
            for n in shown
        ]
        return [
            Section(
                "words they write", [Table([Column("neuron"), Column("gave", "r"), Column("writes", "l", None)], cells)]
            )
        ]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "output": self.output,
            "against": self.against,
            "total": self.total,
            "parts": [{"name": name, "contribution": value} for name, value in self.parts],
            "neurons": [vars(n) | {"layer": _number(n.layer), "writes": list(n.writes)} for n in self.neurons],
            "neuron_count": self.neuron_count,
            "neuron_total": self.neuron_total,
            "exact": self.exact,
        }


def no_layer(name: str, names: Sequence[str], inside: Sequence[str] = ()) -> AddressError:
    """The error for a layer that is not there, or for a module that holds several."""
    near = list(inside[:3]) or difflib.get_close_matches(str(name), names, n=3, cutoff=0.4)
    what = f"{len(inside)} layers are in {name!r}" if inside else f"no layer {name!r} among the {len(names):,} seen"
    return AddressError(what, help=f"did you mean {', '.join(near)}?" if near else "print the observation to list them")


@dataclass(eq=False)
class Observation(Rendered):
    """A model on one input, as `glassnet.observe` saw it.

    Parameters
    ----------
    model : str
        What was observed.
    layers : sequence of SeenLayer
        In the order of the forward pass.
    outputs : sequence of Output
        What the model gave, largest first; of several examples for the last one.
    raw : object
        What the model returned, as arrays.
    unseen : sequence of str
        Parameters with two or more axes whose products could not be seen.
    """

    model: str
    layers: Sequence[SeenLayer]
    outputs: Sequence[Output]
    raw: Any = field(default=None, repr=False)
    unseen: Sequence[str] = ()
    default_position: int = field(default=-1, repr=False)

    def layer(self, name: str) -> SeenLayer:
        """The layer of this name (of the module, or of a module with just one layer in it); `AddressError` if none."""
        for layer in self.layers:
            if name == layer.name or name in layer.aliases:
                return layer
        inside = [layer for layer in self.layers if layer.name.startswith((f"{name}.", f"{name}["))]
        hidden = [layer for layer in inside if layer.activation != PLAIN]
        if len(hidden) == 1 or len(inside) == 1:
            return (hidden if len(hidden) == 1 else inside)[0]
        raise no_layer(name, [layer.name for layer in self.layers], [layer.name for layer in inside])

    def neuron(self, layer: str, index: int, position: "int | tuple[int, ...] | None" = None) -> NeuronTrace:
        """The arithmetic of one neuron; print it to read it.

        Parameters
        ----------
        layer : str
            Layer name, as `layers` has it.
        index : int
            The neuron, from 0; the channel of a convolution.
        position : int or tuple of int, optional
            Token, example or place (default: the last; of a convolution the strongest place).

        Raises
        ------
        AddressError
            If the layer, the neuron or the position does not exist or was not kept.
        """
        at = self.layer(layer)
        return at.neuron(index, self._position(at) if position is None else position)

    def _position(self, layer: SeenLayer) -> int:
        return -1 if layer.gate.window is not None else self.default_position

    def strongest(self, position: int = -1, top: int = 10) -> list[ActiveNeuron]:
        """The most active neurons of the whole model: of layers with an activation, by what they pass on.

        Parameters
        ----------
        position : int
            Layers that did not keep it are left out.
        top : int
        """
        if top < 0:
            raise SettingError(f"top must be 0 or more, got {top}")
        found: list[ActiveNeuron] = []
        for layer in self.layers:
            if layer.activation == PLAIN or layer.shape[0] == 0:
                continue
            if layer.gate.window is not None:
                values = layer.outputs.reshape(layer.shape[0], -1)
                values = values[np.arange(len(values)), np.abs(values).argmax(axis=1)]
            else:
                try:
                    values = layer.outputs[layer.row(position)]
                except AddressError:
                    continue
            size = np.nan_to_num(np.abs(values), nan=-1.0)
            best = np.argsort(-size, kind="stable")[:top]
            found += [ActiveNeuron(layer.name, int(k), float(values[k])) for k in best]
        return sorted(found, key=lambda n: -abs(n.output))[:top]

    def attribution(
        self, output: "str | int | None" = None, against: "str | int | None" = None, top: int = 10
    ) -> Attribution:
        """What each part gave to one output: here the neurons that the last layer reads, each times its weight.

        Exact, as the last layer is a sum; what came before it is not taken apart.

        Parameters
        ----------
        output, against : str or int, optional
            An output by its name or number (default: the largest); with `against` the difference is shared out.

        Raises
        ------
        SettingError
            If no layer computes the outputs as a sum.
        """
        last, row = self._last()
        chosen = [self._number(output, 0), *([] if against is None else [self._number(against, 1)])]
        product = last.gate
        inputs = product.inputs[row].astype(np.float64)
        weights = product.weights(chosen[0])
        bias = product.bias(chosen[0]) if product.bias is not None else 0.0
        total = float(product.outputs[row, chosen[0]])
        if len(chosen) == 2:
            weights = weights - product.weights(chosen[1])
            bias -= product.bias(chosen[1]) if product.bias is not None else 0.0
            total -= float(product.outputs[row, chosen[1]])
        given = inputs * weights
        order = np.argsort(-np.abs(given), kind="stable")
        source = next((layer.name for layer in self.layers if layer.result is product), None)
        shown = order[:top]
        parts = [(f"{source}:{k}" if source else f"input {k}", float(given[k])) for k in shown]
        rest = float(given[order[top:]].sum())
        if len(order) > top:
            parts.append((f"{len(order) - top:,} more", rest))
        if product.bias is not None:
            parts.append(("bias", bias))
        parts.append(("rounding of the framework", total - float(given.sum()) - bias))
        names = [self._output_name(k) for k in chosen]
        neurons = [Contribution(source, int(k), float(given[k])) for k in shown] if source else []
        return Attribution(
            names[0],
            names[1] if len(names) == 2 else None,
            total,
            parts,
            neurons,
            len(given) if source else 0,
            float(given.sum()) if source else 0.0,
            f"exact for the last layer, {last.name}; what its inputs are made of is not shared out",
        )

    def _last(self) -> tuple[SeenLayer, int]:
        values = self._values()
        if values is not None:
            for layer in reversed(self.layers):
                product = layer.gate
                if product.window is not None or product.fan_out != len(values) or not len(product.outputs):
                    continue
                z = product.outputs[-1]
                scale = max(float(np.abs(values).max()), 1e-9)
                if np.abs(z - values).max() <= 1e-5 * scale or np.abs(layer.outputs[-1] - values).max() <= 1e-5 * scale:
                    return layer, len(product.outputs) - 1
        raise SettingError(
            "the outputs of this model are not those of one layer, so no output can be shared out exactly",
            help="neuron(layer, index) and strongest() work; print the observation for its layers",
        )

    def _values(self) -> Array | None:
        """The last example's outputs, one after another."""
        raw = self.raw
        if isinstance(raw, Mapping):
            raw = raw.get("logits", next(iter(raw.values()), None))
        if isinstance(raw, list | tuple):
            raw = raw[0] if raw else None
        if not isinstance(raw, np.ndarray) or raw.ndim == 0 or raw.dtype.kind not in "fiu":
            return None
        return raw.reshape(-1, raw.shape[-1])[-1].astype(np.float64) if raw.ndim > 1 else raw.astype(np.float64)

    names: Sequence[str] | None = field(default=None, repr=False)
    """Classes, of which the outputs are logits."""
    output_names: Sequence[str] | None = field(default=None, repr=False)
    """Names of outputs of any other kind."""

    def largest_outputs(self, top: int = 10) -> list[Output]:
        """The largest outputs of the last example, with probabilities where the model names classes.

        Parameters
        ----------
        top : int

        Returns
        -------
        list of Output
        """
        values = self._values()
        if values is None:
            return []
        probabilities = None
        if self.names is not None and len(self.names) == len(values):
            raised = np.exp(values - values.max())
            probabilities = raised / raised.sum()
        order = [int(k) for k in np.argsort(-values, kind="stable")[:top]]
        return [
            Output(self._output_name(k), None if probabilities is None else float(probabilities[k]), float(values[k]))
            for k in order
        ]

    def _output_name(self, k: int) -> str:
        names = self.names if self.output_names is None else self.output_names
        return names[k] if names is not None and k < len(names) else f"output {k}"

    def _number(self, output: "str | int | None", fallback: int) -> int:
        values = self._values()
        assert values is not None
        if output is None:
            return int(values.argmax())
        if isinstance(output, str):
            every = [self._output_name(k) for k in range(len(values))]
            if output in every:
                return every.index(output)
            if not output.isdecimal():
                near = difflib.get_close_matches(output, every, n=1)
                raise AddressError(
                    f"no output {output!r} among {len(every):,}",
                    help=f"did you mean {near[0]!r}?" if near else f"they are {', '.join(every[:4])}, ...",
                )
            output = int(output)
        if not 0 <= output < len(values):
            raise AddressError(f"no output {output}: expected one from 0 to {len(values) - 1:,}")
        return output

    def document(self, top: int = 10) -> Document:
        """The outputs, the layers, and the most active neurons."""
        parts: list[Part] = []
        if self.outputs:
            cells = [
                (o.name, "" if o.probability is None else f"{o.probability:.1%}", significant(o.logit, 6))
                for o in self.outputs[:top]
            ]
            parts.append(
                Section("outputs", [Table([Column(), Column("probability", "r"), Column("value", "r")], cells)])
            )
        parts.append(self._layer_table())
        strongest = self.strongest(self.default_position, top) if top else []
        if strongest:
            active = [(f"{n.layer}:{n.index}", significant(n.output, 6)) for n in strongest]
            parts.append(
                Section("most active neurons", [Table([Column("neuron", most=60), Column("output", "r")], active)])
            )
        if self.unseen:
            words = ", ".join(self.unseen[:6]) + (f" and {len(self.unseen) - 6:,} more" if len(self.unseen) > 6 else "")
            parts.append(Text(f"not seen in any product: {words}", quiet=True))
        return Document(self.model, parts)

    def _layer_table(self) -> Section:
        cells = [
            (
                layer.name,
                layer.kind,
                f"{layer.shape[0]:,} of {layer.shape[1]:,}",
                layer.activation,
                "" if layer.active is None else f"{layer.active:.0%}",
            )
            for layer in self.layers[:60]
        ]
        columns = [
            Column("layer", most=44),
            Column("kind"),
            Column("neurons of inputs", "r"),
            Column("activation"),
            Column("active", "r"),
        ]
        more = [Text(f"{len(self.layers) - 60:,} more layers")] if len(self.layers) > 60 else []
        return Section("layers", [Table(columns, cells), *more])

    def layer_document(self, layer: str, top: int = 10) -> Document:
        """The most active neurons of one layer.

        Parameters
        ----------
        layer : str
        top : int

        Returns
        -------
        Document
        """
        at = self.layer(layer)
        alone = Observation(self.model, [at], (), default_position=self._position(at))
        values = at.outputs if at.gate.window is None else at.outputs.reshape(at.shape[0], -1).max(axis=1)[None]
        row = values[at.row(self._position(at)) if at.gate.window is None else 0]
        best = np.argsort(-np.abs(row), kind="stable")[:top]
        cells = [(f"{at.name}:{k}", significant(float(row[k]), 6)) for k in best]
        table = Table([Column("neuron", most=60), Column("output", "r")], cells)
        return Document(f"{self.model}, {at.name}", [alone._layer_table(), Section("most active neurons", [table])])

    def card(
        self, layer: str, index: int, position: "int | tuple[int, ...] | None" = None, top: int = 12,
        singly: bool = False,
    ) -> Document:  # fmt: skip
        """One neuron worked by hand.

        Parameters
        ----------
        layer, index, position
            As for `neuron`.
        top : int
            Products shown singly.
        singly : bool
            Products singly also where they are grouped by what computed their inputs.

        Returns
        -------
        Document
        """
        return self.neuron(layer, index, position).document(top, singly)

    def writes(self, layer: str, index: int) -> tuple[str, ...]:
        """The words that a neuron writes: of language models only.

        Parameters
        ----------
        layer : str
        index : int

        Returns
        -------
        tuple of str
        """
        return ()

    def as_dict(
        self, top: int = 10, output: "str | int | None" = None, against: "str | int | None" = None
    ) -> dict[str, Any]:
        """Plain values for JSON.

        Parameters
        ----------
        top : int
            Number of neurons.
        output, against : str or int, optional
            What is shared out (default: the largest output).

        Returns
        -------
        dict
        """
        try:
            given: Attribution | None = self.attribution(output, against, top)
        except SettingError:
            if output is not None:
                raise
            given = None
        shared = {"parts": [], "neurons": []} if given is None else given.as_dict()
        return {
            "model": self.model,
            "outputs": [o._asdict() for o in self.outputs],
            "parts": shared.pop("parts"),
            "neurons": shared.pop("neurons"),
            "attribution": shared or None,
            "strongest": [dict(vars(n)) for n in self.strongest(self.default_position, top)],
            "layers": [
                {
                    "name": layer.name,
                    "kind": layer.kind,
                    "neurons": layer.shape[0],
                    "inputs": layer.shape[1],
                    "activation": layer.activation,
                    "active": layer.active,
                    "positions": list(layer.positions[:1000]),
                }
                for layer in self.layers
            ],
            "unseen": list(self.unseen),
        }

    def __repr__(self) -> str:
        return f"Observation({self.model}, {len(self.layers):,} layers)"
