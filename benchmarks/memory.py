"""The most memory that a command held at once: `python memory.py COMMAND...` runs it and prints megabytes.

A process of its own, and a small one: a child inherits the mark of what started it.
"""

import resource
import subprocess
import sys
from pathlib import Path


def peak(command: list[str]) -> float:
    """In megabytes (10^6 bytes), of the whole process."""
    asked = [sys.executable, __file__, *command]
    return float(subprocess.run(asked, cwd=Path(__file__).parent, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    unit = 1 if sys.platform == "darwin" else 1024
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit / 1e6)


if __name__ == "__main__":
    main()
