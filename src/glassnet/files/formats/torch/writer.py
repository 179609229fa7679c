"""PyTorch: a state dict in the zip that torch.save writes, made without torch.

The zip holds the numbers of each tensor as they are, and a pickle that says how they become tensors. That pickle is
written here opcode by opcode, since Python's pickler would need the classes of torch that it names. `torch.load` reads
it with weights_only=True; `nn.Sequential(Linear, ReLU, Linear).load_state_dict` takes it.
"""

import json
import struct
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.arrays import Array
from glassnet.files.metadata import PLACES
from glassnet.files.writing import folded, noted, sequential_tensors

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network

_STORAGES = {"float32": "FloatStorage", "float64": "DoubleStorage"}
_ALIGNED = 64


def filling(network: "Network", path: Path) -> "Filling":
    tensors = sequential_tensors(folded(network))
    notes = json.dumps(noted(network))

    def fill(name: str) -> None:
        with zipfile.ZipFile(name, "w", zipfile.ZIP_STORED) as archive:
            _add(archive, "archive/data.pkl", _pickled(tensors))
            _add(archive, "archive/byteorder", b"little")
            for number, tensor in enumerate(tensors.values()):
                _add(archive, f"archive/data/{number}", tensor.astype(tensor.dtype.newbyteorder("<")).tobytes())
            _add(archive, PLACES[0], notes.encode())
            _add(archive, "archive/version", b"3\n")

    return fill


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """A member whose content starts at a multiple of 64 bytes, so that torch can map it, and with no time in it."""
    member = zipfile.ZipInfo(name)
    start = archive.fp.tell() + 30 + len(name)  # type: ignore[union-attr]
    padding = -(start + 4) % _ALIGNED
    member.extra = struct.pack("<HH", 0x4246, padding) + b"Z" * padding  # "FB", as torch.save fills up
    archive.writestr(member, content)


def _pickled(tensors: dict[str, Array]) -> bytes:
    """OrderedDict({name: torch._utils._rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())})."""
    out = [b"\x80\x02", _ORDERED_DICT, b"("]
    for number, (name, tensor) in enumerate(tensors.items()):
        strides = tuple(side // tensor.itemsize for side in tensor.strides)
        out += [
            _text(name),
            b"ctorch._utils\n_rebuild_tensor_v2\n(",
            b"(" + _text("storage"),
            f"ctorch\n{_STORAGES[str(tensor.dtype)]}\n".encode(),
            _text(str(number)) + _text("cpu") + _whole(tensor.size) + b"tQ",
            _whole(0) + _shape(tensor.shape) + _shape(strides) + b"\x89",
            _ORDERED_DICT + b"tR",
        ]
    return b"".join([*out, b"u."])


_ORDERED_DICT = b"ccollections\nOrderedDict\n)R"


def _text(text: str) -> bytes:
    encoded = text.encode()
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def _whole(number: int) -> bytes:
    if number < 1 << 31:
        return b"J" + struct.pack("<i", number)
    return b"\x8a\x08" + struct.pack("<q", number)


def _shape(sides: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(_whole, sides)) + b"t"
