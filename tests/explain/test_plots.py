"""Pictures: what is drawn is what the value holds, in both styles and all kinds of file."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import same_color, to_rgba
from matplotlib.figure import Figure

import glassnet as gn
from glassnet import plots
from glassnet.activations import ACTIVATIONS
from glassnet.arithmetic import three
from glassnet.errors import AddressError, FileError, InputError, SettingError
from glassnet.explain.comparison import Comparison, compare
from glassnet.plots.confusion_matrix import SHARES
from glassnet.plots.style import STYLES
from glassnet.render.layout import LIFT


@pytest.fixture(scope="module")
def seeing() -> gn.Network:
    """A network of small pictures: 4 x 4 pixels, three classes."""
    schema = gn.Schema(input_shape=(4, 4), classes=("ant", "bee", "cat"))
    network = gn.Network.create("16-6-5-3", output="softmax", seed=3).with_schema(schema)
    return network.edit(0, 0, bias=-0.25).edit(1, 2, bias=0.5)


@pytest.fixture(scope="module")
def trace(seeing: gn.Network) -> gn.Trace:
    return seeing.trace(np.linspace(0, 1, 16))


@pytest.fixture(scope="module")
def training() -> gn.Training:
    random = np.random.default_rng(0)
    labels = np.arange(60) % 2
    data = gn.Dataset(random.normal(labels[:, None], 0.4, (60, 2)), labels, gn.Schema(classes=("a", "b")))
    return gn.train(gn.Network.create("2-4-2", seed=0), data[:40], validation=data[40:], epochs=3)


@pytest.fixture(scope="module")
def evaluation() -> gn.Evaluation:
    confusion = np.array([[50, 0, 1], [3, 1_047, 0], [0, 12, 7]])
    return gn.Evaluation(1_120, 0.25, 1_104 / 1_120, confusion, None, ("ant", "bee", "cat"))


@pytest.fixture(scope="module")
def comparison(seeing: gn.Network) -> Comparison:
    random = np.random.default_rng(1)
    other = gn.Network.create("16-6-5-3", output="softmax", seed=4).with_schema(seeing.schema)
    return compare(seeing, other, (random.random((30, 16)), np.arange(30) % 3))


def artist(figure: Figure, gid: str) -> Any:
    """The one thing in the figure that is called so."""
    (found,) = figure.findobj(lambda each: each.get_gid() == gid)
    return found


def texts(figure: Figure) -> list[str]:
    """All that is written in a figure."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def value_of(text: str) -> float:
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))


# The network at work


def test_discs_are_as_full_as_neurons_are_active(trace: gn.Trace) -> None:
    figure = plots.network(trace)
    written = texts(figure)
    for i, layer in enumerate(trace.layers[:-1]):
        for k, value in enumerate(layer.activations.tolist()):
            disc = artist(figure, f"neuron-{i}-{k}")
            assert disc.get_facecolor()[3] == pytest.approx(value / layer.activations.max())
            assert three(value) in written


def test_the_input_is_the_picture_and_outputs_are_bars(trace: gn.Trace) -> None:
    figure = plots.network(trace)
    np.testing.assert_array_equal(artist(figure, "input").get_array(), trace.layers[0].inputs.reshape(4, 4))
    widths = [artist(figure, f"output-{k}").get_width() for k in range(3)]
    np.testing.assert_allclose(np.divide(widths, widths[0]), trace.outputs / trace.outputs[0], rtol=1e-5)
    assert f"The network at work: looks like {('ant', 'bee', 'cat')[trace.outputs.argmax()]}" in texts(figure)
    assert {"ant", "bee", "cat", *map(three, trace.outputs.tolist())} <= set(texts(figure))


