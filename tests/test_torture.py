"""A short slice of `make torture`: kills, failing calls, changed and hostile files, slow clients."""

import subprocess
import sys
from pathlib import Path


def test_a_slice_of_it_is_survived() -> None:
    ran = subprocess.run(
        [sys.executable, Path(__file__).with_name("torture"), "60"],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    print(ran.stdout, ran.stderr)
    assert "FAULT" not in ran.stdout
    assert ran.returncode == 0
