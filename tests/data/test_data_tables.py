"""Tables: what becomes an input, what a class, what is left out, and every error by its words."""

import contextlib
import sys
import zipfile
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import glassnet as gn
from glassnet import data
from glassnet.errors import FileError, InputError, MissingExtra, SettingError
from glassnet.schema import Schema

pa = import_module("pyarrow")
pq = import_module("pyarrow.parquet")


@pytest.fixture
def csv(tmp_path):
    """Writes a CSV file and gives its path."""

    def write(text, name="table.csv"):
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


@pytest.fixture
def npz(tmp_path):
    """Writes an .npz file and gives its path."""

    def write(**arrays):
        np.savez_compressed(tmp_path / "table.npz", **arrays)
        return tmp_path / "table.npz"

    return write


PEOPLE = """\
age,height,smoker,name,planet,left
20,1.5,true,Ann,1,yes
40,1.7,false,Bob,1,no
60,,true,Cem,1,yes
80,1.9,,Dot,1,
"""


# What becomes of a table


def test_columns_of_numbers_are_standardised(csv):
    people = data.table(csv("x,y,kind\n1,10,a\n2,20,b\n3,60,a\n"), "kind")
    numbers = np.array([[1, 10], [2, 20], [3, 60]])
    assert np.array_equal(people.inputs, numbers)
    assert people.scaled().dtype == np.float32
    assert np.allclose(people.scaled(), (numbers - numbers.mean(axis=0)) / numbers.std(axis=0))
    assert people.schema.features == ("x", "y")
    assert people.schema.centers == pytest.approx((2, 30))
    assert people.schema.spreads == pytest.approx(numbers.std(axis=0))
    assert people.schema.target == "kind"
    assert people.input_shape == (2,)
    assert people.notes == ()


def test_everything_left_out_or_filled_in_is_said(csv):
    people = data.table(csv(PEOPLE), "left")
    assert people.schema.features == ("age", "height", "smoker")
    assert people.notes == (
        "rows left out, without a target: 1",
        "columns left out, text that hardly repeats: 'name'",
        "columns left out, constant: 'planet'",
        "missing values filled with the column's mean: 'height' (1)",
    )
    assert people.scaled()[2, 1] == 0
    assert people.scaled()[:, 2] == pytest.approx([0.7071, -1.4142, 0.7071], abs=1e-4)
    assert people.targets.tolist() == [1, 0, 1]


def test_columns_empty_and_without_a_name_are_left_out(csv):
    table = data.table(csv(",x,y,kind\n0,1,,a\n1,2,NA,b\n2,4,?,b\n"), "kind")
    assert table.schema.features == ("x",)
    assert table.notes == ("columns left out, without a name: ''", "columns left out, empty: 'y'")


@pytest.mark.parametrize(
    "text",
    [
        "x;kind\n1.5;a\n-2e3;b\n",
        "x\tkind\n1.5\ta\n-2e3\tb\n",
        "\ufeffx,kind\r\n1.5,a\r\n-2e3,b\r\n",
        '"x","kind"\n"1.5","a"\n"-2e3","b"\n',
        "\n x , kind\n +1.5 , a\n\n -2000. ,b\n",
        'x,kind,"remarks; many; many; many"\n1.5,a,"one\ntwo"\n-2e3,b,three\n',
    ],
)
def test_ways_to_write_the_same_table(csv, text):
    table = data.table(csv(text), "kind")
    assert table.schema.centers == pytest.approx((-999.25,))
    assert table.classes == ("a", "b")


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        ("b a b", ("a", "b")),
        ("true false true", ("false", "true")),
        ("TRUE False true", ("false", "true")),
        ("10 9 9.0", ("9", "10")),
        ("-1 1 1", ("-1", "1")),
        ("-0.0 1 1", ("0", "1")),
        ("0.5 1 2", None),
    ],
)
def test_what_is_a_class(csv, cells, classes):
    rows = zip((1, 2, 3), cells.split(), strict=True)
    table = data.table(csv("x,y\n" + "".join(f"{x},{y}\n" for x, y in rows)), "y")
    assert table.classes == classes
    if classes is None:
        assert table.targets.tolist() == [float(cell) for cell in cells.split()]


