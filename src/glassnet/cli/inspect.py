"""`glassnet inspect`: what is in a model file, as a tree, and one of its neurons."""

import argparse
from typing import TYPE_CHECKING, Any

from glassnet.cli.options import add_command, add_json, columns, need, numbers, print_json
from glassnet.files import registry
from glassnet.names import PLAIN

if TYPE_CHECKING:
    from glassnet.explain.groups import NeuronGroup


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "inspect",
        help="show what a model file of any format and size holds",
        description="What a model file holds, as a tree. Formats, recognised by content:\n"
        f"{registry.readable_titles()};\n"
        "a file, an index or a folder of shards. Only its header is read, and of a small\n"
        "network its weights, to report equal hidden neurons.\n"
        "With --neuron: one row of weights, read from its place, and its arithmetic.",
        examples="""\
  glassnet inspect model.safetensors
  glassnet inspect folder/ --depth 2 --json
  glassnet inspect digits.safetensors --neuron 0:3
  glassnet inspect model.gguf --neuron blk.0.attn_q.weight:7
  glassnet inspect model.gguf --neuron 16:407 --words
  glassnet inspect mlp.npz --neuron w1:3 --inputs x.npy --activation relu
""",
    )
    command.add_argument("file", metavar="FILE", help="a model file, or a folder of shards")
    command.add_argument("--depth", type=int, metavar="N", help="how deep the tree goes (default: what fits a screen)")
    command.add_argument("--neuron", metavar="TENSOR:N", help="neuron N of a matrix, by its name or as L:N")
    command.add_argument(
        "--neurons-in", choices=("rows", "columns"), help="where a neuron's weights are, if the file does not say it"
    )
    command.add_argument(
        "--words", action="store_true", help="of a language model: the words that neuron N of block L writes and reads"
    )
    command.add_argument("--inputs", metavar="FILE|NUMBERS", help="x.npy, or 0.5,0.8,...: compute the neuron on these")
    command.add_argument("--row", type=int, metavar="N", help="which row of a table of inputs, from 0")
    command.add_argument("--activation", metavar="NAME", help="activation (default: the file's own, else identity)")
    command.add_argument("--top", type=int, default=10, metavar="N", help="connections shown (default %(default)s)")
    add_json(command)
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.files.inspection import open

    of_neuron = ("--inputs", "--activation", "--neurons-in", "--row")
    given = [flag for flag in of_neuron if getattr(arguments, flag[2:].replace("-", "_")) is not None]
    need(
        arguments.neuron is not None or not given,
        f"{', '.join(given)} needs --neuron",
        "glassnet inspect FILE --neuron TENSOR:N",
    )
    need(arguments.neuron is not None or not arguments.words, "--words needs --neuron", "--neuron 16:407 --words")
    need(not given or not arguments.words, f"--words and {', '.join(given)} exclude each other")
    need(not arguments.words or arguments.top > 0, f"--top is {arguments.top}, expected a number from 1 up")
    need(arguments.top >= 0, f"--top is {arguments.top}, expected a number from 0 up")
    need(arguments.depth is None or arguments.depth >= 0, f"--depth is {arguments.depth}, expected a number from 0 up")
    if arguments.words:
        return _words(arguments)
    with open(arguments.file) as checkpoint:
        if arguments.neuron is not None:
            return _neuron(checkpoint, arguments)
        count = checkpoint.count()
    groups = _neuron_groups(arguments.file, count.total)
    if arguments.json:
        print_json(count.as_dict(arguments.depth) | {"neuron_groups": [group._asdict() for group in groups]})
        return 0
    show_count(count, arguments)
    if groups:
        print(*["", *(group.text() for group in groups)], sep="\n")
    return 0


def _neuron_groups(file: str, total: int) -> "tuple[NeuronGroup, ...]":
    """Hidden neurons that say the same in a small file with a chain of dense layers; none of any other."""
    from glassnet.errors import GlassnetError, SettingError
    from glassnet.explain.groups import MOST_COMPARED, neuron_groups
    from glassnet.names import DEFAULT_HIDDEN
    from glassnet.network import load

    if total > MOST_COMPARED:
        return ()
    try:
        return neuron_groups(load(file))
    except SettingError:  # a file that does not say its activations: the weights are the same with any
        return neuron_groups(load(file, DEFAULT_HIDDEN))
    except GlassnetError:
        return ()


def show_count(count: Any, arguments: argparse.Namespace) -> int:
    """The tree of a file, or its figures."""
    if arguments.json:
        print_json(count.as_dict(arguments.depth))
    else:
        show(count.document(arguments.depth).text(columns()))
    return 0


def show(text: str) -> None:
    """Print text with names in it, in what the terminal can show."""
    import sys

    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "backslashreplace").decode(encoding))


def _neuron(checkpoint: Any, arguments: argparse.Namespace) -> int:
    from glassnet.files.inspection import activation_of, find_neuron

    name, index = find_neuron(checkpoint, arguments.neuron)
    neuron = checkpoint.neuron(name, index, arguments.neurons_in)
    trace = None
    if arguments.inputs is not None:
        activation = arguments.activation or activation_of(checkpoint, name) or PLAIN
        trace = neuron.trace(_inputs(arguments), activation)
    else:
        need(arguments.activation is None, "--activation needs --inputs", "add --inputs x.npy")
        need(arguments.row is None, "--row needs --inputs", "add --inputs x.npy")
    if arguments.json:
        figures = neuron.as_dict(arguments.top)
        print_json(figures if trace is None else figures | {"trace": trace.as_dict()})
        return 0
    show(neuron.document(arguments.top).text(columns()))
    if trace is not None:
        show(f"\n{trace.document(arguments.top).text(columns())}")
    return 0


def _words(arguments: argparse.Namespace) -> int:
    """The words of a neuron, from the file alone."""
    from glassnet.observation.words import words

    layer, _, number = arguments.neuron.rpartition(":")
    need(bool(layer) and number.isdecimal(), f"--neuron is {arguments.neuron!r}, expected LAYER:N, such as 16:407")
    found = words(arguments.file, layer, int(number), arguments.top)
    if arguments.json:
        print_json(found.as_dict())
    else:
        show(found.document(arguments.top).text(columns()))
    return 0


def _inputs(arguments: argparse.Namespace) -> Any:
    """The inputs: numbers as they stand, or what is in an .npy file, of a table the row asked for."""
    import os

    from glassnet.files.inspection import open

    if not os.path.exists(arguments.inputs):
        try:
            return numbers(arguments.inputs)
        except argparse.ArgumentTypeError:
            pass  # so it was to be a file, and the error for one that is missing says more
    with open(arguments.inputs) as file:
        names = list(file.tensors)
        need(len(names) == 1, f"{arguments.inputs} has {len(names)} arrays, expected one", "save it with numpy.save")
        shape = file.tensors[names[0]].shape
        if len(shape) < 2:
            need(arguments.row is None, f"--row needs a table, and {arguments.inputs} is one input")
            return file.array(names[0])
        row = arguments.row if arguments.row is not None or shape[0] != 1 else 0
        need(
            row is not None,
            f"{arguments.inputs} has {shape[0]:,} rows, expected one input",
            f"add --row N, from 0 to {shape[0] - 1}",
        )
        return file.rows(names[0], row).reshape(-1)
