"""Rows that look like TF-IDF: 50,000 words that occur as Zipf has it, about 100 different ones in a text, ten topics.

`python tfidf.py glassnet` (or scikit-learn) trains on them once: a process whose memory can be looked at.
"""

import sys

import numpy as np
from jobs import Job, glassnet
from scipy import sparse

import glassnet as gn

WORDS, TEXTS, TOPICS = 50_000, 10_000, 10
WORDS_IN_A_TEXT, OF_THE_TOPIC = 130, 0.2  # some occur twice and more: about 100 are different


def texts(count: int, seed: int) -> gn.Dataset:
    """Each text draws its words from all, and a fifth of them from its topic's own."""
    random = np.random.default_rng(seed)
    favourites = np.random.default_rng(0).permuted(np.tile(np.arange(WORDS), (TOPICS, 1)), axis=1)
    frequency = 1 / (np.arange(WORDS) + 10)
    up_to = np.cumsum(frequency / frequency.sum())
    topics = random.integers(0, TOPICS, count)
    rows = np.repeat(np.arange(count), WORDS_IN_A_TEXT)
    words = np.minimum(np.searchsorted(up_to, random.random(len(rows))), WORDS - 1)
    own = random.random(len(rows)) < OF_THE_TOPIC
    words[own] = favourites[topics[rows[own]], words[own]]
    counts = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, words)), (count, WORDS))
    counts.sum_duplicates()
    rarity = (np.log((1 + count) / (1 + np.bincount(counts.indices, minlength=WORDS))) + 1).astype(np.float32)
    counts.data = (1 + np.log(counts.data)) * rarity[counts.indices]
    lengths = np.sqrt(counts.multiply(counts).sum(axis=1)).A1.astype(np.float32)
    counts.data /= np.repeat(lengths, np.diff(counts.indptr))
    return gn.Dataset(counts, topics)


def job() -> Job:
    return Job("50000-50-10", "adam", 200, texts(TEXTS, 1), texts(TEXTS // 5, 2))


def main() -> None:
    if sys.argv[1] == "glassnet":
        glassnet(job())
    else:
        from peers import TRAINERS

        TRAINERS[sys.argv[1]](job())[0]()


if __name__ == "__main__":
    main()
