"""The processes of one run: how they join, agree, and fail together.

torchrun (or another launcher that sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT) starts them; `joined` connects
them. In a `collective` context, an error in one process is raised in all, with its rank.
"""

import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from glassnet.errors import GlassnetError, MissingExtra, SettingError

try:
    import torch.distributed as dist
    from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]
except ModuleNotFoundError as error:
    if error.name != "torch":
        raise
    raise MissingExtra("torch", "torch") from None

JOINING, ANSWERING = 60.0, 600.0
"""Timeouts in seconds for joining and for answers; GLASSNET_TIMEOUT sets both."""


LOST = r"gloo|nccl|connection|socket|time[d-]?.?out"
"""Matches PyTorch's errors when another process is gone."""


class ProcessGroupError(GlassnetError, RuntimeError):
    """A failure in one of the processes, or between them; all of them raise it."""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of a run; `joined` makes one.

    Parameters
    ----------
    rank : int
        This process, from 0.
    size : int
        Number of processes.
    store : torch.distributed.Store
        Shared key-value store.
    """

    rank: int
    size: int
    store: Any

    def __str__(self) -> str:
        return f"rank {self.rank} of {self.size}"

    def all_gather(self, value: Any) -> list[Any]:
        """Gather a value from each process, ordered by rank; all must call it."""
        values = [None] * self.size
        dist.all_gather_object(values, value)
        return values

    @contextmanager
    def collective(self) -> Iterator[None]:
        """Context whose body all processes run; if one fails, all raise before any continues."""
        problem: Exception | None = None
        try:
            yield
        except Exception as error:
            problem = error
        found = self.all_gather(None if problem is None else f"{problem}" or type(problem).__name__)
        failed = [rank for rank, message in enumerate(found) if message is not None]
        if not failed:
            return
        if problem is not None and len(failed) == self.size and len(set(found)) == 1:
            raise problem  # the same error everywhere is raised as by one process
        raise _failed(failed[0], self.size, found[failed[0]]) from problem

    def check_same(self, settings: dict[str, Any]) -> None:
        """Raise `SettingError` on all processes unless these settings are equal on all."""
        everyone = self.all_gather(settings)
        for rank, theirs in enumerate(everyone):
            for key, value in everyone[0].items():
                if theirs.get(key) != value:
                    raise SettingError(
                        f"rank {rank} has {key} {theirs.get(key)!r}, but rank 0 has {value!r}",
                        help="start all processes with the same command, data and versions",
                    )

    def failure(self, problem: BaseException) -> BaseException:
        """The error to raise when this process stops for `problem`; reports it to the others, or theirs."""
        lost = isinstance(problem, RuntimeError) and re.search(LOST, str(problem), re.IGNORECASE)
        try:
            if not lost:
                self.store.compare_set("failure", "", f"{self.rank} {problem or type(problem).__name__}")
                return problem
            if self.store.check(["failure"]):  # written before the connection closes
                rank, message = self.store.get("failure").decode().split(" ", 1)
                return _failed(int(rank), self.size, message)
            missing = self._missing()
        except RuntimeError:  # the store is gone with the process that held it
            missing = [0]
        if not lost:
            return problem
        return ProcessGroupError(
            f"{self} got no answer from rank {', '.join(map(str, missing)) or 'unknown'} within "
            f"{_timeout(ANSWERING).seconds} s",
            help="read the last messages of that process; without any it was killed or hangs",
        )

    def _missing(self) -> list[int]:
        """Ranks that do not report within a second that they lost a process too."""
        self.store.set(f"here/{self.rank}", "")
        missing: list[int] = []
        for _ in range(10):
            missing = [rank for rank in range(self.size) if not self.store.check([f"here/{rank}"])]
            if len(missing) == 1:
                break
            time.sleep(0.1)
        return missing


def restarted() -> bool:
    """Whether torchrun has restarted these processes after a failure.

    Returns
    -------
    bool

    Examples
    --------
    >>> from glassnet import distributed
    >>> distributed.restarted()
    False
    """
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0


@contextmanager
def joined(device: str = "cpu") -> Iterator[ProcessGroup]:
    """Join the processes that torchrun has started.

    Inside the context, the group is ready for torch.distributed. An error raised inside is reported to the other
    processes, which raise a `ProcessGroupError` that names this one.

    Parameters
    ----------
    device : str, default "cpu"
        "cpu" or "cuda".

    Yields
    ------
    ProcessGroup

    Raises
    ------
    SettingError
        If the environment variables of torchrun are missing or wrong.
    ProcessGroupError
        If the other processes do not join in time, or belong to another group.

    Examples
    --------
    >>> from glassnet import distributed
    >>> with distributed.joined() as group:                # doctest: +SKIP
    ...     run = distributed.epochs(group, network, data)
    """
    group = _join()
    try:
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if device.startswith("cuda") else "gloo",
            store=group.store,
            rank=group.rank,
            world_size=group.size,
            timeout=_timeout(ANSWERING),
        )
    except RuntimeError as error:
        raise _incomplete(group, f"{error}") from None
    try:
        yield group
    except BaseException as problem:
        reported = group.failure(problem)
        if reported is problem:
            raise
        raise reported from problem
    finally:
        dist.destroy_process_group()


def _join() -> ProcessGroup:
    """Connect to the store of rank 0 or torchrun."""
    try:
        rank, size, port = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"))
        host = os.environ["MASTER_ADDR"]
    except (KeyError, ValueError) as error:
        raise SettingError(
            f"no usable environment variable {error}: processes are started with RANK, WORLD_SIZE, MASTER_ADDR "
            "and MASTER_PORT",
            help="start with torchrun, which sets them",
        ) from None
    group = f"rank {rank} of {size}"
    if not 0 <= rank < size:
        raise SettingError(f"{group}: expected a rank from 0 to {size - 1}", help="correct RANK or WORLD_SIZE")
    hosts_store = rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True"
    try:
        store = TCPStore(host, port, None, hosts_store, _timeout(JOINING), wait_for_workers=False)
    except RuntimeError as error:
        raise ProcessGroupError(
            f"{group} cannot reach rank 0 at {host}:{port} within {_timeout(JOINING).seconds} s "
            f"({str(error).splitlines()[0]})",
            help="check MASTER_ADDR and MASTER_PORT, and that rank 0 was started",
        ) from None
    attempt = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    found = ProcessGroup(rank, size, PrefixStore(f"glassnet/{attempt}", store))
    _meet(found)
    return found


def _meet(group: ProcessGroup) -> None:
    """Raise `ProcessGroupError` unless all processes are there and agree on the size of the group."""
    group.store.set(f"size/{group.rank}", f"{group.size}")
    for rank in range(group.size) if group.rank == 0 else (0,):
        try:
            size = int(group.store.get(f"size/{rank}"))
        except RuntimeError:
            raise _incomplete(group, f"rank {rank} is not there") from None
        if size != group.size:
            raise ProcessGroupError(
                f"WORLD_SIZE is {size} on rank {rank}, but {group.size} on rank {group.rank}",
                help="start all hosts with the same numbers of nodes and processes",
            )


def _incomplete(group: ProcessGroup, why: str) -> ProcessGroupError:
    return ProcessGroupError(
        f"{group} did not meet all {group.size} processes within {_timeout(JOINING).seconds} s: {why.splitlines()[0]}",
        help="check that the others were started, and read their messages",
    )


def _failed(rank: int, size: int, message: str) -> ProcessGroupError:
    return ProcessGroupError(f"rank {rank} of {size} failed: {message}")


def _timeout(usual: float) -> timedelta:
    return timedelta(seconds=float(os.environ.get("GLASSNET_TIMEOUT") or usual))
