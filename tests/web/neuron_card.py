"""A neuron's card as a visitor finds it, and what the first view shows as Python has it."""

import re
from pathlib import Path

import numpy as np
from waiting import until

import glassnet as gn

EXAMPLES = Path(gn.__file__).parent / "web" / "examples"
NUMBER = re.compile(r"[\u2212-]?\d[\d,]*(?:\.\d+)?(?:e[\u2212+-]?\d+)?")


def open_card(page, address):
    """The card of neuron `address`, after a click on its disc or bar."""
    page.get_by_role("gridcell", name=re.compile(rf"\bneuron {address},")).click()
    card = page.get_by_role("article")
    card.get_by_role("heading", name=f"Neuron {address}").wait_for()
    return card


def digit_card(page, address):
    """The card of a neuron of a network of digits, when the first test digit is there and all have been examined."""
    card = open_card(page, address)
    card.get_by_text("accuracy on 10,000 test digits").wait_for()
    return card


def first_network(page):
    start = page.evaluate("fetch('api/start').then((answer) => answer.json())")
    return gn.load(EXAMPLES / f"{start['networks'][0]['name']}.safetensors")


def first_digit():
    test = gn.data.digits()[1]
    return test.inputs[0].astype(np.float32) * np.float32(test.schema.scale)


def number(text):
    """What the page writes as a number, read."""
    return float(text.replace("\u2212", "-").replace(",", ""))


def outputs(page):
    """The activations of the last layer, with the digits that are shown."""
    cells = page.get_by_role("gridcell", name=re.compile("^output ")).all()
    return np.array([number(cell.get_attribute("aria-label").rpartition(" ")[2]) for cell in cells])


def same_outputs(page, wanted):
    """Waits until the page shows these outputs, to three digits."""
    return until(page, lambda: np.allclose(outputs(page), wanted, rtol=0.006, atol=1e-12))
