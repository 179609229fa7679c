"""The page that the package brings is what `frontend/` gives, and small; licences of what it bundles are listed."""

import filecmp
import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from glassnet.activations import ACTIVATIONS
from glassnet.engines import native

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
PAGE = ROOT / "src" / "glassnet" / "web" / "page"
NODE = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}"}


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The page built anew; needs `frontend/node_modules`, which `make page-check` installs."""
    folder = tmp_path_factory.mktemp("page")
    for mode in ([], ["--mode", "offline"]):
        command = [NODE / "npm", "--prefix", FRONTEND, "exec", "--", "vite", "build", "--outDir", folder, *mode]
        run = subprocess.run(command, cwd=FRONTEND, env=ENVIRONMENT, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
    return folder


def test_the_page_in_the_package_is_built_from_the_sources(built):
    assert files(built) == files(PAGE)
    differing = [name for name in files(built) if not filecmp.cmp(built / name, PAGE / name, shallow=False)]
    assert differing == [], "run `make page` and commit what it writes"


def test_a_first_visit_is_light():
    packed = {path.name: len(gzip.compress(path.read_bytes())) for path in (PAGE / "assets").iterdir()}
    assert sum(size for name, size in packed.items() if name.endswith((".js", ".css"))) < 200_000
    assert packed["kernel.wasm"] < 60_000


def test_licences_of_all_that_is_bundled_are_listed():
    listed = (PAGE / "licences.md").read_text()
    for package in ("svelte",):
        assert f"## {package} - " in listed


def test_names_are_the_kernels():
    """The page's lists of names are Python's, in the kernel's order."""
    script = (
        "import { SQUISHES, LOSSES, OPTIMIZERS } from './src/core/names.ts';"
        "console.log([SQUISHES, LOSSES, OPTIMIZERS].join(' '))"
    )
    run = subprocess.run(
        [NODE / "node", "--input-type=module", "-e", script], cwd=FRONTEND, capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [",".join(names) for names in (native.SQUISHES, native.LOSS_KINDS, native.RULES)]
    assert set(native.SQUISHES) == set(ACTIVATIONS)
