"""Attacks on the page's server by paths, by dropped files and by what is in them. See docs/security.md."""

import errno
import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from client import Client
from safetensors.numpy import save_file

from glassnet.web import uploads as uploads_module

Connect = Callable[..., Client]


CLIMBS = [
    "..",
    "../..",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "..%5c..%5cwindows%5cwin.ini",
    "%252e%252e%252fetc%252fpasswd",
    "%2fetc%2fpasswd",
    "/etc/passwd",
    "//etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "....//....//etc/passwd",
    "assets/..%2f..%2fserver.py",
    "..%00",
    "%c0%ae%c0%ae%c0%afetc",
    "__init__.py",
]


@pytest.mark.parametrize("climb", CLIMBS)
def test_no_part_of_an_address_is_a_path(connect: Connect, saved: Path, climb: str) -> None:
    client = connect(saved)
    inside = [f"/{climb}", f"/assets/{climb}", f"/api/networks/{climb}", f"/api/digits/{climb}"]
    inside += [f"/api/files/{climb}/{verb}" for verb in ("tree", "network", "neuron?tensor=a&index=0")]
    for address in inside:
        answer = client.get(address)
        assert answer.status == 404
        assert b"root:" not in answer.body


@pytest.mark.parametrize("climb", CLIMBS)
def test_names_of_tensors_and_of_dropped_files_are_no_paths(
    connect: Connect, saved: Path, uploads: Path, climb: str
) -> None:
    client = connect(saved)
    assert client.get(f"/api/files/0/neuron?tensor={climb}&index=0").status == 404
    assert client.get(f"/api/files/0/network?activation={climb}").status == 400
    answer = client.drop(climb, saved.read_bytes()).json
    assert "/" not in answer["name"]
    assert "\\" not in answer["name"]
    (kept,) = [path for path in uploads.rglob("*") if path.is_file()]
    assert kept.relative_to(uploads).parts[1:] == (answer["id"], "model")


def test_an_absolute_address_is_no_way_around(connect: Connect) -> None:
    client = connect()
    for target in (f"http://evil.example:{client.port}/", f"http://{client.host}/api/start", "*"):
        head = f"GET {target} HTTP/1.1\r\nHost: {client.host}\r\nCookie: {client.cookie}\r\nConnection: close\r\n\r\n"
        assert b" 404 " in client.raw(head.encode()).splitlines()[0]


def test_the_private_folder_is_private(connect: Connect, saved: Path, uploads: Path) -> None:
    connect().drop("a", saved.read_bytes())
    (folder,) = uploads.iterdir()
    assert folder.stat().st_mode & 0o077 == 0


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("length", ["honest", "lying", "missing"])
def test_a_file_that_is_too_large_is_refused_and_not_kept(
    connect: Connect, uploads: Path, monkeypatch: pytest.MonkeyPatch, length: str
) -> None:
    client = connect()
    monkeypatch.setattr("glassnet.web.application.MOST_UPLOAD", 100_000)
    monkeypatch.setattr(uploads_module, "MOST_UPLOAD", 100_000)
    content = b"x" * 100_001
    if length == "honest":
        answer = client.drop("a", content)
    elif length == "missing":
        answer = client.drop("a", (content[i : i + 1000] for i in range(0, len(content), 1000)))
    else:  # says 10 and sends more: what is beyond is no part of the request
        answer = client.drop("a", content, **{"Content-Length": "10"})
    assert answer.status == (422 if length == "lying" else 413)
    assert files_in(uploads) == []


def test_a_length_that_was_never_sent_is_not_waited_for(connect: Connect, saved: Path, uploads: Path) -> None:
    client = connect()
    head = f"POST /api/files?name=a HTTP/1.1\r\nHost: {client.host}\r\nOrigin: {client.origin}\r\n"
    head += f"Cookie: {client.cookie}\r\nConnection: close\r\n"
    for lie in (f"Content-Length: {1 << 62}", "Content-Length: -1", "Content-Length: 1e9", "Content-Length: 1, 2"):
        first = client.raw(f"{head}{lie}\r\n\r\nabc".encode()).splitlines()[0]
        assert b" 413 " in first or b" 400 " in first
    client.raw(f"{head}Content-Length: 1000\r\n\r\nabc".encode(), leaving=True)
    assert client.drop("a", saved.read_bytes()).status == 200
    assert len(files_in(uploads)) == 1


# What is in files


