"""Language models of the transformers library: loaded from a folder or a GGUF file, offline, and run once on a text.

Nothing is fetched, and no code that comes with a model is run: `trust_remote_code` is never set.
"""

import inspect
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.arrays import Array
from glassnet.errors import AddressError, FileError, GlassnetError, InputError, MissingExtra
from glassnet.observation.language_observation import LanguageObservation, grouped_inputs
from glassnet.observation.observation import Observation, Output
from glassnet.observation.residual import StreamMark, StreamRecorder
from glassnet.observation.selection import Selection, first_line
from glassnet.observation.torch_models import (
    addresses,
    as_arrays,
    as_evaluated,
    layers_of,
    observe_module,
    unseen,
)
from glassnet.opening import quoted

LIKELY = 10
_SPACE = "\u2581"
"""How vocabularies of sentencepiece write a space."""


class LanguageModel:
    """A loaded model and its tokenizer (None where there is none)."""

    def __init__(self, module: nn.Module, tokenizer: Any, name: str) -> None:
        self.module, self.tokenizer, self.name = module, tokenizer, name
        self._names: dict[int, str] = {}

    def observe(
        self, text: "str | Sequence[int]", layers: Sequence[str] | None = None, position: int | None = None
    ) -> Observation:
        """One forward pass on a text, or on numbers of tokens; a model without logits of tokens as named layers."""
        ids = self._ids(text)
        if not is_language_model(self.module):
            return observe_module(self.module, {"input_ids": [ids]}, layers, position)
        length = len(ids)
        at = length - 1 if position is None else position + length if position < 0 else position
        if not 0 <= at < length:
            raise AddressError(f"no position {position} in {length} tokens: expected one from 0 to {length - 1}")
        head = self.module.get_output_embeddings()  # type: ignore[operator]
        wanted = StreamSelection(layers, at)
        recorder = StreamRecorder(self.module, wanted, int(head.weight.shape[1]), length, at)
        device = head.weight.device
        with as_evaluated(self.module), recorder.following(self.module), quiet(), recorder:
            try:
                given = self.module(input_ids=torch.tensor([ids], device=device), **self._options(length - at))
            except (RuntimeError, TypeError, ValueError, IndexError) as problem:
                raise InputError(f"{self.name} cannot compute this text: {first_line(problem)}") from problem
        wanted.check([record.name for record in recorder.records], addresses(recorder.records))
        return self._seen(recorder, given.logits, ids, at, head.weight)

    def _seen(
        self, recorder: StreamRecorder, logits: Tensor, ids: Sequence[int], at: int, weight: Tensor
    ) -> LanguageObservation:
        raw = as_arrays(logits[0, at - len(ids)])
        head = next((r for r in reversed(recorder.records) if recorder.names[r.parameter] is weight), None)
        mark = head.input_mark if head is not None else None
        final = terms = None
        if isinstance(mark, StreamMark):
            final = mark.normed
            inner = mark if final is None else final.mark
            terms = inner.sum if inner is not None else None
        if head is not None and head.product is not None and head.rows > 1:
            row = at - len(ids) + head.rows
            head.product.outputs = head.product.outputs[row : row + 1]
            head.product.inputs = head.product.inputs[row : row + 1]
            head.product.positions = np.array([at])
        pairs = layers_of(recorder.records)
        for layer, record in pairs:
            grouped_inputs(layer, record, at)
        seen = LanguageObservation(
            self.name, [layer for layer, _ in pairs], (), raw, unseen(recorder), at - len(ids),
            tokens=[self.name_of(i) for i in ids], token_ids=ids, position=at, terms=terms, final=final, head=head,
            records=recorder.records, source=self,
        )  # fmt: skip
        seen.outputs = self._likely(raw)
        return seen

    def _likely(self, logits: Array) -> list[Output]:
        values = logits.astype(np.float64)
        raised = np.exp(values - values.max())
        probabilities = raised / raised.sum()
        best = np.argsort(-values, kind="stable")[:LIKELY]
        return [Output(self.name_of(int(k)), float(probabilities[k]), float(values[k])) for k in best]

    def _options(self, keep: int) -> dict[str, Any]:
        """Logits of the position and after it, where the model can be asked for these alone; no cache."""
        known = inspect.signature(self.module.forward).parameters
        return {
            **({"logits_to_keep": keep} if "logits_to_keep" in known else {}),
            **({"use_cache": False} if "use_cache" in known else {}),
        }

    # Tokens

    def _ids(self, text: "str | Sequence[int]") -> list[int]:
        if isinstance(text, str):
            if self.tokenizer is None:
                raise InputError(
                    f"text for {self.name}, a model without a tokenizer",
                    help="pass the numbers of the tokens as inputs, or the folder of the model",
                )
            ids = [int(i) for i in self.tokenizer(text)["input_ids"]]
        else:
            ids = [int(i) for i in np.asarray(text).reshape(-1)]
        if not ids:
            raise InputError("the text has no tokens: expected at least one", help="give a text that is not empty")
        rows = int(self.module.get_input_embeddings().weight.shape[0])  # type: ignore[operator]
        wrong = [i for i in ids if not 0 <= i < rows]
        if wrong:
            raise InputError(f"no token {wrong[0]} in {self.name}: expected numbers from 0 to {rows - 1:,}")
        most = getattr(getattr(self.module, "config", None), "max_position_embeddings", None)
        if isinstance(most, int) and 0 < most < len(ids):
            raise InputError(f"{len(ids):,} tokens, expected at most {most:,}: the model has no more positions")
        return ids

    def name_of(self, token: int) -> str:
        """The text of a token; its number where there is no tokenizer."""
        if token not in self._names:
            self._names[token] = f"token {token}" if self.tokenizer is None else self._decoded(token)
        return self._names[token]

    def _decoded(self, token: int) -> str:
        """A token's text, with the space before it that decoders leave out at the beginning of a text."""
        assert self.tokenizer is not None
        text = str(self.tokenizer.decode([token]))
        piece = self.tokenizer.convert_ids_to_tokens(token)
        return f" {text}" if str(piece).startswith(_SPACE) and not text.startswith(" ") else text

    def tokens_of(self, text: str) -> list[int]:
        """The tokens with this text, with and without a space before it."""
        if self.tokenizer is None:
            number = text.removeprefix("token ")
            return [int(number)] if number.isdecimal() else []
        found = []
        for written in dict.fromkeys((text, f" {text}")):
            ids = self.tokenizer(written, add_special_tokens=False)["input_ids"]
            if len(ids) == 1:
                found.append(int(ids[0]))
        return found

    def pieces_of(self, text: str) -> list[str]:
        """The tokens that a text consists of, as texts."""
        if self.tokenizer is None:
            return []
        return [self.name_of(int(i)) for i in self.tokenizer(text, add_special_tokens=False)["input_ids"]][:8]


