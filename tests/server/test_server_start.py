"""`glassnet open`: how it starts, what it prints, how it ends; as a process of its own where that matters."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from client import Client
from starlette.responses import Response

import glassnet as gn
from glassnet.cli import main
from glassnet.files.formats.html import template
from glassnet.web import server as web_server
from glassnet.web.application import Application
from glassnet.web.server import Server

SCRIPT = """\
import sys
from pathlib import Path
from glassnet.cli import main
from glassnet.files.formats.html import template
template.BUILT = Path(sys.argv[1])
sys.exit(main(["open", "--no-browser", *sys.argv[2:]]))
"""


@pytest.fixture
def command(stand_in: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`glassnet open --no-browser`, running; its private folder is made in tmp_path / "private"."""
    (tmp_path / "private").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "private")}
    arguments = [sys.executable, "-c", SCRIPT, str(stand_in)]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    with process:
        yield process
        process.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=["ctrl-c", "kill", "hang up"])
def test_it_serves_until_it_is_told_to_end(
    command: "subprocess.Popen[str]", tmp_path: Path, network: gn.Network, how: signal.Signals
) -> None:
    assert command.stdout is not None
    assert command.stderr is not None
    address = command.stdout.readline()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}\n", address)
    client = Client(address.strip()).enter()
    assert client.get("/").status == 200
    network.save(tmp_path / "small")
    assert client.drop("small", (tmp_path / "small").read_bytes()).status == 200
    (private,) = (tmp_path / "private").iterdir()
    with socket.create_connection(("127.0.0.1", client.port)):  # one that waits is not waited for
        command.send_signal(how)
        assert command.wait(20) == 0
    assert not private.exists()
    assert command.stdout.read() == ""
    assert command.stderr.read() == "the address is good once; Ctrl-C ends the server\nended\n"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", client.port))


@pytest.mark.skipif(os.name != "posix", reason="terminals of Unix")
def test_enter_prints_another_address(stand_in: Path) -> None:
    ours, theirs = os.openpty()
    script = f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n{SCRIPT}"  # the terminal is its own
    with subprocess.Popen(
        [sys.executable, "-c", script, str(stand_in)],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            first = process.stdout.readline()
            assert "; Enter prints another;" in process.stderr.readline()
            os.write(ours, b"\n")
            second = process.stdout.readline()
            assert first != second
            for address in (first, second):
                assert Client(address.strip()).enter().get("/").status == 200
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)


def test_a_slow_read_holds_up_neither_others_nor_the_end(stand_in: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, done = threading.Event(), threading.Event()

    def slowly(*_: object) -> Response:
        reading.set()
        done.wait(60)
        return Response()

    monkeypatch.setattr(Application, "digits", slowly)
    with Server() as server, ThreadPoolExecutor(1) as browser:
        thread = threading.Thread(target=server.run)
        thread.start()
        client = Client(server.address).enter()
        browser.submit(client.get, "/api/digits/test")
        assert reading.wait(20)
        assert client.get("/api/start").status == 200
        server.stop()
        thread.join(20)
        assert not thread.is_alive()
    done.set()


def test_it_is_there_without_numpy(stand_in: Path) -> None:
    script = f"""\
import sys
from pathlib import Path
from glassnet.files.formats.html import template
from glassnet.web.server import Server
template.BUILT = Path({str(stand_in)!r})
with Server():
    print(*sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert {"starlette", "uvicorn"} <= loaded
    assert not {"numpy", "safetensors", "PIL", "rich"} & loaded


# What cannot be


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str, status: int) -> str:
    """The one line that `glassnet open` ends with."""
    try:
        actual = main(["open", "--no-browser", *arguments])
    except SystemExit as ended:
        actual = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert (actual, out) == (status, "")
    assert [line.startswith("help: ") for line in err.splitlines()] in ([False], [False, True])
    return err


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["missing.safetensors"], 1),
        (["--port", "80"], 2),
        (["--port", "65536"], 2),
        (["--host", "0.0.0.0"], 2),
    ],
    ids=["no file", "port 80", "port 65536", "another host"],
)
def test_what_cannot_be_opened_is_told(
    stand_in: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, reported: Any
) -> None:
    reported(refusal(capsys, *arguments, status=status))


def test_a_port_that_is_taken_is_told(stand_in: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        words = refusal(capsys, "--port", str(port), status=1)
    assert words == (
        f"glassnet: port {port} cannot be used: Address already in use\nhelp: without --port, a free one is found\n"
    )


def test_answers_are_sent_without_nagles_delay() -> None:
    with web_server.listening(0) as door:
        assert door.proto == socket.IPPROTO_TCP  # else asyncio leaves the delay on, 0.04 s for each answer


def test_a_port_that_is_asked_for_is_taken(stand_in: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with Server(port=port) as server:
        assert server.port == port


def test_a_page_that_was_not_built_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template, "BUILT", tmp_path / "gone")
    assert "npm ci && npm run build in frontend/" in refusal(capsys, status=1)


def test_a_missing_package_names_its_extra(
    stand_in: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert "help: pip install starlette" in refusal(capsys, status=1)


# The browser


class Browser:
    """Keeps what it was to open."""

    opened: tuple[str, ...] = ()

    def open(self, address: str) -> bool:
        self.opened += (address,)
        return True


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    made = Browser()
    monkeypatch.setattr(web_server.webbrowser, "get", lambda: made)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(Server, "run", lambda _: None)
    return made


@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER"])
def test_the_printed_address_is_opened(
    stand_in: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], variable: str
) -> None:
    monkeypatch.setenv(variable, "there")
    monkeypatch.setattr(web_server.threading, "Thread", InPlace)
    assert main(["open"]) == 0
    out, err = capsys.readouterr()
    assert browser.opened == (out.strip(),)
    assert err == "the address is good once; Ctrl-C ends the server\nended\n"


class InPlace:
    """A thread that does its work when it is started."""

    def __init__(self, target: object, args: tuple[str], daemon: bool) -> None:
        self.target, self.args = target, args

    def start(self) -> None:
        self.target(*self.args)  # type: ignore[operator]


def test_without_a_screen_the_address_is_only_printed(
    stand_in: Path, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["open"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("http://127.0.0.1:")
    assert err.startswith("no browser here: open this address in one\n")
    assert browser.opened == ()


def test_where_no_browser_is_installed_the_address_is_only_printed(
    stand_in: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none() -> None:
        raise web_server.webbrowser.Error

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(web_server.webbrowser, "get", none)
    assert main(["open"]) == 0
    assert capsys.readouterr().err.startswith("no browser here")


def test_the_handling_of_signals_is_given_back(stand_in: Path, browser: Browser) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    assert main(["open", "--no-browser"]) == 0
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == before