@pytest.mark.parametrize(("different", "classes"), [(20, 20), (21, None)])
def test_whole_numbers_are_classes_up_to_20(csv, different, classes):
    table = data.table(csv("x,y\n" + "".join(f"{i * i},{i}\n" for i in range(different))), "y")
    assert (table.classes and len(table.classes)) == classes


def test_task_decides_where_the_rule_should_not(csv, refused: Any):
    path = csv("x,stars\n1,3\n2,5\n4,4.5\n")
    assert data.table(path, "stars", task="classes").classes == ("3", "4.5", "5")
    path = csv("x,stars\n1,3\n2,5\n4,4\n")
    assert data.table(path, "stars", task="measurement").targets.tolist() == [3, 5, 4]
    path = csv("x,stars\n1,3\n2,5\n4,5+\n")
    assert data.table(path, "stars", task="classes").classes == ("3", "5", "5+")
    with refused(SettingError):
        data.table(path, "stars", task="class")


def test_parquet_has_types_of_its_own(tmp_path):
    from datetime import date
    from decimal import Decimal

    columns = {
        "small": pa.array([1, None, 3], pa.int8()),
        "exact": pa.array([Decimal("1.5"), Decimal("2.5"), Decimal("2.5")]),
        "truth": pa.array([True, False, None]),
        "nan": pa.array([1.0, float("nan"), 3.0]),
        "day": pa.array([date(2020, 1, 1)] * 3),
        "nothing": pa.nulls(3),
        "kind": pa.array(["b", "a", "b"]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), tmp_path / "t")
    table = data.table(tmp_path / "t", "kind")
    assert table.schema.features == ("small", "exact", "truth", "nan")
    assert table.inputs[:, 3].tolist() == [1, 2, 3]
    assert table.scaled()[:, 3] == pytest.approx([-1, 0, 1])
    assert table.classes == ("a", "b")
    assert table.notes == (
        "columns left out, values of type date32[day]: 'day'",
        "columns left out, empty: 'nothing'",
        "missing values filled with the column's mean: 'small' (1), 'truth' (1), 'nan' (1)",
    )


@given(
    st.lists(
        st.tuples(st.floats(-1e6, 1e6, width=32), st.sampled_from("abc")),
        min_size=2,
        max_size=30,
        unique_by=lambda r: r[0],
    ).filter(lambda rows: len({kind for _, kind in rows}) > 1)
)
def test_any_table_comes_back_from_center_and_spread(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text("x,kind\n" + "".join(f"{x!r},{kind}\n" for x, kind in rows))
    table = data.table(path, "kind")
    ((center,), (spread,)) = table.schema.centers, table.schema.spreads
    assert table.inputs[:, 0].tolist() == [x for x, _ in rows]
    assert np.allclose(table.scaled()[:, 0].astype(float) * spread + center, [x for x, _ in rows], atol=1e-5 * spread)
    assert [table.classes[k] for k in table.targets] == [kind for _, kind in rows]
    assert np.array_equal(data.table_inputs(path, table.schema), table.inputs)


# A table for a network that was trained on another one

TRAINED = Schema((2,), None, ("x", "y"), (10.0, 0.0), (2.0, 1.0), ("a", "b", "c"), "kind")


def test_later_tables_are_treated_like_the_first(csv):
    table = data.table(csv("kind,y,remark,x\nc,5,hm,10\na,,hm,14\n"), like=TRAINED)
    assert table.inputs.tolist() == [[10, 5], [14, 0]]
    assert table.scaled().tolist() == [[0, 5], [2, 0]]
    assert table.targets.tolist() == [2, 0]
    assert table.schema == TRAINED
    assert table.notes == ("missing values filled with the network's center: 'y' (1)",)


def test_inputs_alone_need_no_target(csv):
    assert data.table_inputs(csv("y,x\n5,10\n"), TRAINED).tolist() == [[10, 5]]


def test_classes_go_by_name_in_any_format(csv, tmp_path):
    like = Schema((1,), None, ("x",), (0.0,), (1.0,), ("1", "2", "3"), "y")
    assert data.table(csv("x,y\n1,3\n2,3.0\n"), like=like).targets.tolist() == [2, 2]
    pq.write_table(pa.table({"x": [1, 2], "y": ["3", "1"]}), tmp_path / "t")
    assert data.table(tmp_path / "t", like=like).targets.tolist() == [2, 0]


def test_a_network_of_measurements_takes_whole_numbers_as_such(csv):
    like = Schema((1,), None, ("x",), (0.0,), (1.0,), None, "y")
    assert data.table(csv("x,y\n1,3\n2,3\n"), like=like).targets.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x,kind\n1,a\n", InputError),
        ("X,y,kind\n1,2,a\n", InputError),
        ("x1,y,kind\n1,2,a\n", InputError),
        ("a,kind\n1,a\n", InputError),
        ("x,y,kind\n1,2,d\n", InputError),
        ("x,y,kind\n1,hm,a\n", InputError),
        ("x,y\n1,2\n", SettingError),
    ],
)
def test_later_tables_that_do_not_fit(csv, text, error, refused: Any):
    with refused(error):
        data.table(csv(text), like=TRAINED)


