"""Pictures of values: one kind of picture a file, each a function from a glassnet value to a matplotlib `Figure`.

    figure = gn.plots.network(network.trace(x))
    gn.plots.save(figure, "seven.svg")

No picture computes a number of its own, and no global state is touched: what is drawn comes from the value given, and
sums that are shown add up as shown. Every function takes `style="light"` (print) or `style="dark"` (slides).
Matplotlib is an extra, and imported when the first of these names is used; files of this folder import only `style`
and `shared` of one another, but for `whole`, which puts several pictures on one page.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from glassnet.errors import MissingExtra

_SHELF = {
    "network": "discs",
    "templates": "grid",
    "waterfall": "steps",
    "squish_curve": "curve",
    "history": "epochs",
    "confusion": "matrix",
    "comparison": "versus",
    "explain": "whole",
    "save": "saving",
}

__all__ = [*_SHELF]

if TYPE_CHECKING:
    from glassnet.plots.curve import squish_curve as squish_curve
    from glassnet.plots.discs import network as network
    from glassnet.plots.epochs import history as history
    from glassnet.plots.grid import templates as templates
    from glassnet.plots.matrix import confusion as confusion
    from glassnet.plots.saving import save as save
    from glassnet.plots.steps import waterfall as waterfall
    from glassnet.plots.versus import comparison as comparison
    from glassnet.plots.whole import explain as explain


def __getattr__(name: str) -> Any:
    if name not in _SHELF:
        raise AttributeError(f"module 'glassnet.plots' has no attribute {name!r}")
    try:
        value = getattr(import_module(f"glassnet.plots.{_SHELF[name]}"), name)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "matplotlib":
            raise
        raise MissingExtra("matplotlib", "plots") from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
