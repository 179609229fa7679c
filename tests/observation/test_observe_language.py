"""Observing language models: every family, every neuron, against forward hooks and the model's own logits."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_observe_torch import adds_up, column_adds_up
from tiny_models import FAMILIES, folder, made, torch, transformers

import glassnet as gn
from glassnet.cli import main
from glassnet.errors import AddressError, FileError, GlassnetError, InputError, SettingError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")

IDS = [5, 6, 7, 8, 9, 10, 11]
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
NO_NEURONS = {"mamba"}


def hooked(model: Any, ids: list[int]) -> tuple[dict[str, tuple[Any, Any]], Any]:
    """Inputs and outputs of each linear module, by PyTorch's own hooks, and the logits."""
    seen: dict[str, tuple[Any, Any]] = {}
    handles = [
        module.register_forward_hook(
            lambda _, args, out, name=name: seen.__setitem__(
                name, (args[0].detach().clone().double().numpy(), out.detach().clone().double().numpy())
            )
        )
        for name, module in model.named_modules()
        if type(module).__name__ in ("Linear", "Conv1D", "FalconLinear")
    ]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids])).logits[0].double().numpy()
    for handle in handles:
        handle.remove()
    return seen, logits


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_neuron_of_every_family(family: str, dtype: str) -> None:
    """The parts of each likely token add up to its logit, and every sum of every layer to its pre-activation."""
    model = made(family, DTYPES[dtype])
    oracle, logits = hooked(model, IDS)
    exact = 1e-4 if dtype == "float32" else 6e-2
    for position in (-1, 2):
        seen = gn.observe(model, [IDS], position=position)
        at = len(IDS) - 1 if position == -1 else position
        best = np.argsort(-logits[at], kind="stable")[:3]
        found = {output.name: output.logit for output in seen.outputs}
        for token in best:
            assert found[f"token {token}"] == pytest.approx(logits[at, token], abs=exact)
        given = seen.attribution(int(best[0]), against=int(best[1]))
        parts = dict(given.parts)
        assert given.total == pytest.approx(logits[at, best[0]] - logits[at, best[1]], abs=exact)
        assert sum(parts.values()) == pytest.approx(given.total, abs=1e-9)
        assert abs(parts["rounding of the framework"]) <= exact
        column_adds_up(given.document().parts[0].rows)
        for layer in seen.layers:
            if layer.gate.window is not None:
                continue
            for k in range(layer.shape[0]):
                for where in layer.positions:
                    adds_up(layer.neuron(k, where))
            if layer.name in oracle and layer.gate.rows == len(IDS):
                before, after = (values.reshape(len(IDS), -1) for values in oracle[layer.name])
                row = layer.row(at)
                assert np.abs(layer.gate.inputs[row] - before[at]).max() <= exact
                assert np.abs(layer.gate.outputs[row] - after[at]).max() <= exact
    if family not in NO_NEURONS:
        assert given.neuron_count > 0
        assert {neuron.layer.partition("[")[0] for neuron in given.neurons} <= {"0", "1"}


@pytest.mark.parametrize("family", sorted(set(FAMILIES) - NO_NEURONS))
def test_all_neurons_together_give_what_the_mlps_give(family: str) -> None:
    """Exactly so without biases; with them, the biases are the difference."""
    model = made(family)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias") and re.search(r"mlp|fc2|expert|dense", name):
                parameter.zero_()
    given = gn.observe(model, [IDS]).attribution(top=5)
    mlps = sum(value for name, value in given.parts if name.startswith("mlp"))
    assert given.neuron_total == pytest.approx(mlps, abs=1e-5)


