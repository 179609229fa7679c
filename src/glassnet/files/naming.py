"""What names tell: what a tensor is for, which way a matrix lies, which bias is its own.

Formats that say such things themselves need none of this.
"""

import re
from collections.abc import Mapping

from glassnet.files.tensors import Orientation, Role, TensorInfo

_STATISTICS = frozenset(
    ["running_mean", "running_var", "num_batches_tracked", "moving_mean", "moving_variance", "moving_var"]
)
_OPTIMIZER_HEADS = frozenset(["optimizer", "optim", "opt_state", "optimizer_state", "optimizer_states"])
_OPTIMIZERS = frozenset(["exp_avg", "exp_avg_sq", "max_exp_avg_sq", "momentum_buffer"])
_BUFFERS = frozenset(
    ("inv_freq", "original_inv_freq", "position_ids", "token_type_ids", "masked_bias", "attn_mask", "causal_mask",
     "cos_cached", "sin_cached", "relative_position_index", "relative_coords_table", "num_updates",
     "qzeros", "scales", "g_idx", "absmax", "quant_map", "nested_absmax", "nested_quant_map", "SCB", "input_scale",
     "input_global_scale", "output_scale")
)  # fmt: skip
_QUANTISERS = ("_scales", "_scale", "_scale_inv", "_zero_point", "_g_idx", "_weight_shape", "weight_shape")


def role_of(name: str, dtype: str, shape: tuple[int, ...]) -> Role:
    """What a tensor is for, by the names that frameworks use; whole numbers are not learnt."""
    parts = name.replace("/", ".").removesuffix(":0").split(".")
    last = parts[-1]
    if parts[0] in _OPTIMIZER_HEADS or last in _OPTIMIZERS:
        return "optimizer"
    if last in _STATISTICS:
        return "statistic"
    if last in _BUFFERS or (last.endswith(_QUANTISERS) and "weight" in last) or last.endswith("_scales"):
        return "buffer"
    if name.endswith("attn.bias") and len(shape) == 4 and shape[:2] == (1, 1):
        return "buffer"  # GPT-2's mask
    if not dtype.startswith(("float", "bfloat", "complex")) or dtype == "float8_e8m0fnu":  # powers of two are scales
        return "buffer"
    return "parameter"


def bias_of(name: str, tensors: Mapping[str, TensorInfo]) -> str | None:
    """The name of the tensor that holds the biases of this matrix, if the format, or names and lengths say so."""
    shape, told = tensors[name].shape, tensors[name].bias
    for candidate in ([told] if told else []) + _bias_names(name):
        info = tensors.get(candidate)
        if candidate != name and info is not None and _flat_length(info.shape) in shape and info.role == "parameter":
            return candidate
    return None


def _bias_names(name: str) -> list[str]:
    if name.endswith(".weight"):
        return [f"{name.removesuffix('weight')}bias"]
    head, separator, last = re.fullmatch(r"(.*?)([./]?)([^./]*(?:\.\d+)?(?:/\d+)?)", name).groups()  # type: ignore[union-attr]
    made = []
    for old, new in _PAIRS:
        changed = re.sub(old, new, last)
        if changed != last:
            made.append(f"{head}{separator}{changed}")
    numbered = re.fullmatch(r"(.*?)(\d+)", name)
    if numbered and re.fullmatch(r"(arr_|.*param_?s?[._]?)?", numbered[1]):
        made.append(f"{numbered[1]}{int(numbered[2][:18]) + 1}")  # numpy.savez(file, w0, b0, w1, b1)
    return made


_PAIRS = (
    (r"weights", "biases"),
    (r"weights", "bias"),
    (r"weight", "bias"),
    (r"kernel", "bias"),
    (r"coefs?_", "intercepts_"),
    (r"^W", "b"),
    (r"^w", "b"),
    (r"W$", "b"),
    (r"^(.*)$", r"\1_bias"),
)


def _flat_length(shape: tuple[int, ...]) -> int:
    """The length of a vector, also where it is kept as (1, n) or (n, 1)."""
    longer = [n for n in shape if n != 1]
    return -1 if len(longer) > 1 or not shape else (longer or [1])[0]


def orientation_of(name: str, tensors: Mapping[str, TensorInfo], usual: Orientation | None) -> Orientation | None:
    """Which way a matrix lies: by the length of its bias, by its name, else as its format has it."""
    info = tensors[name]
    if len(info.shape) != 2:
        return None
    rows, columns = info.shape
    bias = bias_of(name, tensors)
    if bias is not None and rows != columns:
        length = _flat_length(tensors[bias].shape)
        return "rows" if length == rows else "columns"
    if not name.endswith(".weight") and re.search(r"(^|[./])(\w*kernel(:0)?|coefs?_[./_]?\d*)$", name):
        return "columns"
    return usual


def with_orientations(tensors: Mapping[str, TensorInfo], usual: Orientation | None) -> dict[str, TensorInfo]:
    """The same tensors, the matrices among them with the way they lie."""
    made = dict(tensors)
    for name, info in tensors.items():
        if len(info.shape) == 2 and info.neurons_in is None:
            made[name] = _lying(info, orientation_of(name, tensors, usual))
    conv1d = {name for name in made if name.endswith(("c_attn.weight", "c_fc.weight", "c_proj.weight"))}
    if any(made[n].neurons_in == "columns" for n in conv1d):  # GPT-2's Conv1D: its square matrices lie as the others do
        for name in conv1d:
            made[name] = _lying(made[name], "columns")
    return made


def _lying(info: TensorInfo, way: Orientation | None) -> TensorInfo:
    """`dataclasses.replace` for the one field, in a third of its time: there may be a hundred thousand tensors."""
    i = info
    return TensorInfo(
        i.name, i.shape, i.dtype, i.bytes, i.where, i.role, i.shared_with, way, i.packed, i.bias, i.quantised
    )
