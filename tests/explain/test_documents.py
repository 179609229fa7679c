"""One document for each result, and its writers: names of any kind, short reprs, LaTeX that compiles."""

import inspect
import json
import re
import subprocess
import typing
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.errors import SettingError
from glassnet.explain.overviews import overview
from glassnet.render import latex, markdown, text
from glassnet.render.document import Document
from glassnet.render.layout import layout
from glassnet.render.parts import Bar, Beside, Chart, Column, NetworkPicture, Section, Table, Text

NASTY = 'a_b & 50% #{x} ~^\\ <i>"q"</i> $5 | `c` [d] *e*'
FORMATS = ("text", "markdown", "latex", "html")


@pytest.fixture
def trace() -> gn.Trace:
    schema = gn.Schema(features=(NASTY, "plain"), classes=(NASTY, "no"))
    layers = [([[0.5, -2.0]], [0.5], "elu"), ([[1e6], [-2e-7]], [0.5, 0], "softmax")]
    return gn.Network.from_layers(layers, schema).trace([0.3, 1.25])


@pytest.fixture
def results() -> dict[str, Any]:
    """A result of every kind, of a small network; of 64 bits, so that every engine shows the same digits."""
    network = gn.Network.create("3-4-2", "tanh", output="softmax", seed=7, dtype="float64")
    random = np.random.default_rng(0)
    data = gn.Dataset(random.normal(size=(30, 3)), np.arange(30) % 2, gn.Schema(classes=("no", "yes")), "thirty rows")
    inputs = data.inputs[0]
    other = gn.explain.scramble(network, 1)
    recording = gn.explain.record(gn.training.epochs(network, data, epochs=2, batch_size=10, engine="reference"))
    return {
        "activity": gn.explain.activity(network, data),
        "affine_map": gn.explain.affine_map(network.with_activation(0, "relu"), inputs),
        "answer_changes": gn.compare(network, other, data).changes,
        "alternatives": gn.explain.activation_alternatives(network, 0, 1, inputs),
        "attribution": gn.explain.attribution(network.with_activation(0, "relu"), inputs),
        "bias_response": gn.explain.bias_response(network, 0, 1, data, at=inputs),
        "comparison": gn.compare(network, other, data),
        "count": network.count(),
        "curve": gn.explain.activation_curve("tanh", at=1.0),
        "evaluation": gn.evaluate(network, data),
        "history": gn.History((gn.training.Epoch(1, 0.5, 0.01, 0.25, 0.75, 0.5, True),)),
        "updates": recording.updates(0, 1, None, epoch=1),
        "network": network,
        "neuron_similarity": gn.explain.neuron_similarity(network, other, data),
        "dataset": data,
        "digits": gn.Dataset(np.kron(np.eye(4), np.ones((1, 4))), np.arange(4) % 2, gn.Schema(input_shape=(4, 4))),
        "matching": gn.explain.matched(network, other),
        "measurements": gn.Dataset(data.inputs, data.inputs[:, :2], gn.Schema(target="size")),
        "prediction": network.predict(inputs),
        "predictions": network.predict(data.inputs),
        "schema": data.schema,
        "weights": network.neuron(0, 1),
        "neuron": network.trace(inputs).neuron(0, 1),
        "overview": overview(network.trace(inputs), name="row 0"),
        "perturbation": gn.explain.perturbation(network, data, kind="prune"),
        "recording": recording,
        "sensitivity": gn.explain.sensitivity(network, inputs, 1),
        "similarity": gn.explain.similarity(network, other, data),
        "template": gn.explain.template(network, 0, 1, inputs),
        "trace": network.trace(inputs),
        "traces": network.trace(data.inputs[:3]),
    }


def test_every_result_in_every_medium(results: dict[str, Any], golden: Callable[..., None]) -> None:
    for name, result in results.items():
        written = {format: result.document().write(format) for format in FORMATS}
        for format in FORMATS[:3]:
            golden(re.sub(r"\d(\.\d)?e-\d\d", "<rounding>", written[format]) + "\n", f"{name}-{format}")
        assert str(result.document()) == written["text"]
        assert result.document()._repr_html_() == written["html"]
        assert max(map(len, written["text"].splitlines())) <= 80
        Reader(written["html"])


NOT_RESULTS = {"Row", "Sum", "Loss", "GlassClassifier", "GlassRegressor", "Snapshot"}
"""Parts of documents, settings, what scikit-learn shows in its own way, and what a run hands to a recorder."""


def returned(kind: Any) -> set[type]:
    """The classes of glassnet in what a function is said to return."""
    parts = [kind] if inspect.isclass(kind) and not typing.get_origin(kind) else typing.get_args(kind)
    own = {part for part in parts if inspect.isclass(part) and part.__module__.startswith("glassnet.")}
    return own.union(*(returned(part) for part in parts if typing.get_origin(part)))


