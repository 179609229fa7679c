"""Cases with their right answers, for what the page computes beside Python. Python writes them here; the page's tests
(frontend/tests/vectors.test.ts) read the same files.

    python tests/vectors/shared_vectors.py    writes them anew, after a change that is meant
"""

import base64
import contextlib
import hashlib
import itertools
import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import glassnet as gn
from glassnet.arrays import Array
from glassnet.errors import InputError
from glassnet.explain.matching import matched
from glassnet.explain.perturbations import KINDS
from glassnet.explain.symmetry import Order, arranged, layers_of
from glassnet.initializers import INITIALIZERS
from glassnet.neuron import NeuronTrace
from glassnet.random import epoch_order
from glassnet.schema import Schema

HERE = Path(__file__).parent
SEEDS = (0, 1, 7, 2**31, 2**32 + 5, 2**53 - 1)
SIZES = ([2, 1], [3, 5, 4, 2], [784, 16, 16, 10])
TOYS = ("circle", "xor", "gauss", "spiral")


def digest(values: Any, dtype: str) -> str:
    """SHA-256 of the numbers as they lie in memory: one changed bit is another digest."""
    return hashlib.sha256(np.ascontiguousarray(values, dtype).tobytes()).hexdigest()


def drawn() -> list[Any]:
    """Numbers of `default_rng(seed)`. The first normal numbers in the clear; many as float32, where the last bits of a
    machine's logarithm do not show."""
    return [
        {
            "seed": seed,
            "uniform": np.random.default_rng(seed).random(4).tolist(),
            "normal": np.random.default_rng(seed).standard_normal(4).tolist(),
            "count": 20_000,
            "uniform_digest": digest(np.random.default_rng(seed).random(20_000), "<f8"),
            "normal_digest": digest(np.random.default_rng(seed).standard_normal(20_000), "<f4"),
        }
        for seed in SEEDS
    ]


def orders() -> list[Any]:
    return [
        {"seed": seed, "epoch": epoch, "count": n, "order": digest(epoch_order(seed, epoch, n), "<i8")}
        for seed in SEEDS
        for epoch in (0, 1, 30)
        for n in (0, 1, 2, 13, 60_000)
    ]


def start_values() -> list[Any]:
    rules = [*INITIALIZERS, None]
    squishes = ("selu", "relu", "tanh")
    return [
        {
            "seed": seed,
            "sizes": sizes,
            "activations": activations,
            "rule": rule or "fitting",
            "parameters": digest(gn.Network.create(sizes, activations, init=rule, seed=seed).parameters, "<f4"),
        }
        for seed in SEEDS
        for sizes in SIZES
        for activations in [squishes[-len(sizes) + 1 :]]
        for rule in rules
    ]


def toys() -> list[Any]:
    cases = []
    for name in TOYS:
        for seed in SEEDS:
            for n, noise in ((500, 0.0), (333, 0.25), (2, 0.5)):
                data = getattr(gn.data, name)(n, noise, seed)
                points, labels = digest(data.inputs, "<f4"), digest(data.targets, "<i4")
                cases.append(
                    {"name": name, "seed": seed, "count": n, "noise": noise, "inputs": points, "labels": labels}
                )
    return cases


def perturbations() -> list[Any]:
    cases = []
    for kind, strengths in {
        "scramble": (0, 0.3, 1),
        "noise": (0, 0.1, 2),
        "prune": (0, 0.25, 0.5, 1),
        "round_bits": (1, 3, 8, 12),
    }.items():
        for seed in SEEDS[:4]:
            for sizes in SIZES:
                start = gn.Network.create(sizes, "relu", seed=seed)
                # Biases too have values, some of them equal, so that ties are decided alike.
                count = len(start.parameters)
                values = start.parameters + np.float32(0.125) * (np.arange(count) % 3 - 1).astype(np.float32)
                for strength in strengths:
                    changed = KINDS[kind].apply(start.with_parameters(values), strength, seed).parameters
                    case = {"kind": kind, "strength": strength, "seed": seed, "sizes": sizes}
                    cases.append(case | {"parameters": digest(changed, "<f4")})
    return cases


