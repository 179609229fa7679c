"""The estimators beside scikit-learn's MLPs and skorch: the same data, the same settings, one run.

Fits with the defaults of MLPClassifier (Adam, 0.001, batches of 200, tol 1e-4) on scikit-learn's bundled tables and on
made ones of 10^5 and 10^6 rows; held-out scores over ten seeds; one row predicted; a grid of 24 fits; threads.

Fits and rows are measured in processor time, the least of the repeats, each side on one thread: on a machine that does
other work, threads of BLAS that wait for each other make scikit-learn look a hundred times slower. The grid is measured
by the clock.
"""

import argparse
import statistics
import time
import timeit
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from joblib import parallel_config
from machine import OtherWork, keep
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
)
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from threadpoolctl import threadpool_limits

from glassnet.estimators import GlassClassifier, GlassRegressor

HIDDEN = [(16,), (64,), (64, 64)]
SEEDS = range(10)
SKORCH_EPOCHS = 5
Table = tuple[Any, Any, Any, Any]


def tables(rows: int | None) -> Iterator[tuple[str, Table, int]]:
    """(name, (train, test, their classes), epochs at most): bundled ones, or one of so many rows."""
    if rows is None:
        bundled = {"iris": load_iris, "wine": load_wine, "breast cancer": load_breast_cancer, "digits": load_digits}
        for name, load in bundled.items():
            yield name, split(*load(return_X_y=True)), 200
    else:
        made = make_classification(rows, 20, n_informative=10, n_clusters_per_class=4, flip_y=0.05, random_state=0)
        yield f"{rows:,} rows", split(*made), 5 if rows < 1_000_000 else 2


def split(inputs: Any, targets: Any) -> Table:
    train, test, known, wanted = train_test_split(inputs, targets, test_size=0.25, random_state=0)
    scaler = StandardScaler().fit(train)
    return scaler.transform(train), scaler.transform(test), known, wanted


def by_skorch(hidden: tuple[int, ...], table: Table, epochs: int) -> NeuralNetClassifier:
    """PyTorch's network of the same layers, by the same rule, as its users write it."""
    sizes, layers = (table[0].shape[1], *hidden), []
    for fan_in, fan_out in pairwise(sizes):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    return NeuralNetClassifier(
        torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], int(table[2].max()) + 1)),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.001,
        batch_size=min(200, len(table[0])),
        max_epochs=epochs,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )


