"""Which target a command means: the one that --target gives, or the label of the example."""

import argparse
from typing import Any

import numpy as np

from glassnet.activations import activation
from glassnet.cli.options import need
from glassnet.data.access import kind_of
from glassnet.data.tables import noted_inputs
from glassnet.data.tables import table as read_table
from glassnet.errors import FileError, InputError, SettingError
from glassnet.trace import Trace

HELP = "add --target, with a class or the wanted outputs"


def target_of(arguments: argparse.Namespace, trace: Trace, truth: str | None) -> Any:
    """What the network should have said of this input; `truth` is the label of a test digit."""
    given = arguments.target if arguments.target is not None else truth
    if given is not None:
        return _read(given, trace)
    need(arguments.input is not None and kind_of(arguments.input) != "picture", "this input has no label", HELP)
    try:
        data = read_table(arguments.input, like=trace.schema)
        rows = len(noted_inputs(arguments.input, trace.schema).values)
    except (FileError, InputError, SettingError) as problem:
        raise type(problem)(f"no target in the table: {problem.problem}", help=HELP) from problem
    # rows without a target are left out, so that the numbers of all rows after them are others
    need(len(data) == rows, "some rows of the table have no target", HELP)
    return data.targets[arguments.row or 0]


def _read(text: str, trace: Trace) -> Any:
    """A class by name, or numbers; one whole number is a label where the outputs are of classes."""
    classes = trace.schema.classes or ()
    if text in classes:
        return text
    try:
        numbers = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        numbers = []
    if not numbers:
        return text  # which no class is called: refused with their names
    if len(numbers) > 1:
        return np.array(numbers)
    value = numbers[0]
    labels = len(trace.outputs) > 1 or activation(trace.layers[-1].activation_name).probabilities is not None
    if labels and value.is_integer():
        return int(value)
    return np.array([value])
