"""`glassnet predict`: what a saved network makes of a picture, a test digit, a table or plain numbers."""

import argparse
from typing import Any

from glassnet.cli import processes
from glassnet.cli.options import add_command, add_input, add_json, address, columns, load_model, need, place, print_json


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "predict",
        help="predict with a saved network",
        description="The output of a saved network for an input. A picture of a digit may be of any\n"
        "size and on any plain background: it is inverted, cropped, resized and centred\n"
        "as the digits of the training data were.",
        examples="""\
  glassnet predict digits.safetensors photo.png
  glassnet predict digits.safetensors --digit 7 --neuron 0:3
  glassnet predict wine.safetensors wine-new.csv --json
  glassnet predict big.safetensors big.parquet -o out.parquet
""",
    )
    add_input(command)
    command.add_argument("--neuron", type=address, metavar="L:N", help="also compute this neuron by hand")
    command.add_argument("--top", type=int, default=12, metavar="N", help="products shown singly (default %(default)s)")
    command.add_argument(
        "-o", "--output", metavar="FILE", help="write a row for each row of a table here: Parquet, CSV or Arrow"
    )
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.cli import predictions
    from glassnet.cli.sources import asked, rows_of
    from glassnet.render.document import Document
    from glassnet.render.parts import Bar, Column, Picture, Section, Table

    network = load_model(arguments)
    rows = None if arguments.input is None else rows_of(arguments.input, network.schema)
    if rows is not None:
        need(arguments.neuron is None, "--neuron needs one input, and INPUT is a table", "pass one row with --inputs")
        need(not arguments.json, "a table of this size is written to a file, not as JSON", "add --output out.parquet")
        return predictions.of_stream(network, rows, arguments.output, arguments.input, arguments.model)
    need(
        not processes.launched(),
        "several processes predict Parquet and Arrow files only",
        "predict this input with one process",
    )
    what, inputs, truth, network = asked(arguments, network)
    if inputs.ndim == 2:
        need(arguments.neuron is None, "--neuron needs one input, and INPUT is a table", "pass one row with --inputs")
        if arguments.output is not None:
            return predictions.write(
                network, [inputs], len(inputs), place(arguments.output, "--output", arguments.input, arguments.model)
            )
        return _table(network, inputs, arguments.json)
    need(arguments.output is None, "--output needs a table as INPUT")
    trace = network.trace(inputs)
    classes = network.schema.classes
    values = [float(v) for v in trace.outputs]
    guess = _class(network, trace.outputs[None])[0] if classes else None
    worked = trace.neuron(*arguments.neuron) if arguments.neuron else None

    if arguments.json:
        figures: dict[str, Any] = {"input": what, "outputs": values}
        if classes and guess is not None:
            figures |= {"class": classes[guess], "classes": list(classes)}
        if truth is not None:
            figures["truth"] = truth
        if worked is not None:
            figures["neuron"] = worked.as_dict()
        print_json(figures)
        return 0
    heading = what
    if classes and guess is not None:
        wrong = "" if truth in (None, classes[guess]) else f", but it is {truth}"
        tied = [name for name, value in zip(classes, values, strict=False) if value == max(values)]
        if len(values) == len(classes) and len(tied) > 1:
            heading = f"{what}: {' and '.join(tied) if len(tied) < 4 else f'{len(tied):,} classes'} tie"
        else:
            heading = f"{what}: looks like {classes[guess]}{wrong}"
    shape, largest = trace.schema.input_shape, max(map(abs, values))
    bars = [(trace.output_name(k), f"{value:.4f}", Bar(value, largest)) for k, value in enumerate(values)]
    outputs = Section(heading, [Table([Column(align="r"), Column(align="r"), Column()], bars)])
    pixels = [Picture("", trace.layers[0].inputs.reshape(shape))] if shape and len(shape) == 2 else []
    print(Document("", [*pixels, outputs]).text(columns()))
    if worked is not None:
        print(f"\n{worked.document(arguments.top).text(columns())}")
    return 0


def _class(network: Any, outputs: Any) -> Any:
    from glassnet.prediction import classify

    return classify(outputs, network)


def _table(network: Any, inputs: Any, as_json: bool) -> int:
    from glassnet.cli import predictions

    if not as_json:
        print("\n".join(predictions.lines(network, inputs)))
        return 0
    outputs = network(inputs)
    classes = network.schema.classes
    guesses = {"class": [classes[k] for k in _class(network, outputs)]} if classes else {}
    print_json({"outputs": outputs.tolist()} | guesses)
    return 0
