"""`glassnet export`: a network for others: ONNX, PyTorch, Keras, scikit-learn, C, Python, one page."""

import argparse
from pathlib import Path
from typing import Any

from glassnet.cli.options import add_command, add_description, add_json, load_model, place, print_json
from glassnet.files import registry


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "export",
        help="write a network for other programs",
        description="Write a network as a file for another framework; it predicts the same from the\n"
        "same raw rows. MODEL may be of any format with a chain of dense layers in it, so\n"
        "this also converts. c is one header without dependencies, python one plain file,\n"
        "html the page as one file with the network in it, which works offline.",
        examples="""\
  glassnet export digits.safetensors --to onnx
  glassnet export digits.safetensors --to c --quantise int8 -o digits.h
  glassnet export model.keras --to python
  glassnet export weights.pt --activation relu --to onnx
  glassnet export flowers.safetensors --to html --inputs flowers.csv
""",
    )
    command.add_argument("model", metavar="MODEL", help="a saved network, or another model file")
    targets = list(registry.with_part("writer"))
    command.add_argument("--to", required=True, choices=targets, metavar="TARGET", help=", ".join(targets))
    command.add_argument(
        "-o", "--output", metavar="FILE", help="where to write (default: MODEL's name, another suffix)"
    )
    command.add_argument("--quantise", metavar="TYPE", help="int8: weights in a byte each (c only)")
    command.add_argument(
        "--inputs", metavar="FILE", help="a table or pictures; the page gets 1,000 of them (html only)"
    )
    add_description(command)
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.cli.sources import held_out
    from glassnet.files.exporting import export

    model = Path(arguments.model)
    suffix = registry.FORMATS[arguments.to].suffix
    output = place(arguments.output or model.with_suffix(suffix).name, "--output", model, arguments.inputs)
    network = load_model(arguments, model)
    inputs = None if arguments.inputs is None else held_out(arguments.inputs, None, network.schema)
    export(network, output.output, arguments.to, quantise=arguments.quantise, inputs=inputs)
    with output.report():
        if arguments.json:
            size = output.output.stat().st_size if isinstance(output.output, Path) else None
            figures = {"saved": output.name, "to": arguments.to, "bytes": size, "total": network.count().total}
            print_json(figures | {"sizes": list(network.sizes), "activations": list(network.architecture.activations)})
        else:
            print(f"{network.architecture} ({', '.join(network.architecture.activations)})")
            print(output.saved())
    return 0
