"""The page for everyone: axe finds nothing, no view is wider than its window, and what is seen can be read."""

from pathlib import Path

import pytest
from playwright.sync_api import expect
from waiting import settled

AXE = (Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js").read_text()
PHONE, ZOOMED, DESK = ({"width": w, "height": h} for w, h in ((390, 844), (640, 400), (1280, 800)))


def violations(page):
    """What axe finds: rule, element. (Its source is run by the browser's own tools, past the page's policy.)"""
    settled(page)
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document)")
    return [
        (rule["id"], node["target"], node["failureSummary"]) for rule in found["violations"] for node in rule["nodes"]
    ]


def open_card(page):
    page.locator("[role=gridcell][tabindex='0']").focus()
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Neuron 0:0").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(visit, served, scheme, size):
    page = visit(served, viewport=size, color_scheme=scheme)
    assert violations(page) == []
    open_card(page)
    assert violations(page) == []


@pytest.mark.parametrize("view", ["Compare", "Count"])
def test_axe_finds_nothing_in_the_other_views(page, view):
    page.get_by_role("navigation").get_by_role("button", name=view).click()
    assert violations(page) == []


@pytest.mark.parametrize("size", [PHONE, ZOOMED], ids=["phone", "zoomed to 200 %"])
def test_nothing_is_wider_than_the_window(visit, served, size):
    page = visit(served, viewport=size)
    for step in (lambda: None, lambda: open_card(page)):
        step()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_on_a_phone_the_card_comes_from_below_and_goes_again(visit, served):
    page = visit(served, viewport=PHONE, has_touch=True)
    card = page.locator("#card")
    expect(card).to_be_hidden()
    open_card(page)
    settled(page)
    box = card.bounding_box()
    assert page.locator("[aria-selected=true]").bounding_box()["y"] < box["y"]
    assert box["y"] > PHONE["height"] / 3
    assert round(box["y"] + box["height"]) == PHONE["height"]
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_every_layer_has_its_table(page):
    tables = page.locator(".aloud table")
    expect(tables).to_have_count(3)
    expect(tables.nth(2).locator("caption")).to_contain_text("Layer 2, the outputs: 10 neurons, softmax")
    headings = ["neuron", "weighted sum", "bias", "pre-activation", "activation"]
    assert tables.first.get_by_role("columnheader").all_inner_texts() == headings
    assert tables.first.locator("tbody tr").count() == 16


def test_the_outcome_is_said_after_a_pause(page):
    page.get_by_role("button", name="test digits 1,").click()
    status = page.locator("[role=status]").filter(has_text="looks like 2")
    expect(status).to_be_attached()


def test_the_tab_key_reaches_pad_network_and_examples(page):
    page.get_by_text("looks like").first.wait_for()
    reached = set()
    page.get_by_role("heading", name="glassnet").click()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('role') ?? document.activeElement.tagName"))
    assert {"application", "gridcell", "BUTTON", "INPUT", "SELECT"} <= reached


def test_with_forced_colours_pictures_and_focus_are_still_seen(visit, served):
    page = visit(served, forced_colors="active")
    page.get_by_text("looks like").first.wait_for()
    settled(page)
    shades = page.evaluate(
        """() => {
          const canvas = document.querySelector('[role=application] canvas');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return new Set(Array.from({ length: 784 }, (_, i) => data[4 * i])).size;
        }"""
    )
    assert shades > 20
    fills = page.locator("[role=gridcell] circle").evaluate_all(
        "(discs) => discs.map((disc) => getComputedStyle(disc).fill)"
    )
    assert len(set(fills)) > 5
