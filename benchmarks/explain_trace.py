"""Explaining a digit: the trace of one, and the activity of every neuron over the 10,000 test digits, 784-16-16-10."""

import statistics
import time
from collections.abc import Callable

from machine import keep

import glassnet as gn
from glassnet.explain.activities import activity
from glassnet.explain.biases import bias_response
from glassnet.explain.overviews import overview

ASKED_FOR = {"trace of one digit": 0.001, "activity of every neuron over 10,000 digits": 0.1}


def seconds(job: Callable[[], object], times: int) -> dict[str, float]:
    """The median and the least time of a job, which is done once before to warm up."""
    job()
    measured = []
    for _ in range(times):
        started = time.perf_counter()
        job()
        measured.append(time.perf_counter() - started)
    return {"median": statistics.median(measured), "least": min(measured)}


def main() -> None:
    train, test = gn.data.digits()
    start = gn.Network.create("784-16-16-10", output="softmax", seed=0)
    network = gn.train(start, train[:10_000], epochs=1, engine="reference").network
    trace = network.trace(test.inputs[7])
    figures = {
        "trace of one digit": seconds(lambda: network.trace(test.inputs[7]), 300),
        "the screenful of one digit": seconds(lambda: str(overview(trace)), 100),
        "one of its neurons worked by hand": seconds(lambda: str(trace.neuron(0, 3)), 100),
        "activity of every neuron over 10,000 digits": seconds(lambda: activity(network, test), 15),
        "eagerness of one neuron over 10,000 digits": seconds(lambda: bias_response(network, 0, 3, test), 15),
    }
    print(f"{'milliseconds':<45}   median    least  asked for")
    for name, figure in figures.items():
        limit = f"{1000 * ASKED_FOR[name]:10.0f}" if name in ASKED_FOR else ""
        print(f"{name:<45} {1000 * figure['median']:8.3f} {1000 * figure['least']:8.3f} {limit}".rstrip())
    print()
    keep("explain_trace", figures)


if __name__ == "__main__":
    main()
