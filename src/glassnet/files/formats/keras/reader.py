"""Keras files: `.keras` (a zip file with a configuration and an HDF5 file), `.weights.h5`, and the older `.h5`.

Nothing of the configuration is run: it only tells the user's names for the layers, and what their variables are called.
Tensors are named `layer/variable` with these names; `metadata["config"]` is the configuration's JSON, for whoever wants
to know how the layers follow one another. A kernel of Keras has a neuron's weights in a column.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from glassnet.arrays import Array
from glassnet.errors import FileError, GlassnetError
from glassnet.files import naming, zip_members
from glassnet.files.access import Checksums, natural, stored
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.formats.keras import hdf5
from glassnet.files.formats.keras.hdf5 import Dataset, Part
from glassnet.files.tensors import Role, TensorInfo, column_index, row_range
from glassnet.opening import descriptor, printable, quoted

_MAGIC = b"\x89HDF\r\n\x1a\n"
_LARGEST_CONFIG = 16 << 20
_DEEPEST = 32

_VARIABLES: dict[str, tuple[str, ...]] = {
    "Dense": ("kernel", "bias"), "EinsumDense": ("kernel", "bias"), "Embedding": ("embeddings",), "PReLU": ("alpha",),
    "Conv1D": ("kernel", "bias"), "Conv2D": ("kernel", "bias"), "Conv3D": ("kernel", "bias"),
    "Conv1DTranspose": ("kernel", "bias"), "Conv2DTranspose": ("kernel", "bias"),
    "Conv3DTranspose": ("kernel", "bias"), "DepthwiseConv1D": ("kernel", "bias"), "DepthwiseConv2D": ("kernel", "bias"),
    "SeparableConv1D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "SimpleRNNCell": ("kernel", "recurrent_kernel", "bias"), "LSTMCell": ("kernel", "recurrent_kernel", "bias"),
    "GRUCell": ("kernel", "recurrent_kernel", "bias"), "Normalization": ("mean", "variance", "count"),
    "LayerNormalization": ("gamma", "beta"), "GroupNormalization": ("gamma", "beta"),
    "BatchNormalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "SeedGenerator": ("seed_generator_state",),
}  # fmt: skip
"""What the variables of Keras' layers are called, in the order in which they are saved: by number."""


@dataclass(frozen=True)
class _Entry:
    part: Part
    dataset: Dataset


def recognises(head: bytes, path: Path) -> bool:
    """An HDF5 file, or a zip file that begins as Keras begins it or has a member `.weights.h5`."""
    if head.startswith(_MAGIC):
        return True
    if not head.startswith(b"PK\x03\x04"):
        return False
    if head[30:].startswith((b"metadata.json", b"config.json")):
        return True
    try:
        with descriptor(path) as (number, _), os.fdopen(number, "rb", closefd=False) as file:
            return any(name.endswith(".weights.h5") for name in zip_members.read_members(file, path))
    except GlassnetError:
        return False


def open_file(path: Path) -> Checkpoint:
    """The variables of a Keras file. Raises `FileError`, and `MissingExtra` without h5py."""
    file = stored(path)
    if file.read(0, min(8, file.size)) == _MAGIC:
        return _opened(path, [("", Part(file, 0, file.size))], {})
    metadata: dict[str, str] = {}
    with file.opened() as number, os.fdopen(number, "rb", closefd=False) as opened:
        members = zip_members.read_members(opened, path)
        for name, key in (("config.json", "config"), ("metadata.json", "metadata")):
            if name in members:
                content = zip_members.read_member(opened, path, members[name], _LARGEST_CONFIG)
                metadata[key] = content.decode("utf-8", "replace")
        parts = [
            (name, Part(file, zip_members.data_start(opened, path, member), member.size, name, member.crc))
            for name, member in members.items()
            if name.endswith(".weights.h5")
        ]
    if not parts:
        raise FileError(
            f"{quoted(path)} is a zip file without the weights (model.weights.h5) that Keras writes",
            help="save it with model.save(...) or model.save_weights(...)",
        )
    told = _json(metadata.pop("metadata", ""))
    if isinstance(told, dict):
        metadata |= {k: printable(v) for k, v in told.items() if k in ("keras_version", "date_saved")}
    return _opened(path, parts, metadata)


