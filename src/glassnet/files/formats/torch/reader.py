"""PyTorch files, read without PyTorch: state dicts, checkpoints with optimizer state, TorchScript archives.

torch.save writes a pickle that describes the tensors, and beside it the numbers: each storage a stored member of a zip
file, or, before PyTorch 1.6, one after another behind the pickle (the "legacy" stream). The pickle is read by
`plain_pickle`, which calls nothing; the numbers are read in place, when they are asked for. A whole pickled module
(`torch.save(model)`) names classes that would have to be run to make it; it is refused, and the class is named.

Names are those of the dictionary inside, joined by dots. Where a checkpoint keeps the model beside other things, under
`state_dict`, `model` or the like, its tensors are named as the model names them; `metadata["model"]` tells where.
"""

import bisect
import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import FileError, GlassnetError
from glassnet.files import naming, quantised, zip_members
from glassnet.files.access import Checksums, Stored, damaged, read_at, stored
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.dtypes import KINDS, as_numbers
from glassnet.files.formats.torch.pickle_reader import (
    LARGEST,
    Builder,
    Damaged,
    Described,
    Name,
    PlainUnpickler,
    Refused,
)
from glassnet.files.tensors import Role, TensorInfo, column_index, row_range
from glassnet.files.zip_members import Member
from glassnet.opening import descriptor, printable, quoted

_LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_TAR_NAMES = (b"sys_info\0", b"pickle\0", b"tensors\0", b"storages\0")
_MODELS = ("state_dict", "model_state_dict", "model", "model_state", "module", "net", "network", "weights", "params")
_DEEPEST = 64
_LONGEST_CODE = 1 << 23
"""Characters of TorchScript's code that are looked through."""
_CLASS = re.compile(
    r"^class (\w+)\(Module\):\n  __parameters__ = \[[^\]\n]*\]\n  __buffers__ = \[([^\]\n]*)\]", re.MULTILINE
)
_WIDEST = 1 << 24
"""Numbers: an expanded tensor may stand for no more than these, unless it stores as many."""

_STORAGES = {
    "Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16", "Byte": "uint8",
    "Char": "int8", "Short": "int16", "Int": "int32", "Long": "int64", "Bool": "bool", "ComplexFloat": "complex64",
    "ComplexDouble": "complex128", "ComplexHalf": "complex32", "QInt8": "qint8", "QUInt8": "quint8",
    "QInt32": "qint32", "Float8_e4m3fn": "float8_e4m3fn", "Float8_e5m2": "float8_e5m2",
    "Float8_e4m3fnuz": "float8_e4m3fnuz", "Float8_e5m2fnuz": "float8_e5m2fnuz", "Untyped": "",
}  # fmt: skip
_QUANTISED = {"qint8": "int8", "quint8": "uint8", "qint32": "int32"}
_TYPES = {name: name for name, kind in KINDS.items() if kind.bits >= 8}
_TYPES |= {name: name for name in (*_QUANTISED, "complex32")}
_TYPES |= {"half": "float16", "float": "float32", "double": "float64", "cfloat": "complex64", "cdouble": "complex128"}
_TYPES |= {"short": "int16", "int": "int32", "long": "int64", "chalf": "complex32"}


def _itemsize(dtype: str) -> int:
    return 4 if dtype == "complex32" else KINDS[_QUANTISED.get(dtype, dtype)].bits // 8


# What the pickle builds


@dataclass(frozen=True, slots=True)
class _Storage:
    """`count` numbers of `dtype` (bytes, where it is empty) from number `first` of what is kept under `key`."""

    key: str
    dtype: str
    count: int
    first: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Tensor:
    storage: _Storage | None
    dtype: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    quantiser: Any = None
    learnt: bool = False


def _number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 63:
        raise Damaged("a shape, stride or place in it is no number from 0 to 2^63")
    return value


def _numbers(values: Any) -> tuple[int, ...]:
    if not isinstance(values, tuple | list) or len(values) > _DEEPEST:
        raise Damaged("a shape in it is no list of numbers")
    return tuple(_number(value) for value in values)


