"""How the learning rate moves: PyTorch's schedules where these are shared, and what every schedule promises."""

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import pytest
import torch
from formula_cases import tries
from hypothesis import example, given
from hypothesis import strategies as st

from glassnet.errors import SettingError
from glassnet.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    OneCycle,
    ReduceOnPlateau,
    Schedule,
    Step,
    WarmUp,
    schedule,
)

EPOCHS = 40


def torch_factors(
    make: Callable[[torch.optim.Optimizer], Any], steps: int, losses: list[float] | None = None
) -> list[float]:
    """The learning rates that PyTorch's scheduler makes of 1: at first, and after each step but the last."""
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = make(optimizer)
    factors = []
    for step in range(steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*([losses[step]] if losses else []))
    return factors


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Constant(), lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda _: 1)),
        (Step(), lambda o: torch.optim.lr_scheduler.StepLR(o, 10)),
        (Step(7, 0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 7, 0.5)),
        (Cosine(), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, EPOCHS)),
        (Cosine(0.2), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, EPOCHS, 0.2)),
    ],
    ids=("constant", "step", "step 7", "cosine", "cosine 0.2"),
)
def test_after_each_epoch_it_is_pytorchs(ours: Schedule, theirs: Any) -> None:
    factors = [ours.factor(epoch, EPOCHS) for epoch in range(EPOCHS + 1)]
    assert factors == pytest.approx(torch_factors(theirs, EPOCHS + 1), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("rise", [0.3, 0.1])
def test_one_cycle_is_pytorchs_from_its_start_over_its_peak_to_its_end(rise: float) -> None:
    steps = 200
    theirs = torch_factors(
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 1.0, total_steps=steps, pct_start=rise, cycle_momentum=False),
        steps - 1,
    )
    peak, end = rise * steps - 1, steps - 1  # the steps at which PyTorch has them; ours are shares of the run
    times = [rise * k / peak if k <= peak else rise + (1 - rise) * (k - peak) / (end - peak) for k in range(steps - 1)]
    ours = [OneCycle(rise).factor(time * EPOCHS, EPOCHS) for time in times]
    assert ours == pytest.approx(theirs, rel=1e-9)

    assert OneCycle(rise).factor(0, EPOCHS) == pytest.approx(1 / 25)
    assert OneCycle(rise).factor(rise * EPOCHS, EPOCHS) == pytest.approx(1)
    assert OneCycle(rise).factor(EPOCHS, EPOCHS) == pytest.approx(1 / 25 / 1e4)


LOSSES = st.lists(
    st.sampled_from([2.0, 1.0, 0.99995, 0.9999, 0.9998, 0.5, 0.1, 0.0, math.nan]), min_size=1, max_size=40
)


@given(losses=LOSSES, patience=st.integers(0, 5), factor=st.sampled_from([0.1, 0.5]))
@example(losses=[1.0, 0.99995, 0.9998, 0.99975, 2.0, 2.0], patience=1, factor=0.5)  # better by enough, and not
@tries(150)
def test_reduce_on_plateau_is_pytorchs_and_a_pure_fold(losses: list[float], patience: int, factor: float) -> None:
    theirs = torch_factors(
        lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, factor=factor, patience=patience, eps=0),
        len(losses),
        losses,
    )
    start = ReduceOnPlateau(factor, patience)
    seen = [reduce(lambda kind, loss: kind.observe(loss), losses[:epoch], start) for epoch in range(len(losses))]
    assert [after.factor(epoch, EPOCHS) for epoch, after in enumerate(seen)] == pytest.approx(theirs, rel=1e-12)
    assert start == ReduceOnPlateau(factor, patience), "observing changed the schedule itself"


# Warm-up


