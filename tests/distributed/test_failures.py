"""Whatever goes wrong in one process is told by all, in one line that says where and what; nobody waits for ever."""

import re

import pytest
import tasks

from glassnet.errors import SettingError

SOON = {"GLASSNET_TIMEOUT": "3"}


def messages(outcomes):
    assert all(outcome.error is not None for outcome in outcomes)
    return [outcome.error for outcome in outcomes]


def test_a_failure_in_mid_epoch_is_told_by_all(on):
    first, second = messages(on(2, tasks.misbehave, "fails", 1))
    assert "rank 1 of 2 failed: a spoilt example\nhelp: look at it" in first
    assert second == "InputError: a spoilt example\nhelp: look at it"


@pytest.mark.parametrize(("how", "whose"), [("dies", 1), ("dies", 0), ("hangs", 1)])
def test_a_process_that_is_killed_or_hangs_is_named_in_time(on, how, whose):
    outcomes = on(2, tasks.misbehave, how, whose, environment={"GLASSNET_TIMEOUT": "8"})
    assert (
        f"ProcessGroupError: rank {1 - whose} of 2 got no answer from rank {whose} within 8 s"
        in outcomes[1 - whose].error
    )


def test_settings_that_differ_are_told_before_the_work(on):
    for message in messages(on(2, tasks.train_with_a_seed_of_its_own)):
        assert message.startswith("SettingError: rank 1 has seed 1, but rank 0 has 0\nhelp: start all processes")


def test_the_same_mistake_on_all_is_told_as_it_would_be_by_one(on):
    for message in messages(on(2, tasks.train, {"dropout": 1.5})):
        assert message.startswith("SettingError: dropout 1.5 is out of range")


def test_a_checkpoint_of_another_network_is_told_by_all_though_one_reads_it(on, tmp_path):
    kept = {"checkpoint": str(tmp_path / "run.checkpoint"), "resume": True}
    on(1, tasks.train, kept, 1)
    for message in messages(on(2, tasks.train, kept, None, "12-5-4")):
        assert re.match(r"ProcessGroupError: rank 0 of 2 failed: the checkpoint .* not \[12, 5, 4\]", message)


def test_a_checkpoint_that_cannot_be_written_is_told_by_all(on, tmp_path):
    for message in messages(on(2, tasks.train, {"checkpoint": str(tmp_path / "nowhere" / "run.checkpoint")})):
        assert "rank 0 of 2 failed: " in message
        assert "nowhere" in message


def test_worlds_of_different_sizes_are_told_by_both(on):
    first, second = messages(on(2, tasks.join, environment=lambda rank: {"WORLD_SIZE": f"{2 + rank}"}))
    assert first.startswith("ProcessGroupError: WORLD_SIZE is 3 on rank 1, but 2 on rank 0")
    assert second.startswith("ProcessGroupError: WORLD_SIZE is 2 on rank 0, but 3 on rank 1")


def test_a_process_that_never_comes_is_named_in_time(on):
    (message,) = messages(on(1, tasks.join, environment=SOON | {"WORLD_SIZE": "2"}))
    assert message.startswith(
        "ProcessGroupError: rank 0 of 2 did not meet all 2 processes within 3 s: rank 1 is not there"
    )


def test_a_master_that_cannot_be_reached_is_named_in_time(on):
    unreachable = SOON | {"MASTER_PORT": "1"}  # nobody listens there
    (message,) = messages(on(1, tasks.join, environment=unreachable))
    assert message.startswith("ProcessGroupError: rank 0 of 1 cannot reach rank 0 at 127.0.0.1:1 within 3")
    assert "help: check MASTER_ADDR and MASTER_PORT" in message


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"RANK": "2"}, "rank 2 of 1: expected a rank from 0 to 0"),
        ({"MASTER_PORT": "many"}, "processes are started with RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT"),
    ],
    ids=["rank", "port"],
)
def test_an_environment_that_makes_no_sense_is_told(on, environment, words):
    (message,) = messages(on(1, tasks.join, environment=environment))
    assert message.startswith(SettingError.__name__)
    assert words in message
