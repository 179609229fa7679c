"""The residual stream of a transformer: what each part added to it at one position.

Every sum of two tensors of the stream's width is followed, in whatever module it happens, so that the input of the last
norm is known as a sum of terms: the embedding, the output of each attention, the output of each MLP. No family of
models is written down here.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from glassnet.arrays import Array
from glassnet.observation.norms import HeldNorm, held
from glassnet.observation.recording import Mark, Recorder, Wanted, dtype_of, mark_of, numbers, set_mark

_SLICES = {torch.ops.aten.slice.Tensor, torch.ops.aten.select.int}


@dataclass(eq=False)
class Normed:
    """A norm's output: the norm as a linear map at the position, and what it was given."""

    module: str
    norm: HeldNorm | None
    inputs: Array
    mark: "StreamMark | None"


@dataclass(eq=False)
class StreamMark(Mark):
    """Besides, the module that made a tensor, and the norm that it is the output of."""

    source: str = ""
    normed: Normed | None = None


@dataclass(eq=False)
class Term:
    """One summand of the stream: its values at the position, and where they come from."""

    values: Array
    source: str
    mark: StreamMark | None = field(default=None, repr=False)


class StreamRecorder(Recorder):  # type: ignore[no-untyped-call]
    """Records products, and at one position the sums of tensors whose last axis has `width` numbers."""

    def __init__(self, model: nn.Module, wanted: Wanted, width: int, length: int, position: int) -> None:
        super().__init__(model, wanted)
        self.width, self.length, self.position = width, length, position
        self.stack: list[str] = [""]
        self._before: Array | None = None  # a tensor's values before a sum in place

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if func is torch.ops.aten.add_.Tensor and args[0].dim() >= 2 and args[0].shape[-1] == self.width:
            self._before = self.at_position(args[0])
        out = super().__torch_dispatch__(func, types, args, kwargs)
        if isinstance(out, Tensor) and out.dim() >= 2 and out.shape[-1] == self.width:
            before = mark_of(args[0]) if args else None
            if func in _SLICES and isinstance(before, StreamMark):
                set_mark(out, StreamMark(sum=before.sum, source=before.source, normed=before.normed))
            else:
                self._name(func, args, out)
        return out

    def _name(self, func: Any, args: Sequence[Any], out: Tensor) -> None:
        mark = mark_of(out)
        if isinstance(mark, StreamMark):
            return
        source = self.stack[-1]
        if func is torch.ops.aten.mul.Tensor and args and isinstance(args[0], Tensor) and _scalar(args[1]):
            before = mark_of(args[0])  # a part that is scaled before it is added keeps its name
            source = before.source if isinstance(before, StreamMark) and before.source else source
        kept = mark or Mark()
        set_mark(out, StreamMark(kept.product, kept.parameter, kept.tokens, kept.sum, kept.parts, kept.picked, source))

    def added(self, tensors: Sequence[Tensor], marks: Sequence[Mark | None], out: Tensor) -> None:
        if out.dim() < 2 or out.shape[-1] != self.width or any(t.shape[-1:] != out.shape[-1:] for t in tensors):
            return
        terms: list[Term] = []
        for tensor, mark in zip(tensors, marks, strict=True):
            if mark is not None and mark.sum is not None:
                terms += mark.sum
                continue
            values = self._before if tensor is out else self.at_position(tensor)
            if values is None:
                return
            stream = mark if isinstance(mark, StreamMark) else None
            terms.append(Term(values, stream.source if stream is not None else self.stack[-1], stream))
        set_mark(out, StreamMark(sum=terms, source=self.stack[-1]))

    def at_position(self, tensor: Tensor) -> Array | None:
        """The row of the position, in float64; None where the tensor has no row for each token."""
        rows = tensor.reshape(-1, tensor.shape[-1])
        if len(rows) not in (1, self.length):
            return None
        return numbers(rows[self.position if len(rows) == self.length else 0]).astype(np.float64)

    def left(self, name: str, module: nn.Module, args: Any, out: Any) -> None:
        """A module is done: if it is a norm of the stream's width, its output is marked as such."""
        if "norm" not in type(module).__name__.lower() or not args or not isinstance(out, Tensor):
            return
        inputs = args[0]
        if not isinstance(inputs, Tensor) or inputs.shape[-1:] != (self.width,) or out.shape != inputs.shape:
            return
        x, y, mark = self._norm_input(inputs), self._norm_input(out), mark_of(inputs)
        if x is None or y is None:
            return
        normed = Normed(name, held(module, x, y, dtype_of(out)), x, mark if isinstance(mark, StreamMark) else None)
        set_mark(out, StreamMark(source=name, normed=normed))

    def _norm_input(self, tensor: Tensor) -> Array | None:
        rows = tensor.reshape(-1, self.width)
        if len(rows) == self.length:
            return numbers(rows[self.position]).astype(np.float64)
        return None

    @contextmanager
    def following(self, model: nn.Module) -> Iterator[None]:
        """Knows at each operation which module runs it."""
        handles: list[Any] = []

        def follow(name: str, module: nn.Module) -> None:
            def enter(_: nn.Module, args: Any) -> None:
                self.stack.append(name)

            def leave(_: nn.Module, args: Any, out: Any) -> None:
                if self.stack[-1] == name:
                    self.stack.pop()
                self.left(name, module, args, out)

            handles.append(module.register_forward_pre_hook(enter))
            handles.append(module.register_forward_hook(leave))

        try:
            for name, module in model.named_modules():
                follow(name, module)
            yield
        finally:
            for handle in handles:
                handle.remove()


def _scalar(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, Tensor) and value.dim() == 0)
