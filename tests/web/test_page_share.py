"""What is given away: links, the page as one file, pictures, the network; and lessons."""

import json
import re
import xml.etree.ElementTree as ET
from importlib.resources import files

import numpy as np
import pytest
from playwright.sync_api import expect
from single_file import offline

import glassnet as gn

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def shared(page):
    expect(page.locator(".outcome")).to_contain_text("looks like 7")
    page.get_by_role("button", name="Share").click()
    return page


def download(page, name, path):
    with page.expect_download() as found:
        page.get_by_role("dialog", name="Share").get_by_role("button", name=name).click()
    found.value.save_as(path)
    return path


def link_of(page):
    return page.get_by_label("Link", exact=True).input_value()


def scramble(page):
    """The network edited: its numbers in other places."""
    page.get_by_role("button", name="Compare").click()
    page.get_by_label("The right network").select_option(label="the same, with other numbers")
    page.get_by_label("How much", exact=True).fill("0.01")
    page.get_by_role("button", name="Use these numbers").click()


def test_a_link_carries_view_and_edits(page, visit, served):
    scramble(page)
    page.get_by_role("button", name="Share").click()
    fragment = "#" + link_of(page).split("#")[1]
    assert "changes=" in fragment
    other = visit(served, fragment)
    expect(other.get_by_role("button", name="Compare")).to_have_attribute("aria-pressed", "true")
    other.get_by_role("button", name="edited: 1 change").click()
    expect(other.get_by_text("1 % of the values scrambled (seed 1)")).to_be_visible()


def test_a_drawn_input_travels(shared, visit, served):
    shared.keyboard.press("Escape")
    shared.get_by_role("button", name="Clear").click()
    shared.get_by_role("button", name="Share").click()
    expect(shared.get_by_label("Link", exact=True)).to_have_value(re.compile("input="))
    other = visit(served, "#" + link_of(shared).split("#")[1])
    outcome = shared.locator(".outcome").inner_text()
    expect(other.locator(".outcome")).to_contain_text(outcome.split(";")[0])


@pytest.mark.parametrize(
    "fragment",
    ["#network=nobody", "#network=digits-sigmoid&changes=AAAA", "#view=moon", "#%%%&&==&focus=x"],
    ids=["network", "changes", "view", "noise"],
)
def test_a_bad_link_is_told_and_the_page_opens_anyway(visit, served, fragment):
    page = visit(served, fragment)
    expect(page.get_by_role("alert")).to_contain_text("The link could not be read as a whole")
    expect(page.locator(".outcome")).to_contain_text("looks like 7")


def test_a_link_can_be_pasted(shared):
    shared.get_by_label("A link to follow").fill("http://127.0.0.1:1/#view=count&network=digits-relu")
    shared.get_by_role("button", name="Follow").click()
    expect(shared.get_by_role("heading", name="13,002 numbers make digits-relu")).to_be_visible()


def test_the_network_is_given_as_python_reads_it(page, tmp_path):
    scramble(page)
    page.get_by_role("button", name="Share").click()
    network = gn.load(download(page, "safetensors", tmp_path / "edited.safetensors"))
    original = gn.load(files("glassnet").joinpath("web", "examples", "digits-sigmoid.safetensors"))
    assert network.sizes == original.sizes
    for mine, theirs in zip(network.layers, original.layers, strict=True):
        np.testing.assert_array_equal(np.sort(mine.weights, axis=None), np.sort(theirs.weights, axis=None))
    assert (network.parameters != original.parameters).any()


def test_the_single_file_works_with_the_network_off(shared, browser, tmp_path):
    path = download(shared, "without a network", tmp_path / "page.html")
    assert path.stat().st_size < 2_000_000
    with offline(browser, path) as page:
        expect(page.locator(".outcome")).to_contain_text("looks like 7")
        expect(page.get_by_text("accuracy on 1,000 test digits")).to_be_visible()  # a worker told it
        page.get_by_role("button", name="Share").click()
        again = download(page, "without a network", tmp_path / "again.html")
    payloads = [json.loads(re.findall(r'id="payload">(.*?)</script>', p.read_text())[-1]) for p in (path, again)]
    assert payloads[0] == payloads[1]


def test_the_picture_is_svg_that_needs_nothing_from_outside(shared, tmp_path):
    text = download(shared, "SVG", tmp_path / "page.svg").read_text()
    root = ET.fromstring(text)
    assert len(root.findall(f".//{SVG}circle")) >= 32  # the hidden neurons
    assert any("looks like 7" in "".join(each.itertext()) for each in root.iter(f"{SVG}text"))
    addresses = [each.get("href") for each in root.iter() if each.get("href")]
    assert addresses
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    drawn = re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text)  # its letters may spell anything
    assert not re.search(r"<script|on\w+=|http(?!://www\.w3\.org)", drawn)


def test_the_picture_is_png_of_what_is_seen(shared, tmp_path):
    png = download(shared, "PNG", tmp_path / "page.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
    box = shared.locator("main > .middle").bounding_box()
    assert width > 1.8 * box["width"]
    assert height > 1.5 * box["height"]


def test_a_lesson_hides_what_it_says_and_can_be_left(visit, served):
    page = visit(served, "#network=digits-sigmoid&lesson=Draw+a+4.&hide=train,knobs,compare,card,share,files")
    expect(page.get_by_label("Lesson")).to_contain_text("Draw a 4.")
    for gone in ("Compare", "Share", "Lesson", "Play"):
        expect(page.get_by_role("button", name=gone, exact=True)).to_have_count(0)
    expect(page.get_by_role("combobox")).to_have_count(0)
    page.get_by_role("button", name="show everything").click()
    expect(page.get_by_role("button", name="Compare")).to_be_visible()


def test_a_locked_lesson_has_no_way_out(visit, served):
    page = visit(served, "#network=digits-sigmoid&lesson=Look&hide=count&locked=1")
    expect(page.get_by_label("Lesson")).to_be_visible()
    expect(page.get_by_role("button", name="show everything")).to_have_count(0)


def test_knobs_that_are_hidden_are_not_there(visit, served):
    page = visit(served, "#network=digits-sigmoid&focus=0:3&hide=knobs")
    card = page.get_by_role("article")
    expect(card).to_contain_text("Neuron 0:3")
    expect(card.get_by_role("textbox")).to_have_count(0)
    expect(card.get_by_role("slider")).to_have_count(0)
    expect(card.get_by_role("combobox")).to_have_count(0)


def test_names_that_are_hidden_are_not_told(visit, served):
    page = visit(served, "#network=digits-sigmoid&hide=names")
    expect(page.locator(".outcome")).to_contain_text("looks like ?")


def test_a_teacher_makes_a_lesson_sees_it_and_sends_it(shared):
    shared.keyboard.press("Escape")
    shared.get_by_role("button", name="Lesson").click()
    shared.get_by_label("What it says on top").fill("Which neuron likes sevens?")
    shared.get_by_label("Training").check()
    shared.get_by_role("button", name="Preview").click()
    expect(shared.get_by_role("button", name="Play")).to_have_count(0)
    shared.get_by_role("button", name="Back to making the lesson").click()
    expect(shared.get_by_role("button", name="Play")).to_be_visible()
    shared.get_by_role("button", name="Share").click()
    expect(shared.get_by_label("Link", exact=True)).to_have_value(re.compile("hide=train"))
