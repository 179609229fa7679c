"""`glassnet count`: the ledger of parameters."""

import argparse
from typing import Any

from glassnet.cli.shared import add_command, add_json, print_json


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "count",
        help="count the parameters of sizes or of a file",
        description="How many numbers a network has, layer by layer, with the formula.",
        examples="""\
  glassnet count 784-16-16-10
  glassnet count 1000000-1000000-10      any size: no network is made
  glassnet count digits.safetensors --json
""",
    )
    command.add_argument("source", metavar="SIZES|FILE", help="sizes, inputs first (784-16-16-10), or a saved network")
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.counting import count

    ledger = count(arguments.source)
    if arguments.json:
        print_json(ledger.as_dict())
    else:
        print(ledger)
    return 0
