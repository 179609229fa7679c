"""What the page gets from its server: judged by the library itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from client import PAGE, Client
from safetensors import safe_open
from safetensors.numpy import save_file

import glassnet as gn
from glassnet.web import opened_file
from glassnet.web import uploads as uploads_module

Connect = Callable[..., Client]


def as_network(content: bytes, folder: Path) -> gn.Network:
    (folder / "received").write_bytes(content)
    return gn.load(folder / "received")


# The page


def test_the_page_is_sent_without_its_own_policy_and_as_a_template_with_it(connect: Connect) -> None:
    client = connect()
    answers = [client.get(address) for address in ("/", "/page.html")]
    assert [answer.status for answer in answers] == [200, 200]
    assert {answer.headers["Content-Type"].partition(";")[0] for answer in answers} == {"text/html"}
    assert answers[1].body == PAGE.encode()
    assert b"http-equiv" not in answers[0].body
    assert answers[0].body.endswith(b"<title>glassnet</title>")
    assert client.get("/index.html").status == 404


# To begin with


def test_the_start_lists_networks_and_files(connect: Connect, saved: Path, tmp_path: Path) -> None:
    save_file({"a": np.ones((2, 3, 4), np.float32)}, tmp_path / "no_chain.safetensors")
    start = connect(saved, tmp_path / "no_chain.safetensors").get("/api/start").json
    assert start["version"] == gn.__version__
    assert start["networks"] == [
        {"name": "small", "url": "/api/networks/0", "from": "opened"},
        {"name": "digits-sigmoid", "url": "/api/networks/1", "from": "example"},
        {"name": "digits-relu", "url": "/api/networks/2", "from": "example"},
        {"name": "digits-sigmoid-2", "url": "/api/networks/3", "from": "example"},
    ]
    assert start["files"] == [
        {"id": "0", "name": "small.safetensors"},
        {"id": "1", "name": "no_chain.safetensors"},
    ]
    assert start["most_upload"] == 268_435_456


def test_networks_come_as_files_of_glassnets_own(
    connect: Connect, saved: Path, tmp_path: Path, network: gn.Network
) -> None:
    client = connect(saved)
    assert as_network(client.get("/api/networks/0").body, tmp_path) == network
    assert as_network(client.get("/api/networks/1").body, tmp_path).sizes == (784, 16, 16, 10)
    assert client.get("/api/networks/4").status == 404


def test_a_network_in_double_precision_comes_in_single(connect: Connect, tmp_path: Path) -> None:
    double = gn.Network.create("3-2", seed=1, dtype="float64")
    double.save(tmp_path / "double")
    received = as_network(connect(tmp_path / "double").get("/api/networks/0").body, tmp_path)
    assert received.dtype == "float32"
    assert np.array_equal(received.parameters, double.parameters.astype(np.float32))


def test_numbers_that_single_precision_cannot_hold_leave_a_file_among_the_files(
    connect: Connect, tmp_path: Path
) -> None:
    large = gn.Network.create("3-2", seed=1, dtype="float64")
    large.with_parameters(large.parameters * 1e300).save(tmp_path / "large")
    client = connect(tmp_path / "large")
    start = client.get("/api/start").json
    assert [shown["from"] for shown in start["networks"]] == ["example"] * 3
    assert start["files"] == [{"id": "0", "name": "large"}]
    assert client.get("/api/files/0/network").status == 400


@pytest.mark.parametrize(("part", "count", "number"), [("train", 60_000, 0), ("test", 10_000, 1)])
def test_digits_are_images_then_labels(connect: Connect, part: str, count: int, number: int) -> None:
    body = np.frombuffer(connect().get(f"/api/digits/{part}").body, np.uint8)
    data = gn.data.digits()[number]
    assert body.size == count * 785
    assert np.array_equal(body[: count * 784].reshape(count, 784), data.inputs)
    assert np.array_equal(body[count * 784 :], data.targets)


# A file


def test_the_tree_of_a_network(connect: Connect, saved: Path) -> None:
    tree = connect(saved).get("/api/files/0/tree").json
    assert (tree["name"], tree["kind"], tree["total"]) == ("small.safetensors", "safetensors", 26)
    assert tree["chain"] == {"sizes": [3, 4, 2], "activations": ["tanh", "softmax"]}
    assert sum(tensor["count"] for tensor in tree["tensors"]) == tree["total"]
    assert sum(tensor["bytes"] for tensor in tree["tensors"]) == tree["bytes"] == 4 * 26
    by_name = {tensor["name"]: tensor for tensor in tree["tensors"]}
    assert by_name["layers.0.weight"]["shape"] == [4, 3]
    assert by_name["layers.0.weight"]["dtype"] == "float32"
    assert tree["notes"] == []


def test_a_chain_whose_file_says_no_activations(connect: Connect, tmp_path: Path) -> None:
    ones = {"0.weight": (4, 3), "0.bias": (4,), "2.weight": (2, 4), "2.bias": (2,)}
    save_file({name: np.ones(shape, np.float32) for name, shape in ones.items()}, tmp_path / "state")
    client = connect(tmp_path / "state")
    assert client.get("/api/files/0/tree").json["chain"] == {"sizes": [3, 4, 2], "activations": None}
    assert client.get("/api/start").json["networks"][0]["from"] == "example"
    refused = client.get("/api/files/0/network")
    assert refused.status == 400
    assert "'state'" in refused.json["problem"]
    assert "3-4-2" in refused.json["problem"]
    for given, activations in (("tanh", ("tanh", "identity")), ("relu,softmax", ("relu", "softmax"))):
        received = as_network(client.get(f"/api/files/0/network?activation={given}").body, tmp_path)
        assert received.architecture.activations == activations
    assert (
        client.get("/api/files/0/network?activation=squash").json["problem"].startswith("unknown activation 'squash'")
    )


def test_what_is_no_chain_says_why(connect: Connect, tmp_path: Path) -> None:
    save_file({"conv": np.ones((2, 3, 4), np.float32)}, tmp_path / "a")
    tree = connect(tmp_path / "a").get("/api/files/0/tree").json
    assert tree["chain"] is None
    (note,) = tree["notes"]
    assert note.startswith("no network to open: ")
    assert "tensor 'conv' (2, 3, 4), neither a matrix nor the biases of one" in note


def test_a_large_file_is_not_loaded(connect: Connect, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_file, "MOST_LOADED", 25)
    monkeypatch.setattr(opened_file, "load", lambda *_: pytest.fail("its values were read"))
    client = connect(saved)
    assert client.get("/api/start").json["networks"][0]["from"] == "example"
    tree = client.get("/api/files/0/tree").json
    assert (tree["chain"], tree["total"]) == (None, 26)
    assert tree["notes"] == [
        "no network to open: the network has 26 numbers, too many for the page: expected at most 25"
    ]


def test_a_neuron_is_its_row(connect: Connect, saved: Path, network: gn.Network) -> None:
    neuron = connect(saved).get("/api/files/0/neuron?tensor=layers.0.weight&index=3").json
    weights = network.layers[0].weights[3]
    assert neuron["weights"] == [float(weight) for weight in weights]
    assert (neuron["bias"], neuron["bias_tensor"]) == (float(network.layers[0].biases[3]), "layers.0.bias")
    assert (neuron["fan_in"], neuron["start"], neuron["shape"]) == (3, 0, [4, 3])
    assert (neuron["min"], neuron["max"]) == (float(weights.min()), float(weights.max()))
    assert neuron["mean"] == pytest.approx(weights.mean())
    assert neuron["std"] == pytest.approx(weights.std())


def test_a_long_row_comes_in_pieces(connect: Connect, tmp_path: Path) -> None:
    row = np.arange(150_000, dtype=np.float32)
    save_file({"wide.weight": np.stack([row, -row])}, tmp_path / "wide")
    client = connect(tmp_path / "wide")
    pieces, start = [], 0
    while start < len(row):
        piece = client.get(f"/api/files/0/neuron?tensor=wide.weight&index=1&start={start}").json
        assert (piece["start"], piece["fan_in"], piece["min"]) == (start, 150_000, -149_999)
        assert len(piece["weights"]) <= 65_536
        pieces += piece["weights"]
        start += len(piece["weights"])
    assert pieces == (-row).tolist()


def test_what_is_no_number_comes_as_text(connect: Connect, tmp_path: Path) -> None:
    save_file({"a.weight": np.array([[np.nan, np.inf, -np.inf, 2]], np.float32)}, tmp_path / "a")
    neuron = connect(tmp_path / "a").get("/api/files/0/neuron?tensor=a.weight&index=0").json
    assert neuron["weights"] == ["NaN", "Infinity", "-Infinity", 2]
    assert (neuron["mean"], neuron["min"], neuron["max"]) == (2, 2, 2)
    assert neuron["bias"] is None


def test_a_vector_is_one_neuron_and_a_kernel_one_for_each_row(connect: Connect, tmp_path: Path) -> None:
    kernel = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    save_file({"kernel": kernel, "scale": np.array([5, 6], np.float32)}, tmp_path / "a")
    client = connect(tmp_path / "a")
    assert client.get("/api/files/0/neuron?tensor=kernel&index=1").json["weights"] == kernel[1].ravel().tolist()
    assert client.get("/api/files/0/neuron?tensor=scale&index=0").json["weights"] == [5, 6]
    assert client.get("/api/files/0/neuron?tensor=scale&index=1").status == 404
    assert [tensor["neurons"] for tensor in client.get("/api/files/0/tree").json["tensors"]] == [2, 1]


def test_neurons_of_a_matrix_that_lies_across_are_its_columns(connect: Connect, tmp_path: Path) -> None:
    """As GPT-2's are stored: (fan_in, fan_out)."""
    matrix = np.arange(12, dtype=np.float32).reshape(3, 4)
    save_file({"h.0.attn.c_attn.weight": matrix, "h.0.attn.c_attn.bias": np.ones(4, np.float32)}, tmp_path / "a")
    client = connect(tmp_path / "a")
    tensors = {tensor["name"]: tensor for tensor in client.get("/api/files/0/tree").json["tensors"]}
    assert tensors["h.0.attn.c_attn.weight"]["neurons"] == 4
    neuron = client.get("/api/files/0/neuron?tensor=h.0.attn.c_attn.weight&index=3").json
    assert (neuron["weights"], neuron["bias"]) == (matrix[:, 3].tolist(), 1)


