"""Activity of every neuron over a data set: how often it is active, its activations, and the neurons that do no work.

dead        the same activation for every example; or a relu-like neuron that is never active
saturated   the slope of its activation is below 1/1000 on at least 99 % of the examples: it hardly trains there

Imports `active` and `batches` of `explain`.
"""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from glassnet.activations import activation
from glassnet.arrays import Array
from glassnet.data.dataset import Dataset
from glassnet.explain.active import active
from glassnet.explain.batches import Batches
from glassnet.explain.groups import NeuronGroup, neuron_groups
from glassnet.network import Network
from glassnet.render.document import Document, Record, Rendered, html_of_fields
from glassnet.render.parts import Column, Section, Table, Text

FLAT = 1e-3
"""A slope below this counts as none."""
NEARLY_ALWAYS = 0.99


class Idle(NamedTuple):
    """A neuron that does no work, by address, and why: a dead, constant or saturated one."""

    layer: int
    neuron: int
    kind: Literal["dead", "constant", "saturated"]
    why: str

    def _repr_html_(self) -> str:
        return html_of_fields(self)


@dataclass(frozen=True, eq=False)
class LayerActivity(Record):
    """One layer over a data set, with one number for each neuron.

    Parameters
    ----------
    activation_name : str
    active : ndarray of shape (fan_out,)
        Share of the examples on which the neuron is active.
    mean, spread : ndarray of shape (fan_out,)
        Mean and standard deviation of the activation.
    lowest, highest : ndarray of shape (fan_out,)
        Smallest and largest activation.
    flat : ndarray of shape (fan_out,)
        Share of the examples on which the slope of the activation is below 1/1000.
    """

    activation_name: str
    active: Array
    mean: Array
    spread: Array
    lowest: Array
    highest: Array
    flat: Array

    def __repr__(self) -> str:
        return f"LayerActivity({len(self.mean):,} neurons, {self.activation_name})"

    def why_dead(self, neuron: int) -> str:
        """Why this neuron is dead, or "" if it is not."""
        low, high = float(self.lowest[neuron]), float(self.highest[neuron])
        if activation(self.activation_name).rectifies and self.active[neuron] == 0:
            return "never active" + (f", always {low:.4g}" if low == high else f", at most {high:.4g}")
        return ""

    def why_constant(self, neuron: int) -> str:
        """Why this neuron is constant, or "" if it is not."""
        low, high = float(self.lowest[neuron]), float(self.highest[neuron])
        return f"always {low:.4g}" if low == high else ""

    def why_saturated(self, neuron: int) -> str:
        """Why this neuron is saturated, or "" if it is not; a step, flat by definition, never is."""
        if not activation(self.activation_name).trainable or self.flat[neuron] < NEARLY_ALWAYS:
            return ""
        return f"slope below {FLAT:g} on {self.flat[neuron]:.1%}, mean {float(self.mean[neuron]):.4g}"


