"""The page's input and network as a visitor has them: drawing, picking, walking; Python is the oracle of numbers."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import expect
from waiting import until

import glassnet as gn
from glassnet.data.images import as_digit
from glassnet.schema import Schema

EXAMPLES = Path(gn.__file__).parent / "web" / "examples"


@pytest.fixture(scope="module")
def digits():
    return gn.data.digits()[1]


@pytest.fixture(scope="module")
def shown():
    """The network of the first view."""
    return gn.load(EXAMPLES / "digits-sigmoid.safetensors")


def pad(page):
    return page.get_by_role("application", name=re.compile("Drawing pad"))


def draw(page, *strokes):
    """Draws strokes, each a list of (across, down) as shares of the pad."""
    box = pad(page).bounding_box()
    for (x, y), *others in strokes:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.mouse.down()
        for x, y in others:
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        page.mouse.up()


SEVEN = [(0.28, 0.2), (0.7, 0.2), (0.42, 0.85)]


def picture(page):
    """Grey values on the pad, 0 = paper, 255 = ink, as its colours (light) say: right to about one of 255."""
    page.mouse.move(5, 5)
    page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    red = page.evaluate(
        """() => {
          const canvas = document.querySelector('[role=application] canvas');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
        }"""
    )
    return (255 - np.array(red).reshape(28, 28)) * (255 / (255 - 0x16))


def activations(page, layer):
    """The exact activations of a layer, as its neurons tell them."""
    row = page.get_by_role("row", name=re.compile(f"layer {layer},"))
    told = [cell.get_attribute("aria-label") for cell in row.get_by_role("gridcell").all()]
    return np.array([float(label.rsplit(" ", 1)[1].replace("\u2212", "-")) for label in told])


def test_a_trained_network_reads_a_digit_at_the_first_visit(page, shown, digits):
    expect(page.get_by_text("looks like 7").first).to_be_visible()
    trace = shown.trace(digits.inputs[0])
    for layer in range(3):
        np.testing.assert_allclose(activations(page, layer), trace.layers[layer].activations, rtol=2e-4, atol=1e-7)


def test_the_signal_is_seen_to_pass_once(visit, served):
    page = visit(served)
    expect(page.locator("g.waiting").first).to_be_attached(timeout=1000)
    expect(page.locator("g.waiting")).to_have_count(0)
    still = visit(served, reduced_motion="reduce")
    still.get_by_text("looks like").first.wait_for()
    assert still.locator("g.waiting").count() == 0


def test_a_drawn_digit_is_recognised_and_the_invitation_goes(page):
    expect(page.get_by_text("Draw a digit here")).to_be_visible()
    page.get_by_role("button", name="test digits 1,").click()
    expect(page.get_by_text("looks like 2").first).to_be_visible()
    draw(page, SEVEN)
    expect(page.get_by_text("looks like 7").first).to_be_visible()
    expect(page.get_by_text("Draw a digit here")).to_have_count(0)
    expect(page.get_by_text("drawn", exact=True)).to_be_visible()


def test_a_drawing_is_brought_to_the_form_of_mnist_when_the_pen_rests(page):
    draw(page, [(0.05, 0.1), (0.3, 0.1), (0.1, 0.5)])

    def longer_side():
        ink = picture(page)
        rows, columns = np.nonzero(ink.max(axis=1) > 2)[0], np.nonzero(ink.max(axis=0) > 2)[0]
        return max(np.ptp(rows), np.ptp(columns)) + 1

    assert until(page, lambda: longer_side() == 20)
    ink = picture(page)
    assert abs((ink.sum(axis=1) @ np.arange(28)) / ink.sum() - 14) < 0.6
    assert abs((ink.sum(axis=0) @ np.arange(28)) / ink.sum() - 14) < 0.6


def test_a_drawing_stays_where_it_is_if_that_is_wanted(page):
    page.clock.install()
    page.get_by_label("fit").uncheck()
    draw(page, [(0.05, 0.1), (0.3, 0.1)])
    page.clock.run_for(5000)
    ink = picture(page)
    assert ink[2:4, 3:8].max() > 200
    assert ink[10:].max() < 2


def test_pen_rubber_and_clear(page):
    page.get_by_label("fit").uncheck()
    draw(page, [(0.2, 0.5), (0.8, 0.5)])
    full = picture(page)
    page.get_by_role("button", name="Rubber").click()
    draw(page, [(0.5, 0.2), (0.5, 0.8)])
    cut = picture(page)
    assert full[13:15, 13:15].max() > 200
    assert cut[13:15, 13:15].max() < 5
    assert cut[13:15, 6].max() > 200
    page.get_by_role("button", name="Clear").click()
    assert picture(page).max() < 2


def test_drawing_by_keyboard(page):
    page.get_by_label("fit").uncheck()
    page.get_by_role("heading", name="glassnet").click()
    page.keyboard.press("d")
    expect(pad(page)).to_be_focused()
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("row 11, column 16, paper")).to_be_attached()
    ink = picture(page)
    assert (ink[5:12, 14] > 200).all()
    assert ink[15:, 14].max() < 2
    page.keyboard.press("Delete")
    assert picture(page).max() < 2


def test_fingers_draw(visit, served):
    page = visit(served, viewport={"width": 390, "height": 844}, has_touch=True)
    box = pad(page).bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_text("drawn", exact=True)).to_be_visible()
    assert pad(page).evaluate("(pad) => getComputedStyle(pad).touchAction") == "none"


def test_test_digits_are_picked_by_class_and_by_number(page, digits):
    page.get_by_role("group", name="Which class").get_by_role("button", name="3").click()
    offered = page.get_by_role("list", name="Examples to pick").get_by_role("button")
    threes = np.flatnonzero(digits.targets == 3)
    expect(offered).to_have_count(18)
    expect(offered.first).to_have_attribute("aria-label", f"test digits {threes[0]}, a 3")
    page.get_by_role("button", name="More examples").click()
    expect(offered.first).to_have_attribute("aria-label", f"test digits {threes[18]}, a 3")
    page.get_by_label("no.").fill("4711")
    page.get_by_label("no.").press("Enter")
    expect(page.get_by_text("test digits, 4711")).to_be_visible()
    np.testing.assert_allclose(picture(page), digits.inputs[4711].reshape(28, 28), atol=1.5)


def test_a_number_that_is_none_is_said_to_be_none(page):
    page.get_by_label("no.").fill("12x")
    page.get_by_label("no.").press("Enter")
    expect(page.get_by_role("alert")).to_have_text('"12x" is no number from 0 to 9,999')
    expect(page.get_by_text("test digits, 0")).to_be_visible()


def test_the_ones_it_gets_wrong_are_those_that_python_finds(page, shown, digits):
    wrong = np.flatnonzero(shown(digits.inputs).argmax(axis=1) != digits.targets)
    following = page.get_by_role("button", name=f"Next of {len(wrong)} it gets wrong")
    for index in wrong[wrong > 0][:2]:
        following.click()
        expect(page.get_by_text(f"test digits, {index}")).to_be_visible()
        expect(page.get_by_text(f"; it is {digits.targets[index]}")).to_be_visible()


def test_a_picture_file_is_read_as_python_reads_it(page, tmp_path):
    photo = Image.linear_gradient("L").resize((220, 300)).point(lambda value: 180 + value // 5)
    ImageDraw.Draw(photo).line([(60, 70), (150, 70), (90, 230)], fill=40, width=22, joint="curve")
    photo.save(tmp_path / "seven.png")
    page.get_by_label("A picture file").set_input_files(tmp_path / "seven.png")
    expect(page.get_by_text("seven.png")).to_be_visible()
    expected = as_digit(tmp_path / "seven.png").reshape(28, 28)
    np.testing.assert_allclose(picture(page), expected, atol=3)
    expect(page.get_by_text("looks like 7").first).to_be_visible()


def test_a_file_that_is_no_picture_is_refused(page, tmp_path):
    (tmp_path / "notes.png").write_text("no picture")
    page.get_by_label("A picture file").set_input_files(tmp_path / "notes.png")
    expect(page.get_by_role("alert")).to_have_text("That file cannot be read as a picture. Save it as PNG or JPEG.")
    expect(page.get_by_text("test digits, 0")).to_be_visible()


def coloured(page):
    """How many pixels of the pad are no grey."""
    return page.evaluate(
        """() => {
          const canvas = document.querySelector('[role=application] canvas');
          const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          const isColour = (_, i) => Math.abs(data[4 * i] - data[4 * i + 2]) > 25;
          return Array.from({ length: 784 }, isColour).filter(Boolean).length;
        }"""
    )


def test_a_neuron_under_the_pointer_lays_its_template_over_the_picture(page):
    expect(page.locator("g.waiting")).to_have_count(0)
    assert coloured(page) == 0
    page.get_by_role("gridcell", name=re.compile("neuron 0:5,")).hover()
    expect(page.get_by_text("0:5", exact=False).last).to_be_visible()
    assert until(page, lambda: coloured(page) > 100)
    page.mouse.move(5, 5)
    assert until(page, lambda: coloured(page) == 0)


def test_the_network_is_walked_by_keyboard(page):
    cell = page.locator("[role=gridcell][tabindex='0']")
    cell.focus()
    for key, name in [("ArrowDown", "neuron 0:1,"), ("ArrowRight", "neuron 1:1,"), ("End", "neuron 1:15,")]:
        page.keyboard.press(key)
        expect(page.locator("[role=gridcell]:focus")).to_have_attribute("aria-label", re.compile(name))
    assert page.locator("[role=gridcell][tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Neuron 1:15")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Neuron 1:15")).to_have_count(0)
    expect(page.locator("[role=gridcell]:focus")).to_have_attribute("aria-label", re.compile("neuron 1:15,"))


@pytest.mark.parametrize("sizes", ["784-300-10", "784-4000-30-10"])
def test_wide_layers_are_cells_that_can_be_walked(visit, serve, tmp_path, digits, sizes):
    network = gn.Network.create(sizes, activation="tanh", output="softmax", seed=3).with_schema(digits.schema)
    network.save(tmp_path / "wide.safetensors")
    page = visit(serve(tmp_path / "wide.safetensors"))
    expect(page.get_by_text("a 7")).to_be_visible()
    page.locator("[role=gridcell][tabindex='0']").focus()
    page.keyboard.press("End")
    last = network.sizes[1] - 1
    activation = float(network.trace(digits.inputs[0]).layers[0].activations[last])
    label = page.locator("[role=gridcell]:focus").get_attribute("aria-label").replace("\u2212", "-")
    said = re.fullmatch(rf"neuron 0:{last}, activation (.*)", label)[1]
    assert math.isclose(float(said), activation, rel_tol=2e-4)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=f"Neuron 0:{last}")).to_be_visible()


def test_inputs_of_a_table_are_set_in_its_own_units(visit, serve, tmp_path):
    schema = Schema((2,), None, ("age", "height"), (40.0, 1.7), (12.0, 0.1), ("short", "long"))
    network = gn.Network.create("2-5-2", activation="tanh", output="softmax", seed=1).with_schema(schema)
    network.save(tmp_path / "table.safetensors")
    page = visit(serve(tmp_path / "table.safetensors"))
    page.get_by_label("age", exact=True).fill("64")
    page.get_by_label("age", exact=True).press("Enter")
    page.get_by_label("height, slider").fill("1.8")
    np.testing.assert_allclose(activations(page, 1), network([64, 1.8]), rtol=1e-4)
    page.get_by_label("age", exact=True).fill("old")
    page.get_by_label("age", exact=True).press("Enter")
    expect(page.get_by_role("alert")).to_have_text("A number is needed here, such as 1.5.")
    expect(page.get_by_label("age", exact=True)).to_have_value("old")
    np.testing.assert_allclose(activations(page, 1), network([64, 1.8]), rtol=1e-4)
