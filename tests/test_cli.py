"""The command: what it prints, where, and with which exit status."""

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import glassnet as gn
from glassnet.cli import main, parser
from glassnet.training import epochs


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def digit_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A digit network that is good enough to ask, trained in a second."""
    train, _ = gn.data.digits()
    start = gn.Network.create("784-16-10", output="softmax", seed=0)
    path = tmp_path_factory.mktemp("network") / "digits.safetensors"
    gn.train(start, train[:20_000], epochs=3).network.save(path)
    return path


def told(capsys: pytest.CaptureFixture[str], *arguments: object, status: int = 0) -> tuple[str, str]:
    """What a command prints on standard output and on standard error; its exit status is checked."""
    try:
        actual = main([str(argument) for argument in arguments])
    except SystemExit as ended:
        actual = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert actual == status, err
    return out, err


def failure(capsys: pytest.CaptureFixture[str], *arguments: object, status: int) -> str:
    """What a command which fails prints: the problem on a line, and perhaps its help on the next."""
    out, err = told(capsys, *arguments, status=status)
    assert out == ""
    assert err.startswith("glassnet")
    assert [line.startswith("help: ") for line in err.splitlines()] in ([False], [False, True])
    return err


# neuron, count


def test_a_neuron_is_worked_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "neuron")
    assert out == (
        "neuron\n"
        "  input 0  0.5 x  0.3            0.15\n"
        "  input 1  0.8 x -0.2           -0.16\n"
        "  input 2  0.2 x  0.5            0.10\n"
        "                                -----\n"
        "  weighted sum                   0.09\n"
        "  + bias                         0.10\n"
        "                                -----\n"
        "  pre-activation z               0.19\n"
        "  sigmoid = 1 / (1 + exp(-z))    0.5473576\n"
    )


def test_a_neuron_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "neuron", "--weights", "-0.2,1,0", "--bias", "-1", "--activation", "relu", "--json")
    figures = json.loads(out)
    assert figures["products"] == [-0.1, 0.8, 0]
    assert figures["pre_activation"] == pytest.approx(-0.3)
    assert (figures["activation_name"], figures["activation"]) == ("relu", 0)


def test_the_ledger(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = told(capsys, "count", "784-16-16-10")
    assert out == (
        "layer  inputs x neurons + biases  numbers\n"
        "    0  784 x 16 + 16               12,560\n"
        "    1  16 x 16 + 16                   272\n"
        "    2  16 x 10 + 10                   170\n"
        "total  52.0 kB as float32          13,002\n"
    )
    figures = json.loads(told(capsys, "count", "784-16-16-10", "--json")[0])
    assert figures["total"] == 13_002
    assert figures["layers"][0]["formula"] == "784 x 16 + 16 = 12,560"


def test_a_million_million_numbers_are_counted_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert "1,000,011,000,010" in told(capsys, "count", "1000000-1000000-10")[0]


def test_a_file_is_counted(capsys: pytest.CaptureFixture[str], digit_network: Path) -> None:
    assert json.loads(told(capsys, "count", digit_network, "--json")[0])["total"] == 784 * 16 + 16 + 170


# train, evaluate


def test_training_prints_its_run_and_saves_the_network(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    out, err = told(capsys, "train", "xor", "--epochs", 5, "-v")
    assert [line[:9] for line in err.splitlines()[2:]] == [f"epoch {n}/5" for n in range(1, 6)]
    assert err.startswith("engine ")
    assert "held out: loss" in err
    assert "2-16-16-2 (relu, relu, softmax), trained in " in out
    assert "400 examples" in out
    assert "confusion matrix: rows are the true class, columns the predicted one" in out
    assert "layer  inputs x neurons + biases" in out
    assert "saved xor.safetensors" in out
    assert gn.load("xor.safetensors").schema.classes == ("orange", "blue")
    assert max(map(len, (out + err).splitlines())) <= 80


def test_training_as_json(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    out, _ = told(capsys, "train", "gauss", "--epochs", 10, "--sizes", "2-4-2", "-o", "mine.safetensors", "--json")
    figures = json.loads(out)
    assert figures["accuracy"] > 0.9
    assert (figures["total"], figures["saved"], len(figures["history"])) == (22, "mine.safetensors", 10)
    assert np.sum(figures["confusion"]) == figures["count"] == 100


def test_a_table_is_trained_on_and_evaluated(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(300, 2))
    names = np.where(x[:, 0] + x[:, 1] > 0, "yes", "no")
    rows = "\n".join(f"{a},{b},{c}" for (a, b), c in zip(x, names, strict=True))
    Path("answers.csv").write_text(f"left,right,answer\n{rows}\n")
    told(capsys, "train", "answers.csv", "--target", "answer", "--epochs", 30, "--patience", 10)
    figures = json.loads(told(capsys, "evaluate", "answers.safetensors", "answers.csv", "--json")[0])
    assert figures["accuracy"] > 0.9
    assert figures["classes"] == ["no", "yes"]
    Path("new.csv").write_text("right,left\n3,3\n-3,-3\n")
    assert told(capsys, "predict", "answers.safetensors", "new.csv")[0] == "yes\nno\n"
    probabilities = json.loads(told(capsys, "predict", "answers.safetensors", "new.csv", "--json")[0])
    assert probabilities["class"] == ["yes", "no"]


def test_a_column_of_text_is_learnt_from_kept_and_named(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    rows = [(c, s, "yes" if (c == "red") == (s == "L") else "no") for c in ("red", "blue", "green") for s in "SL"] * 40
    Path("shirts.csv").write_text("colour,size,sold\n" + "".join(f"{','.join(row)}\n" for row in rows))
    told(capsys, "train", "shirts.csv", "--target", "sold", "--epochs", 60)
    figures = json.loads(told(capsys, "evaluate", "shirts.safetensors", "shirts.csv", "--json")[0])
    assert figures["accuracy"] == 1
    Path("new.csv").write_text("id,size,colour\n1,L,red\n2,S,red\n3,L,violet\n")
    out, err = told(capsys, "predict", "shirts.safetensors", "new.csv")
    assert out.splitlines()[:2] == ["yes", "no"]
    assert "texts not seen in training, none of the column's inputs is 1: 'colour' (1, such as 'violet')" in err
    out, _ = told(capsys, "explain", "shirts.safetensors", "new.csv", "--row", 0, "--neuron", "0:0")
    assert "colour=red" in out
    Path("new.csv").write_text("size,color\nL,red\n")
    for command in ("predict", "explain"):
        assert "lacks column 'colour'" in failure(capsys, command, "shirts.safetensors", "new.csv", status=1)


def test_measurements_are_told_in_the_unit_they_came_in(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    random = np.random.default_rng(0)
    size, age = random.uniform(30, 200, 400), random.uniform(0, 90, 400)
    rows = "\n".join(f"{a},{b},{3000 * a - 500 * b + 50000}" for a, b in zip(size, age, strict=True))
    Path("homes.csv").write_text(f"size,age,price\n{rows}\n")
    figures = json.loads(told(capsys, "train", "homes.csv", "--target", "price", "--epochs", 60, "--json")[0])
    assert figures["r_squared"] > 0.99
    Path("new.csv").write_text("size,age\n100,20\n")
    price = float(told(capsys, "predict", "homes.safetensors", "new.csv")[0])
    assert price == pytest.approx(3000 * 100 - 500 * 20 + 50000, rel=0.05)


def test_one_output_can_tell_two_classes(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    told(capsys, "train", "gauss", "--sizes", "2-4-1", "--epochs", 10)
    assert gn.load("gauss.safetensors").layers[-1].activation == "sigmoid"
    out, _ = told(capsys, "predict", "gauss.safetensors", "--inputs", "2,2")
    assert "looks like blue" in out


def test_a_resumed_command_ends_with_the_same_bits(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    settings = ("train", "spiral", "--epochs", 6, "--dropout", 0.1)
    told(capsys, *settings, "-o", "whole.safetensors")
    data, held_out = gn.data.spiral().split(0.2, 0)
    start = gn.Network.create("2-16-16-2", output="softmax", seed=0)
    run = epochs(start, data, validation=held_out, epochs=6, l2=1e-4, dropout=0.1, checkpoint="a.checkpoint")
    next(iter(run))
    _, err = told(capsys, *settings, "-o", "resumed.safetensors", "--checkpoint", "a.checkpoint", "--resume")
    assert err.startswith("epoch 2/6")
    assert gn.load("resumed.safetensors") == gn.load("whole.safetensors")


def test_evaluating_the_test_digits(capsys: pytest.CaptureFixture[str], digit_network: Path) -> None:
    out, _ = told(capsys, "evaluate", digit_network)
    assert out.startswith("test digits: 10,000 examples, loss 0.")
    figures = json.loads(told(capsys, "evaluate", digit_network, "--json")[0])
    assert figures["accuracy"] > 0.9
    assert f"accuracy {figures['accuracy']:.2%}" in out


# predict


def test_a_test_digit_is_recognised_and_a_neuron_worked_out(
    capsys: pytest.CaptureFixture[str], digit_network: Path
) -> None:
    out, _ = told(capsys, "predict", digit_network, "--digit", 0, "--neuron", "1:7")
    assert "test digit 0 (a 7): looks like 7" in out
    assert "neuron 1:7, softmax, 16 inputs" in out
    assert max(map(len, out.splitlines())) <= 80
    figures = json.loads(told(capsys, "predict", digit_network, "--digit", 0, "--neuron", "1:7", "--json")[0])
    assert (figures["class"], figures["truth"]) == ("7", "7")
    assert figures["outputs"][7] == figures["neuron"]["activation"]


def test_a_picture_drawn_black_on_white_is_recognised(
    capsys: pytest.CaptureFixture[str], digit_network: Path, here: Path
) -> None:
    _, test = gn.data.digits()
    drawn = 255 - test.inputs[0].reshape(28, 28)
    Image.fromarray(drawn).resize((280, 280)).save("seven.png")
    out, _ = told(capsys, "predict", digit_network, "seven.png")
    assert "seven.png: looks like 7" in out


def test_plain_numbers_can_be_given(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    gn.Network.from_layers([([[1, 2]], [0.5], "identity")]).save("sum.safetensors")
    out, _ = told(capsys, "predict", "sum.safetensors", "--inputs", "-1,2")
    assert "output 0  3.5000" in out


# help and completion


def test_help_has_examples_for_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["neuron"], ["count"], ["train"], ["evaluate"], ["predict"], ["explain"]):
        out, _ = told(capsys, *command, "--help")
        assert "examples:\n  glassnet" in out
        assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_the_commands(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    out, _ = told(capsys, "--print-completion", shell)
    assert "evaluate" in out


def test_nothing_heavy_is_imported_for_help() -> None:
    script = "import sys, glassnet.cli; glassnet.cli.parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "rich", "PIL", "safetensors", "pyarrow", "shtab"} & set(loaded)
    assert parser().prog == "glassnet"


def test_the_module_is_the_command() -> None:
    out = subprocess.run([sys.executable, "-m", "glassnet", "--version"], capture_output=True, text=True, check=True)
    assert out.stdout == f"glassnet {gn.__version__}\n"


# wrong usage and failures


@pytest.mark.parametrize(
    "arguments",
    [
        ["trian"],
        ["count"],
        ["count", "784-0-10"],
        ["neuron", "--weights", "a,b"],
        ["neuron", "--activation", "sigmod"],
        ["train", "digitz"],
        ["train", "xor", "--optimizer", "adma"],
        ["train", "xor", "--sizes", "3-4-2"],
        ["train", "xor", "--epochs", "0"],
        ["train", "xor", "--engine", "gpu"],
        ["predict", "MODEL"],
        ["predict", "MODEL", "--digit", "10000"],
        ["predict", "MODEL", "--digit", "1", "--neuron", "0:16"],
        ["predict", "MODEL", "--digit", "1", "--neuron", "3"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], digit_network: Path, here: Path, arguments: list[str], reported: Any
) -> None:
    given = [str(digit_network) if argument == "MODEL" else argument for argument in arguments]
    reported(failure(capsys, *given, status=2))


@pytest.mark.parametrize(
    "arguments",
    [
        ["count", "missing.safetensors"],
        ["evaluate", "missing.safetensors"],
        ["evaluate", "text.csv"],
        ["predict", "MODEL", "missing.png"],
        ["predict", "MODEL", "--inputs", "1,2"],
        ["predict", "MODEL", "text.csv"],
        ["train", "text.csv", "--target", "b"],
        ["neuron", "--inputs", "1,nan,2"],
        ["neuron", "--inputs", "1,2"],
        ["train", "xor", "--sizes", "2-1000000000000-2"],
        ["train", "xor", "-o", "no/such/x.safetensors"],
    ],
)
def test_a_failure_is_one_line_and_status_1(
    capsys: pytest.CaptureFixture[str], digit_network: Path, here: Path, arguments: list[str], reported: Any
) -> None:
    Path("text.csv").write_text("a,b\n1,2\nx,4\n2,6\n3,2\n4,4\n")
    given = [str(digit_network) if argument == "MODEL" else argument for argument in arguments]
    reported(failure(capsys, *given, status=1))


def test_a_diverging_run_says_what_to_do_and_keeps_what_was_good(
    capsys: pytest.CaptureFixture[str], here: Path
) -> None:
    settings = ("--loss", "squared_error", "--activation", "relu,identity", "--sizes", "2-8-2", "--optimizer", "sgd")
    _, err = told(
        capsys, "train", "circle", *settings, "--learning-rate", "1e9", "--schedule", "constant", "--l2", 0, status=1
    )
    assert "in epoch 1, batch" in err
    assert "lower the learning rate" in err
    assert os.listdir(here) == []


def test_a_reader_that_has_had_enough_is_no_failure_to_show(here: Path) -> None:
    command = f"{sys.executable} -m glassnet count {'-'.join(['9'] * 30_000)} | head -1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("layer")
    assert result.stderr == ""


def test_ctrl_c_saves_the_last_finished_epoch(here: Path) -> None:
    """In a process of its own, with the signal that a terminal sends."""
    command = [sys.executable, "-m", "glassnet", "train", "xor", "--epochs", "100000", "--schedule", "constant"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch   "):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "saved xor.safetensors" in out
    assert err.splitlines()[-1].startswith("glassnet: interrupted; saved what epoch ")
    assert gn.load("xor.safetensors").sizes == (2, 16, 16, 2)


def test_a_terminal_gets_a_bar(here: Path) -> None:
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "glassnet", "train", "spiral", "--epochs", "40"]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=child, env={**os.environ, "TERM": "xterm"}, check=True)
    os.close(child)
    shown = b""
    with contextlib.suppress(OSError):  # the end of a terminal is an error
        while part := os.read(parent, 65536):
            shown += part
    os.close(parent)
    assert b"training" in shown
    assert b"epoch 40/40" in shown


def test_validation_data_of_ones_own_is_looked_at(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    for name, count in (("learn.csv", 40), ("check.csv", 7)):
        rows = "\n".join(f"{i},{'high' if i >= count / 2 else 'low'}" for i in range(count))
        Path(name).write_text(f"x,kind\n{rows}\n")
    out, _ = told(capsys, "train", "learn.csv", "--target", "kind", "--validation", "check.csv", "--epochs", 2)
    assert "learn.csv: 40 examples" in out
    assert "check.csv: 7 examples" in out


def test_many_classes_show_their_largest_mistakes(capsys: pytest.CaptureFixture[str], here: Path) -> None:
    rows = "\n".join(f"{i % 15},{chr(97 + i % 15)}" for i in range(150))
    Path("letters.csv").write_text(f"x,letter\n{rows}\n")
    out, _ = told(capsys, "train", "letters.csv", "--target", "letter", "--epochs", 1)
    assert "the most frequent mistakes" in out
    assert "predicted as" in out
