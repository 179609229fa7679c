"""`glassnet explain`: the whole network on one input in a screenful, or one of its neurons worked by hand."""

import argparse
from typing import Any

from glassnet.cli.options import add_command, add_input, add_json, address, columns, load_model, need, print_json, say

FORMATS = ("text", "markdown", "latex", "html")
METHODS = ("integrated_gradients", "deeplift", "affine")


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "explain",
        help="explain what a saved network computes on an input",
        description="The whole network on one input, on one screen: active neurons, outputs, and in\n"
        "words what mattered. With --neuron: that neuron computed by hand, so that the\n"
        "column adds up as printed, and the pattern of its weights. With --attribution:\n"
        "what a logit, or that neuron, has from each input, against a baseline. With\n"
        "--gradient: the way back, how the loss changes with the parameters of each\n"
        "layer, or with those of --neuron, worked by hand.",
        examples="""\
  glassnet explain digits.safetensors --digit 7
  glassnet explain digits.safetensors --digit 7 --neuron 0:3 --top 20
  glassnet explain digits.safetensors photo.png --format latex > handout.tex
  glassnet explain digits.safetensors --digit 7 --attribution 9 --against 4
  glassnet explain digits.safetensors --digit 7 --neuron 1:3 --gradient
  glassnet explain wine.safetensors wine-new.csv --row 2 --json
""",
    )
    add_input(command)
    command.add_argument("--row", type=int, metavar="N", help="which row of a table, from 0")
    command.add_argument("--neuron", type=address, metavar="L:N", help="compute this neuron by hand")
    command.add_argument(
        "--attribution",
        nargs="?",
        const="",
        metavar="OUTPUT",
        help="share out the logit of this class or output (default: the largest), or with --neuron its z",
    )
    command.add_argument("--against", metavar="OUTPUT", help="less the logit of this one")
    command.add_argument(
        "--layer", type=int, metavar="L", help="among the neurons of this hidden layer, not the inputs"
    )
    command.add_argument("--method", choices=METHODS, help="of --attribution (default integrated_gradients)")
    command.add_argument("--baseline", type=float, metavar="VALUE", help="of all inputs (default: what counts as 0)")
    command.add_argument("--gradient", action="store_true", help="the way back: the gradient of the loss")
    command.add_argument(
        "--target", metavar="VALUE", help="of --gradient: a class, or the wanted outputs: 0.5,1 (default: the label)"
    )
    command.add_argument("--loss", metavar="NAME", help="of --gradient (default: the one that fits the target)")
    command.add_argument(
        "--top", type=int, default=10, metavar="N", help="products, or neurons, shown singly (default %(default)s)"
    )
    command.add_argument("--format", choices=FORMATS, default="text", help="text (default), markdown, latex or html")
    command.add_argument("--plot", metavar="FILE", help="also draw it, as SVG, PNG or PDF (needs the extra plots)")
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.cli.sources import asked
    from glassnet.explain.overviews import overview
    from glassnet.trace import check_address

    need(arguments.top > 0, f"--top is {arguments.top}, expected a number from 1 up")
    need(not arguments.json or arguments.format == "text", "--json and --format exclude each other")
    name, inputs, truth, network = asked(arguments, load_model(arguments))
    if inputs.ndim == 2 and len(inputs) == 1 and arguments.row is None:
        inputs = inputs[0]
    elif inputs.ndim == 2:
        name, inputs = _row(name, inputs, arguments.row)
    else:
        need(arguments.row is None, "--row needs a table as INPUT")
    trace = network.trace(inputs)
    if arguments.neuron is not None:
        layer, index = arguments.neuron
        check_address(layer, index, network.sizes[1:])
    of_attribution = ("against", "layer", "method", "baseline")
    given = [f"--{name}" for name in of_attribution if getattr(arguments, name) is not None]
    need(
        arguments.attribution is not None or not given,
        f"{', '.join(given)}: options of --attribution, which is missing",
    )
    given = [f"--{name}" for name in ("target", "loss") if getattr(arguments, name) is not None]
    need(arguments.gradient or not given, f"{', '.join(given)}: options of --gradient, which is missing")
    need(not arguments.gradient or arguments.attribution is None, "--gradient and --attribution exclude each other")
    if arguments.gradient:
        return _gradient(arguments, trace, name, truth)
    if arguments.attribution is not None:
        return _attribution(arguments, network, inputs, name)
    view = overview(trace, arguments.top, name)

    if arguments.plot is not None:
        _plot(arguments, trace)
    if arguments.json:
        print_json(_figures(arguments, network, trace, view, truth))
    else:
        print(_document(arguments, network, trace, view).write(arguments.format, columns()))
    return 0


def _attribution(arguments: argparse.Namespace, network: Any, inputs: Any, name: str) -> int:
    """What a logit, or a neuron, has from each input or from the neurons of a layer."""
    from glassnet.explain.attributions import attribution
    from glassnet.render.document import Document

    need(arguments.plot is None, "--plot draws the network or a neuron, not an attribution")
    classes = network.schema.classes or ()

    def output(given: str | None) -> "int | str | None":
        return int(given) if given and given not in classes and given.isdigit() else given or None

    found = attribution(
        network,
        inputs,
        output(arguments.attribution),
        output(arguments.against),
        arguments.method or "auto",
        arguments.baseline,
        neuron=arguments.neuron,
        layer=arguments.layer,
    )
    if arguments.json:
        names = list(found.input_names)
        print_json({"input": name, "name": found.name, "input_names": names} | found.as_dict())
    else:
        print(Document(name, [found.document(arguments.top)]).write(arguments.format, columns()))
    return 0