def _dtype(name: Any) -> str:
    found = _TYPES.get(name.name) if isinstance(name, Name) and name.module == "torch" else None
    if found is None:
        raise Damaged(f"a tensor of the type {printable(name, 80)}")
    return found


def _tensor(arguments: tuple[Any, ...], dtype: str | None = None, quantiser: Any = None) -> _Tensor:
    if len(arguments) < 4 or not isinstance(arguments[0], _Storage):
        raise Damaged("a tensor in it has no storage")
    storage = arguments[0]
    shape, strides = _numbers(arguments[2]), _numbers(arguments[3])
    if len(shape) != len(strides):
        raise Damaged("a tensor in it has other strides than its shape asks for")
    dtype = dtype or storage.dtype
    if not dtype:
        raise Damaged("a tensor in it has no type")
    return _Tensor(storage, dtype, _number(arguments[1]), shape, strides, quantiser)


def _first(arguments: tuple[Any, ...]) -> Any:
    if not arguments:
        raise Damaged("a call in it lacks what it should be given")
    return arguments[0]


def _parameter(arguments: tuple[Any, ...]) -> Any:
    tensor = _first(arguments)
    return replace(tensor, learnt=True) if isinstance(tensor, _Tensor) else tensor


def _tensor_v3(arguments: tuple[Any, ...]) -> _Tensor:
    if len(arguments) < 7:
        raise Damaged("a tensor in it has no type")
    return _tensor(arguments, _dtype(arguments[6]))


def _quantised(arguments: tuple[Any, ...]) -> _Tensor:
    quantiser = arguments[4] if len(arguments) > 4 else None
    if not isinstance(quantiser, tuple) or not quantiser or not isinstance(quantiser[0], Name):
        raise Damaged("a quantised tensor in it does not say how")
    return _tensor(arguments, quantiser=quantiser)


def _sparse(arguments: tuple[Any, ...]) -> dict[str, Any]:
    parts = arguments[1] if len(arguments) == 2 else None
    if not isinstance(parts, tuple) or not 2 <= len(parts) <= 5:
        raise Damaged("a sparse tensor in it has no parts")
    tensors = [part for part in parts if isinstance(part, _Tensor)]
    names = ("indices", "values") if len(tensors) == 2 else ("outer_indices", "inner_indices", "values")
    return dict(zip(names, tensors, strict=False))


def _typed(arguments: tuple[Any, ...]) -> Any:
    """`_rebuild_from_type_v2(function, type, arguments, state)`: a Parameter or a tensor that carries attributes."""
    if len(arguments) < 3 or not isinstance(arguments[0], Name) or not isinstance(arguments[2], tuple):
        raise Damaged("a tensor in it is rebuilt by no name")
    made = _BUILDERS.get(str(arguments[0]), _refuse)(arguments[2])
    return replace(made, learnt=True) if isinstance(made, _Tensor) and "Parameter" in str(arguments[1]) else made


def _without_data(arguments: tuple[Any, ...]) -> _Tensor:
    if len(arguments) < 3:
        raise Damaged("a tensor in it has no shape")
    return _Tensor(None, _dtype(arguments[0]), 0, _numbers(arguments[1]), _numbers(arguments[2]))


def _refuse(arguments: tuple[Any, ...]) -> Any:
    raise Refused("a tensor subclass")