class StreamSelection(Selection):
    """One position of every layer, which attributions need; of the layers named, all."""

    def __init__(self, layers: Sequence[str] | None, position: int) -> None:
        super().__init__(layers, None)
        self.at = position

    def __call__(self, name: str) -> Sequence[int] | None:
        named = self.layers is not None and super().__call__(name) is None
        return None if named or name in ("lm_head", "embed_out") else [self.at]


def is_language_model(model: Any) -> bool:
    """Whether a module gives logits of tokens."""
    families = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(model).__mro__}
    if "transformers.PreTrainedModel" not in families:
        return False
    architecture = type(model).__name__
    return model.get_output_embeddings() is not None and ("CausalLM" in architecture or "LMHead" in architecture)


def observe_language_module(
    model: Any, inputs: Any, text: str | None, layers: Sequence[str] | None, position: int | None
) -> Observation:
    """A loaded model on a text (with the tokenizer of the folder that it was loaded from), or on numbers of tokens."""
    folder = str(getattr(model.config, "_name_or_path", "") or "")
    tokenizer = None
    if os.path.isdir(folder):
        with quiet():
            tokenizer = _tokenizer(Path(folder))
    loaded = LanguageModel(model, tokenizer, type(model).__name__)
    if text is not None:
        return loaded.observe(text, layers, position)
    ids = inputs.get("input_ids") if isinstance(inputs, Mapping) else inputs
    array = np.asarray(ids.cpu() if isinstance(ids, Tensor) else ids)
    if array.dtype.kind not in "iu" or array.ndim not in (1, 2) or (array.ndim == 2 and len(array) != 1):
        raise InputError(
            "expected the numbers of the tokens of one text", help='inputs=[[1, 15043, 3186]], or text="..."'
        )
    return loaded.observe(array.reshape(-1).tolist(), layers, position)


