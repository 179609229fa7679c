"""Which address gives what. What waits for the disk does so in a thread."""

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, NamedTuple

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from glassnet import __version__
from glassnet.errors import AddressError, GlassnetError, SettingError
from glassnet.web.page import Page
from glassnet.web.patience import InPieces
from glassnet.web.responses import as_json, of_error, problem
from glassnet.web.threads import in_thread, threaded
from glassnet.web.uploads import MOST_UPLOAD, OpenedFiles, TooLarge, label

if TYPE_CHECKING:
    from glassnet.web.opened_file import Opened

BYTES = "application/octet-stream"
MOST_AT_ONCE = 4
"""Files that are received at once, and networks of files that are sent at once: each may be large."""
_READING_DIGITS = threading.Lock()
EXAMPLES = ("digits-sigmoid", "digits-relu", "digits-sigmoid-2")
"""The networks that come along, trained by frontend/make_examples.py; the first is what a first visit sees."""


class Shown(NamedTuple):
    """A network that the page can show at once."""

    name: str
    origin: Literal["example", "opened"]
    content: bytes


class Application:
    """The page and its data, for whoever was let in (see `access`)."""

    def __init__(self, page: Page, files: OpenedFiles) -> None:
        self._page, self._files = page, files
        self._receiving = asyncio.Semaphore(MOST_AT_ONCE)
        self._sending = asyncio.Semaphore(MOST_AT_ONCE)

    def app(self) -> Starlette:
        """As ASGI."""
        routes = [
            Route("/api/start", threaded(self.start)),
            Route("/api/networks/{number}", threaded(self.network)),
            Route("/api/digits/{part}", threaded(self.digits)),
            Route("/api/files", self.upload, methods=["POST"]),
            Route("/api/files/{number}/tree", threaded(self.tree)),
            Route("/api/files/{number}/neuron", threaded(self.neuron)),
            Route("/api/files/{number}/network", self.network_of_file),
            Route("/api/tables", self.table, methods=["POST"]),
            Route("/page.html", self.template),
            Route("/", self.page),
        ]
        handlers = {GlassnetError: _told, HTTPException: _refused, Exception: _broken, ClientDisconnect: _gone}
        return Starlette(routes=routes, exception_handlers=handlers)

    @cached_property
    def _networks(self) -> list[Shown]:
        """The chains in the files of the command line, and the examples."""
        return [*_chains(self._files.named.values()), *_examples()]

    def start(self, request: Request) -> Response:
        """What there is to begin with."""
        return as_json(
            {
                "version": __version__,
                "networks": [
                    {"name": shown.name, "url": f"/api/networks/{i}", "from": shown.origin}
                    for i, shown in enumerate(self._networks)
                ],
                "files": [{"id": number, "name": file.name} for number, file in self._files.named.items()],
                "most_upload": MOST_UPLOAD,
            }
        )

    def network(self, request: Request) -> Response:
        """One of the networks that `start` lists."""
        by_number = {str(i): shown for i, shown in enumerate(self._networks)}
        shown = by_number.get(request.path_params["number"])
        if shown is None:
            raise AddressError("no such network", help="GET /api/start lists them")
        return InPieces(shown.content, BYTES)

    def digits(self, request: Request) -> Response:
        """The handwritten digits, uint8: n images of 784 bytes, then n labels."""
        part = request.path_params["part"]
        if part not in ("train", "test"):
            raise AddressError("no such digits: expected train or test")
        return InPieces(_digits(part), BYTES)

    def tree(self, request: Request) -> Response:
        """What is in a file."""
        return as_json(self._files.get(request.path_params["number"]).tree())

    def neuron(self, request: Request) -> Response:
        """One neuron of a file."""
        file = self._files.get(request.path_params["number"])
        tensor = request.query_params.get("tensor", "")
        return as_json(file.neuron(tensor, _whole(request, "index"), _whole(request, "start", 0)))

    async def network_of_file(self, request: Request) -> Response:
        """The network in a file."""
        given = request.query_params.get("activation")
        activation = given.split(",") if given and "," in given else given
        await self._sending.acquire()
        try:
            content = await in_thread(self._files.get(request.path_params["number"]).network, activation)
        except BaseException:
            self._sending.release()
            raise
        return InPieces(content, BYTES, done=self._sending.release)

    async def upload(self, request: Request) -> Response:
        """A file that was dropped on the page; the answer is its tree and its id."""
        _check_length(request)
        async with self._receiving:
            number, opened = await self._files.receive(request.query_params.get("name", ""), request.stream())
        tree = await in_thread(opened.tree)
        return as_json({"id": number, **tree})

    async def table(self, request: Request) -> Response:
        """The columns of a table to train on, or, where `target` names one of them, its examples."""
        from glassnet.web import tables  # here, since the page shows itself sooner without numpy

        _check_length(request)
        name, target = label(request.query_params.get("name", "")), request.query_params.get("target")
        async with self._receiving, self._files.borrowed(request.stream()) as path:
            if target is None:
                return as_json({"columns": await in_thread(tables.columns, path, name)})
            return Response(await in_thread(tables.examples, path, name, target), media_type=BYTES)

    async def page(self, request: Request) -> Response:
        """The page."""
        return HTMLResponse(self._page.content)

    async def template(self, request: Request) -> Response:
        """The file that the page fills when it makes a single file of itself."""
        return HTMLResponse(self._page.template)