def _opened(path: Path, parts: list[tuple[str, Part]], metadata: dict[str, str]) -> Checkpoint:
    found: list[tuple[str, str, _Entry]] = []  # where, path inside, what
    texts: dict[str, dict[str, str]] = {}
    for where, part in parts:
        datasets, attributes = hdf5.describe(part)
        found += [(where, dataset.path, _Entry(part, dataset)) for dataset in datasets]
        texts |= attributes
    root = texts.get("", {})
    if "model_config" in root:
        metadata = {"config": root["model_config"], **metadata}
    metadata |= {key: printable(root[key]) for key in ("keras_version", "backend") if key in root}
    older = "layer_names" in root or any("layer_names" in texts.get(g, {}) for g in ("/model_weights",))
    named = _Names(texts, _json(metadata.get("config", "")), older)
    found.sort(key=lambda entry: (entry[0], named.rank(entry[1]), natural(entry[1])))
    many = Counter(inside.rpartition("/")[0] for _, inside, _ in found)
    names = [named.of(inside, many[inside.rpartition("/")[0]]) for _, inside, _ in found]
    if len(set(names)) < len(names):  # two layers of one name: then by where they lie
        names = [inside.lstrip("/") for _, inside, _ in found]
    if len(set(names)) < len(names):
        raise FileError(f"{quoted(path)} has two tensors of one name", help="save it again")
    keras = older or bool(metadata) or any("/vars/" in inside for _, inside, _ in found)
    kinds = {name: entry for name, (_, _, entry) in zip(names, found, strict=True)}
    by_place = {(id(entry.part), inside): name for name, (_, inside, entry) in zip(names, found, strict=True)}
    tensors = {}
    for name, (where, inside, entry) in zip(names, found, strict=True):
        dataset = entry.dataset
        same = None if dataset.same is None else by_place.get((id(entry.part), dataset.same))
        place = f"{where}:{inside}" if where else inside
        role = _role(name, inside, dataset)
        size = min(dataset.stored, entry.part.size)
        tensors[name] = TensorInfo(name, dataset.shape, dataset.dtype, size, place, role, same, None)
    tensors = {
        name: replace(info, neurons_in="rows") if len(info.shape) == 2 and name.endswith("/embeddings") else info
        for name, info in tensors.items()
    }
    tensors = naming.with_orientations(tensors, "columns" if keras else None)
    return KerasFile(path, _format(path, parts, older, keras), metadata, tensors, kinds)


def _format(path: Path, parts: list[tuple[str, Part]], older: bool, keras: bool) -> str:
    if parts[0][0]:
        return "Keras"
    return "Keras (older HDF5)" if older else "Keras weights" if keras else "HDF5"


def _role(name: str, inside: str, dataset: Dataset) -> Role:
    if inside.startswith(("/optimizer/", "/optimizer_weights/")):
        return "optimizer"
    if re.search(r"(^|/)[Nn]ormalization(_\d+)?/vars/", inside) and name.endswith(("/mean", "/variance", "/count")):
        return "statistic"
    return naming.role_of(name, dataset.dtype, dataset.shape)


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None


