"""`glassnet predict`: what a saved network makes of a picture, a test digit, a table or plain numbers."""

import argparse
from typing import Any

from glassnet.cli.shared import add_command, add_json, address, need, numbers, print_json


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "predict",
        help="ask a saved network",
        description="What a saved network makes of an input. A picture of a digit may be of any size\n"
        "and on any plain background: it is inverted, cropped, resized and centred as\n"
        "the digits were that the network learnt from.",
        examples="""\
  glassnet predict digits.safetensors photo.png
  glassnet predict digits.safetensors --digit 7 --neuron 0:3
  glassnet predict wine.safetensors wine-new.csv --json
""",
    )
    command.add_argument("model", metavar="MODEL", help="a saved network")
    command.add_argument("input", metavar="INPUT", nargs="?", help="a PNG or JPEG picture, or a table (CSV, Parquet)")
    command.add_argument("--digit", type=int, metavar="N", help="test digit N, from 0 to 9999")
    command.add_argument("--inputs", type=numbers, metavar="NUMBERS", help="the inputs themselves: 0.5,0.8,...")
    command.add_argument("--neuron", type=address, metavar="L:N", help="also work this neuron out")
    command.add_argument("--top", type=int, default=12, metavar="N", help="products shown singly (default %(default)s)")
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.cli.tables import bars
    from glassnet.network import load

    network = load(arguments.model)
    what, inputs, truth = _inputs(arguments, network)
    if inputs.ndim == 2:
        need(arguments.neuron is None, "--neuron with a table", "one input", "pass its numbers with --inputs")
        return _table(network, inputs, arguments.json)
    trace = network.trace(inputs)
    classes = network.signature.classes
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
    if trace.signature.input_shape and len(trace.signature.input_shape) == 2:
        print(picture(trace.layers[0].inputs.reshape(trace.signature.input_shape)) + "\n")
    if classes and guess is not None:
        wrong = "" if truth in (None, classes[guess]) else f", but it is {truth}"
        print(f"{what}: looks like {classes[guess]}{wrong}")
    else:
        print(what)
    named = classes if classes and len(classes) == len(values) else [f"output {i}" for i in range(len(values))]
    print(bars(named, values))
    if worked is not None:
        print(f"\n{worked.written(top=arguments.top)}")
    return 0


def _inputs(arguments: argparse.Namespace, network: Any) -> tuple[str, Any, str | None]:
    """What to call the input, the input (or a table of inputs), and what it truly is where that is known."""
    import numpy as np

    from glassnet.cli.sources import to_predict
    from glassnet.data import digits

    given = [arguments.input is not None, arguments.digit is not None, arguments.inputs is not None]
    need(sum(given) == 1, f"{sum(given)} inputs", "one of INPUT, --digit N, --inputs NUMBERS", "name one")
    if arguments.inputs is not None:
        return "inputs", np.asarray(arguments.inputs), None
    if arguments.digit is not None:
        _, test = digits()
        count = len(test)
        need(
            0 <= arguments.digit < count,
            f"--digit {arguments.digit}",
            f"a test digit from 0 to {count - 1}",
            "pick one",
        )
        assert test.classes is not None
        label = test.classes[int(test.targets[arguments.digit])]
        return f"test digit {arguments.digit} (a {label})", test.inputs[arguments.digit], label
    return str(arguments.input), to_predict(arguments.input, network.signature), None


def _class(network: Any, outputs: Any) -> Any:
    from glassnet.evaluation import classify

    return classify(outputs, network)


def _table(network: Any, inputs: Any, as_json: bool) -> int:
    outputs = network(inputs)
    classes = network.signature.classes
    guesses = [classes[k] for k in _class(network, outputs)] if classes else None
    if as_json:
        print_json({"outputs": outputs.tolist()} | ({"class": guesses} if guesses else {}))
    elif guesses:
        print("\n".join(guesses))
    else:
        print("\n".join(" ".join(f"{value:.7g}" for value in row) for row in outputs))
    return 0


def picture(values: Any) -> str:
    """A picture in characters, two a pixel, from empty to ink; what is empty at the bottom is left away."""
    ramp = " .:-=+*#%@"
    top = float(values.max()) or 1.0
    rows = [
        "".join(2 * ramp[min(int(max(v, 0) / top * len(ramp)), len(ramp) - 1)] for v in row).rstrip() for row in values
    ]
    inked = [i for i, row in enumerate(rows) if row]
    return "\n".join(rows[inked[0] : inked[-1] + 1]) if inked else ""
