"""Models in memory: PyTorch modules, Keras models, scikit-learn's MLPs and mappings of arrays, as a `Checkpoint`.

Nothing is imported for it: an object of PyTorch can only be there when PyTorch is. Numbers are read when they are asked
for, so that they are those of the model as it is then; what is handed out is a copy.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.arrays import Array
from glassnet.errors import InputError
from glassnet.files import naming, quantised
from glassnet.files.checkpoint import Checkpoint
from glassnet.files.tensors import Orientation, Role, TensorInfo, column_index, row_range

_Read = Callable[[], Array]


def recognises(model: object) -> bool:
    """Whether `open_object` knows what this is."""
    return _reader(model) is not None


def open_object(model: Any) -> Checkpoint:
    """The tensors of a model in memory; `InputError` for other objects."""
    reader = _reader(model)
    if reader is None:
        raise InputError(
            f"cannot open a {type(model).__module__}.{type(model).__qualname__}: expected a PyTorch module, a "
            "Keras model, a fitted scikit-learn MLP or a mapping of names to arrays"
        )
    return reader(model)


def _reader(model: object) -> "Callable[[Any], InMemory] | None":
    families = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(model).__mro__}
    if families & {"keras.Layer", "keras.Model", "tf_keras.Layer"}:  # before PyTorch: with its backend they are modules
        return _keras
    if "torch.Module" in families:
        return _torch
    if _mlp(model) is not None:
        return _sklearn
    if isinstance(model, Mapping) and model and all(isinstance(name, str) for name in model):
        values = list(model.values())
        if all(isinstance(value, np.ndarray) or _is_tensor(value) for value in values):
            return _mapping
    return None


class InMemory(Checkpoint):
    """A model in memory; `model` is the object itself."""

    def __init__(
        self,
        model: object,
        kind: str,
        tensors: Mapping[str, TensorInfo],
        reads: Mapping[str, _Read],
        metadata: "Mapping[str, str] | None" = None,
    ) -> None:
        self.model = model
        self.path, self.format, self.metadata = Path(type(model).__name__), kind, metadata or {}
        self.tensors, self._reads = tensors, reads
        self.tensors = quantised.paired(tensors, self.array)

    def rows(self, name: str, which: int | slice) -> Array:
        chosen = row_range(self.info(name), which)
        values = self._reads[name]()
        if not values.shape:
            return np.array(values)
        if not isinstance(which, slice):
            return np.array(values[chosen[0]])
        return np.array(
            values[np.array(chosen)] if chosen.step < 0 else values[chosen.start : chosen.stop : chosen.step]
        )

    def column(self, name: str, index: int) -> Array:
        """One column, copied."""
        return np.array(self._reads[name]()[:, column_index(self.info(name), index)])

    def files(self) -> list[Path]:
        return []


def _is_tensor(value: object) -> bool:
    return any(kind.__module__.split(".")[0] == "torch" and kind.__name__ == "Tensor" for kind in type(value).__mro__)


def _from_torch(tensor: Any) -> Array:
    """A tensor's numbers: those that numpy lacks, and halves, as float32; quantised ones taken apart."""
    tensor = tensor.detach()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.layout != _strided(tensor):
        tensor = tensor.to_dense()
    tensor = tensor.cpu().resolve_conj().resolve_neg()
    word = str(tensor.dtype).removeprefix("torch.")
    if word in ("bfloat16", "float16") or word.startswith("float8"):
        tensor = tensor.float()
    return np.asarray(tensor.numpy())


def _strided(tensor: Any) -> Any:
    import torch

    return torch.strided


def _torch(model: Any) -> InMemory:
    learnt = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    matrices: dict[str, Orientation] = {}
    for place, module in model.named_modules(remove_duplicate=False):
        kind = type(module).__name__
        matrices[f"{place}.weight".lstrip(".")] = "columns" if kind == "Conv1D" else "rows"
    pairs = [
        *model.named_parameters(remove_duplicate=False),
        *model.named_buffers(remove_duplicate=False),
    ]
    return _tensors(model, "PyTorch module, in memory", pairs, lambda name: name in learnt, matrices)


def _mapping(model: Mapping[str, Any]) -> InMemory:
    return _tensors(model, "arrays in memory", list(model.items()), None, {})


def _tensors(
    model: object,
    kind: str,
    pairs: "list[tuple[str, Any]]",
    learnt: "Callable[[str], bool] | None",
    matrices: Mapping[str, Orientation],
) -> InMemory:
    tensors: dict[str, TensorInfo] = {}
    reads: dict[str, _Read] = {}
    seen: dict[Any, str] = {}
    for name, value in pairs:
        shape = tuple(int(n) for n in value.shape)
        if _is_tensor(value):
            dtype = str(value.dtype).removeprefix("torch.")
            size, key = value.element_size() * value.numel(), _address(value)
            reads[name] = lambda value=value: _from_torch(value)  # type: ignore[misc]
        else:
            dtype, size, key = str(value.dtype), value.nbytes, value.__array_interface__["data"][0]
            key = (key, shape, dtype)
            reads[name] = lambda value=value: np.asarray(value)  # type: ignore[misc]
        role: Role = naming.role_of(name, dtype, shape)
        if learnt is not None:
            role = "parameter" if learnt(name) else "buffer" if role == "parameter" else role
        shared = seen.setdefault(key, name) if size and key is not None else name
        way = matrices.get(name) if len(shape) == 2 else None
        tensors[name] = TensorInfo(name, shape, dtype, size, "memory", role, None if shared == name else shared, way)
    usual: Orientation | None = "rows" if any(_is_tensor(value) for _, value in pairs) else None
    return InMemory(model, kind, naming.with_orientations(tensors, usual), reads)


