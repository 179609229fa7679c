"""Data brought to a network's schema: the one place where it is decided how a network reads a data set.

- a network that says how it reads inputs reads all data its own way: raw columns by name, stored pixels
  times its scale;
- a network that does not say takes the schema of the data, and this is reported in a note;
- data without a schema (a pair of arrays) is read as the network says.
"""

from dataclasses import replace
from math import prod
from typing import NamedTuple, TypeVar

import numpy as np

from glassnet.arrays import Array
from glassnet.data.access import listed
from glassnet.data.dataset import Dataset
from glassnet.data.stream_dataset import Stream
from glassnet.errors import InputError
from glassnet.schema import Schema

D = TypeVar("D", bound=Dataset | Stream)


class Conformed(NamedTuple):
    """The network's schema, the data with that schema, and what its user should know."""

    schema: Schema
    data: "Dataset | Stream"
    notes: tuple[str, ...] = ()


def conformed(schema: Schema, data: "Dataset | Stream", fan_in: int) -> Conformed:
    """What a network of this schema and so many inputs makes of the data, which stays as it is if it has more or fewer.

    Raises `InputError` for data that the network cannot read.
    """
    own = data.schema
    by_name = isinstance(data, Dataset) and None not in (own.features, schema.features)
    if schema == own or (prod(data.input_shape) != fan_in and not by_name):
        return Conformed(schema, data)
    complete = schema.completed(own)
    notes: tuple[str, ...] = ()
    if not schema.describes_inputs and own.preprocesses:
        how = f"they are read as {data.name} describes them ({_reading(own)})"
        notes = (f"the network does not say how it reads inputs: {how}",)
    if isinstance(data, Stream) or data.preprocessed:
        _check_same(complete, own, data.name)
        return Conformed(complete, replace(data, schema=complete.completed(own)), notes)
    return Conformed(complete, replace(data, inputs=_by_name(data, complete), schema=complete), notes)


def _reading(schema: Schema) -> str:
    """How inputs are read, in a few words."""
    if schema.standardises:
        return "columns standardised by its means and spreads"
    return f"stored pixels times {schema.scale:.6g}"


def _by_name(data: Dataset, schema: Schema) -> Array:
    """The inputs in the order of the schema's features, where both have names."""
    theirs, ours = data.schema.features, schema.features
    if theirs is None or ours is None or theirs == ours:
        return data.inputs
    place = {name: i for i, name in enumerate(theirs)}
    columns = set(data.schema.columns)
    missing = [name for name in schema.columns if name not in columns]
    if missing:
        raise InputError(
            f"{data.name} lacks column{'s' * (len(missing) > 1)} {listed(missing)} of the network",
            help=f"give all columns that the network was trained on: {listed(list(schema.columns))}",
        )
    zeros = np.zeros((len(data), 1), data.inputs.dtype)
    parts = [data.inputs[:, [place[name]]] if name in place else zeros for name in ours]  # a text that is not there
    return np.concatenate(parts, axis=1)


def _check_same(ours: Schema, theirs: Schema, name: str) -> None:
    """`InputError` unless inputs that were preprocessed by one schema are what the other would make of them."""

    def reading(schema: Schema) -> tuple[object, ...]:
        return (schema.features, schema.centers, schema.spreads, schema.scale)

    if theirs.describes_inputs and reading(ours) != reading(theirs):
        raise InputError(
            f"{name} was preprocessed by another schema than the network's",
            help="read it with the network's: gn.data.stream(path, like=network.schema)",
        )