class Calls:
    """A pickle that makes a file when it is loaded the usual way."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def hostile(folder: Path) -> dict[str, bytes]:
    """Files that want to run, to grow, or to lead elsewhere; each is told by the format's own tests as well."""
    external = json.dumps({"weight_map": {"a": "../../../../etc/passwd"}}).encode()
    header = json.dumps({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 8]}}).encode()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"0" * 50_000_000)
    return {
        "pickle": pickle.dumps(Calls(folder / "ran")),
        "numpy objects": b"\x93NUMPY" + pickle.dumps(Calls(folder / "ran")),
        "zip bomb": bomb.getvalue(),
        "lying header": struct.pack("<Q", len(header)) + header + bytes(8),
        "endless header": struct.pack("<Q", 1 << 62) + b"{" + b" " * 1000,
        "index of shards": external,
        "deep": struct.pack("<Q", 200_000) + b"[" * 200_000,
        "GGUF of 2^60 tensors": b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1 << 60),
        "empty": b"",
    }


def test_hostile_files_are_told_and_not_kept(connect: Connect, uploads: Path, tmp_path: Path) -> None:
    client = connect()
    for name, content in hostile(tmp_path).items():
        answer = client.drop("model", content)
        assert answer.status == 422, name
        assert set(answer.json) == {"problem", "help"}
        assert str(uploads) not in answer.body.decode()
    assert files_in(uploads) == []
    assert not (tmp_path / "ran").exists()


def test_the_parts_of_a_dropped_file_are_not_the_files_beside_it(connect: Connect, saved: Path) -> None:
    client = connect()
    number = client.drop("a", saved.read_bytes()).json["id"]
    for shard in (f"../{number}/model", "../../etc/passwd", "model"):
        index = json.dumps({"weight_map": {"layers.0.weight": shard}}).encode()
        assert client.drop("model.safetensors.index.json", index).status == 422


SCRIPT = "<script>alert(1)</script>"


def test_html_in_names_stays_text(connect: Connect, tmp_path: Path) -> None:
    save_file({f"{SCRIPT}.weight": np.ones((2, 2), np.float32)}, tmp_path / "a")
    client = connect(tmp_path / "a")
    quoted = SCRIPT.replace("<", "%3C").replace(">", "%3E").replace("/", "%2F")
    dropped = client.drop(quoted.replace("%2F", "|"), (tmp_path / "a").read_bytes())
    answers = [
        client.get("/api/files/0/tree"),
        dropped,
        client.get(f"/api/files/0/neuron?tensor={quoted}.weight&index=0"),
        client.get(f"/api/files/0/neuron?tensor={quoted}&index=0"),
        client.get(f"/api/files/0/network?activation={quoted},{quoted}"),
        client.drop(quoted, b"no model"),
        client.get(f"/{quoted}"),
        Client(f"{client.origin}/").get(f"/{quoted}"),
        Client(f"{client.origin}/").get(f"/?token={quoted}"),
    ]
    for answer in answers:
        assert answer.headers["Content-Type"] in ("application/json", "text/plain; charset=utf-8")
        assert b"<" not in answer.body
    assert answers[0].json["tensors"][0]["name"] == f"{SCRIPT}.weight"
    assert dropped.json["name"].startswith("<script>")


def test_names_cannot_steer_a_terminal_or_a_screen(connect: Connect, saved: Path) -> None:
    answer = connect().drop("%1b%5b2J%E2%80%AEsafe.txt" + "x" * 500, saved.read_bytes()).json
    assert answer["name"].startswith("?[2J?safe.txtxxx")
    assert len(answer["name"]) == 100


def test_a_file_that_changed_or_vanished_is_told(connect: Connect, saved: Path) -> None:
    client = connect(saved)
    address = "/api/files/0/neuron?tensor=layers.0.weight&index=0"
    assert client.get(address).status == 200
    saved.write_bytes(saved.read_bytes() + b"x")
    answer = client.get(address)
    assert answer.status == 422
    assert "'small.safetensors'" in answer.json["problem"]
    saved.unlink()
    answer = client.get(address)
    assert answer.status == 422
    assert "'small.safetensors'" in answer.json["problem"]
    assert client.get("/api/start").status == 200
    assert client.get("/api/files/0/network").status == 422
    assert client.get("/").status == 200


def test_a_full_disk_is_no_fault_of_the_server(connect: Connect, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client, content = connect(), saved.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "open", full)
    answer = client.drop("a", content)
    monkeypatch.undo()
    assert answer.status == 422
    assert answer.json["problem"] == "the file cannot be kept for the page: No space left on device"
    assert client.drop("a", content).status == 200