def seconds(job: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> float:
    started = clock()
    job()
    return clock() - started


def fits(name: str, table: Table, epochs: int, repeats: int) -> list[dict[str, Any]]:
    """Seconds of one fit, each in turn; skorch's are five epochs, times as many as MLPClassifier took."""
    train, _, known, _ = table
    found = []
    for hidden in HIDDEN:
        taken: dict[str, list[float]] = {"glassnet": [], "scikit-learn": [], "skorch": []}
        for repeat in range(repeats):
            ours = GlassClassifier(hidden, max_iter=epochs, random_state=repeat)
            theirs = MLPClassifier(hidden, max_iter=epochs, random_state=repeat)
            taken["glassnet"].append(seconds(lambda ours=ours: ours.fit(train, known)))
            taken["scikit-learn"].append(seconds(lambda theirs=theirs: theirs.fit(train, known)))
            if repeat < 2 and len(train) < 500_000:  # the first is slower: much of torch is loaded then
                third = by_skorch(hidden, table, SKORCH_EPOCHS)
                inputs, classes = train.astype(np.float32), known.astype(np.int64)
                whole = seconds(lambda third=third, i=inputs, c=classes: third.fit(i, c))
                taken["skorch"].append(whole / SKORCH_EPOCHS * theirs.n_iter_)
        least = {who: min(times) for who, times in taken.items() if times}
        times_faster = {who: least[who] / least["glassnet"] for who in least if who != "glassnet"}
        found.append(
            {"data": name, "hidden": hidden, "epochs": [ours.n_iter_, theirs.n_iter_], "seconds": least}
            | {"times faster than": times_faster, "all": taken}
        )
        beside = ", ".join(f"{times:.1f}x {who}" for who, times in times_faster.items())
        print(f"  {name:<14} {'-'.join(map(str, hidden)):<6} {least['glassnet'] * 1e3:9.1f} ms   {beside}", flush=True)
    return found


def held_out(name: str, table: Table, epochs: int, kinds: tuple[Any, Any], hidden: tuple[int, ...]) -> dict[str, Any]:
    """Scores on the rows held out, seed by seed, and the standard error of the mean difference."""
    train, test, known, wanted = table
    scores = [
        [
            kind(hidden_layer_sizes=hidden, max_iter=epochs, random_state=s).fit(train, known).score(test, wanted)
            for s in SEEDS
        ]
        for kind in kinds
    ]
    apart = np.subtract(*scores)
    error = float(apart.std(ddof=1) / len(apart) ** 0.5)
    means = [float(np.mean(column)) for column in scores]
    print(f"  {name:<14} {means[0]:.4f} against {means[1]:.4f}, apart {apart.mean():+.4f} +- {error:.4f}", flush=True)
    return {"data": name, "hidden": hidden, "glassnet": scores[0], "scikit-learn": scores[1], "standard error": error}


def one_row(name: str, table: Table) -> list[dict[str, Any]]:
    """Microseconds of predict and predict_proba for one row, the least of many tries."""
    train, test, known, _ = table
    row, found = test[:1], []
    models = [kind((64,), max_iter=20, random_state=0).fit(train, known) for kind in (GlassClassifier, MLPClassifier)]
    for verb in ("predict", "predict_proba"):
        least = [
            min(timeit.repeat(partial(getattr(model, verb), row), timer=time.process_time, number=500, repeat=10)) * 2e3
            for model in models
        ]
        found.append({"data": name, "verb": verb, "microseconds": least, "times faster": least[1] / least[0]})
        print(f"  {name:<14} {verb:<14} {least[0]:.1f} us, {least[1] / least[0]:.0f}x scikit-learn", flush=True)
    return found


def grids(table: Table, repeats: int) -> dict[str, Any]:
    """24 fits (8 settings, 3 folds) by the clock on two cores, ours in threads, scikit-learn's in joblib's processes,
    warm; and in processor time, one after the other."""
    train, _, known, _ = table
    wanted = {"alpha": [1e-5, 1e-3], "hidden_layer_sizes": [(16,), (64,)], "learning_rate_init": [1e-3, 1e-2]}

    def grid(kind: Any, backend: str, n_jobs: int, clock: Callable[[], float] = time.perf_counter) -> float:
        search = GridSearchCV(kind(random_state=0), wanted, cv=3, refit=False, n_jobs=n_jobs)
        with parallel_config(backend):
            return seconds(lambda: search.fit(train, known), clock)

    grid(MLPClassifier, "loky", 2)  # the processes have started
    taken: dict[str, list[float]] = {"glassnet, 2 threads": [], "glassnet, 1 thread": [], "scikit-learn, loky": []}
    for _ in range(repeats):
        taken["glassnet, 2 threads"].append(grid(GlassClassifier, "threading", 2))
        taken["glassnet, 1 thread"].append(grid(GlassClassifier, "threading", 1))
        taken["scikit-learn, loky"].append(grid(MLPClassifier, "loky", 2))
    two, one, theirs = (statistics.median(times) for times in taken.values())
    work = [grid(kind, "threading", 1, time.process_time) for kind in (GlassClassifier, MLPClassifier)]
    print(f"  24 fits on {len(train):,} rows: {two:.2f} s, {theirs / two:.1f}x scikit-learn; ", end="")
    print(f"two threads {one / two:.2f}x one; in processor time {work[1] / work[0]:.1f}x", flush=True)
    found = {"rows": len(train), "all": taken, "times faster": theirs / two, "two threads over one": one / two}
    return found | {"processor time": work, "times faster in processor time": work[1] / work[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)  # on batches so small threads would wait for each other
    warnings.simplefilter("ignore")  # that a run of few epochs has not converged
    figures: dict[str, Any] = {"fit": [], "held out": [], "one row": [], "grid": []}
    with OtherWork() as other, threadpool_limits(1):
        for rows in (None, 100_000, 1_000_000):
            for name, table, epochs in tables(rows):
                few = repeats if rows is None else 1
                figures["fit"] += fits(name, table, epochs, few)
                hidden = (64,) if rows is None else (64, 64)
                kinds = (GlassClassifier, MLPClassifier)
                figures["held out"].append(held_out(name, table, epochs, kinds, hidden))
                if rows is None:
                    figures["one row"] += one_row(name, table)
                if name in ("breast cancer", "digits"):
                    figures["grid"].append({"data": name} | grids(table, repeats))
        diabetes = split(*load_diabetes(return_X_y=True))
        figures["held out"].append(
            held_out("diabetes", diabetes, 200, (GlassRegressor, MLPRegressor), (64,)),
        )
    print(f"other work took {other.processors:.1f} of the processors")
    figures["other work, processors"] = other.processors
    keep("estimators", figures, ("numpy", "scikit-learn", "skorch", "torch"))


if __name__ == "__main__":
    main()
