"""skops files of scikit-learn models, read without skops; and what a hostile one comes to."""

import json
import warnings
import zipfile
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glassnet.errors import FileError
from glassnet.files import models_in_memory
from glassnet.files.formats.sklearn import reader

sklearn = import_module("sklearn")
sio = import_module("skops.io")


def model(pipeline: bool) -> Any:
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    random = np.random.default_rng(0)
    mlp = MLPClassifier((6, 4), "tanh", max_iter=3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = make_pipeline(StandardScaler(), mlp) if pipeline else mlp
        return whole.fit(random.random((30, 5)), np.arange(30) % 3)


@pytest.mark.parametrize("pipeline", [False, True])
def test_counts_and_numbers_are_those_of_scikit_learn(pipeline: bool, tmp_path: Path) -> None:
    fitted = model(pipeline)
    mlp, start = (fitted[-1], "mlpclassifier.") if pipeline else (fitted, "")
    sio.dump(fitted, tmp_path / "a.skops")
    assert reader.recognises((tmp_path / "a.skops").read_bytes()[:64], tmp_path / "a.skops")
    with reader.open_file(tmp_path / "a.skops") as file:
        assert file.format == "skops"
        learnt = [name for name, info in file.tensors.items() if info.role == "parameter"]
        assert learnt == [f"{start}{kind}.{i}" for kind in ("coefs_", "intercepts_") for i in range(3)]
        count = sum(part.size for part in [*mlp.coefs_, *mlp.intercepts_])
        assert sum(file.tensors[name].count for name in learnt) == count
        moments = [info for info in file.tensors.values() if info.role == "optimizer"]
        assert sum(info.count for info in moments) == 2 * count
        for i, weights in enumerate(mlp.coefs_):
            np.testing.assert_array_equal(file.array(f"{start}coefs_.{i}"), weights)
            np.testing.assert_array_equal(file.rows(f"{start}coefs_.{i}", 1), weights[1])
            np.testing.assert_array_equal(file.column(f"{start}coefs_.{i}", 1), weights[:, 1])
            assert file.tensors[f"{start}coefs_.{i}"].neurons_in == "columns"
        assert json.loads(file.metadata[f"{start}activation"]) == "tanh"
        assert file.metadata[f"{start}class"].endswith(".MLPClassifier")
        if pipeline:
            assert file.tensors["standardscaler.mean_"].role == "statistic"


@pytest.mark.parametrize("pipeline", [False, True])
def test_in_memory(pipeline: bool) -> None:
    fitted = model(pipeline)
    mlp = fitted[-1] if pipeline else fitted
    file = models_in_memory.open_object(fitted)
    np.testing.assert_array_equal(file.array("coefs_.1"), mlp.coefs_[1])
    assert sum(info.count for info in file.tensors.values() if info.role == "parameter") == sum(
        part.size for part in [*mlp.coefs_, *mlp.intercepts_]
    )
    assert file.metadata["out_activation_"] == "softmax"


def test_objects_that_are_no_models() -> None:
    from sklearn.neural_network import MLPClassifier

    assert not models_in_memory.recognises(MLPClassifier())  # not fitted
    assert not models_in_memory.recognises("text")
    assert not models_in_memory.recognises({})
    with pytest.raises(ValueError, match="cannot open a builtins.int: expected a PyTorch module, a Keras model"):
        models_in_memory.open_object(3)


ARRAY = {"__class__": "ndarray", "__loader__": "NdArrayNode", "type": "numpy", "file": "1.npy"}


def nested(depth: int) -> dict[str, Any]:
    node: dict[str, Any] = ARRAY
    for _ in range(depth):
        node = {"__class__": "list", "__loader__": "ListNode", "content": [node]}
    return node


HOSTILE = {
    "no JSON": ("{", "cannot be read"),
    "deep JSON": ("[" * 200_000, "cannot be read"),
    "no object": ("[]", "describes no object"),
    "deep nodes": (json.dumps(nested(100)), "deeper than 64"),
    "an array outside": (json.dumps({**ARRAY, "file": "/etc/passwd"}), "'/etc/passwd' of '' is not there"),
    "an array in no file": (json.dumps({**ARRAY, "file": ["1.npy"]}), "is in no member"),
    "too large": (json.dumps({**ARRAY, "more": "a" * (17 << 20)}), "has 17,825,.* expected at most 16,777,216"),
}


def written(folder: Path, schema: str) -> None:
    np.save(folder / "1.npy", np.ones(2))
    with zipfile.ZipFile(folder / "a.skops", "w") as archive:
        archive.write(folder / "1.npy", "1.npy")
        archive.writestr("schema.json", schema)


@pytest.mark.parametrize("attack", HOSTILE)
def test_a_hostile_schema_is_told(attack: str, tmp_path: Path) -> None:
    schema, words = HOSTILE[attack]
    written(tmp_path, schema)
    with pytest.raises(FileError, match=words):
        reader.open_file(tmp_path / "a.skops")


def test_what_would_be_called_is_only_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    call = {"__class__": "str", "__loader__": "JsonNode", "content": '"touch attacked"'}
    for loader in ("ObjectNode", "FunctionNode", "PartialNode", "ReduceNode", "OperatorFuncNode", "MethodNode"):
        schema = {"__class__": "system", "__module__": "os", "__loader__": loader, "content": {"args": call}}
        written(tmp_path, json.dumps(schema))
        file = reader.open_file(tmp_path / "a.skops")
        assert file.tensors == {}
        assert file.metadata["class"] == "os.system"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.npy", "a.skops"]


def test_a_model_that_was_not_fitted_has_no_arrays(tmp_path: Path, refused: Any) -> None:
    from sklearn.neural_network import MLPClassifier

    sio.dump(MLPClassifier(), tmp_path / "a.skops")
    with refused(FileError):
        reader.open_file(tmp_path / "a.skops")


def test_a_pickle_as_an_array_is_not_loaded(tmp_path: Path, refused: Any) -> None:
    np.save(tmp_path / "1.npy", np.array([{}], dtype=object), allow_pickle=True)
    with zipfile.ZipFile(tmp_path / "a.skops", "w") as archive:
        archive.write(tmp_path / "1.npy", "1.npy")
        archive.writestr(
            "schema.json", json.dumps({"__class__": "a", "__loader__": "DictNode", "content": {"a": ARRAY}})
        )
    file = reader.open_file(tmp_path / "a.skops")
    with refused(FileError):
        file.array("a")


def test_a_file_cut_anywhere_is_told(tmp_path: Path, refused: Any) -> None:
    sio.dump(model(False), tmp_path / "a.skops")
    whole = (tmp_path / "a.skops").read_bytes()
    for length in range(4, len(whole), len(whole) // 100):
        (tmp_path / "a.skops").write_bytes(whole[:length])
        with refused(FileError):
            reader.open_file(tmp_path / "a.skops")
