"""Taking predictions apart: how long for a digit, how exactly, and how much memory at 96 million parameters.

Memory is the peak of a process of its own (`getrusage`), over the size of the network's parameters; beside it what the
same process takes that makes the network and explains nothing, and one that only imports glassnet.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
from machine import keep

from glassnet.explain import attribution

SIZES = (4000, 8000, 8000, 10)

MAKE = """
import json, resource
import numpy as np
import glassnet as gn
from glassnet.explain import affine_map, attribution

def make(activation):
    architecture = gn.Architecture.of({sizes}, activation)
    vector, random = np.empty(architecture.layers[-1].stop, np.float32), np.random.default_rng(0)
    for layer in architecture.layers:  # a row at a time, so that making it takes no more than it is
        for start in range(layer.start, layer.biases_start, layer.fan_in):
            row = random.standard_normal(layer.fan_in, np.float32) * (2 / layer.fan_in) ** 0.5
            vector[start:start + layer.fan_in] = row
        vector[layer.biases_start:layer.stop] = 0.01
    vector.flags.writeable = False
    return gn.Network(architecture, vector)

x = np.random.default_rng(1).standard_normal({sizes}[0], np.float32)
{work}
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps(dict(found, peak=peak)))
"""
WORK = {
    "import only": "found = {}",
    "network made": "network = make('relu'); found = {}",
    "prediction": "network = make('relu'); network(x); found = {}",
    "shares, affine": "s = attribution(make('relu'), x); found = {'error': s.error, 'total': s.total}",
    "7 and not 1, affine": "s = attribution(make('relu'), x, 7, 1); found = {'error': s.error, 'total': s.total}",
    "whole affine map": "m = affine_map(make('relu'), x); m.weights; found = {'error': m.error}",
    "shares, integrated": "s = attribution(make('tanh'), x); found = {'error': s.error, 'points': s.points}",
}


def memory() -> list[dict[str, Any]]:
    parameters = 4 * sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(SIZES))
    rows = []
    print(
        f"{'-'.join(map(str, SIZES))}: {parameters / 1e6:.0f} MB of parameters\n"
        "job                  peak / parameters  error (of a logit)"
    )
    for job, work in WORK.items():
        code = MAKE.format(sizes=SIZES, work=work)
        found = json.loads(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout)
        rows.append({"job": job, "peak over parameters": found.pop("peak") / parameters, **found})
        print(f"{job:20} {rows[-1]['peak over parameters']:9.2f}          {found.get('error', 0):.1e}", flush=True)
    return rows


def digit() -> list[dict[str, Any]]:
    import glassnet as gn
    from glassnet.explain.attributions import affine_map

    train, test = gn.data.digits()
    rows = []
    print("\none digit, 784-16-16-10      ms   points    error (of a logit)")
    for activation in ("relu", "tanh", "gelu"):
        start = gn.Network.create("784-16-16-10", activation, output="softmax", seed=0)
        network = gn.train(start, train[:10_000], epochs=2).network
        x = test.inputs[0]
        for method in ("affine", "integrated_gradients") if activation == "relu" else ("integrated_gradients",):
            found = attribution(network, x, method=method)
            ms = milliseconds(lambda m=method, n=network, x=x: attribution(n, x, method=m))  # type: ignore[misc]
            rows.append({"activation": activation, "method": method, "ms": ms, "points": found.points})
            rows[-1] |= {"error": found.error, "total": found.total}
            print(f"{activation:5} {method:20} {ms:6.2f}   {found.points:6}    {found.error:.1e}")
        if activation == "relu":
            worst = max(affine_map(network, row).error for row in test.inputs[:200])
            rows.append({"activation": activation, "affine map, worst of 200 digits, relative": worst})
            print(f"relu  affine map, worst relative error of 200 digits: {worst:.1e}")
    return rows


def milliseconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(20):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return 1000 * float(np.median(times))


def main() -> None:
    keep("explain_attribution", {"memory": memory(), "digit": digit()})


if __name__ == "__main__":
    main()