@pytest.mark.parametrize(
    ("parameters", "status"),
    [
        ("tensor=layers.0.weight&index=4", 404),
        ("tensor=layers.0.wieght&index=0", 404),
        ("index=0", 404),
        ("tensor=layers.0.weight", 400),
        ("tensor=layers.0.weight&index=-1", 400),
        ("tensor=layers.0.weight&index=1.5", 400),
        ("tensor=layers.0.weight&index=99999999999999999999", 400),
        ("tensor=layers.0.weight&index=0&start=x", 400),
    ],
)
def test_what_is_not_there_is_told(connect: Connect, saved: Path, parameters: str, status: int, reported: Any) -> None:
    answer = connect(saved).get(f"/api/files/0/neuron?{parameters}")
    assert answer.status == status
    assert set(answer.json) == {"problem", "help"}
    reported(answer.json["problem"])


def test_a_row_that_is_too_long_is_told(connect: Connect, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened_file, "MOST_INPUTS", 2)
    answer = connect(saved).get("/api/files/0/neuron?tensor=layers.0.weight&index=0")
    assert (answer.status, answer.json["problem"]) == (400, "a neuron of this tensor has 4 weights, expected at most 2")


# Dropped files


def test_a_dropped_file_is_opened_like_a_named_one(connect: Connect, saved: Path, tmp_path: Path) -> None:
    client = connect(saved)
    answer = client.drop("mine.safetensors", saved.read_bytes()).json
    number = answer.pop("id")
    assert answer == {**client.get("/api/files/0/tree").json, "name": "mine.safetensors"}
    assert answer == client.get(f"/api/files/{number}/tree").json
    assert as_network(client.get(f"/api/files/{number}/network").body, tmp_path) == gn.load(saved)


