"""What a figure was measured on, and where it is kept."""

import json
import os
import platform
import resource
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def keep(name: str, figures: Any, packages: tuple[str, ...] = ("numpy",)) -> None:
    """Write figures with the machine and the versions they belong to to `results/NAME.json`."""
    RESULTS.mkdir(exist_ok=True)
    content = {"machine": machine(), "versions": versions(("glassnet", *packages)), "figures": figures}
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


def machine() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


def versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


class OtherWork:
    """How many processors other work took within `with OtherWork() as other:`; that of the machine's host, too."""

    processors = 0.0

    def __enter__(self) -> "OtherWork":
        self._started, self._busy = time.perf_counter(), self._others()
        return self

    def __exit__(self, *_: object) -> None:
        self.processors = (self._others() - self._busy) / (time.perf_counter() - self._started)

    @staticmethod
    def _others() -> float:
        """Seconds of processor time since the machine started; always 0 where the system does not tell (not Linux)."""
        try:
            user, nice, system, _, _, irq, soft_irq, stolen = map(int, Path("/proc/stat").read_text().split()[1:9])
        except OSError:
            return 0.0
        ours = sum(
            used.ru_utime + used.ru_stime
            for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )
        return (user + nice + system + irq + soft_irq + stolen) / os.sysconf("SC_CLK_TCK") - ours


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()
