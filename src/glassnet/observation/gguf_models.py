"""A language model of a GGUF file, as a module of the transformers library.

The library reads such files, but takes most of a minute for a vocabulary of 262,144 words, since it looks at each byte
of the header through numpy, three times. Here the bounded reader of `glassnet.open` reads header and numbers; of the
library are what each architecture's settings, tensors and vocabulary mean: its tables, by its own functions.
"""

import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from glassnet.errors import FileError, MissingExtra
from glassnet.files.formats.gguf import reader
from glassnet.observation.language_models import LanguageModel, check_memory, library, quiet
from glassnet.observation.selection import first_line
from glassnet.opening import quoted

_HUGE = ("tokenizer.ggml.tokens", "tokenizer.ggml.merges", "tokenizer.ggml.scores", "tokenizer.ggml.token_type")
_KINDS = {bool: (7, "?"), int: (11, "q"), float: (12, "d")}
_STRING, _ARRAY = 8, 9


def load_gguf(path: Path) -> LanguageModel:
    """The model and the tokenizer of a file, weights as float32."""
    library()
    try:
        import gguf  # noqa: F401 - names of tensors
    except ModuleNotFoundError as problem:
        raise MissingExtra("gguf", "llm") from problem
    values = reader.read_values(path)
    with reader.open_file(path) as checkpoint:
        check_memory(path, 4 * sum(info.count for info in checkpoint.tensors.values()))
        with quiet():
            try:
                config = _config(values, checkpoint)
                module = _module(config, values, checkpoint)
                tokenizer = Vocabulary(values)
            except FileError:
                raise
            except Exception as problem:  # whatever a damaged or unknown file makes the library raise
                kind = str(values.get("general.architecture"))[:60]
                raise FileError(
                    f"cannot load {quoted(path)} of architecture {kind!r} as a language model: {first_line(problem)}",
                    help="glassnet inspect FILE shows what it holds",
                ) from problem
    return LanguageModel(module, tokenizer, path.name)


def _config(values: dict[str, Any], checkpoint: Any) -> Any:
    """The library's configuration, read by the library from a copy of the header without the vocabulary."""
    transformers = library()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "header.gguf").write_bytes(header_of({k: v for k, v in values.items() if k not in _HUGE}))
        config = transformers.AutoConfig.from_pretrained(folder, gguf_file="header.gguf", local_files_only=True)
    config.tie_word_embeddings = "output.weight" not in checkpoint.tensors
    config.vocab_size = checkpoint.info("token_embd.weight").shape[0]
    config.dtype = torch.float32
    return config


def _module(config: Any, values: dict[str, Any], checkpoint: Any) -> Any:
    """The module with the file's numbers, each tensor renamed and arranged as the library's tables say."""
    transformers = library()
    from transformers.modeling_gguf_pytorch_utils import TENSOR_PROCESSORS, TensorProcessor, get_gguf_hf_weights_map

    kind = transformers.AutoModelForCausalLM._model_mapping[type(config)]
    with torch.device("meta"):
        empty = kind(config)
    processor = TENSOR_PROCESSORS.get(values["general.architecture"], TensorProcessor)(config=config.to_dict())
    names = get_gguf_hf_weights_map(_Names(config, list(empty.state_dict())), processor)
    if len(names) < len(checkpoint.tensors):  # names are found module by module
        names = get_gguf_hf_weights_map(empty, processor)
    state: dict[str, Any] = {"tensors": {}, "config": config.to_dict()}
    tensors: dict[str, torch.Tensor] = state["tensors"]
    for name in checkpoint.tensors:
        made = processor.process(
            weights=np.asarray(checkpoint.weights(name), np.float32),
            name=name,
            tensor_key_mapping=names,
            parsed_parameters=state,
        )
        if made.name in names:
            tensors[names[made.name]] = torch.from_numpy(np.ascontiguousarray(made.weights))
    wanted = set(empty.state_dict()) - set(empty.all_tied_weights_keys if config.tie_word_embeddings else ())
    missing = sorted(wanted - set(tensors))
    if missing:
        raise ValueError(f"no tensor for {missing[0]} and {len(missing) - 1} more")
    del empty
    return kind.from_pretrained(None, config=config, state_dict=tensors, dtype=torch.float32).eval()


class _Names:
    """A model's names without its modules: the library then makes its table of names once, and not for each module."""

    def __init__(self, config: Any, names: list[str]) -> None:
        self.config, self._names = config, names

    def state_dict(self) -> list[str]:
        return self._names

    def named_children(self) -> list[Any]:
        return []


class Vocabulary:
    """The tokenizer of a file: text to numbers by the library's rules, and each number's text."""

    def __init__(self, values: dict[str, Any]) -> None:
        from transformers.integrations.gguf import GGUF_TOKENIZER_MAPPING, convert_gguf_tokenizer

        renamed = {
            group: {new: values[f"tokenizer.{key}"] for key, new in names.items() if f"tokenizer.{key}" in values}
            for group, names in GGUF_TOKENIZER_MAPPING.items()
        }
        told = renamed["tokenizer"]
        self.backend, _ = convert_gguf_tokenizer(values["general.architecture"], told)
        begins = renamed["tokenizer_config"].get("add_bos_token", told.get("tokenizer_type") == "llama")
        self.first = told.get("bos_token_id") if begins else None

    def __call__(self, text: str, add_special_tokens: bool = True) -> dict[str, list[int]]:
        """Numbers of the tokens, after the token that begins every text, if the file asks for one."""
        ids = list(self.backend.encode(text, add_special_tokens=False).ids)
        if add_special_tokens and self.first is not None and text and ids[:1] != [self.first]:
            ids.insert(0, self.first)
        return {"input_ids": ids}

    def convert_ids_to_tokens(self, token: int) -> str:
        """A token as the vocabulary writes it."""
        return str(self.backend.id_to_token(token))

    def decode(self, ids: "list[int]") -> str:
        """The text of tokens."""
        return str(self.backend.decode(ids, skip_special_tokens=False))


def header_of(values: dict[str, Any]) -> bytes:
    """A GGUF file with this metadata and no tensors."""
    body = b"".join(_text(key) + _kind(value) + _bytes(value) for key, value in values.items())
    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(values)) + body


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _kind(value: Any) -> bytes:
    number = _STRING if isinstance(value, str) else _ARRAY if isinstance(value, list) else _KINDS[type(value)][0]
    return struct.pack("<I", number)


def _bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        first = value[0] if value else 0
        return _kind(first) + struct.pack("<Q", len(value)) + b"".join(map(_bytes, value))
    return struct.pack(f"<{_KINDS[type(value)][1]}", value)
