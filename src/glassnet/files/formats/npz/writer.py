"""npz: the tensors by name, as numpy.load reads them, the notes as JSON in a member beside them. No pickle."""

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from glassnet.files.metadata import PLACES
from glassnet.files.writing import folded, noted, sequential_tensors

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network


def filling(network: "Network", path: Path) -> "Filling":
    tensors = sequential_tensors(folded(network))
    texts = json.dumps(noted(network))

    def fill(name: str) -> None:
        # Opened here: numpy.savez would add a suffix to a name, and a ZipFile that cannot open a file to add to it
        # begins anew, without a word.
        with open(name, "w+b") as file:
            np.savez(file, allow_pickle=False, **tensors)
            with zipfile.ZipFile(file, "a") as archive:
                archive.writestr(zipfile.ZipInfo(PLACES[1]), texts)

    return fill
