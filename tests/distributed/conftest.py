"""Processes for the tests: forked from a server that has torch loaded, so that a world is there in a moment."""

import multiprocessing
import os
import traceback
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from torch.distributed import TCPStore

from glassnet.errors import GlassnetError

LOADED = ["glassnet.distributed.shards", "glassnet.units", "pyarrow.dataset", "pyarrow.parquet", "torch._dynamo"]
"""What the server has imported before it forks."""
TIMEOUT = 60
"""Seconds that a world may take."""


class Outcome(NamedTuple):
    """What a process gave: a value, or an error's message; None twice if it was killed."""

    value: Any
    error: str | None


def _work(task: Callable[..., Any], arguments: tuple[Any, ...], environment: dict[str, str], answer: Any) -> None:
    os.environ.update(environment)
    try:
        outcome = Outcome(task(*arguments), None)
    except GlassnetError as problem:
        outcome = Outcome(None, f"{type(problem).__name__}: {problem}")
    except Exception:
        outcome = Outcome(None, traceback.format_exc())
    answer.send(outcome)
    answer.close()


@pytest.fixture
def on() -> Callable[..., list[Outcome]]:
    """`on(3, task, ...)`: the outcomes of a task on 3 processes. `environment` is theirs, or a function of the rank."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LOADED)

    def run(size: int, task: Callable[..., Any], *arguments: Any, environment: Any = None) -> list[Outcome]:
        store = TCPStore("127.0.0.1", 0, None, True, timedelta(seconds=TIMEOUT), wait_for_workers=False)
        started = []
        for rank in range(size):
            own = environment(rank) if callable(environment) else environment or {}
            settings = {
                "RANK": f"{rank}",
                "WORLD_SIZE": f"{size}",
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": f"{store.port}",
                "TORCHELASTIC_USE_AGENT_STORE": "True",  # the test keeps the store, as torchrun does
                "TORCH_CPP_LOG_LEVEL": "FATAL",
                "OMP_NUM_THREADS": "1",
            }
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(task, arguments, settings | own, theirs), daemon=True)
            process.start()
            theirs.close()
            started.append((process, ours))
        outcomes = []
        for process, answer in started:
            try:
                outcomes.append(answer.recv() if answer.poll(TIMEOUT) else Outcome(None, "no end"))
            except EOFError:  # killed
                outcomes.append(Outcome(None, None))
            process.kill()
            process.join()
        return outcomes

    return run