def test_warm_up_rises_straight_from_0_and_goes_on_without_a_jump() -> None:
    warm = WarmUp(4, Cosine())
    assert [warm.factor(epoch, 20) for epoch in (0, 1, 2, 3, 4)] == [0, 0.25, 0.5, 0.75, 1]
    assert warm.factor(12, 20) == pytest.approx(0.5)  # the middle of the other 16
    assert warm.factor(20, 20) == pytest.approx(0)


@pytest.mark.parametrize("then", [Constant(), Step(3, 0.5), Cosine(0.1), OneCycle()], ids=str)
@given(time=st.integers(0, 15 * 64).map(lambda sixtyfourths: sixtyfourths / 64))
@tries(25)
def test_after_the_warm_up_another_schedule_has_the_rest_of_the_run(then: Schedule, time: float) -> None:
    assert WarmUp(5, then).factor(5 + time, 20) == pytest.approx(then.factor(time, 15), rel=1e-9)


def test_steps_after_a_warm_up_are_as_long_as_without_it() -> None:
    warm = WarmUp(1, Step(10))
    assert [warm.factor(epoch, 30) for epoch in (10.9, 11, 20.9, 21)] == pytest.approx([1, 0.1, 0.1, 0.01])


def test_a_run_no_longer_than_its_warm_up_only_rises() -> None:
    assert [WarmUp(4, Cosine()).factor(epoch, 3) for epoch in (0, 1, 2, 3)] == [0, 0.25, 0.5, 0.75]
    assert WarmUp(4, Cosine()).factor(4, 4) == 1


def test_a_warm_up_hands_the_losses_on() -> None:
    warm: Schedule = WarmUp(1, ReduceOnPlateau(0.5, patience=0))
    after = warm.observe(1.0).observe(1.0)
    assert (warm.factor(3, 10), after.factor(3, 10)) == (1, 0.5)


# What every schedule promises

ANY = [
    Constant(), Step(), Step(3, 0.5), Cosine(), OneCycle(), ReduceOnPlateau(),
    WarmUp(), WarmUp(2.5, Step(3)), WarmUp(3, Cosine(0.1)), WarmUp(1, WarmUp(1, Step(2))),
]  # fmt: skip
ALL = pytest.mark.parametrize("kind", ANY, ids=str)


@ALL
def test_the_factor_is_from_0_to_1_all_the_time(kind: Schedule) -> None:
    assert all(0 <= kind.factor(time / 10, 20) <= 1 + 1e-12 for time in range(201))


@ALL
def test_the_length_of_the_run_changes_the_factor_only_where_it_says_so(kind: Schedule) -> None:
    short, long = ([kind.factor(time / 10, epochs) for time in range(101)] for epochs in (10, 30))
    assert (short != long) == kind.needs_length


@ALL
def test_only_reduce_on_plateau_looks_at_losses(kind: Schedule) -> None:
    assert (kind.observe(1.0) == kind) == (not isinstance(kind, ReduceOnPlateau))


def test_a_schedule_goes_by_its_name_or_is_taken_as_it_is() -> None:
    assert [schedule(name) for name in SCHEDULES] == [kind() for kind in SCHEDULES.values()]
    mine = Step(3)
    assert schedule(mine) is mine


@pytest.mark.parametrize(
    "make",
    [
        lambda: Step(0),
        lambda: OneCycle(rise=0),
        lambda: OneCycle(rise=1.0),
        lambda: schedule("cosinus"),
    ],
)
def test_settings_are_checked_when_they_are_made(make: Any, refused: Any) -> None:
    with refused(SettingError):
        make()


@pytest.mark.parametrize("value", [-1, math.nan, math.inf])
@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        (Step, "factor_each"),
        (Cosine, "final"),
        (OneCycle, "start"),
        (OneCycle, "final"),
        (WarmUp, "warm_epochs"),
        (ReduceOnPlateau, "factor_each"),
        (ReduceOnPlateau, "patience"),
    ],
)
def test_no_setting_turns_the_learning_rate_around(kind: Any, setting: str, value: float, refused: Any) -> None:
    with refused(SettingError):
        kind(**{setting: value})
