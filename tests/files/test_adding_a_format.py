"""Adding a file format touches one folder and one line of the registry, and nothing else."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import glassnet as gn

READER = '''
"""A toy format: the magic bytes TOY1, then the tensors as an .npz archive."""

import io

import numpy as np

from glassnet.files.formats.npz import reader

MAGIC = b"TOY1"


def recognises(head, path):
    return head.startswith(MAGIC)


def open_file(path):
    arrays = np.load(io.BytesIO(path.read_bytes()[4:]), allow_pickle=False)
    plain = path.with_name(path.name + ".plain.npz")
    np.savez(plain, **arrays)
    file = reader.open_file(plain)
    file.format = "toy"
    return file
'''
LAYERS = '''
"""The layers of a toy file: w0, b0, w1, b1, ..., all tanh."""

from glassnet.files.layer_graph import Chain
from glassnet.schema import Schema


def of_file(file):
    count = len(file.tensors) // 2
    sizes = [file.info(f"b{i}").count for i in range(count)]
    return Chain([(file.rows(f"w{i}", slice(0, n)), file.flat(f"b{i}", 0, n), "tanh")
                  for i, n in enumerate(sizes)], Schema())
'''
WRITER = '''
"""A network as a toy file."""

import io

import numpy as np


def filling(network, path):
    tensors = {}
    for i, layer in enumerate(network.layers):
        tensors |= {f"w{i}": layer.weights, f"b{i}": layer.biases}
    buffer = io.BytesIO()
    np.savez(buffer, **tensors)

    def fill(name):
        with open(name, "wb") as file:
            file.write(b"TOY1" + buffer.getvalue())

    return fill
'''
LINE = '        Format("toy", "Toy", ".toy"),\n'
USE = """
import sys
import numpy as np
import glassnet as gn
assert gn.__file__.startswith(sys.argv[1]), gn.__file__
network = gn.Network.create("3-4-2", "tanh", output="tanh", seed=7)
gn.export(network, "a.toy", to="toy")
gn.export(network, "by_suffix.toy")
gn.export(network, "b.bin", to="toy")                      # recognised by content, not by name
with gn.open("b.bin") as file:
    assert file.count().total == 26, file.count().total
    assert file.count().format == "toy"
loaded = gn.load("b.bin")
assert np.array_equal(loaded.parameters, network.parameters)
assert loaded.architecture == network.architecture
"""


def test_a_format_is_one_folder_and_one_line(tmp_path: Path) -> None:
    package = Path(gn.__file__).parent
    source = tmp_path / "src"
    shutil.copytree(package, source / "glassnet", ignore=shutil.ignore_patterns("__pycache__", "page", "mnist.npz"))
    folder = source / "glassnet/files/formats/toy"
    folder.mkdir()
    for name, text in (("__init__", ""), ("reader", READER), ("layers", LAYERS), ("writer", WRITER)):
        (folder / f"{name}.py").write_text(text)
    registry = source / "glassnet/files/registry.py"
    before = registry.read_text()
    last = '        Format("html", "HTML", ".html"),\n'
    assert last in before
    registry.write_text(before.replace(last, last + LINE))

    def run(*words: str) -> str:
        environment = {**os.environ, "PYTHONPATH": str(source)}
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("-c", USE, str(source))
    command = ("-m", "glassnet")
    assert "26" in run(*command, "inspect", "b.bin")
    assert "toy" in run(*command, "export", "--help")
    assert "Toy" in run(*command, "inspect", "--help")
    run(*command, "export", "a.toy", "--to", "onnx", "-o", "a.onnx")
    run(*command, "export", "a.onnx", "--to", "toy", "-o", "back.toy")
    assert (tmp_path / "back.toy").read_bytes()[:4] == b"TOY1"
    (tmp_path / "none.bin").write_bytes(b"nothing known")
    refused = subprocess.run(
        [sys.executable, *command, "inspect", "none.bin"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Toy" in refused.stderr
