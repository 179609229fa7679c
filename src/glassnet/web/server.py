"""Starts the server and ends it: a socket on 127.0.0.1, a token for the first visit, a browser, a private folder."""

import logging
import os
import socket
import sys
import tempfile
import threading
import webbrowser
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from glassnet.errors import GlassnetError, MissingExtra
from glassnet.web import page

HERE = "127.0.0.1"
"""The only address that it ever listens on."""


class Server:
    """The page's server. It listens from the beginning, answers while it `run`s, and leaves nothing behind.

    models  paths of model files to look into
    port    0 takes a free one

    Raises `MissingExtra` without its packages, `FileError` for a file that cannot be opened or if the page was not
    built, `GlassnetError` for a port that is taken.
    """

    def __init__(self, models: Sequence[str] = (), port: int = 0) -> None:
        try:
            import uvicorn

            from glassnet.web.access import AccessControl
            from glassnet.web.application import Application
            from glassnet.web.patience import PatientProtocol
            from glassnet.web.uploads import OpenedFiles
        except ModuleNotFoundError as missing:
            raise MissingExtra(str(missing.name), "web") from None
        self._folder = tempfile.TemporaryDirectory(prefix="glassnet-", ignore_cleanup_errors=True)
        try:
            built = page.read()
            application = Application(built, OpenedFiles(models, Path(self._folder.name)))
            self._socket = listening(port)
        except BaseException:
            self._folder.cleanup()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._access = AccessControl(application.app(), self.port, built.policy)
        self.address = self.invite()
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._access,
                http=PatientProtocol,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level="error",
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,  # more than `Patience.end`
            )
        )

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *problem: object) -> None:
        self._socket.close()
        self._folder.cleanup()

    def run(self) -> None:
        """Answer until `stop`, or until Ctrl-C, which comes out as KeyboardInterrupt."""
        # numpy is there by the time that a browser has started and asks for digits
        threading.Thread(target=import_module, args=("glassnet.data.digits",), daemon=True).start()
        log, filtering = logging.getLogger("uvicorn.error"), lambda _: not self._server.should_exit
        log.addFilter(filtering)  # what breaks off at the end is no news
        try:
            self._server.run(sockets=[self._socket])
        finally:
            log.removeFilter(filtering)

    def stop(self) -> None:
        """Have `run` return, from another thread."""
        self._server.should_exit = True

    def invite(self) -> str:
        """A fresh address, good once, for one more browser."""
        return f"http://{HERE}:{self.port}/?token={self._access.invite()}"

    def show(self) -> bool:
        """Open the page in a browser, beside the server; False if there is none that could show it."""
        if not _has_screen():
            return False
        try:
            browser = webbrowser.get()
        except webbrowser.Error:
            return False
        threading.Thread(target=browser.open, args=(self.address,), daemon=True).start()
        return True


def listening(port: int) -> socket.socket:
    """A socket at this port of this machine; raises `GlassnetError` if it cannot be had."""
    # The protocol is named since asyncio switches Nagle's delay (0.04 s an answer) off only where it is.
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere this would let others listen at the same port
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HERE, port))
        made.listen()
    except OSError as problem:
        made.close()
        raise GlassnetError(
            f"port {port} cannot be used: {os.strerror(problem.errno or 0)}", help="without --port, a free one is found"
        ) from None
    return made


def _has_screen() -> bool:
    """Whether a browser would have a window; those in a terminal would take the terminal from us."""
    if sys.platform in ("win32", "darwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