def _dict(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    if not arguments:
        return {}
    if isinstance(arguments[0], dict):
        return dict(arguments[0])
    made: dict[Any, Any] = {}
    for pair in arguments[0] if isinstance(arguments[0], list | tuple) else ():
        if not isinstance(pair, list | tuple) or len(pair) != 2 or not isinstance(pair[0], str | int):
            raise Damaged("a dictionary in it is made of no pairs")
        made[pair[0]] = pair[1]
    return made


def _list(arguments: tuple[Any, ...]) -> list[Any]:
    return list(arguments[0]) if arguments and isinstance(arguments[0], list | tuple) else []


def _encoded(arguments: tuple[Any, ...]) -> bytes:
    text = _first(arguments)
    if not isinstance(text, str):
        raise Damaged("it encodes what is no text")
    return text.encode("latin-1")


def _bytes(arguments: tuple[Any, ...]) -> bytes:
    return arguments[0] if arguments and isinstance(arguments[0], bytes) else b""


_BUILDERS: dict[str, Builder] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._utils._rebuild_qtensor": _quantised,
    "torch._utils._rebuild_sparse_tensor": _sparse,
    "torch._utils._rebuild_sparse_csr_tensor": _sparse,
    "torch._utils._rebuild_meta_tensor_no_storage": _without_data,
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": _first,
    "torch._utils._rebuild_wrapper_subclass": _refuse,
    "torch._tensor._rebuild_from_type_v2": _typed,
    "torch.serialization._get_layout": _first,
    "torch.device": lambda arguments: ":".join(str(part)[:20] for part in arguments if isinstance(part, str | int)),
    "torch.Size": lambda arguments: tuple(arguments[0]) if arguments and isinstance(arguments[0], tuple | list) else (),
    "torch.nn.parameter.Parameter": _parameter,
    "torch.nn.parameter.Buffer": _first,
    "torch.jit._pickle.build_intlist": _first,
    "torch.jit._pickle.build_doublelist": _first,
    "torch.jit._pickle.build_boollist": _first,
    "torch.jit._pickle.build_tensorlist": _first,
    "torch.jit._pickle.restore_type_tag": _first,
    "collections.OrderedDict": _dict,
    "collections.Counter": _dict,
    "collections.defaultdict": lambda arguments: _dict(arguments[1:]),
    "collections.deque": _list,
    "builtins.dict": _dict,
    "builtins.list": _list,
    "builtins.set": _list,
    "builtins.frozenset": _list,
    "builtins.tuple": lambda arguments: tuple(_list(arguments)),
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytes,
    "_codecs.encode": _encoded,
}  # fmt: skip

_INERT = frozenset(
    f"{module}.{name}"
    for module, names in {
        "argparse": "Namespace",
        "types": "SimpleNamespace",
        "builtins": "int float bool str complex slice object",
        "datetime": "datetime date timedelta",
        "numpy": "ndarray dtype",
        "numpy.core.multiarray": "_reconstruct scalar",
        "numpy._core.multiarray": "_reconstruct scalar",
        "pathlib": "Path PosixPath WindowsPath PurePosixPath PureWindowsPath",
        "pathlib._local": "PosixPath WindowsPath",
        "torch": "Tensor Generator strided sparse_coo sparse_csr sparse_csc sparse_bsr sparse_bsc per_tensor_affine"
        " per_tensor_symmetric per_channel_affine per_channel_symmetric per_channel_affine_float_qparams"
        " contiguous_format preserve_format channels_last",
    }.items()
    for name in names.split()
)
"""Names that may stand in a checkpoint as descriptions of themselves: settings, times, paths, numpy's numbers."""


def _may_stand(name: Name) -> bool:
    text = str(name)
    return text in _INERT or _storage_type(name) is not None or (name.module == "torch" and name.name in _TYPES)


def _may_stand_in_script(name: Name) -> bool:
    return name.module.split(".")[0] == "__torch__" or _may_stand(name)


def _storage_type(name: Any) -> str | None:
    if isinstance(name, Name) and name.module.split(".")[0] == "torch" and name.name.endswith("Storage"):
        return _STORAGES.get(name.name.removesuffix("Storage"))
    return None


def _persistent(saved: Any) -> _Storage:
    """`('storage', type, key, device, count)`, in the legacy stream with a view `(key, first, count)` or None."""
    if isinstance(saved, tuple) and saved and _text(saved[0]) == "module":
        name = saved[1] if len(saved) > 1 else "?"
        raise Refused(f"the Python object {quoted(name)}")
    if not isinstance(saved, tuple) or len(saved) not in (5, 6) or _text(saved[0]) != "storage":
        raise Damaged("it refers to something that is no storage")
    dtype = _storage_type(saved[1])
    key = _text(saved[2])
    if dtype is None or not 0 < len(key) <= 100:
        raise Damaged("it refers to a storage of no known type")
    made = _Storage(key, dtype, _number(saved[4]))
    if len(saved) == 6 and isinstance(saved[5], tuple) and len(saved[5]) == 3:
        first, count = _number(saved[5][1]), _number(saved[5][2])
        if first + count > made.count:
            raise Damaged("a view of a storage leaves it")
        made = replace(made, first=first)
    return made


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return str(value) if isinstance(value, str | int) else ""


