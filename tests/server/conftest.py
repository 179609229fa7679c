"""A running server with a page that stands in for the built one."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from client import Visitor

import glassnet as gn
from glassnet.web import page
from glassnet.web.server import Server


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of three files, in the place of the built one."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>glassnet</title>")
    (folder / "offline.html").write_text("<!doctype html><title>one file</title>")
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


@pytest.fixture
def saved(tmp_path: Path, network: gn.Network) -> Path:
    """A file of glassnet's own, with 3-4-2 in it."""
    network.save(tmp_path / "small.safetensors")
    return tmp_path / "small.safetensors"


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where private folders are made."""
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder
