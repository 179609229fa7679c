"""Which data a command means by its DATA argument, and which input by INPUT, --digit or --inputs."""

import argparse
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from glassnet.arrays import Array
from glassnet.cli import processes
from glassnet.cli.options import need, say
from glassnet.cli.progress import Rate
from glassnet.data import digits, read, stream
from glassnet.data.access import kind_of
from glassnet.data.conforming import conformed
from glassnet.data.dataset import Dataset
from glassnet.data.frames import frame_inputs, text_rows
from glassnet.data.images import image_inputs
from glassnet.data.sources import NAMES
from glassnet.data.stream_dataset import Stream
from glassnet.data.streams import Rows, is_streamed
from glassnet.data.tables import noted_inputs
from glassnet.errors import SettingError
from glassnet.network import Network
from glassnet.schema import Schema

if TYPE_CHECKING:
    from glassnet.distributed import ProcessGroup


def to_train(
    arguments: argparse.Namespace, group: "ProcessGroup | None" = None
) -> tuple[Dataset | Stream, Dataset | Stream]:
    """Training data and held-out data: the file given for it, the test digits, or a share drawn at random. Of
    many processes each reads its own part of Parquet and Arrow files, unless they are to be streamed."""
    if group is not None and not arguments.stream and not arguments.sharded and _is_arrow(arguments.data):
        from glassnet.distributed import read as read_own

        need(
            arguments.validation is None,
            "several processes draw their validation data at random",
            "use --holdout SHARE instead of --validation",
        )
        return read_own(group, arguments.data, arguments.target, arguments.holdout, arguments.seed)
    if arguments.data == "digits" and arguments.validation is None:
        return digits()
    data = _source(arguments.data, arguments.target, streamed=arguments.stream)
    if arguments.validation is not None:
        return data, _source(arguments.validation, arguments.target, data.schema)
    return data.split(arguments.holdout, arguments.seed)


def held_out(source: str, target: str | None, schema: Schema) -> Dataset:
    """Data to try a network on, in memory: the test digits, or a source read as the network's own data was."""
    return digits()[1] if source == "digits" else read(source, target or schema.target, like=schema)


def to_evaluate(source: str, target: str | None, schema: Schema) -> Dataset | Stream:
    """Data to measure a network on, of any size."""
    return digits()[1] if source == "digits" else _source(source, target or schema.target, schema)


def _source(
    source: str, target: str | None, like: Schema | None = None, streamed: bool | None = None
) -> Dataset | Stream:
    """The data in memory, or a stream of it where it is large or asked for."""
    if streamed or (streamed is None and source not in NAMES and is_streamed(source)):
        return stream(source, target, like=like, progress=Rate())
    return read(source, target, like=like)


def _is_arrow(source: str) -> bool:
    """Whether a stretch of its rows can be read without the others."""
    if source in NAMES or not os.path.exists(source):
        return False
    return is_streamed(source) if os.path.isdir(source) else kind_of(source) in ("parquet", "arrow")


def rows_of(path: str, schema: Schema) -> Rows | None:
    """The inputs of a table that is read as a stream, or this process's share of a table; None for all else."""
    if processes.launched() and _is_arrow(path):
        return Rows.of(path, schema, processes.share())
    return Rows.of(path, schema) if is_streamed(path) else None


def to_predict(path: str | os.PathLike[str], schema: Schema) -> Array:
    """The raw inputs in a file: one picture (fan_in,), or the rows of a table (n, fan_in); gaps are reported."""
    if kind_of(path) == "picture":
        return image_inputs(path, schema)
    inputs = noted_inputs(path, schema)
    for note in inputs.notes:
        say(note)
    return inputs.values


class Asked(NamedTuple):
    """What a network is asked about: what to call it, one raw input (or the rows of a table), what it truly is, and the
    network with the schema by which it reads this."""

    name: str
    inputs: Any
    truth: str | None
    network: Network


def asked(arguments: argparse.Namespace, network: Network) -> Asked:
    """The input that `shared.add_input` let the user name, in one of three ways."""
    given = [arguments.input is not None, arguments.digit is not None, arguments.inputs is not None]
    need(sum(given) == 1, f"expected exactly one of INPUT, --digit N and --inputs NUMBERS, got {sum(given)}")
    if arguments.inputs is not None:
        inputs, schema = arguments.inputs, network.schema
        named = isinstance(inputs, dict)
        if named and not schema.features:
            raise SettingError("the network knows no column names", help="give the numbers alone: --inputs 0.5,0.8")
        if not named and any(isinstance(part, str) for part in inputs) and schema.one_hot is None:
            raise SettingError(
                f"--inputs {','.join(map(str, inputs))!r} has text, and the network reads numbers",
                help="give numbers such as --inputs 0.5,0.8,-0.2",
            )
        return Asked("inputs", _row(inputs, network), None, network)
    if arguments.digit is not None:
        _, test = digits()
        number, count = arguments.digit, len(test)
        need(0 <= number < count, f"--digit is {number}, expected a test digit from 0 to {count - 1}")
        assert test.classes is not None
        label = test.classes[int(test.targets[number])]
        return Asked(f"test digit {number} (a {label})", test.inputs[number], label, _reading(network, test))
    if kind_of(arguments.input) == "picture" and network.sizes[0] == 784:
        network = _reading(network, digits()[1])
    return Asked(str(arguments.input), to_predict(arguments.input, network.schema), None, network)


def _row(inputs: Any, network: Network) -> Array:
    """Values typed on the command line as one raw input."""
    schema = network.schema
    if isinstance(inputs, dict):
        return frame_inputs(inputs, schema)
    short = schema.one_hot is not None and len(inputs) != network.sizes[0]
    if short or any(isinstance(part, str) for part in inputs):
        return text_rows(np.array(inputs, dtype=object), schema)
    return np.asarray(inputs)


def _reading(network: Network, data: Dataset) -> Network:
    """The network with the schema by which it reads this data; what it did not know itself is said."""
    found = conformed(network.schema, data, network.sizes[0])
    for note in found.notes:
        say(note)
    return network.with_schema(found.schema)
