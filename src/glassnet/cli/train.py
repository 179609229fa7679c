"""`glassnet train`: the main job. Without arguments: the bundled digits, 784-16-16-10, from random numbers to 96 %."""

import argparse
import os
import time
from functools import partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.cli import processes, signals
from glassnet.cli.options import (
    Place,
    add_command,
    add_engine,
    add_json,
    columns,
    fail,
    names,
    need,
    place,
    print_json,
    say,
)
from glassnet.names import DEFAULT_HIDDEN, DEFAULT_OPTIMIZER, PLAIN

if TYPE_CHECKING:
    from glassnet.architecture import Architecture
    from glassnet.data import Dataset, Stream
    from glassnet.distributed import ProcessGroup
    from glassnet.network import Network
    from glassnet.training import Run


def add(commands: Any) -> None:
    command = add_command(
        commands,
        "train",
        help="train a network and save it",
        description="Train a network and save it. Without arguments: 784-16-16-10 on the 60,000\nbundled digits.",
        examples="""\
  glassnet train
  glassnet train --sizes 784-100-10 --epochs 30 -o wide.safetensors
  glassnet train spiral --sizes 2-16-16-2 --activation tanh --epochs 300
  glassnet train wine.csv --target quality --patience 20
  glassnet train big.parquet --target y                 larger than memory
  glassnet train --checkpoint run.checkpoint --resume   go on after a kill
""",
    )
    data = command.add_argument_group("data")
    data.add_argument(
        "data",
        metavar="DATA",
        nargs="?",
        default="digits",
        help="digits (default); circle, xor, gauss, spiral; a CSV, Parquet, npz or IDX file; a folder of pictures or of"
        " Parquet files",
    )
    data.add_argument("--target", metavar="COLUMN", help="column to predict")
    data.add_argument(
        "--stream",
        action=argparse.BooleanOptionalAction,
        help="read Parquet a block at a time (default: folders, and files of more than 67 million cells)",
    )
    data.add_argument(
        "--validation",
        metavar="DATA",
        help="data evaluated after each epoch; never trained on (digits: the test digits)",
    )
    data.add_argument(
        "--holdout",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="without --validation: fraction of DATA held out (default 0.2)",
    )

    network = command.add_argument_group("network")
    network.add_argument("--sizes", metavar="SIZES", help="inputs first, such as 784-16-16-10 (default: 16-16 hidden)")
    network.add_argument(
        "--activation",
        type=names,
        default=DEFAULT_HIDDEN,
        metavar="NAME",
        help="activation of the hidden layers (default %(default)s), or one,per,layer",
    )
    network.add_argument(
        "--init", metavar="NAME", help="initialiser of the weights (default: the one for the activation)"
    )
    network.add_argument("--dtype", default="float32", metavar="TYPE", help="float32 (default) or float64")

    steps = command.add_argument_group("steps")
    steps.add_argument("--epochs", type=int, default=15, metavar="N", help="default 15")
    steps.add_argument("--batch-size", type=int, default=64, metavar="N", help="default 64")
    steps.add_argument("--optimizer", default=DEFAULT_OPTIMIZER, metavar="NAME", help="default %(default)s")
    steps.add_argument("--learning-rate", type=float, metavar="RATE", help="default: the optimizer's usual rate")
    steps.add_argument(
        "--schedule", default="one_cycle", metavar="NAME", help="schedule of the learning rate (default one_cycle)"
    )
    steps.add_argument("--loss", metavar="NAME", help="default: the one for the targets")
    steps.add_argument("--l1", type=float, default=0.0, metavar="X", help="L1 penalty on the weights (default 0)")
    steps.add_argument("--l2", type=float, default=1e-4, metavar="X", help="L2 penalty on the weights (default 0.0001)")
    steps.add_argument(
        "--dropout",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="fraction of hidden activations set to 0 (default 0)",
    )
    steps.add_argument("--clip-norm", type=float, metavar="X", help="shorten gradients longer than this")
    steps.add_argument("--class-weight", choices=["balanced"], help="weight classes by the inverse of their frequency")
    steps.add_argument(
        "--patience",
        type=int,
        metavar="N",
        help="stop after N epochs without improvement in validation loss, and keep the best",
    )
    steps.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of start values, order and dropout (default 0)"
    )
    steps.add_argument(
        "--reproducible",
        action="store_true",
        help="add up in one order on every x86-64 processor, as the page does: the same bits everywhere, more slowly",
    )
    add_engine(steps)

    result = command.add_argument_group("result")
    result.add_argument("-o", "--output", metavar="FILE", help="where to save (default: DATA's name + .safetensors)")
    result.add_argument("--sharded", action="store_true", help="divide the network among torchrun's processes")
    result.add_argument("--checkpoint", metavar="FILE", help="save the run here after each epoch")
    again = result.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="continue from --checkpoint if it exists")
    again.add_argument("--restart", action="store_true", help="replace an existing --checkpoint")
    add_json(result)
    result.add_argument("-v", "--verbose", action="store_true", help="report which engine is used, and why")
    command.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    with processes.group(arguments.device) as group:
        return _run(arguments, group)


def _in_one_order(arguments: argparse.Namespace, group: "ProcessGroup | None") -> None:
    """Compute with the build of the kernel whose vectors are as wide as WebAssembly's, and with nothing else."""
    import os

    need(
        group is None and arguments.engine in ("auto", "native") and arguments.dtype == "float32",
        "--reproducible is for the native engine, float32 and one process",
        "leave out --engine, --dtype and torchrun",
    )
    os.environ["GLASSNET_CPU"] = "baseline"
    arguments.engine = "native"


def _run(arguments: argparse.Namespace, group: "ProcessGroup | None") -> int:
    from glassnet.cli.progress import reported
    from glassnet.cli.sources import to_train
    from glassnet.data import Stream
    from glassnet.training import DivergedError

    need(arguments.epochs > 0, f"--epochs is {arguments.epochs}, expected at least 1")
    if arguments.reproducible:
        _in_one_order(arguments, group)
    output = _output(arguments)
    data, held_out = to_train(arguments, group)
    for note in data.notes:
        say(note)
    if arguments.sharded:
        return _sharded(arguments, group, data, held_out)
    started = time.perf_counter()
    problem, status = "", 0
    start = _network(arguments, data)
    rows = len(data) if group or isinstance(data, Stream) else None
    name = "test" if arguments.data == "digits" else "held out"
    with reported(arguments.epochs, name, rows, as_json=arguments.json and group is not None) as progress:
        training = _training(arguments, group, start, data, held_out, progress.batches)
        if arguments.verbose:
            say(f"engine {training.engine_choice}")
        try:
            for done, epoch in enumerate(training):
                if arguments.verbose and done == 0:
                    say(training.about_inputs)
                progress.epoch(epoch)
        except KeyboardInterrupt as stop:
            problem, status = signals.ended(stop)
        except DivergedError as error:
            problem, status = str(error), 1
    if not training.history:
        return fail(problem, status)
    if not processes.first():
        return status
    network = training.network
    network.save(output.output)
    with output.report():
        _report(arguments, training, network, data, held_out, output, time.perf_counter() - started)
    if problem:
        return fail(f"{problem}; saved what epoch {len(training.history)} gave", status)
    return status


def _training(
    arguments: argparse.Namespace,
    group: "ProcessGroup | None",
    start: "Network",
    data: "Dataset | Stream",
    held_out: "Dataset | Stream",
    progress: Any,
) -> "Run":
    from glassnet.training import epochs

    if group is not None:
        from glassnet import distributed

        need(
            arguments.engine in ("auto", "torch"),
            f"--engine {arguments.engine} works in one process, expected torch for {group.size}",
            "leave out --engine",
        )
        epochs = partial(distributed.epochs, group)
    return epochs(
        start,
        data,
        validation=held_out,
        epochs=arguments.epochs,
        batch_size=arguments.batch_size,
        optimizer=arguments.optimizer,
        learning_rate=arguments.learning_rate,
        schedule=arguments.schedule,
        loss=arguments.loss,
        class_weight=arguments.class_weight,
        l1=arguments.l1,
        l2=arguments.l2,
        dropout=arguments.dropout,
        clip_norm=arguments.clip_norm,
        patience=arguments.patience,
        seed=arguments.seed,
        **({} if group else {"engine": arguments.engine}),
        device=arguments.device,
        checkpoint=arguments.checkpoint,
        resume=arguments.resume,
        restart=arguments.restart,
        progress=progress,
    )


