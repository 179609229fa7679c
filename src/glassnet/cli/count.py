"""`glassnet count`: the ledger of parameters."""

import argparse
from typing import Any

from glassnet.cli.options import add_command, add_json, columns, print_json


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "count",
        help="count the parameters of sizes or of a file",
        description="How many numbers a network has, layer by layer, with the formula; of any other\n"
        "model file, as a tree. Only its header is read.",
        examples="""\
  glassnet count 784-16-16-10
  glassnet count 1000000-1000000-10      any size: no network is made
  glassnet count digits.safetensors --json
  glassnet count model.gguf --depth 1
""",
    )
    command.add_argument("source", metavar="SIZES|FILE", help="sizes, inputs first (784-16-16-10), or a model file")
    command.add_argument("--depth", type=int, metavar="N", help="how deep the tree of a file goes")
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.architecture import ParameterCount
    from glassnet.cli.inspect import show_count
    from glassnet.counting import count

    ledger = count(arguments.source)
    if not isinstance(ledger, ParameterCount):
        return show_count(ledger, arguments)
    if arguments.json:
        print_json(ledger.as_dict())
    else:
        print(ledger.document().text(columns()))
    return 0
