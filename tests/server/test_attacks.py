"""Attacks on the page's server, each by a visitor who sends what a browser, a website or another program could.

docs/security.md lists them. Strangers are visitors without the cookie.
"""

import io
import json
import pickle
import secrets
import socket
import struct
import threading
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from visitor import Visitor

import glassnet as gn
from glassnet.web import doors, shelf
from glassnet.web.server import Server, listening

Visit = Callable[..., Visitor]
Serve = Callable[..., Server]

ADDRESSES = [
    "/",
    "/offline.html",
    "/assets/page-1a2b.js",
    "/api/start",
    "/api/networks/0",
    "/api/digits/test",
    "/api/files/0/tree",
    "/api/files/0/neuron?tensor=layers.0.weight&index=0",
    "/api/files/0/network",
    "/nowhere",
]


@pytest.fixture
def saved(tmp_path: Path, network: gn.Network) -> Path:
    network.save(tmp_path / "small.safetensors")
    return tmp_path / "small.safetensors"


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where private folders are made."""
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


# Who is let in


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1:{port}.evil.example",
        "localhost.evil.example:{port}",
        "127.0.0.2:{port}",
        "[::1]:{port}",
        "0.0.0.0:{port}",
        "LOCALHOST:{port}",
        "user@127.0.0.1:{port}",
        "127.0.0.1:{port}, evil.example",
        "",
    ],
)
def test_a_foreign_host_is_refused_as_dns_rebinding_needs_one(visit: Visit, host: str) -> None:
    visitor = visit()
    for path in ("/", "/api/start"):
        answer = visitor.get(path, Host=host.format(port=visitor.port))
        assert answer.status == 403
        assert b"title" not in answer.body


def test_no_host_two_hosts_and_hosts_of_proxies_are_refused(visit: Visit) -> None:
    visitor = visit()
    head = f"GET /api/start HTTP/1.{{}}\r\nCookie: {visitor.cookie}\r\n"
    own = f"Host: {visitor.host}\r\n"
    tail = "Connection: close\r\n\r\n"
    assert b" 200 " in visitor.raw((head.format(1) + own + tail).encode()).splitlines()[0]
    for hosts in ("", own + own, own + "Host: evil.example\r\n", "Host: evil.example\r\n" + own):
        for version in (0, 1):
            first = visitor.raw((head.format(version) + hosts + tail).encode()).splitlines()[0]
            assert b" 400 " in first or b" 403 " in first
    forwarded = {"X-Forwarded-Host": visitor.host, "Forwarded": f"host={visitor.host}", "Host": "evil.example"}
    assert visitor.ask("GET", "/api/start", forwarded).status == 403


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://{host}", "http://{host}.evil.example", "http://127.0.0.1", "file://", ""],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_origin_is_refused(visit: Visit, saved: Path, origin: str, method: str) -> None:
    visitor = visit()
    path = "/api/start" if method == "GET" else "/api/files?name=a"
    sent = {"Origin": origin.format(host=visitor.host), "Sec-Fetch-Site": "same-origin"}
    answer = visitor.ask(method, path, sent, saved.read_bytes() if method == "POST" else None)
    assert answer.status == 403
    assert visitor.ask(method, path, {**sent, "Origin": visitor.origin}, saved.read_bytes()).status == 200


def test_localhost_and_its_number_are_two_origins(visit: Visit) -> None:
    visitor = visit()
    other = f"localhost:{visitor.port}"
    assert visitor.get("/api/start", Host=other, Origin=f"http://{other}").status == 200
    assert visitor.get("/api/start", Host=other, Origin=visitor.origin).status == 403
    assert visitor.get("/api/start", Origin=f"http://{other}").status == 403


def test_a_post_that_does_not_say_its_origin_is_refused(visit: Visit, saved: Path) -> None:
    visitor, content = visit(), saved.read_bytes()
    for headers in ({}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-site"}, {"Referer": "http://127.0.0.1"}):
        assert visitor.ask("POST", "/api/files?name=a", headers, content).status == 403
    assert visitor.ask("POST", "/api/files?name=a", {"Sec-Fetch-Site": "same-origin"}, content).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_other_pages_of_this_machine_cannot_load_anything_though_they_share_the_cookie(visit: Visit, site: str) -> None:
    visitor = visit()
    for path in ADDRESSES[1:]:
        assert visitor.get(path, **{"Sec-Fetch-Site": site}).status == 403
    assert visitor.get("/", **{"Sec-Fetch-Site": site}).status == 200  # a link may lead to the page


# The token and the cookie


def test_the_token_is_good_once(serve: Serve) -> None:
    server = serve()
    first, second = Visitor(server.address), Visitor(server.address)
    answer = first.get(f"/{first.entrance}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert second.get(f"/{second.entrance}").status == 403
    assert b"good once" in second.get(f"/{second.entrance}").body
    first.cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert first.get("/").status == 200
    assert first.get(f"/{first.entrance}").status == 303  # whoever has the cookie may click again


def test_of_many_at_once_one_gets_in(serve: Serve) -> None:
    visitor = Visitor(serve().address)
    with ThreadPoolExecutor(16) as pool:
        found = sorted(pool.map(lambda _: visitor.get(f"/{visitor.entrance}").status, range(32)))
    assert found == [303] + [403] * 31


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(serve: Serve) -> None:
    visitor = Visitor(serve().address)
    (cookie,) = visitor.get(f"/{visitor.entrance}").headers.get_all("Set-Cookie")
    name, *rules = cookie.split("; ")
    assert name.startswith(f"glassnet-{visitor.port}=")
    assert {rule.lower() for rule in rules} == {"httponly", "samesite=strict", "path=/"}
    assert len(name.partition("=")[2]) >= 43
    assert visitor.entrance.partition("=")[2] not in cookie


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_stranger_gets_nothing(serve: Serve, saved: Path, address: str) -> None:
    stranger = Visitor(serve(saved).address)
    for method in ("GET", "HEAD", "POST"):
        assert stranger.ask(method, address, {"Origin": stranger.origin}).status == 403
    answer = stranger.get(address)
    if address.startswith("/api/"):
        assert set(answer.json) == {"got", "expected", "do"}
    assert b"small" not in answer.body


def test_wrong_tokens_and_cookies_are_refused_and_use_nothing_up(serve: Serve) -> None:
    visitor = Visitor(serve().address)
    token = visitor.entrance.partition("=")[2]
    wrong = ["", "x", token[:-1], token + "x", token.swapcase(), "%00", "%ff", "\u00e9".encode().hex(), token + "%00"]
    for guess in wrong:
        assert visitor.get(f"/?token={guess}").status == 403
    for guess in ("", "x", token, "\u00e9", '"', "=; =", secrets.token_urlsafe(32)):
        assert visitor.get("/", Cookie=f"glassnet-{visitor.port}={guess}").status == 403
    assert visitor.get("/", Cookie="glassnet-1=" + token).status == 403
    assert visitor.ask("HEAD", f"/?token={token}").status == 403
    assert visitor.ask("POST", f"/?token={token}", {"Origin": visitor.origin}).status == 403
    assert visitor.get(f"/api/start?token={token}").status == 403
    assert visitor.get(f"/?token={token}").status == 303


def test_secrets_are_compared_in_constant_time(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(doors, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    visitor = Visitor(serve().address).enter()
    visitor.get("/")
    key = visitor.cookie.partition("=")[2].encode()
    assert (key, key) in compared
    assert (visitor.entrance.partition("=")[2].encode(),) * 2 in compared


def test_two_servers_do_not_share_keys(visit: Visit) -> None:
    one, other = visit(), visit()
    key = one.cookie.partition("=")[2]
    assert other.get("/", Cookie=f"glassnet-{other.port}={key}").status == 403


# Headers, methods, WebSockets


def test_every_answer_forbids_what_the_page_does_not_need(visit: Visit, saved: Path) -> None:
    visitor = visit(saved)
    stranger = Visitor(f"{visitor.origin}/{visitor.entrance}")
    answers = [visitor.get(address) for address in ADDRESSES]
    answers += [stranger.get("/"), stranger.get("/api/start"), visitor.get("/", Host="evil.example")]
    answers += [visitor.ask("PUT", "/"), visitor.drop("a", b"no model"), visitor.get(f"/{visitor.entrance}")]
    for answer in answers:
        policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == "'self' 'wasm-unsafe-eval'"
        assert policy["connect-src"] == "'self'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_other_methods_are_refused(visit: Visit, saved: Path, method: str) -> None:
    visitor = visit(saved)
    for address in ("/", "/api/files", "/api/files/0/tree"):
        answer = visitor.ask(method, address, {"Origin": visitor.origin})
        assert (answer.status, answer.json["got"]) == (405, "another method")
        assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert visitor.get("/api/files/0/tree").status == 200


def test_known_methods_at_wrong_addresses_are_refused(visit: Visit) -> None:
    visitor = visit()
    assert visitor.get("/api/files").status == 404
    for address in ("/", "/api/start", "/api/files/0/tree", "/offline.html"):
        answer = visitor.ask("POST", address, {"Origin": visitor.origin}, b"x")
        assert (answer.status, answer.json["got"]) == (405, "a method that is not for this address")


def test_no_websocket_is_opened(visit: Visit) -> None:
    visitor = visit()
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    for path in ("/", "/api/start", "/ws"):
        answer = visitor.get(path, **handshake, **{"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
        assert answer.status in (200, 404)
        assert "Upgrade" not in answer.headers


@pytest.mark.parametrize("line", ["%0d%0aX-Injected:%20yes", "%0aX-Injected:%20yes", "\u560d\u560aX-Injected: yes"])
def test_nothing_of_a_request_becomes_a_header(visit: Visit, saved: Path, line: str) -> None:
    visitor = visit(saved)
    quoted = line if line.isascii() else "%E5%98%8D%E5%98%8AX-Injected:%20yes"
    asked = [f"/{quoted}", f"/?token={quoted}", f"/api/files/0/neuron?tensor={quoted}&index=0", f"/api/files/{quoted}"]
    answers = [visitor.get(address) for address in asked]
    answers.append(visitor.drop(quoted, saved.read_bytes()))
    assert all("X-Injected" not in answer.headers for answer in answers)


# Files


CLIMBS = [
    "..",
    "../..",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "..%5c..%5cwindows%5cwin.ini",
    "%252e%252e%252fetc%252fpasswd",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "assets/..%2f..%2fserver.py",
    "..%00",
    "%c0%ae%c0%ae%c0%afetc",
    "__init__.py",
]


@pytest.mark.parametrize("climb", CLIMBS)
def test_no_part_of_an_address_is_a_path(visit: Visit, saved: Path, climb: str) -> None:
    visitor = visit(saved)
    inside = [f"/{climb}", f"/assets/{climb}", f"/api/networks/{climb}", f"/api/digits/{climb}"]
    inside += [f"/api/files/{climb}/{verb}" for verb in ("tree", "network", "neuron?tensor=a&index=0")]
    for address in inside:
        answer = visitor.get(address)
        assert answer.status == 404
        assert b"root:" not in answer.body


@pytest.mark.parametrize("climb", CLIMBS)
def test_names_of_tensors_and_of_dropped_files_are_no_paths(
    visit: Visit, saved: Path, uploads: Path, climb: str
) -> None:
    visitor = visit(saved)
    assert visitor.get(f"/api/files/0/neuron?tensor={climb}&index=0").status == 404
    assert visitor.get(f"/api/files/0/network?activation={climb}").status == 400
    answer = visitor.drop(climb, saved.read_bytes()).json
    assert "/" not in answer["name"]
    assert "\\" not in answer["name"]
    (kept,) = [path for path in uploads.rglob("*") if path.is_file()]
    assert kept.relative_to(uploads).parts[1:] == (answer["id"], "model")


def test_an_absolute_address_is_no_way_around(visit: Visit) -> None:
    visitor = visit()
    for target in (f"http://evil.example:{visitor.port}/", f"http://{visitor.host}/api/start", "*"):
        head = f"GET {target} HTTP/1.1\r\nHost: {visitor.host}\r\nCookie: {visitor.cookie}\r\nConnection: close\r\n\r\n"
        assert b" 404 " in visitor.raw(head.encode()).splitlines()[0]


def test_the_private_folder_is_private(visit: Visit, saved: Path, uploads: Path) -> None:
    visit().drop("a", saved.read_bytes())
    (folder,) = uploads.iterdir()
    assert folder.stat().st_mode & 0o077 == 0


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("length", ["honest", "lying", "missing"])
def test_a_file_that_is_too_large_is_refused_and_not_kept(
    visit: Visit, uploads: Path, monkeypatch: pytest.MonkeyPatch, length: str
) -> None:
    visitor = visit()
    monkeypatch.setattr("glassnet.web.application.MOST_UPLOAD", 100_000)
    monkeypatch.setattr(shelf, "MOST_UPLOAD", 100_000)
    content = b"x" * 100_001
    if length == "honest":
        answer = visitor.drop("a", content)
    elif length == "missing":
        answer = visitor.drop("a", (content[i : i + 1000] for i in range(0, len(content), 1000)))
    else:  # says 10 and sends more: what is beyond is no part of the request
        answer = visitor.drop("a", content, **{"Content-Length": "10"})
    assert answer.status == (422 if length == "lying" else 413)
    assert files_in(uploads) == []


def test_a_length_that_was_never_sent_is_not_waited_for(visit: Visit, saved: Path, uploads: Path) -> None:
    visitor = visit()
    head = f"POST /api/files?name=a HTTP/1.1\r\nHost: {visitor.host}\r\nOrigin: {visitor.origin}\r\n"
    head += f"Cookie: {visitor.cookie}\r\nConnection: close\r\n"
    for lie in (f"Content-Length: {1 << 62}", "Content-Length: -1", "Content-Length: 1e9", "Content-Length: 1, 2"):
        first = visitor.raw(f"{head}{lie}\r\n\r\nabc".encode()).splitlines()[0]
        assert b" 413 " in first or b" 400 " in first
    visitor.raw(f"{head}Content-Length: 1000\r\n\r\nabc".encode(), leaving=True)
    assert visitor.drop("a", saved.read_bytes()).status == 200
    assert len(files_in(uploads)) == 1


def test_heads_without_end_are_cut_off(visit: Visit) -> None:
    visitor = visit()
    endless = f"GET / HTTP/1.1\r\nHost: {visitor.host}\r\n".encode() + b"A: " + b"x" * 1_000_000
    assert b" 200 " not in visitor.raw(endless)
    assert visitor.get("/").status == 200


def test_many_lines_at_once_are_answered(visit: Visit, saved: Path) -> None:
    visitor = visit(saved)
    content, addresses = saved.read_bytes(), ADDRESSES[:-1] * 4

    def asked(number: int) -> int:
        if number % 9 == 0:
            return visitor.drop(f"{number}", content).status
        return visitor.get(addresses[number]).status

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(asked, range(len(addresses)))) == {200}


def test_idle_lines_keep_nobody_out(visit: Visit) -> None:
    visitor = visit()
    idle = [socket.create_connection(("127.0.0.1", visitor.port)) for _ in range(100)]
    for line in idle:
        line.sendall(b"GET / HTTP/1.1\r\nHost:")
    assert visitor.get("/").status == 200
    for line in idle:
        line.close()


# What is in files


class Calls:
    """A pickle that makes a file when it is loaded the usual way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def hostile(folder: Path) -> dict[str, bytes]:
    """Files that want to run, to grow, or to lead elsewhere; each is told by the format's own tests as well."""
    external = json.dumps({"weight_map": {"a": "../../../../etc/passwd"}}).encode()
    header = json.dumps({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 8]}}).encode()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"0" * 50_000_000)
    return {
        "pickle": pickle.dumps(Calls(folder / "ran")),
        "numpy objects": b"\x93NUMPY" + pickle.dumps(Calls(folder / "ran")),
        "zip bomb": bomb.getvalue(),
        "lying header": struct.pack("<Q", len(header)) + header + bytes(8),
        "endless header": struct.pack("<Q", 1 << 62) + b"{" + b" " * 1000,
        "index of shards": external,
        "deep": struct.pack("<Q", 200_000) + b"[" * 200_000,
        "GGUF of 2^60 tensors": b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60),
        "empty": b"",
    }


def test_hostile_files_are_told_and_not_kept(visit: Visit, uploads: Path, tmp_path: Path) -> None:
    visitor = visit()
    for name, content in hostile(tmp_path).items():
        answer = visitor.drop("model", content)
        assert answer.status == 422, name
        assert set(answer.json) == {"got", "expected", "do"}
        assert str(uploads) not in answer.body.decode()
    assert files_in(uploads) == []
    assert not (tmp_path / "ran").exists()


def test_the_parts_of_a_dropped_file_are_not_the_files_beside_it(visit: Visit, saved: Path) -> None:
    visitor = visit()
    number = visitor.drop("a", saved.read_bytes()).json["id"]
    for shard in (f"../{number}/model", "../../etc/passwd", "model"):
        index = json.dumps({"weight_map": {"layers.0.weight": shard}}).encode()
        assert visitor.drop("model.safetensors.index.json", index).status == 422


SCRIPT = "<script>alert(1)</script>"


def test_html_in_names_stays_text(visit: Visit, tmp_path: Path) -> None:
    save_file({f"{SCRIPT}.weight": np.ones((2, 2), np.float32)}, tmp_path / "a")
    visitor = visit(tmp_path / "a")
    quoted = SCRIPT.replace("<", "%3C").replace(">", "%3E").replace("/", "%2F")
    dropped = visitor.drop(quoted.replace("%2F", "|"), (tmp_path / "a").read_bytes())
    answers = [
        visitor.get("/api/files/0/tree"),
        dropped,
        visitor.get(f"/api/files/0/neuron?tensor={quoted}.weight&index=0"),
        visitor.get(f"/api/files/0/neuron?tensor={quoted}&index=0"),
        visitor.get(f"/api/files/0/network?activation={quoted},{quoted}"),
        visitor.drop(quoted, b"no model"),
        visitor.get(f"/{quoted}"),
        Visitor(f"{visitor.origin}/").get(f"/{quoted}"),
        Visitor(f"{visitor.origin}/").get(f"/?token={quoted}"),
    ]
    for answer in answers:
        assert answer.headers["Content-Type"] in ("application/json", "text/plain; charset=utf-8")
        assert b"<" not in answer.body
    assert answers[0].json["tensors"][0]["name"] == f"{SCRIPT}.weight"
    assert dropped.json["name"].startswith("<script>")


def test_names_cannot_steer_a_terminal_or_a_screen(visit: Visit, saved: Path) -> None:
    answer = visit().drop("%1b%5b2J%E2%80%AEsafe.txt" + "x" * 500, saved.read_bytes()).json
    assert answer["name"].startswith("?[2J?safe.txtxxx")
    assert len(answer["name"]) == 100


def test_a_file_that_changed_or_vanished_is_told(visit: Visit, saved: Path) -> None:
    visitor = visit(saved)
    address = "/api/files/0/neuron?tensor=layers.0.weight&index=0"
    assert visitor.get(address).status == 200
    saved.write_bytes(saved.read_bytes() + b"x")
    answer = visitor.get(address)
    assert (answer.status, answer.json["got"]) == (422, "'small.safetensors', which has changed since it was opened")
    saved.unlink()
    answer = visitor.get(address)
    assert (answer.status, answer.json["got"]) == (422, "'small.safetensors', which is not there")
    assert visitor.get("/api/start").status == 200
    assert visitor.get("/api/files/0/network").status == 422
    assert visitor.get("/").status == 200


def test_a_mistake_of_ours_shows_nothing_of_the_inside(
    visit: Visit, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = visit(saved)
    monkeypatch.setattr("glassnet.web.opened.Opened.tree", lambda _: 1 / 0)
    answer = visitor.get("/api/files/0/tree")
    assert (answer.status, answer.json["got"]) == (500, "a mistake in glassnet")
    assert b"ZeroDivision" not in answer.body
    assert visitor.get("/api/start").status == 200


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
    with pytest.raises(gn.GlassnetError, match=f"got port {server.port} .*; expected a port that is free"):
        listening(server.port)


def test_a_stopped_server_leaves_nothing_behind(stand_in: Path, saved: Path, uploads: Path) -> None:
    with Server() as server:
        thread = threading.Thread(target=server.run)
        thread.start()
        Visitor(server.address).enter().drop("a", saved.read_bytes())
        assert files_in(uploads) != []
        server.stop()
        thread.join()
    assert list(uploads.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port))
