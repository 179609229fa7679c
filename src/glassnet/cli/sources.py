"""Which data a command means by its DATA argument, and which input by INPUT, --digit or --inputs."""

import argparse
import os
from typing import NamedTuple

import numpy as np

from glassnet.arrays import Array
from glassnet.cli.shared import need, say
from glassnet.data import digits, read
from glassnet.data.dataset import Dataset
from glassnet.data.images import image_inputs
from glassnet.data.opening import kind_of
from glassnet.data.tables import noted_inputs
from glassnet.signature import Signature


def to_train(
    source: str, target: str | None, validation: str | None, share: float, seed: int
) -> tuple[Dataset, Dataset]:
    """What is learnt from and what is held out: the file given for it, the test digits, or a share drawn at random."""
    if source == "digits" and validation is None:
        return digits()
    data = read(source, target)
    if validation is not None:
        return data, read(validation, target, like=data.signature)
    return data.split(share, seed)


def held_out(source: str, target: str | None, signature: Signature) -> Dataset:
    """Data to measure a network on: the test digits, or a source read as the network's own data was."""
    return digits()[1] if source == "digits" else read(source, target or signature.target, like=signature)


def to_predict(path: str | os.PathLike[str], signature: Signature) -> Array:
    """The inputs in a file: one picture (fan_in,), or the rows of a table (n, fan_in); what was filled in is said."""
    if kind_of(path) == "picture":
        return image_inputs(path, signature)
    inputs = noted_inputs(path, signature)
    for note in inputs.notes:
        say(note)
    return inputs.values


class Asked(NamedTuple):
    """What a network is asked about: what to call it, one input (or the rows of a table), what it truly is."""

    name: str
    inputs: Array
    truth: str | None = None


def asked(arguments: argparse.Namespace, signature: Signature) -> Asked:
    """The input that `shared.add_input` let the user name, in one of three ways."""
    given = [arguments.input is not None, arguments.digit is not None, arguments.inputs is not None]
    need(sum(given) == 1, f"{sum(given)} inputs", "one of INPUT, --digit N, --inputs NUMBERS", "name one")
    if arguments.inputs is not None:
        return Asked("inputs", np.asarray(arguments.inputs))
    if arguments.digit is not None:
        _, test = digits()
        number, count = arguments.digit, len(test)
        need(0 <= number < count, f"--digit {number}", f"a test digit from 0 to {count - 1}", "pick one")
        assert test.classes is not None
        label = test.classes[int(test.targets[number])]
        return Asked(f"test digit {number} (a {label})", test.inputs[number], label)
    return Asked(str(arguments.input), to_predict(arguments.input, signature))
