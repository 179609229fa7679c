"""Training: settings checked once (`fit`), then a run that goes epoch by epoch (`run`)."""

from glassnet.training.fit import Training, epochs, train, train_many
from glassnet.training.history import Epoch, History
from glassnet.training.run import DivergedError, Run

__all__ = ["DivergedError", "Epoch", "History", "Run", "Training", "epochs", "train", "train_many"]