# Opening


def recognises(head: bytes, path: Path) -> bool:
    """A zip file with a `data.pkl` in it, torch.save's older streams, and pickles at large (to say what they are)."""
    if head.startswith(b"PK\x03\x04"):
        if b"/data.pkl" in head:
            return True
        try:
            with _opened(path) as file:
                names = zip_members.read_members(file, path)
        except GlassnetError:
            return False
        return any(name.count("/") == 1 and name.endswith("/data.pkl") for name in names)
    if head[:1] == b"\x80":
        return head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")
    return bool(head) and _is_old_tar(path)


def _is_old_tar(path: Path) -> bool:
    """A tar file of the members that PyTorch wrote before 0.1.10."""
    with _opened(path) as file:
        start = file.read(4096)
    return start[257:262] == b"ustar" and any(start[i:].startswith(_TAR_NAMES) for i in range(0, len(start), 512))


def open_file(path: Path) -> Checkpoint:
    """The tensors of a PyTorch file; `FileError` for damaged and hostile ones and for pickles of other objects."""
    with _opened(path) as file:
        try:
            if file.read(4) == b"PK\x03\x04":
                return _open_zip(file, path)
            file.seek(0)
            if _is_old_tar(path):
                raise FileError(
                    f"{quoted(path)} is a tar file of PyTorch before 0.1.10 (2017), expected a later format",
                    help="if you trust it: torch.load(path, weights_only=False), then torch.save",
                )
            file.seek(0)
            return _open_stream(file, path)
        except Damaged as problem:
            raise damaged(path, str(problem), "PyTorch file") from None
        except Refused as problem:
            raise _refused(path, problem.what) from None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with descriptor(path) as (number, _), os.fdopen(number, "rb", closefd=False) as file:
        yield file


def _refused(path: Path, what: str) -> FileError:
    return FileError(
        f"{quoted(path)} is a pickle that asks for {printable(what, 300)}; only tensors in plain containers are "
        "read, since a pickle can run any program",
        help="load it where it was made, then torch.save(model.state_dict(), path)",
    )


def _open_zip(file: BinaryIO, path: Path) -> Checkpoint:
    members = zip_members.read_members(file, path)
    pickles = [name for name in members if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(pickles) != 1:
        raise FileError(
            f"{quoted(path)} is a zip file with {len(pickles)} members data.pkl, expected one, as torch.save writes it",
            help="save TorchScript files of PyTorch before 1.4 again",
        )
    folder = pickles[0].removesuffix("data.pkl")
    script = folder + "constants.pkl" in members
    order = "<"
    if folder + "byteorder" in members:
        order = ">" if zip_members.read_member(file, path, members[folder + "byteorder"], 16) == b"big" else "<"
    tensors = _Tensors(path, order)
    listed = _listed_buffers(file, folder + "code/") if script else {}
    names = ["data.pkl", "constants.pkl"] if script else ["data.pkl"]
    metadata: dict[str, str] = {}
    for name in names:
        content = io.BytesIO(zip_members.read_member(file, path, members[folder + name], LARGEST))
        tree = PlainUnpickler(content, _BUILDERS, _persistent, _may_stand_in_script if script else _may_stand).load()
        place = folder + ("data/" if name == "data.pkl" else "constants/")
        prefix = "" if name == "data.pkl" else "constants"
        metadata |= tensors.add(tree, prefix, _in_members(members, place, path))
        tensors.are_buffers(_buffers(tree, listed) if not prefix else set())
    kind = "TorchScript" if script else "PyTorch"
    return PyTorchFile(path, kind, metadata, tensors.done())


def _listed_buffers(file: BinaryIO, folder: str) -> dict[str, list[str]]:
    """By the class of a TorchScript module the names of its buffers, as its code (which is text here) lists them."""
    made: dict[str, list[str]] = {}
    left = _LONGEST_CODE
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if not (member.filename.startswith(folder) and member.filename.endswith(".py")):
                    continue
                with archive.open(member) as code:
                    text = code.read(left).decode(errors="replace")
                left -= len(text)
                module = member.filename.removeprefix(folder).removesuffix(".py").replace("/", ".")
                for name, names in _CLASS.findall(text):
                    made[f"{module}.{name}"] = re.findall(r'"([^"\n]*)"', names)
                if left <= 0:
                    break
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError):
        return {}  # the code is not needed to read the numbers
    return made


