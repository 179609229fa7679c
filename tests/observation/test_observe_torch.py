"""Observing PyTorch modules: each neuron against forward hooks of PyTorch, in every type of number."""

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import glassnet as gn
from glassnet.errors import AddressError, InputError, SettingError
from glassnet.neuron import NeuronTrace

torch = pytest.importorskip("torch")
nn = torch.nn

DTYPES = {"float64": torch.float64, "float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SQUISHES = {
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU("tanh"),
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "elu": nn.ELU,
    "leaky_relu": lambda: nn.LeakyReLU(0.01),
    "mish": nn.Mish,
    "softplus": nn.Softplus,
}


def adds_up(trace: NeuronTrace, **options: Any) -> None:
    """The figures as printed are sums, exactly; rounding is a line, and no larger than the type explains."""
    for each in [trace, *([trace.up] if trace.up is not None else [])]:
        assert each.rounding is not None
        assert each.bound is not None
        assert abs(each.rounding) <= each.bound
        assert each.weighted_sum + each.bias + each.rounding == pytest.approx(each.pre_activation, rel=1e-12, abs=1e-15)
        column_adds_up(each.rows(**options))
    column_adds_up(trace.product_rows())


def column_adds_up(rows: Any) -> None:
    carried = Fraction(0)
    for row in rows:
        if row.kind == "total":
            assert Fraction(row.figure.replace(",", "")) == carried, rows
        elif row.kind != "result":
            carried += Fraction(row.figure.replace(",", ""))


def hooked(model: Any, inputs: Any) -> dict[str, tuple[Any, Any]]:
    """Inputs and outputs of each module, by PyTorch's own hooks."""
    seen: dict[str, tuple[Any, Any]] = {}
    handles = [
        module.register_forward_hook(
            lambda _, args, out, name=name: seen.__setitem__(
                name, (args[0].detach().clone().double().numpy(), out.detach().clone().double().numpy())
            )
        )
        for name, module in model.named_modules()
        if not list(module.children())
    ]
    with torch.no_grad():
        model(inputs)
    for handle in handles:
        handle.remove()
    return seen


@settings(deadline=None, max_examples=60)
@given(
    dtype=st.sampled_from(sorted(DTYPES)),
    squish=st.sampled_from(sorted(SQUISHES)),
    sizes=st.tuples(*[st.integers(1, 40)] * 3),
    rows=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
def test_every_neuron_of_a_dense_module_is_what_hooks_see(
    dtype: str, squish: str, sizes: tuple[int, ...], rows: int, seed: int
) -> None:
    torch.manual_seed(seed)
    a, b, c = sizes
    model = nn.Sequential(nn.Linear(a, b), SQUISHES[squish](), nn.Linear(b, c, bias=seed % 2 == 0))
    model = model.to(DTYPES[dtype])
    inputs = torch.randn(rows, a).to(DTYPES[dtype])
    oracle = hooked(model, inputs)
    seen = gn.observe(model, inputs)
    for name, width in (("0", b), ("2", c)):
        before, after = oracle[name]
        for k in range(width):
            trace = seen.neuron(name, k)
            assert trace.inputs.tolist() == before[-1].tolist()
            assert trace.pre_activation == after[-1, k]
            assert trace.weights.tolist() == model[int(name)].weight[k].double().tolist()
            adds_up(trace)
    tolerance = {"float64": 1e-9, "float32": 1e-5}.get(dtype, 2e-2)
    found = seen.layer("0").activation
    if dtype in ("float64", "float32") and b > 3 and found != squish:  # all above 0, many functions are one
        z = oracle["0"][1]
        assert np.allclose(gn.activations.activation(found)(z), oracle["1"][1], atol=2e-6)
    if found != "identity":
        outputs = [seen.neuron("0", k).activation for k in range(b)]
        assert outputs == pytest.approx(oracle["1"][1][-1].tolist(), rel=tolerance, abs=tolerance)


@pytest.mark.parametrize(("precision", "bits"), [("highest", None), ("high", 11), ("medium", 8)])
def test_the_bound_counts_factors_that_are_shortened_in(precision: str, bits: int | None) -> None:
    model, inputs = nn.Sequential(nn.Linear(64, 32)), torch.randn(1, 64)
    usual = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision(precision)
        trace = gn.observe(model, inputs).neuron("0", 3)
        half = gn.observe(model.double(), inputs.double()).neuron("0", 3)
    finally:
        torch.set_float32_matmul_precision(usual)
    size = np.abs(trace.products).sum() + abs(trace.bias)
    assert trace.bound == pytest.approx(size * (2 * 2.0**-bits if bits else 0), rel=0.02, abs=size * 1e-5)
    assert half.bound < size * 1e-12


def test_precision_that_was_set_for_one_library_alone_is_no_obstacle() -> None:
    matmul = torch.backends.cuda.matmul
    usual = matmul.fp32_precision
    try:
        matmul.fp32_precision = "tf32"  # from here on, torch.get_float32_matmul_precision() raises an error
        trace = gn.observe(nn.Sequential(nn.Linear(6, 4)), torch.randn(1, 6)).neuron("0", 3)
    finally:
        matmul.fp32_precision = usual
    adds_up(trace)


@pytest.mark.parametrize("squish", sorted(SQUISHES))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_activation_is_found(squish: str, dtype: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 64), SQUISHES[squish](), nn.Linear(64, 2)).to(DTYPES[dtype])
    layer = gn.observe(model, torch.randn(3, 8)).layer("0") if dtype == "float32" else None
    layer = layer or gn.observe(model, np.random.default_rng(0).normal(size=(3, 8))).layer("0")
    assert (layer.kind, layer.shape, layer.activation) == ("dense", (64, 8), squish)


