"""A sharded run on disk: a folder of safetensors files, of which each process writes and reads its own rows.

    FOLDER/model-00001-of-00003.safetensors ...   the network, whole tensors, a file for each layer, with an index
    FOLDER/checkpoint/epoch-7/...                 the state of the run: the rows of each process, and run.json

torch's distributed checkpoint moves the rows, in its safetensors form: nothing that is read can run code, and another
number of processes finds its own rows. A checkpoint becomes visible by one renaming, when all have written.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch.distributed.checkpoint.hf_storage import HuggingFaceStorageReader, HuggingFaceStorageWriter
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save as save_together

from glassnet.distributed.sharded import ShardedRun
from glassnet.errors import FileError, SettingError
from glassnet.files import outputs
from glassnet.files.sharded_network import INDEX, described
from glassnet.training.history import Epoch, History

CHECKPOINT, RUN = "checkpoint", "run.json"


def save_checkpoint(run: ShardedRun, folder: Path, settings: dict[str, Any]) -> None:
    """Write the checkpoint of the last epoch and remove the one before."""
    number = len(run.history)
    with run.group.collective():
        if run.group.rank == 0:
            (folder / CHECKPOINT).mkdir(parents=True, exist_ok=True)
            shutil.rmtree(folder / CHECKPOINT / "unfinished", ignore_errors=True)
    unfinished = folder / CHECKPOINT / "unfinished"
    with run.group.collective():
        save_together(run.tensors(), storage_writer=HuggingFaceStorageWriter(str(unfinished), save_distributed=True))
    with run.group.collective():
        if run.group.rank == 0:
            state = {"settings": settings, "step": run.step, "history": run.history.as_dict()}
            outputs.write(unfinished / RUN, lambda path: Path(path).write_text(json.dumps(state)))
            unfinished.rename(folder / CHECKPOINT / f"epoch-{number}")
            for old in (folder / CHECKPOINT).glob("epoch-*"):
                if old.name != f"epoch-{number}":
                    shutil.rmtree(old)


def resume(run: ShardedRun, folder: Path, settings: dict[str, Any]) -> None:
    """Continue from the folder's last checkpoint, if there is one; raises `SettingError` for another run."""
    with run.group.collective():
        found = sorted((folder / CHECKPOINT).glob("epoch-*"), key=lambda path: int(path.name.rpartition("-")[2]))
        description: dict[str, Any] = json.loads((found[-1] / RUN).read_text()) if found else {"settings": settings}
        for key, value in settings.items():
            if description["settings"].get(key) != value:
                raise SettingError(
                    f"the checkpoint in {folder} belongs to a run with {key} {description['settings'].get(key)!r}, not "
                    f"{value!r}",
                    help="resume with the settings and data of that run, or name another folder",
                )
    if not found:
        return
    with run.group.collective():
        load(run.tensors(), storage_reader=HuggingFaceStorageReader(str(found[-1])))
        run.resume(description["step"], History(Epoch(**figures) for figures in description["history"]))


def save(run: ShardedRun, folder: Path, description: dict[str, Any]) -> None:
    """Write the network as safetensors, a file for each layer; raises `FileError`."""
    names = [name for name, _ in run.module.named_parameters()]
    layers = {name: int(name.split(".")[1]) + 1 for name in names}
    unfinished = folder / "unfinished"
    with run.group.collective():
        if run.group.rank == 0:
            shutil.rmtree(unfinished, ignore_errors=True)
    with run.group.collective():
        try:
            writer = HuggingFaceStorageWriter(
                str(unfinished), fqn_to_index_mapping=layers, save_distributed=True, enable_consolidation=True
            )
            save_together({name: run.tensors()[name] for name in names}, storage_writer=writer)
        except OSError as error:
            raise FileError(f"cannot write {folder}: {error}") from error
    dist.barrier()
    with run.group.collective():
        if run.group.rank == 0:
            described(unfinished / INDEX, description)
            for path in sorted(unfinished.glob("*.safetensors*"), key=lambda path: path.name == INDEX):
                path.replace(folder / path.name)  # the index last, which says what belongs together
            shutil.rmtree(unfinished)
