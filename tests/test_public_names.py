"""The public shelf and the package: what is handed on, and what comes with an installation."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import glassnet as gn

ROOT = Path(__file__).parent.parent


def test_every_name_on_the_shelf_is_there() -> None:
    for name in gn.__all__:
        assert getattr(gn, name) is not None
    assert set(gn.__all__) <= set(dir(gn))


def test_names_that_are_not_there_are_told() -> None:
    with pytest.raises(AttributeError, match="module 'glassnet' has no attribute 'Netwrok'"):
        gn.Netwrok  # noqa: B018


def test_importing_it_imports_nothing_heavy() -> None:
    script = "import sys, glassnet; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "rich", "PIL", "safetensors", "pyarrow", "torch"} & set(loaded)


def test_an_sdist_holds_all_that_its_tests_need(tmp_path: Path) -> None:
    build = [sys.executable, "setup.py", "--quiet", "sdist", "--dist-dir", str(tmp_path)]
    subprocess.run(build, check=True, capture_output=True, cwd=ROOT)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        names = {name.partition("/")[2] for name in file.getnames()}
    wanted = [path for folder in ("tests", "docs", "kernel", "frontend/src") for path in (ROOT / folder).rglob("*")]
    kept = {str(path.relative_to(ROOT)) for path in wanted if path.is_file() and "__pycache__" not in path.parts}
    assert {"Makefile", "frontend/package-lock.json", ".ci/run", *kept} <= names


def test_a_wheel_holds_digits_kernel_types_and_licences_and_trains(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert any("_kernel" in name for name in names)
    data = ("data/mnist.npz", "data/mnist.LICENSE.md", "py.typed", "web/examples/digits-sigmoid.safetensors")
    for needed in data:
        assert f"glassnet/{needed}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    target = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    script = (
        "import glassnet as gn; train, test = gn.data.digits(); start = gn.Network.create('784-8-10', seed=0)\n"
        "run = gn.training.epochs(start, train[:500], epochs=1); list(run)\n"
        "print(gn.__file__, len(train), len(test), run.chosen_engine.name)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(target)}, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == [str(target / "glassnet" / "__init__.py"), "60000", "10000", "native"]
