"""Every output of the library and the command: complete or not at all, and never in the place of something else."""

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.cli import main
from glassnet.errors import FileError
from glassnet.files import outputs
from glassnet.files.exporting import TARGETS
from glassnet.files.kinds import CHECKPOINT, NETWORK, kind_of_output
from glassnet.files.locking import locked

pa = import_module("pyarrow")
TRAIN = ["train", "--target", "y", "--epochs", "1", "--sizes", "2-3-2"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a table in two formats and a network trained on it, which is the current one."""
    from pyarrow import csv, parquet

    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    table = pa.table({"a": random.normal(size=40), "b": random.normal(size=40), "y": np.arange(40) % 2})
    parquet.write_table(table, "d.parquet")
    csv.write_csv(table, "d.csv")
    assert main([*TRAIN, "d.csv", "-o", "m.safetensors"]) == 0
    return tmp_path


# Never an input, never another kind of file


@pytest.mark.parametrize(
    "arguments",
    [
        [*TRAIN, "d.parquet", "-o", "d.parquet"],
        [*TRAIN, "d.parquet", "-o", "sub/../d.parquet"],
        [*TRAIN, "d.csv", "--validation", "d.parquet", "-o", "d.parquet"],
        [*TRAIN, "d.parquet", "-o", "d.csv"],
        [*TRAIN, "d.csv", "-o", "n.safetensors", "--checkpoint", "d.csv"],
        [*TRAIN, "d.csv", "-o", "n.safetensors", "--checkpoint", "d.parquet"],
        [*TRAIN, "d.csv", "-o", "n.safetensors", "--checkpoint", "m.safetensors"],
        [*TRAIN, "d.csv", "-o", "n.safetensors", "--checkpoint", "m.safetensors", "--restart"],
        [*TRAIN, "d.csv", "-o", "n.safetensors", "--checkpoint", "n.safetensors"],
        ["predict", "m.safetensors", "d.parquet", "-o", "d.parquet"],
        ["predict", "m.safetensors", "d.csv", "-o", "d.csv"],
        ["predict", "m.safetensors", "d.csv", "-o", "m.safetensors"],
        ["export", "m.safetensors", "--to", "onnx", "-o", "m.safetensors"],
        ["export", "m.safetensors", "--to", "onnx", "-o", "d.parquet"],
        ["export", "m.safetensors", "--to", "python", "-o", "d.csv"],
        ["explain", "m.safetensors", "--inputs", "1,2", "--plot", "d.parquet"],
    ],
    ids=" ".join,
)
def test_what_is_not_an_earlier_output_is_kept(
    folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "sub").mkdir()
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert main(arguments) != 0
    assert "help:" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("to", TARGETS)
def test_an_export_replaces_an_earlier_one(folder: Path, to: str) -> None:
    for _ in range(2):
        assert main(["export", "m.safetensors", "--to", to, "-o", f"out.{to}"]) == 0


def test_a_figure_replaces_an_earlier_one_and_nothing_is_left_of_one_that_fails(folder: Path) -> None:
    plot = ["explain", "m.safetensors", "--inputs", "1,2", "--plot"]
    for name in ("out.svg", "out.png", "out.pdf"):
        for _ in range(2):
            assert main([*plot, name]) == 0


# A checkpoint belongs to its run


def test_a_finished_run_is_not_begun_anew_by_accident(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [*TRAIN, "d.csv", "-o", "n.safetensors", "--checkpoint", "c"]
    assert main(command) == 0
    finished = Path("c").read_bytes()
    assert main(command) == 2
    assert "--resume" in capsys.readouterr().err
    assert main([*command, "--seed", "5", "--resume"]) != 0
    assert Path("c").read_bytes() == finished
    assert main([*command, "--resume"]) == 0
    assert main([*command, "--seed", "5", "--restart"]) == 0
    assert Path("c").read_bytes() != finished


def test_two_runs_do_not_share_a_checkpoint(blobs: gn.Dataset, tmp_path: Path) -> None:
    start = gn.Network.create("3-3-3", output="softmax", seed=0)
    path = tmp_path / "c"
    first = iter(gn.training.epochs(start, blobs, epochs=3, checkpoint=path))
    next(first)
    with pytest.raises(FileError, match="in use by another run"):
        gn.train(start, blobs, epochs=3, checkpoint=path, resume=True)
    list(first)
    assert gn.train(start, blobs, epochs=3, checkpoint=path, resume=True).ended == "all epochs done"
    assert [found.name for found in tmp_path.iterdir()] == ["c"]


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    holder = (
        "import sys, time; from pathlib import Path; from glassnet.files.locking import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path / "c")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(FileError), locked(tmp_path / "c"):
            pass
        process.kill()
    with locked(tmp_path / "c"):
        pass


# Links, pipes, devices, standard output


def test_links_are_followed_and_permissions_kept(network: gn.Network, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    network.save(tmp_path / "real" / "n")
    os.chmod(tmp_path / "real" / "n", 0o640)
    (tmp_path / "link").symlink_to("real/n")
    changed = network.with_parameters(network.parameters + 1)
    changed.save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert gn.load(tmp_path / "real" / "n") == changed
    assert stat.S_IMODE((tmp_path / "real" / "n").stat().st_mode) == 0o640


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(network: gn.Network, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reader.start()
    network.save(pipe)
    reader.join(30)
    assert received == [network.to_bytes()]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_full_device_is_an_error_and_stays_a_device(network: gn.Network) -> None:
    with pytest.raises(FileError, match="No space left"):
        network.save("/dev/full")
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_a_folder_and_a_socket_are_no_places(network: gn.Network, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="a folder"):
        network.save(tmp_path)


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "glassnet", *arguments], capture_output=True, check=True, **options)


def test_standard_output_gets_the_file_alone(folder: Path) -> None:
    trained = run(*TRAIN, "d.csv", "-o", "-")
    Path("got").write_bytes(trained.stdout)
    assert gn.load("got") == gn.load("m.safetensors")
    assert b"saved to standard output" in trained.stderr
    exported = run("export", "m.safetensors", "--to", "python", "-o", "-")
    assert exported.stdout.startswith(b'"""')
    lines = run("predict", "m.safetensors", "d.csv", "-o", "-").stdout.splitlines()
    assert len(lines) == 41
    assert not Path("-").exists()


# All or nothing


@pytest.mark.parametrize(
    "save",
    [
        lambda network, path: network.save(path),
        lambda network, path: gn.export(network, path, "safetensors"),
        lambda network, path: gn.export(network, path, "npz"),
        lambda network, path: gn.plots.save(gn.plots.network(network.trace([1, 0, -1])), path),
    ],
    ids=["network", "safetensors", "npz", "plot"],
)
def test_a_full_disk_leaves_the_old_file(
    network: gn.Network, tmp_path: Path, save: Callable[[gn.Network, Path], None]
) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "out.svg"
    save(network, path)
    before = path.read_bytes()
    larger = gn.Network.create([3, 400, 2], seed=0)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
        with pytest.raises(FileError, match="cannot write"):
            save(larger, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["out.svg"]


def test_what_a_killed_process_left_is_removed_at_the_next_writing(network: gn.Network, tmp_path: Path) -> None:
    script = (
        "import os, sys; from glassnet.files import outputs\n"
        "outputs.write(sys.argv[1], lambda name: os.kill(os.getpid(), 9))"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "n")], check=False)
    (left,) = tmp_path.iterdir()
    running = left.with_name(left.name.replace(left.name.split("-")[-2], str(os.getpid())))
    running.touch()
    network.save(tmp_path / "n")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["n", running.name])


