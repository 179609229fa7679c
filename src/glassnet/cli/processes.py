"""A command on many processes, started by torchrun: all do it, the first alone speaks, each tells of its failure."""

import os
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glassnet.distributed import ProcessGroup


def launched() -> bool:
    """Whether this is one of many processes."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def first() -> bool:
    """Whether this process is the only one, or the one that speaks."""
    return not launched() or os.environ["RANK"] == "0"


def name() -> str:
    """What to call this process in messages: "" if it is the only one."""
    return f" rank {os.environ['RANK']} of {os.environ['WORLD_SIZE']}:" if launched() else ""


def share() -> tuple[int, int]:
    """Which share of the work is ours: k of n."""
    return int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


def group(device: str | None) -> "AbstractContextManager[ProcessGroup | None]":
    """Joined with the others, or None where there are none."""
    if not launched():
        return nullcontext()
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")  # its stack traces bury our one line
    from glassnet.distributed import joined

    return joined(device or "cpu")
