"""safetensors, whole and in shards: judged by the package itself, and attacked."""

import json
import os
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

import glassnet as gn
from glassnet.errors import AddressError, FileError
from glassnet.files.formats.safetensors import reader

DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2,
    torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
    torch.bool,
]  # fmt: skip


def raw(path: Path, header: Any, data: bytes = b"", length: int | None = None) -> Path:
    """A file with whatever header: an object, or bytes as they stand."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def entry(dtype: str, shape: list[Any], start: Any, stop: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_type_is_read_as_torch_reads_it(tmp_path: Path, dtype: torch.dtype) -> None:
    tensor = (torch.randn(6, 8, generator=torch.Generator().manual_seed(1)) * 3).to(dtype)
    safetensors.torch.save_file({"a.weight": tensor, "one": tensor[0, 0].clone()}, tmp_path / "a.safetensors")
    exact = dtype == torch.float64 or not tensor.is_floating_point()
    wanted = tensor.numpy() if exact else tensor.float().numpy()
    with gn.open(tmp_path / "a.safetensors") as file:
        assert str(dtype).removeprefix("torch.") == file.tensors["a.weight"].dtype
        for which in (slice(None), slice(1, 4), slice(None, None, -1), slice(5, 0, -2), slice(4, 4), 0, -1):
            assert np.array_equal(file.rows("a.weight", which), wanted[which], equal_nan=True)
        assert np.array_equal(file.column("a.weight", -3), wanted[:, -3], equal_nan=True)
        assert np.array_equal(file.flat("a.weight", 5, 29), wanted.reshape(-1)[5:29], equal_nan=True)
        assert file.array("one").shape == ()
        assert np.array_equal(file.array("one"), wanted[0, 0], equal_nan=True)


@pytest.mark.parametrize(
    "dtype",
    [torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz, torch.float8_e8m0fnu],
)
def test_each_byte_of_a_small_float_means_what_torch_says(tmp_path: Path, dtype: torch.dtype) -> None:
    tensor = torch.arange(256, dtype=torch.uint8).view(dtype)
    safetensors.torch.save_file({"a": tensor}, tmp_path / "a.safetensors")
    assert np.array_equal(gn.open(tmp_path / "a.safetensors").array("a"), tensor.float().numpy(), equal_nan=True)


def test_four_bits_are_two_numbers_a_byte_and_six_are_only_counted(tmp_path: Path, refused: Any) -> None:
    header = {"a": entry("F4", [2, 4], 0, 4), "b": entry("F6_E2M3", [4], 4, 7)}
    file = gn.open(raw(tmp_path / "a", header, bytes([0x10, 0x32, 0x54, 0xF6, 0, 0, 0])))
    assert file.array("a").tolist() == [[0, 0.5, 1, 1.5], [2, 3, 4, -6]]
    assert file.rows("a", 1).tolist() == [2, 3, 4, -6]
    assert file.column("a", 3).tolist() == [1.5, -6]
    assert (file.count().total, file.count().bytes) == (12, 7)
    with refused(FileError):
        file.array("b")


def test_what_is_not_there_is_told(tmp_path: Path, refused: Any) -> None:
    save_file({"layer.weight": np.ones((3, 4), np.float32)}, tmp_path / "a.safetensors")
    file = gn.open(tmp_path / "a.safetensors")
    with refused(AddressError):
        file.rows("layer.weight", 3)
    with refused(AddressError):
        file.rows("layer.wieght", 0)
    with refused(AddressError):
        file.column("layer.weight", 4)
    with refused(FileError):
        gn.open(tmp_path / "missing.safetensors")


def test_a_file_that_changes_under_us_is_told(tmp_path: Path, refused: Any) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": np.ones((3, 4), np.float32)}, path)
    file = gn.open(path)
    save_file({"a": np.zeros((30, 4), np.float32)}, path)
    with refused(FileError):
        file.rows("a", 0)


# Shards


def sharded(folder: Path, total: Any = 24) -> Path:
    """Two shards and their index."""
    save_file({"a": np.arange(4, dtype=np.float32)}, folder / "m-00001-of-00002.safetensors")
    save_file({"b": np.ones((1, 2), np.float32)}, folder / "m-00002-of-00002.safetensors")
    places = {"a": "m-00001-of-00002.safetensors", "b": "m-00002-of-00002.safetensors"}
    index = folder / "m.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {"total_size": total}, "weight_map": places}))
    return index


def rewritten(index: Path, name: str) -> Path:
    """The index with b in another shard."""
    value = json.loads(index.read_text())
    value["weight_map"]["b"] = name
    index.write_text(json.dumps(value))
    return index


def test_shards_are_one_model_by_index_and_by_folder(tmp_path: Path, refused: Any) -> None:
    index = sharded(tmp_path)
    for path in (index, tmp_path):
        file = gn.open(path)
        assert file.format == "safetensors, 2 shards"
        assert file.array("a").tolist() == [0, 1, 2, 3]
        assert file.tensors["b"].where == "m-00002-of-00002.safetensors"
        assert (file.count().total, file.count().notes) == (6, ())
    index.unlink()
    assert gn.open(tmp_path).count().total == 6
    (tmp_path / "m-00002-of-00002.safetensors").unlink()
    with refused(FileError):
        gn.open(tmp_path)


def test_totals_of_an_index_are_claims(tmp_path: Path) -> None:
    count = gn.open(sharded(tmp_path, total=10**15)).count()
    assert count.bytes == 24
    assert "1,000,000,000,000,000 claimed, 24 bytes there" in count.document().text()


@pytest.mark.parametrize("name", ["../out.safetensors", "/etc/passwd", "sub/m.safetensors", "..", "a\0b", "C:\\x", ""])
def test_shards_lie_in_the_folder(tmp_path: Path, name: str, refused: Any) -> None:
    (tmp_path / "in").mkdir()
    save_file({"b": np.ones((1, 2), np.float32)}, tmp_path / "out.safetensors")
    index = rewritten(sharded(tmp_path / "in"), name)
    with refused(FileError):
        gn.open(index)


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_out_of_the_folder_are_not_followed(tmp_path: Path, link: Any, refused: Any) -> None:
    (tmp_path / "in").mkdir()
    index = sharded(tmp_path / "in")
    second = tmp_path / "in" / "m-00002-of-00002.safetensors"
    second.rename(tmp_path / "secret")
    link(tmp_path / "secret", second)
    for path in (index, tmp_path / "in"):
        with refused(FileError):
            gn.open(path)


def test_the_cache_of_hugging_face_may_link_to_its_blobs(tmp_path: Path) -> None:
    here, blobs = tmp_path / "models--x" / "snapshots" / "abc", tmp_path / "models--x" / "blobs"
    here.mkdir(parents=True)
    blobs.mkdir()
    sharded(here)
    for file in list(here.iterdir()):
        file.rename(blobs / file.name)
        file.symlink_to(f"../../blobs/{file.name}")
    assert gn.open(here).count().total == 6


def test_an_index_that_is_not_true_is_told(tmp_path: Path, refused: Any) -> None:
    index = sharded(tmp_path)
    rewritten(index, "m-00001-of-00002.safetensors")
    with refused(FileError):
        gn.open(index)
    save_file({"a": np.zeros(2, np.float32)}, tmp_path / "other.safetensors")
    index.unlink()
    with refused(FileError):
        gn.open(tmp_path)


# Attacks


HOSTILE = {
    "overlap": {"a": entry("F32", [2], 0, 8), "b": entry("F32", [2], 4, 12)},
    "gap": {"a": entry("F32", [1], 0, 4), "b": entry("F32", [1], 8, 12)},
    "beyond the end": {"a": entry("F32", [4], 0, 16)},
    "less than the file": {"a": entry("F32", [2], 0, 8)},
    "negative shape": {"a": entry("F32", [-1, -3], 0, 12)},
    "negative place": {"a": entry("F32", [3], -12, 0)},
    "backwards": {"a": entry("F32", [3], 12, 0)},
    "2^40 numbers": {"a": entry("F32", [1 << 20, 1 << 20], 0, 12)},
    "overflow": {"a": entry("F32", [1 << 62, 1 << 62, 0], 0, 1 << 70)},
    "many axes": {"a": entry("F32", [1] * 100_000 + [3], 0, 12)},
    "floats": {"a": entry("F32", [3.0], 0, 12)},
    "true": {"a": entry("F32", [3], False, 12)},
    "unknown type": {"a": entry("F31", [3], 0, 12)},
    "no type": {"a": {"shape": [3], "data_offsets": [0, 12]}},
    "no object": {"a": [1, 2, 3]},
    "a list": [1, 2, 3],
    "metadata of numbers": {"__metadata__": {"a": 1}, "a": entry("F32", [3], 0, 12)},
    "metadata no object": {"__metadata__": "a", "a": entry("F32", [3], 0, 12)},
    "twice": b'{"a":%s,"a":%s}' % ((json.dumps({"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}).encode(),) * 2),
    "deep": b'{"a":' + b"[" * 200_000,
    "no UTF-8": b'{"\xff\xfe": 1}',
    "NaN": b'{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,12]}}',
    "an endless number": b'{"a":{"dtype":"F32","shape":[' + b"9" * 100_000 + b'],"data_offsets":[0,12]}}',
    "broken off": b'{"a":{"dtype":"F3',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_header_that_lies_is_told(tmp_path: Path, name: str, refused: Any) -> None:
    path = raw(tmp_path / "a.safetensors", HOSTILE[name], b"\0" * 12)
    with refused(FileError):
        gn.open(path)


def test_a_header_of_100_megabytes_is_bounded_in_time_and_memory(tmp_path: Path, refused: Any) -> None:
    for text, fits in ((b"{}" + b" " * 99_999_998, True), (b'{"a":"' + b"x" * 99_999_994, False)):
        path = raw(tmp_path / "a.safetensors", text)
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
        if fits:
            assert gn.open(path).count().total == 0
        else:
            with refused(FileError):
                gn.open(path)
        assert time.perf_counter() - started < 2
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # kB
    with refused(FileError):
        gn.open(raw(tmp_path / "a.safetensors", b"{}", length=1 << 62))


def test_names_cannot_steer_a_terminal(tmp_path: Path) -> None:
    name = "\x1b[2J\x1b]0;owned\x07" + "x" * 100_000
    path = raw(tmp_path / "a.safetensors", {name: entry("F32", [3], 0, 12)}, b"\0" * 12)
    text = gn.open(path).count().document().text()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_names_of_a_million_parts_are_no_deep_tree(tmp_path: Path) -> None:
    header = {".".join("a" * 500_000): entry("F32", [3], 0, 12), "a" + "." * 1000: entry("F32", [0], 12, 12)}
    count = gn.open(raw(tmp_path / "a.safetensors", header, b"\0" * 12)).count()
    assert sum(child.figures.count for child in count.tree.children) == count.total == 3
    assert max(map(len, count.document(99).text().splitlines())) <= 80


@pytest.fixture(scope="module")
def whole() -> bytes:
    return safetensors.torch.save(
        {"l.0.weight": torch.ones(3, 2), "l.0.bias": torch.zeros(3, dtype=torch.bfloat16)}, {"format": "pt"}
    )


def test_cut_anywhere_it_is_told(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.safetensors"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError, match="truncated or damaged"):
            gn.open(path)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_bytes_changed_anywhere_are_told_or_harmless(tmp_path_factory: Any, whole: bytes, data: st.DataObject) -> None:
    content = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "a.safetensors"
    path.write_bytes(content)
    try:
        file = reader.open_file(path)
        assert file.count().bytes == 30
        str(file.count())
        for name in file.tensors:
            file.array(name)
    except FileError:
        pass
