"""The next item made ready in a thread while this one is worked on: reading beside computing."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """The same items in the same order, one ahead; what making one raises is raised when its turn has come."""
    iterator = iter(items)
    done = object()
    with ThreadPoolExecutor(1, thread_name_prefix="glassnet-ahead") as thread:
        coming = thread.submit(next, iterator, done)
        while (item := coming.result()) is not done:
            coming = thread.submit(next, iterator, done)
            yield item  # type: ignore[misc]