def test_a_neuron_taken_away_takes_its_contribution_with_it() -> None:
    """An ablation by PyTorch, with the scale of the last norm held, as the attribution says."""
    model = made("llama")
    seen = gn.observe(model, [IDS])
    given = seen.attribution(top=3)
    token = int(given.output.strip("'").removeprefix("token "))
    norm = model.model.norm
    kept: dict[str, Any] = {}
    handle = norm.register_forward_pre_hook(lambda _, args: kept.__setitem__("x", args[0][0, -1].detach().double()))
    with torch.no_grad():
        model(torch.tensor([IDS]))
    neuron = next(n for n in given.neurons if n.layer == "1")  # the last block: nothing comes after it
    down = model.model.layers[1].mlp.down_proj
    x = kept["x"]
    with torch.no_grad():
        down.weight[:, neuron.index] = 0
        model(torch.tensor([IDS]))
    handle.remove()
    scale = torch.rsqrt((x * x).mean() + norm.variance_epsilon)
    change = ((x - kept["x"]) * scale * norm.weight.double()) @ model.lm_head.weight[token].double()
    assert neuron.contribution == pytest.approx(float(change), abs=1e-6)


def test_words_that_a_neuron_writes_are_those_of_its_weights() -> None:
    model = made("gemma3")
    seen = gn.observe(model, [IDS])
    neuron = seen.attribution(top=1).neurons[0]
    layer = model.model.layers[int(neuron.layer)]
    gain = (1 + layer.post_feedforward_layernorm.weight) * (1 + model.model.norm.weight)
    sign = np.sign(seen.neuron(neuron.layer, neuron.index).output)
    scores = model.lm_head.weight @ (layer.mlp.down_proj.weight[:, neuron.index] * gain) * sign
    assert neuron.writes == tuple(f"token {k}" for k in scores.topk(5).indices.tolist())
    assert seen.writes(neuron.layer, neuron.index) == neuron.writes


def test_experts_are_addressed_by_block_and_number() -> None:
    seen = gn.observe(made("mixtral"), [IDS])
    neuron = seen.attribution().neurons[0]
    assert re.fullmatch(r"[01]\[[0-3]\]", neuron.layer)
    trace = seen.neuron(neuron.layer, neuron.index)
    assert trace.up is not None
    adds_up(trace)
    with pytest.raises(AddressError, match="no neurons in a block 7 at this position"):
        seen.neuron("7", 0)


def test_an_mlp_of_no_known_form_says_so_and_shows_its_sums() -> None:
    seen = gn.observe(made("gpt_oss"), [IDS])
    neuron = seen.attribution().neurons[0]
    with pytest.raises(AddressError, match="of no known form") as raised:
        seen.neuron(neuron.layer, neuron.index)
    name = re.search(r"neuron\('(.+)', index\)", str(raised.value))
    assert name is not None
    adds_up(seen.neuron(name[1], 0))


def test_inputs_are_grouped_by_what_wrote_them() -> None:
    seen = gn.observe(made("gpt2"), [IDS])
    trace = seen.neuron("1", 3)
    assert trace.groups is not None
    names = [name for name, _ in trace.groups]
    assert {"embedding", "position embedding", "attention 0", "mlp 0", "attention 1", "bias of the norm"} <= set(names)
    assert sum(value for _, value in trace.groups) == pytest.approx(trace.weighted_sum, abs=1e-12)
    assert abs(dict(trace.groups)["rounding of the stream"]) < 1e-5
    assert len(trace.rows(singly=True)) > len(trace.rows())