def _buffers(tree: Any, listed: Mapping[str, list[str]]) -> set[str]:
    """The names of buffers in a tree of modules."""
    made: set[str] = set()
    waiting: list[tuple[str, Any]] = [("", tree)]
    seen: set[int] = set()
    while waiting:
        prefix, module = waiting.pop()
        if not isinstance(module, Described) or not isinstance(module.state, dict) or id(module) in seen:
            continue
        seen.add(id(module))
        made.update(prefix + name for name in listed.get(str(module.name), ()))
        waiting += [(f"{prefix}{printable(key, 500)}.", inner) for key, inner in module.state.items()]
    return made


def _in_members(members: Mapping[str, Member], place: str, path: Path) -> "_Finder":
    def find(storage: _Storage) -> "_Place":
        member = members.get(place + storage.key)
        if member is None:
            raise damaged(path, f"the storage {quoted(storage.key)} is not there", "PyTorch file")
        zip_members.check_stored(path, member)
        return _Place(member.name, None, member.size, member)

    return find


def _open_stream(file: BinaryIO, path: Path) -> Checkpoint:
    unpickler = PlainUnpickler(file, _BUILDERS, _persistent, _may_stand)
    if file.peek(len(_LEGACY)).startswith(_LEGACY):  # type: ignore[attr-defined]
        for _ in range(3):  # the magic number, the version, how wide the writer's numbers were
            unpickler.load()
        tree, keys = unpickler.load(), unpickler.load()
        tensors = _Tensors(path, "<")
        places = _in_stream(file, path, keys, _storages(tree))
        metadata = tensors.add(tree, "", lambda storage: places[storage.key])
        return PyTorchFile(path, "PyTorch (legacy stream)", metadata, tensors.done())
    unpickler.load()
    raise FileError(
        f"{quoted(path)} is a pickle of Python objects, expected a file of torch.save or a format that holds "
        "numbers only",
        help="save it with torch.save, safetensors, numpy.savez or (scikit-learn) skops",
    )


def _in_stream(file: BinaryIO, path: Path, keys: Any, storages: Mapping[str, _Storage]) -> dict[str, "_Place"]:
    """Where the storages lie behind the pickle: each with its count before it."""
    places: dict[str, _Place] = {}
    at, size = file.tell(), file.seek(0, 2)
    for key in keys if isinstance(keys, list) else ():
        storage = storages.get(_text(key))
        if storage is None:
            raise Damaged("it holds a storage that no tensor has")
        file.seek(at)
        count = file.read(8)
        if len(count) < 8 or struct.unpack("<q", count)[0] != storage.count:
            raise Damaged("a storage holds another count of numbers than its tensors say")
        length = storage.count * _itemsize(storage.dtype or "uint8")
        at += 8
        if at + length > size:
            raise Damaged(f"a storage claims {length:,} bytes and {max(0, size - at):,} are left")
        places[storage.key] = _Place("", at, length, None)
        at += length
    if missing := storages.keys() - places.keys():
        raise Damaged(f"the storage {quoted(min(missing))} is not there")
    return places


def _storages(tree: Any) -> dict[str, _Storage]:
    made: dict[str, _Storage] = {}
    for _, tensor, _ in _leaves(tree, ""):
        if tensor.storage is not None:
            made.setdefault(tensor.storage.key, tensor.storage)
    return made


# From the tree of containers to named tensors


