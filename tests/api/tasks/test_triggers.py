"""Action triggers: what is submitted for some activities starts another one."""

from datetime import UTC, datetime

import pytest

from fyr.core.testing.clock import FakeClock
from fyr.core.workflow.timing import DANISH

from ..guide import EHEALTH, ext, to, url
from .conftest import Ward, opened, value


def trigger(*conditions, behavior="all", offset=None):
    return ext(
        "actionTrigger",
        extension=[
            *(
                {
                    "url": f"{EHEALTH}triggerCondition",
                    "extension": [
                        {"url": "actionId", "valueId": name},
                        {"url": "count", "valueInteger": number},
                    ],
                }
                for name, number in conditions
            ),
            {"url": "triggerBehavior", "valueCode": behavior},
            *([{"url": "offset", "valueDuration": offset}] if offset else []),
            {"url": "action", "valueCoding": {"code": "status-on-hold-to-active"}},
        ],
    )


class Chain:
    """A plan of two activities that are measured, and a third that waits for them."""

    def __init__(self, ward, made, code="TRIGGER_ENABLED", **waiting) -> None:
        self.ward = ward
        self.case = case = ward.case()
        self.other = ward.of("ActivityDefinition", status="active")
        self.third = ward.of("ActivityDefinition", status="active")
        self.second = case.service_request(instantiatesCanonical=[url(self.other)])
        self.target = case.service_request(
            status="on-hold",
            instantiatesCanonical=[url(self.third)],
            extension=[ext("trigger-enablement-code", valueCode=code)],
            **waiting,
        )
        definition = {
            **ward.read(case.definition),
            "action": [
                {
                    "title": "Group",
                    "action": [
                        {"id": "one", "definitionCanonical": url(case.activity)},
                        {"id": "two", "definitionCanonical": url(self.other)},
                    ],
                },
                {"definitionCanonical": url(self.third), "extension": [made]},
            ],
        }
        ward.put(definition)
        held = [case.request, self.second, self.target]
        plan = ward.read(case.plan)
        ward.put({**plan, "activity": [{"reference": to(it)} for it in held]})

    def submit(self, request=None, *, work=True):
        request = request or self.case.request
        self.case.submit(self.case.observation(97, request=request), work=work)

    @property
    def state(self):
        found = self.ward.read(self.target)
        return found["status"], value(found, "trigger-enablement-code")


WAITS = ("on-hold", "TRIGGER_ENABLED")
STARTED = ("active", "TRIGGER_DONE")


def test_as_many_submissions_as_are_counted_start_the_activity(ward) -> None:
    chain = Chain(ward, trigger(("one", 2)))
    chain.submit()
    assert chain.state == WAITS

    chain.submit()
    assert chain.state == STARTED


def test_parts_of_one_submission_count_once(ward) -> None:
    chain = Chain(ward, trigger(("one", 2)))
    chain.case.submit(chain.case.observation(97), chain.case.observation(96))

    assert chain.state == WAITS


def test_all_conditions_must_be_met_where_all_is_said(ward) -> None:
    chain = Chain(ward, trigger(("one", 1), ("two", 1)))
    chain.submit()
    assert chain.state == WAITS

    chain.submit(chain.second)
    assert chain.state == STARTED


def test_one_condition_is_enough_where_that_is_said(ward) -> None:
    chain = Chain(ward, trigger(("one", 5), ("two", 1), behavior="one-or-more"))
    chain.submit(chain.second)

    assert chain.state == STARTED


def test_submissions_for_others_start_nothing(ward) -> None:
    chain = Chain(ward, trigger(("one", 1)))
    chain.submit(chain.second)

    assert chain.state == WAITS


@pytest.mark.parametrize("code", ["TRIGGER_DISABLED", "TRIGGER_DONE", "NO_TRIGGER"])
def test_a_trigger_that_is_not_enabled_starts_nothing(ward, code) -> None:
    chain = Chain(ward, trigger(("one", 1)), code=code)
    chain.submit()

    assert chain.state == ("on-hold", code)


def test_an_activity_that_was_ended_meanwhile_is_not_started(ward) -> None:
    chain = Chain(ward, trigger(("one", 1)))
    ward.put({**ward.read(chain.target), "status": "revoked"})
    chain.submit()

    assert chain.state[0] == "revoked"


