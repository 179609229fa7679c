"""A language model on one text: likely next tokens, what each part gave to one of them, and the neurons."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from glassnet.arithmetic import significant
from glassnet.arrays import Array
from glassnet.errors import AddressError, SettingError
from glassnet.observation.layers import SeenLayer
from glassnet.observation.norms import HeldNorm
from glassnet.observation.observation import Attribution, Contribution, Observation
from glassnet.observation.recording import Recorded
from glassnet.observation.residual import Normed, StreamMark, Term
from glassnet.opening import printable, quoted_word
from glassnet.render.document import Document
from glassnet.render.parts import Column, Part, Section, Table, Text

_ATTENTION = re.compile(r"attn|attention", re.IGNORECASE)
_MLP = re.compile(r"mlp|ffn|ffw|feed_?forward|moe|experts|\.fc\d|dense_4h", re.IGNORECASE)
_MIXER = re.compile(r"mixer|mamba|ssm", re.IGNORECASE)
_POSITION = re.compile(r"wpe|position", re.IGNORECASE)
_EMBEDDING = re.compile(r"embed|wte|word_emb", re.IGNORECASE)
_BLOCK = re.compile(r"\.(\d+)(?:\.|$)")
_CHUNK = 1 << 22
"""Numbers of a matrix that are converted to float64 at a time."""


def part_name(source: str) -> str:
    """`model.layers.5.mlp.down_proj` -> "mlp 5"."""
    block = _BLOCK.search(source)
    for pattern, word in ((_ATTENTION, "attention"), (_MLP, "mlp"), (_MIXER, "mixer")):
        if block is not None and pattern.search(source):
            return f"{word} {block[1]}"
    if block is None and _POSITION.search(source):
        return "position embedding"
    if block is None and _EMBEDDING.search(source):
        return "embedding"
    return f"block {block[1]}" if block is not None else source or "the model itself"


@dataclass(eq=False)
class Writer:
    """A product whose outputs one term of the stream consists of: `factor * norm(outputs)`."""

    block: str
    record: Recorded
    row: int
    factor: float
    normed: Normed | None


@dataclass(eq=False)
class LanguageObservation(Observation):
    """A language model on one text, at one position.

    Parameters
    ----------
    tokens : sequence of str
        The text, token by token.
    position : int
        The position whose next token is predicted.
    """

    tokens: Sequence[str] = ()
    position: int = 0
    token_ids: Sequence[int] = field(default=(), repr=False)
    terms: "Sequence[Term] | None" = field(default=None, repr=False)
    final: Normed | None = field(default=None, repr=False)
    head: Recorded | None = field(default=None, repr=False)
    records: Sequence[Recorded] = field(default=(), repr=False)
    source: Any = field(default=None, repr=False)
    """The loaded model, which names tokens and observes again."""

    def again(
        self, text: str, layers: Sequence[str] | None = None, position: int | None = None
    ) -> "LanguageObservation":
        """The same model, which stays loaded, on another text.

        Parameters
        ----------
        text : str
        layers, position
            As for `glassnet.observe`.
        """
        seen: LanguageObservation = self.source.observe(text, layers, position)
        return seen

    # Neurons

    def layer(self, name: str) -> SeenLayer:
        """The layer of this name; a number is that block's MLP, `3[5]` expert 5 of it."""
        if re.fullmatch(r"\d+(\[\d+\])?", str(name)):
            for writer in self.writers():
                if writer.block == str(name):
                    found = next((layer for layer in self.layers if layer.result is writer.record.product), None)
                    if found is None:
                        raise AddressError(
                            f"the activation of the MLP of block {name} is of no known form, so its neurons cannot be "
                            "worked out",
                            help=f"its sums are: neuron({next(iter(self._sums(name)), writer.record.name)!r}, index)",
                        )
                    return found
            blocks = [writer.block for writer in self.writers()]
            some = ", ".join(blocks[:3]) + (f", ..., {blocks[-1]}" if len(blocks) > 3 else "")
            raise AddressError(f"no neurons in a block {name} at this position", help=f"blocks with neurons: {some}")
        return super().layer(name)

    def _sums(self, block: str) -> list[str]:
        number = block.partition("[")[0]
        return [layer.name for layer in self.layers if f".{number}." in layer.name and _MLP.search(layer.name)]

    def _position(self, layer: SeenLayer) -> int:
        return self.position if self.position in layer.positions else -1

    def evidence(self, layer: str, index: int, top: int = 5) -> list[tuple[str, float]]:
        """The tokens of the text at which a neuron passes on most, largest first.

        Where only one position of the layer was kept, the model is run once more.

        Parameters
        ----------
        layer : str
        index : int
        top : int

        Returns
        -------
        list of (str, float)
            The token, and what the neuron passes on there.
        """
        at = self.layer(layer)
        at.check(index)
        if len(at.positions) < at.gate.rows:
            again = self.source.observe(self.token_ids, [at.name], self.position)
            at = again.layer(at.name)
        values = at.outputs[:, index]
        order = np.argsort(-np.abs(values), kind="stable")[:top]
        return [(self.tokens[at.positions[i]], float(values[i])) for i in order]

    # What was given to a token

    def attribution(
        self, output: "str | int | None" = None, against: "str | int | None" = None, top: int = 10
    ) -> Attribution:
        """What each part gave to the logit of a token, or to the difference of two logits; and the neurons of the MLPs.

        The residual stream is a sum, and the last norm is linear while its scale is held, so the parts add up to the
        logit. What a part would have given at another scale is not said by it.

        Parameters
        ----------
        output, against : str or int, optional
            A token by its text or number (default: the most likely); with `against` the difference is shared out.
        top : int
            Number of neurons.

        Raises
        ------
        SettingError
            If the model's last step is of no known form.
        AddressError
            If a text is not one token.
        """
        if self.terms is None or self.head is None or (self.final is not None and self.final.norm is None):
            raise SettingError(
                "what spoke for a token cannot be shared out exactly: the last steps of this model are no sum, "
                "a norm and one matrix",
                help="its outputs, layers, neuron(...) and strongest() work",
            )
        chosen = [self.token(output), *([] if against is None else [self.token(against)])]
        direction = self._unembedding(chosen[0])
        values = self._values()
        assert values is not None
        logit, z = float(values[chosen[0]]), self._head_output(chosen[0])
        bias = self._head_bias(chosen[0])
        if len(chosen) == 2:
            direction = direction - self._unembedding(chosen[1])
            logit, z = logit - float(values[chosen[1]]), z - self._head_output(chosen[1])
            bias -= self._head_bias(chosen[1])
        norm = self.final.norm if self.final is not None else None
        inner = direction if norm is None else norm.backward(direction)
        parts: dict[str, float] = {}
        for term in self.terms:
            name = part_name(term.source)
            parts[name] = parts.get(name, 0.0) + float(term.values @ inner)
        if norm is not None and norm.shift is not None:
            parts["bias of the last norm"] = float(norm.shift @ direction)
        if self.head.bias is not None:
            parts["bias of the output"] = bias
        parts["rounding of the framework"] = z - sum(parts.values())
        if abs(logit - z) > 1e-4 * max(1.0, abs(z)):
            parts["soft cap or scale after the sum"] = logit - z
        else:
            parts["rounding of the framework"] += logit - z
        neurons, count, total = self._neurons(inner, top)
        names = [self.name_of(token) for token in chosen]
        held = "" if norm is None else ", with the scale of the last norm held at its value here"
        first, second = names[0], names[1] if len(names) == 2 else None
        return Attribution(
            quoted_word(first),
            None if second is None else quoted_word(second),
            logit,
            list(parts.items()),
            neurons,
            count,
            total,
            f"exact{held}",
        )

    def writers(self) -> list[Writer]:
        """The products of which the terms of MLPs consist, in their order."""
        if self._writers is None:
            self._writers = [writer for term in self.terms or () for writer in self._of(term)]
        return self._writers

    _writers: "list[Writer] | None" = field(default=None, repr=False)

    def _of(self, term: Term) -> list[Writer]:
        block = part_name(term.source)
        if not block.startswith("mlp "):
            return []
        number, mark, normed = block.removeprefix("mlp "), term.mark, None
        if mark is not None and mark.normed is not None:
            normed, mark = mark.normed, mark.normed.mark
            if normed.norm is None:
                return []
        if mark is not None and mark.product is not None and mark.product.product is not None:
            row = _row(mark.product, self.position)
            return [] if row is None else [Writer(number, mark.product, row, 1.0, normed)]
        return self._mixed(number, term, normed)

    def _mixed(self, number: str, term: Term, normed: Normed | None) -> list[Writer]:
        """A term that is a weighted sum of products: experts. Their weights follow from the numbers themselves."""
        values = term.values if normed is None else normed.inputs
        place = re.match(r".*?\.\d+(?=\.|$)", term.source)
        prefix = f"{place[0]}." if place is not None else ""
        found: list[tuple[Recorded, int]] = []
        for record in self.records:
            inside = record.name.startswith(prefix) and _MLP.search(record.name) and not _ATTENTION.search(record.name)
            row = _row(record, self.position)
            if inside and record.fan_out == len(values) and row is not None and record.product is not None:
                found.append((record, row))
        if not found:
            return []
        columns = np.stack([record.product.outputs[row] for record, row in found if record.product], axis=1)
        factors, *_ = np.linalg.lstsq(columns.astype(np.float64), values, rcond=None)
        off = np.abs(columns @ factors - values).max()
        if off > 1e-2 * max(float(np.abs(values).max()), 1e-30):
            return []
        writers = []
        for (record, row), factor in zip(found, factors, strict=True):
            expert = re.search(r"\[(\d+)\]", record.name)
            writers.append(Writer(f"{number}[{expert[1]}]" if expert else number, record, row, float(factor), normed))
        return writers

    def _neurons(self, inner: Array, top: int) -> tuple[list[Contribution], int, float]:
        """The neurons that gave most in this direction, how many there are, and what all of them gave."""
        found: list[tuple[float, Writer, int]] = []
        count, total = 0, 0.0
        for writer in self.writers():
            product = writer.record.product
            assert product is not None
            direction = writer.factor * (inner if writer.normed is None else _norm(writer.normed).backward(inner))
            given = product.inputs[writer.row].astype(np.float64) * times(product.operand, direction)
            count, total = count + len(given), total + float(given.sum())
            best = np.argsort(-np.abs(given), kind="stable")[:top]
            found += [(float(given[k]), writer, int(k)) for k in best]
        found = sorted(found, key=lambda each: -abs(each[0]))[:top]
        words = self.words_written([(writer, k) for _, writer, k in found])
        return [Contribution(w.block, k, v, words[i]) for i, (v, w, k) in enumerate(found)], count, total

    def words_written(self, neurons: "Sequence[tuple[Writer, int]]", top: int = 5) -> list[tuple[str, ...]]:
        """The tokens that each neuron promotes by what it passes on at this position, with its sign."""
        if not neurons or self.head is None:
            return []
        rows = []
        for writer, k in neurons:
            product = writer.record.product
            assert product is not None
            weights = product.operand[k].detach().double().cpu().numpy()
            sign = np.sign(float(product.inputs[writer.row, k]) * writer.factor) or 1.0
            for normed in (writer.normed, self.final):
                if normed is not None:
                    weights = weights * _norm(normed).weight
                    weights = weights - weights.mean() if _norm(normed).centred else weights
            rows.append(sign * weights)
        unembedding = self.head.operand
        scores = torch.as_tensor(np.stack(rows)).to(unembedding.device, unembedding.dtype) @ unembedding
        best = scores.float().topk(min(top, scores.shape[1]), dim=1).indices.tolist()
        return [tuple(self.name_of(token) for token in row) for row in best]

    def _unembedding(self, token: int) -> Array:
        assert self.head is not None
        return self.head.operand[:, token].detach().double().cpu().numpy()

    def _head_output(self, token: int) -> float:
        assert self.head is not None
        assert self.head.product is not None
        return float(self.head.product.outputs[-1, token])

    def _head_bias(self, token: int) -> float:
        assert self.head is not None
        return 0.0 if self.head.bias is None else float(self.head.bias.detach()[token])

    # Tokens

    def name_of(self, token: int) -> str:
        """The text of a token."""
        name: str = self.source.name_of(token)
        return name

    def _output_name(self, k: int) -> str:
        return self.name_of(k)

    def token(self, output: "str | int | None") -> int:
        """The number of a token by its text; with a space before it where that is the likelier one."""
        values = self._values()
        assert values is not None
        if output is None:
            return int(values.argmax())
        if not isinstance(output, str):
            if isinstance(output, bool) or not 0 <= output < len(values):
                raise AddressError(f"no token {output}: expected one from 0 to {len(values) - 1:,}")
            return int(output)
        found = [token for token in self.source.tokens_of(output) if token < len(values)]
        if not found:
            pieces = " ".join(quoted_word(piece) for piece in self.source.pieces_of(output))
            raise AddressError(
                f"{output!r} is not one token of this model" + (f", but {pieces}" if pieces else ""),
                help="name one token, or its number",
            )
        return max(found, key=lambda token: values[token])

    # Words

    def document(self, top: int = 10, attribution: Attribution | None = None) -> Document:
        """The likely next tokens, what each part gave to the first, and the neurons that matter, with their words."""
        shown = [
            (
                quoted_word(o.name),
                "" if o.probability is None else f"{o.probability:.1%}",
                significant(o.logit, 7),
            )
            for o in self.outputs[:top]
        ]
        columns = [Column("next token"), Column("probability", "r"), Column("logit", "r")]
        parts: list[Part] = [Section("likely next tokens", [Table(columns, shown)])]
        try:
            given = attribution or self.attribution(top=top)
        except SettingError as problem:
            parts += [Text(problem.problem, quiet=True), self._layer_table()]
        else:
            parts.append(Section(given.title, given.document(top).parts))
        text = printable("".join(self.tokens[: self.position + 1]), 200)
        return Document(f"{self.model} on {text!r}", parts)

    def card(
        self, layer: str, index: int, position: "int | tuple[int, ...] | None" = None, top: int = 12,
        singly: bool = False,
    ) -> Document:  # fmt: skip
        """One neuron worked by hand, the tokens at which it is strongest, and the words it writes.

        Parameters
        ----------
        layer, index, position
            As for `neuron`.
        top : int
            Products shown singly.
        singly : bool
            Products singly also where they are grouped by what computed their inputs.

        Returns
        -------
        Document
        """
        trace = self.neuron(layer, index, position)
        parts: list[Part] = [*trace.document(top, singly).parts]
        if len(self.tokens) > 1:
            found = self.evidence(layer, index)
            cells = [(quoted_word(token), significant(value, 6)) for token, value in found]
            table = Table([Column(), Column("output", "r")], cells)
            parts.append(Section("tokens of the text at which it passes on most", [table]))
        written = self.writes(layer, index)
        if written:
            words = " ".join(quoted_word(word) for word in written)
            parts.append(Section("words that it writes here", [Text(words)]))
        return Document(trace.name, parts)

    def writes(self, layer: str, index: int) -> tuple[str, ...]:
        """The words that a neuron of an MLP writes at this position; none for other layers.

        Parameters
        ----------
        layer : str
        index : int

        Returns
        -------
        tuple of str
        """
        at = self.layer(layer)
        for writer in self.writers():
            if at.result is not None and writer.record.product is at.result:
                return self.words_written([(writer, index)])[0]
        return ()

    def as_dict(
        self, top: int = 10, output: "str | int | None" = None, against: "str | int | None" = None
    ) -> dict[str, Any]:
        """Plain values for JSON.

        Parameters
        ----------
        top : int
            Number of neurons.
        output, against : str or int, optional
            The token that is shared out (default: the most likely).

        Returns
        -------
        dict
        """
        return super().as_dict(top, output, against) | {"tokens": list(self.tokens), "position": self.position}

    def __repr__(self) -> str:
        return f"LanguageObservation({self.model}, {len(self.tokens):,} tokens, position {self.position})"


