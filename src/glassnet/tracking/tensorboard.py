"""TensorBoard: the figures of a run in a folder that `tensorboard --logdir` shows."""

import os
from types import TracebackType

from glassnet.errors import FileError, MissingExtra
from glassnet.tracking.shared import figures
from glassnet.training.history import Epoch


class TensorBoard:
    """A callback that writes each epoch at once, as scalars named as in `History`; the step is the epoch's number.

    folder   one for each run: runs under the same parent, such as runs/a and runs/b, are shown together

    Raises `MissingExtra` without the package tensorboard, `FileError` for a folder that cannot be written to.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboard.summary import Writer
        except ImportError:
            raise MissingExtra("tensorboard", "tensorboard") from None
        try:
            self._writer = Writer(os.fspath(folder))
        except OSError as problem:
            raise FileError(
                got=f"no way to write into {os.fspath(folder)!r} ({problem.strerror})",
                expected="a folder that can be made or written to",
                do="name another one",
            ) from problem

    def __call__(self, epoch: Epoch) -> None:
        for name, value in figures(epoch).items():
            self._writer.add_scalar(name, value, epoch.number)
        self._writer.flush()

    def close(self) -> None:
        """Close the file; what was written is there already."""
        self._writer.close()

    def __enter__(self) -> "TensorBoard":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