def test_a_text_classifier_an_encoder_and_pictures_are_named_layers() -> None:
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    torch.manual_seed(0)
    bert = transformers.BertForSequenceClassification(transformers.BertConfig(vocab_size=96, **small, num_labels=3))
    seen = gn.observe(bert, {"input_ids": [IDS]})
    assert seen.layer("bert.encoder.layer.1.intermediate.dense").activation == "gelu"
    assert seen.layer("bert.pooler.dense").activation == "tanh"
    assert sum(output.probability for output in seen.outputs) == pytest.approx(1)
    given = seen.attribution("LABEL_1")
    with torch.no_grad():
        logits = bert.eval()(input_ids=torch.tensor([IDS])).logits[0]
    assert given.total == pytest.approx(float(logits[1]), abs=1e-5)
    assert sum(value for _, value in given.parts) == pytest.approx(given.total, abs=1e-9)
    t5 = transformers.T5EncoderModel(
        transformers.T5Config(vocab_size=96, d_model=32, d_ff=48, d_kv=8, num_layers=2, num_heads=4)
    )
    seen = gn.observe(t5, {"input_ids": [IDS]})
    assert seen.layer("encoder.block.1.layer.1.DenseReluDense.wi").activation == "relu"
    with pytest.raises(SettingError, match="not those of one layer"):
        seen.attribution()
    vit = transformers.ViTForImageClassification(transformers.ViTConfig(**small, image_size=8, patch_size=4))
    seen = gn.observe(vit, {"pixel_values": np.random.default_rng(0).normal(size=(1, 3, 8, 8))})
    kinds = {layer.kind for layer in seen.layers}
    assert {"convolution", "attention projection", "dense"} <= kinds
    resnet = transformers.ResNetForImageClassification(
        transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], num_labels=2)
    )
    seen = gn.observe(resnet, {"pixel_values": np.random.default_rng(0).normal(size=(1, 3, 16, 16))})
    for layer in seen.layers:
        adds_up(layer.neuron(0))


def test_a_model_that_cannot_be_shared_out_says_what_works() -> None:
    """BERT's head computes an activation and a norm of the last vector, which is then no sum of parts."""
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    torch.manual_seed(0)
    model = transformers.BertLMHeadModel(transformers.BertConfig(vocab_size=96, **small, is_decoder=True)).eval()
    seen = gn.observe(model, [IDS])
    with torch.no_grad():
        logits = model(torch.tensor([IDS])).logits[0, -1]
    assert seen.outputs[0].logit == pytest.approx(float(logits.max()), abs=1e-5)
    with pytest.raises(SettingError, match="cannot be shared out exactly"):
        seen.attribution()
    assert "cannot be shared out exactly" in str(seen)
    adds_up(seen.neuron("bert.encoder.layer.1.intermediate.dense", 5))


def test_folders_of_classifiers_and_encoders_are_read_by_their_own_class(tmp_path: Path) -> None:
    folder(tmp_path)
    for name in ("model.safetensors", "config.json", "generation_config.json"):
        (tmp_path / name).unlink(missing_ok=True)
    small = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    torch.manual_seed(0)
    model = transformers.BertForSequenceClassification(transformers.BertConfig(vocab_size=96, **small, num_labels=3))
    model.eval().save_pretrained(tmp_path)
    seen = gn.observe(tmp_path, text=TEXT)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    with torch.no_grad():
        logits = model(input_ids=tokenizer(TEXT, return_tensors="pt").input_ids).logits[0]
    assert [o.logit for o in seen.outputs] == pytest.approx(sorted(logits.tolist(), reverse=True), abs=1e-5)
    adds_up(seen.neuron("bert.encoder.layer.1.intermediate.dense", 7))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("tiny"))


TEXT = "The capital of france is"


def test_the_command_prints_columns_that_add_up(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["observe", str(tiny), "--text", TEXT]) == 0
    out = capsys.readouterr().out
    assert re.search(r"likely next tokens\n", out)
    assert re.search(r"embedding +-?\d", out)
    assert re.search(r"and 86 more neurons +-?\d", out)
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny)
    with torch.no_grad():
        logits = model(**tokenizer(TEXT, return_tensors="pt")).logits[0, -1]
    best = int(logits.argmax())
    assert f"what spoke for '{tokenizer.decode([best])}'" in out
    shown = re.search(r"logit +(-?[\d.]+)\n", out)
    assert shown is not None
    assert float(shown[1]) == pytest.approx(float(logits[best]), abs=1e-4)


