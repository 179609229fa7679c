"""Two networks on the page: what it says of them is what Python says."""

import re
from importlib.resources import files

import numpy as np
import pytest
from playwright.sync_api import expect

import glassnet as gn
from glassnet.explain import perturbations

RIGHT_FILE = "section[aria-label=Compare] input[type=file] >> nth=1"


def example(name):
    return gn.load(files("glassnet").joinpath("web", "examples", f"{name}.safetensors"))


@pytest.fixture(scope="module")
def test_digits():
    return gn.data.digits()[1]


@pytest.fixture
def compared(page):
    page.get_by_role("button", name="Compare").click()
    choose(page, "left", "digits-sigmoid")
    choose(page, "right", "digits-sigmoid-2")
    return page


def choose(page, side, name):
    select = page.get_by_label(f"The {side} network")
    if select.evaluate("s => s.selectedOptions[0].text") != name:
        select.select_option(label=name)


def percent(share):
    return f"{100 * share:.1f} %"


def test_accuracies_and_disagreements_are_those_of_python(compared, test_digits):
    a, b = example("digits-sigmoid"), example("digits-sigmoid-2")
    answers = [network(test_digits.scaled(np.float32)).argmax(axis=1) for network in (a, b)]
    right = [answer == test_digits.targets for answer in answers]
    shares = [percent(np.mean(each)) for each in right]
    expect(compared.get_by_text(re.compile("right of 10,000"))).to_have_text(
        [re.compile(re.escape(share)) for share in shares]
    )
    parted = answers[0] != answers[1]
    expect(compared.get_by_role("heading", name=f"They disagree on {parted.sum():,} of 10,000")).to_be_visible()
    only = [np.sum(parted & right[0]), np.sum(parted & right[1]), np.sum(parted & ~right[0] & ~right[1])]
    expect(
        compared.get_by_text(f"Only the left is right on {only[0]}, only the right on {only[1]}, neither on {only[2]}")
    ).to_be_visible()


def test_a_disagreement_becomes_the_input(compared, test_digits):
    first = compared.get_by_role("button", name=re.compile(r"Example \d+")).first
    index, label = re.match(r"Example (\d+), (\d)", first.locator(".aloud").text_content()).groups()
    first.click()
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(compared.get_by_text(f"test digits, {index}: a {label}")).to_be_visible()
    assert test_digits.targets[int(index)] == int(label)


def test_neurons_in_another_order_are_found_to_be_the_same_function(page, tmp_path):
    network = example("digits-relu")
    first, second, last = network.layers
    order = np.random.default_rng(0).permutation(16)
    moved = gn.Network.from_layers(
        [
            (first.weights[order], first.biases[order], "relu"),
            (second.weights[:, order], second.biases, "relu"),
            (last.weights, last.biases, "softmax"),
        ],
        network.schema,
    )
    path = tmp_path / "moved.safetensors"
    moved.save(path)
    page.get_by_role("button", name="Compare").click()
    choose(page, "left", "digits-relu")
    page.set_input_files(RIGHT_FILE, path)
    expect(page.get_by_label("The right network")).to_have_value(re.compile(r"\d"))
    expect(page.get_by_text("The same function:")).to_be_visible()
    pairs = page.get_by_role("listbox", name="Layer 0").get_by_role("option")
    expect(pairs).to_have_count(16)
    labels = pairs.evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
    assert labels == [f"0:{a} left, 0:{list(order).index(a)} right, alike 1.00" for a in range(16)]


def test_the_line_between_them_is_worth_what_python_says(compared, test_digits):
    a, b = example("digits-sigmoid"), example("digits-sigmoid-2")
    compared.get_by_label("first bring the right's hidden neurons").uncheck()
    slider = compared.get_by_label("How far from left to right")
    slider.fill("0.3")
    mixed = a.with_parameters(0.7 * a.parameters.astype(np.float64) + 0.3 * b.parameters)
    share = gn.evaluate(mixed, test_digits).accuracy
    expect(compared.get_by_text("30 % right:")).to_contain_text(percent(share))


def test_a_network_of_another_structure_is_compared_as_far_as_it_goes(compared):
    choose(compared, "right", "digits-relu")
    expect(
        compared.get_by_text("Neurons are matched where the structure is the same; layer 0 squishes by sigmoid")
    ).to_be_visible()
    expect(compared.get_by_role("heading", name=re.compile("They disagree on"))).to_be_visible()
    expect(compared.get_by_text("Numbers can only be mixed where the structure is the same")).to_be_visible()


@pytest.mark.parametrize(("kind", "strength"), [("Prune", "0.6"), ("Round", "3")], ids=["prune", "round"])
def test_other_numbers_are_worth_what_python_says(compared, test_digits, kind, strength):
    choose(compared, "right", "the same, with other numbers")
    compared.get_by_role("button", name=kind).click()
    compared.get_by_label("How much", exact=True).fill(strength)
    changed = {"Prune": perturbations.prune, "Round": perturbations.round_bits}[kind](
        example("digits-sigmoid"), float(strength)
    )
    share = gn.evaluate(changed, test_digits).accuracy
    expect(compared.get_by_text(re.compile("right of 10,000")).nth(1)).to_contain_text(percent(share))


def test_a_choice_stays_when_an_earlier_one_is_loaded_after_it(page):
    held = []
    page.route("**/api/networks/*", lambda route: held.append(route))
    page.get_by_role("button", name="Compare").click()
    choose(page, "right", "digits-sigmoid-2")
    choose(page, "right", "the same, with other numbers")
    with page.expect_response(lambda answer: answer.url == held[-1].request.url):
        for route in held:
            route.continue_()
    page.get_by_role("button", name="Scramble").click()
    page.get_by_label("How much", exact=True).fill("1")
    expect(page.get_by_label("The right network").locator("option:checked")).to_have_text(
        "the same, with other numbers"
    )


def test_other_numbers_can_be_taken_over_and_undone(compared):
    choose(compared, "right", "the same, with other numbers")
    compared.get_by_role("button", name="Scramble").click()
    compared.get_by_label("How much", exact=True).fill("1")
    compared.get_by_role("button", name="Use these numbers").click()
    compared.get_by_role("button", name="edited: 1 change").click()
    expect(compared.get_by_text("100 % of the values scrambled (seed 1)")).to_be_visible()
    compared.get_by_role("button", name="undo").click()
    expect(compared.get_by_role("button", name="edited: 1 change")).to_have_count(0)


def test_pairs_can_be_walked_by_keyboard(compared):
    ladder = compared.get_by_role("listbox", name="Layer 0")
    ladder.get_by_role("option").first.wait_for()
    ladder.focus()
    for _ in range(16):
        compared.keyboard.press("ArrowUp")
    compared.keyboard.press("ArrowDown")
    expect(ladder).to_have_attribute("aria-activedescendant", "pair-0-1")
    expect(compared.get_by_label("Template of 0:1, left")).to_be_visible()


def test_a_file_that_is_no_network_is_told_and_nothing_is_lost(compared, tmp_path):
    path = tmp_path / "damaged.safetensors"
    path.write_bytes((8).to_bytes(8, "little") + b"{damaged")
    compared.set_input_files(RIGHT_FILE, path)
    expect(compared.get_by_role("alert")).to_contain_text("damaged.safetensors")
    expect(compared.get_by_role("heading", name=re.compile("They disagree on"))).to_be_visible()
