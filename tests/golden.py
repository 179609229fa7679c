"""Golden files: whole texts that tests compare. `pytest --overwrite` writes them anew; read the diff before committing.

def test_the_report(golden, network):
    golden(str(network.trace([1, 2, 3])))                 # golden/test_trace/test_the_report.txt

def test_wrong_width(refused, network):
    with refused(InputError):                             # an entry of golden/test_network/errors.txt
        network([1, 2])
"""

import contextlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import glassnet as gn

FOLDER = Path(__file__).parent / "golden"
OVERWRITE: pytest.StashKey[dict[Path, dict[str, list[str]]]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--overwrite", action="store_true", help="write golden files anew instead of comparing with them")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--overwrite") and config.getoption("numprocesses", None):
        raise pytest.UsageError("--overwrite writes one file for many tests: run it with -n 0")
    config.stash[OVERWRITE] = defaultdict(lambda: defaultdict(list))


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare a text with this test's golden file; several texts of one test differ by `name`."""

    def compare(text: str, name: str = "", suffix: str = ".txt") -> None:
        path = FOLDER / request.path.stem / (_file_name(request.node.name) + (name and f"-{name}") + suffix)
        if request.config.getoption("--overwrite"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.exists(), f"no golden file {path.name}; write it with pytest --overwrite"
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture
def reported(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Compare a message with this test's next one in the module's errors.txt."""
    path = FOLDER / request.path.stem / "errors.txt"
    key, seen = request.node.name, 0

    def compare(message: str) -> None:
        nonlocal seen
        message = _without_places(message, request).strip("\n")
        if request.config.getoption("--overwrite"):
            request.config.stash[OVERWRITE][path][key].append(message)
            return
        recorded = _read(path).get(key, [])
        assert seen < len(recorded), f"no recorded message: write it with pytest --overwrite: {message}"
        assert message == recorded[seen]
        seen += 1

    return compare


@pytest.fixture
def refused(reported: Callable[[str], None]) -> Callable[..., contextlib.AbstractContextManager[None]]:
    """`with refused(Kind):` expects this error, with the message that is recorded."""

    @contextlib.contextmanager
    def expect(kind: type[Exception]) -> Iterator[None]:
        with pytest.raises(kind) as caught:
            yield
        reported(f"{type(caught.value).__name__}: {caught.value}")

    return expect


def pytest_sessionfinish(session: pytest.Session) -> None:
    for path, entries in session.config.stash[OVERWRITE].items():
        source = "\n".join(p.read_text(encoding="utf-8") for p in FOLDER.parent.rglob(f"{path.parent.name}.py"))
        kept = {key: old for key, old in _read(path).items() if re.search(rf"\bdef {key.partition('[')[0]}\b", source)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_written(kept | entries), encoding="utf-8", newline="\n")


def _written(entries: dict[str, list[str]]) -> str:
    return "".join(f"# {key}\n" + "".join(f"{message}\n\n" for message in entries[key]) for key in sorted(entries))


def _read(path: Path) -> dict[str, list[str]]:
    if not path.exists():
        return {}
    parts = re.split(r"^# (.*)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {key: text.strip("\n").split("\n\n") for key, text in zip(parts[::2], parts[1::2], strict=True)}


def _without_places(message: str, request: pytest.FixtureRequest) -> str:
    """The message without what differs from machine to machine: temporary folders and the place of the sources."""
    if "tmp_path" in request.fixturenames:
        message = message.replace(str(request.getfixturevalue("tmp_path")), "<tmp>")
    message = re.sub(r"[^\s'\"]*/pytest-of-[^/]+/pytest-\d+(/popen-gw\d+)?", "<tmp>", message)
    message = re.sub(r" at 0x[0-9a-f]+", " at <address>", message.replace(str(FOLDER.parent.parent), "<project>"))
    message = message.replace(f"glassnet {gn.__version__} ", "glassnet <version> ")
    return re.sub(r"\n{2,}", "\n", message)


def _file_name(test: str) -> str:
    return re.sub(r"[^\w=.,-]+", "_", test).strip("_")
