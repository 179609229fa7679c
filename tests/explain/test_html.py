"""What values show themselves with in a notebook: well-formed, escaped, self-contained, with the value's figures."""

import re
import zlib
from base64 import b64decode
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet.arithmetic import three
from glassnet.explain.comparison import compare
from glassnet.render.html import elements, pictures

HOSTILE = "<script>alert('1')</script>&\"\x00\x1b]8;;\ud800\uffff"


@pytest.fixture(scope="module")
def seeing() -> gn.Network:
    """A network of small pictures whose classes have hostile names."""
    schema = gn.Schema(input_shape=(4, 4), classes=(HOSTILE, "bee", "cat"))
    return gn.Network.create("16-6-5-3", output="softmax", seed=3).with_schema(schema)


@pytest.fixture(scope="module")
def table() -> gn.Network:
    """A network of a table with hostile column names."""
    schema = gn.Schema(features=(HOSTILE, "b", "c"), classes=(HOSTILE, "y"), target=HOSTILE)
    return gn.Network.create("3-30-2", "tanh", seed=5).with_schema(schema)


@pytest.fixture(scope="module")
def values(seeing: gn.Network, table: gn.Network) -> dict[str, Any]:
    random = np.random.default_rng(0)
    data = gn.Dataset(random.random((30, 16)), np.arange(30) % 3, seeing.schema)
    run = gn.train(seeing, data, validation=data, epochs=15)
    return {
        "network of pictures": seeing,
        "network of a table": table,
        "large network": gn.Network.create("300-200-2", seed=0),
        "trace of a picture": seeing.trace(np.linspace(0, 1, 16)),
        "trace of a row": table.trace([1.0, -2.0, 3.0]),
        "trace of many": seeing.trace(random.random((30, 16))),
        "neuron": table.trace([1.0, -2.0, 3.0]).neuron(0, 7),
        "softmax neuron": seeing.trace(np.linspace(0, 1, 16)).neuron(2, 0),
        "neuron alone": gn.Neuron([0.5, -1.0], 0.25).trace([1.0, 1.0]),
        "ledger": seeing.count(),
        "history": run.history,
        "history of one": gn.History(run.history[:1]),
        "history of none": gn.History(),
        "evaluation": gn.evaluate(run.network, data),
        "evaluation of measurements": gn.Evaluation(7, 0.5, None, None, 0.75),
        "comparison": compare(seeing, run.network, data, names=(HOSTILE, "b")),
        "comparison of structures": compare(seeing, table),
    }


NAMES = [
    "network of pictures", "network of a table", "large network", "trace of a picture", "trace of a row",
    "trace of many", "neuron", "softmax neuron", "neuron alone", "ledger", "history", "history of one",
    "history of none", "evaluation", "evaluation of measurements", "comparison", "comparison of structures",
]  # fmt: skip


def shown(value: Any) -> ElementTree.Element:
    """The representation, read as XML."""
    return ElementTree.fromstring(value._repr_html_())


def rows(root: ElementTree.Element, table: int = 0) -> list[list[str]]:
    """The text of a table's body, cell by cell."""
    body = list(root.iter("tbody"))[table]
    return [["".join(cell.itertext()).strip() for cell in row] for row in body]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_well_formed_escaped_and_self_contained(values: dict[str, Any], name: str) -> None:
    html = values[name]._repr_html_()
    root = ElementTree.fromstring(html)
    tags = {element.tag for element in root.iter()}
    known = "div table thead tbody tr th td span svg path rect circle text title img"
    assert all(tag in known.split() for tag in tags)
    attributes = {key for element in root.iter() for key in element.attrib}
    assert not {key for key in attributes if key.startswith("on") or key == "href"}
    assert all(image.get("src", "").startswith("data:image/png;base64,") for image in root.iter("img"))
    for never in ("http", "url(", "<script", "\x1b", "\x00"):
        assert never not in html
    html.encode()  # no half characters
    assert len(html) < 150_000


