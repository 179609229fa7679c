"""The ledger of a network, and any model file down to one neuron."""

import base64
import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect
from safetensors.numpy import save_file

import glassnet as gn


@pytest.fixture
def counted(page):
    page.get_by_role("button", name="Count", exact=True).click()
    return page


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A file of 2,402 tensors, the last of them a layer of 20 neurons."""
    random = np.random.default_rng(0)
    tensors = {
        f"model.layers.{i}.{part}.weight": random.standard_normal((4, 4)).astype(np.float16)
        for i in range(300)
        for part in ("q", "k", "v", "o", "gate", "up", "down", "norm")
    }
    tensors["head.weight"] = random.standard_normal((20, 784)).astype(np.float32)
    tensors["head.bias"] = random.standard_normal(20).astype(np.float32)
    path = tmp_path_factory.mktemp("many") / "many.safetensors"
    save_file(tensors, path)
    return path, tensors


def opened(page, path):
    page.set_input_files("section[aria-labelledby=file] input[type=file]", path)
    return page.get_by_role("tree")


def test_the_ledger_adds_up_as_glassnet_count_says(counted):
    rows = counted.locator("section[aria-labelledby=ledger] tr").all_inner_texts()
    text = " ".join(rows)
    for row in gn.count("784-16-16-10").rows:
        assert f"{row.count:,}" in text
    assert re.search(r"784 × 16 \+ 16 =\s+12,560", text)
    assert re.search(r"Total\s+13,002\s+× 4 bytes \(float32\) = 52.0 kB", text)


def test_a_row_lights_its_layer_in_the_picture(counted):
    canvas = counted.locator("section[aria-labelledby=ledger] canvas")
    before = canvas.screenshot()
    row = counted.locator("section[aria-labelledby=ledger] tbody tr").nth(2)
    row.get_by_role("button").focus()
    expect(row).to_have_class(re.compile("lit"))
    counted.wait_for_function("() => new Promise(requestAnimationFrame)")
    assert canvas.screenshot() != before


def test_a_file_is_walked_by_keyboard_down_to_one_neuron(counted, many):
    path, tensors = many
    tree = opened(counted, path)
    total = sum(tensor.size for tensor in tensors.values())
    expect(counted.get_by_text(f"{total:,} numbers in 2,402 tensors")).to_be_visible()
    tree.focus()
    items = tree.get_by_role("treeitem")
    expect(items).to_have_count(2)
    names = items.evaluate_all("all => all.map(e => e.querySelector('.label').textContent)")
    counted.keyboard.press("Home")
    for _ in range(names.index("head")):
        counted.keyboard.press("ArrowDown")
    for key in ("ArrowRight", "ArrowRight"):
        counted.keyboard.press(key)
    selected = tree.locator(f"#{tree.get_attribute('aria-activedescendant')}")
    while selected.locator(".label").inner_text() != "weight":
        counted.keyboard.press("ArrowDown")
        selected = tree.locator(f"#{tree.get_attribute('aria-activedescendant')}")
    counted.keyboard.press("Enter")
    counted.get_by_label("Neuron", exact=True).first.fill("7")
    card = counted.get_by_role("article", name="Neuron 7 of head.weight")
    expect(card).to_be_visible()
    facts = dict(zip(card.locator("dt").all_inner_texts(), card.locator("dd").all(), strict=True))
    row = tensors["head.weight"][7]
    for name, value in [("mean", row.mean()), ("smallest", row.min()), ("bias", tensors["head.bias"][7])]:
        shown = float(facts[name].get_attribute("title").replace("\u2212", "-"))
        assert shown == pytest.approx(value, rel=1e-5)
    card.get_by_text("All 784 numbers").click()
    first = card.locator("tbody tr").first.locator("td").nth(1).inner_text()
    assert np.float32(first.replace("\u2212", "-")) == row[0]


def test_of_thousands_of_tensors_only_those_in_sight_are_drawn(counted, many):
    path, _ = many
    tree = opened(counted, path)
    tree.get_by_text("model.layers").click()
    expect(tree.locator("[aria-setsize='300']").first).to_be_visible()
    assert tree.get_by_role("treeitem").count() < 40
    tree.focus()
    counted.keyboard.press("End")
    expect(tree.locator("[aria-posinset='300'], [aria-posinset='2']").last).to_be_visible()


def test_a_chain_without_squishes_is_asked_about_and_looked_at(counted, tmp_path):
    random = np.random.default_rng(0)
    chain = {
        "0.weight": random.standard_normal((5, 4)).astype(np.float32),
        "0.bias": np.zeros(5, np.float32),
        "2.weight": random.standard_normal((3, 5)).astype(np.float32),
        "2.bias": np.zeros(3, np.float32),
    }
    path = tmp_path / "chain.npz"
    np.savez(path, **chain)
    opened(counted, path)
    expect(counted.get_by_text("A chain of dense layers: 4-5-3")).to_be_visible()
    counted.get_by_label("squish of the hidden layers").select_option("tanh")
    counted.get_by_role("button", name="Look at it").click()
    expect(counted.get_by_text("4-5-3 · 43 numbers")).to_be_visible()
    expect(counted.get_by_role("heading", name="Network")).to_be_visible()


def test_what_is_no_model_is_told_and_the_file_before_stays(counted, many, tmp_path):
    path, _ = many
    opened(counted, path)
    expect(counted.get_by_role("heading", name="many.safetensors")).to_be_visible()
    bad = tmp_path / "damaged.safetensors"
    bad.write_bytes((8).to_bytes(8, "little") + b"{damaged")
    opened(counted, bad)
    expect(counted.get_by_role("alert")).to_contain_text("'damaged.safetensors'")
    expect(counted.get_by_role("heading", name="many.safetensors")).to_be_visible()


def test_a_file_dropped_anywhere_is_looked_into(page, many):
    path, _ = many
    data = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], "dropped.safetensors"));
            return transfer;
        }""",
        base64.b64encode(path.read_bytes()).decode(),
    )
    page.dispatch_event("main", "drop", {"dataTransfer": data})
    expect(page.get_by_role("heading", name="dropped.safetensors")).to_be_visible()


def test_shards_named_on_the_command_line_are_one_model(visit, serve, tmp_path):
    """The index of a checkpoint in two shards; its neuron is read by the server."""
    random = np.random.default_rng(0)
    layers = {f"block.{i}.weight": random.standard_normal((3, 5)).astype(np.float32) for i in (0, 1)}
    shards = {name: f"model-0000{i + 1}-of-00002.safetensors" for i, name in enumerate(layers)}
    for name, shard in shards.items():
        save_file({name: layers[name]}, tmp_path / shard)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": 120}, "weight_map": shards}))

    page = visit(serve(index))
    page.get_by_role("button", name="Count", exact=True).click()
    page.get_by_role("button", name=index.name).click()
    expect(page.get_by_text("2 shards, 30 numbers in 2 tensors")).to_be_visible()
    page.get_by_role("treeitem").filter(has_text="1.weight").click()
    page.get_by_label("Neuron", exact=True).first.fill("2")
    card = page.get_by_role("article", name="Neuron 2 of block.1.weight")
    shown = card.locator("dd").first.get_attribute("title").replace("\u2212", "-")
    assert float(shown) == pytest.approx(layers["block.1.weight"][2].mean(), rel=1e-5)
