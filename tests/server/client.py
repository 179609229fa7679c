"""A client of the page's server, who sends exactly what is asked: nothing is tidied up on the way."""

import contextlib
import http.client
import json
import socket
from typing import Any, NamedTuple
from urllib.parse import urlencode

PAGE = """<!doctype html><meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'sha256-a' \
'wasm-unsafe-eval'; style-src 'sha256-b'; img-src blob: data:; worker-src blob:; base-uri 'none'; form-action 'none'" />
<title>glassnet</title>"""
"""What the server under test sends as the page."""

ADDRESSES = [
    "/",
    "/page.html",
    "/api/start",
    "/api/networks/0",
    "/api/digits/test",
    "/api/files/0/tree",
    "/api/files/0/neuron?tensor=layers.0.weight&index=0",
    "/api/files/0/network",
    "/nowhere",
]
"""One of each kind, with a model named small opened."""


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Knows the server's port; after `enter` it has the cookie, and shows it."""

    def __init__(self, address: str) -> None:
        self.origin, _, self.entrance = address.rpartition("/")
        self.host = self.origin.removeprefix("http://")
        self.port = int(self.host.rpartition(":")[2])
        self.cookie = ""

    def enter(self) -> "Client":
        answer = self.ask("GET", f"/{self.entrance}")
        assert answer.status == 303
        self.cookie = answer.headers["Set-Cookie"].partition(";")[0]
        return self

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None) -> Answer:
        """One request; a body that is no bytes goes in chunks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {"Host": self.host, **({"Cookie": self.cookie} if self.cookie else {}), **(headers or {})}
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            chunked = body is not None and not isinstance(body, bytes)
            if chunked:
                sent["Transfer-Encoding"] = "chunked"
            elif body is not None and "Content-Length" not in sent:
                sent["Content-Length"] = str(len(body))
            for name, value in sent.items():
                connection.putheader(name, value)
            connection.endheaders(body, encode_chunked=chunked)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, headers)

    def drop(self, name: str, content: Any, **headers: str) -> Answer:
        """A file dropped on the page; content that is no bytes is sent in chunks, without a length."""
        return self.ask("POST", f"/api/files?name={name}", {"Origin": self.origin, **headers}, content)

    def table(self, name: str, content: bytes, **query: str) -> Answer:
        """A table dropped on the page."""
        return self.ask("POST", f"/api/tables?{urlencode({'name': name, **query})}", {"Origin": self.origin}, content)

    def raw(self, content: bytes, leaving: bool = False) -> bytes:
        """Bytes as they stand, and what comes back until the server closes the line, or until we leave."""
        received = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as line:
            with contextlib.suppress(ConnectionError):  # closed while we were still sending
                line.sendall(content)
            if leaving:
                return received
            with contextlib.suppress(ConnectionError):
                while piece := line.recv(1 << 16):
                    received += piece
        return received