def _leaves(tree: Any, prefix: str) -> Iterator[tuple[str, _Tensor, bool]]:
    """(name, tensor, whether the optimizer's), in order; a container met twice is walked once."""
    waiting: list[tuple[str, Any, bool, int]] = [(prefix, tree, False, 0)]
    seen: set[int] = set()
    while waiting:
        name, thing, optimizer, depth = waiting.pop()
        if isinstance(thing, _Tensor):
            yield name or "tensor", thing, optimizer
            continue
        if isinstance(thing, Described):
            thing = thing.state
        if isinstance(thing, _Tensor) or not isinstance(thing, dict | list | tuple) or id(thing) in seen:
            continue
        if depth >= _DEEPEST:
            raise Refused(f"containers nested more than {_DEEPEST} deep")
        seen.add(id(thing))
        if isinstance(thing, dict):
            optimizer = optimizer or {"state", "param_groups"} <= thing.keys()
            inner = [(key, value) for key, value in thing.items() if not isinstance(value, str | int | float)]
        else:
            inner = [(i, value) for i, value in enumerate(thing) if not isinstance(value, str | int | float)]
        for key, value in reversed(inner):
            text = printable(key, 500)
            waiting.append((f"{name}.{text}" if name else text, value, optimizer, depth + 1))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a storage lies: from `start` on, or in a zip member, whose start is looked up when it is read."""

    where: str
    start: int | None
    size: int
    member: Member | None


_Finder = Any


@dataclass(frozen=True, slots=True)
class _Found:
    info: TensorInfo
    tensor: _Tensor
    place: _Place | None
    order: str
    scales: "tuple[_Found, _Found, int] | tuple[float, int] | None" = None


class _Tensors:
    """Collects the tensors of one file; what shares numbers with an earlier one is told."""

    def __init__(self, path: Path, order: str) -> None:
        self._path, self._order = path, order
        self._found: dict[str, _Found] = {}
        self._ranges: dict[str, list[tuple[int, int, str]]] = {}

    def add(self, tree: Any, prefix: str, find: Any) -> dict[str, str]:
        metadata = _told(tree) if not prefix else {}
        model = _model_key(tree) if not prefix else None
        if model is not None:
            metadata["model"] = model
        leaves = list(_leaves(tree, prefix))
        if model is not None:
            start = model + "."
            others = {name for name, _, _ in leaves if not name.startswith(start)}
            leaves = [(self._short(name, start, others), tensor, opt) for name, tensor, opt in leaves]
        for name, tensor, optimizer in leaves:
            if name in self._found:
                raise Damaged(f"two tensors are named {quoted(name)}")
            self._found[name] = self._check(name, tensor, optimizer, find)
        return metadata

    def are_buffers(self, names: set[str]) -> None:
        """Say of these tensors that nobody learns them."""
        for name in names & self._found.keys():
            found = self._found[name]
            if found.info.role == "parameter":
                self._found[name] = replace(found, info=replace(found.info, role="buffer"))

    def done(self) -> dict[str, _Found]:
        infos = naming.with_orientations({name: found.info for name, found in self._found.items()}, "rows")
        return {name: replace(found, info=infos[name]) for name, found in self._found.items()}

    @staticmethod
    def _short(name: str, start: str, others: set[str]) -> str:
        inner = name.removeprefix(start)
        return name if inner in others else inner

    def _check(self, name: str, tensor: _Tensor, optimizer: bool, find: Any) -> _Found:
        role = _role(name, tensor, optimizer)
        if tensor.storage is None:
            return _Found(TensorInfo(name, tensor.shape, tensor.dtype, 0, "no data", role), tensor, None, self._order)
        place: _Place = find(tensor.storage)
        first, last = _bounds(tensor)
        claimed = tensor.storage.count * _itemsize(tensor.storage.dtype or "uint8")
        if claimed > place.size or last > claimed:
            raise Damaged(f"the tensor {quoted(name)} claims {max(last, claimed):,} bytes of {place.size:,}")
        if prod(tensor.shape) > max(_WIDEST, place.size):
            raise Damaged(f"the tensor {quoted(name)} claims {prod(tensor.shape):,} numbers of {place.size:,} bytes")
        size = min(prod(tensor.shape) * _itemsize(tensor.dtype), last - first)
        info = TensorInfo(
            name, tensor.shape, tensor.dtype, size, place.where, role, self._sharing(place, first, last, name)
        )
        return _Found(info, tensor, place, self._order, self._scales(name, tensor, find))

    def _sharing(self, place: _Place, first: int, last: int, name: str) -> str | None:
        """The first tensor whose bytes these are too, wholly or for a part."""
        if last <= first:
            return None
        taken = self._ranges.setdefault(f"{place.where}:{place.start}", [])  # in order, none overlapping
        at = bisect.bisect_left(taken, (first, last, name))
        for start, stop, other in taken[max(0, at - 1) : at + 1]:
            if start < last and first < stop:
                return other
        taken.insert(at, (first, last, name))
        return None

    def _scales(self, name: str, tensor: _Tensor, find: Any) -> Any:
        if tensor.quantiser is None:
            return None
        kind, values = str(tensor.quantiser[0]), tensor.quantiser[1:]
        if kind == "torch.per_tensor_affine" and len(values) == 2:
            scale, zero = values
            if isinstance(scale, float | int) and isinstance(zero, int):
                return float(scale), zero
        if len(values) == 3 and isinstance(values[0], _Tensor) and isinstance(values[1], _Tensor):
            axis = _number(values[2])
            wanted = tensor.shape[axis] if axis < len(tensor.shape) else -1
            if values[0].shape == values[1].shape == (wanted,):
                scales, zeros = (
                    _Tensors(self._path, self._order)._check(name, part, False, find) for part in values[:2]
                )
                return scales, zeros, axis
        raise Damaged(f"the tensor {quoted(name)} is quantised in no known way")


def _bounds(tensor: _Tensor) -> tuple[int, int]:
    """The bytes of its storage that it spans: from the first, to behind the last."""
    if 0 in tensor.shape:
        return 0, 0
    size = _itemsize(tensor.dtype)
    assert tensor.storage is not None
    first = tensor.offset + tensor.storage.first
    last = first + sum((n - 1) * stride for n, stride in zip(tensor.shape, tensor.strides, strict=True))
    return first * size, (last + 1) * size


def _role(name: str, tensor: _Tensor, optimizer: bool) -> Role:
    if optimizer:
        return "optimizer"
    if tensor.learnt or tensor.quantiser is not None:
        return "parameter"
    return naming.role_of(name, tensor.dtype, tensor.shape)


def _model_key(tree: Any) -> str | None:
    """Under which key a checkpoint keeps the model: a dictionary with tensors right in it."""
    if not isinstance(tree, dict) or any(isinstance(value, _Tensor) for value in tree.values()):
        return None
    for key in _MODELS:
        inner = tree.get(key)
        if isinstance(inner, dict) and any(isinstance(value, _Tensor) for value in inner.values()):
            return key
    return None


def _told(tree: Any) -> dict[str, str]:
    """What a checkpoint says of itself in plain words and numbers: the epoch, the loss, the settings' names."""
    if not isinstance(tree, dict):
        return {}
    plain = [(k, v) for k, v in tree.items() if isinstance(k, str) and isinstance(v, str | int | float)]
    return {printable(key, 100): printable(value, 200) for key, value in plain[:100]}


