"""How soon it is there: imports and small commands, as whole processes, in turn and repeated, medians and ratios."""

import statistics
import subprocess
import sys
import time

from machine import keep

REPEATS = 15
JOBS = {
    "import numpy": [sys.executable, "-c", "import numpy"],
    "import glassnet": [sys.executable, "-c", "import glassnet"],
    "import glassnet, make a Network": [sys.executable, "-c", "import glassnet; glassnet.Network.create('3-2')"],
    "glassnet --help": [sys.executable, "-m", "glassnet", "--help"],
    "glassnet count 784-16-16-10": [sys.executable, "-m", "glassnet", "count", "784-16-16-10"],
}


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in JOBS}
    for _ in range(REPEATS):
        for name, command in JOBS.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - started)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    print(f"start-up, medians of {REPEATS} runs of each in turn\n{'':<34} seconds  times numpy's")
    for name, median in medians.items():
        print(f"{name:<34} {median:7.3f}  {median / medians['import numpy']:13.2f}")
    print()
    keep("startup", medians)


if __name__ == "__main__":
    main()