def test_a_network_without_column_names(csv, refused: Any):
    with refused(InputError):
        data.table_inputs(csv("x,y\n1,2\n"), Schema((2,)))


# Tables that cannot be used


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", FileError),
        ("\n\n", FileError),
        ("x,kind\n", FileError),
        ("x,x,kind,x,y,y\n1,2,a,3,4,5\n", InputError),
        ("x,sort\n1,a\n2,b\n", SettingError),
        ("x,Kind\n1,a\n2,b\n", SettingError),
        ("5.1,a\n5.2,b\n", SettingError),
        ("x,kind\n1,a\n2\n", FileError),
        ("x,kind\n1,a\n2,b,c\n", FileError),
        ("x" * 200_000 + ",kind\n1,a\n", FileError),
        (b"x,kind\n1,\xe9\n", FileError),
        (b"x,kind\n" + b"1,abcdefgh\n" * 200_000 + b"1,\xe9\n", FileError),
        ("x,kind\n1,a\n2\0,b\n", FileError),
        ("x,kind\n1,a\n2,b\nabout 3,a\n", InputError),
        ("x,kind\n1,a\n2,b\n3,a\n?!,a\n!?,b\n", InputError),
        ("x,kind\n1,a\ninf,b\n2,b\n", InputError),
        ("x,kind\n1,a\n1e999,b\n", InputError),
        ("x,kind\n1e300,a\n-1e300,b\n", InputError),
        ("x,kind\n1,a\n2,a\n", InputError),
        ("x,kind\n1,\n2,NA\n", InputError),
        ("x,kind\none,a\ntwo,b\n", InputError),
        ("kind\na\nb\n", InputError),
        ("x,kind\n" + "".join(f"{i},person {i}\n" for i in range(30)), InputError),
    ],
)
def test_tables_that_cannot_be_used(csv, text, error, refused: Any):
    with refused(error):
        data.table(csv(text), "kind")


def test_text_is_no_measurement(csv, refused: Any):
    with refused(InputError):
        data.table(csv("x,kind\n1,a\n2,b\n"), "kind", task="measurement")


def test_a_table_without_a_target_asks_for_one(csv, refused: Any):
    many = ",".join(f"c{i}" for i in range(12))
    with refused(SettingError):
        data.table(csv(f"{many}\n{many}\n"))


def test_dates_are_no_target(tmp_path, refused: Any):
    pq.write_table(pa.table({"x": [1, 2], "day": pa.array([1, 2], pa.timestamp("ms"))}), tmp_path / "t")
    with refused(InputError):
        data.table(tmp_path / "t", "day")


def test_long_cells_are_cut_in_messages(csv, refused: Any):
    with refused(InputError):
        data.table(csv(f"x,kind\n1,a\n2,b\n{'long ' * 1000},a\n"), "kind")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.999])