@settings(deadline=None, max_examples=40)
@given(
    dtype=st.sampled_from(["float32", "float64", "bfloat16"]),
    kernel=st.sampled_from([(1, 1), (3, 3), (2, 3)]),
    stride=st.integers(1, 2),
    padding=st.integers(0, 2),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
    seed=st.integers(0, 100),
)
def test_a_convolution_neuron_is_its_patch_times_its_template(
    dtype: str, kernel: tuple[int, int], stride: int, padding: int, dilation: int, groups: int, seed: int
) -> None:
    torch.manual_seed(seed)
    conv = nn.Conv2d(2, 4, kernel, stride, padding, dilation, groups)
    model = nn.Sequential(conv, nn.ReLU(inplace=True)).to(DTYPES[dtype])
    inputs = torch.randn(2, 2, 7, 8).to(DTYPES[dtype])
    with torch.no_grad():
        z = conv(inputs)[-1].double()
        patches = torch.nn.functional.unfold(inputs.double(), kernel, dilation, padding, stride)[-1]
    seen = gn.observe(model, inputs)
    layer = seen.layer("0")
    assert (layer.kind, layer.activation) == ("convolution", "relu")
    area = kernel[0] * kernel[1]
    for k in range(4):
        channels = slice(0, 2 * area) if groups == 1 else slice(k // 2 * area, (k // 2 + 1) * area)
        for place in np.ndindex(*z.shape[1:]):
            trace = layer.neuron(k, place)
            assert trace.pre_activation == float(z[(k, *place)])
            assert trace.inputs.tolist() == patches[channels, place[0] * z.shape[2] + place[1]].tolist()
            adds_up(trace)
    strongest = seen.neuron("0", 1)
    assert abs(strongest.pre_activation) == float(z[1].abs().max())


def test_attention_with_one_packed_matrix_is_seen() -> None:
    torch.manual_seed(0)
    model = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True).eval()
    x = torch.randn(1, 5, 16)
    seen = gn.observe(model, x, position=2)
    packed = seen.layer("self_attn.in_proj_weight")
    assert (packed.kind, packed.shape) == ("attention projection", (48, 16))
    expected = torch.nn.functional.linear(x, model.self_attn.in_proj_weight, model.self_attn.in_proj_bias)[
        0, 2
    ].detach()
    for k in range(48):
        trace = seen.neuron("self_attn.in_proj_weight", k, position=2)
        assert trace.pre_activation == pytest.approx(float(expected[k]), abs=1e-6)
        adds_up(trace)
    assert seen.layer("linear1").activation == "relu"
    assert torch.backends.mha.get_fastpath_enabled()