@pytest.mark.parametrize("style", ["light", "dark"])
def test_lines_are_the_largest_products_signed_and_weighted(trace: gn.Trace, style: str) -> None:
    figure = plots.network(trace, style, connections=12)
    for i, layer in enumerate(trace.layers):
        products = np.sort((layer.weights * layer.inputs).ravel())
        largest = products[np.argsort(-np.abs(products))[:12]]
        for gid, sign in ((f"for-{i}", 1), (f"against-{i}", -1)):
            lines: LineCollection = artist(figure, gid)
            expected = [v for v in largest if v * sign > 0]
            shares = np.abs(expected) / abs(largest[0])
            np.testing.assert_allclose(lines.get_linewidth(), 0.35 + 1.75 * shares**LIFT, rtol=1e-5)
            colour = STYLES[style].sign(sign)
            assert all(same_color(rgba[:3], to_rgba(colour)[:3]) for rgba in lines.get_color())  # type: ignore[arg-type]
            dashed = any(pattern is not None for _, pattern in lines.get_linestyle())  # type: ignore[union-attr]
            assert dashed == (sign < 0 and bool(expected))


def test_wide_layers_show_their_strongest_twenty() -> None:
    network = gn.Network.create("30-40-30", "tanh", seed=0)
    trace = network.trace(np.linspace(-1, 1, 30))
    figure = plots.network(trace)
    discs = [each.get_gid() for each in figure.findobj(lambda each: str(each.get_gid()).startswith("neuron-0-"))]
    strongest = np.argsort(-np.abs(trace.layers[0].activations))[:20]
    assert {int(gid.rpartition("-")[2]) for gid in discs} == set(strongest.tolist())
    assert "40 neurons, the 20 largest" in texts(figure)
    for k in strongest.tolist():  # two-sided: the colour is the sign, and so is the number
        value = float(trace.layers[0].activations[k])
        assert same_color(artist(figure, f"neuron-0-{k}").get_facecolor()[:3], to_rgba(STYLES["light"].sign(value))[:3])
        assert three(value) in texts(figure)


def test_a_trace_of_many_says_to_pick_one(seeing: gn.Network, refused: Any) -> None:
    with refused(SettingError):
        plots.network(seeing.trace(np.zeros((2, 16))))


# Templates


def test_templates_hold_the_weights_on_one_scale(seeing: gn.Network) -> None:
    figure = plots.templates(seeing)
    limit = float(np.abs(seeing.layers[0].weights).max())
    for k, weights in enumerate(seeing.layers[0].weights):
        image = artist(figure, f"template-0-{k}")
        np.testing.assert_allclose(image.get_array(), weights.reshape(4, 4))
        assert (image.norm.vmin, image.norm.vmax) == (-limit, limit)
        assert image.norm(limit / 100) == pytest.approx(0.505)  # linear
    assert {"0:0", "0:5", f"b {three(-0.25)}"} <= set(texts(figure))
    assert [k.get_gid() for k in plots.templates(seeing, neurons=[4, 2]).findobj(
        lambda each: str(each.get_gid()).startswith("template"))] == ["template-0-4", "template-0-2"]  # fmt: skip


def test_templates_need_pictures_and_neurons_that_are_there(
    seeing: gn.Network, network: gn.Network, refused: Any
) -> None:
    with refused(SettingError):
        plots.templates(network)
    with refused(AddressError):
        plots.templates(seeing, neurons=[6])
    with refused(SettingError):
        plots.templates(seeing, neurons=[])


# One neuron


