"""Who is let in: the page that was opened with the printed address, in one browser, and nobody else.

Any website that the user visits can send requests to 127.0.0.1. So each request has to name this server as its host
(a foreign name that was made to lead here does not), must not come from a page of another origin, and must carry the
cookie that a printed address gave. Such an address is good once; `AccessControl.invite` makes another. All answers
forbid the page to load anything from elsewhere. Each rule has a test that tries to break it: see docs/security.md.
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

_AGAIN = "press Enter in the terminal where glassnet open runs, and open the address that it prints"
_USED = "this address was opened before, and it is good once"
_WRONG = "this is no address of this server: part of it is missing, or it is of a server that has ended"
_NO_COOKIE = "glassnet does not know this browser"


class AccessControl:
    """The application behind access control; `policy` is the page's."""

    def __init__(self, app: ASGIApp, port: int, policy: str) -> None:
        self._app = app
        self._headers = {"Content-Security-Policy": policy, **HEADERS}
        self._hosts = (f"127.0.0.1:{port}", f"localhost:{port}")
        self._unused: set[str] = set()
        self._used: set[str] = set()
        self._cookie = f"glassnet-{port}"
        self._key = secrets.token_urlsafe(32)

    def invite(self) -> str:
        """A new token that lets one browser in."""
        token = secrets.token_urlsafe(32)
        self._unused.add(token)
        return token

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
        given = request.query_params.get("token")
        if request.scope["path"] != "/" or given is None:
            return None if known else self._stranger(request, _NO_COOKIE)
        if known:
            return RedirectResponse("/", 303)
        if request.method != "GET" or not _among(given, self._unused):
            return self._stranger(request, _USED if _among(given, self._used) else _WRONG)
        self._unused.remove(given)
        self._used.add(given)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._key, path="/", httponly=True, samesite="strict")
        return answer

    def _stranger(self, request: Request, why: str) -> Response:
        if request.scope["path"].startswith("/api/"):
            return problem(403, "the request has no cookie of this server", _AGAIN)
        return PlainTextResponse(f"{why[0].upper()}{why[1:]}.\nTo go on, {_AGAIN}.\n", 403)


def _among(given: str, tokens: set[str]) -> bool:
    """Whether it is one of them; each is compared, so that the time tells nothing."""
    return sum(_same(given, token) for token in tokens) > 0


def _same(given: str, wanted: str) -> bool:
    """Compared in a time that does not tell how much of it is right."""
    return compare_digest(given.encode(), wanted.encode())