class Twice(nn.Module):
    """One layer that is called twice, an activation in place, and a residual in place."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(6, 6)

    def forward(self, x: Any) -> Any:
        first = self.fc(x)
        torch.relu_(first)
        second = self.fc(first)
        second += x
        return second


def test_calls_are_told_apart_and_what_happens_in_place_changes_nothing() -> None:
    torch.manual_seed(0)
    model, x = Twice(), torch.randn(1, 6)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    seen = gn.observe(model, x)
    assert [layer.name for layer in seen.layers] == ["fc", "fc#2"]
    with torch.no_grad():
        first = model.fc(x)
        second = model.fc(first.relu())
    assert [seen.neuron("fc", k).pre_activation for k in range(6)] == first[0].tolist()
    assert [seen.neuron("fc#2", k).pre_activation for k in range(6)] == second[0].tolist()
    assert seen.neuron("fc#2", 0).inputs.tolist() == first.relu()[0].tolist()
    assert seen.layer("fc").activation == "relu"
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


class Gated(nn.Module):
    def __init__(self, fused: bool, turns: bool = False) -> None:
        super().__init__()
        self.fused, self.turns = fused, turns
        self.gate_up = nn.Linear(6, 40, bias=False) if fused else None
        self.gate = None if fused else nn.Linear(6, 20)
        self.up = None if fused else nn.Linear(6, 20)
        self.down = nn.Linear(20, 6)

    def forward(self, x: Any) -> Any:
        if not self.fused:
            return self.down(torch.nn.functional.silu(self.gate(x)) * self.up(x))
        both = self.gate_up(x)
        gate, up = (both[..., ::2], both[..., 1::2]) if self.turns else both.chunk(2, dim=-1)
        return self.down(torch.nn.functional.gelu(gate) * up)


@pytest.mark.parametrize(("fused", "turns"), [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_gated_neurons_are_two_sums_and_a_product(fused: bool, turns: bool, dtype: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(Gated(fused, turns)).to(DTYPES[dtype])
    x = torch.randn(3, 6).to(DTYPES[dtype])
    oracle = hooked(model, x)
    seen = gn.observe(model, x)
    layer = seen.layer("0")
    assert (layer.kind, layer.shape) == ("gated", (20, 6))
    assert layer.activation == ("gelu" if fused else "silu") or dtype == "bfloat16"
    assert seen.layer("0.gate_up" if fused else "0.gate") is layer
    for k in range(20):
        trace = seen.neuron("0", k)
        assert trace.output == oracle["0.down"][0][-1, k]
        product = trace.activation * trace.up.pre_activation
        assert trace.output == pytest.approx(product, rel=2e-2 if dtype == "bfloat16" else 1e-5, abs=1e-7)
        adds_up(trace)
    text = str(seen.neuron("0", 3))
    assert re.search(r"gate\n.*\n.*up\n.*activation x up\n", text, re.S), text


def test_autocast_copies_of_weights_are_known_as_what_they_copy() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 4))

    class Cast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, x: Any) -> Any:
            with torch.autocast("cpu", torch.bfloat16):
                return self.inner(x)

    seen = gn.observe(Cast(), torch.randn(2, 8))
    assert [layer.name for layer in seen.layers] == ["inner.0"]
    for k in range(4):
        trace = seen.neuron("inner.0", k)
        assert trace.weights.tolist() == model[0].weight[k].bfloat16().double().tolist()
        adds_up(trace)


def test_all_positions_of_one_layer_or_one_of_all() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    x = torch.randn(5, 4)
    assert [layer.positions for layer in gn.observe(model, x).layers] == [(4,), (4,)]
    assert [layer.positions for layer in gn.observe(model, x, position=1).layers] == [(1,), (1,)]
    one = gn.observe(model, x, layers=["0"])
    assert [(layer.name, layer.positions) for layer in one.layers] == [("0", (0, 1, 2, 3, 4))]
    z = model[0](x).detach()
    for row in range(5):
        assert one.neuron("0", 1, position=row).pre_activation == pytest.approx(float(z[row, 1]), abs=1e-6)


def test_only_the_layer_asked_for_takes_memory() -> None:
    """Beside the model: the layer's own activations, and the little that finding its activation takes."""
    import tracemalloc

    torch.manual_seed(0)
    model = nn.Sequential(*[nn.Sequential(nn.Linear(256, 256), nn.ReLU()) for _ in range(16)])
    x = torch.randn(2000, 256)
    gn.observe(model, x, layers=["7.0"])
    layer = 2 * 2000 * 256 * 4  # inputs and outputs in float32
    tracemalloc.start()
    one = gn.observe(model, x, layers=["7.0"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [seen.name for seen in one.layers] == ["7.0"]
    assert layer <= peak < 1.2 * layer + 2000 * 256 * 4  # and the model's outputs, as an array


def test_attribution_of_a_classifier_adds_up() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 30), nn.Tanh(), nn.Linear(30, 3))
    x = torch.randn(1, 4)
    seen = gn.observe(model, x)
    logits = model(x)[0].tolist()
    assert [o.logit for o in seen.outputs] == sorted(logits, reverse=True)
    found = seen.attribution("output 1", against=2)
    assert found.total == pytest.approx(logits[1] - logits[2], abs=1e-6)
    assert sum(value for _, value in found.parts) == pytest.approx(found.total, abs=1e-12)
    given_each = (torch.tanh(model[0](x))[0] * (model[2].weight[1] - model[2].weight[2])).tolist()
    for neuron in found.neurons:
        expected = given_each[neuron.index]
        assert (neuron.layer, neuron.contribution) == ("0", pytest.approx(expected, abs=1e-6))
    assert "and 20 more neurons" in str(found)


