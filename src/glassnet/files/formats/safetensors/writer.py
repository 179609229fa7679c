"""safetensors: plain names, as PyTorch's Sequential has them, the notes in the metadata."""

from pathlib import Path
from typing import TYPE_CHECKING

from glassnet.files.writing import folded, noted, sequential_tensors

if TYPE_CHECKING:
    from glassnet.files.exporting import Filling
    from glassnet.network import Network


def filling(network: "Network", path: Path) -> "Filling":
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    tensors = sequential_tensors(folded(network))

    def fill(name: str) -> None:
        try:
            save_file(tensors, name, {"format": "pt", **noted(network)})
        except SafetensorError as problem:  # how it reports a full disk
            raise OSError(str(problem)) from problem

    return fill
