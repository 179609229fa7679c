"""Explanations: what each number of a network does, and what changes if it were another.

All start from a network and its trace; none computes a number of its own. Results print as text that adds up and give
plain values with `as_dict()`.

    a neuron        template, bias_response, activation_alternatives, activation_curve, neuron_summary
    a prediction    overview, affine_map, attribution            all of it on a screen; what each input contributes
    the parameters  sensitivity                                  which ones matter, each changed and measured
    all neurons     activity                                     active, dead, constant, saturated
    without some    ablation                                     what each is worth, and how many are needed
    groups of them  neuron_groups                                equal, proportional, opposite, constant
    two networks    compare, matched                             same structure, same function, where they differ
                    similarity, neuron_similarity                of any two structures: layers (CKA), neurons
    perturbations   scramble, noise, prune, round_bits, perturbation
    a training run  record                                       every batch again, exactly
"""

from typing import TYPE_CHECKING

from glassnet import lazy

if TYPE_CHECKING:
    from glassnet.explain.ablations import Ablation, NeuronAblation, SetAblation, ablation
    from glassnet.explain.activation_curves import (
        ActivationAlternatives,
        ActivationCurve,
        activation_alternatives,
        activation_curve,
    )
    from glassnet.explain.activities import Activity, activity
    from glassnet.explain.answer_changes import AnswerChanges, ClassChange, Move
    from glassnet.explain.attributions import AffineMap, Attribution, affine_map, attribution
    from glassnet.explain.biases import BiasResponse, bias_response
    from glassnet.explain.comparison import Comparison, compare
    from glassnet.explain.groups import NeuronGroup, neuron_groups
    from glassnet.explain.matching import Matching, matched
    from glassnet.explain.overviews import Overview, overview
    from glassnet.explain.perturbations import Perturbation, noise, perturbation, prune, round_bits, scramble
    from glassnet.explain.recording import ParameterUpdates, Recording, record
    from glassnet.explain.sensitivities import Change, ParameterSensitivity, Sensitivity, sensitivity
    from glassnet.explain.similarities import NeuronSimilarity, Similarity, neuron_similarity, similarity
    from glassnet.explain.templates import Template, template
    from glassnet.explain.wording import neuron_summary

__getattr__, __dir__, __all__ = lazy.attach(
    __name__,
    {
        "Ablation": "ablations",
        "ActivationAlternatives": "activation_curves",
        "ActivationCurve": "activation_curves",
        "Activity": "activities",
        "AffineMap": "attributions",
        "AnswerChanges": "answer_changes",
        "Attribution": "attributions",
        "BiasResponse": "biases",
        "Change": "sensitivities",
        "ClassChange": "answer_changes",
        "Comparison": "comparison",
        "Matching": "matching",
        "NeuronAblation": "ablations",
        "Move": "answer_changes",
        "NeuronGroup": "groups",
        "NeuronSimilarity": "similarities",
        "ParameterUpdates": "recording",
        "Overview": "overviews",
        "ParameterSensitivity": "sensitivities",
        "Perturbation": "perturbations",
        "Recording": "recording",
        "Sensitivity": "sensitivities",
        "SetAblation": "ablations",
        "Similarity": "similarities",
        "Template": "templates",
        "ablation": "ablations",
        "activation_alternatives": "activation_curves",
        "activation_curve": "activation_curves",
        "activity": "activities",
        "affine_map": "attributions",
        "attribution": "attributions",
        "bias_response": "biases",
        "compare": "comparison",
        "matched": "matching",
        "neuron_groups": "groups",
        "neuron_similarity": "similarities",
        "neuron_summary": "wording",
        "noise": "perturbations",
        "overview": "overviews",
        "perturbation": "perturbations",
        "prune": "perturbations",
        "record": "recording",
        "round_bits": "perturbations",
        "scramble": "perturbations",
        "sensitivity": "sensitivities",
        "similarity": "similarities",
        "template": "templates",
    },
)
