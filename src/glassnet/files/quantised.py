"""Quantised weights in files of named tensors: codes, paired with the scales and zero points that make weights of them.

What kind a tensor is, its name, its type and its neighbours' shapes say; where they leave it open, the model's
`quantization_config`. Every scheme is one line in `SCHEMES`: a function that recognises it and counts the weights, and
one that computes them. What none recognises is reported as unpaired, not passed over.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import AddressError, FileError
from glassnet.files.dtypes import as_numbers
from glassnet.files.tensor_info import Orientation, Quantised, TensorInfo
from glassnet.opening import quoted

Tensors: TypeAlias = Mapping[str, TensorInfo]
Read: TypeAlias = Callable[[str], Array]

_BY_COLUMNS = ("gptq", "awq", "marlin")
"""Schemes that keep a matrix of inputs by outputs."""
LARGEST = 1 << 28
"""Weights of one tensor that are computed at a time."""
WEIGHTS = frozenset(["weight", "qweight", "weight_packed", "W_q", "B", "_data", "kernel", "_kernel", "qdata"])
"""Last parts of the names that quantised weights go by."""
NF4 = np.array(
    [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
     -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
     0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0],
    np.float32,
)  # fmt: skip
"""The sixteen values of bitsandbytes' nf4 (QLoRA, arXiv:2305.14314, appendix E)."""
FP4 = np.array([0, 1 / 192, 2 / 3, 1, 1 / 3, 1 / 2, 1 / 6, 1 / 4], np.float32)
"""Those of its fp4 without a sign."""
AWQ_ORDER = [0, 4, 1, 5, 2, 6, 3, 7]
"""Where AWQ's word keeps each of eight columns."""


@dataclass(frozen=True, slots=True)
class Found:
    """A tensor of codes recognised: how many weights, in which shape, and the tensors that it needs."""

    count: int
    shape: tuple[int, ...]
    parts: Mapping[str, str]
    setting: Any = None


class Scheme(NamedTuple):
    """One way of keeping weights."""

    title: str
    recognise: "Callable[[_Beside], Found | None]"
    weights: Callable[[Found, Array, Mapping[str, Array]], Array]


@dataclass(frozen=True)
class _Beside:
    """A tensor of codes among its neighbours."""

    info: TensorInfo
    tensors: Tensors
    read: Read
    config: Mapping[str, Any]

    @property
    def head(self) -> str:
        return self.info.name[: len(self.info.name) - len(self.last)]

    @property
    def last(self) -> str:
        return self.info.name.rpartition(".")[2].rpartition("/")[2]

    def sibling(self, *names: str) -> TensorInfo | None:
        """The first of these beside it."""
        return next((found for name in names if (found := self.tensors.get(self.head + name)) is not None), None)

    def bits(self) -> int | None:
        """What the model's configuration says of this module, or of all."""
        own = self.config.get(self.head.rstrip("."))
        for said in (own, self.config):
            if isinstance(said, Mapping):
                for key in ("bits", "w_bit", "nbits"):
                    if type(said.get(key)) is int and 1 < said[key] <= 8:
                        return int(said[key])
        return None


def paired(tensors: Tensors, read: Read, config: Mapping[str, Any] | None = None) -> dict[str, TensorInfo]:
    """The same tensors, quantised weights among them with what they stand for, and what belongs to them as buffers.

    Parameters
    ----------
    tensors : mapping
        All tensors of a file, by name.
    read : callable
        Reads one of them; asked for shapes and settings of a few numbers alone.
    config : mapping, optional
        The model's `quantization_config`.
    """
    made = dict(tensors)
    for name, info in tensors.items():
        if name.endswith("zero_point") and (scale := made.get(name.removesuffix("zero_point") + "scale")) is not None:
            made[scale.name] = replace(scale, role="buffer")  # of what a layer gives
        if info.role == "optimizer" or not _may_be_codes(info):
            continue
        beside = _Beside(info, tensors, read, config or {})
        for key, scheme in SCHEMES.items():
            found = scheme.recognise(beside)
            if found is not None:
                how = Quantised(key, found.count, found.shape, found.parts, found.setting)
                way: Orientation | None = "columns" if key in _BY_COLUMNS else "rows"
                way = way if len(found.shape) == 2 else None
                made[name] = replace(info, role="parameter", quantised=how, neurons_in=way)
                for part in found.parts.values():
                    made[part] = replace(made[part], role="buffer")
                break
    return made