def _norm(normed: Normed) -> HeldNorm:
    assert normed.norm is not None
    return normed.norm


def _row(record: Recorded, position: int) -> int | None:
    """The kept row of a product that belongs to a position."""
    if record.product is None:
        return None
    at = np.flatnonzero(record.product.positions == position)
    return int(at[0]) if len(at) else None


def times(operand: Any, direction: Array) -> Array:
    """A matrix times a vector in float64, some rows at a time."""
    rows, width = operand.shape
    step = max(1, _CHUNK // max(width, 1))
    made = np.empty(rows)
    for start in range(0, rows, step):
        made[start : start + step] = operand[start : start + step].detach().double().cpu().numpy() @ direction
    return made


def grouped_inputs(layer: SeenLayer, record: Recorded, position: int) -> None:
    """Let a layer's sums be shown by what wrote its inputs: the embedding, each attention, each MLP before it."""
    mark = record.input_mark
    if not isinstance(mark, StreamMark) or mark.normed is None or mark.normed.norm is None:
        return
    norm, inner = mark.normed.norm, mark.normed.mark
    terms = inner.sum if inner is not None else None
    if not terms:
        return
    at = _row(record, position)

    def groups(weights: Array, row: int) -> list[tuple[str, float]] | None:
        if row != at or record.product is None:
            return None
        direction = norm.backward(weights)
        found: dict[str, float] = {}
        for term in terms:
            name = part_name(term.source)
            found[name] = found.get(name, 0.0) + float(term.values @ direction)
        if norm.shift is not None:
            found["bias of the norm"] = float(norm.shift @ weights)
        whole = float(record.product.inputs[row].astype(np.float64) @ weights)
        rest = whole - sum(found.values())
        return [*found.items(), ("rounding of the stream", rest)]

    layer.groups = groups
