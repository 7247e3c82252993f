"""Tables that make no sense stop the server, with every reason at once."""

from dataclasses import replace

import pytest

from fyr.config.load import ConfigError
from fyr.core import ErrorCode, Machine, Step
from fyr.core.workflow import Machines

from .conftest import LOANS, library

ROWS = (Step(None, "draft"), Step("draft", "requested"))
TASK = Machine("task", "Task", ROWS)
LONG = ErrorCode("LONG", 422, "%s %s %s", "made-up")


def told(*machines: Machine) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        Machines(machines)
    return list(raised.value.problems)


def with_rows(*steps: Step) -> Machine:
    return replace(TASK, steps=(*ROWS, *steps))


def test_a_table_that_makes_sense_is_taken() -> None:
    machines = Machines([TASK, LOANS])

    assert machines.named("task") is TASK
    assert list(machines.of("Basic")) == [LOANS]
    assert not Machines()


@pytest.mark.parametrize(
    ("machine", "problem"),
    [
        (
            replace(TASK, name="My Task"),
            "a name is made of small letters, digits and -",
        ),
        (replace(TASK, resource_type="Job"), "no such type: Job"),
        (replace(TASK, state="state"), "Task has no single element state"),
        (replace(TASK, state="owner.state"), "Task has no single element owner.state"),
        (replace(TASK, state="phase.state"), "Task has no element phase.state"),
        (with_rows(Step("draft", "planned")), "planned is no code of Task.status"),
        (with_rows(Step("failed", "failed")), "nothing leads to failed"),
        (
            with_rows(Step("draft", "requested", by={"SYSTEM"})),
            "the step from draft to requested is there twice for SYSTEM",
        ),
        (
            with_rows(Step("requested", "failed", by={"NURSE"})),
            "the step from requested to failed is by NURSE: no such user",
        ),
        (
            with_rows(Step("requested", "failed", by=set())),
            "the step from requested to failed is by nobody: no such user",
        ),
        (with_rows(Step(None, None)), "a step has neither start nor end"),
        (
            replace(TASK, refused=LONG),
            "LONG takes 3 values: give a function that makes the error",
        ),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(machine, problem) -> None:
    assert told(machine) == [f"machine {machine.name}: {problem}"]


def test_a_table_that_creates_nothing_is_refused() -> None:
    assert told(replace(TASK, steps=ROWS[1:])) == [
        "machine task: no step creates anything (start=None)",
        "machine task: nothing leads to draft",
        "machine task: nothing leads to requested",
    ]


def test_two_machines_of_one_name_are_refused() -> None:
    assert told(TASK, replace(TASK, resource_type="Task")) == [
        "two machines are named task"
    ]


def test_the_server_does_not_start_with_a_table_that_makes_no_sense(tmp_path) -> None:
    with (
        pytest.raises(ConfigError, match="nothing leads to failed"),
        library(tmp_path, with_rows(Step("failed", "failed"))),
    ):
        pass
