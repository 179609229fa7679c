"""GGUF: what the `gguf` package writes is counted and read as it reads it; files made to mislead are refused."""

import contextlib
import os
import struct
import time
import tracemalloc
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassnet.errors import AddressError, FileError, GlassnetError, MissingExtra, SettingError
from glassnet.files import access, open_checkpoint
from glassnet.files.formats.gguf import reader
from glassnet.files.formats.gguf.reader import open_file

gguf = import_module("gguf")
Q = gguf.GGMLQuantizationType


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def write(path, tensors, fields=None, **options):
    """A file of the package's own making; tensors: name to array, or to (packed array, type)."""
    writer = gguf.GGUFWriter(path, "llama", **options)
    for add, key, value in fields or []:
        getattr(writer, f"add_{add}")(key, value)
    for name, tensor in tensors.items():
        if isinstance(tensor, tuple):
            writer.add_tensor(name, tensor[0], raw_dtype=tensor[1])
        else:
            writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(value)) + value


def entry(name, dims, kind=0, offset=0):
    dims = [n % (1 << 64) for n in dims]
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


def by_hand(path, entries, data=b"", keys=(), version=3, tensors=None, claimed_keys=None, hole=0):
    """A file by the letter of the format, so that it can lie; `hole`: that many bytes more, which take no room."""
    head = b"GGUF" + struct.pack(
        "<IQQ", version, len(entries) if tensors is None else tensors, claimed_keys or len(keys)
    )
    head += b"".join(keys) + b"".join(entries)
    path.write_bytes(head + b"\0" * (-len(head) % 32) + data)
    if hole:
        os.truncate(path, path.stat().st_size + hole)
    return path


@pytest.fixture
def model(tmp_path):
    """Three plain tensors and a packed one."""
    packed = gguf.quants.quantize(draw((6, 64)), Q.Q4_0)
    tensors = {
        "token_embd.weight": draw((5, 4)),
        "blk.0.ffn_up.weight": (packed, Q.Q4_0),
        "blk.0.ffn_up.bias": draw(6),
        "output.weight": draw((5, 4), 1).astype(np.float16),
    }
    return write(
        tmp_path / "model.gguf", tensors, [("string", "general.name", "tiny"), ("uint32", "llama.block_count", 1)]
    )


def test_a_file_is_told_by_its_content(model):
    away = model.rename(model.with_suffix(".bin"))
    checkpoint = open_checkpoint(away)
    assert checkpoint.format == "GGUF version 3"
    assert checkpoint.metadata["general.name"] == "tiny"
    assert checkpoint.metadata["general.architecture"] == "llama"
    assert checkpoint.metadata["llama.block_count"] == "1"


def test_shapes_are_fan_out_by_fan_in_and_packed_weights_count_as_weights(model):
    tensors = open_file(model).tensors
    up = tensors["blk.0.ffn_up.weight"]
    assert list(tensors) == ["token_embd.weight", "blk.0.ffn_up.weight", "blk.0.ffn_up.bias", "output.weight"]
    assert (up.shape, up.dtype, up.count, up.bytes, up.bits_each) == ((6, 64), "q4_0", 384, 216, 4.5)
    assert up.neurons_in == "rows"
    assert tensors["blk.0.ffn_up.bias"].neurons_in is None
    assert tensors["output.weight"].dtype == "float16"
    assert sum(info.count for info in tensors.values()) == 20 + 384 + 6 + 20


def test_it_agrees_with_the_package_on_every_tensor(model):
    checkpoint = open_file(model)
    for theirs in gguf.GGUFReader(model).tensors:
        ours = checkpoint.tensors[theirs.name]
        values = gguf.quants.dequantize(theirs.data, theirs.tensor_type)
        assert ours.shape == tuple(theirs.shape.tolist()[::-1])
        assert (ours.count, ours.bytes) == (theirs.n_elements, theirs.n_bytes)
        np.testing.assert_array_equal(checkpoint.array(theirs.name), values)
        np.testing.assert_array_equal(checkpoint.rows(theirs.name, 2), values[2])
        np.testing.assert_array_equal(checkpoint.rows(theirs.name, slice(4, 0, -2)), values[4:0:-2])
        if values.ndim == 2:
            np.testing.assert_array_equal(checkpoint.column(theirs.name, 3), values[:, 3])


