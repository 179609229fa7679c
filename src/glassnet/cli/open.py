"""`glassnet open`: the page, in the browser, from a server on this machine."""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from glassnet.cli.options import add_command, need, say


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "open",
        help="open the page: draw, inspect, change, train, compare",
        description="The page, in your browser: draw a digit, see and change every number, train,\n"
        "compare, inspect model files of any size. The server is on\n"
        "this machine only and the printed address is good once: Enter prints\n"
        "another, for another browser; Ctrl-C ends it.",
        examples="""\
  glassnet open                                   the bundled networks
  glassnet open digits.safetensors                with your own
  glassnet open before.safetensors after.onnx     two of them, to compare
  glassnet open --port 8000 --no-browser          and open the address yourself
""",
    )
    command.add_argument("models", metavar="MODEL", nargs="*", help="a saved network, or another model file")
    command.add_argument("--port", type=int, default=0, metavar="N", help="where to listen (default: a free port)")
    command.add_argument("--no-browser", action="store_true", help="print the address and open nothing")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from glassnet.web.server import Server

    port = arguments.port
    need(
        port == 0 or 1024 <= port <= 65535,
        f"--port is {port}, expected a port from 1024 to 65535",
        "without --port, a free one is found",
    )
    with Server(arguments.models, port) as server, _ended_in_order():
        print(server.address, flush=True)
        if not arguments.no_browser and not server.show():
            say("no browser here: open this address in one")
        asked = _on_enter(lambda: print(server.invite(), flush=True))
        say(f"the address is good once{'; Enter prints another' if asked else ''}; Ctrl-C ends the server")
        server.run()
    say("ended")
    return 0


def _on_enter(act: Callable[[], None]) -> bool:
    """Do this whenever the user presses Enter; False where nobody sits at a terminal that is ours to read."""
    if os.name == "posix":
        if not (sys.stdin and sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()):
            return False
        signal.signal(signal.SIGTTIN, signal.SIG_IGN)  # moved to the background it serves on, and reading ends
    elif not (sys.stdin and sys.stdin.isatty()):
        return False

    def listen() -> None:
        with contextlib.suppress(OSError, ValueError):
            for _ in sys.stdin:
                act()

    threading.Thread(target=listen, daemon=True).start()
    return True


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Ctrl-C ends it; SIGTERM, or a terminal that closes, do the same."""
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, signal.default_int_handler)}
    if hasattr(signal, "SIGHUP"):
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        with contextlib.suppress(KeyboardInterrupt):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
