"""Each system call of each kind of save fails once, at each place: the old file stays or the new one is there.

Runs as a process of its own under LD_PRELOAD: `python failing_calls.py FOLDER`, which prints a line of JSON.
"""

import ctypes
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

CALLS = {
    "open": (errno.ENOSPC, errno.EMFILE, errno.EACCES),
    "write": (errno.ENOSPC, errno.EIO),
    "short write": (0,),
    "fsync": (errno.EIO,),
    "close": (errno.EIO, errno.ENOSPC),
    "rename": (errno.EACCES, errno.EXDEV),
    "unlink": (errno.EACCES,),
    "chmod": (errno.EPERM,),
    "ftruncate": (errno.ENOSPC,),
    "mkdir": (errno.ENOSPC,),
}
SUFFIXES = {
    "python": ".py",
    "c": ".c",
    "html": ".html",
    "onnx": ".onnx",
    "npz": ".npz",
    "torch": ".pt",
    "keras": ".keras",
    "sklearn": ".skops",
}


class FailedCalls(NamedTuple):
    tried: int
    told: int
    """Ended with an error of glassnet's own; the others succeeded all the same."""
    faults: list[str]
    """A traceback, a crash, a file that is neither the old one nor the new one, or one left behind."""


def failing_calls(folder: Path) -> FailedCalls:
    """Compile the failing calls and run the saves under them."""
    library = folder / "failing_calls.so"
    source = Path(__file__).with_name("failing_calls.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    environment = {**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ran = subprocess.run(
        [sys.executable, __file__, str(folder)], capture_output=True, text=True, env=environment, check=False
    )
    if ran.returncode:
        raise AssertionError(ran.stderr)
    return FailedCalls(*json.loads(ran.stdout.splitlines()[-1]))


def _saves() -> dict[str, Callable[[Path], None]]:
    import glassnet as gn
    from glassnet.cli import main

    network = gn.Network.create([4, 8, 3], ["relu", "softmax"], seed=1)
    other = gn.Network.create([4, 8, 3], ["relu", "softmax"], seed=2)
    small, data = _run()

    def train(path: Path) -> None:
        gn.train(small, data, epochs=2, checkpoint=path, restart=True)

    def command(path: Path) -> None:
        quiet = ["train", "circle", "--epochs", "1", "-o", str(path)]
        if main(quiet) not in (0, 1):
            raise AssertionError("the command ended with another status than 0 and 1")

    formats = ("npz", "onnx", "python", "safetensors", "torch", "keras", "sklearn", "c", "html")
    return {
        "save": network.save,
        "checkpoint": train,
        "command": command,
        **{f"export {to}": lambda path, to=to: gn.export(other, path, to) for to in formats},
    }


def _tried(folder: Path) -> FailedCalls:
    from child import in_child  # beside this file

    from glassnet.errors import GlassnetError

    shim = ctypes.CDLL(str(folder / "failing_calls.so"))
    shim.calls_seen.restype = ctypes.c_long
    tried, told, faults = 0, 0, []

    def attempt(save: Callable[[Path], None], place: Path, call: str, number: int, error: int) -> tuple[str, int]:
        """How a save ended whose call of this number failed (0: none), and how many calls there were."""
        shim.arm(call.encode(), ctypes.c_long(number), error)
        try:
            save(place)
            how = "saved"
        except (GlassnetError, KeyboardInterrupt):
            how = "told"
        seen = shim.calls_seen()
        shim.arm(b"", ctypes.c_long(0), 0)
        return how, seen

    for name, save in _saves().items():
        suffix = SUFFIXES.get(name.removeprefix("export "), ".safetensors")
        place = folder / name / f"file{suffix}"
        place.parent.mkdir(exist_ok=True)

        place.unlink(missing_ok=True)
        save(place)  # here, so that the children need not import what it imports
        old = place.read_bytes()
        for call, errors in CALLS.items():
            places = in_child(partial(attempt, save, place, call, 0, 0)).value[1]
            for number in range(1, places + 1):
                for error in errors:
                    place.write_bytes(old)
                    outcome = in_child(partial(attempt, save, place, call, number, error))
                    what = f"{name}: {call} number {number} with {errno.errorcode.get(error, 'half')}"
                    tried += 1
                    if outcome.how != "answered":
                        faults.append(f"{what}: {outcome.how} {outcome.value}")
                        continue
                    told += outcome.value[0] == "told"
                    if not _is_whole(name, place, old):
                        faults.append(f"{what}: the file is damaged")
                    for left in place.parent.iterdir():
                        if left != place and not left.name.endswith(".lock") and call != "unlink":
                            faults.append(f"{what}: {left.name} is left")
                            left.unlink()
    return FailedCalls(tried, told, faults)


def _is_whole(name: str, place: Path, old: bytes) -> bool:
    """Whether it is the old file, the new one, or a run's checkpoint of either epoch, which can be resumed."""
    if not place.exists():
        return False
    content = place.read_bytes()
    if name != "checkpoint":
        return len(content) == len(old)  # zip files carry their time
    import glassnet as gn
    from glassnet.errors import GlassnetError

    small, data = _run()
    try:
        resumed = gn.train(small, data, epochs=2, checkpoint=place, resume=True).network
    except GlassnetError:
        return False
    return resumed == gn.train(small, data, epochs=2).network


def _run() -> tuple[Any, Any]:
    import glassnet as gn

    return gn.Network.create([2, 4, 2], ["relu", "softmax"], seed=0), gn.data.circle(100, seed=0)


if __name__ == "__main__":
    print(json.dumps(_tried(Path(sys.argv[1]))))
