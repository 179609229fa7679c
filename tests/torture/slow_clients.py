"""The page's server while 300 clients send half a head, stall in a body or do not read."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

CLIENTS = 300


class SlowClients(NamedTuple):
    clients: int
    asked: int
    answered: int
    """Requests of an ordinary browser with status 200, while the others were there."""
    slowest: float
    """Seconds of the slowest of these."""
    megabytes: float
    """The most memory of the server."""
    ended: bool
    """Whether it ended by itself, with status 0, when it was told to."""


def slow_clients(seconds: float) -> SlowClients:
    """Ask for the page and its digits again and again for this time."""
    server = subprocess.Popen(
        [sys.executable, "-m", "glassnet", "open", "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        host, _, token = address.removeprefix("http://").partition("/")
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request("GET", f"/{token}")
        answer = connection.getresponse()
        answer.read()
        cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
        with contextlib.ExitStack() as lines:
            for number in range(CLIENTS):
                lines.enter_context(_slow(host, cookie, number % 3))
            asked, answered, slowest, until = 0, 0, 0.0, time.monotonic() + seconds
            while time.monotonic() < until:
                began = time.monotonic()
                connection = http.client.HTTPConnection(host, timeout=60)
                address = ("/", "/api/digits/test", "/api/start")[asked % 3]
                connection.request("GET", address, headers={"Cookie": cookie})
                answer = connection.getresponse()
                answer.read()
                connection.close()
                asked, answered = asked + 1, answered + (answer.status == 200)
                slowest = max(slowest, time.monotonic() - began)
            status = Path(f"/proc/{server.pid}/status").read_text()
            most = next(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmHWM")) / 1000
            os.kill(server.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(20)
        return SlowClients(CLIENTS, asked, answered, slowest, most, server.returncode == 0)
    finally:
        server.kill()
        server.wait()


@contextlib.contextmanager
def _slow(host: str, cookie: str, kind: int) -> Iterator[None]:
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        name, _, port = host.partition(":")
        line.connect((name, int(port)))
        head = f"Host: {host}\r\nCookie: {cookie}\r\nOrigin: http://{host}\r\n"
        line.sendall(
            (
                f"GET / HTTP/1.1\r\nHost: {host}",
                f"POST /api/files?name=a HTTP/1.1\r\n{head}Content-Length: 1000\r\n\r\nabc",
                f"GET /api/digits/train HTTP/1.1\r\n{head}\r\n",
            )[kind].encode()
        )
        yield