def blotted(height: int, width: int, paper: int, fall: int, blots: list[list[int]]) -> Array:
    """Rectangles (row, column, height, width, grey) on paper that gets darker by 1 every `fall` rows."""
    grey = np.repeat(paper - np.arange(height)[:, None] // fall, width, axis=1)
    for row, column, tall, wide, value in blots:
        grey[row : row + tall, column : column + wide] = value
    return np.clip(grey, 0, 255).astype(np.uint8)


def digits() -> list[Any]:
    """Pictures as digits; None for a blank one."""
    random = np.random.default_rng(0)
    pictures: list[tuple[int, int, int, int, list[list[int]]]] = [
        (12, 28, 0, 100, [[0, 0, 1, 1, 41], [11, 0, 1, 1, 41], [2, 21, 1, 1, 35]]),  # lopsided: 20 pixels do not fit
        (30, 30, 200, 100, []),
        (1, 1, 3, 1, []),
    ]
    for case in range(60):
        height, width = (int(n) for n in random.integers(1, 100 if case < 57 else 900, 2))
        blots = [
            [int(n) for n in random.integers((0, 0, 1, 1, 0), (height, width, height + 1, width + 1, 256))]
            for _ in range(1 + case % 4)
        ]
        pictures.append((height, width, 240 if case % 3 else 10, 1 + case % 9, blots))
    cases = []
    for picture in pictures:
        try:
            digit = digest(gn.data.as_digit(blotted(*picture)), "u1")
        except InputError:
            digit = None
        cases.append(dict(zip(("height", "width", "paper", "fall", "blots"), picture, strict=True)) | {"digit": digit})
    return cases


def splits() -> list[Any]:
    """Which rows are held out."""
    cases = []
    for seed in SEEDS:
        for n in (3, 12, 150, 1001):
            data = gn.Dataset(np.arange(n, dtype=np.float32)[:, None], np.arange(n) % 3, name="rows")
            held_out = data.split(0.2, seed)[1].inputs.ravel()
            cases.append({"seed": seed, "count": n, "held_out": digest(held_out, "<f4")})
    return cases


def pairs() -> list[Any]:
    """Two networks, and how b's hidden neurons are brought into a's order."""
    cases = []
    for seed, (activation, change) in enumerate(itertools.product(("relu", "tanh", "sigmoid"), range(6))):
        random = np.random.default_rng(seed)
        a = gn.Network.create((5, 7, 6, 3), activation, "softmax", seed=seed)
        a = a.with_parameters(a.parameters + random.normal(0, 0.3, len(a.parameters)))
        layers = layers_of(a)
        turns = [random.choice([-1, 1], n) if activation == "tanh" else np.ones(n) for n in (7, 6)]
        layers = arranged(layers, Order(tuple(random.permutation(n) for n in (7, 6)), tuple(turns)))
        if activation == "relu" and change == 1:  # the same function in other scales
            scales = random.uniform(0.5, 2, 7)
            layers[0] = layers[0][0] * scales[:, None], layers[0][1] * scales
            layers[1] = layers[1][0] / scales, layers[1][1]
        b = gn.Network.from_layers(
            [(*layer, name) for layer, name in zip(layers, a.architecture.activations, strict=True)], dtype="float32"
        )
        if change > 1:  # near, further away, another network
            b = b.with_parameters(b.parameters + random.normal(0, 0.1 * change**2, len(b.parameters)))
        found = matched(a, b)
        cases.append(
            {
                "sizes": a.sizes,
                "activations": a.architecture.activations,
                "a": base64.b64encode(a.parameters.astype("<f4").tobytes()).decode(),
                "b": base64.b64encode(b.parameters.astype("<f4").tobytes()).decode(),
                "same": found.found_by != "assignment",
                "places": [order.tolist() for order in found.permutations],
                "signs": [signs.tolist() for signs in found.signs],
                "scales": [np.round(scales, 5).tolist() for scales in found.scales],
                "distance": round(found.distance_after, 4),
            }
        )
    return cases


def columns() -> list[Any]:
    """A neuron's arithmetic written out, in numbers of 32 bits."""
    random = np.random.default_rng(0)
    neurons = [
        ([0.5, 0.8, 0.2], [0.3, -0.2, 0.5], 0.1, 6),  # the README's
        ([0.98123, 0.5, 0.004], [1, 1, 1], 0.125, 6),
        ([1, 1, 1, 1], [0.00004, 0.00004, 0.00004, 5.12345], 0, 6),  # rounding is a line of its own
        ([1, 2], [1, -300], 4, 6),
        ([0.5, 0.25, 0.125], [1, 0.5, 0.0625], -0.03125, 6),  # halves
        ([0.0], [3], 0, 6),
        ([0, 0, 0, 1], [1, 2, 3, 4], 0.5, 1),  # all the others are 0
        ([3e38, 3e38], [2, 2], 0, 6),  # overflow
    ]
    for scale in (1e-38, 1e-30, 1e-9, 1e-4, 1e-3, 0.1, 1, 9.99999, 1e3, 1e6, 1e12, 1e30):
        for n in (3, 40):
            inputs = np.abs(random.normal(size=n)) * (random.random(n) < 0.7)
            neurons.append((inputs.tolist(), (scale * random.normal(size=n)).tolist(), scale * random.normal(), 6))
    cases = []
    for given, weighted, bias, top in neurons:
        inputs, weights = np.array(given, np.float32), np.array(weighted, np.float32)
        with np.errstate(over="ignore"):
            weighted_sum = np.float32(np.add.accumulate(inputs * weights)[-1])
            neuron = NeuronTrace(
                inputs=inputs,
                weights=weights,
                weighted_sum=float(weighted_sum),
                bias=float(np.float32(bias)),
                pre_activation=float(weighted_sum + np.float32(bias)),
                activation_name="identity",
                activation=0.0,
            )
            rows = neuron.rows(top)[:-1]
            finite = all(map(math.isfinite, (neuron.weighted_sum, *neuron.products)))
        cases.append(
            {
                "inputs": inputs.astype(float).tolist(),
                "weights": weights.astype(float).tolist(),
                "weighted_sum": neuron.weighted_sum if finite else None,
                "bias": neuron.bias,
                "pre_activation": neuron.pre_activation if finite else None,
                "top": top,
                "rows": [
                    [row.kind, row.what if isinstance(row.what, str) else row.what.name, row.figure] for row in rows
                ]
                if finite
                else None,
            }
        )
    return cases


def network_files() -> list[Any]:
    """Files that the offline page reads, with the answers of `gn.load` and `gn.open`; and one that it refuses."""
    from safetensors.numpy import save

    schema = {"input_shape": [3], "features": ["a", "\u00fc", "c"], "classes": ["no", "yes"]}
    networks = [
        gn.Network.create([3, 4, 2], activation="gelu", seed=1).with_schema(Schema.from_dict(schema)),
        gn.Network.create([3, 4, 2], activation="tanh", seed=2, dtype="float64"),
        gn.Network.create([2, *[3] * 11, 1], activation="relu", seed=3),
    ]
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.safetensors"
        for network, exported in itertools.product(networks, (False, True)):
            path.unlink(missing_ok=True)
            if exported:
                gn.export(network, path, to="safetensors")
                path.write_bytes(_sorted_header(path.read_bytes()))
            else:
                network.save(path)
            cases.append(_network_file(path, exported))
    foreign = save({"0.weight": np.ones((2, 3), np.float32), "0.bias": np.ones(2, np.float32)})
    return [*cases, {"name": "foreign", "file": base64.b64encode(foreign).decode(), "network": None}]


def _sorted_header(file: bytes) -> bytes:
    """The same safetensors file in one of its orders: the library writes metadata in another order each time."""
    start = 8 + int.from_bytes(file[:8], "little")
    header = json.dumps(json.loads(file[8:start]), sort_keys=True).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + file[start:]


def _network_file(path: Path, exported: bool) -> dict[str, Any]:
    read, file = gn.load(path), gn.open(path)
    count = file.count()
    neurons = []
    for info in (info for info in count.tensors if len(info.shape) == 2):
        found = file.neuron(info.name, 1 % info.shape[0])
        neurons.append(
            {
                "tensor": info.name,
                "index": found.index,
                "weights": found.weights.astype(np.float32).tolist(),
                "bias": found.bias,
                "mean": found.statistics["mean"],
                "std": found.statistics["spread"],
                "min": found.statistics["smallest"],
                "max": found.statistics["largest"],
            }
        )
    return {
        "name": f"{'exported' if exported else 'own'} {read.architecture} {read.parameters.dtype}",
        "file": base64.b64encode(path.read_bytes()).decode(),
        "network": {
            "sizes": list(read.architecture.sizes),
            "activations": list(read.architecture.activations),
            "schema": read.schema.as_dict(),
            "parameters": digest(read.parameters, "<f4"),
        },
        "total": count.total,
        "bytes": count.bytes,
        "neurons": neurons,
    }


def tables() -> list[Any]:
    """CSV files as `gn.data.table` reads them; null for those that it refuses."""
    rows = "".join(f"{i},{'abc'[i % 3]},{i * i / 7}\n" for i in range(60))
    files = {
        "numbers and classes": ("a,b,kind\n1,10,x\n2,10.5,y\n3,11,x\n", "kind"),
        "text as inputs": ("a;colour;y\n1;red;0.5\n2;blue;1\n3;red;2\n4;;3\n5;blue;9\n", "y"),
        "text among numbers": ("a,size,y\n1,10,0\n2,large,1\n3,large,0\n4,10,1\n", "y"),
        "a first column as the target": ("a;b;kind\n1.5;10;x\n2;10.5;y\n3;11;x\n4;12;y\n", "a"),
        "missing cells": ("a\tyes\n1\ttrue\n?\tfalse\nN/A\ttrue\n3\tTRUE\n9\t\n", "yes"),
        "quotes and a byte order mark": ('\ufeff"a, b",c\n"1",2\n 2 ,3\n"3",2\n', "c"),
        "carriage returns": ("a,b\r\n1,0\r\n2,1\r\n\r\n3,1\r\n", "b"),
        "columns that are left out": ("a,same,,none,name,y\n1,3,4,,Ann,1\n2,3,4,,Bob,0\n4,3,5,,Cid,1\n", "y"),
        "truth values": ("a,fine,y\n1,true,1.5\n2,false,2.5\n5,TRUE,9.5\n", "y"),
        "whole numbers": ("a,n\n1,10\n2,9\n5,100\n7,9.0\n", "n"),
        "60 rows": (f"n,letter,y\n{rows}", "y"),
        "text that hardly repeats": (f"n,letter,y\n{rows}".replace(",a,", ",a1,"), "letter"),
        "exponents and signs": ("a,y\n+1e-3,1\n-2.5E2,2\n.5,1\n5.,2\n", "y"),
        "text in a column of numbers": ("a,b\n1,1\n2,2\nabc,1\n4,2\n", "b"),
        "infinite": ("a,b\n1,1\n1e999,2\n", "b"),
        "a row too short": ("a,b\n1,1\n2\n", "b"),
        "a name twice": ("a,a\n1,1\n", "a"),
        "no rows": ("a,b\n", "b"),
        "empty": ("", "b"),
        "one class": ("a,b\n1,5\n2,5\n", "b"),
        "nothing to learn from": ("a,b\n1,5\n1,6\n", "b"),
        "no such column": ("a,b\n1,5\n2,6\n", "c"),
        "names as classes": ("a,b\n" + "".join(f"{i},name{i}\n" for i in range(30)), "b"),
    }
    cases = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        for name, (file, target) in files.items():
            path.write_text(file, newline="")
            case: dict[str, Any] = {"name": name, "file": file, "target": target, "table": None}
            with contextlib.suppress(gn.GlassnetError):
                data = gn.data.table(path, target)
                case["table"] = {
                    "inputs": data.schema.preprocess(data.inputs)[0].ravel().tolist(),
                    "targets": data.targets.tolist(),
                    "schema": data.schema.as_dict(),
                    "notes": len(data.notes),
                }
            cases.append(case)
    return cases


def attributions() -> list[Any]:
    """What inputs gave to z of a neuron, against inputs of 0, by integrated gradients in float64. Rounded: last bits
    of exponentials differ from machine to machine."""
    cases = []
    for sizes, kinds, (layer, neuron) in (
        ([4, 6, 3], ["relu", "softmax"], (1, 2)),
        ([5, 8, 6, 2], ["tanh", "sigmoid", "softmax"], (2, 1)),
        ([5, 8, 6, 2], ["relu", "relu", "identity"], (1, 4)),
        ([3, 4, 1], ["gelu", "sigmoid"], (0, 3)),
    ):
        rng = np.random.default_rng(len(sizes))
        network = gn.Network.create(sizes, kinds[:-1], output=kinds[-1], seed=3, dtype="float64")
        parameters = (
            network.parameters.astype(np.float32) * 1.5 + rng.normal(size=network.parameters.size) / 4
        ).astype(np.float32)
        network = network.with_parameters(parameters.astype(np.float64))
        inputs = np.round(rng.normal(size=sizes[0]) * 1.5, 3)
        found = gn.explain.attribution(network, inputs, neuron=(layer, neuron), baseline=0.0)
        start, end = (float(network.trace(x).neuron(layer, neuron).pre_activation) for x in (inputs * 0, inputs))
        cases.append(
            {
                "sizes": sizes,
                "activations": kinds,
                "parameters": parameters.tolist(),
                "inputs": inputs.tolist(),
                "layer": layer,
                "neuron": neuron,
                "contributions": [round(float(value), 6) for value in found.contributions],
                "start": round(start, 6),
                "end": round(end, 6),
            }
        )
    return cases


VECTORS: dict[str, Callable[[], Any]] = {
    "attributions": attributions,
    "drawn": drawn,
    "orders": orders,
    "start_values": start_values,
    "toys": toys,
    "perturbations": perturbations,
    "digits": digits,
    "splits": splits,
    "pairs": pairs,
    "columns": columns,
    "network_files": network_files,
    "tables": tables,
}


def text(name: str) -> str:
    """One case a line."""
    return "[\n" + ",\n".join(json.dumps(case) for case in VECTORS[name]()) + "\n]\n"


if __name__ == "__main__":
    for name in VECTORS:
        (HERE / f"{name}.json").write_text(text(name))
