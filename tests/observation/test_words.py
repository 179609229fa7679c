"""The words of a neuron from its file alone, against PyTorch on the whole matrices."""

import json
import re
import struct
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_observe_gguf import written
from tiny_models import FAMILIES, folder, made, torch, transformers

import glassnet as gn
from glassnet.cli import main
from glassnet.errors import AddressError, FileError, SettingError
from glassnet.observation import vocabulary

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

DENSE = sorted(set(FAMILIES) - {"mamba", "mixtral", "qwen3_moe", "gpt_oss"})
IDS = [5, 6, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("family", DENSE)
def test_what_a_neuron_writes_is_what_an_observation_says(family: str) -> None:
    """Where its output is positive the first list, where negative the other one."""
    model = made(family)
    seen = gn.observe(model, [IDS])
    for block in (0, 1):
        for neuron in (0, 5, 17):
            found = gn.words(model, block, neuron, top=5)
            positive = seen.neuron(str(block), neuron).output >= 0
            words = found.writes if positive else found.writes_against
            assert tuple(word.token for word in words) == seen.writes(str(block), neuron)


@pytest.mark.parametrize("family", ["llama", "gemma3", "gpt2", "phi3"])
def test_what_a_neuron_reads_is_its_weights_times_the_embedding(family: str) -> None:
    """The change of a sum by an embedding that is put before the norm, but for the norm's scale."""
    model = made(family)
    found = gn.words(model, 1, 7, top=4)
    block = (model.transformer.h if family == "gpt2" else model.model.layers)[1]
    embedding = model.get_input_embeddings().weight.detach()
    if family == "gpt2":
        w = block.mlp.c_fc.weight[:, 7].detach() * block.ln_2.weight.detach()
        expected = {"weights": w - w.mean()}
    elif family == "gemma3":
        gain = 1 + block.pre_feedforward_layernorm.weight.detach()
        expected = {name: getattr(block.mlp, f"{name}_proj").weight[7].detach() * gain for name in ("gate", "up")}
    elif family == "phi3":
        both = block.mlp.gate_up_proj.weight.detach() * block.post_attention_layernorm.weight.detach()
        expected = {"gate": both[7], "up": both[48 + 7]}
    else:
        gain = block.post_attention_layernorm.weight.detach()
        expected = {name: getattr(block.mlp, f"{name}_proj").weight[7].detach() * gain for name in ("gate", "up")}
    assert set(found.reads) == set(expected)
    for name, direction in expected.items():
        scores = embedding @ direction
        values, places = scores.topk(4)
        assert [word.token for word in found.reads[name]] == [f"token {k}" for k in places.tolist()]
        assert [word.score for word in found.reads[name]] == pytest.approx(values.tolist(), rel=1e-4)
        values, places = (-scores).topk(4)
        assert [word.token for word in found.reads_against[name]] == [f"token {k}" for k in places.tolist()]


@pytest.mark.parametrize("family", ["mixtral", "qwen3_moe", "gpt_oss"])
def test_neurons_of_experts_have_words(family: str) -> None:
    model = made(family)
    expert = model.model.layers[1].mlp.experts
    norm = model.model.norm.weight.detach()
    found = gn.words(model, "1[2]", 3, top=5)
    down = expert.down_proj[2].detach()
    column = down[3] if family == "gpt_oss" else down[:, 3]
    scores = model.lm_head.weight.detach() @ (column * norm)
    assert [word.token for word in found.writes] == [f"token {k}" for k in scores.topk(5).indices.tolist()]


def test_a_folder_and_its_module_say_the_same_with_words(tmp_path: Path) -> None:
    folder(tmp_path, "llama")
    model = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    found, inside = gn.words(tmp_path, 1, 5), gn.words(model, 1, 5)
    file = gn.words(tmp_path / "model.safetensors", 1, 5)
    assert found.as_dict() == inside.as_dict() == file.as_dict()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    names = {piece.replace("\u2581", " ") for piece in tokenizer.get_vocab()}
    assert {word.token for word in found.writes} & names


@pytest.mark.parametrize(("family", "quantised"), [("llama", True), ("gemma3", False)])
def test_a_gguf_file_has_the_words_of_its_model(family: str, quantised: bool, tmp_path: Path) -> None:
    model = written(tmp_path / "tiny.gguf", family, quantised)
    found, expected = gn.words(tmp_path / "tiny.gguf", 0, 9, top=6), gn.words(model, 0, 9, top=6)
    scores = [word.score for word in expected.writes]
    assert [word.score for word in found.writes] == pytest.approx(scores, rel=1e-4)
    for name, words in expected.reads.items():
        assert [word.score for word in found.reads[name]] == pytest.approx([w.score for w in words], rel=1e-4)
    seen = gn.observe(tmp_path / "tiny.gguf", text="The capital")
    lists = [tuple(word.token for word in words[:5]) for words in (found.writes, found.writes_against)]
    assert seen.writes("0", 9) in lists


def sparse(path: Path, tokens: int, width: int, inner: int) -> Path:
    """A file of an MLP, an embedding and an output matrix in bfloat16, all 0 but for one row of the output."""
    shapes = {
        "model.embed_tokens.weight": (tokens, width),
        "lm_head.weight": (tokens, width),
        "model.layers.0.mlp.gate_proj.weight": (inner, width),
        "model.layers.0.mlp.up_proj.weight": (inner, width),
        "model.layers.0.mlp.down_proj.weight": (width, inner),
    }
    header, at = {}, 0
    for name, (rows, columns) in shapes.items():
        header[name] = {"dtype": "BF16", "shape": [rows, columns], "data_offsets": [at, at + 2 * rows * columns]}
        at += 2 * rows * columns
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        start = file.tell()
        file.truncate(start + at)
        one = struct.pack("<H", 0x3F80)
        file.seek(start + header["lm_head.weight"]["data_offsets"][0] + 2 * width * (tokens - 3))
        file.write(one * width)
        for row in range(width):
            file.seek(start + header["model.layers.0.mlp.down_proj.weight"]["data_offsets"][0] + 2 * inner * row)
            file.write(one)
    return path


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for tokens in (4000, 32000):
        path = sparse(tmp_path / "model.safetensors", tokens, 1024, 512)
        gn.words(path, 0, 1)
        tracemalloc.start()
        found = gn.words(path, 0, 0, top=1)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert [(word.token, word.score) for word in found.writes] == [(f"token {tokens - 3}", 1024.0)]
    assert peaks[1] < 1.2 * peaks[0]
    assert peaks[1] < 64e6


@pytest.mark.parametrize("family", ["llama", "gpt2", "phi3", "gpt_oss"])
def test_all_neurons_of_a_block_at_once(family: str) -> None:
    model = made(family)
    layer: Any = "1[2]" if family == "gpt_oss" else 1
    every = gn.words(model, layer, top=3)
    assert [words.neuron for words in every] == list(range(len(every)))
    assert len(every) == {"gpt2": 128}.get(family, 48)
    some = gn.words(model, layer, [40, 7], top=3)
    for words, neuron in ((every[7], 7), (every[40], 40), (some[0], 40), (some[1], 7)):
        alone = gn.words(model, layer, neuron, top=3)
        assert [w.token for w in words.writes] == [w.token for w in alone.writes]
        assert [w.token for w in words.writes_against] == [w.token for w in alone.writes_against]
        for name in alone.reads:
            scores = [w.score for w in alone.reads[name]]
            assert [w.score for w in words.reads[name]] == pytest.approx(scores, rel=1e-4)
    assert gn.words(model, layer, []) == []


def test_pieces_of_vocabularies_as_texts(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    bytewise = tokenizers.decoders.ByteLevel()
    for text in (" Paris", "\n", "é", "日本"):
        piece = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(text)[0][
            0
        ]
        assert vocabulary.text_of(piece, bytewise=True) == text == bytewise.decode([piece])
    assert vocabulary.text_of("\u2581Paris", bytewise=False) == " Paris"
    assert vocabulary.text_of("<0x0A>", bytewise=False) == "\n"
    unigram = {"model": {"vocab": [["<pad>", 0.0], ["\u2581a", -1.0]]}, "added_tokens": [{"id": 2, "content": "<new>"}]}
    (tmp_path / "tokenizer.json").write_text(json.dumps(unigram))
    found = vocabulary.of_folder(tmp_path)
    assert [found[k] for k in range(4)] == ["<pad>", " a", "<new>", "token 3"]
    (tmp_path / "tokenizer.json").write_text('{"vocab": {"a": }')
    with pytest.raises(FileError, match=r"tokenizer.json' is damaged: expected a JSON value of 'vocab'"):
        vocabulary.of_folder(tmp_path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder(tmp_path, "gemma3")
    assert main(["inspect", str(tmp_path), "--neuron", "1:7", "--words"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"writes\n +where positive +where negative\n", out)
    assert "reads, gate" in out
    assert main(["inspect", str(tmp_path), "--neuron", "1:7", "--words", "--json", "--top", "3"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (figures["layer"], figures["neuron"], len(figures["writes"])) == (1, 7, 3)
    assert figures == gn.words(tmp_path, 1, 7, top=3).as_dict()


MODEL = {
    "model.embed_tokens.weight": np.ones((4, 3), np.float32),
    "model.layers.0.mlp.down_proj.weight": np.ones((3, 2), np.float32),
    "model.layers.1.mlp.other.weight": np.ones((3, 2), np.float32),
}


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda: gn.words(MODEL, 5, 0), AddressError, "no block 5: expected one from 0 to 1"),
        (lambda: gn.words(MODEL, "x", 0), AddressError, "no block 'x': expected its number"),
        (lambda: gn.words(MODEL, 0, 2), AddressError, "no neuron 2 in block 0: expected one from 0 to 1"),
        (lambda: gn.words(MODEL, 0, 0, top=0), SettingError, "top is 0, expected a number from 1 up"),
        (lambda: gn.words(MODEL, 1, 0), SettingError, "block 1 has no output matrix of an MLP under a known name"),
        (lambda: gn.words({"w": np.ones((2, 2), np.float32)}, 0, 0), AddressError, "no numbered blocks"),
        (lambda: gn.words({"layers.0.x.weight": np.ones((2, 2), np.float32)}, 0, 0), SettingError, "no embedding of"),
        (lambda: gn.words(made("mixtral"), "0[9]", 0), AddressError, "no expert 9: expected one from 0 to 3"),
        (lambda: gn.words(made("mixtral"), 0, 0), SettingError, "say which expert: BLOCK[EXPERT]"),
        (lambda: gn.words("nowhere", 0, 0), FileError, "no such file: 'nowhere'"),
    ],
)
def test_bad_input_has_one_clear_message(ask: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        ask()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--words"], "--words needs --neuron"),
        (["--words", "--neuron", "7"], "--neuron is '7', expected LAYER:N, such as 16:407"),
        (["--words", "--neuron", "1:7", "--inputs", "1,2"], "--words and --inputs exclude each other"),
        (["--words", "--neuron", "1:7", "--top", "0"], "--top is 0, expected a number from 1 up"),
    ],
)
def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert main(["inspect", str(sparse(tmp_path / "model.safetensors", 8, 4, 4)), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert torch
