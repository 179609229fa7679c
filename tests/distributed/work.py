"""What a process of the tests does with its task. A module of its own, so that a new process finds it by name."""

import os
import traceback
from collections.abc import Callable
from typing import Any, NamedTuple

from glassnet.errors import GlassnetError


class Outcome(NamedTuple):
    """What a process gave: a value, or an error's message; None twice if it was killed."""

    value: Any
    error: str | None


def work(task: Callable[..., Any], arguments: tuple[Any, ...], environment: dict[str, str], answer: Any) -> None:
    os.environ.update(environment)
    try:
        outcome = Outcome(task(*arguments), None)
    except GlassnetError as problem:
        outcome = Outcome(None, f"{type(problem).__name__}: {problem}")
    except Exception:
        outcome = Outcome(None, traceback.format_exc())
    answer.send(outcome)
    answer.close()
