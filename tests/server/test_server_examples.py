"""The networks that come along with the page."""

from importlib.resources import files

import pytest

import glassnet as gn
from glassnet.web.application import EXAMPLES

FOLDER = files("glassnet").joinpath("web", "examples")


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_reads_digits(name: str) -> None:
    network = gn.load(FOLDER.joinpath(f"{name}.safetensors"))
    squish = name.split("-")[1]
    assert network.sizes == (784, 16, 16, 10)
    assert network.architecture.activations == (squish, squish, "softmax")
    assert network.schema == gn.data.digits()[1].schema
    assert gn.evaluate(network, gn.data.digits()[1]).accuracy >= 0.95


def test_there_are_no_others_and_two_are_alike_but_for_their_numbers() -> None:
    assert {entry.name for entry in FOLDER.iterdir()} == {f"{name}.safetensors" for name in EXAMPLES}
    one, other = (gn.load(FOLDER.joinpath(f"{name}.safetensors")) for name in ("digits-sigmoid", "digits-sigmoid-2"))
    assert one.architecture == other.architecture
    assert (one.parameters != other.parameters).mean() > 0.99