# Reading


class PyTorchFile(Checkpoint):
    """A PyTorch file, opened. Transposed tensors are read number by number where a row is scattered over the file."""

    def __init__(self, path: Path, kind: str, metadata: Mapping[str, str], found: dict[str, _Found]) -> None:
        self.path, self.format, self.metadata = path, kind, metadata
        self.tensors = {name: entry.info for name, entry in found.items()}
        self._found = found
        self._file: Stored = stored(path)
        self._checksums = Checksums(self._file)
        self.tensors = quantised.paired(self.tensors, self.array)

    def rows(self, name: str, which: int | slice) -> Array:
        chosen = row_range(self.info(name), which)
        entry = self._found[name]
        tensor = entry.tensor
        if tensor.shape:
            backwards = chosen.step < 0
            ahead = chosen[::-1] if backwards else chosen
            part = replace(
                tensor,
                offset=tensor.offset + (ahead.start * tensor.strides[0] if ahead else 0),
                shape=(len(ahead), *tensor.shape[1:]),
                strides=(tensor.strides[0] * ahead.step, *tensor.strides[1:]),
            )
            values = self._dequantised(entry, self._numbers(entry, part), ahead)
            values = values[::-1] if backwards else values
        else:
            values = self._dequantised(entry, self._numbers(entry, tensor), range(1))
        return values if isinstance(which, slice) else values[0]

    def verify(self, name: str) -> None:
        self.info(name)
        entry = self._found[name]
        for part in (entry, *(part for part in entry.scales or () if isinstance(part, _Found))):
            if part.place is not None and part.place.member is not None:
                member = part.place.member
                with _opened(self.path) as file:
                    start = zip_members.data_start(file, self.path, member)
                self._checksums.compare(member.name, start, member.size, member.crc)

    def column(self, name: str, index: int) -> Array:
        """One column; its numbers are read one by one where a whole matrix would be more."""
        index = column_index(self.info(name), index)
        entry = self._found[name]
        tensor = entry.tensor
        if entry.scales is not None:
            return self.rows(name, slice(None))[:, index]
        part = replace(
            tensor,
            offset=tensor.offset + index * tensor.strides[1],
            shape=tensor.shape[:1],
            strides=tensor.strides[:1],
        )
        return self._numbers(entry, part)

    def _numbers(self, entry: _Found, part: _Tensor) -> Array:
        if entry.place is None or part.storage is None:
            raise FileError(
                f"tensor {quoted(entry.info.name)} has no numbers in the file (a meta tensor)",
                help="save the model after its weights are loaded",
            )
        dtype = _QUANTISED.get(part.dtype, part.dtype)
        raw_type = np.dtype("<f2" if dtype == "complex32" else KINDS[dtype].read_as)
        if entry.order == ">":
            raw_type = raw_type.newbyteorder(">")
        shape, strides, first = part.shape, part.strides, part.offset + part.storage.first
        if dtype == "complex32":  # two halves each
            shape, strides, first = (*shape, 2), (*(2 * stride for stride in strides), 1), 2 * first
        if 0 in part.shape:
            raw = np.zeros(shape, raw_type)
        else:
            with self._file.opened() as number:
                start = entry.place.start
                if start is None:
                    assert entry.place.member is not None
                    with os.fdopen(number, "rb", closefd=False) as file:
                        start = zip_members.data_start(file, self.path, entry.place.member)
                base = start + first * raw_type.itemsize
                raw = _gathered(number, self.path, base, shape, strides, raw_type)
        if dtype == "complex32":
            raw = raw.astype(np.float32)
            return raw[..., 0] + 1j * raw[..., 1]
        return as_numbers(dtype, raw)

    def _dequantised(self, entry: _Found, values: Array, chosen: range) -> Array:
        if entry.scales is None:
            return values
        numbers = values.astype(np.float32)
        if len(entry.scales) == 2:
            scale, zero = entry.scales
            return (numbers - np.float32(zero)) * np.float32(scale)
        scales, zeros = (self._numbers(part, part.tensor) for part in entry.scales[:2])
        axis = entry.scales[2]
        if axis == 0:
            scales, zeros = (
                scales[chosen.start : chosen.stop : chosen.step],
                zeros[chosen.start : chosen.stop : chosen.step],
            )
        across = [1] * values.ndim
        across[axis] = -1
        return (numbers - zeros.reshape(across).astype(np.float32)) * scales.reshape(across).astype(np.float32)


def _gathered(
    number: int, path: Path, base: int, shape: tuple[int, ...], strides: tuple[int, ...], dtype: "np.dtype[Any]"
) -> Array:
    """The numbers of a strided tensor: in one piece where they lie close, else slice by slice along its widest step."""
    span = 1 + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if span <= max(2 * prod(shape), 1 << 14) or not shape:
        raw = np.frombuffer(read_at(number, base, span * dtype.itemsize, path), dtype)
        steps = tuple(stride * dtype.itemsize for stride in strides)
        return np.array(np.lib.stride_tricks.as_strided(raw, shape, steps, writeable=False), order="C")
    axis = max(range(len(shape)), key=lambda a: (shape[a] > 1, strides[a]))
    inner, steps = shape[:axis] + shape[axis + 1 :], strides[:axis] + strides[axis + 1 :]
    made = np.empty(shape, dtype)
    for i in range(shape[axis]):
        made[(slice(None),) * axis + (i,)] = _gathered(
            number, path, base + i * strides[axis] * dtype.itemsize, inner, steps, dtype
        )
    return made
