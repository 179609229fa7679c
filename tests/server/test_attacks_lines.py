"""Attacks on the lines to the page's server: too long, too many, from elsewhere; what it leaves behind."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from client import ADDRESSES, Client

import glassnet as gn
from glassnet.web.server import Server, listening

Connect = Callable[..., Client]
Serve = Callable[..., Server]


def test_heads_without_end_are_cut_off(connect: Connect) -> None:
    client = connect()
    endless = f"GET / HTTP/1.1\r\nHost: {client.host}\r\n".encode() + b"A: " + b"x" * 1_000_000
    assert b" 200 " not in client.raw(endless)
    assert client.get("/").status == 200


def test_many_lines_at_once_are_answered(connect: Connect, saved: Path) -> None:
    client = connect(saved)
    content, addresses = saved.read_bytes(), ADDRESSES[:-1] * 4

    def asked(number: int) -> int:
        if number % 9 == 0:
            return client.drop(f"{number}", content).status
        return client.get(addresses[number]).status

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(asked, range(len(addresses)))) == {200}


def test_idle_lines_keep_nobody_out(connect: Connect) -> None:
    client = connect()
    idle = [socket.create_connection(("127.0.0.1", client.port)) for _ in range(100)]
    for line in idle:
        line.sendall(b"GET / HTTP/1.1\r\nHost:")
    assert client.get("/").status == 200
    for line in idle:
        line.close()


def test_a_mistake_of_ours_shows_nothing_of_the_inside(
    connect: Connect, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = connect(saved)
    monkeypatch.setattr("glassnet.web.opened_file.Opened.tree", lambda _: 1 / 0)
    answer = client.get("/api/files/0/tree")
    assert (answer.status, answer.json["problem"]) == (500, "an error inside glassnet")
    assert b"ZeroDivision" not in answer.body
    assert client.get("/api/start").status == 200


# Where it listens


def test_it_listens_on_this_machine_only(serve: Serve) -> None:
    server = serve()
    assert server.address.startswith(f"http://127.0.0.1:{server.port}/?token=")
    listed = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    listens = [line.split()[1] for line in listed.splitlines() if f":{server.port:04X} " in line and " 0A " in line]
    assert listens == [f"0100007F:{server.port:04X}"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port))


def test_a_port_that_is_taken_is_not_shared(serve: Serve) -> None:
    server = serve()
    with pytest.raises(gn.GlassnetError, match=f"port {server.port} cannot be used"):
        listening(server.port)


def test_a_stopped_server_leaves_nothing_behind(stand_in: Path, saved: Path, uploads: Path) -> None:
    with Server() as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        Client(server.address).enter().drop("a", saved.read_bytes())
        assert [path for path in uploads.rglob("*") if path.is_file()] != []
        server.stop()
        thread.join()
    assert list(uploads.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