@pytest.mark.parametrize(
    ("offset", "start"),
    [
        ({"value": 3, "code": "d"}, "2026-01-11T08:00:00+00:00"),
        ({"value": 2, "code": "wk"}, "2026-01-22T08:00:00+00:00"),
        ({"value": 1, "code": "mo"}, "2026-02-08T08:00:00+00:00"),
    ],
)
def test_the_offset_moves_the_bounds_and_keeps_their_length(
    ward, offset, start
) -> None:
    repeat = {
        "boundsPeriod": {
            "start": "2026-01-01T09:00:00+01:00",
            "end": "2026-01-15T09:00:00+01:00",
        },
        "frequency": 1,
        "period": 1,
        "periodUnit": "d",
    }
    chain = Chain(ward, trigger(("one", 1), offset=offset))
    target = ward.read(chain.target)
    del target["occurrenceDateTime"]
    ward.put({**target, "occurrenceTiming": {"repeat": repeat}})
    chain.submit()
    found = ward.read(chain.target)["occurrenceTiming"]["repeat"]

    assert found["boundsPeriod"]["start"] == start
    assert found["boundsPeriod"]["end"][:10] != "2026-01-15"
    assert found["frequency"] == 1


@pytest.mark.parametrize(
    ("offset", "start"),
    [
        # Across the night on which summer time comes: nine o'clock stays nine o'clock.
        ({"value": 3, "code": "d"}, "2026-03-31T07:00:00+00:00"),
        ({"value": 1, "code": "wk"}, "2026-04-04T07:00:00+00:00"),
        ({"value": 1, "code": "mo"}, "2026-04-28T07:00:00+00:00"),
        ({"value": 72, "code": "h"}, "2026-03-31T08:00:00+00:00"),
    ],
)
def test_an_offset_of_days_is_one_of_danish_days(tmp_path, offset, start) -> None:
    clock = FakeClock(datetime(2026, 3, 28, 8, tzinfo=UTC))
    with opened(tmp_path, clock) as built:
        ward = Ward(*built)
        chain = Chain(ward, trigger(("one", 1), offset=offset))
        target = ward.read(chain.target)
        del target["occurrenceDateTime"]
        period = {
            "start": "2026-01-01T09:00:00+01:00",
            "end": "2026-07-01T09:00:00+02:00",
        }
        ward.put({**target, "occurrencePeriod": period})
        chain.submit()

        found = ward.read(chain.target)["occurrencePeriod"]

    assert found["start"] == start
    # A hundred and eighty-one days later, by the same clock.
    local = [datetime.fromisoformat(found[one]).astimezone(DANISH) for one in found]
    assert [one.hour for one in local] in ([9, 9], [10, 10])
    assert (local[1].date() - local[0].date()).days == 181


def test_without_an_offset_the_times_stay(ward) -> None:
    chain = Chain(ward, trigger(("one", 1)))
    chain.submit()

    assert ward.read(chain.target)["occurrenceDateTime"] == "2026-01-08T08:00:00+00:00"


def test_the_change_is_told_and_in_the_history(ward) -> None:
    chain = Chain(ward, trigger(("one", 1)))
    ward.messages.new()
    chain.submit()

    topics = [it.topic for it in ward.messages.new()]
    assert "ehealth-procedurerequest" in topics


def test_a_plan_that_is_not_active_starts_nothing(ward) -> None:
    chain = Chain(ward, trigger(("one", 1)))
    ward.put({**ward.read(chain.case.plan), "status": "completed"})
    chain.submit()

    assert chain.state == WAITS


def test_an_offset_beyond_the_calendar_holds_up_no_submission(ward) -> None:
    chain = Chain(ward, trigger(("one", 1), offset={"value": 10**9, "code": "wk"}))
    chain.submit()

    assert chain.state == WAITS
    (task,) = chain.case.tasks()
    assert task["priority"] == "urgent"


def test_submissions_that_come_together_start_an_activity_once(ward) -> None:
    chain = Chain(ward, trigger(("one", 2)))
    before = int(ward.read(chain.target)["meta"]["versionId"])
    for _ in range(4):
        chain.submit(work=False)
    ward.work()

    assert chain.state == STARTED
    assert int(ward.read(chain.target)["meta"]["versionId"]) == before + 1
    assert len(chain.case.tasks()) == 4


def test_submissions_after_the_activity_was_started_are_processed_as_any(ward) -> None:
    chain = Chain(ward, trigger(("one", 1)))
    chain.submit()
    chain.submit()

    assert chain.state == STARTED
    assert len(chain.case.tasks()) == 2