@pytest.mark.parametrize("name", NAMES)
def test_a_browser_reads_the_same_tree(values: dict[str, Any], name: str) -> None:
    """Tags nest and close in HTML as they do in XML; SVG and void elements may close themselves."""
    html, opened, seen = values[name]._repr_html_(), list[str](), list[str]()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: Any) -> None:
            seen.append(tag)
            opened.append(tag)

        def handle_startendtag(self, tag: str, attrs: Any) -> None:
            assert tag == "img" or "svg" in opened, f"<{tag}/> stays open in HTML"
            seen.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert opened.pop() == tag

    Reader().feed(html)
    assert not opened
    assert seen == [element.tag.lower() for element in shown(values[name]).iter()]


@pytest.mark.parametrize("name", NAMES)
def test_it_takes_the_colours_of_the_page_around_it(values: dict[str, Any], name: str) -> None:
    allowed = {"currentColor", "none", pictures.POSITIVE, pictures.NEGATIVE}
    for element in shown(values[name]).iter():
        assert {element.get("fill", "none"), element.get("stroke", "none")} <= allowed
        for colour in re.findall(r"(?:color|background): *([^;]+)", element.get("style", "")):
            assert colour in ("inherit", "transparent") or colour.startswith("rgb(128 128 128/")


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_escaped(text: str, other: str) -> None:
    made = elements.block(text, elements.element("span", other, title=text))
    root = ElementTree.fromstring(made)
    readable = re.sub("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\N{REPLACEMENT CHARACTER}", text)
    assert root[0].text == (readable or None)


# The figures are those of the value


def test_a_ledger_adds_up(seeing: gn.Network) -> None:
    *layers, total = rows(shown(seeing.count()))
    assert [row[:3] for row in layers] == [
        ["0", "16 x 6 + 6", "102"],
        ["1", "6 x 5 + 5", "35"],
        ["2", "5 x 3 + 3", "18"],
    ]
    assert total[1:3] == ["620 bytes as float32", "155"]


def test_a_network_shows_its_ledger_its_templates_and_its_weights(seeing: gn.Network) -> None:
    root = shown(seeing)
    for row, layer in zip(rows(root), seeing.layers, strict=False):
        assert row[1] == layer.activation
        assert row[5] == f"{layer.weights.min():.3g} to {layer.weights.max():.3g}"
    assert rows(root)[-1][3] == "155"
    images = {image.get("alt"): image.get("src", "") for image in root.iter("img")}
    assert list(images)[:2] == ["0:0", "0:1"]
    assert len(images) == 6 + 2
    limit = float(np.abs(seeing.layers[0].weights).max())
    np.testing.assert_array_equal(
        pixels(images["0:3"]), signs_and_levels(seeing.layers[0].weights[3].reshape(4, 4), limit)
    )


def pixels(source: str) -> np.ndarray:
    """The palette numbers of an inline PNG, as signed levels."""
    png = b64decode(source.partition(",")[2])
    wide, high = (int.from_bytes(png[at : at + 4]) for at in (16, 20))
    at = png.index(b"IDAT")
    data = zlib.decompress(png[at + 4 : at + 4 + int.from_bytes(png[at - 4 : at])])
    numbers = np.frombuffer(data, np.uint8).reshape(high, wide + 1)[:, 1:].astype(int)
    return np.asarray(np.where(numbers > 100, 100 - numbers, numbers))


def signs_and_levels(values: np.ndarray, limit: float) -> np.ndarray:
    return np.asarray(np.sign(values) * np.round(100 * np.abs(values) / limit))


@pytest.mark.parametrize("address", [(0, 0), (0, 7), (1, 1)])
def test_a_neuron_shows_its_rows_and_its_point(table: gn.Network, address: tuple[int, int]) -> None:
    neuron = table.trace([1.0, -2.0, 3.0]).neuron(*address)
    root = shown(neuron)
    assert [row[2] for row in rows(root)] == [row.figure for row in neuron.rows()]
    for cells, row in zip(rows(root), neuron.rows(), strict=True):
        if row.kind == "term" and not isinstance(row.what, str):
            assert cells[1] == f"{row.what.input} x {row.what.weight}"
    assert f"z = {neuron.pre_activation:.4g} becomes {neuron.activation:.4g}" in "".join(root.itertext())