class _Names:
    """The user's names for what lies at a path: `/layers/dense_1/vars/0` is `output/kernel`."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]], config: Any, older: bool) -> None:
        self._texts, self._older = texts, older
        self._layers: dict[str, tuple[str, str, dict[str, Any]]] = {}
        self._by_name: dict[str, tuple[str, dict[str, Any]]] = {}
        for place, name, kind, settings in _layers(config, "", 0):
            self._layers[place] = name, kind, settings
            self._by_name.setdefault(name, (kind, settings))
        self._order = {name: i for i, name in enumerate(self._by_name)}

    def rank(self, inside: str) -> int:
        """Where the layer of this path stands in the configuration: its tensors come in that order."""
        if inside.startswith(("/optimizer/", "/optimizer_weights/")):
            return len(self._order) + 1
        if self._older:
            return self._order.get(self._older_name(inside.strip("/").split("/")).split("/")[0], len(self._order))
        place = inside.rpartition("/vars/")[0]
        while place and place not in self._layers:
            place = place.rpartition("/")[0]
        return self._order.get(self._layers[place][0], len(self._order)) if place else len(self._order)

    def of(self, inside: str, many: int) -> str:
        """The name of one of `many` variables of a layer."""
        parts = inside.strip("/").split("/")
        if self._older:
            return self._older_name(parts)
        if parts[0] == "optimizer" or "vars" not in parts:
            return "/".join(parts)
        at = len(parts) - 1 - parts[::-1].index("vars")
        names: list[str] = []
        kind = ""
        settings: dict[str, Any] | None = None
        for i in range(1, at + 1):
            place = "/" + "/".join(parts[:i])
            listed = self._layers.get(place.replace("/_layer_checkpoint_dependencies/", "/layers/"))
            own = self._texts.get(place + "/vars", {}).get("name") or (listed[0] if listed else None)
            if own is None and parts[i - 1] not in ("layers", "_layers", "_layer_checkpoint_dependencies"):
                own = parts[i - 1]
            if own is not None:
                names.append(own.replace("/", "_"))
            kind, settings = _camel(parts[i - 1]), None
            if listed:
                kind, settings = listed[1], listed[2]
            elif own in self._by_name and _camel(self._by_name[own][0]) == _camel(kind):
                kind, settings = self._by_name[own]
        rest = parts[at + 1 :]
        if len(rest) == 1:
            rest = [self._variable(kind, settings, rest[0], many)]
        return "/".join([*names, *rest])

    @staticmethod
    def _variable(kind: str, settings: Mapping[str, Any] | None, number: str, many: int) -> str:
        names = {_camel(name): names for name, names in _VARIABLES.items()}.get(_camel(kind), ())
        if settings is not None:
            switches = (("gamma", "scale"), ("beta", "center"), ("bias", "use_bias"))
            left_out = {name for name, switch in switches if settings.get(switch) is False}
            names = tuple(name for name in names if name not in left_out)
        elif "beta" in names and many < len(names):  # which one is left out, only the configuration says
            names = tuple(str(i) for i in range(many))[: many - 2] + names[2:]
        return names[int(number)] if re.fullmatch("[0-9]{1,2}", number) and int(number) < len(names) else number

    @staticmethod
    def _older_name(parts: list[str]) -> str:
        if parts[0] == "model_weights":
            parts = parts[1:]
        last = parts[-1].removesuffix(":0")
        layer, middle = parts[0], parts[1:-1]
        if parts[0] == "optimizer_weights":
            return "/".join([*parts[:-1], last])
        if layer in middle:  # /dense/sequential/dense/kernel
            middle = middle[len(middle) - middle[::-1].index(layer) :]
        return "/".join([layer, *middle, last])


def _camel(name: str) -> str:
    """`DepthwiseConv2D`, `depthwise_conv2d` and `depthwise_conv2d_1`, all as one."""
    return re.sub(r"_\d+$", "", name).replace("_", "").lower()


def _layers(config: Any, place: str, depth: int) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(place, the user's name, class, settings) of each layer of a configuration, those of models inside it as well."""
    inner = config.get("config") if isinstance(config, dict) else None
    listed = inner.get("layers") if isinstance(inner, dict) else None
    if not isinstance(listed, list) or depth > _DEEPEST:
        return
    used: dict[str, int] = {}
    for layer in listed:
        settings = layer.get("config") if isinstance(layer, dict) else None
        kind = layer.get("class_name") if isinstance(layer, dict) else None
        if not isinstance(settings, dict) or not isinstance(kind, str):
            continue
        snake = re.sub(r"\W+", "", kind)
        snake = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", snake)
        snake = re.sub("([a-z])([A-Z])", r"\1_\2", snake).lower()
        count = used[snake] = used.get(snake, -1) + 1
        inside = f"{place}/layers/{snake}_{count}" if count else f"{place}/layers/{snake}"
        name = settings.get("name")
        yield inside, name if isinstance(name, str) else inside.rpartition("/")[2], kind, settings
        yield from _layers(layer, inside, depth + 1)


class KerasFile(Checkpoint):
    """A Keras file, opened. Whole matrices are read for a column, and chunked ones by the confined process."""

    def __init__(
        self,
        path: Path,
        kind: str,
        metadata: Mapping[str, str],
        tensors: Mapping[str, TensorInfo],
        entries: Mapping[str, _Entry],
    ) -> None:
        self.path, self.format, self.metadata, self.tensors = path, kind, metadata, tensors
        self._entries = entries
        self._checksums = {id(entry.part): Checksums(entry.part.file) for entry in entries.values()}

    def rows(self, name: str, which: int | slice) -> Array:
        chosen = row_range(self.info(name), which)
        entry = self._entries[name]
        values = hdf5.read_rows(entry.part, entry.dataset, chosen)
        if not entry.dataset.shape:
            return values if isinstance(which, slice) else values[()]
        return values if isinstance(which, slice) else values[0]

    def verify(self, name: str) -> None:
        """All weights of a `.keras` file are one member, with one checksum."""
        self.info(name)
        part = self._entries[name].part
        self._checksums[id(part)].compare(part.name, part.start, part.size, part.crc)

    def column(self, name: str, index: int) -> Array:
        """One column, number by number where the matrix lies in one piece."""
        index = column_index(self.info(name), index)
        entry = self._entries[name]
        return hdf5.read_column(entry.part, entry.dataset, index)
