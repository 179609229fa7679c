"""A neuron in words: which inputs made its weighted sum, with which sign, and what its bias did.

Every word follows from the numbers of the trace by a rule that stands here. Imports only `active` of `explain`.
"""

from collections.abc import Sequence

import numpy as np

from glassnet.activations import activation
from glassnet.arithmetic import significant, strongest
from glassnet.explain.active import active
from glassnet.names import PLAIN
from glassnet.neuron import NeuronTrace
from glassnet.trace import Trace, check_address

MOSTLY = 4
"""At most this many inputs are named; if half of the sum needs more of them, no few matter most."""


def neuron_summary(trace: Trace, layer: int, neuron: int) -> str:
    """One neuron on one input in a sentence or two: its state, the inputs responsible for it, its bias.

    Parameters
    ----------
    trace : Trace
        Of one example.
    layer, neuron : int
        Address of the neuron, from 0.

    Returns
    -------
    str

    Raises
    ------
    AddressError
        If the neuron does not exist.
    SettingError
        If the trace has several examples.

    Examples
    --------
    >>> import glassnet as gn
    >>> network = gn.Network.from_layers([([[2.0, -1.0]], [0.5], "relu"), ([[1.0]], [0.0], "identity")])
    >>> gn.explain.neuron_summary(network.trace([3.0, 1.0]), 0, 0)
    'Neuron 0:0 is active (5.5): mostly input 0, for; its bias raises it.'
    """
    at = trace.neuron(layer, neuron)
    return f"{_state(trace, layer, neuron)}: {what_mattered(at)}; {what_the_bias_did(at)}."


def what_mattered(neuron: NeuronTrace) -> str:
    """The inputs that make up half of the sum of all absolute products, or that no few do."""
    products = neuron.products.astype(np.float64)
    sizes = np.abs(products)
    working = int(np.count_nonzero(products))
    if working == 0:
        return "nothing comes in, all products are 0"
    running = np.cumsum(-np.sort(-sizes))
    half = int(np.searchsorted(running, running[-1] / 2)) + 1
    if half <= MOSTLY:
        return f"mostly {_sides(neuron, half)}"
    return f"many inputs ({half:,} of {working:,} make half), most of all {_sides(neuron, 3)}"


def what_the_bias_did(neuron: NeuronTrace) -> str:
    """Whether the bias decided, helped or hindered, relative to the weighted sum."""
    total, bias = neuron.weighted_sum, neuron.bias
    if bias == 0:
        return "it has no bias"
    if total == 0:
        return f"only its bias of {significant(bias, 4)} counts"
    if (total > 0) != (neuron.pre_activation > 0):
        return f"its bias of {significant(bias, 4)} decides"
    share = abs(bias / total)
    if share < 0.01:
        return "its bias has little effect"
    how = " a little" if share < 0.1 else "" if share < 0.5 else " a lot"
    return f"its bias {'raises it' if bias > 0 else 'lowers it'}{how}"


def share_text(share: float) -> str:
    """A share as a percentage that never shows 100 % or 0 % for a share that only rounds to it."""
    if 0.9995 <= share < 1:
        return "over 99.9 %"
    if 0 < share < 0.0005:
        return "under 0.1 %"
    return f"{100 * share:.1f} %"


def listed(names: Sequence[str]) -> str:
    """`pixels 9,14 and 10,14`, `neurons 1:3, 1:5 and 1:2`, `age and hue`."""
    kinds = {name.split(" ")[0] for name in names}
    if len(names) > 1 and len(kinds) == 1 and kinds <= {"pixel", "neuron", "input"}:
        rest = [name.split(" ", 1)[1] for name in names]
        return f"{kinds.pop()}s {_joined(rest)}"
    return _joined(names)


def _joined(names: Sequence[str]) -> str:
    comma = "; " if any("," in name for name in names) else ", "
    return " and ".join([comma.join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _sides(neuron: NeuronTrace, count: int) -> str:
    """The `count` strongest inputs: those for it and those against it."""
    products = neuron.products.tolist()
    order = sorted(strongest(products, count), key=lambda i: -abs(products[i]))[:count]
    order = [i for i in order if products[i] != 0]
    names = neuron.input_names or [f"input {i}" for i in range(len(products))]
    sides = [[names[i] for i in order if products[i] > 0], [names[i] for i in order if products[i] < 0]]
    parts = [f"{listed(side)}, {word}" for side, word in zip(sides, ("for", "against"), strict=True) if side]
    return ", and ".join(parts)


def _state(trace: Trace, layer: int, neuron: int) -> str:
    check_address(layer, neuron, [len(t.activations) for t in trace.layers])
    at = trace.layers[layer]
    value = float(at.activations[neuron])
    last = layer == len(trace.layers) - 1
    subject = f"Neuron {layer}:{neuron}" + (f" ({trace.output_name(neuron)})" if last else "")
    if activation(at.activation_name).by_row:
        return f"{subject} has {share_text(value)} with a score of {float(at.pre_activations[neuron]):.4g}"
    if last and at.activation_name == PLAIN:
        return f"{subject} is {value:.4g}"
    return f"{subject} is {'active' if active(at)[neuron] else 'inactive'} ({value:.4g})"
