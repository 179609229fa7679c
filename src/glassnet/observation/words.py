"""The words of a neuron of a language model, from its file alone: nothing is run, and no matrix is held whole.

What a neuron writes into the residual stream, times the last norm's gain and the output matrix, is what it gives to
each token: `U (gain * w)`. What it reads is the same with its input weights and the embedding. Both matrices are read
some rows at a time.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from glassnet.arithmetic import significant
from glassnet.arrays import Array
from glassnet.errors import AddressError, SettingError
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.formats.gguf import reader
from glassnet.files.inspection import open as open_model
from glassnet.observation import vocabulary
from glassnet.observation.vocabulary import Vocabulary
from glassnet.opening import quoted_word
from glassnet.render.document import Document, Rendered
from glassnet.render.parts import Column, Part, Section, Table, Text

BLOCK = 1 << 21
"""Numbers of a matrix that are read at a time."""

_EMBEDDING = r"(.*\.)?(embed_tokens|wte|embed_in|word_embeddings|tok_embeddings|embeddings)\.weight|token_embd\.weight"
_OUTPUT = r"(.*\.)?(lm_head|embed_out)\.weight|output\.weight"
_LAST_NORM = (
    r"(model\.|transformer\.|gpt_neox\.|backbone\.|language_model\.|decoder\.)*"
    r"(norm|norm_f|ln_f|final_layer_norm|final_layernorm)\.weight|output_norm\.weight"
)
_BLOCK = r"(?:.*\.)?(?:layers|h|blocks)\.{block}\.|blk\.{block}\."
_EXPERT = r"(?:mlp|block_sparse_moe|feed_forward)\.experts\.{expert}\."
_DOWN = r"(?:mlp\.|feed_forward\.)?(?:down_proj|c_proj|dense_4h_to_h|fc2|w2)\.weight|ffn_down\.weight"
_GATE = r"(?:mlp\.|feed_forward\.)?(?:gate_proj|w1)\.weight|ffn_gate\.weight"
_UP = r"(?:mlp\.|feed_forward\.)?(?:up_proj|c_fc|dense_h_to_4h|fc1|w3)\.weight|ffn_up\.weight"
_GATE_UP = r"(?:mlp\.)?gate_up_proj\.weight"
_STACKED = {
    "down": r"mlp\.experts\.down_proj|ffn_down_exps\.weight",
    "gate": r"ffn_gate_exps\.weight",
    "up": r"ffn_up_exps\.weight",
    "both": r"mlp\.experts\.gate_up_proj",
}
_BEFORE = (
    r"pre_feedforward_layernorm\.weight|ffn_norm\.weight",
    r"post_attention_layernorm\.weight|ln_2\.weight|final_layer_norm\.weight|ln_mlp\.weight",
    r"input_layernorm\.weight|attn_norm\.weight",
)
_AFTER = r"post_feedforward_layernorm\.weight|post_ffw_norm\.weight"


@dataclass(frozen=True)
class Word:
    """A token and its score: how much one unit of the neuron's output adds to its logit, but for the norm's scale."""

    token: str
    score: float


@dataclass(frozen=True, eq=False)
class Words(Rendered):
    """The words of one neuron, by its weights.

    Parameters
    ----------
    layer : str
        Block; `3[5]` for expert 5 of block 3.
    neuron : int
    writes, writes_against : sequence of Word
        The tokens that it promotes most where its output is positive, and those it promotes where that is negative.
    reads, reads_against : mapping of str to sequence of Word
        For each of its sums ("gate", "up") the tokens whose embeddings its weights match best, and worst.
    """

    layer: str
    neuron: int
    writes: Sequence[Word]
    writes_against: Sequence[Word]
    reads: dict[str, Sequence[Word]]
    reads_against: dict[str, Sequence[Word]]

    def document(self, top: int = 10) -> Document:
        """The lists beside one another, each with its sign.

        Parameters
        ----------
        top : int

        Returns
        -------
        Document
        """
        parts: list[Part] = [_section("writes", self.writes, self.writes_against, top)]
        for name, words in self.reads.items():
            parts.append(_section(f"reads, {name}", words, self.reads_against[name], top))
        parts.append(
            Text(
                "From the weights alone: at work a neuron's output may have either sign, and what it reads is told by "
                "its weights in the first blocks only. `glassnet observe` shows it on a text.",
                quiet=True,
            )
        )
        return Document(f"neuron {self.layer}:{self.neuron}", parts)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        lists = {"writes": self.writes, "writes_against": self.writes_against}
        return {
            "layer": int(self.layer) if self.layer.isdecimal() else self.layer,
            "neuron": self.neuron,
            **{name: [vars(word) for word in words] for name, words in lists.items()},
            "reads": {name: [vars(word) for word in words] for name, words in self.reads.items()},
            "reads_against": {name: [vars(word) for word in words] for name, words in self.reads_against.items()},
        }

    def __repr__(self) -> str:
        return f"Words({self.layer}:{self.neuron} writes {', '.join(quoted_word(w.token) for w in self.writes[:3])})"


def _section(title: str, words: Sequence[Word], against: Sequence[Word], top: int) -> Section:
    pairs = zip(words[:top], against[:top], strict=True)
    cells = [
        (quoted_word(a.token), significant(a.score, 4), quoted_word(b.token), significant(b.score, 4)) for a, b in pairs
    ]
    columns = [Column("where positive"), Column("", "r"), Column("where negative"), Column("", "r")]
    return Section(title, [Table(columns, cells)])


@overload
def words(source: Any, layer: "int | str", neuron: int, top: int = 10) -> Words: ...


@overload
def words(source: Any, layer: "int | str", neuron: "Sequence[int] | None" = None, top: int = 10) -> list[Words]: ...


def words(
    source: Any, layer: "int | str", neuron: "int | Sequence[int] | None" = None, top: int = 10
) -> "Words | list[Words]":
    """The tokens that a neuron's output weights promote, and those that its input weights match: from the file alone.

    Nothing is run. Of the matrices some rows are held at a time, so memory does not grow with the file.

    Parameters
    ----------
    source : path or model in memory
        A folder or a GGUF file of a language model, a file of its tensors, or a torch module.
    layer : int or str
        The block, from 0; `"3[5]"` for expert 5 of block 3.
    neuron : int or sequence of int, optional
        One neuron, several, or all of the block (None): of these the matrices are read once, in one blocked product.
    top : int
        Number of tokens.

    Returns
    -------
    Words, or list of Words
        `.writes`, `.reads`; print it to read it.

    Raises
    ------
    AddressError
        If the block or the neuron does not exist.
    SettingError
        If the file has no embedding, or names nothing that is known as an MLP.

    Examples
    --------
    >>> import numpy as np, glassnet as gn
    >>> tensors = {
    ...     "model.embed_tokens.weight": np.eye(4, 3, dtype=np.float32),
    ...     "model.layers.0.mlp.up_proj.weight": np.ones((2, 3), np.float32),
    ...     "model.layers.0.mlp.down_proj.weight": np.array([[0, 1], [2, 0], [0, 0]], np.float32),
    ... }
    >>> gn.words(tensors, 0, 1, top=1).writes
    [Word(token='token 0', score=1.0)]
    """
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise SettingError(f"top is {top!r}, expected a number from 1 up")
    single = neuron is not None and (isinstance(neuron, int) or not isinstance(neuron, Sequence | range))
    wanted = None if neuron is None else [neuron] if single else list(neuron)  # type: ignore[arg-type]
    with open_model(source) as checkpoint:
        found = found_in(checkpoint, str(layer), wanted, top, vocabulary_of(checkpoint, source))
    return found[0] if single else found


def vocabulary_of(checkpoint: Checkpoint, source: Any) -> Vocabulary:
    """The texts of the tokens, where the files beside the numbers have them."""
    if checkpoint.format.startswith("GGUF"):
        return vocabulary.of_gguf(reader.read_values(checkpoint.path))
    return vocabulary.of_folder(_folder(checkpoint, source))


def _folder(checkpoint: Checkpoint, source: Any) -> Path:
    """Where files beside the numbers lie."""
    place = getattr(getattr(source, "config", None), "_name_or_path", "")
    if place:
        return Path(str(place))
    return checkpoint.path if checkpoint.path.is_dir() else checkpoint.path.parent


def found_in(
    checkpoint: Checkpoint, layer: str, neurons: "Sequence[Any] | None", top: int, names: Vocabulary
) -> list[Words]:
    """The words of neurons in an open file; of all of the block, if none are named."""
    model = _Tensors(checkpoint)
    block, expert = model.block(layer)
    embedding = model.one(_EMBEDDING)
    if embedding is None:
        raise SettingError(
            "no embedding of tokens is among the tensors, so neurons have no words",
            help="glassnet inspect FILE --neuron TENSOR:N shows the weights of any neuron",
        )
    width = model.shape(embedding)[1]
    output = model.one(_OUTPUT) or embedding
    numbers, count, written = model.written(block, expert, neurons, width)
    if not numbers:
        return []
    for norm in (model.within(block, _AFTER), model.one(_LAST_NORM)):
        written = model.through(norm, written)
    reading = {
        name: model.through(model.before(block), weights)
        for name, weights in model.read(block, expert, numbers, count, width).items()
    }
    if output == embedding:
        made = _top(checkpoint, embedding, np.concatenate([written, *reading.values()]), top)
    else:
        made = _top(checkpoint, output, written, top)
        made += _top(checkpoint, embedding, np.concatenate([*reading.values()]), top) if reading else []
    lists = [([Word(names[i], s) for i, s in best], [Word(names[i], s) for i, s in worst]) for best, worst in made]
    found = []
    for at, neuron in enumerate(numbers):
        (writes, against), *reads = lists[at :: len(numbers)]
        best, worst = ({name: pair[k] for name, pair in zip(reading, reads, strict=True)} for k in (0, 1))
        found.append(Words(layer, neuron, writes, against, dict(best), dict(worst)))
    return found


_Ranked = list[tuple[int, float]]


def _top(checkpoint: Checkpoint, name: str, directions: Array, top: int) -> list[tuple[_Ranked, _Ranked]]:
    """For each direction the rows of a matrix with the largest products, and those with the smallest."""
    best, worst = _Ranking(top, len(directions)), _Ranking(top, len(directions))
    turned: Array = directions.astype(np.float32).T
    for start, rows in _blocks(checkpoint, name):
        made = rows @ turned
        best.add(start, made)
        worst.add(start, -made)
    return [
        ([(i, v) for i, v in best.column(k)], [(i, -v) for i, v in worst.column(k)]) for k in range(len(directions))
    ]


class _Ranking:
    """The largest values of each column so far, and the rows that they stand in."""

    def __init__(self, top: int, columns: int) -> None:
        self.values = np.full((top, columns), -np.inf, np.float32)
        self.rows = np.zeros((top, columns), np.int64)

    def add(self, start: int, made: Array) -> None:
        """More rows; only columns in which one of them is among the largest are ranked again."""
        columns = np.flatnonzero(made.max(axis=0) > self.values.min(axis=0))
        if not len(columns):
            return
        top = len(self.values)
        values = np.concatenate([self.values[:, columns], made[:, columns]])
        at = np.argpartition(-values, top - 1, axis=0)[:top]
        before = np.take_along_axis(self.rows[:, columns], np.minimum(at, top - 1), 0)
        numbers = np.where(at < top, before, start + at - top)
        self.values[:, columns], self.rows[:, columns] = np.take_along_axis(values, at, 0), numbers

    def column(self, k: int) -> _Ranked:
        """Rows and values of a column, the largest first."""
        pairs = zip(self.rows[:, k].tolist(), self.values[:, k].tolist(), strict=True)
        return sorted(((i, v) for i, v in pairs if v > -np.inf), key=lambda pair: (-pair[1], pair[0]))


def _blocks(checkpoint: Checkpoint, name: str) -> Iterator[tuple[int, Array]]:
    info = checkpoint.info(name)
    if info.quantised is not None:  # codes and scales: computed whole
        yield 0, np.asarray(checkpoint.weights(name), np.float32)
        return
    step = max(1, BLOCK // max(info.shape[1], 1))
    for start in range(0, info.shape[0], step):
        yield start, np.asarray(checkpoint.rows(name, slice(start, start + step)), np.float32)


class _Tensors:
    """The tensors of a language model, found by what the families call them."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint
        self.names = list(checkpoint.tensors)
        self.kind = _kind(checkpoint)
        self.gemma = self.kind.startswith("gemma") and not self.kind.startswith("gemma4")

    def one(self, pattern: str) -> str | None:
        """The tensor whose whole name a pattern matches."""
        return next((name for name in self.names if re.fullmatch(pattern, name)), None)

    def within(self, block: int, pattern: str) -> str | None:
        """The same, of one block."""
        return self.one(rf"(?:{_BLOCK.format(block=block)})(?:{pattern})")

    def block(self, layer: str) -> tuple[int, int | None]:
        """`3` or `3[5]` as a block and an expert; `AddressError` for one that is not there."""
        match = re.fullmatch(r"(\d+)(?:\[(\d+)\])?", layer)
        if match is None:
            raise AddressError(f"no block {layer!r}: expected its number, such as 16, or 3[5] for expert 5 of block 3")
        block = int(match[1])
        there = {int(n) for name in self.names for n in re.findall(r"(?:layers|h|blocks|blk)\.(\d+)\.", name)}
        if block not in there:
            last = max(there, default=-1)
            raise AddressError(
                f"no block {block}: expected one from 0 to {last}" if there else "no numbered blocks among the tensors",
            )
        return block, None if match[2] is None else int(match[2])

    def shape(self, name: str) -> tuple[int, ...]:
        info = self.checkpoint.info(name)
        return info.shape if info.quantised is None else info.quantised.shape

    def neurons(self, name: str, numbers: Sequence[int], by_rows: bool, expert: int | None) -> Array:
        """Rows or columns of a matrix, (n, width); one alone is read from its place."""
        if expert is not None and len(self.shape(name)) == 3:
            matrix = self._expert(name, expert)
        elif len(numbers) == 1 and self.checkpoint.info(name).quantised is None:
            read = self.checkpoint.rows if by_rows else self.checkpoint.column
            return np.asarray(read(name, numbers[0]), np.float64)[None]
        else:
            matrix = self.checkpoint.weights(name)
        chosen = np.asarray(numbers)
        return np.asarray(matrix[chosen] if by_rows else matrix[:, chosen].T, np.float32)

    def written(
        self, block: int, expert: int | None, neurons: "Sequence[Any] | None", width: int
    ) -> tuple[list[int], int, Array]:
        """The neurons by their numbers, how many the MLP has, and the output weights of these, (n, width)."""
        name = self._mlp(block, expert, _DOWN, "down")
        if name is None:
            raise SettingError(
                f"block {block} has no output matrix of an MLP under a known name",
                help="say which expert: BLOCK[EXPERT]" if expert is None else None,
            )
        shape = self.shape(name)[-2:]
        by_rows = shape[0] != width or (shape[0] == shape[1] and name.endswith("c_proj.weight"))
        count = shape[0] if by_rows else shape[1]
        chosen = list(range(count)) if neurons is None else list(neurons)
        for neuron in chosen:
            check_neuron(neuron, count, f"block {block}")
        return chosen, count, self.neurons(name, chosen, by_rows, expert) if chosen else np.zeros((0, width))

    def read(self, block: int, expert: int | None, neurons: Sequence[int], count: int, width: int) -> dict[str, Array]:
        """The neurons' input weights: of their gates and their other sums, or of their only ones."""
        found: dict[str, Array] = {}
        for word, pattern in (("gate", _GATE), ("up", _UP)):
            name = self._mlp(block, expert, pattern, word)
            if name is not None:
                by_rows = self.shape(name)[-1] == width and not name.endswith("c_fc.weight")
                found[word] = self.neurons(name, neurons, by_rows, expert)
        both = self._mlp(block, expert, _GATE_UP, "both")
        if both is not None and not found:
            by_turns = len(self.shape(both)) == 3 and self.shape(both)[-1] != width  # and by columns: GPT-OSS
            for k, word in enumerate(("gate", "up")):
                places = [2 * n + k if by_turns else n + k * count for n in neurons]
                found[word] = self.neurons(both, places, not by_turns, expert)
        return {"weights": found["up"]} if list(found) == ["up"] else found

    def _mlp(self, block: int, expert: int | None, pattern: str, word: str) -> str | None:
        if expert is None:
            return self.within(block, pattern)
        single = self.within(block, rf"{_EXPERT.format(expert=expert)}(?:{pattern})")
        return single or self.within(block, _STACKED[word])

    def _expert(self, name: str, expert: int | None) -> Array:
        count = self.shape(name)[0]
        if expert is None or not 0 <= expert < count:
            raise AddressError(f"no expert {expert}: expected one from 0 to {count - 1}")
        return self.checkpoint.rows(name, expert)

    def before(self, block: int) -> str | None:
        """The norm right before the MLP."""
        return next((name for pattern in _BEFORE if (name := self.within(block, pattern))), None)

    def through(self, norm: str | None, direction: Array) -> Array:
        """Directions through a norm, without the scale that differs from text to text."""
        if norm is None:  # OLMo's norms have no numbers of their own
            return direction - direction.mean(axis=-1, keepdims=True) if self.kind == "olmo" else direction
        gain = np.asarray(self.checkpoint.array(norm), direction.dtype)
        if gain.shape != direction.shape[-1:]:
            return direction
        made = direction * (1 + gain if self.gemma else gain)
        centred = norm.removesuffix(".weight") + ".bias" in self.checkpoint.tensors
        return made - made.mean(axis=-1, keepdims=True) if centred else made


def check_neuron(neuron: int, count: int, where: str) -> None:
    """`AddressError` unless there are so many neurons."""
    if isinstance(neuron, bool) or not isinstance(neuron, int) or not 0 <= neuron < count:
        raise AddressError(f"no neuron {neuron!r} in {where}: expected one from 0 to {count - 1:,}")


def _kind(checkpoint: Checkpoint) -> str:
    """The model type, by its configuration; "" where there is none. Norms of Gemma multiply by 1 + weight (files of
    GGUF hold the sum)."""
    if checkpoint.format.startswith("GGUF"):
        return ""
    config = getattr(getattr(checkpoint, "model", None), "config", None)
    if config is not None:
        return str(getattr(config, "model_type", ""))
    folder = checkpoint.path if checkpoint.path.is_dir() else checkpoint.path.parent
    try:
        return str(json.loads((folder / "config.json").read_text("utf-8")).get("model_type"))
    except (OSError, ValueError, AttributeError):
        return ""
