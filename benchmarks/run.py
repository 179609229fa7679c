"""All benchmarks in turn: what `make bench` runs."""

import subprocess
import sys
from pathlib import Path

BENCHMARKS = (
    *("startup", "opening", "speed", "accuracy", "nielsen"),
    *("explain_attribution", "explain_compare", "explain_recording", "explain_trace", "model_files"),
    *("estimators", "out_of_core", "page_frames", "page_training"),
)


def main() -> None:
    for name in BENCHMARKS:
        subprocess.run([sys.executable, Path(__file__).parent / f"{name}.py"], check=True)


if __name__ == "__main__":
    main()
