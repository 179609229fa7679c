"""TensorBoard: losses and measures of a run in a folder that `tensorboard --logdir` shows."""

import os
from types import TracebackType

from glassnet.errors import FileError, MissingExtra
from glassnet.tracking.shared import figures
from glassnet.training.history import Epoch


class TensorBoard:
    """Callback that writes each epoch as scalars, named as in `History`; the step is the number of the epoch.

    Parameters
    ----------
    folder : str or path
        One for each run: runs under the same parent, such as runs/a and runs/b, are shown together.

    Raises
    ------
    FileError
        If the folder cannot be written.
    MissingExtra
        If tensorboard is not installed.

    Examples
    --------
    >>> import glassnet as gn
    >>> with gn.tracking.TensorBoard("runs/digits") as board:            # doctest: +SKIP
    ...     gn.train(network, data, callbacks=[board])
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboard.summary import Writer
        except ImportError:
            raise MissingExtra("tensorboard", "tensorboard") from None
        try:
            self._writer = Writer(os.fspath(folder))
        except OSError as problem:
            raise FileError(f"cannot write into {os.fspath(folder)!r}: {problem.strerror}") from problem

    def __call__(self, epoch: Epoch) -> None:
        for name, value in figures(epoch).items():
            self._writer.add_scalar(name, value, epoch.number)
        self._writer.flush()

    def close(self) -> None:
        """Close the file; all epochs are written already."""
        self._writer.close()

    def __enter__(self) -> "TensorBoard":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
