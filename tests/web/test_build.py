"""The page that the package brings is what `frontend/` gives, and small; licences of what it bundles are listed."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "frontend"
PAGE = ROOT / "src" / "glassnet" / "web" / "page" / "page.html.gz"
NODE = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{NODE}{os.pathsep}{os.environ['PATH']}"}


def unpacked(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()


def test_the_page_in_the_package_is_built_from_the_sources(tmp_path: Path) -> None:
    """Built anew; needs `frontend/node_modules`, which `make page-check` installs."""
    command = [NODE / "npm", "--prefix", FRONTEND, "exec", "--", "vite", "build", "--outDir", tmp_path]
    run = subprocess.run(command, cwd=FRONTEND, env=ENVIRONMENT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert [path.name for path in tmp_path.iterdir()] == [PAGE.name]
    assert unpacked(tmp_path / PAGE.name) == unpacked(PAGE), "run `make page` and commit what it writes"


def test_a_first_visit_is_light() -> None:
    assert [path.name for path in PAGE.parent.iterdir()] == [PAGE.name]
    assert PAGE.stat().st_size < 260_000


def test_licences_of_all_that_is_bundled_are_listed() -> None:
    assert "## svelte - " in unpacked(PAGE)
