"""What all writers write."""

from glassnet.training.history import Epoch


def figures(epoch: Epoch) -> dict[str, float]:
    """An epoch's figures by the names that `History` has for them, but for its number, which is the step."""
    return {name: float(value) for name, value in epoch.as_dict().items() if name not in ("number", "best")}