def functions(name: str, value: Any) -> list[Any]:
    if inspect.isfunction(value):
        return [value]
    parts = vars(value).items() if inspect.isclass(value) and value.__module__.startswith("glassnet") else ()
    unwrapped = [getattr(part, "fget", None) or getattr(part, "func", None) or getattr(part, "__func__", part)
                 for key, part in parts if not key.startswith("_")]  # fmt: skip
    return [part for part in unwrapped if inspect.isfunction(part)]


def test_notebooks_show_whatever_the_library_returns() -> None:
    found: dict[type, str] = {}
    for space in (gn, gn.data, gn.explain, gn.training, gn.estimators):
        for name in space.__all__:
            for function in functions(name, getattr(space, name)):
                try:
                    kind = typing.get_type_hints(function).get("return")
                except (NameError, TypeError):  # names that are imported for type checkers only
                    continue
                found |= dict.fromkeys(returned(kind), f"{space.__name__}.{name}")
    shown = {of: where for of, where in found.items() if not of.__module__.startswith("glassnet.render")}
    assert len(shown) > 40
    without = {of.__name__: where for of, where in shown.items() if not hasattr(of, "_repr_html_")}
    assert set(without) <= NOT_RESULTS, without


def test_records_are_shown_field_by_field(results: dict[str, Any], tmp_path: Path) -> None:
    network = results["network"]
    network.save(tmp_path / "a.safetensors")
    checkpoint = gn.open(tmp_path / "a.safetensors")
    data = results["dataset"]
    training = gn.train(network, data, validation=data, epochs=2)
    run = gn.training.epochs(network, data, epochs=3)
    changes = results["answer_changes"]
    records = [
        training, run, checkpoint, next(iter(checkpoint.tensors.values())), network.architecture, network.layers[0],
        network.architecture.layers[0], training.history[0], results["trace"].layers[0], results["activity"].layers[0],
        results["comparison"].layers[0], results["sensitivity"].strongest(1)[0], results["attribution"].top(1)[0],
        changes.by_class()[0], changes.moves()[0], results["comparison"].layers[0].largest,
    ]  # fmt: skip
    for record in records:
        Reader(record._repr_html_())
        assert len(repr(record)) < 400
        if hasattr(record, "document"):
            assert max(map(len, record.document().text().splitlines())) <= 80
            assert str(record) == repr(record) or "__str__" in vars(type(record))
    assert "2 epochs" in training._repr_html_()
    assert "0 of 3 epochs" in repr(run)
    assert repr(checkpoint) == "Checkpoint(a.safetensors: safetensors, 4 tensors)"
    text = network.layers[0].document().text()
    assert "4 x 3 float64" in text
    assert f"{training.history[0].loss:.6g}" in training.history[0].document().text()
    long = gn.Schema(features=tuple(f"column {i}" for i in range(1_000))).document().text()
    assert "(1,000 in all)" in long
    assert len(long) < 600


def test_sparse_data_is_described_without_being_made_dense() -> None:
    scipy = pytest.importorskip("scipy.sparse")
    inputs = scipy.random(10_000, 50_000, 1e-5, format="csr", dtype=np.float32, random_state=0)
    text = gn.Dataset(inputs, np.arange(10_000) % 3).document().text()
    assert "sparse: 5,000 values, 0.00% of all" in text


def test_no_repr_is_long_or_holds_arrays(results: dict[str, Any]) -> None:
    more = [results["trace"].layers[0], results["activity"].layers[0], results["template"].document()]
    more += [results["comparison"].matching, results["recording"].snapshots[0], results["updates"].updates[0]]
    more.append(results["network"].neuron(0, 0))
    for result in [*results.values(), *more]:
        assert len(repr(result)) < 200
        assert "array(" not in repr(result)
        assert "\n" not in repr(result)


def test_one_layout_is_drawn_by_every_writer(results: dict[str, Any]) -> None:
    """What SVG and matplotlib draw is this: discs of hidden neurons, bars of outputs, lines between what is there."""
    trace = results["trace"]
    picture = trace.picture()
    assert isinstance(picture, NetworkPicture)
    drawing = layout(picture)
    assert [disc.name for disc in drawing.discs] == ["input 0", "input 1", "input 2", "0:0", "0:1", "0:2", "0:3"]
    assert [bar.value for bar in drawing.bars] == trace.outputs.tolist()
    ends = {(disc.x, disc.y) for disc in drawing.discs}
    assert all(0 < x < drawing.width and 0 < y < drawing.height for x, y in ends)
    for line in drawing.lines:
        assert line.y[1] in [node.y for node in (drawing.bars if line.layer else drawing.discs)]
    strongest = max((line for line in drawing.lines if line.layer == 0), key=lambda line: abs(line.product))
    products = trace.layers[0].weights * trace.layers[0].inputs
    assert abs(strongest.product) == pytest.approx(np.abs(products).max())
    assert strongest.share == 1


