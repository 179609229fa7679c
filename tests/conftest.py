"""What many tests share: a small network, and tiny data that can be learnt in a moment."""

import os
import subprocess
from collections.abc import Iterator
from typing import Any

# Before numpy is loaded: small products gain nothing from threads, and the tests share two cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

import glassnet as gn
from glassnet.activations import ACTIVATIONS
from glassnet.losses import LOSSES
from glassnet.optimizers import OPTIMIZERS

pytest_plugins = ["golden"]

# No time limit for an example, since machines are busy. The same examples each time, but for `make fuzz`.
settings.register_profile("test", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Iterator[Any]:
    """Show what a program printed that a test ran in vain: its error says only that it failed."""
    report = yield
    error = call.excinfo and call.excinfo.value
    if isinstance(error, subprocess.CalledProcessError | subprocess.TimeoutExpired):
        report.sections += [
            (f"{name} of {error.cmd}", str(text))
            for name, text in (("stdout", error.stdout), ("stderr", error.stderr))
            if text
        ]
    return report


@pytest.fixture(autouse=True)
def own_tables() -> Iterator[None]:
    """What a test registers is known to this test alone: messages list all names."""
    tables: tuple[Any, ...] = (ACTIVATIONS, LOSSES, OPTIMIZERS)
    before = [(dict(table), dict(table.aliases)) for table in tables]
    yield
    for table, (entries, aliases) in zip(tables, before, strict=True):
        if table.keys() != entries.keys() or table.aliases != aliases:
            table.clear()
            table.update(entries)
            table.aliases = aliases


@pytest.fixture
def network() -> gn.Network:
    """3-4-2 with fixed random numbers."""
    return gn.Network.create("3-4-2", "tanh", output="softmax", seed=7)


@pytest.fixture
def blobs() -> gn.Dataset:
    """120 points around three corners: easily told apart."""
    random = np.random.default_rng(0)
    labels = np.arange(120) % 3
    corners = np.array([[0, 0, 2], [0, 2, 0], [2, 0, 0]])
    inputs = corners[labels] + random.normal(0, 0.3, (120, 3))
    return gn.Dataset(inputs.astype(np.float32), labels, gn.Schema(classes=("a", "b", "c")), "blobs")
