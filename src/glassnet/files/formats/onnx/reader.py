"""ONNX: the header of a protobuf is walked, the numbers in it are passed over by seeking, and read when asked for.

Found are initializers, Constant nodes, tensors in other attributes, and all of these inside the bodies of If, Loop and
Scan and in functions. No package is needed. External data must lie in the model's own folder.
Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, https://protobuf.dev/programming-guides/encoding/
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Literal

from glassnet.errors import FileError
from glassnet.files import access
from glassnet.files.access import Stored, damaged
from glassnet.files.stored_tensors import Codec, Place, StoredCheckpoint, beside, codec, no_overlap, numbers_in
from glassnet.files.tensors import Orientation, Quantised, Role, TensorInfo
from glassnet.opening import quoted

MOST_FIELDS = 1 << 22
"""Fields that are looked at, a microsecond each; a language model of 10,000 nodes has some 200,000."""
MOST_KEPT = 1 << 27
"""Bytes of names, texts and notes that are kept."""
MOST_TENSORS = 1 << 17
MOST_FILES = 1 << 12
_DEEPEST = 24
_LONGEST_NAME = 1 << 14
_LONGEST_TEXT = 1 << 16
_WINDOW = 1 << 16
_UNSEEN = 1 << 12
_NOTE = 200

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5

TYPES = {
    1: "float32", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
    10: "float16", 11: "float64", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
    17: "float8_e4m3fn", 18: "float8_e4m3fnuz", 19: "float8_e5m2", 20: "float8_e5m2fnuz", 21: "uint4", 22: "int4",
    23: "float4_e2m1", 24: "float8_e8m0fnu", 25: "uint2", 26: "int2",
}  # fmt: skip
_FLOATS, _INT32S, _STRINGS, _INT64S, _RAW, _DOUBLES, _UINT64S = 4, 5, 6, 7, 9, 10, 11
_TYPED = {"float32": _FLOATS, "complex64": _FLOATS, "float64": _DOUBLES, "complex128": _DOUBLES, "int64": _INT64S}
_TYPED |= {"uint32": _UINT64S, "uint64": _UINT64S, "string": _STRINGS}
"""The field for numbers that are not raw; all other types lie in `int32_data`."""

_GRAPH = 7
_MODEL_FIELDS = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
"""Which fields a model has, and how each is written."""


def recognises(head: bytes, path: Path) -> bool:
    """ONNX has no sign of its own: a file is taken for it if it is made of the fields of a model and has a graph.

    One that begins with a version, as all that protobuf itself writes, may also be cut short.
    """
    versioned = head[:1] == b"\x08"
    if not head or head[0] & 7 != _wire(head[0] >> 3):
        return False
    seen: set[int] = set()
    try:
        file = access.stored(path)
        with file.opened() as number:
            for one in _Walk(file, number, _UNSEEN).fields(0, file.size):
                if one.wire != _wire(one.number) or (one.number == 1 and not 0 < one.value < 1000):
                    return False
                seen.add(one.number)
                if versioned and one.number == _GRAPH:
                    return True
    except FileError:
        return versioned and 1 in seen
    return _GRAPH in seen


def _wire(number: int) -> int:
    return _MODEL_FIELDS.get(number, -1)


def open_file(path: Path) -> StoredCheckpoint:
    """An ONNX model by its path; its external data beside it."""
    file = access.stored(path)
    with file.opened() as number:
        model = _Model(_Walk(file, number))
        model.read()
    tensors, places = model.checked()
    return StoredCheckpoint(path, "ONNX", model.metadata, tensors, places)


# Protobuf


@dataclass(slots=True)
class _Field:
    """A field of a message: its value if it is a varint, else where its bytes are."""

    number: int
    wire: int
    value: int
    end: int


class _Walk:
    """Protobuf read through a window that moves on; a field is looked at, its bytes are not."""

    def __init__(self, file: Stored, number: int, fields: int = MOST_FIELDS) -> None:
        self.file, self.path, self._number = file, file.path, number
        self._buffer, self._base, self._safe = b"", 0, -1
        self._fields, self._kept = fields, MOST_KEPT

    def fields(self, start: int, end: int) -> Iterator[_Field]:
        """The fields of the message between these bytes, each seen to end within it."""
        at = start
        while at < end:
            self._fields -= 1
            if self._fields < 0:
                raise damaged(self.path, f"it has more than {MOST_FIELDS:,} fields", "ONNX file")
            tag, at = self.varint(at)
            number, wire = tag >> 3, tag & 7
            value = at
            if wire == _BYTES:
                length, value = self.varint(at)
                at = value + length
            elif wire == _VARINT:
                value, at = self.varint(at)
            elif wire == _FOUR:
                at += 4
            elif wire == _EIGHT:
                at += 8
            else:
                raise damaged(self.path, f"no field of protobuf at byte {at:,}", "ONNX file")
            if at > end or not number:
                raise damaged(self.path, f"a field ends at byte {at:,}, what it is part of at {end:,}", "ONNX file")
            yield _Field(number, wire, value, at)

    def varint(self, at: int) -> tuple[int, int]:
        """A whole number of seven bits a byte, and where it ends."""
        place = at - self._base
        if not 0 <= place <= self._safe:
            place = self._move(at)
        buffer = self._buffer
        try:
            value = buffer[place]
            if value < 128:
                return value, at + 1
            value &= 127
            for shift in range(1, 10):
                byte = buffer[place + shift]
                value |= (byte & 127) << 7 * shift
                if byte < 128:
                    return value & 0xFFFF_FFFF_FFFF_FFFF, at + shift + 1
        except IndexError:
            raise damaged(self.path, f"it ends at byte {self.file.size:,}, in the middle", "ONNX file") from None
        raise damaged(self.path, f"a number without end at byte {at:,}", "ONNX file")

    def _move(self, at: int) -> int:
        """A window that begins here; a varint from here on to `_safe` lies whole in it, or the file ends in it."""
        length = max(0, min(_WINDOW, self.file.size - at))
        self._buffer, self._base = access.read_at(self._number, at, length, self.path), at
        self._safe = length - 10
        return 0

    def bytes(self, one: _Field) -> bytes:
        """What a field holds; the caller has bounded it."""
        place = one.value - self._base
        if place >= 0 and one.end - self._base <= len(self._buffer):
            return self._buffer[place : one.end - self._base]
        return access.read_at(self._number, one.value, one.end - one.value, self.path)

    def keep(self, many: int) -> None:
        self._kept -= many
        if self._kept < 0:
            raise damaged(self.path, f"it has more than {MOST_KEPT:,} bytes of names", "ONNX file")

    def name(self, one: _Field) -> str:
        length = one.end - one.value
        if length > _LONGEST_NAME:
            raise damaged(self.path, f"a name of {length:,} bytes", "ONNX file")
        return self.bytes(one).decode("utf-8", "backslashreplace")

    def text(self, one: _Field) -> str:
        """A text of the metadata; told by its length where it is too long to keep."""
        length = one.end - one.value
        if length > min(_LONGEST_TEXT, self._kept - MOST_KEPT // 2):
            return f"a text of {length:,} bytes"
        self.keep(length)
        return self.bytes(one).decode("utf-8", "backslashreplace")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


# What a graph says of its tensors


@dataclass
class _Found:
    """A tensor and where in the model it was found."""

    info: TensorInfo
    place: Place
    scope: str
    constant: bool


@dataclass(slots=True)
class _Use:
    """What a node does with a value."""

    role: Role | None = None
    neurons_in: Orientation | None = None
    packed: int = 1
    bias: str | None = None
    codes: Quantised | None = None


@dataclass
class _Node:
    op: str = ""
    name: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    perm: list[int] = field(default_factory=list)
    found: list[_Found] = field(default_factory=list)


@dataclass
class _Scope:
    """What is known of the values of one graph."""

    name: str
    found: dict[str, _Found] = field(default_factory=dict)
    uses: dict[str, _Use] = field(default_factory=dict)
    passed_on: dict[str, tuple[str, bool]] = field(default_factory=dict)
    """Values that are another one, transposed or as it is."""
    products: dict[str, str] = field(default_factory=dict)
    """Values that are inputs times weights, and which weights."""


_STATISTICS = {("BatchNormalization", 3), ("BatchNormalization", 4)}
_SETTINGS = {
    *((op, n) for op in ("QuantizeLinear", "DequantizeLinear", "Clip", "Resize") for n in (1, 2)),
    *((op, n) for op in ("MatMulInteger", "ConvInteger", "MatMulNBits", "DynamicQuantizeMatMul") for n in (2, 3)),
    *((op, n) for op in ("QLinearMatMul", "QLinearConv") for n in (1, 2, 4, 5, 6, 7)),
    *(("QGemm", n) for n in (1, 2, 4, 5, 7, 8)),
    *(("MatMulIntegerToFloat", n) for n in (2, 3, 4, 5)),
    *(("GatherBlockQuantized", n) for n in (2, 3)),
    *((op, 1) for op in ("Dropout", "Pow", "Upsample")),
    ("Pad", 2),
    *(("DynamicQuantizeLSTM", n) for n in range(4, 12)),
}
"""Floats that nobody learns: scales and zero points of a quantisation, limits, exponents."""
_WEIGHTS = {
    ("BatchNormalization", 1),
    ("BatchNormalization", 2),
    ("DequantizeLinear", 0),
    ("QLinearMatMul", 0),
    ("QLinearMatMul", 3),
    ("QLinearConv", 3),
    ("QLinearConv", 8),
    ("MatMulInteger", 1),
    ("ConvInteger", 1),
    ("MatMulNBits", 1),
    ("DynamicQuantizeMatMul", 1),
    ("MatMulIntegerToFloat", 1),
    ("QGemm", 3),
    ("QGemm", 6),
    ("GatherBlockQuantized", 0),
    ("DynamicQuantizeLSTM", 1),
    ("DynamicQuantizeLSTM", 2),
    ("Gather", 0),  # a table; whole numbers of more bits than a code are looked up for themselves
    ("Gemm", 2),
    ("Conv", 2),
    ("ConvTranspose", 2),
}
"""Weights, also where they are whole numbers, or serve as statistics too (an exporter keeps equal tensors once)."""
_IN_BYTES = {("MatMulNBits", 1), ("GatherBlockQuantized", 0)}
"""Of these several in a byte, as the node's `bits` says."""
_MATRIX = {"MatMul": 1, "FusedMatMul": 1, "MatMulInteger": 1, "DynamicQuantizeMatMul": 1, "MatMulIntegerToFloat": 1}
_MATRIX |= {"Gemm": 1, "FusedGemm": 1, "QLinearMatMul": 3, "QGemm": 3}
"""Which input holds the weights; its neurons are columns, unless transB is set."""
_SAME = {"Identity", "Cast", "DequantizeLinear", "QuantizeLinear"}
_COEFFICIENTS = {"coefficients", "intercepts"}
_NUMBERS_KEPT = {"transA", "transB", "bits", "axis", "block_size", "K", "N"}
_CODES = ("int8", "uint8", "int4", "uint4", "int2", "uint2", "int32")
"""Types that quantised weights, or (32 bits) their biases, are kept in."""