def _gradient(arguments: argparse.Namespace, trace: Any, name: str, truth: str | None) -> int:
    """The way back: layer by layer, or one neuron worked by hand."""
    from glassnet.cli.targets import target_of
    from glassnet.render.document import Document
    from glassnet.render.json import plain

    need(arguments.plot is None, "--plot draws the network or a neuron, not a gradient")
    back = trace.backward(target_of(arguments, trace, truth), arguments.loss)
    found = back if arguments.neuron is None else back.neuron(*arguments.neuron)
    if arguments.json:
        figures = {"input": name, "target": back.target[0].tolist()} | found.as_dict()
        if arguments.neuron is not None:
            layer, neuron = arguments.neuron
            rows = {"rows": found.rows(arguments.top), "gradient_rows": found.gradient_rows(arguments.top)}
            names = list(trace.input_names(layer))
            figures |= {"layer": layer, "neuron": neuron, "input_names": names} | plain(rows)
        print_json(figures)
    else:
        shown = found.document() if arguments.neuron is None else found.document(arguments.top)
        print(Document(name, [shown]).write(arguments.format, columns()))
    return 0


def _row(name: str, inputs: Any, row: int | None) -> tuple[str, Any]:
    """One row of a table: the only one there is, or the one asked for."""
    count = len(inputs)
    need(
        row is not None,
        f"{name} is a table of {count:,} rows, expected one input",
        f"add --row N, from 0 to {count - 1}",
    )
    assert row is not None
    need(0 <= row < count, f"--row is {row}, expected a row from 0 to {count - 1}")
    return f"{name}, row {row}", inputs[row]


def _document(arguments: argparse.Namespace, network: Any, trace: Any, view: Any) -> Any:
    """The overview; or one neuron worked by hand, what mattered in words, and the pattern that it looks for."""
    from glassnet.explain.templates import template
    from glassnet.explain.wording import neuron_summary
    from glassnet.render.document import Document
    from glassnet.render.parts import Items

    if arguments.neuron is None:
        return view.document()
    layer, neuron = arguments.neuron
    worked = trace.neuron(layer, neuron).document(arguments.top)
    words = Items([neuron_summary(trace, layer, neuron)])
    pattern = template(network, layer, neuron, trace.layers[0].inputs)
    return Document(f"{view.name}: {view.says}", [worked, words, pattern.document(arguments.top)])


def _figures(arguments: argparse.Namespace, network: Any, trace: Any, view: Any, truth: str | None) -> dict[str, Any]:
    """What `--json` prints; `docs/explain-json.md` has its schema."""
    from glassnet.explain.templates import template
    from glassnet.explain.wording import neuron_summary
    from glassnet.render.json import plain

    classes = trace.schema.classes
    figures: dict[str, Any] = {
        "input": view.name,
        "sizes": [trace.layers[0].inputs.shape[-1], *(len(layer.activations) for layer in trace.layers)],
        "outputs": trace.outputs.tolist(),
    }
    if classes is not None:
        figures["classes"] = list(classes)
    if truth is not None:
        figures["truth"] = truth
    seen = view.as_dict()
    shown = seen.pop("layers")
    figures |= seen | {"inputs": trace.layers[0].inputs.tolist()}
    if trace.given is not None:
        figures["raw_inputs"] = trace.given.tolist()
    figures["layers"] = [
        {
            "activation_name": layer.activation_name,
            "active": at["active"],
            "strongest": at["strongest"],
            "weighted_sums": layer.weighted_sums.tolist(),
            "biases": layer.biases.tolist(),
            "pre_activations": layer.pre_activations.tolist(),
            "activations": layer.activations.tolist(),
        }
        for layer, at in zip(trace.layers, shown, strict=True)
    ]
    if arguments.neuron is not None:
        layer, index = arguments.neuron
        neuron = trace.neuron(layer, index)
        pattern = template(network, layer, index, trace.layers[0].inputs)
        assert pattern.match is not None
        figures["neuron"] = {
            "layer": layer,
            "neuron": index,
            **neuron.as_dict(),
            "input_names": list(trace.input_names(layer)),
            "rows": plain(neuron.rows(arguments.top)),
            "cosine": pattern.match.cosine,
            "best_score": pattern.best_score,
            "words": neuron_summary(trace, layer, index),
        }
    return figures


def _plot(arguments: argparse.Namespace, trace: Any) -> None:
    """A figure of the network at work, or of one neuron, into a file."""
    from importlib import import_module

    from glassnet.errors import MissingExtra

    try:
        import_module("matplotlib")
    except ModuleNotFoundError as problem:
        raise MissingExtra("matplotlib", "plots") from problem
    plots = import_module("glassnet.plots")
    plots.save(plots.explain(trace, arguments.neuron, top=arguments.top), arguments.plot)
    say(f"saved {arguments.plot}")
