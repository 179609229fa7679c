"""Sparse inputs: a scipy matrix in, the numbers of the same matrix with its zeros written out."""

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
