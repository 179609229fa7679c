"""Training on the page, as a visitor does it: play, stop, go back, look at a step, learn shapes and tables."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import glassnet as gn
import glassnet.web

TABLE = "length,width,kind\n" + "".join(
    f"{center + shift},{-center},{name}\n" for shift in range(20) for center, name in ((0, "oak"), (40, "elm"))
)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def choose(page, label, value):
    page.get_by_label(label, exact=True).select_option(value)


def figure(page, name):
    """A figure of the run, "step" or "accuracy", as a number."""
    text = page.locator("dl div", has=page.locator("dt", has_text=re.compile(f"^{name}$"))).locator("dd").inner_text()
    return float(re.sub(r"[ ,%\s]", "", text))


def expect_step(page, step):
    expect(page.get_by_label("Timeline: step")).to_have_attribute("aria-valuetext", re.compile(f"^step {step} "))


def begin(page, data):
    """A run on a toy shape or so, at its first step."""
    choose(page, "train on", data)
    expect_step(page, 0)


def turned(page):
    """What the next step does, exactly: the titles of the table's cells."""
    cells = page.get_by_role("table").filter(has_text="gradient g").locator("td[title]")
    expect(cells.first).to_be_visible()
    return [cells.nth(i).get_attribute("title") for i in range(cells.count())]


def test_digits_are_learnt_from_random_numbers_and_any_step_can_be_had_again(page):
    page.get_by_label("endless").check()  # ten epochs may be over before Pause is pressed
    press(page, "Play")
    page.wait_for_function(
        "() => /accuracy\\s*9\\d/.test(document.querySelector('dl:has(dt)')?.innerText ?? '')", timeout=120_000
    )
    press(page, "Pause")
    end = figure(page, "step")
    assert end > 100
    timeline = page.get_by_label("Timeline: step")
    timeline.press("Home")
    expect_step(page, 0)
    page.wait_for_function("() => !/accuracy\\s*9\\d/.test(document.querySelector('dl:has(dt)').innerText)")
    assert figure(page, "accuracy") < 40
    timeline.press("End")
    page.wait_for_function("() => /accuracy\\s*9\\d/.test(document.querySelector('dl:has(dt)').innerText)")
    assert figure(page, "step") == end


def test_the_same_seed_gives_the_same_bits(page):
    begin(page, "circle")
    press(page, "Epoch")
    expect_step(page, 40)
    first = turned(page)
    page.get_by_label("seed", exact=True).fill("1")
    press(page, "Start again")
    press(page, "Epoch")
    expect_step(page, 40)
    assert turned(page) != first
    page.get_by_label("seed", exact=True).fill("0")
    press(page, "Start again")
    press(page, "Epoch")
    expect_step(page, 40)
    assert turned(page) == first


def test_a_step_can_be_walked_through(page):
    choose(page, "train on", "xor")
    page.get_by_label("batch", exact=True).fill("1")
    press(page, "Start again")
    expect_step(page, 0)
    told = page.get_by_role("status").filter(visible=True)
    for phase, words in (
        ("forward", "It says"),
        ("loss", "Its loss"),
        ("backward", "The gradient"),
        ("update", "Each number p moved"),
    ):
        press(page, "Sample")
        expect(page.locator("li[aria-current=step]")).to_have_text(phase)
        expect(told.filter(has_text=words)).to_have_count(1)
    expect_step(page, 1)


def test_a_spiral_is_learnt_with_its_boundary_behind_the_points(page):
    begin(page, "circle")
    press(page, "Play")
    page.wait_for_function("() => /accuracy\\s*(9\\d|100)/.test(document.querySelector('dl:has(dt)').innerText)")
    press(page, "Pause")
    expect(page.get_by_role("img", name="The network's answer all over the plane")).to_be_visible()
    colours = page.locator(".plane canvas").first.evaluate(
        """canvas => { const { width, height } = canvas, at = canvas.getContext("2d");
                       const pixel = (x, y) => [...at.getImageData(x, y, 1, 1).data.slice(0, 3)];
                       return [pixel(width / 2, height / 2), pixel(1, 1)]; }"""
    )
    (red, _, blue), (outer_red, _, outer_blue) = colours
    assert blue > red  # a blue disc ...
    assert outer_red > outer_blue  # ... in orange


