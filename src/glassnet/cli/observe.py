"""`glassnet observe`: a model of another framework at work on one input, any of its neurons worked by hand."""

import argparse
from typing import Any

from glassnet.cli.explain import FORMATS
from glassnet.cli.options import add_command, add_json, columns, need, print_json, say


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "observe",
        help="see the neurons of a running model, with its real inputs",
        description="Runs a model once, offline, and shows what it computed: of a language model the\n"
        "likely next tokens, what each part gave to the first of them (the column adds up\n"
        "to its logit), and the neurons that matter most, with the words they write. With\n"
        "--neuron: that neuron worked by hand, to the last product. MODEL is the folder of\n"
        "a language model as the transformers library saves it, a GGUF, ONNX or Keras file,\n"
        "or a saved network.",
        examples="""\
  glassnet observe folder/ --text "The capital of France is"
  glassnet observe folder/ --text "The capital of France is" --output Paris --against the
  glassnet observe folder/ --text "The capital of France is" --neuron 16:407
  glassnet observe model.gguf --text "The capital of France is" --json --top 20
  glassnet observe model.onnx --inputs x.npy --neuron fc1/Gemm:12
""",
    )
    command.add_argument("model", metavar="MODEL", help="the folder of a language model, or a model file")
    given = command.add_mutually_exclusive_group(required=True)
    given.add_argument("--text", metavar="TEXT", help="the text for a language model")
    given.add_argument("--inputs", metavar="FILE", help="x.npy: an array as the model takes it")
    command.add_argument("--layer", metavar="NAME", help="the most active neurons of this layer alone")
    command.add_argument("--neuron", metavar="NAME:N", help="work this neuron by hand: 16:407, or LAYER:N")
    command.add_argument("--position", type=int, metavar="N", help="token or example, from 0 (default: the last)")
    command.add_argument("--output", metavar="TOKEN", help="what spoke for this output (default: the most likely)")
    command.add_argument("--against", metavar="TOKEN", help="share out the difference from this output")
    command.add_argument("--top", type=int, metavar="N", help="neurons, or products, shown singly (default 10)")
    command.add_argument("--format", choices=FORMATS, default="text", help="text (default), markdown, latex or html")
    command.add_argument(
        "--plot", metavar="FILE", help="also draw the neuron's sum (of a gated one the gate's), as SVG, PNG or PDF"
    )
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.observation.observing import observe

    need(arguments.top is None or arguments.top > 0, f"--top is {arguments.top}, expected a number from 1 up")
    need(not arguments.json or arguments.format == "text", "--json and --format exclude each other")
    need(
        arguments.against is None or arguments.output is not None, "--against needs --output", "--output A --against B"
    )
    need(arguments.neuron is None or arguments.layer is None, "--layer and --neuron exclude each other")
    need(arguments.plot is None or arguments.neuron is not None, "--plot needs --neuron", "add --neuron NAME:N")
    neuron = None if arguments.neuron is None else _address(arguments.neuron)
    inputs = None if arguments.inputs is None else _array(arguments.inputs)
    wanted = neuron[0] if neuron is not None else arguments.layer
    layers = [wanted] if wanted is not None and not wanted.partition("[")[0].isdecimal() else None
    seen = observe(arguments.model, inputs, text=arguments.text, layers=layers, position=arguments.position)
    if arguments.plot is not None and neuron is not None:
        _plot(arguments, seen.neuron(*neuron))
    if arguments.json:
        print_json(_figures(arguments, seen, neuron))
    else:
        from glassnet.cli.inspect import show

        show(_document(arguments, seen, neuron).write(arguments.format, columns()))
    return 0


def _plot(arguments: argparse.Namespace, trace: Any) -> None:
    """The waterfall of one neuron, into a file."""
    from importlib import import_module

    from glassnet.errors import MissingExtra

    try:
        import_module("matplotlib")
    except ModuleNotFoundError as problem:
        raise MissingExtra("matplotlib", "plots") from problem
    plots = import_module("glassnet.plots")
    plots.save(plots.waterfall(trace, top=arguments.top or 10), arguments.plot)
    say(f"saved {arguments.plot}")


def _address(text: str) -> tuple[str, int]:
    """`model.layers.5.mlp:1234` as a name and a number."""
    name, colon, number = text.rpartition(":")
    need(bool(colon and name) and number.isdecimal(), f"--neuron is {text!r}, expected NAME:N, such as 16:407")
    return name, int(number)


def _array(path: str) -> Any:
    """The array of an .npy file."""
    from glassnet.files.inspection import open

    with open(path) as file:
        names = list(file.tensors)
        need(len(names) == 1, f"{path} has {len(names)} arrays, expected one", "save it with numpy.save")
        return file.array(names[0])


def _document(arguments: argparse.Namespace, seen: Any, neuron: tuple[str, int] | None) -> Any:
    top = arguments.top or 10
    if neuron is not None:
        return seen.card(*neuron, top=top, singly=arguments.top is not None)
    if arguments.layer is not None:
        return seen.layer_document(arguments.layer, top)
    if arguments.output is not None:
        return seen.attribution(arguments.output, arguments.against, top).document(top)
    return seen.document(top)


def _figures(arguments: argparse.Namespace, seen: Any, neuron: tuple[str, int] | None) -> dict[str, Any]:
    """What `--json` prints; docs/observe.md names the keys."""
    top = arguments.top or 10
    figures: dict[str, Any] = seen.as_dict(top, arguments.output, arguments.against)
    if arguments.text is not None:
        figures["text"] = arguments.text
    if neuron is not None:
        name, index = neuron
        trace = seen.neuron(name, index)
        figures["neuron"] = {"layer": seen.layer(name).name, "index": index, **trace.as_dict()}
        figures["neuron"]["writes"] = list(seen.writes(name, index))
    return figures