@dataclass(frozen=True, eq=False)
class Activity(Rendered):
    """The activity of all neurons over a data set; `activity` computes it.

    Parameters
    ----------
    layers : tuple of LayerActivity
    count : int
        Number of examples.
    data : str
        Name of the data set.
    groups : tuple of NeuronGroup, optional
        Hidden neurons that are equal, proportional, opposite or constant by their weights.
    """

    layers: tuple[LayerActivity, ...]
    count: int
    data: str
    groups: tuple[NeuronGroup, ...] = ()

    @property
    def idle(self) -> tuple[Idle, ...]:
        """The neurons that do no work, each listed once: dead before constant before saturated."""
        found = []
        for i, layer in enumerate(self.layers):
            for k in range(len(layer.mean)):
                dead, constant, saturated = layer.why_dead(k), layer.why_constant(k), layer.why_saturated(k)
                if dead:
                    found.append(Idle(i, k, "dead", dead))
                elif constant and not (saturated and not activation(layer.activation_name).rectifies):
                    found.append(Idle(i, k, "constant", constant))
                elif saturated:
                    found.append(Idle(i, k, "saturated", saturated))
        return tuple(found)

    @property
    def dead(self) -> tuple[tuple[int, int], ...]:
        """Addresses (layer, neuron) of the dead neurons."""
        return tuple((n.layer, n.neuron) for n in self.idle if n.kind == "dead")

    @property
    def constant(self) -> tuple[tuple[int, int], ...]:
        """Addresses (layer, neuron) of the constant neurons."""
        return tuple((n.layer, n.neuron) for n in self.idle if n.kind == "constant")

    @property
    def saturated(self) -> tuple[tuple[int, int], ...]:
        """Addresses (layer, neuron) of the saturated neurons."""
        return tuple((n.layer, n.neuron) for n in self.idle if n.kind == "saturated")

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        figures = ("active", "mean", "spread", "lowest", "highest", "flat")
        return {
            "count": self.count,
            "layers": [
                {"activation_name": layer.activation_name} | {name: getattr(layer, name).tolist() for name in figures}
                for layer in self.layers
            ],
            "idle": [n._asdict() for n in self.idle],
            "groups": [group._asdict() for group in self.groups],
        }

    def document(self) -> Document:
        """How active each layer is, neuron by neuron on how many tenths of the data, and which neurons do no work."""
        rows, strips = [], []
        for i, layer in enumerate(self.layers):
            shares = [f"{float(np.quantile(layer.active, q)):.1%}" for q in (0, 0.5, 1)]
            mean = f"{float(layer.mean.mean()):.4f}"
            rows.append([str(i), layer.activation_name, f"{len(layer.mean):,}", *shares, mean])
            tenths = layer.active[:64].tolist()
            strip = "".join("." if s == 0 else "*" if s == 1 else str(min(int(10 * s), 9)) for s in tenths)
            more = f" and {len(layer.active) - 64:,} more" if len(layer.active) > 64 else ""
            strips.append((str(i), strip + more))
        heads = ("layer", "", "neurons", "active: least", "median", "most", "mean activation")
        columns = [Column(name, "l" if not name else "r") for name in heads]
        words = "active on this share of the examples, in tenths (. never, * always)"
        return Document(
            f"activity over {self.count:,} examples of {self.data}",
            [
                Section("", [Table(columns, rows)]),
                Section(words, [Table([Column("", "r"), Column("", "l", 90)], strips)]),
                self._named(),
                *(Section(group.text()) for group in self.groups),
            ],
        )

    def _named(self, most: int = 12) -> Section:
        if not self.idle:
            return Section("no neuron is dead, constant or saturated")
        all_kinds = (("dead", self.dead), ("constant", self.constant), ("saturated", self.saturated))
        kinds = [f"{len(found):,} {kind}" for kind, found in all_kinds if found]
        rows = [(f"{n.layer}:{n.neuron}", n.kind, n.why) for n in self.idle[:most]]
        more = [Text(f"and {len(self.idle) - most:,} more, in .idle")] if len(self.idle) > most else []
        return Section(", ".join(kinds), [Table([Column(), Column(), Column(most=None)], rows), *more])

    def __repr__(self) -> str:
        return f"Activity({len(self.layers)} layers over {self.count:,} examples)"


class _Tally:
    """Running figures of one layer, batch by batch."""

    def __init__(self, width: int) -> None:
        self.count = 0
        self.active, self.flat = np.zeros(width, np.int64), np.zeros(width, np.int64)
        self.mean, self.squares = np.zeros(width), np.zeros(width)
        self.lowest, self.highest = np.full(width, np.inf), np.full(width, -np.inf)

    def add(self, activations: Array, active: Array, flat: Array) -> None:
        """Merge means and sums of squares without loss of digits (Chan, Golub and LeVeque, 1983)."""
        n, before = len(activations), self.count
        mean = activations.mean(axis=0, dtype=np.float64)
        squares = ((activations - mean) ** 2).sum(axis=0)
        self.count += n
        step = mean - self.mean
        self.mean += step * (n / self.count)
        self.squares += squares + step**2 * (before * n / self.count)
        self.active += np.count_nonzero(active, axis=0)
        self.flat += np.count_nonzero(flat, axis=0)
        np.minimum(self.lowest, activations.min(axis=0), out=self.lowest)
        np.maximum(self.highest, activations.max(axis=0), out=self.highest)

    def result(self, activation_name: str) -> LayerActivity:
        return LayerActivity(
            activation_name=activation_name,
            active=self.active / self.count,
            mean=self.mean,
            spread=np.sqrt(self.squares / self.count),
            lowest=self.lowest,
            highest=self.highest,
            flat=self.flat / self.count,
        )


def activity(network: Network, data: Dataset | npt.ArrayLike) -> Activity:
    """What every neuron does over a data set. Memory does not grow with the number of examples.

    Parameters
    ----------
    network : Network
    data : Dataset or array_like of shape (n, fan_in)

    Returns
    -------
    Activity

    Raises
    ------
    InputError
        If the data does not fit the network.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.from_layers([([[1.0], [-1.0]], [0.0, -9.0], "relu"), ([[1.0, 1.0]], [0.0], "identity")])
    >>> found = gn.explain.activity(network, [[1.0], [2.0], [-3.0]])
    >>> found.dead
    ((0, 1),)
    >>> found.layers[0].active.round(2).tolist()
    [0.67, 0.0]
    """
    batches = Batches(network, data)
    tallies = [_Tally(width) for width in network.sizes[1:]]
    for trace in batches:
        for tally, layer in zip(tallies, trace.layers, strict=True):
            slopes = activation(layer.activation_name).slope(layer.pre_activations, layer.activations)
            tally.add(layer.activations, active(layer), np.abs(slopes) < FLAT)
    names = network.architecture.activations
    layers = tuple(tally.result(name) for tally, name in zip(tallies, names, strict=True))
    return Activity(layers, len(batches), batches.name, neuron_groups(network))