@pytest.mark.parametrize("top", [0, 3, 10, 99])
@pytest.mark.parametrize("address", [(0, 0), (1, 2), (2, 1)])
def test_a_waterfall_adds_up_as_drawn_and_as_written(trace: gn.Trace, address: tuple[int, int], top: int) -> None:
    neuron = trace.neuron(*address)
    figure = plots.waterfall(neuron, top=top)
    *rows, result = neuron.rows(top)
    at, before, written = 0.0, 0.0, texts(figure)
    for y, row in enumerate(rows):
        bar = artist(figure, f"{row.kind}-{y}")
        value = value_of(row.figure)
        start = 0.0 if row.kind == "total" else at
        assert sorted((bar.get_x(), bar.get_x() + bar.get_width())) == pytest.approx(sorted((start, start + value)))
        at = start + value
        assert any(text.lstrip("+").replace("\N{MINUS SIGN}", "-") == row.figure for text in written)
        if row.kind == "total":
            assert before == pytest.approx(value)  # what the lines above came to
        before = at
    assert any(text.replace("\N{MINUS SIGN}", "-").endswith(f"= {result.figure}") for text in written)


@pytest.mark.parametrize("squish", sorted(ACTIVATIONS))
def test_the_point_on_the_curve_and_its_slope_are_the_neurons(squish: str) -> None:
    network = gn.Network.create("3-4", output=squish, seed=7)
    neuron = network.trace([1.0, -2.0, 0.5]).neuron(0, 1)
    figure = plots.activation_curve(neuron)
    z, a = neuron.pre_activation, neuron.activation
    assert artist(figure, "point").get_xydata().tolist() == [[z, a]]
    xs, ys = artist(figure, "curve").get_data()
    assert np.interp(z, xs, ys) == pytest.approx(a, abs=2e-3)
    (x0, y0), (x1, y1) = artist(figure, "slope").get_xydata()
    row = network.trace([1.0, -2.0, 0.5]).layers[0]
    slope = float(ACTIVATIONS[squish].slope(row.pre_activations[None], row.activations[None])[0, 1])
    assert (y1 - y0) / (x1 - x0) == pytest.approx(slope, rel=1e-4, abs=1e-6)
    assert {f"z = {three(z)}", f"a = {three(a)}", f"slope = {three(slope)}"} <= set(texts(figure))


def test_softmax_that_takes_all_has_no_curve_to_draw() -> None:
    network = gn.Network.from_layers([([[1.0], [-1.0]], [200.0, 0.0], "softmax")])
    figure = plots.activation_curve(network.trace([1.0]).neuron(0, 0))
    assert any(text.startswith("no curve") for text in texts(figure))


# Runs, evaluations, comparisons


def test_history_lines_are_its_figures(training: gn.Training) -> None:
    history = training.history
    figure = plots.history(history)
    for gid, values in (
        ("training-loss", history.loss),
        ("validation-loss", history.validation_loss),
        ("validation-accuracy", history.validation_accuracy),
        ("learning-rate", history.learning_rate),
    ):
        line = artist(figure, gid)
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3])
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert {three(history.loss[-1]), f"{history[-1].validation_accuracy:.2%}"} <= set(texts(figure))


def test_history_on_a_logarithmic_scale(training: gn.Training) -> None:
    scales = {axes.get_ylabel(): axes.get_yscale() for axes in plots.history(training.history, log=True).axes}
    assert scales == {"loss": "log", "accuracy": "linear", "rate": "linear"}


def test_a_loss_of_0_is_called_0_on_a_logarithmic_scale() -> None:
    figure = plots.history(
        gn.History(gn.training.Epoch(k, loss, 0.1, 0.1) for k, loss in ((1, 0.5), (2, 0.0))), log=True
    )
    assert three(0.0) in texts(figure)
    assert artist(figure, "training-loss").axes.get_ylim()[0] > 0


def test_history_without_validation_or_epochs(training: gn.Training, refused: Any) -> None:
    bare = gn.History(gn.training.Epoch(e.number, e.loss, e.learning_rate, e.seconds) for e in training.history)
    assert len(plots.history(bare).axes) == 2  # the loss, the learning rate
    with refused(InputError):
        plots.history(gn.History())


def test_confusion_writes_every_count(evaluation: gn.Evaluation, refused: Any) -> None:
    figure = plots.confusion(evaluation)
    written = texts(figure)
    for count in ("50", "1,047", "7", "3", "12"):
        assert count in written
    assert "98.57% of 1,120 right, 16 wrong; loss 0.2500" in written
    shades = artist(figure, "mistakes").get_array()
    assert shades[2, 1] == 12  # on a linear scale, with the colour bar of the mistakes
    assert shades[1, 0] == 3
    (bar,) = (axes for axes in figure.axes if axes.get_title(loc="left") == "mistakes")
    assert bar.get_ylim() == (0, 12)
    assert bar.collections[-1].norm is artist(figure, "mistakes").norm  # the colours of the bar are those of the cells
    measured = gn.Evaluation(10, 0.5, None, None, 0.9)
    with refused(SettingError):
        plots.confusion(measured)


@pytest.mark.parametrize(("normalize", "axis"), [("true", 1), ("pred", 0), ("all", None)])
def test_confusion_in_shares_is_scikit_learn_s(evaluation: gn.Evaluation, normalize: str, axis: int | None) -> None:
    from sklearn.metrics import confusion_matrix

    counts = np.asarray(evaluation.confusion)
    true, predicted = (np.repeat(of.ravel(), counts.ravel()) for of in np.indices(counts.shape))
    wanted = confusion_matrix(true, predicted, normalize=normalize)
    figure = plots.confusion(evaluation, normalize=normalize)
    shades = artist(figure, "mistakes").get_array()
    np.testing.assert_allclose(shades[2, 1], wanted[2, 1])
    assert f"{100 * wanted[2, 1]:.1f}" in texts(figure)
    assert any(text.endswith(f"; cells in {SHARES[normalize]}") for text in texts(figure))


def test_confusion_knows_no_other_shares(evaluation: gn.Evaluation, refused: Any) -> None:
    with refused(SettingError):
        plots.confusion(evaluation, normalize="rows")


def test_comparison_draws_its_distances_and_its_line(comparison: Comparison) -> None:
    figure = plots.comparison(comparison)
    assert comparison.line is not None
    np.testing.assert_array_equal(artist(figure, "b-as-it-is").get_ydata(), comparison.line.plain)
    np.testing.assert_array_equal(artist(figure, "b-in-as-order").get_ydata(), comparison.line.matched)
    widths = [patch.get_width() for patch in figure.axes[0].patches]
    expected = [[at.distance_before, at.distance, at.activations] for at in comparison.layers]
    np.testing.assert_allclose(widths, np.transpose(expected).ravel())
    assert any(f"they disagree on {len(comparison.disagreements):,} of 30" in t for t in texts(figure))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def other_structures(seeing: gn.Network) -> Comparison:
    """Of the small pictures, with a wider network of one hidden layer."""
    random = np.random.default_rng(1)
    other = gn.Network.create("16-40-3", "tanh", output="softmax", seed=4).with_schema(seeing.schema)
    return compare(seeing, other, (random.random((200, 16)), np.arange(200) % 3))


def test_other_structures_are_drawn_by_similarity_and_recall(other_structures: Comparison) -> None:
    figure = plots.comparison(other_structures)
    assert other_structures.similarity is not None
    assert other_structures.changes is not None
    np.testing.assert_array_equal(artist(figure, "similarity").get_array(), other_structures.similarity.cka)
    for row, one in enumerate(other_structures.changes.by_class()):
        assert artist(figure, f"recall-{row}").get_xdata() == pytest.approx([100 * one.change])
    assert f"{other_structures.similarity.cka[0, 1]:.2f}" in texts(figure)


def test_matrices_of_two_networks_and_their_difference(other_structures: Comparison, refused: Any) -> None:
    figure = plots.confusions(other_structures)
    changes = other_structures.changes
    assert changes is not None
    assert changes.confusions is not None
    shares = [100 * matrix / matrix.sum(axis=1, keepdims=True) for matrix in changes.confusions]
    np.testing.assert_allclose(artist(figure, "b - a").get_array(), shares[1] - shares[0])
    for name, expected in zip("ab", shares, strict=True):
        off = ~np.eye(3, dtype=bool)
        np.testing.assert_allclose(artist(figure, name).get_array()[off], expected[off])
    assert artist(figure, "a").get_clim() == artist(figure, "b").get_clim()  # one scale for both
    with refused(SettingError):
        plots.confusions(compare(*other_structures.networks))


