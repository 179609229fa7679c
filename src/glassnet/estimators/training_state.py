"""State of training, with which fit (warm_start) and partial_fit continue with the bits of one longer run."""

from dataclasses import dataclass, field
from typing import Any

from glassnet.engines import State
from glassnet.estimators.stopping import Patience


@dataclass
class Progress:
    """State between calls, besides the network and the curves.

    Parameters
    ----------
    state : State
        Parameters, slots of the optimizer, number of steps.
    seed : int
        Seed of the order of each epoch, of dropout and of the validation split.
    rule : str
        Name of the optimizer whose slots these are.
    epochs : int
        Number of epochs done.
    cuts : int
        How often "adaptive" has divided the learning rate.
    """

    state: State
    seed: int
    rule: str = ""
    epochs: int = 0
    cuts: int = 0
    patience: Patience = field(default_factory=Patience)
    best: State | None = None

    def resumed(self, rule: str) -> State:
        """State to continue from; another optimizer starts without slots."""
        return self.state if rule == self.rule else State(self.state.parameters, [], self.state.step)

    def as_dict(self) -> dict[str, Any]:
        """Plain values and arrays."""
        return {
            **{key: value for key, value in vars(self).items() if key not in ("state", "best", "patience")},
            "patience": dict(vars(self.patience)),
            "state": dict(vars(self.state)),
            "best": None if self.best is None else dict(vars(self.best)),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Progress":
        """The `Progress` that `as_dict` wrote."""
        parts = {
            "state": State(**values["state"]),
            "patience": Patience(**values["patience"]),
            "best": None if values["best"] is None else State(**values["best"]),
        }
        return cls(**{**values, **parts})