def load_language_model(path: Path) -> LanguageModel:
    """The model of a folder of the transformers library."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    transformers = library()
    config = read_config(path)
    kind = str(config.get("model_type", ""))
    known = transformers.models.auto.configuration_auto.CONFIG_MAPPING_NAMES
    if kind not in known:
        own = (
            "which comes as code with the model" if config.get("auto_map") else "which this transformers does not know"
        )
        raise FileError(
            f"{quoted(path)} needs the model type {kind[:60]!r}, {own}: no code of a model is run",
            help="pip install -U transformers, if a newer version knows it",
        )
    check_memory(path, sum(file.stat().st_size for file in weight_files(path)))
    with quiet():
        try:
            module = _kind(transformers, config).from_pretrained(
                path, local_files_only=True, trust_remote_code=False, dtype="auto"
            )
        except GlassnetError:
            raise
        except Exception as problem:  # whatever a damaged file makes the library raise
            raise FileError(f"cannot load {quoted(path)} as a language model: {first_line(problem)}") from problem
        tokenizer = _tokenizer(path)
    return LanguageModel(module, tokenizer, path.name or str(path))


def _kind(transformers: Any, config: dict[str, Any]) -> Any:
    """The library's class for a configuration: the one that it names, if that is the library's own; else the class
    with logits of tokens."""
    named = config.get("architectures")
    kind = getattr(transformers, str(named[0]), None) if isinstance(named, list) and named else None
    if isinstance(kind, type) and issubclass(kind, transformers.PreTrainedModel):
        return kind
    return transformers.AutoModelForCausalLM


def library() -> Any:
    """transformers, offline; `MissingExtra` without it."""
    os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
    try:
        import transformers
    except ModuleNotFoundError as problem:
        raise MissingExtra("transformers", "llm") from problem
    return transformers


def read_config(path: Path) -> dict[str, Any]:
    """`config.json` of a folder."""
    file = path / "config.json"
    try:
        config = json.loads(file.read_text("utf-8"))
    except OSError:
        raise FileError(
            f"{quoted(path)} has no config.json: expected the folder of a language model",
            help="name the folder with config.json, tokenizer.json and the weights",
        ) from None
    except ValueError:
        config = None
    if not isinstance(config, dict):
        raise FileError(f"{quoted(file)} is damaged: expected a JSON object")
    return config


def weight_files(path: Path) -> list[Path]:
    """The files of weights in a folder."""
    for pattern in ("*.safetensors", "*.bin"):
        if files := sorted(path.glob(pattern)):
            return files
    raise FileError(f"{quoted(path)} has no weights: expected *.safetensors beside config.json")


def check_memory(path: Path, needed: int) -> None:
    """`FileError` where a model would not fit into the memory that is free."""
    free = free_memory()
    if free is not None and needed > free:
        raise FileError(
            f"{quoted(path)} needs {needed / 1e9:.1f} GB of memory, and {free / 1e9:.1f} GB are free",
            help="glassnet inspect FILE --neuron LAYER:N --words reads single neurons from the file",
        )


def free_memory() -> int | None:
    """Bytes of memory that can be taken; None where the system does not say it."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return None
    return None


def _tokenizer(path: Path) -> Any:
    if not any((path / name).exists() for name in ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")):
        return None
    try:
        return library().AutoTokenizer.from_pretrained(path, local_files_only=True, trust_remote_code=False)
    except Exception as problem:
        raise FileError(f"cannot read the tokenizer in {quoted(path)}: {first_line(problem)}") from problem


@contextmanager
def quiet() -> Iterator[None]:
    """Without the library's progress bars and advice."""
    logging = library().utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