def test_truncated_parquet(tmp_path, keep, refused: Any):
    pq.write_table(pa.table({"x": list(range(1000)), "kind": ["a", "b"] * 500}), tmp_path / "t")
    whole = (tmp_path / "t").read_bytes()
    (tmp_path / "t").write_bytes(whole[: int(keep * len(whole))])
    with refused(FileError):
        data.table(tmp_path / "t", "kind")


def test_parquet_without_rows_or_with_too_many(tmp_path, monkeypatch, refused: Any):
    pq.write_table(pa.table({"x": [], "kind": []}), tmp_path / "t")
    with refused(FileError):
        data.table(tmp_path / "t", "kind")
    monkeypatch.setattr("glassnet.data.table_readers.MOST_CELLS", 5)
    pq.write_table(pa.table({"x": [1, 2, 3], "kind": [1, 2, 3]}), tmp_path / "t")
    with refused(FileError):
        data.table(tmp_path / "t", "kind")


def test_without_pyarrow_the_extra_is_named(csv, npz, monkeypatch, refused: Any):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with refused(MissingExtra):
        data.table(csv("x,kind\n1,a\n"), "kind")
    assert len(data.table(npz(inputs=[[1.0], [2.0]], targets=["a", "b"]))) == 2


# .npz


@pytest.mark.parametrize("names", [("inputs", "targets"), ("X", "y")])
def test_npz_inputs_are_columns(npz, names):
    arrays = zip(
        names, (np.array([[1.0, 7], [2, 7], [np.nan, 7], [3, 7]]), np.array([["b"], ["a"], ["b"], [""]])), strict=True
    )
    table = data.table(npz(**dict(arrays)))
    assert table.schema.features == ("x0",)
    assert table.scaled().ravel() == pytest.approx([-1, 1, 0])
    assert table.classes == ("a", "b")
    assert table.notes[0] == "rows left out, without a target: 1"


def test_npz_pictures_are_taken_as_they_are(npz):
    pictures = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    path = npz(inputs=pictures, targets=np.array([3, 8]))
    table = data.table(path)
    assert (table.input_shape, table.schema.scale, table.classes) == ((2, 3), 1 / 255, ("3", "8"))
    assert np.array_equal(table.inputs, pictures.reshape(2, 6))
    assert np.array_equal(data.table_inputs(path, table.schema), table.inputs)
    assert data.table(npz(inputs=pictures / 255, targets=[0, 1])).schema.scale is None


def test_npz_targets_may_be_several_measurements(npz):
    table = data.table(npz(inputs=[[1.0], [2.0]], targets=[[1, 2], [3, 4]]))
    assert table.targets.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert table.classes is None


@pytest.mark.parametrize(
    ("arrays", "target", "error"),
    [
        ({"a": [1], "b": [2]}, None, FileError),
        ({"inputs": [[1.0]]}, None, FileError),
        ({"inputs": [[1.0]], "targets": [1]}, "y", SettingError),
        ({"inputs": [[1.0]], "targets": [1, 2]}, None, InputError),
        ({"inputs": [1.0], "targets": [1]}, None, InputError),
        ({"inputs": np.zeros((0, 2)), "targets": []}, None, InputError),
        ({"inputs": [["a"]], "targets": [1]}, None, InputError),
        ({"inputs": [[1j]], "targets": [1]}, None, InputError),
        ({"inputs": [[1.0]], "targets": [b"a"]}, None, InputError),
        ({"inputs": [[1.0], [2.0]], "targets": [1, np.inf]}, None, InputError),
    ],
)
def test_npz_files_that_do_not_fit(npz, arrays, target, error, refused: Any):
    with refused(error):
        data.table(npz(**arrays), target)


@pytest.mark.parametrize(
    "like",
    [
        TRAINED,
        Schema((4,)),
        Schema((5,), 1 / 255),
    ],
)
def test_npz_pictures_for_another_network(npz, like, refused: Any):
    with refused(InputError):
        data.table_inputs(npz(inputs=np.zeros((1, 2, 2), np.uint8)), like)


