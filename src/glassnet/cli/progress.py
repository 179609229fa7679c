"""Progress of a run on standard error: a line for each epoch, and in a terminal a bar for the current epoch."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from glassnet.cli.options import say
from glassnet.cli.processes import first
from glassnet.training.history import Epoch

SECONDS_BETWEEN_COUNTS = 0.1


class Log:
    """A line for each epoch, for log files."""

    def __init__(self, epochs: int, held_out: str, rows: int | None) -> None:
        self.epochs, self.held_out, self.rows = epochs, held_out, rows

    def epoch(self, epoch: Epoch) -> None:
        """One epoch is done."""
        say(self.line(epoch))

    def batches(self, done: int, total: int) -> None:
        """Some batches of an epoch are done."""

    def line(self, epoch: Epoch) -> str:
        """`epoch  3/15   loss 0.2380   test: loss 0.2094, accuracy 93.92%   0.6 s`, within 80 columns."""
        parts = [f"epoch {epoch.number:>{len(str(self.epochs))}}/{self.epochs}", f"loss {epoch.loss:.4f}"]
        if epoch.validation_loss is not None:
            accuracy = "" if epoch.validation_accuracy is None else f", accuracy {epoch.validation_accuracy:.2%}"
            parts.append(f"{self.held_out}: loss {epoch.validation_loss:.4f}{accuracy}")
        rate = "" if self.rows is None else f", {per_second(self.rows, epoch.seconds)}"
        return "   ".join([*parts, f"{epoch.seconds:.1f} s{rate}"])


class Bar(Log):
    """Lines above a bar that is drawn over again."""

    def __init__(self, epochs: int, held_out: str, rows: int | None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        super().__init__(epochs, held_out, rows)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self.bar = Progress(*columns, console=Console(stderr=True, highlight=False), transient=True)
        self._done = 0
        self._task = self.bar.add_task("training", total=float(epochs))

    def epoch(self, epoch: Epoch) -> None:
        self._done = epoch.number
        self.bar.console.print(self.line(epoch))

    def batches(self, done: int, total: int) -> None:
        self.bar.update(self._task, completed=self._done + done / total)


@contextmanager
def reported(epochs: int, held_out: str, rows: int | None = None, as_json: bool = False) -> Iterator[Log]:
    """Report the progress of a run on standard error. `held_out` names the validation data; with `rows`, the rows of an
    epoch, lines show the rate."""
    if as_json or not (sys.stderr.isatty() and first()):
        yield (Lines if as_json else Log)(epochs, held_out, rows)
        return
    bar = Bar(epochs, held_out, rows)
    with bar.bar:
        yield bar


class Lines(Log):
    """A JSON object for each epoch, for machines."""

    def line(self, epoch: Epoch) -> str:
        """The epoch's figures, and how many rows it took in a second."""
        rate = {} if self.rows is None else {"rows_per_second": self.rows / max(epoch.seconds, 1e-9)}
        return json.dumps(epoch.as_dict() | rate)


class Rate:
    """How reading goes: called with what is done, so many rows and all rows. A line at the end; in a terminal it is
    there from the beginning, and counts."""

    def __init__(self) -> None:
        self._started = self._last = time.perf_counter()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.perf_counter()
        rate = per_second(done, now - self._started)
        if done == total:
            clear = "\r\033[K" if sys.stderr.isatty() else ""
            say(f"{clear}{what} {total:,} rows in {now - self._started:.1f} s, {rate}")
            self._started = now
        elif sys.stderr.isatty() and now - self._last > SECONDS_BETWEEN_COUNTS:
            print(f"\r\033[K{what} {done:,} of {total:,} rows, {rate}", end="", file=sys.stderr, flush=True)
            self._last = now


def per_second(rows: int, seconds: float) -> str:
    """`1,200,000 rows/s`, to two digits."""
    rate = f"{rows / max(seconds, 1e-9):.2g}"
    return f"{float(rate):,.0f} rows/s"
