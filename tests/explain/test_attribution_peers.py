"""Attributions beside Captum's and SHAP's, on the same networks, inputs and baselines."""

import warnings

import numpy as np
import pytest
import torch
from captum.attr import DeepLift, IntegratedGradients, LayerConductance
from torch import nn

import glassnet as gn
from glassnet.explain import attribution

SMOOTH = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
KINDS = {"relu": nn.ReLU, **SMOOTH}


def pair(activation: str, seed: int = 0) -> tuple[gn.Network, nn.Sequential, np.ndarray, np.ndarray]:
    """A network with two hidden layers, the same as a module in float64, an input and a baseline."""
    random = np.random.default_rng(seed)
    sizes = [6, 9, 7, 3]
    network = gn.Network.create(sizes, activation, output="identity", seed=seed, dtype="float64")
    network = network.with_parameters(network.parameters + random.normal(0, 0.3, len(network.parameters)))
    modules: list[nn.Module] = []
    for i, layer in enumerate(network.layers):
        linear = nn.Linear(sizes[i], sizes[i + 1]).double()
        with torch.no_grad():
            linear.weight[:] = torch.from_numpy(np.array(layer.weights))
            linear.bias[:] = torch.from_numpy(np.array(layer.biases))
        modules += [linear, KINDS[activation]()] if i < 2 else [linear]
    return network, nn.Sequential(*modules), random.normal(size=6), random.normal(size=6)


def tensors(*values: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(value[None]) for value in values]


@pytest.mark.parametrize(("activation", "within"), [("tanh", 1e-6), ("sigmoid", 1e-6), ("relu", 2e-3)])
def test_integrated_gradients_are_captums(activation: str, within: float) -> None:
    """Captum takes fixed points: of a relu, whose slope jumps on the path, even 4,000 of them are not exact."""
    for seed in range(5):
        network, module, x, baseline = pair(activation, seed)
        found = attribution(network, x, 1, baseline=baseline)
        x_, baseline_ = tensors(x, baseline)
        peer = IntegratedGradients(module).attribute(x_, baseline_, target=1, n_steps=4000)
        np.testing.assert_allclose(found.contributions, peer[0].numpy(), atol=within)
        assert found.error < 1e-6


@pytest.mark.parametrize(("activation", "within"), [("tanh", 1e-3), ("sigmoid", 1e-3), ("relu", 5e-3)])
@pytest.mark.parametrize("layer", [0, 1])
def test_conductances_are_captums(activation: str, within: float, layer: int) -> None:
    for seed in range(3):
        network, module, x, baseline = pair(activation, seed)
        found = attribution(network, x, 2, baseline=baseline, layer=layer)
        x_, baseline_ = tensors(x, baseline)
        peer = LayerConductance(module, module[2 * layer + 1]).attribute(x_, baseline_, target=2, n_steps=2000)
        np.testing.assert_allclose(found.contributions, peer[0].detach().numpy(), atol=within)
        assert found.error < 1e-6


@pytest.mark.parametrize("activation", KINDS)
@pytest.mark.filterwarnings("ignore")
def test_deeplift_is_captums(activation: str) -> None:
    for seed in range(5):
        network, module, x, baseline = pair(activation, seed)
        found = attribution(network, x, 0, baseline=baseline, method="deeplift")
        x_, baseline_ = tensors(x, baseline)
        peer = DeepLift(module).attribute(x_, baseline_, target=0)
        np.testing.assert_allclose(found.contributions, peer[0].detach().numpy(), atol=1e-9)
        assert found.error < 1e-9


@pytest.mark.parametrize("activation", KINDS)
def test_deeplift_over_a_background_is_shaps_deep_explainer(activation: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap

        network, module, x, _ = pair(activation, 7)
        background = np.random.default_rng(1).normal(size=(20, 6))
        explainer = shap.DeepExplainer(module.float(), torch.from_numpy(background).float())
        peer = np.asarray(explainer.shap_values(torch.from_numpy(x[None]).float(), check_additivity=False))
    for output in range(3):
        found = attribution(network, x, output, baseline=background, method="deeplift")
        np.testing.assert_allclose(found.contributions, peer[0, :, output], atol=1e-5)
        assert found.bias_contribution == pytest.approx(float(network(background)[:, output].mean()))
        assert found.error < 1e-9


def test_a_neuron_is_taken_apart_as_the_output_of_a_shorter_network() -> None:
    network, module, x, baseline = pair("tanh", 3)
    found = attribution(network, x, neuron=(1, 4), baseline=baseline)
    x_, baseline_ = tensors(x, baseline)
    peer = IntegratedGradients(module[:3]).attribute(x_, baseline_, target=4, n_steps=4000)
    np.testing.assert_allclose(found.contributions, peer[0].numpy(), atol=1e-6)
    assert found.total == pytest.approx(network.trace(x).neuron(1, 4).pre_activation)
    assert "z of neuron 1:4" in str(found)