def test_the_mode_of_each_module_comes_back() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    gn.observe(model, np.ones((2, 3)))
    assert [module.training for module in model.modules()] == [True, True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_model_that_changed_since_is_refused() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3))
    seen = gn.observe(model, np.ones((1, 3)))
    with torch.no_grad():
        model[0].weight.mul_(2)
    with pytest.raises(InputError, match="0.weight was changed since the model was observed"):
        seen.neuron("0", 0)


def test_what_no_product_shows_is_said() -> None:
    seen = gn.observe(nn.Sequential(nn.LSTM(3, 4)), torch.randn(2, 1, 3))
    assert "0.weight_ih_l0" in seen.unseen or [layer.name for layer in seen.layers]
    assert bool(seen.unseen) == ("not seen in any product" in str(seen))


ONE, NINE = np.ones((1, 4)), np.ones((9, 4))
MODEL = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda: gn.observe(MODEL, np.ones((1, 5))), InputError, "Sequential cannot compute these inputs: mat1"),
        (lambda: gn.observe(MODEL), InputError, "expected either inputs or text, got neither"),
        (lambda: gn.observe(MODEL, text="a"), InputError, "text for a Sequential without a tokenizer"),
        (lambda: gn.observe(MODEL, [[1, np.nan, 1, 1]]), InputError, "NaN or infinite values in inputs"),
        (lambda: gn.observe(MODEL, [[1, 2], [3]]), InputError, "rows of different lengths in inputs"),
        (lambda: gn.observe(MODEL, ["a"]), InputError, "inputs of type <U1: expected real numbers"),
        (lambda: gn.observe(3, [1.0]), InputError, "cannot observe a builtins.int: expected a PyTorch"),
        (lambda: gn.observe(MODEL, ONE, position="x"), SettingError, "position is 'x', expected a whole"),
        (lambda: gn.observe(MODEL, ONE, layers=["O"]), AddressError, "no layer 'O' among the 2 seen"),
        (lambda: gn.observe(MODEL, ONE).layer("00"), AddressError, "did you mean 0?"),
        (lambda: gn.observe(MODEL, ONE).neuron("0", 3), AddressError, "no neuron 3 in 0: expected one from 0"),
        (lambda: gn.observe(MODEL, NINE).neuron("0", 0, 9), AddressError, "no position 9 in layer 0"),
        (lambda: gn.observe(MODEL, NINE).neuron("0", 0, 2), AddressError, "position 2 of layer 0 was not kept"),
        (lambda: gn.observe(MODEL, ONE).attribution("cat"), AddressError, "no output 'cat' among 2"),
        (lambda: gn.observe(MODEL, ONE).attribution(7), AddressError, "no output 7: expected one from 0 to 1"),
        (lambda: gn.observe(nn.Sequential(*MODEL, nn.LayerNorm(2)), ONE).attribution(), SettingError,
         "not those of one layer, so no output can be shared out exactly"),
    ],
)  # fmt: skip
def test_bad_input_has_one_clear_message(ask: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        ask()
