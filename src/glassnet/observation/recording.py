"""Records the products of a forward pass below PyTorch's modules, where every model is alike.

Hooks on modules miss what no module of its own computes: the experts of a mixture, attention with one packed matrix,
functional calls. Here each operation is seen as PyTorch dispatches it. A matrix product or convolution is recorded if
one of its operands shares the memory of a parameter, or is a copy of one in another type. What is kept is copied at
once, because operations in place overwrite it later.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from glassnet.arrays import Array
from glassnet.errors import InputError
from glassnet.observation import linking
from glassnet.observation.products import Product, Window

_ATEN = torch.ops.aten
_PRODUCTS: dict[Any, tuple[int, int, int | None]] = {  # operation -> which argument is input, weights, bias
    _ATEN.mm.default: (0, 1, None),
    _ATEN.bmm.default: (0, 1, None),
    _ATEN.addmm.default: (1, 2, 0),
    _ATEN.mv.default: (1, 0, None),  # weights first, and not transposed
    _ATEN._addmm_activation.default: (1, 2, 0),
}
_SAME = {  # these pass a tensor on as it is: whole, in another shape or type
    _ATEN.view.default,
    _ATEN._unsafe_view.default,
    _ATEN.reshape.default,
    _ATEN.unsqueeze.default,
    _ATEN.squeeze.default,
    _ATEN.squeeze.dim,
    _ATEN.alias.default,
    _ATEN.detach.default,
    _ATEN.clone.default,
    _ATEN._to_copy.default,
    _ATEN.expand.default,
}
_TURNED = {_ATEN.t.default, _ATEN.transpose.int, _ATEN.permute.default}
_SAMPLED = 2
"""Rows of each product on which activations are tried."""
_SAMPLED_PLACES = 4096
_RECENT = 8
_NOTHING = np.zeros((0, 0))


@dataclass(eq=False)
class Mark:
    """What is known of a tensor: the product that it is the output of (`parts`: the experts' products, one after
    another), the parameter that it copies, its rows' tokens, (for the residual stream) what it is the sum of, and which
    rows of the parameter it `picked`."""

    product: "Recorded | None" = None
    parameter: str = ""
    tokens: Array | None = None
    sum: Any = None
    parts: "tuple[Recorded, ...]" = ()
    picked: Tensor | None = None


@dataclass(eq=False)
class Recorded:
    """A product in the making: some sampled rows of its outputs, and what follows.

    `pick` takes these rows out of any tensor of the shape of the outputs.
    """

    name: str
    parameter: str
    fan_in: int
    fan_out: int
    rows: int
    dtype: str
    tokens: Array | None
    sample: Array
    pick: Callable[[Tensor], Array]
    operand: Tensor
    bias: Tensor | None
    product: Product | None = None
    activation: str = ""
    gate: "Recorded | None" = None
    up: "Recorded | None" = None
    halves: linking.Gate | None = None
    result: "Recorded | None" = None
    input_mark: "Mark | None" = None
    order: int = 0
    size: int = 0


Wanted = Callable[[str], "Sequence[int] | None"]
"""Layer name -> the positions to keep, None for all of them; negative ones count from the end."""


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Records products while it is entered.

    Parameters
    ----------
    model : torch.nn.Module
    wanted : callable
        Layer name -> positions kept of it: a sequence, or None for all.
    """

    def __init__(self, model: torch.nn.Module, wanted: Wanted) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.wanted = wanted
        self.records: list[Recorded] = []
        self.used: set[str] = set()
        self.looked_up: set[str] = set()
        self.parameters: dict[int, list[tuple[str, Tensor]]] = {}
        self.names = _parameter_names(model)
        for name, parameter in self.names.items():
            try:
                place = parameter.untyped_storage().data_ptr()
            except (RuntimeError, NotImplementedError):  # a wrapper without memory of its own: its products stay unseen
                continue
            if place:
                self.parameters.setdefault(place, []).append((name, parameter))
        self._calls: dict[str, int] = {}
        self._recent: deque[Recorded] = deque(maxlen=_RECENT)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if func in _SAME:
            self._pass_on(args[0], out)
        elif func in _TURNED:
            mark = mark_of(args[0])
            if mark is not None and mark.parameter:
                set_mark(out, Mark(parameter=mark.parameter))
        elif func in _PRODUCTS:
            self._product(func, args, out)
        elif func is _ATEN._grouped_mm.default:
            self._grouped(args, kwargs or {}, out)
        elif func is _ATEN.convolution.default:
            self._convolution(args, out)
        elif func is _ATEN.embedding.default:
            found = self.parameter_of(args[0])
            self.looked_up |= {found[0]} if found else set()
            self.embedded(found[0] if found else "", out)
        elif func is _ATEN.index.Tensor:
            self._indexed(args, out)
        elif isinstance(out, Tensor):
            self._other(func, args, out)
        elif isinstance(out, list | tuple) and args:
            mark = mark_of(args[0])
            for piece in out if mark is not None and mark.tokens is not None else ():
                if isinstance(piece, Tensor) and piece.shape[:1] == args[0].shape[:1]:
                    set_mark(piece, Mark(tokens=mark.tokens))  # type: ignore[union-attr]
        return out

    # What a tensor is

    def _pass_on(self, source: Any, out: Any) -> None:
        mark = mark_of(source)
        if mark is None and isinstance(source, Tensor) and out.untyped_storage().data_ptr() not in self.parameters:
            name = self.parameter_of(source)
            mark = Mark(parameter=name[0]) if name else None
        if mark is not None and out is not source:
            keeps_rows = mark.tokens is None or out.shape[:1] == source.shape[:1]
            set_mark(out, mark if keeps_rows else Mark(mark.product, mark.parameter, None, mark.sum))

    def parameter_of(self, tensor: Tensor) -> tuple[str, Tensor] | None:
        """The parameter whose memory a tensor shares, or of which it is marked as a copy."""
        mark = mark_of(tensor)
        if mark is not None and mark.parameter:
            return mark.parameter, self.names[mark.parameter]
        found = self.parameters.get(tensor.untyped_storage().data_ptr())
        if not found:
            return None
        if len(found) == 1:
            return found[0]
        for name, parameter in found:
            if 0 <= tensor.storage_offset() - parameter.storage_offset() < max(parameter.numel(), 1):
                return name, parameter
        return None

    # Products

    def _product(self, func: Any, args: Sequence[Any], out: Tensor) -> None:
        at_input, at_weights, at_bias = _PRODUCTS[func]
        inputs, operand = args[at_input], args[at_weights]
        if func is _ATEN.mv.default:
            operand, inputs, out = operand.t(), inputs.unsqueeze(0), out.unsqueeze(0)
        bias = args[at_bias] if at_bias is not None else None
        found = self.parameter_of(operand)
        if found is None:
            found = self.parameter_of(inputs)  # weights @ x: the same product, turned
            if found is None or bias is not None:
                return
            inputs, operand, out = operand.mT, inputs.mT, out.mT
        if func is _ATEN.bmm.default:
            for part in range(operand.shape[0]):
                self._record(found, inputs[part], operand[part], None, out[part], part if len(operand) > 1 else None)
            return
        mark = self._record(found, inputs, operand, bias, out, None)
        if func is not _ATEN.mv.default and out is not None:
            set_mark(out, mark)

    def _grouped(self, args: Sequence[Any], kwargs: Mapping[str, Any], out: Tensor) -> None:
        """One product for each expert, whose rows follow one another."""
        inputs, operand = args[0], args[1]
        ends = args[2] if len(args) > 2 else kwargs.get("offs")
        found = self.parameter_of(operand)
        mark = mark_of(inputs)
        tokens = mark.tokens if mark is not None else None
        set_mark(out, Mark(tokens=tokens))
        if found is None or ends is None or inputs.dim() != 2 or operand.dim() != 3:
            return
        begin, before = 0, len(self.records)
        for expert, end in enumerate(ends.tolist()):
            if end > begin:
                rows = tokens[begin:end] if tokens is not None else None
                self._record(found, inputs[begin:end], operand[expert], None, out[begin:end], expert, rows)
            begin = end
        set_mark(out, Mark(tokens=tokens, parts=tuple(self.records[before:])))

    def _record(
        self,
        found: tuple[str, Tensor],
        inputs: Tensor,
        operand: Tensor,
        bias: Tensor | None,
        out: Tensor,
        part: int | None,
        tokens: Array | None = None,
    ) -> Mark:
        parameter, whole = found
        self.used.add(parameter)
        name = self._address(parameter, whole, operand, part)
        mark = mark_of(inputs)
        if tokens is None and mark is not None:
            tokens = mark.tokens
        rows = len(out)
        if tokens is not None and len(tokens) != rows:
            tokens = None
        kept = self._kept(name, rows, tokens)
        sampled = torch.as_tensor(np.unique([rows - 1, rows // 2])[-_SAMPLED:] if rows else np.zeros(0, int))
        fan_out = operand.shape[1]

        def pick(tensor: Tensor) -> Array:
            return numbers(tensor.reshape(rows, -1)[sampled.to(tensor.device)])

        recorded = Recorded(
            name,
            parameter,
            operand.shape[0],
            fan_out,
            rows,
            dtype_of(out),
            tokens,
            _NOTHING if kept is None else pick(out),
            pick,
            operand.detach(),
            bias if bias is not None and bias.dim() == 1 else None,
            input_mark=mark,
            order=len(self.records),
            size=out.numel(),
        )
        self.records.append(recorded)
        self._link(recorded, inputs)
        if kept is not None:
            self._recent.append(recorded)
            rows_kept, positions = kept
            at = torch.as_tensor(rows_kept)
            recorded.product = Product(
                name,
                recorded.fan_in,
                recorded.fan_out,
                rows,
                positions,
                numbers(inputs[at]),
                numbers(out[at]),
                _columns(operand.detach(), parameter, self.names[parameter]),
                None if recorded.bias is None else lambda k: float(recorded.bias.detach()[k]),  # type: ignore[union-attr]
                recorded.dtype,
                operand=operand.detach(),
                slack=_shortened(recorded.dtype, _precision("matmul", inputs)),
            )
        return Mark(product=recorded, tokens=recorded.tokens)

    def _address(self, parameter: str, whole: Tensor, operand: Tensor, part: int | None) -> str:
        name = parameter.removesuffix(".weight") or parameter
        if operand is not whole and whole.untyped_storage().data_ptr() == operand.untyped_storage().data_ptr():
            first = operand.storage_offset() - whole.storage_offset()
            if whole.dim() == 3 and part is None and whole.stride(0):
                part, first = first // whole.stride(0), first % whole.stride(0)
            elif part is not None and whole.dim() == 3:
                first %= whole.stride(0)
            if part is None and whole.dim() == 2 and operand.numel() < whole.numel() and whole.stride(0):
                begin = first // whole.stride(0)
                name = f"{name}[{begin}:{begin + operand.shape[1]}]"
        if part is not None:
            name = f"{name}[{part}]"
        calls = self._calls[name] = self._calls.get(name, 0) + 1
        return name if calls == 1 else f"{name}#{calls}"

    def _kept(self, name: str, rows: int, tokens: Array | None) -> tuple[Array, Array] | None:
        """Which rows are kept, and the position that each belongs to."""
        positions = self.wanted(name)
        every = np.arange(rows) if tokens is None else tokens
        if positions is None:
            return np.arange(rows), every
        length = self.length if tokens is not None and self.length else rows
        chosen = np.array([p + length if p < 0 else p for p in positions], int)
        at = np.flatnonzero(np.isin(every, chosen))
        return (at, every[at]) if len(at) else None

    length = 0
    """Number of tokens of the model's input, where rows are routed to experts."""

    # What follows a product

    def _link(self, now: Recorded, inputs: Tensor) -> None:
        """Recognise the activation, or the gate, between an earlier product and the inputs of this one."""
        candidates = [r for r in self._recent if r.rows == now.rows and _same_rows(r, now) and not r.result]
        if (now.input_mark is not None and now.input_mark.product is not None) or not candidates:
            return
        h = now.pick(inputs)
        for before in reversed(candidates):
            if before.fan_out == now.fan_in:
                name = self._fitting(before, h, of_row=False)
                if name:
                    before.activation, before.result = before.activation or name, now
                    return
            halves = linking.gated_halves(before.sample, h, before.dtype)
            if halves is not None:
                before.halves, before.activation, before.result = halves, halves.activation, now
                return
        wide = [r for r in candidates if r.fan_out == now.fan_in]
        for gate in wide:
            for up in wide:
                if gate is not up and gate.fan_in == up.fan_in:
                    name = linking.gated(gate.sample, up.sample, h, gate.dtype)
                    if name:
                        gate.activation, gate.up, gate.result = name, up, now
                        up.gate, up.result = gate, now
                        return

    def _fitting(self, product: Recorded, a: Array, of_row: bool) -> str:
        found = linking.fitting(product.sample, a, product.dtype, of_row, self._usual)
        self._usual = found or self._usual
        return found

    _usual = ""

    def _other(self, func: Any, args: Sequence[Any], out: Tensor) -> None:
        tensors = [a for a in args if isinstance(a, Tensor)]
        marks = [mark_of(a) for a in tensors]
        if mark_of(out) is not None:  # in place: it is no longer what it was
            set_mark(out, Mark(tokens=mark_of(out).tokens))  # type: ignore[union-attr]
        if func in (_ATEN.add.Tensor, _ATEN.add_.Tensor) and len(tensors) == 2:
            if self._bias_added(tensors, marks, out):
                return
            self.added(tensors, marks, out)
        if len(tensors) == 1 and marks[0] is not None and marks[0].product is not None:
            product = marks[0].product
            pointwise = torch.Tag.pointwise in func.tags
            if (pointwise or func is _ATEN._softmax.default) and not product.activation and out.numel() == product.size:
                product.activation = self._fitting(product, product.pick(out), of_row=not pointwise)
        tokens = next((m.tokens for m in marks if m is not None and m.tokens is not None), None)
        if tokens is not None and out.dim() and len(out) == len(tokens) and mark_of(out) is None:
            set_mark(out, Mark(tokens=tokens))

    def embedded(self, parameter: str, out: Tensor) -> None:
        """Rows of a matrix were looked up; of no concern here."""

    def added(self, tensors: Sequence[Tensor], marks: Sequence[Mark | None], out: Tensor) -> None:
        """Two tensors were added, neither of them a bias; of no concern here."""

    def _bias_added(self, tensors: Sequence[Tensor], marks: Sequence[Mark | None], out: Tensor) -> bool:
        """A bias that is added after the product, by an operation of its own."""
        for one, other in ((0, 1), (1, 0)):
            mark = marks[one]
            if mark is not None and mark.parts and self._biases_added(mark, marks[other], tensors[other], out):
                return True
            if mark is None or mark.product is None or mark.product.bias is not None:
                continue
            recorded, bias = mark.product, tensors[other]
            found = self.parameter_of(bias)
            if found is None or bias.numel() != recorded.fan_out or bias.dim() == 0:
                continue
            if out.numel() != recorded.size or recorded.size != recorded.rows * recorded.fan_out:
                continue
            flat = out.reshape(recorded.rows, recorded.fan_out)
            self._set_bias(recorded, bias.detach().reshape(-1), flat)
            set_mark(out, Mark(product=recorded, tokens=recorded.tokens))
            return True
        return False

    def _biases_added(self, mark: Mark, biases: Mark | None, added: Tensor, out: Tensor) -> bool:
        """The biases of experts: one row of a parameter for each row of their products."""
        if biases is None or biases.picked is None or not biases.parameter or len(biases.picked) != len(out):
            return False
        begin = 0
        for recorded in mark.parts:
            rows = slice(begin, begin + recorded.rows)
            begin += recorded.rows
            if len({int(k) for k in biases.picked[rows].tolist()}) != 1:
                return False
            self.used.add(biases.parameter)
            self._set_bias(recorded, added.detach()[rows.start].clone(), out[rows])
        set_mark(out, Mark(tokens=mark.tokens))
        return True

    def _set_bias(self, recorded: Recorded, bias: Tensor, out: Tensor) -> None:
        recorded.bias = bias
        if recorded.product is not None:
            recorded.sample = recorded.pick(out)
            rows = self._kept(recorded.name, recorded.rows, recorded.tokens)
            assert rows is not None
            recorded.product.outputs = numbers(out[torch.as_tensor(rows[0])])
            recorded.product.bias = _reader(bias)

    def _indexed(self, args: Sequence[Any], out: Tensor) -> None:
        """Rows of a matrix picked by number: the tokens that are sent to an expert."""
        source, which = args[0], args[1]
        if len(which) != 1 or which[0] is None or which[0].dtype == torch.bool or which[0].dim() != 1:
            return
        mark = mark_of(source)
        found = self.parameter_of(source)
        if found is not None:
            set_mark(out, Mark(parameter=found[0], picked=which[0].detach()))
            return
        picked = np.asarray(which[0].detach().cpu())
        if (source.dim() == 2 and self.length in (0, len(source))) or (mark is not None and mark.tokens is not None):
            before = mark.tokens if mark is not None and mark.tokens is not None else None
            set_mark(out, Mark(tokens=picked if before is None else before[picked]))

    # Convolutions

    def _convolution(self, args: Sequence[Any], out: Tensor) -> None:
        """Of the last example, whole: its map of inputs, and that of outputs."""
        inputs, weights, bias, stride, padding, dilation, turned, _, groups = args
        found = self.parameter_of(weights)
        if found is None or turned:
            return
        parameter = found[0]
        self.used.add(parameter)
        name = self._address(parameter, weights, weights, None)
        batched = inputs.dim() == weights.dim()
        x, y = (inputs[-1], out[-1]) if batched else (inputs, out)
        places = int(np.prod(y.shape[1:]))

        def pick(tensor: Tensor) -> Array:
            return numbers((tensor[-1] if batched else tensor).reshape(1, -1)[:, :_SAMPLED_PLACES])

        recorded = Recorded(
            name, parameter, weights[0].numel(), len(weights), len(out) if batched else 1, dtype_of(out), None,
            pick(out), pick, weights.detach(), bias, order=len(self.records), size=out.numel(),
        )  # fmt: skip
        self.records.append(recorded)
        set_mark(out, Mark(product=recorded))
        wanted = self.wanted(name)
        if wanted is not None and not len(wanted):
            return
        space = weights.dim() - 2
        steps = [tuple(of) * (space if len(of) == 1 else 1) for of in (stride, padding, dilation)]
        recorded.product = Product(
            name,
            recorded.fan_in,
            recorded.fan_out,
            places,
            np.arange(places),
            numbers(x),
            numbers(y),
            _columns(weights.detach().flatten(1).t(), parameter, self.names[parameter]),
            None if bias is None else lambda k: float(bias.detach()[k]),
            recorded.dtype,
            Window(tuple(weights.shape[2:]), steps[0], steps[1], steps[2], groups),
            slack=_shortened(recorded.dtype, _precision("conv", inputs)),
        )


_BITS = {"tf32": 11, "bf16": 8}
"""Significant bits that are left of each float32 in a product, by PyTorch's precision."""


def _shortened(dtype: str, precision: str) -> float:
    """How far off float32 products may be, each relative to its size, since both factors are shortened first."""
    bits = _BITS.get(precision)
    return 2 * 2.0**-bits if dtype == "float32" and bits else 0.0


def _precision(operation: str, inputs: Tensor) -> str:
    """The precision of float32 that PyTorch allows the library which computes this "matmul" or "conv".

    Asked of each library: PyTorch's older switches for all of them raise errors once one was set by itself.
    """
    cuda = torch.backends.cudnn if operation == "conv" else torch.backends.cuda
    library = cuda if inputs.is_cuda else torch.backends.mkldnn
    try:
        return str(getattr(library, operation).fp32_precision)
    except AttributeError:  # before PyTorch 2.9
        allowed = cuda.allow_tf32 if operation == "conv" else cuda.matmul.allow_tf32
        return "tf32" if inputs.is_cuda and allowed else "ieee"


def _columns(operand: Tensor, name: str, whole: Tensor) -> Callable[[int], Array]:
    """Neuron -> its weights; `InputError` once the parameter has been changed."""
    version = whole._version

    def column(k: int) -> Array:
        if whole._version != version:
            raise InputError(f"{name} was changed since the model was observed", help="observe it again")
        return numbers(operand[:, k]).astype(np.float64)

    return column


def _reader(biases: Tensor) -> Callable[[int], float]:
    return lambda k: float(biases[k])


def _same_rows(one: Recorded, other: Recorded) -> bool:
    if one.tokens is None or other.tokens is None:
        return one.tokens is other.tokens
    return np.array_equal(one.tokens, other.tokens)


def mark_of(tensor: Any) -> Mark | None:
    """What is known of a tensor."""
    return getattr(tensor, "_glassnet", None)


def set_mark(tensor: Tensor, mark: Mark) -> None:
    tensor._glassnet = mark  # type: ignore[attr-defined]


def dtype_of(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def numbers(tensor: Tensor) -> Array:
    """A copy as an array: halves as float32, which holds them exactly."""
    tensor = tensor.detach()
    if tensor.dtype in (torch.bfloat16, torch.float16):
        tensor = tensor.float()
    return np.array(tensor.cpu().numpy())


def _parameter_names(model: torch.nn.Module) -> dict[str, Tensor]:
    """Each parameter by one name; a matrix that embedding and output share, by the output's."""
    modules = dict(model.named_modules(remove_duplicate=False))
    names: dict[int, str] = {}
    found: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        before = names.get(id(parameter))
        if before is not None:
            owner = modules.get(before.rpartition(".")[0])
            if not isinstance(owner, torch.nn.Embedding):
                continue
            del found[before]
        names[id(parameter)] = name
        found[name] = parameter
    return found
