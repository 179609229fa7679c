"""Connections that are slow, stalled or left half used: how long the server waits, and that others go on."""

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client import Client
from starlette.responses import Response

from glassnet.web.application import Application
from glassnet.web.patience import Patience, PatientProtocol
from glassnet.web.server import Server

Connect = Callable[..., Client]
SHORT = Patience(head=0.3, piece=0.3, whole=1.2)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that waits for short times."""
    monkeypatch.setattr(PatientProtocol, "patience", SHORT)


@contextlib.contextmanager
def line_to(client: Client, content: bytes, buffer: int | None = None) -> Iterator[socket.socket]:
    """A connection on which this was sent."""
    with socket.socket() as line:
        if buffer is not None:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        line.settimeout(30)
        line.connect(("127.0.0.1", client.port))
        line.sendall(content)
        yield line


def is_dropped(line: socket.socket) -> bool:
    """Read until the server closes the connection, which raises `TimeoutError` where it does not."""
    with contextlib.suppress(ConnectionError):
        while line.recv(1 << 16):
            pass
    return True


def head(client: Client, method: str, path: str, *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {client.host}", f"Cookie: {client.cookie}", *more, "", ""]
    return "\r\n".join(lines).encode()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("sent", [b"", b"G", b"GET / HTTP/1.1\r\nHost: 127"])
def test_a_head_that_does_not_come_is_not_waited_for(connect: Connect, sent: bytes) -> None:
    client = connect()
    with line_to(client, sent) as line:
        assert is_dropped(line)
    assert client.get("/").status == 200


@pytest.mark.usefixtures("impatient")
def test_half_a_head_after_an_answered_request_is_not_waited_for(connect: Connect) -> None:
    client = connect()
    with line_to(client, head(client, "GET", "/api/start")) as line:
        assert line.recv(1 << 16).startswith(b"HTTP/1.1 200")
        line.sendall(b"GET / HT")
        assert is_dropped(line)


@pytest.mark.usefixtures("impatient")
def test_a_body_that_stalls_is_not_waited_for(connect: Connect) -> None:
    client = connect()
    upload = head(client, "POST", "/api/files?name=a", f"Origin: {client.origin}", "Content-Length: 1000")
    with line_to(client, upload + b"abc") as line:
        assert is_dropped(line)


@pytest.mark.usefixtures("impatient")
def test_a_body_that_trickles_is_cut_off(connect: Connect) -> None:
    client = connect()
    upload = head(client, "POST", "/api/files?name=a", f"Origin: {client.origin}", "Content-Length: 1000")
    with line_to(client, upload) as line:
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 100:
                line.sendall(b"x")
                sent += 1
                time.sleep(0.05)
    assert sent < 100


def test_stalled_uploads_hold_up_no_other(connect: Connect, saved: Path) -> None:
    client = connect()
    upload = head(client, "POST", "/api/files?name=a", f"Origin: {client.origin}", "Content-Length: 1000")
    with line_to(client, upload + b"abc"), line_to(client, upload + b"abc"), line_to(client, upload):
        assert client.drop("a", saved.read_bytes()).status == 200


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_is_not_read_is_given_up(connect: Connect) -> None:
    client = connect()
    with line_to(client, head(client, "GET", "/api/digits/train"), buffer=4096) as line:
        time.sleep(1)  # more than the time for a piece; then what was on its way is all there is
        received = 0
        with contextlib.suppress(ConnectionError):
            while piece := line.recv(1 << 20):
                received += len(piece)
    assert received < 40_000_000
    assert client.get("/").status == 200


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_is_read_too_slowly_is_given_up(connect: Connect) -> None:
    client = connect()
    with line_to(client, head(client, "GET", "/api/digits/train"), buffer=4096) as line:
        began, received = time.monotonic(), 0
        with contextlib.suppress(ConnectionError):
            while piece := line.recv(1 << 16):
                received += len(piece)
                if time.monotonic() < began + 2 * SHORT.whole:  # then what was on its way is all there is
                    time.sleep(0.02)
    assert received < 40_000_000


@pytest.mark.usefixtures("impatient")
def test_our_own_work_may_take_longer(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(*_: object) -> Response:
        time.sleep(2 * SHORT.whole)
        return Response("done")

    monkeypatch.setattr(Application, "tree", slowly)
    client = connect()
    assert client.get("/api/files/0/tree").body == b"done"


def test_an_answer_comes_whole_in_its_pieces(connect: Connect) -> None:
    answer = connect().get("/api/digits/test")
    assert len(answer.body) == int(answer.headers["Content-Length"]) == 10_000 * 785


SLOW_READERS = """\
import sys
from pathlib import Path
from glassnet.files.formats.html import template
from glassnet.web.server import Server
template.BUILT = Path(sys.argv[1])
with Server() as server:
    print(server.address, flush=True)
    server.run()
"""


def test_slow_readers_of_large_answers_share_the_memory(stand_in: Path) -> None:
    """50 of them would hold 50 copies of 47 MB."""
    with subprocess.Popen([sys.executable, "-c", SLOW_READERS, str(stand_in)], stdout=subprocess.PIPE, text=True) as at:
        assert at.stdout is not None
        try:
            client = Client(at.stdout.readline().strip()).enter()
            with contextlib.ExitStack() as lines:
                for _ in range(50):
                    line = lines.enter_context(line_to(client, head(client, "GET", "/api/digits/train"), buffer=4096))
                    assert line.recv(100).startswith(b"HTTP/1.1 200")
                assert client.get("/").status == 200
                status = Path(f"/proc/{at.pid}/status").read_text()
        finally:
            at.kill()
    most = next(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmHWM"))
    assert most < 500_000  # kB


def test_a_server_is_stopped_though_somebody_does_not_read(stand_in: Path) -> None:
    with Server() as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        client = Client(server.address).enter()
        with line_to(client, head(client, "GET", "/api/digits/train"), buffer=4096):
            assert client.get("/").status == 200
            server.stop()
            thread.join(20)
            assert not thread.is_alive()
