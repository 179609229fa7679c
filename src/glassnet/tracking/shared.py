"""Common part of the tracking callbacks."""

from glassnet.training.history import Epoch


def figures(epoch: Epoch) -> dict[str, float]:
    """Losses and measures of an epoch by their names in `History`, without its number, which is the step."""
    return {name: float(value) for name, value in epoch.as_dict().items() if name not in ("number", "best")}
