"""The neuron's card: the same numbers as `glassnet explain`, adding up as shown, for the eye and read aloud."""

import re

import numpy as np
import pytest
from neuron_card import NUMBER, digit_card, first_digit, first_network, number, open_card
from playwright.sync_api import expect
from waiting import next_frame

import glassnet as gn
from glassnet import arithmetic
from glassnet.explain import neuron_summary

SHOWN = 6  # terms, one by one


def rows(table):
    return table.locator("tbody tr").all()


def cells(row):
    return [text.strip() for text in row.locator("th, td").all_inner_texts()]


def titles(row):
    """The exact numbers: value, weight and product."""
    return [number(cell.get_attribute("title")) for cell in row.locator("td.number, input").all()]


@pytest.mark.parametrize("address", ["0:3", "1:5", "2:7"])
def test_the_strongest_terms_are_those_of_python(page, address):
    layer, index = map(int, address.split(":"))
    neuron = first_network(page).trace(first_digit()).neuron(layer, index)
    card = digit_card(page, address)
    order = arithmetic.strongest(neuron.products.tolist(), SHOWN)
    shown = rows(card.get_by_role("table", name="The strongest terms of the weighted sum"))
    assert [cells(row)[0] for row in shown] == [neuron.input_names[i] for i in order]
    for row, i in zip(shown, order, strict=True):
        wanted = [neuron.inputs[i], neuron.weights[i], neuron.products[i]]
        np.testing.assert_allclose(titles(row), wanted, rtol=1e-5)
    for name, value in [("weighted sum", neuron.weighted_sum), ("pre-activation z", neuron.pre_activation)]:
        total = card.get_by_role("row", name=name, exact=False).last.locator("td.number")
        np.testing.assert_allclose(number(total.get_attribute("title")), value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("address", ["0:0", "0:3", "1:5", "2:7"])
def test_columns_add_up_as_shown(page, address):
    card = digit_card(page, address)
    lines = card.locator("table.arithmetic").locator("tbody tr, tfoot tr").all()
    figures = [(row.get_attribute("class"), number(row.locator("td.number").last.inner_text())) for row in lines]
    totals = [i for i, (kind, _) in enumerate(figures) if kind == "total"]
    parts = [figure for _, figure in figures]
    assert sum(parts[: totals[0]]) == pytest.approx(parts[totals[0]], abs=1e-9)
    assert sum(parts[totals[0] : totals[1]]) == pytest.approx(parts[totals[1]], abs=1e-9)


@pytest.mark.parametrize("address", ["0:3", "1:5", "2:7"])
def test_the_column_has_the_figures_of_python(page, address):
    """With as many products shown; the last figure may differ where the sums of two machines do."""
    layer, index = map(int, address.split(":"))
    wanted = [row.figure for row in first_network(page).trace(first_digit()).neuron(layer, index).rows(SHOWN)[:-1]]
    card = digit_card(page, address)
    lines = card.locator("table.arithmetic").locator("tbody tr, tfoot tr").all()
    figures = [row.locator("td.number").last.inner_text().replace("\u2212", "-") for row in lines]
    assert [len(figure.partition(".")[2]) for figure in figures] == [len(f.partition(".")[2]) for f in wanted]
    unit = 10.0 ** -len(wanted[0].partition(".")[2])
    np.testing.assert_allclose([number(f) for f in figures], [number(f) for f in wanted], rtol=0, atol=1.1 * unit)


@pytest.mark.parametrize("address", ["0:3", "1:5", "2:3", "2:7"])
def test_the_words_are_those_of_explain(page, address):
    layer, index = map(int, address.split(":"))
    wanted = neuron_summary(first_network(page).trace(first_digit()), layer, index)
    wanted = wanted[re.search(r" (?=is |has )", wanted).end() :]
    words = digit_card(page, address).locator(".words").inner_text().replace("\u2212", "-")

    def plain(text):
        return NUMBER.sub("#", text).lower()

    assert plain(words) == plain(wanted)
    for ours, theirs in zip(NUMBER.findall(words), NUMBER.findall(wanted), strict=True):
        assert number(ours) == pytest.approx(number(theirs), rel=0.006)


def test_the_template_has_the_signs_of_the_weights(page):
    weights = first_network(page).layers[0].weights[3]
    card = digit_card(page, "0:3")
    next_frame(page)
    pixels = card.locator("canvas").first.evaluate(
        "(canvas) => Array.from(canvas.getContext('2d').getImageData(0, 0, 28, 28).data)"
    )
    red, _, blue, _ = np.array(pixels).reshape(784, 4).T
    strong = np.abs(weights) > np.abs(weights).max() / 100
    np.testing.assert_array_equal(np.sign(blue - red)[strong], np.sign(weights)[strong])


def test_the_curve_carries_the_point(page):
    neuron = first_network(page).trace(first_digit()).neuron(0, 3)
    slider = digit_card(page, "0:3").get_by_role("slider")
    numbers = [number(text) for text in NUMBER.findall(slider.get_attribute("aria-valuetext").replace(":", " "))]
    assert numbers == pytest.approx([neuron.bias, neuron.pre_activation, neuron.activation], rel=0.006)


def test_softmax_is_shown_as_shares(page):
    wanted = first_network(page)(first_digit())
    card = digit_card(page, "2:7")
    expect(card.get_by_role("slider")).to_have_count(0)
    shares = rows(card.get_by_role("table", name="Softmax"))
    exact = [number(row.locator("td.number").last.get_attribute("title")) for row in shares]
    np.testing.assert_allclose(exact, wanted, rtol=1e-4, atol=1e-12)
    assert [row.get_attribute("aria-current") for row in shares].index("true") == 7


def test_all_terms_are_in_a_table_that_can_be_sorted(page):
    network = first_network(page)
    weights, products = network.layers[0].weights[3], network.trace(first_digit()).neuron(0, 3).products
    card = digit_card(page, "0:3")
    card.get_by_role("button", name="all 784 terms").click()
    table = card.get_by_role("table", name="All 784 terms")

    def first(column):
        return titles(rows(table)[0])[column]

    assert first(2) == pytest.approx(products[np.abs(products).argmax()])
    head = table.get_by_role("columnheader", name="weight")
    for direction, wanted in [
        ("other", weights[np.abs(weights).argmax()]),
        ("descending", weights.max()),
        ("ascending", weights.min()),
    ]:
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", direction)
        assert first(1) == pytest.approx(float(wanted))
    table.get_by_role("button", name="input").click()
    assert cells(rows(table)[0])[0] == "pixel 0,0"
    card.get_by_role("button", name="rows after").click()
    assert cells(rows(table)[0])[0] == "pixel 0,16"
    expect(card.get_by_text("17\u201332 of 784")).to_be_visible()


def test_a_term_under_the_pointer_is_told(page):
    card = digit_card(page, "1:5")
    row = rows(card.get_by_role("table", name="The strongest terms"))[2]
    row.get_by_role("rowheader").hover()
    expect(card.locator(".readout")).to_contain_text(cells(row)[0])


def test_a_table_s_columns_have_their_names(visit, serve, tmp_path):
    schema = gn.Schema(input_shape=(2,), features=("age", "hue"), classes=("cat", "dog"))
    network = gn.Network.from_layers([([[1.0, -2.0]], [0.5], "relu"), ([[1.0], [-1.0]], [0.0, 0.0], "softmax")])
    path = tmp_path / "pets.safetensors"
    network.with_schema(schema).save(path)
    page = visit(serve(path))
    card = open_card(page, "0:0")
    terms = card.get_by_role("table", name="All terms of the weighted sum")
    assert [cells(row)[0] for row in rows(terms)] == ["age", "hue"]
    assert "all" not in card.get_by_role("button").all_inner_texts()
    card = open_card(page, "1:1")
    expect(card.get_by_role("heading", level=2)).to_have_text("Neuron 1:1, output \u201cdog\u201d")


def test_it_reads_well_aloud(page):
    card = digit_card(page, "0:3")
    headings = [re.sub(r"\s+", " ", text) for text in card.get_by_role("heading", level=3).all_text_contents()]
    assert [text.strip() for text in headings[:2]] == ["1 Weighted sum all 784 terms", "2 + bias"]
    assert headings[2].strip().startswith("3 Squish")
    expect(card.get_by_role("columnheader")).to_have_text(["input", "value", "weight", "product"])
    expect(card.get_by_role("button", name="Template of 0:3")).to_be_visible()
    expect(card.get_by_role("img", name="Each weight of 0:3 times this input")).to_be_visible()


def test_it_closes(page):
    card = digit_card(page, "0:3")
    card.get_by_role("button", name="Close the card").click()
    expect(card).to_have_count(0)
    digit_card(page, "0:3")
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)