def _sharded(
    arguments: argparse.Namespace, group: "ProcessGroup | None", data: "Dataset | Stream", held_out: "Dataset | Stream"
) -> int:
    from glassnet.cli import sharded
    from glassnet.data import Dataset

    need(group is not None, "--sharded needs several processes, started by torchrun", "docs/scaling.md has the command")
    need(
        isinstance(data, Dataset) and isinstance(held_out, Dataset),
        "--sharded needs the data in memory",
        "add --no-stream",
    )
    assert group is not None and isinstance(data, Dataset) and isinstance(held_out, Dataset)  # noqa: PT018
    return sharded.train(arguments, group, _architecture(arguments, data), data, held_out)


def _network(arguments: argparse.Namespace, data: "Dataset | Stream") -> "Network":
    """The network to start from, with random weights."""
    from glassnet.network import Network

    architecture = _architecture(arguments, data)
    return Network.create(
        architecture.sizes,
        architecture.activations,
        init=arguments.init,
        seed=arguments.seed,
        dtype=arguments.dtype,
    )


def _architecture(arguments: argparse.Namespace, data: "Dataset | Stream") -> "Architecture":
    """As many inputs and outputs as the data has, probabilities for classes."""
    from glassnet.activations import PROBABILITIES
    from glassnet.architecture import Architecture

    classes = len(data.classes) if data.classes else None
    outputs = classes or (1 if data.targets.ndim == 1 else data.targets.shape[1])
    inputs = prod(data.input_shape)
    sizes = arguments.sizes or f"{inputs}-16-16-{outputs}"
    activations = arguments.activation
    probabilities = PROBABILITIES["yes or no" if sizes.endswith("-1") else "one of many"]
    output = None if isinstance(activations, list) else probabilities if classes else PLAIN
    network = Architecture.of(sizes, activations, output)
    fitting = network.sizes[0] == inputs and (network.sizes[-1] == outputs or (classes == 2 and network.sizes[-1] == 1))
    need(
        fitting,
        f"--sizes {network} does not fit the data: {data.name} has {inputs} inputs and {outputs} outputs",
        f"try --sizes {inputs}-16-16-{outputs}",
    )
    return network


def _output(arguments: argparse.Namespace) -> Place:
    """Where to save; checked before the work starts, and where the checkpoint goes, too."""
    from glassnet.files import outputs
    from glassnet.files.kinds import NETWORK

    inputs = (arguments.data, arguments.validation)
    output = place(arguments.output or f"{Path(arguments.data).stem}.safetensors", "--output", *inputs)
    if not arguments.sharded:
        outputs.check(output.output, NETWORK)
    if arguments.checkpoint is not None:
        need(arguments.checkpoint != "-", "--checkpoint needs a file: it is read again to resume")
        same = os.path.realpath(arguments.checkpoint) == os.path.realpath(output.name)
        need(not same, f"--checkpoint and --output are the same file, {arguments.checkpoint}", "name two files")
        place(arguments.checkpoint, "--checkpoint", *inputs)
    return output


def _report(
    arguments: argparse.Namespace,
    run: "Run",
    network: "Network",
    data: "Dataset | Stream",
    held_out: "Dataset | Stream",
    output: Place,
    seconds: float,
) -> None:
    from glassnet.evaluation import evaluate

    figures = evaluate(network, held_out, run.plan.loss)
    ledger = network.count()
    if arguments.json:
        print_json(
            figures.as_dict()
            | {"total": ledger.total, "ledger": ledger.as_dict(), "history": run.history.as_dict()}
            | {"ended": run.ended, "seconds": seconds, "saved": output.name}
        )
        return
    activations = ", ".join(network.architecture.activations)
    print(f"{network.architecture} ({activations}), trained in {seconds:.1f} s")
    print(f"{data.name}: {len(data):,} examples")
    print(f"{figures.document(held_out.name).text(columns())}\n\n{ledger.document().text(columns())}\n")
    print(output.saved())
