"""The layers of neurons in a recorded forward pass, and the arithmetic of one neuron."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array, readonly
from glassnet.errors import AddressError
from glassnet.names import PLAIN
from glassnet.neuron import NeuronTrace
from glassnet.observation.products import Product

Kind: TypeAlias = Literal["dense", "gated", "convolution", "attention projection"]

ATTENTION = re.compile(r"(^|[._])(self_?|cross_?|multihead_?)?(attn|attention|mha)|attention|attn", re.IGNORECASE)

Groups: TypeAlias = Callable[[Array, int], "Sequence[tuple[str, float]] | None"]


@dataclass(eq=False)
class SeenLayer:
    """One layer of neurons of an observed model.

    Parameters
    ----------
    name : str
        Its address.
    kind : str
        "dense", "gated", "convolution" or "attention projection".
    shape : (int, int)
        Neurons, and inputs of each.
    activation : str
        The activation that was found to follow; "identity" if none was.
    active : float or None
        Share of active neurons (pre-activation above 0) at the positions kept; None without an activation.
    positions : tuple of int
        Positions of the model's input that were kept.
    """

    name: str
    kind: Kind
    shape: tuple[int, int]
    activation: str
    gate: Product
    gate_columns: slice = field(default_factory=lambda: slice(None))
    up: Product | None = None
    up_columns: slice = field(default_factory=lambda: slice(None))
    result: Product | None = None
    aliases: tuple[str, ...] = ()
    groups: Groups | None = None
    input_names: Sequence[str] | None = None

    @property
    def active(self) -> float | None:
        if self.activation == PLAIN:
            return None
        return float((self.pre_activations > 0).mean())

    @property
    def positions(self) -> tuple[int, ...]:
        return tuple(int(p) for p in self.gate.positions)

    @property
    def pre_activations(self) -> Array:
        """(kept, neurons) as the framework has them; of a gated layer the gate's.

        Of a convolution (channels, *space).
        """
        if self.gate.window is not None:
            return self.gate.outputs
        return self.gate.outputs[:, self.gate_columns]

    @property
    def outputs(self) -> Array:
        """What the neurons pass on, of the shape of `pre_activations`."""
        if self.result is not None and np.array_equal(self.result.positions, self.gate.positions):
            return self.result.inputs
        a: Array = activation(self.activation)(self.pre_activations)
        return a if self.up is None else a * self.up.outputs[:, self.up_columns]

    def row(self, position: int) -> int:
        """The kept row of a position; `AddressError` if it was not kept."""
        rows = self.gate.rows
        wanted = position + rows if position < 0 and len(self.positions) == rows else position
        if position < 0 and len(self.positions) != rows:
            wanted = self.positions[position] if -position <= len(self.positions) else position
        if wanted not in self.positions:
            kept = ", ".join(map(str, self.positions[:8])) + (", ..." if len(self.positions) > 8 else "")
            if not 0 <= wanted < max(rows, max(self.positions) + 1):
                raise AddressError(
                    f"no position {position} in layer {self.name}: expected one from 0 to {rows - 1:,}, or a negative "
                    "one that counts from the end"
                )
            raise AddressError(
                f"position {position} of layer {self.name} was not kept: {kept} was",
                help=f'observe(model, ..., layers=["{self.name}"]) keeps all positions of that layer',
            )
        return self.positions.index(wanted)

    def check(self, index: int) -> None:
        """`AddressError` unless there is a neuron of this number."""
        if isinstance(index, bool) or not hasattr(index, "__index__") or not 0 <= index.__index__() < self.shape[0]:
            raise AddressError(f"no neuron {index!r} in {self.name}: expected one from 0 to {self.shape[0] - 1:,}")

    def neuron(self, index: int, position: "int | tuple[int, ...]" = -1) -> NeuronTrace:
        """The arithmetic of one neuron at one position; print it to read it.

        Parameters
        ----------
        index : int
            The neuron, or the channel of a convolution.
        position : int or tuple of int
            A token, an example, or the place (row, column) of a convolution. -1 is the last one; of a convolution
            it is the place where the channel is strongest.

        Raises
        ------
        AddressError
            For a neuron or a position that does not exist or was not kept.
        """
        self.check(index)
        index = index.__index__()
        if self.gate.window is not None:
            return self._at_place(index, position)
        if not isinstance(position, int):
            raise AddressError(
                f"position {position!r} of {self.name}: expected a whole number, as it is no convolution"
            )
        row = self.row(position)
        where = f", position {self.positions[row]}" if self.gate.rows > 1 else ""
        name = f"{self.name}:{index}{where}, {self.activation}, {self.shape[1]:,} inputs"
        gate = self._sum(self.gate, self.gate_columns, index, row, name)
        if self.up is None:
            return gate
        up = self._sum(self.up, self.up_columns, index, row, f"{self.name}:{index}, up", PLAIN)
        given = None
        if self.result is not None and np.array_equal(self.result.positions, self.gate.positions):
            given = float(self.result.inputs[row, index])
        return _with(gate, up, given)

    def _sum(
        self, product: Product, columns: slice, index: int, row: int, name: str, squish: str | None = None
    ) -> NeuronTrace:
        at = range(product.fan_out)[columns][index]
        inputs = product.inputs[row].astype(np.float64)
        z = float(product.outputs[row, at])
        squish = squish or self.activation
        a = z if squish == PLAIN else float(self._activated(product, columns, row, squish)[index])
        made = summed(product, at, inputs, z, squish, a, name, self.input_names)
        groups = self.groups(made.weights, row) if self.groups is not None else None
        return made if groups is None else _grouped(made, groups)

    def _activated(self, product: Product, columns: slice, row: int, squish: str) -> Array:
        z = product.outputs[row, columns].astype(np.float64)
        a: Array = activation(squish)(z[None] if activation(squish).by_row else z)
        return a.reshape(-1)

    def _at_place(self, index: int, position: "int | tuple[int, ...]") -> NeuronTrace:
        window, outputs = self.gate.window, self.gate.outputs
        assert window is not None
        space = outputs.shape[1:]
        if position == -1:
            place = tuple(int(i) for i in np.unravel_index(int(np.abs(outputs[index]).argmax()), space))
        elif isinstance(position, int):
            places = outputs[index].size
            if not 0 <= position < places:
                raise AddressError(f"no place {position} in {self.name}: expected one from 0 to {places - 1:,}")
            place = tuple(int(i) for i in np.unravel_index(position, space))
        else:
            place = tuple(position)
            if len(place) != len(space) or not all(0 <= i < n for i, n in zip(place, space, strict=True)):
                raise AddressError(
                    f"no place {place} in {self.name}: its outputs have the shape {'x'.join(map(str, space))}"
                )
        each = self.gate.inputs.shape[0] // window.groups
        group = index // (self.shape[0] // window.groups)
        channels = range(group * each, (group + 1) * each)
        patch = window.patch(self.gate.inputs, channels, place).astype(np.float64)
        names = [
            f"channel {c} at {','.join(map(str, window.at(place, inside)))}"
            for c in channels
            for inside in np.ndindex(*window.kernel)
        ]
        z = float(outputs[(index, *place)])
        a = float(activation(self.activation)(np.array([z]))[0]) if not activation(self.activation).by_row else z
        name = f"{self.name}:{index} at {','.join(map(str, place))}, {self.activation}, {patch.size:,} inputs"
        return summed(self.gate, index, patch.reshape(-1), z, self.activation, a, name, names)

    def __repr__(self) -> str:
        neurons, inputs = self.shape
        return f"SeenLayer({self.name}: {neurons:,} neurons of {inputs:,} inputs, {self.kind}, {self.activation})"


def summed(
    product: Product,
    at: int,
    inputs: Array,
    z: float,
    squish: str,
    a: float,
    name: str,
    input_names: Sequence[str] | None = None,
) -> NeuronTrace:
    """One neuron's sum in float64, and how far the framework's own result `z` is from it."""
    weights = product.weights(at)
    bias = 0.0 if product.bias is None else product.bias(at)
    products = inputs * weights
    weighted_sum = float(products.sum())
    return NeuronTrace(
        inputs=readonly(inputs),
        weights=readonly(weights),
        weighted_sum=weighted_sum,
        bias=bias,
        pre_activation=z,
        activation_name=squish,
        activation=a,
        name=name,
        input_names=input_names,
        rounding=z - (weighted_sum + bias),
        bound=product.bound(products, bias),
    )


def _with(gate: NeuronTrace, up: NeuronTrace, given: float | None) -> NeuronTrace:
    return replace(gate, up=up, given_output=given)


def _grouped(trace: NeuronTrace, groups: Sequence[tuple[str, float]]) -> NeuronTrace:
    return replace(trace, groups=tuple(groups))


def parent(name: str) -> str:
    """`mlp.experts.gate_up_proj[3]` -> `mlp.experts[3]`."""
    head, _, last = name.rpartition(".")
    bracket = last.find("[")
    return (head or name) + (last[bracket:] if bracket >= 0 and head else "")


def common(one: str, other: str) -> str:
    """The module that holds two products: `mlp.gate_proj`, `mlp.up_proj` -> `mlp`."""
    parts = []
    for a, b in zip(one.split("."), other.split("."), strict=False):
        if a != b:
            break
        parts.append(a)
    call = one[one.find("#") :] if "#" in one else ""
    return (".".join(parts) + call) if parts else one
