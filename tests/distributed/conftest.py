"""Processes for the tests: forked from a server that has torch loaded, so that a world is there in a moment."""

import multiprocessing
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from torch.distributed import TCPStore
from work import Outcome, work

LOADED = [
    "glassnet.distributed.sharded_files",
    "glassnet.training.target_scaling",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "torch._dynamo",
]
"""What the server has imported before it forks."""
TIMEOUT = 240
"""Seconds that a world may take."""


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
            process = context.Process(target=work, args=(task, arguments, settings | own, theirs), daemon=True)
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
