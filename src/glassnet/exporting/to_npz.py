"""npz: the tensors by name, as numpy.load reads them, the notes as plain texts beside them. No pickle."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet.exporting.shared import noted, sequential_tensors

if TYPE_CHECKING:
    from glassnet.exporting import Filling
    from glassnet.network import Network


def filling(network: "Network", path: Path) -> "Filling":
    tensors = sequential_tensors(network)
    texts = {name: np.array(text) for name, text in noted(network).items()}

    def fill(name: str) -> None:
        with open(name, "wb") as file:  # numpy.savez would add a suffix to a name
            np.savez(file, allow_pickle=False, **tensors, **texts)

    return fill
