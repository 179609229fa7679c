"""Explanations: what each number of a network did, and what would be if it were another.

All start from a network and its trace; none computes a number of its own. Results print as text that adds up, and give
plain values with `as_dict()`. This is the shelf; names are imported when they are first used.

    a neuron        template, eagerness, squishes, curve         what it looks for, how ready it is, its squish
    a prediction    overview, affine_map, shares                 all of it on a screen; what each input gave
    the knobs       knobs                                        which numbers matter, nudged and seen
    all neurons     activity                                     awake, dead, saturated
    two networks    compare, matched                             same structure, same function, where they part
    values          scramble, noise, prune, round_bits, experiment
    a run           record                                       every batch again, exactly
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_SHELF = {
    "Activity": "activities",
    "AffineMap": "attribution",
    "Comparison": "comparison",
    "Curve": "other_squishes",
    "Eagerness": "biases",
    "Experiment": "experiments",
    "Knob": "sensitivity",
    "Knobs": "sensitivity",
    "Matching": "matching",
    "Movers": "recording",
    "Nudge": "sensitivity",
    "Overview": "screen",
    "Recording": "recording",
    "Shares": "attribution",
    "Squishes": "other_squishes",
    "Template": "templates",
    "activity": "activities",
    "affine_map": "attribution",
    "compare": "comparison",
    "curve": "other_squishes",
    "eagerness": "biases",
    "experiment": "experiments",
    "knobs": "sensitivity",
    "matched": "matching",
    "neuron_words": "words",
    "noise": "experiments",
    "overview": "screen",
    "prune": "experiments",
    "record": "recording",
    "round_bits": "experiments",
    "scramble": "experiments",
    "shares": "attribution",
    "squishes": "other_squishes",
    "template": "templates",
}

__all__ = list(_SHELF)

if TYPE_CHECKING:
    from glassnet.explain.activities import Activity, activity
    from glassnet.explain.attribution import AffineMap, Shares, affine_map, shares
    from glassnet.explain.biases import Eagerness, eagerness
    from glassnet.explain.comparison import Comparison, compare
    from glassnet.explain.experiments import Experiment, experiment, noise, prune, round_bits, scramble
    from glassnet.explain.matching import Matching, matched
    from glassnet.explain.other_squishes import Curve, Squishes, curve, squishes
    from glassnet.explain.recording import Movers, Recording, record
    from glassnet.explain.screen import Overview, overview
    from glassnet.explain.sensitivity import Knob, Knobs, Nudge, knobs
    from glassnet.explain.templates import Template, template
    from glassnet.explain.words import neuron_words


def __getattr__(name: str) -> Any:
    if name not in _SHELF:
        raise AttributeError(f"module 'glassnet.explain' has no attribute {name!r}")
    value = getattr(import_module(f"glassnet.explain.{_SHELF[name]}"), name)
    globals()[name] = value  # the next look is direct, and no module of the same name stands in its way
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
