"""Tiny language models of each family, with random weights, and a folder with one and its tokenizer."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

VOCABULARY = 96
USUAL = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
SHARED = {**USUAL, "num_key_value_heads": 2}
HEADS = {**SHARED, "head_dim": 8}
EXPERTS = {"num_experts_per_tok": 2}
ROPE = {"rope_type": "default", "rope_theta": 10000.0}

FAMILIES: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaConfig(**HEADS),
    "mistral": lambda: transformers.MistralConfig(**HEADS),
    "qwen2": lambda: transformers.Qwen2Config(**SHARED),
    "qwen3": lambda: transformers.Qwen3Config(**HEADS),
    "gemma2": lambda: transformers.Gemma2Config(**HEADS),
    "gemma3": lambda: transformers.Gemma3TextConfig(**HEADS),
    "olmo": lambda: transformers.OlmoConfig(**SHARED),
    "mixtral": lambda: transformers.MixtralConfig(**HEADS, **EXPERTS, num_local_experts=4),
    "qwen3_moe": lambda: transformers.Qwen3MoeConfig(**HEADS, **EXPERTS, num_experts=4, moe_intermediate_size=24),
    "gpt_oss": lambda: transformers.GptOssConfig(**HEADS, **EXPERTS, num_local_experts=4, rope_parameters=ROPE),
    "mamba": lambda: transformers.MambaConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, state_size=4
    ),
    "falcon": lambda: transformers.FalconConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4
    ),
    "gpt2": lambda: transformers.GPT2Config(
        vocab_size=VOCABULARY, n_embd=32, n_layer=2, n_head=4, n_positions=64, bos_token_id=1, eos_token_id=2
    ),
    "gpt_neox": lambda: transformers.GPTNeoXConfig(**USUAL),
    "phi": lambda: transformers.PhiConfig(**SHARED),
    "phi3": lambda: transformers.Phi3Config(**SHARED),
    "opt": lambda: transformers.OPTConfig(
        vocab_size=VOCABULARY, hidden_size=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=64, word_embed_proj_dim=32,
    ),
    "bloom": lambda: transformers.BloomConfig(vocab_size=VOCABULARY, hidden_size=32, n_layer=2, n_head=4),
}  # fmt: skip


def made(family: str, dtype: Any = None, seed: int = 0) -> Any:
    """A random model of the family, with norms and biases that are not 1 and 0."""
    torch.manual_seed(seed)
    model = transformers.AutoModelForCausalLM.from_config(FAMILIES[family]()).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model if dtype is None else model.to(dtype)


WORDS = [
    "the",
    "capital",
    "of",
    "france",
    "is",
    "paris",
    "a",
    "city",
    "and",
    "river",
    "london",
    "big",
    "small",
    "it",
    "was",
    "not",
    "very",
    "old",
    "new",
    "on",
    "in",
    "at",
    "to",
    "from",
    "with",
]


def folder(path: Path, family: str = "gemma3") -> Path:
    """A model with its tokenizer, as the library saves them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    names = ["<unk>", "<s>", "</s>", "The", "paris", *(f"\u2581{word}" for word in WORDS)]
    tokenizer = Tokenizer(models.WordLevel({name: i for i, name in enumerate(names)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>"
    )
    fast.save_pretrained(path)
    made(family).save_pretrained(path)
    return path
