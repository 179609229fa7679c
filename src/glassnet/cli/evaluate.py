"""`glassnet evaluate`: how good a saved network is on data."""

import argparse
from typing import Any

from glassnet.cli.options import (
    add_command,
    add_description,
    add_engine,
    add_json,
    columns,
    load_model,
    print_json,
    say,
)


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "evaluate",
        help="evaluate a saved network on data",
        description="Loss, accuracy and confusion matrix of a saved network. Without DATA: the\n10,000 test digits.",
        examples="""\
  glassnet evaluate digits.safetensors
  glassnet evaluate wine.safetensors wine-new.csv --target quality --json
""",
    )
    command.add_argument("model", metavar="MODEL", help="a saved network")
    command.add_argument(
        "data", metavar="DATA", nargs="?", default="digits", help="digits, a toy shape, a table or a folder"
    )
    command.add_argument("--target", metavar="COLUMN", help="column to predict")
    add_description(command)
    add_engine(command)
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.cli.sources import to_evaluate
    from glassnet.data import Stream
    from glassnet.evaluation import evaluate

    network = load_model(arguments)
    data = to_evaluate(arguments.data, arguments.target, network.schema)
    for note in data.notes:
        say(note)
    figures = evaluate(network, data, engine=arguments.engine, device=arguments.device)
    for note in figures.notes:
        say(note)
    for note in data.gaps.notes("the network's center") if isinstance(data, Stream) else ():
        say(note)
    if arguments.json:
        print_json(figures.as_dict())
        return 0
    print(figures.document(data.name).text(columns()))
    return 0
