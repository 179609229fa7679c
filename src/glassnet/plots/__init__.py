"""Plots with matplotlib: one kind of plot per file, each a function from a glassnet value to a `Figure`.

    figure = gn.plots.network(network.trace(x))
    gn.plots.save(figure, "seven.svg")

No plot computes a number of its own, and no global state changes: what is drawn comes from the value, and sums add up
as shown. Every function takes `style="light"` (print) or `style="dark"` (slides). Matplotlib is an extra, imported when
the first of these names is used; files of this folder import only `style` and `input_picture` of one another, except
`explanation_page`, which puts several plots on one page.
"""

from typing import TYPE_CHECKING, Any

from glassnet import lazy
from glassnet.errors import MissingExtra

if TYPE_CHECKING:
    from glassnet.plots.ablation_chart import ablation as ablation
    from glassnet.plots.activation_curves import activation_curve as activation_curve
    from glassnet.plots.comparison_chart import comparison as comparison
    from glassnet.plots.confusion_matrix import confusion as confusion
    from glassnet.plots.confusion_pair import confusions as confusions
    from glassnet.plots.explanation_page import explain as explain
    from glassnet.plots.network_picture import network as network
    from glassnet.plots.saving import save as save
    from glassnet.plots.similarity_matrix import similarity as similarity
    from glassnet.plots.template_grid import templates as templates
    from glassnet.plots.training_curves import history as history
    from glassnet.plots.waterfall_chart import waterfall as waterfall


_get, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "ablation": "ablation_chart",
        "activation_curve": "activation_curves",
        "comparison": "comparison_chart",
        "confusion": "confusion_matrix",
        "confusions": "confusion_pair",
        "explain": "explanation_page",
        "history": "training_curves",
        "network": "network_picture",
        "save": "saving",
        "similarity": "similarity_matrix",
        "templates": "template_grid",
        "waterfall": "waterfall_chart",
    },
)


def __getattr__(name: str) -> Any:
    try:
        return _get(name)
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] != "matplotlib":
            raise
        raise MissingExtra("matplotlib", "plots") from None