def test_the_json_of_the_command(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["observe", str(tiny), "--text", TEXT, "--json", "--output", "paris", "--against", "the"]
    assert main([*command, "--neuron", "1:7", "--top", "4"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["outputs"][0]) == ["name", "probability", "logit"]
    assert list(found["parts"][0]) == ["name", "contribution"]
    assert list(found["neurons"][0]) == ["layer", "index", "contribution", "writes"]
    assert len(found["neurons"]) == 4
    assert isinstance(found["neurons"][0]["layer"], int)
    assert found["tokens"] == ["The", " capital", " of", " france", " is"]
    total = sum(part["contribution"] for part in found["parts"])
    assert total == pytest.approx(found["attribution"]["total"], abs=1e-9)
    neuron = found["neuron"]
    up = neuron["up"]
    assert sum(neuron["products"]) == pytest.approx(neuron["weighted_sum"])
    assert neuron["activation"] * up["pre_activation"] == pytest.approx(neuron["output"], rel=1e-4)


def test_the_document_names_every_key(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["observe", str(tiny), "--text", TEXT, "--json", "--neuron", "1:7"]) == 0
    found = json.loads(capsys.readouterr().out)
    named = set(re.findall(r"`(\w+)`", (Path(__file__).parents[2] / "docs" / "observe.md").read_text("utf-8")))
    keys = {*found, *found["attribution"], *found["neuron"]}
    for part in ("outputs", "parts", "neurons", "strongest", "layers"):
        keys |= set(found[part][0])
    assert keys <= named


def test_a_neuron_by_the_command(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["observe", str(tiny), "--text", TEXT, "--neuron", "1:7"]) == 0
    out = capsys.readouterr().out
    for words in ("gate\n", "up\n", "activation x up", "attention 0 ", "tokens of the text at which it passes on most"):
        assert words in out
    assert main(["observe", str(tiny), "--text", TEXT, "--neuron", "1:7", "--top", "5"]) == 0
    assert "27 more products" in capsys.readouterr().out
    assert main(["observe", str(tiny), "--text", TEXT, "--layer", "model.layers.0.self_attn.q_proj"]) == 0
    assert "attention projection" in capsys.readouterr().out
    assert main(["observe", str(tiny), "--text", TEXT, "--format", "html"]) == 0
    assert "<table" in capsys.readouterr().out


def test_a_neuron_is_drawn(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "neuron.svg"
    assert main(["observe", str(tiny), "--text", TEXT, "--neuron", "1:7", "--plot", str(path)]) == 0
    assert f"saved {path}" in capsys.readouterr().err
    drawn = path.read_text("utf-8")
    for words in ("attention 0", "rounding of the framework", "weighted sum", "model.layers.1.mlp:7"):
        assert words in drawn
    capsys.readouterr()
    assert main(["observe", str(tiny), "--text", TEXT, "--neuron", "1:7", "--plot", str(tmp_path / "x.txt")]) == 2
    assert ".svg" in capsys.readouterr().err


def test_evidence_is_the_text_where_the_neuron_is_strongest(tiny: Path) -> None:
    seen = gn.observe(tiny, text=TEXT)
    whole = gn.observe(tiny, text=TEXT, layers=["model.layers.1.mlp"])
    values = whole.layer("1").outputs[:, 7]
    expected = sorted(zip(seen.tokens, values.tolist(), strict=True), key=lambda pair: -abs(pair[1]))
    assert seen.evidence("1", 7) == [(token, pytest.approx(value, rel=1e-5)) for token, value in expected]
    again = seen.again("The city of london")
    assert again.tokens == ["The", " city", " of", " london"]


def test_a_loaded_model_finds_the_tokenizer_of_its_folder(tiny: Path) -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny)
    assert gn.observe(model, text="The city").tokens == ["The", " city"]


def test_no_network_is_ever_asked(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refused(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    gn.observe(tiny, text=TEXT)
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def seen(model: Any, **options: Any) -> Any:
    return gn.observe(model, text=TEXT, **options)


@pytest.mark.parametrize(
    ("ask", "error", "words"),
    [
        (lambda tiny: gn.observe(tiny, text=""), InputError, "the text has no tokens"),
        (lambda tiny: gn.observe(tiny, [[500]]), InputError, "no token 500 in Gemma3ForCausalLM: expected"),
        (lambda tiny: gn.observe(tiny, [[1.5]]), InputError, "expected the numbers of the tokens of one text"),
        (lambda tiny: gn.observe(tiny, [list(range(65))]), InputError, "65 tokens, expected at most 64"),
        (lambda tiny: seen(tiny, position=9), AddressError, "no position 9 in 5 tokens: expected"),
        (lambda tiny: seen(tiny, layers=["model.layers.5.mlp"]), AddressError, "did you mean model.layers.1.mlp"),
        (lambda tiny: seen(tiny).neuron("1", 48), AddressError, "no neuron 48 in model.layers.1.mlp"),
        (lambda tiny: seen(tiny).neuron("7", 0), AddressError, "no neurons in a block 7"),
        (lambda tiny: seen(tiny).attribution("the capital"), AddressError, "'the capital' is not one token"),
        (lambda tiny: seen(tiny).attribution(96), AddressError, "no token 96: expected one from 0 to 95"),
        (lambda _: gn.observe(made("llama"), text=TEXT), InputError, "text for LlamaForCausalLM, a model without a"),
        (lambda tiny: gn.observe(tiny / "no", text=TEXT), FileError, "no such file"),
        (lambda tiny: gn.observe(tiny.parent, text=TEXT), FileError, "has no config.json: expected"),
    ],
)  # fmt: skip
def test_bad_input_has_one_clear_message(tiny: Path, ask: Any, error: Any, words: str) -> None:
    with pytest.raises(error, match=re.escape(words)):
        ask(tiny)


def test_folders_that_cannot_be_loaded(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = json.loads((tiny / "config.json").read_text())
    tmp_path.joinpath("config.json").write_text("[")
    with pytest.raises(FileError, match="is damaged: expected a JSON object"):
        gn.observe(tmp_path, text=TEXT)
    own = config | {"model_type": "mine", "auto_map": {"AutoModelForCausalLM": "mine.Mine"}}
    tmp_path.joinpath("config.json").write_text(json.dumps(own))
    tmp_path.joinpath("mine.py").write_text("raise SystemExit('code of the model was run')")
    with pytest.raises(FileError, match="needs the model type 'mine', which comes as code with the model"):
        gn.observe(tmp_path, text=TEXT)
    tmp_path.joinpath("config.json").write_text(json.dumps(config))
    with pytest.raises(FileError, match=r"has no weights: expected \*.safetensors"):
        gn.observe(tmp_path, text=TEXT)
    tmp_path.joinpath("model.safetensors").write_bytes(b"not one")
    with pytest.raises(FileError, match="cannot load .* as a language model"):
        gn.observe(tmp_path, text=TEXT)
    monkeypatch.setattr("glassnet.observation.language_models.free_memory", lambda: 1000)
    with pytest.raises(FileError, match=r"needs 0.0 GB of memory, and 0.0 GB are free"):
        seen(tiny)


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--text", TEXT, "--neuron", "17"], 2, "--neuron is '17', expected NAME:N, such as 16:407"),
        (["--text", TEXT, "--against", "the"], 2, "--against needs --output"),
        (["--text", TEXT, "--top", "0"], 2, "--top is 0, expected a number from 1 up"),
        (["--text", TEXT, "--json", "--format", "html"], 2, "--json and --format exclude each other"),
        (["--text", TEXT, "--plot", "a.svg"], 2, "--plot needs --neuron"),
        (["--text", TEXT, "--neuron", "a:1", "--layer", "a"], 2, "--layer and --neuron exclude each other"),
        (["--text", TEXT, "--neuron", "a:1"], 2, "no layer 'a' among the"),
        (["--inputs", "nowhere.npy"], 1, "no such file"),
    ],
)
def test_wrong_usage(
    tiny: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    assert main(["observe", str(tiny), *arguments]) == status
    assert words in capsys.readouterr().err
    assert issubclass(FileError, GlassnetError)
