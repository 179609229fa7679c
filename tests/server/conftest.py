"""A running server with a page that stands in for the built one."""

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from client import PAGE, Client

import glassnet as gn
from glassnet.files.formats.html import template
from glassnet.web.server import Server


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small page in the place of the built one."""
    path = tmp_path / "page.html.gz"
    path.write_bytes(gzip.compress(PAGE.encode()))
    monkeypatch.setattr(template, "BUILT", path)
    return path


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
def connect(serve: Callable[..., Server]) -> Callable[..., Client]:
    """The page opened in a browser, as it were: a client with the cookie of a server with these models."""
    return lambda *models: Client(serve(*models).address).enter()


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