@pytest.mark.parametrize("width", [320, 390, 640])
def test_it_fits_a_narrow_screen(visit, served, width):
    page = visit(served, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    card = digit_card(page, "0:3")
    card.get_by_role("button", name="all 784 terms").click()
    assert card.evaluate("(element) => element.scrollWidth - element.clientWidth") <= 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_lesson_can_keep_the_knobs_away(visit, served):
    card = digit_card(visit(served, "#hide=knobs"), "0:3")
    expect(card.get_by_role("table", name="The strongest terms")).to_be_visible()
    expect(card.get_by_role("img", name="sigmoid: z")).to_be_visible()
    for role in ("textbox", "slider", "combobox"):
        expect(card.get_by_role(role)).to_have_count(0)
    expect(card.get_by_role("button", name="paint")).to_have_count(0)


def test_a_lesson_can_keep_the_steps_and_names_away(visit, served):
    card = digit_card(visit(served, "#hide=steps,names"), "2:7")
    expect(card.get_by_role("heading")).to_have_text(["Neuron 2:7"])
    expect(card.get_by_role("table")).to_have_count(0)


@pytest.mark.parametrize("address", ["1:5", "2:7"])
def test_inputs_share_out_z_as_in_python(page, address):
    layer, index = map(int, address.split(":"))
    network = first_network(page)
    found = gn.explain.attribution(network, first_digit(), neuron=(layer, index))
    card = digit_card(page, address)
    card.get_by_role("button", name="share z out among 784 inputs").press("Enter")
    table = card.get_by_role("table", name="The inputs that gave most to z")
    top = np.abs(found.contributions).max()
    names = network.trace(first_digit()).neuron(0, 0).input_names
    for row in rows(table):
        i = names.index(cells(row)[0])
        value = number(row.locator("td.number").last.get_attribute("title"))
        np.testing.assert_allclose(value, found.contributions[i], atol=0.01 * top)
    lines = [(row.get_attribute("class"), row.locator("td.number").last.inner_text())
             for row in table.locator("tbody tr, tfoot tr").all()]  # fmt: skip
    figures = [number(text) for _, text in lines]
    first, last = (i for i, (kind, _) in enumerate(lines) if kind == "total")
    assert sum(figures[:first]) == pytest.approx(figures[first], abs=1e-9)
    assert sum(figures[first:last]) == pytest.approx(figures[last], abs=1e-9)
    z = network.trace(first_digit()).neuron(layer, index).pre_activation
    np.testing.assert_allclose(figures[last], z, atol=1e-3)


def test_a_softmax_share_can_be_checked_by_hand(page):
    card = digit_card(page, "2:7")
    table = card.get_by_role("table", name="Softmax: the share of each output of the layer")
    table_rows = [
        [number(cell.get_attribute("title")) for cell in row.locator("td.number").all()] for row in rows(table)
    ]
    z, powers, shares = np.array(table_rows).T
    np.testing.assert_allclose(powers, np.exp(z), rtol=1e-5)
    total = number(table.get_by_role("row", name="sum").locator("td.number").first.get_attribute("title"))
    np.testing.assert_allclose(powers.sum(), total, rtol=1e-6)
    np.testing.assert_allclose(powers / total, shares, rtol=1e-4, atol=1e-7)
