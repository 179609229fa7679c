"""Hidden neurons that say the same: equal ones, proportional ones, opposite ones, and those that no input moves.

Each is a direction, its weights and its bias, and a length. Neurons of one direction compute the same up to a factor
where the activation scales (relu), and for others one is a steeper version of the other; of opposite directions one
looks for what the other looks against. Weights of zeros make a constant.
"""

from typing import Literal, NamedTuple

import numpy as np

from glassnet.arrays import Array, equal_rows
from glassnet.network import Network
from glassnet.render.document import html_of_fields

MOST_COMPARED = 1 << 22
"""Weights of a layer that is searched; the search takes some 40 bytes for each."""

Kind = Literal["equal", "proportional", "opposite", "constant"]


class NeuronGroup(NamedTuple):
    """Neurons of one layer that belong together, and why.

    `equal`: the same weights and bias, which training keeps equal. `proportional`: the same times positive factors.
    `opposite`: the same times factors of both signs. `constant`: all weights are 0, one neuron or more.

    Parameters
    ----------
    layer : int
    kind : {"equal", "proportional", "opposite", "constant"}
    neurons : tuple of int

    Examples
    --------
    >>> NeuronGroup(1, "constant", (3,)).text()
    'layer 1: 1 neuron is constant, since all weights are 0 (1:3)'
    """

    layer: int
    kind: Kind
    neurons: tuple[int, ...]

    def _repr_html_(self) -> str:
        return html_of_fields(self)

    def text(self, most: int = 4) -> str:
        """A line about them.

        Parameters
        ----------
        most : int
            Number of addresses that are written.

        Returns
        -------
        str

        Examples
        --------
        >>> NeuronGroup(0, "equal", (2, 5)).text()
        'layer 0: 2 neurons are equal (0:2, 0:5)'
        """
        count = len(self.neurons)
        addresses = ", ".join(f"{self.layer}:{k}" for k in self.neurons[:most]) + ", ..." * (count > most)
        what = "neuron is" if count == 1 else "neurons are"
        why = ", since all weights are 0" if self.kind == "constant" else ""
        return f"layer {self.layer}: {count:,} {what} {self.kind}{why} ({addresses})"


def neuron_groups(network: Network) -> tuple[NeuronGroup, ...]:
    """Find groups of hidden neurons that say the same, to six digits.

    Parameters
    ----------
    network : Network

    Returns
    -------
    tuple of NeuronGroup
        Layer by layer. Layers of more than `MOST_COMPARED` weights are skipped.

    Examples
    --------
    >>> import glassnet as gn
    >>> layers = [([[1.0, 2.0], [2.0, 4.0], [0.0, 0.0]], [0.5, 1.0, 3.0], "relu"), ([[1.0, 2.0, 3.0]], [0], "identity")]
    >>> for group in gn.explain.neuron_groups(gn.Network.from_layers(layers)):
    ...     print(group.text())
    layer 0: 2 neurons are proportional (0:0, 0:1)
    layer 0: 1 neuron is constant, since all weights are 0 (0:2)
    """
    return tuple(
        NeuronGroup(i, kind, neurons)
        for i, layer in enumerate(network.layers[:-1])
        if layer.weights.size <= MOST_COMPARED
        for kind, neurons in _groups(layer.weights, layer.biases)
    )


def _groups(weights: Array, biases: Array) -> list[tuple[Kind, tuple[int, ...]]]:
    rows = np.column_stack([weights, biases]).astype(np.float64)
    usable = np.isfinite(rows).all(axis=1)
    constant = usable & ~np.any(weights, axis=1)
    moving = np.flatnonzero(usable & ~constant)
    largest = np.abs(rows[moving]).max(axis=1, keepdims=True, initial=0)
    directions = rows[moving] / np.where(largest == 0, 1, largest)
    first = np.argmax(np.abs(directions) > 0.5, axis=1)  # some number of each is 1 in size
    signs = np.sign(directions[np.arange(len(moving)), first])
    found: list[tuple[Kind, tuple[int, ...]]] = []
    for group in equal_rows(directions * signs[:, None]):
        neurons = tuple(int(moving[k]) for k in group)
        if len({signs[k] for k in group}) > 1:
            found.append(("opposite", neurons))
        elif len(equal_rows(rows[list(neurons)])) == 1 and len(equal_rows(rows[list(neurons)])[0]) == len(neurons):
            found.append(("equal", neurons))
        else:
            found.append(("proportional", neurons))
    if constant.any():
        found.append(("constant", tuple(np.flatnonzero(constant).tolist())))
    return found
