"""Language models of GGUF files: loaded by the bounded reader, with the numbers of the model that was written."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_observe_torch import adds_up
from tiny_models import WORDS, made, torch, transformers

import glassnet as gn
from glassnet.cli import main
from glassnet.errors import FileError
from glassnet.files.formats.gguf import reader

gguf = pytest.importorskip("gguf")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

TEXT = "The capital of france is"
TOKENS = ["<unk>", "<s>", "</s>", "The", "paris", *(f"\u2581{word}" for word in WORDS)]


def written(path: Path, family: str, quantised: bool = False) -> Any:
    """A tiny model as llama.cpp's converter writes it; returns the model with the numbers that the file then holds."""
    model = made(family)
    config = model.config
    kind = {"llama": gguf.MODEL_ARCH.LLAMA, "gemma3": gguf.MODEL_ARCH.GEMMA3}[family]
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[kind])
    writer.add_name("tiny")
    writer.add_context_length(64)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(config.head_dim)
    writer.add_value_length(config.head_dim)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10000.0 if family == "llama" else 1000000.0)
    writer.add_vocab_size(config.vocab_size)
    if family == "gemma3":
        writer.add_sliding_window(config.sliding_window)
    letters = sorted({letter for token in TOKENS[3:] for letter in token})
    tokens = [*TOKENS, *letters]
    tokens += [f"[{i}]" for i in range(config.vocab_size - len(tokens))]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(i) for i in range(len(tokens))])
    writer.add_token_types([2, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    names = gguf.get_tensor_name_map(kind, config.num_hidden_layers)
    for name, values in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        array = values.detach().numpy().copy()
        stem, _, suffix = name.rpartition(".")
        if quantised and array.ndim == 2 and array.shape[1] % 32 == 0:
            packed = gguf.quantize(array, gguf.GGMLQuantizationType.Q8_0)
            with torch.no_grad():
                values.copy_(torch.from_numpy(gguf.dequantize(packed, gguf.GGMLQuantizationType.Q8_0)))
            array = values.detach().numpy().copy()
        if family == "llama" and ("q_proj" in name or "k_proj" in name):
            heads = config.num_attention_heads if "q_proj" in name else config.num_key_value_heads
            array = array.reshape(heads, 2, -1, array.shape[1]).swapaxes(1, 2).reshape(array.shape)
        if family == "gemma3" and "norm" in name:
            array = array + 1
        to = f"{names.get_name(stem)}.{suffix}"
        if quantised and array.ndim == 2 and array.shape[1] % 32 == 0:
            q8 = gguf.GGMLQuantizationType.Q8_0
            writer.add_tensor(to, gguf.quantize(array, q8), raw_dtype=q8)
        else:
            writer.add_tensor(to, np.ascontiguousarray(array))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


@pytest.mark.parametrize(("family", "quantised"), [("llama", False), ("llama", True), ("gemma3", False)])
def test_a_file_gives_the_logits_of_the_model_that_was_written(family: str, quantised: bool, tmp_path: Path) -> None:
    path = tmp_path / "tiny.gguf"
    model = written(path, family, quantised)
    seen = gn.observe(path, text=TEXT)
    assert seen.tokens[0] == "<s>"
    assert "".join(seen.tokens[1:]).split() == TEXT.split()
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([seen.token_ids])).logits[0, -1]
    assert np.abs(seen.raw - logits.numpy()).max() < 1e-4
    given = seen.attribution(int(logits.argmax()))
    assert sum(value for _, value in given.parts) == pytest.approx(given.total, abs=1e-9)
    assert given.total == pytest.approx(float(logits.max()), abs=1e-4)
    for layer in seen.layers:
        for k in range(0, layer.shape[0], 7):
            adds_up(layer.neuron(k))


def test_the_command_reads_a_gguf_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "tiny.gguf", "llama")
    assert main(["observe", str(tmp_path / "tiny.gguf"), "--text", TEXT, "--neuron", "1:7"]) == 0
    assert "silu, 32 inputs" in capsys.readouterr().out


def test_metadata_is_what_the_writer_wrote(tmp_path: Path) -> None:
    written(tmp_path / "tiny.gguf", "llama")
    values = reader.read_values(tmp_path / "tiny.gguf")
    oracle = gguf.GGUFReader(tmp_path / "tiny.gguf")
    assert set(values) == {name for name in oracle.fields if not name.startswith("GGUF.")}
    for name, value in values.items():
        assert value == pytest.approx(oracle.fields[name].contents()) or value == oracle.fields[name].contents()


def test_files_that_are_no_language_model(tmp_path: Path) -> None:
    path = tmp_path / "other.gguf"
    writer = gguf.GGUFWriter(path, "other")
    writer.add_tensor("token_embd.weight", np.zeros((4, 4), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(FileError, match="cannot load .* of architecture 'other' as a language model"):
        gn.observe(path, text=TEXT)
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FileError, match="is no valid GGUF file"):
        gn.observe(cut, text=TEXT)
    cut.write_bytes(b"neither")
    with pytest.raises(FileError, match="is of no known format|expected"):
        gn.observe(cut, text=TEXT)


def test_a_model_larger_than_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path / "tiny.gguf", "llama")
    monkeypatch.setattr("glassnet.observation.language_models.free_memory", lambda: 1000)
    monkeypatch.setattr("glassnet.files.stored_tensors.StoredCheckpoint.rows", None)
    with pytest.raises(FileError, match="GB of memory, and 0.0 GB are free"):
        gn.observe(tmp_path / "tiny.gguf", text=TEXT)
    assert transformers
