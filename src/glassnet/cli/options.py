"""What several commands share: flags with one name and meaning, and how figures are printed."""

import argparse
import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from glassnet.cli import processes
from glassnet.errors import SettingError
from glassnet.opening import escaped

if TYPE_CHECKING:
    from glassnet.files.outputs import Output


def add_command(commands: Any, name: str, help: str, description: str, examples: str) -> argparse.ArgumentParser:
    """A command with its help, and its examples under it."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command


def add_json(command: argparse._ActionsContainer) -> None:
    command.add_argument("--json", action="store_true", help="print the figures as JSON")


def add_engine(command: argparse._ActionsContainer) -> None:
    command.add_argument(
        "--engine", default="auto", metavar="NAME", help="auto (default), native, reference (numpy) or torch"
    )
    command.add_argument("--device", metavar="NAME", help="device of torch: cpu, cuda (or cuda:1), mps")


def add_description(command: argparse._ActionsContainer) -> None:
    """How MODEL reads its inputs, where its file does not say it; `load_model` passes it on."""
    group = command.add_argument_group("what MODEL's inputs and outputs mean, where its file does not say it")
    group.add_argument(
        "--scale", type=fraction, metavar="FACTOR", help="stored pixels times this are the inputs: 1/255, or 1"
    )
    group.add_argument("--shape", type=sides, metavar="HxW", help="the shape of a picture: 28x28")
    group.add_argument("--classes", type=class_names, metavar="NAMES", help="names of the outputs: cat,dog,...")
    group.add_argument(
        "--activation", type=names, metavar="NAME", help="activation of the hidden layers, or one,per,layer"
    )


def load_model(arguments: argparse.Namespace, path: Any = None, one_of_two: bool = False) -> Any:
    """The network in MODEL, described by the flags of `add_description`; of two, the one that needs them."""
    from glassnet.errors import SettingError
    from glassnet.network import load

    model = arguments.model if path is None else path
    described = {"scale": arguments.scale, "shape": arguments.shape, "classes": arguments.classes}
    if one_of_two:
        with contextlib.suppress(SettingError):
            network = load(model)
            if network.schema.describes_inputs:
                return network
            return load(model, **described)
    return load(model, arguments.activation, **described)


def fraction(text: str) -> float:
    """`1/255` or `0.0039` as a number."""
    try:
        above, _, below = text.partition("/")
        value = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a factor above 0, such as 1/255")
    return value


def sides(text: str) -> tuple[int, ...]:
    """`28x28` as (28, 28)."""
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a shape such as 28x28")
    return tuple(int(side) for side in text.split("x"))


def class_names(text: str) -> tuple[str, ...]:
    """`cat,dog` as names."""
    return tuple(name.strip() for name in text.split(","))


def add_input(command: argparse.ArgumentParser) -> None:
    """MODEL and what it is asked about, which `sources.asked` reads."""
    command.add_argument("model", metavar="MODEL", help="a saved network, or another model file")
    command.add_argument("input", metavar="INPUT", nargs="?", help="a PNG or JPEG picture, or a table (CSV, Parquet)")
    command.add_argument("--digit", type=int, metavar="N", help="test digit N, from 0 to 9999")
    command.add_argument(
        "--inputs",
        type=values,
        metavar="VALUES",
        help="one row in the units of the data: 5.1,3.5,... in the order of the columns, or name=5.1,other=red,...",
    )
    add_description(command)


class Place(NamedTuple):
    """Where a command writes: a file, or standard output."""

    output: "Output"
    name: str

    @contextmanager
    def report(self) -> Iterator[None]:
        """What is printed meanwhile goes to standard error if the output itself goes to standard output."""
        with nullcontext() if isinstance(self.output, Path) else redirect_stdout(sys.stderr):
            yield

    def saved(self) -> str:
        """What was written, in words."""
        from glassnet.architecture import human_bytes

        size = f" ({human_bytes(self.output.stat().st_size)})" if isinstance(self.output, Path) else ""
        return f"saved {self.name}{size}"


def place(given: str | os.PathLike[str], flag: str, *inputs: str | os.PathLike[str] | None) -> Place:
    """Where `flag` says, "-" for standard output; `SettingError` if it is one of the inputs, or a terminal."""
    if str(given) == "-":
        need(not sys.stdout.isatty(), f"{flag} - would write binary data to the terminal", "name a file, or add > FILE")
        return Place(sys.stdout.buffer, "to standard output")
    path = Path(given)
    for read in inputs:
        same = read is not None and os.path.exists(path) and os.path.exists(read) and path.samefile(read)
        need(not same, f"{flag} {path} is an input of this command", "name another file")
    return Place(path, str(path))


def print_json(figures: Any) -> None:
    """Figures on standard output, for machines."""
    print(json.dumps(figures, indent=2, allow_nan=False))


def columns() -> int:
    """How wide to print: as the terminal is, up to 120; 80 into a file or a pipe."""
    import shutil

    return min(shutil.get_terminal_size().columns, 120) if sys.stdout.isatty() else 80


def say(message: str) -> None:
    """A message, on standard error; of many processes the first alone has something to say."""
    if processes.first():
        print(escaped(message, keep="\n"), file=sys.stderr)


def fail(message: str, status: int) -> int:
    """The problem and its help on standard error, a line each; returns the exit status."""
    lines = [" ".join(escaped(line, keep="\t").split()) for line in message.split("\n")]
    print(f"glassnet:{processes.name()}", "\n".join(lines), file=sys.stderr)
    return status


def numbers(text: str) -> list[float]:
    """`0.5,0.8,0.2` (or with spaces) as numbers."""
    try:
        return [float(part) for part in re.split(r"[,\s]+", text.strip()) if part]
    except ValueError:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected numbers such as 0.5,0.8,-0.2") from None


def values(text: str) -> list[int] | list[float] | list[str] | dict[str, str]:
    """One row: whole numbers, numbers, texts, or `name=value` for each column."""
    parts = [part.strip() for part in re.split(r"," if "," in text else r"\s+", text.strip()) if part.strip()]
    if parts and all("=" in part for part in parts):
        return {name.strip(): value.strip() for name, _, value in (part.rpartition("=") for part in parts)}
    for kind in (int, float):
        try:
            return [kind(part) for part in parts]
        except ValueError:
            continue
    return parts


def address(text: str) -> tuple[int, int]:
    """`0:3` as layer 0, neuron 3."""
    match = re.fullmatch(r"(\d+):(\d+)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"got {text!r}; expected LAYER:NEURON, both from 0, such as 0:3")
    return int(match[1]), int(match[2])


def names(text: str) -> str | list[str]:
    """One name, or several with commas between them."""
    return text.split(",") if "," in text else text


def need(condition: bool, problem: str, help: str | None = None) -> None:
    """Raise the error for wrong usage unless `condition`."""
    if not condition:
        raise SettingError(problem, help=help)