def test_bars_are_as_long_as_their_figures_and_on_the_side_of_their_sign(table: gn.Network) -> None:
    neuron = table.trace([1.0, -2.0, 3.0]).neuron(0, 7)
    drawn = [row for row in neuron.rows() if row.kind == "term"]
    figures = [float(row.figure) for row in drawn]
    bars = [svg[0] for svg in shown(neuron).iter("svg") if svg.get("height") == "12"]
    for bar, value in zip(bars, figures, strict=True):
        assert float(bar.get("width", "")) == pytest.approx(60 * abs(value) / max(map(abs, figures)), abs=0.06)
        ends = float(bar.get("x", "")), float(bar.get("x", "")) + float(bar.get("width", ""))
        assert ends[0] == 60 if value >= 0 else ends[1] == pytest.approx(60)
        assert bar.get("fill") == (pictures.NEGATIVE if value < 0 else pictures.POSITIVE)


def test_a_trace_shows_every_activation_and_output(seeing: gn.Network) -> None:
    trace = seeing.trace(np.linspace(0, 1, 16))
    root = shown(trace)
    titles = [title.text or "" for title in root.iter("title")]
    for i, layer in enumerate(trace.layers[:-1]):
        for k, value in enumerate(layer.activations.tolist()):
            assert f"{i}:{k}: {value:.7g}" in titles
    for name, value in zip(("bee", "cat"), trace.outputs[1:].tolist(), strict=True):
        assert f"{name}: {value:.7g}" in titles
    assert len([svg for svg in root.iter("svg") if svg.get("aria-label") == "the input"]) == 1


def test_a_layer_names_its_largest_products(seeing: gn.Network) -> None:
    layer = seeing.trace(np.linspace(0, 1, 16)).layers[0]
    products = layer.weights * layer.inputs
    strongest = layer.strongest(7)
    assert [abs(p) for _, _, p in strongest] == sorted(np.abs(products).ravel().tolist(), reverse=True)[:7]
    assert all(products[neuron, place] == np.float32(p) for neuron, place, p in strongest)
    assert {(n, i) for n, i, _ in layer.strongest(99, [4, 1], [2, 9])} == {(4, 2), (4, 9), (1, 2), (1, 9)}
    assert not any(place == 0 for _, place, _ in layer.strongest(10**6))  # the first pixel is 0


def test_a_history_shows_its_epochs(values: dict[str, Any]) -> None:
    history = values["history"]
    root = shown(history)
    epochs = rows(root)
    assert [row[0] for row in epochs] == ["1", "2", "3", "...", *map(str, range(8, 16))]
    last = history[-1]
    assert epochs[-1][1:4] == [f"{last.loss:.4f}", f"{last.validation_loss:.4f}{' *' * last.best}",
                               f"{last.validation_accuracy:.2%}"]  # fmt: skip
    assert "History of no epochs" in "".join(shown(values["history of none"]).itertext())


def test_an_evaluation_shows_every_count(values: dict[str, Any]) -> None:
    evaluation = values["evaluation"]
    counts = [[int(cell.replace(".", "0")) for cell in row[1:-1]] for row in rows(shown(evaluation))]
    assert counts == evaluation.confusion.tolist()


def test_a_comparison_shows_its_distances(values: dict[str, Any]) -> None:
    comparison = values["comparison"]
    root = shown(comparison)
    said = dict(row for row in rows(root) if row[0])
    assert said["function"].startswith("not the same")
    assert said["accuracy"] == "a {:.2%}, b {:.2%}".format(*comparison.accuracy)
    for row, layer in zip(rows(root, 1), comparison.layers, strict=True):
        assert float(row[1]) == pytest.approx(layer.distance_before, abs=1e-3)
        assert float(row[3]) == pytest.approx(layer.distance, abs=1e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.98123, "0.981"), (-0.0041234, "−0.00412"), (12345.6, "12,346"), (2.16e-6, "2.16e−06"),
     (0.0099999998, "0.0100"), (999.96, "1,000"), (3.0, "3.00"), (1e9, "1.00e+09")],
)  # fmt: skip
def test_three_digits(value: float, text: str) -> None:
    assert three(value) == text
