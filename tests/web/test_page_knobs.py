"""Knobs turned on the page give what the same edits give in Python; every turn is a line, and can be undone."""

import re

import numpy as np
import pytest
from neuron_card import NUMBER, digit_card, first_digit, first_network, number, outputs, same_outputs
from playwright.sync_api import expect

import glassnet as gn


@pytest.fixture
def card(page):
    return digit_card(page, "0:3")


@pytest.fixture
def changes(page):
    return page.get_by_role("group", name="Changes")


def bias_field(card):
    return card.get_by_role("textbox", name="bias of 0:3")


def exact(field):
    return number(field.get_attribute("title"))


def drag(page, element, dx, begin=(0.5, 0.5)):
    """From the middle of an element, or from a place of it in shares, to the right."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    x, y = box["x"] + box["width"] * begin[0], box["y"] + box["height"] * begin[1]
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y, steps=8)
    page.mouse.up()


def lines(changes):
    changes.get_by_role("button", name=re.compile("edited|as it came")).click()
    return [re.sub(r"\s+", " ", text).strip() for text in changes.get_by_role("listitem").all_inner_texts()]


def test_a_typed_bias_gives_what_python_gives(page, card):
    before = first_network(page)
    field = bias_field(card)
    for typed, bias in [("3.5", 3.5), ("\u22122", -2.0), ("1/3", 1 / 3)]:
        field.fill(typed)
        field.press("Enter")
        assert same_outputs(page, before.edit(0, 3, bias=bias)(first_digit()))
        assert exact(field) == pytest.approx(bias)


def test_a_typed_weight_gives_what_python_gives(page, card):
    network = first_network(page)
    field = card.get_by_role("textbox", name=re.compile("^weight for pixel")).first
    row, column = map(int, re.search(r"(\d+),(\d+)", field.get_attribute("aria-label")).groups())
    field.fill("-7")
    field.press("Enter")
    weights = network.layers[0].weights[3].copy()
    weights[28 * row + column] = -7
    assert same_outputs(page, network.edit(0, 3, weights=weights)(first_digit()))


def test_the_point_on_the_curve_is_the_bias(page, card, changes):
    network, test = first_network(page), gn.data.digits()[1]
    before = exact(bias_field(card))
    drag(page, card.get_by_role("slider"), 60)
    after = exact(bias_field(card))
    assert after > before + 1
    edited = network.edit(0, 3, bias=after)
    assert same_outputs(page, edited(first_digit()))
    was, now = (f"{100 * gn.evaluate(each, test).accuracy:.1f} %" for each in (network, edited))
    expect(card.get_by_text("accuracy on 10,000 test digits")).to_contain_text(f"{was} \u2192 {now}")
    (line,) = lines(changes)
    assert line.startswith("bias of 0:3: ")
    assert [number(text) for text in NUMBER.findall(line.partition(": ")[2])] == pytest.approx(
        [before, after], rel=0.006
    )


def test_the_point_is_moved_by_the_keyboard_too(card):
    before = exact(bias_field(card))
    slider = card.get_by_role("slider")
    slider.focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowLeft"):
        slider.press(key)
    assert exact(bias_field(card)) == pytest.approx(before + 0.19, abs=1e-6)
    bias_field(card).press("ArrowDown")
    assert exact(bias_field(card)) == pytest.approx(before + 0.09, abs=1e-6)


def test_the_bar_of_a_term_is_its_weight(page, card, changes):
    network = first_network(page)
    field = card.get_by_role("textbox", name=re.compile("^weight for pixel")).nth(1)
    name, before = field.get_attribute("aria-label"), exact(field)
    drag(page, card.locator(".bar.turns").nth(1), 30)
    after = exact(card.get_by_role("textbox", name=name))
    assert after > before
    row, column = map(int, re.search(r"(\d+),(\d+)", name).groups())
    weights = network.layers[0].weights[3].copy()
    weights[28 * row + column] = after
    assert same_outputs(page, network.edit(0, 3, weights=weights)(first_digit()))
    assert len(lines(changes)) == 1


def test_the_brush_paints_a_template(page, card, changes):
    network = first_network(page)
    template = card.get_by_role("button", name="Template of 0:3")
    card.get_by_role("button", name="make weights 0").click()
    card.get_by_role("slider", name="size").fill("1")
    drag(page, template, template.bounding_box()["width"] * 10 / 28, begin=(10.5 / 28, 14.5 / 28))
    weights = network.layers[0].weights[3].copy()
    weights[28 * 14 + 10 : 28 * 14 + 21] = 0
    assert same_outputs(page, network.edit(0, 3, weights=weights)(first_digit()))
    assert lines(changes) == ["11 weights of 0:3 erased"]


def test_the_brush_paints_by_the_keyboard_too(page, card, changes):
    network = first_network(page)
    card.get_by_role("button", name="paint negative weights").click()
    card.get_by_role("slider", name="size").fill("1")
    template = card.get_by_role("button", name="Template of 0:3")
    template.focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        template.press(key)
    expect(card.locator(".readout")).to_contain_text("pixel 2,1")
    assert lines(changes) == ["1 weight of 0:3 painted with \u22121.00"]
    weights = network.layers[0].weights[3].copy()
    weights[28 * 2 + 1] = -1
    assert same_outputs(page, network.edit(0, 3, weights=weights)(first_digit()))


def test_a_layer_s_squish_can_be_chosen(page, card, changes):
    network = first_network(page)
    was = network.layers[0].activation
    chosen = "tanh" if was != "tanh" else "relu"
    card.get_by_role("combobox", name="squish of layer 0").select_option(chosen)
    assert same_outputs(page, network.with_activation(0, chosen)(first_digit()))
    assert lines(changes) == [f"squish of layer 0: {was} \u2192 {chosen}"]
    hidden = card.get_by_role("combobox", name="squish of layer 0").locator("option").all_inner_texts()
    assert "softmax" not in hidden


def test_changes_are_undone_redone_and_reset(page, card, changes):
    before, field = outputs(page), bias_field(card)
    for typed in ("4", "5"):
        field.fill(typed)
        field.press("Enter")
    expect(changes.get_by_role("button", name="edited: 2 changes")).to_be_visible()
    after = outputs(page)
    field.press("Control+z")
    assert exact(field) == 4
    page.get_by_role("heading", name="Neuron 0:3").focus()
    page.keyboard.press("Control+z")
    np.testing.assert_array_equal(outputs(page), before)
    page.keyboard.press("Control+Shift+z")
    changes.get_by_role("button", name="redo").click()
    np.testing.assert_array_equal(outputs(page), after)
    assert lines(changes)[-1].endswith("4.00 \u2192 5.00")
    changes.get_by_role("button", name="Reset all").click()
    np.testing.assert_array_equal(outputs(page), before)
    expect(changes.get_by_role("button", name="as it came")).to_be_visible()
    changes.get_by_role("button", name="undo").click()
    np.testing.assert_array_equal(outputs(page), after)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("abc", "\u201cabc\u201d is no number: type one like 0.5, \u22121.2 or 1/3."),
        ("1/0", "\u201c1/0\u201d divides by 0: type another number below the stroke."),
        ("1e99", "\u201c1e99\u201d is too large: 3.4e38 is the most that fits."),
    ],
    ids=["word", "zero", "large"],
)
def test_nonsense_stays_where_it_was_typed(page, card, typed, said):
    before, field = outputs(page), bias_field(card)
    field.fill(typed)
    field.press("Tab")
    expect(card.get_by_role("alert")).to_have_text(said)
    expect(field).to_have_value(typed)
    np.testing.assert_array_equal(outputs(page), before)
    field.fill("2")
    expect(card.get_by_role("alert")).to_have_count(0)


def test_escape_takes_back_what_is_being_typed(page, card):
    before, field = outputs(page), bias_field(card)
    was = exact(field)
    field.fill("4")
    assert exact(field) == 4
    field.press("Escape")
    assert exact(field) == was
    np.testing.assert_array_equal(outputs(page), before)
    expect(card).to_be_visible()


def test_numbers_that_overflow_are_said_as_such(page, card):
    for field in (bias_field(card), card.get_by_role("textbox", name=re.compile("^weight for pixel")).first):
        field.fill("3.4e38")
        field.press("Enter")
    expect(card.get_by_role("row", name="pre-activation z")).to_contain_text("\u221e")


def test_an_edited_network_is_kept_under_a_name_of_its_own(card, changes):
    field = bias_field(card)
    field.fill("4")
    field.press("Enter")
    lines(changes)
    name = changes.get_by_role("textbox", name="Keep as a network of your own")
    for kept in ("mine", "mine 2"):
        name.fill("mine")
        changes.get_by_role("button", name="Keep").click()
        expect(changes.get_by_role("status")).to_have_text(
            f"Kept as \u201c{kept}\u201d, among the networks to choose from."
        )
