"""Experiment tracking: callbacks that write the losses and measures of each epoch to a tracker.

    with gn.tracking.TensorBoard("runs/digits") as board:
        gn.train(start, data, callbacks=[board])

A callback is called with each `Epoch`, so these also serve a loop of one's own: `for epoch in run: board(epoch)`.
"""

from glassnet.tracking.mlflow import MLflow
from glassnet.tracking.tensorboard import TensorBoard

__all__ = ["MLflow", "TensorBoard"]
