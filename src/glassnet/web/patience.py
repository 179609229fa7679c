"""How long the server waits for the other side of a connection: never without end.

A request's head has to be there soon after its first byte, its body has to keep coming and to be there after a time, an
answer has to be read at a pace and taken after a time. Beyond that the connection is dropped, without a word to whoever
does not listen. The times are generous for a browser on the same machine.
"""

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

import h11
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class Patience(NamedTuple):
    """Times in seconds."""

    head: float = 10
    """From the connection, or from the first byte of a later request, to the end of its head."""
    piece: float = 10
    """For the other side to send more of a body, or to take what is buffered for it."""
    whole: float = 120
    """For a whole body to come, and for a whole answer to be taken."""
    end: float = 0.8
    """For an answer to be taken when the server ends."""


class PatientProtocol(H11Protocol):
    """HTTP/1.1 with an end to every wait for the other side; the time that we need ourselves is not limited."""

    patience = Patience()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._start("head", self.patience.head)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._stop("more of the body")
        if self.conn.their_state is h11.SEND_BODY:
            self._start("body", self.patience.whole)
            if not self.flow.read_paused:
                self._start("more of the body", self.patience.piece)
        else:
            self._stop("body")
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop("head")
        elif not self.transport.is_closing():
            self._start("head", self.patience.head)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._start("taking", self.patience.piece)
        self._start("answer", self.patience.whole)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop("taking")
        if self.transport.is_closing():
            self._start("taking", self.patience.piece)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._stop("answer", "body", "more of the body")
        if self.transport.is_closing():
            self._start("taking", self.patience.piece)  # the end of the answer may still wait to be read

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self._start("taking", self.patience.piece)

    def shutdown(self) -> None:
        super().shutdown()
        self._start("end", self.patience.end)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(*list(self._timers))
        super().connection_lost(exc)

    def _start(self, wait: str, seconds: float) -> None:
        if wait not in self._timers:
            self._timers[wait] = self.loop.call_later(seconds, self.transport.abort)

    def _stop(self, *waits: str) -> None:
        for wait in waits:
            if wait in self._timers:
                self._timers.pop(wait).cancel()


class InPieces(Response):
    """Bytes that are sent piece by piece, each after the one before was taken: no connection buffers all of them.

    `done` is called when all is sent, or the other side is gone.
    """

    PIECE = 1 << 18

    def __init__(self, content: bytes, media_type: str, done: Callable[[], None] = lambda: None) -> None:
        super().__init__(content, media_type=media_type)
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            content = memoryview(self.body)
            for at in range(0, len(content), self.PIECE):
                piece = bytes(content[at : at + self.PIECE])
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._done()
