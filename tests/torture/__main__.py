"""Everything that glassnet must survive, for a bounded time: `python tests/torture [seconds]`, or `make torture`.

Prints each figure and ends with status 1 where something did not hold.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from torture import survived
from torture.failing_calls import failing_calls
from torture.hostile import hostile
from torture.kills import kills
from torture.mutations import mutations
from torture.slow_clients import slow_clients


def main(seconds: float) -> int:
    """All parts, in about this time."""
    faults, began = [], time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        for part in ("kills", "calls", "hostile", "mutations"):
            Path(name, part).mkdir()
        found = {
            "kills and exact resumes": lambda: kills(Path(name, "kills"), 200, seconds * 0.4),
            "failing calls of saves": lambda: failing_calls(Path(name, "calls")),
            "hostile files": lambda: hostile(Path(name, "hostile")),
            "slow clients": lambda: slow_clients(seconds * 0.05),
            "changed files": lambda: mutations(Path(name, "mutations"), 5000, seconds * 0.4),
        }
        for what, part in found.items():
            result = part()
            print(f"{what}:", flush=True)
            for line in survived.lines(result):
                print(f"  {line}", flush=True)
            faults += survived.faults(result)
    print(f"{time.monotonic() - began:.0f} s")
    for fault in faults:
        print(f"FAULT {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 900))
