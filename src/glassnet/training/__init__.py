"""Training: `fit` validates the settings once, `run` then computes epoch by epoch."""

from glassnet.training.fit import Training, epochs, train, train_many
from glassnet.training.history import Epoch, History
from glassnet.training.run import DivergedError, Run

__all__ = ["DivergedError", "Epoch", "History", "Run", "Training", "epochs", "train", "train_many"]