class _Model:
    """The walk through a model: every tensor in it, and what its nodes make of it."""

    def __init__(self, walk: _Walk) -> None:
        self._walk, self.path = walk, walk.path
        self.metadata: dict[str, str] = {}
        self._opsets: list[str] = []
        self._found: list[_Found] = []
        self._external: dict[str, Stored] = {}
        self._count = 0
        self._nodes = 0

    def read(self) -> None:
        """The whole model."""
        walk = self._walk
        graphs = 0
        simple = {2: "producer", 3: "producer version", 4: "domain", 6: "description"}
        for one in walk.fields(0, walk.file.size):
            if one.wire != _wire(one.number):
                raise damaged(self.path, f"a model has no field {one.number}", "ONNX file")
            if one.number == 1:
                self.metadata["ir version"] = str(one.value)
            elif one.number == 5:
                self.metadata["model version"] = str(_signed(one.value))
            elif one.number in simple and one.end > one.value:
                self.metadata[simple[one.number]] = walk.text(one)
            elif one.number == _GRAPH:
                graphs += 1
                if graphs > 1:
                    raise damaged(self.path, "it has two graphs", "ONNX file")
                self._graph(one, "", 0)
            elif one.number == 8:
                self._opset(one)
            elif one.number == 14:
                self._property(one)
            elif one.number == 20:
                self._training(one)
            elif one.number == 25:
                self._function(one)
        if not graphs:
            raise damaged(self.path, "it has no graph", "ONNX file")
        self.metadata["opset"] = ", ".join(self._opsets)

    def checked(self) -> tuple[dict[str, TensorInfo], dict[str, Place]]:
        """All tensors by names of their own, none of them in the way of another."""
        often: dict[str, int] = {}
        for one in self._found:
            often[one.info.name] = often.get(one.info.name, 0) + 1
        tensors: dict[str, TensorInfo] = {}
        places: dict[str, Place] = {}
        whose: dict[tuple[Path, int, int], str] = {}
        spans: dict[Path, list[tuple[int, int, str]]] = {}
        for one in self._found:
            info, place = one.info, one.place
            name = info.name if often[info.name] == 1 or not one.scope else f"{one.scope}/{info.name}"
            if name in tensors:
                raise damaged(self.path, f"two tensors are named {quoted(name, 60)}", "ONNX file")
            if place.file is not self._walk.file and place.length:
                key = (place.file.path, place.start, place.length)
                if key in whose:
                    info = replace(info, shared_with=whose[key])
                whose.setdefault(key, name)
                spans.setdefault(place.file.path, []).append((place.start, place.length, name))
            inside = one.scope if place.file is self._walk.file else ""
            tensors[name], places[name] = replace(info, name=name, where=inside or info.where), place
        for name, info in tensors.items():
            if info.bias is not None:
                near = f"{name.rpartition('/')[0]}/{info.bias}"  # beside it in the same body
                bias = next((each for each in (near, info.bias) if each in tensors), None)
                tensors[name] = replace(info, bias=bias)
        for name, info in tensors.items():
            if info.quantised is not None:
                tensors[name] = _with_codes(info, tensors)
        for path, taken in spans.items():
            no_overlap(path, taken, shared=True)
        return tensors, places

    def _opset(self, message: _Field) -> None:
        domain, version = "", 0
        for one in self._walk.fields(message.value, message.end):
            if one.number == 1 and one.wire == _BYTES:
                domain = self._walk.name(one)
            elif one.number == 2 and one.wire == _VARINT:
                version = _signed(one.value)
        if len(self._opsets) < 64:
            self._opsets.append(f"{domain or 'ai.onnx'} {version}")

    def _property(self, message: _Field) -> None:
        key, value = self._pair(message)
        self._walk.keep(len(key) + 100)
        if key in self.metadata:
            raise damaged(self.path, f"the property {quoted(key, 60)} is there twice", "ONNX file")
        self.metadata[key] = value

    def _pair(self, message: _Field) -> tuple[str, str]:
        key = value = ""
        for one in self._walk.fields(message.value, message.end):
            if one.wire == _BYTES and one.number == 1:
                key = self._walk.name(one)
            elif one.wire == _BYTES and one.number == 2:
                value = self._walk.text(one)
        return key, value

    def _training(self, message: _Field) -> None:
        """What is needed to train on: tensors of the optimizer."""
        for one in self._walk.fields(message.value, message.end):
            if one.wire == _BYTES and one.number in (1, 2):
                already = len(self._found)
                self._graph(one, f"training {'initialization' if one.number == 1 else 'algorithm'}", 1)
                for found in self._found[already:]:
                    found.info = replace(found.info, role="optimizer")

    def _function(self, message: _Field) -> None:
        """A function of the model's own: its constants count once, however often it is called."""
        name = domain = ""
        nodes: list[_Field] = []
        for one in self._walk.fields(message.value, message.end):
            if one.wire == _BYTES and one.number == 1:
                name = self._walk.name(one)
            elif one.wire == _BYTES and one.number == 10:
                domain = self._walk.name(one)
            elif one.wire == _BYTES and one.number == 7:
                nodes.append(one)
        scope = _Scope(f"function {domain}.{name}" if domain else f"function {name}")
        for one in nodes:
            self._node(one, scope, 1)
        self._settle(scope)

    def _graph(self, message: _Field, name: str, depth: int) -> _Scope:
        if depth > _DEEPEST:
            raise damaged(self.path, f"graphs lie in graphs, more than {_DEEPEST} deep", "ONNX file")
        scope = _Scope(name)
        for one in self._walk.fields(message.value, message.end):
            if one.wire != _BYTES:
                continue
            if one.number == 1:
                self._node(one, scope, depth)
            elif one.number == 5:
                self._add(scope, self._tensor(one, "", "initializer"))
            elif one.number == 15:
                for found in self._sparse(one, ""):
                    self._add(scope, found)
            elif not name and one.number == 2:
                self.metadata["graph"] = self._walk.text(one)
        self._settle(scope)
        return scope

    def _add(self, scope: _Scope, found: _Found) -> None:
        name = found.info.name
        if name in scope.found:
            raise damaged(self.path, f"two tensors are named {quoted(name, 60)}", "ONNX file")
        scope.found[name] = replace(found, scope=scope.name)

    def _settle(self, scope: _Scope) -> None:
        """At the end of a graph its nodes have said what its tensors are for; what they said of others goes out."""
        for name, use in list(scope.uses.items()):
            flipped = False
            for _ in range(16):
                if name not in scope.passed_on:
                    break
                name, flips = scope.passed_on[name]
                flipped ^= flips
                _note(scope.uses, name, _flip(use) if flipped else use)
        for name, found in scope.found.items():
            self._found.append(_as_used(found, scope.uses.pop(name, _Use())))

    def _node(self, message: _Field, scope: _Scope, depth: int) -> None:
        walk = self._walk
        self._nodes += 1
        node = _Node()
        attributes: list[_Field] = []
        inputs: list[_Field] = []
        for one in walk.fields(message.value, message.end):
            if one.wire != _BYTES:
                continue
            if one.number == 1:
                inputs.append(one)
            elif one.number == 2 and not node.outputs:
                node.outputs.append(walk.name(one))
            elif one.number == 3:
                node.name = walk.name(one)
            elif one.number == 4:
                node.op = walk.name(one)
            elif one.number == 5:
                attributes.append(one)
        label = node.name or f"{node.op} {self._nodes}"
        for one in attributes:
            self._attribute(one, node, scope, label, depth)
        for found in node.found:
            self._add(scope, found)
        if node.op in _USING and len(inputs) <= 64:
            node.inputs = [walk.name(one) for one in inputs]
            walk.keep(sum(len(name) + _NOTE for name in node.inputs))
            self._uses(node, scope)

    def _uses(self, node: _Node, scope: _Scope) -> None:
        """What a node makes of each of its inputs."""
        for position, name in enumerate(node.inputs):
            use = _Use()
            where = (node.op, position)
            if where in _STATISTICS:
                use.role = "statistic"
            elif where in _SETTINGS:
                use.role = "buffer"
            elif where in _WEIGHTS:
                use.role = "parameter"
            if _MATRIX.get(node.op) == position:
                use.neurons_in = "rows" if node.numbers.get("transB") else "columns"
            elif node.op in ("MatMul", "Gemm") and position == 0:  # weights times inputs
                use.neurons_in = "columns" if node.numbers.get("transA") else "rows"
            if _MATRIX.get(node.op) == position:
                use.bias = node.inputs[2] if node.op in ("Gemm", "FusedGemm") and len(node.inputs) > 2 else None
                scope.products[node.outputs[0] if node.outputs else ""] = name
            if where in _IN_BYTES:
                use.packed = {2: 4, 4: 2}.get(node.numbers.get("bits", 4), 1)
            if position == _CODES_OF.get(node.op):
                use.codes = _codes_of(node)
            if use != _Use():
                _note(scope.uses, name, use)
        if node.op == "Add" and len(node.inputs) == 2:
            for product, other in (node.inputs, node.inputs[::-1]):
                if product in scope.products:
                    _note(scope.uses, scope.products[product], _Use(bias=other))
                    _note(scope.uses, other, _Use(role="parameter"))
        flips = node.op == "Transpose" and node.perm in ([], [1, 0])
        if node.inputs and node.outputs and (flips or node.op in _SAME):
            scope.passed_on.setdefault(node.outputs[0], (node.inputs[0], flips))

    def _attribute(self, message: _Field, node: _Node, scope: _Scope, label: str, depth: int) -> None:
        walk = self._walk
        name, graphs = "", 0
        numbers: list[int] = []
        own = node.outputs[0] if node.outputs and node.op == "Constant" else ""
        listed = bytearray()
        listed_as: Literal["float32", "int64", ""] = ""
        for one in walk.fields(message.value, message.end):
            if one.number == 1 and one.wire == _BYTES:
                name = walk.name(one)
            elif one.number == 5 and one.wire == _BYTES:
                node.found.append(self._tensor(one, own or f"{label}.{name}", f"{node.op} node", constant=True))
            elif one.number == 22 and one.wire == _BYTES:
                node.found += self._sparse(one, own or f"{label}.{name}", constant=True)
            elif one.number == 10 and one.wire == _BYTES:
                graphs += 1
                node.found.append(self._tensor(one, f"{label}.{name}.{graphs}", f"{node.op} node", constant=True))
            elif one.number == 23 and one.wire == _BYTES:
                graphs += 1
                node.found += self._sparse(one, f"{label}.{name}.{graphs}", constant=True)
            elif one.number in (6, 11) and one.wire == _BYTES:
                graphs += 1
                body = f"{label}/{name}" + (f".{graphs}" if one.number == 11 else "")
                inner = self._graph(one, f"{scope.name}/{body}" if scope.name else body, depth + 1)
                walk.keep(_NOTE * len(inner.uses))
                for value, use in inner.uses.items():
                    _note(scope.uses, value, use)
            elif one.number == 3 and one.wire == _VARINT and name in _NUMBERS_KEPT:
                node.numbers[name] = _signed(one.value)
            elif one.number == 8 and name == "perm" and len(numbers) < 8:
                numbers += _varints_of(walk, one)
            elif one.number in (7, 8) and (node.op == "Constant" or (one.number == 7 and name in _COEFFICIENTS)):
                listed_as = "float32" if one.number == 7 else "int64"
                data = _list_of(walk, one)
                walk.keep(2 * len(data))
                listed += data
            elif one.number in (2, 3) and node.op == "Constant":
                listed_as = "float32" if one.number == 2 else "int64"
                listed += _list_of(walk, one)
            elif one.number in (7, 8, 9):
                break  # a list of no interest (the nodes of trees): nothing else is in this attribute
        if name == "perm":
            node.perm = numbers
        if listed_as:
            taken = codec(listed_as)
            shape = () if name in ("value_float", "value_int") else (len(listed) // taken.width,)
            role: Role = "parameter" if listed_as == "float32" and shape else "buffer"
            info = TensorInfo(own or f"{label}.{name}", shape, listed_as, len(listed), f"{node.op} node", role)
            place = Place(walk.file, message.value, len(listed), taken, inline=bytes(listed))
            self._counted(info.name)
            node.found.append(_Found(info, place, "", constant=True))

    def _sparse(self, message: _Field, own: str, constant: bool = False) -> list[_Found]:
        """A sparse tensor: its values, and the places of these as a tensor of its own."""
        found: list[_Found] = []
        name = own
        for one in self._walk.fields(message.value, message.end):
            if one.wire == _BYTES and one.number == 1:
                values = self._tensor(one, own, "sparse", constant)
                name = values.info.name
                found.append(values)
            elif one.wire == _BYTES and one.number == 2:
                places = self._tensor(one, f"{name}.indices", "sparse", constant)
                places.info = replace(places.info, name=f"{name}.indices", role="buffer")
                found.append(places)
        return found

    def _tensor(self, message: _Field, own: str, where: str, constant: bool = False) -> _Found:
        """A tensor; `own`: the name that counts (of a Constant node: its output), else the tensor's."""
        walk = self._walk
        dims: list[int] = []
        name, kind, external, texts = "", 0, False, 0
        data: dict[int, _Field] = {}
        said: dict[str, str] = {}
        for one in walk.fields(message.value, message.end):
            if one.number == 1:
                dims += map(_signed, _varints_of(walk, one))
                if len(dims) > 64:
                    raise damaged(self.path, "a tensor has more than 64 axes", "ONNX file")
            elif one.number == 2 and one.wire == _VARINT:
                kind = one.value
            elif one.number == 3:
                raise damaged(self.path, "a tensor in segments, which ONNX gave up long ago", "ONNX file")
            elif one.number == 8 and one.wire == _BYTES:
                name = walk.name(one)
            elif one.number == _STRINGS:
                data[_STRINGS] = one
                texts += 1
            elif one.number in (_FLOATS, _INT32S, _INT64S, _RAW, _DOUBLES, _UINT64S):
                if one.wire != _BYTES or one.number in data:
                    raise damaged(self.path, f"the numbers of {quoted(name, 60)} lie in pieces", "ONNX file")
                data[one.number] = one
            elif one.number == 13 and one.wire == _BYTES:
                key, value = self._pair(one)
                if key in said or len(said) > 16:
                    raise damaged(self.path, f"the place of {quoted(name, 60)} is told twice", "ONNX file")
                said[key] = value
            elif one.number == 14 and one.wire == _VARINT:
                external = one.value == 1
        name, shape = own or name, tuple(dims)
        if kind not in TYPES:
            raise FileError(
                f"{quoted(name, 60)} in {quoted(self.path)} has the type number {kind}, expected one from 1 to "
                f"{max(TYPES)}",
                help="upgrade glassnet: pip install -U glassnet",
            )
        dtype = TYPES[kind]
        count = numbers_in(shape, name, self.path)
        self._counted(name)
        if external:
            place = self._outside(name, count, codec(dtype) if dtype != "string" else None, said)
            where = place.file.path.name if where == "initializer" else where
        else:
            place = self._inside(name, count, dtype, {n: one for n, one in data.items() if one.end > one.value}, texts)
            where = self.path.name if where == "initializer" else where
        info = TensorInfo(name, shape, dtype, place.length, where, _role(dtype, shape, constant))
        return _Found(info, place, "", constant)

    def _counted(self, name: str) -> None:
        self._count += 1
        self._walk.keep(len(name) + 8)
        if self._count > MOST_TENSORS:
            raise damaged(self.path, f"it has more than {MOST_TENSORS:,} tensors", "ONNX file")

    def _inside(self, name: str, count: int, dtype: str, data: dict[int, _Field], texts: int) -> Place:
        """The place of numbers that lie in the model file itself: as many as the shape says."""
        file = self._walk.file
        typed = _TYPED.get(dtype, _INT32S)
        if dtype == "string":
            if texts != count:
                raise self._lengths(name, f"{texts:,} texts", count)
            return Place(file, 0, 0, None)
        if set(data) - {_RAW, typed} or len(data) > 1:
            raise damaged(self.path, f"the numbers of {quoted(name, 60)} are no {dtype}, or there twice", "ONNX file")
        taken = codec(dtype)
        if not data:
            if count:
                raise self._lengths(name, "no numbers", count)
            return Place(file, 0, 0, taken)
        number, one = data.popitem()
        length = one.end - one.value
        varints = number in (_INT32S, _INT64S, _UINT64S)
        needed = taken.bytes_for(count)
        if varints:
            many = needed // taken.width
            fits = many <= length <= 10 * many
        else:
            fits = length == needed
        if not fits:
            raise self._lengths(name, f"{length:,} bytes", count)
        return Place(file, one.value, length, taken, varints)

    def _outside(self, name: str, count: int, taken: Codec | None, said: dict[str, str]) -> Place:
        """The place of numbers in another file of the model's folder."""
        if taken is None:
            raise damaged(self.path, f"the texts of {quoted(name, 60)} lie outside of it", "ONNX file")
        location = said.get("location", "")
        if location not in self._external:
            if len(self._external) >= MOST_FILES:
                raise damaged(self.path, f"it names more than {MOST_FILES:,} files", "ONNX file")
            self._external[location] = access.stored(beside(self.path, location))
        file = self._external[location]
        start, needed = said.get("offset", "0"), taken.bytes_for(count)
        length = said.get("length", str(needed))
        if not all(text.isascii() and text.isdigit() and len(text) < 20 for text in (start, length)):
            raise damaged(self.path, f"{quoted(name, 60)} lies at {quoted(start, 30)}, {quoted(length, 30)} bytes")
        if int(length) != needed:
            raise self._lengths(name, f"{int(length):,} bytes", count)
        if int(start) + needed > file.size:
            raise damaged(
                file.path,
                f"{quoted(name, 60)} would end at byte {int(start) + needed:,} of {file.size:,}",
                "file of external data",
            )
        return Place(file, int(start), needed, taken)

    def _lengths(self, name: str, got: str, count: int) -> FileError:
        return damaged(self.path, f"{quoted(name, 60)} has {got} for {count:,} of its type", "ONNX file")


_USING = {op for op, _ in _STATISTICS | _SETTINGS | _WEIGHTS} | set(_MATRIX) | _SAME | {"Transpose", "Add"}


def _with_codes(info: TensorInfo, tensors: Mapping[str, TensorInfo]) -> TensorInfo:
    """A tensor of codes with what it stands for, where its scales are constants too."""
    how = info.quantised
    assert how is not None
    prefix = info.name.rpartition("/")[0] + "/"
    parts = {key: next((n for n in (prefix + part, part) if n in tensors), "") for key, part in how.parts.items()}
    if not all(parts.values()):
        return replace(info, quantised=None)
    stored = prod(info.shape) * info.packed
    if how.scheme == "onnx":
        return replace(info, quantised=replace(how, count=stored, shape=info.shape, parts=parts))
    fits = 0 <= stored - how.count < stored / 2
    if not fits or len(info.shape) != 3:
        return replace(info, quantised=None)
    return replace(info, quantised=replace(how, parts=parts), neurons_in="rows")


_CODES_OF = {"DequantizeLinear": 0, "MatMulNBits": 1}
"""Which input of a node holds codes."""


def _codes_of(node: _Node) -> Quantised | None:
    """How a node makes weights of codes; count and shape of the tensor itself are put in where it is known."""
    names = [*node.inputs, "", "", ""][:4]
    if node.op == "DequantizeLinear":
        parts = {"scale": names[1], "zero": names[2]}
        setting: tuple[int, ...] = (node.numbers.get("axis", 1), node.numbers.get("block_size", 0))
        return Quantised("onnx", 0, (), {key: part for key, part in parts.items() if part}, setting)
    k, n, bits = (node.numbers.get(key, default) for key, default in (("K", 0), ("N", 0), ("bits", 4)))
    if k < 1 or n < 1 or bits not in (2, 4, 8):
        return None
    parts = {"scales": names[2], "zero_points": names[3]}
    setting = (bits, node.numbers.get("block_size", 32))
    return Quantised("onnx blocks", k * n, (n, k), {key: part for key, part in parts.items() if part}, setting)


def _role(dtype: str, shape: tuple[int, ...], constant: bool) -> Role:
    """What a tensor is for, as long as no node says more: lone numbers are settings, whole ones shapes and tables."""
    if not dtype.startswith(("float", "bfloat", "complex")) or not shape:
        return "buffer"
    return "buffer" if constant and all(n == 1 for n in shape) else "parameter"


def _note(uses: dict[str, _Use], name: str, use: _Use) -> None:
    """Add to what is known of a value; whoever came first is believed."""
    known = uses.setdefault(name, _Use())
    known.role = known.role or use.role
    known.neurons_in = known.neurons_in or use.neurons_in
    known.bias = known.bias or use.bias
    known.packed = max(known.packed, use.packed)
    known.codes = known.codes or use.codes


def _flip(use: _Use) -> _Use:
    other: dict[Orientation, Orientation] = {"rows": "columns", "columns": "rows"}
    return replace(use, neurons_in=other[use.neurons_in] if use.neurons_in else None)


def _as_used(found: _Found, use: _Use) -> _Found:
    """A tensor with what its nodes say of it."""
    info = found.info
    whole = not info.dtype.startswith(("float", "bfloat", "complex"))
    if use.role == "parameter":
        learnt = info.shape and (not whole or info.dtype in _CODES)
        info = replace(info, role="parameter" if learnt else info.role)
    elif use.role:
        info = replace(info, role=use.role)
    if use.packed > 1 and info.dtype == "uint8":
        info = replace(info, packed=use.packed)
    if len(info.shape) == 2 and use.neurons_in:
        info = replace(info, neurons_in=use.neurons_in, bias=use.bias)
    return replace(found, info=replace(info, quantised=use.codes) if whole and use.codes else info)


def _varints_of(walk: _Walk, one: _Field) -> list[int]:
    """A repeated whole number: one of them, or many packed together."""
    if one.wire == _VARINT:
        return [one.value]
    if one.wire != _BYTES or one.end - one.value > 640:
        raise damaged(walk.path, "whole numbers are written wrongly", "ONNX file")
    values: list[int] = []
    at = one.value
    while at < one.end:
        value, at = walk.varint(at)
        values.append(value)
    return values


def _list_of(walk: _Walk, one: _Field) -> bytes:
    """A repeated number of an attribute as little-endian bytes: one of them, or many packed together."""
    if one.number in (2, 7) and one.wire in (_FOUR, _BYTES):
        if (one.end - one.value) % 4 or one.end - one.value > MOST_KEPT:
            raise damaged(walk.path, "floats are written wrongly", "ONNX file")
        return walk.bytes(one)
    if one.number in (3, 8):
        if one.wire == _BYTES and one.end - one.value > 640:
            raise damaged(walk.path, "a list of whole numbers is too long", "ONNX file")
        return b"".join(struct.pack("<Q", value) for value in _varints_of(walk, one))
    raise damaged(walk.path, "an attribute is written wrongly", "ONNX file")