def test_a_table_is_learnt(page):
    page.get_by_label("CSV file").set_input_files(
        {"name": "trees.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
    )
    expect(page.get_by_text("32 rows to train on, 8 drawn at random are held out.")).to_be_visible()
    press(page, "Play")
    page.wait_for_function("() => /accuracy\\s*100/.test(document.querySelector('dl:has(dt)').innerText)")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_play_waits_for_a_table_that_is_being_read(page):
    begin(page, "circle")
    held = []
    page.route("**/api/tables?*", lambda route: route.continue_() if held else held.append(route))
    with page.expect_request("**/api/tables?*"):
        page.get_by_label("CSV file").set_input_files(
            {"name": "trees.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
        )
    press(page, "Play")
    held[0].continue_()
    expect(page.get_by_text("32 rows to train on, 8 drawn at random are held out.")).to_be_visible()
    page.wait_for_function("() => /accuracy\\s*100/.test(document.querySelector('dl:has(dt)').innerText)")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_a_table_has_the_inputs_that_the_command_gives_it(page, tmp_path):
    rows = [
        f"{i % 9},{'red' if i % 2 else 'blue'},{'a' if i % 4 else ''},{'hot' if i % 2 else 'cold'}\n" for i in range(40)
    ]
    (tmp_path / "mixed.csv").write_text("".join(["n,colour,note,kind\n", *rows]))
    data = gn.data.read(tmp_path / "mixed.csv", "kind")
    page.get_by_label("CSV file").set_input_files(tmp_path / "mixed.csv")
    for note in data.notes:
        expect(page.get_by_text(note)).to_be_visible()
    expect(page.get_by_text("32 rows to train on")).to_be_visible()
    press(page, "Epoch")
    for name in data.schema.features:
        expect(page.get_by_role("slider", name=f"{name}, slider")).to_be_visible()


def test_measurements_are_learnt_in_any_unit(page):
    rows = [f"{i % 7},{i % 5},{300_000.5 + 40_000 * (i % 7) - 20_000 * (i % 5)}\n" for i in range(60)]
    table = "".join(["rooms,noise,price\n", *rows])
    page.get_by_label("CSV file").set_input_files(
        {"name": "houses.csv", "mimeType": "text/csv", "buffer": table.encode()}
    )
    expect(page.get_by_text("The loss of price is in standard deviations")).to_be_visible()
    press(page, "Play")
    expect(page.get_by_text("R\u00b2 on 12 houses.csv, held out")).to_contain_text(
        re.compile(r"0\.9[5-9]|1\.00"), timeout=60_000
    )
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    answer = page.get_by_role("gridcell", name=re.compile("^output price, neuron 1:0, activation"))
    first = min(np.random.default_rng(0).permutation(60)[:12])  # of the rows held out
    wanted = 300_000.5 + 40_000 * (first % 7) - 20_000 * (first % 5)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert float(answer.get_attribute("aria-label").rpartition(" ")[2]) == pytest.approx(wanted, rel=0.1)


def test_text_in_a_column_of_numbers_is_named_and_the_run_stays(page):
    begin(page, "gauss")
    press(page, "Epoch")
    expect_step(page, 40)
    bad = TABLE.replace("40,-40,elm", "forty,-40,elm", 1)
    page.get_by_label("CSV file").set_input_files({"name": "trees.csv", "mimeType": "text/csv", "buffer": bad.encode()})
    expect(page.get_by_role("alert")).to_contain_text("Column 'length' has 'forty' in row 2 below the header")
    expect_step(page, 40)


@pytest.mark.parametrize(
    ("sizes", "words"),
    [("100000-100000", "10,000,600,002 numbers"), ("16-two", "whole numbers from 1 up")],
    ids=["large", "letters"],
)
def test_sizes_that_cannot_be_are_refused_and_the_run_stays(page, sizes, words):
    begin(page, "gauss")
    press(page, "Epoch")
    expect_step(page, 40)
    page.get_by_label("hidden sizes", exact=True).fill(sizes)
    press(page, "Start again")
    expect(page.get_by_role("alert").filter(has_text=words).first).to_be_visible()
    expect_step(page, 40)


def test_a_run_that_diverges_stops_and_offers_the_way_back(page):
    begin(page, "spiral")
    choose(page, "output", "identity")
    choose(page, "optimizer", "sgd")
    press(page, "Start again")
    press(page, "Epoch")
    expect_step(page, 40)
    page.get_by_label("rate", exact=True).fill("1e9")
    page.get_by_label("rate", exact=True).press("Tab")
    press(page, "Play")
    alert = page.get_by_role("alert").filter(has_text="The run diverged")
    expect(alert).to_be_visible()
    alert.get_by_role("button", name=re.compile("Go back to step")).click()
    expect(alert).not_to_be_visible()
    expect(page.get_by_label("rate", exact=True)).to_have_value("100000000")
    assert figure(page, "step") <= 40


def test_a_single_file_trains_on_its_sample_with_the_network_off(browser, tmp_path):
    file = tmp_path / "page.html"
    network = Path(glassnet.web.__file__).parent / "examples" / "digits-relu.safetensors"
    export = [sys.executable, "-m", "glassnet", "export", str(network), "--to", "html", "-o", str(file)]
    subprocess.run(export, check=True, capture_output=True)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto(file.as_uri())
    press(page, "Play")
    expect(page.get_by_text("800 to learn from, 200 held out")).to_be_visible()
    page.wait_for_function("() => /accuracy\\s*[789]\\d/.test(document.querySelector('dl:has(dt)').innerText)")
    context.close()


def test_the_card_tells_what_a_step_does_to_its_numbers(page):
    begin(page, "xor")
    page.get_by_role("gridcell", name=re.compile(r"\bneuron 2:1,")).click()
    told = page.get_by_role("article").get_by_role("region", name="A step of training")
    expect(told).to_contain_text(re.compile("This step moves the bias by .+; its gradient is "))
    row = page.get_by_role("row", name=re.compile("^bias of 2:1 ")).locator("td[title]")
    _, gradient, move = (cell.get_attribute("title") for cell in row.all())
    assert told.locator("p .number").evaluate_all("all => all.map((each) => each.title)") == [move, gradient]
    expect(told.get_by_role("row")).to_have_count(7)
    page.get_by_role("button", name="all 8 terms").click()
    by = page.get_by_role("columnheader", name="gradient").get_by_role("button")
    by.click()
    sizes = page.get_by_role("article").locator("table:has(caption:text('All 8')) td:nth-child(5)")
    titles = sizes.evaluate_all("all => all.map((each) => Math.abs(Number(each.title.replace('\u2212', '-'))))")
    assert len(titles) == 8
    assert titles == sorted(titles, reverse=True)
    press(page, "Sample")
    expect(told).to_have_count(0)
    for _ in range(2):
        press(page, "Sample")
    expect(told).to_contain_text("The gradient of the bias is ")
    expect(told).not_to_contain_text("moved by")


def test_each_network_comes_with_examples_that_fit_it(page):
    chooser = page.get_by_role("combobox", name="Network", exact=True)
    given = chooser.input_value()
    card = page.get_by_text(re.compile("^accuracy on"))
    expect(card).to_contain_text("10,000 test digits")
    for toy in ("spiral", "circle"):
        begin(page, toy)
    for name, examples in (("spiral, run 1", "100 spiral, held out"), ("circle, run 2", "100 circle, held out")):
        chooser.select_option(label=name)
        expect(card).to_contain_text(examples)
        expect(page.get_by_role("slider", name="x1, slider")).to_be_visible()
    chooser.select_option(given)
    expect(card).to_contain_text("10,000 test digits")
    expect(page.get_by_role("button", name=re.compile("^test digits 1,"))).to_be_visible()
    expect(page.get_by_text("looks like").first).to_be_visible()


def test_the_way_back_is_drawn_in_the_gradient(page):
    begin(page, "xor")
    legend = page.locator(".legend")
    expect(legend).to_contain_text("w × a")
    for _ in range(3):
        press(page, "Sample")
    expect(legend).to_contain_text("gradient")
    press(page, "Batch")
    expect(legend).to_contain_text("w × a")
