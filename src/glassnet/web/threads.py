"""Work that waits for the disk, in threads that do not hold up the end: Ctrl-C need not wait for a slow disk.

Starlette's own threads are waited for, however long they take; these are daemons.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

T = TypeVar("T")


async def in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """What `work` gives, or raises, while other requests are answered."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[T] = loop.create_future()

    def tell(settle: Callable[[Any], None], value: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(lambda: None if outcome.done() else settle(value))

    def run() -> None:
        try:
            result = work(*arguments)
        except BaseException as problem:
            tell(outcome.set_exception, problem)
        else:
            tell(outcome.set_result, result)

    threading.Thread(target=run, daemon=True).start()
    return await outcome


def threaded(endpoint: Callable[[Request], Response]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a route, in a thread."""

    async def answer(request: Request) -> Response:
        return await in_thread(endpoint, request)

    return answer