def unpaired(info: TensorInfo) -> bool:
    """Whether this looks like quantised weights of which no scale is known."""
    last = info.name.rpartition(".")[2].rpartition("/")[2]
    return info.quantised is None and info.role == "buffer" and len(info.shape) >= 2 and last in WEIGHTS


def weights(name: str, info: TensorInfo, read: Read) -> Array:
    """The weights that a quantised tensor stands for, float32, in the shape of `Quantised.shape`."""
    how = info.quantised
    assert how is not None
    if how.count > LARGEST:
        raise AddressError(
            f"{quoted(name)} stands for {how.count:,} weights, more than the {LARGEST:,} computed at a time",
            help="name a smaller tensor",
        )
    parts = {key: read(part) for key, part in how.parts.items()}
    try:
        return computed(how.scheme, how.shape, read(name), parts, how.setting)
    except (ArithmeticError, LookupError, TypeError, ValueError):  # scales of other shapes, indices out of range
        raise FileError(
            f"{quoted(name)} and its scales do not fit together as {SCHEMES[how.scheme].title}",
            help="download or save the file again",
        ) from None


def computed(scheme: str, shape: tuple[int, ...], codes: Array, parts: Mapping[str, Array], setting: Any) -> Array:
    """Weights of this shape from codes and what belongs to them, float32."""
    found = Found(prod(shape), shape, {}, setting)
    return SCHEMES[scheme].weights(found, codes, parts).reshape(shape).astype(np.float32, copy=False)


def title(info: TensorInfo) -> str:
    """The scheme in words, with the tensors that it takes."""
    how = info.quantised
    assert how is not None
    scales = ", ".join(quoted(part, 60) for part in how.parts.values())
    return SCHEMES[how.scheme].title + (f", with {scales}" if scales else "")


def _may_be_codes(info: TensorInfo) -> bool:
    return len(info.shape) >= 2 and not info.dtype.startswith(
        ("float16", "float32", "float64", "bfloat", "complex", "bool")
    )


def _names(**parts: TensorInfo | None) -> dict[str, str]:
    return {key: info.name for key, info in parts.items() if info is not None}


