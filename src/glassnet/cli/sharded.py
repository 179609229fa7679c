"""`glassnet train --sharded`: a network that is spread over the processes torchrun has started, saved as a folder."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glassnet.cli import processes
from glassnet.cli.options import need, print_json

if TYPE_CHECKING:
    from glassnet.architecture import Architecture
    from glassnet.data.dataset import Dataset
    from glassnet.distributed import ProcessGroup


def train(
    arguments: argparse.Namespace,
    group: "ProcessGroup",
    architecture: "Architecture",
    data: "Dataset",
    held_out: "Dataset",
) -> int:
    """The run, from its checkpoint on if it is to be resumed, and its figures."""
    from glassnet.architecture import human_bytes
    from glassnet.cli.progress import reported
    from glassnet.distributed import sharded, sharded_files

    folder = Path(arguments.output or f"{Path(arguments.data).stem}-sharded")
    with group.collective():
        need(not folder.is_file(), f"--output {folder} is a file, expected a folder for the shards")
        folder.mkdir(parents=True, exist_ok=True)
        run = sharded.of_settings(group, architecture, data, **_settings(arguments))
    settings = run.settings(data)
    group.check_same(settings)
    if arguments.resume:
        sharded_files.resume(run, folder, settings)
    with reported(arguments.epochs, "held out", len(data), as_json=arguments.json) as progress:
        for epoch in run.train(data, held_out):
            sharded_files.save_checkpoint(run, folder, settings)
            progress.epoch(epoch)
    schema = data.schema.as_dict()
    sharded_files.save(
        run,
        folder,
        {
            "kind": "network",
            "sizes": architecture.sizes,
            "activations": architecture.activations,
            "schema": schema,
        },
    )
    if not processes.first():
        return 0
    size = sum(path.stat().st_size for path in folder.glob("model-*.safetensors"))
    if arguments.json:
        print_json({"total": architecture.count().total, "history": run.history.as_dict(), "saved": str(folder)})
    else:
        print(f"{architecture} ({', '.join(architecture.activations)}), over {group.size} processes")
        print(f"{architecture.count(arguments.dtype)}\n\nsaved {folder}{os.sep} ({human_bytes(size)})")
    return 0


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    for name, off in (("class_weight", None), ("patience", None), ("checkpoint", None), ("init", None)):
        given = getattr(arguments, name)
        need(given == off, f"--{name.replace('_', '-')} does not work with --sharded")
    names = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "loss", "l1", "l2", "dropout")
    return {name: getattr(arguments, name) for name in (*names, "clip_norm", "seed", "dtype", "device")}
