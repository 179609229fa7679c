"""A changed bit never becomes another number where something is read whole: the file's own checksums are compared."""

import contextlib
import io
import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

import glassnet as gn
from glassnet.errors import FileError, GlassnetError
from glassnet.training import epochs

ENDINGS = ["npz", "pt", "skops", "keras"]


@pytest.fixture
def network() -> gn.Network:
    return gn.Network.create("6-5-3", output="softmax", seed=0)


def _changed(content: bytes, at: int, bit: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def _largest_member(content: bytes) -> range:
    """Where the bytes of the largest member lie."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        info = max(archive.infolist(), key=lambda info: info.file_size)
    head = content[info.header_offset : info.header_offset + 30]
    start = info.header_offset + 30 + int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
    return range(start, start + info.compress_size)


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_changed_bit_in_a_member_is_told(network: gn.Network, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    gn.export(network, path)
    content = path.read_bytes()
    kept = gn.load(path)
    weights = network.layers[0].weights
    spot = next(
        at for array in (weights, np.ascontiguousarray(weights.T)) if (at := content.find(array.tobytes()[:8])) >= 0
    )
    for bit in (0, 5):
        path.write_bytes(_changed(content, spot + 1, bit))
        with pytest.raises(FileError, match="checksum"):
            gn.load(path)
    path.write_bytes(content)
    assert gn.load(path) == kept


def test_a_changed_bit_in_a_compressed_array_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    array = np.random.default_rng(0).normal(size=(50, 40))
    np.savez_compressed(path, a=array)
    content = path.read_bytes()
    for at in list(_largest_member(content))[::997]:
        path.write_bytes(_changed(content, at, 3))
        with pytest.raises(FileError):
            gn.open(path).array("a")


def test_a_row_is_read_without_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, a=np.arange(12.0).reshape(3, 4))
    content = path.read_bytes()
    path.write_bytes(_changed(content, _largest_member(content)[-1], 0))  # in the last row
    file = gn.open(path)
    np.testing.assert_array_equal(file.rows("a", 0), np.arange(4.0))
    with pytest.raises(FileError, match="checksum"):
        file.array("a")


def test_a_checksum_that_was_not_computed_is_not_compared(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.serialization.set_crc32_options(False)
    try:
        torch.save({"a": torch.arange(3.0)}, tmp_path / "a.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert gn.open(tmp_path / "a.pt").array("a").tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_changed_byte_of_our_own_file_gives_another_network(tmp_path: Path, dtype: str) -> None:
    network = gn.Network.create("6-5-3", output="softmax", seed=0, dtype=dtype)
    path = tmp_path / "a.safetensors"
    network.save(path)
    content = path.read_bytes()
    random = np.random.default_rng(0)
    for at in range(len(content)):
        path.write_bytes(_changed(content, at, int(random.integers(8))))
        with contextlib.suppress(GlassnetError):
            assert gn.load(path) == network


def test_a_changed_checkpoint_is_told(network: gn.Network, tmp_path: Path) -> None:
    data = np.eye(9, 6), np.arange(9) % 3
    path = tmp_path / "run.checkpoint"
    next(iter(epochs(network, data, epochs=2, checkpoint=path)))
    content = path.read_bytes()
    path.write_bytes(_changed(content, len(content) - 2, 6))
    with pytest.raises(FileError, match="checksum"):
        gn.train(network, data, epochs=2, checkpoint=path, resume=True)


@pytest.mark.parametrize("version", [1, 2])
def test_our_own_file_without_a_checksum_is_read_only_where_its_version_had_none(
    network: gn.Network, tmp_path: Path, version: int
) -> None:
    from safetensors import safe_open
    from safetensors.numpy import save_file

    path = tmp_path / "a.safetensors"
    network.save(path)
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
        metadata = file.metadata()
    description = json.loads(metadata["glassnet"])
    del description["checksum"]
    description["version"] = version
    os.remove(path)
    save_file(tensors, path, {"glassnet": json.dumps(description)})
    if version == 1:
        assert gn.load(path) == network
    else:
        with pytest.raises(FileError, match="its checksum is wrong"):
            gn.load(path)