def _codes(words: Array, bits: int) -> Array:
    """Numbers of so many bits out of words, lowest bits first, running on over the words of a row."""
    raw = np.ascontiguousarray(words).view(np.uint8).reshape(words.shape[0], -1)
    if bits == 8:
        return raw
    one_by_one = np.unpackbits(raw, axis=1, bitorder="little")
    whole = one_by_one[:, : one_by_one.shape[1] // bits * bits].reshape(words.shape[0], -1, bits)
    return (whole << np.arange(bits, dtype=np.uint8)).sum(axis=2, dtype=np.uint8)


def _spread(scale: Array, shape: Sequence[int]) -> Array:
    """Scales as one for each weight: for a tensor, a row, a column, or blocks of either axis."""
    scale = np.asarray(scale, np.float32)
    if scale.size == 1:
        return np.broadcast_to(scale.reshape(()), shape)
    if scale.ndim == 1:
        axis = 0 if scale.shape[0] == shape[0] else len(shape) - 1
        scale = scale.reshape([-1 if i == axis else 1 for i in range(len(shape))])
    for axis, length in enumerate(shape):
        blocks = scale.shape[axis]
        if blocks not in (1, length):
            block = 128 if -(-length // 128) == blocks else -(-length // blocks)
            scale = np.take(scale, np.arange(length) // block, axis)
    return np.broadcast_to(scale, shape)


def _suits(scale: TensorInfo, shape: Sequence[int]) -> bool:
    """Whether such scales can be spread over such codes."""
    if prod(scale.shape) == 1:
        return True
    if len(scale.shape) == 1:
        return scale.shape[0] in (shape[0], shape[-1])
    return len(scale.shape) == len(shape) and all(0 < s <= n for s, n in zip(scale.shape, shape, strict=True))


# Numbers of eight bits, each with a scale


def _each(b: _Beside) -> Found | None:
    if b.info.dtype not in ("int8", "uint8") and not b.info.dtype.startswith("float8"):
        return None
    stem = b.last.removesuffix("_data").removesuffix("qdata")
    names = [f"{b.last}_scale_inv", f"{b.last}_scale", "scale", "SCB"]
    if stem != b.last:
        names.insert(0, f"{stem}_scale" if b.last.endswith("_data") else f"{stem}scale")
    scale = b.sibling(*(name.replace("__", "_") if stem else name for name in names))
    if scale is None or not _suits(scale, b.info.shape):
        return None
    if b.info.dtype == "uint8" and b.last not in WEIGHTS:
        return None
    zero = b.sibling(f"{b.last}_zero_point", f"{stem}zero_point" if stem != b.last else "zero_point")
    if zero is not None and not _suits(zero, b.info.shape):
        zero = None
    return Found(
        b.info.count, b.info.shape, _names(scale=scale, zero=zero), "SCB" if scale.name.endswith("SCB") else None
    )


def _each_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    values = codes.astype(np.float32)
    if "zero" in parts:
        values = values - _spread(parts["zero"], codes.shape)
    return values * _spread(parts["scale"], codes.shape) / np.float32(127 if found.setting == "SCB" else 1)


# Words of several codes


def _gptq(b: _Beside) -> Found | None:
    scales = b.sibling("scales")
    if b.last != "qweight" or b.info.dtype != "int32" or len(b.info.shape) != 2 or scales is None:
        return None
    rows, out = b.info.shape
    if len(scales.shape) != 2 or scales.shape[1] != out:
        return None
    zero_points, index = b.sibling("qzeros"), b.sibling("g_idx")
    groups = scales.shape[0]
    bits = None
    if index is not None and len(index.shape) == 1 and index.shape[0]:
        bits = rows * 32 / index.shape[0]
    elif zero_points is not None and len(zero_points.shape) == 2:
        bits = zero_points.shape[1] * 32 / out
    elif b.bits():
        bits = b.bits()
    else:  # groups are of 128 inputs, seldom of others
        fitting = [n for size in (128, 64, 32) for n in (4, 8, 2, 3) if rows * 32 == groups * size * n]
        bits = fitting[0] if fitting else None
    if bits not in (2, 3, 4, 8):
        return None
    inputs = int(rows * 32 // bits)
    return Found(inputs * out, (inputs, out), _names(scales=scales, zero_points=zero_points, index=index), int(bits))


def _gptq_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    inputs, out = found.shape
    values = _codes(codes.T, found.setting)[:, :inputs].T.astype(np.float32)
    groups = len(parts["scales"])
    index = parts["index"].astype(np.int64) if "index" in parts else np.arange(inputs) // -(-inputs // groups)
    if "zero_points" in parts:
        zero_points = _codes(parts["zero_points"], found.setting)[:, :out].astype(np.float32) + 1  # GPTQ keeps one less
    else:
        zero_points = np.full((groups, out), 1 << (found.setting - 1), np.float32)
    return (values - zero_points[index]) * parts["scales"].astype(np.float32)[index]


def _awq(b: _Beside) -> Found | None:
    scales, zero_points = b.sibling("scales"), b.sibling("qzeros")
    if b.last != "qweight" or b.info.dtype != "int32" or scales is None or len(b.info.shape) != 2:
        return None
    rows, words = b.info.shape
    if len(scales.shape) != 2 or scales.shape[1] != words * 8:
        return None
    return Found(rows * words * 8, (rows, words * 8), _names(scales=scales, zero_points=zero_points))


def _awq_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    def columns(words: Array) -> Array:
        return _codes(words, 4).reshape(len(words), -1, 8)[:, :, AWQ_ORDER].reshape(len(words), -1).astype(np.float32)

    zero_points = (
        columns(parts["zero_points"]) if "zero_points" in parts else np.full(parts["scales"].shape, 8, np.float32)
    )
    return (columns(codes) - _spread(zero_points, found.shape)) * _spread(parts["scales"], found.shape)


def _marlin(b: _Beside) -> Found | None:
    scales = b.sibling("s")
    if b.last != "B" or b.info.dtype != "int32" or scales is None or len(scales.shape) != 2 or len(b.info.shape) != 2:
        return None
    shape = b.info.shape[0] * 16, scales.shape[1]
    fits = prod(shape) == prod(b.info.shape) * 8
    return Found(prod(shape), shape, _names(scales=scales, workspace=b.sibling("workspace"))) if fits else None


def _words(b: _Beside) -> Found | None:
    """compressed-tensors: 32-bit words along the inputs, and the shape beside them."""
    scale, said = b.sibling("weight_scale"), b.sibling("weight_shape")
    if b.last != "weight_packed" or b.info.dtype != "int32" or scale is None or said is None or said.shape != (2,):
        return None
    rows, columns = (int(n) for n in b.read(said.name))
    fitting = [n for n in (2, 3, 4, 5, 6, 7, 8) if -(-columns // (32 // n)) == b.info.shape[-1]]
    if rows != b.info.shape[0] or columns < 1 or not fitting:
        return None
    bits = next((n for n in fitting if n in (4, 8)), fitting[0])
    zero, index = b.sibling("weight_zero_point"), b.sibling("weight_g_idx")
    return Found(rows * columns, (rows, columns), _names(scale=scale, shape=said, zero=zero, index=index), bits)


def _words_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    rows, columns = found.shape
    bits = found.setting
    values = _codes(codes, bits)[:, :columns].astype(np.float32) - (1 << (bits - 1))
    if "zero" in parts:
        packed = _codes(np.ascontiguousarray(parts["zero"].T), bits)[:, :rows].T.astype(np.float32) - (1 << (bits - 1))
        values = values - _spread(packed, found.shape)
    return values * _spread(parts["scale"], found.shape)


def _mlx(b: _Beside) -> Found | None:
    scales, biases = b.sibling("scales"), b.sibling("biases")
    if b.last != "weight" or b.info.dtype != "uint32" or scales is None or len(scales.shape) != len(b.info.shape):
        return None
    words, groups = b.info.shape[-1], scales.shape[-1]
    bits = b.bits()
    if bits is None and groups:
        bits = next((32 * words // (groups * n) for n in (64, 32, 128) if _whole_bits(32 * words, groups * n)), None)
    if bits is None or words * 32 % bits:
        return None
    shape = (*b.info.shape[:-1], words * 32 // bits)
    return Found(prod(shape), shape, _names(scales=scales, biases=biases), bits)


def _whole_bits(bits: int, numbers: int) -> bool:
    return bits % numbers == 0 and bits // numbers in (2, 3, 4, 6, 8)


def _mlx_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    values = _codes(codes.reshape(-1, codes.shape[-1]), found.setting).reshape(found.shape).astype(np.float32)
    values = values * _spread(parts["scales"], found.shape)
    return values + _spread(parts["biases"], found.shape) if "biases" in parts else values


# Two codes a byte


def _pairs(codes: Array, high_first: bool = False) -> Array:
    halves = (codes >> 4, codes & 15) if high_first else (codes & 15, codes >> 4)
    return np.stack(halves, axis=-1).reshape(*codes.shape[:-1], -1)


def _bitsandbytes(b: _Beside) -> Found | None:
    kind = next((k for k in ("nf4", "fp4") if f"{b.info.name}.quant_state.bitsandbytes__{k}" in b.tensors), None)
    if b.info.dtype != "uint8" or kind is None:
        return None
    part = {key: b.tensors.get(f"{b.info.name}.{key}") for key in ("absmax", "nested_absmax", "nested_quant_map")}
    part["table"] = b.tensors.get(f"{b.info.name}.quant_map")
    told = part["state"] = b.tensors[f"{b.info.name}.quant_state.bitsandbytes__{kind}"]
    count, shape = b.info.count * 2, (b.info.count * 2,)
    state = _state(b.read(told.name)) if told.count <= 1 << 16 else {}
    said = state.get("shape")
    if isinstance(said, list) and all(type(n) is int and n > 0 for n in said) and -(-prod(said) // 2) == b.info.count:
        count, shape = prod(said), tuple(said)
    return Found(count, shape, _names(**part), kind)


def _state(content: Array) -> dict[str, Any]:
    try:
        state = json.loads(content.astype(np.uint8).tobytes())
    except (ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) else {}


def _bitsandbytes_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    state = _state(parts["state"])
    absmax = parts["absmax"].reshape(-1)
    if "nested_absmax" in parts:
        nested = np.repeat(parts["nested_absmax"], int(state.get("nested_blocksize", 256)))[: len(absmax)]
        absmax = parts["nested_quant_map"][absmax] * nested + np.float32(state.get("nested_offset", 0.0))
    table = parts.get("table", NF4 if found.setting == "nf4" else np.concatenate([FP4, -FP4]))
    values = table.reshape(-1)[_pairs(codes.reshape(-1), high_first=True)]
    scale = np.repeat(absmax.astype(np.float32), int(state.get("blocksize", 64)))
    return values[: found.count] * scale[: found.count]


def _mxfp4(b: _Beside) -> Found | None:
    scales = b.tensors.get(b.info.name.removesuffix("_blocks") + "_scales")
    if b.info.dtype != "uint8" or not b.info.name.endswith("_blocks") or scales is None:
        return None
    if b.info.shape[:-1] != scales.shape:
        return None
    shape = (*b.info.shape[:-2], prod(b.info.shape[-2:]) * 2)
    return Found(prod(shape), shape, _names(scales=scales))


def _mxfp4_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    return _fp4(codes) * np.ldexp(np.float32(1), parts["scales"].astype(np.int32) - 127)[..., None]


def _fp4(codes: Array) -> Array:
    return as_numbers("float4_e2m1", codes.view(np.uint8))


def _blocks_of_fp4(b: _Beside) -> Found | None:
    """NVFP4 and MXFP4 as compressed-tensors, modelopt and DeepSeek keep them: a scale for 16 or 32 numbers."""
    scale = b.sibling("weight_scale", "scale")
    if b.info.dtype not in ("uint8", "int8") or b.last not in ("weight", "weight_packed") or scale is None:
        return None
    if not scale.dtype.startswith(("float8", "uint8")) or scale.shape[:-1] != b.info.shape[:-1] or not scale.shape:
        return None
    if b.info.shape[-1] not in (scale.shape[-1] * 8, scale.shape[-1] * 16):
        return None
    shape = (*b.info.shape[:-1], b.info.shape[-1] * 2)
    parts = _names(scale=scale, divisor=b.sibling("weight_global_scale"), factor=b.sibling("weight_scale_2"))
    return Found(prod(shape), shape, parts, scale.dtype)


def _blocks_of_fp4_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    scale = parts["scale"]
    if found.setting == "uint8":
        scale = np.ldexp(np.float32(1), scale.astype(np.int32) - 127)
    values = _fp4(codes) * _spread(scale, found.shape)
    if "divisor" in parts:
        values = values / np.float32(parts["divisor"].reshape(-1)[0])
    return values * np.float32(parts["factor"].reshape(-1)[0]) if "factor" in parts else values


def _hqq(b: _Beside) -> Found | None:
    scale, zero, shape, bits = (b.sibling(name) for name in ("scale", "zero", "shape", "nbits"))
    if b.last != "W_q" or scale is None or zero is None or b.info.dtype not in ("uint8", "int32"):
        return None
    width = int(b.read(bits.name).reshape(-1)[0]) if bits is not None and bits.count == 1 else b.bits() or 4
    if shape is not None and 0 < shape.count <= 8:
        whole = tuple(int(n) for n in b.read(shape.name).reshape(-1))
    else:
        each = {1: 8, 2: 4, 4: 2, 8: 1}.get(width, 0) if b.info.dtype == "uint8" else 10
        whole = (b.info.count * each,)
    if not whole or any(n < 1 for n in whole) or prod(whole) > b.info.bytes * 8:
        return None
    return Found(prod(whole), whole, _names(scale=scale, zero=zero, shape=shape, bits=bits), width)


def _quanto(b: _Beside) -> Found | None:
    """quanto's four and two bits: as many codes a byte, in blocks of 128 with a scale and a shift each."""
    head = b.info.name.removesuffix("._data").removesuffix("_data")
    scale, shift = (b.tensors.get(head + part) or b.tensors.get(f"{head}{part}") for part in ("_scale", "_shift"))
    if not b.info.name.endswith("_data") or b.info.dtype != "uint8" or scale is None or shift is None:
        return None
    each = next((n for n in (2, 4) if b.info.count * n == scale.count * 128), 2)
    return Found(b.info.count * each, (b.info.count * each,), _names(scale=scale, shift=shift))


# ONNX says in its graph which scales are whose


def _told_by_the_graph(b: _Beside) -> None:
    return None


def _onnx_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    axis, block = found.setting
    values = codes.astype(np.float32)

    def spread(part: Array) -> Array:
        part = np.asarray(part, np.float32)
        if part.size == 1:
            return part.reshape(())
        if block:
            part = np.repeat(part, block, axis)
            return part[tuple(slice(n) for n in codes.shape)]
        return part.reshape([-1 if i == axis % codes.ndim else 1 for i in range(codes.ndim)])

    if "zero" in parts:
        values = values - spread(parts["zero"])
    return values * spread(parts["scale"])


def _onnx_blocks_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    (n, k), (bits, block) = found.shape, found.setting
    blocks = -(-k // block)
    values = _codes(codes.reshape(n * blocks, -1), bits).reshape(n, blocks, -1).astype(np.float32)
    zero_points = np.full((n, blocks), 1 << (bits - 1))
    if "zero_points" in parts:
        zero_points = parts["zero_points"]
        if zero_points.dtype == np.uint8:
            zero_points = _codes(zero_points.reshape(n, -1), bits)[:, :blocks]
    values = (values - zero_points.reshape(n, blocks, 1).astype(np.float32)) * parts["scales"].reshape(
        n, blocks, 1
    ).astype(np.float32)
    return values.reshape(n, -1)[:, :k]


def _no_weights(found: Found, codes: Array, parts: Mapping[str, Array]) -> Array:
    raise AddressError(
        "weights in this packing are counted, and cannot be computed",
        help="unpack the model with the tool that packed it",
    )


SCHEMES: Mapping[str, Scheme] = {
    "bitsandbytes": Scheme("4 bits by bitsandbytes", _bitsandbytes, _bitsandbytes_weights),
    "mxfp4": Scheme("MXFP4", _mxfp4, _mxfp4_weights),
    "fp4": Scheme("fp4 in blocks", _blocks_of_fp4, _blocks_of_fp4_weights),
    "gptq": Scheme("GPTQ", _gptq, _gptq_weights),
    "awq": Scheme("AWQ", _awq, _awq_weights),
    "marlin": Scheme("Marlin", _marlin, _no_weights),
    "compressed-tensors": Scheme("compressed-tensors", _words, _words_weights),
    "mlx": Scheme("MLX", _mlx, _mlx_weights),
    "hqq": Scheme("HQQ", _hqq, _no_weights),
    "quanto": Scheme("quanto", _quanto, _no_weights),
    "onnx": Scheme("DequantizeLinear", _told_by_the_graph, _onnx_weights),
    "onnx blocks": Scheme("MatMulNBits", _told_by_the_graph, _onnx_blocks_weights),
    "scaled": Scheme("8 bits with a scale", _each, _each_weights),
}
"""The schemes in the order in which they are tried."""
