"""How a run is going, on standard error: a line for each epoch, and in a terminal a bar for the epoch under way."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from glassnet.cli.shared import say
from glassnet.history import Epoch


class Told:
    """Lines only, as a log file wants them."""

    def __init__(self, epochs: int, held_out: str) -> None:
        self.epochs, self.held_out = epochs, held_out

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
        return "   ".join([*parts, f"{epoch.seconds:.1f} s"])


class Bar(Told):
    """Lines above a bar that is drawn over again."""

    def __init__(self, epochs: int, held_out: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        super().__init__(epochs, held_out)
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
def told(epochs: int, held_out: str) -> Iterator[Told]:
    """Tell of a run of so many epochs, in the way that standard error can show; `held_out` names the data looked at."""
    if not sys.stderr.isatty():
        yield Told(epochs, held_out)
        return
    bar = Bar(epochs, held_out)
    with bar.bar:
        yield bar
