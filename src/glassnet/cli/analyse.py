"""`glassnet analyse`: a network over data, seen in one way: its neurons, its parameters, what it survives."""

import argparse
from typing import Any

from glassnet.cli.options import (
    add_command,
    add_description,
    add_json,
    address,
    columns,
    load_model,
    need,
    print_json,
    say,
)

VIEWS = {
    "activity": "how often neurons are active; dead, constant and equal ones",
    "ablation": "which neurons the accuracy rests on, taken away alone and together",
    "perturbation": "what it survives: --kind noise, prune, round_bits or scramble",
    "bias": "how one neuron (--neuron) answers as its bias changes",
    "sensitivity": "which parameters matter most for one example (--example)",
}
KINDS = ("noise", "prune", "round_bits", "scramble")


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "analyse",
        help="analyse a saved network over data",
        description="One view of a network over data. Without DATA: the 10,000 test digits.\n"
        + "\n".join(f"{name:<13} {what}" for name, what in VIEWS.items()),
        examples="""\
  glassnet analyse activity digits.safetensors
  glassnet analyse ablation wine.safetensors wine.csv --target quality
  glassnet analyse ablation digits.safetensors --neuron 0:3 --plot neurons.png
  glassnet analyse bias digits.safetensors --neuron 0:3
  glassnet analyse sensitivity digits.safetensors --example 7 --json
""",
    )
    command.add_argument("view", metavar="VIEW", choices=tuple(VIEWS), help=", ".join(VIEWS))
    command.add_argument("model", metavar="MODEL", help="a saved network, or another model file")
    command.add_argument(
        "data", metavar="DATA", nargs="?", default="digits", help="digits, a toy shape, a table or a folder"
    )
    command.add_argument("--target", metavar="COLUMN", help="column to predict")
    command.add_argument(
        "--neuron",
        type=address,
        metavar="L:N",
        action="append",
        help="of bias: which neuron; of ablation: one that is taken away together with the others named so",
    )
    command.add_argument("--example", type=int, metavar="N", help="of sensitivity: which example, from 0 (default 0)")
    command.add_argument("--kind", choices=KINDS, help="of perturbation (default noise)")
    command.add_argument("--plot", metavar="FILE", help="of ablation: also draw it (needs the extra plots)")
    add_description(command)
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.cli.sources import to_evaluate
    from glassnet.data import Dataset
    from glassnet.explain.ablations import ablation
    from glassnet.explain.activities import activity
    from glassnet.explain.biases import bias_response
    from glassnet.explain.perturbations import perturbation
    from glassnet.explain.sensitivities import sensitivity

    owners = {"neuron": "bias or ablation", "example": "sensitivity", "kind": "perturbation", "plot": "ablation"}
    for option, view in owners.items():
        given = getattr(arguments, option) is not None
        fits = arguments.view in view.split(" or ")
        need(not given or fits, f"--{option} is an option of {view}, not of {arguments.view}")
    need(
        arguments.view != "bias" or len(arguments.neuron or ()) == 1,
        "bias needs one neuron",
        "add --neuron L:N, such as 0:3",
    )
    network = load_model(arguments)
    data = to_evaluate(arguments.data, arguments.target, network.schema)
    need(isinstance(data, Dataset), f"{arguments.data} is read a block at a time, expected data that fits in memory")
    assert isinstance(data, Dataset)
    for note in data.notes:
        say(note)
    example = arguments.example or 0
    need(0 <= example < len(data), f"--example is {example}, expected 0 to {len(data) - 1}")
    views: dict[str, Any] = {
        "activity": lambda: activity(network, data),
        "ablation": lambda: ablation(network, data, neurons=arguments.neuron),
        "perturbation": lambda: perturbation(network, data, kind=arguments.kind or "noise"),
        "bias": lambda: bias_response(network, arguments.neuron[0][0], arguments.neuron[0][1], data),
        "sensitivity": lambda: sensitivity(network, data.inputs[example], data.targets[example]),
    }
    found = views[arguments.view]()
    if arguments.plot is not None:
        from glassnet import plots

        plots.save(plots.ablation(found), arguments.plot)
    if arguments.json:
        print_json(found.as_dict())
    else:
        print(found.document().text(columns()))
    return 0
