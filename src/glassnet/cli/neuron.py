"""`glassnet neuron`: one neuron, worked by hand."""

import argparse
from typing import Any

from glassnet.cli.options import add_command, add_json, columns, numbers, print_json
from glassnet.names import DEFAULT_NEURON


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "neuron",
        help="compute one neuron by hand",
        description="One neuron step by step: the weighted sum, plus the bias, through the activation\nfunction.",
        examples="""\
  glassnet neuron
  glassnet neuron --inputs 1,0,1 --weights 2,-1,0.5 --activation relu
""",
    )
    command.add_argument(
        "--inputs", type=numbers, default="0.5,0.8,0.2", metavar="NUMBERS", help="input values (default %(default)s)"
    )
    command.add_argument(
        "--weights",
        type=numbers,
        default="0.3,-0.2,0.5",
        metavar="NUMBERS",
        help="one for each input (default %(default)s)",
    )
    command.add_argument("--bias", type=float, default=0.1, metavar="NUMBER", help="default %(default)s")
    command.add_argument(
        "--activation", default=DEFAULT_NEURON, metavar="NAME", help="activation function (default %(default)s)"
    )
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.neuron import Neuron

    trace = Neuron(arguments.weights, arguments.bias, arguments.activation).trace(arguments.inputs)
    if arguments.json:
        print_json(trace.as_dict())
    else:
        print(trace.document().text(columns()))
    return 0