PACKED = [kind for kind in reader._PACKED if Q(kind) in gguf.quants._type_traits]


@pytest.mark.parametrize("kind", PACKED, ids=lambda kind: Q(kind).name)
def test_each_packed_type_is_taken_apart_as_the_package_does(tmp_path, kind):
    block, width = gguf.GGML_QUANT_SIZES[Q(kind)]
    packed = np.random.default_rng(kind).integers(0, 100, (5, 3 * width), dtype=np.uint8)
    checkpoint = open_file(write(tmp_path / "m.gguf", {"w": (packed, Q(kind))}))
    with np.errstate(all="ignore"):
        values = gguf.quants.dequantize(packed, Q(kind))
    info = checkpoint.tensors["w"]
    assert (info.shape, info.bytes) == ((5, 3 * block), packed.size)
    np.testing.assert_array_equal(checkpoint.rows("w", slice(1, 4)), values[1:4])
    np.testing.assert_array_equal(checkpoint.column("w", block + 7), values[:, block + 7])
    np.testing.assert_array_equal(checkpoint.flat("w", 5, block + 9), values.reshape(-1)[5 : block + 9])


def test_the_table_of_types_is_the_packages():
    for kind, (block, width) in gguf.GGML_QUANT_SIZES.items():
        taken = reader._codec(kind.value)
        assert taken is not None, kind
        assert (taken.block, taken.width) == (block, width), kind