def test_similarities_are_drawn_as_they_are(other_structures: Comparison, seeing: gn.Network) -> None:
    assert other_structures.similarity is not None
    image = artist(plots.similarity(other_structures.similarity), "similarity")
    np.testing.assert_array_equal(image.get_array(), other_structures.similarity.cka)
    assert image.get_clim() == (0, 1)
    a, b = other_structures.networks
    dead = b.edit(0, 3, weights=dict.fromkeys(range(16), 0.0))
    found = gn.explain.neuron_similarity(a, dead, np.random.default_rng(0).random((50, 16)), (1, 0))
    figure = plots.similarity(found, "dark")
    drawn = artist(figure, "similarity").get_array()
    assert artist(figure, "similarity").get_clim() == (-1, 1)
    assert drawn.mask[:, -1].all()  # the constant neuron of b, the last one
    np.testing.assert_allclose(
        np.sort(drawn.filled(9).ravel()), np.sort(np.nan_to_num(found.correlation, nan=9).ravel())
    )
    best = np.nanargmax(np.abs(drawn.filled(0)), axis=0)[:-1]
    assert (np.diff(best) >= 0).all()  # partners are along the diagonal


def test_comparison_of_other_structures_says_where(seeing: gn.Network) -> None:
    figure = plots.comparison(compare(seeing, gn.Network.create("16-3", seed=0)))
    assert any("not the same structure: 3 layers" in text and "16-6-5-3" in text for text in texts(figure))
    assert [axes for axes in figure.axes if axes.patches] == []


# A page, files, errors


def test_explain_is_the_network_or_one_neuron_with_its_pictures(trace: gn.Trace, refused: Any) -> None:
    assert texts(plots.explain(trace)) == texts(plots.network(trace))
    page = plots.explain(trace, (0, 1), "dark")
    neuron = trace.neuron(0, 1)
    np.testing.assert_array_equal(artist(page, "weights").get_array(), neuron.weights.reshape(4, 4))
    np.testing.assert_allclose(artist(page, "products").get_array(), neuron.products.reshape(4, 4), rtol=1e-6)
    assert artist(page, "point").get_xydata().tolist() == [[neuron.pre_activation, neuron.activation]]
    assert set(texts(plots.waterfall(neuron))) <= set(texts(page))
    with refused(AddressError):
        plots.explain(trace, (0, 6))


@pytest.fixture(scope="module")
def kinds(
    seeing: gn.Network,
    trace: gn.Trace,
    training: gn.Training,
    evaluation: gn.Evaluation,
    comparison: Comparison,
    other_structures: Comparison,
) -> dict[str, Callable[[str], Figure]]:
    seen = gn.Dataset(np.random.default_rng(0).random((30, 16)), np.arange(30) % 3)
    return {
        "network": lambda style: plots.network(trace, style),
        "templates": lambda style: plots.templates(seeing, style),
        "waterfall": lambda style: plots.waterfall(trace.neuron(1, 2), style),
        "activation_curve": lambda style: plots.activation_curve(trace.neuron(1, 2), style),
        "history": lambda style: plots.history(training.history, style),
        "confusion": lambda style: plots.confusion(evaluation, style),
        "ablation": lambda style: plots.ablation(gn.explain.ablation(seeing, seen), style),
        "confusions": lambda style: plots.confusions(other_structures, style),
        "similarity": lambda style: plots.similarity(other_structures.similarity, style),  # type: ignore[arg-type]
        "comparison": lambda style: plots.comparison(comparison, style),
        "explain": lambda style: plots.explain(trace, (0, 1), style),
    }


