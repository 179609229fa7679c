"""`glassnet compare`: what two saved networks have in common, and where they part; two model files of any other kind
tensor by tensor."""

import argparse
import os
from typing import Any

from glassnet.cli.options import add_command, add_description, add_json, columns, load_model, print_json, say


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "compare",
        help="compare two saved networks",
        description="Two saved networks side by side: structure, function, parameters, predictions.\n"
        "The hidden neurons of B are first matched with those of A, since neurons have\n"
        "no order of their own. Without DATA: the 10,000 test digits if both networks\n"
        "read digits, else the parameters alone. Model files that are no chains of dense\n"
        "layers are compared tensor by tensor.",
        examples="""\
  glassnet compare digits.safetensors other.safetensors
  glassnet compare wine.safetensors wine-2.safetensors wine.csv --target quality
  glassnet compare small.safetensors large.safetensors --confusion --plot b.png
  glassnet compare before.safetensors after.safetensors --json
  glassnet compare base.safetensors tuned/
""",
    )
    command.add_argument("a", metavar="A", help="a saved network, or another model file")
    command.add_argument("b", metavar="B", help="another one")
    command.add_argument(
        "data", metavar="DATA", nargs="?", help="data to compare them on: digits, a toy shape, a table or a folder"
    )
    command.add_argument("--target", metavar="COLUMN", help="column to predict")
    command.add_argument(
        "--confusion", action="store_true", help="also show the recall of each class and both confusion matrices"
    )
    command.add_argument(
        "--plot",
        metavar="FILE",
        help="also draw it, as SVG, PNG or PDF (needs the extra plots); with --confusion both confusion matrices",
    )
    command.add_argument("--tensors", action="store_true", help="compare tensor by tensor, even if they are networks")
    add_description(command)
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.cli.options import need
    from glassnet.cli.sources import held_out
    from glassnet.data.conforming import conformed
    from glassnet.data.digits import reads_digits
    from glassnet.errors import FileError, SettingError
    from glassnet.explain.comparison import compare

    source = arguments.data
    need(source is None or not arguments.tensors, "--tensors compares tensors one by one and takes no DATA")
    asked = [f"--{name}" for name in ("confusion", "plot") if getattr(arguments, name)]
    need(not asked or not arguments.tensors, f"{', '.join(asked)}: not with --tensors, which runs no network")
    if arguments.tensors:
        return _files(arguments)
    try:
        a, b = (load_model(arguments, path, one_of_two=True) for path in (arguments.a, arguments.b))
    except (FileError, SettingError):
        if (
            not asked
            and source is None
            and arguments.target is None
            and os.path.exists(arguments.a)
            and os.path.exists(arguments.b)
        ):
            return _files(arguments)
        raise
    if source is None and all(reads_digits(one.sizes, one.schema) for one in (a, b)):
        source = "digits"
    need(
        source is not None or arguments.target is None,
        "--target names a column of DATA, which is missing",
        "give a table: glassnet compare A B table.csv --target COLUMN",
    )
    data = held_out(source, arguments.target, a.schema) if source is not None else None
    for note in data.notes if data is not None else ():
        say(note)
    for name, network in ((arguments.a, a), (arguments.b, b)):
        for note in conformed(network.schema, data, network.sizes[0]).notes if data is not None else ():
            say(f"{name}: {note}")
    found = compare(a, b, data, names=(arguments.a, arguments.b))
    need(
        not arguments.confusion or (found.changes is not None and found.changes.confusions is not None),
        "--confusion needs data with classes",
        "give DATA: glassnet compare A B table.csv --target COLUMN",
    )
    if arguments.plot is not None:
        from glassnet import plots

        drawn = plots.confusions(found) if arguments.confusion else plots.comparison(found)
        plots.save(drawn, arguments.plot)
        say(f"saved {arguments.plot}")
    if arguments.json:
        print_json(found.as_dict())
    else:
        print(found.document(arguments.confusion).text(columns()))
    return 0


def _files(arguments: argparse.Namespace) -> int:
    """Tensor by tensor."""
    from glassnet.cli.inspect import show
    from glassnet.files.inspection import compare_files

    found = compare_files(arguments.a, arguments.b)
    if arguments.json:
        print_json(found.as_dict())
    else:
        show(str(found))
    return 0