def test_plain_types_are_read_without_the_package(tmp_path, monkeypatch):
    arrays = {f"t{kind}": draw((3, 4)).astype(kind) for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8")}
    half = (draw((3, 4)).view(np.uint32) >> 16).astype(np.uint16)
    path = write(tmp_path / "m.gguf", {**arrays, "bf16": (half.view(np.uint8), Q.BF16)})
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    checkpoint = open_file(path)
    for name, array in arrays.items():
        np.testing.assert_array_equal(checkpoint.array(name), array)
    np.testing.assert_array_equal(checkpoint.rows("bf16", 1), (half[1].astype(np.uint32) << 16).view(np.float32))
    assert checkpoint.tensors["ti4"].role == "buffer"


def test_without_the_package_packed_rows_name_the_extra(model, monkeypatch, refused: Any):
    monkeypatch.setitem(__import__("sys").modules, "gguf", None)
    checkpoint = open_file(model)
    with refused(MissingExtra):
        checkpoint.rows("blk.0.ffn_up.weight", 0)


def test_a_type_that_the_package_cannot_take_apart_is_counted_and_told(tmp_path, refused: Any):
    path = write(tmp_path / "m.gguf", {"w": (np.zeros((2, 292), np.uint8), Q.Q8_K)})
    checkpoint = open_file(path)
    assert checkpoint.tensors["w"].count == 512
    with refused(SettingError):
        checkpoint.rows("w", 0)


@pytest.mark.parametrize("number", [1, 2, 3])
def test_any_part_of_a_split_file_opens_all_of_it(tmp_path, number):
    tensors = {f"blk.{i}.weight": draw((4, 8), i) for i in range(5)}
    write(tmp_path / "m.gguf", tensors, split_max_tensors=2)
    checkpoint = open_checkpoint(tmp_path / f"m-0000{number}-of-00003.gguf")
    assert checkpoint.format == "GGUF version 3, in 3 parts"
    assert list(checkpoint.tensors) == list(tensors)
    assert checkpoint.metadata["general.architecture"] == "llama"
    assert checkpoint.tensors["blk.4.weight"].where == "m-00003-of-00003.gguf"
    np.testing.assert_array_equal(checkpoint.rows("blk.4.weight", 3), tensors["blk.4.weight"][3])
    assert len(checkpoint.files()) == 3


def test_parts_that_are_missing_mixed_up_or_renamed_are_told(tmp_path, refused: Any):
    write(tmp_path / "m.gguf", {f"t{i}": draw(8, i) for i in range(3)}, split_max_tensors=1)
    first, second, third = (tmp_path / f"m-0000{i}-of-00003.gguf" for i in (1, 2, 3))
    content = third.read_bytes()
    third.unlink()
    with refused(FileError):
        open_file(first)
    third.write_bytes(second.read_bytes())
    with refused(FileError):
        open_file(first)
    third.write_bytes(content)
    renamed = second.rename(tmp_path / "other.gguf")
    with refused(FileError):
        open_file(renamed)


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_a_part_that_leads_out_of_the_folder_is_refused(tmp_path, link, refused: Any):
    folder, elsewhere = tmp_path / "model", tmp_path / "elsewhere"
    folder.mkdir(), elsewhere.mkdir()
    write(folder / "m.gguf", {f"t{i}": draw(8, i) for i in range(2)}, split_max_tensors=1)
    second = folder / "m-00002-of-00002.gguf"
    second.rename(elsewhere / "second")
    link(elsewhere / "second", second)
    with refused(FileError):
        open_file(folder / "m-00001-of-00002.gguf")


def test_links_of_a_download_cache_are_followed(tmp_path):
    """snapshots/VERSION/NAME is a link to blobs/HASH: all parts lie beside one another, where the first one leads."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "1"
    blobs.mkdir(), snapshot.mkdir(parents=True)
    write(snapshot / "m.gguf", {f"t{i}": draw(8, i) for i in range(2)}, split_max_tensors=1)
    for file in list(snapshot.iterdir()):
        file.rename(blobs / f"hash-{file.name}")
        file.symlink_to(f"../../blobs/hash-{file.name}")
    checkpoint = open_file(snapshot / "m-00001-of-00002.gguf")
    np.testing.assert_array_equal(checkpoint.array("t1"), draw(8, 1))


def test_metadata_is_told_in_words(tmp_path):
    fields = [
        ("array", "few", [1, 2, 3]),
        ("array", "words", ["a", "\x1b[31mb"]),
        ("array", "many", list(range(100))),
        ("array", "tokens", [str(i) for i in range(1000)]),
        ("string", "long", "x" * 100_000),
        ("bool", "yes", True),
        ("float64", "number", 0.5),
    ]
    metadata = open_file(write(tmp_path / "m.gguf", {"t": draw(3)}, fields)).metadata
    assert metadata["few"] == "[1, 2, 3]"
    assert metadata["words"] == r"['a', '\x1b[31mb']"
    assert metadata["many"] == "100 numbers"
    assert metadata["tokens"] == "1,000 texts"
    assert metadata["long"] == "a text of 100,000 bytes"
    assert (metadata["yes"], metadata["number"]) == ("True", "0.5")


def test_version_2_and_another_alignment(tmp_path):
    path = write(tmp_path / "m.gguf", {"a": draw(3), "b": draw(3, 1)}, [("custom_alignment", 64, None)][:0])
    path.write_bytes(path.read_bytes()[:4] + struct.pack("<I", 2) + path.read_bytes()[8:])
    assert open_file(path).format == "GGUF version 2"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_custom_alignment(256)
    writer.add_tensor("a", draw(3)), writer.add_tensor("b", draw(3, 1))
    writer.write_header_to_file(), writer.write_kv_data_to_file(), writer.write_tensors_to_file(), writer.close()
    np.testing.assert_array_equal(open_file(path).array("b"), draw(3, 1))


def test_addresses_that_are_not_there(model):
    checkpoint = open_file(model)
    for ask in (
        lambda: checkpoint.rows("nothing", 0),
        lambda: checkpoint.rows("output.weight", 5),
        lambda: checkpoint.column("output.weight", 4),
        lambda: checkpoint.column("blk.0.ffn_up.bias", 0),
    ):
        with pytest.raises(AddressError):
            ask()


def test_a_row_reads_only_its_bytes(tmp_path, monkeypatch):
    path = by_hand(
        tmp_path / "big.gguf", [entry("w", [4096, 1 << 20])], hole=4096 * 4 << 20
    )  # 16 GiB, none on the disk
    checkpoint = open_file(path)
    read = []
    real = access.read_at
    monkeypatch.setattr(access, "read_at", lambda *asked: read.append(asked[2]) or real(*asked))
    assert not checkpoint.rows("w", 1_000_000).any()
    assert sum(read) == 4096 * 4


@pytest.mark.parametrize("width", [64, 2048, 8192])
def test_a_column_of_packed_rows_reads_one_block_of_each_where_rows_are_long(tmp_path, monkeypatch, width):
    packed = gguf.quants.quantize(draw((70, width)), Q.Q8_0)
    checkpoint = open_file(write(tmp_path / "m.gguf", {"w": (packed, Q.Q8_0)}))
    read = []
    real = access.read_at
    monkeypatch.setattr(access, "read_at", lambda *asked: read.append(asked[2]) or real(*asked))
    column = checkpoint.column("w", 33)
    np.testing.assert_array_equal(column, gguf.quants.dequantize(packed, Q.Q8_0)[:, 33])
    assert sum(read) <= (34 * 70 if width == 8192 else packed.size)


# Attacks


def test_a_large_vocabulary_is_passed_over_quickly(tmp_path):
    tokens = b"".join(text(f"token{i}") for i in range(262_000))
    array = text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 262_000) + tokens
    path = by_hand(tmp_path / "m.gguf", [entry("w", [4])], b"\0" * 16, [array])
    began = time.process_time()
    checkpoint = open_file(path)
    assert time.process_time() - began < 0.4  # 0.03 s alone on a quiet machine
    assert checkpoint.metadata["tokenizer.ggml.tokens"] == "262,000 texts"
    assert checkpoint.tensors["w"].count == 4
    tracemalloc.start()
    open_file(path)
    assert tracemalloc.get_traced_memory()[1] < 8 << 20
    tracemalloc.stop()


def is_refused(path, words):
    """Refused with these words, in no time and with no memory, whatever the file claims."""
    began = time.process_time()
    with pytest.raises(FileError, match=words):
        open_file(path)
    assert time.process_time() - began < 2
    tracemalloc.start()
    with contextlib.suppress(FileError):
        open_file(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 64 << 20


def test_counts_that_cannot_be(tmp_path):
    path = tmp_path / "m.gguf"
    is_refused(by_hand(path, [], tensors=1 << 40), "claims 1,099,511,627,776 tensors")
    is_refused(by_hand(path, [], claimed_keys=1 << 60), "claims 0 tensors and 1,152,921")
    is_refused(by_hand(path, [], tensors=3), "a header that runs to byte")


@pytest.mark.parametrize(
    ("dims", "words"),
    [
        ([-1, 4], r"claims the shape \(4, -1\)"),
        ([1 << 31, 1 << 31, 4], "claims the shape"),
        ([1 << 62, 4], "claims the shape"),
        ([0, 1 << 62], "claims the shape"),
        ([1 << 40], "would end at byte 4,398,046,511,"),
        ([1] * 9, "with 9 axes"),
    ],
)
def test_shapes_that_cannot_be(tmp_path, dims, words):
    is_refused(by_hand(tmp_path / "m.gguf", [entry("w", dims)], b"\0" * 64), words)


def test_places_that_cannot_be(tmp_path):
    path = tmp_path / "m.gguf"
    overlapping = [entry("a", [16]), entry("b", [16], offset=32)]
    is_refused(by_hand(path, overlapping, b"\0" * 128), "'b' overlaps 'a'")
    is_refused(by_hand(path, [entry("a", [8]), entry("b", [8])], b"\0" * 64), "'b' overlaps 'a'")
    is_refused(by_hand(path, [entry("a", [8], offset=(1 << 64) - 32)], b"\0" * 64), "would end at byte 18,446,744")
    is_refused(by_hand(path, [entry("a", [8], offset=4)], b"\0" * 64), "at byte 4, expected a multiple of 32")
    is_refused(by_hand(path, [entry("a", [16])], b"\0" * 63), "get it again: it is cut short")
    is_refused(by_hand(path, [entry("a", [33], kind=2)], b"\0" * 64), "rows in blocks of 32")
    is_refused(by_hand(path, [entry("a", [8], kind=77)], b"\0" * 64), r"type number 77, .*\nhelp: upgrade glassnet")


def test_names_twice(tmp_path):
    path = tmp_path / "m.gguf"
    is_refused(by_hand(path, [entry("a", [8]), entry("a", [8], offset=32)], b"\0" * 64), "a second tensor 'a'")
    key = text("k") + struct.pack("<IB", 0, 1)
    is_refused(by_hand(path, [], keys=[key, key]), "the key 'k' twice")


def test_metadata_without_end(tmp_path):
    path = tmp_path / "m.gguf"
    array = text("k") + struct.pack("<I", 9)
    is_refused(by_hand(path, [], keys=[array + struct.pack("<IQ", 8, 1 << 40)]), "more than 4,194,304 entries")
    is_refused(by_hand(path, [], keys=[array + struct.pack("<IQ", 0, 1 << 40)]), "a header that runs to byte")
    # A hole of 64 MB: eight million empty texts, or so many texts in texts, at no cost to whoever made it.
    is_refused(by_hand(path, [], keys=[array + struct.pack("<IQ", 8, 8 << 20)], hole=64 << 20), "more than 4,194,304")
    lists = array + struct.pack("<IQ", 9, 8 << 20)
    is_refused(by_hand(path, [], keys=[lists], hole=128 << 20), "more than 4,194,304 entries")
    is_refused(by_hand(path, [], keys=[text("k" * 5000) + struct.pack("<IB", 0, 1)]), "a name of 5,000 bytes")
    is_refused(by_hand(path, [], keys=[struct.pack("<Q", 1 << 63)]), "a name of 9,223,372,036,854,775,808 bytes")
    is_refused(by_hand(path, [], keys=[text("k") + struct.pack("<IB", 13, 1)]), "metadata of the type number 13")
    texts = [text(f"{i}") + struct.pack("<I", 8) + text(b"x" * 60_000) for i in range(400)]
    assert list(open_file(by_hand(path, [], keys=texts)).metadata.values())[-1] == "a text of 60,000 bytes"
    names = [text(f"{i:04000}") + struct.pack("<IB", 0, 1) for i in range(5000)]
    is_refused(by_hand(path, [], keys=names), "more than 16,777,216 bytes of names")


def test_lists_in_lists(tmp_path):
    deep = text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 5000 + struct.pack("<IQB", 0, 1, 7)
    is_refused(by_hand(tmp_path / "m.gguf", [], keys=[deep]), "lists in lists, more than 4 deep")


def test_strange_settings(tmp_path):
    path = tmp_path / "m.gguf"
    for key, kind, value, words in (
        ("general.alignment", "I", 0, "an alignment of 0"),
        ("general.alignment", "I", 1 << 31, "an alignment of"),
        ("split.count", "I", 1 << 31, "part 0 of 2147483648"),
        ("split.no", "I", 5, "part 5 of 1"),
    ):
        is_refused(by_hand(path, [], keys=[text(key) + struct.pack(f"<I{kind}", 4, value)]), words)
    is_refused(by_hand(path, [], version=1), "version 1, expected GGUF version 2 or 3")
    is_refused(by_hand(path, [], version=3 << 24), "big-endian or damaged")


def test_no_regular_file(tmp_path, refused: Any):
    os.mkfifo(tmp_path / "pipe.gguf")
    with refused(FileError):
        open_file(tmp_path / "pipe.gguf")


def test_a_file_that_changes_after_it_was_opened(model, refused: Any):
    checkpoint = open_file(model)
    os.truncate(model, 100)
    with refused(FileError):
        checkpoint.array("token_embd.weight")


def explore(path):
    """Everything that can be asked of a file."""
    checkpoint = open_file(path)
    for name, info in checkpoint.tensors.items():
        assert info.count >= 0
        checkpoint.array(name)


@pytest.fixture(scope="module")
def bytes_of_one(tmp_path_factory):
    path = tmp_path_factory.mktemp("gguf") / "m.gguf"
    packed = gguf.quants.quantize(draw((2, 32)), Q.Q8_0)
    fields = [("array", "tokens", ["a", "b", "c"] * 9), ("array", "scores", [0.5] * 3), ("string", "general.name", "n")]
    write(path, {"w": draw((3, 4)), "q": (packed, Q.Q8_0), "b": draw(3)}, fields)
    return path, path.read_bytes()


def test_cut_anywhere_it_is_refused(bytes_of_one):
    path, whole = bytes_of_one
    end = max(t.data_offset + t.n_bytes for t in gguf.GGUFReader(path).tensors)
    cut = path.with_name("cut.gguf")
    for length in range(int(end)):
        cut.write_bytes(whole[:length])
        with pytest.raises(FileError):
            open_file(cut)


@settings(max_examples=400, deadline=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 700), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4), st.booleans()
)
def test_bytes_changed_give_tensors_or_a_clear_error(bytes_of_one, changes, cut):
    path, whole = bytes_of_one
    content = bytearray(whole)
    for at, new in changes:
        content[at : at + len(new)] = new
    changed = path.with_name("changed.gguf")
    changed.write_bytes(bytes(content[: changes[0][0]] if cut else content))
    with contextlib.suppress(GlassnetError):
        explore(changed)
