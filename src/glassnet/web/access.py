"""Who is let in: the page that was opened with the printed address, in one browser, and nobody else.

Any website that the user visits can send requests to 127.0.0.1. So each request has to name this server as its host
(a foreign name that was made to lead here does not), must not come from a page of another origin, and must carry the
cookie that the printed address gave. That address is good once. All answers forbid the page to load anything from
elsewhere. Each rule has a test that tries to break it: see docs/security.md.
"""

import secrets
from hmac import compare_digest

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from glassnet.web.responses import problem

METHODS = ("GET", "HEAD", "POST")
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""On every answer, refusals included, beside the content security policy of the page."""

_AGAIN = "end glassnet open with Ctrl-C, start it again and open the address that it prints"


class AccessControl:
    """The application behind access control. `token` is the one of the printed address, `policy` the page's."""

    def __init__(self, app: ASGIApp, port: int, token: str, policy: str) -> None:
        self._app = app
        self._headers = {"Content-Security-Policy": policy, **HEADERS}
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._token: str | None = token
        self._cookie = f"glassnet-{port}"
        self._key = secrets.token_urlsafe(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # a WebSocket: not accepted

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        request = Request(scope)
        answer = self._refused(request) or self._welcomed(request) or self._app
        await answer(scope, receive, with_headers)

    def _refused(self, request: Request) -> Response | None:
        """The answer to a request that comes from a wrong place or in a wrong way."""
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return problem(
                403, f"the request names another host, expected {' or '.join(self._hosts)}", "open the printed address"
            )
        if request.method not in METHODS:
            answer = problem(405, f"the method is not allowed, expected one of {', '.join(METHODS)}")
            answer.headers["Allow"] = ", ".join(METHODS)
            return answer
        origins = request.headers.getlist("origin")
        sites = request.headers.getlist("sec-fetch-site")
        here = all(origin == f"http://{hosts[0]}" for origin in origins)
        here &= request.scope["path"] == "/" or all(site in ("same-origin", "none") for site in sites)
        if request.method == "POST":
            here &= bool(origins) or sites == ["same-origin"]
        if not here:
            return problem(403, "the request comes from another page", "open the printed address")
        return None

    def _welcomed(self, request: Request) -> Response | None:
        """The answer to a visitor who shows the token or lacks the cookie; None for one who may go on."""
        known = _same(request.cookies.get(self._cookie, ""), self._key)
        entering = request.scope["path"] == "/" and "token" in request.query_params
        if not entering:
            return None if known else self._stranger(request)
        if known:
            return RedirectResponse("/", 303)
        if request.method != "GET" or self._token is None or not _same(request.query_params["token"], self._token):
            return self._stranger(request)
        self._token = None
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._key, path="/", httponly=True, samesite="strict")
        return answer

    def _stranger(self, request: Request) -> Response:
        if request.scope["path"].startswith("/api/"):
            return problem(403, "the request has no cookie of this server", _AGAIN)
        return PlainTextResponse(
            "glassnet does not know this browser: the printed address was opened before, and it is good once.\n"
            f"To go on, {_AGAIN}.\n",
            403,
        )


def _same(given: str, wanted: str) -> bool:
    """Compared in a time that does not tell how much of it is right."""
    return compare_digest(given.encode(), wanted.encode())
