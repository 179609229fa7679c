"""A running server with a page that stands in for the built one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from visitor import Visitor

from glassnet.exporting.to_html import PLACE
from glassnet.web import page
from glassnet.web.server import Server


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of three files, in the place of the built one."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>glassnet</title>")
    (folder / "offline.html").write_text(f"<!doctype html>{PLACE}")
    (folder / "assets" / "page-1a2b.js").write_text("export {}")
    monkeypatch.setattr(page, "FOLDER", folder)
    return folder


@pytest.fixture
def serve(stand_in: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server with these models, in a thread; it is stopped after the test."""
    with ExitStack() as running:

        def start(*models: object) -> Server:
            server = running.enter_context(Server([str(model) for model in models]))
            thread = threading.Thread(target=server.run)
            thread.start()
            running.callback(thread.join)
            running.callback(server.stop)
            return server

        yield start


@pytest.fixture
def visit(serve: Callable[..., Server]) -> Callable[..., Visitor]:
    """The page opened in a browser, as it were: a visitor with the cookie of a server with these models."""
    return lambda *models: Visitor(serve(*models).address).enter()
