"""All that training has come to: with it fit (warm_start) and partial_fit go on, with the bits of one longer run."""

from dataclasses import dataclass, field
from typing import Any

from glassnet.engines import State
from glassnet.estimators.stopping import Patience


@dataclass
class Progress:
    """What is kept between calls, besides the network and the curves.

    state     the parameters, the optimizer's memory, the steps taken
    seed      what the order of each epoch, dropout and the held-out part are drawn from
    rule      the name of the optimizer whose memory it is
    epochs    how many are done
    cuts      how often "adaptive" has divided the learning rate
    """

    state: State
    seed: int
    rule: str = ""
    epochs: int = 0
    cuts: int = 0
    patience: Patience = field(default_factory=Patience)
    best: State | None = None

    def resumed(self, rule: str) -> State:
        """Where to go on; another rule starts with no memory."""
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
        """What `as_dict` wrote."""
        parts = {
            "state": State(**values["state"]),
            "patience": Patience(**values["patience"]),
            "best": None if values["best"] is None else State(**values["best"]),
        }
        return cls(**{**values, **parts})
