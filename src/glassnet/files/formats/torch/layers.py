"""A chain of dense layers in a PyTorch module in memory: `Sequential`, nested or not, or a module whose forward is one.

A module with a forward of its own is followed by torch.fx, which runs that forward once on stand-ins, not on numbers.
"""

import copy
import operator
from typing import Any

import numpy as np

from glassnet.activations import ACTIVATIONS
from glassnet.arrays import Array
from glassnet.files.layer_graph import (
    Affine,
    Chain,
    Dense,
    Flatten,
    InTheWay,
    Squish,
    Step,
    assemble,
    batch_norm,
    known_squish,
    of_rows,
)
from glassnet.names import spelling

_DROPOUTS = ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout", "Identity")
_ELEMENTWISE = {spelling(of.torch[0]) for of in ACTIVATIONS.values() if of.torch and not of.by_row} | {
    spelling(name) for name, of in ACTIVATIONS.items() if not of.by_row
}
"""Functions of torch.nn.functional that may be one of our activations; which one is told by what they compute."""


def of_model(module: Any) -> Chain:
    """The layers of this module, as it predicts (`eval`), with the numbers that it has now."""
    return assemble(_steps(module, type(module).__name__))


def _steps(module: Any, name: str) -> list[Step]:
    from torch import nn

    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        return [step for key, child in module._modules.items() for step in _steps(child, f"{name}.{key}")]
    known = _leaf(module, name)
    if known is not None:
        return known
    if type(module).__module__.split(".")[0] == "torch" or not list(module.children()):
        raise InTheWay(f"{name}, a {type(module).__name__}")
    return _followed(module, name)


def _leaf(module: Any, name: str) -> list[Step] | None:
    from torch import nn

    kind = type(module).__name__
    called = f"{name} ({kind})"
    if isinstance(module, nn.Linear):
        return [Dense(called, _array(module.weight), None if module.bias is None else _array(module.bias))]
    if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        if module.running_mean is None or module.running_var is None:
            raise InTheWay(f"{called} without running statistics: it normalises by the batch it sees")
        gamma, beta = (None if part is None else _array(part) for part in (module.weight, module.bias))
        return [batch_norm(called, _array(module.running_mean), _array(module.running_var), module.eps, gamma, beta)]
    if isinstance(module, nn.Flatten):
        if module.start_dim != 1 or module.end_dim != -1:
            raise InTheWay(f"{called} from axis {module.start_dim} to {module.end_dim}")
        return [Flatten(called)]
    if isinstance(module, nn.Unflatten):
        return [Flatten(called)]
    if isinstance(module, nn.Softmax | nn.LogSoftmax):
        if module.dim not in (None, 1, -1):
            raise InTheWay(f"{called} over axis {module.dim}")
        base = next(base for base in (nn.Softmax, nn.LogSoftmax) if isinstance(module, base))
        of_row = of_rows(base.__name__, called)
        return [] if of_row is None else [of_row]
    if kind in _DROPOUTS and type(module).__module__.startswith("torch.nn"):
        return []
    if type(module).__module__ == "torch.nn.modules.activation":
        return [_squish(copy.deepcopy(module).double().eval(), called)]
    return None


def _squish(function: Any, called: str, *more: Any, **named: Any) -> Squish:
    import torch

    def tried(points: Array) -> Array:
        with torch.no_grad():
            return np.asarray(function(torch.from_numpy(points), *more, **named).numpy(), np.float64)

    try:
        name = known_squish(tried)
    except Exception:  # whatever a module raises that wants other inputs than single numbers
        name = None
    if name is None:
        raise InTheWay(called, "glassnet.activations lists the ones it knows")
    return Squish(called, name)


def _followed(module: Any, name: str) -> list[Step]:
    """The steps of a forward: torch.fx writes down what it does, which must be one thing after another."""
    from torch import fx

    class Tracer(fx.Tracer):
        """Also through modules that are made in a forward, which have no name in the model."""

        def call_module(self, m: Any, forward: Any, args: Any, kwargs: Any) -> Any:
            try:
                self.path_of_module(m)
            except NameError:
                return forward(*args, **kwargs)
            return super().call_module(m, forward, args, kwargs)

    try:
        graph = Tracer().trace(module)
    except Exception as problem:  # a forward may fail in any way on stand-ins
        raise InTheWay(
            f"{name}, whose forward cannot be followed ({problem})", "make it an nn.Sequential, or export it to ONNX"
        ) from problem
    nodes = {node: node for node in graph.nodes}
    (end,) = (node for node in nodes if node.op == "output")
    value, back = end.args[0], []
    while not (isinstance(value, fx.Node) and value.op == "placeholder"):
        if not isinstance(value, fx.Node):
            raise InTheWay(f"{name}, whose forward gives more than one tensor")
        back.append(value)
        flowing = [part for part in value.all_input_nodes if not _is_size(part)]
        if len(flowing) != 1:
            raise InTheWay(f"{name}.{value.name}, where {len(flowing)} branches meet")
        value = flowing[0]
    return [step for node in reversed(back) for step in _traced(module, node, name)]


def _is_size(node: Any) -> bool:
    """Whether a node is only about shapes, such as x.size(0)."""
    if node.op == "call_method" and node.target in ("size", "dim"):
        return True
    if node.op == "call_function" and node.target is getattr:
        return bool(node.args[1] == "shape")
    return node.op == "call_function" and node.target is operator.getitem and _is_size(node.args[0])


def _traced(module: Any, node: Any, name: str) -> list[Step]:
    called = f"{name}.{node.name}"
    if node.op == "call_module":
        return _steps(module.get_submodule(node.target), f"{name}.{node.target}")
    if node.op not in ("call_function", "call_method"):
        raise InTheWay(f"{called}, a {node.op}")
    kind = node.target if isinstance(node.target, str) else node.target.__name__
    more = node.args[1:]
    if kind in ("view", "reshape", "flatten", "squeeze", "unsqueeze", "contiguous", "float"):
        return [Flatten(called)] if kind not in ("contiguous", "float") else []
    if kind in ("dropout", "alpha_dropout"):
        if "training" not in node.kwargs and len(more) < 2 and kind == "dropout":
            raise InTheWay(f"{called}, a dropout that is always on", "pass training=self.training to it")
        return []
    of_row = of_rows(kind, called)
    if of_row is not None:
        axis = node.kwargs.get("dim", more[0] if more else None)
        if axis not in (None, 1, -1):
            raise InTheWay(f"{called} over axis {axis}")
        return [of_row]
    if spelling(kind) in _ELEMENTWISE:
        return [_squish(_function(node.target), f"{called} ({kind})", *more, **node.kwargs)]
    if kind in ("add", "sub", "mul", "truediv") and all(isinstance(part, int | float) for part in more):
        number = float(more[0])
        scale, shift = {
            "add": (1.0, number),
            "sub": (1.0, -number),
            "mul": (number, 0.0),
            "truediv": (1 / (number or 1.0), 0.0),
        }[kind]
        return [Affine(called, np.asarray(scale), np.asarray(shift))]
    raise InTheWay(f"{called} ({kind})")


def _function(target: Any) -> Any:
    import torch

    return getattr(torch.Tensor, target) if isinstance(target, str) else target


def _array(tensor: Any) -> Array:
    tensor = tensor.detach().cpu()
    return np.asarray((tensor if str(tensor.dtype) in ("torch.float32", "torch.float64") else tensor.float()).numpy())