def test_nor_is_what_its_writer_had_under_another_name(network: gn.Network, tmp_path: Path) -> None:
    """As safetensors does, which writes a file of its own beside the one that it was asked for, and renames it."""
    script = (
        "import os, pathlib, sys; from glassnet.files import outputs\n"
        "def fill(name):\n"
        "    pathlib.Path(name).with_name('.tmp3M2KGh').touch()\n"
        "    os.kill(os.getpid(), 9)\n"
        "outputs.write(sys.argv[1], fill)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "n")], check=False)
    assert len(list(tmp_path.iterdir())) == 1
    network.save(tmp_path / "n")
    assert [path.name for path in tmp_path.iterdir()] == ["n"]


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (lambda path: path.write_bytes(b""), ""),
        (lambda path: path.write_text("a,b\n1,2\n"), "text"),
        (lambda path: path.write_text("<!DOCTYPE html><p>"), "an HTML page"),
        (lambda path: path.write_bytes(b"PK\x03\x04 cut"), "a damaged zip file"),
        (lambda path: path.write_bytes((9).to_bytes(8, "little") + b"{nothing}"), "a damaged safetensors file"),
        (lambda path: gn.Network.create("2-1").save(path), NETWORK),
    ],
)
def test_kinds_are_told_by_content(tmp_path: Path, write: Callable[[Path], object], kind: str) -> None:
    write(tmp_path / "file")
    assert kind_of_output(tmp_path / "file") == kind


def test_a_place_is_checked_before_the_work(network: gn.Network, tmp_path: Path) -> None:
    outputs.check(tmp_path / "new", NETWORK)
    network.save(tmp_path / "n")
    outputs.check(tmp_path / "n", NETWORK)
    for place, kind in ((tmp_path / "n", CHECKPOINT), (tmp_path / "none" / "n", NETWORK), (tmp_path, NETWORK)):
        with pytest.raises(FileError):
            outputs.check(place, kind)
