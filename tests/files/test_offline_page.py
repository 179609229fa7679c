"""The page as one file: what is put into its template is read back as the page reads it."""

import base64
import gzip
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.cli import main
from glassnet.errors import FileError, InputError, SettingError
from glassnet.files.formats.html import template as built
from glassnet.files.formats.html import writer

OPENING = '<script type="application/json" id="payload">'
PLACE = f"{OPENING}\n      null\n    </script>"
SCRIPT = f"/* the page, which has `{OPENING}` in a text */"
FLOWERS = """\
petal,sepal,kind
1.4,5.1,setosa
4.7,7,versicolor
6,6.3,virginica
1.3,4.9,setosa
4.5,,versicolor
"""


def pack(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode()))


@pytest.fixture(autouse=True)
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One that stands in for the built page's."""
    path = tmp_path / "page.html.gz"
    pack(path, f"<!doctype html>\n<title>glassnet</title>\n<script>{SCRIPT}</script>\n{PLACE}\n")
    monkeypatch.setattr(built, "BUILT", path)
    monkeypatch.chdir(tmp_path)
    return path


class Blocks(HTMLParser):
    """Texts of the scripts in a page, by their ids, as a browser takes them apart."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str | None, str] = {}
        self._inside: str | None = "outside"
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = dict(attrs).get("id") if tag == "script" else "outside"

    def handle_data(self, data: str) -> None:
        if self._inside != "outside":
            self.found[self._inside] = data
            self._inside = "outside"


def payload_of(path: Path | str) -> Any:
    blocks = Blocks(Path(path).read_text(encoding="utf-8")).found
    assert set(blocks) == {"payload", None}
    assert blocks[None] == SCRIPT
    return json.loads(blocks["payload"])


def network_of(payload: Any, folder: Path) -> gn.Network:
    (kept,) = payload["networks"]
    (folder / "kept").write_bytes(base64.b64decode(kept["safetensors"], validate=True))
    return gn.load(folder / "kept")


def test_a_digit_network_gets_a_thousand_test_digits(tmp_path: Path) -> None:
    network = gn.Network.create("784-16-16-10", output="softmax", seed=0)
    gn.export(network, "page.html")
    payload = payload_of("page.html")
    assert (payload["version"], payload["table"], payload["state"]) == (1, None, None)
    assert payload["networks"][0]["name"] == "page"
    assert network_of(payload, tmp_path) == network
    stored = np.frombuffer(gzip.decompress(base64.b64decode(payload["digits"]["gzip"])), np.uint8)
    test = gn.data.digits()[1]
    assert payload["digits"]["rows"] == 1000
    assert np.array_equal(stored[:784_000].reshape(1000, 784), test.inputs[:1000])
    assert np.array_equal(stored[784_000:], test.targets[:1000])
    assert Path("page.html").stat().st_size < 500_000  # of the 2 MB that the whole file may have


def test_a_network_in_double_precision_is_kept_in_single(tmp_path: Path, refused: Any) -> None:
    network = gn.Network.create("3-2", seed=0, dtype="float64")
    gn.export(network, "page.html")
    kept = network_of(payload_of("page.html"), tmp_path)
    assert np.array_equal(kept.parameters, network.parameters.astype(np.float32))
    assert payload_of("page.html")["digits"] is None
    with refused(InputError):
        gn.export(network.with_parameters(network.parameters * 1e300), "other.html")
    assert not Path("other.html").exists()


def test_the_same_network_gives_the_same_bytes() -> None:
    network = gn.Network.create("784-4-10", seed=0)
    gn.export(network, "a.html")
    first = Path("a.html").read_bytes()
    gn.export(network, "a.html")
    assert Path("a.html").read_bytes() == first


def test_a_table_is_sampled_as_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("flowers.csv").write_text(FLOWERS)
    data = gn.data.read("flowers.csv", "kind")
    gn.train(gn.Network.create("2-3-3", seed=0), data, epochs=1).network.save("flowers.safetensors")
    assert main(["export", "flowers.safetensors", "--to", "html", "--inputs", "flowers.csv"]) == 0
    assert "saved flowers.html" in capsys.readouterr().out
    table = payload_of("flowers.html")["table"]
    assert (table["features"], table["target"]) == (["petal", "sepal"], "kind")
    assert table["classes"] == ["setosa", "versicolor", "virginica"]
    assert table["targets"] == [0, 1, 2, 0, 1]
    assert table["inputs"] == [[1.4, 5.1], [4.7, 7], [6, 6.3], [1.3, 4.9], [4.5, 5.825]]  # the missing one: the mean


def test_a_long_table_is_sampled_from_beginning_to_end() -> None:
    inputs = np.arange(2500, dtype=np.float32)[:, None]
    data = gn.Dataset(inputs, inputs[:, 0].astype(np.float64))
    gn.export(gn.Network.create("1-1", seed=0), "page.html", inputs=data)
    table = payload_of("page.html")["table"]
    assert len(table["inputs"]) == len(table["targets"]) == 1000
    assert (table["features"], table["classes"], table["target"]) == (["x0"], None, None)
    rows = [row for (row,) in table["inputs"]]
    assert rows == table["targets"]
    assert (rows[0], rows[-1], max(np.diff(rows))) == (0, 2499, 3)


def test_other_pictures_take_the_place_of_the_digits() -> None:
    pictures = np.arange(2 * 784, dtype=np.uint8).reshape(2, 784)
    data = gn.Dataset(pictures, [1, 0], gn.Schema(input_shape=(28, 28), scale=1 / 255))
    gn.export(gn.Network.create("784-2", seed=0), "page.html", inputs=data)
    digits = payload_of("page.html")["digits"]
    assert gzip.decompress(base64.b64decode(digits["gzip"])) == pictures.tobytes() + bytes([1, 0])
    assert digits["rows"] == 2


def test_784_inputs_that_are_no_digits_get_none() -> None:
    clothes = gn.Schema(input_shape=(28, 28), classes=tuple("abcdefghij"))
    network = gn.Network.create("784-10", seed=0)
    gn.export(gn.Network(network.architecture, network.parameters, clothes), "page.html")
    assert payload_of("page.html")["digits"] is None


def test_names_cannot_become_scripts(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><!--<script>"
    schema = gn.Schema(features=(evil, "b"), classes=(evil, "\u2028"), target=evil)
    start = gn.Network.create("2-2", seed=0)
    network = gn.Network(start.architecture, start.parameters, schema)
    data = gn.Dataset(np.eye(2, dtype=np.float32), [0, 1], schema)
    gn.export(network, "a<b.html", inputs=data)
    payload = payload_of("a<b.html")  # one block of data and the page's own script, or this fails
    assert payload["networks"][0]["name"] == "a<b"
    assert payload["table"]["features"] == [evil, "b"]
    assert network_of(payload, tmp_path) == network


# What cannot be


def test_a_page_without_its_template_is_told(template: Path, refused: Any) -> None:
    network = gn.Network.create("3-2", seed=0)
    for text in ("<!doctype html>", PLACE + PLACE):
        pack(template, text)
        with refused(FileError):
            gn.export(network, "page.html")
    template.unlink()
    with refused(FileError):
        gn.export(network, "page.html")
    assert not Path("page.html").exists()


def test_what_does_not_fit_is_told(monkeypatch: pytest.MonkeyPatch, blobs: gn.Dataset, refused: Any) -> None:
    with refused(InputError):
        gn.export(gn.Network.create("2-2", seed=0), "page.html", inputs=blobs)
    with refused(SettingError):
        gn.export(gn.Network.create("3-3", seed=0), "a.onnx", inputs=blobs)
    monkeypatch.setattr(writer, "MOST_NUMBERS", 7)
    with refused(SettingError):
        gn.export(gn.Network.create("3-2", seed=0), "page.html")
