"""How examples get to the device that computes: lying there whole where they fit, else brought one batch ahead.

A batch that is brought is gathered on the host, by a thread of its own, into pinned memory, from where it is copied
while the device computes. On the CPU there is nothing to bring: a batch is gathered when it is its turn.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from glassnet.arrays import Array, dense, is_sparse
from glassnet.engines.base import Examples
from glassnet.engines.reference import take
from glassnet.errors import AddressError

SHARE_OF_FREE = 0.5
"""Of the device's free memory may be taken by examples; the rest is for the network and its activations."""


class Batch(NamedTuple):
    """Some examples on the device: inputs (n, fan_in) as the network sees them; the rest as in `Examples`."""

    inputs: Tensor
    targets: Tensor
    weights: Tensor | None


def batches(
    examples: Examples, device: torch.device, dtype: torch.dtype
) -> tuple[Callable[[Iterable[Array]], Iterator[Batch]], str]:
    """What gives a `Batch` for each of some index arrays, and in words how the inputs are held."""
    if device.type == "cpu":
        return lambda parts: (_gathered(examples, rows, device, dtype) for rows in parts), "inputs as they are"
    size = sum(part.nbytes for part in examples if isinstance(part, np.ndarray))
    if is_sparse(examples.inputs) or size > SHARE_OF_FREE * free_memory(device):
        return lambda parts: one_ahead(examples, parts, device, dtype), f"inputs brought to {device} batch by batch"
    return lying_there(examples, device, dtype), f"inputs held on {device}"


def on_device(examples: Examples, device: torch.device, dtype: torch.dtype) -> Batch:
    """All of these examples as one batch."""
    inputs, weights = tensor(dense(examples.inputs), device), examples.sample_weights
    return Batch(
        as_floats(inputs, examples.scale, dtype),
        tensor(examples.targets, device),
        None if weights is None else tensor(weights, device),
    )


def as_floats(inputs: Tensor, scale: float, dtype: torch.dtype) -> Tensor:
    """Stored inputs as the network sees them."""
    inputs = inputs.to(dtype)
    return inputs if scale == 1 else inputs * scale


def tensor(array: Array, device: torch.device) -> Tensor:
    """An array on the device: itself where that is possible, by way of pinned memory where the device has that."""
    array = array if array.dtype.kind != "u" or array.dtype == np.uint8 else array.astype(np.int64)
    array = np.ascontiguousarray(array)
    here = torch.from_numpy(array if array.flags.writeable else array.copy())
    if device.type == "cuda":
        return here.pin_memory().to(device, non_blocking=True)
    return here.to(device)


def free_memory(device: torch.device) -> int:
    """Bytes that are free on an accelerator."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())


def lying_there(
    examples: Examples, device: torch.device, dtype: torch.dtype
) -> Callable[[Iterable[Array]], Iterator[Batch]]:
    inputs, targets = tensor(examples.inputs, device), tensor(examples.targets, device)
    weights = None if examples.sample_weights is None else tensor(examples.sample_weights, device)

    def of(parts: Iterable[Array]) -> Iterator[Batch]:
        for rows in parts:
            at = tensor(rows, device)
            found = as_floats(inputs[at], examples.scale, dtype)
            yield Batch(found, targets[at], None if weights is None else weights[at])

    return of


def _gathered(examples: Examples, rows: Array, device: torch.device, dtype: torch.dtype) -> Batch:
    inputs = examples.inputs
    if is_sparse(inputs) or inputs.dtype not in (np.uint8, np.float32, np.float64):
        return on_device(take(examples, rows), device, dtype)
    if len(rows) and not (rows.min() >= 0 and rows.max() < len(inputs)):
        raise AddressError(f"the order has examples {rows.min()} to {rows.max()}, expected 0 to {len(inputs) - 1}")
    # Into torch's memory, which begins where processors like it to: products are quicker from there.
    found = torch.empty((len(rows), inputs.shape[1]), dtype=getattr(torch, inputs.dtype.name))
    np.take(inputs, rows, axis=0, out=found.numpy(), mode="clip")
    weights = None if examples.sample_weights is None else examples.sample_weights[rows]
    return on_device(Examples(found.numpy(), examples.scale, examples.targets[rows], weights), device, dtype)


def one_ahead(examples: Examples, parts: Iterable[Array], device: torch.device, dtype: torch.dtype) -> Iterator[Batch]:
    with ThreadPoolExecutor(1, thread_name_prefix="glassnet-batches") as thread:
        ahead: Future[Batch] | None = None
        for rows in parts:
            begun = thread.submit(_gathered, examples, rows, device, dtype)
            if ahead is not None:
                yield ahead.result()
            ahead = begun
        if ahead is not None:
            yield ahead.result()
