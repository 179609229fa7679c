"""Which positions of which layers an observation keeps."""

import re
from collections.abc import Sequence

from glassnet.observation.observation import no_layer


class Selection:
    """Which positions of which layers are kept: all of the layers named, or one of all."""

    def __init__(self, layers: Sequence[str] | None, position: int | None) -> None:
        self.layers = None if layers is None else tuple([layers] if isinstance(layers, str) else layers)
        self.position = position

    def __call__(self, name: str) -> Sequence[int] | None:
        one = [-1 if self.position is None else self.position]
        if self.layers is None:
            return one
        if any(within(name, layer) for layer in self.layers):
            return one if self.position is not None else None
        return []

    def check(self, products: Sequence[str], layers: Sequence[str]) -> None:
        """`AddressError` for a layer that is not there, with the nearest names."""
        for layer in self.layers or ():
            if not any(within(name, layer) for name in products):
                raise no_layer(layer, list(layers))


def within(name: str, layer: str) -> bool:
    """Whether a product is a layer's, or one inside of it; `mlp.experts[3]` holds `mlp.experts.gate_up_proj[3]`."""
    expert = re.fullmatch(r"(.+)(\[\d+\])", layer)
    if expert is not None and name.startswith(f"{expert[1]}.") and name.endswith(expert[2]):
        return True
    return name == layer or name.startswith((f"{layer}.", f"{layer}/", f"{layer}[", f"{layer}#"))


def first_line(problem: BaseException) -> str:
    """The first line of another library's message."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0][:300]
