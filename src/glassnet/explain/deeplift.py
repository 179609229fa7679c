"""DeepLIFT's rescale rule: what a neuron passes on is its change divided by that of its pre-activation.

    multiplier of an input = sum over neurons of weight * (a - a') / (z - z') * multiplier of the neuron

where a', z' are those at a baseline. Products of multipliers and changes of the inputs add up to the change of the
logit exactly, in one pass (A. Shrikumar, P. Greenside, A. Kundaje, "Learning Important Features Through Propagating
Activation Differences", 2017). Averaged over many baselines it is what SHAP calls DeepExplainer.
"""

import numpy as np

from glassnet.activations import activation
from glassnet.arrays import Array
from glassnet.explain import backward
from glassnet.trace import Trace

CLOSE = 1e-6
"""Pre-activations nearer than this: the slope takes the place of the quotient, as in the authors' own program."""


def multipliers(at_input: Trace, at_baseline: Trace, head: Array) -> Array:
    """The multiplier (fan_in,) of each input for `head @ logits`."""
    rows = backward.times(head[None], at_input.layers[-1].weights)
    for here, there in reversed(list(zip(at_input.layers[:-1], at_baseline.layers[:-1], strict=True))):
        z, z0 = here.pre_activations.astype(np.float64), there.pre_activations.astype(np.float64)
        a, a0 = here.activations.astype(np.float64), there.activations.astype(np.float64)
        apart = np.abs(z - z0) > CLOSE
        slopes = activation(here.activation_name).slope(z, a)
        passed = np.divide(a - a0, z - z0, out=np.array(slopes, np.float64), where=apart)
        rows = backward.times(rows * passed, here.weights)
    return rows[0]