@pytest.mark.parametrize("style", ["light", "dark"])
@pytest.mark.parametrize("kind", [name for name in plots.__all__ if name != "save"])
def test_every_kind_is_drawn_in_both_styles_and_saved(
    kinds: dict[str, Callable[[str], Figure]], kind: str, style: str, tmp_path: Path
) -> None:
    figure = kinds[kind](style)
    assert same_color(figure.get_facecolor(), STYLES[style].paper)
    plots.save(figure, tmp_path / "a.svg")
    plots.save(kinds[kind](style), tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    drawn = ElementTree.parse(tmp_path / "a.svg")
    letters = " ".join("".join(text.itertext()).strip() for text in drawn.iter("{http://www.w3.org/2000/svg}text"))
    for text in texts(figure)[:5]:
        assert text.splitlines()[0].strip() in letters  # letters stay letters
    if kind == "network":
        for suffix, start in ((".PNG", b"\x89PNG"), (".pdf", b"%PDF")):
            plots.save(figure, tmp_path / f"a{suffix}")
            assert (tmp_path / f"a{suffix}").read_bytes().startswith(start)


def test_names_are_no_formulas(tmp_path: Path) -> None:
    names = (r"$\frac{$", "$x$ <&>", "a_b^c")
    network = gn.Network.create("3-3", output="softmax", seed=0).with_schema(gn.Schema(features=names, classes=names))
    trace = network.trace([1.0, 2.0, 3.0])
    evaluation = gn.evaluate(network, gn.Dataset(np.eye(3), np.arange(3), network.schema))
    for figure in (plots.network(trace), plots.waterfall(trace.neuron(0, 1)), plots.confusion(evaluation)):
        plots.save(figure, tmp_path / "a.svg")
        written = "".join(ElementTree.parse(tmp_path / "a.svg").getroot().itertext())
        assert all(name in written for name in names)


def test_a_network_that_does_nothing_can_be_drawn(tmp_path: Path) -> None:
    schema = gn.Schema(input_shape=(2, 2))
    network = gn.Network.from_layers([(np.zeros((3, 4)), np.zeros(3), "relu")], schema)
    trace = network.trace(np.zeros(4))
    for figure in (plots.network(trace), plots.templates(network), plots.explain(trace, (0, 0))):
        plots.save(figure, tmp_path / "a.svg")
    for value in (network, trace, trace.neuron(0, 0)):
        assert value._repr_html_()


def test_a_notebook_shows_a_picture_by_itself(trace: gn.Trace) -> None:
    png, size = plots.network(trace)._repr_png_()  # type: ignore[attr-defined]
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20]) == pytest.approx(2 * size["width"], abs=1)


def test_wrong_names_and_places_say_what_would_work(trace: gn.Trace, tmp_path: Path, refused: Any) -> None:
    with refused(SettingError):
        plots.network(trace, "drak")
    figure = plots.waterfall(trace.neuron(0, 0))
    with refused(SettingError):
        plots.save(figure, "a.jpg")
    with refused(FileError):
        plots.save(figure, tmp_path / "nowhere" / "a.svg")
    with pytest.raises(AttributeError, match="has no attribute 'pie'"):
        plots.pie  # noqa: B018
    assert set(dir(plots)) == set(plots.__all__)


def test_without_matplotlib_the_extra_is_named_and_pyplot_is_never_touched() -> None:
    script = """\
import sys
sys.modules["matplotlib"] = None
import glassnet.plots
try:
    glassnet.plots.network
except ImportError as error:
    print(type(error).__name__, error)
del sys.modules["matplotlib"]
from glassnet.plots import explain, save
print("matplotlib.pyplot" in sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == [
        "MissingExtra the package 'matplotlib' of the extra 'plots' is not installed",
        "help: pip install matplotlib",
        "False",
    ]
