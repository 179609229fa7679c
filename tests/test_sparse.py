"""Sparse inputs: a scipy matrix in, the numbers of the same matrix with its zeros written out."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import glassnet as gn
from glassnet.errors import InputError
from glassnet.training import epochs


@pytest.fixture
def words() -> sparse.csr_matrix:
    """90 texts of 200 words, a few in each."""
    return sparse.random_array((90, 200), density=0.05, rng=0, dtype=np.float32).tocsr()


@pytest.fixture
def labels() -> np.ndarray:
    return np.arange(90) % 3


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_training_and_evaluation_are_those_of_the_dense_matrix(
    words: sparse.csr_matrix, labels: np.ndarray, engine: str
) -> None:
    start = gn.Network.create("200-8-3", output="softmax", seed=0)
    ours = gn.train(start, (words, labels), epochs=3, engine=engine).network
    dense = gn.train(start, (words.toarray(), labels), epochs=3, engine=engine).network
    np.testing.assert_allclose(ours.parameters, dense.parameters, rtol=1e-4, atol=1e-6)
    figures = gn.evaluate(ours, (words, labels), engine=engine)
    assert figures.loss == pytest.approx(gn.evaluate(ours, (words.toarray(), labels), engine=engine).loss, rel=1e-5)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix, sparse.coo_matrix, sparse.csr_array])
def test_every_kind_of_sparse_matrix_is_taken(words: sparse.csr_matrix, kind: type) -> None:
    network = gn.Network.create("200-8-3", seed=0)
    np.testing.assert_allclose(network(kind(words)), network(words.toarray()), rtol=1e-4, atol=1e-6)
    trace = network.trace(kind(words))
    np.testing.assert_allclose(trace.outputs, network(words.toarray()), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(trace.layers[0].inputs, words.toarray())


def test_a_part_of_sparse_data_is_sparse(words: sparse.csr_matrix, labels: np.ndarray) -> None:
    data = gn.Dataset(words, labels)
    learn, held_out = data.split(0.2)
    assert (len(learn), len(held_out)) == (72, 18)
    assert learn.inputs.nnz + held_out.inputs.nnz == words.nnz  # type: ignore[attr-defined]
    np.testing.assert_array_equal(data.scaled(), words.toarray())


def test_a_run_on_sparse_data_resumes(words: sparse.csr_matrix, labels: np.ndarray, tmp_path: object) -> None:
    start = gn.Network.create("200-8-3", output="softmax", seed=0)
    checkpoint = f"{tmp_path}/run.checkpoint"
    next(iter(epochs(start, (words, labels), epochs=4, checkpoint=checkpoint)))
    resumed = gn.train(start, (words, labels), epochs=4, checkpoint=checkpoint, resume=True).network
    assert resumed == gn.train(start, (words, labels), epochs=4).network


def test_nan_in_a_sparse_matrix_is_told(words: sparse.csr_matrix, labels: np.ndarray, refused: Any) -> None:
    words.data[7] = np.nan
    with refused(InputError):
        gn.Dataset(words, labels)


FITTED = gn.GlassClassifier(max_iter=1000, tol=1e-2, random_state=0)
FITTED.fit(np.tile(np.eye(4, 6), (9, 1)), np.tile([0, 1, 2, 0], 9))

ASKS: dict[str, Callable[[gn.Network, Any], object]] = {
    "call": lambda network, m: network(m),
    "trace": lambda network, m: network.trace(m),
    "predict": lambda network, m: network.predict(m),
    "evaluate": lambda network, m: gn.evaluate(network, (m, [0, 1, 2, 0])),
    "train": lambda network, m: gn.train(network, (m, [0, 1, 2, 0]), epochs=1),
    "train on the reference": lambda network, m: gn.train(network, (m, [0, 1, 2, 0]), epochs=1, engine="reference"),
    "fit": lambda _, m: gn.GlassClassifier(max_iter=1).fit(m, [0, 1, 2, 0]),
    "predict by estimator": lambda _, m: FITTED.predict(m),
}


@pytest.mark.parametrize("ask", ASKS.values(), ids=list(ASKS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("place", [10**7, 6, -1])
@pytest.mark.parametrize("kind", ["csr_matrix", "csc_matrix", "coo_matrix", "csr_array", "coo_array"])
def test_a_sparse_matrix_with_values_outside_its_shape_is_refused(
    kind: str, place: int, dtype: str, ask: Callable[[gn.Network, Any], object]
) -> None:
    matrix = getattr(sparse, kind)(np.eye(4, 6))
    places = matrix.coords[1] if kind.startswith("coo") else matrix.indices
    places[2] = place
    network = gn.Network.create([6, 3], output="softmax", dtype=dtype)
    with pytest.raises(InputError, match="invalid index arrays"):
        ask(network, matrix)