class Trap:
    """Says so if it is ever unpickled."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


def test_objects_are_never_unpickled(npz, refused: Any):
    path = npz(inputs=[[1.0]], targets=np.array([Trap()], dtype=object))
    with refused(FileError):
        data.table(path)


@given(cut=st.floats(0, 1, exclude_max=True))
def test_truncated_npz(tmp_path_factory, cut):
    path = tmp_path_factory.getbasetemp() / "cut.npz"
    np.savez(path, inputs=np.arange(40.0).reshape(20, 2), targets=np.arange(20) % 2)
    whole = path.read_bytes()
    path.write_bytes(whole[: 4 + int(cut * (len(whole) - 4))])
    with pytest.raises(FileError, match="is truncated or damaged|is no zip"):
        data.table(path)


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_an_error_or_harmless(tmp_path_factory, where, bit):
    path = tmp_path_factory.getbasetemp() / "flip.npz"
    inputs, targets = np.arange(40.0).reshape(20, 2), np.arange(20) % 2
    np.savez_compressed(path, inputs=inputs, targets=targets)
    expected = data.table(path)
    whole = bytearray(path.read_bytes())
    whole[int(where * len(whole))] ^= 1 << bit
    path.write_bytes(whole)
    with contextlib.suppress(FileError, InputError, SettingError):
        assert np.array_equal(data.read(path).inputs, expected.inputs)


def npz_with(path, header: bytes, content: bytes = b"", method=zipfile.ZIP_STORED):
    """An archive with a handmade `inputs.npy`."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("inputs.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + content)
    return path


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 64), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1, 2), }",
        b"{'descr': '<f8', 'fortran_order': False, 'shape': (2147483648, 2147483648, 4), }",
        b"__import__('os').abort()",
        b"{" * 200,
    ],
)
def test_npz_headers_are_not_believed(tmp_path, header, refused: Any):
    with refused(FileError):
        data.table(npz_with(tmp_path / "a.npz", header))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, refused: Any):
    monkeypatch.setattr("glassnet.data.access.LARGEST", 1_000_000)
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2000000, 1), }"
    path = npz_with(tmp_path / "a.npz", header, bytes(2_000_000), zipfile.ZIP_DEFLATED)
    with refused(FileError):
        data.table(path)


def test_zip_files_that_are_no_npz(tmp_path, refused: Any):
    for member in ("xl/workbook.xml", "a.txt"):
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr(member, "hello")
        with refused(FileError):
            data.table(tmp_path / "a.npz")
    npz_with(tmp_path / "a.npz", b"", method=zipfile.ZIP_BZIP2)
    with refused(FileError):
        data.table(tmp_path / "a.npz")


@pytest.mark.parametrize("large", [[1e308, -1e308], [1e160, -1e160], [1e308, 1.5]])
@pytest.mark.parametrize("read", [data.table, data.stream])
def test_measurements_too_large_for_a_network_are_refused_without_a_warning(tmp_path, large, read):
    columns = {"x": [float(i % 7) for i in range(20)], "y": large * 10}
    columns["y"][-1] = 0.5
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet", "y", task="measurement")
    network = gn.Network.create("1-3-1", output="identity", seed=0)
    with pytest.raises(InputError, match="too large"):
        gn.train(network, found, epochs=1)
    with pytest.raises(InputError, match="cannot be computed"):  # as an input
        read(tmp_path / "t.parquet", "x", task="classes")


@pytest.mark.parametrize("target", ["x", "y"])
@pytest.mark.parametrize("read", [data.table, data.stream])
def test_text_that_is_not_utf_8_is_refused(tmp_path, target, read):
    places = pa.py_buffer(np.arange(5, dtype=np.int32).tobytes())
    text = pa.Array.from_buffers(pa.string(), 4, [None, places, pa.py_buffer(b"a\xff\xfeb")])
    pq.write_table(pa.table({"x": text, "y": [0, 1, 0, 1]}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match="not UTF-8"):
        read(tmp_path / "t.parquet", target)
