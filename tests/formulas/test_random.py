"""Random numbers as formulas: the published generator, and what is drawn from it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from formula_cases import tries
from hypothesis import given
from hypothesis import strategies as st

from glassnet.random import drawn, dropout_mask, epoch_order, splitmix64, splitmix64_block

SEEDS = st.integers(-(2**65), 2**65)


def test_splitmix64_gives_the_published_numbers() -> None:
    """The vector that implementations are commonly checked with (Rosetta Code, Pseudo-random numbers/Splitmix64)."""
    assert [splitmix64(1234567, n) for n in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@given(seed=SEEDS, count=st.integers(0, 50))
@tries(100)
def test_a_block_is_the_single_numbers(seed: int, count: int) -> None:
    block = splitmix64_block(seed, count)
    assert block.dtype == np.uint64
    assert block.tolist() == [splitmix64(seed, n) for n in range(count)]


@given(seed=SEEDS, n=st.integers(0, 2**40))
@tries(100)
def test_all_64_bits_of_the_seed_count(seed: int, n: int) -> None:
    number = splitmix64(seed, n)
    assert 0 <= number < 2**64
    assert splitmix64(seed + 2**64, n) == number != splitmix64(seed ^ 1 << 63, n)


# What is held out


@given(seed=st.integers(0, 2**63), numbers=st.lists(st.integers(0, 2**62), max_size=20), share=st.floats(0, 1))
@tries(50)
def test_what_is_drawn_is_a_formula_of_seed_and_number(seed: int, numbers: list[int], share: float) -> None:
    key = splitmix64(seed ^ 0x5A3, 0)
    wanted = [splitmix64(key, n) >> 11 < round(share * 2**53) for n in numbers]
    assert drawn(seed, np.array(numbers, np.int64), share).tolist() == wanted


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_so_large_a_share_is_drawn(share: float) -> None:
    taken = drawn(3, np.arange(100_000), share)
    assert taken.mean() == pytest.approx(share, abs=4 * (share * (1 - share) / 100_000) ** 0.5)


# The order of an epoch


@given(seed=st.integers(0, 2**63), epoch=st.integers(0, 10**6), count=st.integers(0, 200))
@tries(50)
def test_an_epoch_visits_every_example_once(seed: int, epoch: int, count: int) -> None:
    order = epoch_order(seed, epoch, count)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(count))


def test_the_order_depends_on_seed_and_epoch_alone() -> None:
    first = epoch_order(7, 3, 100)
    np.random.default_rng(0).random(10)
    epoch_order(1, 1, 50)
    np.testing.assert_array_equal(epoch_order(7, 3, 100), first)
    assert len({tuple(epoch_order(seed, epoch, 100)) for seed in range(5) for epoch in range(5)}) == 25


def test_every_example_comes_first_about_equally_often() -> None:
    firsts = np.bincount([epoch_order(0, epoch, 10)[0] for epoch in range(2000)], minlength=10)
    assert np.abs(firsts - 200).max() < 4 * (2000 * 0.1 * 0.9) ** 0.5


# Dropout


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_the_share_that_stays_is_close_to_1_minus_the_rate(rate: float) -> None:
    mask = dropout_mask(5, 300, 1, (500, 200), rate)
    assert (mask.shape, mask.dtype) == ((500, 200), bool)
    spread = (rate * (1 - rate) / mask.size) ** 0.5
    assert abs(mask.mean() - (1 - rate)) < 4 * spread
    assert np.abs(mask.mean(axis=0) - (1 - rate)).max() < 5 * spread * 200**0.5  # of every neuron
    assert np.abs(mask.mean(axis=1) - (1 - rate)).max() < 5 * spread * 500**0.5  # in every example


def test_the_mask_is_the_formula_that_other_engines_compute() -> None:
    key = splitmix64(splitmix64(5 ^ 0xD20, 300), 1)
    by_hand = [splitmix64(key, n) >> 40 >= round(0.3 * 2**24) for n in range(4 * 3)]
    np.testing.assert_array_equal(dropout_mask(5, 300, 1, (4, 3), 0.3), np.reshape(by_hand, (4, 3)))


def test_nothing_goes_at_rate_0_and_everything_at_rate_1() -> None:
    assert dropout_mask(0, 0, 0, (50, 50), 0.0).all()
    assert not dropout_mask(0, 0, 0, (50, 50), 1.0).any()


def test_seeds_steps_and_layers_have_masks_of_their_own() -> None:
    masks = {dropout_mask(*key, (5, 20), 0.5).tobytes() for key in np.ndindex(4, 4, 4)}
    assert len(masks) == 64


def test_a_smaller_batch_has_the_first_rows_of_the_same_mask() -> None:
    np.testing.assert_array_equal(dropout_mask(1, 2, 0, (3, 8), 0.5), dropout_mask(1, 2, 0, (9, 8), 0.5)[:3])


def test_the_order_of_an_epoch_is_that_of_a_new_generator_in_any_thread() -> None:
    wanted = [np.random.Generator(np.random.Philox(key=splitmix64(3, epoch))).permutation(50) for epoch in range(20)]
    with ThreadPoolExecutor(4) as pool:
        for found, order in zip(pool.map(lambda epoch: epoch_order(3, epoch, 50), range(20)), wanted, strict=True):
            np.testing.assert_array_equal(found, order)