def test_names_of_any_kind_are_escaped(trace: gn.Trace, golden: Callable[..., None]) -> None:
    for name, document in (
        ("neuron", trace.neuron(0, 0).document(1)),
        ("overview", overview(trace, name=NASTY).document()),
    ):
        for format in ("markdown", "latex"):
            golden(document.write(format) + "\n", f"{name}-{format}")
        assert any(NASTY in words for words in Reader(document.html()).words) or name == "neuron"
    assert markdown.escaped("a\nb") == latex.escaped("a\n\nb") == "a b"


def test_a_document_is_plain_data(results: dict[str, Any]) -> None:
    for result in results.values():
        document = json.loads(json.dumps(result.document().as_dict(), allow_nan=False))
        assert document["kind"] == "document"
        assert {part["kind"] for part in document["parts"]} <= {
            "section", "document", "table", "text", "items", "worked", "picture", "chart", "networkpicture", "beside"
        }  # fmt: skip
    document = results["neuron"].document().as_dict()
    assert document["parts"][0]["parts"][0]["rows"][-1]["figure"] == results["neuron"].rows()[-1].figure


def test_an_unknown_format_is_refused(trace: gn.Trace, refused: Any) -> None:
    with refused(SettingError):
        trace.document().write("rtf")


def test_every_activation_has_a_formula_in_latex() -> None:
    assert all("z" in of.latex and "operatorname" not in of.latex for of in ACTIVATIONS.values())


def test_latex_compiles_with_amsmath_alone(trace: gn.Trace, results: dict[str, Any], tmp_path: Path) -> None:
    parts = [overview(trace, name=NASTY).document().latex()]
    parts += [trace.neuron(layer, 0).document().latex() for layer in (0, 1)]
    parts += [result.document().latex() for result in results.values()]
    for name in ACTIVATIONS:
        network = gn.Network.from_layers([([[1.0, -2.0]], [-1e-9], name)])
        parts.append(network.trace([12345.678, -1e-7]).neuron(0, 0).document().latex())
    body = "\n\n".join(parts)
    page = f"\\documentclass{{article}}\n\\usepackage{{amsmath}}\n\\begin{{document}}\n{body}\n\\end{{document}}\n"
    (tmp_path / "page.tex").write_text(page)
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "-draftmode", "page.tex"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-2000:]


class Reader(HTMLParser):
    """What a browser would see: its text; every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


# The text writer


def test_a_table_aligns_its_columns_and_gives_the_rest_to_bars() -> None:
    columns = [Column("name"), Column("value", "r"), Column()]
    table = Table(columns, [("one", "1.0", Bar(1, 2)), ("minus two", "-2.0", Bar(-2, 2))])
    assert text.write(Section("Two numbers", [table]), 40) == "\n".join(
        ["Two numbers", f"  {'name':<9}  value", f"  {'one':<9}    1.0  {'#' * 10}", f"  minus two   -2.0  {'=' * 20}"]
    )


def test_the_last_column_is_wrapped_and_the_others_are_cut() -> None:
    table = Table([Column(most=6), Column(most=None)], [("a long name", "word " * 10)])
    assert text.write(Section("", [table]), 40).splitlines() == [
        "a l...  word word word word word word",
        "        word word word word",
    ]


def test_sections_stand_apart_and_charts_have_no_room_beside_others() -> None:
    chart = Chart("", [0.0, 1.0], [("line", [0.0, 1.0])])
    section = Section("head", [Text("one"), Section("two", [Text("three")]), Beside([Text("four"), chart])], "aside")
    assert text.write(section, 40) == f"head{'aside':>36}\none\n\ntwo\nthree\n\nfour"
    assert Document("only a title").text() == "only a title"


@pytest.mark.parametrize("width", [20, 40])
def test_narrow_terminals_get_narrow_lines_with_all_figures(results: dict[str, Any], width: int) -> None:
    for name, result in results.items():
        lines = result.document().text(width).split("\n")
        assert max(map(len, lines)) <= width, name
    for name in ("count", "evaluation", "neuron", "sensitivity", "comparison"):
        figures = {word for word in results[name].document().text(80).split() if re.fullmatch(r"-?\d[\d.,]*", word)}
        assert figures <= set(results[name].document().text(width).split()), name