def _address(tensor: Any) -> Any:
    """Where its numbers are, the shape and the steps with it; of those that are nowhere (meta, lazy), its id."""
    try:
        place = tensor.data_ptr()
    except (RuntimeError, NotImplementedError, ValueError):
        return id(tensor)
    return (
        (place, str(tensor.device), str(tensor.dtype), tuple(tensor.shape), tuple(tensor.stride()))
        if place
        else id(tensor)
    )


def _keras(model: Any) -> InMemory:
    learnt = {id(variable) for variable in model.trainable_variables}
    optimizer = getattr(model, "optimizer", None)
    listed = [(variable, False) for variable in model.variables]
    listed += [(variable, True) for variable in getattr(optimizer, "variables", [])]
    frozen = {id(variable) for variable in model.weights}
    tensors: dict[str, TensorInfo] = {}
    reads: dict[str, _Read] = {}
    seen: dict[int, str] = {}
    for variable, of_optimizer in listed:
        path = str(variable.path).removeprefix(f"{model.name}/")
        name = base = f"optimizer/{path}" if of_optimizer else path
        while name in tensors:  # two layers of one name
            name = f"{base}_{len(tensors)}"
        shape = tuple(int(n) for n in variable.shape)
        dtype = str(variable.dtype)
        role: Role = "optimizer" if of_optimizer else naming.role_of(name, dtype, shape)
        if id(variable) in learnt:
            role = "parameter"
        elif role == "parameter" and id(variable) not in frozen:
            role = "buffer"
        values = np.dtype(dtype).itemsize if dtype != "bfloat16" and not dtype.startswith("float8") else 0
        size = (values or (2 if dtype == "bfloat16" else 1)) * int(np.prod(shape, dtype=object))
        shared = seen.setdefault(id(variable), name)
        way: Orientation | None = "rows" if len(shape) == 2 and name.endswith("embeddings") else None
        reads[name] = lambda variable=variable: _from_keras(variable)  # type: ignore[misc]
        tensors[name] = TensorInfo(name, shape, dtype, size, "memory", role, None if shared == name else shared, way)
    metadata = {"config": model.to_json()} if _has_config(model) else {}
    return InMemory(model, "Keras model, in memory", naming.with_orientations(tensors, "columns"), reads, metadata)


def _has_config(model: Any) -> bool:
    return any(kind.__name__ in ("Functional", "Sequential") for kind in type(model).__mro__)


def _from_keras(variable: Any) -> Array:
    value = variable.value
    if _is_tensor(value):
        return _from_torch(value)
    values = np.asarray(variable.numpy() if hasattr(variable, "numpy") else value)
    return values.astype(np.float32) if values.dtype.itemsize < 4 and values.dtype.kind in "fV" else values


def _mlp(model: object) -> Any:
    """The MLP that this is, or that is the last step of this pipeline; None for anything else."""
    steps = getattr(model, "steps", None)
    if isinstance(steps, list) and steps and type(model).__name__ == "Pipeline":
        model = steps[-1][-1]
    families = {kind.__module__.split(".")[0] for kind in type(model).__mro__}
    return model if "sklearn" in families and hasattr(model, "coefs_") and hasattr(model, "intercepts_") else None


def _sklearn(model: Any) -> InMemory:
    mlp = _mlp(model)
    tensors: dict[str, TensorInfo] = {}
    reads: dict[str, _Read] = {}
    parts: list[tuple[str, Role, Callable[[], list[Array]]]] = [
        ("coefs_", "parameter", lambda: mlp.coefs_),
        ("intercepts_", "parameter", lambda: mlp.intercepts_),
    ]
    optimizer = getattr(mlp, "_optimizer", None)
    parts += [
        (f"_optimizer.{word}", "optimizer", lambda word=word: getattr(optimizer, word))  # type: ignore[misc]
        for word in ("ms", "vs", "velocities")
        if hasattr(optimizer, word)
    ]
    for kind, role, listed in parts:
        for i in range(len(listed())):
            values = listed()[i]
            name, way = f"{kind}.{i}", "columns" if kind == "coefs_" else None
            tensors[name] = TensorInfo(
                name,
                values.shape,
                str(values.dtype),
                values.nbytes,
                "memory",
                role,
                None,
                way,  # type: ignore[arg-type]
            )
            reads[name] = lambda listed=listed, i=i: listed()[i]  # type: ignore[misc]
    metadata = {"class": f"{type(mlp).__module__}.{type(mlp).__name__}"}
    metadata |= {
        word: str(getattr(mlp, word)) for word in ("activation", "out_activation_", "solver") if hasattr(mlp, word)
    }
    return InMemory(model, "scikit-learn MLP, in memory", tensors, reads, metadata)
