"""The command: arguments in, calls to the library, text or JSON out. No arithmetic of the network here.

Each command is a file that says its arguments (`add`) and does its work (`run`); what it needs of the library it
imports when it runs, so that help comes at once. Data goes to standard output, progress and messages to standard
error. Exit status: 0 done, 1 a failure, 2 wrong usage, 130 interrupted, 143 terminated.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from typing import NoReturn

from glassnet import __version__
from glassnet.cli import (
    analyse,
    compare,
    count,
    evaluate,
    explain,
    export,
    inspect,
    neuron,
    observe,
    open,
    predict,
    signals,
    streams,
    train,
)
from glassnet.cli.options import fail
from glassnet.errors import AddressError, GlassnetError, SettingError

COMMANDS = (neuron, count, train, evaluate, predict, explain, analyse, compare, inspect, observe, export, open)

DESCRIPTION = """\
The glass-box toolkit for dense neural networks: every number can be seen,
checked by hand and changed.

    activation = squish(weights . inputs + bias)
"""
EXAMPLES = """\
examples:
  glassnet neuron                                 a neuron, worked by hand
  glassnet count 784-16-16-10                     13,002 numbers, and why
  glassnet train                                  train the digit network
  glassnet predict digits.safetensors --digit 7   recognise a test digit
  glassnet predict digits.safetensors photo.png   recognise a picture of a digit
  glassnet explain digits.safetensors --digit 7   and see why, on one screen
  glassnet inspect model.safetensors              look into any model file
  glassnet observe folder/ --text "Once upon"     any neuron of a running model
  glassnet open                                   draw on it, turn its knobs

glassnet COMMAND --help says more, with examples.
Completion for your shell: glassnet --print-completion bash
"""


class Parser(argparse.ArgumentParser):
    """Wrong usage is one line on standard error, and where to read more."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = Parser(
        prog="glassnet", description=DESCRIPTION, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    top.add_argument("--version", action="version", version=f"glassnet {__version__}")
    top.add_argument(
        "--print-completion", choices=("bash", "zsh", "tcsh"), help="print a completion script for a shell"
    )
    commands = top.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit status; without arguments, that of this process."""
    if argv is not None:
        return _run(argv)
    shown = streams.prepare()
    with signals.terminated():
        status = _run(sys.argv[1:])
    return status if shown or status else fail("cannot write to standard output: it is closed", 1)


def _run(argv: Sequence[str]) -> int:
    top = parser()
    try:
        try:
            arguments = top.parse_args(join_negative_lists(argv))
            with streams.plain_warnings():
                status = _command(top, arguments)
        finally:
            sys.stdout.flush()
        return status
    except streams.OutputError as problem:
        streams.discard()
        return fail(f"{problem}", 1)
    except GlassnetError as problem:
        return fail(f"{problem}", 2 if isinstance(problem, SettingError | AddressError) else 1)
    except MemoryError as problem:
        return fail(f"not enough memory{f': {problem}' if str(problem) else ''}\nhelp: make the network smaller", 1)
    except BrokenPipeError:  # the reader, such as head, has had enough
        streams.discard()
        return 1
    except KeyboardInterrupt as stop:
        return fail(*signals.ended(stop))


def _command(top: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    if arguments.print_completion:
        import shtab

        print(shtab.complete(top, arguments.print_completion))
    elif arguments.command is None:
        top.print_help()
    else:
        status: int = arguments.run(arguments)
        return status
    return 0


def join_negative_lists(argv: Sequence[str]) -> list[str]:
    """`--weights -0.2,0.5` as `--weights=-0.2,0.5`, since argparse would take the numbers for an option."""
    joined: list[str] = []
    for word in argv:
        if joined and joined[-1].startswith("--") and re.fullmatch(r"-[\d.][^=]*,[^=]*", word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined
