"""Attacks on the doors of the page's server: who is let in, and what every answer forbids. See docs/security.md.

Strangers are visitors without the cookie.
"""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from client import ADDRESSES, Client

from glassnet.web import access
from glassnet.web.server import Server

Connect = Callable[..., Client]
Serve = Callable[..., Server]


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
def test_a_foreign_host_is_refused_as_dns_rebinding_needs_one(connect: Connect, host: str) -> None:
    client = connect()
    for path in ("/", "/api/start"):
        answer = client.get(path, Host=host.format(port=client.port))
        assert answer.status == 403
        assert b"title" not in answer.body


def test_no_host_two_hosts_and_hosts_of_proxies_are_refused(connect: Connect) -> None:
    client = connect()
    head = f"GET /api/start HTTP/1.{{}}\r\nCookie: {client.cookie}\r\n"
    own = f"Host: {client.host}\r\n"
    tail = "Connection: close\r\n\r\n"
    assert b" 200 " in client.raw((head.format(1) + own + tail).encode()).splitlines()[0]
    for hosts in ("", own + own, own + "Host: evil.example\r\n", "Host: evil.example\r\n" + own):
        for version in (0, 1):
            first = client.raw((head.format(version) + hosts + tail).encode()).splitlines()[0]
            assert b" 400 " in first or b" 403 " in first
    forwarded = {"X-Forwarded-Host": client.host, "Forwarded": f"host={client.host}", "Host": "evil.example"}
    assert client.ask("GET", "/api/start", forwarded).status == 403


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "https://{host}", "http://{host}.evil.example", "http://127.0.0.1", "file://", ""],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_origin_is_refused(connect: Connect, saved: Path, origin: str, method: str) -> None:
    client = connect()
    path = "/api/start" if method == "GET" else "/api/files?name=a"
    sent = {"Origin": origin.format(host=client.host), "Sec-Fetch-Site": "same-origin"}
    answer = client.ask(method, path, sent, saved.read_bytes() if method == "POST" else None)
    assert answer.status == 403
    assert client.ask(method, path, {**sent, "Origin": client.origin}, saved.read_bytes()).status == 200


def test_localhost_and_its_number_are_two_origins(connect: Connect) -> None:
    client = connect()
    other = f"localhost:{client.port}"
    assert client.get("/api/start", Host=other, Origin=f"http://{other}").status == 200
    assert client.get("/api/start", Host=other, Origin=client.origin).status == 403
    assert client.get("/api/start", Origin=f"http://{other}").status == 403


def test_a_post_that_does_not_say_its_origin_is_refused(connect: Connect, saved: Path) -> None:
    client, content = connect(), saved.read_bytes()
    for headers in ({}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Site": "same-site"}, {"Referer": "http://127.0.0.1"}):
        assert client.ask("POST", "/api/files?name=a", headers, content).status == 403
    assert client.ask("POST", "/api/files?name=a", {"Sec-Fetch-Site": "same-origin"}, content).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "nonsense"])
def test_other_pages_of_this_machine_cannot_load_anything_though_they_share_the_cookie(
    connect: Connect, site: str
) -> None:
    client = connect()
    for path in ADDRESSES[1:]:
        assert client.get(path, **{"Sec-Fetch-Site": site}).status == 403
    assert client.get("/", **{"Sec-Fetch-Site": site}).status == 200  # a link may lead to the page


# The token and the cookie


def test_the_token_is_good_once(serve: Serve) -> None:
    server = serve()
    first, second = Client(server.address), Client(server.address)
    answer = first.get(f"/{first.entrance}")
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert second.get(f"/{second.entrance}").status == 403
    assert b"good once" in second.get(f"/{second.entrance}").body
    first.cookie = answer.headers["Set-Cookie"].partition(";")[0]
    assert first.get("/").status == 200
    assert first.get(f"/{first.entrance}").status == 303  # whoever has the cookie may click again


def test_a_used_address_a_wrong_one_and_a_strange_browser_are_told_apart(serve: Serve) -> None:
    server = serve()
    client = Client(server.address)
    assert client.get("/?token=wrong").body.startswith(b"This is no address of this server")
    assert client.get("/").body.startswith(b"Glassnet does not know this browser")
    client.get(f"/{client.entrance}")
    for _ in range(2):
        assert client.get(f"/{client.entrance}").body.startswith(b"This address was opened before")
    assert b"press Enter in the terminal" in client.get(f"/{client.entrance}").body


def test_a_fresh_address_lets_a_second_browser_in_once(serve: Serve) -> None:
    server = serve()
    first, second = Client(server.address).enter(), Client(server.invite()).enter()
    assert first.get("/").status == second.get("/").status == 200
    third = Client(second.origin + "/" + second.entrance)
    assert third.get(f"/{third.entrance}").status == 403


def test_of_many_at_once_one_gets_in(serve: Serve) -> None:
    client = Client(serve().address)
    with ThreadPoolExecutor(16) as pool:
        found = sorted(pool.map(lambda _: client.get(f"/{client.entrance}").status, range(32)))
    assert found == [303] + [403] * 31


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(serve: Serve) -> None:
    client = Client(serve().address)
    (cookie,) = client.get(f"/{client.entrance}").headers.get_all("Set-Cookie")
    name, *rules = cookie.split("; ")
    assert name.startswith(f"glassnet-{client.port}=")
    assert {rule.lower() for rule in rules} == {"httponly", "samesite=strict", "path=/"}
    assert len(name.partition("=")[2]) >= 43
    assert client.entrance.partition("=")[2] not in cookie


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_stranger_gets_nothing(serve: Serve, saved: Path, address: str) -> None:
    stranger = Client(serve(saved).address)
    for method in ("GET", "HEAD", "POST"):
        assert stranger.ask(method, address, {"Origin": stranger.origin}).status == 403
    answer = stranger.get(address)
    if address.startswith("/api/"):
        assert set(answer.json) == {"problem", "help"}
    assert b"small" not in answer.body


def test_wrong_tokens_and_cookies_are_refused_and_use_nothing_up(serve: Serve) -> None:
    client = Client(serve().address)
    token = client.entrance.partition("=")[2]
    wrong = ["", "x", token[:-1], token + "x", token.swapcase(), "%00", "%ff", "\u00e9".encode().hex(), token + "%00"]
    for guess in wrong:
        assert client.get(f"/?token={guess}").status == 403
    for guess in ("", "x", token, "\u00e9", '"', "=; =", secrets.token_urlsafe(32)):
        assert client.get("/", Cookie=f"glassnet-{client.port}={guess}").status == 403
    assert client.get("/", Cookie="glassnet-1=" + token).status == 403
    assert client.ask("HEAD", f"/?token={token}").status == 403
    assert client.ask("POST", f"/?token={token}", {"Origin": client.origin}).status == 403
    assert client.get(f"/api/start?token={token}").status == 403
    assert client.get(f"/?token={token}").status == 303


def test_secrets_are_compared_in_constant_time(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    monkeypatch.setattr(access, "compare_digest", lambda a, b: compared.append((a, b)) or a == b)
    client = Client(serve().address).enter()
    client.get("/")
    key = client.cookie.partition("=")[2].encode()
    assert (key, key) in compared
    assert (client.entrance.partition("=")[2].encode(),) * 2 in compared


def test_two_servers_do_not_share_keys(connect: Connect) -> None:
    one, other = connect(), connect()
    key = one.cookie.partition("=")[2]
    assert other.get("/", Cookie=f"glassnet-{other.port}={key}").status == 403


# Headers, methods, WebSockets


def test_every_answer_forbids_what_the_page_does_not_need(connect: Connect, saved: Path) -> None:
    client = connect(saved)
    stranger = Client(f"{client.origin}/{client.entrance}")
    answers = [client.get(address) for address in ADDRESSES]
    answers += [stranger.get("/"), stranger.get("/api/start"), client.get("/", Host="evil.example")]
    answers += [client.ask("PUT", "/"), client.drop("a", b"no model"), client.get(f"/{client.entrance}")]
    for answer in answers:
        policy = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert policy["script-src"] == "'sha256-a' 'wasm-unsafe-eval'"
        assert policy["style-src"] == "'sha256-b'"
        assert policy["connect-src"] == "'self'"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Server" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"])
def test_other_methods_are_refused(connect: Connect, saved: Path, method: str) -> None:
    client = connect(saved)
    for address in ("/", "/api/files", "/api/files/0/tree"):
        answer = client.ask(method, address, {"Origin": client.origin})
        assert (answer.status, answer.json["problem"]) == (
            405,
            "the method is not allowed, expected one of GET, HEAD, POST",
        )
        assert answer.headers["Allow"] == "GET, HEAD, POST"
    assert client.get("/api/files/0/tree").status == 200


def test_known_methods_at_wrong_addresses_are_refused(connect: Connect) -> None:
    client = connect()
    assert client.get("/api/files").status == 405
    for address in ("/", "/api/start", "/api/files/0/tree", "/page.html"):
        answer = client.ask("POST", address, {"Origin": client.origin}, b"x")
        assert (answer.status, answer.json["problem"]) == (405, "this address does not take this method")


def test_no_websocket_is_opened(connect: Connect) -> None:
    client = connect()
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    for path in ("/", "/api/start", "/ws"):
        answer = client.get(path, **handshake, **{"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="})
        assert answer.status in (200, 404)
        assert "Upgrade" not in answer.headers


@pytest.mark.parametrize("line", ["%0d%0aX-Injected:%20yes", "%0aX-Injected:%20yes", "\u560d\u560aX-Injected: yes"])
def test_nothing_of_a_request_becomes_a_header(connect: Connect, saved: Path, line: str) -> None:
    client = connect(saved)
    quoted = line if line.isascii() else "%E5%98%8D%E5%98%8AX-Injected:%20yes"
    asked = [f"/{quoted}", f"/?token={quoted}", f"/api/files/0/neuron?tensor={quoted}&index=0", f"/api/files/{quoted}"]
    answers = [client.get(address) for address in asked]
    answers.append(client.drop(quoted, saved.read_bytes()))
    assert all("X-Injected" not in answer.headers for answer in answers)