def test_a_file_in_chunks_is_taken_too(connect: Connect, saved: Path) -> None:
    content = saved.read_bytes()
    pieces = (content[i : i + 100] for i in range(0, len(content), 100))
    assert connect().drop("a", pieces).json["total"] == 26


def test_what_is_no_model_is_told_by_its_name(connect: Connect) -> None:
    answer = connect().drop("notes.txt", b"just some words")
    assert answer.status == 422
    assert "'notes.txt'" in answer.json["problem"]


def test_the_oldest_dropped_files_make_room(connect: Connect, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = connect(saved)
    content = saved.read_bytes()
    monkeypatch.setattr(uploads_module, "MOST_UPLOADS", 3)
    numbers = [client.drop(f"{i}", content).json["id"] for i in range(4)]
    there = [client.get(f"/api/files/{number}/tree").status for number in ("0", *numbers)]
    assert there == [200, 404, 200, 200, 200]
    monkeypatch.setattr(uploads_module, "MOST_TOGETHER", 2 * len(content))
    numbers.append(client.drop("last", content).json["id"])
    there = [client.get(f"/api/files/{number}/tree").status for number in numbers]
    assert there == [404, 404, 404, 200, 200]


# Tables to train on


TABLE = b"a,colour,kind\n1,red,x\n2,blue,y\n3,red,x\n4,blue,y\n,red,y\n"


def test_a_table_is_read_as_the_command_reads_it(connect: Connect, tmp_path: Path) -> None:
    client = connect()
    assert client.table("t.csv", TABLE).json == {"columns": ["a", "colour", "kind"]}
    (tmp_path / "t.csv").write_bytes(TABLE)
    (tmp_path / "examples").write_bytes(client.table("t.csv", TABLE, target="kind").body)
    wanted = gn.data.read(tmp_path / "t.csv", "kind")
    with safe_open(tmp_path / "examples", "numpy") as file:
        metadata = file.metadata()
        inputs, targets = file.get_tensor("inputs"), file.get_tensor("targets")
    assert np.array_equal(inputs, wanted.schema.preprocess(wanted.inputs)[0])
    assert np.array_equal(targets, wanted.targets)
    assert gn.Schema.from_dict(json.loads(metadata["schema"])) == wanted.schema
    assert tuple(json.loads(metadata["notes"])) == wanted.notes != ()


def test_a_table_that_cannot_be_read_is_called_by_its_name_and_leaves_nothing(connect: Connect, uploads: Path) -> None:
    client = connect()
    for content, target in ((b"a,a\n1,2\n", None), (TABLE, "colours"), (b"", None)):
        answer = client.table("my.csv", content, **({"target": target} if target else {}))
        assert answer.status in (400, 422)
        assert answer.json["problem"].startswith("'my.csv'")
    assert list(uploads.glob("glassnet-*"))
    assert not [path for path in uploads.rglob("*") if path.is_file()]
