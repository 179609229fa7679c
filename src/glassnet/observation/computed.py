"""Layers of products that another engine computed whole, as arrays: ONNX Runtime, Keras, glassnet itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.names import PLAIN
from glassnet.observation import linking
from glassnet.observation.layers import ATTENTION, Kind, SeenLayer, common, parent
from glassnet.observation.observation import Observation
from glassnet.observation.products import Product, Window
from glassnet.observation.selection import Selection

_RECENT = 8
_SAMPLED_PLACES = 4096


@dataclass(eq=False)
class Computed:
    """A product of a forward pass.

    Parameters
    ----------
    name : str
    inputs : ndarray of shape (rows, fan_in), or (channels, *space) for a convolution
    outputs : ndarray of shape (rows, fan_out), or (channels, *space)
    weights : ndarray of shape (fan_in, fan_out)
        Of a convolution each column is a template (channels, *kernel) in one row.
    bias : ndarray of shape (fan_out,) or None
    after : sequence of ndarray
        What the model computed right from `outputs`, of the same shape.
    window : Window, optional
    dtype : str
        Type of number of the engine; that of `outputs` unless said.
    """

    name: str
    inputs: Array
    outputs: Array
    weights: Array
    bias: Array | None
    after: Sequence[Array] = ()
    window: Window | None = None
    dtype: str = ""
    activation: str = ""
    up: "Computed | None" = None
    gate: "Computed | None" = None
    halves: linking.Gate | None = None
    result: "Computed | None" = None
    product: Product | None = None


def observation_of(
    model: str,
    computed: Sequence[Computed],
    raw: Any,
    names: Sequence[str] | None,
    unseen: Sequence[str],
    layers: Sequence[str] | None,
    position: int | None,
) -> Observation:
    """What was computed, as an observation; of each product only what was asked for is kept."""
    wanted = Selection(layers, position)
    _link(computed)
    for each in computed:
        each.product = _kept(each, wanted(each.name))
    made = [_layer(each) for each in computed if each.product is not None and each.gate is None]
    wanted.check([each.name for each in computed], [_address(each)[0] for each in computed])
    seen = Observation(model, made, (), raw, unseen, -1 if position is None else position, names)
    seen.outputs = seen.largest_outputs()
    return seen


def _sample(each: Computed, values: Array) -> Array:
    if each.window is not None:
        return values.reshape(1, -1)[:, :_SAMPLED_PLACES]
    return values[np.unique([len(values) - 1, len(values) // 2])] if len(values) else values


def _link(computed: Sequence[Computed]) -> None:
    """Activations and gates, found as `linking` says."""
    for at, each in enumerate(computed):
        for values in each.after:
            if values.shape == each.outputs.shape and not each.activation:
                dtype = each.dtype or str(each.outputs.dtype)
                each.activation = linking.fitting(_sample(each, each.outputs), _sample(each, values), dtype)
        if each.window is None:
            _follow(each, [c for c in computed[max(0, at - _RECENT) : at] if c.window is None and c.result is None])


def _follow(now: Computed, before: Sequence[Computed]) -> None:
    """Which of the products before is the one that these inputs were made of."""
    before = [c for c in before if len(c.outputs) == len(now.inputs)]
    width, h = now.inputs.shape[1], _sample(now, now.inputs)
    for each in reversed(before):
        dtype, z = each.dtype or str(each.outputs.dtype), _sample(each, each.outputs)
        if each.outputs.shape[1] == width:
            found = linking.fitting(z, h, dtype, of_row=False, first=each.activation)
            if found:
                each.activation, each.result = each.activation or found, now
                return
        halves = linking.gated_halves(z, h, dtype)
        if halves is not None:
            each.halves, each.activation, each.result = halves, halves.activation, now
            return
    wide = [c for c in before if c.outputs.shape[1] == width]
    for gate in wide:
        for up in wide:
            if gate is not up:
                dtype = gate.dtype or str(gate.outputs.dtype)
                found = linking.gated(_sample(gate, gate.outputs), _sample(up, up.outputs), h, dtype)
                if found:
                    gate.activation, gate.up, gate.result, up.gate, up.result = found, up, now, gate, now
                    return


def _kept(each: Computed, positions: "Sequence[int] | None") -> Product | None:
    inputs, outputs = each.inputs, each.outputs
    rows = len(outputs) if each.window is None else int(np.prod(outputs.shape[1:]))
    at = np.arange(rows)
    if positions is not None and each.window is None:
        at = np.array([p + rows if p < 0 else p for p in positions if -rows <= p < rows], int)
        inputs, outputs = inputs[at], outputs[at]
    if not len(at) or (positions is not None and not len(positions)):
        return None
    return Product(
        each.name,
        each.weights.shape[0],
        each.weights.shape[1],
        rows,
        at,
        np.array(inputs),
        np.array(outputs),
        _columns(each.weights),
        None if each.bias is None else _items(each.bias),
        each.dtype or str(outputs.dtype),
        each.window,
        operand=each.weights,
    )


def _columns(weights: Array) -> Callable[[int], Array]:
    return lambda k: weights[:, k].astype(np.float64)


def _items(biases: Array) -> Callable[[int], float]:
    return lambda k: float(biases[k])


def _address(each: Computed) -> tuple[str, tuple[str, ...]]:
    if each.halves is not None:
        return parent(each.name), (each.name,)
    one, other = each.gate or each, each.up or each
    if one is not other:
        return common(one.name, other.name), (one.name, other.name)
    return each.name, ()


def _layer(each: Computed) -> SeenLayer:
    product = each.product
    assert product is not None
    name, aliases = _address(each)
    fan_in, fan_out = each.weights.shape
    result = each.result.product if each.result is not None else None
    squish = each.activation or PLAIN
    if each.halves is not None:
        halves = each.halves
        shape = (fan_out // 2, fan_in)
        return SeenLayer(
            name, "gated", shape, squish, product, halves.gate, product, halves.up, result, aliases
        )  # fmt: skip
    if each.up is not None and each.up.product is not None:
        return SeenLayer(
            name, "gated", (fan_out, fan_in), squish, product, up=each.up.product, result=result, aliases=aliases
        )
    kind: Kind = "attention projection" if ATTENTION.search(each.name) else "dense"
    kind = "convolution" if each.window is not None else kind
    return SeenLayer(each.name, kind, (fan_out, fan_in), squish, product, result=result)
