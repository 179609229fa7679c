"""A network spread over processes is the network that one process trains, on disk as in its figures."""

import json

import numpy as np
import pytest
import tasks

import glassnet as gn


@pytest.fixture(scope="module")
def alone():
    """What one process makes of the same settings; a sharded run draws its start from the same seed as its order."""

    def train(settings):
        learn, held_out = tasks.data()
        seed = tasks.SETTINGS["seed"]
        start = gn.Network.create("12-20-16-4", "tanh", output="softmax", seed=seed, dtype="float64")
        return gn.train(start, learn, validation=held_out, engine="reference", **tasks.SETTINGS | settings)

    return train


@pytest.mark.parametrize(
    "settings",
    [{"optimizer": "adam"}, {"optimizer": "momentum", "dropout": 0.3, "l1": 1e-3, "l2": 1e-3, "clip_norm": 0.1}],
    ids=["adam", "every penalty"],
)
def test_two_processes_train_and_save_what_one_does(on, tmp_path, alone, settings):
    first, second = on(2, tasks.shard, str(tmp_path), settings)
    assert first.error is None
    whole = alone(settings)
    *figures, held = first.value
    history = whole.history
    for mine, other in zip(figures, (history.loss, history.validation_loss, history.validation_accuracy), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-9)
    assert held == second.value[3] == 20 * 16 // 2  # of the largest layer's weights, half
    network = gn.load(tmp_path)
    np.testing.assert_allclose(network.parameters, whole.network.parameters, rtol=0, atol=1e-9)
    assert network.architecture == whole.network.architecture


def test_its_files_are_counted_and_looked_into_as_any_model_s(on, tmp_path):
    on(2, tasks.shard, str(tmp_path), {"epochs": 1})
    assert gn.count(tmp_path).total == 12 * 20 + 20 + 20 * 16 + 16 + 16 * 4 + 4
    opened = gn.open(tmp_path)
    assert opened.neuron("layers.1.weight", 3).weights.shape == (20,)
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)
    ]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_it_goes_on_with_another_number_of_processes(on, tmp_path, alone, optimizer):
    settings = {"optimizer": optimizer, "schedule": "step"}
    on(2, tasks.shard, str(tmp_path), settings, 1)
    three = on(3, tasks.shard, str(tmp_path), settings)
    whole = alone(settings)
    np.testing.assert_allclose(three[1].value[0], whole.history.loss, rtol=1e-9)
    np.testing.assert_allclose(gn.load(tmp_path).parameters, whole.network.parameters, rtol=0, atol=1e-9)


def test_one_checkpoint_is_kept_and_an_unfinished_one_is_passed_over(on, tmp_path, alone):
    on(2, tasks.shard, str(tmp_path), {}, 2)
    assert [path.name for path in (tmp_path / "checkpoint").iterdir()] == ["epoch-2"]
    said = json.loads((tmp_path / "checkpoint" / "epoch-2" / "run.json").read_text())
    assert (said["step"], len(said["history"])) == (10, 2)
    half = tmp_path / "checkpoint" / "unfinished"
    half.mkdir()
    (half / "shard-00001-model-00001-of-00001.safetensors").write_bytes(b"half of it")
    resumed = on(2, tasks.shard, str(tmp_path), {})[0].value
    np.testing.assert_allclose(resumed[0], alone({}).history.loss, rtol=1e-9)
    assert [path.name for path in (tmp_path / "checkpoint").iterdir()] == ["epoch-3"]


def test_a_checkpoint_of_another_network_is_told_by_all(on, tmp_path):
    on(2, tasks.shard, str(tmp_path), {}, 1)
    for outcome in on(2, tasks.shard, str(tmp_path), {}, None, "12-8-4"):
        assert outcome.error.startswith("SettingError: the checkpoint in ")


def test_a_loss_that_is_not_finite_is_told_by_all(on, tmp_path):
    settings = {"optimizer": "sgd", "learning_rate": 1e10, "l2": 1e300, "schedule": "constant"}
    for outcome in on(2, tasks.shard, str(tmp_path), settings, None, "12-4"):
        assert "help: lower the learning rate" in outcome.error