def _check_length(request: Request) -> None:
    """`TooLarge` where the request says that its body is too long."""
    if int(request.headers.get("content-length", 0)) > MOST_UPLOAD:
        raise TooLarge


@cache
def _kept_digits(part: Literal["train", "test"]) -> bytes:
    from glassnet.data.digits import stored

    images, labels = stored(part)
    return b"".join((images.data, labels.data))


def _digits(part: Literal["train", "test"]) -> bytes:
    """Read once, whoever asks at the same time, so that many answers share the same bytes."""
    with _READING_DIGITS:
        return _kept_digits(part)


def _chains(opened: "Iterable[Opened]") -> Iterator[Shown]:
    for file in opened:
        if file.chain.activations:
            with contextlib.suppress(GlassnetError):  # changed in this moment: it is still among the files
                yield Shown(PurePath(file.name).stem, "opened", file.network())


def _examples() -> Iterator[Shown]:
    folder = files("glassnet").joinpath("web", "examples")
    for name in EXAMPLES:
        yield Shown(name, "example", folder.joinpath(f"{name}.safetensors").read_bytes())


def _whole(request: Request, name: str, default: int | None = None) -> int:
    """A whole number from 0 up among the parameters."""
    given = request.query_params.get(name)
    if given is None and default is not None:
        return default
    if given is None or not (given.isascii() and given.isdigit() and len(given) < 19):
        raise SettingError(f"{name} is not a whole number from 0 up", help=f"for example {name}=0")
    return int(given)


async def _told(request: Request, error: Exception) -> Response:
    assert isinstance(error, GlassnetError)
    if isinstance(error, TooLarge):
        return problem(413, error.problem, error.help)
    return of_error(error)


async def _refused(request: Request, error: Exception) -> Response:
    """What the routes refuse: an address or a method that there is not."""
    assert isinstance(error, HTTPException)
    text = "no such address" if error.status_code == 404 else "this address does not take this method"
    return problem(error.status_code, text)


async def _gone(request: Request, error: Exception) -> Response:
    """The other side went away in the middle: nobody reads this."""
    return problem(400, "the request broke off", "send it again")


async def _broken(request: Request, error: Exception) -> Response:
    """A mistake of ours; where it happened is printed in the terminal, not sent."""
    return problem(500, "an error inside glassnet", "please report what glassnet open printed in the terminal")
