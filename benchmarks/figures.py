"""What is measured: contestants of one job side by side, in turns, and how they are printed and kept.

A time is a list of all that was seen; the median counts, and nothing is left out.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Entry:
    """One contestant: all its values, and how many times the first one's its median is asked to be."""

    who: str
    values: list[float] = field(default_factory=list)
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""
    loss: float | None = None
    quality: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)


@dataclass
class Figure:
    """A job and its contestants; the first is what the others are held against. In seconds, or in `unit`."""

    job: str
    entries: list[Entry]
    unit: str = "s"
    limit: float | None = None
    """What the first one's median itself may be at most."""
    others: float = 0.0
    """Processors that other work took while this was measured."""

    def ratio(self, entry: Entry) -> float:
        return entry.median / self.entries[0].median

    def reached(self, entry: Entry) -> bool | None:
        """Whether the entry is as asked for; None where nothing was asked."""
        if entry is self.entries[0]:
            return None if self.limit is None else entry.median <= self.limit
        if entry.at_least is None and entry.at_most is None:
            return None
        return (entry.at_least or 0) <= self.ratio(entry) <= (entry.at_most or float("inf"))

    def __str__(self) -> str:
        lines = [self.job]
        for entry in self.entries:
            ratio = asked = ""
            if entry is not self.entries[0]:
                ratio = f"{self.ratio(entry):.2f} x" if self.ratio(entry) < 10 else f"{self.ratio(entry):.1f} x"
                asked = f">= {entry.at_least:g}" if entry.at_least else f"<= {entry.at_most:g}" if entry.at_most else ""
            elif self.limit is not None:
                asked = f"<= {readable(self.limit, self.unit)}"
            verdict = {None: "", True: "yes", False: "NO"}[self.reached(entry)]
            loss = "" if entry.loss is None else f"{entry.loss:.4f}"
            taken = readable(entry.median, self.unit)
            who = f"{entry.who} ({entry.note})" if entry.note else entry.who
            lines.append(
                f"  {who:<30} {taken:>9} {ratio:>8} {asked:>9} {verdict:>3}  {loss:>7}  {entry.quality}".rstrip()
            )
        if self.others > 0.1:
            lines.append(f"  (meanwhile other work took {self.others:.2f} processors)")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        entries = [
            {
                **entry.__dict__,
                "median": entry.median,
                "ratio": self.ratio(entry),
                "reached": self.reached(entry),
            }
            for entry in self.entries
        ]
        return {"job": self.job, "unit": self.unit, "limit": self.limit, "others": self.others, "entries": entries}


HEADING = f"{'':<32} {'median':>9} {'ratio':>8} {'asked for':>9} {'':>3}  {'loss':>7}  on test data"


def readable(value: float, unit: str) -> str:
    if unit != "s":
        return f"{value:.0f} {unit}"
    for size, name in ((1, "s"), (1e-3, "ms")):
        if value >= size:
            return f"{value / size:.3g} {name}"
    return f"{value * 1e6:.3g} us"


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def take_turns(works: list[tuple[Entry, Callable[[], Any]]], repeats: int, share: float = 1.0) -> None:
    """Fill each entry's values: one run of each in turn, again and again. `share` of a run is what counts."""
    for _ in range(repeats):
        for entry, work in works:
            entry.values.append(seconds(work) * share)
